/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/ring.h"

#include <errno.h>
#include <liburing.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "kernel/connect.h"

/* A call and its time limit, or a cancellation: submitted at once. */
enum { SUBMISSIONS = 2 };

/* What a ring must be able to do. NODROP: no completion is lost. SUBMIT_STABLE: what
 * was submitted has been copied. FAST_POLL: no kernel thread waits for a socket.
 */
#define FEATURES (IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE | IORING_FEAT_FAST_POLL)

/* One call that was begun. Its memory is used again when all its completions are in. */
struct request {
	struct sockaddr_storage address;
	struct __kernel_timespec limit;
	unsigned slot;
	unsigned awaited; /* completions */
	bool under_way;   /* no result yet */
	bool called_off;
	int result; /* of one in the queue of results */
};

struct ring {
	struct io_uring uring;
	unsigned max, busy;
	int disconnected;      /* see ring_disconnected() */
	unsigned fresh;        /* requests from here on were never used */
	unsigned nfree;        /* numbers of those that may be used again */
	unsigned first, count; /* of the queue of results */
	unsigned *free, *results;
	unsigned *by_slot; /* one more than the number of its request, 0 = none */
	struct request *requests;
};

/* What a completion is about: a request, whose time limit, or (0) nothing. */
static uint64_t tag_of(unsigned number, bool limit)
{
	return ((uint64_t)number + 1) << 1 | limit;
}

/* ---- making one ---- */

/* The shared liburing 2.3 of Debian 12 exports neither of the two calls below. */
static int tell(const struct io_uring *uring, unsigned what, const void *data, unsigned count)
{
	return syscall(SYS_io_uring_register, uring->ring_fd, what, data, count) < 0 ? -errno : 0;
}

/* From here on it can connect, wait, and call off. */
static int restrict_and_enable(struct io_uring *uring)
{
	static const uint8_t operations[] = { IORING_OP_CONNECT, IORING_OP_POLL_ADD,
					      IORING_OP_LINK_TIMEOUT, IORING_OP_ASYNC_CANCEL };
	struct io_uring_restriction rows[ELEMENTS(operations) + 1] = {
		{ .opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED, .sqe_flags = IOSQE_IO_LINK },
	};
	int r;

	for (size_t i = 0; i < ELEMENTS(operations); i++)
		rows[i + 1] = (struct io_uring_restriction){
			.opcode = IORING_RESTRICTION_SQE_OP,
			.sqe_op = operations[i],
		};
	r = tell(uring, IORING_REGISTER_RESTRICTIONS, rows, ELEMENTS(rows));
	return r < 0 ? r : tell(uring, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

static int set_up(struct io_uring *uring)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE,
		.cq_entries = RING_COMPLETIONS,
	};
	int r = io_uring_queue_init_params(SUBMISSIONS, uring, &params);

	if (r < 0)
		return r;
	r = (params.features & FEATURES) == FEATURES ? restrict_and_enable(uring) : -EOPNOTSUPP;
	if (r < 0)
		io_uring_queue_exit(uring);
	return r;
}

/* Since 6.6 the kernel tells who waits (sk_wait_event()), before it did not notice. */
static int disconnected_here(void)
{
	struct utsname name;
	unsigned major = 0, minor = 0;

	if (uname(&name) == 0)
		(void)sscanf(name.release, "%u.%u", &major, &minor);
	return major > 6 || (major == 6 && minor >= 6) ? -EPIPE : -ECONNRESET;
}

int ring_new(unsigned slots, unsigned max, struct ring **ret)
{
	struct ring *ring = calloc(1, sizeof *ring);
	int r = -ENOMEM;

	if (!ring)
		return r;
	ring->max = max;
	ring->disconnected = disconnected_here();
	/* untouched as long as it is not used */
	ring->free = calloc(max, sizeof *ring->free);
	ring->results = calloc(max, sizeof *ring->results);
	ring->by_slot = calloc(slots, sizeof *ring->by_slot);
	ring->requests = calloc(max, sizeof *ring->requests);
	if (ring->free && ring->results && ring->by_slot && ring->requests)
		r = set_up(&ring->uring);
	if (r < 0) {
		ring->uring.ring_fd = -1;
		ring_free(ring);
		return r;
	}
	*ret = ring;
	return 0;
}

void ring_free(struct ring *ring)
{
	if (!ring)
		return;
	if (ring->uring.ring_fd >= 0)
		io_uring_queue_exit(&ring->uring);
	free(ring->free);
	free(ring->results);
	free(ring->by_slot);
	free(ring->requests);
	free(ring);
}

int ring_fd(const struct ring *ring)
{
	return ring->uring.ring_fd;
}

int ring_disconnected(const struct ring *ring)
{
	return ring->disconnected;
}

unsigned ring_room(const struct ring *ring)
{
	return ring->max - ring->busy;
}

/* ---- beginning ---- */

/* True when all entries are free: of what was submitted before the kernel may have
 * left some, void, behind.
 */
static bool is_free(struct ring *ring)
{
	if (io_uring_sq_ready(&ring->uring))
		(void)io_uring_submit(&ring->uring);
	return io_uring_sq_ready(&ring->uring) == 0;
}

static int take_request(struct ring *ring, unsigned slot, unsigned *ret)
{
	unsigned number;

	if (ring->busy == ring->max)
		return -EBUSY;
	if (!is_free(ring))
		return -EAGAIN;
	number = ring->nfree ? ring->free[--ring->nfree] : ring->fresh++;
	ring->busy++;
	ring->requests[number].slot = slot;
	ring->requests[number].awaited = 0;
	ring->requests[number].called_off = false;
	*ret = number;
	return 0;
}

static void give_back(struct ring *ring, unsigned number)
{
	ring->free[ring->nfree++] = number;
	ring->busy--;
}

/* Hands the COUNT prepared entries to the kernel. What it does not take is made void,
 * or it would be taken with the next ones: how many were taken, or -errno for none.
 */
static int submit(struct ring *ring, struct io_uring_sqe *const entries[], unsigned count)
{
	unsigned taken = 0;
	int r = 0;

	/* it stops behind one that it cannot even begin */
	while (taken < count) {
		r = io_uring_submit(&ring->uring);
		if (r <= 0)
			break;
		taken += (unsigned)r;
	}
	for (unsigned i = taken; i < count; i++)
		io_uring_prep_nop(entries[i]); /* which is not allowed, and about nothing */
	if (taken)
		return (int)taken;
	return r < 0 ? r : -EAGAIN;
}

/* Begins what ENTRY says, as request NUMBER. */
static int begin(struct ring *ring, unsigned number, struct io_uring_sqe *entry, int64_t timeout_ns)
{
	struct request *request = &ring->requests[number];
	struct io_uring_sqe *entries[2] = { entry, NULL };
	unsigned count = 1;
	int r;

	io_uring_sqe_set_data64(entry, tag_of(number, false));
	if (timeout_ns) {
		request->limit.tv_sec = timeout_ns / 1000000000;
		request->limit.tv_nsec = timeout_ns % 1000000000;
		entries[count] = io_uring_get_sqe(&ring->uring);
		entry->flags |= IOSQE_IO_LINK;
		io_uring_prep_link_timeout(entries[count], &request->limit, 0);
		io_uring_sqe_set_data64(entries[count++], tag_of(number, true));
	}
	r = submit(ring, entries, count);
	if (r < 0) {
		give_back(ring, number);
		return r;
	}
	request->awaited = (unsigned)r;
	request->under_way = true;
	ring->by_slot[request->slot] = number + 1;
	return 0;
}

int ring_connect(struct ring *ring, unsigned slot, int fd, const struct sockaddr_storage *address,
		 socklen_t size, int64_t timeout_ns)
{
	struct io_uring_sqe *entry;
	unsigned number;
	int r = take_request(ring, slot, &number);

	if (r < 0)
		return r;
	ring->requests[number].address = *address;
	entry = io_uring_get_sqe(&ring->uring);
	io_uring_prep_connect(entry, fd, (struct sockaddr *)&ring->requests[number].address, size);
	return begin(ring, number, entry, timeout_ns);
}

int ring_poll(struct ring *ring, unsigned slot, int fd, short events, int64_t timeout_ns)
{
	struct io_uring_sqe *entry;
	unsigned number;
	int r = take_request(ring, slot, &number);

	if (r < 0)
		return r;
	entry = io_uring_get_sqe(&ring->uring);
	io_uring_prep_poll_add(entry, fd, (unsigned short)events);
	return begin(ring, number, entry, timeout_ns);
}

void ring_cancel(struct ring *ring, unsigned slot)
{
	struct io_uring_sqe *entry;
	struct request *request;

	if (!ring->by_slot[slot])
		return;
	request = &ring->requests[ring->by_slot[slot] - 1];
	if (!request->under_way || !is_free(ring))
		return;
	entry = io_uring_get_sqe(&ring->uring);
	io_uring_prep_cancel64(entry, tag_of(ring->by_slot[slot] - 1, false), 0);
	io_uring_sqe_set_data64(entry, 0);
	if (submit(ring, &entry, 1) > 0)
		request->called_off = true;
}

/* ---- results ---- */

/* A completion of the call itself: its result is there. True when it is SLOT's, which
 * is then taken.
 */
static bool arrived(struct ring *ring, unsigned number, int result, const unsigned *slot)
{
	struct request *request = &ring->requests[number];

	request->under_way = false;
	request->result = result;
	/* by the time limit, unless we asked for it */
	if (result == -ECANCELED && !request->called_off)
		request->result = -ETIME;
	if (slot && *slot == request->slot)
		return true;
	ring->results[(ring->first + ring->count++) % ring->max] = number;
	/* it keeps its memory until it is taken */
	request->awaited++;
	return false;
}

static void done_with(struct ring *ring, unsigned number)
{
	if (--ring->requests[number].awaited == 0)
		give_back(ring, number);
}

/* Reads all completions. True when the result of *SLOT (NULL = of none) was there. */
static bool drain(struct ring *ring, const unsigned *slot, int *ret_result)
{
	struct io_uring_cqe *completion;
	bool found = false;

	while (io_uring_peek_cqe(&ring->uring, &completion) == 0) {
		uint64_t tag = completion->user_data;
		int result = completion->res;
		unsigned number = (unsigned)(tag >> 1) - 1;

		io_uring_cqe_seen(&ring->uring, completion);
		if (!tag)
			continue;
		if (!(tag & 1) && arrived(ring, number, result, slot)) {
			*ret_result = ring->requests[number].result;
			ring->by_slot[*slot] = 0;
			found = true;
		}
		done_with(ring, number);
	}
	return found;
}

bool ring_take_now(struct ring *ring, unsigned slot, int *ret_result)
{
	return drain(ring, &slot, ret_result);
}

bool ring_take(struct ring *ring, unsigned *ret_slot, int *ret_result)
{
	struct request *request;
	unsigned number;

	/* at every turn of the loop, and most often there is nothing */
	if (io_uring_cq_ready(&ring->uring) || io_uring_cq_has_overflow(&ring->uring))
		(void)drain(ring, NULL, NULL);
	if (!ring->count)
		return false;
	number = ring->results[ring->first];
	ring->first = (ring->first + 1) % ring->max;
	ring->count--;
	request = &ring->requests[number];
	*ret_slot = request->slot;
	*ret_result = request->result;
	ring->by_slot[request->slot] = 0;
	done_with(ring, number);
	return true;
}

/* ---- what is different from connect(2) ---- */

static bool is_any(const struct sockaddr_storage *address)
{
	const struct sockaddr_in6 *in6 = (const void *)address;
	const struct sockaddr_in *in = (const void *)address;

	if (address->ss_family == AF_INET)
		return in->sin_addr.s_addr == INADDR_ANY;
	return IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr);
}

bool ring_serves(int fd, int protocol)
{
	struct sockaddr_storage own = { .ss_family = AF_UNSPEC };
	socklen_t size = sizeof own;

	if (protocol != IPPROTO_TCP)
		return false;
	/* one whose connect has failed keeps the address that it was given until it is told
	 * so; one that was bound to an address looks the same */
	if (getsockname(fd, (struct sockaddr *)&own, &size) < 0)
		return false;
	return is_any(&own) || connect_state(fd) != TCP_CLOSE;
}

void ring_clean_up(int fd, int result)
{
	static const struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	switch (-result) {
	case EISCONN:
	case EALREADY:
	case EINVAL:
	case EAFNOSUPPORT: return; /* nothing was begun */
	default: break;
	}
	/* as inet_stream_connect() of the kernel does when it fails */
	if (connect_state(fd) == TCP_CLOSE)
		(void)connect(fd, &nobody, sizeof nobody);
}
