/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a name means: constant, macro, field (specification section 3), with
 * registers, subscripts and suffixes; variables and references.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>

#include "base/nearest.h"
#include "secl/compile.h"
#include "secl/lex.h"
#include "secl/share.h"

static void offer(void *nearest, const char *id)
{
	nearest_offer(nearest, id);
}

static int unknown_name(struct compiler *c, uint32_t offset, const struct secl_string *name,
			const char *hint)
{
	struct nearest nearest = { .word = name->text, .size = name->size };

	/* a macro that is as near as the schema's name is more likely meant */
	nearest_offer(&nearest, hint);
	if (c->options->macros)
		macros_each(c->options->macros, offer, &nearest);
	hint = nearest_result(&nearest) ? nearest_result(&nearest) : hint;
	return compile_error(c, offset, "unknown field, constant or macro \"%.*s\"%s%s%s",
			     (int)MIN(name->size, 200u), name->text,
			     hint ? ", did you mean \"" : "", hint ? hint : "", hint ? "\"?" : "");
}

/* ---- fields ------------------------------------------------------------------ */

/* A name without subscripts in the schema: 0 or -ENOENT. */
static int find_field(struct compiler *c, const struct secl_string *name, struct secl_field *ret,
		      const char **ret_hint)
{
	const struct secl_schema *schema = c->options->schema;
	char text[SECL_NAME_MAX + 1];

	*ret_hint = NULL;
	if (name->size > SECL_NAME_MAX)
		return -ENOENT;
	memcpy(text, name->text, name->size);
	text[name->size] = '\0';
	*ret = (struct secl_field){ 0 };
	return schema->find(schema, text, ret, ret_hint);
}

static const char *event_name(struct compiler *c, unsigned event)
{
	const struct secl_schema *schema = c->options->schema;
	const char *name = schema->event_name ? schema->event_name(schema, event) : NULL;

	return name ? name : "?";
}

/* Notes what the expression as a whole is about. */
static int note_field(struct compiler *c, uint32_t offset, const struct secl_field *field)
{
	c->expr->needs |= field->needs;
	if (field->event == 0)
		return 0;
	if (!c->event_field) {
		c->event_field = field;
		c->expr->event = field->event;
		return 0;
	}
	if (field->event == c->expr->event)
		return 0;
	return compile_error(c, offset,
			     "%s belongs to event type %s, but %s before it to %s: a rule is about "
			     "one event type",
			     field->name, event_name(c, field->event), c->event_field->name,
			     event_name(c, c->expr->event));
}

static size_t bucket(const struct secl_string *name)
{
	size_t h = 5381;

	for (size_t i = 0; i < name->size; i++)
		h = h * 33 + (unsigned char)name->text[i];
	return h % FIELD_BUCKETS;
}

/* NAME, looked up in the schema. */
static int add_field(struct compiler *c, const struct secl_string *name,
		     const struct secl_field **ret, const char **ret_hint)
{
	/* on an error the hint may lie in it */
	struct secl_field *own = pool_alloc(c->pool, sizeof *own);
	int r = own ? find_field(c, name, own, ret_hint) : -ENOMEM;

	if (r == 0 && c->options->shared)
		return share_field_add(c->options->shared, name, own, ret);
	*ret = own;
	return r;
}

/* The field NAME, looked up once an expression. */
static int use_field(struct compiler *c, uint32_t offset, const struct secl_string *name,
		     const struct secl_field **ret, const char **ret_hint)
{
	struct field_use **head = &c->buckets[bucket(name)], *use;
	int r = 0;

	for (use = *head; use; use = use->collide)
		if (use->name.size == name->size &&
		    memcmp(use->name.text, name->text, name->size) == 0)
			break;
	if (!use) {
		use = pool_alloc(c->pool, sizeof *use);
		if (!use)
			return -ENOMEM;
		use->field = share_field_find(c->options->shared, name);
		if (!use->field)
			r = add_field(c, name, &use->field, ret_hint);
		if (r == 0)
			r = compile_text(c, name, &use->name);
		if (r < 0)
			return r;
		use->collide = *head;
		*head = use;
		*c->last_field = use;
		c->last_field = &use->next;
	}
	*ret = use->field;
	return note_field(c, offset, use->field);
}

/* A name taken apart: process.ancestors[A].argv[0] */
struct path {
	char buf[SECL_NAME_MAX + 1];
	struct secl_string name;     /* without any subscript, in buf if need be */
	struct secl_string iterator; /* in front of [A]; empty = no register */
	struct secl_string reg;
	int64_t index; /* -1 = none */
};

static bool all_digits(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return size > 0;
}

/* [N] at the very end. */
static int take_index(struct compiler *c, uint32_t offset, struct path *path)
{
	struct secl_string *name = &path->name;
	const char *open;
	size_t n;

	path->index = -1;
	if (name->size == 0 || name->text[name->size - 1] != ']')
		return 0;
	open = memrchr(name->text, '[', name->size);
	if (!open)
		return 0;
	n = (size_t)(name->text + name->size - 1 - (open + 1));
	if (!all_digits(open + 1, n))
		return 0;
	if (n > 9)
		return compile_error(c, offset, "subscript is too large");
	path->index = 0;
	for (size_t i = 0; i < n; i++)
		path->index = path->index * 10 + (open[1 + i] - '0');
	name->size = (size_t)(open - name->text);
	return 0;
}

/* [REG] in the middle. */
static int take_register(struct compiler *c, uint32_t offset, struct path *path)
{
	struct secl_string *name = &path->name;
	const char *open = memchr(name->text, '[', name->size);
	const char *close = memchr(name->text, ']', name->size);
	const char *end = name->text + name->size;

	if (!open && !close)
		return 0;
	if (!open || !close || close < open || memchr(close + 1, '[', (size_t)(end - close - 1)))
		return compile_error(c, offset, "brackets in a name must be one [register]");
	path->reg = (struct secl_string){ open + 1, (size_t)(close - open - 1) };
	path->iterator = (struct secl_string){ name->text, (size_t)(open - name->text) };
	if (path->reg.size == 0)
		return compile_error(c, offset, "register between the brackets has no name");
	if (path->reg.size == 1 && path->reg.text[0] == '_')
		return compile_error(c, offset, "register must not be called _");
	if (lex_name(path->reg.text, close) != path->reg.size ||
	    memchr(path->reg.text, '.', path->reg.size))
		return compile_error(c, offset,
				     "register must be a name of letters, digits and underscores");
	if (close + 1 == end || close[1] != '.' || name->size > SECL_NAME_MAX)
		return compile_error(c, offset, "expected a field behind [%.*s]",
				     (int)MIN(path->reg.size, 64u), path->reg.text);
	memcpy(path->buf, name->text, path->iterator.size);
	memcpy(path->buf + path->iterator.size, close + 1, (size_t)(end - close - 1));
	path->name =
		(struct secl_string){ path->buf, path->iterator.size + (size_t)(end - close - 1) };
	return 0;
}

/* An iterator is no field, but its length is. */
static bool is_iterator(struct compiler *c, const struct secl_string *name)
{
	struct secl_field ignored;
	char text[SECL_NAME_MAX + 1];
	struct secl_string length = { text, 0 };
	const char *hint;
	int n = snprintf(text, sizeof text, "%.*s.length", (int)MIN(name->size, 255u), name->text);

	if (n < 0 || (size_t)n >= sizeof text)
		return false;
	length.size = (size_t)n;
	return find_field(c, name, &ignored, &hint) < 0 &&
	       find_field(c, &length, &ignored, &hint) == 0;
}

/* One register an expression, on one iterator. */
static int note_register(struct compiler *c, uint32_t offset, const struct path *path,
			 const struct secl_field *field)
{
	if (!(field->flags & SECL_FIELD_ITERATOR) || !is_iterator(c, &path->iterator))
		return compile_error(c, offset,
				     "\"%.*s\" is no iterator: a register stands directly behind "
				     "one, as in process.ancestors[A].comm",
				     (int)MIN(path->iterator.size, 200u), path->iterator.text);
	if (c->expr->iterator == 0) {
		c->expr->iterator = field->iterator;
		return compile_text(c, &path->reg, &c->reg);
	}
	if (c->reg.size != path->reg.size || memcmp(c->reg.text, path->reg.text, c->reg.size) != 0)
		return compile_error(c, offset,
				     "one register an expression: [%.*s] is used already",
				     (int)MIN(c->reg.size, 64u), c->reg.text);
	if (c->expr->iterator != field->iterator)
		return compile_error(c, offset,
				     "register [%.*s] is used for another iterator already",
				     (int)MIN(c->reg.size, 64u), c->reg.text);
	return 0;
}

static int subscript(struct compiler *c, uint32_t offset, int64_t index, struct node **n)
{
	struct node *list = *n;
	int r;

	if (!list->array)
		return compile_error(c, offset, "%s is no array: it has no elements to number",
				     list->load->name);
	r = compile_new(c, offset, n);
	if (r < 0)
		return r;
	(*n)->value = value_index;
	(*n)->type = list->type;
	(*n)->left = list;
	(*n)->index = (size_t)index;
	return node_join(c, *n);
}

/* NAME with its subscripts. -ENOENT without an error when it is unknown. */
static int load_field(struct compiler *c, uint32_t offset, const struct secl_string *name,
		      struct node **ret, const char **ret_hint)
{
	const struct secl_field *field;
	struct path path = { .name = *name };
	struct node *n;
	int r;

	*ret_hint = NULL;
	r = take_index(c, offset, &path);
	if (r == 0)
		r = take_register(c, offset, &path);
	if (r == 0)
		r = use_field(c, offset, &path.name, &field, ret_hint);
	if (r == 0 && path.reg.size > 0)
		r = note_register(c, offset, &path, field);
	if (r == 0)
		r = compile_new(c, offset, &n);
	if (r < 0)
		return r;
	n->value = value_field;
	n->load = field;
	n->field = true;
	n->type = field->type;
	n->array = field->flags & (SECL_FIELD_ARRAY | SECL_FIELD_ITERATOR);
	/* the type checker sees a list still, as the peer's does */
	n->registered = path.reg.size > 0;
	n->element = n->registered && !(field->flags & SECL_FIELD_ARRAY);
	n->weight = field->weight;
	*ret = n;
	return path.index >= 0 ? subscript(c, offset, path.index, ret) : 0;
}

/* ---- identifiers ------------------------------------------------------------- */

static int load_constant(struct compiler *c, const struct ast *a, struct node **ret)
{
	const struct secl_schema *schema = c->options->schema;
	char text[SECL_NAME_MAX + 1];
	struct secl_value v = { 0 };
	struct node *n;
	int r;

	if (!schema->constant || a->string.size > SECL_NAME_MAX)
		return -ENOENT;
	memcpy(text, a->string.text, a->string.size);
	text[a->string.size] = '\0';
	r = schema->constant(schema, text, &v);
	if (r == 0)
		r = compile_new(c, a->offset, &n);
	if (r < 0)
		return r;
	n->value = value_fixed;
	n->constant = true;
	n->type = v.type;
	n->array = v.array;
	n->fixed = v;
	*ret = n;
	return 0;
}

/* The macro's shape is compiled anew at every use: what its literals mean
 * depends on the field they meet.
 */
static int expand_macro(struct compiler *c, const struct ast *a, struct node **ret)
{
	const struct macro *outer = c->macro, *macro;
	size_t visible = c->visible;
	uint32_t use = c->macro_use;
	int r;

	macro = c->options->macros ? macros_find(c->options->macros, &a->string, c->visible) : NULL;
	if (!macro)
		return -ENOENT;
	c->macro_use = outer ? use : a->offset;
	c->macro = macro;
	c->visible = macro->rank;
	r = compile_node(c, macro->ast, ret);
	c->macro = outer;
	c->macro_use = use;
	c->visible = visible;
	return r;
}

int compile_ident(struct compiler *c, const struct ast *a, struct node **ret)
{
	const char *hint = NULL;
	int r;

	r = a->array_position ? expand_macro(c, a, ret) : load_constant(c, a, ret);
	if (r == -ENOENT)
		r = a->array_position ? load_constant(c, a, ret) : expand_macro(c, a, ret);
	if (r == -ENOENT)
		r = load_field(c, a->offset, &a->string, ret, &hint);
	return r == -ENOENT ? unknown_name(c, a->offset, &a->string, hint) : r;
}

/* ---- references and variables ------------------------------------------------- */

/* NAME without SUFFIX at its end; false = it does not end so. */
static bool without_suffix(const struct secl_string *name, const char *suffix,
			   struct secl_string *ret)
{
	size_t n = strlen(suffix);

	if (name->size <= n || memcmp(name->text + name->size - n, suffix, n) != 0)
		return false;
	*ret = (struct secl_string){ name->text, name->size - n };
	return true;
}

static int length_of(struct compiler *c, uint32_t offset, struct node *operand, struct node **ret)
{
	struct node *n;
	int r;

	if (operand->type != SECL_STRING && !operand->array)
		return compile_error(c, offset, ".length is for strings and arrays");
	r = compile_new(c, offset, &n);
	if (r < 0)
		return r;
	n->type = SECL_INT;
	n->value = value_length;
	n->left = operand;
	*ret = n;
	return node_join(c, n);
}

int compile_reference(struct compiler *c, uint32_t offset, const struct secl_string *name,
		      struct node **ret)
{
	struct secl_string base;
	struct node *operand;
	const char *hint;
	int r;

	r = load_field(c, offset, name, ret, &hint);
	if (r == -ENOENT && without_suffix(name, ".length", &base)) {
		r = load_field(c, offset, &base, &operand, &hint);
		if (r == 0)
			return length_of(c, offset, operand, ret);
	}
	if (r == -ENOENT && without_suffix(name, ".root_domain", &base))
		return compile_error(c, offset,
				     ".root_domain of a reference is not supported: there is no "
				     "list of public suffixes");
	return r == -ENOENT ? unknown_name(c, offset, name, hint) : r;
}

static int find_variable(struct compiler *c, uint32_t offset, const struct secl_string *name,
			 struct node **ret)
{
	const struct secl_vars *vars = c->options->vars;
	char text[SECL_NAME_MAX + 1];
	enum secl_type type;
	struct node *n;
	unsigned id;
	bool array;
	int r;

	if (!vars || name->size > SECL_NAME_MAX)
		return -ENOENT;
	memcpy(text, name->text, name->size);
	text[name->size] = '\0';
	r = vars->find(vars, text, &type, &array, &id);
	if (r == 0)
		r = compile_new(c, offset, &n);
	if (r < 0)
		return r;
	n->value = value_variable;
	n->type = type;
	n->array = array;
	n->index = id;
	n->weight = 5;
	*ret = n;
	return 0;
}

int compile_variable(struct compiler *c, uint32_t offset, const struct secl_string *name,
		     struct node **ret)
{
	struct secl_string base;
	struct node *operand;
	int r = find_variable(c, offset, name, ret);

	if (r == -ENOENT && without_suffix(name, ".length", &base)) {
		r = find_variable(c, offset, &base, &operand);
		if (r == 0)
			return length_of(c, offset, operand, ret);
	}
	if (r != -ENOENT)
		return r;
	return compile_error(c, offset, "unknown variable ${%.*s}: no rule sets it",
			     (int)MIN(name->size, 200u), name->text);
}
