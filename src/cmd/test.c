/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test.c - a user's own tests of rules: recorded events, and what the rule is to
 * say of each. The answer is TAP.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "base/nearest.h"
#include "cmd/cmd.h"
#include "cmd/eval_task.h"
#include "cmd/test_input.h"
#include "policy/options.h"
#include "policy/ruleset.h"

/* Exit statuses beside EXIT_SUCCESS for all passed. */
enum { EXIT_FAILED = 1, EXIT_ERROR = 2 };

enum { NAME_SIZE = 512 };

enum expectation { EXPECT_NO_MATCH, EXPECT_MATCH, EXPECT_ERROR, EXPECT_COUNT };

static const char *const expectation_names[] = {
	[EXPECT_NO_MATCH] = "no-match", [EXPECT_MATCH] = "match", [EXPECT_ERROR] = "error"
};

struct suite {
	const struct config *config;
	unsigned count, failed, errors;
	/* the policy of the last document, which the next one mostly shares */
	char *policy_path; /* NULL = none loaded; "" = those of the options */
	struct ruleset *ruleset;
	struct diags diags;
};

/* What one document is about. */
struct subject {
	const struct test_document *document;
	const char *rule, *expression, *policy;
	const struct secl_expr *compiled;
	const char *rejected; /* why the rule is not loaded */
	enum event_type event;
	json_t *macros;
};

/* ---- output -------------------------------------------------------------------- */

/* A name in TAP must not begin a directive, nor a new line. */
static void print_name(const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '#' || c == '\\')
			(void)putchar('\\');
		(void)putchar(c < ' ' || c == 0x7f ? '?' : c);
	}
}

static void print_result(struct suite *suite, bool ok, const char *name)
{
	suite->count++;
	(void)printf("%sok %u - ", ok ? "" : "not ", suite->count);
	print_name(name);
	(void)putchar('\n');
}

static void print_comment(const char *text)
{
	(void)fputs("#   ", stdout);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		(void)putchar(c < ' ' || c == 0x7f ? ' ' : c);
	}
	(void)putchar('\n');
}

/* What cannot be tested at all: a file, a document, a case. */
static void fail_to_test(struct suite *suite, const char *what, const struct err *err)
{
	suite->errors++;
	print_result(suite, false, what);
	print_comment(err->text);
}

/* ---- policies ------------------------------------------------------------------ */

static void forget_policy(struct suite *suite)
{
	ruleset_free(suite->ruleset);
	diags_done(&suite->diags);
	free(suite->policy_path);
	suite->policy_path = NULL;
	suite->ruleset = NULL;
	suite->diags = (struct diags){ 0 };
}

/* PATH "" stands for the policies of the options, or the built-in one. */
static int load_policy(struct suite *suite, const char *path, struct err *err)
{
	const struct strv *given = &suite->config->policies;
	struct ruleset_options options = {
		.paths = *path ? &path : (const char *const *)given->items,
		.npaths = *path ? 1 : given->count,
		.agent_version = GUARD_AGENT_VERSION,
		.origin = suite->config->origin,
		.unwatched = true,
	};
	int r;

	if (suite->policy_path && streq(suite->policy_path, path))
		return 0;
	forget_policy(suite);
	suite->policy_path = strdup(path);
	if (!suite->policy_path)
		return err_errno(err, -ENOMEM, "policy");
	r = ruleset_load(&options, &suite->ruleset, &suite->diags, err);
	/* rules with errors are the affair of those who test them */
	if (r == -EINVAL && suite->diags.count)
		return 0;
	if (r < 0)
		forget_policy(suite);
	return r;
}

/* One rule may have become several (fim.write): the one about EVENT. */
static const struct rule *loaded_rule(const struct suite *suite, const char *id,
				      enum event_type event)
{
	const struct rule *found = NULL;

	for (size_t i = 0; suite->ruleset && i < suite->ruleset->nrules; i++) {
		const struct rule *rule = &suite->ruleset->rules[i];

		if (!streq(rule->id, id) && !(rule->expanded_id && streq(rule->expanded_id, id)))
			continue;
		if (!found || rule->event == event)
			found = rule;
	}
	return found;
}

static const char *rejection(const struct suite *suite, const char *id)
{
	for (size_t i = 0; i < suite->diags.count; i++) {
		const struct diag *row = &suite->diags.rows[i];

		if (row->id && streq(row->id, id) && row->subject != DIAG_WARNING &&
		    row->status != DIAG_LOADED)
			return row->message ? row->message : diag_status_name(row->status);
	}
	return NULL;
}

static int no_such_rule(const struct suite *suite, const char *id, struct err *err)
{
	struct nearest n = NEAREST(id);

	for (size_t i = 0; suite->ruleset && i < suite->ruleset->nrules; i++)
		nearest_offer(&n, suite->ruleset->rules[i].id);
	if (nearest_result(&n))
		return err_set(err, -ENOENT, "there is no rule '%s', did you mean '%s'?", id,
			       nearest_result(&n));
	return err_set(err, -ENOENT, "there is no rule '%s'", id);
}

/* ---- cases --------------------------------------------------------------------- */

static int read_expectation(const json_t *input, enum expectation *ret, struct err *err)
{
	const char *text = json_string_value(json_object_get(input, "expect"));

	for (int i = 0; text && i < EXPECT_COUNT; i++) {
		if (!streq(expectation_names[i], text))
			continue;
		*ret = (enum expectation)i;
		return 0;
	}
	return err_set(err, -EINVAL, "expect: must be match, no-match or error");
}

/* Finds out what the subject says: 1, 0, or -errno with task->error. */
static int ask(struct suite *suite, const struct subject *subject, struct eval_task *task)
{
	const struct rule *rule = NULL;

	if (subject->rule)
		rule = loaded_rule(suite, subject->rule, task->event);
	if (subject->rule && !rule)
		return err_set(&task->error.err, -EINVAL, "the rule is not loaded: %s",
			       rejection(suite, subject->rule));
	task->expression = subject->expression;
	task->compiled = rule ? rule->expr : NULL;
	task->macros = subject->macros;
	return eval_task_run(task);
}

static void judge(struct suite *suite, const struct subject *subject, const json_t *input,
		  const char *name)
{
	struct eval_task task = { .expression = NULL };
	enum expectation expected = EXPECT_MATCH, got;
	struct err err = { 0 };
	char line[128];
	int r;

	r = read_expectation(input, &expected, &err);
	if (r == 0 && json_object_get(input, "macros"))
		r = err_set(&err, -EINVAL, "macros: belong to the document, not to a case");
	if (r < 0) {
		fail_to_test(suite, name, &err);
		return;
	}
	r = eval_task_read(&task, input);
	if (r == 0 && task.event == EVENT_NONE)
		task.event = subject->event;
	if (r == 0)
		r = ask(suite, subject, &task);
	got = r < 0 ? EXPECT_ERROR : r ? EXPECT_MATCH : EXPECT_NO_MATCH;
	print_result(suite, got == expected, name);
	if (got == expected)
		return;
	suite->failed++;
	(void)snprintf(line, sizeof line, "expected %s, got %s", expectation_names[expected],
		       expectation_names[got]);
	print_comment(line);
	if (r < 0)
		print_comment(task.error.err.text);
}

static void run_case(struct suite *suite, const struct subject *subject, const struct yaml *node,
		     size_t number)
{
	static const char *const keys[] = { "name", "event", "fields", "vars", "now", "expect" };
	const struct yaml *name = yaml_get(node, "name");
	const char *what = subject->rule ? subject->rule : "expression";
	struct err err = { 0 };
	char text[NAME_SIZE];
	json_t *input = NULL;
	int r;

	(void)snprintf(text, sizeof text, "%s:%u: %s: %s%.0zu", subject->document->path,
		       test_line(subject->document, node), what,
		       name && name->size ? name->text : "case ", name && name->size ? 0 : number);
	r = test_check_keys(node, keys, ELEMENTS(keys), &err);
	if (r == 0)
		r = test_json(node, &input, &err);
	if (r < 0)
		fail_to_test(suite, text, &err);
	else
		judge(suite, subject, input, text);
	json_decref(input);
}

/* ---- documents ----------------------------------------------------------------- */

static int text_of(const struct yaml *root, const char *key, const char **ret, struct err *err)
{
	const struct yaml *node = yaml_get(root, key);

	*ret = NULL;
	if (!node)
		return 0;
	if (node->kind != YAML_IS_SCALAR || yaml_is_null(node))
		return err_set(err, -EINVAL, "%s: expected a text", key);
	*ret = node->text;
	return 0;
}

/* A relative path is seen from the file that names it. */
static char *beside(const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');
	char *joined;

	if (path[0] == '/' || !slash)
		return strdup(path);
	return asprintf(&joined, "%.*s%s", (int)(slash - file + 1), file, path) < 0 ? NULL : joined;
}

static int find_rule(struct suite *suite, struct subject *subject, struct err *err)
{
	_cleanup_free_ char *path =
		subject->policy ? beside(subject->document->path, subject->policy) : strdup("");
	int r;

	if (!path)
		return err_errno(err, -ENOMEM, "policy");
	r = load_policy(suite, path, err);
	if (r < 0)
		return r;
	if (!loaded_rule(suite, subject->rule, subject->event) && !rejection(suite, subject->rule))
		return no_such_rule(suite, subject->rule, err);
	return 0;
}

static int read_event(const struct yaml *root, struct subject *subject, struct err *err)
{
	const char *event;
	int r = text_of(root, "event", &event, err);

	if (r < 0 || !event)
		return r;
	subject->event = event_type_by_name(event, strlen(event));
	return subject->event == EVENT_NONE
		       ? err_set(err, -EINVAL, "event: \"%.100s\" is no event type", event)
		       : 0;
}

static int read_subject(struct suite *suite, const struct yaml *root, struct subject *subject,
			struct err *err)
{
	static const char *const keys[] = { "rule",  "expression", "policy",
					    "event", "macros",     "cases" };
	const struct yaml *cases = yaml_get(root, "cases"), *macros = yaml_get(root, "macros");
	int r;

	r = test_check_keys(root, keys, ELEMENTS(keys), err);
	if (r == 0)
		r = text_of(root, "rule", &subject->rule, err);
	if (r == 0)
		r = text_of(root, "expression", &subject->expression, err);
	if (r == 0)
		r = text_of(root, "policy", &subject->policy, err);
	if (r == 0)
		r = read_event(root, subject, err);
	if (r < 0)
		return r;
	if (!subject->rule == !subject->expression)
		return err_set(err, -EINVAL, "expected either rule or expression");
	if (subject->expression && subject->policy)
		return err_set(err, -EINVAL, "policy: goes with rule, not with expression");
	if (subject->rule && macros)
		return err_set(err, -EINVAL, "macros: go with expression, not with rule");
	if (!cases || cases->kind != YAML_IS_SEQUENCE || !cases->count)
		return err_set(err, -EINVAL, "cases: expected a list of cases");
	if (macros)
		r = test_json(macros, &subject->macros, err);
	return r == 0 && subject->rule ? find_rule(suite, subject, err) : r;
}

static void run_document(struct suite *suite, const struct test_document *document)
{
	struct subject subject = { .document = document };
	struct err err = { 0 };
	char name[NAME_SIZE];
	size_t number = 0;

	if (read_subject(suite, document->root, &subject, &err) < 0) {
		(void)snprintf(name, sizeof name, "%s:%u", document->path,
			       test_line(document, document->root));
		fail_to_test(suite, name, &err);
	} else {
		const struct yaml *cases = yaml_get(document->root, "cases");

		for (const struct yaml *c = cases->first; c; c = c->next)
			run_case(suite, &subject, c, ++number);
	}
	json_decref(subject.macros);
}

static void run_file(struct suite *suite, const char *path)
{
	struct test_file file;
	struct test_document document;
	struct err err = { 0 };
	int r = test_file_open(&file, path, &err);
	unsigned count = 0;

	while (r >= 0 && (r = test_file_next(&file, &document, &err)) > 0) {
		run_document(suite, &document);
		count++;
	}
	if (r == 0 && !count)
		r = err_set(&err, -EINVAL, "there is no test in it");
	if (r < 0)
		fail_to_test(suite, path, &err);
	test_file_close(&file);
}

/* ---- the command --------------------------------------------------------------- */

static int run_config(const struct config *config)
{
	struct suite suite = { .config = config };

	if (!config->command[0]) {
		log_error("test needs a file, see 'guard help test'");
		return EXIT_ERROR;
	}
	(void)printf("TAP version 13\n");
	for (char **path = config->command; *path; path++)
		run_file(&suite, *path);
	(void)printf("1..%u\n", suite.count);
	forget_policy(&suite);
	if (cmd_finish_stdout() != EXIT_SUCCESS)
		return EXIT_ERROR;
	return suite.errors ? EXIT_ERROR : suite.failed ? EXIT_FAILED : EXIT_SUCCESS;
}

static int test(int argc, char **argv)
{
	return cmd_run_configured(&cmd_test, argc, argv, run_config);
}

const struct command cmd_test = {
	.name = "test",
	.synopsis = "[OPTION]... FILE...",
	.summary = "run your own tests of rules on recorded events",
	.run = test,
	.usage_status = EXIT_ERROR,
};
