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

/* A rate, and when reports are tried: COUNT times, STEP apart, from FROM on. */
static const struct row {
	const char *what;
	int64_t every, from, step;
	unsigned count, want;
} rows[] = {
	{ "one alone", 0, 1, 1, 1, 1 },
	{ "the default burst", 0, 1, 0, 1000, 40 },
	{ "the default rate, slowly", 0, 1, 100000000, 1000, 1000 },
	{ "the default rate, twice as fast", 0, 1, 50000000, 200, 139 },
	{ "one nanosecond is no limit", 1, 1, 1, 1000, 1000 },
	{ "longer than the clock has run", INT64_C(3600000000000), 5, 1, 1000, 1 },
	{ "longer than any clock", INT64_MAX, 5, INT64_C(1000000000), 1000, 1 },
	{ "exactly in time", 1000, 7, 1000, 50, 50 },
	{ "a bit too early, so every other time", 1000, 7, 999, 50, 25 },
};

Test(limiter, rows_of_rates)
{
	for (size_t i = 0; i < ELEMENTS(rows); i++) {
		struct limiter limiter = { 0 };
		unsigned n =
			allowed(&limiter, rows[i].every, rows[i].from, rows[i].step, rows[i].count);

		cr_expect_eq(n, rows[i].want, "%s: %u", rows[i].what, n);
	}
}

static struct limiter_table table;

/* The tuple that stands for the number. */
static struct sip_hash tuple(unsigned number)
{
	static const uint64_t key[2] = { 1, 2 };
	struct sip sip = sip_begin(key);

	sip_add(&sip, &number, sizeof number);
	return sip_end(&sip);
}

static bool once(unsigned number, int64_t now)
{
	struct sip_hash t = tuple(number);

	return limiter_allow(limiter_of(&table, &t), INT64_C(1000000000000), now);
}

Test(limiter, each_tuple_has_its_own_bucket)
{
	for (unsigned i = 0; i < LIMITER_TUPLES; i++)
		cr_assert(once(i, 1000), "%u", i);
	for (unsigned i = 0; i < LIMITER_TUPLES; i++)
		cr_assert_not(once(i, 2000), "%u", i);
}

Test(limiter, the_least_recently_used_tuple_goes)
{
	for (unsigned i = 0; i < LIMITER_TUPLES; i++)
		cr_assert(once(i, 1000));
	cr_expect_not(once(0, 1001), "used again: the oldest is now 1");
	cr_expect(once(LIMITER_TUPLES, 1002));
	cr_expect_not(once(0, 1003));
	cr_expect_not(once(2, 1004));
	cr_expect(once(1, 1005), "it was forgotten");
	cr_expect(once(3, 1006), "and took the place of the next");
}

Test(limiter, a_flood_of_tuples_stays_in_the_table)
{
	unsigned n = 0;

	for (unsigned i = 0; i < 100000; i++)
		n += once(i * 7919 % 50021, 1000 + i);
	cr_expect_gt(n, 90000u);
	cr_expect_eq(table.used, LIMITER_TUPLES);
}

Test(limiter, tuples_differ_where_their_parts_do)
{
	static const char *const parts[][2] = {
		{ "ab", "c" }, { "a", "bc" }, { "abc", "" }, { "", "abc" }, { "ab", "c\0" },
	};
	static const uint64_t key[2] = { 3, 4 };
	struct sip_hash hashes[ELEMENTS(parts)];

	for (size_t i = 0; i < ELEMENTS(parts); i++) {
		struct sip sip = sip_begin(key);

		sip_add(&sip, parts[i][0], strlen(parts[i][0]));
		sip_add(&sip, parts[i][1], strlen(parts[i][1]) + (i == 4));
		hashes[i] = sip_end(&sip);
		for (size_t k = 0; k < i; k++)
			cr_expect_neq(memcmp(&hashes[i], &hashes[k], sizeof hashes[i]), 0,
				      "%zu %zu", i, k);
	}
}
