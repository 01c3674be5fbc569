/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The policy cases of the rule language (tests/rules/policy.jsonl): one test a
 * line. What needs variables at run time is skipped by name, never silently.
 */
#include "config.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#include "policy_util.h"
#include "rows.h"

enum { MAX_CASES = 64, MAX_FILE = 1024 * 1024 };

struct cases {
	char *text;
	json_t *rows[MAX_CASES];
	size_t count;
};

static void read_cases(struct cases *cases)
{
	const char *srcdir = getenv("srcdir");
	char path[4096], *rest, *line;
	size_t size;

	*cases = (struct cases){ 0 };
	(void)snprintf(path, sizeof path, "%s/tests/rules/policy.jsonl", srcdir ? srcdir : ".");
	cr_assert_eq(read_file(path, MAX_FILE, &cases->text, &size), 0, "%s", path);
	rest = cases->text;
	while ((line = strsep(&rest, "\n"))) {
		if (*line == '\0')
			continue;
		cr_assert_lt(cases->count, MAX_CASES);
		cases->rows[cases->count] = json_loads(line, 0, NULL);
		cr_assert_not_null(cases->rows[cases->count], "%s", line);
		cases->count++;
	}
}

static void add_json(struct policy_dir *dir, const char *name, const json_t *policy)
{
	_cleanup_free_ char *text = json_dumps(policy, JSON_INDENT(1));

	policy_dir_add(dir, name, text, strlen(text));
}

static void write_files(struct policy_dir *dir, const json_t *policy)
{
	const char *raw = json_string_value(json_object_get(policy, "raw"));
	json_t *copy;
	size_t i;

	if (raw) {
		policy_dir_add(dir, NULL, raw, strlen(raw));
	} else if (json_is_array(policy)) {
		for (i = 0; i < json_array_size(policy); i++) {
			copy = json_copy(json_array_get(policy, i));
			(void)json_object_del(copy, "file");
			add_json(dir,
				 json_string_value(
					 json_object_get(json_array_get(policy, i), "file")),
				 copy);
			json_decref(copy);
		}
	} else {
		copy = json_copy((json_t *)(uintptr_t)policy);
		(void)json_object_del(copy, "agent_version");
		add_json(dir, NULL, copy);
		json_decref(copy);
	}
}

/* A rule that holds for the values of the macro, to look into it. */
static void add_macro_probe(struct policy_dir *dir, const json_t *expect)
{
	json_t *values = json_object_get(expect, "macro_values");
	void *iter = json_object_iter(values);
	char text[512];

	if (!iter)
		return;
	(void)snprintf(text, sizeof text,
		       "rules:\n- {id: probe, expression: 'exec.file.path in %s'}\n",
		       json_object_iter_key(iter));
	policy_dir_add(dir, "zz.policy", text, strlen(text));
}

static void check_macro(const struct ruleset *set, const json_t *expect)
{
	json_t *values = json_object_get(expect, "macro_values");
	void *iter = json_object_iter(values);
	const struct rule *probe = find_rule(set, "probe");
	struct sample sample = { .file = "/usr/bin/other" };
	const json_t *list;

	if (!iter)
		return;
	cr_assert_not_null(probe);
	list = json_object_iter_value(iter);
	cr_expect_eq(sample_eval(&sample, probe->expr), 0);
	for (size_t i = 0; i < json_array_size(list); i++) {
		sample.file = json_string_value(json_array_get(list, i));
		cr_expect_eq(sample_eval(&sample, probe->expr), 1, "%s", sample.file);
	}
}

static void check_loaded(const struct ruleset *set, const json_t *expect)
{
	const json_t *loaded = json_object_get(expect, "loaded");
	const json_t *not_loaded = json_object_get(expect, "not_loaded");
	const char *id;

	for (size_t i = 0; i < json_array_size(loaded); i++) {
		id = json_string_value(json_array_get(loaded, i));
		cr_expect_not_null(find_rule(set, id), "%s is not loaded", id);
	}
	for (size_t i = 0; i < json_array_size(not_loaded); i++) {
		id = json_string_value(json_array_get(not_loaded, i));
		cr_expect_null(find_rule(set, id), "%s is loaded", id);
	}
}

static void check_expansion(const struct ruleset *set, const json_t *expect)
{
	const json_t *parts = json_object_get(expect, "expands_to");

	if (!parts)
		return;
	cr_assert_eq(set->nrules, json_array_size(parts));
	for (size_t i = 0; i < set->nrules; i++) {
		const json_t *part = json_array_get(parts, i);

		cr_expect_str_eq(set->rules[i].expanded_id,
				 json_string_value(json_array_get(part, 0)));
		cr_expect_str_eq(set->rules[i].expression,
				 json_string_value(json_array_get(part, 1)));
	}
}

static void run_case(const json_t *row)
{
	const json_t *policy = json_object_get(row, "policy"),
		     *expect = json_object_get(row, "expect");
	struct policy_dir dir;
	const char *paths[] = { dir.path };
	const struct ruleset_options options = {
		.paths = paths,
		.npaths = 1,
		.agent_version = json_string_value(json_object_get(policy, "agent_version")),
		.unwatched = true,
	};
	struct ruleset *set = NULL;
	struct diags diags = { 0 };
	struct err err = { 0 };
	int r;

	policy_dir_init(&dir);
	write_files(&dir, policy);
	add_macro_probe(&dir, expect);
	r = ruleset_load(&options, &set, &diags, &err);
	/* nothing but disabled rules is no error of the policy */
	cr_expect_eq(diags.errors > 0 || (r < 0 && r != -EINVAL),
		     json_is_true(json_object_get(expect, "load_error")), "%s", err.text);
	check_loaded(set, expect);
	check_expansion(set, expect);
	check_macro(set, expect);
	ruleset_free(set);
	diags_done(&diags);
	policy_dir_done(&dir);
}

/* The index is the line; criterion wants the number of lines beforehand. */
static const size_t policy_lines[] = { 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,
				       10, 11, 12, 13, 14, 15, 16, 17, 18, 19 };

ROWS_TEST(policy, cases, policy_lines)
{
	struct cases cases;
	const json_t *row;

	read_cases(&cases);
	cr_assert_eq(cases.count, ELEMENTS(policy_lines), "lines were added: add their numbers");
	row = cases.rows[*r];
	if (json_object_get(json_object_get(row, "expect"), "sequence"))
		cr_skip_test("%s: variables at run time (issue 4)",
			     json_string_value(json_object_get(row, "id")));
	run_case(row);
	for (size_t i = 0; i < cases.count; i++)
		json_decref(cases.rows[i]);
	free(cases.text);
}
