/* SPDX-License-Identifier: GPL-3.0-or-later */
/* t-proc.c - signals, other processes, rare system calls, and what a process
 * can see of itself.
 */
#include "tests/lib/t-do.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

static pid_t pid_of(const char *text)
{
	return (pid_t)strtol(text, NULL, 10);
}

static int end_with_status(char **args)
{
	exit((int)strtol(args[0], NULL, 10));
}

static int end_by_signal(char **args)
{
	int sig = (int)strtol(args[0], NULL, 10);
	struct rlimit none = { 0, 0 };
	sigset_t all;

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)signal(sig, SIG_DFL);
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_UNBLOCK, &all, NULL);
	(void)raise(sig);
	return setup_failed("the signal did not end this process");
}

static int touch(char **args)
{
	return say(open(args[0], O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644));
}

static int send_signal(char **args)
{
	return say(kill(pid_of(args[0]), (int)strtol(args[1], NULL, 10)));
}

static int send_by_pidfd(char **args)
{
	int fd = (int)syscall(SYS_pidfd_open, pid_of(args[0]), 0);

	if (fd < 0)
		return say(-1);
	return say(syscall(SYS_pidfd_send_signal, fd, (int)strtol(args[1], NULL, 10), NULL, 0));
}

static int send_by_tgkill(char **args)
{
	pid_t pid = pid_of(args[0]);

	return say(syscall(SYS_tgkill, pid, pid, (int)strtol(args[1], NULL, 10)));
}

static int send_by_sigqueue(char **args)
{
	union sigval value = { .sival_int = 0 };

	return say(sigqueue(pid_of(args[0]), (int)strtol(args[1], NULL, 10), value));
}

static int trace(char **args)
{
	return say(ptrace(PTRACE_SEIZE, pid_of(args[0]), NULL, NULL));
}

/* Writes to an address that is not mapped: allowed is EFAULT, refused EPERM. */
static int write_memory(char **args)
{
	char byte = 0;
	struct iovec from = { &byte, 1 }, to = { (void *)8, 1 };

	return say(process_vm_writev(pid_of(args[0]), &from, 1, &to, 1, 0));
}

static int read_memory(char **args)
{
	char byte = 0;
	struct iovec to = { &byte, 1 }, from = { (void *)8, 1 };

	return say(process_vm_readv(pid_of(args[0]), &to, 1, &from, 1, 0));
}

static int open_memory(char **args)
{
	char path[64];

	(void)snprintf(path, sizeof path, "/proc/%s/mem", args[0]);
	return say(open(path, O_RDWR | O_CLOEXEC));
}

static int take_descriptor(char **args)
{
	int fd = (int)syscall(SYS_pidfd_open, pid_of(args[0]), 0);

	return say(fd < 0 ? -1 : syscall(SYS_pidfd_getfd, fd, 0, 0));
}

static int change_limits(char **args)
{
	struct rlimit limit = { 3, 3 };

	return say(prlimit(pid_of(args[0]), RLIMIT_NOFILE, &limit, NULL));
}

static int io_uring(char **args)
{
	char parameters[120] = { 0 };

	(void)args;
	return say(syscall(SYS_io_uring_setup, 2, parameters));
}

static int user_fault(char **args)
{
	(void)args;
	return say(syscall(SYS_userfaultfd, O_CLOEXEC));
}

static int new_listener(char **args)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { 1, &allow };

	(void)args;
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return say(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			   &program));
}

#ifdef __x86_64__
static long int80(long nr, long a, long b, long c)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(nr), "b"(a), "c"(b), "d"(c)
			 : "memory", "r8", "r9", "r10", "r11");
	if (result < 0 && result > -4096) {
		errno = (int)-result;
		return -1;
	}
	return result;
}

/* The i386 execve, by the old gate, from a 64-bit program. */
static int int80_execve(char **args)
{
	struct low {
		char path[4096];
		unsigned argv[2];
	} *low = mmap(NULL, sizeof *low, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	if (low == MAP_FAILED)
		return setup_failed("mmap");
	(void)snprintf(low->path, sizeof low->path, "%s", args[0]);
	low->argv[0] = (unsigned)(unsigned long)low->path;
	return say(int80(11, (long)low->path, (long)low->argv, 0));
}

static int int80_getpid(char **args)
{
	(void)args;
	return say(int80(20, 0, 0, 0));
}

static int x32_getpid(char **args)
{
	(void)args;
	return say(syscall(0x40000000 | SYS_getpid));
}
#endif

static char caught_log[4096];

static void catch (int sig)
{
	int saved = errno;
	int fd = open(caught_log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	const char *name = sigabbrev_np(sig);

	if (fd >= 0) {
		if (write(fd, name, strlen(name)) < 0 || write(fd, "\n", 1) < 0)
			_exit(T_SETUP);
		(void)close(fd);
	}
	errno = saved;
	if (sig == SIGUSR2)
		_exit(7);
}

/* Notes each signal in LOG; SIGUSR2 is the last one and ends with status 7. */
static int catch_signals(char **args)
{
	static const int signals[] = { SIGTERM, SIGINT,  SIGHUP,   SIGQUIT, SIGUSR1,
				       SIGUSR2, SIGCONT, SIGWINCH, SIGALRM };
	struct sigaction action = { .sa_handler = catch };
	char text[32];

	(void)snprintf(caught_log, sizeof caught_log, "%s", args[1]);
	(void)sigfillset(&action.sa_mask);
	for (size_t i = 0; i < ELEMENTS(signals); i++)
		(void)sigaction(signals[i], &action, NULL);
	(void)snprintf(text, sizeof text, "%d\n", getpid());
	if (write_file(args[0], text) != 0)
		return setup_failed(args[0]);
	for (;;)
		(void)pause();
}

/* Open descriptors, without the one that looks: number and target. */
static int list_descriptors(char **args)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	(void)args;
	if (!dir)
		return setup_failed("/proc/self/fd");
	while ((entry = readdir(dir))) {
		char target[4096] = "";

		if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(dir))
			continue;
		if (readlinkat(dirfd(dir), entry->d_name, target, sizeof target - 1) < 0)
			return setup_failed(entry->d_name);
		(void)printf("%s %s\n", entry->d_name, target);
	}
	(void)closedir(dir);
	return T_OK;
}

static void print_status_lines(void)
{
	static const char *const wanted[] = { "Umask:",        "Groups:",  "Cap",
					      "Sig",           "Shd",      "NoNewPrivs:",
					      "Cpus_allowed:", "Threads:", "TracerPid:" };
	FILE *f = fopen("/proc/self/status", "re");
	char line[4096];

	while (f && fgets(line, sizeof line, f)) {
		for (size_t i = 0; i < ELEMENTS(wanted); i++) {
			/* SigQ counts the user's other processes as well */
			if (strncmp(line, wanted[i], strlen(wanted[i])) == 0 &&
			    strncmp(line, "SigQ:", 5) != 0)
				(void)fputs(line, stdout);
		}
	}
	if (f)
		(void)fclose(f);
}

/* Everything about itself that a program can ask for and that ought to be the
 * same with and without guard (no process ids: those differ by nature).
 */
static int describe_self(char **args)
{
	int death = 0;
	char cwd[4096];

	(void)args;
	(void)printf("ids %d %d %d %d\n", getuid(), geteuid(), getgid(), getegid());
	(void)printf("leads its group %d, its session %d, in foreground %d\n",
		     getpgrp() == getpid(), getsid(0) == getpid(), tcgetpgrp(0) == getpgrp());
	(void)printf("cwd %s\n", getcwd(cwd, sizeof cwd) ? cwd : strerror(errno));
	(void)printf("nice %d personality %x dumpable %d\n", getpriority(PRIO_PROCESS, 0),
		     personality(0xffffffff), prctl(PR_GET_DUMPABLE));
	(void)prctl(PR_GET_PDEATHSIG, &death);
	(void)printf("death signal %d keepcaps %d securebits %x subreaper ", death,
		     prctl(PR_GET_KEEPCAPS), prctl(PR_GET_SECUREBITS));
	(void)prctl(PR_GET_CHILD_SUBREAPER, &death);
	(void)printf("%d\n", death);
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		struct rlimit limit;

		if (getrlimit(i, &limit) == 0)
			(void)printf("limit %d %lx %lx\n", i, (unsigned long)limit.rlim_cur,
				     (unsigned long)limit.rlim_max);
	}
	for (char **e = environ; *e; e++)
		(void)printf("env %s\n", *e);
	print_status_lines();
	return T_OK;
}

const struct deed proc_deeds[] = {
	{ "status", "N", 1, end_with_status },
	{ "die", "SIGNAL-NUMBER", 1, end_by_signal },
	{ "touch", "NEW-FILE", 1, touch },
	{ "kill", "PID SIGNAL-NUMBER", 2, send_signal },
	{ "kill-pidfd", "PID SIGNAL-NUMBER", 2, send_by_pidfd },
	{ "kill-tgkill", "PID SIGNAL-NUMBER", 2, send_by_tgkill },
	{ "kill-sigqueue", "PID SIGNAL-NUMBER", 2, send_by_sigqueue },
	{ "ptrace", "PID", 1, trace },
	{ "vm-write", "PID", 1, write_memory },
	{ "vm-read", "PID", 1, read_memory },
	{ "proc-mem", "PID", 1, open_memory },
	{ "pidfd-getfd", "PID", 1, take_descriptor },
	{ "prlimit", "PID", 1, change_limits },
	{ "io-uring", "", 0, io_uring },
	{ "userfaultfd", "", 0, user_fault },
	{ "new-listener", "", 0, new_listener },
#ifdef __x86_64__
	{ "int80-execve", "PATH", 1, int80_execve },
	{ "int80-getpid", "", 0, int80_getpid },
	{ "x32-getpid", "", 0, x32_getpid },
#endif
	{ "catch", "READY-FILE LOG", 2, catch_signals },
	{ "fds", "", 0, list_descriptors },
	{ "self", "", 0, describe_self },
	{ NULL, NULL, 0, NULL },
};
