/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/connect.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/time.h>

int connect_kind(int fd, struct socket_kind *ret)
{
	struct socket_kind kind = { .domain = 0 };
	socklen_t size = sizeof(int);
	int flags;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &kind.domain, &size) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &kind.type, &size) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &kind.protocol, &size) < 0)
		return -errno;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0)
		return -errno;
	kind.may_block = kind.type != SOCK_DGRAM && kind.type != SOCK_RAW && !(flags & O_NONBLOCK);
	*ret = kind;
	return 0;
}

bool connect_has_timeout(int fd)
{
	struct timeval limit = { .tv_sec = 0 };
	socklen_t size = sizeof limit;

	return getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, &size) == 0 &&
	       (limit.tv_sec || limit.tv_usec);
}

int connect_run(void *data)
{
	struct connect_job *job = data;

	return connect(job->fd, (struct sockaddr *)&job->address, job->size) < 0 ? -errno : 0;
}
