/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sctp.c - sctp_connectx(3) and sctp_bindx(3): socket options that connect or bind to a
 * packed list of addresses, past connect(2) and bind(2).
 *
 * Where a rule can refuse a connect, or a bind, they are refused, whatever the addresses
 * are: with the reason "unsupported", in the name of the first such rule. Level and
 * option are registers, so nothing can be swapped. Plain connect(2) and bind(2) of an
 * SCTP socket are judged as any other.
 */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>

#include "engine/flight.h"
#include "kernel/notify.h"

enum { SCTP_BINDX_ADD = 100 }; /* SCTP_SOCKOPT_BINDX_ADD */

static void refuse(struct supervisor *sv, unsigned slot, struct process *process,
		   enum event_type type)
{
	struct flight *f = &sv->flights[slot];
	struct event event = {
		.type = type,
		.time_ns = now_realtime_ns(),
		.process = process,
		.tid = f->tid,
		.syscall = f->syscall,
	};
	struct decision d = decide_unreadable(sv->ruleset, sv->options.config->mode, type,
					      REASON_UNSUPPORTED, &sv->arena);

	if (type == EVENT_BIND)
		event.bind.protocol = IPPROTO_SCTP;
	else
		event.connect.protocol = IPPROTO_SCTP;
	(void)proctab_refresh(sv->processes, process, f->tid, UINT64_MAX);
	flight_refuse(sv, slot, &event, &d, GUARANTEE_REGISTER);
}

void packed_received(struct supervisor *sv, unsigned slot, struct caller *caller)
{
	bool binds = (uint32_t)flight_notification(sv, slot)->data.args[2] == SCTP_BINDX_ADD;
	enum event_type type = binds ? EVENT_BIND : EVENT_CONNECT;
	struct process *process;
	int r;

	if (!flight_enforces(sv, type)) {
		flight_continue(sv, slot);
		return;
	}
	process = proctab_get(sv->processes, caller, &r);
	if (notify_valid(sv->listener, flight_notification(sv, slot)->id) < 0)
		flight_end(sv, slot);
	else if (process)
		refuse(sv, slot, process, type);
	else
		flight_fail(sv, slot, r == -ENOMEM ? ENOMEM : EPERM);
}
