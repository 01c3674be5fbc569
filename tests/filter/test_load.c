/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Filters in the kernel: it accepts every variant, and what it then refuses is
 * what the same call does not refuse without the filter (the control arm).
 */
#include "config.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../unit/rows.h"
#include "variants.h"

/* A page that a forked child writes its findings to: it may be unable to make
 * any system call when it has them.
 */
static int *shared_page(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	cr_assert_neq(page, MAP_FAILED);
	return page;
}

/* A child may not even be able to exit: a trap needs no system call. */
static _Noreturn void end_without_call(void)
{
	for (;;)
		__builtin_trap();
}

static void no_core(void)
{
	(void)setrlimit(RLIMIT_CORE, &(const struct rlimit){ 0 });
	(void)signal(SIGILL, SIG_DFL);
}

static void reap(pid_t pid)
{
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
}

ROWS_TEST(load, kernel_accepts, filter_variants)
{
	int *result = shared_page();
	struct filter_request request;
	struct sock_fprog program;
	pid_t pid;

	variant_request(r, &request);
	cr_assert_eq(filter_build(&request, r->native, &program), 0);
	*result = 1;
	pid = fork();
	if (pid == 0) {
		no_core();
		(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		*result = filter_load(&program, 0);
		end_without_call();
	}
	reap(pid);
	cr_expect_eq(*result, 0, "%s: %s", r->name, strerror(-*result));
	filter_done(&program);
}

/* ---- what a call says with and without the filter ---- */

/* Filled by the parent before the fork. */
struct targets {
	pid_t guard; /* stands for guard's process: a sleeping child in its own group */
	int fd;      /* some open descriptor */
};

static int raw(long result)
{
	return result < 0 ? errno : 0;
}

static uint64_t with_junk(pid_t pid)
{
	return 0xdeadbeef00000000ull | (uint32_t)pid;
}

static int do_io_uring_setup(const struct targets *t)
{
	(void)t;
	return raw(syscall(SYS_io_uring_setup, 0, NULL));
}
static int do_io_uring_enter(const struct targets *t)
{
	return raw(syscall(SYS_io_uring_enter, t->fd, 0, 0, 0, NULL, 0));
}
static int do_io_uring_register(const struct targets *t)
{
	return raw(syscall(SYS_io_uring_register, t->fd, 0, NULL, 0));
}
static int do_userfaultfd(const struct targets *t)
{
	(void)t;
	return raw(syscall(SYS_userfaultfd, 0x7fffffff));
}
static int do_kill(const struct targets *t)
{
	return raw(syscall(SYS_kill, t->guard, 0));
}
static int do_kill_junk(const struct targets *t)
{
	return raw(syscall(SYS_kill, with_junk(t->guard), 0));
}
static int do_kill_group(const struct targets *t)
{
	return raw(syscall(SYS_kill, -t->guard, 0));
}
static int do_tgkill(const struct targets *t)
{
	return raw(syscall(SYS_tgkill, t->guard, t->guard, 0));
}
static int do_tkill(const struct targets *t)
{
	return raw(syscall(SYS_tkill, t->guard, 0));
}
static int do_sigqueue(const struct targets *t)
{
	siginfo_t info = { .si_code = SI_QUEUE };

	return raw(syscall(SYS_rt_sigqueueinfo, t->guard, 0, &info));
}
static int do_ptrace(const struct targets *t)
{
	return raw(syscall(SYS_ptrace, PTRACE_CONT, with_junk(t->guard), 0, 0));
}
static int do_vm_read(const struct targets *t)
{
	return raw(syscall(SYS_process_vm_readv, t->guard, NULL, 0, NULL, 0, 0));
}
static int do_pidfd_open(const struct targets *t)
{
	return raw(syscall(SYS_pidfd_open, t->guard, 0));
}
static int do_prlimit(const struct targets *t)
{
	struct rlimit limit;

	return raw(syscall(SYS_prlimit64, t->guard, RLIMIT_NOFILE, NULL, &limit));
}
static int do_affinity(const struct targets *t)
{
	cpu_set_t all;

	memset(&all, 0xff, sizeof(all));
	return raw(syscall(SYS_sched_setaffinity, t->guard, sizeof(all), &all));
}
static int do_priority(const struct targets *t)
{
	return raw(syscall(SYS_setpriority, PRIO_PROCESS, t->guard, 0));
}
static int do_setsig(const struct targets *t)
{
	return raw(fcntl(t->fd, F_SETSIG, SIGKILL));
}
static int do_setsig_io(const struct targets *t)
{
	return raw(fcntl(t->fd, F_SETSIG, SIGIO));
}
static int do_newest(const struct targets *t)
{
	(void)t;
	return raw(syscall(SYSCALL_NUMBER_MAX + 1, 0, 0, 0));
}
static int do_getpid(const struct targets *t)
{
	(void)t;
	return raw(syscall(SYS_getpid));
}
/* Nothing but the address decides, and it has no bit in its low half. */
static int do_sendto_at_4_gib(const struct targets *t)
{
	/* the sanitizers have some of these places */
	for (int bit = 32; bit < 47; bit++) {
		void *place = (void *)(1ull << bit);
		void *page = mmap(place, 4096, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

		if (page == place)
			return raw(syscall(SYS_sendto, t->fd, "", 0, 0, page, 16));
	}
	return EEXIST;
}
static int do_sendto_connected(const struct targets *t)
{
	return raw(syscall(SYS_sendto, t->fd, "", 0, 0, NULL, 0));
}
static int do_connect(const struct targets *t)
{
	return raw(syscall(SYS_connect, t->fd, NULL, 0));
}
static int do_execve(const struct targets *t)
{
	(void)t;
	return raw(syscall(SYS_execve, "", NULL, NULL));
}
static int do_execveat(const struct targets *t)
{
	(void)t;
	return raw(syscall(SYS_execveat, -1, "", NULL, NULL, 0));
}
/* a group that cannot exist */
static int do_kill_no_group(const struct targets *t)
{
	(void)t;
	return raw(syscall(SYS_kill, 0xffffffff00000000ull | (uint32_t) - (1 << 30), SIGKILL));
}
static int do_terminate_no_group(const struct targets *t)
{
	(void)t;
	return raw(syscall(SYS_kill, -(1 << 30), SIGTERM));
}
static int do_pidfd_kill(const struct targets *t)
{
	return raw(syscall(SYS_pidfd_send_signal, t->fd, SIGKILL, NULL, 0));
}
#ifdef __x86_64__
static int int80(long nr, long a, long b, long c)
{
	long result = nr;

	__asm__ volatile("int $0x80"
			 : "+a"(result)
			 : "b"(a), "c"(b), "d"(c)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)result < 0 ? -(int)result : 0;
}
static int do_int80_getpid(const struct targets *t)
{
	(void)t;
	return int80(20, 0, 0, 0);
}
static int do_int80_execve(const struct targets *t)
{
	(void)t;
	return int80(11, 8, 0, 0);
}
static int do_int80_socketcall_connect(const struct targets *t)
{
	(void)t;
	return int80(102, 3, 8, 0);
}
static int do_int80_socketcall_listen(const struct targets *t)
{
	(void)t;
	return int80(102, 4, 8, 0);
}
static int do_int80_kill(const struct targets *t)
{
	return int80(37, t->guard, 0, 0);
}
static int do_x32(const struct targets *t)
{
	(void)t;
	return raw(syscall(SYSCALL_X32_BIT | SYS_getpid));
}
#endif

struct call_row {
	const char *what;
	int (*call)(const struct targets *t);
	int native;     /* errno without the filter; -1 = anything */
	int filtered;   /* nobody has the listener here, so that ENOSYS also says "notified" */
	bool translate; /* foreign_abi = translate */
};

static const struct call_row calls[] = {
	{ "io_uring_setup", do_io_uring_setup, -1, ENOSYS },
	{ "io_uring_enter", do_io_uring_enter, -1, ENOSYS },
	{ "io_uring_register", do_io_uring_register, -1, ENOSYS },
	{ "userfaultfd", do_userfaultfd, EINVAL, ENOSYS },
	{ "kill", do_kill, 0, EPERM },
	{ "kill with junk", do_kill_junk, 0, EPERM },
	{ "kill a group", do_kill_group, 0, EPERM },
	{ "tgkill", do_tgkill, 0, EPERM },
	{ "tkill", do_tkill, 0, EPERM },
	{ "rt_sigqueueinfo", do_sigqueue, 0, EPERM },
	{ "ptrace", do_ptrace, ESRCH, EPERM },
	{ "process_vm_readv", do_vm_read, 0, EPERM },
	{ "pidfd_open", do_pidfd_open, 0, EPERM },
	{ "prlimit64", do_prlimit, 0, EPERM },
	{ "sched_setaffinity", do_affinity, 0, EPERM },
	{ "setpriority", do_priority, 0, EPERM },
	{ "F_SETSIG SIGKILL", do_setsig, 0, EPERM },
	{ "F_SETSIG SIGIO", do_setsig_io, 0, 0 },
	{ "newer than guard", do_newest, -1, ENOSYS },
	{ "getpid", do_getpid, 0, 0 },
	{ "sendto at 4 GiB", do_sendto_at_4_gib, ENOTSOCK, ENOSYS },
	{ "sendto, connected", do_sendto_connected, ENOTSOCK, ENOTSOCK },
	{ "connect", do_connect, ENOTSOCK, ENOSYS },
	{ "execve", do_execve, ENOENT, ENOSYS },
	{ "execveat", do_execveat, ENOENT, ENOSYS },
	{ "kill no group", do_kill_no_group, ESRCH, ENOSYS },
	{ "terminate no group", do_terminate_no_group, ESRCH, ESRCH },
	{ "pidfd_send_signal", do_pidfd_kill, EBADF, ENOSYS },
#ifdef __x86_64__
	{ "int 0x80 getpid", do_int80_getpid, -1, ENOSYS },
	{ "int 0x80 getpid", do_int80_getpid, -1, 0, .translate = true },
	{ "int 0x80 execve", do_int80_execve, EFAULT, ENOSYS, .translate = true },
	{ "int 0x80 connect", do_int80_socketcall_connect, EFAULT, ENOSYS, .translate = true },
	{ "int 0x80 listen", do_int80_socketcall_listen, EFAULT, EFAULT, .translate = true },
	{ "int 0x80 kill", do_int80_kill, 0, EPERM, .translate = true },
	{ "x32", do_x32, -1, ENOSYS },
	{ "x32", do_x32, -1, ENOSYS, .translate = true },
#endif
};

static int call_in_child(const struct call_row *row, const struct targets *targets,
			 const struct sock_fprog *program)
{
	int *result = shared_page();
	pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (pid == 0) {
		(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		*result = program ? filter_load(program, 0) : 0;
		if (*result == 0)
			*result = row->call(targets);
		_exit(0);
	}
	reap(pid);
	return *result;
}

/* A process in a group of its own that waits for the end of its parent. */
static pid_t start_stand_in(void)
{
	int ends[2];
	pid_t pid;

	cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		struct pollfd end = { .fd = ends[0] };

		(void)setpgid(0, 0);
		(void)close(ends[1]);
		(void)poll(&end, 1, -1);
		_exit(0);
	}
	(void)setpgid(pid, pid);
	(void)close(ends[0]);
	return pid;
}

ROWS_TEST(load, refused_only_with_the_filter, calls)
{
	_cleanup_close_ int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct targets targets = { .guard = start_stand_in(), .fd = fd };
	struct filter_request request;
	struct sock_fprog program;
	int native, filtered;

	filter_request_init(&request);
	request.foreign = r->translate ? FILTER_FOREIGN_TRANSLATE : FILTER_FOREIGN_REFUSE;
	filter_request_event(&request, EVENT_EXEC);
	filter_request_event(&request, EVENT_CONNECT);
	filter_request_syscall(&request, SYSCALL_kill);
	filter_request_syscall(&request, SYSCALL_pidfd_send_signal);
	cr_assert_eq(filter_request_protect(&request, targets.guard, true), 0);
	cr_assert_eq(filter_build(&request, SYSCALL_ABI_NATIVE, &program), 0);

	native = call_in_child(r, &targets, NULL);
	filtered = call_in_child(r, &targets, &program);
	if (r->native >= 0)
		cr_expect_eq(native, r->native, "%s natively: %s", r->what, strerror(native));
	cr_expect_eq(filtered, r->filtered, "%s filtered: %s", r->what, strerror(filtered));
	(void)kill(targets.guard, SIGKILL);
	reap(targets.guard);
	filter_done(&program);
}

/* ---- the listener ---- */

Test(load, listener_is_private_and_there_is_only_one)
{
	int *result = shared_page();
	struct filter_request request;
	struct sock_fprog program;
	pid_t pid;

	filter_request_init(&request);
	filter_request_syscall(&request, SYSCALL_execve);
	cr_assert_eq(filter_build(&request, SYSCALL_ABI_NATIVE, &program), 0);
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		result[0] = filter_load(&program, filter_best_flags());
		result[1] = fcntl(result[0], F_GETFD);
		result[2] = filter_load(&program, filter_best_flags());
		_exit(0);
	}
	reap(pid);
	cr_expect_geq(result[0], 0, "%s", strerror(-result[0]));
	cr_expect_eq(result[1], FD_CLOEXEC);
	cr_expect_eq(result[2], -EBUSY);
	filter_done(&program);
}

Test(load, says_why_not)
{
	static struct sock_filter nothing[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0) };
	const struct sock_fprog program = { ELEMENTS(nothing), nothing };

	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	cr_expect_eq(filter_load(&program, 0), -EINVAL);
	cr_expect_eq(filter_load(NULL, 0), -EFAULT);
	cr_expect_eq(filter_load(&program, 1u << 30), -EINVAL);
}
