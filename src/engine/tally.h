/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tally.h - what is counted over a whole run, whichever supervisor is at work.
 *
 * Lies in memory shared with the keeper. There is one writer at a time, and each count
 * is right by itself.
 */
#pragma once
#include <stdatomic.h>

#include "base/util.h"

struct tally {
	size_t size;        /* of the mapping */
	int64_t started_ns; /* monotonic: when the run began */
	/* of heartbeats: when the next one is due, monotonic, and how many there were */
	int64_t beat_ns;
	unsigned beats;
	_Atomic uint64_t detected, would_block; /* matches that did not refuse, reported or not */
	_Atomic uint64_t withheld;  /* of those and of all rules: not reported, for their rate */
	_Atomic uint64_t told;      /* of those: how many the last heartbeat knew of */
	_Atomic uint64_t by_rule[]; /* withheld of each, by rule->index */
};

/* Maps a new one for RULES rules, which every process forked from here shares: 0, or
 * -ENOMEM.
 */
int tally_new(size_t rules, struct tally **ret);
void tally_free(struct tally *tally);

/* A detection of RULE was not reported. */
void tally_withhold(struct tally *tally, unsigned rule);
