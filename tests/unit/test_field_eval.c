/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules over real events: language and fields together. Exercises the contract
 * between secl/ and model/field.h.
 */
#include "config.h"

#include "model/field.h"

#include <errno.h>

#include "fixture.h"
#include "rows.h"

enum { SCRATCH = 1 << 20 };

static const struct rule_row {
	enum event_type event;
	const char *rule;
	int want; /* of secl_eval() */
} rule_rows[] = {
	{ EVENT_EXEC, "exec.file.path == \"/usr/bin/curl.real\"", 1 },
	/* the symlinks that it was started through; negation is of the whole */
	{ EVENT_EXEC, "exec.file.path == \"/opt/bin/fetch\"", 1 },
	{ EVENT_EXEC, "exec.file.path in [ ~\"/opt/**\" ]", 1 },
	{ EVENT_EXEC, "exec.file.name != \"fetch\"", 0 },
	{ EVENT_EXEC, "exec.file.name != \"wget\"", 1 },
	{ EVENT_EXEC, "exec.file.extension == \"real\"", 1 },
	{ EVENT_EXEC, "exec.args_flags in [ \"L\" ] && exec.argv in [ \"-sL\" ]", 1 },
	{ EVENT_EXEC, "exec.args_options in [ \"retry=3\" ]", 1 },
	{ EVENT_EXEC, "exec.envs in [ \"SECRET\" ] && exec.envp in [ ~\"SECRET=*\" ]", 1 },
	{ EVENT_EXEC, "exec.argv[1] == \"--retry\" && exec.argv[99] == \"\"", 1 },
	{ EVENT_EXEC,
	  "process.parent.file.name == \"bash\" && process.parent.is_thread && exec.pid > 0", 1 },
	{ EVENT_EXEC, "process.ancestors.file.name == \"init\" && exec.pid > 0", 1 },
	{ EVENT_EXEC, "process.ancestors.file.name not in [ \"init\" ] && exec.pid > 0", 0 },
	{ EVENT_EXEC, "process.ancestors.length == 3 && exec.pid > 0", 1 },
	{ EVENT_EXEC, "process.ancestors.argv in [ \"hunter2\" ] && exec.pid > 0", 1 },
	/* a register is one ancestor */
	{ EVENT_EXEC,
	  "process.ancestors[A].pid == 1 && process.ancestors[A].file.name == \"bash\" && exec.pid > 0",
	  0 },
	{ EVENT_EXEC,
	  "process.ancestors[A].pid == 4000 && process.ancestors[A].file.name == \"bash\" && exec.pid > 0",
	  1 },
	{ EVENT_EXEC, "process.ancestors[A].pid != 4000 && exec.pid > 0", 1 },
	{ EVENT_EXEC, "process.created_at > 5s && exec.pid > 0", 1 },
	{ EVENT_EXEC, "exec.cap_permitted & CAP_SYS_ADMIN > 0", 1 },
	{ EVENT_EXEC, "exec.file.rights & S_ISUID > 0", 1 },
	{ EVENT_EXEC, "container.id == \"9f3c\" && exec.uid == 1000", 1 },
	{ EVENT_EXEC, "event.rule.tags in [ \"a\" ] && exec.pid > 0", 0 },
	{ EVENT_CONNECT, "connect.addr.ip in [ 192.0.2.0/24 ] && connect.addr.port == 443", 1 },
	{ EVENT_CONNECT, "connect.addr.family == AF_INET && connect.protocol == IP_PROTO_TCP", 1 },
	{ EVENT_CONNECT, "connect.addr.is_public == false", 1 },
	{ EVENT_CONNECT, "connect.addr.hostname == \"x\"", 0 },
	/* restricted to other events: cannot be read here, so the rule fails */
	{ EVENT_CONNECT, "connect.addr.port == 443 && network.size >= 0", -EOPNOTSUPP },
};

ROWS_TEST(eval, rules, rule_rows)
{
	const struct secl_options options = { .schema = &event_schema, .want_bool = true };
	struct fixture f;
	struct field_cursor cursor = { 0 };
	struct field_source source = { .event = &fixture_init(&f, r->event)->event,
				       .cursor = &cursor };
	struct arena scratch;
	struct secl_error error;
	struct secl_context ctx = { .schema = &event_schema,
				    .event = &source,
				    .scratch = &scratch,
				    .now_ns = f.event.time_ns };
	struct secl_expr *expr;

	cr_assert_eq(arena_init(&scratch, SCRATCH), 0);
	cr_assert_eq(secl_compile(&options, r->rule, &expr, &error), 0, "%s: %s", r->rule,
		     error.err.text);
	cr_expect_eq(secl_expr_event(expr), r->event, "%s", r->rule);
	cr_expect_eq(secl_eval(expr, &ctx), r->want, "%s", r->rule);
	/* the same again, with a cursor that stands somewhere */
	cr_expect_eq(secl_eval(expr, &ctx), r->want, "%s", r->rule);
	secl_expr_free(expr);
	arena_done(&scratch);
}

static const struct refused_row {
	const char *rule, *says;
} refused_rows[] = {
	{ "exec.file.pth == \"x\"", "exec.file.path" },
	{ "exec.pid == 1 && connect.addr.port == 1", "" },
	{ "bpf.map.name == \"sixteen bytes ..\"", "" },
	{ "exec.file.path == \"/x/\"", "" },
	{ "exec.file.path == r\"/x\"", "" },
	{ "event.retval == 5", "" },
};

ROWS_TEST(eval, refused, refused_rows)
{
	const struct secl_options options = { .schema = &event_schema, .want_bool = true };
	struct secl_error error = { 0 };
	struct secl_expr *expr = NULL;

	cr_assert_eq(secl_compile(&options, r->rule, &expr, &error), -EINVAL, "%s", r->rule);
	cr_expect_not_null(strstr(error.err.text, r->says), "%s", error.err.text);
}
