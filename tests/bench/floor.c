/* SPDX-License-Identifier: GPL-3.0-or-later */
/* floor - the least that a supervisor can do for a call, and nothing else: what
 * guard's figures are to be compared with on the same machine.
 *
 *	floor MODE CALL COMMAND [ARG...]	runs COMMAND, with CALL under MODE
 *	floor -l				the modes
 *	floor parts				µs of single steps, "NAME VALUE" a line
 *
 * One thread, a blocking receive, no policy, no checks, no events. It is a
 * measuring rod and protects nothing.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include "base/util.h"

/* Newer than the headers of Debian 12. */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS      SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif
enum { PIDFD_THREAD_FLAG = O_EXCL };

static pid_t command;

static void die(const char *what)
{
	fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	exit(125);
}

/* Ends when COMMAND does, with its status. To its tracer waitid(2) tells stops as well,
 * asked for or not: they are left to verify_exec().
 */
static void command_ended(int signal UNUSED)
{
	siginfo_t info = { .si_code = 0 };

	if (waitid(P_PID, (id_t)command, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	    (info.si_code == CLD_EXITED || info.si_code == CLD_KILLED ||
	     info.si_code == CLD_DUMPED))
		_exit(info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status);
}

/* ---- modes of notification ---------------------------------------------------- */

struct call {
	int listener;
	const struct seccomp_notif *n;
};

static void respond(const struct call *c, int64_t value, int error, unsigned flags)
{
	struct seccomp_notif_resp response = {
		.id = c->n->id, .val = value, .error = -error, .flags = flags
	};

	(void)ioctl(c->listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

static void go_on(const struct call *c)
{
	respond(c, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
}

static void answer(const struct call *c)
{
	respond(c, 0, ESRCH, 0);
}

static ssize_t read_from(const struct call *c, uint64_t address, void *buf, size_t size)
{
	struct iovec local = { buf, size }, remote = { (void *)(uintptr_t)address, size };

	return process_vm_readv((pid_t)c->n->pid, &local, 1, &remote, 1, 0);
}

static bool valid(const struct call *c)
{
	return ioctl(c->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &c->n->id) == 0;
}

/* Something of the caller's memory: the stack of this program's own parent call is
 * as good as any, for getppid has no pointer.
 */
static void read_memory(const struct call *c)
{
	char buf[256];

	(void)read_from(c, c->n->data.args[0], buf, sizeof buf);
	if (valid(c))
		go_on(c);
}

/* Of a process that is known already nothing is opened. */
static int duplicate(const struct call *c)
{
	static struct {
		unsigned pid;
		int pidfd;
	} last = { .pidfd = -1 };

	if (c->n->pid != last.pid) {
		if (last.pidfd >= 0)
			(void)close(last.pidfd);
		last.pidfd = (int)syscall(SYS_pidfd_open, c->n->pid, PIDFD_THREAD_FLAG);
		if (last.pidfd < 0 && errno == EINVAL)
			last.pidfd = (int)syscall(SYS_pidfd_open, c->n->pid, 0);
		last.pid = c->n->pid;
	}
	return (int)syscall(SYS_pidfd_getfd, last.pidfd, (int)c->n->data.args[0], 0);
}

static void connect_on_behalf(const struct call *c)
{
	struct sockaddr_storage address;
	socklen_t size = (socklen_t)MIN(c->n->data.args[2], sizeof address);
	int fd, error;

	(void)read_from(c, c->n->data.args[1], &address, size);
	fd = duplicate(c);
	if (valid(c)) {
		error = connect(fd, (struct sockaddr *)&address, size) < 0 ? errno : 0;
		respond(c, 0, error, 0);
	}
	(void)close(fd);
}

/* One address, one piece of data. */
static void send_on_behalf(const struct call *c)
{
	struct sockaddr_storage address;
	char data[2048];
	struct iovec iov;
	struct msghdr message;
	ssize_t n;
	int fd;

	(void)read_from(c, c->n->data.args[1], &message, sizeof message);
	(void)read_from(c, (uintptr_t)message.msg_iov, &iov, sizeof iov);
	iov.iov_len = MIN(iov.iov_len, sizeof data);
	message.msg_namelen = MIN(message.msg_namelen, (socklen_t)sizeof address);
	(void)read_from(c, (uintptr_t)message.msg_name, &address, message.msg_namelen);
	(void)read_from(c, (uintptr_t)iov.iov_base, data, iov.iov_len);
	fd = duplicate(c);
	iov.iov_base = data;
	message = (struct msghdr){ .msg_name = message.msg_name ? &address : NULL,
				   .msg_namelen = message.msg_namelen,
				   .msg_iov = &iov,
				   .msg_iovlen = 1 };
	if (valid(c)) {
		n = sendmsg(fd, &message, (int)c->n->data.args[2]);
		respond(c, n < 0 ? 0 : n, n < 0 ? errno : 0, 0);
	}
	(void)close(fd);
}

/* What has been executed, at the stop that follows: the new stack. */
static void read_stack(pid_t pid)
{
	char stack[16 * 1024];
	struct iovec local = { stack, sizeof stack }, remote = { .iov_len = sizeof stack };
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) <= 0)
		return;
	remote.iov_base = (void *)(uintptr_t)info.stack_pointer;
	(void)process_vm_readv(pid, &local, 1, &remote, 1, 0);
}

/* A tracer for one exec: seized, one stop, the new stack read, detached. */
static void verify_exec(const struct call *c)
{
	pid_t tid = (pid_t)c->n->pid;
	int status;

	if (ptrace(PTRACE_SEIZE, tid, 0L, PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL) < 0 ||
	    ptrace(PTRACE_INTERRUPT, tid, 0L, 0L) < 0)
		die("PTRACE_SEIZE");
	go_on(c);
	/* of a thread that was not the first the stop comes under another number; the
	 * programs measured here have one */
	while (waitpid(tid, &status, __WALL) < 0) {
		if (errno != EINTR)
			return;
	}
	if (!WIFSTOPPED(status))
		return;
	if (status >> 16 == PTRACE_EVENT_EXEC)
		read_stack(tid);
	(void)ptrace(PTRACE_DETACH, tid, 0L, 0L);
}

static const struct mode {
	const char *name;
	void (*serve)(const struct call *c); /* NULL: nobody is asked */
	unsigned action;                     /* of the filter */
	const char *what;
} modes[] = {
	{ "filter", NULL, SECCOMP_RET_ALLOW, "a filter that knows the call, nobody asked" },
	{ "continue", go_on, SECCOMP_RET_USER_NOTIF, "notify, CONTINUE" },
	{ "answer", answer, SECCOMP_RET_USER_NOTIF, "notify, a verdict by registers" },
	{ "read", read_memory, SECCOMP_RET_USER_NOTIF,
	  "notify, process_vm_readv of 256 bytes, ID_VALID, CONTINUE" },
	{ "connect", connect_on_behalf, SECCOMP_RET_USER_NOTIF, "pidfd_getfd, connect on behalf" },
	{ "send", send_on_behalf, SECCOMP_RET_USER_NOTIF, "pidfd_getfd, sendmsg on behalf" },
	{ "verify", verify_exec, SECCOMP_RET_USER_NOTIF, "seize, CONTINUE, exec stop, detach" },
	{ "ptrace", NULL, SECCOMP_RET_TRACE, "a tracer that stays, as of strace" },
};

static const struct {
	const char *name;
	int number;
} calls[] = {
	{ "getppid", SYS_getppid }, { "kill", SYS_kill },       { "connect", SYS_connect },
	{ "execve", SYS_execve },   { "sendmsg", SYS_sendmsg },
};

/* ---- start ---------------------------------------------------------------------- */

/* The listener, -1 when nobody is to be asked. */
static int load_filter(int number, unsigned action)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = ELEMENTS(code), .filter = code };
	bool listens = action == SECCOMP_RET_USER_NOTIF;
	unsigned long flags =
		listens ? SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
			: 0;
	long fd;

	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	if (fd < 0 && errno == EINVAL && listens)
		fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			     &program);
	if (fd < 0)
		die("seccomp");
	return listens ? (int)fd : -1;
}

/* The child loads the filter, says the number of its listener, waits for a word. */
static int start(const struct mode *mode, int number, char **argv, int *ret_go)
{
	int said[2], go[2], fd, pidfd;
	char word;

	if (pipe2(said, O_CLOEXEC) < 0 || pipe2(go, O_CLOEXEC) < 0)
		die("pipe");
	command = fork();
	if (command < 0)
		die("fork");
	if (command == 0) {
		fd = load_filter(number, mode->action);
		if (write(said[1], &fd, sizeof fd) != sizeof fd || read(go[0], &word, 1) != 1)
			_exit(125);
		(void)close(fd);
		(void)execvp(argv[0], argv);
		die(argv[0]);
	}
	if (read(said[0], &fd, sizeof fd) != sizeof fd)
		die("the child has not begun");
	*ret_go = go[1];
	if (fd < 0)
		return -1;
	pidfd = (int)syscall(SYS_pidfd_open, command, 0);
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	if (fd < 0)
		die("pidfd_getfd");
	(void)close(pidfd);
	(void)ioctl(fd, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	return fd;
}

static void serve(const struct mode *mode, int listener)
{
	struct pollfd hangup = { .fd = listener };

	for (;;) {
		struct seccomp_notif n = { .id = 0 };
		struct call c = { listener, &n };

		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &n) == 0)
			mode->serve(&c);
		else if (poll(&hangup, 1, 0) > 0 && hangup.revents & POLLHUP)
			break;
	}
	/* the last one has let go: the signal comes */
	for (;;)
		(void)pause();
}

/* ---- a tracer that stays ----------------------------------------------------------- */

enum {
	TRACE_ALL = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEFORK |
		    PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL
};

static void at_stop(pid_t pid, int status)
{
	unsigned event = (unsigned)status >> 16, signal = WSTOPSIG(status);
	struct __ptrace_syscall_info info;
	char buf[256];
	struct iovec local = { buf, sizeof buf }, remote = { .iov_len = sizeof buf };

	if (event == PTRACE_EVENT_SECCOMP &&
	    ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) > 0) {
		remote.iov_base = (void *)(uintptr_t)info.seccomp.args[0];
		(void)process_vm_readv(pid, &local, 1, &remote, 1, 0);
	}
	if (event == PTRACE_EVENT_EXEC)
		read_stack(pid);
	if (event == PTRACE_EVENT_STOP && (signal == SIGSTOP || signal == SIGTSTP))
		(void)ptrace(PTRACE_LISTEN, pid, 0L, 0L);
	else
		(void)ptrace(PTRACE_CONT, pid, 0L, (long)(event ? 0 : signal));
}

static int trace(int go)
{
	int status;
	pid_t pid;

	if (ptrace(PTRACE_SEIZE, command, 0L, (long)TRACE_ALL) < 0)
		die("PTRACE_SEIZE");
	if (write(go, "", 1) != 1)
		die("pipe");
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (WIFSTOPPED(status))
			at_stop(pid, status);
		else if (pid == command)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	return 125;
}

/* ---- single steps --------------------------------------------------------------- */

/* Of a child that sleeps, as a supervisor does them. */
static struct {
	pid_t pid;
	int pidfd, memory;
	char *address;
} subject;

static void read_path(const char *name)
{
	char path[64], text[4096];
	int fd;

	(void)snprintf(path, sizeof path, "/proc/%d/%s", subject.pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof text) < 0)
		die(path);
	(void)close(fd);
}

static void step_stat(void)
{
	read_path("stat");
}

static void step_status(void)
{
	read_path("status");
}

static void step_auxv(void)
{
	read_path("auxv");
}

static void step_exe(void)
{
	struct stat st;
	char path[64];

	(void)snprintf(path, sizeof path, "/proc/%d/exe", subject.pid);
	if (stat(path, &st) < 0)
		die(path);
}

static void step_readv(void)
{
	char buf[256];
	struct iovec local = { buf, sizeof buf }, remote = { subject.address, sizeof buf };

	if (process_vm_readv(subject.pid, &local, 1, &remote, 1, 0) < 0)
		die("process_vm_readv");
}

static void step_memory(void)
{
	char buf[256];

	if (pread(subject.memory, buf, sizeof buf, (off_t)(uintptr_t)subject.address) < 0)
		die("pread of memory");
}

static void step_pidfd(void)
{
	(void)close((int)syscall(SYS_pidfd_open, subject.pid, PIDFD_THREAD_FLAG));
}

static void step_getfd(void)
{
	(void)close((int)syscall(SYS_pidfd_getfd, subject.pidfd, 0, 0));
}

static void step_alive(void)
{
	(void)syscall(SYS_pidfd_send_signal, subject.pidfd, 0, NULL, 0);
}

/* What a tracer costs for an exec, but for the stop itself. */
static void step_seize(void)
{
	int status;

	if (ptrace(PTRACE_SEIZE, subject.pid, 0L, 0L) < 0 ||
	    ptrace(PTRACE_INTERRUPT, subject.pid, 0L, 0L) < 0 ||
	    waitpid(subject.pid, &status, __WALL) < 0 ||
	    ptrace(PTRACE_DETACH, subject.pid, 0L, 0L) < 0)
		die("PTRACE_SEIZE");
}

static const struct {
	const char *name;
	void (*step)(void);
} parts[] = {
	{ "process_vm_readv-256", step_readv },
	{ "pread-mem-256", step_memory },
	{ "pidfd_open-close", step_pidfd },
	{ "pidfd_getfd-close", step_getfd },
	{ "pidfd_send_signal-0", step_alive },
	{ "proc-stat", step_stat },
	{ "proc-status", step_status },
	{ "proc-auxv", step_auxv },
	{ "stat-exe", step_exe },
	{ "seize-interrupt-wait-detach", step_seize },
};

static double now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median_us(void (*step)(void))
{
	enum { BATCHES = 31, BATCH = 100 };
	double batches[BATCHES];

	for (unsigned i = 0; i < BATCHES; i++) {
		double start = now_us();

		for (unsigned k = 0; k < BATCH; k++)
			step();
		batches[i] = (now_us() - start) / BATCH;
	}
	qsort(batches, BATCHES, sizeof *batches, compare);
	return batches[BATCHES / 2];
}

static int measure_parts(void)
{
	static char memory[256];
	char path[64];

	subject.address = memory;
	subject.pid = fork();
	if (subject.pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		for (;;)
			(void)pause();
	}
	subject.pidfd = (int)syscall(SYS_pidfd_open, subject.pid, 0);
	(void)snprintf(path, sizeof path, "/proc/%d/mem", subject.pid);
	subject.memory = open(path, O_RDONLY | O_CLOEXEC);
	if (subject.pid < 0 || subject.pidfd < 0 || subject.memory < 0)
		die("the process to look at");
	for (size_t i = 0; i < ELEMENTS(parts); i++)
		printf("%s %.2f\n", parts[i].name, median_us(parts[i].step));
	(void)kill(subject.pid, SIGKILL);
	return 0;
}

static int usage(void)
{
	fprintf(stderr, "usage: floor MODE CALL COMMAND [ARG...], floor -l, floor parts\n");
	return 125;
}

static int run(const struct mode *mode, int number, char **argv)
{
	struct sigaction action = { .sa_handler = command_ended };
	int go, listener;

	listener = start(mode, number, argv, &go);
	if (mode->action == SECCOMP_RET_TRACE)
		return trace(go);
	(void)sigaction(SIGCHLD, &action, NULL);
	if (write(go, "", 1) != 1)
		die("pipe");
	if (listener >= 0)
		serve(mode, listener);
	for (;;)
		(void)pause();
}

int main(int argc, char **argv)
{
	if (argc == 2 && streq(argv[1], "-l")) {
		for (size_t i = 0; i < ELEMENTS(modes); i++)
			printf("%-10s %s\n", modes[i].name, modes[i].what);
		return 0;
	}
	if (argc == 2 && streq(argv[1], "parts"))
		return measure_parts();
	for (size_t i = 0; argc >= 4 && i < ELEMENTS(modes) * ELEMENTS(calls); i++) {
		const struct mode *mode = &modes[i / ELEMENTS(calls)];
		size_t call = i % ELEMENTS(calls);

		if (streq(argv[1], mode->name) && streq(argv[2], calls[call].name))
			return run(mode, calls[call].number, argv + 3);
	}
	return usage();
}
