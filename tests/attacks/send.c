/* SPDX-License-Identifier: GPL-3.0-or-later */
/* send.c - what a message is made of is changed while guard looks at it.
 *
 * An accomplice toggles the name, the pointer to it or the descriptor. Wins are
 * counted by the server that must not be reached.
 */
#include "tests/attacks/contest.h"
#include "tests/lib/t-do.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { STACK = 64 * 1024, USED = 500 };

enum target { PORT, POINTER, DESCRIPTOR };

/* Shared by everybody who takes part, in whatever memory they have. */
struct scene {
	_Atomic bool stop;
	_Atomic bool named_evil; /* what is named now */
	_Atomic unsigned changes;
	enum target target;
	struct sockaddr_in name, good, evil;
	struct iovec iov;
	struct mmsghdr message;
	int sockets[2]; /* one takes the name, the other one does not */
};

static void set(void *data, bool evil)
{
	struct scene *s = data;

	switch (s->target) {
	case PORT:
		__atomic_store_n(&s->name.sin_port, evil ? s->evil.sin_port : s->good.sin_port,
				 __ATOMIC_SEQ_CST);
		break;
	case POINTER:
		__atomic_store_n(&s->message.msg_hdr.msg_name, evil ? &s->evil : &s->good,
				 __ATOMIC_SEQ_CST);
		break;
	case DESCRIPTOR: (void)dup2(s->sockets[evil], USED); break;
	}
	s->named_evil = evil;
	s->changes++;
}

static int change(void *data)
{
	struct scene *s = data;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	contest_change(&s->stop, set, s);
	return 0;
}

/* In the caller's memory and table, in one of them, or in neither. */
static const struct {
	const char *name;
	int flags;
} accomplices[] = {
	{ "thread", CLONE_VM | CLONE_FILES },
	{ "memory", CLONE_VM },
	{ "table", CLONE_FILES },
	{ "process", 0 },
};

static const struct {
	const char *name;
	enum target target;
} targets[] = { { "port", PORT }, { "pointer", POINTER }, { "descriptor", DESCRIPTOR } };

static long send_by(const char *call, struct scene *s)
{
	if (strcmp(call, "sendto") == 0)
		return sendto(USED, "x", 1, MSG_NOSIGNAL, (struct sockaddr *)&s->name,
			      sizeof s->name);
	if (strcmp(call, "sendmsg") == 0)
		return sendmsg(USED, &s->message.msg_hdr, MSG_NOSIGNAL);
	return sendmmsg(USED, &s->message, 1, MSG_NOSIGNAL);
}

static void prepare(struct scene *s, char **args)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	s->good = s->evil = a;
	s->good.sin_port = htons(strtoul(args[0], NULL, 10));
	s->evil.sin_port = htons(strtoul(args[1], NULL, 10));
	s->name = s->target == DESCRIPTOR ? s->evil : s->good;
	s->iov = (struct iovec){ (void *)(uintptr_t) "x", 1 };
	s->message.msg_hdr = (struct msghdr){ .msg_name = &s->name,
					      .msg_namelen = sizeof s->name,
					      .msg_iov = &s->iov,
					      .msg_iovlen = 1 };
	s->sockets[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	s->sockets[1] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s->sockets[0] < 0 || s->sockets[1] < 0)
		exit(setup_failed("socket"));
	(void)dup2(s->sockets[s->target == DESCRIPTOR ? 0 : 1], USED);
}

static int race_send_one(struct contest *c, char **args)
{
	struct scene *s = contest_shared(sizeof *s);
	char *stack = malloc(STACK);
	size_t t = 0, who = 0;
	pid_t pid;

	while (t < ELEMENTS(targets) && strcmp(targets[t].name, args[1]) != 0)
		t++;
	while (who < ELEMENTS(accomplices) && strcmp(accomplices[who].name, args[2]) != 0)
		who++;
	if (!stack || t == ELEMENTS(targets) || who == ELEMENTS(accomplices))
		return setup_failed(args[1]);
	s->target = targets[t].target;
	prepare(s, args + 3);
	pid = clone(change, stack + STACK, accomplices[who].flags | SIGCHLD, s);
	if (pid < 0)
		return setup_failed("clone");
	for (; contest_goes_on(c); c->attempts++) {
		bool refused, evil;
		unsigned before;

		before = s->changes;
		refused = send_by(args[0], s) < 0 && errno == EPERM;
		evil = s->named_evil && s->changes != before;
		/* what the stream socket does with the name is nothing */
		c->refused += refused;
		c->done += !refused;
		c->caught += !refused && evil;
	}
	s->stop = true;
	(void)waitpid(pid, NULL, 0);
	return T_OK;
}

/* CALL TARGET ACCOMPLICE QUOTA GOOD-PORT EVIL-PORT */
static int race_send(char **args)
{
	const char *quota = args[3];

	for (int i = 3; i > 0; i--)
		args[i] = args[i - 1];
	return contest_run(quota, race_send_one, args + 1);
}

/* ---- a supervisor that dies meanwhile ------------------------------------------- */

enum { NUMBERS = 1 << 20 };

/* PORT-FILE RESULT-FILE: says how many numbers came twice, at each datagram that is
 * empty.
 */
static int count_numbers(char **args)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), room = 1 << 24;
	static bool seen[NUMBERS];
	socklen_t size = sizeof a;
	char text[64];
	long twice = 0, came = 0;
	unsigned number;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
	if (bind(fd, (struct sockaddr *)&a, size) != 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &size) != 0)
		return setup_failed("bind");
	(void)snprintf(text, sizeof text, "%d\n", ntohs(a.sin_port));
	if (write_file(args[0], text) != 0)
		return setup_failed(args[0]);
	for (;;) {
		ssize_t n = recv(fd, &number, sizeof number, 0);

		if (n == 0) {
			(void)snprintf(text, sizeof text, "came %ld twice %ld\n", came, twice);
			if (write_file(args[1], text) != 0)
				return setup_failed(args[1]);
		} else if (n == sizeof number && number < NUMBERS) {
			twice += seen[number];
			seen[number] = true;
			came++;
		}
	}
}

/* PORT STOP-FILE: sends numbers by each call in turn until the file is there, then an
 * empty one. Says what failed.
 */
static int send_numbers(char **args)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(strtoul(args[0], NULL, 10)),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	unsigned numbers[20], next = 0;
	struct iovec iov[20];
	struct mmsghdr m[20];

	while (access(args[1], F_OK) != 0 && next + 22 < NUMBERS) {
		for (unsigned i = 0; i < ELEMENTS(m); i++) {
			numbers[i] = next + i;
			iov[i] = (struct iovec){ &numbers[i], sizeof numbers[i] };
			m[i] = (struct mmsghdr){ .msg_hdr = { .msg_name = &a,
							      .msg_namelen = sizeof a,
							      .msg_iov = &iov[i],
							      .msg_iovlen = 1 } };
		}
		if (sendmmsg(fd, m, ELEMENTS(m), 0) != ELEMENTS(m))
			return say(-1);
		next += ELEMENTS(m);
		if (sendto(fd, &next, sizeof next, 0, (struct sockaddr *)&a, sizeof a) !=
		    sizeof next)
			return say(-1);
		numbers[0] = ++next;
		if (sendmsg(fd, &m[0].msg_hdr, 0) != sizeof next)
			return say(-1);
		next++;
	}
	(void)sendto(fd, "", 0, 0, (struct sockaddr *)&a, sizeof a);
	return say(0);
}

const struct deed send_race_deeds[] = {
	{ "race-send", "CALL TARGET ACCOMPLICE SECONDS[:CAUGHT] GOOD-PORT EVIL-PORT", 6,
	  race_send },
	{ "count-numbers", "PORT-FILE RESULT-FILE", 2, count_numbers },
	{ "send-numbers", "PORT STOP-FILE", 2, send_numbers },
	{ NULL, NULL, 0, NULL },
};
