/* SPDX-License-Identifier: GPL-3.0-or-later */
/* feature.h - what this kernel, this privilege and this container let guard do.
 *
 * Every probe tries the thing itself, since version numbers say little about
 * distribution kernels and nothing about outer filters. The probes run in a
 * forked child, so the caller keeps its filters, children, privileges and
 * descriptors; one that gets the child killed counts as "not available".
 * A whole report takes some 10 to 20 ms, most of it the end of a fanotify group
 * and of an io_uring. A start asks for what it needs alone, and where no outer filter
 * can punish it for asking it takes no child either: that would be half a millisecond.
 */
#pragma once
#include "base/err.h"
#include "model/event.h"

enum feature {
#define FEATURE(id, name, without, event, on, purpose) FEATURE_##id,
#include "kernel/features.def"
#undef FEATURE
	FEATURE_COUNT
};

enum feature_without {
	WITHOUT_REFUSES,  /* guard does not start */
	WITHOUT_NO_EVENT, /* the event type cannot be judged */
	WITHOUT_WEAKER,   /* a promise does not hold */
	WITHOUT_SLOWER,   /* a fallback does the same in more time */
};

enum feature_place { FEATURE_ON_SELF, FEATURE_ON_OTHER };

struct feature_row {
	const char *name;
	const char *purpose; /* completes "needed so that ..." */
	enum feature_without without;
	enum event_type event; /* that needs it; EVENT_NONE = all */
	enum feature_place place;
};

struct feature_result {
	bool probed;
	bool available;
	int code;         /* 0, or why not: -errno */
	char reason[224]; /* why not, or a remark; may be empty. Plain text, one line */
};

struct feature_report {
	char kernel[65]; /* uname -r */
	uid_t euid;
	bool cap_sys_admin, cap_sys_ptrace; /* effective, in the own user namespace */
	int yama;                           /* kernel.yama.ptrace_scope, -1 = Yama is not there */
	struct feature_result features[FEATURE_COUNT];
};

const struct feature_row *feature_row(enum feature feature);

/* Probes everything. What could not be probed (no memory, no process) is not
 * available, with that as the reason.
 */
void feature_probe(struct feature_report *ret);

/* True when guard can start, but not keep every promise: a feature is missing
 * whose absence is more than a matter of time.
 */
bool feature_is_degraded(const struct feature_report *report);

/* The first missing feature without which events of this type (EVENT_NONE:
 * guard at all) cannot be judged; FEATURE_COUNT when none is missing.
 */
enum feature feature_missing(const struct feature_report *report, enum event_type type);

/* What `guard run` asks before it starts anything. Where that takes a child it takes its
 * time, in which policies can be read: begun with what any event type may need. NULL =
 * no memory, which the end says.
 */
struct feature_probing *feature_run_begin(void);

/* 0, or -errno with the one line for the user. EVENTS says which types the policies
 * need; NULL: nobody wants to know any more. PROBING is gone afterwards.
 */
int feature_run_end(struct feature_probing *probing, const bool events[EVENT_COUNT],
		    struct err *err);

/* The rest of it, where feature_run_end() took no child: tried on the process that is to
 * be watched, a child of the caller that waits for its first exec, and on its LISTENER.
 * 0, or -errno with the one line for the user.
 */
int feature_run_on(pid_t child, int listener, const bool events[EVENT_COUNT], struct err *err);
