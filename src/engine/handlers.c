/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/handlers.h"

#include "engine/flight.h"

static const struct handler handlers[] = {
	[HANDLER_EXEC] = { .received = exec_received, .reads = true, .worked = exec_worked },
	[HANDLER_CONNECT] = { .received = connect_received,
			      .reads = true,
			      .worked = connect_worked,
			      .ringed = connect_ringed,
			      .look = connect_look,
			      .tick = connect_tick },
#define SEND                                                                                       \
	{                                                                                          \
		.received = send_received, .reads = true, .worked = send_worked,                   \
		.look = send_look, .tick = send_tick                                               \
	}
	[HANDLER_SENDTO] = SEND,
	[HANDLER_SENDMSG] = SEND,
	[HANDLER_SENDMMSG] = SEND,
#undef SEND
	[HANDLER_BIND] = { .received = bind_received,
			   .reads = true,
			   .worked = bind_worked,
			   .look = bind_look },
	[HANDLER_PACKED] = { .received = packed_received },
	[HANDLER_KILL] = { .received = kill_received, .by_numbers = true },
	[HANDLER_PIDFD_SIGNAL] = { .received = pidfd_signal_received },
	[HANDLER_TARGET] = { .received = target_received, .by_numbers = true },
	[HANDLER_REGISTERS] = { .received = registers_received },
};

const struct handler *handler_find(enum syscall_handler handler)
{
	static const struct handler none = { .received = NULL };

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

enum syscall_id handler_identify(const struct seccomp_notif *n)
{
	enum syscall_abi abi = syscall_abi_of_arch(n->data.arch);
	enum syscall_id id;

	if (abi != SYSCALL_ABI_NATIVE)
		return SYSCALL_COUNT;
	id = syscall_by_number(abi, n->data.nr);
	if (id == SYSCALL_COUNT || !handler_available(syscall_row(id)->handler))
		return SYSCALL_COUNT;
	return id;
}
