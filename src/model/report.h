/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report.h - an event plus what was decided about it, as one JSON line.
 *
 * Layout: backend event schema of the peer; everything that is ours is in the
 * one object "guard". See guard(7).
 */
#pragma once
#include "base/jsonw.h"
#include "model/event.h"

/* Facts about guard and its host, the same for every line. */
struct report_origin {
	const char *version, *kernel, *distribution, *arch, *hostname;
	const char *origin;      /* "ebpfless" unless configured */
	const char *service;     /* may be NULL */
	const char *workload;    /* UUID text of this run */
	const char *const *tags; /* "key:value", may be NULL */
	size_t ntags;
	const struct idnames *names;
	const struct scrubber *scrubber;
};

struct report_rule {
	const char *id, *original_id, *version, *description, *expression;
	const char *policy, *policy_version;
	const char *const *tags; /* "key:value" */
	size_t ntags;
};

struct report_verdict {
	enum verdict_kind kind;
	enum reason reason;
	enum guarantee guarantee;
	int error;                     /* errno of a block, positive; 0 = none */
	int signal;                    /* of a kill; 0 = none */
	const char *kill_scope;        /* "process", "container", "cgroup", "tree" */
	int64_t detected_ns, acted_ns; /* since the epoch, 0 = not acted */
};

struct report {
	const struct report_origin *origin;
	const struct report_rule *rule;
	const struct event *event;
	struct report_verdict verdict;
	uint64_t seq, lost;
};

/* One line without the newline: its length, or -ENOBUFS. When the whole does
 * not fit, arguments, environment and ancestors are cut (and marked as
 * truncated) before that is returned; 16 KiB always suffice.
 */
ssize_t report_write(const struct report *report, char *buf, size_t size);

/* Internal events (ruleset_loaded, events_lost, supervisor_restarted,
 * supervisor_lost ...): agent, date and guard objects plus BODY, which writes
 * the keys of its own into the top-level object. BODY may be NULL.
 */
ssize_t report_write_internal(const struct report_origin *origin, const char *rule_id,
			      int64_t time_ns, uint64_t seq, uint64_t lost,
			      void (*body)(struct jsonw *w, const void *data), const void *data,
			      char *buf, size_t size);
