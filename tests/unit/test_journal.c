/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ring of denials: order, wrap-around, a full ring, recovery. */
#include "config.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "engine/journal.h"

static struct journal *journal;

static void setup(void)
{
	cr_assert_eq(journal_new(&journal), 0);
}

static void teardown(void)
{
	journal_free(journal);
}

TestSuite(journal, .init = setup, .fini = teardown);

static int commit(unsigned number, size_t size)
{
	static char line[4096];

	memset(line, 'a' + (int)(number % 26), sizeof line);
	return journal_commit(journal, "summary", line, size);
}

static uint64_t drain(uint64_t offset, unsigned *number)
{
	const struct journal_record *record;

	while ((record = journal_peek(journal, &offset))) {
		cr_assert_eq(record->number, ++*number);
		cr_assert_eq(record->line[0], 'a' + (int)((*number - 1) % 26));
		cr_assert_eq(record->line[record->line_size], '\0');
		offset += record->size;
	}
	return offset;
}

Test(journal, records_come_out_in_order_over_many_rounds_of_the_ring)
{
	unsigned in = 0, out = 0;
	uint64_t offset = 0;

	for (unsigned round = 0; round < 40; round++) {
		for (unsigned i = 0; i < 300; i++, in++)
			cr_assert_eq(commit(in, 1 + (in * 37) % 4000), 0);
		offset = drain(offset, &out);
		atomic_store(&journal->tail, offset);
	}
	cr_assert_eq(in, out);
	cr_assert_gt(offset, 2 * (uint64_t)JOURNAL_RING_SIZE);
}

Test(journal, a_full_ring_refuses_and_keeps_what_it_has)
{
	unsigned in = 0, out = 0;

	while (commit(in, 4000) == 0)
		in++;
	cr_assert_eq(commit(in, 4000), -ENOSPC);
	cr_assert_gt(in, 3000u);
	(void)drain(0, &out);
	cr_assert_eq(out, in);
}

Test(journal, a_death_between_record_and_counter_is_mended)
{
	cr_assert_eq(commit(0, 10), 0);
	cr_assert_eq(commit(1, 10), 0);
	atomic_store(&journal->committed, 1);
	journal_recover(journal);
	cr_assert_eq(atomic_load(&journal->committed), 2u);
}

Test(journal, slots_run_out)
{
	for (unsigned i = 0; i < JOURNAL_SLOTS; i++) {
		int slot = journal_slot_take(journal);

		cr_assert_eq(slot, (int)i);
		journal_slot_step(journal, (unsigned)slot, SLOT_RECEIVED);
	}
	cr_assert_eq(journal_slot_take(journal), -ENOSPC);
	journal_slot_step(journal, 7, SLOT_FREE);
	cr_assert_eq(journal_slot_take(journal), 7);
}
