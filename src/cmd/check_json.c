/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "cmd/check.h"

#include <errno.h>
#include <stdio.h>

#include "base/jsonw.h"

enum { JSON_FIRST = 64 * 1024, JSON_MAX = 1024 * 1024 * 1024 };

static void string_item(void *data, const char *text)
{
	jsonw_string(data, text);
}

static const char *version_of(const struct checked *checked, const struct diag *row)
{
	for (size_t i = 0; checked->set && i < checked->set->npolicies; i++) {
		const struct policy *p = &checked->set->policies[i];

		if (p->path && row->path ? streq(p->path, row->path) : p->path == row->path)
			return p->version;
	}
	return "";
}

static void write_place(struct jsonw *w, const struct diag *row)
{
	jsonw_kv_string(w, "message",
			row->status == DIAG_LOADED || !row->message ? "" : row->message);
	jsonw_kv_uint(w, "line", row->line);
	jsonw_kv_uint(w, "column", row->column);
}

static void write_policy(struct jsonw *w, const struct checked *checked, const struct diag *row)
{
	jsonw_begin_object(w);
	jsonw_kv_string(w, "name", row->policy);
	jsonw_kv_string(w, "path", row->path ? row->path : "");
	jsonw_kv_string(w, "version", version_of(checked, row));
	jsonw_kv_string(w, "status", diag_status_name(row->status));
	write_place(w, row);
	jsonw_end_object(w);
}

static void write_macro(struct jsonw *w, const struct checked *checked, const struct diag *row)
{
	(void)checked;
	jsonw_begin_object(w);
	jsonw_kv_string(w, "id", row->id ? row->id : "");
	jsonw_kv_string(w, "policy", row->policy);
	jsonw_kv_string(w, "status", diag_status_name(row->status));
	write_place(w, row);
	jsonw_end_object(w);
}

/* Each once, though the rule may name one several times. */
enum { PATHS_SHOWN = 256 };

struct paths {
	struct jsonw *w;
	const struct secl_string *seen[PATHS_SHOWN];
	size_t count;
};

static void path_item(void *data, const struct secl_string *path)
{
	struct paths *paths = data;

	for (size_t i = 0; i < paths->count; i++) {
		if (paths->seen[i]->size == path->size &&
		    memcmp(paths->seen[i]->text, path->text, path->size) == 0)
			return;
	}
	if (paths->count == PATHS_SHOWN)
		return;
	paths->seen[paths->count++] = path;
	jsonw_string_n(paths->w, path->text, path->size);
}

static void write_paths(struct jsonw *w, const struct rule *rule)
{
	struct paths paths = { .w = w };

	if (rule)
		rule_paths(rule, path_item, &paths);
}

static void write_needs(struct jsonw *w, const struct checked *checked, const struct rule *rule)
{
	jsonw_key(w, "needs");
	jsonw_begin_object(w);
	jsonw_key(w, "syscalls");
	jsonw_begin_array(w);
	if (rule)
		check_calls(checked, rule, string_item, w);
	jsonw_end_array(w);
	jsonw_key(w, "paths");
	jsonw_begin_array(w);
	write_paths(w, rule);
	jsonw_end_array(w);
	jsonw_end_object(w);
}

static void write_warnings(struct jsonw *w, const struct checked *checked, const struct diag *row)
{
	const struct diag *const *remarks;
	size_t count = check_remarks_of(checked, row, &remarks);

	jsonw_key(w, "warnings");
	jsonw_begin_array(w);
	if (row->unobservable && row->message)
		jsonw_string(w, row->message);
	for (size_t i = 0; i < count; i++) {
		if (remarks[i]->subject == DIAG_WARNING)
			jsonw_string(w, remarks[i]->message);
	}
	jsonw_end_array(w);
}

/* The row that says what is wrong: the rule's own, or that of an action. */
static const struct diag *telling_row(const struct checked *checked, const struct diag *row)
{
	const struct diag *const *remarks;
	size_t count;

	if (row->status != DIAG_LOADED)
		return row;
	count = check_remarks_of(checked, row, &remarks);
	for (size_t i = 0; i < count; i++) {
		if (remarks[i]->subject == DIAG_ACTION)
			return remarks[i];
	}
	return row;
}

static void write_rule(struct jsonw *w, const struct checked *checked, const struct diag *row)
{
	const struct rule *rule = check_rule(checked, row);

	jsonw_begin_object(w);
	jsonw_kv_string(w, "id", row->id ? row->id : "");
	jsonw_kv_string(w, "policy", row->policy);
	jsonw_kv_string(w, "event", event_type_name((enum event_type)row->event));
	jsonw_kv_string(w, "status", diag_status_name(check_status(checked, row)));
	write_place(w, telling_row(checked, row));
	jsonw_kv_string(w, "protection",
			protection_name(rule ? rule->protection : PROTECTION_DISABLED));
	jsonw_kv_string(w, "guarantee",
			rule ? guarantee_name(event_type_guarantee(rule->event)) : "");
	write_needs(w, checked, rule);
	write_warnings(w, checked, row);
	jsonw_end_object(w);
}

static void write_rows(struct jsonw *w, const struct checked *checked, enum diag_subject subject,
		       void (*write)(struct jsonw *w, const struct checked *checked,
				     const struct diag *row))
{
	jsonw_begin_array(w);
	for (size_t i = 0; i < checked->diags->count; i++) {
		if (checked->diags->rows[i].subject == subject)
			write(w, checked, &checked->diags->rows[i]);
	}
	jsonw_end_array(w);
}

/* Warnings that are about no rule: of a policy as a whole, of a macro. */
static void write_other_warnings(struct jsonw *w, const struct checked *checked)
{
	jsonw_begin_array(w);
	for (size_t i = 0; i < checked->diags->count; i++) {
		const struct diag *row = &checked->diags->rows[i];

		if (row->subject == DIAG_WARNING && !row->id)
			jsonw_string(w, row->message);
	}
	jsonw_end_array(w);
}

static void write_document(struct jsonw *w, const struct checked *checked)
{
	jsonw_begin_object(w);
	jsonw_key(w, "policies");
	write_rows(w, checked, DIAG_POLICY, write_policy);
	jsonw_key(w, "macros");
	write_rows(w, checked, DIAG_MACRO, write_macro);
	jsonw_key(w, "rules");
	write_rows(w, checked, DIAG_RULE, write_rule);
	jsonw_key(w, "warnings");
	write_other_warnings(w, checked);
	jsonw_end_object(w);
}

int check_json(const struct checked *checked)
{
	struct jsonw w;
	ssize_t size = -ENOBUFS;

	/* how long the document is shows only when it fits */
	for (size_t room = JSON_FIRST; size == -ENOBUFS && room <= JSON_MAX; room *= 4) {
		_cleanup_free_ char *buf = malloc(room);

		if (!buf)
			return -ENOMEM;
		jsonw_init(&w, buf, room);
		write_document(&w, checked);
		size = jsonw_finish(&w);
		if (size >= 0)
			(void)printf("%s\n", buf);
	}
	return size < 0 ? -ENOMEM : 0;
}
