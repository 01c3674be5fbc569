/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unix.c - what an AF_UNIX address means is changed between the look and the use. */
#include "tests/attacks/contest.h"
#include "tests/lib/t-do.h"

#include <fcntl.h>
#include <arpa/inet.h>
#include <linux/fs.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

enum { WORD = 4 };

/* In memory that the accomplice shares, whoever it is. */
struct shared {
	_Atomic bool stop;
	ino_t good_inode; /* behind the name, to begin with */
	struct sockaddr_un address;
	char *spot; /* the last WORD bytes of the path: "good" or "evil" */
	const char *good, *evil;
};

static void set_address(void *data, bool evil)
{
	struct shared *s = data;

	/* not aligned: one of the two, or something in between, that is nothing */
	memcpy(s->spot, evil ? "evil" : "good", WORD);
}

static void *change_address(void *data)
{
	struct shared *s = data;

	contest_change(&s->stop, set_address, s);
	return NULL;
}

/* In turn: which of the two it is by now, is_evil() says. */
static void exchange_names(void *data, bool evil)
{
	const struct shared *s = data;

	(void)evil;
	(void)syscall(SYS_renameat2, AT_FDCWD, s->good, AT_FDCWD, s->evil, RENAME_EXCHANGE);
}

static void *change_names(void *data)
{
	struct shared *s = data;

	contest_change(&s->stop, exchange_names, s);
	return NULL;
}

static const struct {
	const char *name;
	void *(*change)(void *data);
	bool process;
} ways[] = {
	{ "thread-address", change_address, false },
	{ "process-address", change_address, true },
	{ "process-names", change_names, true },
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

/* Whether the call that came back would now find the evil one. */
static bool is_evil(const struct shared *s, bool by_name)
{
	struct stat st;

	if (!by_name)
		return memcmp(s->spot, "evil", WORD) == 0;
	return stat(s->good, &st) == 0 && st.st_ino != s->good_inode;
}

static pid_t start_accomplice(struct shared *s, size_t way, pthread_t *ret_thread)
{
	pid_t pid;

	if (!ways[way].process)
		return pthread_create(ret_thread, NULL, ways[way].change, s) == 0 ? 0 : -1;
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)ways[way].change(s);
		_exit(0);
	}
	return pid;
}

static int race_unix_one(struct contest *c, char **args)
{
	struct shared *s = contest_shared(sizeof *s);
	int type = (strcmp(args[2], "dgram") == 0 ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK;
	pthread_t thread;
	size_t way = 0;
	bool by_name;
	pid_t pid;

	while (way < ELEMENTS(ways) && strcmp(ways[way].name, args[0]) != 0)
		way++;
	if (way == ELEMENTS(ways))
		return setup_failed(args[0]);
	s->address.sun_family = AF_UNIX;
	(void)snprintf(s->address.sun_path, sizeof s->address.sun_path, "%s", args[3]);
	s->spot = s->address.sun_path + strlen(args[3]) - WORD;
	s->good = args[3];
	s->evil = args[4];
	s->good_inode = (ino_t)strtoul(args[5], NULL, 10);
	pid = start_accomplice(s, way, &thread);
	if (pid < 0)
		return setup_failed("accomplice");
	by_name = ways[way].change == change_names;
	for (; contest_goes_on(c); c->attempts++) {
		int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0), r, error;
		bool evil;

		r = connect_or_send(args[1], fd, &s->address);
		error = errno;
		evil = is_evil(s, by_name);
		c->refused += r < 0 && error == EPERM;
		c->done += r >= 0;
		c->caught += r >= 0 && evil;
		(void)close(fd);
	}
	s->stop = true;
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
	else
		(void)pthread_join(thread, NULL);
	return T_OK;
}

/* HOW WHAT TYPE QUOTA GOOD EVIL: calls WHAT for GOOD again and again, which the
 * accomplice makes EVIL. Both end in the word.
 */
static int race_unix(char **args)
{
	char inode[32], *rest[] = { args[0], args[1], args[2], args[4], args[5], inode, NULL };
	struct stat st;

	if (stat(args[4], &st) != 0)
		return setup_failed(args[4]);
	(void)snprintf(inode, sizeof inode, "%lu", (unsigned long)st.st_ino);
	return contest_run(args[3], race_unix_one, rest);
}

struct swap {
	_Atomic bool stop;
	_Atomic bool named_evil;
	_Atomic unsigned changes;
	int fds[3]; /* the one that is used; what it is, good and evil */
};

static void set_descriptor(void *data, bool evil)
{
	struct swap *s = data;

	(void)dup2(s->fds[evil ? 2 : 1], s->fds[0]);
	s->named_evil = evil;
	s->changes++;
}

static void *change_descriptor(void *data)
{
	struct swap *s = data;

	contest_change(&s->stop, set_descriptor, s);
	return NULL;
}

static int race_unix_send_one(struct contest *c, char **args)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(strtoul(args[0], NULL, 10)),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct iovec data = { (char[]){ "x" }, 1 };
	struct msghdr m = {
		.msg_name = &a, .msg_namelen = sizeof a, .msg_iov = &data, .msg_iovlen = 1
	};
	struct swap s = { .fds = { 500, socket(AF_UNIX, SOCK_DGRAM, 0),
				   socket(AF_INET, SOCK_DGRAM, 0) } };
	pthread_t thread;

	(void)dup2(s.fds[1], s.fds[0]);
	if (pthread_create(&thread, NULL, change_descriptor, &s) != 0)
		return setup_failed("pthread_create");
	for (; contest_goes_on(c); c->attempts++) {
		bool refused, evil;
		unsigned before;

		before = s.changes;
		refused = sendmsg(s.fds[0], &m, MSG_DONTWAIT) < 0 && errno == EPERM;
		evil = s.named_evil && s.changes != before;
		c->refused += refused;
		c->done += !refused;
		c->caught += !refused && evil;
	}
	s.stop = true;
	(void)pthread_join(thread, NULL);
	return T_OK;
}

/* QUOTA SHUT-PORT: datagrams to the port, on a socket that is of AF_UNIX and of UDP in
 * turn.
 */
static int race_unix_send(char **args)
{
	return contest_run(args[0], race_unix_send_one, args + 1);
}

const struct deed unix_race_deeds[] = {
	{ "race-unix-send", "SECONDS[:CAUGHT] SHUT-PORT", 2, race_unix_send },
	{ "race-unix", "HOW connect|sendto|sendmsg|sendmmsg TYPE SECONDS[:CAUGHT] GOOD EVIL", 6,
	  race_unix },
	{ NULL, NULL, 0, NULL },
};
