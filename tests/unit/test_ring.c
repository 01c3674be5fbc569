/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the ring does, and that it can be made to do nothing else. Exercises kernel/ring. */
#include "config.h"

#include "kernel/ring.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>

enum { SLOTS = 64, MAX_CALLS = 40, LONG_MS = 20000 };

static struct ring *new_ring(void)
{
	struct ring *ring = NULL;
	int r = ring_new(SLOTS, MAX_CALLS, &ring);

	if (r < 0)
		cr_skip_test("no io_uring here: %s", strerror(-r));
	return ring;
}

static struct sockaddr_storage here(uint16_t port)
{
	struct sockaddr_storage address = { .ss_family = AF_INET };
	struct sockaddr_in *in = (struct sockaddr_in *)&address;

	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in->sin_port = port;
	return address;
}

/* A listener; with FULL nobody gets into its queue any more. */
static struct sockaddr_storage serve(bool full, int *ret_fd)
{
	struct sockaddr_storage address = here(0);
	socklen_t size = sizeof(struct sockaddr_in);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert_eq(bind(fd, (struct sockaddr *)&address, size), 0);
	cr_assert_eq(listen(fd, full ? 0 : 64), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	for (int i = 0; full && i < 4; i++)
		(void)connect(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0),
			      (struct sockaddr *)&address, size);
	*ret_fd = fd;
	return address;
}

static int begin(struct ring *ring, unsigned slot, int fd, const struct sockaddr_storage *address,
		 int64_t timeout_ns)
{
	return ring_connect(ring, slot, fd, address, sizeof(struct sockaddr_in), timeout_ns);
}

static bool ready(struct ring *ring, int ms)
{
	struct pollfd p = { .fd = ring_fd(ring), .events = POLLIN };
	int r;

	/* what a ring has to do interrupts as a signal does */
	do
		r = poll(&p, 1, ms);
	while (r < 0 && errno == EINTR);
	return r == 1;
}

/* The result of SLOT, which is the next one. */
static int next(struct ring *ring, unsigned slot)
{
	unsigned other = UINT32_MAX;
	int result = INT32_MIN;

	while (!ring_take(ring, &other, &result))
		cr_assert(ready(ring, LONG_MS), "no result comes");
	cr_expect_eq(other, slot);
	return result;
}

static int result_of(struct ring *ring, unsigned slot)
{
	int result;

	return ring_take_now(ring, slot, &result) ? result : next(ring, slot);
}

Test(ring, connects)
{
	struct ring *ring = new_ring();
	int server, fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_storage address = serve(false, &server);

	cr_assert_eq(begin(ring, 7, fd, &address, 0), 0);
	cr_expect_eq(result_of(ring, 7), 0);
	cr_expect_eq(ring_room(ring), MAX_CALLS);
	cr_assert_eq(begin(ring, 7, fd, &address, 0), 0);
	cr_expect_eq(result_of(ring, 7), -EISCONN);
	ring_free(ring);
}

Test(ring, leaves_a_refused_socket_as_connect_would)
{
	struct ring *ring = new_ring();
	int fd = socket(AF_INET, SOCK_STREAM, 0), result;
	struct sockaddr_storage closed = here(htons(1));

	for (int i = 0; i < 3; i++) {
		cr_assert(ring_serves(fd, IPPROTO_TCP));
		cr_assert_eq(begin(ring, 0, fd, &closed, 0), 0);
		result = result_of(ring, 0);
		cr_expect_eq(result, -ECONNREFUSED);
		ring_clean_up(fd, result);
	}
	cr_expect_eq(connect(fd, (struct sockaddr *)&closed, sizeof(struct sockaddr_in)), -1);
	cr_expect_eq(errno, ECONNREFUSED);
	ring_free(ring);
}

Test(ring, does_not_serve_what_it_would_do_otherwise)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), bound, listener;
	struct sockaddr_storage own = here(0), closed = here(htons(1));
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	cr_expect(ring_serves(fd, IPPROTO_TCP));
	cr_expect_not(ring_serves(fd, 132)); /* SCTP */
	(void)connect(fd, (struct sockaddr *)&closed, sizeof(struct sockaddr_in));
	(void)poll(&p, 1, LONG_MS);
	cr_expect_not(ring_serves(fd, IPPROTO_TCP), "a connect has failed");
	bound = socket(AF_INET, SOCK_STREAM, 0);
	(void)bind(bound, (struct sockaddr *)&own, sizeof(struct sockaddr_in));
	cr_expect_not(ring_serves(bound, IPPROTO_TCP), "bound, or failed");
	(void)serve(false, &listener);
	cr_expect(ring_serves(listener, IPPROTO_TCP), "is told so by the ring as well");
}

Test(ring, keeps_a_time_limit)
{
	struct ring *ring = new_ring();
	int server, fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_storage full = serve(true, &server);
	int64_t before = now_monotonic_ns(), took;

	cr_assert_eq(begin(ring, 1, fd, &full, 200000000), 0);
	cr_expect_eq(result_of(ring, 1), -ETIME);
	took = now_monotonic_ns() - before;
	cr_expect(took >= 200000000, "after %ld ns", (long)took);
	/* the next one is in progress already, and can be waited for */
	cr_assert_eq(begin(ring, 1, fd, &full, 0), 0);
	cr_expect_eq(result_of(ring, 1), -EALREADY);
	cr_assert_eq(ring_poll(ring, 1, fd, POLLOUT, 100000000), 0);
	cr_expect_eq(result_of(ring, 1), -ETIME);
	ring_free(ring);
}

Test(ring, calls_off)
{
	struct ring *ring = new_ring();
	int server, result;
	struct sockaddr_storage full = serve(true, &server);
	unsigned slot;
	int fds[MAX_CALLS];

	for (unsigned i = 0; i < MAX_CALLS; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM, 0);
		cr_assert_eq(begin(ring, i, fds[i], &full, INT64_C(3600000000000)), 0);
		cr_expect_not(ring_take_now(ring, i, &result));
	}
	cr_expect_eq(ring_room(ring), 0);
	cr_expect_eq(begin(ring, MAX_CALLS, fds[0], &full, 0), -EBUSY);
	for (unsigned i = 0; i < MAX_CALLS; i++) {
		ring_cancel(ring, i);
		ring_cancel(ring, i);
	}
	for (unsigned i = 0; i < MAX_CALLS; i++) {
		while (!ring_take(ring, &slot, &result))
			cr_assert(ready(ring, LONG_MS));
		cr_expect_eq(result, -ECANCELED);
		ring_cancel(ring, slot); /* nothing there any more */
	}
	while (ring_room(ring) < MAX_CALLS && ready(ring, LONG_MS))
		cr_expect_not(ring_take(ring, &slot, &result));
	cr_expect_eq(ring_room(ring), MAX_CALLS);
	ring_free(ring);
}

/* What comes in while another one is looked for is not lost, nor taken for it. */
Test(ring, tells_results_apart)
{
	struct ring *ring = new_ring();
	int server, full_server, result, waits = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_storage full = serve(true, &full_server), open = serve(false, &server);

	cr_assert_eq(begin(ring, 3, waits, &full, 0), 0);
	cr_expect_not(ring_take_now(ring, 3, &result));
	ring_cancel(ring, 3);
	for (int i = 0; i < 1000; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0), client;

		cr_assert_eq(begin(ring, 5, fd, &open, i % 2 ? 1000000000 : 0), 0);
		if (!ring_take_now(ring, 5, &result)) {
			unsigned slot = 3;

			while (slot == 3) {
				while (!ring_take(ring, &slot, &result))
					cr_assert(ready(ring, LONG_MS));
				cr_expect(slot == 5 || result == -ECANCELED);
			}
		}
		cr_expect_eq(result, 0);
		client = accept(server, NULL, NULL);
		(void)close(client);
		(void)close(fd);
	}
	if (ring_room(ring) < MAX_CALLS) {
		unsigned slot;

		while (ring_take(ring, &slot, &result))
			cr_expect_eq(result, -ECANCELED);
	}
	cr_expect_geq(ring_room(ring), MAX_CALLS - 1);
	ring_free(ring);
}

/* ---- a supervisor that was taken over has a ring, and no more than that --------- */

struct mapped {
	char *rings;
	struct io_uring_sqe *entries;
};

static int submit_raw(struct ring *ring, uint8_t operation, uint8_t flags)
{
	/* the layout of a ring of two entries, from a ring that is made the same way */
	struct io_uring_params params = { .flags = IORING_SETUP_CQSIZE,
					  .cq_entries = RING_COMPLETIONS };
	int twin = (int)syscall(SYS_io_uring_setup, 2, &params);
	size_t size = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
	struct mapped m = {
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring_fd(ring),
		     IORING_OFF_SQ_RING),
		mmap(NULL, 2 * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE, MAP_SHARED,
		     ring_fd(ring), IORING_OFF_SQES),
	};
	unsigned *tail = (unsigned *)(void *)(m.rings + params.sq_off.tail);
	unsigned *seen = (unsigned *)(void *)(m.rings + params.cq_off.tail), before = *seen;
	struct io_uring_cqe *done = (void *)(m.rings + params.cq_off.cqes);

	cr_assert_geq(twin, 0);
	cr_assert_neq(m.rings, MAP_FAILED);
	cr_assert_neq(m.entries, MAP_FAILED);
	m.entries[*tail & 1] = (struct io_uring_sqe){
		.opcode = operation,
		.flags = flags,
		.fd = AT_FDCWD,
		.addr = (uintptr_t) "/dev/null",
		.open_flags = O_WRONLY,
	};
	((unsigned *)(void *)(m.rings + params.sq_off.array))[*tail & 1] = *tail & 1;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	cr_assert_eq(syscall(SYS_io_uring_enter, ring_fd(ring), 1, 0, 0, NULL, 0), 1);
	cr_assert_eq(__atomic_load_n(seen, __ATOMIC_ACQUIRE), before + 1);
	return done[before & (params.cq_entries - 1)].res;
}

struct operation_row {
	uint8_t operation, flags;
};

ParameterizedTestParameters(ring, does_nothing_else)
{
	static struct operation_row rows[] = {
		{ IORING_OP_OPENAT, 0 },       { IORING_OP_OPENAT2, 0 },
		{ IORING_OP_WRITE, 0 },        { IORING_OP_WRITEV, 0 },
		{ IORING_OP_SENDMSG, 0 },      { IORING_OP_SEND, 0 },
		{ IORING_OP_SOCKET, 0 },       { IORING_OP_UNLINKAT, 0 },
		{ IORING_OP_RENAMEAT, 0 },     { IORING_OP_URING_CMD, 0 },
		{ IORING_OP_NOP, 0 },          { IORING_OP_CONNECT, IOSQE_FIXED_FILE },
		{ IORING_OP_FILES_UPDATE, 0 },
	};

	return cr_make_param_array(struct operation_row, rows, ELEMENTS(rows));
}

ParameterizedTest(struct operation_row *row, ring, does_nothing_else)
{
	struct ring *ring = new_ring();

	cr_expect_eq(submit_raw(ring, row->operation, row->flags), -EACCES, "operation %u",
		     row->operation);
	ring_free(ring);
}

Test(ring, stays_as_it_is)
{
	struct ring *ring = new_ring();
	int fd = open("/dev/null", O_WRONLY);

	cr_expect_eq(syscall(SYS_io_uring_register, ring_fd(ring), IORING_REGISTER_FILES, &fd, 1),
		     -1);
	cr_expect_eq(errno, EACCES);
	cr_expect_eq(syscall(SYS_io_uring_register, ring_fd(ring), IORING_REGISTER_RESTRICTIONS,
			     NULL, 0),
		     -1);
	ring_free(ring);
}
