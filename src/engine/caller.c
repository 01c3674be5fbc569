/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/caller.h"

#include <errno.h>

#include "kernel/target.h"

int caller_open(pid_t tid, struct caller *ret)
{
	struct caller caller = { .tid = tid };
	struct proc_status status;
	int r;

	caller.pidfd = target_pidfd(tid);
	if (caller.pidfd < 0 && caller.pidfd != -EINVAL)
		return caller.pidfd;
	r = caller.pidfd >= 0 ? procfs_pidfd_identity(caller.pidfd, &caller.who) : -ENOTTY;
	if (r == -ENOTTY) {
		r = procfs_status(tid, &status);
		caller.who = (struct proc_identity){ .tgid = status.tgid,
						     .ppid = status.ppid,
						     .cred = status.cred,
						     .has_cred = true };
	}
	/* before Linux 6.9 a thread has no pidfd of its own: its process serves */
	if (r == 0 && caller.pidfd < 0) {
		caller.pidfd = target_pidfd(caller.who.tgid);
		r = caller.pidfd < 0 ? caller.pidfd : 0;
	}
	if (r < 0) {
		if (caller.pidfd >= 0)
			(void)close(caller.pidfd);
		return r;
	}
	*ret = caller;
	return 0;
}

void caller_close(struct caller *caller)
{
	if (caller->pidfd >= 0 && !caller->known)
		(void)close(caller->pidfd);
	caller->pidfd = -1;
	caller->known = NULL;
}
