/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hosts.h - names of addresses, without asking anybody.
 *
 * From a file in the format of hosts(5), and from pins as a user gives them. Both
 * are read once, before the workload starts: what it writes to the file later
 * changes no verdict. Names are kept in lower case without the final dot. Nothing
 * is resolved for the workload by it.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "model/event.h"

struct hosts;

/* Lines and names of the file PATH that do not parse are skipped, a file that does
 * not exist is empty; PATH NULL = no file. A pin is
 *
 *	HOST:ADDRESS[,ADDRESS]...	IPv6 addresses in brackets
 *	HOST:PORT:ADDRESS[,ADDRESS]...	for this port alone, as curl(1) has it
 *
 * and a mistake in one is an error. An ADDRESS by itself belongs to the pin before
 * it (a comma separates in guard.conf, too). The caller frees *ret with
 * hosts_free(). 0, or an error with a line for the user in *err.
 */
int hosts_load(const char *path, const char *const *pins, size_t npins, struct hosts **ret,
	       struct err *err);
void hosts_free(struct hosts *hosts);

/* Sets the names that ADDRESS has at its port; none when HOSTS is NULL. They live
 * as long as HOSTS or the memory of ARENA. 0, or -ENOMEM.
 */
int hosts_name(const struct hosts *hosts, struct arena *arena, struct socket_address *address);
