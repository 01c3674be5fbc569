/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "secl/secl.h"

#include <arpa/inet.h>
#include <errno.h>

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static unsigned family_bits(uint8_t family)
{
	return family == AF_INET ? 32 : 128;
}

/* Clears the host bits. */
static void mask(struct secl_net *net)
{
	for (unsigned i = 0; i < sizeof net->addr; i++) {
		unsigned bits = net->prefix > i * 8 ? net->prefix - i * 8 : 0;

		if (bits < 8)
			net->addr[i] &= (uint8_t)(0xff00 >> bits);
	}
}

static int parse_prefix(const char *text, unsigned bits, uint8_t *ret)
{
	unsigned value = 0;

	if (*text == '\0')
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		value = value * 10 + (unsigned)(*text - '0');
		if (value > bits)
			return -EINVAL;
	}
	*ret = (uint8_t)value;
	return 0;
}

int secl_net_parse(const char *text, size_t size, struct secl_net *ret)
{
	char copy[INET6_ADDRSTRLEN + sizeof "/128"];
	struct secl_net net = { 0 };
	char *slash;

	if (size == 0 || size >= sizeof copy || memchr(text, '\0', size))
		return -EINVAL;
	memcpy(copy, text, size);
	copy[size] = '\0';
	slash = strchr(copy, '/');
	if (slash)
		*slash = '\0';
	if (inet_pton(AF_INET, copy, net.addr) == 1)
		net.family = AF_INET;
	else if (inet_pton(AF_INET6, copy, net.addr) == 1)
		net.family = AF_INET6;
	else
		return -EINVAL;
	net.prefix = (uint8_t)family_bits(net.family);
	if (slash && parse_prefix(slash + 1, net.prefix, &net.prefix) < 0)
		return -EINVAL;
	/* a network wider than the mapped range is a network of IPv6 */
	if (net.family == AF_INET6 && net.prefix >= 96 &&
	    memcmp(net.addr, mapped, sizeof mapped) == 0) {
		memmove(net.addr, net.addr + 12, 4);
		memset(net.addr + 4, 0, 12);
		net.family = AF_INET;
		net.prefix -= 96;
	}
	mask(&net);
	*ret = net;
	return 0;
}

bool secl_net_contains(const struct secl_net *net, const struct secl_net *address)
{
	unsigned bytes, rest;

	if (net->family == 0 || net->family != address->family)
		return false;
	bytes = MIN(net->prefix, 128u) / 8;
	rest = bytes < 16 ? net->prefix % 8 : 0;
	if (memcmp(net->addr, address->addr, bytes) != 0)
		return false;
	return rest == 0 ||
	       ((net->addr[bytes] ^ address->addr[bytes]) & (uint8_t)(0xff00 >> rest)) == 0;
}

bool secl_net_overlaps(const struct secl_net *a, const struct secl_net *b)
{
	return secl_net_contains(a, b) || secl_net_contains(b, a);
}
