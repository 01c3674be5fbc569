/* SPDX-License-Identifier: GPL-3.0-or-later */
/* link.h - what guard's processes say to each other, in seqpacket messages.
 *
 *   supervisor -> recorder   EVENT, DENIAL (JSON lines), HELLO, FLUSH
 *   recorder   -> supervisor ACK (a DENIAL is written to every sink), HELLO
 *   supervisor -> keeper     LISTENER (with the descriptor), STARTED, FAILED
 *
 * The recorder's end survives the recorder: the keeper holds a copy of both
 * ends, so a restarted recorder goes on with what the queue holds. The
 * recorder's half is described in model/link.h.
 */
#pragma once
#include "base/seqpacket.h"
#include "model/link.h" /* enum link_message */

struct link_failure {
	int exit_status; /* 125, 126 or 127 */
	char text[1024];
};
