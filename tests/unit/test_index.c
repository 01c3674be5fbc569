/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The index of rules never leaves out a rule that is true of the event: asked of
 * every documented expression and glob, and of many made-up ones. And it does leave
 * out most of those that are not.
 */
#include "config.h"

#include "policy/index.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#include "model/recorded.h"
#include "rows.h"
#include "secl/regex_parts.h"

enum { MAX_FILE = 16 * 1024 * 1024, SCRATCH = 64 * 1024 * 1024 };

/* One rule, and one event that it is asked about. */
static bool is_candidate(const struct secl_expr *expr, struct secl_context *ctx)
{
	const struct rule rule = { .expr = (struct secl_expr *)(uintptr_t)expr };
	const struct rule *rules[] = { &rule };
	uint64_t bits[RULE_INDEX_WORDS(1)];
	struct rule_index *index;

	cr_assert_eq(rule_index_new(rules, 1, &index), 0);
	rule_index_look(index, ctx, bits);
	rule_index_free(index);
	return bits[0] == 1;
}

struct asked {
	size_t count, matched, candidates;
};

/* False when it does not compile, which other tests judge. */
static void ask(struct asked *asked, const char *text, json_t *fields)
{
	const struct secl_options options = { .schema = &recorded_schema, .want_bool = true };
	struct arena scratch;
	struct secl_error error = { .line = 0 };
	struct recorded *recorded;
	struct secl_expr *expr;
	struct secl_context ctx = { .schema = &recorded_schema,
				    .scratch = &scratch,
				    .now_ns = INT64_C(1700000000000000000) };
	int matched;

	if (secl_compile(&options, text, &expr, &error) < 0)
		return;
	if (recorded_new(fields, ctx.now_ns, &recorded, &error.err) == 0) {
		bool candidate;

		cr_assert_eq(arena_init(&scratch, SCRATCH), 0);
		ctx.event = recorded;
		matched = secl_eval(expr, &ctx);
		candidate = is_candidate(expr, &ctx);
		cr_expect(candidate || matched == 0, "left out: %s (%d)", text, matched);
		asked->count++;
		asked->matched += matched > 0;
		asked->candidates += candidate;
		arena_done(&scratch);
		recorded_free(recorded);
	}
	secl_expr_free(expr);
}

static void each_line(const char *name, void (*visit)(struct asked *asked, json_t *row),
		      struct asked *asked)
{
	const char *srcdir = getenv("srcdir");
	_cleanup_free_ char *text = NULL;
	char path[4096], *rest, *line;
	size_t size;

	(void)snprintf(path, sizeof path, "%s/tests/rules/%s", srcdir ? srcdir : ".", name);
	cr_assert_eq(read_file(path, MAX_FILE, &text, &size), 0, "%s", path);
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		json_t *row = json_loads(line, 0, NULL);

		if (row)
			visit(asked, row);
		json_decref(row);
	}
}

static void ask_expression(struct asked *asked, json_t *row)
{
	const char *text = json_string_value(json_object_get(row, "expr"));

	if (text)
		ask(asked, text, json_object_get(row, "fields"));
}

Test(index, documented_expressions)
{
	struct asked asked = { 0 };

	each_line("expressions.jsonl", ask_expression, &asked);
	cr_expect_geq(asked.count, 200, "%zu", asked.count);
	cr_expect_lt(asked.candidates, asked.count);
}

static void ask_glob(struct asked *asked, json_t *row)
{
	const char *pattern = json_string_value(json_object_get(row, "pattern"));
	const char *input = json_string_value(json_object_get(row, "input"));
	const char *kind = json_string_value(json_object_get(row, "kind"));
	char text[8192];
	json_t *fields;

	if (!pattern || !input || strchr(pattern, '"') || streq(kind, "path-glob-isprefix"))
		return;
	fields = json_pack("{s:s,s:s}", "open.file.path", input, "process.comm", input);
	(void)snprintf(text, sizeof text, "%s =~ \"%s\"",
		       streq(kind, "path-glob") ? "open.file.path" : "process.comm", pattern);
	ask(asked, text, fields);
	json_decref(fields);
}

Test(index, documented_globs)
{
	struct asked asked = { 0 };

	each_line("globs.jsonl", ask_glob, &asked);
	cr_expect_geq(asked.count, 100, "%zu", asked.count);
	cr_expect_geq(asked.matched, 40, "%zu", asked.matched);
}

/* ---- made-up rules ------------------------------------------------------------- */

static uint32_t seed = 1;

static unsigned any(unsigned below)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % below;
}

static const char *word(void)
{
	static const char *const words[] = { "usr", "bin", "nc",  "etc", "x",  "cron", "lib",
					     "tmp", "a",   "ssh", "ab",  "ba", "conf", "python3" };

	return words[any(ELEMENTS(words))];
}

static void path(char *buf, size_t size, bool glob)
{
	size_t n = 0;

	for (unsigned i = 1 + any(4); i; i--) {
		const char *star = glob && !any(3) ? "*" : "", *more = glob && !any(4) ? "*" : "";

		n += (size_t)snprintf(buf + n, size - n, "/%s%s%s", star, any(6) ? word() : "q",
				      more);
	}
	if (glob && !any(4))
		(void)snprintf(buf + n, size - n, "/**");
}

static void condition(char *buf, size_t size)
{
	char a[128], b[128];

	path(a, sizeof a, false);
	path(b, sizeof b, true);
	switch (any(12)) {
	case 0: (void)snprintf(buf, size, "exec.file.path == \"%s\"", a); break;
	case 1: (void)snprintf(buf, size, "exec.file.path in [\"%s\", ~\"%s\"]", a, b); break;
	case 2: (void)snprintf(buf, size, "exec.file.path =~ \"%s\"", b); break;
	case 3: (void)snprintf(buf, size, "process.parent.file.path != \"%s\"", a); break;
	case 4: (void)snprintf(buf, size, "exec.args =~ \"*%s*\"", word()); break;
	case 5: (void)snprintf(buf, size, "exec.args =~ r\"%s.*%s\"", word(), word()); break;
	case 6: (void)snprintf(buf, size, "process.uid == %u", any(4)); break;
	case 7: (void)snprintf(buf, size, "process.gid in [%u, %u]", any(4), any(4)); break;
	case 8: (void)snprintf(buf, size, "\"%s\" in exec.argv", word()); break;
	case 9: (void)snprintf(buf, size, "process.ancestors.file.path =~ \"%s\"", b); break;
	case 10: (void)snprintf(buf, size, "process.ancestors[A].comm == \"%s\"", word()); break;
	default: (void)snprintf(buf, size, "exec.file.name in [~\"*%s\", \"%s\"]", word(), word());
	}
}

static void expression(char *buf, size_t size, unsigned depth)
{
	char left[2048], right[2048];

	if (depth == 0 || !any(3)) {
		condition(buf, size);
		return;
	}
	expression(left, sizeof left, depth - 1);
	expression(right, sizeof right, depth - 1);
	(void)snprintf(buf, size, "%s(%s) %s (%s)", any(8) ? "" : "!", left, any(3) ? "&&" : "||",
		       right);
}

static json_t *event(void)
{
	char file[128], parent[128], ancestor[128];

	path(file, sizeof file, false);
	path(parent, sizeof parent, false);
	path(ancestor, sizeof ancestor, false);
	return json_pack("{s:s,s:s,s:s,s:s,s:i,s:i,s:[s,s],s:[s,s],s:[s,s]}", "exec.file.path",
			 file, "exec.file.name", word(), "process.parent.file.path", parent,
			 "exec.args", word(), "process.uid", (int)any(4), "process.gid",
			 (int)any(4), "exec.argv", word(), word(), "process.ancestors.file.path",
			 parent, ancestor, "process.ancestors.comm", word(), word());
}

Test(index, made_up_expressions)
{
	struct asked asked = { 0 };
	char text[8192];

	for (int i = 0; i < 4000; i++) {
		json_t *fields = event();

		expression(text, sizeof text, 3);
		ask(&asked, text, fields);
		json_decref(fields);
	}
	cr_expect_geq(asked.count, 3500, "%zu compile", asked.count);
	cr_expect_geq(asked.matched, 400, "%zu match", asked.matched);
	cr_expect_lt(asked.candidates, asked.count * 9 / 10, "%zu of %zu are candidates",
		     asked.candidates, asked.count);
}

/* ---- regular expressions -------------------------------------------------------- */

static const struct parts {
	const char *pattern, *parts; /* one a line */
} regexps[] = {
	{ "curl", "curl\n" },
	{ "^/usr/bin/curl$", "/usr/bin/curl\n" },
	{ ".*stratum[+]tcp.*", "stratum\n" },
	{ "ab*cdef", "cdef\n" },
	{ "abcde?fg", "abcd\n" },
	{ "abc+de", "abc\n" },
	{ "abc{0,3}d", "ab\n" },
	{ "abé*de", "ab\n" },
	{ "abcd{8|x", "" },
	{ "abcd{8|x}", "" },
	{ "abcd{,3}|x", "" },
	{ "abcd{x}efghi", "efghi\n" },
	{ "abcd{2,}efghi", "efghi\n" },
	{ "(base64|curl|wget)", "base64\ncurl\nwget\n" },
	{ ".*(base64|curl).*", "base64\ncurl\n" },
	{ "(base64|x)", "" },
	{ "(base64|)", "" },
	{ "base64|curl", "" },
	{ "(ab|cd)efgh", "efgh\n" },
	{ "(ab)*xyz", "xyz\n" },
	{ "[abc]defg[]h]ij[^]]kl", "defg\n" },
	{ "[[:alpha:]]xy[\\]]z", "xy\n" },
	{ "[[:alpha:]xy]zz", "zz\n" },
	{ "^[[:alnum:]_-]+$", "" },
	{ "[^[:^alpha:][:digit:]]_-:", "_-:\n" },
	{ "abcd[[:x]|e", "" },
	{ "abcd[[:x]|e:]", "" },
	{ "a\\.bcd\\d+", "bcd\n" },
	{ "(?i)curl", "" },
	{ "(?:ab)cdef", "" },
	{ "\\Qa.b\\Ecd", "" },
	{ "\\x41bcd", "" },
	{ "\\pLbcd", "" },
	{ "a", "" },
	{ ".*", "" },
};

static void collect(void *data, const struct secl_string *text)
{
	char *parts = data;

	(void)snprintf(parts + strlen(parts), 256 - strlen(parts), "%.*s\n", (int)text->size,
		       text->text);
}

ROWS_TEST(index, regexp_parts, regexps)
{
	const struct secl_string pattern = { r->pattern, strlen(r->pattern) };
	char parts[256] = "";
	size_t count = regexp_parts(&pattern, 2, collect, parts);

	cr_expect_str_eq(parts, r->parts, "%s", r->pattern);
	cr_expect_eq(count > 0, r->parts[0] != '\0');
}

static void made_up_regexp(char *buf, size_t size)
{
	static const char *const pieces[] = { "a",     "b",     "ab",     "c",      ".",
					      "*",     "+",     "?",      "(ab|c)", "(a|bc)*",
					      "[ab]",  "[^a]",  "^",      "$",      "|",
					      "{2}",   "\\.",   "\\w",    "aab",    "bca",
					      "()",    "(?:a)", "a{0,1}", "b*?",    "/x",
					      "-",     "{",     "{2,",    "}",      "[[:alpha:]/x]",
					      "[[:a]", ":]" };
	size_t n = 0;

	for (unsigned i = 1 + any(7); i; i--)
		n += (size_t)snprintf(buf + n, size - n, "%s", pieces[any(ELEMENTS(pieces))]);
}

Test(index, made_up_regexps)
{
	struct asked asked = { 0 };
	char pattern[128], subject[32], text[256];

	for (int i = 0; i < 20000; i++) {
		size_t n = any(sizeof subject - 1);
		json_t *fields;

		for (size_t k = 0; k < n; k++)
			subject[k] = "aabbc./x-"[any(9)];
		subject[n] = '\0';
		made_up_regexp(pattern, sizeof pattern);
		(void)snprintf(text, sizeof text, "process.comm =~ r\"%s\"", pattern);
		fields = json_pack("{s:s}", "process.comm", subject);
		ask(&asked, text, fields);
		json_decref(fields);
	}
	cr_expect_geq(asked.count, 5000, "%zu compile", asked.count);
	cr_expect_geq(asked.matched, 1000, "%zu match", asked.matched);
}

/* ---- many at once -------------------------------------------------------------- */

enum { RULES = 3000 };

Test(index, many_rules_few_candidates)
{
	const struct secl_options options = { .schema = &recorded_schema, .want_bool = true };
	static struct rule rules[RULES];
	static const struct rule *list[RULES];
	static uint64_t bits[RULE_INDEX_WORDS(RULES)];
	struct secl_error error;
	struct rule_index *index;
	struct recorded *recorded;
	struct arena scratch;
	struct secl_context ctx = { .schema = &recorded_schema, .scratch = &scratch };
	json_t *fields = json_pack("{s:s,s:s}", "exec.file.path", "/usr/bin/tool-1234", "exec.args",
				   "-x secret-77 --verbose");
	size_t candidates = 0;
	char text[256];

	for (int i = 0; i < RULES; i++) {
		if (i % 3 == 0)
			(void)snprintf(text, sizeof text, "exec.file.path == \"/usr/bin/tool-%d\"",
				       i);
		else if (i % 3 == 1)
			(void)snprintf(text, sizeof text, "exec.file.path =~ \"/usr/*/tool-%d\"",
				       i);
		else
			(void)snprintf(text, sizeof text, "exec.args =~ \"*secret-%d *\"", i);
		cr_assert_eq(secl_compile(&options, text, &rules[i].expr, &error), 0);
		list[i] = &rules[i];
	}
	cr_assert_eq(arena_init(&scratch, SCRATCH), 0);
	cr_assert_eq(recorded_new(fields, 0, &recorded, &error.err), 0);
	ctx.event = recorded;
	cr_assert_eq(rule_index_new(list, RULES, &index), 0);
	cr_expect_eq(rule_index_always(index), 0);
	rule_index_look(index, &ctx, bits);
	for (int i = 0; i < RULES; i++) {
		bool candidate = bits[i / 64] >> i % 64 & 1;

		candidates += candidate;
		cr_expect(candidate || secl_eval(rules[i].expr, &ctx) == 0, "rule %d", i);
		secl_expr_free(rules[i].expr);
	}
	cr_expect_leq(candidates, 40, "%zu candidates", candidates);
	rule_index_free(index);
	recorded_free(recorded);
	arena_done(&scratch);
	json_decref(fields);
}

/* A field that cannot be loaded: whoever relies on it is asked, and fails. */
static int refuse(const struct secl_context *ctx UNUSED, const struct secl_field *field UNUSED,
		  int element UNUSED, struct secl_value *ret UNUSED)
{
	return -EACCES;
}

Test(index, fields_out_of_reach)
{
	struct secl_schema schema = recorded_schema;
	const struct secl_options options = { .schema = &schema, .want_bool = true };
	struct secl_context ctx = { .schema = &schema };
	struct secl_error error;
	struct secl_expr *expr;
	struct arena scratch;

	schema.load = refuse;
	cr_assert_eq(arena_init(&scratch, SCRATCH), 0);
	ctx.scratch = &scratch;
	cr_assert_eq(secl_compile(&options, "exec.file.name == \"x\"", &expr, &error), 0);
	cr_expect(is_candidate(expr, &ctx));
	secl_expr_free(expr);
	arena_done(&scratch);
}
