/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Strings and lists as they are written: interpolation, kinds of members, and
 * what a field demands of the literals it is compared with.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>

#include "secl/share.h"
#include "secl/glob.h"
#include "secl/lex.h"

/* ---- interpolated strings ------------------------------------------------------ */

/* The next well-formed ${name} or %{name} from *pos on: its token, or false. */
static bool next_insert(const struct secl_string *text, size_t *pos, struct token *ret)
{
	for (; *pos + 3 < text->size; ++*pos) {
		struct lexer lexer = { .source = { text->text + *pos, text->size - *pos, NULL } };
		char c = text->text[*pos];

		if ((c != '$' && c != '%') || text->text[*pos + 1] != '{')
			continue;
		/* anything else is ordinary text */
		if (lex_next(&lexer, ret) == 0 &&
		    ret->kind == (c == '$' ? TOKEN_VARIABLE : TOKEN_REFERENCE))
			return true;
	}
	return false;
}

static int new_string(struct compiler *c, uint32_t offset, const struct secl_string *text,
		      enum flavour flavour, struct node **ret)
{
	struct node *n;
	int r = compile_new(c, offset, &n);

	if (r < 0)
		return r;
	n->literals = pool_alloc(c->pool, sizeof *n->literals);
	if (!n->literals)
		return -ENOMEM;
	n->nliterals = 1;
	n->literals[0].flavour = flavour;
	n->literals[0].offset = n->offset;
	r = compile_text(c, text, &n->literals[0].text);
	if (r < 0)
		return r;
	n->value = value_fixed;
	n->constant = true;
	n->type = SECL_STRING;
	n->fixed = (struct secl_value){ .type = SECL_STRING, .string = n->literals[0].text };
	*ret = n;
	return 0;
}

static int insert(struct compiler *c, uint32_t offset, const struct token *token, struct node **ret)
{
	struct secl_string name = { token->text, token->size };
	int r = token->kind == TOKEN_VARIABLE ? compile_variable(c, offset, &name, ret)
					      : compile_reference(c, offset, &name, ret);

	if (r == 0 && (*ret)->type == SECL_BOOL)
		return compile_error(c, offset, "\"%.*s\" is a bool: it cannot stand in a string",
				     (int)MIN(name.size, 200u), name.text);
	return r;
}

/* Splits TEXT, which has INSERTS of them, into nodes. */
static int compile_parts(struct compiler *c, const struct ast *a, size_t inserts, struct node *n)
{
	struct secl_string rest = a->string, before;
	struct token token;
	size_t pos = 0;
	int r;

	n->items = pool_alloc(c->pool, (inserts * 2 + 1) * sizeof *n->items);
	if (!n->items)
		return -ENOMEM;
	while (next_insert(&rest, &pos, &token)) {
		before = (struct secl_string){ rest.text, pos };
		r = pos > 0 ? new_string(c, a->offset, &before, FLAVOUR_EXACT,
					 &n->items[n->count++])
			    : 0;
		if (r == 0)
			r = insert(c, a->offset, &token, &n->items[n->count++]);
		if (r < 0)
			return r;
		pos += token.size + 3;
		rest = (struct secl_string){ rest.text + pos, rest.size - pos };
		pos = 0;
	}
	if (rest.size == 0)
		return 0;
	return new_string(c, a->offset, &rest, FLAVOUR_EXACT, &n->items[n->count++]);
}

int compile_string(struct compiler *c, const struct ast *a, struct node **ret)
{
	size_t inserts = 0, pos = 0;
	struct token token;
	struct node *n;
	int r;

	if (a->flavour == FLAVOUR_EXACT)
		while (next_insert(&a->string, &pos, &token)) {
			inserts++;
			pos += token.size + 3;
		}
	if (inserts == 0)
		return new_string(c, a->offset, &a->string, a->flavour, ret);
	r = compile_new(c, a->offset, &n);
	if (r < 0)
		return r;
	n->type = SECL_STRING;
	n->value = value_text;
	*ret = n;
	r = compile_parts(c, a, inserts, n);
	return r < 0 ? r : node_join(c, n);
}

/* ---- lists ------------------------------------------------------------------------ */

static int fill_strings(struct compiler *c, const struct ast *a, struct node *n)
{
	size_t i = 0;

	n->type = SECL_STRING;
	n->set = true;
	n->literals = pool_alloc(c->pool, a->count * sizeof *n->literals);
	if (!n->literals)
		return -ENOMEM;
	for (const struct ast *m = a->first; m; m = m->next, i++) {
		int r = compile_text(c, &m->string, &n->literals[i].text);

		if (r < 0)
			return r;
		n->literals[i].flavour = m->flavour;
		n->literals[i].offset = compile_place(c, m->offset);
	}
	n->nliterals = a->count;
	return 0;
}

static int fill_ints(struct compiler *c, const struct ast *a, struct node *n)
{
	int64_t *values = pool_alloc(c->pool, a->count * sizeof *values);
	size_t i = 0;

	if (!values)
		return -ENOMEM;
	for (const struct ast *m = a->first; m; m = m->next)
		values[i++] = m->integer;
	n->type = SECL_INT;
	n->fixed.list.integers = values;
	return 0;
}

static int fill_nets(struct compiler *c, const struct ast *a, struct node *n)
{
	struct secl_net *values = pool_alloc(c->pool, a->count * sizeof *values);
	size_t i = 0;

	if (!values)
		return -ENOMEM;
	for (const struct ast *m = a->first; m; m = m->next)
		values[i++] = m->net;
	n->type = SECL_NET;
	n->set = true;
	n->fixed.list.nets = values;
	return 0;
}

/* The constant that M names: only constants may stand in a list. */
static int member_constant(struct compiler *c, const struct ast *m, struct secl_value *ret)
{
	const struct secl_schema *schema = c->options->schema;
	char text[SECL_NAME_MAX + 1];
	int r = -ENOENT;

	if (schema->constant && m->string.size <= SECL_NAME_MAX) {
		memcpy(text, m->string.text, m->string.size);
		text[m->string.size] = '\0';
		*ret = (struct secl_value){ 0 };
		r = schema->constant(schema, text, ret);
	}
	if (r == -ENOENT)
		return compile_error(c, m->offset,
				     "\"%.*s\" is no constant: a list of names takes nothing else",
				     (int)MIN(m->string.size, 200u), m->string.text);
	return r;
}

/* [A, B]: all int, all string or all bool. */
static int fill_constants(struct compiler *c, const struct ast *a, struct node *n)
{
	int64_t *integers = pool_alloc(c->pool, a->count * sizeof *integers);
	bool *booleans = pool_alloc(c->pool, a->count * sizeof *booleans);
	size_t i = 0;
	int r;

	n->literals = pool_alloc(c->pool, a->count * sizeof *n->literals);
	if (!integers || !booleans || !n->literals)
		return -ENOMEM;
	for (const struct ast *m = a->first; m; m = m->next, i++) {
		struct secl_value v;

		r = member_constant(c, m, &v);
		if (r < 0)
			return r;
		if (i > 0 && v.type != n->type)
			return compile_error(c, m->offset,
					     "constants of a list must be of one type");
		n->type = v.type;
		if (v.type == SECL_INT)
			integers[i] = v.integer;
		else if (v.type == SECL_BOOL)
			booleans[i] = v.boolean;
		else if (v.type == SECL_STRING)
			n->literals[i] = (struct literal){ v.string, FLAVOUR_EXACT,
							   compile_place(c, m->offset) };
		else
			return compile_error(c, m->offset, "constant cannot stand in a list");
	}
	n->set = n->type == SECL_STRING;
	n->nliterals = n->set ? a->count : 0;
	if (n->type == SECL_INT)
		n->fixed.list.integers = integers;
	else
		n->fixed.list.booleans = booleans;
	return 0;
}

int compile_list(struct compiler *c, const struct ast *a, struct node **ret)
{
	static int (*const fill[])(struct compiler * c, const struct ast *a, struct node *n) = {
		[AST_STRING_LIST] = fill_strings,
		[AST_NET_LIST] = fill_nets,
		[AST_INT_LIST] = fill_ints,
		[AST_IDENT_LIST] = fill_constants,
	};
	struct node *n;
	int r = compile_spend(c, a->offset, a->count);

	if (r == 0)
		r = compile_new(c, a->offset, &n);
	if (r == 0)
		r = fill[a->kind](c, a, n);
	if (r < 0)
		return r;
	n->array = true;
	n->constant = true;
	n->value = value_fixed;
	n->fixed.type = n->type;
	n->fixed.array = true;
	n->fixed.list.count = n->type == SECL_STRING ? 0 : a->count;
	*ret = n;
	return 0;
}

/* ---- what a field demands (6.5) ------------------------------------------------------ */

static const char *bad_component(const char *text, size_t size)
{
	if (size == 0)
		return "// and a / at the end are not clean";
	if ((size == 1 && text[0] == '.') || (size == 2 && memcmp(text, "..", 2) == 0))
		return ". and .. are not clean";
	return size > NAME_MAX ? "a component is longer than 255 bytes" : NULL;
}

/* Why a path could never be equal to TEXT; NULL = it could. */
static const char *bad_path(const struct secl_string *s)
{
	const char *p = s->text, *end = s->text + s->size, *why = NULL;

	if (s->size == 0)
		return NULL;
	if (s->size >= PATH_MAX)
		return "it is longer than 4095 bytes";
	if (*p == '~')
		return "~ is not expanded";
	if (*p != '/' && *p != '*')
		return "it must be absolute or start with *";
	if (s->size == 1)
		return *p == '*' ? "* alone matches no path" : NULL;
	p += *p == '/';
	while (!why && p <= end) {
		const char *slash = p < end ? memchr(p, '/', (size_t)(end - p)) : NULL;

		why = bad_component(p, (size_t)((slash ? slash : end) - p));
		p = (slash ? slash : end) + 1;
	}
	return why;
}

static int check_literal(struct compiler *c, const struct secl_field *field,
			 const struct literal *literal)
{
	const char *why = NULL;

	if (field->flags & SECL_FIELD_PATH) {
		if (literal->flavour == FLAVOUR_REGEXP)
			return compile_error(c, literal->offset,
					     "regexps are refused on paths (%s): use a glob",
					     field->name);
		why = bad_path(&literal->text);
	}
	if (why)
		return compile_error(c, literal->offset, "path \"%.*s\" cannot match %s: %s",
				     (int)MIN(literal->text.size, 200u), literal->text.text,
				     field->name, why);
	if (field->max_literal > 0 && literal->flavour == FLAVOUR_EXACT &&
	    literal->text.size > field->max_literal)
		return compile_error(c, literal->offset, "%s has %u bytes at most: it cannot match",
				     field->name, field->max_literal);
	return 0;
}

static int add_dot(struct compiler *c, struct literal *literal)
{
	char *text;

	if (literal->flavour == FLAVOUR_REGEXP ||
	    (literal->text.size > 0 && literal->text.text[0] == '.'))
		return 0;
	text = pool_alloc(c->pool, literal->text.size + 1);
	if (!text)
		return -ENOMEM;
	text[0] = '.';
	memcpy(text + 1, literal->text.text, literal->text.size);
	literal->text = (struct secl_string){ text, literal->text.size + 1 };
	return 0;
}

/* See secl_expr_texts(). */
static int note_texts(struct compiler *c, const struct secl_field *field,
		      const struct matcher *matcher)
{
	struct text_use *use = pool_alloc(c->pool, sizeof *use);

	if (!use)
		return -ENOMEM;
	*use = (struct text_use){ c->expr->texts, field, matcher };
	c->expr->texts = use;
	return 0;
}

int compile_matcher(struct compiler *c, const struct node *subject, const struct node *literals,
		    bool pattern, const struct matcher **ret)
{
	static const struct secl_field none;
	const struct secl_field *field = subject->field ? subject->load : &none;
	struct matcher_options options = { .glob = field->flags & SECL_FIELD_GLOB,
					   .icase = field->flags & SECL_FIELD_ICASE };
	size_t n = literals->nliterals, bad = 0;
	/* a shared matcher has its own */
	_cleanup_free_ struct literal *own = c->options->shared ? calloc(n + 1, sizeof *own) : NULL;
	struct literal *copy = own ?: pool_alloc(c->pool, n * sizeof *copy);
	struct err err = { 0 };
	int r;

	if (!copy)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		copy[i] = literals->literals[i];
		if (pattern && copy[i].flavour == FLAVOUR_EXACT)
			copy[i].flavour = FLAVOUR_PATTERN;
		if (copy[i].flavour == FLAVOUR_REGEXP)
			r = compile_spend(c, copy[i].offset, SECL_COST_REGEXP);
		else
			r = compile_spend(c, copy[i].offset, 1);
		if (r == 0)
			r = check_literal(c, field, &copy[i]);
		if (r == 0 && field->flags & SECL_FIELD_EXTENSION)
			r = add_dot(c, &copy[i]);
		if (r < 0)
			return r;
	}
	r = share_matcher(c->options->shared, c->pool, &options, copy, n, ret, &bad, &err);
	if (r == -EINVAL)
		return compile_error(c, copy[bad].offset, "%s", err.text);
	if (r == 0 && subject->field)
		r = note_texts(c, field, *ret);
	return r;
}
