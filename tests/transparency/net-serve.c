/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The peers: echoing servers of every kind, and ports at which nobody is. */
#include "tests/transparency/net.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>

enum kind {
	ECHO_LISTENER, /* accepts and echoes */
	CLOSER,        /* accepts and resets */
	TELLER,        /* AF_UNIX: accepts and says who connected */
	TELLER_DGRAM,  /* AF_UNIX: answers a datagram with who sent it */
	ECHO_DGRAM,
	FULL,   /* listens, its queue is full */
	CLOSED, /* bound only */
	CONNECTION,
};

static const struct {
	const char *name;
	enum kind kind;
	int domain, type;
	const char *address; /* AF_UNIX: below the directory; @: abstract */
} servers[] = {
	{ "open4", ECHO_LISTENER, AF_INET, SOCK_STREAM, "127.0.0.1" },
	{ "open6", ECHO_LISTENER, AF_INET6, SOCK_STREAM, "::1" },
	{ "closer4", CLOSER, AF_INET, SOCK_STREAM, "127.0.0.1" },
	{ "udp4", ECHO_DGRAM, AF_INET, SOCK_DGRAM, "127.0.0.1" },
	{ "udp4b", ECHO_DGRAM, AF_INET, SOCK_DGRAM, "127.0.0.1" },
	{ "udp6", ECHO_DGRAM, AF_INET6, SOCK_DGRAM, "::1" },
	{ "full4", FULL, AF_INET, SOCK_STREAM, "127.0.0.1" },
	{ "closed4", CLOSED, AF_INET, SOCK_STREAM, "127.0.0.1" },
	{ "closed6", CLOSED, AF_INET6, SOCK_STREAM, "::1" },
	{ "udp-deaf4", CLOSED, AF_INET, SOCK_DGRAM, "127.0.0.1" },    /* nobody reads */
	{ "udp-closed4", CLOSED, AF_INET, SOCK_STREAM, "127.0.0.1" }, /* no UDP there */
	{ "udp-closed6", CLOSED, AF_INET6, SOCK_STREAM, "::1" },
	{ "unix", TELLER, AF_UNIX, SOCK_STREAM, "stream" },
	{ "unix-seq", TELLER, AF_UNIX, SOCK_SEQPACKET, "seqpacket" },
	{ "unix-dgram", TELLER_DGRAM, AF_UNIX, SOCK_DGRAM, "dgram" },
	{ "abstract", TELLER, AF_UNIX, SOCK_STREAM, "@net-probe-stream" },
	{ "unix-full", FULL, AF_UNIX, SOCK_STREAM, "full" },
	{ "unix-closed", CLOSED, AF_UNIX, SOCK_STREAM, "closed" },
};

enum { POLLED_MAX = 4096 };
static struct pollfd polled[POLLED_MAX];
static enum kind kinds[POLLED_MAX];
static nfds_t npolled;

static void watch(int fd, enum kind kind)
{
	if (fd < 0 || npolled == POLLED_MAX)
		exit(2);
	polled[npolled] = (struct pollfd){ .fd = fd, .events = POLLIN };
	kinds[npolled++] = kind;
}

static void tell(int fd)
{
	struct ucred who;
	socklen_t size = sizeof who;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0)
		(void)send(fd, &who, sizeof who, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void accept_one(int listener, enum kind kind)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (kind == CLOSER) {
		struct linger reset = { .l_onoff = 1 };

		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
		(void)close(fd);
		return;
	}
	if (kind == TELLER)
		tell(fd);
	watch(fd, CONNECTION);
}

static void tell_sender(int fd)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	char data[64];
	struct sockaddr_un from;
	struct iovec iov = { .iov_base = data, .iov_len = sizeof data };
	struct msghdr m = { .msg_name = &from,
			    .msg_namelen = sizeof from,
			    .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof control };
	struct cmsghdr *c;

	if (recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
		return;
	c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_type == SCM_CREDENTIALS)
		(void)sendto(fd, CMSG_DATA(c), sizeof(struct ucred), MSG_NOSIGNAL | MSG_DONTWAIT,
			     (struct sockaddr *)&from, m.msg_namelen);
}

static char data[PAYLOAD_MAX];

/* False: it has ended. */
static bool echo(int fd)
{
	ssize_t n = recv(fd, data, sizeof data, MSG_DONTWAIT);

	if (n > 0)
		(void)send(fd, data, (size_t)n, MSG_NOSIGNAL);
	return n > 0;
}

static void echo_datagram(int fd)
{
	union address from;
	socklen_t size = sizeof from;
	ssize_t n = recvfrom(fd, data, sizeof data, MSG_DONTWAIT, &from.any, &size);

	if (n >= 0)
		(void)sendto(fd, data, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT, &from.any, size);
}

static void serve_one(nfds_t i)
{
	switch (kinds[i]) {
	case ECHO_LISTENER:
	case CLOSER:
	case TELLER: accept_one(polled[i].fd, kinds[i]); break;
	case TELLER_DGRAM: tell_sender(polled[i].fd); break;
	case ECHO_DGRAM: echo_datagram(polled[i].fd); break;
	case CONNECTION:
		if (echo(polled[i].fd))
			break;
		(void)close(polled[i].fd);
		npolled--;
		polled[i] = polled[npolled];
		kinds[i] = kinds[npolled];
		break;
	case FULL:
	case CLOSED: break;
	}
}

static socklen_t make_address(const char *directory, size_t i, union address *a)
{
	const char *text = servers[i].address;

	*a = (union address){ .any.sa_family = (sa_family_t)servers[i].domain };
	if (servers[i].domain == AF_INET) {
		(void)inet_pton(AF_INET, text, &a->in.sin_addr);
		return sizeof a->in;
	}
	if (servers[i].domain == AF_INET6) {
		(void)inet_pton(AF_INET6, text, &a->in6.sin6_addr);
		return sizeof a->in6;
	}
	if (*text == '@') {
		memcpy(a->un.sun_path + 1, text + 1, strlen(text) - 1);
		return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(text));
	}
	(void)snprintf(a->un.sun_path, sizeof a->un.sun_path, "%s/%s", directory, text);
	(void)unlink(a->un.sun_path);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(a->un.sun_path) + 1);
}

static void fill(const union address *a, socklen_t size)
{
	for (int i = 0; i < 4; i++) {
		int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		(void)connect(fd, &a->any, size);
	}
}

static void start(const char *directory, size_t i, FILE *places)
{
	int fd = socket(servers[i].domain, servers[i].type | SOCK_CLOEXEC, 0), on = 1;
	union address a;
	socklen_t size = make_address(directory, i, &a);
	enum kind kind = servers[i].kind;
	bool listens = kind != CLOSED && servers[i].type != SOCK_DGRAM;

	if (bind(fd, &a.any, size) != 0 || getsockname(fd, &a.any, &size) != 0 ||
	    (listens && listen(fd, kind == FULL ? 0 : 512) != 0)) {
		perror(servers[i].name);
		exit(2);
	}
	if (kind == TELLER_DGRAM)
		(void)setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
	if (kind == FULL)
		fill(&a, size);
	watch(fd, kind);
	if (servers[i].domain == AF_UNIX)
		(void)fprintf(places, "%s %s 0\n", servers[i].name,
			      *servers[i].address == '@' ? servers[i].address : a.un.sun_path);
	else
		(void)fprintf(places, "%s %s %u\n", servers[i].name, servers[i].address,
			      ntohs(a.in.sin_port));
}

int serve(const char *directory)
{
	char name[256], final[256];
	FILE *places;

	(void)snprintf(name, sizeof name, "%s/places.new", directory);
	(void)snprintf(final, sizeof final, "%s/places", directory);
	places = fopen(name, "we");
	if (!places)
		return 2;
	for (size_t i = 0; i < ELEMENTS(servers); i++)
		start(directory, i, places);
	(void)fprintf(places, "unix-none %s/none 0\nunix-nowhere %s/none/none 0\n", directory,
		      directory);
	if (fclose(places) != 0 || rename(name, final) != 0)
		return 2;
	for (;;) {
		if (poll(polled, npolled, -1) < 0)
			return 2;
		/* from the last on: who ends is replaced by one that was served */
		for (nfds_t i = npolled; i-- > 0;) {
			if (polled[i].revents && kinds[i] != FULL && kinds[i] != CLOSED)
				serve_one(i);
		}
	}
}
