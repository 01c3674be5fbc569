/* SPDX-License-Identifier: GPL-3.0-or-later */
/* seqpacket.h - messages between guard's own processes.
 *
 * AF_UNIX SOCK_SEQPACKET pairs: a message arrives whole or not at all. Every
 * message starts with a struct seqpacket_head; descriptors travel beside it
 * (SCM_RIGHTS) and arrive with FD_CLOEXEC.
 */
#pragma once
#include "base/util.h"

enum { SEQPACKET_MAX = 256 * 1024, SEQPACKET_MAX_FDS = 8 };

struct seqpacket_head {
	uint32_t type; /* meaning is the owner's, see model/link.h */
	uint32_t size; /* of the body that follows */
	uint64_t seq;
};

/* ret_[0] and ret_[1] are close-on-exec and non-blocking: 0, or -errno. */
int seqpacket_pair(int ret_[2]);

/* 0, -EAGAIN when the peer does not read, -EPIPE when it is gone, -EMSGSIZE. */
int seqpacket_send(int fd, const struct seqpacket_head *head, const void *body, const int *fds,
		   size_t nfds);

/* Receives into BODY of SIZE bytes. The count of body bytes, -EAGAIN, -EPIPE
 * at end of file, -EBADMSG for a malformed or truncated message (its
 * descriptors are closed). *nfds is set to the number received (at most
 * SEQPACKET_MAX_FDS); fds may be NULL, then any received are closed.
 */
ssize_t seqpacket_receive(int fd, struct seqpacket_head *head, void *body, size_t size, int *fds,
			  size_t *nfds);
