/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sockaddr.h - socket addresses of the workload, decoded once. */
#pragma once
#include <sys/socket.h>

#include "base/arena.h"
#include "model/event.h"

/* Decodes SIZE bytes as the kernel would take them for a socket of DOMAIN.
 * IPv4-mapped IPv6 addresses become IPv4, the wildcard addresses stay what they
 * are (those of peers: see sockaddr_settle()). A family without a decoding has family only. The
 * path of an AF_UNIX address goes to ARENA ("@name" when abstract). 0, or -ENOMEM.
 */
int sockaddr_decode(const struct sockaddr_storage *address, socklen_t size, struct arena *arena,
		    struct socket_address *ret);

/* The address of a peer of the socket FD, of FAMILY: where it is a wildcard it becomes
 * what the kernel takes for one, the address that the socket is bound to, that of
 * its device, or the loopback (ip_route_output_key(), tcp_v6_connect() and their kin). A rule about
 * 127.0.0.1 then speaks of 0.0.0.0 as well, and what is judged is what is used, even
 * if the socket is bound meanwhile.
 */
void sockaddr_settle(int fd, int family, struct sockaddr_storage *address, socklen_t size);
