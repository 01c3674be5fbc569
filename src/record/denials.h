/* SPDX-License-Identifier: GPL-3.0-or-later */
/* denials.h - the recorder's side of the promise that no denial is lost.
 *
 * model/link.h has the protocol. Denials are accepted in the order of their
 * numbers and without gaps; one that is not accepted is simply not
 * acknowledged, so its sender keeps it, and HELLO asks for it later. Accepted
 * ones are held until every sink that owes them has written them.
 */
#pragma once
#include "record/line.h"

struct denials {
	STAILQ_HEAD(held_lines, line) held; /* accepted, not yet known to be written everywhere */
	size_t bytes, limit;
	uint64_t accepted; /* highest number accepted */
	uint64_t written;  /* highest number written everywhere */
	bool in_sync;      /* the next number is to be expected */
	bool asked;        /* HELLO is on its way */
};

enum denial_answer {
	DENIAL_NEW,       /* accepted: hand it to denials_add() */
	DENIAL_DUPLICATE, /* accepted before: acknowledge again */
	DENIAL_REFUSED,   /* out of turn, or no room: its sender keeps it */
};

void denials_init(struct denials *d, size_t limit);
void denials_done(struct denials *d);

enum denial_answer denials_offer(struct denials *d, uint64_t seq, size_t size);

/* Takes over one reference. The line's number is what was offered. */
void denials_add(struct denials *d, struct line *line);

/* What was offered could not be kept after all. */
void denials_refuse(struct denials *d);

/* The sender's HELLO: everything up to SEQ is settled on its side. */
void denials_hello(struct denials *d, uint64_t seq);

/* Forgets what has been written everywhere. True when d->written grew. */
bool denials_settle(struct denials *d);

/* Whether HELLO should be sent now; after sending it set d->asked. */
bool denials_must_ask(const struct denials *d);
