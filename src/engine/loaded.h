/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loaded.h - the ruleset_loaded event: which policies and rules are in force, which are
 * not, and why.
 */
#pragma once
#include "engine/act.h"

struct loaded {
	const struct ruleset *ruleset;
	const struct diags *diags;
	bool warned; /* some rule has warnings: see loaded_make() */
};

struct loaded loaded_make(const struct ruleset *ruleset, const struct diags *diags);

/* Reports it: in one line where that holds everything, else in several, each with some of
 * the rules.
 */
void loaded_report(struct reporter *reporter, const struct loaded *loaded);

/* The keys of a policy, inside of its object: name, version, source, path, status and
 * message.
 */
void loaded_policy(struct jsonw *w, const struct loaded *loaded, const struct policy *policy);

/* Whether the row is about (a rule of) the policy. */
bool loaded_of(const struct diag *diag, const struct policy *policy);
