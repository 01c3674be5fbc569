/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bind.c - bind(2): judged on guard's copy of the address, performed on guard's duplicate
 * of the socket by a worker in the caller's place.
 *
 * Rules that only watch leave everything but IPv4 and IPv6 to the kernel.
 */
#include "config.h"

#include <errno.h>

#include "engine/flight.h"
#include "kernel/notify.h"
#include "kernel/sockaddr.h"
#include "kernel/target.h"

static void drop(struct flight *f)
{
	if (f->bind.fd >= 0)
		(void)close(TAKE_FD(f->bind.fd));
}

static void fail(struct supervisor *sv, unsigned slot, int error)
{
	drop(&sv->flights[slot]);
	if (flight_enforces(sv, EVENT_BIND))
		flight_fail(sv, slot, error);
	else
		flight_continue(sv, slot);
}

static bool is_inet(const struct flight *f)
{
	return f->bind.kind.domain == AF_INET || f->bind.kind.domain == AF_INET6;
}

static int make_event(struct supervisor *sv, const struct flight *f, const struct process *process,
		      struct event *event)
{
	struct sockaddr_storage address;

	*event = (struct event){
		.type = EVENT_BIND,
		.time_ns = now_realtime_ns(),
		.process = process,
		.tid = f->tid,
		.syscall = f->syscall,
		.bind.protocol = socket_protocol(&f->bind.kind),
	};
	bind_address(&f->bind, &address);
	return sockaddr_decode(&address, f->bind.size, &sv->arena, &event->bind.addr);
}

/* After the answer; where nothing is enforced it is decided here. */
static void report(struct supervisor *sv, struct flight *f, struct event *event,
		   struct process *process, struct decision *d, enum guarantee guarantee)
{
	if (!flight_enforces(sv, EVENT_BIND))
		*d = flight_decide(sv, event);
	if (!d->nmatches)
		return;
	(void)proctab_refresh(sv->processes, process, f->tid, UINT64_MAX);
	reporter_report(sv->reporter, event, d, guarantee);
}

/* move_addr_to_kernel(): 0, or the errno for the caller. */
static int read_address(struct supervisor *sv, struct flight *f, const struct seccomp_notif *n)
{
	int size = (int)n->data.args[2];
	ssize_t r;

	if (size < 0 || (size_t)size > sizeof f->bind.address)
		return -EINVAL;
	f->bind.size = (socklen_t)size;
	r = size ? flight_address(sv, f, n->data.args[1], &f->bind.address, (size_t)size) : 0;
	if (r < 0)
		return (int)r;
	return r == size ? 0 : -EFAULT;
}

static void perform(struct supervisor *sv, unsigned slot)
{
	struct flight *f = &sv->flights[slot];

	if (flight_work(sv, slot, WORKERS_PER_PROCESS,
			(struct worker_request){
				.job = bind_run, .data = &f->bind, .size = sizeof f->bind }) == 0)
		return;
	/* all are busy: it comes back when one is free */
	if (flight_may_wait(sv)) {
		drop(f);
		f->state = FLIGHT_QUEUED;
		flight_waits(sv, slot, WAITS_QUEUED);
		return;
	}
	fail(sv, slot, EAGAIN);
}

static void judge(struct supervisor *sv, unsigned slot, struct caller *caller)
{
	struct flight *f = &sv->flights[slot];
	struct decision d = { .strongest.kind = VERDICT_NONE };
	struct process *process;
	struct event event;
	int r;

	process = proctab_get(sv->processes, caller, &r);
	if (process)
		r = proctab_refresh(sv->processes, process, f->tid,
				    sv->ruleset->needs[EVENT_BIND].fields);
	if (process && r == 0)
		r = make_event(sv, f, process, &event);
	if (r == 0 && notify_valid(sv->listener, flight_notification(sv, slot)->id) < 0) {
		drop(f);
		flight_end(sv, slot);
		return;
	}
	if (r < 0) {
		fail(sv, slot, r == -ENOMEM ? ENOMEM : EPERM);
		return;
	}
	if (flight_enforces(sv, EVENT_BIND))
		d = flight_decide(sv, &event);
	if (d.strongest.kind >= VERDICT_BLOCKED) {
		drop(f);
		(void)proctab_refresh(sv->processes, process, f->tid, UINT64_MAX);
		flight_refuse(sv, slot, &event, &d, GUARANTEE_EMULATED);
	} else if (is_inet(f) || flight_enforces(sv, EVENT_BIND)) {
		perform(sv, slot);
	} else {
		drop(f);
		flight_continue(sv, slot);
		report(sv, f, &event, process, &d, GUARANTEE_OBSERVED);
	}
}

void bind_received(struct supervisor *sv, unsigned slot, struct caller *caller)
{
	struct flight *f = &sv->flights[slot];
	const struct seccomp_notif *n = flight_notification(sv, slot);
	int r;

	f->bind = (struct bind_job){ .fd = -1, .tid = f->tid, .tgid = f->tgid };
	r = target_getfd(caller->pidfd, (int)n->data.args[0]);
	if (r >= 0) {
		f->bind.fd = r;
		r = connect_kind(f->bind.fd, &f->bind.kind);
	}
	if (r == 0)
		r = read_address(sv, f, n);
	if (r < 0)
		fail(sv, slot, -r);
	else
		judge(sv, slot, caller);
}

void bind_look(struct supervisor *sv, unsigned slot)
{
	struct flight *f = &sv->flights[slot];

	if (notify_valid(sv->listener, flight_notification(sv, slot)->id) == 0)
		return;
	if (f->state == FLIGHT_QUEUED)
		flight_end(sv, slot);
	else if (f->state == FLIGHT_WORKING)
		worker_pool_interrupt(sv->workers, slot);
}

void bind_worked(struct supervisor *sv, unsigned slot, int result)
{
	struct flight *f = &sv->flights[slot];
	struct decision d = { .strongest.kind = VERDICT_NONE };
	struct process *process = NULL;
	struct caller caller;
	struct event event;
	int r;

	/* a second time, after the supervisor that had done it died */
	if (f->recovered && result == -EINVAL && bind_is_done(&f->bind))
		result = 0;
	drop(f);
	f->state = FLIGHT_NONE;
	/* as long as it is parked: with its next call it may be gone */
	if (caller_open(f->tid, &caller) == 0) {
		process = proctab_get(sv->processes, &caller, &r);
		caller_close(&caller);
	}
	if (process && (proctab_refresh(sv->processes, process, f->tid,
					sv->ruleset->needs[EVENT_BIND].fields) < 0 ||
			make_event(sv, f, process, &event) < 0))
		process = NULL;
	if (result == BIND_CONTINUE)
		flight_continue(sv, slot);
	else
		flight_result(sv, slot, result);
	if (!process) {
		/* killed meanwhile */
		atomic_fetch_add(&sv->journal->lost, 1);
		return;
	}
	event.retval = MIN(result, 0);
	if (flight_enforces(sv, EVENT_BIND))
		d = flight_decide(sv, &event);
	report(sv, f, &event, process, &d, GUARANTEE_EMULATED);
}
