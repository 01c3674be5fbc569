/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which variables the set actions of a policy declare, and of what type, and
 * how the actions find their values (specification 13). All are declared before
 * anything is compiled: a rule may read what a later one sets.
 */
#include <config.h>

#include "policy/load.h"

#include <errno.h>
#include <stdio.h>

#include "model/field.h"
#include "policy/options.h"

struct declared {
	struct declared *next;
	unsigned index;
	struct variable variable;
};

struct set_entry {
	struct set_entry *next;
	const struct yaml *node;
	const struct declared *declared;
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
	bool append = flag_of(s->node, "append");
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
		if (other != v->type || (other_array != v->array && !append)) {
			*ret = fail(s, value, "value and default_value are of different types");
			return false;
		}
	}
	v->array |= append;
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

static int scope_of(const struct yaml *node, enum variable_scope *ret)
{
	static const char *const scopes[] = {
		[SCOPE_GLOBAL] = "",
		[SCOPE_PROCESS] = "process",
		[SCOPE_CONTAINER] = "container",
		[SCOPE_CGROUP] = "cgroup",
	};

	for (size_t i = 0; i < ELEMENTS(scopes); i++) {
		if (!streq(scopes[i], node ? node->text : ""))
			continue;
		*ret = (enum variable_scope)i;
		return 0;
	}
	return -EINVAL;
}

/* Checks name and scope; false with a row, or out of memory. */
static bool read_name(const struct setter *s, struct variable *v, int *ret)
{
	const struct yaml *name = entry_of(s->node, "name"), *scope = entry_of(s->node, "scope");
	struct secl_field field;

	if (!name || !id_is_valid(name->text)) {
		*ret = fail(s, name, "it needs a name of letters, digits and _");
		return false;
	}
	if (scope_of(scope, &v->scope) < 0) {
		*ret = fail(s, scope, "scope must be process, container or cgroup");
		return false;
	}
	if (is_constant(name->text) ||
	    event_schema.find(&event_schema, name->text, &field, NULL) == 0) {
		*ret = fail(s, name, "the name is that of a field or constant");
		return false;
	}
	if (v->scope != SCOPE_PROCESS &&
	    (flag_of(s->node, "inherited") || entry_of(s->node, "scope_field"))) {
		*ret = fail(s, scope, "inherited and scope_field need the scope process");
		return false;
	}
	*ret = -ENOMEM;
	v->name = full_name(s, name->text, v->scope == SCOPE_GLOBAL ? "" : scope->text);
	return v->name != NULL;
}

/* Checks how long and how many; false with a row. */
static bool read_limits(const struct setter *s, struct variable *v, int *ret)
{
	const struct yaml *ttl = entry_of(s->node, "ttl"), *size = entry_of(s->node, "size");
	int64_t number = VARIABLE_SIZE;

	if (ttl && yaml_int(ttl, &v->ttl_ns) < 0 && duration_parse(ttl->text, &v->ttl_ns) < 0) {
		*ret = fail(s, ttl, "ttl is neither nanoseconds nor a duration");
		return false;
	}
	if (v->ttl_ns < 0) {
		*ret = fail(s, ttl, "ttl is negative");
		return false;
	}
	if (size && (yaml_int(size, &number) < 0 || number < 0 || number > VARIABLE_SIZE_MAX)) {
		*ret = fail(s, size, "size must be a number up to 10000");
		return false;
	}
	v->size = number ? (unsigned)number : VARIABLE_SIZE;
	return true;
}

static struct declared *find_declared(const struct load *load, const char *name)
{
	struct declared *d = load->variables;

	while (d && !streq(d->variable.name, name))
		d = d->next;
	return d;
}

/* What a list of actions says of one variable must agree: 0 when it does. */
static int agree(const struct setter *s, const struct variable *known, const struct variable *v)
{
	if (known->type != v->type || known->array != v->array)
		return fail(s, NULL, "the variable has another type in an earlier action");
	if (known->private != v->private)
		return fail(s, NULL, "the variable is private in one action and not in another");
	if (known->ttl_ns == v->ttl_ns && known->size == v->size &&
	    known->inherited == v->inherited)
		return 1;
	if (report_warning(s->load, s->file, s->node, s->draft->id,
			   "ttl, size and inherited of ${%s} are those of its first action",
			   v->name) < 0)
		return -ENOMEM;
	return 1;
}

/* 1 with the variable, which is new or known; 0 with a row. */
static int declare(const struct setter *s, const struct variable *v, struct declared **ret)
{
	struct load *load = s->load;

	*ret = find_declared(load, v->name);
	if (*ret)
		return agree(s, &(*ret)->variable, v);
	if (load->nvariables == VARIABLES_MAX)
		return fail(s, NULL, "there are too many variables");
	*ret = arena_alloc(&load->arena, sizeof **ret);
	if (!*ret)
		return -ENOMEM;
	**ret = (struct declared){ load->variables, (unsigned)load->nvariables++, *v };
	load->variables = *ret;
	return 1;
}

static int keep_value(struct load *load, const struct yaml *node, enum secl_type type,
		      struct secl_value *ret);

/* The value that a global variable has until it is set. */
static int read_standard(const struct setter *s, struct variable *v)
{
	const struct yaml *standard = entry_of(s->node, "default_value");

	if (!standard || v->scope != SCOPE_GLOBAL || v->array)
		return 0;
	return keep_value(s->load, standard, v->type, &v->standard);
}

static int read_set(const struct setter *s)
{
	struct set_entry *entry;
	struct declared *declared;
	struct variable v = { .type = SECL_NONE };
	const struct yaml *bad;
	const char *why;
	int r;

	if (s->node->kind != YAML_IS_MAPPING)
		return fail(s, NULL, "it must be a mapping with name and value");
	r = keys_check(s->load, s->file, s->node, set_keys, ELEMENTS(set_keys), s->draft->id, &bad,
		       &why);
	if (r < 0)
		return r;
	if (r > 0)
		return fail(s, bad, "a key has a value of the wrong kind");
	if (!read_name(s, &v, &r) || !infer(s, &v, &r) || !read_limits(s, &v, &r))
		return r;
	v.private = flag_of(s->node, "private");
	v.inherited = flag_of(s->node, "inherited");
	r = read_standard(s, &v);
	if (r == 0)
		r = declare(s, &v, &declared);
	if (r <= 0)
		return r;
	entry = arena_alloc(&s->load->arena, sizeof *entry);
	if (!entry)
		return -ENOMEM;
	*entry = (struct set_entry){ s->load->sets, s->node, declared };
	s->load->sets = entry;
	return 0;
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

int variables_keep(struct load *load)
{
	struct variable *all = arena_alloc(load->keep, (load->nvariables + 1) * sizeof *all);

	if (!all)
		return -ENOMEM;
	for (const struct declared *d = load->variables; d; d = d->next) {
		all[d->index] = d->variable;
		all[d->index].name =
			arena_copy(load->keep, d->variable.name, strlen(d->variable.name));
		if (!all[d->index].name)
			return -ENOMEM;
	}
	load->kept = all;
	load->ruleset->variables = all;
	load->ruleset->nvariables = load->nvariables;
	return 0;
}

/* ---- what an action sets ------------------------------------------------ */

static int keep_string(struct load *load, const struct yaml *node, struct secl_string *ret)
{
	ret->size = MIN(node->size, (size_t)VARIABLE_TEXT_MAX);
	ret->text = arena_copy(load->keep, node->text, ret->size);
	return ret->text ? 0 : -ENOMEM;
}

static int keep_list(struct load *load, const struct yaml *node, enum secl_type type,
		     struct secl_value *ret)
{
	struct secl_string *strings = arena_alloc(load->keep, node->count * sizeof *strings);
	int64_t *integers = arena_alloc(load->keep, node->count * sizeof *integers);
	size_t n = 0;
	int r = strings && integers ? 0 : -ENOMEM;

	for (const struct yaml *v = node->first; v && r == 0; v = v->next, n++) {
		if (type == SECL_INT)
			(void)yaml_int(v, &integers[n]);
		else
			r = keep_string(load, v, &strings[n]);
	}
	*ret = (struct secl_value){ .type = type, .array = true, .list.count = n };
	if (type == SECL_INT)
		ret->list.integers = integers;
	else
		ret->list.strings = strings;
	return r;
}

/* A literal, of the type that literal_type() says, in the ruleset's memory. */
static int keep_value(struct load *load, const struct yaml *node, enum secl_type type,
		      struct secl_value *ret)
{
	*ret = (struct secl_value){ .type = type };
	if (node->kind == YAML_IS_SEQUENCE)
		return keep_list(load, node, type, ret);
	if (type == SECL_INT)
		(void)yaml_int(node, &ret->integer);
	else if (type == SECL_BOOL)
		(void)yaml_bool(node, &ret->boolean);
	else
		return keep_string(load, node, &ret->string);
	return 0;
}

/* An expression of the action: 1, 0 with a row, -ENOMEM. */
static int compile_part(const struct setter *s, const struct yaml *node, const char *text,
			enum event_type event, struct secl_expr **ret, uint64_t *needs)
{
	const struct load_vars vars = load_vars(s->load, needs);
	const struct secl_options options = { .schema = &event_schema,
					      .macros = s->load->macros,
					      .vars = &vars.base,
					      .shared = s->load->ruleset->shared };
	struct secl_error error = { .line = 0 };
	unsigned about;
	char message[sizeof error.err.text + 64];
	int r = secl_compile(&options, text, ret, &error);

	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		(void)snprintf(message, sizeof message, "%s", error.err.text);
		return fail(s, node, message);
	}
	about = secl_expr_event(*ret);
	if (about == EVENT_NONE || about == (unsigned)event) {
		*needs |= secl_expr_needs(*ret);
		return 1;
	}
	secl_expr_free(*ret);
	*ret = NULL;
	return fail(s, node, "it is about another type of event than the rule");
}

/* Whether the value fits the variable; a list of addresses takes one as well. */
static bool fits(const struct secl_expr *expr, const struct variable *v)
{
	bool array;

	return secl_expr_type(expr, &array) == v->type && (!array || v->array);
}

/* What of the environment is no more than a name stays in events, see scrub.h. */
static void look_for_environment(void *data, const struct secl_field *field)
{
	size_t size = strlen(field->name);

	if (size >= 5 && streq(field->name + size - 5, ".envp"))
		*(bool *)data = true;
}

static int compile_source(const struct setter *s, const struct variable *v, enum event_type event,
			  struct set_action *ret, uint64_t *needs)
{
	const struct yaml *field = entry_of(s->node, "field");
	const struct yaml *expression = entry_of(s->node, "expression");
	const struct yaml *value = entry_of(s->node, "value");
	char reference[SECL_NAME_MAX + 8];
	int r;

	if (value)
		r = keep_value(s->load, value, v->type, &ret->value);
	else if (field && snprintf(reference, sizeof reference, "%%{%s}", field->text) >=
				  (int)sizeof reference)
		return fail(s, field, "there is no such field");
	else
		r = compile_part(s, field ? field : expression,
				 field ? reference : expression->text, event, &ret->source, needs);
	if (value)
		return r < 0 ? r : 1;
	if (r <= 0)
		return r;
	secl_expr_fields(ret->source, look_for_environment,
			 &s->load->kept[ret->variable].environment);
	if (fits(ret->source, v))
		return r;
	secl_expr_free(ret->source);
	ret->source = NULL;
	return fail(s, field ? field : expression, "the value has another type than the variable");
}

static int compile_scope_field(const struct setter *s, enum event_type event,
			       struct set_action *ret, uint64_t *needs)
{
	const struct yaml *field = entry_of(s->node, "scope_field");
	char reference[SECL_NAME_MAX + 8];
	bool array = false;
	int r;

	if (!field)
		return 1;
	if (snprintf(reference, sizeof reference, "%%{%s}", field->text) >= (int)sizeof reference)
		return fail(s, field, "there is no such field");
	r = compile_part(s, field, reference, event, &ret->scope_field, needs);
	if (r <= 0 || (secl_expr_type(ret->scope_field, &array) == SECL_INT && !array))
		return r;
	secl_expr_free(ret->scope_field);
	ret->scope_field = NULL;
	return fail(s, field, "scope_field must be a field that holds a pid");
}

int variables_compile_set(struct load *load, struct draft *draft, const struct policy_file *file,
			  const struct yaml *node, enum event_type event, struct set_action *ret,
			  uint64_t *needs)
{
	const struct setter s = { load, draft, file, node };
	const struct set_entry *entry = load->sets;
	const struct variable *v;
	int r;

	while (entry && entry->node != node)
		entry = entry->next;
	if (!entry)
		return 0; /* it was wrong, and has its row */
	v = &entry->declared->variable;
	*ret = (struct set_action){ .variable = entry->declared->index,
				    .append = flag_of(node, "append") };
	r = compile_source(&s, v, event, ret, needs);
	if (r > 0)
		r = compile_scope_field(&s, event, ret, needs);
	if (r <= 0) {
		secl_expr_free(ret->source);
		ret->source = NULL;
	}
	if (v->scope == SCOPE_CONTAINER || v->scope == SCOPE_CGROUP)
		*needs |= NEED_CGROUP;
	return r;
}

/* ---- what a compile sees ----------------------------------------------- */

static const struct {
	const char *name;
	enum secl_type type;
} predefined[] = {
	[VARIABLE_PROCESS_PID] = { "process.pid", SECL_INT },
	[VARIABLE_UUID4] = { "builtins.uuid4", SECL_STRING },
};

static int find(const struct secl_vars *self, const char *name, enum secl_type *ret_type,
		bool *ret_array, unsigned *ret_id)
{
	const struct load_vars *vars = CONTAINER_OF(self, const struct load_vars, base);
	const struct declared *d;

	for (size_t i = 0; i < ELEMENTS(predefined); i++) {
		if (!streq(predefined[i].name, name))
			continue;
		*ret_type = predefined[i].type;
		*ret_array = false;
		*ret_id = (unsigned)i;
		return 0;
	}
	d = find_declared(vars->load, name);
	if (!d)
		return -ENOENT;
	*ret_type = d->variable.type;
	*ret_array = d->variable.array;
	*ret_id = VARIABLE_FIRST_ID + d->index;
	if (d->variable.scope == SCOPE_CONTAINER || d->variable.scope == SCOPE_CGROUP)
		*vars->needs |= NEED_CGROUP;
	return 0;
}

/* Compiled expressions are evaluated with the variables of the engine. */
static int get(const struct secl_vars *self UNUSED, const struct secl_context *ctx UNUSED,
	       unsigned id UNUSED, struct secl_value *ret UNUSED)
{
	return -ENOTSUP;
}

struct load_vars load_vars(const struct load *load, uint64_t *needs)
{
	return (struct load_vars){ { find, get }, load, needs };
}
