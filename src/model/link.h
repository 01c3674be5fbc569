/* SPDX-License-Identifier: GPL-3.0-or-later */
/* link.h - the kinds of message that guard's processes send to each other.
 *
 * Here and not in engine/ because the recorder, which includes nothing above
 * model/, speaks most of them. Transport: base/seqpacket.h.
 *
 * Denials are never lost: whoever holds the journal ring keeps each until it is
 * acknowledged. They are numbered without gaps (head.seq, the first is 1) and
 * accepted in that order only; whatever is missing is sent again from there on:
 *
 *   recorder starts, or saw a gap, or has room again   supervisor starts
 *     -> HELLO  (and ignores every DENIAL until          -> HELLO, and the DENIALs
 *     <- HELLO   it is answered)                            as on the left
 *     <- DENIAL, DENIAL ... all that are not acknowledged, oldest first
 *
 * Supervisor to recorder:
 *   HELLO   no body; head.seq = the highest DENIAL acknowledged so far, 0 = none
 *           (with a ring that had to forget some: the highest forgotten one).
 *   EVENT   body = one JSON line without its newline. May be lost: it is dropped
 *           and counted where a queue is full. head.seq is not looked at.
 *   DENIAL  the same for a refused or killed action; head.seq is its number. One
 *           that could not be sent (-EAGAIN) is sent when the link is writable.
 *   REOPEN  body = the places of the sinks in the order of the command line, one
 *           byte each; the descriptors beside it, in the same order, replace theirs
 *           (log rotation). May come from the keeper, which holds a copy of this
 *           end of the link.
 *   FLUSH   write out what is queued, within 2 s, and answer with FLUSH. At end of
 *           file the recorder does the same by itself and exits with status 0.
 *
 * Recorder to supervisor:
 *   HELLO   no body; head.seq is the highest it has acknowledged in this life.
 *           Repeated every second until it is answered.
 *   ACK     no body; every DENIAL up to and including head.seq has been written to
 *           every sink that is alive.
 *   FLUSH   no body; done, or out of time. head.seq as in ACK.
 *
 * A DENIAL that arrives twice is written once, as long as the recorder lives. One
 * whose ACK died with the recorder may be written by its successor again and is
 * recognised by guard.seq in the line.
 */
#pragma once

enum link_message {
	LINK_EVENT = 1,
	LINK_DENIAL,
	LINK_ACK,
	LINK_HELLO,
	LINK_REOPEN,
	LINK_FLUSH,
	LINK_LISTENER, /* supervisor to keeper: the notification descriptor */
	LINK_STOPPED,  /* keeper to supervisor: we stop with the workload, wake us with it */
};
