/* SPDX-License-Identifier: GPL-3.0-or-later */
/* procfs.h - what /proc and pidfds say about a task.
 *
 * Bounded reads into the caller's buffers; nothing is cached here. Numbers are
 * those of guard's own pid namespace. -ESRCH: the task is gone.
 */
#pragma once
#include "model/event.h"

/* "/proc/PID/NAME", cut to fit. Valid as long as PATH. */
struct procfs_path {
	char text[64];
};
const char *procfs_path(struct procfs_path *path, pid_t pid, const char *name);

struct proc_stat {
	char comm[16];
	char state;
	pid_t ppid;
	uint32_t sid;
	uint32_t tty;          /* device number, 0 = none */
	uint32_t kernel_flags; /* PF_KTHREAD ... */
	uint64_t start_ticks;  /* clock ticks since boot */
};

/* /proc/PID/stat (proc(5)); the name in parentheses may hold anything. */
int procfs_stat(pid_t pid, struct proc_stat *ret);

/* The wait status of one that has ended and that nobody has waited for (the last field of
 * its stat): 0, -EAGAIN while it lives, -ESRCH.
 */
int procfs_exit_status(pid_t pid, int *ret);

enum { PROC_EXITING = 0x4 }; /* PF_EXITING of kernel_flags */

struct proc_status {
	pid_t tgid, ppid, tracer;
	pid_t inner_pid; /* in its own pid namespace, 0 = that is ours */
	uint32_t threads;
	struct credentials cred;
	mode_t umask;
	uint64_t shared;           /* ShdPnd: of the process, for whichever thread takes it */
	uint64_t pending, blocked; /* (SigPnd | ShdPnd) and SigBlk, bit N-1 = signal N */
};

/* /proc/TID/status, about 10 us: off the hot path. auid is not in there. */
int procfs_status(pid_t tid, struct proc_status *ret);

/* /proc/PID/loginuid, 4294967295 when unset or not readable. */
uint32_t procfs_loginuid(pid_t pid);

struct proc_identity {
	pid_t tgid, ppid;
	struct credentials cred; /* without fsuid-only kernels, capabilities, auid */
	bool has_cred;
};

/* Who a pidfd (thread or leader) is: PIDFD_GET_INFO (Linux 6.13), about 1 us.
 * -ENOTTY where the kernel does not have it: read the status then.
 */
int procfs_pidfd_identity(int pidfd, struct proc_identity *ret);

/* The path of the cgroup (v2, else the first v1 hierarchy), copied into BUF.
 * Its length, or -errno.
 */
ssize_t procfs_cgroup(pid_t pid, char *buf, size_t size);

/* A container id in a cgroup path (64 hex digits, or the 32 + number form of
 * ECS and the GUID of Cloud Foundry). Its length and place, 0 when none.
 */
size_t procfs_container_id(const char *cgroup, size_t size, const char **ret);

/* Inode of /proc/PID/ns/NAME; 0 when not readable. */
uint32_t procfs_namespace(pid_t pid, const char *name);

/* "pts0", "tty1"; empty when DEVICE is no terminal. Length. */
size_t procfs_tty_name(uint32_t device, char *buf, size_t size);

/* Start of the system in nanoseconds since the epoch, to turn start_ticks into
 * a time.
 */
int64_t procfs_boot_time_ns(void);
int64_t procfs_ticks_to_ns(uint64_t ticks);

/* /proc/PID/cmdline or environ into BUF. Bytes, or -errno. Only for processes
 * whose exec guard did not see: they can rewrite both.
 */
ssize_t procfs_cmdline(pid_t pid, char *buf, size_t size);
ssize_t procfs_environ(pid_t pid, char *buf, size_t size);

/* What tells the address spaces of two execs apart and is the same in every fork
 * of one: the kernel's own copy of the auxiliary vector, whose addresses are
 * random. Not 0. A process can only change it by prctl(PR_SET_MM), which the
 * workload is refused. SIZE bytes at VECTOR end before AT_NULL.
 */
uint64_t procfs_token_of(const void *vector, size_t size);

/* The token of the task's memory, from /proc/TID/auxv: 0, -ESRCH, -EACCES. */
int procfs_token(pid_t tid, uint64_t *ret);

/* The children of PID, at most SIZE: their number; -ENOENT where the kernel does not
 * list them (CONFIG_PROC_CHILDREN).
 */
ssize_t procfs_children(pid_t pid, pid_t *ret, size_t size);

/* The same for one that is asked again and again: a descriptor of its list, or -errno
 * likewise, and what that lists now.
 */
int procfs_children_open(pid_t pid);
ssize_t procfs_children_read(int fd, pid_t *ret, size_t size);

/* Calls VISIT for every thread of PID. 0, or -errno. */
int procfs_each_thread(pid_t pid, int (*visit)(void *data, pid_t tid), void *data);

/* Calls VISIT for every process of /proc. 0, or -errno. */
int procfs_each(int (*visit)(void *data, pid_t pid), void *data);
