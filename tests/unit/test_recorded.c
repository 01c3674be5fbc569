/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Recorded events: what the cases of tests/rules do not show of recorded.c. */
#include "config.h"

#include <errno.h>

#include "model/recorded.h"
#include "rows.h"

static int evaluate(const char *fields, const char *text, struct err *err)
{
	struct secl_options options = { .schema = &recorded_schema, .want_bool = true };
	struct secl_error error = { 0 };
	struct recorded *recorded = NULL;
	struct secl_expr *expr;
	struct arena scratch;
	struct secl_context ctx = { .schema = &recorded_schema,
				    .scratch = &scratch,
				    .now_ns = 5000000000 };
	json_t *json = NULL;
	int r = recorded_parse(fields, strlen(fields), &json, err);

	if (r == 0)
		r = recorded_new(json, ctx.now_ns, &recorded, err);
	json_decref(json);
	if (r < 0)
		return r;
	cr_assert_eq(secl_compile(&options, text, &expr, &error), 0, "%s: %s", text,
		     error.err.text);
	ctx.event = recorded;
	cr_assert_eq(arena_init(&scratch, 1 << 20), 0);
	r = secl_eval(expr, &ctx);
	arena_done(&scratch);
	secl_expr_free(expr);
	recorded_free(recorded);
	return r;
}

static const struct row {
	const char *fields, *text;
	int want;
} rows[] = {
	{ "{}", "process.comm == \"\" && process.uid == 0 && !process.is_exec", 1 },
	{ "{}", "process.argv == \"\"", 0 },
	{ "{\"process.comm\": null}", "process.comm == \"\"", 1 },
	{ "{\"process.argv\": [\"a\", \"b\"]}", "process.argv[1] == \"b\"", 1 },
	{ "{\"process.argv\": \"a\"}", "process.argv == \"a\"", 1 },
	{ "{\"process.filename\": \"/x\"}", "process.file.path == \"/x\"", 1 },
	{ "{\"process.comm\": \"a\\u0000b\"}", "process.comm == \"a\"", 0 },
	{ "{\"process.comm\": \"abc\"}", "%{process.comm.length} == 3", 1 },
	{ "{\"process.file.path\": \"/abc\"}", "process.file.path.length == 4", 1 },
	{ "{\"process.file.path.length\": 9}", "process.file.path.length == 9", 1 },
	{ "{\"process.created_at\": {\"$now_s\": -4}}", "process.created_at == 4s", 1 },
	{ "{\"process.created_at\": {\"$now_s\": -0.5}}", "process.created_at == 500ms", 1 },
	{ "{\"connect.addr.ip\": \"::ffff:10.0.0.1\"}", "connect.addr.ip == 10.0.0.1", 1 },
	{ "{\"connect.addr.ip\": \"\"}", "connect.addr.ip in 0.0.0.0/0", 0 },
	/* parallel lists, and the same as objects */
	{ "{\"process.ancestors.comm\": [\"a\", \"b\"], \"process.ancestors.pid\": [1, 2]}",
	  "process.ancestors[A].comm == \"b\" && process.ancestors[A].pid == 2", 1 },
	{ "{\"process.ancestors\": [{\"comm\": \"a\", \"pid\": 1}, {\"comm\": \"b\"}]}",
	  "process.ancestors[A].comm == \"b\" && process.ancestors[A].pid == 0", 1 },
	{ "{\"process.ancestors\": [{}, {}]}", "process.ancestors.length == 2", 1 },
	{ "{\"process.ancestors.comm\": [\"a\", \"b\"]}", "process.ancestors.pid == 0", 1 },
	{ "{\"process.ancestors.comm\": [\"a\", \"b\"], \"process.ancestors.uid\": [7]}",
	  "process.ancestors.uid == 0", 1 },
	{ "{\"process.ancestors.argv\": [[\"a\", \"b\"], [\"c\"]]}",
	  "process.ancestors.argv == \"c\"", 1 },
	{ "{\"process.ancestors.argv\": [[\"a\", \"b\"], [\"c\"]]}",
	  "process.ancestors[A].argv == \"c\" && process.ancestors[A].argv == \"a\"", 0 },
	/* refused */
	{ "[]", NULL, -EINVAL },
	{ "{", NULL, -EINVAL },
	{ "{\"process.comm\": 1}", NULL, -EINVAL },
	{ "{\"process.uid\": \"1\"}", NULL, -EINVAL },
	{ "{\"process.uid\": 1.5}", NULL, -EINVAL },
	{ "{\"process.uid\": 1, \"process.uid\": 2}", NULL, -EINVAL },
	{ "{\"process.is_exec\": 1}", NULL, -EINVAL },
	{ "{\"process.argv\": [1]}", NULL, -EINVAL },
	{ "{\"process.argv\": [[\"a\"]]}", NULL, -EINVAL },
	{ "{\"process.com\": \"a\"}", NULL, -EINVAL },
	{ "{\"process.created_at\": {\"$now_s\": 1e300}}", NULL, -EINVAL },
	{ "{\"process.created_at\": {\"$now_s\": 1, \"x\": 1}}", NULL, -EINVAL },
	{ "{\"connect.addr.ip\": \"x\"}", NULL, -EINVAL },
	{ "{\"process.ancestors.comm\": \"a\"}", NULL, -EINVAL },
	{ "{\"process.ancestors\": {}}", NULL, -EINVAL },
	{ "{\"process.ancestors\": [1]}", NULL, -EINVAL },
	{ "{\"process.ancestors\": [{\"nothing\": 1}]}", NULL, -EINVAL },
	{ "{\"process.argv\": [[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]}", NULL, -EINVAL },
};

ROWS_TEST(recorded, fields, rows)
{
	struct err err = { 0 };
	int have = evaluate(r->fields, r->text ? r->text : "true", &err);

	cr_expect_eq(have, r->want, "%s: %s: %d (%s)", r->fields, r->text, have, err.text);
	if (r->want == -EINVAL)
		cr_expect_gt(strlen(err.text), 0);
}

/* A megabyte of brackets is refused before anything recurses. */
Test(recorded, depth_is_bounded)
{
	enum { SIZE = 1 << 20 };
	_cleanup_free_ char *text = malloc(SIZE);
	struct err err = { 0 };
	json_t *json;

	memset(text, '[', SIZE);
	cr_expect_eq(recorded_parse(text, SIZE, &json, &err), -EINVAL);
	cr_expect(strstr(err.text, "levels deep") != NULL, "%s", err.text);
}
