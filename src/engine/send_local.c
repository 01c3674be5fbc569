/* SPDX-License-Identifier: GPL-3.0-or-later */
/* send_local.c - messages to AF_UNIX peers. */
#include "config.h"

#include "engine/send.h"

/* Nothing is judged here: the kernel makes the call, on whatever socket it finds. */
void send_local(struct supervisor *sv, unsigned slot, struct caller *caller UNUSED)
{
	(void)close(TAKE_FD(sv->flights[slot].send.job.fd));
	flight_continue(sv, slot);
}
