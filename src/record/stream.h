/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stream.h - sinks that are a flow of bytes: standard output, files, sockets.
 *
 * O_NONBLOCK belongs to the open file description, which standard output and
 * standard error share with the workload: setting it there would make the
 * workload's own writes fail. So the recorder opens a description of its own through
 * /proc where the kernel allows it, and else writes in ways that need none.
 */
#pragma once
#include "record/sink.h"

/* Chooses how *FD is to be written; it may be replaced. 0 or -errno. */
int stream_adopt(int *fd, enum stream_kind *ret);

/* The operations that these sinks have in common. */
int stream_open(struct sink *sink);
int stream_flush(struct sink *sink);
int stream_reopen(struct sink *sink, int fd);
void stream_close(struct sink *sink);
