/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>

#include "policy/load.h"

#include <errno.h>

#include "model/field.h"

static const struct key macro_keys[] = {
	{ "id", KEY_TEXT, false },
	{ "expression", KEY_TEXT, false },
	{ "values", KEY_LIST, false },
	{ "description", KEY_TEXT, false },
	{ "agent_version", KEY_TEXT, false },
	{ "filters", KEY_LIST, false },
	{ "combine", KEY_TEXT, false },
};

struct macro {
	const struct policy_file *file;
	const struct yaml *node, *expression, *values;
	const char *id;
	enum secl_combine combine;
};

static int fail(struct load *load, const struct macro *m, const struct yaml *node, const char *text)
{
	return report_at(load, DIAG_MACRO, DIAG_ERROR, m->file, node ? node : m->node, m->id, "%s",
			 text);
}

static int add_expression(struct load *load, const struct macro *m)
{
	const struct secl_options options = { .schema = &event_schema, .macros = load->macros };
	struct secl_error error = { .line = 0 };
	int r;

	if (m->combine != SECL_COMBINE_NONE)
		return fail(load, m, yaml_get(m->node, "combine"),
			    "only macros with values can be combined");
	if (m->expression->size > MAX_EXPRESSION)
		return fail(load, m, m->expression, "the expression is too long");
	if (strstr(m->expression->text, "fim.write.file."))
		return fail(load, m, m->expression, "fim.write.file is not allowed in a macro");
	r = secl_macros_add(load->macros, &options, m->id, m->expression->text, &error);
	if (r == -EINVAL)
		return report_secl(load, DIAG_MACRO, m->file, m->expression, m->id, &error);
	return r;
}

static int add_values(struct load *load, const struct macro *m)
{
	const struct secl_options options = { .schema = &event_schema, .macros = load->macros };
	struct secl_error error = { .line = 0 };
	const char **values;
	size_t count = 0;
	int r;

	values = arena_alloc(&load->arena, (m->values->count + 1) * sizeof *values);
	if (!values)
		return -ENOMEM;
	for (const struct yaml *v = m->values->first; v; v = v->next) {
		if (v->kind != YAML_IS_SCALAR)
			return fail(load, m, v, "a value must be a text");
		values[count++] = v->text;
	}
	r = secl_macros_add_values(load->macros, &options, m->id, values, count, m->combine,
				   &error);
	if (r == -EINVAL)
		return fail(load, m, m->values, error.err.text);
	return r;
}

/* Whether an earlier macro of the same file has the id and applies. */
static bool used_in_file(const struct macro *m)
{
	for (const struct yaml *n = m->file->macros->first; n != m->node; n = n->next) {
		const struct yaml *id = yaml_get(n, "id");

		if (id && id->kind == YAML_IS_SCALAR && streq(id->text, m->id))
			return true;
	}
	return false;
}

static int add(struct load *load, const struct macro *m)
{
	int r = m->expression ? add_expression(load, m) : add_values(load, m);

	if (r != -EEXIST)
		return r;
	/* in another file the first definition applies, without a word (14) */
	return used_in_file(m) ? fail(load, m, NULL,
				      "the id is used twice in this file, the first macro applies")
			       : 0;
}

static int read_combine(const struct yaml *node, enum secl_combine *ret)
{
	const struct yaml *combine = yaml_get(node, "combine");

	if (!combine || yaml_is_null(combine) || combine->size == 0)
		*ret = SECL_COMBINE_NONE;
	else if (streq(combine->text, "merge"))
		*ret = SECL_COMBINE_MERGE;
	else if (streq(combine->text, "override"))
		*ret = SECL_COMBINE_OVERRIDE;
	else
		return -EINVAL;
	return 0;
}

static const struct yaml *entry_of(const struct yaml *node, const char *key)
{
	const struct yaml *entry = yaml_get(node, key);

	return entry && !yaml_is_null(entry) ? entry : NULL;
}

static int check_macro(struct load *load, struct macro *m, bool *ret_ok)
{
	const struct yaml *id = yaml_get(m->node, "id"), *bad;
	const char *why;
	int r;

	if (m->node->kind != YAML_IS_MAPPING)
		return fail(load, m, NULL,
			    "a macro must be a mapping with id and expression or values");
	if (!id || id->kind != YAML_IS_SCALAR || !id_is_valid(id->text))
		return fail(load, m, id, "the macro has no id of letters, digits and _");
	m->id = id->text;
	r = keys_check(load, m->file, m->node, macro_keys, ELEMENTS(macro_keys), m->id, &bad, &why);
	if (r > 0)
		return report_at(load, DIAG_MACRO, DIAG_ERROR, m->file, bad, m->id,
				 "'%s' must be %s", bad->key->text, why);
	if (r < 0)
		return r;
	m->expression = entry_of(m->node, "expression");
	m->values = yaml_get(m->node, "values");
	if (!!m->expression == !!m->values)
		return fail(load, m, NULL, "a macro has either an expression or values");
	if (read_combine(m->node, &m->combine) < 0)
		return fail(load, m, yaml_get(m->node, "combine"),
			    "combine must be merge or override");
	*ret_ok = true;
	return 0;
}

static int read_macro(struct load *load, struct macro *m)
{
	struct secl_error error = { .line = 0 };
	const struct yaml *bad = NULL;
	const char *why = NULL;
	size_t before;
	bool ok = false;
	int r;

	r = check_macro(load, m, &ok);
	if (r < 0 || !ok)
		return r;
	r = conditions_hold(load, m->node, &why, &bad, &error);
	if (r == -EINVAL)
		return report_secl(load, DIAG_MACRO, m->file, bad, m->id, &error);
	if (r < 0)
		return r;
	if (r == 0)
		return report_at(load, DIAG_MACRO, DIAG_FILTERED, m->file, m->node, m->id, "%s",
				 why);
	before = load->diags->count;
	r = add(load, m);
	if (r < 0 || load->diags->count > before)
		return r;
	return report_at(load, DIAG_MACRO, DIAG_LOADED, m->file, m->node, m->id, "%s", "loaded");
}

int macros_read(struct load *load)
{
	int r;

	for (size_t i = 0; i < load->nfiles; i++) {
		const struct policy_file *file = &load->files[i];

		if (!file->root || !file->macros)
			continue;
		for (const struct yaml *n = file->macros->first; n; n = n->next) {
			struct macro m = { .file = file, .node = n };

			r = read_macro(load, &m);
			if (r < 0)
				return r;
		}
	}
	return 0;
}
