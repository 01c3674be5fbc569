/* SPDX-License-Identifier: GPL-3.0-or-later */
/* launch.h - the stub: a child that puts the filter on itself and becomes the
 * workload.
 *
 * It is cloned with CLONE_FILES, so the notification descriptor that seccomp(2)
 * creates in it is at once a descriptor of the supervisor, without a message: a
 * message could need a call that is notified already. execve(2) ends the
 * sharing and, everything of guard's being close-on-exec, leaves the workload
 * with exactly the descriptors that guard was started with.
 */
#pragma once
#include <linux/filter.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "kernel/heritage.h"

struct launch_request {
	const char *path; /* resolved: no search here */
	char *const *argv, *const *envp;
	const struct sock_fprog *filter;
	unsigned filter_flags; /* SECCOMP_FILTER_FLAG_* besides NEW_LISTENER */
	bool no_new_privs;     /* needed without CAP_SYS_ADMIN */
	bool shield;           /* take CAP_SYS_PTRACE away (shield.h) ... */
	bool best_effort;      /* ... and go on where an exec would give it back */
	const char *cwd;       /* NULL = stay */
	bool set_ids;
	uid_t uid;
	gid_t gid;
	const gid_t *groups;
	size_t ngroups;
	sigset_t signal_mask; /* what the workload is to have */
	struct rlimit nofile; /* likewise */
	struct heritage heritage;
};

enum launch_step {
	LAUNCH_STARTING,
	LAUNCH_FILTERED,
	LAUNCH_GO,
	LAUNCH_FAILED_FILTER,
	LAUNCH_FAILED_SHIELD,
	LAUNCH_FAILED_CWD,
	LAUNCH_FAILED_IDS,
	LAUNCH_FAILED_EXEC
};

/* What stub and supervisor share, in memory of the caller's that outlives both; all
 * zero at first.
 */
struct launch_page {
	_Atomic uint32_t step; /* enum launch_step, a futex */
	int listener;          /* valid from LAUNCH_FILTERED on */
	int error;             /* positive errno, valid in the LAUNCH_FAILED_* steps */
};

struct launch {
	pid_t pid;
	int listener; /* owned by the caller once launch_start() returned 0 */
};

/* Forks the stub and waits until it is filtered. It then stays parked until
 * launch_go(). 0, or -errno with the step that failed in *ret_step; the stub is
 * then dead and reaped. The process must be single-threaded, PAGE be shared memory.
 */
int launch_start(const struct launch_request *request, struct launch_page *page, struct launch *ret,
		 enum launch_step *ret_step);

/* Lets the stub execute the command; the caller must be serving the listener. A stub
 * that is under way already is not affected.
 */
void launch_go(struct launch_page *page);

/* After the stub has died: the step that failed and why; LAUNCH_GO when the
 * command had been executed.
 */
enum launch_step launch_outcome(const struct launch_page *page, int *ret_error);
