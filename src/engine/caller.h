/* SPDX-License-Identifier: GPL-3.0-or-later */
/* caller.h - who makes a call, by the pid in its notification. */
#pragma once
#include "kernel/procfs.h"
#include "model/event.h"

/* The caller that a notification names. */
struct caller {
	pid_t tid;
	int pidfd; /* of tid; owned, unless the table knows it */
	struct proc_identity who;
	struct process *known; /* whose descriptor it is */
};

/* Identifies TID: opens its pidfd and finds its process. Cheap; nothing is
 * looked up in the table. 0, -ESRCH, -EMFILE, -EPERM ...
 */
int caller_open(pid_t tid, struct caller *ret);
void caller_close(struct caller *caller);
