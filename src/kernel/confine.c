/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>

/* What the loop, its workers and the C library under them are made of. */
static const char *const allowed[] = {
	/* waiting */
	"epoll_wait",
	"epoll_pwait",
	"epoll_ctl",
	"poll",
	"ppoll",
	"futex",
	"clock_nanosleep",
	"nanosleep",
	"timerfd_settime",
	"restart_syscall",
	"io_uring_enter", /* of a ring that can do little, see ring.h */
	"wait4",
	"waitid",
	"sched_yield",
	/* answering, looking into the caller, tracing its exec */
	"ioctl",
	"process_vm_readv",
	"ptrace",
	"pidfd_open",
	"pidfd_getfd",
	"pidfd_send_signal",
	"kill",
	"tgkill",
	"tkill",
	"getpgid",
	"getpid",
	"gettid",
	"getuid",
	"geteuid",
	/* descriptors */
	"read",
	"pread64",
	"preadv2",
	"write",
	"close",
	"fcntl",
	"lseek",
	"readlink",
	"readlinkat",
	"statx",
	"fstat",
	"newfstatat",
	"faccessat2",
	"fstatfs",
	"statfs",
	"getdents64",
	/* connecting on the caller's socket, talking to keeper and recorder */
	"connect",
	"bind",
	"getsockopt",
	"getsockname",
	"sendmsg",
	"sendto",
	"recvmsg",
	"process_vm_writev", /* lengths that sendmmsg(2) gives back */
	/* connecting and binding AF_UNIX sockets as the caller, in its place */
	"fchdir",
	"chroot",
	"umask",
	"kcmp",
	"getegid",
	"getgroups",
	"setgroups",
	"setresuid",
	"setresgid",
	"capget",
	"capset",
	/* memory, threads, signals, the end */
	"brk",
	"mmap",
	"munmap",
	"mremap",
	"madvise",
	"mprotect",
	"set_robust_list",
	"rseq",
	"rt_sigaction",
	"rt_sigprocmask",
	"rt_sigreturn",
	"sigaltstack",
	"clock_gettime",
	"gettimeofday",
	"getrandom",
	"exit",
	"exit_group",
};

static int allow_names(scmp_filter_ctx filter)
{
	for (size_t i = 0; i < ELEMENTS(allowed); i++) {
		int number = seccomp_syscall_resolve_name(allowed[i]);
		int r;

		/* negative: this architecture does it by another call */
		if (number < 0)
			continue;
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Calls that are harmless in one form only. */
static int allow_forms(scmp_filter_ctx filter)
{
	int r;

	/* files are read, never written or made */
	r = seccomp_rule_add(
		filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
		SCMP_A2_32(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));
	/* its flags are in memory; it is only used with O_PATH */
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat2), 0);
	/* a change of identity may have made it dumpable */
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 2,
				     SCMP_A0(SCMP_CMP_EQ, PR_SET_DUMPABLE, 0),
				     SCMP_A1(SCMP_CMP_EQ, 0, 0));
	/* a thread of its own root and directory */
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(unshare), 1,
				     SCMP_A0(SCMP_CMP_EQ, CLONE_FS, 0));
	/* threads, not processes; clone3 hides its flags in memory, and the C library
	 * takes clone when it is not there */
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				     SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	return r;
}

int confine_supervisor(struct err *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r;

	if (!filter)
		return err_set(err, -ENOMEM, "out of memory");
	r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 1);
	if (r == 0)
		/* a search, not a chain: the kernel tries every number while loading */
		r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r == 0)
		r = allow_names(filter);
	if (r == 0)
		r = allow_forms(filter);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r < 0 ? err_errno(err, r, "the supervisor's own filter") : 0;
}
