/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kill.c - signals: those that rules send, and those of the workload that must
 * not reach guard.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "engine/flight.h"
#include "engine/slay.h"
#include "kernel/target.h"

bool is_guard(const struct supervisor *sv, pid_t pid)
{
	return pid == atomic_load(&sv->journal->supervisor) || pid == sv->options.keeper_pid ||
	       pid == atomic_load(&sv->journal->recorder);
}

/* The supervisor is the only one of guard's with threads; a thread's id serves
 * wherever that of its process does.
 */
static bool is_guard_task(const struct supervisor *sv, pid_t tid)
{
	pid_t self = atomic_load(&sv->journal->supervisor);

	return is_guard(sv, tid) || syscall(SYS_tgkill, self, tid, 0) == 0;
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
	uint32_t userns;        /* of the caller, when its capabilities end there */
	pid_t group;            /* 0 = everybody */
	int signal;
	unsigned sent, refused;
	bool self;
};

enum { CAP_KILL_BIT = 5 };

static int scan_begin(struct group_scan *scan)
{
	const struct caller *caller = scan->caller;
	uint32_t own = procfs_namespace(getpid(), "user");

	scan->userns = procfs_namespace(caller->who.tgid, "user");
	/* one that cannot be asked has no capability that counts */
	if (scan->userns == own && own)
		scan->userns = 0;
	else if (!scan->userns)
		scan->userns = UINT32_MAX;
	return procfs_status(caller->tid, &scan->who);
}

/* kill_ok_by_cred() of kernel/signal.c. CAP_KILL counts in the user namespace
 * that it was gained in: everybody may make one of those and has all of them there.
 */
static bool may_signal(const struct group_scan *scan, pid_t pid, const struct credentials *target)
{
	const struct credentials *own = &scan->who.cred;

	if (own->cap_effective & (UINT64_C(1) << CAP_KILL_BIT) &&
	    (!scan->userns || procfs_namespace(pid, "user") == scan->userns))
		return true;
	return own->euid == target->suid || own->euid == target->uid || own->uid == target->suid ||
	       own->uid == target->uid;
}

/* The first process of a namespace does not die by its own. */
static bool is_immortal(const struct group_scan *scan, const struct proc_status *target)
{
	return scan->who.inner_pid && target->inner_pid == 1;
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
	if (!may_signal(scan, pid, &status.cred)) {
		scan->refused++;
	} else if (pid == scan->caller->who.tgid) {
		scan->self = true; /* last: the others are found by its group */
	} else if (is_immortal(scan, &status) || kill(pid, scan->signal) == 0) {
		scan->sent++;
	}
	return 0;
}

static void signal_group(struct group_scan *scan, unsigned slot)
{
	bool late = !scan->sv->options.killable && scan->signal != SIGKILL;

	(void)procfs_each(signal_member, scan);
	/* before it can go on; but a stop would take a caller that can be interrupted
	 * out of its call, to make it again when it is continued */
	if (scan->self && !late)
		(void)kill(scan->caller->who.tgid, scan->signal);
	if (scan->self || scan->sent)
		flight_result(scan->sv, slot, 0);
	else
		flight_fail(scan->sv, slot, scan->refused ? EPERM : ESRCH);
	if (scan->self && late)
		(void)kill(scan->caller->who.tgid, scan->signal);
}

/* Which argument names the target: the second of ptrace, the first of the others. */
static pid_t target_of(const struct flight *f, const struct seccomp_notif *n)
{
	return (pid_t)n->data.args[streq(f->syscall, "ptrace") ? 1 : 0];
}

/* Made by the kernel, unless it means one of guard's: the number is in a register.
 * In a pid namespace of its own the caller cannot name any of them.
 */
void target_received(struct supervisor *sv, unsigned slot, struct caller *caller)
{
	pid_t target = target_of(&sv->flights[slot], flight_notification(sv, slot));
	struct proc_status status;

	if (target > 0 && is_guard_task(sv, target) &&
	    (procfs_status(caller->tid, &status) < 0 || !status.inner_pid))
		flight_fail(sv, slot, EPERM);
	else
		flight_continue(sv, slot);
}

void kill_received(struct supervisor *sv, unsigned slot, struct caller *caller)
{
	const struct seccomp_notif *n = flight_notification(sv, slot);
	int target = (int)n->data.args[0], signal = (int)n->data.args[1];
	struct group_scan scan = { .sv = sv, .caller = caller, .signal = signal };

	if (target > 0) {
		target_received(sv, slot, caller);
		return;
	}
	/* no group has this number; its negative is none either */
	if (target == INT32_MIN) {
		flight_fail(sv, slot, ESRCH);
		return;
	}
	if (!flight_caller(sv, slot, caller))
		return;
	if (scan_begin(&scan) < 0) {
		flight_fail(sv, slot, EPERM);
		return;
	}
	/* in a pid namespace of its own, numbers mean other processes and none of
	 * guard's can be named; only the group it was born into may hold guard */
	if (target && scan.who.inner_pid) {
		flight_continue(sv, slot);
		return;
	}
	scan.group = target == -1 ? 0 : target == 0 ? getpgid(caller->who.tgid) : -target;
	signal_group(&scan, slot);
}

/* ---- pidfd_send_signal(2) -------------------------------------------------------- */

#ifndef PIDFD_SIGNAL_PROCESS_GROUP
#define PIDFD_SIGNAL_PROCESS_GROUP 4 /* Linux 6.9 */
#endif

static ssize_t read_small(int dir, const char *path, char *buf, size_t size)
{
	_cleanup_close_ int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read_full(fd, buf, size - 1);

	if (n >= 0)
		buf[n] = '\0';
	return n;
}

/* The process behind our duplicate of a pidfd; a directory of any procfs serves as
 * one as well. -1 when it is neither.
 */
static pid_t pidfd_target(int fd)
{
	char path[64], text[1024], *line;
	struct statfs fs;

	(void)snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	line = read_small(AT_FDCWD, path, text, sizeof text) > 0 ? strstr(text, "\nPid:") : NULL;
	if (line)
		return (pid_t)strtol(line + 5, NULL, 10);
	if (fstatfs(fd, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
		return -1;
	line = read_small(fd, "status", text, sizeof text) > 0 ? strstr(text, "\nTgid:") : NULL;
	return line ? (pid_t)strtol(line + 6, NULL, 10) : -1;
}

/* Made on behalf: the descriptor could be another by the time the kernel looks. */
void pidfd_signal_received(struct supervisor *sv, unsigned slot, struct caller *caller)
{
	const struct seccomp_notif *n = flight_notification(sv, slot);
	struct group_scan scan = { .sv = sv, .caller = caller, .signal = (int)n->data.args[1] };
	unsigned flags = (unsigned)n->data.args[3];
	_cleanup_close_ int fd = -1;
	struct proc_status status;
	pid_t target;

	fd = target_getfd(caller->pidfd, (int)n->data.args[0]);
	if (fd < 0) {
		flight_fail(sv, slot, -fd);
		return;
	}
	target = pidfd_target(fd);
	if (target <= 0) {
		flight_fail(sv, slot, target < 0 ? EBADF : ESRCH);
		return;
	}
	if (scan_begin(&scan) < 0 || is_guard_task(sv, target)) {
		flight_fail(sv, slot, EPERM);
		return;
	}
	if (flags & PIDFD_SIGNAL_PROCESS_GROUP) {
		scan.group = target;
		signal_group(&scan, slot);
		return;
	}
	if (procfs_status(target, &status) < 0 || !may_signal(&scan, target, &status.cred)) {
		flight_fail(sv, slot, EPERM);
		return;
	}
	if (syscall(SYS_pidfd_send_signal, fd, scan.signal, NULL, flags) == 0)
		flight_result(sv, slot, 0);
	else
		flight_fail(sv, slot, errno);
}
