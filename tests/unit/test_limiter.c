/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many of a storm of reports get through. */
#include "config.h"

#include <criterion/criterion.h>

#include "engine/limiter.h"

static unsigned allowed(struct limiter *limiter, int64_t every, int64_t from, int64_t step,
			unsigned count)
{
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++)
		n += limiter_allow(limiter, every, from + i * step);
	return n;
}

Test(limiter, a_burst_of_forty_then_ten_a_second)
{
	struct limiter limiter = { 0 };
	int64_t now = INT64_C(1700000000000000000);

	cr_expect_eq(allowed(&limiter, 0, now, 1, 1000), 40u);
	/* one second of a storm */
	cr_expect_eq(allowed(&limiter, 0, now + 1000, 1000000, 1000), 9u);
}

Test(limiter, every_means_one_per_period)
{
	struct limiter limiter = { 0 };
	int64_t now = INT64_C(1700000000000000000), second = 1000000000;

	cr_expect_eq(allowed(&limiter, 10 * second, now, second, 100), 10u);
}
