/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/transparency/net.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <sys/mman.h>

/* Places without a server. A port "=NAME" is that of the other place. */
static const struct {
	const char *name, *address, *port;
} fixed[] = {
	{ "any4", "0.0.0.0", "=open4" },
	{ "any6", "::", "=open6" },
	{ "any4:0", "0.0.0.0", "0" },
	{ "any6:0", "::", "0" },
	{ "mapped", "::ffff:127.0.0.1", "=open4" },
	{ "mapped-closed", "::ffff:127.0.0.1", "=closed4" },
	{ "mapped-udp", "::ffff:127.0.0.1", "=udp4" },
	{ "any4-udp", "0.0.0.0", "=udp4" },
	{ "port0", "127.0.0.1", "0" },
	{ "own4", "127.0.0.1", "0" },
	{ "own6", "::1", "0" },
	{ "second4", "127.0.0.2", "0" },
	{ "low4", "127.0.0.1", "7" },
	{ "broadcast", "255.255.255.255", "9" },
	{ "net-broadcast", "10.77.0.255", "9" },
	{ "multicast4", "224.0.0.77", "9" },
	{ "multicast6", "ff02::77", "9" },
	{ "reserved", "240.0.0.1", "80" },
	{ "no-route", "198.51.100.7", "80" },
	{ "no-route6", "2001:db8:ffff::1", "80" },
	{ "unreachable", "10.99.0.1", "80" },
	{ "prohibited", "10.98.0.1", "80" },
	{ "blackhole", "10.97.0.1", "80" },
	{ "lost", "10.77.0.2", "80" },
	{ "foreign4", "198.51.100.7", "0" },
	{ "foreign6", "2001:db8:ffff::1", "0" },
	{ "linklocal", "fe80::77", "80" },
	{ "linklocal-lo", "fe80::77%lo", "80" },
	{ "linklocal-none", "fe80::77%99", "80" },
	{ "loopback6-scope", "::1%lo", "=open6" },
};

static bool parse(const char *address, const char *port, struct place *ret)
{
	char copy[64], *scope;

	if (*address == '/' || *address == '@') {
		size_t size = strlen(address);

		ret->address.un.sun_family = AF_UNIX;
		memcpy(ret->address.un.sun_path, address, size);
		if (*address == '@')
			ret->address.un.sun_path[0] = '\0';
		else
			size++;
		ret->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
		return true;
	}
	(void)snprintf(copy, sizeof copy, "%s", address);
	scope = strchr(copy, '%');
	if (scope)
		*scope++ = '\0';
	if (inet_pton(AF_INET, copy, &ret->address.in.sin_addr) == 1) {
		ret->address.in.sin_family = AF_INET;
		ret->address.in.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
		ret->size = sizeof ret->address.in;
		return true;
	}
	ret->address.in6.sin6_family = AF_INET6;
	ret->address.in6.sin6_port = htons((uint16_t)strtoul(port, NULL, 10));
	ret->size = sizeof ret->address.in6;
	if (scope)
		ret->address.in6.sin6_scope_id = if_nametoindex(scope)
							 ? if_nametoindex(scope)
							 : (uint32_t)strtoul(scope, NULL, 10);
	return inet_pton(AF_INET6, copy, &ret->address.in6.sin6_addr) == 1;
}

static void add(struct place *places, size_t *count, const char *name, const char *address,
		const char *port)
{
	struct place *place = &places[*count];
	char text[16];

	for (size_t i = 0; *port == '=' && i < *count; i++) {
		if (strcmp(places[i].name, port + 1) != 0)
			continue;
		/* the port is at the same place in both families */
		(void)snprintf(text, sizeof text, "%u", ntohs(places[i].address.in.sin_port));
		port = text;
	}
	*place = (struct place){ .size = 0 };
	(void)snprintf(place->name, sizeof place->name, "%s", name);
	if (*count == PLACES_MAX || *port == '=' || !parse(address, port, place)) {
		(void)fprintf(stderr, "net-probe: place %s %s %s\n", name, address, port);
		exit(2);
	}
	(*count)++;
}

size_t places_read(const char *path, struct place *places)
{
	char name[24], address[128], port[16];
	FILE *file = fopen(path, "re");
	size_t count = 0;

	while (file && fscanf(file, "%23s %127s %15s", name, address, port) == 3)
		add(places, &count, name, address, port);
	if (!file || fclose(file) != 0) {
		(void)fprintf(stderr, "net-probe: cannot read %s\n", path);
		exit(2);
	}
	for (size_t i = 0; i < ELEMENTS(fixed); i++)
		add(places, &count, fixed[i].name, fixed[i].address, fixed[i].port);
	return count;
}

const struct place *place_of(const struct probe *p, const char *name)
{
	for (size_t i = 0; name && i < p->nplaces; i++) {
		if (strcmp(p->places[i].name, name) == 0)
			return &p->places[i];
	}
	(void)fprintf(stderr, "net-probe: there is no place '%s'\n", name ? name : "");
	exit(2);
}

static void print_other(const union address *address, socklen_t size)
{
	char text[INET6_ADDRSTRLEN] = "";

	switch (address->any.sa_family) {
	case AF_INET:
		(void)inet_ntop(AF_INET, &address->in.sin_addr, text, sizeof text);
		say("%s:%s", text, address->in.sin_port ? "some" : "0");
		break;
	case AF_INET6:
		(void)inet_ntop(AF_INET6, &address->in6.sin6_addr, text, sizeof text);
		say("[%s%%%u]:%s", text, address->in6.sin6_scope_id,
		    address->in6.sin6_port ? "some" : "0");
		break;
	case AF_UNIX:
		/* names that the kernel chooses are random */
		say("unix%s", size <= sizeof(sa_family_t)    ? ""
			      : address->un.sun_path[0] == 0 ? ":abstract"
							     : ":path");
		break;
	default: say("family%u/%u", address->any.sa_family, size);
	}
}

void print_address(const struct probe *p, const union address *address, socklen_t size)
{
	for (size_t i = 0; i < p->nplaces; i++) {
		if (size == p->places[i].size &&
		    memcmp(address, &p->places[i].address, size) == 0) {
			say("%s", p->places[i].name);
			return;
		}
	}
	print_other(address, size);
}

void *lay_out(const char *where, const void *data, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (size / page + 1) * page;
	char *map, *at;

	if (where && strcmp(where, "null") == 0)
		return NULL;
	if (where && strcmp(where, "bad") == 0)
		return (void *)8;
	map = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED || mprotect(map + room, page, PROT_NONE) != 0)
		exit(2);
	at = map;
	if (where && (strcmp(where, "edge") == 0 || strcmp(where, "beyond") == 0))
		at = map + room - size;
	memcpy(at, data, size);
	if (where && strcmp(where, "beyond") == 0)
		return at + 1; /* the last byte is not there */
	if (where && strcmp(where, "writeonly") == 0 && mprotect(map, room, PROT_WRITE) != 0)
		exit(2);
	if (where && strcmp(where, "none") == 0 && mprotect(map, room, PROT_NONE) != 0)
		exit(2);
	if (where && strcmp(where, "readonly") == 0 && mprotect(map, room, PROT_READ) != 0)
		exit(2);
	return at;
}
