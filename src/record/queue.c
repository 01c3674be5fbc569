/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "record/queue.h"

void queue_init(struct queue *q, size_t limit)
{
	*q = (struct queue){ .limit = limit };
	STAILQ_INIT(&q->entries);
}

void queue_done(struct queue *q)
{
	while (!STAILQ_EMPTY(&q->entries))
		queue_pop(q);
}

static bool has_room(struct queue *q, const struct line *line)
{
	size_t cost = line_cost(line);

	if (q->dropping)
		q->dropping = q->bytes > q->limit / 2;
	else
		q->dropping = q->bytes + cost > q->limit;
	return !q->dropping;
}

bool queue_put(struct queue *q, struct line *line, bool owed)
{
	struct queue_entry *entry;

	if (!owed && !has_room(q, line)) {
		q->lost++;
		return false;
	}
	entry = malloc(sizeof *entry);
	if (!entry) {
		q->lost++;
		return false;
	}
	entry->line = line_ref(line);
	entry->owed = owed;
	if (owed)
		line->owed++;
	else
		q->bytes += line_cost(line);
	STAILQ_INSERT_TAIL(&q->entries, entry, next);
	return true;
}

struct line *queue_head(const struct queue *q)
{
	const struct queue_entry *entry = STAILQ_FIRST(&q->entries);

	return entry ? entry->line : NULL;
}

void queue_pop(struct queue *q)
{
	struct queue_entry *entry = STAILQ_FIRST(&q->entries);

	STAILQ_REMOVE_HEAD(&q->entries, next);
	if (entry->owed)
		entry->line->owed--;
	else
		q->bytes -= line_cost(entry->line);
	line_unref(entry->line);
	free(entry);
}

void queue_disown(struct queue *q)
{
	struct queue_entry *entry;

	STAILQ_FOREACH (entry, &q->entries, next) {
		if (!entry->owed)
			continue;
		entry->owed = false;
		entry->line->owed--;
		q->bytes += line_cost(entry->line);
	}
}

uint64_t queue_take_lost(struct queue *q)
{
	uint64_t lost = q->lost;

	if (lost == 0 || q->bytes > q->limit / 2)
		return 0;
	q->lost = 0;
	q->dropping = false;
	return lost;
}
