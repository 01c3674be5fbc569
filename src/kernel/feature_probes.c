/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/feature_probes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "kernel/filter.h"
#include "kernel/procfs.h"
#include "kernel/ring.h"
#include "kernel/shield.h"

/* Newer than the headers of Debian 12. */
#ifndef SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS      SECCOMP_IOW(4, uint64_t)
#endif
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
enum { OPEN_THREAD = O_EXCL }; /* PIDFD_THREAD */

/* The first version of struct pidfd_info (6.13). */
struct pidfd_info_v0 {
	uint64_t mask, cgroupid;
	uint32_t ids[12];
};
#define PIDFD_GET_INFO_V0 _IOWR(0xFF, 11, struct pidfd_info_v0)

static int say(struct feature_probe *probe, int code, const char *format, ...) PRINTF_LIKE(3, 4);

static int say(struct feature_probe *probe, int code, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(probe->result->reason, sizeof(probe->result->reason), format, ap);
	va_end(ap);
	return code;
}

/* What looks into another process is subject to Yama. */
static int explain_refusal(struct feature_probe *probe, int code)
{
	if (code != -EPERM || probe->report->yama < 2)
		return code;
	return say(probe, code, "kernel.yama.ptrace_scope is %d, which %s", probe->report->yama,
		   probe->report->yama == 2 ? "asks for CAP_SYS_PTRACE"
					    : "forbids it to everybody");
}

/* The pid of a child that waits until the prober is gone, or -errno. */
static pid_t need_child(struct feature_probe *probe)
{
	int ends[2];
	char byte;

	if (probe->child > 0)
		return probe->child;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	probe->child = fork();
	if (probe->child == 0) {
		(void)close(ends[1]);
		(void)!read(ends[0], &byte, 1);
		_exit(0);
	}
	if (probe->child < 0)
		return -errno;
	(void)close(ends[0]);
	probe->child_end = ends[1];
	return probe->child;
}

void feature_probes_done(struct feature_probe *probe)
{
	if (probe->child <= 0)
		return;
	(void)close(probe->child_end);
	(void)kill(probe->child, SIGKILL); /* should ptrace have left it stopped */
	(void)waitpid(probe->child, NULL, __WALL);
}

int feature_probe_KERNEL(struct feature_probe *probe)
{
	unsigned major, minor;

	if (sscanf(probe->report->kernel, "%u.%u", &major, &minor) != 2)
		return say(probe, -EINVAL, "version %s is not understood", probe->report->kernel);
	if (major < 5 || (major == 5 && minor < 9))
		return say(probe, -ENOSYS, "this is Linux %s", probe->report->kernel);
	return say(probe, 0, "%s", probe->report->kernel);
}

int feature_probe_PROC(struct feature_probe *probe)
{
	struct statfs fs;

	if (statfs("/proc", &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC ||
	    access("/proc/self/status", R_OK) < 0)
		return say(probe, -ENOENT, "/proc is not mounted");
	return 0;
}

/* 0 for a descriptor, which is closed again, else -errno. */
static int try_open(int fd)
{
	if (fd < 0)
		return -errno;
	(void)close(fd);
	return 0;
}

int feature_probe_MEMFD(struct feature_probe *probe)
{
	(void)probe;
	return try_open(memfd_create("guard-probe", MFD_CLOEXEC | MFD_ALLOW_SEALING));
}

int feature_probe_SUBREAPER(struct feature_probe *probe)
{
	int before = 0;

	(void)probe;
	(void)prctl(PR_GET_CHILD_SUBREAPER, &before, 0, 0, 0);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return -errno;
	/* the workload is to have what guard was started with */
	return prctl(PR_SET_CHILD_SUBREAPER, before, 0, 0, 0) < 0 ? -errno : 0;
}

int feature_probe_PIDFD(struct feature_probe *probe)
{
	(void)probe;
	return try_open((int)syscall(SYS_pidfd_open, getpid(), 0));
}

int feature_probe_USER_NOTIFICATION(struct feature_probe *probe)
{
	const uint32_t action = SECCOMP_RET_USER_NOTIF;

	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0)
		return 0;
	if (errno == EOPNOTSUPP)
		return say(probe, -ENOSYS, "this kernel has no seccomp user notification");
	return -errno;
}

int feature_probe_PROCESS_VM_READV(struct feature_probe *probe)
{
	/* the child has the same constant at the same place */
	static const uint32_t value = 0x67756172;
	uint32_t copy = 0;
	struct iovec local = { &copy, sizeof(copy) }, remote = { (void *)&value, sizeof(value) };
	pid_t child = need_child(probe);

	if (child < 0)
		return child;
	if (process_vm_readv(child, &local, 1, &remote, 1, 0) < 0)
		return explain_refusal(probe, -errno);
	return copy == value ? 0 : say(probe, -EIO, "it reads something else");
}

static int seize_and_stop(pid_t pid)
{
	int status;

	if (ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL) < 0)
		return -errno;
	if (ptrace(PTRACE_INTERRUPT, pid, 0, 0) < 0 || waitpid(pid, &status, __WALL) < 0)
		return -errno;
	if (!WIFSTOPPED(status))
		return -EIO;
	return ptrace(PTRACE_DETACH, pid, 0, 0) < 0 ? -errno : 0;
}

/* The kernel lets trace whom it lets read, which was tried before, but for one who has a
 * tracer: without a stop, which takes two switches of process.
 */
static int look_for_tracer(pid_t pid)
{
	struct proc_status status;
	int r = procfs_status(pid, &status);

	return r < 0 || !status.tracer ? r : -EPERM;
}

int feature_probe_PTRACE(struct feature_probe *probe)
{
	pid_t child = need_child(probe);
	int code = child < 0         ? child
		   : probe->borrowed ? look_for_tracer(child)
				     : seize_and_stop(child);

	return explain_refusal(probe, code);
}

static int open_root(uint64_t resolve)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = resolve };

	return try_open((int)syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how)));
}

int feature_probe_OPENAT2(struct feature_probe *probe)
{
	(void)probe;
	return open_root(RESOLVE_IN_ROOT);
}

int feature_probe_PIDFD_GETFD(struct feature_probe *probe)
{
	_cleanup_close_ int pidfd = -1;
	pid_t child = need_child(probe);

	if (child < 0)
		return child;
	pidfd = (int)syscall(SYS_pidfd_open, child, 0);
	if (pidfd < 0)
		return -errno;
	/* a number that is open in nobody: EBADF says that all else was fine */
	if (syscall(SYS_pidfd_getfd, pidfd, INT32_MAX, 0) < 0 && errno != EBADF)
		return explain_refusal(probe, -errno);
	return 0;
}

int feature_probe_SETUID_PROGRAMS(struct feature_probe *probe)
{
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		return say(probe, -EPERM, "guard itself runs with no_new_privs");
	if (!probe->report->cap_sys_admin)
		return say(probe, -EPERM,
			   "without CAP_SYS_ADMIN the workload runs with no_new_privs");
	return 0;
}

int feature_probe_PTRACE_CAPABILITY(struct feature_probe *probe)
{
	struct err err = { .code = 0 };
	bool no_new_privs =
		!probe->report->cap_sys_admin || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
	int r = shield_check(no_new_privs, &err);

	return r < 0 ? say(probe, r, "%s", err.text) : 0;
}

int feature_probe_SUPERVISOR_RESTART(struct feature_probe *probe)
{
	if (probe->report->yama > 0 && !probe->report->cap_sys_ptrace)
		return say(probe, -EPERM,
			   "kernel.yama.ptrace_scope is %d and CAP_SYS_PTRACE is missing: a lost "
			   "supervisor ends the workload",
			   probe->report->yama);
	return 0;
}

int feature_probe_SET_TID(struct feature_probe *probe)
{
	pid_t free_id = fork(), pid;
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&free_id,
		.set_tid_size = 1,
	};

	(void)probe;
	if (free_id == 0)
		_exit(0);
	if (free_id < 0 || waitpid(free_id, NULL, 0) < 0)
		return -errno;
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return errno == EEXIST ? 0 : -errno; /* taken meanwhile by another */
	(void)waitpid(pid, NULL, 0);
	return 0;
}

int feature_probe_PROC_VISIBLE(struct feature_probe *probe)
{
	_cleanup_free_ char *line = NULL;
	FILE *mounts = fopen("/proc/self/mounts", "re");
	bool hidden = false;
	size_t size = 0;

	if (!mounts)
		return -errno;
	while (getline(&line, &size, mounts) >= 0)
		if (strstr(line, " /proc proc "))
			hidden = strstr(line, "hidepid=") && !strstr(line, "hidepid=0") &&
				 !strstr(line, "hidepid=off");
	(void)fclose(mounts);
	if (hidden && !probe->report->cap_sys_ptrace)
		return say(probe, -EPERM, "/proc is mounted with hidepid");
	return 0;
}

int feature_probe_FANOTIFY_PERMISSION(struct feature_probe *probe)
{
	int group = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY | O_CLOEXEC);
	char path[sizeof("/proc/self/fd/2147483647")];
	int file;

	if (group < 0)
		return -errno;
	/* a file that nobody else can open, since its openers would wait for us */
	file = memfd_create("guard-probe", MFD_CLOEXEC);
	if (file < 0)
		return -errno;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	if (fanotify_mark(group, FAN_MARK_ADD, FAN_OPEN_EXEC_PERM, AT_FDCWD, path) < 0)
		return errno == EINVAL ? say(probe, -EINVAL, "this kernel has no permission events")
				       : -errno;
	return 0;
}

int feature_probe_IO_URING(struct feature_probe *probe)
{
	struct ring *ring = NULL;

	(void)probe;
	return ring_new(1, 1, &ring);
}

int feature_probe_PIDFD_THREAD(struct feature_probe *probe)
{
	(void)probe;
	return syscall(SYS_pidfd_open, getpid(), OPEN_THREAD) < 0 ? -errno : 0;
}

int feature_probe_PIDFD_INFO(struct feature_probe *probe)
{
	struct pidfd_info_v0 info = { 0 };
	int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	(void)probe;
	if (fd < 0)
		return -errno;
	if (ioctl(fd, PIDFD_GET_INFO_V0, &info) < 0)
		return errno == ENOTTY ? -ENOSYS : -errno;
	return 0;
}

int feature_probe_RESOLVE_CACHED(struct feature_probe *probe)
{
	int code = open_root(RESOLVE_CACHED);

	(void)probe;
	return code == -EAGAIN ? 0 : code;
}

int feature_probe_LISTENER(struct feature_probe *probe)
{
	static struct sock_filter allow_all[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	const struct sock_fprog program = { ELEMENTS(allow_all), allow_all };
	int fd;

	if (probe->listener >= 0)
		return 0;
	fd = filter_load(&program, SECCOMP_FILTER_FLAG_NEW_LISTENER);
	if (fd == -EACCES && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		fd = filter_load(&program, SECCOMP_FILTER_FLAG_NEW_LISTENER);
	if (fd == -EBUSY)
		return say(probe, fd,
			   "somebody answers this process's calls already: guard cannot run inside "
			   "guard, nor where the container runtime holds a seccomp listener");
	if (fd < 0)
		return fd;
	probe->listener = fd;
	return 0;
}

int feature_probe_WAIT_KILLABLE(struct feature_probe *probe)
{
	(void)probe;
	return filter_best_flags() & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV ? 0 : -EINVAL;
}

int feature_probe_SYNC_WAKE_UP(struct feature_probe *probe)
{
	if (probe->listener < 0)
		return say(probe, -ENOTCONN, "no listener to try it on");
	if (ioctl(probe->listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS,
		  SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP) < 0)
		return -errno;
	return 0;
}

int feature_probe_ADDFD(struct feature_probe *probe)
{
	/* a notification that does not exist: ENOENT says that all else was fine */
	struct seccomp_notif_addfd addfd = {
		.id = UINT64_MAX,
		.flags = SECCOMP_ADDFD_FLAG_SEND,
		.srcfd = (uint32_t)probe->listener,
	};

	if (probe->listener < 0)
		return say(probe, -ENOTCONN, "no listener to try it on");
	if (ioctl(probe->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &addfd) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}
