/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report.h - an event plus what was decided about it, as one JSON line.
 *
 * Layout: backend event schema of the peer; everything that is ours is in the
 * one object "guard", which a reader may drop. Keys of "guard":
 *
 *   verdict    detected, would_block, blocked, killed
 *   errno      name of what a refused call returned; blocked, would_block
 *   signal     name of the signal; killed, or what would have been sent
 *   syscall    the call, for example sendto for a connect event
 *   guarantee  name from guarantee.def
 *   reason     name from reason.def
 *   addr_path  AF_UNIX peer of a connect, "@name" when abstract
 *   lineage    "inferred" when the real parent was gone
 *   title, message  a sentence for a person; blocked, killed
 *   tags       rule_id:, source_rule_id:, type:, the rule's, the workload's
 *   service, hostname, workload  who ran; workload is a UUID
 *   seq, lost  number of the event in the workload, events lost before it
 *   withheld   detections of the rule so far that its rate kept back
 *   truncated  true when any list or text here or elsewhere is cut
 *
 * Empty values are left out. Command lines are scrubbed (scrub.h) wherever they
 * appear. Strings are of any bytes and come out as base/jsonw.h says.
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
	const struct hosts *hosts; /* NULL = no rule asks for names */
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

/* Where the value of a variable belongs in a line. */
enum report_scope { REPORT_GLOBAL, REPORT_PROCESS, REPORT_CONTAINER, REPORT_CGROUP };

struct report_variable {
	enum report_scope scope;
	const char *name; /* without its scope */
	struct secl_value value;
};

/* An action that is reported beside the verdict. */
struct report_action {
	const char *type;             /* its name in policies */
	const struct file_info *file; /* of hash; NULL: the action is unsupported here */
};

struct report {
	const struct report_origin *origin;
	const struct report_rule *rule;
	const struct event *event;
	struct report_verdict verdict;
	uint64_t seq, lost, withheld;
	const struct report_variable *variables;
	size_t nvariables;
	const struct report_action *actions;
	size_t nactions;
};

/* One line without the newline: its length, or -ENOBUFS. At most 256 arguments
 * and variables of 256 bytes and 200 ancestors (the first and the last hundred)
 * are written. When that does not fit, there are fewer and shorter, then texts
 * are cut as well (always marked as truncated); 16 KiB suffice for any event.
 * BUF is NUL-terminated. No allocation; the time is bounded by SIZE.
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
