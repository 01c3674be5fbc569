/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Values of fields, iterators and derivations. Exercises model/field_load.c,
 * derive.c, domain.c.
 */
#include "config.h"

#include "model/field.h"

#include <errno.h>
#include <stdio.h>

#include "fixture.h"
#include "model/idnames.h"
#include "model/scrub.h"
#include "rows.h"

enum { SCRATCH = 1 << 20 };

/* A value as text: lists in brackets, strings as they are. */
static void show_scalar(FILE *out, const struct secl_value *v, size_t i)
{
	switch (v->type) {
	case SECL_BOOL:
		(void)fputs((v->array ? v->list.booleans[i] : v->boolean) ? "true" : "false", out);
		break;
	case SECL_INT:
		(void)fprintf(out, "%lld",
			      (long long)(v->array ? v->list.integers[i] : v->integer));
		break;
	case SECL_STRING: {
		struct secl_string s = v->array ? v->list.strings[i] : v->string;

		(void)fprintf(out, "%.*s", (int)s.size, s.size ? s.text : "");
		break;
	}
	default: {
		struct secl_net net = v->array ? v->list.nets[i] : v->net;

		(void)fprintf(out, "%u:%u.%u.%u.%u/%u", net.family, net.addr[0], net.addr[1],
			      net.addr[2], net.addr[3], net.prefix);
	}
	}
}

static const char *show(const struct secl_value *v, char *buf, size_t size)
{
	FILE *out = fmemopen(buf, size, "w");

	buf[0] = '\0'; /* which fmemopen leaves to the first write */
	if (v->array)
		(void)fputc('[', out);
	for (size_t i = 0; i < (v->array ? v->list.count : 1); i++) {
		if (i)
			(void)fputc('|', out);
		show_scalar(out, v, i);
	}
	if (v->array)
		(void)fputc(']', out);
	(void)fclose(out);
	return buf;
}

struct world {
	struct fixture fixture;
	struct field_source source;
	struct field_cursor cursor;
	struct secl_context ctx;
	struct arena scratch;
	struct idnames *names;
	struct secl_string tags[2];
};

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	cr_assert_not_null(file);
	(void)fputs(text, file);
	(void)fclose(file);
}

static struct idnames *some_names(void)
{
	char passwd[64], group[64];
	struct idnames *names;

	(void)snprintf(passwd, sizeof passwd, "/tmp/guard-passwd-%d", getpid());
	(void)snprintf(group, sizeof group, "/tmp/guard-group-%d", getpid());
	write_file(passwd, "root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:\n"
			   "# comment:x:7:7\n+nis:x:9:9:\nbad line\nbig:x:4294967303:1:\n"
			   "user:x:1000:1000:::\n:x:5:5:\nlast:x:4294967295:0:");
	write_file(group, "root:x:0:\nwheel:x:10:user,root\nusers:x:1000:\nneg:x:-1:\n");
	cr_assert_eq(idnames_load(passwd, group, &names), 0);
	(void)unlink(passwd);
	(void)unlink(group);
	return names;
}

static struct world *world_new(enum event_type type)
{
	struct world *w = calloc(1, sizeof *w);

	fixture_init(&w->fixture, type);
	w->names = some_names();
	w->tags[0] = (struct secl_string)STRING("a:b");
	w->tags[1] = (struct secl_string)STRING("c:d");
	w->source = (struct field_source){ .event = &w->fixture.event,
					   .names = w->names,
					   .service = "shop",
					   .hostname = "host1",
					   .origin = "ebpfless",
					   .rule_tags = w->tags,
					   .nrule_tags = 2,
					   .cursor = &w->cursor };
	cr_assert_eq(arena_init(&w->scratch, SCRATCH), 0);
	w->ctx = (struct secl_context){ .schema = &event_schema,
					.event = &w->source,
					.scratch = &w->scratch };
	return w;
}

static void world_free(struct world *w)
{
	arena_done(&w->scratch);
	idnames_free(w->names);
	free(w);
}

static int load(struct world *w, const char *name, int element, struct secl_value *ret)
{
	struct secl_field field;

	cr_assert_eq(event_schema.find(&event_schema, name, &field, NULL), 0, "%s", name);
	return event_schema.load(&w->ctx, &field, element, ret);
}

/* ---- values ------------------------------------------------------------- */

static const struct value_row {
	enum event_type event;
	const char *name, *want;
	int element; /* plus one; 0 = all */
} value_rows[] = {
	{ EVENT_EXEC, "event.timestamp", "1785456000000000000" },
	{ EVENT_EXEC, "event.async", "false" },
	{ EVENT_EXEC, "event.os", "linux" },
	{ EVENT_EXEC, "event.origin", "ebpfless" },
	{ EVENT_EXEC, "event.service", "shop" },
	{ EVENT_EXEC, "event.hostname", "host1" },
	{ EVENT_EXEC, "event.source", "runtime" },
	{ EVENT_EXEC, "event.rule.tags", "[a:b|c:d]" },
	{ EVENT_EXEC, "event.signature", "" },
	{ EVENT_EXEC, "process.pid", "4711" },
	{ EVENT_EXEC, "exec.pid", "4711" },
	{ EVENT_EXEC, "process.tid", "4712" },
	{ EVENT_EXEC, "process.ppid", "4700" },
	{ EVENT_EXEC, "process.parent.tid", "4700" },
	{ EVENT_EXEC, "process.sid", "4000" },
	{ EVENT_EXEC, "process.netns", "4026531840" },
	{ EVENT_EXEC, "process.mntns", "4026531841" },
	{ EVENT_EXEC, "process.is_exec", "true" },
	{ EVENT_EXEC, "process.is_thread", "false" },
	{ EVENT_EXEC, "process.parent.is_thread", "true" },
	{ EVENT_EXEC, "process.is_kworker", "false" },
	{ EVENT_EXEC, "process.created_at", "5000" },
	{ EVENT_EXEC, "process.tty_name", "pts0" },
	{ EVENT_EXEC, "process.comm", "curl" },
	{ EVENT_EXEC, "process.uid", "1000" },
	{ EVENT_EXEC, "process.user", "user" },
	{ EVENT_EXEC, "process.group", "users" },
	{ EVENT_EXEC, "process.euser", "root" },
	{ EVENT_EXEC, "process.egroup", "wheel" },
	{ EVENT_EXEC, "process.auid", "4294967295" },
	{ EVENT_EXEC, "process.cap_effective", "2097152" },
	{ EVENT_EXEC, "process.cap_permitted", "2097153" },
	{ EVENT_EXEC, "process.caps_used", "0" },
	{ EVENT_EXEC, "process.user_session.id", "" },
	{ EVENT_EXEC, "process.user_session.k8s_groups", "[]" },
	{ EVENT_EXEC, "process.container.id", "9f3c" },
	{ EVENT_EXEC, "container.id", "9f3c" },
	{ EVENT_EXEC, "container.created_at", "777" },
	{ EVENT_EXEC, "container.tags", "[]" },
	{ EVENT_EXEC, "cgroup.id", "/docker/9f3c" },
	{ EVENT_EXEC, "exec.cgroup.id", "/docker/9f3c" },
	{ EVENT_EXEC, "process.parent.container.id", "" },
	/* files; the acting program by all its names */
	{ EVENT_EXEC, "exec.file.path", "[/usr/bin/curl.real|/usr/bin/curl|/opt/bin/fetch]" },
	{ EVENT_EXEC, "exec.file.name", "[curl.real|curl|fetch]" },
	{ EVENT_CONNECT, "process.file.name", "[curl.real|curl|fetch]" },
	{ EVENT_EXEC, "exec.file.path.length", "18" },
	{ EVENT_EXEC, "exec.file.name.length", "9" },
	{ EVENT_EXEC, "exec.file.extension", ".real" },
	{ EVENT_EXEC, "process.parent.file.extension", "" },
	{ EVENT_EXEC, "exec.file.mode", "35309" },
	{ EVENT_EXEC, "exec.file.rights", "2541" },
	{ EVENT_EXEC, "exec.file.inode", "131" },
	{ EVENT_EXEC, "exec.file.mount_id", "30" },
	{ EVENT_EXEC, "exec.file.uid", "0" },
	{ EVENT_EXEC, "exec.file.user", "root" },
	{ EVENT_EXEC, "exec.file.group", "wheel" },
	{ EVENT_EXEC, "exec.file.filesystem", "ext4" },
	{ EVENT_EXEC, "exec.file.modification_time", "1000" },
	{ EVENT_EXEC, "exec.file.change_time", "2000" },
	{ EVENT_EXEC, "exec.file.in_upper_layer", "false" },
	{ EVENT_EXEC, "exec.file.hashes", "[]" },
	{ EVENT_EXEC, "exec.file.package.name", "" },
	{ EVENT_EXEC, "exec.file.metadata.size", "0" },
	{ EVENT_EXEC, "exec.interpreter.file.path", "" },
	{ EVENT_EXEC, "exec.interpreter.file.user", "" },
	{ EVENT_EXEC, "exec.syscall.path", "curl" },
	{ EVENT_EXEC, "process.parent.file.path", "/usr/bin/bash" },
	/* arguments */
	{ EVENT_EXEC, "exec.argv0", "curl" },
	{ EVENT_EXEC, "exec.argv", "[-sL|--retry|3|--header=x|-o|-|http://x/]" },
	{ EVENT_EXEC, "exec.args", "-sL --retry 3 --header=x -o - http://x/" },
	{ EVENT_EXEC, "exec.args_flags", "[s|L|sL|retry|o]" },
	{ EVENT_EXEC, "exec.args_options", "[retry=3|header=x]" },
	{ EVENT_EXEC, "exec.args_truncated", "false" },
	{ EVENT_EXEC, "exec.envp", "[PATH=/bin|SECRET=x|LD_PRELOAD=/tmp/x.so|ODD]" },
	{ EVENT_EXEC, "exec.envs", "[PATH=/bin|SECRET|LD_PRELOAD=/tmp/x.so|ODD]" },
	{ EVENT_EXEC, "exec.envs_truncated", "false" },
	{ EVENT_EXEC, "process.parent.argv", "[--password|hunter2]" },
	{ EVENT_EXEC, "process.parent.args", "--password hunter2" },
	/* iterators */
	{ EVENT_EXEC, "process.ancestors.length", "3" },
	{ EVENT_EXEC, "process.ancestors.pid", "[4700|4000|1]" },
	{ EVENT_EXEC, "process.ancestors.file.name", "[bash|bash|init]" },
	{ EVENT_EXEC, "process.ancestors.file.name.length", "[4|4|4]" },
	{ EVENT_EXEC, "process.ancestors.is_thread", "[true|false|false]" },
	{ EVENT_EXEC, "process.ancestors.argv", "[--password|hunter2|--password|hunter2]" },
	{ EVENT_EXEC, "process.ancestors.envs", "[HOME|HOME]" },
	{ EVENT_EXEC, "process.ancestors.user_session.ssh_client_ip",
	  "[0:0.0.0.0/0|0:0.0.0.0/0|0:0.0.0.0/0]" },
	{ EVENT_EXEC, "process.ancestors.pid", "4700", 1 },
	{ EVENT_EXEC, "process.ancestors.pid", "1", 3 },
	{ EVENT_EXEC, "process.ancestors.pid", "0", 4 },
	{ EVENT_EXEC, "process.ancestors.argv", "[--password|hunter2]", 2 },
	{ EVENT_EXEC, "process.ancestors.argv", "[]", 3 },
	{ EVENT_EXEC, "process.ancestors.argv", "[]", 4 },
	/* addresses */
	{ EVENT_CONNECT, "connect.addr.ip", "2:192.0.2.7/32" },
	{ EVENT_CONNECT, "connect.addr.port", "443" },
	{ EVENT_CONNECT, "connect.addr.family", "2" },
	{ EVENT_CONNECT, "connect.addr.is_public", "false" },
	{ EVENT_CONNECT, "connect.addr.hostname", "[]" },
	{ EVENT_CONNECT, "connect.addr.hostname.length", "[]" },
	{ EVENT_CONNECT, "connect.addr.hostname.root_domain", "[]" },
	{ EVENT_CONNECT, "connect.addr.path", "" },
	{ EVENT_CONNECT, "connect.protocol", "6" },
	{ EVENT_CONNECT, "connect.retval", "0" },
	{ EVENT_BIND, "bind.addr.ip", "2:192.0.2.7/32" },
	{ EVENT_BIND, "bind.addr.port", "443" },
	{ EVENT_BIND, "bind.addr.family", "2" },
	{ EVENT_BIND, "bind.addr.is_public", "false" },
	{ EVENT_BIND, "bind.protocol", "6" },
	{ EVENT_BIND, "bind.retval", "0" },
};

ROWS_TEST(load, values, value_rows)
{
	struct world *w = world_new(r->event);
	struct secl_value value;
	char text[512];

	cr_assert_eq(load(w, r->name, r->element - 1, &value), 0);
	cr_expect_str_eq(show(&value, text, sizeof text), r->want, "%s: %s", r->name, text);
	world_free(w);
}

/* Every field that any rule may use has a value or a clear refusal, of the type
 * that was promised.
 */
struct every {
	struct world *w;
	size_t loaded, refused;
};

static void load_one(void *data, const struct secl_field *field)
{
	struct every *every = data;
	struct secl_value value;
	int r = event_schema.load(&every->w->ctx, field, -1, &value);
	bool foreign = (field->event && field->event != (unsigned)every->w->fixture.event.type) ||
		       strncmp(field->name, "network.", 8) == 0;

	cr_expect_eq(r, foreign ? -EOPNOTSUPP : 0, "%s: %d", field->name, r);
	every->refused += r < 0;
	every->loaded += r == 0;
	if (r == 0)
		cr_expect(value.type == field->type &&
				  (value.array == !!(field->flags &
						     (SECL_FIELD_ARRAY | SECL_FIELD_ITERATOR)) ||
				   (field->flags & SECL_FIELD_ALIASES)),
			  "%s", field->name);
	arena_reset(&every->w->scratch);
}

static const struct every_row {
	enum event_type event;
	size_t loaded;
} every_rows[] = { { EVENT_EXEC, 355 + 121 },
		   { EVENT_CONNECT, 355 + 10 },
		   { EVENT_BIND, 355 + 6 } };

ROWS_TEST(load, every_field, every_rows)
{
	struct every every = { .w = world_new(r->event) };

	field_each(load_one, &every);
	cr_expect_eq(every.loaded, r->loaded, "%zu", every.loaded);
	cr_expect_gt(every.refused, 0);
	world_free(every.w);
}

Test(load, nothing_known)
{
	struct image image = { 0 };
	struct process process = { .image = &image };
	struct event event = { .type = EVENT_EXEC, .process = &process };
	struct every every = { .w = world_new(EVENT_EXEC) };

	every.w->source = (struct field_source){ .event = &event };
	field_each(load_one, &every);
	cr_expect_eq(every.loaded, every_rows[0].loaded);
	world_free(every.w);
}

Test(load, scratch_full)
{
	static const char *const names[] = {
		"exec.args", "exec.argv",      "exec.args_flags",       "exec.args_options",
		"exec.envs", "exec.file.path", "process.ancestors.pid", "process.ancestors.argv"
	};
	struct world *w = world_new(EVENT_EXEC);
	struct secl_value value;

	while (arena_alloc(&w->scratch, 1))
		;
	for (size_t i = 0; i < ELEMENTS(names); i++)
		cr_expect_eq(load(w, names[i], -1, &value), -ENOMEM, "%s", names[i]);
	world_free(w);
}

/* ---- iterators ---------------------------------------------------------- */

enum { CHAIN = 1500 };

static void make_chain(struct world *w, struct process *chain)
{
	for (int i = 0; i < CHAIN; i++)
		chain[i] = (struct process){ .pid = 100 + i,
					     .image = &w->fixture.bash,
					     .parent = i + 1 < CHAIN ? &chain[i + 1] : NULL };
	w->fixture.self.parent = &chain[0];
}

/* However many forks lie between. */
Test(load, every_ancestor)
{
	struct world *w = world_new(EVENT_EXEC);
	static struct process chain[CHAIN];
	struct secl_value value;
	struct secl_field field;

	make_chain(w, chain);
	cr_assert_eq(load(w, "process.ancestors.pid", -1, &value), 0);
	cr_assert_eq(value.list.count, CHAIN);
	cr_expect_eq(value.list.integers[CHAIN - 1], 100 + CHAIN - 1);
	cr_assert_eq(load(w, "process.ancestors.length", -1, &value), 0);
	cr_expect_eq(value.integer, CHAIN);
	cr_assert_eq(event_schema.find(&event_schema, "process.ancestors.pid", &field, NULL), 0);
	cr_expect_eq(event_schema.count(&w->ctx, field.iterator), CHAIN);
	cr_expect_eq(event_schema.count(&w->ctx, 0), 0);
	cr_expect_eq(event_schema.count(&w->ctx, 99), 0);
	world_free(w);
}

/* Any order gives the same, with and without a cursor; in order each step of
 * the chain is taken once.
 */
Test(load, cursor)
{
	struct world *w = world_new(EVENT_EXEC);
	static struct process chain[CHAIN];
	struct secl_value value;

	make_chain(w, chain);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 300; i++) {
			int element = round ? (i * 7) % 100 : i % 100;

			cr_assert_eq(load(w, "process.ancestors.pid", element, &value), 0);
			cr_assert_eq(value.integer, 100 + element);
			cr_expect_eq(w->cursor.at, &chain[element]);
		}
		w->fixture.self.parent = &chain[0];
	}
	w->source.cursor = NULL;
	cr_assert_eq(load(w, "process.ancestors.pid", 42, &value), 0);
	cr_assert_eq(value.integer, 142);
	/* the cursor of another process is not used */
	w->cursor = (struct field_cursor){ .start = &chain[3], .at = &chain[77], .element = 5 };
	w->source.cursor = &w->cursor;
	cr_assert_eq(load(w, "process.ancestors.pid", 9, &value), 0);
	cr_assert_eq(value.integer, 109);
	world_free(w);
}

/* ---- derivations -------------------------------------------------------- */

static const struct args_row {
	struct string_list argv;
	const char *args, *flags, *options;
} args_rows[] = {
	{ { 0 }, "", "[]", "[]" },
	{ LIST("x", 1), "", "[]", "[]" },
	{ LIST("x\0-l", 2), "-l", "[l]", "[]" },
	{ LIST("x\0-la", 2), "-la", "[l|a|la]", "[]" },
	{ LIST("x\0--all", 2), "--all", "[all]", "[]" },
	{ LIST("x\0--x", 2), "--x", "[]", "[]" },
	{ LIST("x\0-", 2), "-", "[]", "[]" },
	{ LIST("x\0--", 2), "--", "[]", "[]" },
	{ LIST("x\0-ss", 2), "-ss", "[s|ss]", "[]" },
	{ LIST("x\0-a-b", 2), "-a-b", "[a-b]", "[]" },
	{ LIST("x\0--a=b", 2), "--a=b", "[]", "[a=b]" },
	{ LIST("x\0-a=b", 2), "-a=b", "[]", "[a=b]" },
	{ LIST("x\0-a\0b\0c", 4), "-a b c", "[a]", "[a=b]" },
	{ LIST("x\0-a\0\0-b", 4), "-a  -b", "[a|b]", "[a=]" },
	{ LIST("x\0-a\0-b\0c", 4), "-a -b c", "[a|b]", "[b=c]" },
	{ LIST("x\0--=v", 2), "--=v", "[]", "[]" },
	{ LIST("x\0plain\0-a", 3), "plain -a", "[a]", "[]" },
	{ LIST("\0-a", 2), "-a", "[a]", "[]" },
	/* cut in the middle of a string, without its NUL */
	{ { "x\0-abc", 5, 2, true }, "-ab", "[a|b|ab]", "[]" },
};

ROWS_TEST(derive, arguments, args_rows)
{
	struct world *w = world_new(EVENT_EXEC);
	struct secl_value value;
	char text[256];

	w->fixture.curl.argv = r->argv;
	cr_assert_eq(load(w, "exec.args", -1, &value), 0);
	cr_expect_str_eq(show(&value, text, sizeof text), r->args);
	cr_assert_eq(load(w, "exec.args_flags", -1, &value), 0);
	cr_expect_str_eq(show(&value, text, sizeof text), r->flags);
	cr_assert_eq(load(w, "exec.args_options", -1, &value), 0);
	cr_expect_str_eq(show(&value, text, sizeof text), r->options);
	cr_assert_eq(load(w, "exec.args_truncated", -1, &value), 0);
	cr_expect_eq(value.boolean, r->argv.truncated);
	world_free(w);
}

static const struct address_row {
	struct secl_net ip;
	bool public;
} address_rows[] = {
	{ { 0 }, false },
	{ { AF_INET, 32, { 8, 8, 8, 8 } }, true },
	{ { AF_INET, 32, { 0, 1, 2, 3 } }, false },
	{ { AF_INET, 32, { 10, 255, 0, 1 } }, false },
	{ { AF_INET, 32, { 11, 0, 0, 1 } }, true },
	{ { AF_INET, 32, { 100, 63, 0, 1 } }, true },
	{ { AF_INET, 32, { 100, 64, 0, 1 } }, false },
	{ { AF_INET, 32, { 100, 127, 0, 1 } }, false },
	{ { AF_INET, 32, { 100, 128, 0, 1 } }, true },
	{ { AF_INET, 32, { 127, 0, 0, 1 } }, false },
	{ { AF_INET, 32, { 169, 254, 169, 254 } }, false },
	{ { AF_INET, 32, { 172, 15, 0, 1 } }, true },
	{ { AF_INET, 32, { 172, 16, 0, 1 } }, false },
	{ { AF_INET, 32, { 172, 31, 255, 1 } }, false },
	{ { AF_INET, 32, { 172, 32, 0, 1 } }, true },
	{ { AF_INET, 32, { 192, 0, 0, 8 } }, false },
	{ { AF_INET, 32, { 192, 0, 1, 1 } }, true },
	{ { AF_INET, 32, { 192, 168, 1, 1 } }, false },
	{ { AF_INET, 32, { 198, 17, 0, 1 } }, true },
	{ { AF_INET, 32, { 198, 19, 0, 1 } }, false },
	{ { AF_INET, 32, { 198, 51, 100, 1 } }, false },
	{ { AF_INET, 32, { 203, 0, 113, 1 } }, false },
	{ { AF_INET, 32, { 223, 255, 255, 255 } }, true },
	{ { AF_INET, 32, { 224, 0, 0, 1 } }, false },
	{ { AF_INET, 32, { 255, 255, 255, 255 } }, false },
	{ { AF_INET6, 128, { [15] = 1 } }, false },
	{ { AF_INET6, 128, { [15] = 2 } }, true },
	{ { AF_INET6, 128, { 0x26, 6 } }, true },
	{ { AF_INET6, 128, { 0x20, 1, 0x0d, 0xb8 } }, false },
	{ { AF_INET6, 128, { 0x20, 1, 0x48, 0x60 } }, true },
	{ { AF_INET6, 128, { 0x20, 1, 1 } }, false },
	{ { AF_INET6, 128, { 0xfd, 0 } }, false },
	{ { AF_INET6, 128, { 0xfe, 0x80 } }, false },
	{ { AF_INET6, 128, { 0xfe, 0xbf } }, false },
	{ { AF_INET6, 128, { 0xff, 2 } }, false },
};

ROWS_TEST(derive, is_public, address_rows)
{
	struct world *w = world_new(EVENT_CONNECT);
	struct secl_value value;

	w->fixture.event.connect.addr.ip = r->ip;
	cr_assert_eq(load(w, "connect.addr.is_public", -1, &value), 0);
	cr_expect_eq(value.boolean, r->public, "%u.%u", r->ip.addr[0], r->ip.addr[1]);
	world_free(w);
}

static const struct domain_row {
	const char *host, *domain;
} domain_rows[] = {
	{ "", "" },
	{ "localhost", "localhost" },
	{ "example.com", "example.com" },
	{ "www.example.com", "example.com" },
	{ "a.b.c.example.com.", "example.com" },
	{ "www.example.co.uk", "example.co.uk" },
	{ "example.co.uk", "example.co.uk" },
	{ "co.uk", "co.uk" },
	{ "WWW.Example.CO.UK", "Example.CO.UK" },
	{ "x.github.io", "x.github.io" },
	{ "192.0.2.7", "192.0.2.7" },
	{ "2001:db8::1", "2001:db8::1" },
	{ ".", "." },
	{ "..", ".." },
	{ ".com", ".com" },
};

ROWS_TEST(derive, root_domain, domain_rows)
{
	struct secl_string domain =
		field_root_domain((struct secl_string){ r->host, strlen(r->host) });

	cr_expect_eq(domain.size, strlen(r->domain), "%s: %.*s", r->host, (int)domain.size,
		     domain.text);
	cr_expect_eq(memcmp(domain.text, r->domain, domain.size), 0);
}

Test(derive, hostnames)
{
	static const struct secl_string names[] = { STRING("a.x.example"), STRING("b.x.example"),
						    STRING("y.test") };
	struct world *w = world_new(EVENT_CONNECT);
	struct secl_value value;
	char text[256];

	w->fixture.event.connect.addr.hostnames = names;
	w->fixture.event.connect.addr.nhostnames = 3;
	cr_assert_eq(load(w, "connect.addr.hostname", -1, &value), 0);
	cr_expect_str_eq(show(&value, text, sizeof text), "[a.x.example|b.x.example|y.test]");
	cr_assert_eq(load(w, "connect.addr.hostname.length", -1, &value), 0);
	cr_expect_str_eq(show(&value, text, sizeof text), "[11|11|6]");
	cr_assert_eq(load(w, "connect.addr.hostname.root_domain", -1, &value), 0);
	cr_expect_str_eq(show(&value, text, sizeof text), "[x.example|y.test]");
	world_free(w);
}

Test(derive, envs_with_value)
{
	static const char *const envs[] = { "SECRET" };
	struct world *w = world_new(EVENT_EXEC);
	struct secl_value value;
	struct scrubber *scrubber;
	char text[256];

	cr_assert_eq(scrubber_new(NULL, 0, envs, 1, &scrubber), 0);
	w->source.scrubber = scrubber;
	cr_assert_eq(load(w, "exec.envs", -1, &value), 0);
	cr_expect_str_eq(show(&value, text, sizeof text), "[PATH|SECRET=x|LD_PRELOAD|ODD]");
	scrubber_free(scrubber);
	world_free(w);
}

/* ---- names of ids ------------------------------------------------------- */

static const struct id_row {
	uint32_t id;
	const char *user, *group;
} id_rows[] = {
	{ 0, "root", "root" },
	{ 1000, "user", "users" },
	{ 10, "", "wheel" },
	{ 7, "", "" },
	{ 9, "", "" },
	{ 5, "", "" },
	{ 4294967295, "last", "" },
};

ROWS_TEST(idnames, lookup, id_rows)
{
	struct idnames *names = some_names();
	struct secl_string user = idnames_user(names, r->id), group = idnames_group(names, r->id);

	cr_expect(user.size == strlen(r->user) &&
		  memcmp(r->user, user.text ? user.text : "", user.size) == 0);
	cr_expect(group.size == strlen(r->group) &&
		  memcmp(r->group, group.text ? group.text : "", group.size) == 0);
	idnames_free(names);
}

Test(idnames, absent)
{
	struct idnames *names;

	cr_assert_eq(idnames_load("/nonexistent", "/nonexistent", &names), 0);
	cr_expect_eq(idnames_user(names, 0).size, 0);
	idnames_free(names);
	cr_expect_eq(idnames_user(NULL, 0).size, 0);
	cr_expect_eq(idnames_load("/", "/nonexistent", &names), -EIO);
}
