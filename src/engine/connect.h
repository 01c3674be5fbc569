/* SPDX-License-Identifier: GPL-3.0-or-later */
/* connect.h - what the files of connect(2) have in common: connect.c judges,
 * connect_wait.c waits; send.c makes
 * connects of its own.
 */
#pragma once
#include "engine/flight.h"

/* Whom a call wants to reach: ADDRESS is guard's copy. */
struct peer {
	const struct socket_kind *kind;
	const struct sockaddr_storage *address;
	socklen_t size;
};
/* A connect of PROCESS to PEER. 0, or -ENOMEM. */
int connect_event_to(struct supervisor *sv, const struct flight *f, const struct process *process,
		     const struct peer *peer, struct event *event);
/* Reports the event after the answer; where nothing is enforced it is decided here. */
void connect_report(struct supervisor *sv, struct event *event, struct process *process,
		    struct decision *d, int result);
/* The call of SLOT, whose job is filled in, is made by somebody who may block;
 * connect_worked() has the result. Where nobody can wait it is answered here. Takes
 * the job's descriptor.
 */
void connect_wait(struct supervisor *sv, unsigned slot);
/* The waiting was called off for a signal that another thread has taken since: the
 * caller goes on waiting, and RESULT is none. Then true.
 */
bool connect_called_off_in_vain(struct supervisor *sv, unsigned slot, int result);
/* What the result of one that has waited is to the caller. */
int connect_final_result(const struct flight *f, int result);
/* What a supervisor that died over this call had already done is no error. */
int connect_as_before(const struct flight *f, int result);
