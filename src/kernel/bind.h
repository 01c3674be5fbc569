/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bind.h - bind(2) performed on guard's duplicate of the socket, with guard's copy of
 * the address and in the caller's place: its rights, and for the file of an AF_UNIX
 * socket its root, directory and umask, so that the name that peers see is the one that
 * the caller gave.
 */
#pragma once
#include <sys/socket.h>

#include "kernel/connect.h"

struct bind_job {
	int fd;          /* our duplicate */
	pid_t tid, tgid; /* who calls */
	struct socket_kind kind;
	struct sockaddr_storage address;
	socklen_t size;
};

/* The address as this socket would take it: a family of 0 can mean that of the socket. */
void bind_address(const struct bind_job *job, struct sockaddr_storage *ret);

/* The kernel may carry it out: the caller is alone with its descriptors. */
enum { BIND_CONTINUE = 1 };

/* Makes the call: 0 or -errno, or BIND_CONTINUE for other families than INET, where
 * the kernel would look at more of who calls. A worker_job.
 */
int bind_run(void *job);

/* Whether the socket has the address already: what a call that was made twice had done
 * the first time.
 */
bool bind_is_done(const struct bind_job *job);
