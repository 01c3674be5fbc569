/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/limiter.h"

bool limiter_allow(struct limiter *limiter, int64_t every_ns, int64_t now_ns)
{
	int64_t period = every_ns > 0 ? every_ns : LIMITER_PERIOD_NS;
	int64_t burst = every_ns > 0 ? 1 : LIMITER_BURST;

	/* the bucket holds (now - since) / period tokens, BURST at the most */
	if (now_ns - limiter->since_ns > burst * period)
		limiter->since_ns = now_ns - burst * period;
	if (now_ns - limiter->since_ns < period)
		return false;
	limiter->since_ns += period;
	return true;
}
