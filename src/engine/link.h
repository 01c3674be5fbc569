/* SPDX-License-Identifier: GPL-3.0-or-later */
/* link.h - what guard's processes say to each other, in seqpacket messages.
 *
 *   supervisor -> recorder   EVENT, DENIAL (JSON lines)
 *   recorder   -> supervisor ACK (a DENIAL is on its way to every sink)
 *   supervisor -> keeper     LISTENER (with the descriptor), STARTED, FAILED
 *
 * The recorder's end survives the recorder: the keeper holds a copy of both
 * ends, so a restarted recorder goes on with what the queue holds.
 */
#pragma once
#include "base/seqpacket.h"

enum link_message {
	LINK_EVENT = 1, /* body: one JSON line without newline; may be lost, counted */
	LINK_DENIAL,    /* body: the same; head.seq is its place in the journal ring */
	LINK_ACK,       /* no body; every DENIAL up to head.seq is written */
	LINK_HELLO,     /* recorder: ready; resend every DENIAL not acknowledged */
	LINK_REOPEN,    /* sinks were rotated; descriptors follow */
	LINK_FLUSH,     /* write out and acknowledge everything, then exit at EOF */
	LINK_LISTENER,  /* supervisor to keeper: the notification descriptor */
	LINK_STARTED,   /* supervisor to keeper: pid of the workload in the body */
	LINK_FAILED,    /* supervisor to keeper: struct link_failure */
};

struct link_failure {
	int exit_status; /* 125, 126 or 127 */
	char text[1024];
};
