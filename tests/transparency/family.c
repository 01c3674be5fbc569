/* SPDX-License-Identifier: GPL-3.0-or-later */
/* family.c - what a parent sees of its children, what an orphan sees, and a start
 * from a process that has unusual attributes.
 */
#include "tests/lib/t-do.h"

#include <fcntl.h>
#include <linux/mempolicy.h>
#include <linux/oom.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

/* This program again, as another one: executed, not only forked. */
static pid_t start_self(const char *deed, const char *argument)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)execl("/proc/self/exe", "t-do", deed, argument, NULL);
		_exit(T_SETUP);
	}
	return pid;
}

static void put_end(const char *what, pid_t pid)
{
	siginfo_t info = { .si_pid = 0 };

	if (waitid(P_PID, (id_t)pid, &info, WEXITED) < 0)
		(void)printf("%s %s\n", what, strerrorname_np(errno));
	else
		(void)printf("%s code %d status %d uid %u own %d\n", what, info.si_code,
			     info.si_status, info.si_uid, info.si_pid == pid);
}

/* Every exit status, and a wait status of every signal, with its core flag. */
static void put_all_ends(void)
{
	char what[32], number[16];

	for (int status = 0; status < 256; status++) {
		(void)snprintf(what, sizeof what, "exit.%d", status);
		(void)snprintf(number, sizeof number, "%d", status);
		put_end(what, start_self("status", number));
	}
	for (int sig = 1; sig < _NSIG; sig++) {
		/* those that do not end a process by themselves */
		if (sig == SIGCHLD || sig == SIGCONT || sig == SIGURG || sig == SIGWINCH ||
		    sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU ||
		    (sig > SIGSYS && sig < SIGRTMIN))
			continue;
		(void)snprintf(what, sizeof what, "signal.%d", sig);
		(void)snprintf(number, sizeof number, "%d", sig);
		put_end(what, start_self("die-dumping", number));
	}
}

static int die_dumping(char **args)
{
	int sig = (int)strtol(args[0], NULL, 10);
	struct rlimit core;
	sigset_t all;

	if (getrlimit(RLIMIT_CORE, &core) == 0) {
		core.rlim_cur = core.rlim_max;
		(void)setrlimit(RLIMIT_CORE, &core);
	}
	(void)signal(sig, SIG_DFL);
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_UNBLOCK, &all, NULL);
	(void)raise(sig);
	return T_FAILED;
}

/* SIGCHLD as its handler gets it. */
static volatile sig_atomic_t children_told;
static volatile int last_code, last_status;

static void child_told(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	last_code = info->si_code;
	last_status = info->si_status;
	children_told++;
}

static void await_word(const char *what, int count, const sigset_t *other)
{
	while (children_told < count)
		(void)sigsuspend(other);
	(void)printf("told.%s number %d code %d status %d\n", what, children_told, last_code,
		     last_status);
}

static void put_wait(const char *what, pid_t pid, int options)
{
	siginfo_t info = { .si_pid = 0 };

	(void)waitid(P_PID, (id_t)pid, &info, options);
	(void)printf("waited.%s code %d status %d\n", what, info.si_code, info.si_status);
}

/* A child that stops, goes on and ends: which words the parent gets, and how often. */
static void put_stops(void)
{
	struct sigaction action = { .sa_sigaction = child_told, .sa_flags = SA_SIGINFO };
	sigset_t child, other;
	pid_t pid;

	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &child, &other);
	(void)sigaction(SIGCHLD, &action, NULL);
	pid = start_self("stop-then-end", "5");
	await_word("stopped", 1, &other);
	put_wait("stopped", pid, WSTOPPED);
	(void)kill(pid, SIGCONT);
	await_word("continued", 2, &other);
	put_wait("continued", pid, WCONTINUED);
	(void)kill(pid, SIGUSR1);
	await_word("ended", 3, &other);
	put_wait("ended", pid, WEXITED);
	(void)signal(SIGCHLD, SIG_DFL);
	(void)sigprocmask(SIG_SETMASK, &other, NULL);
}

static int stop_then_end(char **args)
{
	sigset_t last;
	int sig;

	/* its end comes when asked for: two words at once would be one */
	(void)sigemptyset(&last);
	(void)sigaddset(&last, SIGUSR1);
	(void)sigprocmask(SIG_SETMASK, &last, NULL);
	(void)raise(SIGSTOP);
	(void)sigwait(&last, &sig);
	return (int)strtol(args[0], NULL, 10);
}

/* An orphan that was executed: whose child is it? 1 = of the first process. */
static void put_orphan(void)
{
	int ends[2];
	char byte;
	pid_t pid;

	if (pipe(ends) != 0)
		return;
	pid = fork();
	if (pid == 0) {
		pid_t parent = getpid();

		if (fork() != 0)
			_exit(0);
		while (getppid() == parent)
			(void)usleep(1000);
		byte = getppid() == 1 ? '1' : '0';
		_exit(write(ends[1], &byte, 1) == 1 ? 0 : 1);
	}
	(void)close(ends[1]);
	put_end("middle", pid);
	if (read(ends[0], &byte, 1) == 1)
		(void)printf("orphan.of-init %c\n", byte);
	(void)close(ends[0]);
	errno = 0;
	(void)printf("no-children-left %s\n",
		     waitpid(-1, NULL, WNOHANG) < 0 ? strerrorname_np(errno) : "no");
}

/* What a parent can watch of a child that becomes another program. */
static void put_exec_of_child(void)
{
	int ends[2], status = -1;
	pid_t pid;
	char byte;

	/* close-on-exec tells that the exec has happened */
	if (pipe2(ends, O_CLOEXEC) != 0)
		return;
	pid = vfork();
	if (pid == 0) {
		(void)execl("/proc/self/exe", "t-do", "status", "9", NULL);
		_exit(T_SETUP);
	}
	(void)close(ends[1]);
	(void)printf("exec.closes %zd\n", read(ends[0], &byte, 1));
	(void)printf("setpgid-after-exec %s\n",
		     setpgid(pid, pid) < 0 ? strerrorname_np(errno) : "ok");
	(void)waitpid(pid, &status, 0);
	(void)printf("exec.status %x\n", status);
	(void)close(ends[0]);
}

static int probe_family(char **args)
{
	(void)args;
	put_all_ends();
	put_stops();
	put_orphan();
	put_exec_of_child();
	return T_OK;
}

/* ---- unusual attributes ---- */

static void odd_signals(void)
{
	sigset_t set;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGCHLD, SIG_IGN);
	(void)signal(SIGRTMIN + 3, SIG_IGN);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGUSR1);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGRTMIN + 1);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	/* and one that waits */
	(void)kill(getpid(), SIGUSR1);
}

static void odd_limits(void)
{
	static const struct {
		int resource;
		rlim_t soft, hard;
	} rows[] = { { RLIMIT_NOFILE, 333, 4000 },        { RLIMIT_CORE, 0, 4096 },
		     { RLIMIT_STACK, 4 << 20, 64 << 20 }, { RLIMIT_FSIZE, 1 << 30, 1 << 30 },
		     { RLIMIT_MEMLOCK, 12345, 54321 },    { RLIMIT_SIGPENDING, 700, 800 },
		     { RLIMIT_CPU, 5000, 6000 } };

	for (size_t i = 0; i < ELEMENTS(rows); i++) {
		struct rlimit limit = { rows[i].soft, rows[i].hard };

		(void)setrlimit(rows[i].resource, &limit);
	}
}

static void odd_prctl(void)
{
	(void)prctl(PR_SET_TIMERSLACK, 123456, 0, 0, 0);
	(void)prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	(void)prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGWINCH, 0, 0, 0);
	(void)prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
	(void)prctl(PR_CAPBSET_DROP, 22 /* CAP_SYS_BOOT */, 0, 0, 0);
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	(void)prctl(PR_SET_SECUREBITS, 1 << 6 /* NO_CAP_AMBIENT_RAISE */, 0, 0, 0);
}

static void odd_scheduling(void)
{
	struct sched_param none = { .sched_priority = 0 };
	struct itimerval later = { .it_value.tv_sec = 4000, .it_interval.tv_sec = 77 };
	unsigned long node = 1;
	cpu_set_t cpu;

	(void)setpriority(PRIO_PROCESS, 0, 5);
	(void)sched_setscheduler(0, SCHED_BATCH, &none);
	(void)syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 6);
	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	(void)sched_setaffinity(0, sizeof cpu, &cpu);
	(void)syscall(SYS_set_mempolicy, MPOL_PREFERRED, &node, 8);
	for (int which = ITIMER_REAL; which <= ITIMER_PROF; which++)
		(void)setitimer(which, &later, NULL);
}

/* Becomes COMMAND with every attribute that an exec keeps set to something unusual. */
static int odd_start(char **args)
{
	FILE *f = fopen("/proc/self/oom_score_adj", "we");

	if (f) {
		(void)fputs("321\n", f);
		(void)fclose(f);
	}
	f = fopen("/proc/self/coredump_filter", "we");
	if (f) {
		(void)fputs("0x11\n", f);
		(void)fclose(f);
	}
	odd_signals();
	odd_limits();
	odd_scheduling();
	odd_prctl();
	(void)umask(0137);
	(void)personality(ADDR_NO_RANDOMIZE);
	if (args[0] && strcmp(args[0], "session") == 0 && setsid() >= 0)
		args++;
	(void)execvp(args[0], args);
	return setup_failed(args[0]);
}

/* Starts COMMAND as one that is to get SIGNAL when this process ends, which it does as
 * soon as FILE is there.
 */
static int die_before(char **args)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, strtol(args[0], NULL, 10), 0, 0, 0);
		(void)execvp(args[2], args + 2);
		_exit(setup_failed(args[2]));
	}
	while (access(args[1], F_OK) != 0)
		(void)usleep(10000);
	return T_OK;
}

const struct deed family_deeds[] = {
	{ "probe-family", "", 0, probe_family },
	{ "die-dumping", "SIGNAL-NUMBER", 1, die_dumping },
	{ "stop-then-end", "STATUS", 1, stop_then_end },
	{ "die-before", "SIGNAL-NUMBER FILE COMMAND [ARG]...", 3, die_before },
	{ "odd-start", "COMMAND [ARG]...", 1, odd_start },
	{ NULL, NULL, 0, NULL },
};
