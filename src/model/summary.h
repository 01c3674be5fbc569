/* SPDX-License-Identifier: GPL-3.0-or-later */
/* summary.h - what happened, on one line for a person.
 *
 *   blocked exec /bin/false (rule deny_false)
 *   would have blocked connect 192.0.2.7:443 (rule egress)
 *
 * The keeper's and supervisor's line about a refusal and the recorder's sinks
 * `stderr` and `journal` use the same words. There is no prefix and no
 * newline: log_error("%s", text) makes "guard: blocked ..." of it.
 */
#pragma once
#include "secl/secl.h"

struct summary {
	const char *verdict;       /* verdict_name(): "blocked" ... */
	const char *event;         /* event_type_name(): "exec" ... */
	struct secl_string object; /* what it was done to: untrusted; empty = unknown */
	struct secl_string rule;   /* id; empty = none */
};

/* 512 bytes of object and 128 of rule id are kept; all of it is escaped
 * (base/escape.h). SUMMARY_MAX bytes always suffice.
 */
enum { SUMMARY_MAX = 1024 };

/* The length without the NUL. BUF is always terminated when SIZE > 0. */
size_t summary_write(char *buf, size_t size, const struct summary *summary);
