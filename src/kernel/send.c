/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/send.h"

#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>

#include <netinet/udp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "kernel/alone.h"
#include "kernel/become.h"
#include "kernel/peer.h"
#include "kernel/target.h"

#ifndef SOL_MPTCP
#define SOL_MPTCP 284
#endif
#ifndef SCM_TXTIME
#define SCM_TXTIME 61
#endif
enum { SCM_TS_OPT_ID_NUMBER = 81, SCTP_LEVEL = 132 };

/* An address that can be read neither here nor in any other process. */
#define UNREADABLE ((void *)1)

struct send_scratch *send_scratch_new(void)
{
	void *p = mmap(NULL, sizeof(struct send_scratch), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	((struct send_scratch *)p)->chunk = SEND_CHUNK;
	return p;
}

void send_scratch_free(struct send_scratch *scratch)
{
	if (scratch)
		(void)munmap(scratch, sizeof *scratch);
}

/* ---- what kind of socket ------------------------------------------------------ */

static bool is_tcp(const struct socket_kind *kind)
{
	return (kind->domain == AF_INET || kind->domain == AF_INET6) && kind->type == SOCK_STREAM &&
	       (kind->protocol == IPPROTO_TCP || kind->protocol == IPPROTO_MPTCP);
}

bool send_is_stream(const struct socket_kind *kind)
{
	return kind->type == SOCK_STREAM && kind->protocol != IPPROTO_SCTP;
}

bool send_is_long(const struct send_job *job)
{
	return job->kind.domain == AF_UNIX && !send_is_stream(&job->kind) &&
	       job->total > SEND_CHUNK;
}

bool send_signals(const struct send_job *job)
{
	return !(job->flags & MSG_NOSIGNAL) &&
	       (job->kind.type == SOCK_STREAM || job->kind.protocol == IPPROTO_SCTP);
}

static bool connects(const struct send_job *job)
{
	return job->flags & MSG_FASTOPEN && is_tcp(&job->kind);
}

bool send_must_wait(const struct send_job *job)
{
	if (job->flags & MSG_DONTWAIT)
		return false;
	/* a second try would be another call: to connect, or to be told about */
	return connects(job) || (job->flags & MSG_ZEROCOPY && send_is_stream(&job->kind));
}

bool send_has_peer(const struct send_job *job)
{
	const struct socket_kind *kind = &job->kind;

	if (kind->domain == AF_UNIX)
		return kind->type == SOCK_DGRAM &&
		       peer_kind(&job->name, job->name_size) != PEER_NONE;
	if (!job->name_size || (is_tcp(kind) && !connects(job)))
		return false;
	/* udpv6_sendmsg(): then it goes to the connected peer */
	return !(kind->domain == AF_INET6 && kind->type == SOCK_DGRAM &&
		 job->name_size >= sizeof job->name.ss_family && job->name.ss_family == AF_UNSPEC);
}

/* udp_sendmsg(), raw_sendmsg() and rawv6_sendmsg() take 0 for their own family. */
void send_peer(const struct send_job *job, struct sockaddr_storage *ret)
{
	const struct socket_kind *kind = &job->kind;

	*ret = job->name;
	if (ret->ss_family == AF_UNSPEC && (kind->type == SOCK_DGRAM || kind->type == SOCK_RAW) &&
	    (kind->domain == AF_INET || kind->domain == AF_INET6))
		ret->ss_family = (sa_family_t)kind->domain;
}

/* Control messages of INET that ask nothing about the sender, so that it does not
 * matter who sends them.
 */
static const struct {
	int level, type;
} impersonal[] = {
	{ SOL_IP, IP_PKTINFO },
	{ SOL_IP, IP_TTL },
	{ SOL_IP, IP_TOS },
	{ SOL_IPV6, IPV6_PKTINFO },
	{ SOL_IPV6, IPV6_HOPLIMIT },
	{ SOL_IPV6, IPV6_TCLASS },
	{ SOL_IPV6, IPV6_DONTFRAG },
	{ SOL_UDP, UDP_SEGMENT },
	{ SOL_SOCKET, SCM_TXTIME },
	{ SOL_SOCKET, SO_TIMESTAMPING },
	{ SOL_SOCKET, SCM_TS_OPT_ID_NUMBER },
};

static bool is_personal(int level, int type)
{
	for (size_t i = 0; i < ELEMENTS(impersonal); i++) {
		if (impersonal[i].level == level && impersonal[i].type == type)
			return false;
	}
	return true;
}

bool send_control_is_personal(const struct send_scratch *scratch, size_t size)
{
	size_t at = 0;

	while (!scratch->control_bad && size - at >= sizeof(struct cmsghdr)) {
		struct cmsghdr head;

		memcpy(&head, scratch->control + at, sizeof head);
		if (head.cmsg_len < sizeof head || head.cmsg_len > size - at)
			return false; /* EINVAL, whoever sends it */
		if (is_personal(head.cmsg_level, head.cmsg_type))
			return true;
		at += CMSG_ALIGN(head.cmsg_len);
		if (at > size)
			return false;
	}
	return false;
}

/* ---- taking a message over ----------------------------------------------------- */

/* access_ok(): an address of the kernel's half. */
static bool is_kernel_address(uint64_t address)
{
	return address >> 63;
}

/* The caller's vector and what it sums up to (__import_iovec() of the kernel). */
static int load_vector(struct send_job *job, struct send_scratch *s)
{
	size_t size = job->nvector * sizeof *s->vector, total = 0;
	ssize_t n;

	if (!job->vector) {
		s->vector[0] = job->single;
		return 0;
	}
	n = size ? target_copy(job->tid, job->vector, s->vector, size) : 0;
	if (n < 0)
		return (int)n;
	if ((size_t)n < size)
		return -EFAULT;
	for (size_t i = 0; i < job->nvector; i++) {
		struct iovec *v = &s->vector[i];

		if ((ssize_t)v->iov_len < 0)
			return -EINVAL;
		if (is_kernel_address((uintptr_t)v->iov_base))
			return -EFAULT;
		v->iov_len = MIN(v->iov_len, SEND_TOTAL_MAX - total);
		total += v->iov_len;
	}
	job->total = total;
	return 0;
}

int send_take_arguments(struct send_job *job, struct send_scratch *s,
			const struct seccomp_data *data)
{
	int name_size = (int)data->args[5];

	job->flags |= (int)data->args[3];
	job->single =
		(struct iovec){ .iov_base = (void *)(uintptr_t)data->args[1],
				.iov_len = MIN((uint64_t)data->args[2], (uint64_t)SEND_TOTAL_MAX) };
	job->nvector = 1;
	job->total = job->single.iov_len;
	job->name_at = data->args[4];
	if (name_size < 0 || (size_t)name_size > sizeof job->name)
		return -EINVAL;
	job->name_size = (socklen_t)name_size;
	job->name_empty = name_size == 0;
	return load_vector(job, s);
}

/* The kernel looks at the name first: it may be the reason, and not ERROR. */
static int after_name(struct send_job *job, int error)
{
	ssize_t n = job->name_size ? target_copy(job->tid, job->name_at, &job->name, job->name_size)
				   : 0;

	if (error == -EPERM || error == -ESRCH)
		return error;
	return n == (ssize_t)job->name_size ? error : -EFAULT;
}

int send_take_message(struct send_job *job, struct send_scratch *s, uint64_t address, int allowed)
{
	struct msghdr m;
	ssize_t n = target_copy(job->tid, address, &m, sizeof m);
	int r;

	if (n < 0)
		return (int)n;
	if ((size_t)n < sizeof m)
		return -EFAULT;
	if (m.msg_name && (int)m.msg_namelen < 0)
		return -EINVAL;
	job->flags |= m.msg_flags & allowed;
	job->name_at = (uintptr_t)m.msg_name;
	job->name_size = m.msg_name ? MIN(m.msg_namelen, (socklen_t)sizeof job->name) : 0;
	if (m.msg_iovlen > SEND_VECTOR_MAX)
		return after_name(job, -EMSGSIZE);
	job->vector = (uintptr_t)m.msg_iov;
	job->nvector = m.msg_iovlen;
	if (!job->vector && job->nvector)
		return after_name(job, -EFAULT);
	r = load_vector(job, s);
	if (r < 0)
		return after_name(job, r);
	if (m.msg_controllen > SEND_CONTROL_MAX)
		return after_name(job, -ENOBUFS);
	job->control = (uintptr_t)m.msg_control;
	job->control_size = m.msg_controllen;
	return 0;
}

/* What of the vector is next, into s->remote from FIRST on: the end. */
static size_t choose(const struct send_job *job, struct send_scratch *s, size_t first)
{
	size_t skip = job->done, left = MIN(job->total - job->done, s->chunk);

	s->want = left;
	for (size_t i = 0; i < job->nvector && left; i++) {
		struct iovec v = s->vector[i];
		size_t gone = MIN(skip, v.iov_len);

		skip -= gone;
		v.iov_base = (char *)v.iov_base + gone;
		v.iov_len = MIN(v.iov_len - gone, left);
		left -= v.iov_len;
		if (v.iov_len)
			s->remote[first++] = v;
	}
	s->want -= left;
	return first;
}

/* Reads what s->remote says into LOCAL: bytes, or -errno but for -EFAULT, which is
 * nothing read. The kernel takes so many pieces at a time.
 */
static ssize_t read_remote(const struct send_job *job, const struct send_scratch *s,
			   const struct iovec local[3], size_t count)
{
	ssize_t n, head = 0;
	size_t at = 0;

	if (count > SEND_VECTOR_MAX) {
		/* name and control by themselves */
		size_t size = local[0].iov_len + local[1].iov_len;

		at = count - SEND_VECTOR_MAX;
		for (size_t i = 0; i < at; i++)
			size -= s->remote[i].iov_len;
		at += size > 0;
		head = process_vm_readv(job->tid, local, 2, s->remote, at, 0);
		if (head < 0)
			return errno == EFAULT ? 0 : -errno;
		if ((size_t)head < local[0].iov_len + local[1].iov_len)
			return head;
		local += 2;
	}
	n = process_vm_readv(job->tid, local, at ? 1 : 3, s->remote + at, count - at, 0);
	if (n < 0)
		return errno == EFAULT ? head : -errno;
	return head + n;
}

/* Where byte N of what is read belongs. */
static void *place_of(const struct iovec local[3], size_t n)
{
	while (n >= local->iov_len) {
		n -= local->iov_len;
		local++;
	}
	return (char *)local->iov_base + n;
}

/* The N bytes that plain reading reached, and what of the rest the kernel itself would
 * still have: see target_copy().
 */
static ssize_t copy_rest(const struct send_job *job, const struct send_scratch *s,
			 const struct iovec local[3], size_t count, ssize_t n)
{
	size_t got = (size_t)n, end = 0;

	for (size_t i = 0; i < count && end <= got; i++) {
		uint64_t from = (uintptr_t)s->remote[i].iov_base + (got - end);
		size_t left;
		ssize_t r;

		end += s->remote[i].iov_len;
		if (end <= got)
			continue;
		left = end - got;
		r = target_copy(job->tid, from, place_of(local, got), left);
		got += r > 0 ? (size_t)r : 0;
	}
	return (ssize_t)got;
}

int send_fetch(struct send_job *job, struct send_scratch *s, bool with_name)
{
	size_t name = with_name ? job->name_size : 0, count = 0;
	struct iovec local[3] = {
		{ .iov_base = &job->name, .iov_len = name },
		{ .iov_base = s->control, .iov_len = job->control_size },
		{ .iov_base = s->data },
	};
	ssize_t n;

	if (name)
		s->remote[count++] = (struct iovec){ (void *)(uintptr_t)job->name_at, name };
	if (job->control_size)
		s->remote[count++] =
			(struct iovec){ (void *)(uintptr_t)job->control, job->control_size };
	count = choose(job, s, count);
	local[2].iov_len = s->want;
	n = count ? read_remote(job, s, local, count) : 0;
	if (n >= 0 && (size_t)n < name + job->control_size + s->want)
		n = copy_rest(job, s, local, count, n);
	if (n < 0)
		return (int)n;
	if ((size_t)n < name)
		return -EFAULT;
	s->control_bad = (size_t)n < name + job->control_size;
	s->got = s->control_bad ? 0 : (size_t)n - name - job->control_size;
	return 0;
}

/* ---- sending ------------------------------------------------------------------- */

/* SO_ZEROCOPY: the kernel keeps the pages and tells the caller when it has done with
 * them. They are given away; one message must be one call, by which it is counted.
 */
static bool keeps_pages(const struct send_job *job)
{
	socklen_t size = sizeof(int);
	int on = 0;

	return job->flags & MSG_ZEROCOPY &&
	       getsockopt(job->fd, SOL_SOCKET, SO_ZEROCOPY, &on, &size) == 0 && on;
}

/* Reliable messages that name further peers in their control data. */
static bool names_more_peers(const struct send_job *job)
{
	return job->kind.protocol == SCTP_LEVEL && job->control_size;
}

ssize_t send_piece(const struct send_job *job, struct send_scratch *s, int flags)
{
	bool stream = send_is_stream(&job->kind), zerocopy = keeps_pages(job);
	bool last = !stream || job->done + s->want == job->total;
	size_t rest = (stream ? s->want : job->total) - s->got;
	struct iovec iov[2] = { { s->data, s->got }, { UNREADABLE, rest } };
	struct msghdr m = {
		.msg_iov = iov,
		.msg_iovlen = rest ? 2 : 1,
		.msg_control = job->control_size ? s->control_bad ? UNREADABLE : s->control : NULL,
		.msg_controllen = job->control_size,
	};
	struct ancillary ancillary;
	ssize_t n;

	ancillary.nfds = 0;
	if (names_more_peers(job))
		return -EPERM;
	if (job->kind.domain == AF_UNIX && !s->control_bad) {
		n = ancillary_make(
			&(struct ancillary_caller){ job->tid, job->tgid, job->names, !job->done },
			s->control, job->control_size, s->made, &ancillary);
		m.msg_control = s->made;
		m.msg_controllen = ancillary.size;
		if (n < 0) {
			ancillary_done(&ancillary);
			return n;
		}
	}
	if (zerocopy && job->total > SEND_CHUNK)
		return -ENOBUFS;
	flags |= job->flags | MSG_NOSIGNAL;
	if (!last)
		flags &= ~(MSG_OOB | MSG_EOR);
	if (job->done)
		flags &= ~MSG_FASTOPEN;
	if (job->name_size && !job->done && !(is_tcp(&job->kind) && !connects(job))) {
		m.msg_name = (void *)(uintptr_t)&job->name;
		m.msg_namelen = job->name_size;
	}
	if (job->name_empty && !is_tcp(&job->kind))
		n = sendto(job->fd, s->data, s->got, flags, (const void *)&job->name, 0);
	else
		n = sendmsg(job->fd, &m, flags);
	if (n < 0)
		n = -errno;
	if (n == -ENOENT && job->peer_error)
		n = job->peer_error;
	ancillary_done(&ancillary);
	if (zerocopy)
		(void)madvise(s->data, sizeof s->data, MADV_DONTNEED);
	return n;
}

/* Acknowledged and queued; what is acknowledged in between must not count twice. */
static int64_t tcp_position(int fd)
{
	struct tcp_info before = { 0 }, after = { 0 };
	int queued;

	do {
		socklen_t size = sizeof before;

		if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &before, &size) < 0 ||
		    ioctl(fd, SIOCOUTQ, &queued) < 0)
			return -1;
		size = sizeof after;
		if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &after, &size) < 0)
			return -1;
	} while (before.tcpi_bytes_acked != after.tcpi_bytes_acked);
	return (int64_t)after.tcpi_bytes_acked + queued;
}

int64_t send_position(const struct send_job *job)
{
	return is_tcp(&job->kind) && job->kind.protocol == IPPROTO_TCP ? tcp_position(job->fd) : -1;
}

int send_resume(struct send_job *job, struct send_scratch *s)
{
	size_t total = job->total;
	int r = load_vector(job, s);

	/* as it was taken over; the vector may have changed since */
	job->total = total;
	return r < 0 ? r : send_fetch(job, s, false);
}

static int send_rest(struct send_job *job, struct send_scratch *s)
{
	int r;

	s->chunk = send_is_long(job) ? SEND_LONG_MAX : SEND_CHUNK;
	for (r = send_resume(job, s); r == 0; r = send_fetch(job, s, false)) {
		ssize_t n;

		n = send_piece(job, s, 0);
		if (n < 0)
			return (int)n;
		job->done += (size_t)n;
		/* a short count: time, a signal or a fault ended it */
		if (!send_is_stream(&job->kind) || (size_t)n < s->want || !s->want ||
		    job->done == job->total)
			break;
	}
	return r;
}

int send_run(void *data)
{
	struct send_job *job = data;
	struct send_scratch *s;
	struct become self;
	int r;

	if (job->ask_alone && alone_with_files(job->tid))
		return SEND_CONTINUE;
	s = send_scratch_new();
	if (!s)
		return -ENOBUFS;
	r = job->as_caller ? become_caller(job->tid, job->fd, &self) : 0;
	if (r == 0) {
		r = send_rest(job, s);
		if (job->as_caller)
			become_self(&self);
	}
	send_scratch_free(s);
	return r;
}

int send_write_length(void *data)
{
	const struct send_length *length = data;
	unsigned value = (unsigned)length->value;

	return target_write(length->tid, length->at, &value, sizeof value) == sizeof value
		       ? 0
		       : -EFAULT;
}
