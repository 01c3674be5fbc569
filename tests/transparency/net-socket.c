/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Steps that make, connect, bind and look at sockets. */
#include "tests/transparency/net.h"

#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/time.h>

#define FD(p) ((p)->fds[(p)->current])

static const struct {
	const char *name;
	int domain, type, protocol;
} sockets[] = {
	{ "tcp4", AF_INET, SOCK_STREAM, 0 },
	{ "tcp6", AF_INET6, SOCK_STREAM, 0 },
	{ "udp4", AF_INET, SOCK_DGRAM, 0 },
	{ "udp6", AF_INET6, SOCK_DGRAM, 0 },
	{ "unix", AF_UNIX, SOCK_STREAM, 0 },
	{ "unix-seq", AF_UNIX, SOCK_SEQPACKET, 0 },
	{ "unix-dgram", AF_UNIX, SOCK_DGRAM, 0 },
	{ "raw4", AF_INET, SOCK_RAW, IPPROTO_ICMP },
	{ "raw6", AF_INET6, SOCK_RAW, IPPROTO_ICMPV6 },
	{ "ping4", AF_INET, SOCK_DGRAM, IPPROTO_ICMP },
	{ "netlink", AF_NETLINK, SOCK_RAW, NETLINK_ROUTE },
	{ "packet", AF_PACKET, SOCK_DGRAM, 0 },
	{ "mptcp4", AF_INET, SOCK_STREAM, IPPROTO_MPTCP },
	{ "mptcp6", AF_INET6, SOCK_STREAM, IPPROTO_MPTCP },
	{ "sctp4", AF_INET, SOCK_STREAM, IPPROTO_SCTP },
	{ "udplite4", AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE },
	{ "vsock", AF_VSOCK, SOCK_STREAM, 0 },
	{ "alg", AF_ALG, SOCK_SEQPACKET, 0 },
	{ "nofamily", 45, SOCK_STREAM, 0 },
	{ "notype4", AF_INET, 9, 0 },
	{ "noprotocol4", AF_INET, SOCK_STREAM, 200 },
};

/* What is no socket, but a descriptor. */
static int open_other(const char *kind)
{
	int pair[2];

	if (strcmp(kind, "file") == 0)
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	if (strcmp(kind, "path") == 0)
		return open("/", O_PATH | O_CLOEXEC);
	if (strcmp(kind, "eventfd") == 0)
		return eventfd(0, EFD_CLOEXEC);
	if (strcmp(kind, "pipe") == 0)
		return pipe2(pair, O_CLOEXEC) == 0 ? pair[1] : -1;
	if (strcmp(kind, "minus") == 0)
		return -1;
	if (strcmp(kind, "none") == 0)
		return 987;
	if (strcmp(kind, "huge") == 0)
		return 0x7fffffff;
	(void)fprintf(stderr, "net-probe: there is no socket '%s'\n", kind);
	exit(2);
}

/* socket KIND [nonblock]; pair KIND */
static void do_socket(struct probe *p, char **words)
{
	int nonblock = words[2] && strcmp(words[2], "nonblock") == 0 ? SOCK_NONBLOCK : 0;
	int pair[2];

	for (size_t i = 0; i < ELEMENTS(sockets); i++) {
		int type = sockets[i].type | nonblock | SOCK_CLOEXEC;

		if (strcmp(words[1], sockets[i].name) != 0)
			continue;
		if (strcmp(words[0], "pair") == 0) {
			print_result("pair", socketpair(sockets[i].domain, type,
							sockets[i].protocol, pair));
			p->fds[p->current] = pair[0];
			p->fds[p->current + 1] = pair[1];
			return;
		}
		FD(p) = socket(sockets[i].domain, type, sockets[i].protocol);
		if (FD(p) < 0)
			print_result("socket", FD(p));
		return;
	}
	FD(p) = open_other(words[1]);
}

/* use N: steps are about another descriptor from here on */
static void do_use(struct probe *p, char **words)
{
	p->current = (int)number(words, 1) % FDS_MAX;
}

/* The address of a step: a place, "family=N", or none. */
static union address address_of(const struct probe *p, char **words, socklen_t *size)
{
	union address a = { .raw = { 0 } };
	const char *family = option(words, "family"), *length = option(words, "len");

	*size = sizeof(struct sockaddr_in);
	if (words[1] && strcmp(words[1], "-") != 0) {
		const struct place *place = place_of(p, words[1]);

		a = place->address;
		*size = place->size;
	}
	if (family)
		a.any.sa_family = (sa_family_t)strtol(family, NULL, 0);
	if (length)
		*size = (socklen_t)strtol(length, NULL, 0);
	return a;
}

/* connect|bind PLACE [family=N] [len=N] [at=WHERE] */
static void do_address(struct probe *p, char **words)
{
	socklen_t size;
	union address a = address_of(p, words, &size);
	void *at = lay_out(option(words, "at"), &a, size <= sizeof a ? size : sizeof a);
	bool binds = strcmp(words[0], "bind") == 0;

	print_result(words[0], binds ? bind(FD(p), at, size) : connect(FD(p), at, size));
}

/* lengths connect|bind KIND PLACE: every length from 0 to 200, each on a socket of its
 * own; what came out, as ranges.
 */
static void do_lengths(struct probe *p, char **words)
{
	const struct place *place = place_of(p, words[3]);
	char *open[] = { (char *)"socket", words[2], NULL };
	const char *last = NULL;
	socklen_t since = 0;

	for (socklen_t size = 0; size <= 201; size++) {
		const char *now = "end";
		int r;

		if (size <= 200) {
			do_socket(p, open);
			r = strcmp(words[1], "bind") == 0
				    ? bind(FD(p), &place->address.any, size)
				    : connect(FD(p), &place->address.any, size);
			now = r == 0 ? "ok" : strerrorname_np(errno);
			(void)close(FD(p));
		}
		if (last && strcmp(last, now) != 0) {
			say(" %u-%u=%s", since, size - 1, last);
			since = size;
		}
		last = now;
	}
}

static void do_listen(struct probe *p, char **words)
{
	print_result("listen", listen(FD(p), (int)number(words, 1)));
}

/* meet: the current socket listens; connect a new one to it, from descriptor 7 */
static void do_meet(struct probe *p, char **words)
{
	union address a;
	socklen_t size = sizeof a;

	(void)words;
	(void)getsockname(FD(p), &a.any, &size);
	p->fds[7] = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	print_result("meet", connect(p->fds[7], &a.any, size));
}

static void do_accept(struct probe *p, char **words)
{
	int fd = accept4(FD(p), NULL, NULL, SOCK_CLOEXEC);

	(void)words;
	print_result("accept", fd);
	if (fd >= 0)
		FD(p) = fd;
}

static void do_shutdown(struct probe *p, char **words)
{
	int how = strcmp(words[1], "rd") == 0   ? SHUT_RD
		  : strcmp(words[1], "wr") == 0 ? SHUT_WR
						: SHUT_RDWR;

	print_result("shutdown", shutdown(FD(p), how));
}

static void do_close(struct probe *p, char **words)
{
	(void)words;
	print_result("close", close(FD(p)));
}

/* dup N: the current one under another number of ours, which becomes the current one */
static void do_dup(struct probe *p, char **words)
{
	int fd = fcntl(FD(p), F_DUPFD_CLOEXEC, 0);

	p->current = (int)number(words, 1) % FDS_MAX;
	FD(p) = fd;
}

static void print_events(const char *name, unsigned events)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = { { POLLIN, "IN" },    { POLLOUT, "OUT" }, { POLLERR, "ERR" },
		      { POLLHUP, "HUP" },  { POLLPRI, "PRI" }, { POLLRDHUP, "RDHUP" },
		      { POLLNVAL, "NVAL" } };

	say(" %s=", name);
	for (size_t i = 0; i < ELEMENTS(names); i++) {
		if (events & names[i].bit)
			say("%s.", names[i].name);
	}
	if (!events)
		say("none");
}

/* poll [in] [hup] [ms=N]: waits for it to be writable, readable or hung up */
static void do_poll(struct probe *p, char **words)
{
	const char *ms = option(words, "ms");
	struct pollfd pollfd = { .fd = FD(p), .events = POLLOUT };

	if (words[1] && strcmp(words[1], "in") == 0)
		pollfd.events = POLLIN;
	if (words[1] && strcmp(words[1], "hup") == 0)
		pollfd.events = POLLRDHUP;
	if (poll(&pollfd, 1, ms ? atoi(ms) : 20000) < 0)
		print_result("poll", -1);
	else
		print_events("poll", (unsigned)pollfd.revents);
}

/* epoll: watched edge-triggered from here on, in descriptor 6; edge [ms=N]: what came */
static void do_epoll(struct probe *p, char **words)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET };

	(void)words;
	p->fds[6] = epoll_create1(EPOLL_CLOEXEC);
	print_result("epoll", epoll_ctl(p->fds[6], EPOLL_CTL_ADD, FD(p), &event));
}

static void do_edge(struct probe *p, char **words)
{
	const char *ms = option(words, "ms");
	struct epoll_event event = { .events = 0 };

	if (epoll_wait(p->fds[6], &event, 1, ms ? atoi(ms) : 20000) < 0)
		print_result("edge", -1);
	else
		print_events("edge", event.events);
}

static void do_soerror(struct probe *p, char **words)
{
	int error = 0;
	socklen_t size = sizeof error;

	(void)words;
	if (getsockopt(FD(p), SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		print_result("soerror", -1);
	else
		say(" soerror=%s", error ? strerrorname_np(error) : "0");
}

static void print_name(const struct probe *p, const char *name,
		       int (*get)(int, struct sockaddr *, socklen_t *))
{
	union address a = { .raw = { 0 } };
	socklen_t size = sizeof a;

	if (get(FD(p), &a.any, &size) < 0) {
		print_result(name, -1);
		return;
	}
	say(" %s=", name);
	print_address(p, &a, size);
}

/* state: everything about it that can be asked for */
static void do_state(struct probe *p, char **words)
{
	struct tcp_info info = { .tcpi_state = 0 };
	socklen_t size = sizeof info;
	int flags = fcntl(FD(p), F_GETFL);

	do_soerror(p, words);
	print_name(p, "name", getsockname);
	print_name(p, "peer", getpeername);
	say(" flags=%x", flags < 0 ? 0u : (unsigned)flags);
	if (getsockopt(FD(p), IPPROTO_TCP, TCP_INFO, &info, &size) == 0)
		say(" tcp=%u", info.tcpi_state);
}

static const struct {
	const char *name;
	int level, option;
	enum { NUMBER, MILLISECONDS, TEXT, LINGER } type;
} options[] = {
	{ "sndtimeo", SOL_SOCKET, SO_SNDTIMEO, MILLISECONDS },
	{ "rcvtimeo", SOL_SOCKET, SO_RCVTIMEO, MILLISECONDS },
	{ "broadcast", SOL_SOCKET, SO_BROADCAST, NUMBER },
	{ "reuseaddr", SOL_SOCKET, SO_REUSEADDR, NUMBER },
	{ "reuseport", SOL_SOCKET, SO_REUSEPORT, NUMBER },
	{ "sndbuf", SOL_SOCKET, SO_SNDBUF, NUMBER },
	{ "mark", SOL_SOCKET, SO_MARK, NUMBER },
	{ "device", SOL_SOCKET, SO_BINDTODEVICE, TEXT },
	{ "linger", SOL_SOCKET, SO_LINGER, LINGER },
	{ "passcred", SOL_SOCKET, SO_PASSCRED, NUMBER },
	{ "zerocopy", SOL_SOCKET, SO_ZEROCOPY, NUMBER },
	{ "v6only", IPPROTO_IPV6, IPV6_V6ONLY, NUMBER },
	{ "recverr", IPPROTO_IP, IP_RECVERR, NUMBER },
	{ "freebind", IPPROTO_IP, IP_FREEBIND, NUMBER },
	{ "ttl", IPPROTO_IP, IP_TTL, NUMBER },
	{ "user-timeout", IPPROTO_TCP, TCP_USER_TIMEOUT, NUMBER },
	{ "syncnt", IPPROTO_TCP, TCP_SYNCNT, NUMBER },
	{ "cork", IPPROTO_TCP, TCP_CORK, NUMBER },
	{ "fastopen-connect", IPPROTO_TCP, TCP_FASTOPEN_CONNECT, NUMBER },
	{ "defer-accept", IPPROTO_TCP, TCP_DEFER_ACCEPT, NUMBER },
};

/* opt NAME VALUE */
static void do_opt(struct probe *p, char **words)
{
	long value = number(words, 2);
	int plain = (int)value;
	struct timeval tv = { .tv_sec = value / 1000, .tv_usec = value % 1000 * 1000 };
	struct linger linger = { .l_onoff = 1, .l_linger = plain };
	const void *data = &plain;
	socklen_t size = sizeof plain;

	for (size_t i = 0; i < ELEMENTS(options); i++) {
		if (strcmp(words[1], options[i].name) != 0)
			continue;
		if (options[i].type == MILLISECONDS) {
			data = &tv;
			size = sizeof tv;
		} else if (options[i].type == TEXT) {
			data = words[2];
			size = (socklen_t)strlen(words[2]);
		} else if (options[i].type == LINGER) {
			data = &linger;
			size = sizeof linger;
		}
		if (setsockopt(FD(p), options[i].level, options[i].option, data, size) < 0)
			print_result(words[1], -1);
		return;
	}
	(void)fprintf(stderr, "net-probe: there is no option '%s'\n", words[1]);
	exit(2);
}

static void do_nonblock(struct probe *p, char **words)
{
	int flags = fcntl(FD(p), F_GETFL);

	(void)fcntl(FD(p), F_SETFL, number(words, 1) ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

const struct step socket_steps[] = {
	{ "socket", do_socket },     { "pair", do_socket },
	{ "use", do_use },           { "connect", do_address },
	{ "bind", do_address },      { "lengths", do_lengths },
	{ "listen", do_listen },     { "accept", do_accept },
	{ "meet", do_meet },         { "dup", do_dup },
	{ "shutdown", do_shutdown }, { "close", do_close },
	{ "poll", do_poll },         { "epoll", do_epoll },
	{ "edge", do_edge },         { "soerror", do_soerror },
	{ "state", do_state },       { "opt", do_opt },
	{ "nonblock", do_nonblock }, { NULL, NULL },
};
