/* SPDX-License-Identifier: GPL-3.0-or-later */
/* diag.h - what a policy load has to say, rule by rule.
 *
 * `guard check`, `guard run` and the ruleset_loaded event print the same rows.
 */
#pragma once
#include "base/err.h"

enum diag_status { DIAG_LOADED, DIAG_FILTERED, DIAG_DISABLED, DIAG_ERROR };
const char *diag_status_name(enum diag_status status); /* "loaded", ... */

enum diag_subject { DIAG_POLICY, DIAG_MACRO, DIAG_RULE, DIAG_ACTION, DIAG_WARNING };

struct diag {
	enum diag_subject subject;
	enum diag_status status;
	char *policy;          /* file name */
	char *path;            /* path, NULL for the built-in policy */
	char *id;              /* of the rule or macro; NULL for a policy */
	char *message;         /* why; NULL when loaded */
	unsigned line, column; /* in the file, from 1; 0 = unknown */
	char *source;          /* the source line, NULL = none */
	unsigned caret;        /* offset of the error in it */
	unsigned rule;         /* index in ruleset->rules when loaded, else UINT32_MAX */
	unsigned event;        /* enum event_type of a rule, as far as it is known */
	bool unobservable;     /* about something that guard cannot see, yet or here */
	bool unenforced;       /* about a blocking rule, and therefore more than that */
	unsigned about;        /* one more than the index in ruleset->abouts, 0 = none */
};

struct diags {
	struct diag *rows;
	size_t count, capacity;
	size_t errors;
};

/* Takes nothing over: strings are copied. 0, or -ENOMEM. */
int diags_add(struct diags *diags, const struct diag *row);
void diags_done(struct diags *diags);

/* "path:line:column: rule 'id': message", the source line and a caret. */
void diag_print(int fd, const struct diag *diag);
