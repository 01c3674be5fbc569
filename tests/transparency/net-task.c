/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Steps about who calls and what happens meanwhile: signals, clocks, processes. */
#include "tests/transparency/net.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

static volatile sig_atomic_t caught;

static void handler(int sig)
{
	(void)sig;
	caught++;
}

/* handle SIGNAL restart|norestart|default|ignore */
static int signal_of(const char *name)
{
	return strcmp(name, "pipe") == 0   ? SIGPIPE
	       : strcmp(name, "usr1") == 0 ? SIGUSR1
	       : strcmp(name, "alrm") == 0 ? SIGALRM
					   : SIGURG;
}

static void do_handle(struct probe *p, char **words)
{
	struct sigaction action = { .sa_handler = handler };

	(void)p;
	if (strcmp(words[2], "restart") == 0)
		action.sa_flags = SA_RESTART;
	else if (strcmp(words[2], "default") == 0)
		action.sa_handler = SIG_DFL;
	else if (strcmp(words[2], "ignore") == 0)
		action.sa_handler = SIG_IGN;
	(void)sigaction(signal_of(words[1]), &action, NULL);
}

/* mask SIGNAL */
static void do_mask(struct probe *p, char **words)
{
	sigset_t set;

	(void)p;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, signal_of(words[1]));
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

/* alarm MS [AGAIN-MS]: SIGALRM after that time, and again and again */
static void do_alarm(struct probe *p, char **words)
{
	long ms = number(words, 1), again = number(words, 2);
	struct itimerval timer = {
		.it_value = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 },
		.it_interval = { .tv_sec = again / 1000, .tv_usec = again % 1000 * 1000 },
	};

	(void)p;
	(void)setitimer(ITIMER_REAL, &timer, NULL);
}

static void do_caught(struct probe *p, char **words)
{
	(void)p;
	/* of a signal that comes again and again nobody knows how often */
	if (words[1])
		say(" caught=%s", caught ? "some" : "none");
	else
		say(" caught=%d", (int)caught);
}

static void do_mark(struct probe *p, char **words)
{
	(void)words;
	(void)clock_gettime(CLOCK_MONOTONIC, &p->mark);
}

/* took MIN MAX: whether so many milliseconds have gone by since the mark */
static void do_took(struct probe *p, char **words)
{
	struct timespec now;
	long ms;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (now.tv_sec - p->mark.tv_sec) * 1000 + (now.tv_nsec - p->mark.tv_nsec) / 1000000;
	if (ms < number(words, 1))
		say(" took=only-%ld-ms", ms);
	else if (ms > number(words, 2))
		say(" took=%ld-ms", ms);
	else
		say(" took=right");
}

static void do_sleep(struct probe *p, char **words)
{
	struct timespec left = { .tv_sec = number(words, 1) / 1000,
				 .tv_nsec = number(words, 1) % 1000 * 1000000 };

	(void)p;
	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

/* How a child that has the rest of the row, or a step of it, ended. */
static void await(struct probe *p, pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) != child)
		exit(2);
	if (WIFSIGNALED(status))
		say(" child=%s", sigabbrev_np(WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		say(" child=%d", WEXITSTATUS(status));
	p->leave = true;
}

/* child: the rest of the row is done by a child, which shares the sockets */
static void do_child(struct probe *p, char **words)
{
	pid_t child = fork();

	(void)words;
	if (child < 0)
		exit(2);
	if (child)
		await(p, child);
}

/* pass: the rest is done by a child to which the current socket is sent, so that all
 * it has of it is what it received
 */
static void do_pass(struct probe *p, char **words)
{
	int pair[2], *fd = &p->fds[p->current];
	char byte = 'x';
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .room = { 0 } };
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof control };
	pid_t child;

	(void)words;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		exit(2);
	child = fork();
	if (child) {
		control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
						   .cmsg_level = SOL_SOCKET,
						   .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.header), fd, sizeof *fd);
		if (sendmsg(pair[0], &m, 0) != 1)
			exit(2);
		await(p, child);
		return;
	}
	(void)close(*fd);
	if (recvmsg(pair[1], &m, MSG_CMSG_CLOEXEC) != 1)
		exit(2);
	memcpy(fd, CMSG_DATA(&control.header), sizeof *fd);
}

struct thread_work {
	struct probe *p;
	char **words;
};

static void *in_thread(void *data)
{
	const struct thread_work *work = data;

	find_step(work->words[0])->run(work->p, work->words);
	return NULL;
}

/* thread STEP...: that step alone, by another thread */
static void do_thread(struct probe *p, char **words)
{
	struct thread_work work = { p, words + 1 };
	pthread_t thread;

	if (pthread_create(&thread, NULL, in_thread, &work) != 0 || pthread_join(thread, NULL) != 0)
		exit(2);
}

static __attribute__((noreturn)) void *idle(void *data)
{
	(void)data;
	for (;;)
		(void)pause();
}

/* beside: another thread is there from here on, and shares all */
static void do_beside(struct probe *p, char **words)
{
	pthread_t thread;
	sigset_t all, before;

	(void)p, (void)words;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&thread, NULL, idle, NULL) != 0)
		exit(2);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct later_work {
	struct probe *p;
	long ms;
	char **words;
	char copy[WORDS_MAX][32];
	char *pointers[WORDS_MAX + 1];
};

static void *run_later(void *data)
{
	struct later_work *work = data;
	struct timespec time = { .tv_sec = work->ms / 1000, .tv_nsec = work->ms % 1000 * 1000000 };

	(void)nanosleep(&time, NULL);
	quiet = true; /* who is first is chance */
	find_step(work->pointers[0])->run(work->p, work->pointers);
	return NULL;
}

/* later MS STEP...: by another thread, after that time */
static void do_later(struct probe *p, char **words)
{
	static struct later_work work;
	pthread_t thread;
	sigset_t all, before;

	work.p = p;
	work.ms = number(words, 1);
	for (int i = 0; i + 2 < WORDS_MAX && words[i + 2]; i++) {
		(void)snprintf(work.copy[i], sizeof work.copy[i], "%s", words[i + 2]);
		work.pointers[i] = work.copy[i];
	}
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&thread, NULL, run_later, &work) != 0)
		exit(2);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* unshare files|net */
static void do_unshare(struct probe *p, char **words)
{
	(void)p;
	print_result("unshare",
		     unshare(strcmp(words[1], "files") == 0 ? CLONE_FILES : CLONE_NEWNET));
}

/* limit files N */
static void do_limit(struct probe *p, char **words)
{
	struct rlimit limit = { .rlim_cur = (rlim_t)number(words, 2),
				.rlim_max = (rlim_t)number(words, 2) };

	(void)p;
	(void)setrlimit(strcmp(words[1], "files") == 0 ? RLIMIT_NOFILE : RLIMIT_FSIZE, &limit);
}

/* become UID: other ids, as far as allowed */
static void do_become(struct probe *p, char **words)
{
	uid_t id = (uid_t)number(words, 1);

	(void)p;
	print_result("become", setresgid(id, id, id) == 0 ? setresuid(id, id, id) : -1);
}

const struct step task_steps[] = {
	{ "handle", do_handle },   { "mask", do_mask },
	{ "alarm", do_alarm },     { "caught", do_caught },
	{ "mark", do_mark },       { "took", do_took },
	{ "sleep", do_sleep },     { "child", do_child },
	{ "pass", do_pass },       { "thread", do_thread },
	{ "beside", do_beside },   { "later", do_later },
	{ "unshare", do_unshare }, { "limit", do_limit },
	{ "become", do_become },   { NULL, NULL },
};
