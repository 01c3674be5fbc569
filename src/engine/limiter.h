/* SPDX-License-Identifier: GPL-3.0-or-later */
/* limiter.h - how often a rule may report (specification 15.4).
 *
 * A token bucket: one report per period, so many at once at the most. Actions
 * and denials are never limited.
 */
#pragma once
#include "base/util.h"

enum {
	LIMITER_BURST = 40,
	LIMITER_PERIOD_NS = 100 * 1000 * 1000,
};

struct limiter {
	int64_t since_ns; /* when the bucket would have been empty */
};

/* True when a report may be made at NOW_NS, a time that never goes back. EVERY_NS 0 is the default
 * rate, else one report per that time.
 */
bool limiter_allow(struct limiter *limiter, int64_t every_ns, int64_t now_ns);
