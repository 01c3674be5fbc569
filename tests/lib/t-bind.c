/* SPDX-License-Identifier: GPL-3.0-or-later */
/* t-bind.c - bind in its forms: what it answers, and what becomes of the socket. */
#include "tests/lib/t-send.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/ip.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

/* tcp|udp|unspecified ADDRESS PORT: "ok" when the socket has the port then. */
static int bind_port(char **args)
{
	struct address a = inet(args[1], (unsigned)strtoul(args[2], NULL, 10));
	bool udp = strcmp(args[0], "udp") == 0;
	int fd = make_socket(a.any.sa_family, udp ? SOCK_DGRAM : SOCK_STREAM, 0);
	in_port_t port = a.in.sin_port;

	if (strcmp(args[0], "unspecified") == 0)
		a.any.sa_family = AF_UNSPEC;
	if (bind(fd, &a.any, a.size) != 0) {
		int error = errno;

		/* it has not happened */
		if (name_of(fd).in.sin_port != 0)
			return setup_failed("bound all the same");
		errno = error;
		return say(-1);
	}
	return say(name_of(fd).in.sin_port == port ? 0 : -1);
}

static void wrong(void)
{
	struct address a, any = inet("127.0.0.1", 0), six = inet("::1", 0);
	int taken = server("127.0.0.1", SOCK_STREAM, &a), file = open("/dev/null", O_RDONLY);
	int fd = make_socket(AF_INET, SOCK_STREAM, 0), fd6 = make_socket(AF_INET6, SOCK_STREAM, 0);
	struct sockaddr strange = { .sa_family = 200 };
	char big[256] = { 0 };

	memcpy(big, &any.any, any.size);
	told("no descriptor", bind(-1, &any.any, any.size));
	told("no socket", bind(file, &any.any, any.size));
	told("no socket, no address", bind(file, BAD, any.size));
	told("no address", bind(fd, BAD, any.size));
	told("size 0", bind(fd, &any.any, 0));
	told("size 1", bind(fd, &any.any, 1));
	told("size 8", bind(fd, &any.any, 8));
	told("size 129", bind(fd, (void *)big, 129));
	told("size -1", bind(fd, &any.any, (socklen_t)-1));
	told("family 200", bind(fd, &strange, sizeof strange));
	told("taken", bind(fd, &a.any, a.size));
	a = inet("192.0.2.1", 0);
	told("of another host", bind(fd, &a.any, a.size));
	told("inet6 on inet", bind(fd, &six.any, six.size));
	told("inet on inet6", bind(fd6, &any.any, any.size));
	any.any.sa_family = AF_UNSPEC;
	told("unspecified", bind(fd, &any.any, any.size));
	any = inet("0.0.0.0", 0);
	any.any.sa_family = AF_UNSPEC;
	told("unspecified wildcard", bind(fd, &any.any, any.size));
	any = inet("127.0.0.1", 0);
	told("twice", bind(fd, &any.any, any.size));
	told("inet6", bind(fd6, &six.any, 128));
	(void)close(file);
	(void)close(fd);
	(void)close(fd6);
	(void)close(taken);
}

static void shared(void)
{
	struct address a = inet("127.0.0.1", 0);
	int one = make_socket(AF_INET, SOCK_DGRAM, 0), two = make_socket(AF_INET, SOCK_DGRAM, 0);
	int on = 1;

	(void)setsockopt(one, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
	told("the first one", bind(one, &a.any, a.size));
	a = name_of(one);
	told("not shared", bind(two, &a.any, a.size));
	(void)setsockopt(two, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
	told("SO_REUSEPORT", bind(two, &a.any, a.size));
	(void)close(one);
	(void)close(two);
	a = inet("127.0.0.1", 79);
	told("port 79", bind(make_socket(AF_INET, SOCK_STREAM, 0), &a.any, a.size));
}

/* ---- AF_UNIX ---- */

static void bind_name(const char *what, const char *name, size_t size)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct sockaddr_un got = { .sun_family = 0 };
	socklen_t got_size = sizeof got;
	int fd = make_socket(AF_UNIX, SOCK_STREAM, 0);
	char path[sizeof a.sun_path + 1] = "";
	struct stat st;

	memcpy(a.sun_path, name, size);
	memcpy(path, name, size);
	told(what, bind(fd, (struct sockaddr *)&a,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + size)));
	(void)getsockname(fd, (struct sockaddr *)&got, &got_size);
	(void)printf("%u bytes, '%.108s'", got_size, got.sun_path[0] ? got.sun_path : "");
	if (path[0] && stat(path, &st) == 0)
		(void)printf(", mode %o of %u:%u", st.st_mode, st.st_uid, st.st_gid);
	(void)printf("\n");
	(void)close(fd);
}

static void names(void)
{
	char template[] = "bind.XXXXXX", longest[108];

	if (!mkdtemp(template) || chdir(template) != 0)
		exit(setup_failed(template));
	(void)umask(027);
	bind_name("relative", "socket", 7);
	bind_name("taken", "socket", 7);
	bind_name("without NUL", "socket2", 7);
	memset(longest, 'x', sizeof longest);
	bind_name("the longest", longest, sizeof longest);
	bind_name("no directory", "none/socket", 12);
	bind_name("not for everybody", "/proc/1/socket", 15);
	bind_name("abstract", "\0guard-test-bind", 16);
	(void)mkdir("below", 0755);
	(void)chdir("below");
	(void)umask(0);
	bind_name("elsewhere", "../socket3", 11);
	if (chroot(".") == 0)
		bind_name("in a chroot", "/socket", 8);
}

static void *wait_for_ever(void *data)
{
	(void)pause();
	return data;
}

/* The same with a thread that could change the descriptors. */
static void names_in_company(void)
{
	pthread_t thread;

	(void)pthread_create(&thread, NULL, wait_for_ever, NULL);
	names();
}

static void netlink(void)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK };
	socklen_t size = sizeof a;
	int fd = make_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	pthread_t thread;

	(void)pthread_create(&thread, NULL, wait_for_ever, NULL);
	told("netlink", bind(fd, (struct sockaddr *)&a, sizeof a));
	(void)getsockname(fd, (struct sockaddr *)&a, &size);
	told("has the number of the process", (pid_t)a.nl_pid == getpid());
	told("twice", bind(fd, (struct sockaddr *)&a, sizeof a));
	a.nl_groups = ~0u;
	told("groups",
	     bind(make_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), (struct sockaddr *)&a, 2));
}

static const struct state bind_states[] = {
	{ "wrong", wrong },     { "shared", shared },
	{ "names", names },     { "company", names_in_company },
	{ "netlink", netlink },
};

static int show_states(char **args)
{
	for (size_t i = 0; i < ELEMENTS(bind_states); i++) {
		if (strcmp(args[0], "list") == 0)
			(void)printf("%s\n", bind_states[i].name);
		else if (strcmp(args[0], bind_states[i].name) == 0)
			bind_states[i].run();
	}
	return T_OK;
}

/* ---- the address changes under guard's eyes ---- */

struct race {
	struct address a;
	in_port_t good, evil;
	_Atomic bool stop;
};

static void *toggle(void *data)
{
	struct race *r = data;

	for (unsigned i = 0; !r->stop; i++) {
		__atomic_store_n(&r->a.in.sin_port, i % 2 ? r->evil : r->good, __ATOMIC_SEQ_CST);
		for (volatile unsigned k = 0; k < i * 7919 % 4000; k++)
			;
		if (i % 3)
			(void)sched_yield();
	}
	return NULL;
}

/* SECONDS GOOD-PORT EVIL-PORT */
static int race_bind(char **args)
{
	static struct race r;
	time_t end = time(NULL) + (time_t)strtol(args[0], NULL, 10);
	long attempts = 0, refused = 0, wins = 0;
	pthread_t thread;

	r.a = inet("127.0.0.1", (unsigned)strtoul(args[1], NULL, 10));
	r.good = r.a.in.sin_port;
	r.evil = htons((uint16_t)strtoul(args[2], NULL, 10));
	if (pthread_create(&thread, NULL, toggle, &r) != 0)
		return setup_failed("pthread_create");
	for (; time(NULL) <= end || (refused < 20 && time(NULL) < end + 60); attempts++) {
		int fd = make_socket(AF_INET, SOCK_DGRAM, 0);

		if (bind(fd, &r.a.any, r.a.size) != 0)
			refused += errno == EPERM;
		else
			wins += name_of(fd).in.sin_port == r.evil;
		(void)close(fd);
	}
	r.stop = true;
	(void)pthread_join(thread, NULL);
	(void)printf("attempts %ld caught %ld wins %ld\n", attempts, refused, wins);
	return wins ? T_FAILED : T_OK;
}

const struct deed bind_deeds[] = {
	{ "bind", "tcp|udp|unspecified ADDRESS PORT", 3, bind_port },
	{ "bind-states", "list|STATE", 1, show_states },
	{ "race-bind", "SECONDS GOOD-PORT EVIL-PORT", 3, race_bind },
	{ NULL, NULL, 0, NULL },
};
