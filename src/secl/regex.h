/* SPDX-License-Identifier: GPL-3.0-or-later */
/* regex.h - regular expressions as the peer means them (specification 6.4):
 * the syntax of RE2, searched unanchored, on UTF-8.
 *
 * PCRE2 does the work, so everything that RE2 lacks is refused when a rule is
 * loaded: back-references, look-around, possessive and atomic groups,
 * recursion, callouts, verbs. What both have but mean differently is
 * translated: octal escapes, \s, \v, named groups. Differences that stay: \S
 * inside a bracket leaves out the vertical tab.
 *
 * Text that is not valid UTF-8 is matched with U+FFFD in place of each bad
 * byte, as RE2 does: a rule is not evaded by putting a stray byte into an
 * argument.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "secl/secl.h"

struct regexp;

/* 0; -EINVAL with *err saying why; -ENOMEM. */
int regexp_new(const char *pattern, size_t size, bool icase, struct regexp **ret, struct err *err);
void regexp_free(struct regexp *re);

/* 1, 0; -EOVERFLOW when the answer takes more memory than REGEXP_STATES
 * allows; -ENOMEM when SCRATCH is full. SCRATCH is left as it was.
 *
 * Time is bounded by text and pattern, whatever the workload puts into the
 * text: compiled code gets REGEXP_STEPS tries (fewer in a long text, where
 * each may be longer); when they are used up, all alternatives are followed at
 * once in a single pass over the text, as RE2 does.
 */
enum {
	REGEXP_STEPS = 10000,
	REGEXP_WORK = 1 << 25, /* steps times bytes of text */
	REGEXP_STATES = 1 << 14,
};
int regexp_match(const struct regexp *re, const struct secl_string *text, struct arena *scratch);
