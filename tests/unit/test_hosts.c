/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of addresses: what a hosts file and pins say, and what is no pin. */
#include "config.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>

#include "model/hosts.h"
#include "tests/unit/rows.h"

static const char file[] = "127.0.0.1\tlocalhost localhost\n"
			   "127.0.0.1 Host.Example. alias # comment names\n"
			   "# 10.0.0.1 hidden\n"
			   "  10.0.0.2\tindented\r\n"
			   "10.0.0.3\n"
			   "10.0.0 short-address\n"
			   "10.0.0.0/8 network\n"
			   "10.0.0.4 bad/name good -dash . a..b under_score\n"
			   "name 10.0.0.5\n"
			   "::1 ip6-localhost\n"
			   "fe80::1%eth0 scoped\n"
			   "::ffff:10.0.0.6 mapped\n"
			   "10.0.0.7 " /* followed by a name of 254 bytes */
			   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
			   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
			   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
			   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ok\n"
			   "10.0.0.8 nul\0byte\n"
			   "10.0.0.9 last";
static const char *const pins[] = { "db.example:5432:10.1.0.1,10.1.0.2",
				    "any.example:10.1.0.1",
				    "V6.Example.:443:2001:db8::1,[2001:db8::2]",
				    "six:[2001:db8::1]",
				    "db.example:10.1.0.3",
				    "10.1.0.4",
				    "2001:db8::9",
				    "alias:127.0.0.1",
				    "other:5432:10.1.0.1" };

static struct hosts *load(const char *path, struct err *err)
{
	struct hosts *hosts = NULL;

	cr_assert_eq(hosts_load(path, pins, ELEMENTS(pins), &hosts, err), 0, "%s", err->text);
	return hosts;
}

static void name_of(const struct hosts *hosts, const char *text, uint16_t port, char *ret,
		    size_t size)
{
	struct socket_address address = { .port = port };
	struct arena arena;
	size_t used = 0;

	cr_assert_eq(arena_init(&arena, 65536), 0);
	cr_assert_eq(secl_net_parse(text, strlen(text), &address.ip), 0);
	address.family = address.ip.family;
	cr_assert_eq(hosts_name(hosts, &arena, &address), 0);
	ret[0] = '\0';
	for (size_t i = 0; i < address.nhostnames; i++)
		used += (size_t)snprintf(ret + used, size - used, "%s%s", i ? " " : "",
					 address.hostnames[i].text);
	arena_done(&arena);
}

static const struct {
	const char *address;
	uint16_t port;
	const char *want;
} names[] = {
	{ "127.0.0.1", 80, "alias host.example localhost" },
	{ "127.0.0.1", 0, "alias host.example localhost" },
	{ "127.0.0.2", 80, "" },
	{ "10.0.0.1", 80, "" },
	{ "10.0.0.2", 80, "indented" },
	{ "10.0.0.3", 80, "" },
	{ "10.0.0.0", 80, "" },
	{ "10.0.0.4", 80, "a..b good under_score" },
	{ "10.0.0.5", 80, "" },
	{ "::1", 80, "ip6-localhost" },
	{ "fe80::1", 80, "scoped" },
	{ "10.0.0.6", 80, "mapped" },
	{ "10.0.0.7", 80, "ok" },
	{ "10.0.0.9", 80, "last" },
	{ "10.1.0.1", 80, "any.example" },
	{ "10.1.0.1", 5432, "db.example other any.example" },
	{ "10.1.0.2", 5432, "db.example" },
	{ "10.1.0.2", 80, "" },
	{ "2001:db8::1", 443, "v6.example six" },
	{ "2001:db8::2", 443, "v6.example" },
	{ "2001:db8::1", 80, "six" },
	{ "10.1.0.4", 80, "db.example" },
	{ "2001:db8::9", 80, "db.example" },
};

ROWS_TEST(hosts, names_of_addresses, names)
{
	char path[] = "/tmp/test-hosts.XXXXXX", got[1024];
	struct err err = { .code = 0 };
	struct hosts *hosts;
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write_full(fd, file, sizeof file - 1), 0);
	(void)close(fd);
	hosts = load(path, &err);
	(void)unlink(path);
	name_of(hosts, r->address, r->port, got, sizeof got);
	cr_expect_str_eq(got, r->want, "%s:%u is '%s', not '%s'", r->address, r->port, got,
			 r->want);
	hosts_free(hosts);
}

Test(hosts, without_a_file)
{
	struct err err = { .code = 0 };
	struct hosts *hosts = load("/nowhere/hosts", &err);
	char got[1024];

	name_of(hosts, "10.1.0.1", 80, got, sizeof got);
	cr_expect_str_eq(got, "any.example");
	hosts_free(hosts);
	name_of(NULL, "10.1.0.1", 80, got, sizeof got);
	cr_expect_str_eq(got, "");
}

static const struct {
	const char *pin, *want; /* want: what the error speaks of */
} wrong[] = {
	{ "", "HOST:ADDRESS" },
	{ "host", "HOST:ADDRESS" },
	{ "10.0.0.1", "HOST:ADDRESS" },
	{ "[::1]", "HOST:ADDRESS" },
	{ "host:", "'' is no address" },
	{ ":10.0.0.1", "'' is no name" },
	{ "-x:10.0.0.1", "'-x' is no name" },
	{ "a b:10.0.0.1", "'a b' is no name" },
	{ "host:name", "'name' is no address" },
	{ "host:80:", "'' is no address" },
	{ "host:80:10.0.0.1,", "'' is no address" },
	{ "host:80:10.0.0.1,x", "'x' is no address" },
	{ "host:0:10.0.0.1", "'0' is no port" },
	{ "host:65536:10.0.0.1", "'65536' is no port" },
	{ "host:99999999999999999999:10.0.0.1", "is no port" },
	{ "host:10.0.0.0/8", "'10.0.0.0/8' is no address" },
	{ "host:::1", "brackets" },
	{ "host:[::1", "brackets" },
	{ "host:[10.0.0.1]", "is no address" },
	{ "host:[]", "is no address" },
};

ROWS_TEST(hosts, wrong_pins, wrong)
{
	struct hosts *hosts = NULL;
	struct err err = { .code = 0 };

	cr_expect_lt(hosts_load(NULL, &r->pin, 1, &hosts, &err), 0, "'%s' is taken", r->pin);
	cr_expect(strstr(err.text, r->want) && !strchr(err.text, '\n'), "'%s' says %s", r->pin,
		  err.text);
	cr_expect_null(hosts);
}

/* More than guard keeps is an error: rules would not know of the rest. */
Test(hosts, too_many_names)
{
	char path[] = "/tmp/test-hosts.XXXXXX";
	struct err err = { .code = 0 };
	struct hosts *hosts = NULL;
	FILE *f = fdopen(mkstemp(path), "w");

	cr_assert_not_null(f);
	for (unsigned i = 0; i <= 1u << 18; i++)
		(void)fprintf(f, "10.0.0.1 n%u\n", i);
	(void)fclose(f);
	cr_expect_lt(hosts_load(path, NULL, 0, &hosts, &err), 0);
	cr_expect(strstr(err.text, "more than"), "%s", err.text);
	(void)unlink(path);
}
