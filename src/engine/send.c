/* SPDX-License-Identifier: GPL-3.0-or-later */
/* send.c - sendto(2), sendmsg(2), sendmmsg(2): each message that names its peer is a
 * connect to it, judged on guard's copy and sent on guard's duplicate.
 *
 * A message without a name is sent here as well: what the kernel would find when it
 * looks again, another thread may have changed. A supervisor that dies over a message
 * leaves it in doubt. It is never sent twice: a datagram then counts as sent, of a
 * stream the kernel tells how much it took.
 */
#include "config.h"

#include "engine/send.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>

#include "engine/connect.h"
#include "engine/fetch.h"
#include "kernel/notify.h"
#include "kernel/sockaddr.h"
#include "kernel/target.h"

enum {
	/* so many messages of a sendmmsg(2) are sent before others have their turn */
	MESSAGES_AT_A_TIME = 16,
	MESSAGES_MAX = 1024, /* UIO_MAXIOV */
};

static bool is_many(const struct flight *f)
{
	return f->handler == HANDLER_SENDMMSG;
}

static struct journal_slot *journal_of(struct supervisor *sv, unsigned slot)
{
	return &sv->journal->slots[slot];
}

/* ---- the end of a message ------------------------------------------------------ */

static void signal_pipe(const struct flight *f)
{
	(void)syscall(SYS_tgkill, f->tgid, f->tid, SIGPIPE);
}

void send_finish(struct supervisor *sv, unsigned slot, int64_t result)
{
	struct flight *f = &sv->flights[slot];
	bool signals = f->send.broken;

	f->send.broken = false;
	if (f->send.job.fd >= 0)
		(void)close(TAKE_FD(f->send.job.fd));
	/* a signal would take a caller that can be interrupted out of the call */
	if (signals && sv->options.killable)
		signal_pipe(f);
	flight_result(sv, slot, result);
	if (signals && !sv->options.killable)
		signal_pipe(f);
}

void send_fail(struct supervisor *sv, unsigned slot, int error)
{
	struct flight *f = &sv->flights[slot];

	if (flight_enforces(sv, EVENT_CONNECT)) {
		send_finish(sv, slot,
			    journal_of(sv, slot)->messages ? (int64_t)journal_of(sv, slot)->messages
							   : -error);
		return;
	}
	if (f->send.job.fd >= 0)
		(void)close(TAKE_FD(f->send.job.fd));
	flight_continue(sv, slot);
}

static uint64_t length_at(const struct seccomp_notif *n, unsigned message)
{
	return n->data.args[1] + message * sizeof(struct mmsghdr) +
	       offsetof(struct mmsghdr, msg_len);
}

/* It comes back with send_length_written(). */
static bool write_length_later(struct supervisor *sv, unsigned slot, int64_t value)
{
	struct flight *f = &sv->flights[slot];
	const struct journal_slot *js = journal_of(sv, slot);

	f->send.length = (struct send_length){
		.tid = f->tid,
		.at = length_at(&js->notification, js->messages),
		.value = value,
	};
	if (flight_work(sv, slot, WORKERS_PER_PROCESS,
			(struct worker_request){ .job = send_write_length,
						 .data = &f->send.length,
						 .size = sizeof f->send.length }) < 0)
		return false;
	f->send.writing = true;
	return true;
}

/* What is known of the message is all that can be. */
static bool message_through(struct supervisor *sv, unsigned slot, int64_t value)
{
	struct flight *f = &sv->flights[slot];
	struct journal_slot *js = journal_of(sv, slot);
	unsigned total = (unsigned)MIN((uint64_t)(unsigned)js->notification.data.args[2],
				       (uint64_t)MESSAGES_MAX);

	f->send.broken = value == -EPIPE && send_signals(&f->send.job);
	if (!is_many(f)) {
		send_finish(sv, slot, value);
		return false;
	}
	if (value < 0) {
		send_finish(sv, slot, js->messages ? (int64_t)js->messages : value);
		return false;
	}
	js->messages++;
	js->bytes = 0;
	journal_slot_step(sv->journal, slot, SLOT_RECEIVED);
	if (js->messages < total && (size_t)value == f->send.job.total)
		return true;
	send_finish(sv, slot, js->messages);
	return false;
}

bool send_message_through(struct supervisor *sv, unsigned slot, int64_t value)
{
	struct flight *f = &sv->flights[slot];
	struct send_length length = { .tid = f->tid, .value = value };

	if (!is_many(f) || value < 0)
		return message_through(sv, slot, value);
	if (flight_careful(sv))
		return !write_length_later(sv, slot, value) && message_through(sv, slot, -EFAULT);
	length.at = length_at(flight_notification(sv, slot), journal_of(sv, slot)->messages);
	sentinel_enter(sv->sentinel);
	if (send_write_length(&length) < 0)
		value = -EFAULT;
	sentinel_leave(sv->sentinel);
	return message_through(sv, slot, value);
}

static void length_written(struct supervisor *sv, unsigned slot, int result)
{
	struct flight *f = &sv->flights[slot];

	f->send.writing = false;
	f->state = FLIGHT_NONE;
	if (!message_through(sv, slot, result < 0 ? -EFAULT : f->send.length.value))
		return;
	(void)close(TAKE_FD(f->send.job.fd));
	f->state = FLIGHT_READY;
	sv->ready++;
}

/* ---- one message ---------------------------------------------------------------- */

/* Takes message number MESSAGES of the call over. */
static int take(struct supervisor *sv, unsigned slot)
{
	const struct journal_slot *js = journal_of(sv, slot);
	const struct seccomp_data *data = &js->notification.data;
	struct flight *f = &sv->flights[slot];
	struct send_job *job = &f->send.job;

	peer_drop(&f->look);
	*job = (struct send_job){ .fd = job->fd,
				  .tid = f->tid,
				  .tgid = f->tgid,
				  .kind = job->kind,
				  .names = job->kind.domain == AF_UNIX && ancillary_may_name(),
				  .flags = job->kind.nonblocking ? MSG_DONTWAIT : 0 };
	if (f->handler == HANDLER_SENDMSG || f->handler == HANDLER_SENDMMSG)
		job->flags |= (int)data->args[f->handler == HANDLER_SENDMSG ? 2 : 3];
	if (fetch_of_message(sv, slot))
		return fetch_message(sv, f);
	switch (f->handler) {
	case HANDLER_SENDTO: return send_take_arguments(job, sv->scratch, data);
	case HANDLER_SENDMSG: return send_take_message(job, sv->scratch, data->args[1], 0);
	default:
		return send_take_message(job, sv->scratch,
					 data->args[1] + js->messages * sizeof(struct mmsghdr),
					 MSG_EOR);
	}
}

struct verdict {
	bool judged; /* there is a peer: the rest is filled in */
	struct process *process;
	struct event event;
	struct decision decision;
};

static void refuse(struct supervisor *sv, unsigned slot, struct verdict *v)
{
	struct flight *f = &sv->flights[slot];
	unsigned messages = journal_of(sv, slot)->messages;

	(void)close(TAKE_FD(f->send.job.fd));
	(void)proctab_refresh(sv->processes, v->process, f->tid, UINT64_MAX);
	flight_refuse_after(sv, slot, &v->event, &v->decision, GUARANTEE_EMULATED, messages);
}

static int make_event(struct supervisor *sv, const struct flight *f, const struct process *process,
		      struct event *event)
{
	struct sockaddr_storage name;
	struct peer peer = { &f->send.job.kind, &name, f->send.job.name_size };

	send_peer(&f->send.job, &name);
	return connect_event_to(sv, f, process, &peer, event);
}

/* Whether the message may go; if not it is answered. */
static bool judge(struct supervisor *sv, unsigned slot, struct caller *caller, struct verdict *v)
{
	struct flight *f = &sv->flights[slot];
	int r = 0;

	if (v->judged) {
		v->process = proctab_get(sv->processes, caller, &r);
		if (v->process)
			r = proctab_refresh(sv->processes, v->process, f->tid,
					    sv->ruleset->needs[EVENT_CONNECT].fields);
		if (v->process && r == 0)
			r = make_event(sv, f, v->process, &v->event);
	}
	if (notify_valid(sv->listener, flight_notification(sv, slot)->id) < 0) {
		(void)close(TAKE_FD(f->send.job.fd));
		flight_end(sv, slot);
		return false;
	}
	if (r < 0) {
		send_fail(sv, slot, r == -ENOMEM ? ENOMEM : EPERM);
		return false;
	}
	if (v->judged && flight_enforces(sv, EVENT_CONNECT))
		v->decision = connect_decide(sv, f, &v->event);
	if (v->decision.strongest.kind < VERDICT_BLOCKED)
		return true;
	refuse(sv, slot, v);
	return false;
}

void send_begin_deed(struct supervisor *sv, unsigned slot)
{
	struct journal_slot *js = journal_of(sv, slot);
	const struct send_job *job = &sv->flights[slot].send.job;

	if (js->deed != js->messages + 1)
		js->position = send_is_stream(&job->kind) ? send_position(job) : -1;
	js->deed = js->messages + 1;
	journal_slot_step(sv->journal, slot, SLOT_WORKING);
}

/* A message that was begun before. False when the call is over thereby. */
static bool resume(struct supervisor *sv, unsigned slot)
{
	struct flight *f = &sv->flights[slot];
	struct journal_slot *js = journal_of(sv, slot);
	struct send_job *job = &f->send.job;
	int64_t now;

	if (js->deed != js->messages + 1)
		return true;
	if (!f->recovered) {
		job->done = MIN((size_t)js->bytes, job->total);
		return true;
	}
	f->recovered = js->recovered = false;
	atomic_fetch_add(&sv->journal->lost, 1);
	if (!send_is_stream(&job->kind))
		return send_message_through(sv, slot, (int64_t)job->total);
	now = send_position(job);
	if (js->position < 0 || now < js->position) {
		send_finish(sv, slot, js->messages ? (int64_t)js->messages : -EIO);
		return false;
	}
	job->done = MIN((size_t)(now - js->position), job->total);
	return true;
}

/* Whether a worker has to send it: in the place of who calls, or by waiting. */
static bool needs_worker(const struct supervisor *sv, struct send_job *job, unsigned messages)
{
	bool inet = job->kind.domain == AF_INET || job->kind.domain == AF_INET6;

	if (job->kind.domain == AF_UNIX) {
		/* where guard cannot name the caller the kernel does it, if that is safe */
		job->ask_alone = !job->names && !messages && !send_names_matter(sv, job);
		return job->ask_alone || send_is_long(job) || send_must_wait(job);
	}
	job->ask_alone = !inet;
	/* a worker reads control messages again, and they may not be what they were */
	job->as_caller = !inet || job->control_size;
	return !inet || send_must_wait(job) ||
	       send_control_is_personal(sv->scratch, job->control_size);
}

/* What could be sent without waiting; true when the caller would wait for more. */
static bool send_now(struct send_job *job, struct send_scratch *scratch, int64_t *ret)
{
	bool waits = !(job->flags & MSG_DONTWAIT), stream = send_is_stream(&job->kind);
	ssize_t n = send_piece(job, scratch, MSG_DONTWAIT);

	if (n >= 0) {
		job->done += (size_t)n;
		*ret = (int64_t)job->done;
		if (!stream || job->done == job->total)
			return false;
		/* a whole piece: there is more of it */
		return waits || (size_t)n == scratch->want;
	}
	*ret = job->done ? (int64_t)job->done : n;
	/* EINPROGRESS: TCP_FASTOPEN_CONNECT connects with the first data */
	return waits && (n == -EAGAIN || n == -EINPROGRESS);
}

/* Judges and sends the message that was taken over: true when it is through and another
 * one follows.
 */
static bool send_taken(struct supervisor *sv, unsigned slot, struct caller *caller)
{
	struct flight *f = &sv->flights[slot];
	struct send_job *job = &f->send.job;
	struct verdict v = { .decision.strongest.kind = VERDICT_NONE };
	int64_t value = 0;
	bool more;

	v.judged = !job->done && send_has_peer(job);
	if (!judge(sv, slot, caller, &v))
		return false;
	if (v.judged)
		send_pin(f);
	if (needs_worker(sv, job, journal_of(sv, slot)->messages) || f->send.unread) {
		send_wait(sv, slot);
		return false;
	}
	send_begin_deed(sv, slot);
	if (send_now(job, sv->scratch, &value)) {
		send_wait(sv, slot);
		return false;
	}
	more = send_message_through(sv, slot, value);
	if (v.judged)
		connect_report(sv, f, &v.event, v.process, &v.decision, (int)MIN(value, 0));
	return more;
}

/* Name, control and data of the message that was taken over. */
static int fetch(struct supervisor *sv, unsigned slot)
{
	struct flight *f = &sv->flights[slot];
	const struct fetch *read = fetch_of_message(sv, slot);
	int r;

	/* from its beginning on; of one that goes on a worker reads the rest */
	f->send.unread = read && f->send.job.done;
	if (read)
		return f->send.unread ? 0 : read->fetched;
	sentinel_enter(sv->sentinel);
	r = send_fetch(&f->send.job, sv->scratch, !f->send.job.done);
	sentinel_leave(sv->sentinel);
	return r;
}

/* The same for message number MESSAGES, which is taken over here. */
static bool send_one(struct supervisor *sv, unsigned slot, struct caller *caller)
{
	struct flight *f = &sv->flights[slot];
	struct send_job *job = &f->send.job;
	unsigned before = journal_of(sv, slot)->messages;
	int r;

	f->send.unread = false;
	sentinel_enter(sv->sentinel);
	r = take(sv, slot);
	sentinel_leave(sv->sentinel);

	if (r == 0 && !resume(sv, slot))
		return false;
	if (journal_of(sv, slot)->messages != before)
		return true;
	if (r == 0)
		r = fetch(sv, slot);
	if (r < 0) {
		send_fail(sv, slot, -r);
		return false;
	}
	if (!job->done && job->kind.domain != AF_UNIX) {
		struct sockaddr_storage name;

		send_peer(job, &name);
		sockaddr_settle(job->fd, name.ss_family, &job->name, job->name_size);
	}
	if (!job->done && send_look_up(sv, slot))
		return false;
	return send_taken(sv, slot, caller);
}

/* ---- the call ------------------------------------------------------------------- */

/* The file of the peer is held as long as a worker needs it. */
static void let_go(struct flight *f)
{
	if (f->state != FLIGHT_WORKING)
		peer_drop(&f->look);
}

void send_all(struct supervisor *sv, unsigned slot, struct caller *caller)
{
	struct flight *f = &sv->flights[slot];

	if (is_many(f) && !(unsigned)flight_notification(sv, slot)->data.args[2]) {
		send_finish(sv, slot, 0);
		return;
	}
	for (unsigned i = 0; i < MESSAGES_AT_A_TIME; i++) {
		/* it comes back when a worker has read it */
		if (flight_careful(sv) && !fetch_of_message(sv, slot))
			break;
		if (!send_one(sv, slot, caller)) {
			let_go(f);
			return;
		}
	}
	peer_drop(&f->look);
	(void)close(TAKE_FD(f->send.job.fd));
	f->state = FLIGHT_READY;
	sv->ready++;
}

/* access_ok() comes before the descriptor. */
static bool is_out_of_range(const struct flight *f, const struct seccomp_data *data)
{
	return f->handler == HANDLER_SENDTO && data->args[1] >> 63;
}

void send_received(struct supervisor *sv, unsigned slot, struct caller *caller)
{
	struct flight *f = &sv->flights[slot];
	const struct seccomp_notif *n = flight_notification(sv, slot);
	int r;

	f->send.job = (struct send_job){ .fd = -1 };
	f->send.broken = f->send.unread = f->send.writing = false;
	if (!sv->scratch)
		sv->scratch = send_scratch_new();
	r = !sv->scratch                   ? -ENOMEM
	    : is_out_of_range(f, &n->data) ? -EFAULT
					   : target_getfd(caller->pidfd, (int)n->data.args[0]);
	if (r < 0) {
		send_fail(sv, slot, -r);
		return;
	}
	f->send.job.fd = r;
	r = connect_kind(f->send.job.fd, &f->send.job.kind);
	if (r < 0)
		send_fail(sv, slot, -r);
	else if (f->send.job.kind.domain == AF_UNIX)
		send_local(sv, slot, caller);
	else
		send_all(sv, slot, caller);
}

void send_looked(struct supervisor *sv, unsigned slot, struct caller *caller)
{
	struct flight *f = &sv->flights[slot];
	int r = 0;

	f->send.unread = flight_careful(sv);
	sentinel_enter(sv->sentinel);
	if (!f->send.unread)
		r = send_resume(&f->send.job, sv->scratch);
	sentinel_leave(sv->sentinel);
	if (r < 0)
		send_fail(sv, slot, -r);
	else if (send_taken(sv, slot, caller))
		send_all(sv, slot, caller);
	let_go(f);
}

static void worked(struct supervisor *sv, unsigned slot, int result)
{
	struct flight *f = &sv->flights[slot];
	struct send_job *job = &f->send.job;
	struct verdict v = { .judged = send_has_peer(job) };
	struct caller caller;
	int64_t value;
	int r;

	if (send_called_off_in_vain(sv, slot, result))
		return;
	f->state = FLIGHT_NONE;
	f->left = result == SEND_CONTINUE;
	value = f->left ? 0 : send_final_value(f, result);
	/* as long as it is parked: with its next call it may be gone */
	if (v.judged && caller_open(f->tid, &caller) == 0) {
		v.process = proctab_get(sv->processes, &caller, &r);
		caller_close(&caller);
	}
	if (v.process) {
		(void)proctab_refresh(sv->processes, v.process, f->tid,
				      sv->ruleset->needs[EVENT_CONNECT].fields);
		if (make_event(sv, f, v.process, &v.event) < 0)
			v.process = NULL;
	}
	if (f->left) {
		(void)close(TAKE_FD(job->fd));
		flight_continue(sv, slot);
	} else if (send_message_through(sv, slot, value)) {
		(void)close(TAKE_FD(job->fd));
		f->state = FLIGHT_READY;
		sv->ready++;
	}
	if (value == -NOTIFY_ERESTARTSYS || !v.judged)
		return;
	if (!v.process) {
		/* killed meanwhile; what it sent is sent */
		atomic_fetch_add(&sv->journal->lost, 1);
		return;
	}
	if (flight_enforces(sv, EVENT_CONNECT))
		v.decision = connect_decide(sv, f, &v.event);
	connect_report(sv, f, &v.event, v.process, &v.decision, (int)MIN(value, 0));
}

void send_worked(struct supervisor *sv, unsigned slot, int result)
{
	struct flight *f = &sv->flights[slot];

	if (f->looking) {
		send_local_looked(sv, slot, result);
		return;
	}
	if (f->send.writing) {
		length_written(sv, slot, result);
		let_go(f);
		return;
	}
	worked(sv, slot, result);
	let_go(f);
}
