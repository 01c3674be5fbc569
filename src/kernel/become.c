/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/become.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kernel/procfs.h"

#define CAPABILITY(name) (UINT64_C(1) << (name))

static int read_capabilities(struct become *b)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	if (syscall(SYS_capget, &head, data) < 0)
		return -errno;
	b->effective = data[0].effective | (uint64_t)data[1].effective << 32;
	b->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	b->inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
	return 0;
}

static int set_effective(const struct become *b, uint64_t effective)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	for (unsigned i = 0; i < 2; i++)
		data[i] = (struct __user_cap_data_struct){
			.effective = (uint32_t)(effective >> 32 * i),
			.permitted = (uint32_t)(b->permitted >> 32 * i),
			.inheritable = (uint32_t)(b->inheritable >> 32 * i),
		};
	return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

static int read_self(struct become *b)
{
	b->uid = geteuid();
	b->gid = getegid();
	b->ngroups = getgroups(BECOME_GROUPS_MAX, b->groups);
	return b->ngroups < 0 ? -errno : read_capabilities(b);
}

/* The supplementary groups, from /proc/TID/status. */
static int read_groups(pid_t tid, struct become *b)
{
	char path[64], text[16 * 1024], *p, *end;
	_cleanup_close_ int fd = -1;
	size_t used = 0;
	ssize_t n;

	(void)snprintf(path, sizeof path, "/proc/%d/status", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (used < sizeof text - 1 && (n = read(fd, text + used, sizeof text - 1 - used)) > 0)
		used += (size_t)n;
	text[used] = '\0';
	p = strstr(text, "\nGroups:");
	end = p ? strchr(p + 1, '\n') : NULL;
	if (!end)
		return -EPERM;
	*end = '\0';
	p += strlen("\nGroups:");
	for (b->ngroups = 0; b->ngroups < BECOME_GROUPS_MAX; b->ngroups++) {
		unsigned long group = strtoul(p, &end, 10);

		if (end == p)
			return 0;
		b->groups[b->ngroups] = (gid_t)group;
		p = end;
	}
	return -EPERM;
}

/* Of a user namespace: its number, and its parent in *NS, -1 when that is beyond ours. */
static uint64_t step_up(int *ns)
{
	struct stat st;
	uint64_t number = fstat(*ns, &st) == 0 ? st.st_ino : 0;
	int parent = ioctl(*ns, NS_GET_PARENT);

	(void)close(*ns);
	*ns = parent;
	return number;
}

/* Whether capabilities in user namespace NUMBER count for the network of the socket: it
 * belongs to that namespace, or to one below.
 */
static bool reaches_network(uint64_t number, int socket)
{
	int network = socket < 0 ? -1 : ioctl(socket, SIOCGSKNS), ns;
	bool found = false;

	if (network < 0)
		return false;
	ns = ioctl(network, NS_GET_USERNS);
	(void)close(network);
	while (ns >= 0 && !found)
		found = step_up(&ns) == number;
	if (ns >= 0)
		(void)close(ns);
	return found;
}

static uint64_t rights_of(pid_t tid, int socket, uint64_t effective)
{
	const uint64_t network = CAPABILITY(CAP_NET_ADMIN) | CAPABILITY(CAP_NET_RAW) |
				 CAPABILITY(CAP_NET_BIND_SERVICE) | CAPABILITY(CAP_NET_BROADCAST);
	uint32_t ns = procfs_namespace(tid, "user");

	if (ns == procfs_namespace(getpid(), "user"))
		return effective;
	return effective & network && reaches_network(ns, socket) ? effective & network : 0;
}

static int read_caller(pid_t tid, int socket, struct become *b)
{
	struct proc_status status;
	int r;

	r = procfs_status(tid, &status);
	if (r < 0)
		return r;
	b->uid = status.cred.euid;
	b->gid = status.cred.egid;
	b->effective = rights_of(tid, socket, status.cred.cap_effective);
	return read_groups(tid, b);
}

static bool equal(const struct become *a, const struct become *b, uint64_t effective)
{
	return a->uid == b->uid && a->gid == b->gid && a->ngroups == b->ngroups &&
	       memcmp(a->groups, b->groups, (size_t)a->ngroups * sizeof *a->groups) == 0 &&
	       a->effective == effective;
}

int become_look(pid_t tid, int socket, struct become *caller)
{
	return read_caller(tid, socket, caller);
}

static bool may_change(const struct become *self)
{
	const uint64_t needed = CAPABILITY(CAP_SETUID) | CAPABILITY(CAP_SETGID);

	return (self->effective & needed) == needed;
}

int become_as(const struct become *caller, struct become *self)
{
	struct become own = { .changed = false };
	uint64_t effective;
	int r = read_self(&own);

	*self = own;
	if (r < 0 || !may_change(self))
		return r;
	effective = (caller->effective | CAPABILITY(CAP_SYS_PTRACE)) & self->permitted;
	if (equal(self, caller, effective))
		return 0;
	self->changed = true;
	/* the C library would change every thread */
	if (syscall(SYS_setgroups, caller->ngroups, caller->groups) < 0 ||
	    syscall(SYS_setresgid, -1, caller->gid, -1) < 0 ||
	    syscall(SYS_setresuid, -1, caller->uid, -1) < 0)
		r = -errno;
	if (r == 0)
		r = set_effective(self, effective);
	if (r < 0)
		become_self(self);
	return r;
}

int become_caller(pid_t tid, int socket, struct become *self)
{
	struct become caller = { .changed = false };
	int r;

	self->changed = false;
	r = read_self(self);
	if (r < 0 || !may_change(self))
		return r;
	r = become_look(tid, socket, &caller);
	return r < 0 ? r : become_as(&caller, self);
}

void become_self(const struct become *self)
{
	if (!self->changed)
		return;
	if (syscall(SYS_setresuid, -1, self->uid, -1) < 0 ||
	    set_effective(self, self->effective) < 0 ||
	    syscall(SYS_setresgid, -1, self->gid, -1) < 0 ||
	    syscall(SYS_setgroups, self->ngroups, self->groups) < 0)
		abort();
	/* a change of ids sets it to what fs.suid_dumpable says */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
