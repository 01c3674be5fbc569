/* SPDX-License-Identifier: GPL-3.0-or-later */
/* send_local.c - messages to AF_UNIX peers.
 *
 * A datagram that names its peer is a connect to it: the file is looked up by a worker,
 * judged, and the message sent to that very file. Messages without a name are sent by
 * guard as well, for the descriptor might be another socket by the time the kernel
 * looks. Control messages are made over, so that receivers see the caller
 * (kernel/ancillary.h).
 */
#include "config.h"

#include <errno.h>

#include "engine/connect.h"
#include "engine/fetch.h"
#include "engine/send.h"

bool send_names_matter(const struct supervisor *sv, const struct send_job *job)
{
	return job->kind.type == SOCK_DGRAM && local_refuses_paths(sv);
}

bool send_look_up(struct supervisor *sv, unsigned slot)
{
	struct flight *f = &sv->flights[slot];
	const struct send_job *job = &f->send.job;
	struct peer peer = { &job->kind, &job->name, job->name_size };

	if (job->kind.domain != AF_UNIX || !send_has_peer(job) ||
	    peer_kind(&job->name, job->name_size) != PEER_PATH)
		return false;
	if (local_look(sv, slot, &peer) < 0 && !send_queue(sv, slot))
		send_fail(sv, slot, EAGAIN);
	return true;
}

void send_local_looked(struct supervisor *sv, unsigned slot, int result)
{
	struct flight *f = &sv->flights[slot];
	struct caller caller;

	if (caller_open(f->tid, &caller) < 0) {
		(void)close(TAKE_FD(f->send.job.fd));
		peer_drop(&f->look);
		flight_end(sv, slot);
		return;
	}
	if (local_found(sv, slot, &caller, result)) {
		send_looked(sv, slot, &caller);
	} else {
		(void)close(TAKE_FD(f->send.job.fd));
		peer_drop(&f->look);
	}
	caller_close(&caller);
}

void send_pin(struct flight *f)
{
	struct sockaddr_un pinned;

	if (!f->look.file)
		return;
	/* where there is none: the kernel looks at the rest of the message first */
	f->send.job.peer_error = f->look.shut ? -EACCES : MIN(f->look.file, 0);
	peer_pinned_address(f->send.job.peer_error ? -1 : f->look.file, &pinned);
	memcpy(&f->send.job.name, &pinned, sizeof pinned);
	f->send.job.name_size = sizeof pinned;
}

static int read_message(struct supervisor *sv, unsigned slot)
{
	struct flight *f = &sv->flights[slot];
	struct send_job *job = &f->send.job;
	int r;

	if (fetch_of_message(sv, slot))
		return fetch_message(sv, f) ?: f->fetch->fetched;
	sentinel_enter(sv->sentinel);
	r = send_take_arguments(job, sv->scratch, &flight_notification(sv, slot)->data);
	if (r == 0)
		r = send_fetch(job, sv->scratch, true);
	sentinel_leave(sv->sentinel);
	return r;
}

/* Nothing is refused: the kernel sends, and rules that watch see the name. */
static void observe(struct supervisor *sv, unsigned slot, struct caller *caller)
{
	struct flight *f = &sv->flights[slot];
	struct send_job *job = &f->send.job;
	struct decision d = { .strongest.kind = VERDICT_NONE };
	struct process *process = NULL;
	struct peer peer = { &job->kind, &job->name, 0 };
	struct event event;
	int r;

	*job = (struct send_job){
		.fd = job->fd, .tid = f->tid, .tgid = f->tgid, .kind = job->kind
	};
	f->left = true;
	if (f->handler == HANDLER_SENDTO && read_message(sv, slot) == 0 && send_has_peer(job)) {
		peer.size = job->name_size;
		process = proctab_get(sv->processes, caller, &r);
	}
	if (process && peer_kind(&job->name, job->name_size) == PEER_PATH) {
		f->look = (struct peer_look){ .host = &sv->host, .tid = f->tid, .tgid = f->tgid };
		peer_path(&job->name, job->name_size, f->look.path);
		peer_glance(&f->look);
	}
	if (process && (proctab_refresh(sv->processes, process, f->tid,
					sv->ruleset->needs[EVENT_CONNECT].fields) < 0 ||
			connect_event_to(sv, f, process, &peer, &event) < 0))
		process = NULL;
	(void)close(TAKE_FD(job->fd));
	flight_continue(sv, slot);
	if (process)
		connect_report(sv, f, &event, process, &d, 0);
	peer_drop(&f->look);
}

void send_local(struct supervisor *sv, unsigned slot, struct caller *caller)
{
	if (flight_enforces(sv, EVENT_CONNECT))
		send_all(sv, slot, caller);
	else
		observe(sv, slot, caller);
}
