/* SPDX-License-Identifier: GPL-3.0-or-later */
/* err.c, arena.c and util.c: what everything else is built on. */
#include "config.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <fcntl.h>

#include "base/arena.h"
#include "base/err.h"

struct text_row {
	char in[32], want[64];
};

ParameterizedTestParameters(err, escapes)
{
	static struct text_row rows[] = {
		{ "plain", "plain" },
		{ "a\nb\033[2J", "a\\x0ab\\x1b[2J" },
		{ "\x7f", "\\x7f" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "\xff\xc3", "\\xff\\xc3" },          /* not UTF-8, cut off */
		{ "\xc0\xaf", "\\xc0\\xaf" },          /* overlong */
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" }, /* surrogate */
		{ "\xc2\x9b"
		  "1m",
		  "\\xc2\\x9b1m" }, /* C1 control */
		{ "\xe2\x80\xae"
		  "x",
		  "\\xe2\\x80\\xaex" }, /* right-to-left override */
	};
	return cr_make_param_array(struct text_row, rows, ELEMENTS(rows));
}

ParameterizedTest(struct text_row *r, err, escapes)
{
	struct err err = { 0 };

	cr_expect_eq(err_set(&err, -EINVAL, "%s", r->in), -EINVAL);
	cr_expect_str_eq(err.text, r->want);
	cr_expect_eq(err.code, -EINVAL);
}

Test(err, is_bounded_and_may_be_absent)
{
	char big[5000];
	struct err err;

	memset(big, '\n', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	cr_expect_eq(err_set(&err, -E2BIG, "%s", big), -E2BIG);
	cr_expect_lt(strlen(err.text), sizeof err.text);
	cr_expect_eq(err_set(NULL, -EPERM, "x"), -EPERM);
	cr_expect_eq(err_errno(NULL, -EPERM, "x"), -EPERM);
}

Test(err, prefix_and_errno)
{
	struct err err;

	cr_expect_eq(err_errno(&err, -ENOENT, "cannot open %s", "x"), -ENOENT);
	cr_expect_str_eq(err.text, "cannot open x: No such file or directory");
	cr_expect_eq(err_prefix(&err, "file %d\t", 3), -ENOENT);
	cr_expect_str_eq(err.text, "file 3\\x09: cannot open x: No such file or directory");
}

Test(arena, zeroed_aligned_bounded)
{
	struct arena a;
	char *p;
	size_t mark;

	cr_assert_eq(arena_init(&a, 10000), 0);
	cr_expect_eq(a.size % 4096, 0);
	p = arena_alloc(&a, 3);
	memset(p, 1, 3);
	mark = arena_mark(&a);
	p = arena_alloc(&a, 100);
	cr_expect_eq((uintptr_t)p % 16, 0);
	memset(p, 0xff, 100);
	arena_release(&a, mark);
	p = arena_alloc(&a, 100);
	for (size_t i = 0; i < 100; i++)
		cr_expect_eq(p[i], 0);
	cr_expect_null(arena_alloc(&a, 20000));
	cr_expect_null(arena_alloc(&a, SIZE_MAX));
	cr_expect_null(arena_copy(&a, "", SIZE_MAX));
	cr_expect_str_eq(arena_copy(&a, "abcd", 2), "ab");
	arena_reset(&a);
	cr_expect_not_null(arena_alloc(&a, a.size));
	cr_expect_null(arena_alloc(&a, 1));
	cr_expect_not_null(arena_alloc(&a, 0));
	arena_done(&a);
	cr_expect_eq(arena_init(&a, SIZE_MAX), -ENOMEM);
	cr_expect_eq(arena_init(&a, 0), -ENOMEM);
}

Test(arena, pages_are_given_back)
{
	struct arena a;
	size_t size = 64 << 20;

	cr_assert_eq(arena_init(&a, size), 0);
	for (int round = 0; round < 3; round++) {
		char *p = arena_alloc(&a, size);

		cr_assert_not_null(p);
		cr_expect_eq(p[size - 1], 0);
		p[size - 1] = 1;
		arena_reset(&a);
		cr_expect_eq(a.used, 0);
	}
	arena_done(&a);
}

struct int_row {
	char text[32];
	int base, want;
	int64_t value;
};

ParameterizedTestParameters(util, parse_int64)
{
	static struct int_row rows[] = {
		{ "0", 10, 0, 0 },
		{ "-5", 10, 0, -5 },
		{ "9223372036854775807", 10, 0, INT64_MAX },
		{ "9223372036854775808", 10, -ERANGE, 0 },
		{ "0x10", 0, 0, 16 },
		{ "0x10", 10, -EINVAL, 0 },
		{ "", 10, -EINVAL, 0 },
		{ " 1", 10, -EINVAL, 0 },
		{ "1 ", 10, -EINVAL, 0 },
		{ "-", 10, -EINVAL, 0 },
	};
	return cr_make_param_array(struct int_row, rows, ELEMENTS(rows));
}

ParameterizedTest(struct int_row *r, util, parse_int64)
{
	int64_t value = 0;

	cr_expect_eq(parse_int64(r->text, r->base, &value), r->want, "%s", r->text);
	cr_expect_eq(value, r->value);
}

Test(util, read_file_keeps_its_limit)
{
	char name[] = "/tmp/guard-test-XXXXXX";
	_cleanup_close_ int fd = mkstemp(name);
	char block[9000];
	char *data = NULL;
	size_t size = 0;

	memset(block, 'x', sizeof block);
	cr_assert_eq(write_full(fd, block, sizeof block), 0);
	cr_expect_eq(read_file(name, 8999, &data, &size), -EFBIG);
	cr_assert_eq(read_file(name, 9000, &data, &size), 0);
	cr_expect_eq(size, 9000);
	cr_expect_eq(data[9000], '\0');
	free(data);
	(void)unlink(name);
	cr_expect_eq(read_file(name, 10, &data, &size), -ENOENT);
	cr_assert_eq(read_file("/proc/self/status", 1 << 20, &data, &size), 0);
	cr_expect_gt(size, 100);
	free(data);
}

Test(util, descriptors_move)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int moved = fd_move_above(fd, 200);

	cr_assert_geq(moved, 200);
	cr_expect_eq(fcntl(moved, F_GETFD), FD_CLOEXEC);
	cr_expect_eq(fcntl(fd, F_GETFD), -1);
	close(moved);
	cr_expect_eq(fd_move_above(-1, 200), -EBADF);
	cr_expect_gt(now_realtime_ns(), 1600000000000000000);
	cr_expect_gt(now_monotonic_ns(), 0);
}
