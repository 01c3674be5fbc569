/* SPDX-License-Identifier: GPL-3.0-or-later */
/* registers.c - calls about which the registers tell everything.
 *
 * What was judged is what the kernel uses: nobody can change the registers of a
 * parked thread, so an allowed call is simply continued. What it returns is not
 * seen.
 */
#include "config.h"

#include <errno.h>
#include <sys/socket.h>

#include "engine/flight.h"
#include "kernel/notify.h"

/* The kernel's SOCK_TYPE_MASK: what is above are flags. */
enum { SOCKET_TYPE_MASK = 0xf };

static void decode_socket(const struct seccomp_data *data, struct event *event)
{
	event->socket = (struct socket_event){
		.domain = (int32_t)data->args[0],
		.type = (int32_t)data->args[1] & SOCKET_TYPE_MASK,
		.protocol = (int32_t)data->args[2],
	};
}

/* One row a call: what its registers are in the event. */
static const struct decoder {
	enum syscall_id call;
	void (*decode)(const struct seccomp_data *data, struct event *event);
} decoders[] = {
	{ SYSCALL_socket, decode_socket },
};

static const struct decoder *decoder_of(const struct seccomp_data *data)
{
	enum syscall_id call = syscall_by_number(SYSCALL_ABI_NATIVE, data->nr);

	for (size_t i = 0; i < ELEMENTS(decoders); i++) {
		if (decoders[i].call == call)
			return &decoders[i];
	}
	return NULL;
}

/* Who calls cannot be found out: refused where a rule could have refused. */
static void cannot_judge(struct supervisor *sv, unsigned slot, enum event_type type, int error)
{
	if (flight_enforces(sv, type))
		flight_fail(sv, slot, error == -ENOMEM ? ENOMEM : EPERM);
	else
		flight_continue(sv, slot);
}

void registers_received(struct supervisor *sv, unsigned slot, struct caller *caller)
{
	const struct seccomp_data *data = &flight_notification(sv, slot)->data;
	const struct decoder *decoder = decoder_of(data);
	struct flight *f = &sv->flights[slot];
	struct decision d = { .strongest.kind = VERDICT_NONE };
	struct process *process;
	struct event event;
	int r;

	if (!decoder) {
		flight_fail(sv, slot, EPERM);
		return;
	}
	event = (struct event){ .type = syscall_row(decoder->call)->event,
				.time_ns = now_realtime_ns(),
				.tid = f->tid,
				.syscall = f->syscall };
	decoder->decode(data, &event);
	process = proctab_get(sv->processes, caller, &r);
	if (process)
		r = proctab_refresh(sv->processes, process, f->tid,
				    sv->ruleset->needs[event.type].fields);
	if (notify_valid(sv->listener, flight_notification(sv, slot)->id) < 0) {
		flight_end(sv, slot);
		return;
	}
	if (!process || r < 0) {
		cannot_judge(sv, slot, event.type, r);
		return;
	}
	event.process = process;
	if (flight_enforces(sv, event.type))
		d = flight_decide(sv, &event);
	if (d.strongest.kind >= VERDICT_BLOCKED) {
		(void)proctab_refresh(sv->processes, process, f->tid, UINT64_MAX);
		flight_refuse(sv, slot, &event, &d, GUARANTEE_REGISTER);
		return;
	}
	flight_continue(sv, slot);
	if (!flight_enforces(sv, event.type))
		d = flight_decide(sv, &event);
	if (!d.nmatches)
		return;
	(void)proctab_refresh(sv->processes, process, f->tid, UINT64_MAX);
	flight_report(sv, &event, &d, GUARANTEE_REGISTER);
}
