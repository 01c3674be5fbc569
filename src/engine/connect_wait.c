/* SPDX-License-Identifier: GPL-3.0-or-later */
/* connect_wait.c - connects that may block: who waits for the peer in the caller's
 * place, and what ends the waiting.
 */
#include "config.h"

#include "engine/connect.h"

#include <errno.h>

#include "kernel/notify.h"

int connect_as_before(const struct flight *f, int result)
{
	if (f->recovered && result == -EISCONN)
		return 0;
	if (f->recovered && result == -EALREADY)
		return -EINPROGRESS;
	return result;
}

/* Each one that waits holds a slot of the journal, and the other calls of the
 * workload need some.
 */
enum { QUEUED_MAX = JOURNAL_SLOTS - 512 };

static bool may_queue(const struct supervisor *sv)
{
	unsigned count = 0;

	for (unsigned i = 0; i < sv->high; i++)
		count += sv->flights[i].state == FLIGHT_QUEUED;
	return count < QUEUED_MAX;
}

/* Waits for a worker, as it would wait for its peer. It keeps no descriptor: when
 * its turn comes it is looked at again from the start.
 */
static void wait_in_queue(struct supervisor *sv, unsigned slot)
{
	struct flight *f = &sv->flights[slot];
	int64_t timeout = connect_timeout_ns(f->connect.job.fd);

	(void)close(TAKE_FD(f->connect.job.fd));
	journal_slot_step(sv->journal, slot, SLOT_RECEIVED);
	if (timeout && !f->queued_until_ns)
		f->queued_until_ns = now_monotonic_ns() + timeout;
	f->state = FLIGHT_QUEUED;
	flight_tick(sv, true);
}

void connect_wait(struct supervisor *sv, unsigned slot)
{
	struct flight *f = &sv->flights[slot];

	if (flight_work(sv, slot, WORKERS_PER_PROCESS,
			(struct worker_request){ .job = connect_run,
						 .data = &f->connect.job,
						 .size = sizeof f->connect.job }) == 0)
		return;
	if (may_queue(sv)) {
		wait_in_queue(sv, slot);
		return;
	}
	(void)close(TAKE_FD(f->connect.job.fd));
	if (flight_enforces(sv, EVENT_CONNECT))
		flight_fail(sv, slot, EAGAIN);
	else
		flight_continue(sv, slot);
}

bool connect_dequeue(struct supervisor *sv)
{
	unsigned room = worker_pool_idle(sv->workers), high = sv->high;
	bool waiting = false;

	/* one that is made on trial, as long as more may be made */
	room += worker_pool_busy(sv->workers) + room < WORKERS_MAX;
	for (unsigned n = 0; n < high && (room || !waiting); n++) {
		struct flight *f = &sv->flights[sv->next_dequeue++ % high];

		if (f->state != FLIGHT_QUEUED)
			continue;
		waiting = true;
		if (!room)
			break;
		room--;
		f->state = FLIGHT_READY;
		sv->ready++;
	}
	return waiting;
}

/* One that waits for a worker ends as one that waits for its peer would. */
static void tick_queued(struct supervisor *sv, unsigned slot)
{
	struct flight *f = &sv->flights[slot];

	if (notify_valid(sv->listener, flight_notification(sv, slot)->id) < 0)
		flight_end(sv, slot);
	else if (flight_signal_waits(f))
		/* see connect_final_result() */
		flight_result(sv, slot, f->queued_until_ns ? -EINTR : -NOTIFY_ERESTARTSYS);
	else if (f->queued_until_ns && now_monotonic_ns() >= f->queued_until_ns)
		flight_result(sv, slot, f->connect.kind.domain == AF_UNIX ? -EAGAIN : -EINPROGRESS);
}

void connect_tick(struct supervisor *sv, unsigned slot)
{
	struct flight *f = &sv->flights[slot];
	bool gone;

	if (f->state == FLIGHT_QUEUED)
		tick_queued(sv, slot);
	if (f->state != FLIGHT_WORKING)
		return;
	gone = notify_valid(sv->listener, flight_notification(sv, slot)->id) < 0;
	f->interrupted = !gone && flight_signal_waits(f);
	if (gone || f->interrupted)
		worker_pool_interrupt(sv->workers, slot);
}

bool connect_called_off_in_vain(struct supervisor *sv, unsigned slot, int result)
{
	struct flight *f = &sv->flights[slot];

	if (result != -EINTR || flight_signal_waits(f) ||
	    notify_valid(sv->listener, flight_notification(sv, slot)->id) < 0)
		return false;
	f->interrupted = false;
	f->state = FLIGHT_NONE;
	connect_wait(sv, slot);
	return true;
}

int connect_final_result(const struct flight *f, int result)
{
	/* a pending signal: EINTR, or the call starts again, as its handler asks; but
	 * never with a time limit, see sock_intr_errno() of the kernel */
	if (result == -EINTR && f->interrupted && !connect_timeout_ns(f->connect.job.fd))
		return -NOTIFY_ERESTARTSYS;
	return connect_as_before(f, result);
}
