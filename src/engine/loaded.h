/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loaded.h - the ruleset_loaded event: which policies and rules are in force. */
#pragma once
#include "base/jsonw.h"
#include "policy/ruleset.h"

struct loaded {
	const struct ruleset *ruleset;
	const struct diags *diags;
};

/* The keys of the event (product event schema, section 6); DATA is a struct
 * loaded. The body of reporter_internal().
 */
void loaded_body(struct jsonw *w, const void *data);
