/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ancillary.h - control messages of AF_UNIX, made over so that guard can send them.
 *
 * Descriptors in them (SCM_RIGHTS) are the caller's and become guard's duplicates of
 * the same files; credentials (SCM_CREDENTIALS) name the caller, and are checked as the
 * kernel would check them if the caller sent them (__scm_send() of net/core). Where the
 * caller gives none, those that the kernel would give are added: a receiver that asks
 * (SO_PASSCRED, SO_PASSPIDFD) must not be told of guard.
 */
#pragma once
#include <sys/socket.h>

#include "base/util.h"

enum {
	ANCILLARY_FDS_MAX = 253, /* SCM_MAX_FD */
	/* what is added at most */
	ANCILLARY_EXTRA = CMSG_SPACE(sizeof(struct ucred)),
};

struct ancillary_caller {
	pid_t tid, tgid;
	bool named;  /* guard may name others: ancillary_may_name() */
	bool begins; /* the first piece of a message: descriptors go with it alone */
};

struct ancillary {
	size_t size; /* of what was written */
	int fds[ANCILLARY_FDS_MAX];
	unsigned nfds;
};

/* Whether guard has the rights to send credentials of others. */
bool ancillary_may_name(void);

/* Makes SIZE bytes of CONTROL over into BUF, which has room for them and
 * ANCILLARY_EXTRA more. 0, or the -errno of the call: -EINVAL, -EBADF, -EPERM, -ESRCH.
 * What is in *ret is closed with ancillary_done() when it has been sent, on failure
 * too.
 */
int ancillary_make(const struct ancillary_caller *caller, const char *control, size_t size,
		   char *buf, struct ancillary *ret);
void ancillary_done(struct ancillary *ancillary);
