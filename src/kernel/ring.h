/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ring.h - calls that wait for a peer without a thread: io_uring, through liburing.
 *
 * A connect, or a wait until a socket is ready, is begun and costs no thread while it
 * waits; its result comes later, announced by a descriptor that the loop watches. Most
 * connects are over by the time they have been begun: ring_take_now() looks.
 *
 * The supervisor's own filter does not see what a ring does. Before the ring is used
 * the kernel is therefore told to do nothing in it but what is declared here (so it
 * takes Linux 5.10), and it cannot be told otherwise any more.
 *
 * What IORING_OP_CONNECT does in another way than connect(2), all of it measured on
 * Linux 6.18 (mechanics/network.md, section 1), is the caller's to set right:
 *	O_NONBLOCK is not heeded: it waits
 *	SO_SNDTIMEO is not heeded: give it as TIMEOUT
 *	a socket whose connect is in progress: -EALREADY at once instead of waiting
 *	a socket whose non-blocking connect has failed: it connects anew instead of
 *		saying -ECONNABORTED; see ring_serves()
 *	a connect that fails late leaves the socket behind in a state in which the next
 *		one says -ECONNABORTED; see ring_clean_up()
 *	a socket that another thread disconnects meanwhile: see ring_disconnected()
 *	MPTCP: does not notice that, nor shutdown(2), and waits on; not served
 *	AF_UNIX: a thread of the kernel for each that waits; not served
 *
 * For one thread, which is also the one that made it.
 */
#pragma once
#include <sys/socket.h>

#include "base/util.h"

/* Of each call at most three, of which hardly any are there at once: the kernel keeps
 * what does not fit, and these are a page.
 */
enum { RING_COMPLETIONS = 128 };

struct ring;

/* For calls in the slots 0 to SLOTS - 1, one at a time in each, at most MAX of them.
 * 0, or -errno where this kernel, or a filter around guard, has no ring that is good
 * enough: then worker.h does the same in threads.
 */
int ring_new(unsigned slots, unsigned max, struct ring **ret);
/* What is under way is called off. */
void ring_free(struct ring *ring);

/* Readable when results wait; for epoll. */
int ring_fd(const struct ring *ring);

/* How many more calls can be begun. */
unsigned ring_room(const struct ring *ring);

/* connect(2) of the stream socket FD, which must not be O_NONBLOCK. ADDRESS is copied.
 * TIMEOUT_NS: the result is -ETIME after it; 0 = none. 0 when it was begun, and then
 * FD has to stay open until there is a result, or -errno when it was not: -EBUSY, no
 * room; or what the kernel lacks.
 */
int ring_connect(struct ring *ring, unsigned slot, int fd, const struct sockaddr_storage *address,
		 socklen_t size, int64_t timeout_ns);
/* Waits until FD is ready for EVENTS (of poll(2)); the result is those that came. Else
 * as above.
 */
int ring_poll(struct ring *ring, unsigned slot, int fd, short events, int64_t timeout_ns);

/* The result of the call in SLOT, if it is there already. For right after the begin;
 * of other slots none is lost.
 */
bool ring_take_now(struct ring *ring, unsigned slot, int *ret_result);
/* The next result of any slot: false when there is none. */
bool ring_take(struct ring *ring, unsigned *ret_slot, int *ret_result);

/* Calls off what is under way in SLOT. Its result still comes: -ECANCELED, or what it
 * came to just before. A connect that was called off goes on in the background, as one
 * does that a signal has interrupted. May be repeated.
 */
void ring_cancel(struct ring *ring, unsigned slot);

/* The result of a connect(2) that waits while another thread disconnects the socket by
 * AF_UNSPEC: -EPIPE or -ECONNRESET, as the kernel is old. To be given to one that was
 * called off just before.
 */
int ring_disconnected(const struct ring *ring);

/* True when a ring connects the stream socket FD of PROTOCOL (SO_PROTOCOL) of AF_INET or
 * AF_INET6 as connect(2) would. False where that is not sure.
 */
bool ring_serves(int fd, int protocol);

/* After a connect of FD that has failed with RESULT: the socket is as connect(2) would
 * have left it.
 */
void ring_clean_up(int fd, int result);
