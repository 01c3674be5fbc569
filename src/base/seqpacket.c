/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/seqpacket.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum {
	/* What the kernel may hold for a reader that is slow or being restarted. It
	 * doubles the number; without CAP_NET_ADMIN net.core.wmem_max caps it, whose
	 * default still takes one message of SEQPACKET_MAX.
	 */
	SEQPACKET_BUFFER = 1024 * 1024,
};

union control {
	struct cmsghdr align;
	char data[CMSG_SPACE(SEQPACKET_MAX_FDS * sizeof(int))];
};

static void close_all(const int *fds, size_t nfds)
{
	for (size_t i = 0; i < nfds; i++)
		(void)close(fds[i]);
}

int seqpacket_pair(int ret_[2])
{
	const int size = SEQPACKET_BUFFER;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -errno;
	for (int i = 0; i < 2; i++)
		if (setsockopt(pair[i], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0)
			(void)setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	ret_[0] = pair[0];
	ret_[1] = pair[1];
	return 0;
}

int seqpacket_send(int fd, const struct seqpacket_head *head, const void *body, const int *fds,
		   size_t nfds)
{
	struct seqpacket_head copy = *head;
	struct iovec iov[2] = {
		{ .iov_base = &copy, .iov_len = sizeof copy },
		{ .iov_base = (void *)(uintptr_t)body, .iov_len = head->size },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = head->size > 0 ? 2 : 1 };
	union control control;
	ssize_t n;

	if (head->size > SEQPACKET_MAX)
		return -EMSGSIZE;
	if (nfds > SEQPACKET_MAX_FDS)
		return -EINVAL;
	if (nfds > 0) {
		struct cmsghdr *cmsg;

		memset(&control, 0, sizeof control);
		msg.msg_control = control.data;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, nfds * sizeof(int));
	}
	do
		n = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return 0;
	if (errno == ECONNRESET || errno == ENOTCONN || errno == ECONNREFUSED)
		return -EPIPE;
	return errno == ENOBUFS ? -EAGAIN : -errno;
}

/* The descriptors of one message: their number. */
static size_t take_fds(struct msghdr *msg, int fds[SEQPACKET_MAX_FDS])
{
	size_t count = 0;

	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		size_t n;

		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		n = MIN((cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int), SEQPACKET_MAX_FDS - count);
		memcpy(fds + count, CMSG_DATA(cmsg), n * sizeof(int));
		count += n;
	}
	return count;
}

ssize_t seqpacket_receive(int fd, struct seqpacket_head *head, void *body, size_t size, int *fds,
			  size_t *nfds)
{
	struct seqpacket_head got = { 0 };
	struct iovec iov[2] = {
		{ .iov_base = &got, .iov_len = sizeof got },
		{ .iov_base = body, .iov_len = size },
	};
	union control control;
	struct msghdr msg = {
		.msg_iov = iov,
		.msg_iovlen = 2,
		.msg_control = control.data,
		.msg_controllen = sizeof control.data,
	};
	int taken[SEQPACKET_MAX_FDS];
	size_t ntaken;
	ssize_t n;

	if (nfds)
		*nfds = 0;
	/* ECONNRESET says that the peer left something unread when it closed. It is
	 * reported once, before what the peer had sent, which is still to be had. */
	do
		n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n < 0)
		return errno == ENOTCONN ? -EPIPE : -errno;
	if (n == 0)
		return -EPIPE;
	ntaken = take_fds(&msg, taken);
	if ((msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || (size_t)n < sizeof got ||
	    got.size != (size_t)n - sizeof got) {
		close_all(taken, ntaken);
		return -EBADMSG;
	}
	if (fds && nfds) {
		memcpy(fds, taken, ntaken * sizeof *fds);
		*nfds = ntaken;
	} else {
		close_all(taken, ntaken);
	}
	*head = got;
	return (ssize_t)got.size;
}
