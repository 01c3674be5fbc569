/* SPDX-License-Identifier: GPL-3.0-or-later */
/* guard check: is this policy right, and what would be enforced? */
#include "config.h"

#include "cmd/check.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "base/log.h"
#include "cmd/cmd.h"
#include "engine/handlers.h"
#include "policy/options.h"

enum { EXIT_ERRORS = 1 };

const struct rule *check_rule(const struct checked *checked, const struct diag *row)
{
	if (!checked->set || row->rule >= checked->set->nrules)
		return NULL;
	return &checked->set->rules[row->rule];
}

/* ---- what is said about a rule besides --------------------------------- */

static int by_id(const void *a, const void *b)
{
	const struct diag *x = *(const struct diag *const *)a, *y = *(const struct diag *const *)b;
	int r = strcmp(x->id, y->id);

	/* as they were found */
	return r ? r : x < y ? -1 : x > y;
}

int check_remarks(struct checked *checked)
{
	const struct diags *diags = checked->diags;

	checked->remarks = calloc(diags->count + 1, sizeof(struct diag *));
	if (!checked->remarks)
		return -ENOMEM;
	for (size_t i = 0; i < diags->count; i++) {
		const struct diag *row = &diags->rows[i];

		if (row->id && (row->subject == DIAG_WARNING || row->subject == DIAG_ACTION))
			checked->remarks[checked->nremarks++] = row;
	}
	qsort(checked->remarks, checked->nremarks, sizeof(struct diag *), by_id);
	return 0;
}

size_t check_remarks_of(const struct checked *checked, const struct diag *row,
			const struct diag *const **ret)
{
	size_t low = 0, high = checked->nremarks, count = 0;

	while (row->id && low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(checked->remarks[middle]->id, row->id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret = checked->remarks + low;
	while (row->id && low + count < checked->nremarks &&
	       streq(checked->remarks[low + count]->id, row->id))
		count++;
	return count;
}

enum diag_status check_status(const struct checked *checked, const struct diag *row)
{
	const struct diag *const *remarks;
	size_t count = check_remarks_of(checked, row, &remarks);

	if (row->status != DIAG_LOADED)
		return row->status;
	for (size_t i = 0; i < count; i++) {
		if (remarks[i]->subject == DIAG_ACTION)
			return DIAG_ERROR;
	}
	return DIAG_LOADED;
}

/* ---- what a rule needs -------------------------------------------------- */

void check_syscalls(const struct rule *rule, void (*visit)(void *data, const char *name),
		    void *data)
{
	for (int id = 0; id < SYSCALL_COUNT; id++) {
		const struct syscall_row *row = syscall_row((enum syscall_id)id);

		if (row->numbers[SYSCALL_ABI_NATIVE] >= 0 &&
		    handler_judges((enum syscall_id)id, rule->event) &&
		    (rule->protection == PROTECTION_BLOCKING ||
		     !syscall_to_refuse((enum syscall_id)id)))
			visit(data, row->name);
	}
}

void check_calls(const struct checked *checked, const struct rule *rule,
		 void (*visit)(void *data, const char *name), void *data)
{
	/* the parts of one fim.write rule are neighbours */
	for (unsigned i = rule->index; i < checked->set->nrules; i++) {
		const struct rule *part = &checked->set->rules[i];

		if (!streq(part->id, rule->id) || part->policy != rule->policy)
			break;
		check_syscalls(part, visit, data);
	}
}

/* ---- for people -------------------------------------------------------- */

static void print_problems(const struct checked *checked)
{
	(void)fflush(stdout);
	for (size_t i = 0; i < checked->diags->count; i++) {
		const struct diag *row = &checked->diags->rows[i];

		if (row->subject == DIAG_WARNING || row->status == DIAG_ERROR ||
		    (row->subject == DIAG_RULE && row->status == DIAG_FILTERED))
			diag_print(STDOUT_FILENO, row);
	}
}

static void print_count(size_t count, const char *one, const char *many)
{
	if (count > 0)
		(void)printf(", %zu %s", count, count == 1 ? one : many);
}

static void print_summary(const struct checked *checked)
{
	size_t rules[DIAG_ERROR + 1] = { 0 }, warnings = 0, blocking = 0;

	for (size_t i = 0; i < checked->diags->count; i++) {
		const struct diag *row = &checked->diags->rows[i];
		const struct rule *rule = check_rule(checked, row);

		if (row->subject == DIAG_RULE)
			rules[row->status]++;
		warnings += row->subject == DIAG_WARNING;
		blocking += rule && rule->protection == PROTECTION_BLOCKING;
	}
	(void)printf("%zu rule%s loaded", rules[DIAG_LOADED], rules[DIAG_LOADED] == 1 ? "" : "s");
	if (blocking)
		(void)printf(" (%zu blocking)", blocking);
	print_count(rules[DIAG_FILTERED], "filtered", "filtered");
	print_count(rules[DIAG_DISABLED], "disabled", "disabled");
	print_count(warnings, "warning", "warnings");
	print_count(checked->diags->errors, "error", "errors");
	(void)printf("\n");
}

/* ---- the command ------------------------------------------------------- */

static int load(const struct config *config, struct ruleset **ret, struct diags *diags)
{
	char hostname[HOST_NAME_MAX + 1] = "";
	const struct ruleset_options options = {
		.paths = (const char *const *)config->policies.items,
		.npaths = config->policies.count,
		.agent_version = GUARD_AGENT_VERSION,
		.origin = config->origin,
		.hostname = hostname,
	};
	struct err err = { 0 };
	int r;

	(void)gethostname(hostname, sizeof hostname - 1);
	r = ruleset_load(&options, ret, diags, &err);
	/* what is wrong inside of files is in diags; this is about the whole */
	if (r < 0 && (r != -EINVAL || diags->count == 0 || diags->errors == 0))
		log_error("%s", err.text);
	return r;
}

static int show(const struct config *config, const struct checked *checked)
{
	if (config->explain)
		return check_explain(checked, config->explain);
	if (config->json)
		return check_json(checked);
	check_table(checked);
	print_problems(checked);
	print_summary(checked);
	return 0;
}

/* Only the rules decide: a policy of which nothing applies here is no error. */
static int status_of(int loaded, const struct diags *diags)
{
	if (diags->errors > 0 || (loaded < 0 && loaded != -EINVAL))
		return EXIT_ERRORS;
	return EXIT_SUCCESS;
}

static int check_config(const struct config *config)
{
	struct ruleset *set = NULL;
	struct diags diags = { 0 };
	struct checked checked = { .diags = &diags };
	int r, shown, status;

	r = load(config, &set, &diags);
	checked.set = set;
	shown = check_here(&checked, &diags);
	if (shown == 0)
		shown = check_advice(&checked, &diags);
	if (shown == 0)
		shown = check_remarks(&checked);
	if (shown == 0)
		shown = show(config, &checked);
	if (shown == -ENOMEM)
		log_error("out of memory");
	status = shown < 0 ? EXIT_ERRORS : status_of(r, &diags);
	free(checked.remarks);
	ruleset_free(set);
	diags_done(&diags);
	if (cmd_finish_stdout() != EXIT_SUCCESS)
		return EXIT_ERRORS;
	return status;
}

static int check(int argc, char **argv)
{
	return cmd_run_configured(&cmd_check, argc, argv, check_config);
}

const struct command cmd_check = {
	.name = "check",
	.synopsis = "[OPTION]... [POLICY]...",
	.summary = "say whether policies are right, and what of them is enforced here",
	.run = check,
	.usage_status = EXIT_ERRORS,
};
