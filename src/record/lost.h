/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lost.h - the internal event that says how many events a sink missed. */
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
