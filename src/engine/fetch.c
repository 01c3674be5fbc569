/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/fetch.h"

#include <errno.h>
#include <stdio.h>

#include "kernel/notify.h"
#include "kernel/target.h"

enum {
	/* the longest argv and environment, pointers, and the spans they are read through */
	FETCH_ARENA_SIZE = 64 * 1024 * 1024,
	/* made once and used again: next to an exec that is traced there are often some */
	SPARE_MAX = 4,
};

static bool is_send(enum syscall_handler handler)
{
	return handler == HANDLER_SENDTO || handler == HANDLER_SENDMSG ||
	       handler == HANDLER_SENDMMSG;
}

void fetch_init(struct supervisor *sv)
{
	if (sv->options.config->on_supervisor_loss == LOSS_KILL ||
	    sentinel_new(sv->journal, sv->options.news, &sv->sentinel) < 0)
		atomic_store(&sv->journal->careful, 1);
}

bool fetch_may_read(void *data)
{
	struct supervisor *sv = data;

	if (flight_careful(sv))
		return false;
	sentinel_enter(sv->sentinel);
	return true;
}

void fetch_has_read(void *data)
{
	struct supervisor *sv = data;

	sentinel_leave(sv->sentinel);
}

/* ---- what a worker does ------------------------------------------------------------- */

static void read_exec(struct fetch *f)
{
	const uint64_t *a = (const uint64_t *)f->data.args + f->at;

	f->size = target_read_string(f->tid, a[0], f->text, sizeof f->text);
	if (f->size < 0)
		return;
	f->argv_error = target_read_vector(f->tid, a[1], 8, &f->arena, &f->argv);
	if (f->argv_error == 0 && f->want_envp)
		f->envp_error = target_read_vector(f->tid, a[2], 8, &f->arena, &f->envp);
}

static void read_address(struct fetch *f)
{
	int size = (int)f->data.args[2];

	/* of one that is too long nothing is read */
	if (size > 0 && (size_t)size <= sizeof(struct sockaddr_storage))
		f->size = target_copy(f->tid, f->data.args[1], f->text, (size_t)size);
}

static void read_message(struct fetch *f)
{
	const uint64_t *a = (const uint64_t *)f->data.args;

	f->job = (struct send_job){ .fd = -1, .tid = f->tid };
	if (f->handler == HANDLER_SENDTO)
		f->taken = send_take_arguments(&f->job, f->scratch, &f->data);
	else if (f->handler == HANDLER_SENDMSG)
		f->taken = send_take_message(&f->job, f->scratch, a[1], 0);
	else
		f->taken = send_take_message(&f->job, f->scratch,
					     a[1] + f->message * sizeof(struct mmsghdr), MSG_EOR);
	if (f->taken == 0)
		f->fetched = send_fetch(&f->job, f->scratch, true);
}

static int fetch_job(void *data)
{
	struct fetch *f = *(struct fetch **)data;

	if (f->handler == HANDLER_EXEC)
		read_exec(f);
	else if (is_send(f->handler))
		read_message(f);
	else
		read_address(f);
	return 0;
}

/* ---- making and freeing ------------------------------------------------------------ */

static void fetch_free(struct fetch *f)
{
	arena_done(&f->arena);
	send_scratch_free(f->scratch);
	free(f);
}

static void fetch_dispose(void *data)
{
	fetch_free(*(struct fetch **)data);
}

static struct fetch *fetch_new(void)
{
	struct fetch *f = calloc(1, sizeof *f);

	if (f && arena_init(&f->arena, FETCH_ARENA_SIZE) == 0)
		return f;
	free(f);
	return NULL;
}

static struct fetch *take_spare(struct supervisor *sv)
{
	struct fetch *f = sv->spare;
	struct arena arena;
	struct send_scratch *scratch;

	if (!f)
		return fetch_new();
	sv->spare = f->next;
	sv->nspare--;
	arena = f->arena;
	scratch = f->scratch;
	arena_reset(&arena);
	*f = (struct fetch){ .arena = arena, .scratch = scratch };
	return f;
}

void fetch_drop(struct supervisor *sv, struct flight *f)
{
	if (!f->fetch)
		return;
	f->fetch->next = sv->spent;
	sv->spent = f->fetch;
	f->fetch = NULL;
}

void fetch_sweep(struct supervisor *sv)
{
	while (sv->spent) {
		struct fetch *f = sv->spent;

		sv->spent = f->next;
		if (sv->nspare == SPARE_MAX) {
			fetch_free(f);
			continue;
		}
		f->next = sv->spare;
		sv->spare = f;
		sv->nspare++;
	}
}

/* ---- the call ------------------------------------------------------------------------ */

static enum event_type event_of(const struct flight *f)
{
	return f->handler == HANDLER_EXEC   ? EVENT_EXEC
	       : f->handler == HANDLER_BIND ? EVENT_BIND
					    : EVENT_CONNECT;
}

/* An exec that no rule may refuse is not read before it is made. */
static bool is_read(const struct supervisor *sv, const struct flight *f)
{
	return f->handler != HANDLER_EXEC || flight_enforces(sv, EVENT_EXEC);
}

/* The call cannot be judged: refused by rules that may refuse such a call. */
static void unread(struct supervisor *sv, unsigned slot, struct caller *caller, enum reason reason)
{
	struct flight *f = &sv->flights[slot];
	unsigned messages = is_send(f->handler) ? sv->journal->slots[slot].messages : 0;
	struct event event = { .type = event_of(f),
			       .time_ns = now_realtime_ns(),
			       .tid = f->tid,
			       .syscall = f->syscall };
	int error;

	if (f->handler == HANDLER_EXEC) {
		exec_unread(sv, slot, caller, reason);
		return;
	}
	/* those before it are sent */
	if (messages) {
		flight_result(sv, slot, messages);
		return;
	}
	event.process = proctab_get(sv->processes, caller, &error);
	if (event.process && flight_refuse_unreadable(sv, slot, &event, reason))
		return;
	if (flight_enforces(sv, event.type)) {
		flight_fail(sv, slot, EPERM);
		return;
	}
	/* rules that watch do not learn of it */
	atomic_fetch_add(&sv->journal->lost, 1);
	flight_continue(sv, slot);
}

static bool is_there(const struct supervisor *sv, unsigned slot)
{
	const struct flight *f = &sv->flights[slot];

	return f->fetch &&
	       (!is_send(f->handler) || f->fetch->message == sv->journal->slots[slot].messages);
}

static int start(struct supervisor *sv, unsigned slot)
{
	struct flight *f = &sv->flights[slot];
	struct fetch *fetch = take_spare(sv);
	int r;

	if (!fetch)
		return -ENOMEM;
	fetch->tid = f->tid;
	fetch->handler = f->handler;
	fetch->data = flight_notification(sv, slot)->data;
	fetch->at = streq(f->syscall, "execveat");
	fetch->want_envp = sv->ruleset->needs[EVENT_EXEC].fields & NEED_ENVP;
	fetch->message = sv->journal->slots[slot].messages;
	f->fetch = fetch;
	if (is_send(f->handler) && !fetch->scratch)
		fetch->scratch = send_scratch_new();
	if (is_send(f->handler) && !fetch->scratch)
		return -ENOMEM;
	f->deadline_ns = now_monotonic_ns() + sv->options.config->deadline_ms * 1000000;
	r = flight_work(sv, slot,
			f->handler == HANDLER_EXEC ? EXEC_WORKERS_PER_PROCESS : WORKERS_PER_PROCESS,
			(struct worker_request){ .job = fetch_job,
						 .data = &f->fetch,
						 .size = sizeof f->fetch,
						 .dispose = fetch_dispose });
	if (r < 0)
		return r;
	/* nothing is done by that: a successor begins anew */
	journal_slot_step(sv->journal, slot, SLOT_RECEIVED);
	f->fetching = true;
	return 0;
}

bool fetch_begin(struct supervisor *sv, unsigned slot, struct caller *caller)
{
	struct flight *f = &sv->flights[slot];
	int r;

	if (is_there(sv, slot))
		return false;
	fetch_drop(sv, f);
	if (!flight_careful(sv) || !is_read(sv, f))
		return false;
	r = start(sv, slot);
	if (r == 0)
		return true;
	fetch_drop(sv, f);
	unread(sv, slot, caller, r == -ENOMEM ? REASON_NO_MEMORY : REASON_NO_RESOURCE);
	return true;
}

void fetch_worked(struct supervisor *sv, unsigned slot)
{
	struct flight *f = &sv->flights[slot];

	f->fetching = false;
	f->state = FLIGHT_READY;
	sv->ready++;
	flight_waits(sv, slot, WAITS_FOR_TURN);
}

/* The worker frees what it reads into. */
static void abandon(struct supervisor *sv, unsigned slot)
{
	struct flight *f = &sv->flights[slot];

	worker_pool_abandon(sv->workers, slot);
	f->fetching = false;
	f->fetch = NULL;
	f->state = FLIGHT_NONE;
}

void fetch_overdue(struct supervisor *sv, unsigned slot)
{
	struct caller caller;

	abandon(sv, slot);
	arena_reset(&sv->arena);
	if (!flight_caller(sv, slot, &caller))
		return;
	unread(sv, slot, &caller, REASON_DEADLINE);
	caller_close(&caller);
}

void fetch_look(struct supervisor *sv, unsigned slot)
{
	if (notify_valid(sv->listener, flight_notification(sv, slot)->id) == 0)
		return;
	abandon(sv, slot);
	flight_end(sv, slot);
}

/* ---- what was read ------------------------------------------------------------------- */

ssize_t fetch_path(const struct fetch *fetch, char *buf, size_t size)
{
	if (fetch->size >= 0)
		(void)snprintf(buf, size, "%s", fetch->text);
	return fetch->size;
}

ssize_t fetch_address(const struct fetch *fetch, void *buf, size_t size)
{
	if (fetch->size > 0)
		memcpy(buf, fetch->text, MIN((size_t)fetch->size, size));
	return fetch->size;
}

struct fetch *fetch_of_message(struct supervisor *sv, unsigned slot)
{
	return is_there(sv, slot) ? sv->flights[slot].fetch : NULL;
}

int fetch_message(struct supervisor *sv, struct flight *f)
{
	struct fetch *fetch = f->fetch;
	struct send_scratch *scratch = sv->scratch;
	struct send_job *job = &f->send.job;
	const struct send_job *read = &fetch->job;

	sv->scratch = fetch->scratch;
	fetch->scratch = scratch;
	job->flags |= read->flags;
	job->name = read->name;
	job->name_size = read->name_size;
	job->name_empty = read->name_empty;
	job->single = read->single;
	job->name_at = read->name_at;
	job->control = read->control;
	job->control_size = read->control_size;
	job->vector = read->vector;
	job->nvector = read->nvector;
	job->total = read->total;
	return fetch->taken;
}
