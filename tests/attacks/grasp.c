/* SPDX-License-Identifier: GPL-3.0-or-later */
/* grasp.c - every call that could hurt another process, tried on one. */
#include "tests/lib/t-do.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#ifndef PIDFD_SIGNAL_PROCESS_GROUP
#define PIDFD_SIGNAL_PROCESS_GROUP 4
#endif

/* The kernel looks at the lower half of a pid only. */
static long junk(pid_t pid)
{
	return (long)(UINT64_C(0xdeadbeef00000000) | (uint32_t)pid);
}

static char somewhere[256];

/* Harmless forms: signal 0, values that are read or are what they were. */
static const struct {
	const char *name;
	long nr;
	int place; /* of the pid */
	long args[6];
} calls[] = {
	{ "kill", SYS_kill, 0, { 0, 0 } },
	{ "tkill", SYS_tkill, 0, { 0, 0 } },
	{ "tgkill", SYS_tgkill, 0, { 0, 0, 0 } },
	{ "rt_sigqueueinfo", SYS_rt_sigqueueinfo, 0, { 0, 0, (long)somewhere } },
	{ "pidfd_open", SYS_pidfd_open, 0, { 0, 0 } },
	{ "ptrace", SYS_ptrace, 1, { PTRACE_SEIZE, 0, 0, 0 } },
	{ "process_vm_readv", SYS_process_vm_readv, 0, { 0 } },
	{ "process_vm_writev", SYS_process_vm_writev, 0, { 0 } },
	{ "kcmp", SYS_kcmp, 0, { 0, 0, 1 } },
	{ "get_robust_list", SYS_get_robust_list, 0, { 0, (long)somewhere, (long)somewhere } },
	{ "prlimit64", SYS_prlimit64, 0, { 0, RLIMIT_NOFILE, 0, (long)somewhere } },
	{ "sched_setscheduler", SYS_sched_setscheduler, 0, { 0, SCHED_OTHER, (long)somewhere } },
	{ "sched_setparam", SYS_sched_setparam, 0, { 0, (long)somewhere } },
	{ "setpriority", SYS_setpriority, 1, { PRIO_PROCESS, 0, 0 } },
	{ "ioprio_set", SYS_ioprio_set, 1, { 1, 0, 4 } },
	{ "migrate_pages", SYS_migrate_pages, 0, { 0 } },
	{ "move_pages", SYS_move_pages, 0, { 0 } },
};

/* PID: names of the calls that are not refused. PID may be a thread. */
static int grasp(char **args)
{
	pid_t pid = (pid_t)strtol(args[0], NULL, 10);
	int status = T_FAILED;

	for (size_t i = 0; i < ELEMENTS(calls); i++) {
		long a[6];

		memcpy(a, calls[i].args, sizeof a);
		a[calls[i].place] = junk(pid);
		if (calls[i].nr == SYS_tgkill)
			a[1] = junk(pid);
		if (syscall(calls[i].nr, a[0], a[1], a[2], a[3], a[4], a[5]) == -1 &&
		    errno == EPERM)
			continue;
		(void)printf("%s\n", calls[i].name);
		status = T_OK;
	}
	return status;
}

/* SIGNAL: to the own process group. */
static int kill_group(char **args)
{
	return say(kill(0, (int)strtol(args[0], NULL, 10)));
}

/* PID SIGNAL: to the process group of PID, by a pidfd. */
static int kill_group_by_pidfd(char **args)
{
	int fd = (int)syscall(SYS_pidfd_open, strtol(args[0], NULL, 10), 0);

	if (fd < 0)
		return setup_failed("pidfd_open");
	return say(syscall(SYS_pidfd_send_signal, fd, (int)strtol(args[1], NULL, 10), NULL,
			   PIDFD_SIGNAL_PROCESS_GROUP));
}

/* PID SIGNAL: by a descriptor of /proc/PID, which is a pidfd to the kernel. */
static int kill_by_directory(char **args)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof path, "/proc/%s", args[0]);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return setup_failed(path);
	return say(syscall(SYS_pidfd_send_signal, fd, (int)strtol(args[1], NULL, 10), NULL, 0));
}

/* TID: the ways to hold or end the process of a thread by the thread's own number.
 * Prints those that are not refused.
 */
static int grasp_thread(char **args)
{
	const long tid = atol(args[0]);
	const struct {
		const char *name;
		long number, arguments[4];
	} tries[] = {
		{ "ptrace", SYS_ptrace, { PTRACE_SEIZE, tid } },
		{ "process_vm_writev", SYS_process_vm_writev, { tid } },
		{ "pidfd_open", SYS_pidfd_open, { tid, 0x80 /* PIDFD_THREAD */ } },
		{ "rt_sigqueueinfo", SYS_rt_sigqueueinfo, { tid, SIGKILL, (long)somewhere } },
		{ "tkill", SYS_tkill, { tid, SIGKILL } },
		{ "kill", SYS_kill, { tid, SIGKILL } },
	};

	for (size_t i = 0; i < ELEMENTS(tries); i++) {
		const long *a = tries[i].arguments;

		if (syscall(tries[i].number, a[0], a[1], a[2], a[3], 0, 0) != -1 || errno != EPERM)
			(void)printf("%s\n", tries[i].name);
	}
	return T_OK;
}

const struct deed grasp_deeds[] = {
	{ "grasp", "PID", 1, grasp },
	{ "grasp-thread", "TID", 1, grasp_thread },
	{ "kill-group", "SIGNAL", 1, kill_group },
	{ "kill-group-pidfd", "PID SIGNAL", 2, kill_group_by_pidfd },
	{ "kill-directory", "PID SIGNAL", 2, kill_by_directory },
	{ NULL, NULL, 0, NULL },
};
