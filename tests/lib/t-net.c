/* SPDX-License-Identifier: GPL-3.0-or-later */
/* t-net.c - connects in their various forms, and servers that count. */
#include "tests/lib/t-do.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
	socklen_t size;
};

static struct address parse(const char *host, const char *port)
{
	struct address a = { .in6 = { 0 } };

	if (strchr(host, ':')) {
		a.in6.sin6_family = AF_INET6;
		a.in6.sin6_port = htons(strtoul(port, NULL, 10));
		a.size = sizeof a.in6;
		if (inet_pton(AF_INET6, host, &a.in6.sin6_addr) == 1)
			return a;
	} else {
		a.in.sin_family = AF_INET;
		a.in.sin_port = htons(strtoul(port, NULL, 10));
		a.size = sizeof a.in;
		if (inet_pton(AF_INET, host, &a.in.sin_addr) == 1)
			return a;
	}
	(void)fprintf(stderr, "t-do: '%s' is no address\n", host);
	exit(T_SETUP);
}

static int open_socket(const struct address *a, int type)
{
	int fd = socket(a->any.sa_family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		exit(setup_failed("socket"));
	return fd;
}

static int connect_tcp(char **args)
{
	struct address a = parse(args[0], args[1]);

	return say(connect(open_socket(&a, SOCK_STREAM), &a.any, a.size));
}

/* A datagram is sent and comes back, so "ok" means that it arrived. */
static int connect_udp(char **args)
{
	struct address a = parse(args[0], args[1]);
	int fd = open_socket(&a, SOCK_DGRAM);
	char byte = 'x';

	if (connect(fd, &a.any, a.size) != 0)
		return say(-1);
	if (send(fd, &byte, 1, 0) != 1)
		return say(-1);
	return say(recv(fd, &byte, 1, 0));
}

/* "errno EINPROGRESS" and then what SO_ERROR says, or an immediate result. */
static int connect_nonblock(char **args)
{
	struct address a = parse(args[0], args[1]);
	int fd = open_socket(&a, SOCK_STREAM | SOCK_NONBLOCK);
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	socklen_t size = sizeof errno;

	if (connect(fd, &a.any, a.size) == 0)
		return say(0);
	(void)say(-1);
	if (errno != EINPROGRESS)
		return T_FAILED;
	if (poll(&p, 1, 10000) != 1)
		return setup_failed("poll");
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &errno, &size) != 0)
		return setup_failed("SO_ERROR");
	return say(errno ? -1 : 0);
}

/* connect twice: EISCONN; then disconnect by AF_UNSPEC */
static int connect_again(char **args)
{
	struct address a = parse(args[0], args[1]);
	struct sockaddr unspecified = { .sa_family = AF_UNSPEC };
	int fd = open_socket(&a, SOCK_STREAM);

	(void)say(connect(fd, &a.any, a.size));
	(void)say(connect(fd, &a.any, a.size));
	return say(connect(fd, &unspecified, sizeof unspecified));
}

static void interrupted(int sig)
{
	(void)sig;
}

/* A signal arrives while the connect waits; without SA_RESTART it ends it. */
static int connect_interrupted(char **args)
{
	struct address a = parse(args[0], args[1]);
	struct sigaction action = { .sa_handler = interrupted };
	int fd = open_socket(&a, SOCK_STREAM);

	(void)sigaction(SIGALRM, &action, NULL);
	(void)alarm(1);
	return say(connect(fd, &a.any, a.size));
}

/* SO_SNDTIMEO bounds the connect: EINPROGRESS after half a second */
static int connect_timeout(char **args)
{
	struct address a = parse(args[0], args[1]);
	struct timeval tv = { .tv_usec = 500000 };
	int fd = open_socket(&a, SOCK_STREAM);

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
	return say(connect(fd, &a.any, a.size));
}

/* What the kernel answers to arguments that are wrong, one line each. */
static int connect_wrong(char **args)
{
	struct address a = parse(args[0], args[1]);
	int fd = open_socket(&a, SOCK_STREAM), file = open("/dev/null", O_RDONLY);
	struct sockaddr strange = { .sa_family = 200 };

	(void)say(connect(-1, &a.any, a.size));
	(void)say(connect(file, &a.any, a.size));
	(void)say(connect(fd, NULL, a.size));
	(void)say(connect(fd, (struct sockaddr *)8, a.size));
	(void)say(connect(fd, &a.any, 0));
	(void)say(connect(fd, &a.any, 1));
	(void)say(connect(fd, &a.any, 4096));
	(void)say(connect(fd, &a.any, (socklen_t)-1));
	(void)say(connect(fd, &strange, sizeof strange));
	return T_OK;
}

/* Options by which SCTP connects to lists of addresses (linux/sctp.h), with garbage in
 * the high halves that the kernel ignores, and some that only look alike; on a socket
 * of whatever kind there is.
 */
static int connect_packed(char **args)
{
	static const struct {
		const char *name;
		bool get;
		long level, option;
	} rows[] = {
		{ "connectx", false, 132, 110 },
		{ "connectx-old", false, 132, 107 },
		{ "connectx-high", false, 0x700000084, 0x90000006e },
		{ "connectx3", true, 132, 111 },
		{ "bindx", false, 132, 100 },
		{ "nodelay", false, 132, 3 },
		{ "other-level", false, IPPROTO_UDP, 110 },
		{ "get-info", true, 132, 14 },
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_SCTP);
	struct address a = parse("127.0.0.1", args[0]);
	char packed[64] = "";
	socklen_t size = sizeof packed;

	if (fd < 0)
		fd = open_socket(&a, SOCK_STREAM);
	memcpy(packed, &a.in, sizeof a.in);
	for (size_t i = 0; i < ELEMENTS(rows); i++) {
		(void)printf("%s: ", rows[i].name);
		if (rows[i].get)
			(void)say(syscall(SYS_getsockopt, fd, rows[i].level, rows[i].option, packed,
					  &size));
		else
			(void)say(syscall(SYS_setsockopt, fd, rows[i].level, rows[i].option, packed,
					  sizeof a.in));
	}
	return T_OK;
}

static int connect_unix(char **args)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(a.sun_path, sizeof a.sun_path, "%s", args[0]);
	return say(connect(fd, (struct sockaddr *)&a, sizeof a));
}

static int say_port(int fd, const char *file)
{
	struct address a = { .size = sizeof a.in6 };
	char text[16];

	if (getsockname(fd, &a.any, &a.size) != 0)
		return -1;
	(void)snprintf(text, sizeof text, "%d\n", ntohs(a.in.sin_port));
	return write_file(file, text);
}

static int bound_socket(char **args, int type)
{
	struct address a = parse(args[0], "0");
	int fd = open_socket(&a, type);

	if (bind(fd, &a.any, a.size) != 0)
		exit(setup_failed("bind"));
	return fd;
}

/* Accepts for ever; how often is in COUNT-FILE before the client is let go. */
static int serve_tcp(char **args)
{
	int fd = bound_socket(args, SOCK_STREAM);

	count_in_file(args[2], 0);
	if (listen(fd, 4096) != 0 || say_port(fd, args[1]) != 0)
		return setup_failed("listen");
	for (unsigned long n = 1;; n++) {
		int client = accept(fd, NULL, NULL);

		if (client < 0)
			return setup_failed("accept");
		count_in_file(args[2], n);
		(void)close(client);
	}
}

/* Counts datagrams and sends each one back. */
static int serve_udp(char **args)
{
	int fd = bound_socket(args, SOCK_DGRAM);

	count_in_file(args[2], 0);
	if (say_port(fd, args[1]) != 0)
		return setup_failed(args[1]);
	for (unsigned long n = 1;; n++) {
		struct address peer = { .size = sizeof peer.in6 };
		char byte;

		if (recvfrom(fd, &byte, 1, 0, &peer.any, &peer.size) < 0)
			return setup_failed("recvfrom");
		count_in_file(args[2], n);
		(void)sendto(fd, &byte, 1, 0, &peer.any, peer.size);
	}
}

/* A port whose queue is full: every further connect waits. */
static int serve_full(char **args)
{
	int fd = bound_socket(args, SOCK_STREAM);
	struct address a = { .size = sizeof a.in6 };

	if (listen(fd, 0) != 0 || getsockname(fd, &a.any, &a.size) != 0)
		return setup_failed("listen");
	for (int i = 0; i < 4; i++)
		(void)connect(open_socket(&a, SOCK_STREAM | SOCK_NONBLOCK), &a.any, a.size);
	if (say_port(fd, args[1]) != 0)
		return setup_failed(args[1]);
	for (;;)
		(void)pause();
}

const struct deed net_deeds[] = {
	{ "connect", "ADDRESS PORT", 2, connect_tcp },
	{ "connect-udp", "ADDRESS PORT", 2, connect_udp },
	{ "connect-nonblock", "ADDRESS PORT", 2, connect_nonblock },
	{ "connect-again", "ADDRESS PORT", 2, connect_again },
	{ "connect-interrupted", "ADDRESS PORT", 2, connect_interrupted },
	{ "connect-timeout", "ADDRESS PORT", 2, connect_timeout },
	{ "connect-wrong", "ADDRESS PORT", 2, connect_wrong },
	{ "connect-unix", "PATH", 1, connect_unix },
	{ "connect-packed", "PORT", 1, connect_packed },
	{ "serve-tcp", "ADDRESS PORT-FILE COUNT-FILE", 3, serve_tcp },
	{ "serve-udp", "ADDRESS PORT-FILE COUNT-FILE", 3, serve_udp },
	{ "serve-full", "ADDRESS PORT-FILE", 2, serve_full },
	{ NULL, NULL, 0, NULL },
};
