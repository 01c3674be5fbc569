/* SPDX-License-Identifier: GPL-3.0-or-later */
/* send_wait.c - messages that wait for room, for a connection, or for an identity:
 * a worker sends them in the caller's place.
 */
#include "config.h"

#include "engine/send.h"

#include <errno.h>

#include "kernel/notify.h"

/* What came of a message that is not sent as a whole. */
static int64_t so_far(const struct send_job *job, int error)
{
	return job->done ? (int64_t)job->done : error;
}

bool send_queue(struct supervisor *sv, unsigned slot)
{
	struct flight *f = &sv->flights[slot];
	int64_t timeout;

	if (!flight_may_wait(sv))
		return false;
	timeout = connect_timeout_ns(f->send.job.fd);
	(void)close(TAKE_FD(f->send.job.fd));
	sv->journal->slots[slot].bytes = f->send.job.done;
	journal_slot_step(sv->journal, slot, SLOT_RECEIVED);
	if (timeout && !f->until_ns)
		f->until_ns = now_monotonic_ns() + timeout;
	f->state = FLIGHT_QUEUED;
	flight_waits(sv, slot, WAITS_QUEUED);
	return true;
}

void send_wait(struct supervisor *sv, unsigned slot)
{
	struct flight *f = &sv->flights[slot];

	/* where nothing is refused the kernel may do it, if nothing is done yet */
	if (!flight_enforces(sv, EVENT_CONNECT) && !f->send.job.done) {
		(void)close(TAKE_FD(f->send.job.fd));
		flight_continue(sv, slot);
		return;
	}
	send_begin_deed(sv, slot);
	if (flight_work(sv, slot, WORKERS_PER_PROCESS,
			(struct worker_request){ .job = send_run,
						 .data = &f->send.job,
						 .size = sizeof f->send.job }) == 0)
		return;
	if (!send_queue(sv, slot))
		(void)send_message_through(sv, slot, so_far(&f->send.job, -EAGAIN));
}

bool send_called_off_in_vain(struct supervisor *sv, unsigned slot, int result)
{
	struct flight *f = &sv->flights[slot];
	bool cut = result == -EINTR || (result == 0 && send_is_stream(&f->send.job.kind) &&
					f->send.job.done < f->send.job.total);

	if (!f->interrupted || !cut || flight_signal_waits(f) ||
	    notify_valid(sv->listener, flight_notification(sv, slot)->id) < 0)
		return false;
	f->interrupted = false;
	f->state = FLIGHT_NONE;
	send_wait(sv, slot);
	return true;
}

/* A pending signal: EINTR, or the call starts again, as its handler asks; but never
 * with a time limit, see sock_intr_errno() of the kernel.
 */
static int interruption(bool limited)
{
	return limited ? -EINTR : -NOTIFY_ERESTARTSYS;
}

int64_t send_final_value(const struct flight *f, int result)
{
	const struct send_job *job = &f->send.job;

	if (result == -EINTR && f->interrupted)
		result = interruption(connect_timeout_ns(job->fd) != 0);
	return result < 0 ? so_far(job, result) : (int64_t)job->done;
}

/* The caller is gone, and its memory may hold the worker for ever. */
static void send_give_up_length(struct supervisor *sv, unsigned slot)
{
	worker_pool_abandon(sv->workers, slot);
	(void)close(TAKE_FD(sv->flights[slot].send.job.fd));
	flight_end(sv, slot);
}

void send_look(struct supervisor *sv, unsigned slot)
{
	struct flight *f = &sv->flights[slot];
	bool gone = notify_valid(sv->listener, flight_notification(sv, slot)->id) < 0;

	if (f->state == FLIGHT_WORKING && gone && f->send.writing)
		send_give_up_length(sv, slot);
	else if (f->state == FLIGHT_WORKING && gone)
		worker_pool_interrupt(sv->workers, slot);
	else if (f->state == FLIGHT_QUEUED && gone)
		flight_end(sv, slot);
	else if (f->state == FLIGHT_QUEUED && f->until_ns && now_monotonic_ns() >= f->until_ns)
		(void)send_message_through(sv, slot, so_far(&f->send.job, -EAGAIN));
}

void send_tick(struct supervisor *sv, unsigned slot)
{
	struct flight *f = &sv->flights[slot];

	/* a look for a file is not interrupted by signals, as in the kernel */
	if (f->looking || f->send.writing ||
	    (f->state != FLIGHT_WORKING && f->state != FLIGHT_QUEUED) || !flight_signal_waits(f) ||
	    notify_valid(sv->listener, flight_notification(sv, slot)->id) < 0)
		return;
	/* for good: the worker may come back when the signal is gone already */
	f->interrupted = true;
	if (f->state == FLIGHT_WORKING)
		worker_pool_interrupt(sv->workers, slot);
	else
		(void)send_message_through(sv, slot,
					   so_far(&f->send.job, interruption(f->until_ns != 0)));
}
