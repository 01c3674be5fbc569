/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/limiter.h"

bool limiter_allow(struct limiter *limiter, int64_t every_ns, int64_t now_ns)
{
	int64_t period = every_ns > 0 ? every_ns : LIMITER_PERIOD_NS;
	int64_t burst = every_ns > 0 ? 1 : LIMITER_BURST;
	int64_t full;

	/* the bucket holds (now - since) / period tokens, BURST at the most; a period
	 * may be longer than any clock */
	if (__builtin_mul_overflow(burst, period, &full))
		full = INT64_MAX;
	if (!limiter->since_ns || now_ns - limiter->since_ns > full)
		limiter->since_ns = now_ns - full;
	if (now_ns - limiter->since_ns < period)
		return false;
	limiter->since_ns += period;
	return true;
}

static struct limiter_bucket *bucket(struct limiter_table *table, uint16_t number)
{
	return &table->buckets[number - 1];
}

static uint16_t *head(struct limiter_table *table, const struct sip_hash *tuple)
{
	return &table->heads[tuple->words[0] % ELEMENTS(table->heads)];
}

static void link_newest(struct limiter_table *table, uint16_t number)
{
	struct limiter_bucket *b = bucket(table, number);

	b->newer = 0;
	b->older = table->newest;
	*(b->older ? &bucket(table, b->older)->newer : &table->oldest) = number;
	table->newest = number;
}

static void unlink_use(struct limiter_table *table, uint16_t number)
{
	struct limiter_bucket *b = bucket(table, number);

	*(b->newer ? &bucket(table, b->newer)->older : &table->newest) = b->older;
	*(b->older ? &bucket(table, b->older)->newer : &table->oldest) = b->newer;
}

/* The bucket that was longest not used, out of both lists. */
static uint16_t evict(struct limiter_table *table)
{
	uint16_t number = table->oldest;
	uint16_t *link = head(table, &bucket(table, number)->tuple);

	while (*link != number)
		link = &bucket(table, *link)->next;
	*link = bucket(table, number)->next;
	unlink_use(table, number);
	return number;
}

struct limiter *limiter_of(struct limiter_table *table, const struct sip_hash *tuple)
{
	uint16_t *first = head(table, tuple), number = *first;

	while (number && memcmp(&bucket(table, number)->tuple, tuple, sizeof *tuple) != 0)
		number = bucket(table, number)->next;
	if (number) {
		unlink_use(table, number);
		link_newest(table, number);
		return &bucket(table, number)->limiter;
	}
	number = table->used < LIMITER_TUPLES ? ++table->used : evict(table);
	*bucket(table, number) = (struct limiter_bucket){ .tuple = *tuple, .next = *first };
	*first = number;
	link_newest(table, number);
	return &bucket(table, number)->limiter;
}
