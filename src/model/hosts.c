/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "model/hosts.h"

#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>

enum {
	MAX_FILE = 16 * 1024 * 1024, /* lists of advertisers have 200,000 lines */
	MAX_NAMES = 1 << 18,         /* more is an error: a rule would miss the rest */
	MAX_NAME = 253,              /* RFC 1035 */
};

struct entry {
	struct secl_net ip;
	uint16_t port; /* 0 = at every port */
	char *name;
};

struct hosts {
	struct entry *rows;        /* ordered by address, port, name; none twice */
	struct secl_string *names; /* of the rows */
	size_t count, capacity;
};

void hosts_free(struct hosts *hosts)
{
	if (!hosts)
		return;
	for (size_t i = 0; i < hosts->count; i++)
		free(hosts->rows[i].name);
	free(hosts->rows);
	free(hosts->names);
	free(hosts);
}

static void cleanup_hosts(struct hosts **hosts)
{
	hosts_free(*hosts);
}

/* The name as it is kept; false when it is none. */
static bool take_name(const char *text, size_t size, char ret[MAX_NAME + 1])
{
	if (size && text[size - 1] == '.')
		size--;
	if (!size || size > MAX_NAME || text[0] == '.' || text[0] == '-')
		return false;
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= 0x80 || (!isalnum(c) && !strchr("-_.", c)))
			return false;
		ret[i] = (char)tolower(c);
	}
	ret[size] = '\0';
	return true;
}

/* One address, which is no network; a scope as in fe80::1%eth0 is not looked at. */
static bool take_address(const char *text, size_t size, struct secl_net *ret)
{
	const char *scope = memchr(text, '%', size);

	if (scope)
		size = (size_t)(scope - text);
	return !memchr(text, '/', size) && secl_net_parse(text, size, ret) == 0;
}

static int add(struct hosts *hosts, const struct secl_net *ip, uint16_t port, const char *name)
{
	if (hosts->count == MAX_NAMES)
		return -E2BIG;
	if (hosts->count == hosts->capacity) {
		size_t capacity = hosts->capacity ? hosts->capacity * 2 : 64;
		struct entry *rows = reallocarray(hosts->rows, capacity, sizeof *rows);

		if (!rows)
			return -ENOMEM;
		hosts->rows = rows;
		hosts->capacity = capacity;
	}
	hosts->rows[hosts->count] = (struct entry){ *ip, port, strdup(name) };
	if (!hosts->rows[hosts->count].name)
		return -ENOMEM;
	hosts->count++;
	return 0;
}

/* ---- hosts(5) ---- */

/* The next word of *REST, which is moved behind it: its size, 0 at the end. */
static size_t next_word(const char **rest, const char *end, const char **ret)
{
	const char *p = *rest;

	while (p < end && isspace((unsigned char)*p))
		p++;
	*ret = p;
	while (p < end && !isspace((unsigned char)*p))
		p++;
	*rest = p;
	return (size_t)(p - *ret);
}

static int add_line(struct hosts *hosts, const char *line, size_t size)
{
	const char *comment = memchr(line, '#', size), *end = comment ? comment : line + size;
	char name[MAX_NAME + 1];
	struct secl_net ip;
	const char *word;
	size_t length = next_word(&line, end, &word);
	int r = 0;

	if (!length || !take_address(word, length, &ip))
		return 0;
	while (r == 0 && (length = next_word(&line, end, &word)) > 0) {
		if (take_name(word, length, name))
			r = add(hosts, &ip, 0, name);
	}
	return r;
}

static int add_file(struct hosts *hosts, const char *path)
{
	_cleanup_free_ char *text = NULL;
	const char *line, *end, *newline;
	size_t size;
	int r;

	r = read_file(path, MAX_FILE, &text, &size);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	end = text + size;
	for (line = text; line < end && r == 0; line = newline + 1) {
		newline = memchr(line, '\n', (size_t)(end - line));
		newline = newline ? newline : end;
		r = add_line(hosts, line, (size_t)(newline - line));
	}
	return r;
}

/* ---- pins ---- */

struct pin {
	char name[MAX_NAME + 1]; /* empty = none came yet */
	uint16_t port;
};

/* "PORT:" at the beginning of TEXT: what follows, or TEXT; NULL when it is out of range. */
static const char *skip_port(const char *text, uint16_t *ret)
{
	size_t digits = strspn(text, "0123456789");
	int64_t port;
	char copy[8];

	*ret = 0;
	if (!digits || text[digits] != ':')
		return text;
	if (digits >= sizeof copy)
		return NULL;
	memcpy(copy, text, digits);
	copy[digits] = '\0';
	if (parse_int64(copy, 10, &port) < 0 || port < 1 || port > UINT16_MAX)
		return NULL;
	*ret = (uint16_t)port;
	return text + digits + 1;
}

/* BARE: IPv6 addresses may be without brackets, as there is no doubt about colons. */
static int add_addresses(struct hosts *hosts, const struct pin *pin, const char *list, bool bare,
			 struct err *err)
{
	struct secl_net ip;
	size_t size;
	int r = 0;

	for (; r == 0; list += size + 1) {
		const char *text = list;
		size_t length;

		size = length = strcspn(list, ",");
		if (length > 1 && text[0] == '[' && text[length - 1] == ']') {
			text++;
			length -= 2;
			if (!memchr(text, ':', length))
				length = 0;
		} else if (!bare && memchr(text, ':', length)) {
			return err_set(err, -EINVAL,
				       "'%.*s' is no address; IPv6 addresses stand in brackets",
				       (int)size, list);
		}
		if (!take_address(text, length, &ip))
			return err_set(err, -EINVAL, "'%.*s' is no address", (int)size, list);
		r = add(hosts, &ip, pin->port, pin->name);
		if (list[size] == '\0')
			break;
	}
	return r;
}

static int add_pin(struct hosts *hosts, struct pin *pin, const char *text, struct err *err)
{
	const char *rest = text + strcspn(text, ":["), *list;
	struct secl_net ip;

	if (pin->name[0] && (*text == '[' || take_address(text, strlen(text), &ip)))
		return add_addresses(hosts, pin, text, true, err);
	if (*rest != ':')
		return err_set(err, -EINVAL, "it is not HOST:ADDRESS or HOST:PORT:ADDRESS");
	if (!take_name(text, (size_t)(rest - text), pin->name))
		return err_set(err, -EINVAL, "'%.*s' is no name of a host", (int)(rest - text),
			       text);
	rest++;
	list = skip_port(rest, &pin->port);
	if (!list)
		return err_set(err, -EINVAL, "'%.*s' is no port", (int)strcspn(rest, ":"), rest);
	return add_addresses(hosts, pin, list, list != rest, err);
}

/* ---- the table ---- */

static int compare_place(const struct entry *a, const struct secl_net *ip, uint16_t port)
{
	int r = memcmp(a->ip.addr, ip->addr, sizeof ip->addr);

	if (a->ip.family != ip->family)
		return a->ip.family < ip->family ? -1 : 1;
	if (r)
		return r;
	return a->port < port ? -1 : a->port > port;
}

static int compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int r = compare_place(x, &y->ip, y->port);

	return r ? r : strcmp(x->name, y->name);
}

static int arrange(struct hosts *hosts)
{
	size_t kept = 0;

	if (!hosts->count)
		return 0;
	qsort(hosts->rows, hosts->count, sizeof *hosts->rows, compare);
	for (size_t i = 0; i < hosts->count; i++) {
		if (kept && compare(&hosts->rows[kept - 1], &hosts->rows[i]) == 0)
			free(hosts->rows[i].name);
		else
			hosts->rows[kept++] = hosts->rows[i];
	}
	hosts->count = kept;
	hosts->names = calloc(kept, sizeof *hosts->names);
	if (!hosts->names)
		return -ENOMEM;
	for (size_t i = 0; i < kept; i++)
		hosts->names[i] =
			(struct secl_string){ hosts->rows[i].name, strlen(hosts->rows[i].name) };
	return 0;
}

int hosts_load(const char *path, const char *const *pins, size_t npins, struct hosts **ret,
	       struct err *err)
{
	_cleanup_(cleanup_hosts) struct hosts *hosts = calloc(1, sizeof *hosts);
	struct pin pin = { .port = 0 };
	int r = hosts ? 0 : -ENOMEM;

	err->code = 0;
	for (size_t i = 0; i < npins && r == 0; i++) {
		r = add_pin(hosts, &pin, pins[i], err);
		if (r < 0 && err->code)
			return err_prefix(err, "pin '%s'", pins[i]);
	}
	if (r == 0 && path)
		r = add_file(hosts, path);
	if (r == 0)
		r = arrange(hosts);
	if (r == -E2BIG)
		return err_set(err, r, "%s: more than %d names", path ? path : "pins", MAX_NAMES);
	if (r < 0)
		return err_errno(err, r, "%s", path ? path : "pins");
	*ret = TAKE(hosts);
	return 0;
}

/* How many there are at this address and port; the first is *FIRST. */
static size_t find(const struct hosts *hosts, const struct secl_net *ip, uint16_t port,
		   size_t *first)
{
	size_t low = 0, high = hosts->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_place(&hosts->rows[middle], ip, port) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (*first = low; low < hosts->count && compare_place(&hosts->rows[low], ip, port) == 0;)
		low++;
	return low - *first;
}

int hosts_name(const struct hosts *hosts, struct arena *arena, struct socket_address *address)
{
	size_t here = 0, any, first_here = 0, first_any;
	struct secl_string *all;

	if (!hosts || (address->family != AF_INET && address->family != AF_INET6))
		return 0;
	any = find(hosts, &address->ip, 0, &first_any);
	if (address->port)
		here = find(hosts, &address->ip, address->port, &first_here);
	address->nhostnames = here + any;
	if (!here || !any) {
		address->hostnames =
			here + any ? hosts->names + (here ? first_here : first_any) : NULL;
		return 0;
	}
	all = arena_alloc(arena, (here + any) * sizeof *all);
	if (!all)
		return -ENOMEM;
	memcpy(all, hosts->names + first_here, here * sizeof *all);
	memcpy(all + here, hosts->names + first_any, any * sizeof *all);
	address->hostnames = all;
	return 0;
}
