/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/connect.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/time.h>

#include "kernel/alone.h"
#include "kernel/become.h"
#include "kernel/peer.h"

/* Other families may wait for locks, modules or devices in any case. */
static bool is_instant(const struct socket_kind *kind, bool nonblocking)
{
	bool datagrams = kind->type == SOCK_DGRAM || kind->type == SOCK_RAW;

	if (kind->domain == AF_INET || kind->domain == AF_INET6)
		return datagrams || nonblocking;
	return kind->domain == AF_NETLINK && datagrams;
}

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
	kind.nonblocking = flags & O_NONBLOCK;
	kind.may_block = !is_instant(&kind, kind.nonblocking);
	*ret = kind;
	return 0;
}

uint16_t socket_protocol(const struct socket_kind *kind)
{
	if (kind->domain != AF_INET && kind->domain != AF_INET6)
		return 0;
	if (kind->protocol)
		return (uint16_t)kind->protocol;
	return kind->type == SOCK_STREAM ? 6 : kind->type == SOCK_DGRAM ? 17 : 0;
}

int connect_state(int fd)
{
	struct tcp_info info = { .tcpi_state = 0 };
	socklen_t size = offsetof(struct tcp_info, tcpi_state) + sizeof info.tcpi_state;

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0 ? -1 : info.tcpi_state;
}

int64_t connect_timeout_ns(int fd)
{
	struct timeval limit = { .tv_sec = 0 };
	socklen_t size = sizeof limit;

	if (getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, &size) < 0)
		return 0;
	return limit.tv_sec * INT64_C(1000000000) + limit.tv_usec * INT64_C(1000);
}

static int plain_connect(const struct connect_job *job)
{
	return connect(job->fd, (const struct sockaddr *)&job->address, job->size) < 0 ? -errno : 0;
}

/* The file that the path means to the caller is held and then connected to, so
 * that a link or a rename cannot come in between.
 */
static int connect_to_path(const struct connect_job *job)
{
	_cleanup_close_ int found = -1;
	char path[PEER_PATH_SIZE];
	struct sockaddr_un pinned;

	if (!job->file) {
		peer_path(&job->address, job->size, path);
		found = resolve_open(&(struct resolve_request){ .host = job->host,
								.tid = job->tid,
								.tgid = job->tgid,
								.dirfd = AT_FDCWD,
								.path = path });
		if (found < 0)
			return found;
	}
	peer_pinned_address(job->file ? job->file : found, &pinned);
	return connect(job->fd, (struct sockaddr *)&pinned, sizeof pinned) < 0 ? -errno : 0;
}

static int local_connect(const struct connect_job *job)
{
	bool file = peer_kind(&job->address, job->size) == PEER_PATH;
	struct become self;
	int r;

	if (!job->judged && alone_with_files(job->tid))
		return CONNECT_CONTINUE;
	r = become_caller(job->tid, job->fd, &self);
	if (r < 0)
		return r;
	r = file ? connect_to_path(job) : plain_connect(job);
	become_self(&self);
	return r;
}

int connect_run(void *data)
{
	const struct connect_job *job = data;

	return job->local ? local_connect(job) : plain_connect(job);
}
