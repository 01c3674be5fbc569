/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>

#include "base/allowlist.h"

/* What the loop, its workers and the C library under them are made of. */
static const struct allowlist_row allowed[] = {
	/* waiting */
	ALLOWLIST_CALL(epoll_wait),
	ALLOWLIST_CALL(epoll_pwait),
	ALLOWLIST_CALL(epoll_ctl),
	ALLOWLIST_CALL(poll),
	ALLOWLIST_CALL(ppoll),
	ALLOWLIST_CALL(futex),
	ALLOWLIST_CALL(clock_nanosleep),
	ALLOWLIST_CALL(nanosleep),
	ALLOWLIST_CALL(timerfd_settime),
	ALLOWLIST_CALL(restart_syscall),
	ALLOWLIST_CALL(io_uring_enter), /* of a ring that can do little, see ring.h */
	ALLOWLIST_CALL(wait4),
	ALLOWLIST_CALL(waitid),
	ALLOWLIST_CALL(sched_yield),
	/* answering, looking into the caller, tracing its exec */
	ALLOWLIST_CALL(ioctl),
	ALLOWLIST_CALL(process_vm_readv),
	ALLOWLIST_CALL(ptrace),
	ALLOWLIST_CALL(pidfd_open),
	ALLOWLIST_CALL(pidfd_getfd),
	ALLOWLIST_CALL(pidfd_send_signal),
	ALLOWLIST_CALL(kill),
	ALLOWLIST_CALL(tgkill),
	ALLOWLIST_CALL(tkill),
	ALLOWLIST_CALL(getpgid),
	ALLOWLIST_CALL(getpid),
	ALLOWLIST_CALL(gettid),
	ALLOWLIST_CALL(getuid),
	ALLOWLIST_CALL(geteuid),
	/* descriptors */
	ALLOWLIST_CALL(read),
	ALLOWLIST_CALL(pread64),
	ALLOWLIST_CALL(preadv2),
	ALLOWLIST_CALL(write),
	ALLOWLIST_CALL(close),
	ALLOWLIST_CALL(fcntl),
	ALLOWLIST_CALL(lseek),
	ALLOWLIST_CALL(readlink),
	ALLOWLIST_CALL(readlinkat),
	ALLOWLIST_CALL(statx),
	ALLOWLIST_CALL(fstat),
	ALLOWLIST_CALL(newfstatat),
	ALLOWLIST_CALL(faccessat2),
	ALLOWLIST_CALL(fstatfs),
	ALLOWLIST_CALL(statfs),
	ALLOWLIST_CALL(getdents64),
	/* connecting on the caller's socket, talking to keeper and recorder */
	ALLOWLIST_CALL(connect),
	ALLOWLIST_CALL(bind),
	ALLOWLIST_CALL(getsockopt),
	ALLOWLIST_CALL(getsockname),
	ALLOWLIST_CALL(sendmsg),
	ALLOWLIST_CALL(sendto),
	ALLOWLIST_CALL(recvmsg),
	ALLOWLIST_CALL(process_vm_writev), /* lengths that sendmmsg(2) gives back */
	/* connecting and binding AF_UNIX sockets as the caller, in its place */
	ALLOWLIST_CALL(fchdir),
	ALLOWLIST_CALL(chroot),
	ALLOWLIST_CALL(umask),
	ALLOWLIST_CALL(kcmp),
	ALLOWLIST_CALL(getegid),
	ALLOWLIST_CALL(getgroups),
	ALLOWLIST_CALL(setgroups),
	ALLOWLIST_CALL(setresuid),
	ALLOWLIST_CALL(setresgid),
	ALLOWLIST_CALL(capget),
	ALLOWLIST_CALL(capset),
	/* memory, threads, signals, the end */
	ALLOWLIST_CALL(brk),
	ALLOWLIST_CALL(mmap),
	ALLOWLIST_CALL(munmap),
	ALLOWLIST_CALL(mremap),
	ALLOWLIST_CALL(madvise),
	ALLOWLIST_CALL(mprotect),
	ALLOWLIST_CALL(set_robust_list),
	ALLOWLIST_CALL(rseq),
	ALLOWLIST_CALL(rt_sigaction),
	ALLOWLIST_CALL(rt_sigprocmask),
	ALLOWLIST_CALL(rt_sigreturn),
	ALLOWLIST_CALL(sigaltstack),
	ALLOWLIST_CALL(clock_gettime),
	ALLOWLIST_CALL(gettimeofday),
	ALLOWLIST_CALL(getrandom),
	ALLOWLIST_CALL(exit),
	ALLOWLIST_CALL(exit_group),
	/* calls that are harmless in one form only; files are read, never written or made */
	{ .number = SCMP_SYS(openat), .when = { { 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY } } },
	/* its flags are in memory; it is only used with O_PATH */
	ALLOWLIST_CALL(openat2),
	/* a change of identity may have made it dumpable */
	{ .number = SCMP_SYS(prctl),
	  .when = { { 0, UINT32_MAX, PR_SET_DUMPABLE }, { 1, UINT64_MAX, 0 } } },
	/* a thread of its own root and directory */
	{ .number = SCMP_SYS(unshare), .when = { { 0, UINT64_MAX, CLONE_FS } } },
	/* threads, not processes; clone3 hides its flags in memory, and the C library
	 * takes clone when it is not there */
	{ .number = SCMP_SYS(clone), .when = { { 0, CLONE_THREAD, CLONE_THREAD } } },
	{ .number = SCMP_SYS(clone3), .error = ENOSYS },
};

int confine_supervisor(struct err *err)
{
	int r = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;

	if (r == 0)
		r = allowlist_load(allowed, ELEMENTS(allowed));
	return r < 0 ? err_errno(err, r, "the supervisor's own filter") : 0;
}
