/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The built-in policy against tests/rules/default.cases: every rule has a row
 * that matches and one that nearly does; and the examples are valid.
 */
#include "config.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>

#include "policy_util.h"

enum { MAX_FILE = 1024 * 1024, MAX_ARGV = 32, MAX_RULES = 64 };

static struct ruleset *load(const char *path)
{
	const struct ruleset_options options = { .paths = &path, .npaths = path ? 1 : 0 };
	struct ruleset *set = NULL;
	struct diags diags = { 0 };
	struct err err = { 0 };

	cr_assert_eq(ruleset_load(&options, &set, &diags, &err), 0, "%s", err.text);
	for (size_t i = 0; i < diags.count; i++)
		cr_expect_eq(diags.rows[i].status, DIAG_LOADED, "%s: %s", diags.rows[i].id,
			     diags.rows[i].message);
	cr_expect_eq(diags.errors, 0);
	diags_done(&diags);
	return set;
}

static const char *source_path(const char *name)
{
	static char path[4096];
	const char *srcdir = getenv("srcdir");

	(void)snprintf(path, sizeof path, "%s/%s", srcdir ? srcdir : ".", name);
	return path;
}

static const char *string_of(const json_t *row, const char *key)
{
	return json_string_value(json_object_get(row, key));
}

/* Judges one row; counts it in HITS or MISSES of its rule. */
static void judge(const struct ruleset *set, const json_t *row, unsigned *hits, unsigned *misses)
{
	const struct rule *rule = find_rule(set, string_of(row, "rule"));
	const json_t *args = json_object_get(row, "argv");
	const char *argv[MAX_ARGV], *protocol = string_of(row, "protocol");
	bool want = json_is_true(json_object_get(row, "match"));
	struct sample sample = {
		.file = string_of(row, "file"),
		.argv = argv,
		.argc = json_array_size(args),
		.parent = string_of(row, "parent"),
		.ip = string_of(row, "connect"),
		.port = (unsigned)json_integer_value(json_object_get(row, "port")),
		.protocol = protocol && streq(protocol, "udp") ? IPPROTO_UDP : IPPROTO_TCP,
	};

	cr_assert_not_null(rule, "no rule %s", string_of(row, "rule"));
	cr_assert_leq(sample.argc, MAX_ARGV);
	for (size_t i = 0; i < sample.argc; i++)
		argv[i] = json_string_value(json_array_get(args, i));
	if (!sample.file)
		sample.file = "/usr/bin/true";
	cr_assert_eq(rule->event, sample.ip ? EVENT_CONNECT : EVENT_EXEC);
	cr_expect_eq(sample_eval(&sample, rule->expr), want, "%s", json_dumps(row, 0));
	(want ? hits : misses)[rule->index]++;
}

Test(default_policy, every_rule_has_cases_that_hold)
{
	unsigned hits[MAX_RULES] = { 0 }, misses[MAX_RULES] = { 0 };
	struct ruleset *set = load(NULL);
	_cleanup_free_ char *text = NULL;
	char *rest, *line;
	size_t size;

	cr_assert_leq(set->nrules, MAX_RULES);
	cr_assert_eq(read_file(source_path("tests/rules/default.cases"), MAX_FILE, &text, &size),
		     0);
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		json_t *row;

		if (*line == '\0')
			continue;
		row = json_loads(line, 0, NULL);
		cr_assert_not_null(row, "%s", line);
		judge(set, row, hits, misses);
		json_decref(row);
	}
	for (size_t i = 0; i < set->nrules; i++) {
		cr_expect_gt(hits[i], 0, "%s has no row that matches", set->rules[i].id);
		cr_expect_gt(misses[i], 0, "%s has no row that nearly matches", set->rules[i].id);
	}
	ruleset_free(set);
}

Test(default_policy, watches_and_says_what)
{
	struct ruleset *set = load(NULL);

	for (size_t i = 0; i < set->nrules; i++) {
		const struct rule *rule = &set->rules[i];

		cr_expect_eq(rule->protection, PROTECTION_MONITORING, "%s", rule->id);
		cr_assert_not_null(rule->description, "%s", rule->id);
		cr_expect_eq(rule->description[strlen(rule->description) - 1], '.', "%s", rule->id);
		cr_expect_geq(rule->ntags, 3, "%s", rule->id);
		cr_expect_str_eq(rule->tags[0], "ruleset:threat_detection", "%s", rule->id);
	}
	ruleset_free(set);
}

Test(default_policy, embedded_text_is_the_file)
{
	struct ruleset *built_in = load(NULL),
		       *file = load(source_path("conf/policies/default.policy"));

	cr_assert_eq(built_in->nrules, file->nrules);
	for (size_t i = 0; i < file->nrules; i++)
		cr_expect_str_eq(built_in->rules[i].expression, file->rules[i].expression);
	cr_expect_null(built_in->policies[0].path);
	cr_expect(built_in->policies[0].is_default && file->policies[0].is_default);
	cr_expect_str_eq(built_in->policies[0].name, "default");
	ruleset_free(built_in);
	ruleset_free(file);
}

Test(examples, are_valid_and_block)
{
	struct ruleset *set = load(source_path("conf/policies/examples"));
	size_t blocking = 0;

	for (size_t i = 0; i < set->nrules; i++)
		blocking += set->rules[i].protection == PROTECTION_BLOCKING;
	cr_expect_geq(set->npolicies, 4);
	cr_expect_geq(blocking, 8);
	ruleset_free(set);
}

Test(examples, scope_by_service)
{
	struct ruleset *set = load(source_path("conf/policies/examples/by-service.policy"));
	const struct rule *rule = find_rule(set, "downloads");
	struct sample sample = { .file = "/usr/bin/curl", .envp = "DD_SERVICE=api" };

	cr_assert_not_null(rule);
	cr_assert_eq(rule->nactions, 1);
	cr_expect_eq(sample_eval(&sample, rule->expr), 1);
	cr_expect_eq(sample_eval(&sample, rule->actions[0].filter), 1);
	sample.envp = "DD_SERVICE=web";
	cr_expect_eq(sample_eval(&sample, rule->expr), 1);
	cr_expect_eq(sample_eval(&sample, rule->actions[0].filter), 0);
	ruleset_free(set);
}
