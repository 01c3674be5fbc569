/* SPDX-License-Identifier: GPL-3.0-or-later */
/* t-send.c - messages in their various forms, and what the kernel answers to them.
 *
 * "send-form" sends one to a server that counts. "send-states" goes through errors
 * and states on sockets of its own and prints one line each, which must be the same
 * whoever performs the call.
 */
#include "tests/lib/t-send.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

struct address inet(const char *host, unsigned port)
{
	struct address a = { .in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) },
			     .size = sizeof a.in };

	if (strchr(host, ':')) {
		a.in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6,
					       .sin6_port = htons((uint16_t)port) };
		a.size = sizeof a.in6;
		if (inet_pton(AF_INET6, host, &a.in6.sin6_addr) != 1)
			exit(setup_failed(host));
	} else if (inet_pton(AF_INET, host, &a.in.sin_addr) != 1) {
		exit(setup_failed(host));
	}
	return a;
}

int make_socket(int domain, int type, int protocol)
{
	int fd = socket(domain, type | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		exit(setup_failed("socket"));
	return fd;
}

struct address name_of(int fd)
{
	struct address a = { .size = sizeof a.in6 };

	if (getsockname(fd, &a.any, &a.size) != 0)
		exit(setup_failed("getsockname"));
	return a;
}

int server(const char *host, int type, struct address *ret)
{
	struct address a = inet(host, 0);
	int fd = make_socket(a.any.sa_family, type, 0);

	if (bind(fd, &a.any, a.size) != 0 || (type == SOCK_STREAM && listen(fd, 8) != 0))
		exit(setup_failed("bind"));
	*ret = name_of(fd);
	return fd;
}

long send_one(int fd, const struct address *to, const void *data, size_t size, int flags)
{
	struct iovec iov = { (void *)(uintptr_t)data, size };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (to) {
		m.msg_name = (void *)(uintptr_t)&to->any;
		m.msg_namelen = to->size;
	}
	return sendmsg(fd, &m, flags);
}

/* ---- one message in a certain form ---------------------------------------------- */

static long form_sendto(int fd, const struct address *a, int flags)
{
	return sendto(fd, "x", 1, flags, &a->any, a->size);
}

static long form_sendmsg(int fd, const struct address *a, int flags)
{
	return send_one(fd, a, "x", 1, flags);
}

static long form_sendmmsg(int fd, const struct address *a, int flags)
{
	struct iovec iov = { (void *)(uintptr_t) "x", 1 };
	struct mmsghdr m = { .msg_hdr = { .msg_name = (void *)(uintptr_t)&a->any,
					  .msg_namelen = a->size,
					  .msg_iov = &iov,
					  .msg_iovlen = 1 } };

	return sendmmsg(fd, &m, 1, flags);
}

/* The second message of two; the first one goes back to the sender. */
static long form_second(int fd, const struct address *a, int flags)
{
	struct address self = inet(a->any.sa_family == AF_INET ? "127.0.0.1" : "::1", 0);
	struct iovec iov = { (void *)(uintptr_t) "x", 1 };
	struct mmsghdr m[2] = { { .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1 } } };
	char byte;
	int n;

	m[1] = m[0];
	if (bind(fd, &self.any, self.size) != 0)
		exit(setup_failed("bind"));
	self = name_of(fd);
	m[0].msg_hdr.msg_name = &self.any;
	m[0].msg_hdr.msg_namelen = self.size;
	m[1].msg_hdr.msg_name = (void *)(uintptr_t)&a->any;
	m[1].msg_hdr.msg_namelen = a->size;
	n = sendmmsg(fd, m, 2, flags);
	if (n > 0 && recv(fd, &byte, 1, 0) != 1)
		exit(setup_failed("recv"));
	/* of a message that fails behind another one the kernel says nothing: ask again */
	return n == 1 ? sendmmsg(fd, m + 1, 1, flags) : n;
}

/* The address lies where the low half of its address is zero. */
static long form_high(int fd, const struct address *a, int flags)
{
	for (uintptr_t at = UINT64_C(1) << 32; at < UINT64_C(64) << 32; at += UINT64_C(1) << 32) {
		void *page = mmap((void *)at, 4096, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

		if (page != (void *)at)
			continue;
		memcpy(page, &a->any, a->size);
		return sendto(fd, "x", 1, flags, page, a->size);
	}
	exit(setup_failed("mmap"));
}

/* An IPv4 address without its family, which UDP takes all the same. */
static long form_unspecified(int fd, const struct address *a, int flags)
{
	struct address plain = *a;

	plain.any.sa_family = AF_UNSPEC;
	return form_sendto(fd, &plain, flags);
}

/* Connected to itself first: the address beats the connection. */
static long form_connected(int fd, const struct address *a, int flags)
{
	struct address self = inet(a->any.sa_family == AF_INET ? "127.0.0.1" : "::1", 0);

	if (bind(fd, &self.any, self.size) != 0)
		exit(setup_failed("bind"));
	self = name_of(fd);
	if (connect(fd, &self.any, self.size) != 0)
		exit(setup_failed("connect"));
	if (form_sendto(fd, a, flags) != 1)
		return -1;
	/* the echo comes from elsewhere; who has sent it was counted */
	return 0;
}

static const struct form {
	const char *name;
	long (*send)(int fd, const struct address *a, int flags);
	int domain, type, flags;
	bool echo; /* "ok" means that it came back */
} forms[] = {
	{ "sendto", form_sendto, 0, SOCK_DGRAM, 0, true },
	{ "sendmsg", form_sendmsg, 0, SOCK_DGRAM, 0, true },
	{ "sendmmsg", form_sendmmsg, 0, SOCK_DGRAM, 0, true },
	{ "second", form_second, 0, SOCK_DGRAM, 0, true },
	{ "high", form_high, 0, SOCK_DGRAM, 0, true },
	{ "unspecified", form_unspecified, 0, SOCK_DGRAM, 0, true },
	{ "connected", form_connected, 0, SOCK_DGRAM, 0, false },
	{ "inet-on-inet6", form_sendmsg, AF_INET6, SOCK_DGRAM, 0, true },
	{ "more", form_sendto, 0, SOCK_DGRAM, MSG_CONFIRM, true },
	{ "fastopen-sendto", form_sendto, 0, SOCK_STREAM, MSG_FASTOPEN, false },
	{ "fastopen-sendmsg", form_sendmsg, 0, SOCK_STREAM, MSG_FASTOPEN, false },
	{ "fastopen-sendmmsg", form_sendmmsg, 0, SOCK_STREAM, MSG_FASTOPEN, false },
	{ "fastopen-nonblock", form_sendto, 0, SOCK_STREAM | SOCK_NONBLOCK, MSG_FASTOPEN, false },
};

static int send_form(char **args)
{
	struct address a = inet(args[1], (unsigned)strtoul(args[2], NULL, 10));
	char byte;

	for (size_t i = 0; i < ELEMENTS(forms); i++) {
		const struct form *f = &forms[i];
		int fd;

		if (strcmp(f->name, args[0]) != 0)
			continue;
		fd = make_socket(f->domain ? f->domain : a.any.sa_family, f->type, 0);
		if (f->send(fd, &a, f->flags) < 0 && errno != EINPROGRESS)
			return say(-1);
		return say(f->echo ? recv(fd, &byte, 1, 0) : 0);
	}
	errno = EINVAL;
	return setup_failed(args[0]);
}

/* TCP_FASTOPEN_CONNECT: the connect returns at once, the first data connect. */
static int send_deferred(char **args)
{
	struct address a = inet(args[0], (unsigned)strtoul(args[1], NULL, 10));
	int fd = make_socket(a.any.sa_family, SOCK_STREAM, 0), on = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on) != 0)
		return setup_failed("TCP_FASTOPEN_CONNECT");
	if (connect(fd, &a.any, a.size) != 0)
		return say(-1);
	return say(send_one(fd, NULL, "x", 1, 0));
}

/* ---- states: what they have in common ---- */

void told(const char *what, long n)
{
	if (n < 0)
		(void)printf("%s: %s\n", what, strerrorname_np(errno));
	else
		(void)printf("%s: %ld\n", what, n);
}

volatile sig_atomic_t signals;

static void count_signal(int number)
{
	(void)number;
	signals++;
}

void on_signal(int number, int flags)
{
	struct sigaction action = { .sa_handler = count_signal, .sa_flags = flags };

	(void)sigaction(number, &action, NULL);
}

static const struct state *const groups[] = { datagram_states, stream_states };

static int send_states(char **args)
{
	bool list = strcmp(args[0], "list") == 0;

	for (size_t g = 0; g < ELEMENTS(groups); g++) {
		for (const struct state *s = groups[g]; s->name; s++) {
			if (list) {
				(void)printf("%s\n", s->name);
			} else if (strcmp(args[0], s->name) == 0) {
				s->run();
				return T_OK;
			}
		}
	}
	return list ? T_OK : T_SETUP;
}

const struct deed send_deeds[] = {
	{ "send-form", "FORM ADDRESS PORT", 3, send_form },
	{ "send-deferred", "ADDRESS PORT", 2, send_deferred },
	{ "send-slowly", "FULL-FILE GO-FILE", 2, send_slowly },
	{ "send-states", "list|STATE", 1, send_states },
	{ NULL, NULL, 0, NULL },
};
