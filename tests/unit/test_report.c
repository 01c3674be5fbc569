/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Contents and limits of reports; that every one is valid by the peer's schema
 * is tests/rules/schema.sh. Exercises model/report.c, report_process.c.
 */
#include "config.h"

#include "model/report.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#include "fixture.h"
#include "model/scrub.h"
#include "rows.h"

static const char *const tags[] = { "team:shop" };
static const struct report_origin origin = { .version = "0.1.0",
					     .arch = "x86_64",
					     .hostname = "host1",
					     .origin = "ebpfless",
					     .service = "shop",
					     .workload = "uuid",
					     .tags = tags,
					     .ntags = 1 };
static const struct report_rule rule = { .id = "group",
					 .original_id = "rule",
					 .description = "title",
					 .policy = "p",
					 .tags = tags,
					 .ntags = 1 };

static json_t *parse(const char *buf, ssize_t n)
{
	json_error_t error;
	json_t *json;

	cr_assert_gt(n, 0, "%zd", n);
	cr_assert_eq(strlen(buf), (size_t)n);
	json = json_loadb(buf, (size_t)n, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
	cr_assert_not_null(json, "%s", error.text);
	return json;
}

static json_t *write_report(const struct report *report)
{
	static char buf[512 * 1024];

	return parse(buf, report_write(report, buf, sizeof buf));
}

/* The value at "a.b.0.c" as text without quotes; "-" when it is not there. */
static const char *at(const json_t *json, const char *path, char *buf, size_t size)
{
	char copy[128], *rest = copy, *part;
	char *text;

	(void)snprintf(copy, sizeof copy, "%s", path);
	while (json && (part = strsep(&rest, ".")))
		json = json_is_array(json) ? json_array_get(json, strtoul(part, NULL, 10))
					   : json_object_get(json, part);
	if (!json)
		return "-";
	if (json_is_string(json))
		return json_string_value(json);
	text = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT);
	(void)snprintf(buf, size, "%s", text);
	free(text);
	return buf;
}

static void expect(const json_t *json, const char *path, const char *want)
{
	char buf[2048];
	const char *got = at(json, path, buf, sizeof buf);

	cr_expect_str_eq(got, want, "%s is %s", path, got);
}

/* ---- contents ----------------------------------------------------------- */

static const struct content_row {
	enum event_type event;
	struct report_verdict verdict;
	const char *path, *want;
} content_rows[] = {
#define DETECTED                                                                                   \
	{                                                                                          \
		.kind = VERDICT_DETECTED, .guarantee = GUARANTEE_VERIFIED                          \
	}
#define BLOCKED                                                                                    \
	{                                                                                          \
		.kind = VERDICT_BLOCKED, .guarantee = GUARANTEE_EMULATED, .error = 13,             \
		.reason = REASON_DEADLINE                                                          \
	}
#define WOULD_BLOCK                                                                                \
	{                                                                                          \
		.kind = VERDICT_WOULD_BLOCK, .error = 1                                            \
	}
#define KILLED                                                                                     \
	{                                                                                          \
		.kind = VERDICT_KILLED, .signal = 9, .kill_scope = "cgroup",                       \
		.detected_ns = 1000000000, .acted_ns = 2000000000                                  \
	}
	{ EVENT_EXEC, DETECTED, "agent.rule_id", "group" },
	{ EVENT_EXEC, DETECTED, "agent.original_rule_id", "rule" },
	{ EVENT_EXEC, DETECTED, "agent.policy_name", "p" },
	{ EVENT_EXEC, DETECTED, "agent.os", "linux" },
	{ EVENT_EXEC, DETECTED, "agent.origin", "ebpfless" },
	{ EVENT_EXEC, DETECTED, "agent.rule_actions", "-" },
	{ EVENT_EXEC, DETECTED, "title", "title" },
	{ EVENT_EXEC, DETECTED, "evt.name", "exec" },
	{ EVENT_EXEC, DETECTED, "evt.category", "Process Activity" },
	{ EVENT_EXEC, DETECTED, "evt.outcome", "Success" },
	{ EVENT_EXEC, DETECTED, "date", "2026-07-31T00:00:00.000000000Z" },
	{ EVENT_EXEC, DETECTED, "file.path", "/usr/bin/curl.real" },
	{ EVENT_EXEC, DETECTED, "file.metadata.is_executable", "true" },
	{ EVENT_EXEC, DETECTED, "process.executable.metadata", "-" },
	{ EVENT_EXEC, DETECTED, "syscall.exec.path", "curl" },
	{ EVENT_EXEC, DETECTED, "container.id", "9f3c" },
	{ EVENT_EXEC, DETECTED, "cgroup.id", "/docker/9f3c" },
	{ EVENT_EXEC, DETECTED, "process.tid", "4712" },
	{ EVENT_EXEC, DETECTED, "process.argv0", "curl" },
	{ EVENT_EXEC, DETECTED, "process.args.1", "--retry" },
	{ EVENT_EXEC, DETECTED, "process.args_truncated", "-" },
	{ EVENT_EXEC, DETECTED, "process.envs.1", "SECRET" },
	{ EVENT_EXEC, DETECTED, "process.source", "event" },
	{ EVENT_EXEC, DETECTED, "process.credentials.cap_permitted.0", "CAP_CHOWN" },
	{ EVENT_EXEC, DETECTED, "process.interpreter", "-" },
	{ EVENT_EXEC, DETECTED, "process.truncated_ancestors", "-" },
	/* a fork without exec: its arguments are those of the next older one */
	{ EVENT_EXEC, DETECTED, "process.parent.pid", "4700" },
	{ EVENT_EXEC, DETECTED, "process.parent.args", "-" },
	{ EVENT_EXEC, DETECTED, "process.ancestors.0.args", "-" },
	{ EVENT_EXEC, DETECTED, "process.ancestors.1.args.0", "--password" },
	{ EVENT_EXEC, DETECTED, "process.ancestors.1.args.1", "********" },
	{ EVENT_EXEC, DETECTED, "process.ancestors.2.pid", "1" },
	{ EVENT_EXEC, DETECTED, "process.ancestors.3", "-" },
	{ EVENT_EXEC, DETECTED, "guard.verdict", "detected" },
	{ EVENT_EXEC, DETECTED, "guard.guarantee", "verified" },
	{ EVENT_EXEC, DETECTED, "guard.reason", "rule" },
	{ EVENT_EXEC, DETECTED, "guard.errno", "-" },
	{ EVENT_EXEC, DETECTED, "guard.title", "-" },
	{ EVENT_EXEC, DETECTED, "guard.syscall", "execve" },
	{ EVENT_EXEC, DETECTED, "guard.tags",
	  "[\"rule_id:group\",\"source_rule_id:rule\",\"type:exec\",\"team:shop\",\"team:shop\"]" },
	{ EVENT_EXEC, DETECTED, "guard.service", "shop" },
	{ EVENT_EXEC, DETECTED, "guard.hostname", "host1" },
	{ EVENT_EXEC, DETECTED, "guard.workload", "uuid" },
	{ EVENT_EXEC, DETECTED, "guard.seq", "7" },
	{ EVENT_EXEC, DETECTED, "guard.lost", "8" },
	{ EVENT_EXEC, DETECTED, "guard.truncated", "-" },
	{ EVENT_EXEC, DETECTED, "guard.addr_path", "-" },
	{ EVENT_CONNECT, DETECTED, "connect.addr.family", "AF_INET" },
	{ EVENT_CONNECT, DETECTED, "connect.addr.ip", "192.0.2.7" },
	{ EVENT_CONNECT, DETECTED, "connect.addr.port", "443" },
	{ EVENT_CONNECT, DETECTED, "connect.protocol", "IP_PROTO_TCP" },
	{ EVENT_CONNECT, DETECTED, "connect.hostnames", "[]" },
	{ EVENT_CONNECT, DETECTED, "file", "-" },
	{ EVENT_BIND, DETECTED, "bind.addr.ip", "192.0.2.7" },
	{ EVENT_BIND, DETECTED, "bind.addr.port", "443" },
	{ EVENT_BIND, DETECTED, "bind.protocol", "IP_PROTO_TCP" },
	{ EVENT_BIND, DETECTED, "bind.hostnames", "-" },
	{ EVENT_BIND, DETECTED, "connect", "-" },
	{ EVENT_CONNECT, BLOCKED, "evt.outcome", "Refused" },
	{ EVENT_CONNECT, BLOCKED, "guard.verdict", "blocked" },
	{ EVENT_CONNECT, BLOCKED, "guard.errno", "EACCES" },
	{ EVENT_CONNECT, BLOCKED, "guard.reason", "deadline" },
	{ EVENT_CONNECT, BLOCKED, "guard.guarantee", "emulated" },
	{ EVENT_CONNECT, BLOCKED, "guard.title", "SECURITY RESPONSE" },
	{ EVENT_CONNECT, BLOCKED, "guard.message",
	  "The connect of the process curl has automatically been blocked." },
	{ EVENT_CONNECT, BLOCKED, "agent.rule_actions",
	  "[{\"type\":\"block\",\"syscall\":\"connect\",\"errno\":\"EACCES\",\"mode\":\"enforced\"}]" },
	{ EVENT_EXEC, WOULD_BLOCK, "agent.rule_actions.0.mode", "would_block" },
	{ EVENT_EXEC, WOULD_BLOCK, "evt.outcome", "Success" },
	{ EVENT_EXEC, WOULD_BLOCK, "guard.verdict", "would_block" },
	{ EVENT_EXEC, WOULD_BLOCK, "guard.message", "-" },
	{ EVENT_EXEC, KILLED, "guard.verdict", "killed" },
	{ EVENT_EXEC, KILLED, "guard.signal", "SIGKILL" },
	{ EVENT_EXEC, KILLED, "guard.message",
	  "The malicious process curl has automatically been killed." },
	{ EVENT_EXEC, KILLED, "agent.rule_actions.0.type", "kill" },
	{ EVENT_EXEC, KILLED, "agent.rule_actions.0.signal", "SIGKILL" },
	{ EVENT_EXEC, KILLED, "agent.rule_actions.0.scope", "cgroup" },
	{ EVENT_EXEC, KILLED, "agent.rule_actions.0.status", "performed" },
	{ EVENT_EXEC, KILLED, "agent.rule_actions.0.killed_at", "1970-01-01T00:00:02.000000000Z" },
};

ROWS_TEST(report, contents, content_rows)
{
	struct fixture f;
	struct report report = { .origin = &origin,
				 .rule = &rule,
				 .event = &fixture_init(&f, r->event)->event,
				 .verdict = r->verdict,
				 .seq = 7,
				 .lost = 8 };
	json_t *json = write_report(&report);

	expect(json, r->path, r->want);
	json_decref(json);
}

static const struct outcome_row {
	int64_t retval;
	const char *outcome;
} outcome_rows[] = {
	{ 0, "Success" }, { 3, "Success" }, { -1, "Refused" }, { -13, "Refused" }, { -2, "Error" },
};

ROWS_TEST(report, outcomes, outcome_rows)
{
	struct fixture f;
	struct report report = { .origin = &origin,
				 .rule = &rule,
				 .event = &fixture_init(&f, EVENT_CONNECT)->event,
				 .verdict = { .kind = VERDICT_DETECTED } };
	json_t *json;

	f.event.retval = r->retval;
	json = write_report(&report);
	expect(json, "evt.outcome", r->outcome);
	json_decref(json);
}

Test(report, special_processes)
{
	struct fixture f;
	struct report report = { .origin = &origin,
				 .rule = &rule,
				 .event = &fixture_init(&f, EVENT_CONNECT)->event };
	json_t *json;

	f.self.flags = PROCESS_IS_THREAD | PROCESS_LINEAGE_INFERRED;
	f.curl.interpreter = f.bash.file;
	f.curl.file = (struct file_info){ .error = -2 };
	f.self.cred.cap_effective = 1ull << 63 | 1;
	f.event.connect.addr = (struct socket_address){ .family = AF_UNIX, .path = STRING("@x") };
	json = write_report(&report);
	expect(json, "guard.lineage", "inferred");
	expect(json, "guard.addr_path", "@x");
	expect(json, "connect.addr", "{\"family\":\"AF_UNIX\",\"ip\":\"\",\"port\":0}");
	expect(json, "process.is_thread", "true");
	expect(json, "process.interpreter.name", "bash");
	expect(json, "process.executable.path_resolution_error", "ENOENT");
	expect(json, "process.credentials.cap_effective",
	       "[\"CAP_CHOWN\",\"9223372036854775808\"]");
	json_decref(json);
}

/* ---- limits ------------------------------------------------------------- */

enum { MANY = 400 };

static void make_lists(struct fixture *f)
{
	static char args[MANY * 2], long_arg[600];

	memset(args, 'a', sizeof args);
	for (size_t i = 1; i < sizeof args; i += 2)
		args[i] = '\0';
	memset(long_arg, 'b', sizeof long_arg);
	long_arg[1] = '\0';
	f->curl.argv = (struct string_list){ args, sizeof args, MANY, false };
	f->bash.argv = (struct string_list){ long_arg, sizeof long_arg, 2, false };
}

Test(report, argument_limits)
{
	struct fixture f;
	struct report report = { .origin = &origin,
				 .rule = &rule,
				 .event = &fixture_init(&f, EVENT_EXEC)->event };
	json_t *json, *process;

	make_lists(&f);
	json = write_report(&report);
	process = json_object_get(json, "process");
	cr_expect_eq(json_array_size(json_object_get(process, "args")), 256);
	expect(json, "process.args_truncated", "true");
	expect(json, "process.ancestors.1.args_truncated", "true");
	expect(json, "guard.truncated", "true");
	cr_expect_eq(
		json_string_length(json_array_get(
			json_object_get(json_array_get(json_object_get(process, "ancestors"), 1),
					"args"),
			0)),
		256);
	json_decref(json);
}

static const struct chain_row {
	size_t length, written;
	int first_of_tail; /* pid of element 100 */
} chain_rows[] = {
	{ 0, 0, 0 }, { 1, 1, 0 }, { 200, 200, 100 }, { 201, 200, 101 }, { 1000, 200, 900 },
};

ROWS_TEST(report, ancestors, chain_rows)
{
	static struct process chain[1000];
	struct fixture f;
	struct report report = { .origin = &origin,
				 .rule = &rule,
				 .event = &fixture_init(&f, EVENT_EXEC)->event };
	json_t *json, *list;

	for (size_t i = 0; i < r->length; i++)
		chain[i] = (struct process){ .pid = (pid_t)i,
					     .image = &f.bash,
					     .parent = i + 1 < r->length ? &chain[i + 1] : NULL };
	f.self.parent = r->length ? &chain[0] : NULL;
	json = write_report(&report);
	list = json_object_get(json_object_get(json, "process"), "ancestors");
	cr_expect_eq(json_array_size(list), r->written);
	if (r->first_of_tail)
		cr_expect_eq(json_integer_value(json_object_get(json_array_get(list, 100), "pid")),
			     r->first_of_tail);
	expect(json, "process.truncated_ancestors", r->length > 200 ? "true" : "-");
	json_decref(json);
}

/* The longest of everything: escapes of six bytes a byte, all limits passed. */
static void make_worst(struct fixture *f, char *noise, size_t size)
{
	struct secl_string text = { noise, 4096 };
	static struct secl_string names[300];

	for (size_t i = 0; i < ELEMENTS(names); i++)
		names[i] = text;
	memset(noise, '\x01', size);
	f->curl.argv = f->curl.envp = (struct string_list){ noise, (uint32_t)size, 1, false };
	f->curl.file = (struct file_info){ .path = text,
					   .filesystem = text,
					   .device = UINT64_MAX,
					   .inode = UINT64_MAX,
					   .mount_id = UINT64_MAX,
					   .size = UINT64_MAX,
					   .mode = UINT32_MAX,
					   .uid = UINT32_MAX,
					   .gid = UINT32_MAX,
					   .mtime_ns = 1,
					   .ctime_ns = 1,
					   .atime_ns = 1,
					   .present = true,
					   .in_upper_layer = true };
	f->curl.interpreter = f->curl.file;
	f->self.comm = f->self.tty = f->self.cgroup = f->self.container = text;
	f->self.cred.cap_effective = f->self.cred.cap_permitted = UINT64_MAX;
	f->self.flags = UINT32_MAX;
	f->self.fork_time_ns = f->self.exit_time_ns = 1;
	f->event.connect.addr.path = text;
	f->event.connect.addr.hostnames = names;
	f->event.connect.addr.nhostnames = ELEMENTS(names);
}

static const enum event_type worst_rows[] = { EVENT_EXEC, EVENT_CONNECT };

ROWS_TEST(report, worst_fits, worst_rows)
{
	static char noise[256 * 1024], words[8192], buf[512 * 1024];
	static const char *many_tags[500];
	struct report_origin long_origin = origin;
	struct report_rule long_rule;
	struct fixture f;
	struct report report = { .origin = &long_origin,
				 .rule = &long_rule,
				 .event = &fixture_init(&f, *r)->event,
				 .verdict = { .kind = VERDICT_KILLED,
					      .signal = 9,
					      .error = 1,
					      .kill_scope = words,
					      .detected_ns = 1,
					      .acted_ns = 1 },
				 .seq = UINT64_MAX,
				 .lost = UINT64_MAX };
	json_t *json;
	size_t smallest = 0;

	memset(words, '\x02', sizeof words - 1);
	for (size_t i = 0; i < ELEMENTS(many_tags); i++)
		many_tags[i] = words;
	make_worst(&f, noise, sizeof noise);
	if (*r == EVENT_EXEC)
		f.event.exec.path = (struct secl_string){ noise, 4096 };
	long_origin.version = long_origin.kernel = long_origin.distribution = long_origin.arch =
		long_origin.hostname = long_origin.origin = long_origin.service =
			long_origin.workload = words;
	long_origin.tags = many_tags;
	long_origin.ntags = ELEMENTS(many_tags);
	long_rule = (struct report_rule){ words, words,     words,
					  words, words,     words,
					  words, many_tags, ELEMENTS(many_tags) };
	f.event.syscall = words;
	for (size_t size = 1024; size <= sizeof buf; size += size < 32768 ? 512 : 16384) {
		ssize_t n = report_write(&report, buf, size);

		cr_assert(n == -ENOBUFS || n < (ssize_t)size);
		if (n > 0 && !smallest)
			smallest = size;
	}
	cr_expect(smallest && smallest <= 16 * 1024, "fits in %zu", smallest);
	json = parse(buf, report_write(&report, buf, 16 * 1024));
	expect(json, "guard.truncated", "true");
	expect(json, "process.args_truncated", "true");
	expect(json, "process.truncated_ancestors", "true");
	json_decref(json);
}

Test(report, too_small)
{
	struct fixture f;
	struct report report = { .origin = &origin,
				 .rule = &rule,
				 .event = &fixture_init(&f, EVENT_EXEC)->event };
	char buf[64];

	cr_expect_eq(report_write(&report, buf, sizeof buf), -ENOBUFS);
	cr_expect_eq(report_write(&report, buf, 0), -ENOBUFS);
}

/* ---- secrets ------------------------------------------------------------ */

/* Wherever a command line appears, with every buffer size. */
Test(report, no_secret_leaves)
{
	static char buf[64 * 1024];
	struct fixture f;
	struct report report = { .origin = &origin,
				 .rule = &rule,
				 .event = &fixture_init(&f, EVENT_CONNECT)->event };

	f.curl.argv = (struct string_list)LIST("password=hunter2\0-u\0hunter2\0--secret=hunter2\0"
					       "https://a:hunter2@b",
					       5);
	f.curl.file.path = (struct secl_string)STRING("/usr/bin/curl");
	f.curl.envp = (struct string_list)LIST("A=hunter2\0PASSWORD=hunter2", 2);
	f.bash.envp_read = true;
	f.bash.envp = f.curl.envp;
	f.subshell.image = &f.curl;
	for (size_t size = 1024; size <= sizeof buf; size += 256) {
		ssize_t n = report_write(&report, buf, size);

		cr_expect(n == -ENOBUFS || !memmem(buf, (size_t)n, "hunter2", 7));
		if (size > 16 * 1024)
			cr_expect_gt(n, 0);
	}
}

/* ---- internal events ---------------------------------------------------- */

static void body(struct jsonw *w, const void *data)
{
	jsonw_kv_string(w, "policy", data);
}

Test(report, internal)
{
	char buf[1024];
	json_t *json = parse(buf, report_write_internal(&origin, "heartbeat", 1, 2, 3, body, "p\n",
							buf, sizeof buf));

	expect(json, "agent.rule_id", "heartbeat");
	expect(json, "agent.original_rule_id", "heartbeat");
	expect(json, "agent.version", "0.1.0");
	expect(json, "date", "1970-01-01T00:00:00.000000001Z");
	expect(json, "service", "shop");
	expect(json, "policy", "p\n");
	expect(json, "guard",
	       "{\"service\":\"shop\",\"hostname\":\"host1\",\"workload\":\"uuid\",\"seq\":2,\"lost\":3}");
	json_decref(json);
	json = parse(buf,
		     report_write_internal(&origin, "x", 1, 2, 3, NULL, NULL, buf, sizeof buf));
	expect(json, "policy", "-");
	json_decref(json);
	cr_expect_eq(report_write_internal(&origin, "x", 1, 2, 3, NULL, NULL, buf, 20), -ENOBUFS);
}
