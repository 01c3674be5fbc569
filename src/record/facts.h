/* SPDX-License-Identifier: GPL-3.0-or-later */
/* facts.h - what the sinks for people and logs need to know about a line. */
#pragma once
#include <jansson.h>

#include "model/summary.h"
#include "record/line.h"

struct facts {
	json_t *json;              /* owns what the others point to; NULL = not JSON */
	struct secl_string rule;   /* agent.rule_id */
	const char *verdict;       /* guard.verdict; "none" for internal events */
	bool internal;             /* about guard, not about the workload */
	bool for_people;           /* an internal event that a person should see */
	int priority;              /* of syslog(3), without a facility */
	char summary[SUMMARY_MAX]; /* one escaped line */
};

/* Always fills *ret; a line that is no JSON object gets a summary that says
 * so. facts_done() afterwards.
 */
void facts_read(struct facts *ret, const struct line *line);
void facts_done(struct facts *facts);
