/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages of guard and the escaping under them: base/log.c, base/escape.c. */
#include "config.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdio.h>

#include "base/escape.h"
#include "base/log.h"

struct row {
	char text[24];
	size_t n;
	size_t room; /* 0 = plenty */
	char want[64];
};

ParameterizedTestParameters(escape, rows)
{
	static struct row rows[] = {
		{ "plain text", 10, 0, "plain text" },
		{ "", 0, 0, "" },
		{ "a\nb\tc", 5, 0, "a\\x0ab\\x09c" },
		{ "\0x", 2, 0, "\\x00x" },
		{ "\x1b[2J", 4, 0, "\\x1b[2J" },
		{ "\x7f", 1, 0, "\\x7f" },
		{ "a\\b", 3, 0, "a\\b" },
		{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9, 0,
		  "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" },
		{ "\xc2\x9b", 2, 0, "\\xc2\\x9b" },                   /* C1: CSI */
		{ "\xe2\x80\xae", 3, 0, "\\xe2\\x80\\xae" },          /* right-to-left override */
		{ "\xe2\x81\xa6", 3, 0, "\\xe2\\x81\\xa6" },          /* isolate */
		{ "\xe2\x80\xa8", 3, 0, "\\xe2\\x80\\xa8" },          /* line separator */
		{ "\xef\xbb\xbf", 3, 0, "\\xef\\xbb\\xbf" },          /* byte order mark */
		{ "\xf3\xa0\x81\x81", 4, 0, "\\xf3\\xa0\\x81\\x81" }, /* tag letter */
		{ "\xff", 1, 0, "\\xff" },
		{ "\xc3", 1, 0, "\\xc3" },                            /* cut */
		{ "\xc3(", 2, 0, "\\xc3(" },                          /* no continuation */
		{ "\xc0\x80", 2, 0, "\\xc0\\x80" },                   /* overlong */
		{ "\xe0\x80\xaf", 3, 0, "\\xe0\\x80\\xaf" },          /* overlong */
		{ "\xed\xa0\x80", 3, 0, "\\xed\\xa0\\x80" },          /* surrogate */
		{ "\xf4\x90\x80\x80", 4, 0, "\\xf4\\x90\\x80\\x80" }, /* beyond U+10FFFF */
		{ "abcdefgh", 8, 9, "abcdefgh" },
		{ "abcdefgh", 8, 8, "abcd..." },
		{ "abc\nefgh", 8, 8, "abc..." },                 /* never half an escape */
		{ "ab\xe2\x82\xac\xe2\x82\xac", 8, 8, "ab..." }, /* never half a character */
		{ "abcdefgh", 8, 4, "..." },
		{ "abcdefgh", 8, 3, "ab" },
		{ "abcdefgh", 8, 1, "" },
	};
	return cr_make_param_array(struct row, rows, ELEMENTS(rows));
}

ParameterizedTest(struct row *r, escape, rows)
{
	char buf[64];
	size_t room = r->room > 0 ? r->room : sizeof buf;
	size_t n;

	memset(buf, 'X', sizeof buf);
	n = escape_text(buf, room, r->text, r->n);
	cr_expect_str_eq(buf, r->want);
	cr_expect_eq(n, strlen(r->want));
	if (room < sizeof buf)
		cr_expect_eq(buf[room], 'X', "wrote past the end");
}

/* What log_message() sends, NUL-terminated. */
static void logged(char *buf, size_t size, const int pipe_fds[2])
{
	ssize_t n = read(pipe_fds[0], buf, size - 1);

	buf[n < 0 ? 0 : n] = '\0';
}

Test(log, one_escaped_line)
{
	int fds[2];
	char buf[128];

	cr_assert_eq(pipe(fds), 0);
	log_set_fd(fds[1]);
	errno = EDOM;
	log_error("cannot open %s: %d", "a\nguard: all fine", 7);
	cr_expect_eq(errno, EDOM);
	logged(buf, sizeof buf, fds);
	cr_expect_str_eq(buf, "guard: cannot open a\\x0aguard: all fine: 7\n");
	log_warning("w");
	logged(buf, sizeof buf, fds);
	cr_expect_str_eq(buf, "guard: warning: w\n");
}

Test(log, level)
{
	int fds[2];
	char buf[128];

	cr_assert_eq(pipe(fds), 0);
	log_set_fd(fds[1]);
	log_debug("hidden");
	log_set_level(LOG_LEVEL_ERROR);
	log_warning("hidden");
	log_error("seen");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("seen too");
	logged(buf, sizeof buf, fds);
	cr_expect_str_eq(buf, "guard: seen\nguard: debug: seen too\n");
}

Test(log, long_line_is_cut_and_ends)
{
	int fds[2];
	static char text[10000], buf[20000];

	memset(text, '\n', sizeof text - 1);
	cr_assert_eq(pipe(fds), 0);
	log_set_fd(fds[1]);
	log_error("%s", text);
	logged(buf, sizeof buf, fds);
	cr_expect_leq(strlen(buf), 4096);
	cr_expect_str_eq(buf + strlen(buf) - 8, "\\x0a...\n");
}
