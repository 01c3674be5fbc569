/* SPDX-License-Identifier: GPL-3.0-or-later */
/* connect.c - connect(2): judged on guard's copy, performed on guard's duplicate.
 *
 * What cannot block is done at once, the rest waits (connect_wait.c). The address that is
 * judged is the address that is used, and the socket that was looked at is the
 * socket that is connected: there is nothing left for the caller to swap.
 */
#include "config.h"

#include <errno.h>
#include <sys/socket.h>

#include "engine/connect.h"
#include "engine/flight.h"
#include "kernel/notify.h"
#include "kernel/sockaddr.h"
#include "kernel/target.h"
#include "model/hosts.h"

int connect_event_to(struct supervisor *sv, const struct flight *f, const struct process *process,
		     const struct peer *peer, struct event *event)
{
	int r;

	*event = (struct event){
		.type = EVENT_CONNECT,
		.time_ns = now_realtime_ns(),
		.process = process,
		.tid = f->tid,
		.syscall = f->syscall,
		.connect.protocol = socket_protocol(peer->kind),
	};
	r = sockaddr_decode(peer->address, peer->size, &sv->arena, &event->connect.addr);
	if (r < 0)
		return r;
	if (peer->kind->domain == AF_UNIX)
		return local_name(sv, f, &event->connect.addr);
	return hosts_name(sv->options.origin->hosts, &sv->arena, &event->connect.addr);
}

struct decision connect_decide(struct supervisor *sv, struct flight *f, struct event *event)
{
	return event->connect.addr.family == AF_UNIX ? local_decide(sv, f, event)
						     : flight_decide(sv, event);
}

static int make_event(struct supervisor *sv, const struct flight *f, const struct process *process,
		      struct event *event)
{
	struct peer peer = { .kind = &f->connect.kind,
			     .address = &f->connect.job.address,
			     .size = f->connect.job.size };

	return connect_event_to(sv, f, process, &peer, event);
}

void connect_report(struct supervisor *sv, struct flight *f, struct event *event,
		    struct process *process, struct decision *d, int result)
{
	event->retval = MIN(result, 0);
	if (!flight_enforces(sv, EVENT_CONNECT))
		*d = connect_decide(sv, f, event);
	if (!d->nmatches)
		return;
	(void)proctab_refresh(sv->processes, process, event->tid, UINT64_MAX);
	flight_report(sv, event, d, f->left ? GUARANTEE_OBSERVED : GUARANTEE_EMULATED);
}

int connect_read_address(struct supervisor *sv, struct flight *f, const struct seccomp_notif *n)
{
	int size = (int)n->data.args[2];
	ssize_t r;

	if (size < 0 || (size_t)size > sizeof f->connect.job.address)
		return -EINVAL;
	f->connect.job.size = (socklen_t)size;
	if (!size)
		return 0;
	r = flight_address(sv, f, n->data.args[1], &f->connect.job.address, (size_t)size);
	if (r < 0)
		return (int)r;
	return r == size ? 0 : -EFAULT;
}

void connect_drop(struct flight *f)
{
	if (f->connect.job.fd >= 0)
		(void)close(TAKE_FD(f->connect.job.fd));
	peer_drop(&f->look);
}

/* AF_UNSPEC ends a connection, or an attempt at one, and does not wait. */
static bool is_end(const struct flight *f)
{
	const struct connect_job *job = &f->connect.job;

	return job->size >= sizeof job->address.ss_family && job->address.ss_family == AF_UNSPEC &&
	       (f->connect.kind.domain == AF_INET || f->connect.kind.domain == AF_INET6);
}

static int make(struct supervisor *sv, unsigned slot)
{
	struct flight *f = &sv->flights[slot];

	if (is_end(f))
		connect_end_others(sv, slot);
	else if (f->connect.kind.may_block)
		return connect_wait(sv, slot);
	return connect_run(&f->connect.job);
}

static void perform(struct supervisor *sv, unsigned slot, struct event *event,
		    struct process *process, struct decision *d)
{
	struct flight *f = &sv->flights[slot];
	int result;

	/* before the deed, see journal.h */
	if (!f->recovered)
		sv->journal->slots[slot].state = (int8_t)connect_state(f->connect.job.fd);
	journal_slot_step(sv->journal, slot, SLOT_WORKING);
	result = make(sv, slot);
	if (result == CONNECT_WAITS)
		return;
	result = connect_as_before(sv, slot, result);
	connect_drop(f);
	flight_result(sv, slot, result);
	connect_report(sv, f, event, process, d, result);
}

/* The caller's socket, address or identity is out of reach, or its call is wrong,
 * which the kernel finds out as well: ERROR, where guard may refuse something.
 */
void connect_cannot_judge(struct supervisor *sv, unsigned slot, int error)
{
	struct flight *f = &sv->flights[slot];

	connect_drop(f);
	if (flight_enforces(sv, EVENT_CONNECT))
		flight_fail(sv, slot, error);
	else
		flight_continue(sv, slot);
}

void connect_judge(struct supervisor *sv, unsigned slot, struct caller *caller)
{
	struct flight *f = &sv->flights[slot];
	const struct event_needs *needs = &sv->ruleset->needs[EVENT_CONNECT];
	struct decision d = { .strongest.kind = VERDICT_NONE };
	struct process *process;
	struct event event;
	int r;

	process = proctab_get(sv->processes, caller, &r);
	if (process)
		r = proctab_refresh(sv->processes, process, f->tid, needs->fields);
	if (process && r == 0)
		r = make_event(sv, f, process, &event);
	if (r == 0 && notify_valid(sv->listener, flight_notification(sv, slot)->id) < 0) {
		connect_drop(f);
		flight_end(sv, slot);
		return;
	}
	if (r < 0) {
		connect_cannot_judge(sv, slot, r == -ENOMEM ? ENOMEM : EPERM);
		return;
	}
	if (flight_enforces(sv, EVENT_CONNECT))
		d = connect_decide(sv, f, &event);
	if (d.strongest.kind >= VERDICT_BLOCKED) {
		connect_drop(f);
		(void)proctab_refresh(sv->processes, process, f->tid, UINT64_MAX);
		flight_refuse(sv, slot, &event, &d, GUARANTEE_EMULATED);
		return;
	}
	if (f->connect.kind.domain == AF_UNIX)
		local_perform(sv, slot, &event, process);
	else
		perform(sv, slot, &event, process, &d);
}

void connect_received(struct supervisor *sv, unsigned slot, struct caller *caller)
{
	struct flight *f = &sv->flights[slot];
	const struct seccomp_notif *n = flight_notification(sv, slot);
	int r;

	f->connect.job = (struct connect_job){ .fd = -1 };
	f->connect.polled = f->connect.in_progress = f->connect.disconnected = false;
	f->connect.turns = 0;
	r = target_getfd(caller->pidfd, (int)n->data.args[0]);
	if (r < 0) {
		/* -EPERM: the caller cannot be looked into */
		connect_cannot_judge(sv, slot, -r);
		return;
	}
	f->connect.job.fd = r;
	r = connect_kind(f->connect.job.fd, &f->connect.kind);
	if (r == 0 && f->connect.kind.domain == AF_UNIX) {
		local_received(sv, slot, caller);
		return;
	}
	/* the kernel looks at the address first, and only then at what the file is */
	if (r == 0 || r == -ENOTSOCK) {
		int address = connect_read_address(sv, f, n);

		r = address < 0 ? address : r;
	}
	if (r < 0) {
		connect_cannot_judge(sv, slot, -r);
		return;
	}
	sockaddr_settle(f->connect.job.fd, f->connect.job.address.ss_family,
			&f->connect.job.address, f->connect.job.size);
	connect_judge(sv, slot, caller);
}

static void answer(struct supervisor *sv, unsigned slot, int result)
{
	struct flight *f = &sv->flights[slot];

	f->state = FLIGHT_NONE;
	f->left = result == CONNECT_CONTINUE;
	if (f->left)
		flight_continue(sv, slot);
	else
		flight_result(sv, slot, result);
}

void connect_worked(struct supervisor *sv, unsigned slot, int result)
{
	struct flight *f = &sv->flights[slot];
	struct process *process = NULL;
	struct decision d = { .strongest.kind = VERDICT_NONE };
	struct caller caller;
	struct event event;
	int r;

	if (f->looking) {
		local_looked(sv, slot, result);
		return;
	}
	result = connect_waited(sv, slot, result);
	if (result == CONNECT_WAITS)
		return;
	/* as long as it is parked: with its next call it may be gone */
	if (caller_open(f->tid, &caller) == 0) {
		process = proctab_get(sv->processes, &caller, &r);
		caller_close(&caller);
	}
	if (process) {
		(void)proctab_refresh(sv->processes, process, f->tid,
				      sv->ruleset->needs[EVENT_CONNECT].fields);
		if (make_event(sv, f, process, &event) < 0)
			process = NULL;
	}
	answer(sv, slot, result);
	if (process && result != -NOTIFY_ERESTARTSYS) {
		if (flight_enforces(sv, EVENT_CONNECT))
			d = connect_decide(sv, f, &event);
		connect_report(sv, f, &event, process, &d, result);
	} else if (!process) {
		/* killed meanwhile; what it did may live on in a shared socket */
		atomic_fetch_add(&sv->journal->lost, 1);
	}
	connect_drop(f);
}
