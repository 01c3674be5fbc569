/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hanging.c - connects that wait for ever, and what the others get meanwhile. */
#include "tests/lib/t-do.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

enum { HANGING_MAX = 4096, SAMPLES_MAX = 100000, PATIENCE_MS = 20000 };

static struct sockaddr_in at(const char *port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(strtoul(port, NULL, 10)),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

struct hanging {
	struct sockaddr_in full;
	unsigned count;
	bool processes; /* one each, instead of threads of one */
	int fds[HANGING_MAX];
	unsigned next;
};

static void *hang_one(void *data)
{
	struct hanging *h = data;
	int fd = h->fds[__atomic_fetch_add(&h->next, 1, __ATOMIC_SEQ_CST)];

	while (connect(fd, (struct sockaddr *)&h->full, sizeof h->full) == 0 || true)
		(void)pause();
	return NULL;
}

static bool has_knocked(int fd)
{
	struct tcp_info info = { .tcpi_state = 0 };
	socklen_t size = sizeof info;

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
	       info.tcpi_state == TCP_SYN_SENT;
}

static bool all_have_knocked(const struct hanging *h)
{
	const struct timespec moment = { .tv_nsec = 1000000 };

	for (unsigned i = 0, ms = 0; i < h->count; ms++) {
		while (i < h->count && has_knocked(h->fds[i]))
			i++;
		if (ms > PATIENCE_MS)
			return false;
		if (i < h->count)
			(void)nanosleep(&moment, NULL);
	}
	return true;
}

static void start_hanging(struct hanging *h)
{
	h->next = 0;
	for (unsigned i = 0; i < h->count; i++)
		h->fds[i] = socket(AF_INET, SOCK_STREAM, 0);
	for (unsigned i = 0; i < h->count; i++) {
		pthread_t thread;
		pid_t pid;

		if (!h->processes && pthread_create(&thread, NULL, hang_one, h) != 0)
			exit(setup_failed("thread"));
		pid = h->processes ? fork() : -1;
		if (pid == 0) {
			h->next = i;
			(void)hang_one(h);
		}
	}
}

/* The leader of a group in which all hang. */
static pid_t hang_all(struct hanging *h)
{
	int ends[2];
	char byte;
	pid_t pid;

	if (pipe(ends) != 0 || (pid = fork()) < 0)
		exit(setup_failed("fork"));
	if (pid == 0) {
		(void)setpgid(0, 0);
		start_hanging(h);
		if (all_have_knocked(h))
			(void)!write(ends[1], "x", 1);
		for (;;)
			(void)pause();
	}
	(void)setpgid(pid, pid);
	(void)close(ends[1]);
	if (read(ends[0], &byte, 1) != 1)
		exit(setup_failed("they do not hang"));
	(void)close(ends[0]);
	return pid;
}

static void end_all(pid_t pid)
{
	(void)kill(-pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

/* ROUNDS COUNT FULL-PORT: as many times as many hang, and are killed. */
static int hang_and_die(char **args)
{
	static struct hanging h;
	long rounds = strtol(args[0], NULL, 10);

	h.count = (unsigned)strtoul(args[1], NULL, 10);
	h.full = at(args[2]);
	for (long i = 0; i < rounds; i++) {
		h.processes = i % 8 == 0;
		end_all(hang_all(&h));
	}
	(void)printf("rounds %ld\n", rounds);
	return T_OK;
}

/* ---- the pace of others ----------------------------------------------------------- */

struct samples {
	double us[SAMPLES_MAX];
	size_t count;
};

static double now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

struct server {
	int fd;
	struct sockaddr_in address;
};

static struct server serve(void)
{
	struct server s = { socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), at("0") };
	socklen_t size = sizeof s.address;

	if (bind(s.fd, (struct sockaddr *)&s.address, size) != 0 || listen(s.fd, 64) != 0 ||
	    getsockname(s.fd, (struct sockaddr *)&s.address, &size) != 0)
		exit(setup_failed("server"));
	return s;
}

static double connect_once(const struct server *s)
{
	struct linger hard = { 1, 0 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	double before = now_us(), took;

	if (connect(fd, (const struct sockaddr *)&s->address, sizeof s->address) != 0)
		exit(setup_failed("connect"));
	took = now_us() - before;
	(void)close(accept(s->fd, NULL, NULL));
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
	(void)close(fd);
	return took;
}

static double exec_once(void)
{
	char name[] = "true", *argv[] = { name, NULL };
	double before = now_us();
	pid_t pid;

	if (posix_spawn(&pid, "/bin/true", NULL, NULL, argv, argv + 1) != 0 ||
	    waitpid(pid, NULL, 0) != pid)
		exit(setup_failed("/bin/true"));
	return now_us() - before;
}

static void measure(struct samples *s, unsigned count, bool execs, const struct server *server)
{
	for (unsigned i = 0; i < count && s->count < SAMPLES_MAX; i++)
		s->us[s->count++] = execs ? exec_once() : connect_once(server);
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void say_pace(const char *what, struct samples *s)
{
	qsort(s->us, s->count, sizeof *s->us, ascending);
	(void)printf("%s %.0f %.0f %.0f\n", what, s->us[s->count / 2], s->us[s->count * 9 / 10],
		     s->us[s->count * 99 / 100]);
}

/* connect|exec threads|processes HANGING FULL-PORT ROUNDS COUNT: in turn, without and with
 * those that hang. Of a hundred the 50th, 90th and 99th, in µs.
 */
static int pace(char **args)
{
	static struct hanging h;
	static struct samples without, with, warm;
	bool execs = strcmp(args[0], "exec") == 0;
	struct server server = serve();
	long rounds = strtol(args[4], NULL, 10);
	unsigned count = (unsigned)strtoul(args[5], NULL, 10);

	h.processes = strcmp(args[1], "processes") == 0;
	h.count = (unsigned)strtoul(args[2], NULL, 10);
	h.full = at(args[3]);
	for (long i = 0; i < rounds; i++) {
		pid_t pid;

		measure(&without, count, execs, &server);
		pid = hang_all(&h);
		measure(&warm, 10, execs, &server);
		measure(&with, count, execs, &server);
		end_all(pid);
		warm.count = 0;
		measure(&warm, 100, false, &server); /* till they are forgotten */
		warm.count = 0;
	}
	say_pace("without", &without);
	say_pace("with", &with);
	return T_OK;
}

const struct deed hanging_deeds[] = {
	{ "hang-and-die", "ROUNDS COUNT FULL-PORT", 3, hang_and_die },
	{ "pace", "connect|exec threads|processes HANGING FULL-PORT ROUNDS COUNT", 6, pace },
	{ NULL, NULL, 0, NULL },
};
