/* SPDX-License-Identifier: GPL-3.0-or-later */
/* line.h - one JSON line that the recorder holds, shared by the sinks' queues.
 *
 * Counted references; the last line_unref() frees it. The text has no newline
 * at its end and none inside: control bytes, which valid JSON has only between
 * its tokens, are made spaces on the way in.
 */
#pragma once
#include <sys/queue.h>

#include "base/util.h"

struct line {
	STAILQ_ENTRY(line) next; /* in denials */
	unsigned refs;
	unsigned owed; /* sinks that have not written this denial yet */
	uint64_t seq;  /* of a denial; 0 = an event, which may be lost */
	size_t size;
	char text[]; /* NUL behind it */
};

/* With one reference; NULL when out of memory. */
struct line *line_new(const char *text, size_t size, uint64_t seq);
struct line *line_ref(struct line *line);
void line_unref(struct line *line);

/* What a line costs in memory, queue entry included. */
size_t line_cost(const struct line *line);
