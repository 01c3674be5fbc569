/* SPDX-License-Identifier: GPL-3.0-or-later */
/* handlers.h - which calls this version can decode and answer. A call that has no
 * handler is not notified, whatever event type it could be.
 */
#pragma once
#include "model/syscall.h"

bool handler_available(enum syscall_handler handler);

/* True when CALL is notified for rules about TYPE. */
bool handler_judges(enum syscall_id call, enum event_type type);
