/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unix.c - what an AF_UNIX address means is changed between the look and the use. */
#include "tests/lib/t-do.h"

#include <fcntl.h>
#include <arpa/inet.h>
#include <linux/fs.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

enum { WORD = 4 };

/* In memory that the accomplice shares, whoever it is. */
struct shared {
	_Atomic bool stop;
	_Atomic long changes;
	struct sockaddr_un address;
	char *spot; /* the last WORD bytes of the path: "good" or "evil" */
	const char *good, *evil;
};

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void linger(unsigned *seed)
{
	unsigned turns = rand_r(seed) % 4000;

	for (volatile unsigned i = 0; i < turns; i++)
		;
	if (turns % 2)
		(void)sched_yield();
}

static void *toggle_address(void *data)
{
	struct shared *s = data;
	unsigned seed = (unsigned)getpid();
	uint32_t good, evil;

	memcpy(&good, "good", WORD);
	memcpy(&evil, "evil", WORD);
	for (; !s->stop; s->changes += 2) {
		/* not aligned: one of the two, or something in between, that is nothing */
		memcpy(s->spot, &evil, WORD);
		linger(&seed);
		memcpy(s->spot, &good, WORD);
		linger(&seed);
	}
	return NULL;
}

static void *toggle_names(void *data)
{
	struct shared *s = data;
	unsigned seed = (unsigned)getpid();

	for (; !s->stop; s->changes++) {
		(void)syscall(SYS_renameat2, AT_FDCWD, s->good, AT_FDCWD, s->evil, RENAME_EXCHANGE);
		linger(&seed);
	}
	return NULL;
}

static const struct {
	const char *name;
	void *(*toggle)(void *data);
	bool process;
} ways[] = {
	{ "thread-address", toggle_address, false },
	{ "process-address", toggle_address, true },
	{ "process-names", toggle_names, true },
};

static int connect_or_send(const char *what, int fd, const struct sockaddr_un *a)
{
	struct iovec data = { (char[]){ "x" }, 1 };
	struct mmsghdr m = { .msg_hdr = { .msg_name = (void *)(uintptr_t)a,
					  .msg_namelen = sizeof *a,
					  .msg_iov = &data,
					  .msg_iovlen = 1 } };

	if (strcmp(what, "sendto") == 0)
		return (int)sendto(fd, "x", 1, MSG_DONTWAIT, (const struct sockaddr *)a, sizeof *a);
	if (strcmp(what, "sendmsg") == 0)
		return (int)sendmsg(fd, &m.msg_hdr, MSG_DONTWAIT);
	if (strcmp(what, "sendmmsg") == 0)
		return sendmmsg(fd, &m, 1, MSG_DONTWAIT);
	if (connect(fd, (const struct sockaddr *)a, sizeof *a) != 0)
		return -1;
	/* a connected datagram socket is heard of with its first message */
	return (int)send(fd, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* HOW WHAT TYPE SECONDS GOOD EVIL: calls WHAT for GOOD again and again, which the
 * accomplice makes EVIL. Both end in the word.
 */
static int race_unix(char **args)
{
	struct shared *s =
		mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int type = (strcmp(args[2], "dgram") == 0 ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK;
	long attempts = 0, refused = 0, done = 0;
	pthread_t thread;
	pid_t pid = 0;
	size_t way = 0;
	double end;

	while (way < ELEMENTS(ways) && strcmp(ways[way].name, args[0]) != 0)
		way++;
	if (way == ELEMENTS(ways) || s == MAP_FAILED)
		return setup_failed(args[0]);
	s->address.sun_family = AF_UNIX;
	(void)snprintf(s->address.sun_path, sizeof s->address.sun_path, "%s", args[4]);
	s->spot = s->address.sun_path + strlen(args[4]) - WORD;
	s->good = args[4];
	s->evil = args[5];
	if (ways[way].process) {
		pid = fork();
		if (pid == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			(void)ways[way].toggle(s);
			_exit(0);
		}
	} else if (pthread_create(&thread, NULL, ways[way].toggle, s) != 0) {
		return setup_failed("pthread_create");
	}
	for (end = now() + strtod(args[3], NULL); now() < end; attempts++) {
		int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
		int r = connect_or_send(args[1], fd, &s->address);

		refused += r < 0 && errno == EPERM;
		done += r >= 0;
		(void)close(fd);
	}
	s->stop = true;
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
	(void)printf("attempts %ld caught %ld done %ld changes %ld\n", attempts, refused, done,
		     (long)s->changes);
	return T_OK;
}

struct swap {
	_Atomic bool stop;
	int fds[3]; /* the one that is used, and the two that it is in turn */
};

static void *toggle_descriptor(void *data)
{
	struct swap *s = data;
	unsigned seed = 1;

	while (!s->stop) {
		(void)dup2(s->fds[1], s->fds[0]);
		linger(&seed);
		(void)dup2(s->fds[2], s->fds[0]);
		linger(&seed);
	}
	return NULL;
}

/* SECONDS SHUT-PORT: datagrams to the port, on a socket that is of AF_UNIX and of UDP in
 * turn.
 */
static int race_unix_send(char **args)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(strtoul(args[1], NULL, 10)),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct iovec data = { (char[]){ "x" }, 1 };
	struct msghdr m = {
		.msg_name = &a, .msg_namelen = sizeof a, .msg_iov = &data, .msg_iovlen = 1
	};
	struct swap s = { .fds = { 500, socket(AF_UNIX, SOCK_DGRAM, 0),
				   socket(AF_INET, SOCK_DGRAM, 0) } };
	double end = now() + strtod(args[0], NULL);
	long attempts = 0, refused = 0;
	pthread_t thread;

	(void)dup2(s.fds[1], s.fds[0]);
	if (pthread_create(&thread, NULL, toggle_descriptor, &s) != 0)
		return setup_failed("pthread_create");
	for (; now() < end; attempts++)
		refused += sendmsg(s.fds[0], &m, MSG_DONTWAIT) < 0 && errno == EPERM;
	s.stop = true;
	(void)pthread_join(thread, NULL);
	(void)printf("attempts %ld caught %ld\n", attempts, refused);
	return T_OK;
}

const struct deed unix_race_deeds[] = {
	{ "race-unix-send", "SECONDS SHUT-PORT", 2, race_unix_send },
	{ "race-unix", "HOW connect|sendto|sendmsg|sendmmsg TYPE SECONDS GOOD EVIL", 6, race_unix },
	{ NULL, NULL, 0, NULL },
};
