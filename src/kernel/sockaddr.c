/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/sockaddr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
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

/* The first address of the device that the socket is bound to, asked for in its own
 * network namespace; 0 = of none.
 */
static uint32_t device_ipv4(int fd)
{
	struct ifreq request = { .ifr_name = "" };
	socklen_t size = sizeof request.ifr_name;
	struct sockaddr_in in;

	if (getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, request.ifr_name, &size) < 0 || !size ||
	    !request.ifr_name[0] || ioctl(fd, SIOCGIFADDR, &request) < 0)
		return 0;
	memcpy(&in, &request.ifr_addr, sizeof in);
	return in.sin_addr.s_addr;
}

/* The IPv4 address that the socket is bound to, as IPv4 or mapped; else the loopback. */
static uint32_t own_ipv4(int fd)
{
	union {
		struct sockaddr_storage any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} own = { .any.ss_family = AF_UNSPEC };
	socklen_t size = sizeof own;
	uint32_t address = 0;

	if (getsockname(fd, (struct sockaddr *)&own, &size) == 0) {
		if (own.any.ss_family == AF_INET)
			address = own.in.sin_addr.s_addr;
		else if (own.any.ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&own.in6.sin6_addr))
			memcpy(&address, own.in6.sin6_addr.s6_addr + 12, sizeof address);
	}
	if (!address)
		address = device_ipv4(fd);
	return address ? address : htonl(INADDR_LOOPBACK);
}

static bool is_bound_to_mapped(int fd)
{
	struct sockaddr_in6 own = { .sin6_family = AF_UNSPEC };
	socklen_t size = sizeof own;

	return getsockname(fd, (struct sockaddr *)&own, &size) == 0 &&
	       own.sin6_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&own.sin6_addr);
}

static void settle_ipv6(int fd, struct in6_addr *address)
{
	static const struct in6_addr loopback = IN6ADDR_LOOPBACK_INIT;
	static const struct in6_addr mapped = { .s6_addr = { [10] = 0xff, 0xff, 127, 0, 0, 1 } };
	uint32_t own;

	if (IN6_IS_ADDR_UNSPECIFIED(address)) {
		*address = is_bound_to_mapped(fd) ? mapped : loopback;
		return;
	}
	if (!IN6_IS_ADDR_V4MAPPED(address) || memcmp(address->s6_addr + 12, "\0\0\0", 4) != 0)
		return;
	own = own_ipv4(fd);
	memcpy(address->s6_addr + 12, &own, sizeof own);
}

void sockaddr_settle(int fd, int family, struct sockaddr_storage *address, socklen_t size)
{
	struct sockaddr_in *in = (void *)address;
	struct sockaddr_in6 *in6 = (void *)address;

	if (family == AF_INET && size >= sizeof *in && in->sin_addr.s_addr == INADDR_ANY)
		in->sin_addr.s_addr = own_ipv4(fd);
	else if (family == AF_INET6 && size >= offsetof(struct sockaddr_in6, sin6_scope_id))
		settle_ipv6(fd, &in6->sin6_addr);
}
