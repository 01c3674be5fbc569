/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lost.h - the internal events about a sink: how many events it missed, what somebody
 * has done to it.
 */
#pragma once
#include "record/sink.h"

/* Facts that every line of this run has; each may be NULL. */
struct lost_origin {
	const char *hostname, *service, *workload;
};

/* The events_lost line with guard.lost = LOST and guard.sink; NULL when out of
 * memory.
 */
struct line *lost_line(const struct lost_origin *origin, const struct sink *sink, uint64_t lost);

/* Likewise the sink_damaged line with guard.damage. */
struct line *damaged_line(const struct lost_origin *origin, const struct sink *sink,
			  const char *damage);
