/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes in, one line of valid JSON out. Exercises base/jsonw.c. */
#include "config.h"

#include "base/jsonw.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>

/* Criterion hands rows to another process: no pointers into memory that only
 * this one has, so texts are arrays.
 */
struct text_row {
	char in[40];
	size_t size;
	char want[64];
};
#define TEXT(in_, want_)                                                                           \
	{                                                                                          \
		.in = in_, .size = sizeof(in_) - 1, .want = want_                                  \
	}

ParameterizedTestParameters(jsonw, escapes)
{
	static struct text_row rows[] = {
		TEXT("", "\"\""),
		TEXT("plain ASCII ~", "\"plain ASCII ~\""),
		TEXT("a\"b\\c/", "\"a\\\"b\\\\c/\""),
		TEXT("\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""),
		TEXT("\0x", "\"\\u0000x\""),
		TEXT("\x1b[31m", "\"\\u001b[31m\""),
		TEXT("\x7f", "\"\\u007f\""),
		TEXT("\xc2\x85", "\"\\u0085\""),
		TEXT("\xc3\xa4\xe2\x82\xac", "\"\xc3\xa4\xe2\x82\xac\""),
		TEXT("\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\""),
		TEXT("\xe2\x80\xa8\xe2\x80\xa9", "\"\\u2028\\u2029\""),
		TEXT("\xe2\x80\xae\xe2\x81\xa6\xd8\x9c\xe2\x80\x8f",
		     "\"\\u202e\\u2066\\u061c\\u200f\""),
		/* not UTF-8: stray, cut, overlong, surrogate, too large */
		TEXT("\xff", "\"\xef\xbf\xbd\""),
		TEXT("\x80z", "\"\xef\xbf\xbdz\""),
		TEXT("\xc3", "\"\xef\xbf\xbd\""),
		TEXT("\xe2\x82z", "\"\xef\xbf\xbd\xef\xbf\xbdz\""),
		TEXT("\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""),
		TEXT("\xe0\x80\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""),
		TEXT("\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""),
		TEXT("\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""),
	};
	return cr_make_param_array(struct text_row, rows, ELEMENTS(rows));
}

ParameterizedTest(struct text_row *row, jsonw, escapes)
{
	char buf[128];
	struct jsonw w;

	jsonw_init(&w, buf, sizeof buf);
	jsonw_string_n(&w, row->in, row->size);
	cr_assert_eq(jsonw_finish(&w), (ssize_t)strlen(row->want));
	cr_expect_str_eq(buf, row->want);
}

/* One line of UTF-8 that a JSON parser takes. */
static void expect_document(const char *text, ssize_t size)
{
	json_error_t error;
	json_t *json;

	cr_assert_geq(size, 0);
	for (ssize_t i = 0; i < size; i++)
		cr_assert((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
	json = json_loadb(text, (size_t)size, JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
	cr_assert_not_null(json, "%s in %s", error.text, text);
	json_decref(json);
}

Test(jsonw, every_three_bytes)
{
	char buf[64], in[4];
	struct jsonw w;

	for (unsigned i = 0; i < 256; i++) {
		for (unsigned j = 0; j < 256 * 4; j++) {
			in[0] = (char)i;
			in[1] = (char)(j / 4);
			in[2] = "\x80\xbfz\""[j % 4];
			in[3] = (char)j;
			jsonw_init(&w, buf, sizeof buf);
			jsonw_string_n(&w, in, sizeof in);
			expect_document(buf, jsonw_finish(&w));
		}
	}
}

struct max_row {
	char in[16];
	size_t max;
	char want[32];
	bool whole;
};

ParameterizedTestParameters(jsonw, cuts_before_a_whole_character)
{
	static struct max_row rows[] = {
		{ "abcdef", 6, "\"abcdef\"", true },
		{ "abcdef", 5, "\"abcde\"", false },
		{ "ab\n", 3, "\"ab\"", false },
		{ "ab\n", 4, "\"ab\\n\"", true },
		{ "ab\x01", 7, "\"ab\"", false },
		{ "ab\x01", 8, "\"ab\\u0001\"", true },
		{ "\xe2\x82\xac", 2, "\"\"", false },
		{ "\xe2\x82\xac", 3, "\"\xe2\x82\xac\"", true },
		{ "\xff\xff", 5, "\"\xef\xbf\xbd\"", false },
		{ "", 0, "\"\"", true },
		{ "a", 0, "\"\"", false },
	};
	return cr_make_param_array(struct max_row, rows, ELEMENTS(rows));
}

ParameterizedTest(struct max_row *row, jsonw, cuts_before_a_whole_character)
{
	char buf[64];
	struct jsonw w;

	jsonw_init(&w, buf, sizeof buf);
	cr_expect_eq(jsonw_string_max(&w, row->in, strlen(row->in), row->max), row->whole);
	cr_assert_gt(jsonw_finish(&w), 0);
	cr_expect_str_eq(buf, row->want);
}

struct time_row {
	int64_t ns;
	char want[40];
};

ParameterizedTestParameters(jsonw, times)
{
	static struct time_row rows[] = {
		{ 0, "\"1970-01-01T00:00:00.000000000Z\"" },
		{ 1, "\"1970-01-01T00:00:00.000000001Z\"" },
		{ -1, "\"1969-12-31T23:59:59.999999999Z\"" },
		{ 951782400000000000, "\"2000-02-29T00:00:00.000000000Z\"" },
		{ 1709251199999999999, "\"2024-02-29T23:59:59.999999999Z\"" },
		{ 1785456000000000000, "\"2026-07-31T00:00:00.000000000Z\"" },
		{ 4107542400000000000, "\"2100-03-01T00:00:00.000000000Z\"" },
		{ INT64_MAX, "\"2262-04-11T23:47:16.854775807Z\"" },
		{ INT64_MIN, "\"1677-09-21T00:12:43.145224192Z\"" },
	};
	return cr_make_param_array(struct time_row, rows, ELEMENTS(rows));
}

ParameterizedTest(struct time_row *row, jsonw, times)
{
	char buf[64];
	struct jsonw w;

	jsonw_init(&w, buf, sizeof buf);
	jsonw_time(&w, row->ns);
	cr_assert_gt(jsonw_finish(&w), 0);
	cr_expect_str_eq(buf, row->want);
}

static void write_sample(struct jsonw *w)
{
	jsonw_begin_object(w);
	jsonw_kv_string(w, "s", "x");
	jsonw_kv_string(w, "none", NULL);
	jsonw_kv_int(w, "min", INT64_MIN);
	jsonw_kv_uint(w, "max", UINT64_MAX);
	jsonw_kv_bool(w, "t", true);
	jsonw_key(w, "list");
	jsonw_begin_array(w);
	jsonw_int(w, -1);
	jsonw_null(w);
	jsonw_hex(w, 0xdeadbeef);
	jsonw_raw(w, "{\"r\":[]}", 8);
	jsonw_begin_array(w);
	jsonw_end_array(w);
	jsonw_begin_object(w);
	jsonw_end_object(w);
	jsonw_end_array(w);
	jsonw_kv_time(w, "at", 0);
	jsonw_end_object(w);
}

static const char sample[] =
	"{\"s\":\"x\",\"none\":\"\",\"min\":-9223372036854775808,\"max\":18446744073709551615,\"t\":true,"
	"\"list\":[-1,null,\"0xdeadbeef\",{\"r\":[]},[],{}],\"at\":\"1970-01-01T00:00:00.000000000Z\"}";

Test(jsonw, document)
{
	char buf[512];
	struct jsonw w;

	jsonw_init(&w, buf, sizeof buf);
	write_sample(&w);
	cr_expect_eq(jsonw_finish(&w), (ssize_t)sizeof sample - 1);
	cr_expect_str_eq(buf, sample);
}

/* Every size below the needed one is refused, and nothing is written behind the
 * buffer.
 */
Test(jsonw, full_buffer)
{
	char buf[sizeof sample + 1];
	struct jsonw w;

	for (size_t size = 0; size <= sizeof sample; size++) {
		memset(buf, '#', sizeof buf);
		jsonw_init(&w, buf, size);
		write_sample(&w);
		cr_expect_eq(jsonw_full(&w), size < sizeof sample);
		cr_expect_eq(jsonw_finish(&w),
			     size < sizeof sample ? -ENOBUFS : (ssize_t)sizeof sample - 1);
		cr_expect_eq(buf[size], '#');
	}
}

/* Calls as letters: {} [] k=key v=value. */
struct calls_row {
	char calls[16];
	bool valid;
};

ParameterizedTestParameters(jsonw, pairs_calls)
{
	static struct calls_row rows[] = {
		{ "v", true },      { "{}", true },     { "[]", true },     { "{kv}", true },
		{ "[vv]", true },   { "{k[v]}", true }, { "[{kv}]", true }, { "", false },
		{ "{", false },     { "[", false },     { "}", false },     { "]", false },
		{ "{]", false },    { "[}", false },    { "{v}", false },   { "{k}", false },
		{ "{kk", false },   { "{kkv}", false }, { "k", false },     { "kv", false },
		{ "[kv]", false },  { "vv", false },    { "{}{}", false },  { "[]v", false },
		{ "{kv}}", false }, { "[[]", false },   { "{kvv}", false },
	};
	return cr_make_param_array(struct calls_row, rows, ELEMENTS(rows));
}

static void make_call(struct jsonw *w, char call)
{
	switch (call) {
	case '{': jsonw_begin_object(w); break;
	case '}': jsonw_end_object(w); break;
	case '[': jsonw_begin_array(w); break;
	case ']': jsonw_end_array(w); break;
	case 'k': jsonw_key(w, "k"); break;
	default: jsonw_uint(w, 1); break;
	}
}

ParameterizedTest(struct calls_row *row, jsonw, pairs_calls)
{
	char buf[64];
	struct jsonw w;
	ssize_t size;

	jsonw_init(&w, buf, sizeof buf);
	for (const char *c = row->calls; *c; c++)
		make_call(&w, *c);
	size = jsonw_finish(&w);
	cr_expect_eq(size > 0, row->valid, "%s gives %zd", row->calls, size);
	if (size > 0)
		expect_document(buf, size);
	else
		cr_expect_eq(size, -EINVAL);
}

Test(jsonw, depth)
{
	char buf[512];
	struct jsonw w;

	for (int depth = JSONW_MAX_DEPTH; depth <= JSONW_MAX_DEPTH + 1; depth++) {
		jsonw_init(&w, buf, sizeof buf);
		for (int i = 0; i < depth; i++)
			jsonw_begin_array(&w);
		for (int i = 0; i < depth; i++)
			jsonw_end_array(&w);
		cr_expect_eq(jsonw_finish(&w), depth > JSONW_MAX_DEPTH ? -EINVAL : 2 * depth);
	}
}
