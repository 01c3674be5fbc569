/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Texts to tokens and to shapes: lex.c and parse.c. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "secl/ast.h"
#include "secl/lex.h"
#include "rows.h"

/* ---- tokens ------------------------------------------------------------------ */

static const char *const kind_names[] = {
	[TOKEN_CIDR] = "cidr",     [TOKEN_IP] = "ip",        [TOKEN_VARIABLE] = "var",
	[TOKEN_REFERENCE] = "ref", [TOKEN_DURATION] = "dur", [TOKEN_REGEXP] = "re",
	[TOKEN_IDENT] = "id",      [TOKEN_STRING] = "str",   [TOKEN_PATTERN] = "pat",
	[TOKEN_INT] = "int",       [TOKEN_PUNCT] = "",
};

/* "id:x = = int:5", or "error". */
static void tokens(const char *text, char *buf, size_t size)
{
	struct secl_error error;
	struct lexer lexer = { .source = { text, strlen(text), &error } };
	struct token t;
	size_t n = 0;

	buf[0] = '\0';
	for (;;) {
		if (lex_next(&lexer, &t) < 0) {
			(void)snprintf(buf + n, size - n, "%serror", n > 0 ? " " : "");
			return;
		}
		if (t.kind == TOKEN_END)
			return;
		n += (size_t)snprintf(buf + n, size - n, "%s%s%s", n > 0 ? " " : "",
				      kind_names[t.kind], *kind_names[t.kind] ? ":" : "");
		if (t.kind == TOKEN_INT || t.kind == TOKEN_DURATION)
			n += (size_t)snprintf(buf + n, size - n, "%" PRId64, t.integer);
		else
			n += (size_t)snprintf(buf + n, size - n, "%.*s", (int)t.size, t.text);
	}
}

static const struct token_row {
	const char *text, *want;
} token_rows[] = {
	{ "", "" },
	{ " \t\n", "" },
	{ "a.b == 5 # x == 6\n&& c // d", "id:a.b = = int:5 & & id:c" },
	{ "\"http://x#y\"", "str:http://x#y" },
	{ "a\r", "id:a error" },
	{ "a\f", "id:a error" },
	{ "10.0.0.1/8", "cidr:10.0.0.1/8" },
	{ "10.0.0.1//c", "ip:10.0.0.1" },
	{ "10.0.0.1/33", "error" },
	{ "300.0.0.1", "error" },
	{ "::1", "ip:::1" },
	{ "::", "error" },
	{ "::/0", "cidr:::/0" },
	{ "::ffff:192.168.0.1", "ip:::ffff:192.168.0.1" },
	{ "0:0:0:0:0:ffff:1.2.3.4", "ip:0:0:0:0:0:ffff:1.2.3.4" },
	{ "fe80::1%eth0", "ip:fe80::1 % id:eth0" },
	{ "2001:db8::/129", "error" },
	{ "1:2:3:4:5:6:7:8:9", "error" },
	{ "1.2.3", "int:1 error" },
	{ "${x}", "var:x" },
	{ "${process.pid}", "var:process.pid" },
	{ "${1}", "error" },
	{ "${x", "error" },
	{ "$x", "error" },
	{ "%{process.ancestors[A].comm}", "ref:process.ancestors[A].comm" },
	{ "%{}", "% error" },
	{ "5s", "dur:5000000000" },
	{ "7ms", "dur:7000000" },
	{ "2m", "dur:120000000000" },
	{ "1h", "dur:3600000000000" },
	{ "5mss", "error" },
	{ "3hs", "error" },
	{ "5us", "int:5 id:us" },
	{ "1h30m", "dur:3600000000000 dur:1800000000000" },
	{ "9999999999h", "error" },
	{ "r\"\\d\\\"x\"", "re:\\d\\\"x" },
	{ "r \"x\"", "id:r str:x" },
	{ "r\"x", "error" },
	{ "~\"x*\"", "pat:x*" },
	{ "=~ \"x\"", "= ~ str:x" },
	{ "=~\"x\"", "= pat:x" },
	{ "\"a\\\"b\"", "str:a\\\"b" },
	{ "\"a\nb\"", "str:a\nb" },
	{ "\"a\\\\\"", "str:a\\\\" },
	{ "\"a", "error" },
	{ "\"a\\\"", "error" },
	{ "'a'", "error" },
	{ "-5 + 3 - 2", "int:-5 + int:3 - int:2" },
	{ "x-1", "id:x int:-1" },
	{ "--3", "- int:-3" },
	{ "0x10", "int:0 id:x10" },
	{ "9223372036854775807", "int:9223372036854775807" },
	{ "-9223372036854775808", "int:-9223372036854775808" },
	{ "9223372036854775808", "error" },
	{ "process.ancestors[A].comm", "id:process.ancestors[A].comm" },
	{ "exec.argv[0]", "id:exec.argv[0]" },
	{ "a[ 0 ]", "id:a[ int:0 ]" },
	{ "[A,B]", "[ id:A , id:B ]" },
	{ "[a[0],b]", "[ id:a[0] , id:b ]" },
	{ "x;y", "id:x error" },
	{ "x*y", "id:x error" },
	{ "\xc3\xa4", "error" },
};

ROWS_TEST(secl_lex, tokens, token_rows)
{
	char have[512];

	tokens(r->text, have, sizeof have);
	cr_expect_str_eq(have, r->want, "%s: %s, not %s", r->text, have, r->want);
}

/* ---- shapes --------------------------------------------------------------------- */

static size_t dump(const struct ast *a, char *buf, size_t size);

static size_t dump_members(const struct ast *a, char *buf, size_t size)
{
	size_t n = 0;

	for (const struct ast *m = a->first; m; m = m->next) {
		n += dump(m, buf + n, size - n);
		if (m->link != OP_NONE)
			n += (size_t)snprintf(buf + n, size - n, " %s ", ast_op_text(m->link));
		else if (m->next)
			n += (size_t)snprintf(buf + n, size - n, ",");
	}
	return n;
}

/* Everything that is not a token in braces. */
static size_t dump(const struct ast *a, char *buf, size_t size)
{
	size_t n = 0;

	switch (a->kind) {
	case AST_INT:
	case AST_DURATION: return (size_t)snprintf(buf, size, "%" PRId64, a->integer);
	case AST_NET: return (size_t)snprintf(buf, size, "net");
	case AST_UNARY:
		n = (size_t)snprintf(buf, size, "{%s ", ast_op_text(a->op));
		n += dump(a->left, buf + n, size - n);
		break;
	case AST_COMPARE:
		n = (size_t)snprintf(buf, size, "{");
		n += dump(a->left, buf + n, size - n);
		n += (size_t)snprintf(buf + n, size - n, " %s ", ast_op_text(a->op));
		n += dump(a->right, buf + n, size - n);
		break;
	case AST_SUM:
	case AST_BITS:
	case AST_LOGIC:
	case AST_STRING_LIST:
	case AST_NET_LIST:
	case AST_INT_LIST:
	case AST_IDENT_LIST:
		n = (size_t)snprintf(buf, size, "{");
		n += dump_members(a, buf + n, size - n);
		break;
	default: return (size_t)snprintf(buf, size, "%.*s", (int)a->string.size, a->string.text);
	}
	return n + (size_t)snprintf(buf + n, size - n, "}");
}

static const struct shape_row {
	const char *text, *want; /* want NULL = syntax error */
} shape_rows[] = {
	{ "a", "a" },
	{ "a && b || c", "{a && b || c}" },
	{ "(a && b) || c", "{{a && b} || c}" },
	{ "a and b or c", "{a && b || c}" },
	{ "a & & b", "{a && b}" },
	{ "a & b && c", "{{a & b} && c}" },
	{ "f & X > 0", "{{f & X} > 0}" },
	{ "1 == 1 & 1", "{1 == {1 & 1}}" },
	{ "a + b & c - d", "{a + {b & c} - d}" },
	{ "a & b | c ^ d", "{a & b | c ^ d}" },
	{ "not a && b", "{{! a} && b}" },
	{ "!a.b == c", "{{! a.b} == c}" },
	{ "!!a", "{! {! a}}" },
	{ "not(a)", "{! a}" },
	{ "- - 3", "{- {- 3}}" },
	{ "^0 == -1", "{{^ 0} == -1}" },
	{ "a == b == c", "{a == {b == c}}" },
	{ "a = = b", "{a == b}" },
	{ "a ! ~ b", "{a !~ b}" },
	{ "a > = b", "{a >= b}" },
	{ "a in b", "{a in b}" },
	{ "a not in [1,2]", "{a not in {1,2}}" },
	{ "a allin [1.1.1.1, ::1/128]", "{a allin {net,net}}" },
	{ "a in [\"x\", ~\"y\", r\"z\"]", "{a in {x,y,z}}" },
	{ "a in [A,B]", "{a in {A,B}}" },
	{ "a in ${v} || b", "{{a in v} || b}" },
	{ "a in 10.0.0.0/8", "{a in net}" },
	{ "a in []", NULL },
	{ "a in [1,]", NULL },
	{ "a in [1 2]", NULL },
	{ "a in [1, \"x\"]", NULL },
	{ "a in [5s]", NULL },
	{ "a in [${v}]", NULL },
	{ "a in \"x\"", NULL },
	{ "a in 5", NULL },
	{ "a in 10.0.0.1", NULL },
	{ "a in (b)", NULL },
	{ "a in b == c", NULL },
	{ "a =~\"x\"", NULL },
	{ "a = b", NULL },
	{ "a !b", NULL },
	{ "5 -2", NULL },
	{ "x +3s", NULL },
	{ "a b", NULL },
	{ "(a", NULL },
	{ "a)", NULL },
	{ "()", NULL },
	{ "[1]", NULL },
	{ "a &&", NULL },
	{ "&& a", NULL },
	{ "", NULL },
	{ "# nothing", NULL },
};

ROWS_TEST(secl_parse, shapes, shape_rows)
{
	struct secl_error error = { 0 };
	struct source source = { r->text, strlen(r->text), &error };
	struct pool pool = { 0 };
	struct ast *ast;
	char have[512] = "";

	if (ast_parse(&source, false, &pool, &ast) < 0) {
		cr_expect_null(r->want, "%s: %s", r->text, error.err.text);
		cr_expect_gt(error.line, 0);
		cr_expect_gt(strlen(error.err.text), 0);
	} else {
		dump(ast, have, sizeof have);
		cr_expect_str_eq(have, r->want ? r->want : "(an error)", "%s: %s", r->text, have);
	}
	pool_done(&pool);
}

Test(secl_parse, a_macro_may_be_a_list)
{
	struct secl_error error;
	struct source source = { "[1, 2]", 6, &error };
	struct pool pool = { 0 };
	struct ast *ast;

	cr_expect_eq(ast_parse(&source, true, &pool, &ast), 0);
	cr_expect_eq(ast->kind, AST_INT_LIST);
	cr_expect_eq(ast_parse(&source, false, &pool, &ast), -EINVAL);
	pool_done(&pool);
}

/* ---- places ----------------------------------------------------------------------- */

Test(secl_error, names_line_column_and_shows_the_place)
{
	static const char text[] = "a &&\n\t(b\x01 &\x1b[2J& == c";
	struct secl_error error = { 0 };
	struct source source = { text, sizeof text - 1, &error };
	char shown[512];

	cr_expect_eq(source_error(&source, 8, "bad \x1b[0m %s", "thing"), -EINVAL);
	cr_expect_eq(error.line, 2);
	cr_expect_eq(error.column, 4);
	cr_expect_str_eq(error.err.text, "bad \\x1b[0m thing");
	secl_error_show(&error, shown, sizeof shown);
	cr_expect_str_eq(shown, " (b? &?[2J& == c\n   ^");
}

Test(secl_error, shows_a_part_of_a_long_line)
{
	struct secl_error error = { 0 };
	char text[2000], shown[600];
	struct source source = { text, sizeof text, &error };

	memset(text, 'x', sizeof text);
	text[1500] = '!';
	(void)source_error(&source, 1500, "here");
	cr_expect_eq(error.column, 1501);
	cr_expect_eq(error.source[error.caret], '!');
	cr_expect_lt(strlen(error.source), sizeof error.source);
	secl_error_show(&error, shown, sizeof shown);
	cr_expect_eq(shown[strlen(shown) - 1], '^');
	(void)source_error(&source, 5000, "behind the end");
	cr_expect_leq(error.caret, strlen(error.source));
}
