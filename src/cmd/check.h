/* SPDX-License-Identifier: GPL-3.0-or-later */
/* check.h - the parts of `guard check`. */
#pragma once
#include "policy/ruleset.h"

/* What a load came to. SET is NULL when it failed as a whole. */
struct checked {
	const struct ruleset *set;
	const struct diags *diags;
	/* warnings about rules and errors of actions, by the id of the rule; owned */
	const struct diag **remarks;
	size_t nremarks;
};

/* Fills the remarks from the rest: 0, or -ENOMEM. */
int check_remarks(struct checked *checked);

/* The rule that a row of diags speaks of; NULL unless it was loaded. */
const struct rule *check_rule(const struct checked *checked, const struct diag *row);

/* The remarks about the rule of ROW: how many, and the first of them in *ret. */
size_t check_remarks_of(const struct checked *checked, const struct diag *row,
			const struct diag *const **ret);

/* The status to show for a rule: a loaded one that lost an action is an error. */
enum diag_status check_status(const struct checked *checked, const struct diag *row);

/* Calls VISIT with the name of every system call that the rule is judged at. */
void check_syscalls(const struct rule *rule, void (*visit)(void *data, const char *name),
		    void *data);
/* The same for every rule that RULE, the first of them, became (fim.write). */
void check_calls(const struct checked *checked, const struct rule *rule,
		 void (*visit)(void *data, const char *name), void *data);

/* One JSON document and a newline on standard output: 0, or -ENOMEM. */
int check_json(const struct checked *checked);

/* One line for each rule on standard output. */
void check_table(const struct checked *checked);

/* How guard understands the rule; 0, or -ENOENT after a message. */
int check_explain(const struct checked *checked, const char *id);

/* Adds a warning about the rule of row AT: 0, or -ENOMEM. */
int check_warn(struct diags *diags, size_t at, const char *message);

/* Adds what is probably not meant, or dear, of each rule: 0, or -ENOMEM. */
int check_advice(const struct checked *checked, struct diags *diags);

/* Adds to DIAGS, which are those of CHECKED, what cannot be seen of each rule on this
 * machine; a blocking rule of that kind becomes an error. 0, or -ENOMEM.
 */
int check_here(const struct checked *checked, struct diags *diags);
