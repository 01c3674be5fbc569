/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every field name of the language resolves as documented. Exercises
 * model/field.c, fields.def, events.def, consts.def.
 */
#include "config.h"

#include "model/field.h"

#include <errno.h>
#include <stdio.h>

#include "model/consts.h"
#include "model/recorded.h"
#include "rows.h"

enum { COLUMNS = 6 };

/* Reads $srcdir/tests/rules/NAME, tab-separated, without its first line. */
static size_t each_line(const char *name, void (*check)(char **columns))
{
	char path[4096], line[1024];
	const char *srcdir = getenv("srcdir");
	size_t count = 0;
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/tests/rules/%s", srcdir ? srcdir : ".", name);
	file = fopen(path, "re");
	cr_assert_not_null(file, "%s: %m (set srcdir)", path);
	while (fgets(line, sizeof line, file)) {
		char *columns[COLUMNS] = { 0 }, *rest = line;

		line[strcspn(line, "\n")] = '\0';
		for (size_t i = 0; i < COLUMNS; i++)
			columns[i] = strsep(&rest, "\t");
		if (count++)
			check(columns);
	}
	(void)fclose(file);
	return count - 1;
}

/* ---- the list ----------------------------------------------------------- */

static enum secl_type type_of(const char *name)
{
	return streq(name, "bool")     ? SECL_BOOL
	       : streq(name, "int")    ? SECL_INT
	       : streq(name, "string") ? SECL_STRING
				       : SECL_NET;
}

/* What the notes say of how a field is compared (specification 6.1, 6.5, 14). */
static const struct {
	const char *note;
	unsigned flags, without;
} notes[] = {
	{ "", 0, SECL_FIELD_EXTENSION },
	{ "path-glob", SECL_FIELD_GLOB | SECL_FIELD_PATH, SECL_FIELD_ICASE },
	{ "ext-cmp", SECL_FIELD_EXTENSION, SECL_FIELD_GLOB | SECL_FIELD_PATH },
	{ "case-insensitive", SECL_FIELD_ICASE, SECL_FIELD_GLOB },
	{ "pattern;abs-path-check", SECL_FIELD_PATH, SECL_FIELD_GLOB },
	/* of the acting process alone, see flag_rows */
	{ "pattern;symlink-alias", 0, SECL_FIELD_GLOB | SECL_FIELD_PATH },
	{ "restricted dns,imds,packet", 0, SECL_FIELD_GLOB | SECL_FIELD_PATH },
	{ "opaque-filter", 0, SECL_FIELD_GLOB | SECL_FIELD_PATH },
};

static void check_notes(const struct secl_field *field, const char *note)
{
	bool known = false;

	for (size_t i = 0; i < ELEMENTS(notes); i++) {
		if (!streq(notes[i].note, note))
			continue;
		known = true;
		cr_expect_eq(field->flags & notes[i].flags, notes[i].flags, "%s", field->name);
		cr_expect_eq(field->flags & notes[i].without, 0, "%s", field->name);
	}
	cr_expect(known, "%s: nothing looks at '%s'", field->name, note);
	if (streq(note, "restricted dns,imds,packet")) {
		cr_expect(field_allowed(field, EVENT_DNS) && !field_allowed(field, EVENT_EXEC),
			  "%s", field->name);
	}
}

/* The name in a rule, about an event of which nothing was recorded: the zero value. */
static void check_zero(const struct secl_field *field)
{
	static const char *const zero[] = {
		[SECL_BOOL] = " == false",
		[SECL_INT] = " == 0",
		[SECL_STRING] = " == \"\"",
		[SECL_NET] = " in 10.0.0.0/8",
	};
	const struct secl_options options = { .schema = &recorded_schema, .want_bool = true };
	bool list = field->flags & (SECL_FIELD_ARRAY | SECL_FIELD_ITERATOR);
	struct secl_context ctx = { .schema = &recorded_schema };
	struct recorded *recorded = NULL;
	struct secl_expr *expr = NULL;
	struct secl_error error = { .line = 0 };
	json_t *none = json_object();
	struct arena scratch;
	char text[512];

	(void)snprintf(text, sizeof text, "%s%s", field->name, zero[field->type]);
	cr_assert_eq(arena_init(&scratch, 65536), 0);
	cr_assert_eq(recorded_new(none, 0, &recorded, &error.err), 0);
	cr_expect_eq(secl_compile(&options, text, &expr, &error), 0, "%s: %s", text,
		     error.err.text);
	ctx.event = recorded;
	ctx.scratch = &scratch;
	/* of an empty list and of an address that is not there nothing is true, and no
	 * extension is "." */
	if (expr)
		cr_expect_eq(secl_eval(expr, &ctx),
			     !list && field->type != SECL_NET &&
				     !(field->flags & SECL_FIELD_EXTENSION),
			     "%s", text);
	secl_expr_free(expr);
	recorded_free(recorded);
	arena_done(&scratch);
	json_decref(none);
}

static size_t fields_right;

static void check_field(char **columns)
{
	const char *event = columns[0], *name = columns[1];
	bool restricted = strncmp(name, "network.", 8) == 0;
	struct secl_field field;
	const char *hint = NULL;

	cr_assert_eq(event_schema.find(&event_schema, name, &field, &hint), 0, "%s", name);
	cr_expect_str_eq(field.name, name);
	cr_expect_eq(field.type, type_of(columns[2]), "%s", name);
	cr_expect_eq(!!(field.flags & SECL_FIELD_ARRAY),
		     streq(columns[3], "array") || (streq(columns[3], "iterator-array") &&
						    (field.flags & SECL_FIELD_ARRAY)),
		     "%s", name);
	cr_expect_eq(!!(field.flags & SECL_FIELD_ITERATOR), streq(columns[3], "iterator-array"),
		     "%s", name);
	cr_expect_eq(!!field.iterator, streq(columns[3], "iterator-array"), "%s", name);
	cr_expect_gt(field.weight, 0);
	cr_expect_lt(field.nsteps, SECL_FIELD_MAX_STEPS);
	if (streq(event, "*") || restricted)
		cr_expect_eq(field.event, EVENT_NONE, "%s", name);
	else
		cr_expect_str_eq(event_type_name(field.event), event);
	if (!streq(event, "*"))
		cr_expect(field_allowed(&field, event_type_by_name(event, strlen(event))), "%s",
			  name);
	check_notes(&field, columns[5]);
	check_zero(&field);
	fields_right++;
}

Test(field, whole_list)
{
	size_t count = each_line("fields.tsv", check_field);

	cr_expect_eq(count, 2336);
	cr_log_info("%zu of %zu fields", fields_right, count);
}

/* What the tables can make beyond the list is ours, and named here. */
struct names {
	size_t count, extra;
	char last[SECL_NAME_MAX + 1];
};

static void count_name(void *data, const struct secl_field *field)
{
	static const char *const ours[] = { "connect.addr.path", "event.retval",
					    "cgroup.created_at" };
	struct names *names = data;
	struct secl_field found;

	names->count++;
	for (size_t i = 0; i < ELEMENTS(ours); i++)
		names->extra += streq(field->name, ours[i]);
	cr_expect_eq(event_schema.find(&event_schema, field->name, &found, NULL), 0, "%s",
		     field->name);
	cr_expect_eq(memcmp(&found, field, sizeof found), 0, "%s means two things", field->name);
}

Test(field, each)
{
	struct names names = { 0 };

	field_each(count_name, &names);
	cr_expect_eq(names.extra, 3);
	/* fields.tsv has the 13 network.* twice */
	cr_expect_eq(names.count, 2336 - 13 + names.extra);
}

/* ---- flags -------------------------------------------------------------- */

static const struct flag_row {
	const char *name;
	unsigned flags;
	uint32_t max_literal;
} flag_rows[] = {
	{ "process.file.path", SECL_FIELD_PATH | SECL_FIELD_GLOB | SECL_FIELD_ALIASES, 0 },
	{ "exec.file.path", SECL_FIELD_PATH | SECL_FIELD_GLOB | SECL_FIELD_ALIASES, 0 },
	{ "exec.file.name", SECL_FIELD_ALIASES, 0 },
	{ "process.file.name", SECL_FIELD_ALIASES, 0 },
	{ "exec.file.path.length", 0, 0 },
	{ "exec.file.extension", SECL_FIELD_EXTENSION, 0 },
	{ "exec.interpreter.file.path", SECL_FIELD_PATH | SECL_FIELD_GLOB, 0 },
	{ "exit.file.path", SECL_FIELD_PATH | SECL_FIELD_GLOB, 0 },
	{ "process.parent.file.path", SECL_FIELD_PATH | SECL_FIELD_GLOB, 0 },
	{ "process.parent.file.name", 0, 0 },
	{ "process.ancestors.file.path", SECL_FIELD_PATH | SECL_FIELD_GLOB | SECL_FIELD_ITERATOR,
	  0 },
	{ "process.ancestors.argv", SECL_FIELD_ARRAY | SECL_FIELD_ITERATOR, 0 },
	{ "process.ancestors.length", 0, 0 },
	{ "process.argv", SECL_FIELD_ARRAY, 0 },
	{ "open.file.path", SECL_FIELD_PATH | SECL_FIELD_GLOB, 0 },
	{ "open.syscall.path", 0, 0 },
	{ "exec.syscall.path", 0, 0 },
	{ "rename.syscall.destination.path", 0, 0 },
	{ "rename.file.destination.path", SECL_FIELD_PATH | SECL_FIELD_GLOB, 0 },
	{ "mount.mountpoint.path", SECL_FIELD_PATH, 0 },
	{ "mount.source.path", SECL_FIELD_PATH, 0 },
	{ "mount.root.path", SECL_FIELD_PATH, 0 },
	{ "mount.syscall.mountpoint.path", 0, 0 },
	{ "imds.url", 0, 0 },
	{ "cgroup.id", 0, 0 },
	{ "connect.addr.path", SECL_FIELD_GLOB, 0 },
	{ "connect.addr.hostname", SECL_FIELD_ARRAY, 0 },
	{ "connect.addr.hostname.length", SECL_FIELD_ARRAY, 0 },
	{ "dns.question.name", SECL_FIELD_ICASE, 0 },
	{ "dns.question.name.root_domain", SECL_FIELD_ICASE, 0 },
	{ "dns.question.name.length", 0, 0 },
	{ "dns.question.length", 0, 0 },
	{ "event.timestamp", SECL_FIELD_TIME, 0 },
	{ "process.created_at", SECL_FIELD_TIME, 0 },
	{ "process.ancestors.created_at", SECL_FIELD_TIME | SECL_FIELD_ITERATOR, 0 },
	{ "container.created_at", SECL_FIELD_TIME, 0 },
	{ "process.cgroup.created_at", SECL_FIELD_TIME, 0 },
	{ "open.file.change_time", SECL_FIELD_TIME, 0 },
	{ "open.file.modification_time", SECL_FIELD_TIME, 0 },
	{ "event.retval", SECL_FIELD_RETVAL, 0 },
	{ "open.retval", 0, 0 },
	{ "bpf.map.name", 0, 15 },
	{ "bpf.prog.name", 0, 16 },
	{ "process.comm", 0, 0 },
};

ROWS_TEST(field, flags, flag_rows)
{
	struct secl_field field;

	cr_assert_eq(event_schema.find(&event_schema, r->name, &field, NULL), 0);
	cr_expect_eq(field.flags, r->flags, "%s: %x", r->name, field.flags);
	cr_expect_eq(field.max_literal, r->max_literal);
}

/* ---- needs -------------------------------------------------------------- */

static const struct need_row {
	const char *name;
	uint64_t needs;
	bool available;
} need_rows[] = {
	{ "process.pid", 0, true },
	{ "process.uid", NEED_CREDENTIALS, true },
	{ "process.comm", NEED_COMM, true },
	{ "process.tty_name", NEED_TTY, true },
	{ "process.netns", NEED_NAMESPACES, true },
	{ "exec.file.path", NEED_FILE, true },
	{ "exec.file.hashes", NEED_FILE | NEED_HASH, true },
	{ "exec.file.package.name", NEED_FILE | NEED_PACKAGE, false },
	{ "exec.interpreter.file.name", NEED_INTERPRETER, true },
	{ "exec.args_options", NEED_ARGV, true },
	{ "exec.envp", NEED_ENVP, true },
	{ "exec.syscall.path", 0, true },
	{ "process.parent.file.path", NEED_ANCESTORS | NEED_FILE, true },
	{ "process.ancestors.argv", NEED_ANCESTORS | NEED_ARGV, true },
	{ "process.ancestors.length", NEED_ANCESTORS, true },
	{ "process.user_session.id", NEED_SESSION, false },
	{ "container.id", NEED_CGROUP, true },
	{ "process.container.id", NEED_CGROUP, true },
	{ "container.tags", NEED_CGROUP, false },
	{ "connect.addr.ip", NEED_ADDRESS, true },
	{ "connect.addr.hostname.root_domain", NEED_ADDRESS | NEED_HOSTNAMES, true },
	{ "connect.protocol", 0, true },
	{ "connect.retval", 0, true },
	{ "open.file.path", 0, false },
	{ "network.size", 0, false },
};

ROWS_TEST(field, needs, need_rows)
{
	struct secl_field field;

	cr_assert_eq(event_schema.find(&event_schema, r->name, &field, NULL), 0);
	cr_expect_eq(field.needs, r->needs, "%s: %lx", r->name, (unsigned long)field.needs);
	cr_expect_eq(field_available(&field), r->available);
}

/* ---- names -------------------------------------------------------------- */

static const struct name_row {
	const char *name;
	const char *canonical; /* NULL = unknown */
	const char *hint;
} name_rows[] = {
	{ "async", "event.async", NULL },
	{ "open.filename", "open.file.path", NULL },
	{ "exec.basename", "exec.file.name", NULL },
	{ "process.ancestors.filename", "process.ancestors.file.path", NULL },
	{ "open.mode", "open.file.destination.mode", NULL },
	{ "chown.group", "chown.file.destination.group", NULL },
	{ "rename.old.inode", "rename.file.inode", NULL },
	{ "rename.old.filename", "rename.file.path", NULL },
	{ "rename.new.basename", "rename.file.destination.name", NULL },
	{ "link.target.path", "link.file.destination.path", NULL },
	{ "link.source.package.name", "link.file.package.name", NULL },
	{ "setxattr.namespace", "setxattr.file.destination.namespace", NULL },
	{ "removexattr.name", "removexattr.file.destination.name", NULL },
	{ "exec.name", "exec.comm", NULL },
	{ "process.ancestors.name", "process.ancestors.comm", NULL },
	{ "container.id", "container.id", NULL },
	{ "cgroup.file.inode", "cgroup.file.inode", NULL },
	{ "exec.file.pth", NULL, "exec.file.path" },
	{ "connect.addr.prt", NULL, "connect.addr.port" },
	{ "process.ancestor.comm", NULL, "process.ancestors.comm" },
	{ "wholly.different", NULL, NULL },
	{ "", NULL, NULL },
	{ "process", NULL, NULL },
	{ "process.", NULL, NULL },
	{ "process.file", NULL, NULL },
	{ "process..pid", NULL, "process.pid" },
	{ "process.pid.", NULL, "process.pid" },
	{ "Process.pid", NULL, "process.pid" },
	{ "process.parent.parent.pid", NULL, NULL },
	{ "process.ancestors.parent.pid", NULL, NULL },
	{ "exec.parent.pid", NULL, NULL },
	{ "process.comm.length", NULL, NULL },
	{ "open.file.metadata.size", NULL, NULL },
	{ "asyncx", NULL, NULL },
};

ROWS_TEST(field, names, name_rows)
{
	struct secl_field field = { 0 };
	const char *hint = NULL;
	int found = event_schema.find(&event_schema, r->name, &field, &hint);

	cr_assert_eq(found, r->canonical ? 0 : -ENOENT, "%s", r->name);
	if (r->canonical)
		cr_expect_str_eq(field.name, r->canonical);
	if (r->hint)
		cr_expect(hint && streq(hint, r->hint), "%s: %s", r->name, hint ? hint : "none");
}

Test(field, long_names)
{
	struct secl_field field;
	const char *hint;
	char name[1024];

	memset(name, 'a', sizeof name);
	name[sizeof name - 1] = '\0';
	cr_expect_eq(event_schema.find(&event_schema, name, &field, &hint), -ENOENT);
	memcpy(name, "rename.old.", 11);
	cr_expect_eq(event_schema.find(&event_schema, name, &field, &hint), -ENOENT);
	cr_expect_null(hint);
}

Test(field, iterators)
{
	struct secl_field field;

	cr_expect_null(field_iterator_name(0));
	cr_expect_null(field_iterator_name(200));
	cr_assert_eq(event_schema.find(&event_schema, "process.ancestors.pid", &field, NULL), 0);
	cr_expect_str_eq(field_iterator_name(field.iterator), "process.ancestors");
	cr_assert_eq(event_schema.find(&event_schema, "network_flow_monitor.flows.source.ip",
				       &field, NULL),
		     0);
	cr_expect_str_eq(field_iterator_name(field.iterator), "network_flow_monitor.flows");
}

static const struct allowed_row {
	const char *name;
	enum event_type event;
	bool allowed;
} allowed_rows[] = {
	{ "process.pid", EVENT_EXEC, true },      { "process.pid", EVENT_DNS, true },
	{ "exec.pid", EVENT_EXEC, true },         { "exec.pid", EVENT_CONNECT, false },
	{ "network.source.ip", EVENT_DNS, true }, { "network.source.ip", EVENT_IMDS, true },
	{ "network.size", EVENT_PACKET, true },   { "network.source.ip", EVENT_CONNECT, false },
	{ "packet.size", EVENT_DNS, false },
};

ROWS_TEST(field, allowed, allowed_rows)
{
	struct secl_field field;

	cr_assert_eq(event_schema.find(&event_schema, r->name, &field, NULL), 0);
	cr_expect_eq(field_allowed(&field, r->event), r->allowed);
}

/* ---- constants ---------------------------------------------------------- */

static size_t constants_right;

static void check_constant(char **columns)
{
	struct secl_value value;

	cr_assert_eq(event_schema.constant(&event_schema, columns[1], &value), 0, "%s", columns[1]);
	if (streq(columns[0], "Boolean constants")) {
		cr_expect_eq(value.type, SECL_BOOL);
		cr_expect_eq(value.boolean, streq(columns[1], "true"));
	} else if (streq(columns[2], "(string array)")) {
		cr_expect(value.type == SECL_STRING && value.array && value.list.count == 0);
	} else if (columns[2][0]) {
		cr_expect_eq(value.type, SECL_INT);
		cr_assert_eq(value.integer, strtoll(columns[2], NULL, 10), "%s", columns[1]);
	}
	constants_right++;
}

Test(constants, whole_list)
{
	size_t count = each_line("constants.tsv", check_constant);

	cr_expect_eq(count, 1353);
	cr_log_info("%zu of %zu constants", constants_right, count);
}

Test(constants, sorted)
{
	size_t count;
	const struct constant *all = constants(&count);

	cr_expect_eq(count, 1321);
	for (size_t i = 1; i < count; i++)
		cr_expect_lt(strcmp(all[i - 1].name, all[i].name), 0, "%s", all[i].name);
}

static const struct constant_row {
	const char *name;
	int64_t value;
} constant_rows[] = {
	{ "EACCES", -13 },
	{ "EPERM", -1 },
	{ "CAP_SYS_ADMIN", 1 << 21 },
	{ "CAP_CHOWN", 1 },
	{ "EGRESS", 1 },
	{ "INGRESS", 2 },
	{ "SYSCTL_READ", 1 },
	{ "SYSCTL_WRITE", 2 },
	{ "EXITED", 0 },
	{ "COREDUMPED", 1 },
	{ "SIGNALED", 2 },
	{ "BPF_CGROUP_INET_INGRESS", 1 },
	{ "O_RDONLY", 0 },
	{ "AUDIT_AUID_UNSET", 4294967295 },
	{ "unknown", 0 },
	{ "A", 1 },
};

ROWS_TEST(constants, traps, constant_rows)
{
	struct secl_value value;

	cr_assert_eq(constant_find(r->name, &value), 0);
	cr_expect_eq(value.integer, r->value);
}

Test(constants, unknown)
{
	struct secl_value value;

	cr_expect_eq(constant_find("", &value), -ENOENT);
	cr_expect_eq(constant_find("EACCE", &value), -ENOENT);
	cr_expect_eq(constant_find("zzz", &value), -ENOENT);
}

Test(constants, names_of_values)
{
	cr_expect_str_eq(constant_name(CONST_GROUP_FAMILY, 1), "AF_UNIX");
	cr_expect_str_eq(constant_name(CONST_GROUP_FAMILY, 10), "AF_INET6");
	cr_expect_str_eq(constant_name(CONST_GROUP_L4, 6), "IP_PROTO_TCP");
	cr_expect_str_eq(constant_name(CONST_GROUP_CAPABILITY, 1 << 21), "CAP_SYS_ADMIN");
	cr_expect_null(constant_name(CONST_GROUP_FAMILY, 999));
	cr_expect_not_null(const_group_title(CONST_GROUP_L4));
	cr_expect_null(const_group_title(CONST_GROUP_COUNT));
}

/* ---- tables of event.h -------------------------------------------------- */

Test(event, tables)
{
	for (enum event_type i = EVENT_NONE + 1; i < EVENT_COUNT; i++) {
		const char *name = event_type_name(i);

		cr_expect_eq(event_type_by_name(name, strlen(name)), i);
		cr_expect(event_type_category(i)[0]);
	}
	cr_expect(event_type_watched(EVENT_CONNECT) && event_type_watched(EVENT_SOCKET));
	cr_expect_not(event_type_watched(EVENT_PACKET));
	cr_expect_eq(event_type_by_name("execx", 4), EVENT_EXEC);
	cr_expect_eq(event_type_by_name("exe", 3), EVENT_NONE);
	cr_expect_str_empty(event_type_name(EVENT_NONE));
	cr_expect_str_empty(event_type_name(EVENT_COUNT));
	cr_expect_str_eq(event_schema.event_name(&event_schema, EVENT_CONNECT), "connect");
	cr_expect_eq(event_type_guarantee(EVENT_EXEC), GUARANTEE_VERIFIED);
	cr_expect_str_eq(guarantee_name(GUARANTEE_EMULATED), "emulated");
	cr_expect_str_eq(verdict_name(VERDICT_BLOCKED), "blocked");
	cr_expect_str_eq(reason_name(REASON_RULE), "rule");
	cr_expect(reason_text(REASON_DEADLINE)[0]);
	cr_expect_str_empty(reason_text(REASON_COUNT));
	cr_expect_str_empty(guarantee_text(GUARANTEE_COUNT));
	cr_expect_str_empty(verdict_name(VERDICT_COUNT));
}
