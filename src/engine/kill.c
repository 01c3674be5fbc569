/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kill.c - signals: those that rules send, and those of the workload that must
 * not reach guard.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "engine/flight.h"
#include "engine/slay.h"
#include "kernel/target.h"

bool is_guard(const struct supervisor *sv, pid_t pid)
{
	return pid == getpid() || pid == sv->options.keeper_pid ||
	       pid == atomic_load(&sv->journal->recorder);
}

/* ---- scopes of rules --------------------------------------------------------- */

struct scope_scan {
	struct supervisor *sv;
	const struct process *process;
	enum kill_scope scope;
	int signal;
};

static bool same_text(const struct secl_string *a, const char *b, size_t size)
{
	return a->size == size && memcmp(a->text, b, size) == 0;
}

static bool in_scope(const struct scope_scan *scan, pid_t pid)
{
	char cgroup[1024];
	const char *id;
	size_t size;
	ssize_t n;

	if (scan->scope == KILL_SCOPE_TREE)
		return slay_descends(pid, scan->process->pid);
	n = procfs_cgroup(pid, cgroup, sizeof cgroup);
	if (n < 0)
		return false;
	if (scan->scope == KILL_SCOPE_CGROUP)
		return same_text(&scan->process->cgroup, cgroup, (size_t)n);
	size = procfs_container_id(cgroup, (size_t)n, &id);
	return size && same_text(&scan->process->container, id, size);
}

static int kill_in_scope(void *data, pid_t pid)
{
	const struct scope_scan *scan = data;

	if (pid > 1 && !is_guard(scan->sv, pid) && in_scope(scan, pid))
		(void)kill(pid, scan->signal);
	return 0;
}

/* A scope that is not there, or that guard shares, shrinks to the process. */
static enum kill_scope effective_scope(const struct process *process, enum kill_scope scope)
{
	char own[1024];
	ssize_t n;

	if (scope == KILL_SCOPE_CONTAINER && !process->container.size)
		return KILL_SCOPE_PROCESS;
	if (scope == KILL_SCOPE_CGROUP) {
		n = procfs_cgroup(getpid(), own, sizeof own);
		if (process->cgroup.size <= 1 || n < 0 ||
		    same_text(&process->cgroup, own, (size_t)n))
			return KILL_SCOPE_TREE;
	}
	return scope;
}

void kill_scope_apply(struct supervisor *sv, const struct process *process, enum kill_scope scope,
		      int signal)
{
	struct scope_scan scan = { sv, process, effective_scope(process, scope), signal };

	if (process->pid <= 1 || is_guard(sv, process->pid))
		return;
	/* the others first: the caller is parked, its children are not */
	if (scan.scope != KILL_SCOPE_PROCESS)
		(void)procfs_each(kill_in_scope, &scan);
	(void)kill(process->pid, signal);
}

/* ---- kill(2) to everybody or to a group ----------------------------------------- */

struct group_scan {
	struct supervisor *sv;
	const struct caller *caller;
	struct proc_status who; /* of the caller */
	pid_t group;            /* 0 = everybody */
	int signal;
	unsigned sent, refused;
	bool self;
};

enum { CAP_KILL_BIT = 5 };

/* kill_ok_by_cred() of kernel/signal.c. */
static bool may_signal(const struct group_scan *scan, const struct credentials *target)
{
	const struct credentials *own = &scan->who.cred;

	return own->cap_effective & (UINT64_C(1) << CAP_KILL_BIT) || own->euid == target->suid ||
	       own->euid == target->uid || own->uid == target->suid || own->uid == target->uid;
}

static int signal_member(void *data, pid_t pid)
{
	struct group_scan *scan = data;
	struct proc_status status;

	if (pid <= 1 || is_guard(scan->sv, pid))
		return 0;
	if (scan->group ? getpgid(pid) != scan->group : pid == scan->caller->who.tgid)
		return 0;
	if (procfs_status(pid, &status) < 0)
		return 0;
	if (!may_signal(scan, &status.cred)) {
		scan->refused++;
	} else if (pid == scan->caller->who.tgid) {
		scan->self = true; /* last: it is to see the result of the call */
	} else if (kill(pid, scan->signal) == 0) {
		scan->sent++;
	}
	return 0;
}

void kill_received(struct supervisor *sv, unsigned slot, struct caller *caller)
{
	const struct seccomp_notif *n = flight_notification(sv, slot);
	int target = (int)n->data.args[0], signal = (int)n->data.args[1];
	struct group_scan scan = { .sv = sv, .caller = caller, .signal = signal };

	if (procfs_status(caller->tid, &scan.who) < 0) {
		flight_fail(sv, slot, EPERM);
		return;
	}
	scan.group = target == -1 ? 0 : target == 0 ? getpgid(caller->who.tgid) : -target;
	(void)procfs_each(signal_member, &scan);
	if (scan.self || scan.sent)
		flight_result(sv, slot, 0);
	else
		flight_fail(sv, slot, scan.refused ? EPERM : ESRCH);
	if (scan.self)
		(void)kill(caller->who.tgid, signal);
}

/* ---- pidfd_send_signal(2) -------------------------------------------------------- */

static ssize_t read_small(const char *path, char *buf, size_t size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read_full(fd, buf, size - 1);

	if (n >= 0)
		buf[n] = '\0';
	return n;
}

/* The process behind our duplicate of a pidfd; a descriptor of /proc/PID serves
 * as one as well.
 */
static pid_t pidfd_target(int fd)
{
	char path[64], text[1024], *line;
	ssize_t n;

	(void)snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	n = read_small(path, text, sizeof text);
	line = n > 0 ? strstr(text, "\nPid:") : NULL;
	if (line)
		return (pid_t)strtol(line + 5, NULL, 10);
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	n = readlink(path, text, sizeof text - 1);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	return strncmp(text, "/proc/", 6) == 0 ? (pid_t)strtol(text + 6, NULL, 10) : -1;
}

void pidfd_signal_received(struct supervisor *sv, unsigned slot, struct caller *caller)
{
	_cleanup_close_ int fd = -1;

	fd = target_getfd(caller->pidfd, (int)flight_notification(sv, slot)->data.args[0]);
	if (fd < 0) {
		flight_fail(sv, slot, -fd);
		return;
	}
	if (is_guard(sv, pidfd_target(fd)))
		flight_fail(sv, slot, EPERM);
	else
		flight_continue(sv, slot);
}
