/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Macros are kept as shapes and compiled where they are used; declaring one
 * compiles it once to find its errors.
 */
#include "config.h"

#include "secl/macro.h"

#include <errno.h>

#include "secl/compile.h"
#include "secl/lex.h"

enum { MACRO_BUCKETS = 256 };

struct secl_macros {
	struct pool pool;
	struct macro *buckets[MACRO_BUCKETS];
	size_t count;
};

static struct macro **bucket(const struct secl_macros *macros, const char *id, size_t size)
{
	size_t h = 5381;

	for (size_t i = 0; i < size; i++)
		h = h * 33 + (unsigned char)id[i];
	return (struct macro **)&macros->buckets[h % MACRO_BUCKETS];
}

static struct macro *find(const struct secl_macros *macros, const char *id, size_t size)
{
	struct macro *m = *bucket(macros, id, size);

	while (m && (strlen(m->id) != size || memcmp(m->id, id, size) != 0))
		m = m->next_in_bucket;
	return m;
}

const struct macro *macros_find(const struct secl_macros *macros, const struct secl_string *name,
				size_t limit)
{
	const struct macro *m = find(macros, name->text, name->size);

	return m && m->rank < limit ? m : NULL;
}

void macros_each(const struct secl_macros *macros, void (*visit)(void *data, const char *id),
		 void *data)
{
	for (size_t i = 0; i < MACRO_BUCKETS; i++)
		for (const struct macro *m = macros->buckets[i]; m; m = m->next_in_bucket)
			visit(data, m->id);
}

int secl_macros_new(struct secl_macros **ret)
{
	struct secl_macros *macros = calloc(1, sizeof *macros);

	if (!macros)
		return -ENOMEM;
	*ret = macros;
	return 0;
}

void secl_macros_free(struct secl_macros *macros)
{
	if (!macros)
		return;
	pool_done(&macros->pool);
	free(macros);
}

/* An error about the macro as a whole, not about a place in its text. */
static int whole_error(struct secl_error *error, int code, const char *why, const char *id)
{
	if (!error)
		return code;
	*error = (struct secl_error){ .line = 1, .column = 1 };
	return err_set(&error->err, code, "macro %s %s", id, why);
}

static int declare(struct secl_macros *macros, const char *id, const struct ast *ast,
		   bool from_values, struct macro **ret)
{
	struct macro **head = bucket(macros, id, strlen(id));
	struct macro *m = pool_alloc(&macros->pool, sizeof *m);

	if (!m)
		return -ENOMEM;
	m->id = pool_copy(&macros->pool, id, strlen(id));
	if (!m->id)
		return -ENOMEM;
	m->ast = ast;
	m->rank = macros->count++;
	m->from_values = from_values;
	m->next_in_bucket = *head;
	*head = m;
	if (ret)
		*ret = m;
	return 0;
}

static int check_id(const char *id, struct secl_error *error)
{
	size_t n = strlen(id);

	if (n > 0 && lex_name(id, id + n) == n && !strchr(id, '.'))
		return 0;
	return whole_error(error, -EINVAL, "has an id that is no name", id);
}

/* Regexps of a list are checked now; what its patterns mean is only known at
 * the field they meet.
 */
static int check_regexps(const struct source *source, const struct ast *list)
{
	for (const struct ast *m = list->first; m; m = m->next) {
		struct literal literal = { m->string, m->flavour, m->offset };
		struct matcher_options options = { 0 };
		struct pool pool = { 0 };
		struct matcher *matcher;
		struct err err = { 0 };
		size_t bad;
		int r;

		if (m->flavour != FLAVOUR_REGEXP)
			continue;
		r = matcher_new(&pool, &options, &literal, 1, &matcher, &bad, &err);
		pool_done(&pool);
		if (r == -EINVAL)
			return source_error(source, m->offset, "%s", err.text);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_body(const struct secl_macros *macros, const struct secl_options *options,
		      const struct source *source, const struct ast *ast)
{
	struct secl_options own = *options;
	struct secl_expr expr = { 0 };
	int r;

	if (ast->kind == AST_STRING_LIST)
		return check_regexps(source, ast);
	own.want_bool = false;
	own.macros = macros;
	r = compile_ast(&own, source, ast, SIZE_MAX, &expr);
	pool_done(&expr.pool);
	return r;
}

int secl_macros_add(struct secl_macros *macros, const struct secl_options *options, const char *id,
		    const char *expression, struct secl_error *error)
{
	struct source source = { .size = strlen(expression), .error = error };
	struct ast *ast;
	int r = check_id(id, error);

	if (r < 0)
		return r;
	if (find(macros, id, strlen(id)))
		return whole_error(error, -EEXIST, "is declared already", id);
	source.text = pool_copy(&macros->pool, expression, source.size);
	if (!source.text)
		return -ENOMEM;
	r = ast_parse(&source, true, &macros->pool, &ast);
	if (r == 0)
		r = check_body(macros, options, &source, ast);
	if (r == 0)
		r = declare(macros, id, ast, false, NULL);
	return r;
}

/* VALUES behind those of OLD, which may be NULL. */
static int make_list(struct secl_macros *macros, const struct ast *old, const char *const *values,
		     size_t count, struct ast **ret)
{
	struct ast *list = pool_alloc(&macros->pool, sizeof *list), **link;

	if (!list)
		return -ENOMEM;
	list->kind = AST_STRING_LIST;
	link = &list->first;
	for (const struct ast *m = old ? old->first : NULL; m; m = m->next) {
		*link = pool_alloc(&macros->pool, sizeof **link);
		if (!*link)
			return -ENOMEM;
		**link = *m;
		(*link)->next = NULL;
		link = &(*link)->next;
		list->count++;
	}
	for (size_t i = 0; i < count; i++) {
		struct ast *m = pool_alloc(&macros->pool, sizeof *m);
		size_t size = strlen(values[i]);

		if (!m)
			return -ENOMEM;
		m->kind = AST_STRING;
		m->string = (struct secl_string){ pool_copy(&macros->pool, values[i], size), size };
		if (!m->string.text)
			return -ENOMEM;
		*link = m;
		link = &m->next;
		list->count++;
	}
	*ret = list;
	return 0;
}

int secl_macros_add_values(struct secl_macros *macros, const struct secl_options *options UNUSED,
			   const char *id, const char *const *values, size_t count,
			   enum secl_combine combine, struct secl_error *error)
{
	struct macro *old = find(macros, id, strlen(id));
	struct ast *list;
	int r = check_id(id, error);

	if (r < 0)
		return r;
	if (old && combine == SECL_COMBINE_NONE)
		return whole_error(error, -EEXIST, "is declared already", id);
	if (old && !old->from_values)
		return whole_error(error, -EINVAL,
				   "has an expression: values cannot be combined "
				   "with it",
				   id);
	r = make_list(macros, old && combine == SECL_COMBINE_MERGE ? old->ast : NULL, values, count,
		      &list);
	if (r < 0)
		return r;
	if (!old)
		return declare(macros, id, list, true, NULL);
	old->ast = list;
	return 0;
}
