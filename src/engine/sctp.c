/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sctp.c - sctp_connectx(3): a socket option that connects to a packed list of addresses,
 * past connect(2).
 *
 * Where a rule can refuse a connect it is refused, whatever the addresses are: with the
 * reason "unsupported", in the name of the first such rule. Level and option are
 * registers, so nothing can be swapped. Plain connect(2) of an SCTP socket is judged as
 * any other.
 */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>

#include "engine/flight.h"
#include "kernel/notify.h"

static void refuse(struct supervisor *sv, unsigned slot, struct process *process)
{
	struct flight *f = &sv->flights[slot];
	struct event event = {
		.type = EVENT_CONNECT,
		.time_ns = now_realtime_ns(),
		.process = process,
		.tid = f->tid,
		.syscall = f->syscall,
		.connect.protocol = IPPROTO_SCTP,
	};
	struct decision d = decide_unreadable(sv->ruleset, sv->options.config->mode, EVENT_CONNECT,
					      REASON_UNSUPPORTED, &sv->arena);

	(void)proctab_refresh(sv->processes, process, f->tid, UINT64_MAX);
	flight_refuse(sv, slot, &event, &d, GUARANTEE_REGISTER);
}

void packed_received(struct supervisor *sv, unsigned slot, struct caller *caller)
{
	struct process *process;
	int r;

	if (!flight_enforces(sv, EVENT_CONNECT)) {
		flight_continue(sv, slot);
		return;
	}
	process = proctab_get(sv->processes, caller, &r);
	if (notify_valid(sv->listener, flight_notification(sv, slot)->id) < 0)
		flight_end(sv, slot);
	else if (process)
		refuse(sv, slot, process);
	else
		flight_fail(sv, slot, r == -ENOMEM ? ENOMEM : EPERM);
}
