/* SPDX-License-Identifier: GPL-3.0-or-later */
/* connect_wait.c - connects that may block: who waits for the peer in the caller's
 * place, and what ends the waiting.
 *
 * The ring does, for what it serves, else a worker; both are bounded, and no process
 * gets all of either. Beyond that a call waits in the journal alone, as it would wait
 * for its peer, and when that is full as well it fails with EAGAIN.
 */
#include "config.h"

#include "engine/connect.h"

#include <errno.h>
#include <netinet/tcp.h>

#include "kernel/notify.h"

/* So many of the queue are looked at in one go. */
enum { DEQUEUED_AT_ONCE = 8 };

int connect_as_before(const struct supervisor *sv, unsigned slot, int result)
{
	int state = sv->journal->slots[slot].state;

	if (!sv->flights[slot].recovered)
		return result;
	/* unless it was so before our connect */
	if (result == -EISCONN && (state == TCP_CLOSE || state == TCP_SYN_SENT || state < 0))
		return 0;
	if (result == -EALREADY && state != TCP_SYN_SENT)
		return -EINPROGRESS;
	return result;
}

/* It keeps no descriptor: when its turn comes it is looked at again from the start. */
static void wait_in_queue(struct supervisor *sv, unsigned slot, enum waits_on on)
{
	struct flight *f = &sv->flights[slot];

	connect_drop(f);
	journal_slot_step(sv->journal, slot, SLOT_RECEIVED);
	f->state = FLIGHT_QUEUED;
	flight_waits(sv, slot, on);
}

bool connect_queue(struct supervisor *sv, unsigned slot)
{
	struct flight *f = &sv->flights[slot];
	int64_t timeout = f->until_ns ? 0 : connect_timeout_ns(f->connect.job.fd);

	if (!flight_may_wait(sv))
		return false;
	if (timeout)
		f->until_ns = now_monotonic_ns() + timeout;
	wait_in_queue(sv, slot, WAITS_QUEUED);
	return true;
}

static int nobody_can_wait(struct supervisor *sv, unsigned slot)
{
	connect_drop(&sv->flights[slot]);
	if (flight_enforces(sv, EVENT_CONNECT))
		flight_fail(sv, slot, EAGAIN);
	else
		flight_continue(sv, slot);
	return CONNECT_WAITS;
}

int connect_wait(struct supervisor *sv, unsigned slot)
{
	struct flight *f = &sv->flights[slot];
	int64_t timeout = f->until_ns ? 0 : connect_timeout_ns(f->connect.job.fd);
	bool for_ring = f->connect.turns == 0 && connect_fits_ring(sv, slot);
	bool room = for_ring && connect_has_room(sv, f->tgid);
	int result;

	if (timeout)
		f->until_ns = now_monotonic_ns() + timeout;
	if (room) {
		result = connect_by_ring(sv, slot);
		if (result != CONNECT_NOT_HERE)
			return result;
		for_ring = false;
	}
	if (!for_ring && flight_work(sv, slot, WORKERS_PER_PROCESS,
				     (struct worker_request){ .job = connect_run,
							      .data = &f->connect.job,
							      .size = sizeof f->connect.job }) == 0)
		return CONNECT_WAITS;
	if (!flight_may_wait(sv))
		return nobody_can_wait(sv, slot);
	wait_in_queue(sv, slot, for_ring ? WAITS_QUEUED_FOR_RING : WAITS_QUEUED);
	return CONNECT_WAITS;
}

void connect_dequeue(struct supervisor *sv)
{
	unsigned workers = worker_pool_idle(sv->workers), looks = 0;

	/* one that is made on trial, as long as more may be made */
	workers += worker_pool_busy(sv->workers) + workers < WORKERS_MAX;
	for (unsigned n = sv->nqueued ? sv->nwaiting : 0; n && looks < DEQUEUED_AT_ONCE; n--) {
		const struct waiting *w = &sv->waiting[sv->next_dequeue++ % sv->nwaiting];
		bool for_ring = w->on == WAITS_QUEUED_FOR_RING;

		if (w->on < WAITS_QUEUED)
			continue;
		looks++;
		if (for_ring ? !connect_has_room(sv, w->tgid) : !workers)
			continue;
		workers -= !for_ring;
		sv->flights[w->slot].state = FLIGHT_READY;
		sv->ready++;
		flight_waits(sv, w->slot, WAITS_FOR_TURN);
	}
}

static bool is_gone(const struct supervisor *sv, unsigned slot)
{
	return notify_valid(sv->listener, sv->journal->slots[slot].notification.id) < 0;
}

/* Its result comes, and soon. */
static void call_off(struct supervisor *sv, unsigned slot)
{
	if (sv->flights[slot].state == FLIGHT_RING)
		ring_cancel(sv->ring, slot);
	else if (sv->flights[slot].state == FLIGHT_WORKING)
		worker_pool_interrupt(sv->workers, slot);
}

void connect_look(struct supervisor *sv, unsigned slot)
{
	struct flight *f = &sv->flights[slot];
	bool queued = f->state == FLIGHT_QUEUED;

	if (is_gone(sv, slot)) {
		f->interrupted = false;
		call_off(sv, slot);
		if (queued)
			flight_end(sv, slot);
	} else if (queued && f->until_ns && now_monotonic_ns() >= f->until_ns) {
		flight_result(sv, slot, f->connect.kind.domain == AF_UNIX ? -EAGAIN : -EINPROGRESS);
	}
}

/* A pending signal: EINTR, or the call starts again, as its handler asks; but never
 * with a time limit, see sock_intr_errno() of the kernel.
 */
static int interrupted_result(const struct flight *f)
{
	return f->until_ns ? -EINTR : -NOTIFY_ERESTARTSYS;
}

void connect_tick(struct supervisor *sv, unsigned slot)
{
	struct flight *f = &sv->flights[slot];

	/* a look for a file is not interrupted by signals, as in the kernel */
	if (f->looking || !flight_signal_waits(f) || is_gone(sv, slot)) {
		connect_look(sv, slot);
		return;
	}
	f->interrupted = true;
	call_off(sv, slot);
	if (f->state == FLIGHT_QUEUED)
		flight_result(sv, slot, interrupted_result(f));
}

int connect_waited(struct supervisor *sv, unsigned slot, int result)
{
	struct flight *f = &sv->flights[slot];

	if (result == -EINTR && !is_gone(sv, slot) && !flight_signal_waits(f)) {
		f->interrupted = false;
		f->state = FLIGHT_NONE;
		f->connect.turns = 0;
		result = connect_wait(sv, slot);
		if (result == CONNECT_WAITS)
			return result;
	}
	if (result == -EINTR && f->interrupted)
		return interrupted_result(f);
	return connect_as_before(sv, slot, result);
}
