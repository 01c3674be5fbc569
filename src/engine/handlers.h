/* SPDX-License-Identifier: GPL-3.0-or-later */
/* handlers.h - which calls this version can decode and answer. A call that has no
 * handler is not notified, whatever event type it could be.
 */
#pragma once
#include <linux/seccomp.h>

#include "model/syscall.h"

bool handler_available(enum syscall_handler handler);

/* True when CALL is notified for rules about TYPE. */
bool handler_judges(enum syscall_id call, enum event_type type);

/* Which call a notification is about. The filter notifies nothing that has no handler;
 * should it, SYSCALL_COUNT: it is refused.
 */
enum syscall_id handler_identify(const struct seccomp_notif *n);
