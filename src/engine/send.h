/* SPDX-License-Identifier: GPL-3.0-or-later */
/* send.h - what the files of sendto(2), sendmsg(2) and sendmmsg(2) have in common:
 * send.c judges and sends, send_wait.c waits, send_local.c is about AF_UNIX.
 */
#pragma once
#include "engine/flight.h"

/* The rest of the message in hand is sent by a worker; send_worked() has the result.
 * Where nobody can wait it is answered here.
 */
void send_wait(struct supervisor *sv, unsigned slot);
/* Puts the call into the queue for a worker, as it would wait for room (see
 * connect_wait.c); false when that is full.
 */
bool send_queue(struct supervisor *sv, unsigned slot);
/* Writes the deed down, before it is done: see journal.h. */
void send_begin_deed(struct supervisor *sv, unsigned slot);
/* The worker was called off for a signal that another thread has taken since: the
 * caller goes on waiting, and RESULT is none. Then true.
 */
bool send_called_off_in_vain(struct supervisor *sv, unsigned slot, int result);
/* What the message came to that a worker ended with RESULT: bytes or -errno. */
int64_t send_final_value(const struct flight *f, int result);
/* The call is over, with RESULT; the job's descriptor is closed. */
void send_finish(struct supervisor *sv, unsigned slot, int64_t result);
/* The message in hand came to VALUE, its bytes or -errno: true when another one
 * follows, else the call is answered.
 */
bool send_message_through(struct supervisor *sv, unsigned slot, int64_t value);
/* The call cannot be judged or is wrong: ERROR, a positive errno, unless guard could
 * refuse nothing here.
 */
void send_fail(struct supervisor *sv, unsigned slot, int error);

/* Sends the messages that are left. */
void send_all(struct supervisor *sv, unsigned slot, struct caller *caller);
/* Who the peer of the message in hand is has been looked up: goes on with it. */
void send_looked(struct supervisor *sv, unsigned slot, struct caller *caller);

/* ---- send_local.c ---- */

/* The socket, whose duplicate is the job's, is of AF_UNIX. Answers the call. */
void send_local(struct supervisor *sv, unsigned slot, struct caller *caller);
/* True when a worker looks for the peer of the message in hand, or the call was answered
 * since it cannot; send_local_looked() has the result.
 */
bool send_look_up(struct supervisor *sv, unsigned slot);
void send_local_looked(struct supervisor *sv, unsigned slot, int result);
/* From now on the message goes to the peer that was found, whatever its name becomes. */
void send_pin(struct flight *f);
/* Whether a name in it may be one that a rule refuses. */
bool send_names_matter(const struct supervisor *sv, const struct send_job *job);
