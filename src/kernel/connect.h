/* SPDX-License-Identifier: GPL-3.0-or-later */
/* connect.h - connect(2) performed on guard's duplicate of the socket.
 *
 * The duplicate is the same open file description, so state, SO_ERROR and
 * O_NONBLOCK are those that the caller sees; the address is guard's copy, so
 * nothing can be swapped after the verdict. Measured: mechanics/notify.md,
 * section D.
 */
#pragma once
#include <sys/socket.h>

#include "base/util.h"
#include "kernel/resolve.h"

struct socket_kind {
	int domain, type, protocol; /* SO_DOMAIN, SO_TYPE, SO_PROTOCOL */
	bool may_block;             /* false when a connect surely does not */
	bool nonblocking;           /* O_NONBLOCK */
};

/* Kind of the socket FD: 0, -ENOTSOCK, or -errno. */
int connect_kind(int fd, struct socket_kind *ret);

/* IPPROTO_* as rules know it: the socket's own, or the default of its type; 0 for
 * families without.
 */
uint16_t socket_protocol(const struct socket_kind *kind);

/* TCP_CLOSE, TCP_SYN_SENT and so on, where a TCP socket stands; -1 = it is none. */
int connect_state(int fd);

/* SO_SNDTIMEO, which bounds a connect as well, in ns; 0 = none. */
int64_t connect_timeout_ns(int fd);

struct connect_job {
	int fd; /* our duplicate */
	struct sockaddr_storage address;
	socklen_t size; /* as the caller gave it, at most that of the address */
	bool local;     /* AF_UNIX with a peer: the rest counts */
	bool judged;    /* by its peer: never left to the kernel, which would look again */
	int file;       /* O_PATH of that peer, 0 = to be looked up or abstract */
	const struct resolve_host *host;
	pid_t tid, tgid; /* who calls */
};

/* What connect_run() returns for a local job that the kernel may carry out: nobody
 * has judged the peer, and the caller is alone with its descriptors, so that the
 * socket that was looked at is the one that is used.
 */
enum { CONNECT_CONTINUE = 1 };

/* Makes the call: 0 or -errno. A worker_job. A local one is made with the caller's
 * identity and from its root and directory, so that permissions are checked and
 * SO_PEERCRED tells as it would be; the pid that the peer sees is guard's.
 */
int connect_run(void *job);
