/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages between guard's processes: base/seqpacket.c. */
#include "config.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/seqpacket.h"

static int pair[2];
static char body[SEQPACKET_MAX + 1], got[SEQPACKET_MAX];

static void setup(void)
{
	cr_assert_eq(seqpacket_pair(pair), 0);
}

TestSuite(seqpacket, .init = setup);

static size_t open_fds(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

struct size_row {
	uint32_t size;
	int want; /* of the send */
};

ParameterizedTestParameters(seqpacket, sizes)
{
	static struct size_row rows[] = {
		{ 0, 0 },
		{ 1, 0 },
		{ 4096, 0 },
		{ SEQPACKET_MAX, 0 },
		{ SEQPACKET_MAX + 1, -EMSGSIZE },
	};
	return cr_make_param_array(struct size_row, rows, ELEMENTS(rows));
}

ParameterizedTest(struct size_row *r, seqpacket, sizes)
{
	struct seqpacket_head head = { .type = 7, .size = r->size, .seq = UINT64_MAX };
	struct seqpacket_head in = { 0 };

	for (size_t i = 0; i < r->size; i++)
		body[i] = (char)(i * 31);
	cr_assert_eq(seqpacket_send(pair[0], &head, body, NULL, 0), r->want);
	if (r->want != 0)
		return;
	cr_assert_eq(seqpacket_receive(pair[1], &in, got, sizeof got, NULL, NULL), r->size);
	cr_expect_eq(memcmp(&in, &head, sizeof head), 0);
	cr_expect_eq(memcmp(got, body, r->size), 0);
}

Test(seqpacket, pair_flags)
{
	for (int i = 0; i < 2; i++) {
		cr_expect(fcntl(pair[i], F_GETFD) & FD_CLOEXEC);
		cr_expect(fcntl(pair[i], F_GETFL) & O_NONBLOCK);
	}
}

Test(seqpacket, nothing_there_and_nobody_reads)
{
	struct seqpacket_head head = { .size = 4096 };
	int error = 0, sent = 0;

	cr_expect_eq(seqpacket_receive(pair[1], &head, got, sizeof got, NULL, NULL), -EAGAIN);
	head.size = 4096;
	for (sent = 0; sent < 100000 && error == 0; sent++)
		error = seqpacket_send(pair[0], &head, body, NULL, 0);
	cr_expect_eq(error, -EAGAIN);
	cr_expect_gt(sent, 20);
}

Test(seqpacket, a_dead_peer_is_epipe_without_a_signal)
{
	struct seqpacket_head head = { 0 };

	(void)close(pair[1]);
	cr_expect_eq(seqpacket_send(pair[0], &head, NULL, NULL, 0), -EPIPE);
	cr_expect_eq(seqpacket_receive(pair[0], &head, got, sizeof got, NULL, NULL), -EPIPE);
}

/* The kernel reports ECONNRESET before what the peer had sent. */
Test(seqpacket, what_a_dead_peer_sent_is_received)
{
	struct seqpacket_head head = { .type = 1 }, in;

	cr_assert_eq(seqpacket_send(pair[0], &head, NULL, NULL, 0), 0); /* never read */
	head.type = 2;
	cr_assert_eq(seqpacket_send(pair[1], &head, NULL, NULL, 0), 0);
	(void)close(pair[1]);
	cr_assert_eq(seqpacket_receive(pair[0], &in, got, sizeof got, NULL, NULL), 0);
	cr_expect_eq(in.type, 2);
	cr_expect_eq(seqpacket_receive(pair[0], &in, got, sizeof got, NULL, NULL), -EPIPE);
}

Test(seqpacket, descriptors)
{
	struct seqpacket_head head = { .type = 3 }, in;
	int fds[SEQPACKET_MAX_FDS], out[SEQPACKET_MAX_FDS + 1] = { 0 };
	size_t before = open_fds(), nfds = 99;

	cr_expect_eq(seqpacket_send(pair[0], &head, NULL, out, SEQPACKET_MAX_FDS + 1), -EINVAL);
	cr_assert_eq(seqpacket_send(pair[0], &head, NULL, out, SEQPACKET_MAX_FDS), 0);
	cr_assert_eq(seqpacket_receive(pair[1], &in, got, sizeof got, fds, &nfds), 0);
	cr_assert_eq(nfds, SEQPACKET_MAX_FDS);
	for (size_t i = 0; i < nfds; i++) {
		cr_expect(fcntl(fds[i], F_GETFD) & FD_CLOEXEC);
		(void)close(fds[i]);
	}
	/* not wanted: closed */
	cr_assert_eq(seqpacket_send(pair[0], &head, NULL, out, 3), 0);
	cr_assert_eq(seqpacket_receive(pair[1], &in, got, sizeof got, NULL, NULL), 0);
	cr_expect_eq(open_fds(), before);
	/* none sent: the count is written all the same */
	nfds = 99;
	cr_assert_eq(seqpacket_send(pair[0], &head, NULL, NULL, 0), 0);
	cr_assert_eq(seqpacket_receive(pair[1], &in, got, sizeof got, fds, &nfds), 0);
	cr_expect_eq(nfds, 0);
}

struct bad_row {
	uint32_t claimed, really; /* body bytes */
	size_t cut;               /* bytes missing from the head */
	size_t room;
};

ParameterizedTestParameters(seqpacket, malformed)
{
	static struct bad_row rows[] = {
		{ 4, 3, 0, 64 },  /* shorter than it says */
		{ 4, 5, 0, 64 },  /* longer */
		{ 0, 0, 1, 64 },  /* no whole head */
		{ 65, 65, 0, 64 } /* does not fit */
	};
	return cr_make_param_array(struct bad_row, rows, ELEMENTS(rows));
}

ParameterizedTest(struct bad_row *r, seqpacket, malformed)
{
	struct seqpacket_head head = { .type = 9, .size = r->claimed }, in = { .type = 1 };
	struct iovec iov[2] = { { &head, sizeof head - r->cut }, { body, r->really } };
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct msghdr msg = { .msg_iov = iov,
			      .msg_iovlen = 2,
			      .msg_control = control,
			      .msg_controllen = sizeof control };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int fds[SEQPACKET_MAX_FDS];
	size_t before = open_fds(), nfds = 99;

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int)); /* of descriptor 0 */
	cr_assert_geq(sendmsg(pair[0], &msg, 0), 0);
	cr_expect_eq(seqpacket_receive(pair[1], &in, got, r->room, fds, &nfds), -EBADMSG);
	cr_expect_eq(nfds, 0);
	cr_expect_eq(in.type, 1, "head was touched");
	cr_expect_eq(open_fds(), before, "its descriptor leaked");
}

/* No room in the table: the message is refused, not delivered without its
 * descriptors.
 */
Test(seqpacket, table_full)
{
	struct seqpacket_head head = { .type = 3 }, in;
	struct rlimit limit = { 0 };
	int fds[SEQPACKET_MAX_FDS], out[2] = { 0, 0 };
	size_t nfds;

	cr_assert_eq(seqpacket_send(pair[0], &head, NULL, out, 2), 0);
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = 0;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	cr_expect_eq(seqpacket_receive(pair[1], &in, got, sizeof got, fds, &nfds), -EBADMSG);
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}
