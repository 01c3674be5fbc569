/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sockaddr.h - socket addresses of the workload, decoded once. */
#pragma once
#include <sys/socket.h>

#include "base/arena.h"
#include "model/event.h"

/* Decodes SIZE bytes as the kernel would take them for a socket of DOMAIN.
 * IPv4-mapped IPv6 addresses become IPv4, the wildcard addresses stay what they
 * are. A family without a decoding has family only. The path of an AF_UNIX
 * address goes to ARENA ("@name" when abstract). 0, or -ENOMEM.
 */
int sockaddr_decode(const struct sockaddr_storage *address, socklen_t size, struct arena *arena,
		    struct socket_address *ret);
