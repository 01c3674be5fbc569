/* SPDX-License-Identifier: GPL-3.0-or-later */
/* yaml.c: what is accepted, what is refused and where, and the way back from
 * a text to its place in the file.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>

#include "policy/source.h"
#include "policy/yaml.h"
#include "rows.h"

enum { ARENA_SIZE = 64 * 1024 * 1024 };

/* "a: [1, 'x']" as one line: {a=[1,x]}. */
static void dump(FILE *out, const struct yaml *node)
{
	const char *separator = "";

	if (node->kind == YAML_IS_SCALAR) {
		(void)fputs(node->text, out);
		return;
	}
	(void)fputc(node->kind == YAML_IS_MAPPING ? '{' : '[', out);
	for (const struct yaml *c = node->first; c; c = c->next) {
		(void)fprintf(out, "%s", separator);
		if (c->key)
			(void)fprintf(out, "%s=", c->key->text);
		dump(out, c);
		separator = ",";
	}
	(void)fputc(node->kind == YAML_IS_MAPPING ? '}' : ']', out);
}

struct good_row {
	const char *text, *want; /* want: NULL = no content */
};

static const struct good_row good_rows[] = {
	{ "", NULL },
	{ "# nothing\n", NULL },
	{ "---\n...\n", NULL },
	{ "null", NULL },
	{ "a: 1\nb: [x, 'y', \"z\\n\"]\n", "{a=1,b=[x,y,z\n]}" },
	{ "{\"a\": {\"b\": [1, {\"c\": \"d\"}]}}", "{a={b=[1,{c=d}]}}" },
	{ "a: |\n  one\n  two\nb: >-\n  one\n  two\n", "{a=one\ntwo\n,b=one two}" },
	{ "a: one\n  two\n", "{a=one two}" },
	{ "- a\n-\n- b\n", "[a,,b]" },
};

ROWS_TEST(yaml, good, good_rows)
{
	const struct yaml *root = NULL;
	struct yaml_error error = { .offset = 0 };
	_cleanup_free_ char *have = NULL;
	struct arena arena;
	size_t size;
	FILE *out;

	cr_assert_eq(arena_init(&arena, ARENA_SIZE), 0);
	cr_assert_eq(yaml_parse(r->text, strlen(r->text), &arena, &root, &error), 0, "%s",
		     error.err.text);
	if (!r->want) {
		cr_expect_null(root);
	} else {
		out = open_memstream(&have, &size);
		dump(out, root);
		(void)fclose(out);
		cr_expect_str_eq(have, r->want);
	}
	arena_done(&arena);
}

struct bad_row {
	const char *text, *message;
	size_t offset;
};

static const struct bad_row bad_rows[] = {
	{ "a: &x 1\n", "anchors and tags are not allowed", 3 },
	{ "a: *x\n", "aliases are not allowed", 3 },
	{ "a: !!str 1\n", "anchors and tags are not allowed", 3 },
	{ "a: !x {}\n", "anchors and tags are not allowed", 3 },
	{ "a: &x [1]\n", "anchors and tags are not allowed", 3 },
	{ "a: &x {b: 1}\nc: *x\n", "anchors and tags are not allowed", 3 },
	{ "a: 1\nb: 2\na: 3\n", "the key 'a' is there twice", 10 },
	{ "[a]: 1\n", "a key must be a plain text", 0 },
	{ "? {a: 1}\n: 1\n", "a key must be a plain text", 2 },
	{ "a: 1\n---\nb: 2\n", "a policy file holds one document only", 5 },
	{ "a: \"x\\0y\"\n", "a text may not hold a NUL byte", 3 },
	{ "[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]\n", "nested too deeply", 17 },
	{ "\xc3\xa4: 1\n\xc3\xa4: 2\n", "the key '\xc3\xa4' is there twice", 6 },
	{ "a: \"\xff\"\n", "not valid YAML: invalid leading UTF-8 octet", 4 },
	{ "a: [1\n", NULL, SIZE_MAX },
	{ "a: 'x\n", NULL, SIZE_MAX },
	{ "a: b: c\n", NULL, SIZE_MAX },
	{ "\ta: 1\n", NULL, SIZE_MAX },
	{ "a: \x01\n", NULL, SIZE_MAX },
	{ "\xfe\xff\0a", NULL, SIZE_MAX },
};

ROWS_TEST(yaml, bad, bad_rows)
{
	const struct yaml *root = NULL;
	struct yaml_error error = { .offset = 0 };
	struct arena arena;

	cr_assert_eq(arena_init(&arena, ARENA_SIZE), 0);
	cr_assert_eq(yaml_parse(r->text, strlen(r->text), &arena, &root, &error), -EINVAL);
	if (r->message)
		cr_expect_str_eq(error.err.text, r->message);
	if (r->offset != SIZE_MAX)
		cr_expect_eq(error.offset, r->offset, "%zu", error.offset);
	arena_done(&arena);
}

/* Where the mark < of the value "a" stands in the file when the value is asked
 * for its own mark <.
 */
static const char *const place_rows[] = {
	"a: exec.x <\n",
	"a: 'exec.x <'\n",
	"a: 'it''s <'\n",
	"a: \"exec \\\"q\\\" <\"\n",
	"a: \"\\x41\\u00e4\\U0001F600\\n <\"\n",
	"a: \"\xc3\xa4 <\"\n",
	"a: |\n  one\n    two <\n",
	"a: |\n  <\n",
	"a: >-\n   one\n   two\n\n   three <\n",
	"a: one\n   two <\n",
	"a: \"one\n   two <\"\n",
	"b: \xc3\xa4\na: |-\n\n  x <\n",
	"{\"a\": \"exec <\"}",
};

ROWS_TEST(yaml, places, place_rows)
{
	const struct yaml *root = NULL, *a;
	struct yaml_error error = { .offset = 0 };
	struct arena arena;
	size_t offset;

	cr_assert_eq(arena_init(&arena, ARENA_SIZE), 0);
	cr_assert_eq(yaml_parse(*r, strlen(*r), &arena, &root, &error), 0, "%s", error.err.text);
	a = yaml_get(root, "a");
	cr_assert_not_null(a);
	offset = yaml_file_offset(a, *r, (size_t)(strchr(a->text, '<') - a->text));
	cr_expect_eq(offset, (size_t)(strchr(*r, '<') - *r), "%zu in %s", offset, *r);
	/* behind the end is still inside the file */
	cr_expect_leq(yaml_file_offset(a, *r, 1000), strlen(*r));
	arena_done(&arena);
}

Test(yaml, point)
{
	static const char text[] = "one\n\ttwo x\n";
	struct source source = { .name = "n", .text = text, .size = strlen(text) };
	struct arena arena;
	char buf[SOURCE_LINE_MAX + 8];
	struct diag row = { 0 };

	cr_assert_eq(arena_init(&arena, ARENA_SIZE), 0);
	cr_assert_eq(source_index(&source, &arena), 0);
	source_point(&source, 9, &row, buf);
	cr_expect_eq(row.line, 2);
	cr_expect_eq(row.column, 6);
	cr_expect_str_eq(row.source, " two x");
	cr_expect_eq(row.caret, 5);
	source_point(&source, 4000, &row, buf);
	cr_expect_eq(row.line, 3);
	arena_done(&arena);
}

Test(yaml, point_in_a_long_line)
{
	char text[1000], buf[SOURCE_LINE_MAX + 8];
	struct source source = { .name = "n", .text = text, .size = sizeof text - 1 };
	struct arena arena;
	struct diag row = { 0 };

	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	text[700] = '<';
	cr_assert_eq(arena_init(&arena, ARENA_SIZE), 0);
	cr_assert_eq(source_index(&source, &arena), 0);
	source_point(&source, 700, &row, buf);
	cr_expect_eq(row.column, 701);
	cr_expect_eq(row.source[row.caret], '<');
	arena_done(&arena);
}

Test(yaml, limits)
{
	const struct yaml *root;
	struct yaml_error error = { .offset = 0 };
	struct arena arena;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (unsigned i = 0; i <= YAML_MAX_KEYS; i++)
		(void)fprintf(out, "k%u: 1\n", i);
	(void)fclose(out);
	cr_assert_eq(arena_init(&arena, ARENA_SIZE), 0);
	cr_expect_eq(yaml_parse(text, size, &arena, &root, &error), -EINVAL);
	cr_expect_str_eq(error.err.text, "too many keys");
	arena_done(&arena);
	cr_assert_eq(arena_init(&arena, 4096), 0);
	cr_expect_eq(yaml_parse(text, size, &arena, &root, &error), -ENOMEM);
	arena_done(&arena);
	free(text);
}
