/* SPDX-License-Identifier: GPL-3.0-or-later */
/* local.c - connect(2) to AF_UNIX peers: docker, D-Bus, agents, X11.
 *
 * What the address means is looked up once, by a worker with the caller's rights;
 * the socket file that was found is judged, and connected to. So the peer sees guard's
 * pid, with the caller's user and groups. Where no rule that refuses looks at the
 * path, the kernel makes the call itself, if the caller is alone with its descriptors:
 * otherwise the kernel might find another socket under the number, one for TCP.
 */
#include "config.h"

#include <errno.h>

#include "engine/connect.h"
#include "engine/exec_event.h"
#include "kernel/notify.h"

/* Names of the ruleset, among the pins; behind them are those that pass through. */
static size_t named(const struct supervisor *sv)
{
	return sv->ruleset->npeers;
}

static bool looks_at_paths(const struct supervisor *sv)
{
	return sv->ruleset->needs[EVENT_CONNECT].fields & NEED_PEER_PATH;
}

bool local_refuses_paths(const struct supervisor *sv)
{
	return flight_enforces(sv, EVENT_CONNECT) &&
	       sv->ruleset->needs[EVENT_CONNECT].blocking_fields & NEED_PEER_PATH;
}

/* ---- what it is called --------------------------------------------------------- */

int local_name(struct supervisor *sv, const struct flight *f, struct socket_address *address)
{
	struct file_info info;
	int r;

	/* whatever the caller's memory says by now, the socket knows no other family */
	address->family = AF_UNIX;
	if (f->look.file <= 0)
		return 0;
	r = resolve_describe(NULL, f->tid, f->look.file, &sv->arena, &info);
	if (r == 0)
		r = info.error;
	if (r == 0)
		address->path = info.path;
	return r;
}

/* Rules whose own name for the peer is another one than its path. */
static void decide_by_names(struct supervisor *sv, const struct flight *f, struct event *event,
			    struct decision *d)
{
	struct socket_address *address = &event->connect.addr;
	const struct secl_string path = address->path;

	for (size_t i = 0; i < named(sv); i++) {
		const struct secl_string *name = &sv->ruleset->peers[i];
		struct decision more;

		if (!pins_has(&f->look.known, i) ||
		    (name->size == path.size && memcmp(name->text, path.text, path.size) == 0))
			continue;
		address->path = *name;
		more = flight_decide(sv, event);
		address->path = path;
		if (decision_add(d, &more, &sv->arena))
			address->alias = *name;
	}
}

struct decision local_decide(struct supervisor *sv, struct flight *f, struct event *event)
{
	struct decision d = flight_decide(sv, event);

	if (f->look.file > 0)
		decide_by_names(sv, f, event, &d);
	if (!d.nmatches || f->look.file || f->handler != HANDLER_CONNECT ||
	    peer_kind(&f->connect.job.address, f->connect.job.size) != PEER_PATH)
		return d;
	/* no rule asks which file it is, but who reads the report does */
	peer_glance(&f->look);
	(void)local_name(sv, f, &event->connect.addr);
	return d;
}

/* ---- the call -------------------------------------------------------------------- */

static bool is_listed(const struct strv *list, const struct secl_string *text)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strlen(list->items[i]) == text->size &&
		    memcmp(list->items[i], text->text, text->size) == 0)
			return true;
	}
	return false;
}

/* unix_passthrough of guard.conf: by name, or as the same file under another. */
static bool passes_through(const struct supervisor *sv, const struct flight *f,
			   const struct event *event)
{
	const struct strv *list = &sv->options.config->unix_passthrough;

	for (size_t i = 0; f->look.file > 0 && i < list->count; i++) {
		if (named(sv) + i < PINS_MAX && pins_has(&f->look.known, named(sv) + i))
			return true;
	}
	return is_listed(list, &event->connect.addr.path);
}

/* The result is there at once: RESULT, or the kernel's. */
static void end_with(struct supervisor *sv, unsigned slot, struct event *event,
		     struct process *process, int result)
{
	struct flight *f = &sv->flights[slot];
	struct decision d = { .strongest.kind = VERDICT_NONE };

	f->left = result == CONNECT_CONTINUE;
	if (f->left)
		flight_continue(sv, slot);
	else
		flight_result(sv, slot, result);
	if (flight_enforces(sv, EVENT_CONNECT))
		d = local_decide(sv, f, event);
	connect_report(sv, f, event, process, &d, result);
	connect_drop(f);
}

void local_perform(struct supervisor *sv, unsigned slot, struct event *event,
		   struct process *process)
{
	struct flight *f = &sv->flights[slot];
	struct connect_job *job = &f->connect.job;

	if (!flight_enforces(sv, EVENT_CONNECT)) {
		end_with(sv, slot, event, process, CONNECT_CONTINUE);
		return;
	}
	job->judged = local_refuses_paths(sv) && !passes_through(sv, f, event);
	if (job->judged && f->look.file < 0) {
		end_with(sv, slot, event, process, f->look.file);
		return;
	}
	job->local = true;
	job->file = MAX(f->look.file, 0);
	job->host = &sv->host;
	job->tid = f->tid;
	job->tgid = f->tgid;
	/* never by the ring: the result comes to connect_worked() */
	(void)connect_wait(sv, slot);
}

/* ---- the look --------------------------------------------------------------------- */

int local_look(struct supervisor *sv, unsigned slot, const struct peer *peer)
{
	struct flight *f = &sv->flights[slot];
	int r;

	f->look = (struct peer_look){
		.host = &sv->host, .pins = sv->pins, .tid = f->tid, .tgid = f->tgid
	};
	peer_path(peer->address, peer->size, f->look.path);
	f->deadline_ns = now_monotonic_ns() + sv->options.config->deadline_ms * 1000000;
	r = flight_work(sv, slot, WORKERS_PER_PROCESS,
			(struct worker_request){ .job = peer_look,
						 .data = &f->look,
						 .size = sizeof f->look,
						 .dispose = peer_drop });
	if (r < 0)
		return r;
	/* nothing is done by that: a successor begins anew */
	journal_slot_step(sv->journal, slot, SLOT_RECEIVED);
	f->looking = true;
	return 0;
}

static void refuse(struct supervisor *sv, unsigned slot, struct caller *caller)
{
	struct event event = { .type = EVENT_CONNECT, .time_ns = now_realtime_ns() };
	struct flight *f = &sv->flights[slot];
	int r;

	event.process = proctab_get(sv->processes, caller, &r);
	event.tid = f->tid;
	event.syscall = f->syscall;
	event.connect.addr.family = AF_UNIX;
	event.connect.addr.path =
		(struct secl_string){ .text = f->look.path, .size = strlen(f->look.path) };
	if (!event.process ||
	    !flight_refuse_unreadable(sv, slot, &event, exec_reason(f->look.file)))
		flight_fail(sv, slot, EPERM);
}

bool local_found(struct supervisor *sv, unsigned slot, struct caller *caller, int result)
{
	struct flight *f = &sv->flights[slot];

	f->looking = false;
	f->state = FLIGHT_NONE;
	if (result < 0)
		f->look.file = result;
	if (f->look.file > 0 || resolve_error_is_native(f->look.file))
		return true;
	if (!flight_enforces(sv, EVENT_CONNECT)) {
		f->look.file = 0;
		return true;
	}
	refuse(sv, slot, caller);
	return false;
}

void local_looked(struct supervisor *sv, unsigned slot, int result)
{
	struct flight *f = &sv->flights[slot];
	struct caller caller;

	if (caller_open(f->tid, &caller) < 0) {
		connect_drop(f);
		flight_end(sv, slot);
		return;
	}
	if (local_found(sv, slot, &caller, result))
		connect_judge(sv, slot, &caller);
	else
		connect_drop(f);
	caller_close(&caller);
}

void local_overdue(struct supervisor *sv, unsigned slot)
{
	worker_pool_abandon(sv->workers, slot);
	arena_reset(&sv->arena);
	handler_find(sv->flights[slot].handler)->worked(sv, slot, -EINTR);
}

static void look(struct supervisor *sv, unsigned slot)
{
	struct flight *f = &sv->flights[slot];
	struct peer peer = { &f->connect.kind, &f->connect.job.address, f->connect.job.size };

	if (local_look(sv, slot, &peer) == 0 || connect_queue(sv, slot))
		return;
	connect_drop(f);
	if (flight_enforces(sv, EVENT_CONNECT))
		flight_fail(sv, slot, EAGAIN);
	else
		flight_continue(sv, slot);
}

void local_received(struct supervisor *sv, unsigned slot, struct caller *caller)
{
	struct flight *f = &sv->flights[slot];
	enum peer_kind kind;
	int r;

	r = connect_read_address(sv, f, flight_notification(sv, slot));
	if (r < 0) {
		connect_cannot_judge(sv, slot, -r);
		return;
	}
	kind = peer_kind(&f->connect.job.address, f->connect.job.size);
	if (kind == PEER_PATH && looks_at_paths(sv)) {
		look(sv, slot);
	} else if (kind == PEER_NONE && flight_enforces(sv, EVENT_CONNECT)) {
		/* a disconnect or an error, on guard's copy: neither waits, nor has a peer */
		r = connect_run(&f->connect.job);
		connect_drop(f);
		flight_result(sv, slot, r);
	} else if (kind == PEER_NONE) {
		connect_drop(f);
		flight_continue(sv, slot);
	} else {
		connect_judge(sv, slot, caller);
	}
}
