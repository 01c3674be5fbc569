/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/handlers.h"

#include "engine/flight.h"

static received_function *const handlers[] = {
	[HANDLER_EXEC] = exec_received,     [HANDLER_CONNECT] = connect_received,
	[HANDLER_KILL] = kill_received,     [HANDLER_PIDFD_SIGNAL] = pidfd_signal_received,
	[HANDLER_TARGET] = target_received, [HANDLER_REGISTERS] = registers_received,
};

received_function *handler_find(enum syscall_handler handler)
{
	return handler < ELEMENTS(handlers) ? handlers[handler] : NULL;
}

bool handler_available(enum syscall_handler handler)
{
	return handler_find(handler) != NULL;
}

bool handler_judges(enum syscall_id call, enum event_type type)
{
	return syscall_serves(call, type) && handler_available(syscall_row(call)->handler);
}
