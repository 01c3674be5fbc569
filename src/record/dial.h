/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dial.h - connects to a local socket. */
#pragma once
#include <sys/socket.h>

#include "base/util.h"

/* PATH, or "@name" for an abstract address; TYPE is SOCK_STREAM or SOCK_DGRAM. A
 * connected, non-blocking, close-on-exec descriptor, or -errno; -EAGAIN when
 * the listener's backlog is full.
 */
int dial(const char *path, int type);

/* Sends one datagram, with the descriptor SEND_FD beside it unless that is
 * -1. 0 or -errno.
 */
int dial_send(int fd, const void *data, size_t size, int send_fd);
