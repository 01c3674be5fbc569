/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/bind.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "kernel/alone.h"
#include "kernel/become.h"
#include "kernel/procfs.h"

static bool is_inet(const struct socket_kind *kind)
{
	return kind->domain == AF_INET || kind->domain == AF_INET6;
}

/* __inet_bind() takes 0 for AF_INET when the address is the wildcard. */
void bind_address(const struct bind_job *job, struct sockaddr_storage *ret)
{
	*ret = job->address;
	if (ret->ss_family == AF_UNSPEC && job->kind.domain == AF_INET)
		ret->ss_family = AF_INET;
}

static bool makes_file(const struct bind_job *job)
{
	size_t start = offsetof(struct sockaddr_un, sun_path);

	return job->address.ss_family == AF_UNIX && job->size > start &&
	       ((const char *)&job->address)[start];
}

/* Where paths of this thread begin. */
struct standing {
	int root, directory;
	mode_t umask;
};

static int open_place(pid_t tid, const char *name)
{
	char path[sizeof "/proc/2147483647/root"];
	int fd;

	(void)snprintf(path, sizeof path, "/proc/%d/%s", tid, name);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static void close_standing(struct standing *s)
{
	if (s->root >= 0)
		(void)close(s->root);
	if (s->directory >= 0)
		(void)close(s->directory);
}

static int open_standing(pid_t tid, struct standing *ret)
{
	struct standing s = { .root = open_place(tid, "root"),
			      .directory = open_place(tid, "cwd") };
	struct proc_status status;
	int r = s.root < 0 ? s.root : s.directory < 0 ? s.directory : 0;

	if (r == 0)
		r = procfs_status(tid, &status);
	if (r < 0) {
		close_standing(&s);
		return r;
	}
	s.umask = status.umask;
	*ret = s;
	return 0;
}

static bool same_place(int a, int b)
{
	struct stat left, right;

	return fstat(a, &left) == 0 && fstat(b, &right) == 0 && left.st_dev == right.st_dev &&
	       left.st_ino == right.st_ino;
}

static int stand(const struct standing *to, const struct standing *from)
{
	if (!same_place(to->root, from->root) && (fchdir(to->root) < 0 || chroot(".") < 0))
		return -errno;
	if (fchdir(to->directory) < 0)
		return -errno;
	(void)umask(to->umask);
	return 0;
}

static int plain_bind(const struct bind_job *job)
{
	return bind(job->fd, (const struct sockaddr *)&job->address, job->size) < 0 ? -errno : 0;
}

/* A netlink socket without a number gets that of the process that binds it, when it is
 * free: the caller's.
 */
static int bind_netlink(const struct bind_job *job)
{
	struct bind_job own = *job;
	struct proc_status status;
	struct sockaddr_nl nl;
	int r;

	memcpy(&nl, &own.address, sizeof nl);
	if (own.size < sizeof nl || nl.nl_family != AF_NETLINK || nl.nl_pid ||
	    procfs_status(job->tgid, &status) < 0)
		return plain_bind(job);
	nl.nl_pid = (uint32_t)(status.inner_pid ? status.inner_pid : job->tgid);
	memcpy(&own.address, &nl, sizeof nl);
	r = plain_bind(&own);
	return r == -EADDRINUSE ? plain_bind(job) : r;
}

static int bind_as(const struct bind_job *job, const struct become *caller)
{
	struct become self;
	int r = become_as(caller, &self);

	if (r < 0)
		return r;
	r = job->kind.domain == AF_NETLINK ? bind_netlink(job) : plain_bind(job);
	become_self(&self);
	return r;
}

/* From the caller's root and directory; the threads of guard share theirs until here. */
static int bind_file(const struct bind_job *job, const struct become *caller)
{
	struct standing here = { .root = -1, .directory = -1 }, there = here;
	int r;

	if (unshare(CLONE_FS) < 0)
		return -errno;
	r = open_standing(gettid(), &here);
	if (r < 0)
		return r;
	r = open_standing(job->tid, &there);
	if (r == 0) {
		r = stand(&there, &here);
		if (r == 0)
			r = bind_as(job, caller);
		/* no thread of guard may go on in the workload's place */
		if (stand(&here, &there) < 0)
			abort();
		close_standing(&there);
	}
	close_standing(&here);
	return r;
}

int bind_run(void *data)
{
	const struct bind_job *job = data;

	struct become caller = { .changed = false };
	int r;

	if (!is_inet(&job->kind) && alone_with_files(job->tid))
		return BIND_CONTINUE;
	r = become_look(job->tid, job->fd, &caller);
	if (r < 0)
		return r;
	return job->kind.domain == AF_UNIX && makes_file(job) ? bind_file(job, &caller)
							      : bind_as(job, &caller);
}

static uint16_t port_of(const struct sockaddr_storage *address)
{
	struct sockaddr_in in;

	/* at the same place in both */
	memcpy(&in, address, sizeof in);
	return in.sin_port;
}

bool bind_is_done(const struct bind_job *job)
{
	struct sockaddr_storage name = { .ss_family = 0 };
	socklen_t size = sizeof name;

	if (getsockname(job->fd, (struct sockaddr *)&name, &size) < 0)
		return false;
	if (is_inet(&job->kind))
		return port_of(&name) &&
		       (!port_of(&job->address) || port_of(&name) == port_of(&job->address));
	return size > sizeof name.ss_family;
}
