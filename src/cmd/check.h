/* SPDX-License-Identifier: GPL-3.0-or-later */
/* check.h - the parts of `guard check`. */
#pragma once
#include "policy/ruleset.h"

/* What a load came to. SET is NULL when it failed as a whole. */
struct checked {
	const struct ruleset *set;
	const struct diags *diags;
};

/* The rule that a row of diags speaks of; NULL unless it was loaded. */
const struct rule *check_rule(const struct checked *checked, const struct diag *row);

/* Whether another row (a warning or an action's error) is about the same rule
 * as ROW.
 */
bool check_same_rule(const struct diag *row, const struct diag *other);

/* The status to show for a rule: a loaded one that lost an action is an error. */
enum diag_status check_status(const struct checked *checked, const struct diag *row);

/* Calls VISIT with the name of every system call that the rule is judged at. */
void check_syscalls(const struct rule *rule, void (*visit)(void *data, const char *name),
		    void *data);

/* One JSON document and a newline on standard output: 0, or -ENOMEM. */
int check_json(const struct checked *checked);

/* How guard understands the rule; 0, or -ENOENT after a message. */
int check_explain(const struct checked *checked, const char *id);
