/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which variables the set actions of a policy declare, and of what type
 * (specification 13). Their values at run time are not in this version: a rule
 * that reads one is an error, so that it cannot quietly mean something else.
 */
#include <config.h>

#include "policy/load.h"

#include <errno.h>
#include <stdio.h>

#include "model/field.h"
#include "policy/options.h"

struct variable {
	struct variable *next;
	const char *name; /* with its scope: "x", "process.x" */
	enum secl_type type;
	bool array, private;
};

static const struct key set_keys[] = {
	{ "name", KEY_TEXT, false },         { "value", KEY_ANY, false },
	{ "field", KEY_TEXT, false },        { "expression", KEY_TEXT, false },
	{ "default_value", KEY_ANY, false }, { "append", KEY_BOOL, false },
	{ "scope", KEY_TEXT, false },        { "scope_field", KEY_TEXT, false },
	{ "ttl", KEY_TEXT, false },          { "size", KEY_INT, false },
	{ "private", KEY_BOOL, false },      { "inherited", KEY_BOOL, false },
};

/* One set action while it is read. */
struct setter {
	struct load *load;
	const struct draft *draft;
	const struct policy_file *file;
	const struct yaml *node; /* what follows `set:` */
};

static int fail(const struct setter *s, const struct yaml *node, const char *text)
{
	return report_at(s->load, DIAG_ACTION, DIAG_ERROR, s->file, node ? node : s->node,
			 s->draft->id, "action set: %s; the rule is loaded without it", text);
}

static const struct yaml *entry_of(const struct yaml *node, const char *key)
{
	const struct yaml *entry = yaml_get(node, key);

	return entry && !yaml_is_null(entry) ? entry : NULL;
}

static bool flag_of(const struct yaml *node, const char *key)
{
	const struct yaml *entry = yaml_get(node, key);
	bool value = false;

	if (entry)
		(void)yaml_bool(entry, &value);
	return value;
}

static enum secl_type scalar_type(const struct yaml *node)
{
	int64_t number;
	bool boolean;

	if (node->kind != YAML_IS_SCALAR)
		return SECL_NONE;
	if (yaml_int(node, &number) == 0)
		return SECL_INT;
	if (yaml_bool(node, &boolean) == 0)
		return SECL_BOOL;
	return SECL_STRING;
}

/* Type of a literal; SECL_NONE when it is none. */
static enum secl_type literal_type(const struct yaml *node, bool *ret_array)
{
	enum secl_type type;

	*ret_array = node->kind == YAML_IS_SEQUENCE;
	if (node->kind != YAML_IS_SEQUENCE)
		return scalar_type(node);
	type = node->first ? scalar_type(node->first) : SECL_NONE;
	if (type == SECL_BOOL)
		return SECL_NONE;
	for (const struct yaml *v = node->first; v; v = v->next) {
		if (scalar_type(v) != type)
			return SECL_NONE;
	}
	return type;
}

static enum secl_type field_type(const char *name, bool *ret_array)
{
	struct secl_field field;

	if (event_schema.find(&event_schema, name, &field, NULL) < 0)
		return SECL_NONE;
	*ret_array = (field.flags & (SECL_FIELD_ARRAY | SECL_FIELD_ITERATOR)) != 0 ||
		     field.type == SECL_NET;
	return field.type;
}

/* The type that the action gives its variable; on false a row was written. */
static bool infer(const struct setter *s, struct variable *v, int *ret)
{
	const struct yaml *value = entry_of(s->node, "value"), *field = entry_of(s->node, "field");
	const struct yaml *expression = entry_of(s->node, "expression");
	const struct yaml *standard = entry_of(s->node, "default_value");
	const struct yaml *literal = standard ? standard : value;
	enum secl_type other;
	bool other_array;

	if (!!value + !!field + !!expression != 1) {
		*ret = fail(s, NULL, "exactly one of value, field and expression is needed");
		return false;
	}
	if (expression && !literal) {
		*ret = fail(s, expression, "an expression needs a default_value");
		return false;
	}
	if (literal)
		v->type = literal_type(literal, &v->array);
	else
		v->type = field_type(field->text, &v->array);
	if (v->type == SECL_NONE) {
		*ret = fail(s, literal ? literal : field,
			    literal ? "the value has no type a variable can have"
				    : "there is no such field");
		return false;
	}
	if (standard && value) {
		other = literal_type(value, &other_array);
		if (other != v->type || (other_array != v->array && !flag_of(s->node, "append"))) {
			*ret = fail(s, value, "value and default_value are of different types");
			return false;
		}
	}
	v->array |= flag_of(s->node, "append");
	return true;
}

static const char *full_name(const struct setter *s, const char *name, const char *scope)
{
	size_t size = strlen(name) + strlen(scope) + 2;
	char *full = arena_alloc(&s->load->arena, size);

	if (full)
		(void)snprintf(full, size, "%s%s%s", scope, *scope ? "." : "", name);
	return full;
}

static bool is_constant(const char *name)
{
	struct secl_value value;

	return event_schema.constant(&event_schema, name, &value) == 0;
}

/* Checks name and scope; NULL with a row. */
static const char *read_name(const struct setter *s, int *ret)
{
	static const char *const scopes[] = { "", "process", "container", "cgroup" };
	const struct yaml *name = entry_of(s->node, "name"), *scope = entry_of(s->node, "scope");
	const char *scope_text = scope ? scope->text : "";
	struct secl_field field;
	bool known = false;

	if (!name || !id_is_valid(name->text)) {
		*ret = fail(s, name, "it needs a name of letters, digits and _");
		return NULL;
	}
	for (size_t i = 0; i < ELEMENTS(scopes); i++)
		known |= streq(scopes[i], scope_text);
	if (!known) {
		*ret = fail(s, scope, "scope must be process, container or cgroup");
		return NULL;
	}
	if (is_constant(name->text) ||
	    event_schema.find(&event_schema, name->text, &field, NULL) == 0) {
		*ret = fail(s, name, "the name is that of a field or constant");
		return NULL;
	}
	if (!streq(scope_text, "process") &&
	    (flag_of(s->node, "inherited") || entry_of(s->node, "scope_field"))) {
		*ret = fail(s, scope, "inherited and scope_field need the scope process");
		return NULL;
	}
	return full_name(s, name->text, scope_text);
}

static int declare(const struct setter *s, const struct variable *v)
{
	struct variable *known = s->load->variables;

	while (known && !streq(known->name, v->name))
		known = known->next;
	if (!known) {
		known = arena_alloc(&s->load->arena, sizeof *known);
		if (!known)
			return -ENOMEM;
		*known = *v;
		known->next = s->load->variables;
		s->load->variables = known;
		return 0;
	}
	if (known->type != v->type || known->array != v->array)
		return fail(s, NULL, "the variable has another type in an earlier action");
	if (known->private != v->private)
		return fail(s, NULL, "the variable is private in one action and not in another");
	return 0;
}

static int read_set(const struct setter *s)
{
	const struct yaml *bad, *ttl = NULL;
	struct variable v = { 0 };
	const char *why;
	int64_t number;
	int r;

	if (s->node->kind != YAML_IS_MAPPING)
		return fail(s, NULL, "it must be a mapping with name and value");
	r = keys_check(s->load, s->file, s->node, set_keys, ELEMENTS(set_keys), s->draft->id, &bad,
		       &why);
	if (r < 0)
		return r;
	if (r > 0)
		return fail(s, bad, "a key has a value of the wrong kind");
	ttl = entry_of(s->node, "ttl");
	if (ttl && yaml_int(ttl, &number) < 0 && duration_parse(ttl->text, &number) < 0)
		return fail(s, ttl, "ttl is neither nanoseconds nor a duration");
	r = -ENOMEM; /* unless a row says what is wrong */
	v.name = read_name(s, &r);
	if (!v.name)
		return r;
	if (!infer(s, &v, &r))
		return r;
	v.private = flag_of(s->node, "private");
	return declare(s, &v);
}

int variables_declare(struct load *load)
{
	int r;

	for (const struct draft *d = load->first; d; d = d->next) {
		if (d->failed || d->filtered || d->disabled || d->merged)
			continue;
		for (size_t i = 0; i < d->nactions; i++) {
			const struct setter s = {
				.load = load,
				.draft = d,
				.file = d->actions[i].file,
				.node = yaml_get(d->actions[i].node, "set"),
			};

			r = s.node ? read_set(&s) : 0;
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* ---- what a compile sees ----------------------------------------------- */

static const struct {
	const char *name;
	enum secl_type type;
} predefined[] = {
	{ "process.pid", SECL_INT },
	{ "builtins.uuid4", SECL_STRING },
};

static int find(const struct secl_vars *self, const char *name, enum secl_type *ret_type,
		bool *ret_array, unsigned *ret_id)
{
	const struct load_vars *vars = CONTAINER_OF(self, const struct load_vars, base);

	*ret_id = 0;
	for (size_t i = 0; i < ELEMENTS(predefined); i++) {
		if (!streq(predefined[i].name, name))
			continue;
		*ret_type = predefined[i].type;
		*ret_array = false;
		*vars->ret_used = predefined[i].name;
		return 0;
	}
	for (const struct variable *v = vars->load->variables; v; v = v->next) {
		if (!streq(v->name, name))
			continue;
		*ret_type = v->type;
		*ret_array = v->array;
		*vars->ret_used = v->name;
		return 0;
	}
	return -ENOENT;
}

static int get(const struct secl_vars *self, const struct secl_context *ctx, unsigned id,
	       struct secl_value *ret)
{
	(void)self;
	(void)ctx;
	(void)id;
	(void)ret;
	return -ENOTSUP; /* no rule that reads a variable is loaded */
}

struct load_vars load_vars(const struct load *load, const char **ret_used)
{
	return (struct load_vars){ { find, get }, load, ret_used };
}
