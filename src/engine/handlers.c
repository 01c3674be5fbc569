/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/handlers.h"

#include "engine/flight.h"

static const struct handler handlers[] = {
	[HANDLER_EXEC] = { exec_received, exec_worked, NULL },
	[HANDLER_CONNECT] = { connect_received, connect_worked, connect_tick },
	[HANDLER_SENDTO] = { send_received, send_worked, send_tick },
	[HANDLER_KILL] = { kill_received, NULL, NULL },
	[HANDLER_PIDFD_SIGNAL] = { pidfd_signal_received, NULL, NULL },
	[HANDLER_TARGET] = { target_received, NULL, NULL },
	[HANDLER_REGISTERS] = { registers_received, NULL, NULL },
};

const struct handler *handler_find(enum syscall_handler handler)
{
	static const struct handler none = { NULL, NULL, NULL };

	return handler < ELEMENTS(handlers) ? &handlers[handler] : &none;
}

bool handler_available(enum syscall_handler handler)
{
	return handler_find(handler)->received != NULL;
}

bool handler_judges(enum syscall_id call, enum event_type type)
{
	return syscall_serves(call, type) && handler_available(syscall_row(call)->handler);
}
