/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Steps that send and receive. */
#include "tests/transparency/net.h"

#include <linux/errqueue.h>
#include <poll.h>
#include <sys/uio.h>

#define FD(p) ((p)->fds[(p)->current])

static const struct {
	const char *name;
	int flag;
} flag_names[] = {
	{ "nosignal", MSG_NOSIGNAL }, { "dontwait", MSG_DONTWAIT }, { "oob", MSG_OOB },
	{ "more", MSG_MORE },         { "confirm", MSG_CONFIRM },   { "dontroute", MSG_DONTROUTE },
	{ "eor", MSG_EOR },           { "fastopen", MSG_FASTOPEN }, { "zerocopy", MSG_ZEROCOPY },
	{ "peek", MSG_PEEK },         { "trunc", MSG_TRUNC },       { "waitall", MSG_WAITALL },
	{ "errqueue", MSG_ERRQUEUE }, { "strange", 0x00800000 },
};

static int flags_of(char **words)
{
	int flags = 0;

	for (; *words; words++) {
		for (size_t i = 0; i < ELEMENTS(flag_names); i++)
			flags |= strcmp(*words, flag_names[i].name) == 0 ? flag_names[i].flag : 0;
	}
	return flags;
}

static unsigned char pattern(size_t i)
{
	return (unsigned char)(i * 7 + i / 251);
}

/* The bytes that a step sends, where it wants them. */
static void *payload(char **words, size_t size)
{
	static unsigned char data[PAYLOAD_MAX];

	for (size_t i = 0; i < sizeof data; i++)
		data[i] = pattern(i);
	return lay_out(option(words, "data"), data, size < sizeof data ? size : sizeof data);
}

/* Where to, in memory as the step asks for; NULL and 0 for "-". */
static void *target(const struct probe *p, char **words, socklen_t *size)
{
	const char *family = option(words, "family"), *length = option(words, "len");
	union address a = { .raw = { 0 } };

	*size = 0;
	if (strcmp(words[1], "-") == 0 && !family)
		return NULL;
	*size = sizeof(struct sockaddr_in);
	if (strcmp(words[1], "-") != 0) {
		a = place_of(p, words[1])->address;
		*size = place_of(p, words[1])->size;
	}
	if (family)
		a.any.sa_family = (sa_family_t)strtol(family, NULL, 0);
	if (length)
		*size = (socklen_t)strtol(length, NULL, 0);
	return lay_out(option(words, "at"), &a, *size <= sizeof a ? *size : sizeof a);
}

/* send N [FLAG]... [data=WHERE]; write N; writev N */
static void do_send(struct probe *p, char **words)
{
	size_t size = (size_t)number(words, 1);
	void *data = payload(words, size);
	struct iovec iov = { .iov_base = data, .iov_len = size };

	if (strcmp(words[0], "write") == 0)
		print_count("write", write(FD(p), data, size));
	else if (strcmp(words[0], "writev") == 0)
		print_count("writev", writev(FD(p), &iov, 1));
	else
		print_count("send", send(FD(p), data, size, flags_of(words)));
}

/* sendto PLACE|- N [FLAG]... [data=WHERE] [at=WHERE] [len=N] [family=N] */
static void do_sendto(struct probe *p, char **words)
{
	size_t size = (size_t)number(words, 2);
	socklen_t length;
	void *to = target(p, words, &length);

	print_count("sendto",
		    sendto(FD(p), payload(words, size), size, flags_of(words), to, length));
}

/* Control messages by name; their size, 0 = none. */
static size_t add_control(const char *name, void *room)
{
	struct cmsghdr *c = room;
	struct in_pktinfo info = { .ipi_spec_dst.s_addr = htonl(0x7f000005) };
	int fd = STDOUT_FILENO, ttl = 42, bad = 12345;

#define CONTROL(level_, type_, value)                                                              \
	(*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(value)),                               \
				.cmsg_level = (level_),                                            \
				.cmsg_type = (type_) },                                            \
	 memcpy(CMSG_DATA(c), &(value), sizeof(value)), CMSG_SPACE(sizeof(value)))
	if (strcmp(name, "pktinfo") == 0)
		return CONTROL(IPPROTO_IP, IP_PKTINFO, info);
	if (strcmp(name, "ttl") == 0)
		return CONTROL(IPPROTO_IP, IP_TTL, ttl);
	if (strcmp(name, "ttl0") == 0) {
		ttl = 0;
		return CONTROL(IPPROTO_IP, IP_TTL, ttl);
	}
	if (strcmp(name, "unknown") == 0)
		return CONTROL(IPPROTO_IP, 200, bad);
	if (strcmp(name, "rights") == 0)
		return CONTROL(SOL_SOCKET, SCM_RIGHTS, fd);
	if (strcmp(name, "badrights") == 0)
		return CONTROL(SOL_SOCKET, SCM_RIGHTS, bad);
	if (strcmp(name, "creds") == 0) {
		struct ucred who = { getpid(), getuid(), getgid() };
		return CONTROL(SOL_SOCKET, SCM_CREDENTIALS, who);
	}
	if (strcmp(name, "short") == 0) {
		(void)CONTROL(IPPROTO_IP, IP_TTL, ttl);
		c->cmsg_len = 3;
		return CMSG_SPACE(sizeof ttl);
	}
	if (strcmp(name, "long") == 0) {
		(void)CONTROL(IPPROTO_IP, IP_TTL, ttl);
		c->cmsg_len = 4000;
		return CMSG_SPACE(sizeof ttl);
	}
	return 0;
#undef CONTROL
}

/* sendmsg PLACE|- N [parts=N] [control=NAME] [msg=WHERE] [iov=WHERE] ...; sendmmsg PLACE|-
 * N count=N [bad=N]: the Nth of its messages has data nowhere
 */
struct message {
	struct msghdr header;
	struct iovec iov[1100];
	union {
		struct cmsghdr align;
		char room[256];
	} control;
};

static void fill_message(struct probe *p, char **words, struct message *m)
{
	size_t size = (size_t)number(words, 2), parts = 1;
	const char *text = option(words, "parts"), *control = option(words, "control");
	char *data = payload(words, size);
	socklen_t length;

	if (text)
		parts = strtoul(text, NULL, 10);
	parts = parts <= ELEMENTS(m->iov) ? parts : ELEMENTS(m->iov);
	for (size_t i = 0; i < parts; i++) {
		m->iov[i].iov_base = data + size / parts * i;
		m->iov[i].iov_len = i + 1 < parts ? size / parts : size - size / parts * i;
	}
	m->header = (struct msghdr){ .msg_iov = m->iov, .msg_iovlen = parts };
	m->header.msg_name = target(p, words, &length);
	m->header.msg_namelen = length;
	if (option(words, "iov"))
		m->header.msg_iov = lay_out(option(words, "iov"), m->iov, parts * sizeof m->iov[0]);
	if (option(words, "iovlen"))
		m->header.msg_iovlen = strtoul(option(words, "iovlen"), NULL, 0);
	if (control) {
		m->header.msg_controllen = add_control(control, &m->control);
		m->header.msg_control = &m->control;
	}
	if (control && strcmp(control, "bad") == 0) {
		m->header.msg_control = (void *)8;
		m->header.msg_controllen = 64;
	}
	if (control && strcmp(control, "huge") == 0)
		m->header.msg_controllen = 1 << 20;
}

static void do_sendmsg(struct probe *p, char **words)
{
	static struct message m;
	const char *where = option(words, "msg");

	fill_message(p, words, &m);
	print_count("sendmsg",
		    sendmsg(FD(p), where ? lay_out(where, &m.header, sizeof m.header) : &m.header,
			    flags_of(words)));
}

static void do_sendmmsg(struct probe *p, char **words)
{
	static struct message m;
	static struct mmsghdr vector[2000];
	const char *count = option(words, "count"), *bad = option(words, "bad");
	unsigned n = count ? (unsigned)atoi(count) : 1;
	struct iovec nowhere = { .iov_base = (void *)8, .iov_len = 10 };

	fill_message(p, words, &m);
	for (unsigned i = 0; i < n && i < ELEMENTS(vector); i++)
		vector[i].msg_hdr = m.header;
	if (bad)
		vector[atoi(bad)].msg_hdr.msg_iov = &nowhere;
	print_count("sendmmsg", sendmmsg(FD(p), vector, n, flags_of(words)));
	for (unsigned i = 0; i < n && i < 4; i++)
		say(".%u", vector[i].msg_len);
}

/* Whether there is something to receive; a row that waits for ever says nothing. */
static bool comes(const struct probe *p, char **words)
{
	struct pollfd pollfd = { .fd = FD(p), .events = POLLIN };

	if (flags_of(words) & MSG_DONTWAIT || poll(&pollfd, 1, 10000) != 0)
		return true;
	say(" %s=nothing", words[0]);
	return false;
}

/* recv [FLAG]... [size=N]: what came, whether it is what was sent, and from whom */
static void do_recv(struct probe *p, char **words)
{
	static unsigned char data[PAYLOAD_MAX];
	const char *size = option(words, "size");
	union address from;
	socklen_t length = sizeof from;
	ssize_t n;

	if (!comes(p, words))
		return;
	n = recvfrom(FD(p), data, size ? (size_t)atoi(size) : sizeof data, flags_of(words),
		     &from.any, &length);
	print_count("recv", n);
	for (ssize_t i = 0; i < n; i++) {
		if (data[i] != pattern((size_t)i)) {
			say("(other)");
			break;
		}
	}
	if (n >= 0 && length) {
		say("<");
		print_address(p, &from, length);
	}
}

/* all N: receives until N bytes have come */
static void do_all(struct probe *p, char **words)
{
	static unsigned char data[PAYLOAD_MAX];
	size_t want = (size_t)number(words, 1), got = 0, wrong = 0;
	ssize_t n;

	while (got < want && comes(p, words)) {
		n = recv(FD(p), data, sizeof data, 0);
		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			wrong += data[i] != pattern(got + (size_t)i);
		got += (size_t)n;
	}
	say(" all=%zu wrong=%zu", got, wrong);
}

/* fill: sends until for a while nothing more has gone */
static void do_fill(struct probe *p, char **words)
{
	static char data[65536];
	static const struct timespec pause = { .tv_nsec = 5000000 };

	(void)words;
	for (int idle = 0; idle < 60; idle++) {
		while (send(FD(p), data, sizeof data, MSG_DONTWAIT) > 0)
			idle = 0;
		(void)nanosleep(&pause, NULL);
	}
	say(" filled");
}

/* What lies in the queue of errors. */
static void do_errqueue(struct probe *p, char **words)
{
	char data[64], control[512];
	struct iovec iov = { .iov_base = data, .iov_len = sizeof data };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof control };
	ssize_t n = recvmsg(FD(p), &m, MSG_ERRQUEUE | MSG_DONTWAIT);

	(void)words;
	print_count("errqueue", n);
	for (struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		struct sock_extended_err error;

		if (c->cmsg_len < CMSG_LEN(sizeof error))
			continue;
		memcpy(&error, CMSG_DATA(c), sizeof error);
		say("(%s %u)", error.ee_errno ? strerrorname_np((int)error.ee_errno) : "0",
		    error.ee_origin);
	}
}

/* who: what a teller says about us */
static void do_who(struct probe *p, char **words)
{
	struct ucred who;
	ssize_t n;

	if (!comes(p, words))
		return;
	n = recv(FD(p), &who, sizeof who, 0);
	if (n != sizeof who) {
		print_count("who", n);
		return;
	}
	say(" who=uid%s.gid%s.pid%s", who.uid == geteuid() ? "-own" : "-other",
	    who.gid == getegid() ? "-own" : "-other", who.pid == getpid() ? "-own" : "-other");
}

const struct step send_steps[] = {
	{ "send", do_send },     { "write", do_send },      { "writev", do_send },
	{ "sendto", do_sendto }, { "sendmsg", do_sendmsg }, { "sendmmsg", do_sendmmsg },
	{ "recv", do_recv },     { "all", do_all },         { "errqueue", do_errqueue },
	{ "who", do_who },       { "fill", do_fill },       { NULL, NULL },
};
