/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reports - prints reports of every kind, one JSON line each, for schema.sh:
 * each event type with each verdict, with everything and with nothing known,
 * from a well-behaved and from a hostile workload, into large and small buffers.
 */
#include "config.h"

#include "model/report.h"

#include <netinet/in.h>
#include <stdio.h>

#include "../unit/fixture.h"
#include "model/scrub.h"

static const char *const tags[] = { "team:shop", "env:\xff\x01prod" };

static const struct report_origin origin = {
	.version = "0.1.0",
	.kernel = "6.1.0-18-amd64",
	.distribution = "Debian GNU/Linux 12 (bookworm)",
	.arch = "x86_64",
	.hostname = "host1",
	.origin = "ebpfless",
	.service = "shop",
	.workload = "123e4567-e89b-12d3-a456-426614174000",
	.tags = tags,
	.ntags = ELEMENTS(tags),
};

static const struct report_rule rules[] = {
	{ .id = "r" },
	{ .id = "group",
	  .original_id = "rule",
	  .version = "1.2.3",
	  .description = "What it is about: \"quotes\" and \xe2\x80\xa8 lines",
	  .expression = "exec.file.name == \"x\" && process.args =~ ~\"*\t*\"",
	  .policy = "default.policy",
	  .policy_version = "1.0.0",
	  .tags = tags,
	  .ntags = ELEMENTS(tags) },
};

static int failed;

static void print(const struct report *report, size_t size)
{
	static char buf[256 * 1024];
	ssize_t n = report_write(report, buf, size);

	if (n < 0) {
		(void)fprintf(stderr, "report of %zu bytes: %s\n", size, strerror((int)-n));
		failed = 1;
		return;
	}
	(void)fwrite(buf, 1, (size_t)n, stdout);
	(void)putchar('\n');
}

static void print_verdicts(const struct event *event)
{
	static const size_t sizes[] = { 256 * 1024, 16 * 1024 };

	for (enum verdict_kind kind = VERDICT_DETECTED; kind < VERDICT_COUNT; kind++) {
		struct report report = {
			.origin = &origin,
			.rule = &rules[kind % ELEMENTS(rules)],
			.event = event,
			.verdict = { .kind = kind,
				     .reason = (enum reason)(kind % REASON_COUNT),
				     .guarantee = (enum guarantee)(kind % GUARANTEE_COUNT),
				     .error = kind == VERDICT_BLOCKED ? 1 : 0,
				     .signal = kind == VERDICT_KILLED ? 9 : 0,
				     .kill_scope = "process",
				     .detected_ns = event->time_ns,
				     .acted_ns = event->time_ns + 1 },
			.seq = kind,
			.lost = UINT64_MAX,
		};

		for (size_t i = 0; i < ELEMENTS(sizes); i++)
			print(&report, sizes[i]);
	}
}

/* Bytes of every value, in an order that makes all pairs of interest likely. */
static void fill(char *buf, size_t size, uint32_t seed)
{
	for (size_t i = 0; i < size; i++) {
		seed = seed * 1664525u + 1013904223u;
		buf[i] = (char)(seed >> 24);
	}
}

static void make_hostile(struct fixture *f, uint32_t seed)
{
	static char noise[8192], args[128 * 1024];
	struct secl_string text = { noise, seed % 3 ? 4096 : 15 };

	fill(noise, sizeof noise, seed);
	fill(args, sizeof args, seed + 1);
	f->curl.file.path = f->curl.interpreter.path = f->bash.file.path = text;
	f->curl.interpreter.present = true;
	f->curl.file.filesystem = text;
	f->curl.argv = (struct string_list){ args, sizeof args, 500, true };
	f->curl.envp = (struct string_list){ args + 1, sizeof args - 1, 500, true };
	f->self.cgroup = f->self.container = text;
	f->self.comm = f->self.tty = (struct secl_string){ noise, 15 };
	f->self.cred.cap_effective = UINT64_MAX;
	f->self.flags = UINT32_MAX;
	f->self.source = (enum process_source)99;
	if (f->event.type == EVENT_EXEC)
		f->event.exec.path = text;
	if (f->event.type == EVENT_CONNECT)
		f->event.connect.addr.path = text;
}

static void print_connects(void)
{
	static const struct secl_string names[] = { STRING("a.example"), STRING("b\xff") };
	static const uint16_t families[] = { 0, 1, 2, 10, 16, 999 };
	struct fixture f;

	for (size_t i = 0; i < ELEMENTS(families); i++) {
		struct socket_address *addr = &fixture_init(&f, EVENT_CONNECT)->event.connect.addr;

		addr->family = families[i];
		addr->ip.family = families[i] == 2 || families[i] == 10 ? (uint8_t)families[i] : 0;
		addr->hostnames = names;
		addr->nhostnames = ELEMENTS(names);
		addr->path = (struct secl_string)STRING("@abstract");
		f.event.connect.protocol = families[i];
		f.event.retval = -(int)i;
		f.event.async = true;
		print_verdicts(&f.event);
	}
}

static void print_chain(size_t length)
{
	static struct process chain[1000];
	struct fixture f;

	fixture_init(&f, EVENT_EXEC);
	for (size_t i = 0; i < length; i++) {
		chain[i] = f.shell;
		chain[i].pid = (pid_t)(1000 + i);
		chain[i].parent = i + 1 < length ? &chain[i + 1] : NULL;
	}
	f.self.parent = length ? &chain[0] : NULL;
	print_verdicts(&f.event);
}

int main(void)
{
	static const struct image nothing = { .file = { .error = -2 } };
	static const struct process unknown = { .pid = 7, .image = &nothing };
	struct fixture f;

	for (enum event_type type = EVENT_NONE + 1; type < EVENT_COUNT; type++) {
		struct event bare = { .type = type, .process = &unknown };

		print_verdicts(&fixture_init(&f, type)->event);
		print_verdicts(&bare);
	}
	print_connects();
	for (uint32_t seed = 0; seed < 24; seed++) {
		make_hostile(fixture_init(&f, seed % 2 ? EVENT_EXEC : EVENT_CONNECT), seed);
		print_verdicts(&f.event);
	}
	print_chain(0);
	print_chain(199);
	print_chain(201);
	print_chain(1000);
	return failed;
}
