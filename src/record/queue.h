/* SPDX-License-Identifier: GPL-3.0-or-later */
/* queue.h - what one sink has still to write; bounded in bytes.
 *
 * Events beyond the limit are dropped and counted. Once that has begun, it goes
 * on until the queue is half empty, so that a slow sink shows a few large gaps
 * and not one after every line. Denials that the sink owes (line.h) are
 * not charged: struct denials bounds them. First in, first out.
 */
#pragma once
#include "record/line.h"

struct queue_entry {
	STAILQ_ENTRY(queue_entry) next;
	struct line *line;
	bool owed; /* counts in line->owed, not in bytes */
};

struct queue {
	STAILQ_HEAD(queue_entries, queue_entry) entries;
	size_t bytes, limit;
	uint64_t lost; /* dropped since the last queue_take_lost() */
	bool dropping;
};

void queue_init(struct queue *q, size_t limit);
void queue_done(struct queue *q);

/* Takes a reference of its own. OWED: the line is a denial and this queue
 * answers for it. False when it was dropped and counted.
 */
bool queue_put(struct queue *q, struct line *line, bool owed);

/* The oldest line; NULL = empty. */
struct line *queue_head(const struct queue *q);

/* The oldest line is written (or given up). */
void queue_pop(struct queue *q);

/* Nobody answers for the denials in the queue any more; they stay queued. */
void queue_disown(struct queue *q);

/* The number of lines lost, once there is room again to say so; else 0. */
uint64_t queue_take_lost(struct queue *q);
