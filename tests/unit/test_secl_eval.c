/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Types, names, comparisons and their evaluation: what the 409 cases of the
 * reference (tests/rules) leave open.
 */
#include "config.h"

#include <stdio.h>

#include "rows.h"
#include "secl_schema.h"

static const struct eval_row {
	const char *text;
	int want;
} eval_rows[] = {
	/* logic groups to the right */
	{ "false && true || true", 0 },
	{ "(false && true) || true", 1 },
	{ "true || false && false", 1 },
	{ "a.int == 1 && a.bool || a.bool", 0 },
	{ "(a.int == 1 && a.bool) || a.bool", 1 },
	{ "a.bool && a.int == 1 || a.int == 42", 1 },
	{ "a.bool || a.int == 1 && a.int == 2", 1 },
	{ "a.int == 1 || a.bool && a.int == 2 || a.bool", 1 },
	/* flavours */
	{ "a.str == ~\"he*o\"", 1 },
	{ "~\"he*o\" == a.str", 1 },
	{ "a.str == \"he*o\"", 0 },
	{ "a.str =~ \"he*o\"", 1 },
	{ "a.str !~ \"he*o\"", 0 },
	{ "a.str == r\"^h.*o$\"", 1 },
	{ "a.str in [\"x\", r\"^hel\"]", 1 },
	{ "a.str in [\"he*\"]", 0 },
	{ "\"hello\" == ~\"he*\"", 1 },
	{ "\"he*\" == ~\"he*\"", 1 },
	{ "${s} =~ \"he*\"", 1 },
	{ "${s} == a.str", 1 },
	{ "a.path =~ \"/usr/*\"", 0 },
	{ "a.path =~ \"/usr/**\"", 1 },
	{ "a.plain.path =~ \"/mnt/*\"", 1 }, /* no glob: * crosses the slash */
	{ "a.ext == \"sh\"", 1 },
	{ "a.ext in [\"py\", \".sh\"]", 1 },
	{ "a.ext =~ \"s*\"", 1 },
	{ "a.host == \"fOO.example.COM\"", 1 },
	{ "a.host =~ \"foo.*\"", 1 },
	{ "a.host == r\"EXAMPLE\"", 1 },
	{ "a.host == ${s}", 0 },
	{ "a.host in [\"FOO.EXAMPLE.COM\"]", 1 },
	{ "a.host == \"%{a.host}\"", 1 },
	/* alternatives: any may match, negation applies to the whole */
	{ "a.link == \"/etc/alternatives/vi\"", 1 },
	{ "a.link != \"/etc/alternatives/vi\"", 0 },
	{ "a.link =~ \"/usr/**\"", 1 },
	{ "a.link !~ \"/usr/**\"", 0 },
	{ "a.link in [\"/x\", \"/usr/bin/vi\"]", 1 },
	{ "\"%{a.link}\" == \"/usr/bin/vi\"", 1 },
	/* lists: positive is "any", negative is "not any" */
	{ "a.list == \"two\"", 1 },
	{ "a.list != \"two\"", 0 },
	{ "a.list != \"four\"", 1 },
	{ "a.list =~ \"t*\"", 1 },
	{ "a.list !~ \"t*\"", 0 },
	{ "a.list in [\"three\", \"x\"]", 1 },
	{ "a.list not in [\"three\", \"x\"]", 0 },
	{ "a.list in a.list", 1 },
	{ "\"two\" in a.list", 1 },
	{ "~\"tw*\" in a.list", 1 },
	{ "r\"^t\" not in a.list", 0 },
	{ "a.str in ${list}", 0 },
	{ "a.none == \"x\"", 0 },
	{ "a.none != \"x\"", 1 },
	{ "a.none in [\"x\"]", 0 },
	{ "a.none not in [\"x\"]", 1 },
	{ "a.ints > 25", 1 },
	{ "25 > a.ints", 1 },
	{ "5 > a.ints", 0 },
	{ "a.ints != 20", 0 },
	{ "a.ints in [1, 20]", 1 },
	{ "a.ints allin [20]", 1 }, /* "any" but for addresses */
	{ "a.int in ${ints}", 0 },
	{ "${ints} in a.ints", 1 },
	{ "a.bools == false", 0 },
	{ "true in a.bools", 1 },
	{ "a.bool in [true, false]", 1 },
	/* elements */
	{ "a.list[1] == \"two\"", 1 },
	{ "a.list[7] == \"\"", 1 },
	{ "a.ints[2] + 1 == 31", 1 },
	{ "%{a.list.length} == 3", 1 },
	{ "%{a.str.length} == 5", 1 },
	{ "${list.length} == 3", 1 },
	{ "${s.length} == 5", 1 },
	/* texts */
	{ "\"${s} ${n} ${list}\" == \"hello 42 one,two,three\"", 1 },
	{ "\"${ip}/%{a.ip}\" == \"10.0.0.0/8/192.168.0.1\"", 1 },
	{ "\"${ints}\" == \"10,20,30\"", 1 },
	{ "\"${process.x}\" == \"\"", 1 },
	{ "\"${unclosed\" == \"${unclosed\"", 1 },
	{ "\"${}$%{\" == \"${}$%{\"", 1 },
	{ "a.str in [\"${s}\"]", 0 }, /* members are not interpolated */
	/* numbers */
	{ "a.int & 2 | 1 == 42 & 3", 1 },
	{ "1 - 2 - 3 == -4", 1 },
	{ "10 - (2 - 3) == 11", 1 },
	{ "9223372036854775807 + 1 < 0", 1 },
	{ "-9223372036854775808 == 0 - -9223372036854775808", 1 },
	{ "6 & 3 | 8 == 2", 1 }, /* 6 & (3 | 8) */
	{ "a.int == B | C", 0 },
	{ "EPERM == -1", 1 },
	/* time: the age, unless it is calculated */
	{ "a.time < 11s", 1 },
	{ "a.time > 9s", 1 },
	{ "a.time < 9s", 0 },
	{ "a.time == 10s", 1 },
	{ "a.never > 90s", 1 },
	{ "a.never < 1s", 0 },
	{ "a.time + 0 < 9s", 0 },
	{ "a.time - a.time < 1ms", 1 },
	{ "10s + 40s == 50s", 1 },
	{ "5s < 10s", 0 },
	{ "a.time < 5s + 6s", 1 },
	/* addresses */
	{ "a.ip == 192.168.0.1", 1 },
	{ "a.ip in 192.168.0.0/16", 1 },
	{ "a.ip in [10.0.0.1, ::ffff:192.168.0.1]", 1 },
	{ "a.noip in 0.0.0.0/0", 0 },
	{ "a.noip == 0.0.0.0", 0 },
	{ "a.noip not in ::/0", 1 },
	{ "a.ips allin 10.0.0.0/8", 1 },
	{ "a.ips allin [10.0.0.0/8, 10.0.0.1]", 0 },
	{ "a.noips allin 0.0.0.0/0", 0 },
	{ "a.noips not in 0.0.0.0/0", 1 },
	{ "10.0.0.0/8 in a.ips", 1 },
	{ "a.ips == 10.0.0.2", 1 },
	{ "a.ips == 10.0.0.0/8", 0 }, /* contains the base address: no */
	{ "a.ips != 10.0.0.9", 1 },
	/* iterators: each use alone, or one element for all */
	{ "it.str == \"AAA\" && it.int == 30", 1 },
	{ "it[X].str == \"AAA\" && it[X].int == 30", 0 },
	{ "it[X].str == \"CCC\" && it[X].int == 30", 1 },
	{ "it[X].int != 10", 1 },
	{ "it.int != 10", 0 },
	{ "it[X].str == \"BBB\" && it.int == 10", 1 },
	{ "it[X].list == \"y\" && it[X].str == \"BBB\"", 1 },
	{ "it[X].list == \"y\" && it[X].str == \"AAA\"", 0 },
	{ "it.list == \"z\"", 1 },
	{ "it[X].bool && it[X].int == 20", 1 },
	{ "!it[X].bool && it[X].int == 20", 0 },
	{ "it[X].int + 1 == 31", 1 },
	{ "\"%{it[X].str}\" == \"BBB\"", 1 },
	{ "it.length == 3", 1 },
	{ "true || no[X].int == 1", 0 },
	{ "no.int != 1", 1 },
	/* what fails, and what is not asked */
	{ "fail.dear == 0", -EIO },
	{ "fail.dear == 0 && a.int == 1", 0 },
	{ "fail.dear == 0 || a.int == 42", 1 },
	{ "fail.dear == 0 && a.int == 42", -EIO },
	{ "fail.cheap == 0 && a.int == 1", -EIO },
	{ "fail.cheap == 0 || a.int == 42", -EIO },
	{ "fail.cheap != 0 || a.int == 42", -EIO },
	{ "!(fail.cheap == 0)", -EIO },
	{ "false && fail.cheap == 0", 0 },
	{ "fail.cheap == 0 && false", 0 },
	{ "fail.type == 0", -EPROTO },
	{ "fail.list == 10", -EPROTO },
	{ "fail.scalar == 1", -EPROTO },
};

ROWS_TEST(secl_eval, rows, eval_rows)
{
	struct secl_error error = { 0 };
	int have = test_eval(NULL, r->text, &error);

	cr_expect_eq(have, r->want, "%s: %d, not %d (%s)", r->text, have, r->want, error.err.text);
}

static const struct refused_row {
	const char *text, *says;
	unsigned column;
} refused_rows[] = {
	{ "a.int == \"x\"", "int or int array or duration expected", 10 },
	{ "a.str == 3", "string expected", 10 },
	{ "3 == a.str", "expected", 6 },
	{ "a.bool == 1", "bool expected", 11 },
	{ "\"x\" == a.list", "string expected", 8 },
	{ "true == a.bools", "bool expected", 9 },
	{ "a.ints == a.ints", "expected on the right of int array ==", 11 },
	{ "a.list == a.list", "string expected", 11 },
	{ "a.ips < 10.0.0.1", "does not apply", 7 },
	{ "a.int =~ \"x\"", "does not apply", 7 },
	{ "a.time != 5s", "int or int array expected", 11 },
	{ "a.ints + 1 == 2", "expected an int, found an int array", 1 },
	{ "a.str + 1 == 2", "expected an int", 1 },
	{ "!a.int", "expected a bool", 2 },
	{ "a.bools && true", "found a bool array", 1 },
	{ "a.int", "must be a bool", 1 },
	{ "a.str in [1]", "expected", 10 },
	{ "a.int in [\"x\"]", "expected", 10 },
	{ "a.bools in [true]", "does not apply", 9 },
	{ "a.str == A", "string expected", 10 },
	{ "a.int in [A, true]", "one type", 14 },
	{ "a.int in [A, a.int]", "no constant", 14 },
	{ "a.str =~ a.empty", "literal pattern", 10 },
	{ "a.str =~ \"x${s}*\"", "literal pattern", 10 },
	{ "a.str =~ \"a**b\"", "**", 10 },
	{ "a.path =~ \"/a/**/b/**\"", "only once", 11 },
	{ "a.path == r\"x\"", "regexps are refused", 11 },
	{ "a.path in [\"/x\", r\"x\"]", "regexps are refused", 18 },
	{ "a.path == \"x\"", "absolute", 11 },
	{ "a.path == \"/x/\"", "not clean", 11 },
	{ "a.path == \"/x//y\"", "not clean", 11 },
	{ "a.path == \"/x/../y\"", "not clean", 11 },
	{ "a.path == \"/./y\"", "not clean", 11 },
	{ "a.path == \"~/y\"", "not expanded", 11 },
	{ "a.path =~ \"*\"", "no path", 11 },
	{ "\"/x/\" == a.path", "not clean", 1 },
	{ "a.plain.path == \"x\"", "absolute", 17 },
	{ "a.short == \"abcde\"", "4 bytes", 12 },
	{ "a.ret == 0", "EPERM and EACCES", 10 },
	{ "a.ret in [-1, 5]", "EPERM and EACCES", 10 },
	{ "a.strx == \"x\"", "did you mean \"a.str\"", 1 },
	{ "nothing", "unknown field", 1 },
	{ "${unknown} == 1", "unknown variable", 1 },
	{ "a.str == \"${unknown}\"", "unknown variable", 10 },
	{ "a.str == \"${b}\"", "is a bool", 10 },
	{ "%{a.int.length} == 1", ".length is for", 1 },
	{ "one.x == 1 && two.x == 2", "event type", 15 },
	{ "true || one.x == 1 && two.x == 2", "event type", 23 },
	{ "it[_].int == 1", "_", 1 },
	{ "it[].int == 1", "no name", 1 },
	{ "it[1].int == 1", "must be a name", 1 },
	{ "it[a.b].int == 1", "must be a name", 1 },
	{ "it[X].int == 1 && it[Y].int == 1", "one register", 19 },
	{ "it[X].int == 1 && no[X].int == 1", "another iterator", 19 },
	{ "it.int[X] == 1", "expected a field behind", 1 },
	{ "a[X].int == 1", "no iterator", 1 },
	{ "a.int[X].b == 1", "unknown field", 1 },
	{ "a.str[0] == \"h\"", "no array", 1 },
	{ "a.list[99999999999] == \"h\"", "too large", 1 },
	{ "a.str == r\"(\"", "regexp", 10 },
	{ "a.str in [\"x\", r\"a++\"]", "regexp", 16 },
	{ "a.host == r\"(?=x)\"", "look-ahead", 11 },
};

ROWS_TEST(secl_types, refused, refused_rows)
{
	struct secl_error error = { 0 };
	int have = test_eval(NULL, r->text, &error);

	cr_expect_eq(have, -EINVAL, "%s: %d", r->text, have);
	cr_expect(strstr(error.err.text, r->says) != NULL, "%s: %s", r->text, error.err.text);
	cr_expect_eq(error.column, r->column, "%s: column %u", r->text, error.column);
}

Test(secl_types, places_count_lines)
{
	struct secl_error error = { 0 };

	cr_expect_eq(test_eval(NULL, "a.bool && # one\n  a.int ==\n\t\"x\"", &error), -EINVAL);
	cr_expect_eq(error.line, 3);
	cr_expect_eq(error.column, 2);
	cr_expect_str_eq(error.source, " \"x\"");
}

/* ---- macros ---------------------------------------------------------------------- */

static struct secl_macros *declared(void)
{
	static const char *const values[] = { "hello", "/usr/bin/*" };
	struct secl_macros *macros;
	struct secl_options options;
	struct secl_error error;

	cr_assert_eq(secl_macros_new(&macros), 0);
	options = test_options(macros);
	cr_assert_eq(secl_macros_add(macros, &options, "LIST", "[\"hello\", ~\"/usr/*\"]", &error),
		     0);
	cr_assert_eq(secl_macros_add(macros, &options, "FLAGS", "B | C", &error), 0);
	cr_assert_eq(secl_macros_add(macros, &options, "IS", "a.str in LIST", &error), 0);
	cr_assert_eq(secl_macros_add(macros, &options, "NETS", "[10.0.0.0/8, 9.9.9.9]", &error), 0);
	cr_assert_eq(secl_macros_add(macros, &options, "B", "\"hidden\"", &error), 0);
	cr_assert_eq(secl_macros_add(macros, &options, "REG", "it[X].int == 20", &error), 0);
	cr_assert_eq(secl_macros_add_values(macros, &options, "VALUES", values, 2,
					    SECL_COMBINE_NONE, &error),
		     0);
	cr_assert_eq(secl_macros_add_values(macros, &options, "EMPTY", NULL, 0, SECL_COMBINE_NONE,
					    &error),
		     0);
	return macros;
}

static const struct eval_row macro_rows[] = {
	{ "a.str in LIST", 1 },
	{ "a.str not in LIST", 0 },
	{ "LIST in a.list", 0 },
	{ "IS", 1 },
	{ "!IS", 0 },
	{ "a.int & FLAGS > 0", 1 }, /* a.int & (B | C) */
	{ "2 & FLAGS == 2", 1 },
	{ "a.ips in NETS", 1 },
	{ "NETS allin a.ips", 0 },
	{ "a.int & B == 2", 1 }, /* the constant hides the macro */
	{ "REG && it[X].str == \"BBB\"", 1 },
	{ "REG && it[X].str == \"AAA\"", 0 },
	{ "a.str in VALUES", 1 },
	{ "a.plain.path in VALUES", -EINVAL }, /* "hello" is no path */
	{ "a.path in LIST", -EINVAL },
	{ "a.str in EMPTY", 0 },
	{ "a.list not in EMPTY", 1 },
	{ "a.str in B", -EINVAL }, /* behind in the macro comes first: a string */
	{ "a.int in FLAGS", -EINVAL },
	{ "a.str in [LIST]", -EINVAL },
	{ "LISTS == 1", -EINVAL },
};

ROWS_TEST(secl_macro, uses, macro_rows)
{
	struct secl_macros *macros = declared();
	struct secl_error error = { 0 };
	int have = test_eval(macros, r->text, &error);

	cr_expect_eq(have, r->want, "%s: %d, not %d (%s)", r->text, have, r->want, error.err.text);
	secl_macros_free(macros);
}

Test(secl_macro, flavours_are_read_anew_for_every_field)
{
	struct secl_macros *macros;
	struct secl_options options;
	struct secl_error error = { 0 };

	cr_assert_eq(secl_macros_new(&macros), 0);
	options = test_options(macros);
	cr_expect_eq(secl_macros_add(macros, &options, "P", "[~\"/usr/*\"]", &error), 0);
	cr_expect_eq(test_eval(macros, "a.path in P", &error), 0); /* a glob: * ends at / */
	cr_expect_eq(secl_macros_add(macros, &options, "Q", "[~\"/mnt/*\"]", &error), 0);
	cr_expect_eq(test_eval(macros, "a.plain.path in Q", &error), 1);
	secl_macros_free(macros);
}

Test(secl_macro, errors_name_macro_and_use)
{
	struct secl_macros *macros = declared();
	struct secl_options options = test_options(macros);
	struct secl_error error = { 0 };

	cr_expect_eq(test_eval(macros, "true &&\na.path in LIST", &error), -EINVAL);
	cr_expect_eq(error.line, 2);
	cr_expect_eq(error.column, 11);
	cr_expect(strstr(error.err.text, "hello") != NULL, "%s", error.err.text);
	cr_expect_eq(test_eval(macros, "LISTX == 1", &error), -EINVAL);
	cr_expect(strstr(error.err.text, "did you mean \"LIST\"") != NULL, "%s", error.err.text);

	/* only what was declared before */
	cr_expect_eq(secl_macros_add(macros, &options, "X", "LATER && true", &error), -EINVAL);
	cr_expect_eq(secl_macros_add(macros, &options, "X", "X && true", &error), -EINVAL);
	cr_expect_eq(secl_macros_add(macros, &options, "LIST", "true", &error), -EEXIST);
	cr_expect_eq(secl_macros_add(macros, &options, "", "true", &error), -EINVAL);
	cr_expect_eq(secl_macros_add(macros, &options, "a b", "true", &error), -EINVAL);
	cr_expect_eq(secl_macros_add(macros, &options, "R", "[r\"(?=x)\"]", &error), -EINVAL);
	cr_expect_eq(secl_macros_add(macros, &options, "E", "", &error), -EINVAL);
	secl_macros_free(macros);
}

Test(secl_macro, values_combine)
{
	static const char *const more[] = { "one", "hello" }, *const other[] = { "x" };
	struct secl_macros *macros = declared();
	struct secl_options options = test_options(macros);
	struct secl_error error = { 0 };

	cr_expect_eq(test_eval(macros, "a.list in VALUES", &error), 0);
	cr_expect_eq(secl_macros_add_values(macros, &options, "VALUES", more, 2, SECL_COMBINE_NONE,
					    &error),
		     -EEXIST);
	cr_expect_eq(secl_macros_add_values(macros, &options, "VALUES", more, 2, SECL_COMBINE_MERGE,
					    &error),
		     0);
	cr_expect_eq(test_eval(macros, "a.list in VALUES && a.str in VALUES", &error), 1);
	cr_expect_eq(secl_macros_add_values(macros, &options, "VALUES", other, 1,
					    SECL_COMBINE_OVERRIDE, &error),
		     0);
	cr_expect_eq(test_eval(macros, "a.list in VALUES || a.str in VALUES", &error), 0);
	cr_expect_eq(secl_macros_add_values(macros, &options, "LIST", more, 2, SECL_COMBINE_MERGE,
					    &error),
		     -EINVAL);
	secl_macros_free(macros);
}

/* ---- what an expression is about --------------------------------------------------- */

static void count_fields(void *data, const struct secl_field *field)
{
	(void)field;
	++*(size_t *)data;
}

Test(secl_expr, says_what_it_needs)
{
	struct secl_options options = test_options(NULL);
	struct secl_error error;
	struct secl_expr *expr;
	size_t fields = 0;
	bool array;

	/* what folding leaves out counts still: it decides the event type */
	cr_assert_eq(secl_compile(&options,
				  "true || one.x == 1 || a.str == \"x\" || a.str == \"y\"", &expr,
				  &error),
		     0);
	cr_expect_eq(secl_expr_event(expr), 1);
	cr_expect_neq(secl_expr_needs(expr), 0);
	cr_expect_eq(secl_expr_type(expr, &array), SECL_BOOL);
	cr_expect_not(array);
	secl_expr_fields(expr, count_fields, &fields);
	cr_expect_eq(fields, 2);
	secl_expr_free(expr);
	secl_expr_free(NULL);
}

static const struct value_row {
	const char *text;
	enum secl_type type;
	bool array;
	const char *string;
	int64_t integer;
} value_rows[] = {
	{ "a.str", SECL_STRING, false, "hello", 0 },
	{ "\"x_${s}\"", SECL_STRING, false, "x_hello", 0 },
	{ "a.link", SECL_STRING, false, "/usr/bin/vi", 0 },
	{ "${n} + 1", SECL_INT, false, NULL, 43 },
	{ "a.list", SECL_STRING, true, NULL, 3 },
	{ "it[X].str", SECL_STRING, false, "AAA", 0 },
	{ "no[X].int", SECL_INT, false, NULL, 0 },
	{ "a.int == 42", SECL_BOOL, false, NULL, 1 },
};

ROWS_TEST(secl_expr, values, value_rows)
{
	struct secl_options options = test_options(NULL);
	struct arena scratch;
	struct secl_context ctx = { .schema = &test_schema,
				    .scratch = &scratch,
				    .vars = &test_vars };
	struct secl_error error = { 0 };
	struct secl_expr *expr;
	struct secl_value v;
	bool array;

	options.want_bool = false;
	cr_assert_eq(secl_compile(&options, r->text, &expr, &error), 0, "%s: %s", r->text,
		     error.err.text);
	cr_assert_eq(arena_init(&scratch, 65536), 0);
	cr_expect_eq(secl_expr_type(expr, &array), r->type);
	cr_expect_eq(array, r->array);
	cr_assert_eq(secl_eval_value(expr, &ctx, &v), 0);
	cr_expect_eq(v.type, r->type);
	cr_expect_eq(v.array, r->array);
	if (r->string) {
		cr_expect_eq(v.string.size, strlen(r->string));
		cr_expect_eq(memcmp(v.string.text, r->string, v.string.size), 0);
	} else if (r->array) {
		cr_expect_eq(v.list.count, (size_t)r->integer);
	} else {
		cr_expect_eq(r->type == SECL_BOOL ? v.boolean : v.integer, r->integer);
	}
	arena_done(&scratch);
	secl_expr_free(expr);
}

/* Evaluation has no memory but its scratch: a full one is an error, not false. */
Test(secl_expr, a_full_arena_is_an_error)
{
	struct secl_options options = test_options(NULL);
	struct arena scratch;
	struct secl_context ctx = { .schema = &test_schema,
				    .scratch = &scratch,
				    .vars = &test_vars };
	struct secl_error error;
	struct secl_expr *expr;

	cr_assert_eq(secl_compile(&options, "a.str == \"x${s}\"", &expr, &error), 0);
	cr_assert_eq(arena_init(&scratch, 4096), 0);
	cr_assert_not_null(arena_alloc(&scratch, 4090));
	cr_expect_eq(secl_eval(expr, &ctx), -ENOMEM);
	secl_expr_free(expr);
	cr_assert_eq(secl_compile(&options, "a.str == r\"l+\"", &expr, &error), 0);
	cr_expect_eq(secl_eval(expr, &ctx), -ENOMEM);
	secl_expr_free(expr);
	arena_done(&scratch);
}
