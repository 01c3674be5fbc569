/* SPDX-License-Identifier: GPL-3.0-or-later */
/* trigger.h - the rules that a predicate must hold for: the part of the index (index.h)
 * that is about no single text or number.
 *
 * What an event's owner knows to hold of the ancestors costs nothing where it does not;
 * of the others each is asked for once an event, however many rules it has.
 */
#pragma once
#include "secl/secl.h"

struct triggers;

/* 0, or -ENOMEM. */
int triggers_new(struct triggers **ret);
void triggers_free(struct triggers *triggers);
/* RULE can only be true when PREDICATE holds, NEGATED when it does not: 0, or -ENOMEM. */
int triggers_add(struct triggers *triggers, const struct secl_predicate *predicate, bool negated,
		 uint32_t rule);
/* Sets in BITS the rules whose predicates are as they have to be, or fail. */
void triggers_look(const struct triggers *triggers, const struct secl_context *ctx, uint64_t *bits);
