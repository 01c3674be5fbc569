/* SPDX-License-Identifier: GPL-3.0-or-later */
/* t-send-stream.c - what the kernel answers to messages of streams. */
#include "tests/lib/t-send.h"

#include <fcntl.h>
#include <linux/errqueue.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>

/* ---- streams ---- */

struct stream {
	int listener, near, far;
	struct address at;
};

/* BUFFER: bytes on either side, 0 = as they are. */
static struct stream make_stream(int buffer)
{
	struct stream s = { .listener = server("127.0.0.1", SOCK_STREAM, &s.at) };

	s.near = make_socket(AF_INET, SOCK_STREAM, 0);
	if (buffer) {
		(void)setsockopt(s.near, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
		(void)setsockopt(s.listener, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
	}
	if (connect(s.near, &s.at.any, s.at.size) != 0)
		exit(setup_failed("connect"));
	s.far = accept4(s.listener, NULL, NULL, SOCK_CLOEXEC);
	return s;
}

static struct stream connected(void)
{
	return make_stream(0);
}

static void disconnect(const struct stream *s)
{
	(void)close(s->near);
	(void)close(s->far);
	(void)close(s->listener);
}

static bool patterned(const char *data, size_t at, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (data[i] != (char)((at + i) * 7 / 3))
			return false;
	}
	return true;
}

/* Reads until the end: how much came, 0 when it was not the pattern. */
static void *read_all(void *data)
{
	int fd = *(int *)data;
	static char buf[100000];
	size_t got = 0;
	bool good = true;
	ssize_t n;

	while ((n = read(fd, buf, sizeof buf)) > 0) {
		good &= patterned(buf, got, (size_t)n);
		got += (size_t)n;
	}
	return (void *)(good ? got : 0);
}

static char *pattern(size_t size)
{
	char *data = malloc(size);

	for (size_t i = 0; data && i < size; i++)
		data[i] = (char)(i * 7 / 3);
	if (!data)
		exit(setup_failed("malloc"));
	return data;
}

static void large_stream(void)
{
	enum { SIZE = 12000000 };
	struct stream s = connected();
	char *data = pattern(SIZE);
	struct iovec iov[3] = { { data, 1 },
				{ data + 1, 999999 },
				{ data + 1000000, SIZE - 1000000 } };
	struct msghdr m = {
		.msg_iov = iov, .msg_iovlen = 3, .msg_name = &s.at.any, .msg_namelen = s.at.size
	};
	pthread_t reader;
	void *got;

	(void)pthread_create(&reader, NULL, read_all, &s.far);
	told("12 MB in three pieces, with a name", sendmsg(s.near, &m, 0));
	(void)shutdown(s.near, SHUT_WR);
	(void)pthread_join(reader, &got);
	told("read", (long)(size_t)got);
	free(data);
	disconnect(&s);
}

/* Prints how much of it, not how much: buffers differ from time to time. */
static void told_part(const char *what, long n, long all)
{
	if (n < 0)
		(void)printf("%s: %s\n", what, strerrorname_np(errno));
	else
		(void)printf("%s: %s\n", what, n == all ? "all" : n ? "part" : "nothing");
}

/* A stream that takes nothing more: neither side's buffer grows, nobody reads. */
static long fill(const struct stream *s, const char *data, long size)
{
	long sent = 0;

	/* what lies in the queue may still move on to the other side */
	for (int quiet = 0; quiet < 10; quiet++) {
		long n = send_one(s->near, NULL, data + sent, (size_t)(size - sent), MSG_DONTWAIT);

		if (n > 0) {
			sent += n;
			quiet = 0;
		}
		(void)poll(NULL, 0, 50);
	}
	return sent;
}

static struct stream narrow(void)
{
	return make_stream(32768);
}

enum { MUCH = 3000000 };

static void limit_time(int fd, int ms)
{
	struct timeval limit = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

/* More than one: on a busy machine the first may come before the call that it is for. */
static void begin_signals(void)
{
	(void)ualarm(100000, 100000);
}

static void end_signals(void)
{
	(void)ualarm(0, 0);
}

static void full_stream(void)
{
	struct stream s = narrow();
	char *data = pattern(MUCH);
	pthread_t reader;
	void *got;
	long sent;

	sent = fill(&s, data, MUCH);
	told("full", send_one(s.near, NULL, data, MUCH, MSG_DONTWAIT));
	limit_time(s.near, 300);
	told("full, with a limit", send_one(s.near, NULL, data, MUCH, 0));
	limit_time(s.near, 30000);
	on_signal(SIGALRM, 0);
	begin_signals();
	told("full, with a limit and a signal", send_one(s.near, NULL, data, MUCH, 0));
	limit_time(s.near, 0);
	told("full, with a signal", send_one(s.near, NULL, data, MUCH, 0));
	end_signals();
	(void)fcntl(s.near, F_SETFL, O_NONBLOCK);
	told("full, O_NONBLOCK", send_one(s.near, NULL, data, MUCH, 0));
	(void)fcntl(s.near, F_SETFL, 0);
	(void)pthread_create(&reader, NULL, read_all, &s.far);
	told_part("with a reader", send_one(s.near, NULL, data + sent, (size_t)(MUCH - sent), 0),
		  MUCH - sent);
	(void)shutdown(s.near, SHUT_WR);
	(void)pthread_join(reader, &got);
	told("read", (long)(size_t)got);
	free(data);
	disconnect(&s);
}

static void *read_after_signal(void *data)
{
	while (!signals)
		(void)poll(NULL, 0, 10);
	return read_all(data);
}

/* A signal ends a call that has sent something with the count. One that has sent
 * nothing goes on when the handler wants that.
 */
static void interrupted_stream(void)
{
	struct stream s = narrow();
	char *data = pattern(MUCH);
	long sent = fill(&s, data, MUCH / 2);
	pthread_t reader;
	void *got;

	on_signal(SIGALRM, SA_RESTART);
	signals = 0;
	(void)pthread_create(&reader, NULL, read_after_signal, &s.far);
	(void)ualarm(200000, 0);
	told_part("restarted", send_one(s.near, NULL, data + sent, (size_t)(MUCH - sent), 0),
		  MUCH - sent);
	(void)shutdown(s.near, SHUT_WR);
	(void)pthread_join(reader, &got);
	told("read", (long)(size_t)got);
	told("signals", signals);
	disconnect(&s);
	s = narrow();
	on_signal(SIGALRM, 0);
	signals = 0;
	begin_signals();
	told_part("interrupted", send_one(s.near, NULL, data, MUCH, 0), MUCH);
	end_signals();
	told("by a signal", signals > 0);
	free(data);
	disconnect(&s);
}

static const char *go_file;

static void *read_when_told(void *data)
{
	while (access(go_file, F_OK) != 0)
		(void)poll(NULL, 0, 10);
	return read_all(data);
}

/* FULL-FILE GO-FILE: a message that does not find room for all of it. There is
 * FULL-FILE just before it is sent; it is read when there is GO-FILE.
 */
int send_slowly(char **args)
{
	struct stream s = narrow();
	char *data = pattern(MUCH);
	pthread_t reader;
	void *got;

	go_file = args[1];
	if (write_file(args[0], "") != 0)
		return setup_failed(args[0]);
	(void)pthread_create(&reader, NULL, read_when_told, &s.far);
	told_part("sent", send_one(s.near, NULL, data, MUCH, 0), MUCH);
	(void)shutdown(s.near, SHUT_WR);
	(void)pthread_join(reader, &got);
	told_part("read", (long)(size_t)got, MUCH);
	return T_OK;
}

static void broken_stream(void)
{
	struct stream s = connected();
	int lone = make_socket(AF_INET, SOCK_STREAM, 0);
	struct iovec iov = { (void *)(uintptr_t) "x", 1 };
	struct mmsghdr m = { .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1 } };

	on_signal(SIGPIPE, 0);
	signals = 0;
	told("never connected", send_one(lone, NULL, "x", 1, 0));
	told("signals", signals);
	told("never connected, with a name", send_one(lone, &s.at, "x", 1, 0));
	told("sendto", sendto(lone, "x", 1, 0, &s.at.any, s.at.size));
	told("sendto, no size", sendto(lone, "x", 1, 0, &s.at.any, 0));
	told("signals", signals);
	told("MSG_NOSIGNAL", send_one(lone, NULL, "x", 1, MSG_NOSIGNAL));
	told("signals", signals);
	(void)shutdown(s.near, SHUT_WR);
	told("shut down", send_one(s.near, NULL, "x", 1, 0));
	told("several", sendmmsg(s.near, &m, 1, 0));
	told("signals", signals);
	told("listening", send_one(s.listener, NULL, "x", 1, 0));
	told("signals", signals);
	(void)close(lone);
	disconnect(&s);
	(void)signal(SIGPIPE, SIG_DFL);
}

static void urgent_stream(void)
{
	struct stream s = connected();
	char data[16] = "";
	struct pollfd p = { .fd = s.far, .events = POLLPRI };

	told("MSG_OOB", send_one(s.near, NULL, "ab", 2, MSG_OOB));
	(void)poll(&p, 1, 10000);
	told("urgent", recv(s.far, data, 1, MSG_OOB));
	(void)printf("%c\n", data[0]);
	told("MSG_MORE", send_one(s.near, NULL, "cd", 2, MSG_MORE));
	told("after it", send_one(s.near, NULL, "ef", 2, 0));
	told("read", recv(s.far, data, 5, MSG_WAITALL));
	(void)printf("%.5s\n", data);
	disconnect(&s);
}

static void unreadable_stream(void)
{
	struct stream s = connected();
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec iov[2] = { { pages, 16 }, { BAD, 16 } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };

	(void)munmap(pages + 4096, 4096);
	told("no data", send_one(s.near, NULL, BAD, 10, 0));
	told("the end of it missing", send_one(s.near, NULL, pages + 4000, 200, 0) < 0 ? -1 : 1);
	told("the second piece missing", sendmsg(s.near, &m, 0) < 0 ? -1 : 1);
	(void)munmap(pages, 4096);
	disconnect(&s);
}

static void zerocopy_stream(void)
{
	struct stream s = connected();
	char data[100], control[256];
	struct msghdr m = { .msg_control = control, .msg_controllen = sizeof control };
	struct pollfd p = { .fd = s.near, .events = 0 };
	static char page[20000];
	int on = 1;
	struct sock_extended_err *e;

	told("flag alone", send_one(s.near, NULL, page, 100, MSG_ZEROCOPY));
	if (setsockopt(s.near, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on) != 0)
		return;
	told("zero copy", send_one(s.near, NULL, page, sizeof page, MSG_ZEROCOPY));
	told("zero copy again", send_one(s.near, NULL, page, sizeof page, MSG_ZEROCOPY));
	for (size_t got = 0; got < 100 + 2 * sizeof page;) {
		ssize_t n = recv(s.far, data, sizeof data, 0);

		if (n <= 0)
			break;
		got += (size_t)n;
	}
	for (unsigned next = 0; next < 2;) {
		m.msg_controllen = sizeof control;
		if (poll(&p, 1, 10000) != 1 || recvmsg(s.near, &m, MSG_ERRQUEUE) < 0)
			break;
		e = (void *)CMSG_DATA(CMSG_FIRSTHDR(&m));
		if (e->ee_origin == SO_EE_ORIGIN_ZEROCOPY)
			next = e->ee_data + 1;
		if (next == 2)
			(void)printf("both completed\n");
	}
	disconnect(&s);
}

/* ---- MSG_FASTOPEN ---- */

static void fast_open(void)
{
	struct stream s = connected();
	struct address nobody;
	int closed = server("127.0.0.1", SOCK_STREAM, &nobody);
	struct address none = s.at;
	struct address six = inet("::1", 1);
	int fd;
	char byte;

	(void)close(closed);
	fd = make_socket(AF_INET, SOCK_STREAM, 0);
	told("fast open", sendto(fd, "x", 1, MSG_FASTOPEN, &s.at.any, s.at.size));
	(void)close(s.far);
	s.far = accept4(s.listener, NULL, NULL, SOCK_CLOEXEC);
	told("arrives", recv(s.far, &byte, 1, 0));
	told("connected", sendto(fd, "x", 1, MSG_FASTOPEN, &s.at.any, s.at.size));
	(void)close(fd);
	fd = make_socket(AF_INET, SOCK_STREAM, 0);
	on_signal(SIGPIPE, 0);
	told("closed port", sendto(fd, "x", 1, MSG_FASTOPEN, &nobody.any, nobody.size));
	none.any.sa_family = AF_UNSPEC;
	told("unspecified", sendto(fd, "x", 1, MSG_FASTOPEN, &none.any, none.size));
	told("no name", send_one(fd, NULL, "x", 1, MSG_FASTOPEN));
	told("another family", sendto(fd, "x", 1, MSG_FASTOPEN, &six.any, six.size));
	told("size 1", sendto(fd, "x", 1, MSG_FASTOPEN, &s.at.any, 1));
	told("size 0", sendto(fd, "x", 1, MSG_FASTOPEN, &s.at.any, 0));
	(void)close(fd);
	fd = make_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	told("O_NONBLOCK, closed port", sendto(fd, "x", 1, MSG_FASTOPEN, &nobody.any, nobody.size));
	(void)close(fd);
	(void)signal(SIGPIPE, SIG_DFL);
	disconnect(&s);
}

const struct state stream_states[] = {
	{ "large-stream", large_stream },
	{ "full-stream", full_stream },
	{ "interrupted-stream", interrupted_stream },
	{ "broken-stream", broken_stream },
	{ "urgent-stream", urgent_stream },
	{ "unreadable-stream", unreadable_stream },
	{ "zerocopy-stream", zerocopy_stream },
	{ "fast-open", fast_open },
	{ NULL, NULL },
};
