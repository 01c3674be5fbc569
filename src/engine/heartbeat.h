/* SPDX-License-Identifier: GPL-3.0-or-later */
/* heartbeat.h - the heartbeat event: this policy is in force, and so much was counted.
 *
 * One for each policy: soon after the start more often, as whoever has just changed a
 * policy wants to know. And one at the end, when something was withheld that no
 * heartbeat told of.
 */
#pragma once
#include "engine/loaded.h"

struct heartbeat {
	struct loaded loaded;
	struct journal *journal;
	struct tally *tally;
	int64_t every_ms; /* [events] heartbeat; 0 = only the one at the end */
};

/* When the next one is due, monotonic; INT64_MAX = never. */
int64_t heartbeat_due(const struct heartbeat *beat);

/* Reports it if it is due at NOW_NS, monotonic. */
void heartbeat_tick(const struct heartbeat *beat, struct reporter *reporter, int64_t now_ns);

/* The run ends. */
void heartbeat_last(const struct heartbeat *beat, struct reporter *reporter);
