/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The reporter and a link that is full. */
#include "config.h"

#include <criterion/criterion.h>

#include "base/seqpacket.h"
#include "engine/act.h"
#include "model/link.h"
#include "policy/ruleset.h"

static uint32_t next_message(int fd, char *body, size_t size)
{
	struct seqpacket_head head;

	return seqpacket_receive(fd, &head, body, size, NULL, NULL) < 0 ? 0 : head.type;
}

Test(act, a_hello_that_found_the_link_full_goes_before_any_denial)
{
	struct seqpacket_head event = { .type = LINK_EVENT, .size = 4096 };
	struct ruleset ruleset = { .nrules = 0 };
	static char body[4096];
	struct journal *journal;
	struct reporter *reporter;
	struct tally *tally;
	int link[2];

	cr_assert_eq(journal_new(&journal), 0);
	cr_assert_eq(tally_new(0, &tally), 0);
	cr_assert_eq(seqpacket_pair(link), 0);
	cr_assert_eq(reporter_new(&(struct reporter_options){ .journal = journal,
							      .ruleset = &ruleset,
							      .recorder = link[0],
							      .tally = tally,
							      .news = -1 },
				  &reporter),
		     0);
	while (seqpacket_send(link[0], &event, body, NULL, 0) == 0)
		continue;
	reporter_hello(reporter);
	journal_begin(journal, 0);
	cr_assert_eq(journal_add(journal, "summary", "{}", 2), 0);
	journal_commit(journal);
	cr_assert(reporter_flush(reporter), "the link is full");
	while (next_message(link[1], body, sizeof body))
		continue;
	cr_assert_not(reporter_flush(reporter));
	cr_expect_eq(next_message(link[1], body, sizeof body), LINK_HELLO);
	cr_expect_eq(next_message(link[1], body, sizeof body), LINK_DENIAL);
	cr_expect_not(reporter_settled(reporter));
	reporter_give_up(reporter);
	cr_expect_eq(atomic_load(&journal->lost), 1);
	reporter_free(reporter);
	journal_free(journal);
	tally_free(tally);
}
