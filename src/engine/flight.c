/* SPDX-License-Identifier: GPL-3.0-or-later */
/* flight.c - what every handler does with its notification: answers it, hands it
 * to a worker, refuses it.
 */
#include "config.h"

#include <errno.h>
#include <sys/timerfd.h>

#include "engine/fetch.h"
#include "kernel/notify.h"
#include "kernel/target.h"
#include "kernel/verify.h"

/* How often those that wait are looked after. Of many only some each time, so that no
 * other call has to wait for long: see look_after_waiting().
 */
enum { TICK_NS = 20 * 1000 * 1000, TICK_OF_MANY_NS = 5 * 1000 * 1000, MANY = 4 };

/* The next exec of the same process may go on; the loop takes it up. */
static void wake_waiting(struct supervisor *sv, pid_t tgid)
{
	for (unsigned i = 0; i < sv->high; i++) {
		if (sv->flights[i].state == FLIGHT_WAITING && sv->flights[i].tgid == tgid) {
			sv->flights[i].state = FLIGHT_READY;
			sv->ready++;
			return;
		}
	}
}

void flight_waits(struct supervisor *sv, unsigned slot, enum waits_on on)
{
	struct flight *f = &sv->flights[slot];
	struct waiting *w;

	if (!f->waiting) {
		f->waiting = ++sv->nwaiting;
		sv->waiting[f->waiting - 1].on = on;
		sv->nqueued += on >= WAITS_QUEUED;
	}
	if (f->pidfd < 0 && f->handler != HANDLER_EXEC)
		f->pidfd = target_pidfd(f->tid);
	/* before Linux 6.9 a thread has none: its process serves */
	if (f->pidfd < 0 && f->handler != HANDLER_EXEC)
		f->pidfd = MAX(target_pidfd(f->tgid), -1);
	w = &sv->waiting[f->waiting - 1];
	sv->nqueued += (on >= WAITS_QUEUED) - (w->on >= WAITS_QUEUED);
	*w = (struct waiting){ .slot = slot, .tgid = f->tgid, .on = on };
	if (!sv->tick_ns)
		flight_tick(sv);
}

bool flight_may_wait(const struct supervisor *sv)
{
	return sv->nwaiting < JOURNAL_SLOTS - 512;
}

static void waits_no_more(struct supervisor *sv, struct flight *f)
{
	struct waiting last;

	if (!f->waiting)
		return;
	sv->nqueued -= sv->waiting[f->waiting - 1].on >= WAITS_QUEUED;
	last = sv->waiting[--sv->nwaiting];
	sv->waiting[f->waiting - 1] = last;
	sv->flights[last.slot].waiting = f->waiting;
	f->waiting = 0;
}

unsigned flight_in_ring(const struct supervisor *sv, pid_t tgid)
{
	unsigned count = 0;

	for (unsigned i = 0; i < sv->nwaiting; i++)
		count += sv->waiting[i].on == WAITS_IN_RING && sv->waiting[i].tgid == tgid;
	return count;
}

void flight_end(struct supervisor *sv, unsigned slot)
{
	struct flight *f = &sv->flights[slot];
	bool was_exec = f->handler == HANDLER_EXEC;
	pid_t tgid = f->tgid;

	sv->journal->slots[slot].notification.id = 0;
	journal_slot_step(sv->journal, slot, SLOT_FREE);
	if (f->pidfd >= 0)
		(void)close(TAKE_FD(f->pidfd));
	waits_no_more(sv, f);
	fetch_drop(sv, f);
	sv->traced -= f->traced;
	f->traced = f->fetching = false;
	f->state = FLIGHT_NONE;
	f->handler = HANDLER_NONE;
	while (sv->high && sv->flights[sv->high - 1].handler == HANDLER_NONE &&
	       sv->flights[sv->high - 1].state == FLIGHT_NONE)
		sv->high--;
	sv->stalled = false;
	if (was_exec)
		wake_waiting(sv, tgid);
}

void flight_fail(struct supervisor *sv, unsigned slot, int error)
{
	(void)notify_fail(sv->listener, flight_notification(sv, slot)->id, error);
	flight_end(sv, slot);
}

/* ERESTARTSYS starts a call again in a thread that looks for signals on its way out: one
 * that has been woken up for a signal. Of a signal to the whole process only the kernel
 * knows which thread that is, and another may have taken it since. A thread that does not
 * look would see the raw number.
 */
static bool looks_for_signals(pid_t tid)
{
	struct proc_status status;

	if (procfs_status(tid, &status) < 0 || status.threads == 1)
		return true;
	return status.pending & ~status.shared & ~status.blocked;
}

void flight_result(struct supervisor *sv, unsigned slot, int64_t result)
{
	struct journal_slot *js = &sv->journal->slots[slot];

	/* who is traced by somebody else cannot be made to look; the stop of who can is
	 * seen in exec_stopped() */
	if (result == -NOTIFY_ERESTARTSYS && !looks_for_signals(sv->flights[slot].tid) &&
	    verify_nudge(sv->flights[slot].tid) < 0)
		result = -EINTR;
	js->result = result;
	journal_slot_step(sv->journal, slot, SLOT_EFFECT);
	if (result < 0)
		(void)notify_fail(sv->listener, js->notification.id, (int)-result);
	else
		(void)notify_return(sv->listener, js->notification.id, result);
	flight_end(sv, slot);
}

void flight_continue(struct supervisor *sv, unsigned slot)
{
	(void)notify_continue(sv->listener, flight_notification(sv, slot)->id);
	flight_end(sv, slot);
}

void flight_tick(struct supervisor *sv)
{
	int every = !sv->nwaiting ? 0 : sv->nwaiting > MANY ? TICK_OF_MANY_NS : TICK_NS;
	struct itimerspec spec = { .it_interval.tv_nsec = every, .it_value.tv_nsec = every };

	if (sv->tick_ns != every)
		(void)timerfd_settime(sv->timer, 0, &spec, NULL);
	sv->tick_ns = every;
}

int flight_work(struct supervisor *sv, unsigned slot, unsigned limit, struct worker_request request)
{
	struct flight *f = &sv->flights[slot];
	int r;

	/* the more are busy, the fewer for each: some are left for the next process */
	limit = MIN(limit, MAX(WORKERS_MAX - worker_pool_busy(sv->workers), 1u));
	if (worker_pool_held(sv->workers, f->tgid) >= limit)
		return -EAGAIN;
	request.slot = slot;
	request.owner = f->tgid;
	journal_slot_step(sv->journal, slot, SLOT_WORKING);
	r = worker_pool_start(sv->workers, &request);
	if (r < 0) {
		journal_slot_step(sv->journal, slot, SLOT_RECEIVED);
		return r;
	}
	f->state = FLIGHT_WORKING;
	flight_waits(sv, slot, WAITS_FOR_WORKER);
	return 0;
}

bool flight_signal_waits(const struct flight *f)
{
	struct proc_status status, first;
	uint64_t waits;

	if (procfs_status(f->tid, &status) < 0)
		return false;
	waits = status.pending & ~status.blocked;
	if (waits & status.shared && f->tid != f->tgid) {
		if (procfs_status(f->tgid, &first) < 0)
			return false;
		waits &= ~(status.shared & ~first.blocked);
	}
	return waits != 0;
}

ssize_t flight_address(struct supervisor *sv, const struct flight *f, uint64_t at, void *buf,
		       size_t size)
{
	ssize_t r;

	if (f->fetch)
		return fetch_address(f->fetch, buf, size);
	sentinel_enter(sv->sentinel);
	r = target_copy(f->tid, at, buf, size);
	sentinel_leave(sv->sentinel);
	return r;
}

/* ---- verdicts ---- */

bool flight_enforces(const struct supervisor *sv, enum event_type type)
{
	return sv->options.config->mode == MODE_BLOCK && sv->ruleset->needs[type].blocking;
}

static const struct process *lookup_process(void *data, pid_t pid)
{
	const struct supervisor *sv = data;

	return proctab_find(sv->processes, pid);
}

static struct decision decide_on(struct supervisor *sv, const struct event *event,
				 enum hashing_when hashing, const struct rule *only)
{
	const struct decide_request request = {
		.ruleset = sv->ruleset,
		.mode = sv->options.config->mode,
		.event = event,
		.origin = sv->options.origin,
		.arena = &sv->arena,
		.lineage = sv->lineage,
		.variables = sv->options.variables,
		.lookup = lookup_process,
		.lookup_data = sv,
		.key = { sv->key[0], sv->key[1] },
		.hashing = sv->hashing ? hashing : HASHING_NEVER,
		.only = only,
	};
	struct decision d = decide(&request);

	pinned_decide(sv->options.pinned->programs, &request, &d);
	return d;
}

struct decision flight_decide(struct supervisor *sv, const struct event *event)
{
	return decide_on(sv, event, event->type == EVENT_EXEC ? HASHING_NOW : HASHING_LATER, NULL);
}

struct decision flight_decide_later(struct supervisor *sv, const struct event *event,
				    const struct rule *rule)
{
	return decide_on(sv, event, HASHING_LATER, rule);
}

void flight_settle(struct supervisor *sv, const struct event *event,
		   const struct decision *decision)
{
	const struct process *actor;

	for (size_t i = 0; i < decision->nmatches; i++) {
		if (decision->matches[i].unset)
			variables_miss(sv->options.variables);
	}
	if (!decision->planned)
		return;
	/* the event may be about a candidate, what of it has come about is in the table */
	actor = proctab_find(sv->processes, event->process->pid);
	variables_apply(sv->options.variables, sv->ruleset, decision->planned, event->process,
			actor ? actor : event->process, now_monotonic_ns());
}

void flight_report(struct supervisor *sv, const struct event *event,
		   const struct decision *decision, enum guarantee guarantee)
{
	flight_settle(sv, event, decision);
	reporter_report(sv->reporter, event, decision, guarantee);
}

void flight_refuse_after(struct supervisor *sv, unsigned slot, struct event *event,
			 const struct decision *decision, enum guarantee guarantee, unsigned done)
{
	struct journal_slot *js = &sv->journal->slots[slot];
	const struct match *verdict = &decision->strongest;
	int error = verdict->kind == VERDICT_KILLED ? EPERM : verdict->error;

	event->retval = -error;
	flight_settle(sv, event, decision);
	js->result = done ? (int64_t)done : -error;
	js->kill_scope = (int)verdict->scope;
	js->kill_signal = verdict->kind == VERDICT_KILLED ? verdict->signal : 0;
	/* from here on a successor does the rest: see finish_denial() of start.c */
	reporter_commit(sv->reporter, slot, event, decision, guarantee);
	if (verdict->kind == VERDICT_KILLED)
		kill_scope_apply(sv, event->process, verdict->scope, verdict->signal);
	flight_result(sv, slot, js->result);
	reporter_report(sv->reporter, event, decision, guarantee);
}

void flight_refuse(struct supervisor *sv, unsigned slot, struct event *event,
		   const struct decision *decision, enum guarantee guarantee)
{
	flight_refuse_after(sv, slot, event, decision, guarantee, 0);
}

bool flight_refuse_unreadable(struct supervisor *sv, unsigned slot, struct event *event,
			      enum reason reason)
{
	struct decision d = decide_unreadable(sv->ruleset, sv->options.config->mode, event->type,
					      reason, &sv->arena);

	if (d.strongest.kind < VERDICT_BLOCKED)
		return false;
	/* one that was killed meanwhile cannot be read either, and is no denial */
	if (notify_valid(sv->listener, flight_notification(sv, slot)->id) < 0)
		flight_end(sv, slot);
	else
		flight_refuse(sv, slot, event, &d, event_type_guarantee(event->type));
	return true;
}
