/* SPDX-License-Identifier: GPL-3.0-or-later */
/* guard check: what of a rule this kernel or this privilege keeps from view. */
#include "config.h"

#include "cmd/check.h"

#include <errno.h>
#include <stdio.h>

#include "kernel/feature.h"

/* Values that are not there without a feature, or not there always. */
static const struct {
	uint64_t needs;
	enum feature feature;
	const char *what;
} partly[] = {
	{ NEED_ANCESTORS, FEATURE_PROC_VISIBLE, "processes of other users" },
};

int check_warn(struct diags *diags, size_t at, const char *message)
{
	/* the place of the rule: it is a matter of the whole rule */
	const struct diag row = {
		.subject = DIAG_WARNING,
		.policy = diags->rows[at].policy,
		.path = diags->rows[at].path,
		.id = diags->rows[at].id,
		.line = diags->rows[at].line,
		.column = diags->rows[at].column,
		.message = (char *)(uintptr_t)message,
		.rule = UINT32_MAX,
	};

	return diags_add(diags, &row);
}

/* The rule of row AT cannot be judged here: an error if it should refuse. */
static int not_here(struct diags *diags, size_t at, const struct rule *rule, const char *why)
{
	bool blocking = rule->protection == PROTECTION_BLOCKING;
	struct err text;
	char *message;

	(void)err_set(&text, 0, "%snot observable here: %s", blocking ? "cannot be enforced: " : "",
		      why);
	if (!blocking)
		return check_warn(diags, at, text.text);
	message = strdup(text.text);
	if (!message)
		return -ENOMEM;
	free(diags->rows[at].message);
	diags->rows[at].message = message;
	diags->rows[at].status = DIAG_ERROR;
	diags->rows[at].unobservable = diags->rows[at].unenforced = true;
	diags->errors++;
	return 0;
}

static int look_at(struct diags *diags, size_t at, const struct rule *rule,
		   const struct feature_report *report)
{
	enum feature missing = feature_missing(report, rule->event);
	struct err why;
	int r = 0;

	if (missing != FEATURE_COUNT) {
		(void)err_set(&why, 0, "%s, needed so that %s: %s", feature_row(missing)->name,
			      feature_row(missing)->purpose, report->features[missing].reason);
		return not_here(diags, at, rule, why.text);
	}
	for (size_t i = 0; i < ELEMENTS(partly) && r >= 0; i++) {
		const struct feature_result *result = &report->features[partly[i].feature];

		if (!(rule->needs & partly[i].needs) || result->available)
			continue;
		(void)err_set(&why, 0, "not observable here: %s (%s: %s)", partly[i].what,
			      feature_row(partly[i].feature)->name, result->reason);
		r = check_warn(diags, at, why.text);
	}
	return MIN(r, 0);
}

int check_here(const struct checked *checked, struct diags *diags)
{
	struct feature_report report;
	size_t count = diags->count;
	int r = 0;

	if (!checked->set)
		return 0;
	feature_probe(&report);
	for (size_t i = 0; i < count && r >= 0; i++) {
		const struct rule *rule = check_rule(checked, &diags->rows[i]);

		if (rule)
			r = look_at(diags, i, rule, &report);
	}
	return MIN(r, 0);
}
