/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Patterns, globs, regexps, networks; and that no text makes them slow. */
#include "config.h"

#include <jansson.h>
#include <stdio.h>

#include "secl/match.h"
#include "secl/regex.h"
#include "secl/regex_syntax.h"
#include "rows.h"
#include "secl_schema.h"

/* ---- the cases of the reference ------------------------------------------------- */

static int match_one(const char *pattern, enum flavour flavour, bool glob, bool icase,
		     const char *text)
{
	struct literal literal = { { pattern, strlen(pattern) }, flavour, 0 };
	struct matcher_options options = { .glob = glob, .icase = icase };
	struct secl_string s = { text, strlen(text) };
	struct pool pool = { 0 };
	struct matcher *m;
	struct arena scratch;
	struct err err;
	size_t bad;
	int r = matcher_new(&pool, &options, &literal, 1, &m, &bad, &err);

	if (r == 0) {
		cr_assert_eq(arena_init(&scratch, 1 << 20), 0);
		r = matcher_match(m, &s, &scratch);
		arena_done(&scratch);
	}
	pool_done(&pool);
	return r;
}

static const struct {
	const char *kind;
	enum flavour flavour;
	bool glob;
} kinds[] = {
	{ "scalar", FLAVOUR_EXACT, false },
	{ "pattern", FLAVOUR_PATTERN, false },
	{ "path-glob", FLAVOUR_PATTERN, true },
	{ "regex", FLAVOUR_REGEXP, false },
};

static int run_case(const json_t *row)
{
	const char *kind = json_string_value(json_object_get(row, "kind"));
	const char *sub = json_string_value(json_object_get(row, "sub"));
	const char *pattern = json_string_value(json_object_get(row, "pattern"));
	const char *text = json_string_value(json_object_get(row, "input"));
	bool icase = streq(kind, "case-insensitive") || streq(kind, "dns");

	if (streq(kind, "path-glob-isprefix"))
		return secl_glob_reaches(pattern, strlen(pattern), text, strlen(text));
	for (size_t i = 0; i < ELEMENTS(kinds); i++)
		if (streq(kinds[i].kind, sub ? sub : kind))
			return match_one(pattern, kinds[i].flavour, kinds[i].glob, icase,
					 text ? text : "");
	return -ENOENT;
}

Test(secl_match, reference)
{
	const char *srcdir = getenv("srcdir");
	char path[4096];
	char *line = NULL;
	size_t size = 0, count = 0, right = 0;
	int have;
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/tests/rules/globs.jsonl", srcdir ? srcdir : ".");
	file = fopen(path, "r");
	cr_assert_not_null(file, "%s", path);
	while (getline(&line, &size, file) > 0) {
		json_t *row = json_loads(line, 0, NULL);
		const json_t *expect = json_object_get(row, "expect");
		int want = json_is_true(expect) ? 1 : json_is_false(expect) ? 0 : -EINVAL;

		/* older engines refused these; ours is to accept them */
		if (json_object_get(row, "legacy"))
			want = 0;
		have = run_case(row);
		cr_expect_eq(have, want, "%s", line);
		json_decref(row);
		right += have == want;
		count++;
	}
	cr_log_info("%zu of %zu patterns", right, count);
	cr_expect_eq(count, 137);
	free(line);
	(void)fclose(file);
}

static const struct glob_row {
	const char *pattern, *text;
	bool want;
} glob_rows[] = {
	{ "/x/**", "/x", false },
	{ "/x/**", "/x/", true },
	{ "/x/**", "/x/a/b", true },
	{ "/x/*", "/x/", true },
	{ "/x/*", "/x/a/b", false },
	{ "**", "/", true },
	{ "**", "", false },
	{ "*", "/x", false },
	{ "", "", false },
	{ "/a/**/b", "/a/b", true },
	{ "/a/**/b", "/a/xb", false },
	{ "/a/**/b", "/ab", false },
	{ "/a/**/b/c", "/a/c", false },
	{ "/a/**/b/c", "/a/b/c", true },
	{ "/a**b/c", "/axxb/c", true },
	{ "/a**b/c", "/ax/xb/c", false },
	{ "/***", "/abc", true },
	{ "/***", "/abc/d", false },
	{ "**/x", "/x", true },
	{ "**/x", "/a/b/x", true },
	{ "**/x", "/a/bx", false },
	{ "/*a*/", "/bab/", true },
	{ "/*/", "//", true },
};

ROWS_TEST(secl_match, globs, glob_rows)
{
	cr_expect_eq(secl_glob_match(r->pattern, strlen(r->pattern), r->text, strlen(r->text)),
		     r->want, "%s on %s", r->pattern, r->text);
}

Test(secl_match, sets_are_one_lookup)
{
	enum { COUNT = 5000 };
	static struct literal literals[COUNT];
	static char texts[COUNT][16];
	struct matcher_options options = { 0 };
	struct pool pool = { 0 };
	struct matcher *m;
	struct arena scratch;
	struct err err;
	size_t bad;

	for (size_t i = 0; i < COUNT; i++) {
		int n = snprintf(texts[i], sizeof texts[i], "name%zu", i / 2);

		literals[i] = (struct literal){ { texts[i], (size_t)n }, FLAVOUR_EXACT, 0 };
	}
	cr_assert_eq(arena_init(&scratch, 4096), 0);
	cr_assert_eq(matcher_new(&pool, &options, literals, COUNT, &m, &bad, &err), 0);
	for (size_t i = 0; i < COUNT; i++)
		cr_expect_eq(matcher_match(m, &literals[i].text, &scratch), 1);
	cr_expect_eq(matcher_match(m, &(struct secl_string)S("name"), &scratch), 0);
	cr_expect_eq(matcher_match(m, &(struct secl_string)S("name5000"), &scratch), 0);
	cr_expect_eq(matcher_match(m, &(struct secl_string){ NULL, 0 }, &scratch), 0);
	cr_expect_lt(matcher_weight(m), 10);
	arena_done(&scratch);
	pool_done(&pool);
}

/* ---- regexps ------------------------------------------------------------------------ */

static const struct regexp_row {
	const char *pattern, *text;
	int want; /* -EINVAL: refused when the rule is loaded */
} regexp_rows[] = {
	{ "b", "abc", 1 },
	{ "^b", "abc", 0 },
	{ "c$", "abc\n", 0 }, /* $ is the end only */
	{ "(?m)b$", "ab\nc", 1 },
	{ "(?m)^c", "ab\nc", 1 },
	{ "a.c", "a\nc", 0 },
	{ "(?s)a.c", "a\nc", 1 },
	{ "(?i)ABC", "xabcx", 1 },
	{ "(?i)\xc3\x84", "\xc3\xa4", 1 },
	{ "(?i:A)b", "aB", 0 },
	{ "(?U)a+", "aa", 1 },
	{ "", "", 1 },
	{ "^.$", "\xc3\xa4", 1 }, /* a character, not a byte */
	{ "^.$", "\xff", 1 },     /* U+FFFD for a bad byte */
	{ "^..$", "\xc3\xc3", 1 },
	{ "evil.*x", "evil\xff\xfe x", 1 }, /* a bad byte hides nothing */
	{ "evil.*x", "evil\xc3x", 1 },
	{ "\\x{fffd}", "\xed\xa0\x80", 1 },
	{ "^\\w$", "\xc3\xa4", 0 }, /* \w is ASCII */
	{ "^\\pL$", "\xc3\xa4", 1 },
	{ "^\\p{Greek}+$", "\xce\xb1\xce\xb2", 1 },
	{ "a\\sb", "a\tb", 1 },
	{ "a\\sb", "a\vb", 0 }, /* as RE2 */
	{ "a\\vb", "a\vb", 1 },
	{ "a[\\s]b", "a b", 1 },
	{ "\\101", "A", 1 },
	{ "\\x41\\x{42}", "AB", 1 },
	{ "\\Qa.b\\E+", "a.bb", 1 },
	{ "\\Qa.b", "axb", 0 },
	{ "[]a]+", "]", 1 },
	{ "[^]a]", "]", 0 },
	{ "[[:alpha:][:^digit:]]", "x", 1 },
	{ "[[a]", "[", 1 },
	{ "a{,2}", "a{,2}", 1 },
	{ "a{2}", "aa", 1 },
	{ "x{", "x{", 1 },
	{ "a{2,3}?b", "aab", 1 },
	{ "(?P<n>a)(?<m>b)", "ab", 1 },
	{ "\\bfoo\\b", "a foo b", 1 },
	{ "((25[0-5]|(2[0-4]|1\\d|[1-9]|)\\d)\\.?\\b){4}", "x 10.2.33.4 y", 1 },
	{ "(a|)b", "b", 1 },
	/* refused */
	{ "(a)\\1", "", -EINVAL },
	{ "(?P<a>x)(?P=a)", "", -EINVAL },
	{ "(?<a>x)\\k<a>", "", -EINVAL },
	{ "\\g1(a)", "", -EINVAL },
	{ "(?=a)", "", -EINVAL },
	{ "(?!a)", "", -EINVAL },
	{ "(?<=a)b", "", -EINVAL },
	{ "(?<!a)b", "", -EINVAL },
	{ "(?>a)", "", -EINVAL },
	{ "a++", "", -EINVAL },
	{ "a*+", "", -EINVAL },
	{ "a?+", "", -EINVAL },
	{ "a{2}+", "", -EINVAL },
	{ "a**", "", -EINVAL },
	{ "(?R)", "", -EINVAL },
	{ "(?1)(a)", "", -EINVAL },
	{ "(?&x)", "", -EINVAL },
	{ "(?P>x)", "", -EINVAL },
	{ "(?C)", "", -EINVAL },
	{ "(?C1)", "", -EINVAL },
	{ "(?(1)a|b)", "", -EINVAL },
	{ "(?|a|b)", "", -EINVAL },
	{ "(?#x)", "", -EINVAL },
	{ "(?x)a", "", -EINVAL },
	{ "(?", "", -EINVAL },
	{ "(?-)", "", -EINVAL },
	{ "(*UTF)a", "", -EINVAL },
	{ "(*LIMIT_MATCH=9)a", "", -EINVAL },
	{ "\\Ka", "", -EINVAL },
	{ "\\Ga", "", -EINVAL },
	{ "a\\Z", "", -EINVAL },
	{ "\\C", "", -EINVAL },
	{ "\\R", "", -EINVAL },
	{ "\\X", "", -EINVAL },
	{ "\\N{U+41}", "", -EINVAL },
	{ "\\o{101}", "", -EINVAL },
	{ "\\cA", "", -EINVAL },
	{ "[\\b]", "", -EINVAL },
	{ "[[:<:]]", "", -EINVAL },
	{ "[a", "", -EINVAL },
	{ "[b-a]", "", -EINVAL },
	{ "(a", "", -EINVAL },
	{ "a)", "", -EINVAL },
	{ "*a", "", -EINVAL },
	{ "a|*", "", -EINVAL },
	{ "a\\", "", -EINVAL },
	{ "a{1001}", "", -EINVAL },
	{ "a{3,2}", "", -EINVAL },
	{ "\\x4", "", -EINVAL },
	{ "\\x{110000}", "", -EINVAL },
	{ "\\p{Nothing}", "", -EINVAL },
	{ "\xff", "", -EINVAL },
	{ "(((a{1000}){1000}){1000})", "", -EINVAL },
};

ROWS_TEST(secl_regexp, rows, regexp_rows)
{
	int have = match_one(r->pattern, FLAVOUR_REGEXP, false, false, r->text);

	cr_expect_eq(have, r->want, "%s on %s: %d", r->pattern, r->text, have);
}

static int64_t time_regexp(const char *pattern, const char *unit, size_t size, int *ret)
{
	_cleanup_free_ char *text = malloc(size);
	struct secl_string s = { text, size };
	struct arena scratch;
	struct regexp *re;
	struct err err;
	int64_t start;

	for (size_t i = 0; i < size; i++)
		text[i] = unit[i % strlen(unit)];
	cr_assert_eq(regexp_new(pattern, strlen(pattern), false, &re, &err), 0, "%s", err.text);
	cr_assert_eq(arena_init(&scratch, 8 << 20), 0);
	start = now_monotonic_ns();
	*ret = regexp_match(re, &s, &scratch);
	start = now_monotonic_ns() - start;
	cr_expect_eq(scratch.used, 0);
	arena_done(&scratch);
	regexp_free(re);
	return start;
}

static const struct hard_row {
	const char *pattern, *unit;
	size_t size;
	int want;
} hard_rows[] = {
	{ "(a*)*[bc]", "a", 100000, 0 },
	{ "(a|a)*[bc]", "a", 100000, 0 },
	{ "(a|a){22}[bc]", "a", 5000, 0 },
	{ ".*.*.*.*.*[xy]", "a", 20000, 0 },
	{ "x.*y.*z.*[wv]", "xyz", 100000, 0 },
	{ ".*foo.*ba[rx]", "foo ", 500000, 0 },
	{ "(x+x+)+[yz]", "x", 50000, 0 },
	{ "(\\s+\\S+)+[^\\s]{3,}$", "a ", 100000, 0 },
	{ "([a-z]+\\.){2,}[0-9]", "abc.", 100000, 0 },
	/* found in the end all the same */
	{ "x.*y.*z.*$", "xyz", 100000, 1 },
};

/* Seconds, where a backtracking engine would take years. */
ROWS_TEST(secl_regexp, no_text_makes_it_slow, hard_rows)
{
	int have;
	int64_t ns = time_regexp(r->pattern, r->unit, r->size, &have);

	cr_expect_eq(have, r->want, "%s: %d", r->pattern, have);
	cr_expect_lt(ns, 5000000000, "%s: %f s", r->pattern, (double)ns / 1e9);
}

/* When not even the single pass has room for its states: an error, not false. */
Test(secl_regexp, too_many_states_are_an_error)
{
	int have;

	(void)time_regexp("((a{0,30}){0,30}b?){0,6}[yz]", "a", 5000, &have);
	cr_expect_eq(have, -EOVERFLOW, "%d", have);
}

/* ---- networks ------------------------------------------------------------------------ */

static const struct net_row {
	const char *a, *b; /* b NULL = a is refused */
	bool overlap;
} net_rows[] = {
	{ "10.0.0.0/8", "10.1.2.3", true },
	{ "10.1.2.3", "10.0.0.0/8", true },
	{ "10.0.0.0/8", "11.0.0.1", false },
	{ "10.1.2.3/8", "10.0.0.0/8", true },
	{ "10.128.0.0/9", "10.127.0.0/9", false },
	{ "0.0.0.0/0", "1.2.3.4", true },
	{ "::/0", "1.2.3.4", false },
	{ "::ffff:1.2.3.4", "1.2.3.4", true },
	{ "::ffff:1.2.0.0/112", "1.2.3.4", true },
	{ "::ffff:0:0/96", "1.2.3.4", true },
	{ "::ffff:0:0/95", "1.2.3.4", false },
	{ "2001:db8::/33", "2001:db8:8000::", false },
	{ "2001:db8::/33", "2001:db8:7fff::", true },
	{ "", NULL, false },
	{ "1.2.3", NULL, false },
	{ "1.2.3.4/", NULL, false },
	{ "1.2.3.4/33", NULL, false },
	{ "1.2.3.4/-1", NULL, false },
	{ "1.2.3.4/8x", NULL, false },
	{ "1.2.3.4/4294967297", NULL, false },
	{ "::1/129", NULL, false },
	{ "fe80::1%lo", NULL, false },
	{ "1111:2222:3333:4444:5555:6666:7777:8888:9999/100", NULL, false },
};

ROWS_TEST(secl_net, overlaps, net_rows)
{
	struct secl_net a, b;

	cr_expect_eq(secl_net_parse(r->a, strlen(r->a), &a), r->b ? 0 : -EINVAL, "%s", r->a);
	if (!r->b)
		return;
	cr_assert_eq(secl_net_parse(r->b, strlen(r->b), &b), 0);
	cr_expect_eq(secl_net_overlaps(&a, &b), r->overlap, "%s %s", r->a, r->b);
	cr_expect_eq(secl_net_overlaps(&b, &a), r->overlap, "%s %s", r->b, r->a);
}

/* ---- limits ----------------------------------------------------------------------------- */

/* HEAD, UNIT as often as it fits into SIZE bytes, TAIL. */
static char *repeat(const char *head, const char *unit, const char *tail, size_t size)
{
	char *text = malloc(size + 1);
	size_t n = strlen(head), step = strlen(unit), end = strlen(tail);

	memcpy(text, head, n);
	for (; n + step + end <= size; n += step)
		memcpy(text + n, unit, step);
	memcpy(text + n, tail, end + 1);
	return text;
}

static const struct limit_row {
	const char *head, *unit, *tail;
	size_t size;
	int want;
} limit_rows[] = {
	{ "true", " && a.bool", "", 65536, 1 },
	{ "false", " || a.int == 1", "", 65536, 0 },
	{ "a.bool", " && a.bool || a.bool", "", 2000, 1 },
	{ "a.bool", " && a.bool || a.bool", "", 65536, -EINVAL }, /* 3000 levels */
	{ "a.str in [\"x\"", ",\"y\"", ",\"hello\"]", 65536, 1 },
	{ "a.str in [\"x\"", ",~\"y*z\"", "]", 65536, 0 },
	{ "a.int in [1", ",2", ",42]", 65536, 1 },
	{ "a.ip in [1.1.1.1", ",1.1.1.2", "]", 65536, 0 },
	{ "1", "+1", " > 0", 65536, -EINVAL }, /* +1 is a number: no operator */
	{ "1", " + 1", " > 0", 65536, 1 },
	{ "1", "|1", " == 1", 65536, 1 },
	{ "a.int", " + 1", " > 0", 65536, -EINVAL }, /* too deep to evaluate */
	{ "a.int", " + 1", " > 0", 700, 1 },
	{ "", "(", "", 65536, -EINVAL },
	{ "", "!", "a.bool", 65536, -EINVAL },
	{ "", "- ", "1 == 1", 65536, -EINVAL },
	{ "true", " == true", "", 65536, -EINVAL },
	{ "true", " == true", "", 1500, 1 },
	{ "\"", "${s}", "\" == \"x\"", 65536, 0 },
	{ "\"", "${", "\" == \"x\"", 65536, 0 },
	{ "\"", "%{a", "\" == \"x\"", 65536, 0 },
	{ "", "[", "", 65536, -EINVAL },
	{ "", "a", "", 65536, -EINVAL },
	{ "true #", "x", "", 65536, 1 },
	{ "true #", "x", "", 65537, -EINVAL }, /* longer than a rule may be */
};

ROWS_TEST(secl_limits, rows, limit_rows)
{
	_cleanup_free_ char *text = repeat(r->head, r->unit, r->tail, r->size);
	struct secl_error error = { 0 };
	int64_t start = now_monotonic_ns();
	int have = test_eval(NULL, text, &error);

	start = now_monotonic_ns() - start;
	cr_expect_eq(have, r->want, "%s%s...%s: %d (%s)", r->head, r->unit, r->tail, have,
		     error.err.text);
	/* 65536 bytes squared would be much more */
	cr_expect_lt(start, 2000000000, "%s%s: %f s", r->head, r->unit, (double)start / 1e9);
}

static char *parentheses(unsigned depth)
{
	char *text = malloc(2 * depth + sizeof "a.bool");

	memset(text, '(', depth);
	memcpy(text + depth, "a.bool", 6);
	memset(text + depth + 6, ')', depth);
	text[2 * depth + 6] = '\0';
	return text;
}

Test(secl_limits, parentheses_nest_so_deep)
{
	_cleanup_free_ char *fits = parentheses(SECL_MAX_DEPTH - 1);
	_cleanup_free_ char *over = parentheses(SECL_MAX_DEPTH + 1);
	struct secl_error error = { 0 };

	cr_expect_eq(test_eval(NULL, fits, &error), 1, "%s", error.err.text);
	cr_expect_eq(test_eval(NULL, over, &error), -EINVAL);
	cr_expect(strstr(error.err.text, "levels deep") != NULL, "%s", error.err.text);
}

/* Each macro uses the one before twice: 2^n in all. */
Test(secl_limits, macros_do_not_explode)
{
	struct secl_macros *macros;
	struct secl_options options;
	struct secl_error error = { 0 };
	char id[16], text[64];
	int r = 0, i;

	cr_assert_eq(secl_macros_new(&macros), 0);
	options = test_options(macros);
	cr_assert_eq(secl_macros_add(macros, &options, "M0", "a.int == 1", &error), 0);
	for (i = 1; i < 64 && r == 0; i++) {
		(void)snprintf(id, sizeof id, "M%d", i);
		(void)snprintf(text, sizeof text, "M%d || M%d", i - 1, i - 1);
		r = secl_macros_add(macros, &options, id, text, &error);
	}
	cr_expect_eq(r, -EINVAL);
	cr_expect_lt(i, 20);
	cr_expect(strstr(error.err.text, "too large") != NULL, "%s", error.err.text);
	secl_macros_free(macros);
}

/* Each macro is the one before: deep without being large. */
Test(secl_limits, macros_nest_so_deep)
{
	struct secl_macros *macros;
	struct secl_options options;
	struct secl_error error = { 0 };
	char id[16], text[16];
	int r = 0, i;

	cr_assert_eq(secl_macros_new(&macros), 0);
	options = test_options(macros);
	cr_assert_eq(secl_macros_add(macros, &options, "M0", "a.bool", &error), 0);
	for (i = 1; i < 2 * SECL_MAX_DEPTH && r == 0; i++) {
		(void)snprintf(id, sizeof id, "M%d", i);
		(void)snprintf(text, sizeof text, "M%d", i - 1);
		r = secl_macros_add(macros, &options, id, text, &error);
	}
	cr_expect_eq(r, -EINVAL);
	cr_expect(strstr(error.err.text, "levels deep") != NULL, "%s", error.err.text);
	secl_macros_free(macros);
}

/* Two long lists of the workload's choosing, by `%{list} in ${list}`. */
enum { LONG = 20000 };

struct long_lists {
	struct secl_string left[LONG], right[LONG];
	char texts[2 * LONG][8];
};

static int long_load(const struct secl_context *ctx, const struct secl_field *field, int element,
		     struct secl_value *ret)
{
	const struct long_lists *lists = ctx->event;

	(void)field;
	(void)element;
	*ret = (struct secl_value){
		.type = SECL_STRING, .array = true, .list.count = LONG, .list.strings = lists->left
	};
	return 0;
}

static int long_get(const struct secl_vars *self, const struct secl_context *ctx, unsigned id,
		    struct secl_value *ret)
{
	const struct long_lists *lists = ctx->event;

	(void)self;
	(void)id;
	*ret = (struct secl_value){
		.type = SECL_STRING, .array = true, .list.count = LONG, .list.strings = lists->right
	};
	return 0;
}

Test(secl_limits, long_lists_meet_fast)
{
	_cleanup_free_ struct long_lists *lists = calloc(1, sizeof *lists);
	struct secl_schema schema = test_schema;
	struct secl_vars vars = { test_vars_find, long_get };
	struct secl_options options = { .schema = &schema, .vars = &vars, .want_bool = true };
	struct arena scratch;
	struct secl_context ctx = {
		.schema = &schema, .event = lists, .scratch = &scratch, .vars = &vars
	};
	struct secl_error error;
	struct secl_expr *expr;
	int64_t start;

	schema.load = long_load;
	for (size_t i = 0; i < 2 * LONG; i++) {
		int n = snprintf(lists->texts[i], sizeof lists->texts[i], "%06zu", i);
		struct secl_string *s = i < LONG ? &lists->left[i] : &lists->right[i - LONG];

		*s = (struct secl_string){ lists->texts[i], (size_t)n };
	}
	cr_assert_eq(arena_init(&scratch, 4 << 20), 0);
	cr_assert_eq(secl_compile(&options, "a.list in ${list}", &expr, &error), 0);
	start = now_monotonic_ns();
	cr_expect_eq(secl_eval(expr, &ctx), 0);
	cr_expect_lt(now_monotonic_ns() - start, 1000000000);
	/* and finds the one that both have */
	lists->right[777] = lists->left[LONG - 1];
	cr_expect_eq(secl_eval(expr, &ctx), 1);
	cr_expect_eq(scratch.used, 0);
	secl_expr_free(expr);
	arena_done(&scratch);
}
