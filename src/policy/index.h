/* SPDX-License-Identifier: GPL-3.0-or-later */
/* index.h - which rules an event could match at all.
 *
 * Most rules name the texts or numbers that a field must have (secl_expr_atoms()).
 * The index has them all in tables, so that a value is looked up once for every rule
 * there is, and what no rule names costs one look. Other rules need a predicate that
 * many have in common (trigger.h). Rules without either, and those about a field that
 * could not be loaded, are candidates always.
 */
#pragma once
#include "policy/ruleset.h"
#include "secl/secl.h"

struct rule_index;

/* Of COUNT rules, in their order of evaluation: 0, or -ENOMEM. The rules stay where
 * they are as long as the index.
 */
int rule_index_new(const struct rule *const *rules, size_t count, struct rule_index **ret);
void rule_index_free(struct rule_index *index);

/* Sets in BITS, one for each rule, those that may be true of the event of CTX. BITS has
 * room for RULE_INDEX_WORDS(count) words; scratch is left as it was.
 */
#define RULE_INDEX_WORDS(count) (((count) + 63) / 64)
void rule_index_look(const struct rule_index *index, const struct secl_context *ctx,
		     uint64_t *bits);

/* Rules that are always candidates. */
size_t rule_index_always(const struct rule_index *index);
