/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "record/denials.h"

void denials_init(struct denials *d, size_t limit)
{
	*d = (struct denials){ .limit = limit };
	STAILQ_INIT(&d->held);
}

static void forget_first(struct denials *d)
{
	struct line *line = STAILQ_FIRST(&d->held);

	STAILQ_REMOVE_HEAD(&d->held, next);
	d->bytes -= line_cost(line);
	line_unref(line);
}

void denials_done(struct denials *d)
{
	while (!STAILQ_EMPTY(&d->held))
		forget_first(d);
}

void denials_refuse(struct denials *d)
{
	d->in_sync = false;
	d->asked = false;
}

enum denial_answer denials_offer(struct denials *d, uint64_t seq, size_t size)
{
	if (seq <= d->accepted)
		return DENIAL_DUPLICATE;
	/* before the answer to HELLO a later one may come first: what the link held
	 * when the recorder before this one died */
	if (!d->in_sync)
		return DENIAL_REFUSED;
	if (seq != d->accepted + 1 || (d->bytes > 0 && d->bytes + size > d->limit)) {
		denials_refuse(d);
		return DENIAL_REFUSED;
	}
	return DENIAL_NEW;
}

void denials_add(struct denials *d, struct line *line)
{
	d->accepted = line->seq;
	d->bytes += line_cost(line);
	STAILQ_INSERT_TAIL(&d->held, line, next);
}

void denials_hello(struct denials *d, uint64_t seq)
{
	d->in_sync = true;
	d->asked = false;
	if (seq <= d->accepted)
		return;
	/* written by a recorder before this one, or forgotten by the sender */
	d->accepted = seq;
	if (STAILQ_EMPTY(&d->held))
		d->written = seq;
}

bool denials_settle(struct denials *d)
{
	uint64_t before = d->written;

	while (!STAILQ_EMPTY(&d->held) && STAILQ_FIRST(&d->held)->owed == 0)
		forget_first(d);
	/* everything below the first one that is still held */
	d->written = STAILQ_EMPTY(&d->held) ? d->accepted : STAILQ_FIRST(&d->held)->seq - 1;
	return d->written > before;
}

bool denials_must_ask(const struct denials *d)
{
	return !d->in_sync && !d->asked && d->bytes <= d->limit / 2;
}
