/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lineage.c - who am I? Processes that guard meets late, or that have lost what one
 * would know them by. Each connects in the end: prints "ok" or "errno NAME".
 */
#include "tests/lib/t-do.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static int connect_to(const char *port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_port = htons((uint16_t)atoi(port)),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? setup_failed("socket")
		      : say(connect(fd, (struct sockaddr *)&addr, sizeof addr));
}

/* Waits until the parent is dead, connects, leaves a word in FILE. */
static void orphan_main(pid_t parent, const char *port, const char *file)
{
	while (getppid() == parent)
		(void)usleep(1000);
	(void)!freopen("/dev/null", "r", stdin);
	(void)write_file(file, connect_to(port) == T_OK ? "ok\n" : "refused\n");
	_exit(0);
}

/* PORT FILE: two forks, the middle one is dead when the last one connects. */
static int as_orphan(char **args)
{
	pid_t middle = fork();

	if (middle == 0) {
		pid_t self = getpid();

		if (fork() == 0)
			orphan_main(self, args[0], args[1]);
		_exit(0);
	}
	return middle < 0 ? setup_failed("fork") : say_child(middle);
}

/* PORT FILE PROGRAM [ARG]...: a child connects after its parent has become PROGRAM. */
static int as_child_of_another(char **args)
{
	int ready[2];
	char byte;

	if (pipe(ready) < 0)
		return setup_failed("pipe");
	if (fork() == 0) {
		(void)close(ready[1]);
		/* close-on-exec: the end of file comes with the parent's exec */
		(void)!read(ready[0], &byte, 1);
		(void)write_file(args[1], connect_to(args[0]) == T_OK ? "ok\n" : "refused\n");
		_exit(0);
	}
	(void)close(ready[0]);
	(void)fcntl(ready[1], F_SETFD, FD_CLOEXEC);
	(void)execv(args[2], args + 2);
	return setup_failed("execv");
}

struct thread {
	const char *port;
	uid_t euid;
	int status;
};

static void *connect_late(void *data)
{
	struct thread *t = data;

	/* until the leader is a zombie: it has no program, no memory, no arguments */
	(void)usleep(200000);
	t->status = connect_to(t->port);
	exit(t->status);
}

/* PORT: the leader ends, another thread of the process connects. */
static int without_leader(char **args)
{
	static struct thread t;
	pthread_t thread;

	t.port = args[0];
	if (pthread_create(&thread, NULL, connect_late, &t))
		return setup_failed("pthread_create");
	pthread_exit(NULL);
}

static void *connect_as(void *data)
{
	struct thread *t = data;

	if (syscall(SYS_setresuid, -1, t->euid, -1) < 0)
		t->status = setup_failed("setresuid");
	else
		t->status = connect_to(t->port);
	return NULL;
}

/* PORT UID: one thread alone changes its effective user and connects. */
static int as_thread_with_euid(char **args)
{
	struct thread t = { .port = args[0], .euid = (uid_t)atoi(args[1]) };
	pthread_t thread;

	if (pthread_create(&thread, NULL, connect_as, &t) || pthread_join(thread, NULL))
		return setup_failed("pthread");
	return t.status;
}

/* SIZE PROGRAM ARG...: executes PROGRAM with SIZE bytes of padding before ARG. */
static int with_padding(char **args)
{
	enum { PIECE = 100000 };
	size_t pieces = (size_t)atol(args[0]) / PIECE, n = 0;
	char **argv = calloc(pieces + 64, sizeof *argv), *piece = malloc(PIECE);

	if (!argv || !piece)
		return setup_failed("malloc");
	memset(piece, 'p', PIECE - 1);
	piece[PIECE - 1] = '\0';
	argv[n++] = args[1];
	argv[n++] = args[2]; /* the subcommand */
	argv[n++] = args[3]; /* its port */
	for (size_t i = 0; i < pieces; i++)
		argv[n++] = piece;
	for (size_t i = 4; args[i] && i < 60; i++)
		argv[n++] = args[i];
	(void)execv(args[1], argv);
	return setup_failed("execv");
}

/* PORT [ARG]...: connects; the arguments are there to be looked at. */
static int plainly(char **args)
{
	return connect_to(args[0]);
}

/* PORT: takes the auxiliary vector of another program for its own, as far as the
 * kernel lets it, forks, and connects.
 */
static int with_forged_vector(char **args)
{
	unsigned long vector[64] = { 0 };
	pid_t pid;

	if (prctl(PR_SET_MM, PR_SET_MM_AUXV, vector, sizeof vector, 0) == 0)
		(void)printf("forged ");
	pid = fork();
	if (pid == 0)
		_exit(connect_to(args[0]) + 9 * (fflush(stdout) != 0));
	return pid < 0 ? setup_failed("fork") : say_child(pid);
}

const struct deed lineage_deeds[] = {
	{ "connect-orphan", "PORT FILE", 2, as_orphan },
	{ "connect-child-of-another", "PORT FILE PROGRAM [ARG]...", 3, as_child_of_another },
	{ "connect-without-leader", "PORT", 1, without_leader },
	{ "connect-thread-euid", "PORT UID", 2, as_thread_with_euid },
	{ "connect-plainly", "PORT [ARG]...", 1, plainly },
	{ "connect-forged-vector", "PORT", 1, with_forged_vector },
	{ "with-padding", "SIZE PROGRAM SUBCOMMAND PORT [ARG]...", 4, with_padding },
	{ NULL, NULL, 0, NULL },
};
