/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ring of denials: order, wrap-around, a full ring, recovery. */
#include "config.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
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

static int add(unsigned number, size_t size)
{
	static char line[4096];

	memset(line, 'a' + (int)(number % 26), sizeof line);
	return journal_add(journal, "summary", line, size);
}

static int commit(unsigned number, size_t size)
{
	int r;

	journal_begin(journal, 0);
	r = add(number, size);
	journal_commit(journal);
	return r;
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

/* What one denial changes, in the order in which it does. A supervisor dies after the
 * first `steps` of it.
 */
enum { BEGIN, COUNT, ADD, ADD_MORE, PUBLISH, NUMBER, MARK, CLOSE, STEPS };

static void deny(unsigned slot, unsigned steps, bool silent)
{
	for (unsigned step = BEGIN; step < steps; step++) {
		switch (step) {
		case BEGIN: journal_begin(journal, slot); break;
		case COUNT:
			atomic_fetch_add(&journal->denials, 1);
			atomic_fetch_add(&journal->blocked, 1);
			break;
		case ADD:
		case ADD_MORE:
			if (silent)
				break;
			atomic_fetch_add(&journal->seq, 1);
			cr_assert_eq(add(step - ADD, 100), 0);
			break;
		/* as journal_commit() does */
		case PUBLISH: atomic_store(&journal->head, journal->next); break;
		case NUMBER: atomic_store(&journal->committed, journal->added); break;
		case MARK: atomic_store(&journal->slots[slot].denied, 1); break;
		case CLOSE: atomic_store(&journal->open, 0); break;
		}
	}
}

struct death {
	unsigned steps;
	bool silent, denied;
};

ParameterizedTestParameters(journal, a_denial_is_whole_or_never_was)
{
	static struct death rows[] = {
		{ 0, false, false },        { COUNT, false, false },   { ADD, false, false },
		{ ADD_MORE, false, false }, { PUBLISH, false, false }, { NUMBER, false, true },
		{ MARK, false, true },      { CLOSE, false, true },    { STEPS, false, true },
		{ MARK, true, false },      { CLOSE, true, true },     { STEPS, true, true },
	};

	return cr_make_param_array(struct death, rows, ELEMENTS(rows));
}

ParameterizedTest(struct death *row, journal, a_denial_is_whole_or_never_was, .init = setup,
		  .fini = teardown)
{
	unsigned records = row->silent ? 0 : 2, number = 0;

	deny(3, row->steps, row->silent);
	journal_recover(journal);
	cr_expect_eq(atomic_load(&journal->slots[3].denied), row->denied);
	/* a successor that dies as well finds the same */
	journal_recover(journal);
	cr_expect_eq(atomic_load(&journal->slots[3].denied), row->denied);
	if (!row->denied)
		deny(3, STEPS, row->silent);
	cr_expect_eq(atomic_load(&journal->denials), 1);
	cr_expect_eq(atomic_load(&journal->blocked), 1);
	cr_expect_eq(atomic_load(&journal->seq), records);
	cr_expect_eq(atomic_load(&journal->committed), records);
	(void)drain(0, &number);
	cr_expect_eq(number, records);
}

Test(journal, one_denial_does_not_lap_the_keeper)
{
	unsigned n = 0;

	journal_begin(journal, 0);
	while (add(n, 4000) == 0)
		n++;
	cr_expect_leq(journal->next, JOURNAL_RING_SIZE / 2);
	cr_expect_gt(n, 1000u);
	journal_commit(journal);
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
