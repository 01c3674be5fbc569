/* SPDX-License-Identifier: GPL-3.0-or-later */
/* t-kernel.c - a command on a kernel that lacks something, for which a filter stands. */
#include "tests/lib/t-do.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/types.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif

/* A call fails when its argument has all bits of `value` among those of `mask`. */
struct lack {
	const char *name;
	unsigned nr, error;
	unsigned argument, mask, value; /* mask 0 = whatever the arguments are */
};

static const struct lack lacks[] = {
	{ "seccomp", SYS_seccomp, EINVAL, 0, 0, 0 },
	{ "user_notification", SYS_seccomp, EINVAL, 1, SECCOMP_FILTER_FLAG_NEW_LISTENER,
	  SECCOMP_FILTER_FLAG_NEW_LISTENER },
	{ "wait_killable", SYS_seccomp, EINVAL, 1, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
	  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV },
	{ "sync_wake_up", SYS_ioctl, EINVAL, 1, ~0U, (unsigned)SECCOMP_IOCTL_NOTIF_SET_FLAGS },
	{ "addfd", SYS_ioctl, EINVAL, 1, ~0U, (unsigned)SECCOMP_IOCTL_NOTIF_ADDFD },
	{ "ptrace", SYS_ptrace, EPERM, 0, 0, 0 },
	{ "pidfd", SYS_pidfd_open, ENOSYS, 0, 0, 0 },
	{ "pidfd_thread", SYS_pidfd_open, EINVAL, 1, ~0U, 0x80 /* PIDFD_THREAD */ },
	{ "pidfd_getfd", SYS_pidfd_getfd, ENOSYS, 0, 0, 0 },
	{ "pidfd_info", SYS_ioctl, ENOTTY, 1, 0xff00, 0xff00 /* every ioctl of a pidfd */ },
	{ "process_vm_readv", SYS_process_vm_readv, ENOSYS, 0, 0, 0 },
	{ "io_uring", SYS_io_uring_setup, ENOSYS, 0, 0, 0 },
	{ "openat2", SYS_openat2, ENOSYS, 0, 0, 0 },
	{ "set_tid", SYS_clone3, ENOSYS, 0, 0, 0 },
	{ "memfd", SYS_memfd_create, ENOSYS, 0, 0, 0 },
	{ "subreaper", SYS_prctl, EINVAL, 0, ~0U, PR_SET_CHILD_SUBREAPER },
	{ "fanotify_permission", SYS_fanotify_init, ENOSYS, 0, 0, 0 },
};

static int take_away(const struct lack *lack)
{
	struct sock_filter lines[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, lack->nr, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 (unsigned)offsetof(struct seccomp_data, args) + lack->argument * 8),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, lack->mask),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, lack->value, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | lack->error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ELEMENTS(lines), lines };

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* As on a kernel that lacks WHAT: "ptrace,io_uring". */
static int without(char **args)
{
	/* with privilege a filter takes none from the command */
	if (geteuid() != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return setup_failed("no_new_privs");
	for (char *what = strtok(args[0], ","); what; what = strtok(NULL, ",")) {
		size_t i = 0;

		while (i < ELEMENTS(lacks) && strcmp(lacks[i].name, what) != 0)
			i++;
		errno = EINVAL;
		if (i == ELEMENTS(lacks) || take_away(&lacks[i]) != 0)
			return setup_failed(what);
	}
	(void)execvp(args[1], args + 1);
	return setup_failed(args[1]);
}

const struct deed kernel_deeds[] = {
	{ "without", "WHAT COMMAND [ARG]...", 2, without },
	{ NULL, NULL, 0, NULL },
};
