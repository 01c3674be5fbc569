/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One rule of a file, read and checked but not compiled. */
#include <config.h>

#include "policy/load.h"

#include <errno.h>

#include "policy/options.h"

static const struct key rule_keys[] = {
	{ "id", KEY_TEXT, false },
	{ "expression", KEY_TEXT, false },
	{ "description", KEY_TEXT, false },
	{ "version", KEY_TEXT, false },
	{ "tags", KEY_MAP, false },
	{ "product_tags", KEY_LIST, false },
	{ "agent_version", KEY_TEXT, false },
	{ "filters", KEY_LIST, false },
	{ "disabled", KEY_BOOL, false },
	{ "combine", KEY_TEXT, false },
	{ "override_options", KEY_MAP, false },
	{ "every", KEY_TEXT, false },
	{ "limiter_token", KEY_LIST, false },
	{ "silent", KEY_BOOL, false },
	{ "group_id", KEY_TEXT, false },
	{ "priority", KEY_INT, false },
	{ "protection", KEY_TEXT, false },
	{ "actions", KEY_LIST, false },
};

static const char *text_of(const struct yaml *node, const char *key)
{
	const struct yaml *entry = yaml_get(node, key);

	return entry && !yaml_is_null(entry) ? entry->text : NULL;
}

static bool bool_of(const struct yaml *node, const char *key)
{
	const struct yaml *entry = yaml_get(node, key);
	bool value = false;

	if (entry)
		(void)yaml_bool(entry, &value);
	return value;
}

/* The readers below return 0, or what report_draft() says. */

static int read_every(struct load *load, struct draft *d)
{
	const struct yaml *every = yaml_get(d->node, "every");

	if (!every || yaml_is_null(every))
		return 0;
	d->has_every = true;
	if (yaml_int(every, &d->every_ns) == 0) {
		if (d->every_ns < 0)
			return report_draft(load, d, every, "'every' is negative");
		return 0;
	}
	if (duration_parse(every->text, &d->every_ns) < 0)
		return report_draft(load, d, every,
				    "'every' is neither nanoseconds nor a duration like 10s: '%s'",
				    every->text);
	return 0;
}

static int read_tags(struct load *load, struct draft *d)
{
	const struct yaml *tags = yaml_get(d->node, "tags");
	const struct yaml *products = yaml_get(d->node, "product_tags");

	for (const struct yaml *t = tags ? tags->first : NULL; t; t = t->next) {
		if (t->kind != YAML_IS_SCALAR)
			return report_draft(load, d, t, "the tag '%s' must be a text",
					    t->key->text);
		if (d->ntags == MAX_TAGS)
			return report_draft(load, d, t, "more than %d tags", MAX_TAGS);
		d->tags[d->ntags++] = (struct tag){ t->key->text, t->text };
		if (streq(t->key->text, "execution_context"))
			d->execution_context = streq(t->text, "true");
	}
	for (const struct yaml *t = products ? products->first : NULL; t; t = t->next) {
		if (t->kind != YAML_IS_SCALAR)
			return report_draft(load, d, t, "a product tag must be a text");
		if (d->nproduct_tags == MAX_TAGS)
			return report_draft(load, d, t, "more than %d product tags", MAX_TAGS);
		d->product_tags[d->nproduct_tags++] = t->text;
	}
	return 0;
}

static int read_protection(struct load *load, struct draft *d)
{
	const struct yaml *node = yaml_get(d->node, "protection");

	if (!node || yaml_is_null(node))
		return 0;
	for (int p = PROTECTION_DISABLED; p <= PROTECTION_BLOCKING; p++) {
		if (!streq(protection_name((enum protection)p), node->text))
			continue;
		d->says_protection = true;
		d->protection = (enum protection)p;
		d->protection_node = node;
		return 0;
	}
	/* not a warning: a typing error here must not let through what was to be refused */
	return report_draft(load, d, node,
			    "protection is '%s', it must be blocking, monitoring or disabled",
			    node->text);
}

static int read_actions(struct load *load, struct draft *d)
{
	const struct yaml *actions = yaml_get(d->node, "actions");

	for (const struct yaml *a = actions ? actions->first : NULL; a; a = a->next) {
		if (a->kind != YAML_IS_MAPPING)
			return report_draft(load, d, a,
					    "an action must be a mapping like kill: {...}");
		if (d->nactions == MAX_ACTIONS)
			return report_draft(load, d, a, "more than %d actions", MAX_ACTIONS);
		d->actions[d->nactions++] = (struct action_ref){ d->file, a };
	}
	return 0;
}

static const struct {
	const char *name;
	unsigned bit;
} override_parts[] = {
	{ "all", OVERRIDE_ALL },         { "expression", OVERRIDE_EXPRESSION },
	{ "actions", OVERRIDE_ACTIONS }, { "every", OVERRIDE_EVERY },
	{ "tags", OVERRIDE_TAGS },       { "product_tags", OVERRIDE_PRODUCT_TAGS },
};

static int read_override(struct load *load, struct draft *d)
{
	const struct yaml *combine = yaml_get(d->node, "combine");
	const struct yaml *options = yaml_get(d->node, "override_options");
	const struct yaml *fields = yaml_get(options, "fields");
	unsigned bit;

	if (combine && !yaml_is_null(combine)) {
		if (!streq(combine->text, "override"))
			return report_draft(load, d, combine,
					    "combine is '%s', only 'override' is known",
					    combine->text);
		d->combine_override = true;
	}
	for (const struct yaml *f = fields ? fields->first : NULL; f; f = f->next) {
		bit = 0;
		for (size_t i = 0; i < ELEMENTS(override_parts); i++) {
			if (f->kind == YAML_IS_SCALAR && streq(override_parts[i].name, f->text))
				bit = override_parts[i].bit;
		}
		if (!bit)
			return report_draft(
				load, d, f,
				"override_options.fields knows all, expression, actions, "
				"every, tags and product_tags");
		d->override |= bit;
	}
	return 0;
}

/* Ids of events that guard reports about itself: a rule may not pose as them. */
static const char *const reserved_ids[] = {
	"ruleset_loaded",     "heartbeat",     "events_lost",      "supervisor_restarted",
	"supervisor_lost",    "recorder_lost", "abnormal_path",    "self_test",
	"anomaly_detection",  "noisy_process", "lost_events_read", "lost_events_write",
	"internal_core_dump", "sink_damaged",  "log_action",       "degraded",
	"hash_action",
};

static bool id_is_reserved(const char *id)
{
	for (size_t i = 0; i < ELEMENTS(reserved_ids); i++) {
		if (streq(reserved_ids[i], id))
			return true;
	}
	return false;
}

static int read_id(struct load *load, struct draft *d)
{
	const struct yaml *id = yaml_get(d->node, "id");
	const char *group = text_of(d->node, "group_id");

	if (!id || id->kind != YAML_IS_SCALAR || id->size == 0)
		return report_draft(load, d, NULL, "the rule has no id");
	d->id = id->text;
	if (!id_is_valid(id->text))
		return report_draft(load, d, id,
				    "the id '%s' holds other characters than letters, digits and _",
				    id->text);
	if (id_is_reserved(id->text))
		return report_draft(load, d, id, "the id '%s' is reserved for guard's own events",
				    id->text);
	if (group && !id_is_valid(group))
		return report_draft(
			load, d, yaml_get(d->node, "group_id"),
			"group_id '%s' holds other characters than letters, digits and _", group);
	d->group_id = group;
	return 0;
}

static int read_rest(struct load *load, struct draft *d)
{
	static int (*const readers[])(struct load * load, struct draft * d) = {
		read_every, read_tags, read_protection, read_actions, read_override,
	};
	const struct yaml *priority = yaml_get(d->node, "priority");
	int r;

	d->expression = yaml_get(d->node, "expression");
	if (d->expression && (yaml_is_null(d->expression) || d->expression->size == 0))
		d->expression = NULL;
	d->expression_file = d->file;
	d->description = text_of(d->node, "description");
	d->version = text_of(d->node, "version");
	d->disabled = bool_of(d->node, "disabled");
	d->silent = bool_of(d->node, "silent");
	d->tokens = (struct action_ref){ d->file, yaml_get(d->node, "limiter_token") };
	if (priority)
		(void)yaml_int(priority, &d->priority);
	for (size_t i = 0; i < ELEMENTS(readers); i++) {
		r = readers[i](load, d);
		if (r < 0 || d->failed)
			return r;
	}
	if (!d->expression && !d->disabled && !d->combine_override)
		return report_draft(load, d, NULL, "the rule has no expression");
	if (d->expression && d->expression->size > MAX_EXPRESSION)
		return report_draft(load, d, d->expression,
				    "the expression is longer than %d bytes", MAX_EXPRESSION);
	return 0;
}

static int read_conditions(struct load *load, struct draft *d)
{
	struct secl_error error = { .line = 0 };
	const struct yaml *bad = NULL;
	int r;

	r = conditions_hold(load, d->node, &d->filtered, &bad, &error);
	if (r != -EINVAL)
		return MIN(r, 0);
	d->failed = true;
	return report_secl(load, DIAG_RULE, d->file, bad, d->id, &error);
}

/* 0, or -ENOMEM; what is wrong with the rule is a row. */
static int read_draft(struct load *load, struct draft *d)
{
	const struct yaml *bad;
	const char *why;
	int r;

	if (d->node->kind != YAML_IS_MAPPING)
		return report_draft(load, d, NULL,
				    "a rule must be a mapping with id and expression");
	r = read_id(load, d);
	if (r < 0 || d->failed)
		return r;
	r = keys_check(load, d->file, d->node, rule_keys, ELEMENTS(rule_keys), d->id, &bad, &why);
	if (r > 0)
		return report_draft(load, d, bad, "'%s' must be %s", bad->key->text, why);
	if (r < 0)
		return r;
	/* before anything else: rules for other systems use fields that are not ours */
	r = read_conditions(load, d);
	if (r < 0 || d->failed || d->filtered)
		return r;
	return read_rest(load, d);
}

int drafts_read(struct load *load)
{
	size_t order = 0, rows;
	int r;

	load->tail = &load->first;
	for (size_t i = 0; i < load->nfiles; i++) {
		const struct policy_file *file = &load->files[i];

		for (const struct yaml *n = file->rules && file->root ? file->rules->first : NULL;
		     n; n = n->next) {
			struct draft *d = arena_alloc(&load->arena, sizeof *d);

			if (!d)
				return -ENOMEM;
			d->file = file;
			d->node = n;
			d->order = order++;
			rows = load->diags->count;
			r = read_draft(load, d);
			if (r < 0)
				return r;
			abouts_mark(load, rows, d);
			*load->tail = d;
			load->tail = &d->next;
		}
	}
	return 0;
}
