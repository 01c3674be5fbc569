/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/sockaddr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/un.h>

static void decode_ipv4(const void *raw, struct socket_address *ret)
{
	struct sockaddr_in in;

	memcpy(&in, raw, sizeof in);
	ret->port = ntohs(in.sin_port);
	ret->ip = (struct secl_net){ .family = AF_INET, .prefix = 32 };
	memcpy(ret->ip.addr, &in.sin_addr, 4);
}

static void decode_ipv6(const void *raw, struct socket_address *ret)
{
	struct sockaddr_in6 in6;

	memcpy(&in6, raw, sizeof in6);
	ret->port = ntohs(in6.sin6_port);
	if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
		ret->ip = (struct secl_net){ .family = AF_INET, .prefix = 32 };
		memcpy(ret->ip.addr, in6.sin6_addr.s6_addr + 12, 4);
		return;
	}
	ret->ip = (struct secl_net){ .family = AF_INET6, .prefix = 128 };
	memcpy(ret->ip.addr, &in6.sin6_addr, 16);
}

static int decode_unix(const void *raw, socklen_t size, struct arena *arena,
		       struct socket_address *ret)
{
	struct sockaddr_un un = { .sun_path = "" };
	size_t n = MIN((size_t)size, sizeof un);
	char *path;

	memcpy(&un, raw, n);
	n -= offsetof(struct sockaddr_un, sun_path);
	if (!n)
		return 0;
	if (un.sun_path[0])
		n = strnlen(un.sun_path, n);
	path = arena_copy(arena, un.sun_path, n);
	if (!path)
		return -ENOMEM;
	if (!path[0])
		path[0] = '@';
	ret->path = (struct secl_string){ .text = path, .size = n };
	return 0;
}

int sockaddr_decode(const struct sockaddr_storage *address, socklen_t size, struct arena *arena,
		    struct socket_address *ret)
{
	*ret = (struct socket_address){ .family = 0 };
	if (size < sizeof address->ss_family)
		return 0;
	ret->family = address->ss_family;
	if (address->ss_family == AF_INET && size >= sizeof(struct sockaddr_in))
		decode_ipv4(address, ret);
	/* SIN6_LEN_RFC2133: the scope id may be missing (net/ipv6) */
	else if (address->ss_family == AF_INET6 &&
		 size >= offsetof(struct sockaddr_in6, sin6_scope_id))
		decode_ipv6(address, ret);
	else if (address->ss_family == AF_UNIX)
		return decode_unix(address, size, arena, ret);
	return 0;
}
