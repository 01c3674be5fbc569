/* SPDX-License-Identifier: GPL-3.0-or-later */
/* connect.h - what the files of connect(2) have in common: connect.c judges,
 * connect_wait.c waits, connect_ring.c without a thread, local.c is about AF_UNIX;
 * send.c makes connects of its own.
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
/* The verdict, by every name that rules have for the peer. */
struct decision connect_decide(struct supervisor *sv, struct flight *f, struct event *event);
/* Reports the event after the answer; where nothing is enforced it is decided here. */
void connect_report(struct supervisor *sv, struct flight *f, struct event *event,
		    struct process *process, struct decision *d, int result);
/* Closes what is held of the call. */
void connect_drop(struct flight *f);
/* The call cannot be judged, or is wrong: ERROR, where guard may refuse something. */
void connect_cannot_judge(struct supervisor *sv, unsigned slot, int error);
/* The address is there, and what it means looked up: the verdict is due. */
void connect_judge(struct supervisor *sv, unsigned slot, struct caller *caller);
/* The address as the kernel would take it in, in its order of errors
 * (net/socket.c, move_addr_to_kernel). 0, or the errno for the caller.
 */
int connect_read_address(struct supervisor *sv, struct flight *f, const struct seccomp_notif *n);

/* Instead of a result: it will come, or has been given already. */
enum { CONNECT_WAITS = 2 };

/* The call of SLOT, whose job is filled in, is made by somebody who may block. Its
 * result (0 or -errno) when that is there at once, else CONNECT_WAITS: connect_worked()
 * will have it, or the call was answered here, since nobody can wait for it, and the
 * job's descriptor is closed.
 */
int connect_wait(struct supervisor *sv, unsigned slot);
/* Puts the call into the queue for a worker; false when that is full. */
bool connect_queue(struct supervisor *sv, unsigned slot);
/* What RESULT of one that has waited is to the caller; CONNECT_WAITS: nothing, the
 * waiting was called off for a signal that another thread has taken since.
 */
int connect_waited(struct supervisor *sv, unsigned slot, int result);
/* What a supervisor that died over this call had already done is no error. */
int connect_as_before(const struct supervisor *sv, unsigned slot, int result);

/* ---- connect_ring.c ---- */

/* Instead of a result: the ring cannot do it. */
enum { CONNECT_NOT_HERE = 3 };

/* Whether the call of SLOT can be made by the ring as the kernel would make it. */
bool connect_fits_ring(const struct supervisor *sv, unsigned slot);
/* Whether one more of PROCESS may be in the ring now. */
bool connect_has_room(const struct supervisor *sv, pid_t process);
/* Begins the call in the ring, or goes on with it: its result, CONNECT_WAITS or
 * CONNECT_NOT_HERE.
 */
int connect_by_ring(struct supervisor *sv, unsigned slot);
/* The call of SLOT is about to disconnect its socket: those that wait to connect the
 * same one learn of it as they would from the kernel.
 */
void connect_end_others(struct supervisor *sv, unsigned slot);

/* ---- local.c ---- */

/* A caller with an AF_UNIX socket; its duplicate is in the flight. */
void local_received(struct supervisor *sv, unsigned slot, struct caller *caller);
/* The worker has looked for the peer. */
void local_looked(struct supervisor *sv, unsigned slot, int result);
/* Whether a rule that may refuse looks at the path. */
bool local_refuses_paths(const struct supervisor *sv);
/* Hands the look for the file that ADDRESS means to a worker: 0, or -EAGAIN. */
int local_look(struct supervisor *sv, unsigned slot, const struct peer *peer);
/* What the worker has found, with the deadline kept: true when it is an answer, a file
 * or an errno of the caller's; else the call was answered.
 */
bool local_found(struct supervisor *sv, unsigned slot, struct caller *caller, int result);
/* What rules and reports call the peer: 0, -ENOMEM, or -errno. */
int local_name(struct supervisor *sv, const struct flight *f, struct socket_address *address);
/* See connect_decide(). */
struct decision local_decide(struct supervisor *sv, struct flight *f, struct event *event);
/* Nothing is against it. */
void local_perform(struct supervisor *sv, unsigned slot, struct event *event,
		   struct process *process);
