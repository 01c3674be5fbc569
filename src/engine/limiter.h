/* SPDX-License-Identifier: GPL-3.0-or-later */
/* limiter.h - how often a rule may report (specification 15.4).
 *
 * A token bucket: one report per period, so many at once at the most. Actions
 * and denials are never limited. A rule with limiter_token has a bucket for each
 * tuple of values of those fields.
 */
#pragma once
#include "base/sip.h"

enum {
	LIMITER_BURST = 40,
	LIMITER_PERIOD_NS = 100 * 1000 * 1000,
	LIMITER_TUPLES = 500, /* of one rule; of more the least recently used goes */
};

struct limiter {
	int64_t since_ns; /* when the bucket would have been empty */
};

/* True when a report may be made at NOW_NS, a time that never goes back. EVERY_NS 0 is the default
 * rate, else one report per that time.
 */
bool limiter_allow(struct limiter *limiter, int64_t every_ns, int64_t now_ns);

/* The buckets of one rule with limiter_token: of fixed size, all zero to begin with. */
struct limiter_table {
	uint16_t used, newest, oldest; /* numbers of buckets, from 1; 0 = none */
	uint16_t heads[512];           /* by hash */
	struct limiter_bucket {
		struct sip_hash tuple;
		struct limiter limiter;
		uint16_t next, newer, older;
	} buckets[LIMITER_TUPLES];
};

/* The bucket of TUPLE, which is now the one most recently used; a full one if it is new. */
struct limiter *limiter_of(struct limiter_table *table, const struct sip_hash *tuple);
