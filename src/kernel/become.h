/* SPDX-License-Identifier: GPL-3.0-or-later */
/* become.h - a worker thread with the identity of a caller.
 *
 * For what the kernel checks or records by the credentials of who calls:
 * permissions along a path, SO_PEERCRED. Only this thread changes; real and saved
 * ids stay guard's, so that the caller can neither signal nor trace it.
 */
#pragma once
#include <sys/types.h>

#include "base/util.h"

/* As many supplementary groups are taken over; a caller with more is refused. */
enum { BECOME_GROUPS_MAX = 1024 };

struct become {
	bool changed;
	uid_t uid;
	gid_t gid;
	int ngroups;
	gid_t groups[BECOME_GROUPS_MAX];
	uint64_t effective, permitted, inheritable; /* capabilities */
};

/* Takes effective ids, groups and capabilities of TID, keeping only the right to
 * look into it. Does nothing without privilege: then the two are one user. The
 * capabilities of a caller in another user namespace are none here, but for those over
 * the network that SOCKET belongs to (-1 = none) when they reach it. 0 or -errno, with
 * the old identity.
 */
int become_caller(pid_t tid, int socket, struct become *self);

/* The same in two steps, for who is elsewhere when it takes the identity: what
 * become_as() needs of the caller, without effect; and taking it.
 */
int become_look(pid_t tid, int socket, struct become *caller);
int become_as(const struct become *caller, struct become *self);

/* Back to what it was. A thread for which that fails ends the process. */
void become_self(const struct become *self);
