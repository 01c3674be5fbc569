/* SPDX-License-Identifier: GPL-3.0-or-later */
/* filter.h - the seccomp filter of the workload: made from rows, loaded raw.
 *
 * A request says which calls are to be notified and what is refused always;
 * filter_build() turns it into a program. In the order of precedence, a call
 * is
 *	refused		ENOSYS: foreign ABI, io_uring, userfaultfd, numbers newer
 *			than our tables
 *	refused		EPERM: it aims at one of guard's own processes
 *	notified	it is wanted and its register conditions hold
 *	allowed
 * EPERM and not ESRCH for guard's processes: they are there to be seen in
 * /proc, and a program that is told ESRCH takes its peer for dead and cleans
 * up after it.
 *
 * Nothing but architecture and number is loaded before the number is known, so
 * every call without register conditions that is allowed stays in the kernel's
 * action cache and costs the same however long the program is. The calls that
 * do have conditions are compared first: they alone run the program each time.
 *
 * The program is written here and not by libseccomp, which translates the
 * numbers of foreign architectures by its own table (Debian 12's does not know
 * setxattrat on aarch64) and cannot express an exact i386 filter that tests
 * arguments of calls reachable through socketcall(2). tests/filter runs every
 * variant in a simulator.
 *
 * Process ids are compared as the workload's system calls name them, in the
 * pid namespace where guard started; kill(2) and others accept the id of any
 * thread, so those of guard's threads belong into the list as well. What no
 * register comparison can decide is to be notified whenever guard's processes
 * are protected: SYSCALL_kill (SIGKILL and SIGSTOP to everybody or to a group)
 * and SYSCALL_pidfd_send_signal (a descriptor of /proc/PID is a pidfd there).
 */
#pragma once
#include <linux/filter.h>

#include "model/syscall.h"

enum { FILTER_PIDS_MAX = 16 };

enum filter_foreign {
	FILTER_FOREIGN_REFUSE,    /* ENOSYS */
	FILTER_FOREIGN_TRANSLATE, /* i386 on x86_64 is treated like the native ABI */
};

struct filter_request {
	struct {
		bool wanted;
		const struct prefilter *prefilter; /* NULL = the row's own; not owned */
	} notify[SYSCALL_COUNT];
	enum filter_foreign foreign;
	bool refuse_io_uring;
	bool refuse_userfaultfd;
	bool refuse_unknown;         /* numbers above SYSCALL_NUMBER_MAX */
	pid_t pids[FILTER_PIDS_MAX]; /* processes and threads of guard */
	size_t npids;
	pid_t groups[FILTER_PIDS_MAX]; /* process groups that hold guard alone */
	size_t ngroups;
};

/* Everything refused that can be, nothing notified, no processes. */
void filter_request_init(struct filter_request *request);

/* Notifies a call, or every call that serves an event type, under the
 * prefilter of its row.
 */
void filter_request_syscall(struct filter_request *request, enum syscall_id id);
void filter_request_event(struct filter_request *request, enum event_type type);

/* Adds one of guard's processes or threads; with OWN_GROUP it also leads a
 * process group in which nothing but guard runs (after setsid(2)): 0, -EINVAL
 * for an id below 1, -ENOSPC.
 */
int filter_request_protect(struct filter_request *request, pid_t pid, bool own_group);

/* Builds the program for a native ABI: 0, -ENOMEM, or -E2BIG when the request
 * does not fit a program. The caller owns the result and gives it to
 * filter_done().
 */
int filter_build(const struct filter_request *request, enum syscall_abi native,
		 struct sock_fprog *ret);
void filter_done(struct sock_fprog *program);

/* The best flags for filter_load() that this kernel knows: NEW_LISTENER, and
 * from 5.19 on WAIT_KILLABLE_RECV. Changes nothing.
 */
unsigned filter_best_flags(void);

/* Loads the program into the calling thread: with NEW_LISTENER the
 * descriptor (close-on-exec), else 0; or -errno. -EBUSY: a filter above has a
 * listener already, there can be only one (guard inside guard, or in a
 * container whose runtime has one). -EACCES: neither CAP_SYS_ADMIN nor
 * no_new_privs. -EINVAL: a flag or the program is not understood.
 *
 * One raw system call and nothing else, no memory, no locks: for the stub
 * between fork and exec, whose next notified call would wait for a supervisor
 * that does not yet hold the descriptor.
 */
int filter_load(const struct sock_fprog *program, unsigned flags);
