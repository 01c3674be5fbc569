/* SPDX-License-Identifier: GPL-3.0-or-later */
/* t-send-datagram.c - what the kernel answers to messages of datagram sockets. */
#include "tests/lib/t-send.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdint.h>

static void wrong_arguments(void)
{
	struct address a;
	int peer = server("127.0.0.1", SOCK_DGRAM, &a), fd = make_socket(AF_INET, SOCK_DGRAM, 0);
	int file = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct sockaddr strange = { .sa_family = 200 };
	char big[256] = { 0 };

	memcpy(big, &a.any, a.size);
	told("no descriptor", sendto(-1, "x", 1, 0, &a.any, a.size));
	told("no socket", sendto(file, "x", 1, 0, &a.any, a.size));
	told("no data", sendto(fd, BAD, 1, 0, &a.any, a.size));
	told("no data, none asked for", sendto(fd, BAD, 0, 0, &a.any, a.size));
	told("kernel data", sendto(-1, (void *)(UINT64_MAX - 4095), 1, 0, &a.any, a.size));
	told("no address", sendto(fd, "x", 1, 0, BAD, a.size));
	told("no address, no data", sendto(fd, BAD, 1, 0, BAD, a.size));
	told("size 0", sendto(fd, "x", 1, 0, &a.any, 0));
	told("size 1", sendto(fd, "x", 1, 0, &a.any, 1));
	told("size 8", sendto(fd, "x", 1, 0, &a.any, 8));
	told("size 128", sendto(fd, "x", 1, 0, (void *)big, 128));
	told("size 129", sendto(fd, "x", 1, 0, (void *)big, 129));
	told("size -1", sendto(fd, "x", 1, 0, &a.any, (socklen_t)-1));
	told("family 200", sendto(fd, "x", 1, 0, &strange, sizeof strange));
	told("MSG_OOB", sendto(fd, "x", 1, MSG_OOB, &a.any, a.size));
	a.in.sin_port = 0;
	told("port 0", sendto(fd, "x", 1, 0, &a.any, a.size));
	(void)close(file);
	(void)close(fd);
	(void)close(peer);
}

static void wrong_messages(void)
{
	struct address a;
	int peer = server("127.0.0.1", SOCK_DGRAM, &a), fd = make_socket(AF_INET, SOCK_DGRAM, 0);
	static struct iovec many[1025];
	struct iovec iov = { (void *)(uintptr_t) "x", 1 };
	struct msghdr good = {
		.msg_name = &a.any, .msg_namelen = a.size, .msg_iov = &iov, .msg_iovlen = 1
	};
	struct msghdr m = good;
	static char control[200000];

	told("no message", sendmsg(fd, BAD, 0));
	told("no descriptor, no message", sendmsg(-1, BAD, 0));
	m.msg_iov = BAD;
	told("no vector", sendmsg(fd, &m, 0));
	m.msg_name = BAD;
	told("no name, no vector", sendmsg(fd, &m, 0));
	m = good;
	m.msg_iovlen = 1025;
	m.msg_iov = many;
	told("1025 pieces", sendmsg(fd, &m, 0));
	m.msg_name = BAD;
	told("1025 pieces, no name", sendmsg(fd, &m, 0));
	m = good;
	m.msg_iovlen = 1024;
	m.msg_iov = many;
	for (size_t i = 0; i < 1024; i++)
		many[i] = (struct iovec){ (void *)(uintptr_t) "y", 1 };
	told("1024 pieces", sendmsg(fd, &m, 0));
	told("arrive", recv(peer, control, sizeof control, 0));
	m = good;
	m.msg_iovlen = 0;
	told("no pieces", sendmsg(fd, &m, 0));
	told("arrive", recv(peer, control, sizeof control, 0));
	m = good;
	m.msg_namelen = 4096;
	told("name of 4096", sendmsg(fd, &m, 0));
	m.msg_namelen = (socklen_t)-1;
	told("name of -1", sendmsg(fd, &m, 0));
	m.msg_name = NULL;
	told("NULL name of -1", sendmsg(fd, &m, 0));
	m = good;
	iov.iov_len = (size_t)-1;
	told("piece of -1", sendmsg(fd, &m, 0));
	iov.iov_len = 1;
	m.msg_control = BAD;
	m.msg_controllen = 64;
	told("no control", sendmsg(fd, &m, 0));
	m.msg_control = control;
	told("control of zeros", sendmsg(fd, &m, 0));
	m.msg_controllen = 1;
	told("control of one byte", sendmsg(fd, &m, 0));
	m.msg_controllen = sizeof control;
	told("much control", sendmsg(fd, &m, 0));
	m.msg_controllen = (size_t)1 << 33;
	told("control of 8 GiB", sendmsg(fd, &m, 0));
	(void)close(fd);
	(void)close(peer);
}

static void datagram_sizes(void)
{
	static const size_t sizes[] = { 0, 1, 1472, 65507, 65508, 65536, 70000, 1 << 20 };
	static char data[1 << 20];
	struct address a;
	int peer = server("127.0.0.1", SOCK_DGRAM, &a), fd = make_socket(AF_INET, SOCK_DGRAM, 0);

	for (size_t i = 0; i < ELEMENTS(sizes); i++) {
		(void)printf("%zu ", sizes[i]);
		told("sent", sendto(fd, data, sizes[i], 0, &a.any, a.size));
		(void)printf("%zu ", sizes[i]);
		told("message", send_one(fd, &a, data, sizes[i], 0));
		while (recv(peer, data, sizeof data, MSG_DONTWAIT) >= 0)
			;
	}
	told("70000 that are not there", sendto(fd, BAD, 70000, 0, &a.any, a.size));
	(void)close(fd);
	(void)close(peer);
}

static void destinations(void)
{
	static const char *const hosts[] = { "127.0.0.1", "127.9.9.9", "240.0.0.1",
					     "255.255.255.255", "0.0.0.0" };
	struct address a, nobody;
	int peer = server("127.0.0.1", SOCK_DGRAM, &a), on = 1;
	int closed = server("127.0.0.1", SOCK_DGRAM, &nobody);
	int fd = make_socket(AF_INET, SOCK_DGRAM, 0), six = make_socket(AF_INET6, SOCK_DGRAM, 0);
	struct address mapped = inet("::ffff:127.0.0.1", ntohs(a.in.sin_port));
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct address none = mapped;

	(void)close(closed);
	for (size_t i = 0; i < ELEMENTS(hosts); i++) {
		struct address to = inet(hosts[i], ntohs(a.in.sin_port));

		told(hosts[i], sendto(fd, "x", 1, 0, &to.any, to.size));
	}
	told("nowhere", send_one(fd, NULL, "x", 1, 0));
	told("mapped", sendto(six, "x", 1, 0, &mapped.any, mapped.size));
	told("inet on inet6", sendto(six, "x", 1, 0, &a.any, a.size));
	none.any.sa_family = AF_UNSPEC;
	told("unspecified on inet6", sendto(six, "x", 1, 0, &none.any, none.size));
	(void)setsockopt(six, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	(void)close(six);
	six = make_socket(AF_INET6, SOCK_DGRAM, 0);
	(void)setsockopt(six, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	told("mapped, v6 only", sendto(six, "x", 1, 0, &mapped.any, mapped.size));
	told("inet6 on inet", sendto(fd, "x", 1, 0, &mapped.any, mapped.size));
	/* port unreachable comes back as the error of the next call */
	(void)connect(fd, &nobody.any, nobody.size);
	told("to a closed port", send_one(fd, NULL, "x", 1, 0));
	(void)poll(&p, 1, 10000);
	told("and again", send_one(fd, NULL, "x", 1, 0));
	told("connected, elsewhere", sendto(fd, "x", 1, 0, &a.any, a.size));
	(void)shutdown(fd, SHUT_WR);
	on_signal(SIGPIPE, 0);
	signals = 0;
	told("shut down", send_one(fd, NULL, "x", 1, 0));
	told("shut down, elsewhere", sendto(fd, "x", 1, 0, &a.any, a.size));
	told("signals", signals);
	(void)close(six);
	(void)close(fd);
	(void)close(peer);
}

static void several(void)
{
	struct address a;
	int peer = server("127.0.0.1", SOCK_DGRAM, &a), fd = make_socket(AF_INET, SOCK_DGRAM, 0);
	struct iovec iov[40];
	struct mmsghdr m[40] = { { .msg_len = 0 } };
	char data[64];

	for (unsigned i = 0; i < ELEMENTS(m); i++) {
		iov[i] = (struct iovec){ data, i + 1 };
		m[i].msg_hdr = (struct msghdr){ .msg_name = &a.any,
						.msg_namelen = a.size,
						.msg_iov = &iov[i],
						.msg_iovlen = 1 };
		m[i].msg_len = 77;
	}
	told("none", sendmmsg(fd, m, 0, 0));
	told("none, no descriptor", sendmmsg(-1, m, 0, 0));
	told("no vector", sendmmsg(fd, BAD, 2, 0));
	told("forty", sendmmsg(fd, m, 40, 0));
	for (unsigned i = 0; i < ELEMENTS(m); i++)
		(void)printf("%u ", m[i].msg_len);
	for (unsigned i = 0; i < ELEMENTS(m); i++)
		(void)printf("%zd ", recv(peer, data, sizeof data, MSG_DONTWAIT));
	(void)printf("\n");
	m[0].msg_len = m[1].msg_len = m[2].msg_len = 77;
	iov[2].iov_base = BAD;
	told("the third one bad", sendmmsg(fd, m, 5, 0));
	(void)printf("lengths %u %u %u\n", m[0].msg_len, m[1].msg_len, m[2].msg_len);
	iov[0].iov_base = BAD;
	told("the first one bad", sendmmsg(fd, m, 5, 0));
	m[1].msg_hdr.msg_name = NULL;
	told("nowhere", sendmmsg(fd, m + 1, 1, 0));
	(void)close(fd);
	(void)close(peer);
}

/* ---- control messages ---- */

union control {
	struct cmsghdr head;
	char room[256];
};

static void add_control(struct msghdr *m, union control *c, int level, int type, const void *data,
			size_t size)
{
	memset(c, 0, sizeof *c);
	m->msg_control = c;
	m->msg_controllen = CMSG_SPACE(size);
	c->head.cmsg_level = level;
	c->head.cmsg_type = type;
	c->head.cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(&c->head), data, size);
}

static void show_received(int fd)
{
	char data[4096];
	union control c;
	struct address from = { .size = 0 };
	struct iovec iov = { data, sizeof data };
	struct msghdr m = { .msg_name = &from.any,
			    .msg_namelen = sizeof from.in6,
			    .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &c,
			    .msg_controllen = sizeof c };
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);
	int value = 0;

	if (n < 0) {
		(void)printf("nothing\n");
		return;
	}
	if (m.msg_controllen && c.head.cmsg_len <= CMSG_LEN(sizeof value))
		memcpy(&value, CMSG_DATA(&c.head), c.head.cmsg_len - CMSG_LEN(0));
	(void)printf("%zd bytes, control %d:%d = %d", n, m.msg_controllen ? c.head.cmsg_level : 0,
		     m.msg_controllen ? c.head.cmsg_type : 0, value);
	if (from.any.sa_family == AF_INET)
		(void)printf(" from %s", inet_ntoa(from.in.sin_addr));
	(void)printf("\n");
}

static void control_messages(void)
{
	struct address a, b;
	int peer = server("127.0.0.1", SOCK_DGRAM, &a), six = server("::1", SOCK_DGRAM, &b);
	int fd = make_socket(AF_INET, SOCK_DGRAM, 0), fd6 = make_socket(AF_INET6, SOCK_DGRAM, 0);
	char data[2500] = { 0 };
	struct iovec iov = { data, 5 };
	struct msghdr m = {
		.msg_name = &a.any, .msg_namelen = a.size, .msg_iov = &iov, .msg_iovlen = 1
	};
	struct in_pktinfo from = { .ipi_spec_dst.s_addr = htonl(0x7f000005) };
	int on = 1, ttl = 42, tos = 0x10, mark = 7, high = 1000;
	uint16_t segment = 1000;
	union control c;

	(void)setsockopt(peer, SOL_IP, IP_RECVTTL, &on, sizeof on);
	add_control(&m, &c, SOL_IP, IP_TTL, &ttl, sizeof ttl);
	told("IP_TTL", sendmsg(fd, &m, 0));
	show_received(peer);
	add_control(&m, &c, SOL_IP, IP_TOS, &tos, sizeof tos);
	told("IP_TOS", sendmsg(fd, &m, 0));
	show_received(peer);
	add_control(&m, &c, SOL_IP, IP_PKTINFO, &from, sizeof from);
	told("IP_PKTINFO", sendmsg(fd, &m, 0));
	show_received(peer);
	from.ipi_spec_dst.s_addr = htonl(0x01020304);
	add_control(&m, &c, SOL_IP, IP_PKTINFO, &from, sizeof from);
	told("IP_PKTINFO of another host", sendmsg(fd, &m, 0));
	add_control(&m, &c, SOL_IP, IP_TTL, &high, sizeof high);
	told("IP_TTL 1000", sendmsg(fd, &m, 0));
	iov.iov_len = sizeof data;
	add_control(&m, &c, SOL_UDP, UDP_SEGMENT, &segment, sizeof segment);
	told("UDP_SEGMENT", sendmsg(fd, &m, 0));
	show_received(peer);
	show_received(peer);
	show_received(peer);
	iov.iov_len = 5;
	add_control(&m, &c, SOL_SOCKET, SO_MARK, &mark, sizeof mark);
	told("SO_MARK", sendmsg(fd, &m, 0));
	add_control(&m, &c, SOL_IP, 99, &mark, sizeof mark);
	told("unknown", sendmsg(fd, &m, 0));
	m.msg_name = &b.any;
	m.msg_namelen = b.size;
	(void)setsockopt(six, SOL_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof on);
	add_control(&m, &c, SOL_IPV6, IPV6_HOPLIMIT, &ttl, sizeof ttl);
	told("IPV6_HOPLIMIT", sendmsg(fd6, &m, 0));
	show_received(six);
	(void)close(fd);
	(void)close(fd6);
	(void)close(peer);
	(void)close(six);
}

/* ---- other families ---- */

static void netlink(void)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct {
		struct nlmsghdr head;
		struct rtgenmsg body;
	} ask = { { .nlmsg_len = sizeof ask,
		    .nlmsg_type = RTM_GETLINK,
		    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		  { .rtgen_family = AF_UNSPEC } };
	int fd = make_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	char answer[8192];

	told("ask", sendto(fd, &ask, sizeof ask, 0, (void *)&kernel, sizeof kernel));
	told("answered", recv(fd, answer, sizeof answer, 0) > 0);
	told("portid is the pid", 1);
	(void)close(fd);
}

/* The header of a datagram that is raw: protocol 253 is for experiments. */
static void raw(void)
{
	struct address a = inet("127.0.0.1", 0);
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 253), on = 1;
	struct iphdr head = { .ihl = 5,
			      .version = 4,
			      .tot_len = htons(sizeof head),
			      .ttl = 9,
			      .protocol = 253,
			      .saddr = htonl(INADDR_LOOPBACK),
			      .daddr = htonl(INADDR_LOOPBACK) };

	if (fd < 0) {
		(void)printf("no raw sockets\n");
		return;
	}
	told("raw", sendto(fd, "abc", 3, 0, &a.any, a.size));
	show_received(fd);
	(void)setsockopt(fd, IPPROTO_IP, IP_HDRINCL, &on, sizeof on);
	told("with its header", sendto(fd, &head, sizeof head, 0, &a.any, a.size));
	show_received(fd);
	told("too short a header", sendto(fd, &head, 10, 0, &a.any, a.size));
	a.any.sa_family = AF_UNSPEC;
	told("unspecified", sendto(fd, &head, sizeof head, 0, &a.any, a.size));
	(void)close(fd);
}

static void ping(void)
{
	struct address a = inet("127.0.0.1", 0);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);
	struct icmphdr echo = { .type = ICMP_ECHO };

	if (fd < 0) {
		(void)printf("no ping sockets\n");
		return;
	}
	told("ping", sendto(fd, &echo, sizeof echo, 0, &a.any, a.size));
	told("pong", recv(fd, &echo, sizeof echo, 0));
	a.any.sa_family = AF_UNSPEC;
	told("unspecified", sendto(fd, &echo, sizeof echo, 0, &a.any, a.size));
	(void)close(fd);
}

const struct state datagram_states[] = {
	{ "wrong-arguments", wrong_arguments },
	{ "wrong-messages", wrong_messages },
	{ "datagram-sizes", datagram_sizes },
	{ "destinations", destinations },
	{ "several", several },
	{ "control-messages", control_messages },
	{ "netlink", netlink },
	{ "raw", raw },
	{ "ping", ping },
	{ NULL, NULL },
};
