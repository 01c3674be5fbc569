/* SPDX-License-Identifier: GPL-3.0-or-later */
/* secl_schema.h - a small schema with one event, for the tests of the rule
 * language: every type, every flag, and fields that fail.
 */
#pragma once
#include <errno.h>
#include <netinet/in.h>

#include "secl/secl.h"

#define S(text)                                                                                    \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}

enum { TEST_NOW = 1000 }; /* seconds */

static const struct secl_string test_list[] = { S("one"), S("two"), S("three") };
static const struct secl_string test_paths[] = { S("/usr/bin/vi"), S("/etc/alternatives/vi") };
static const int64_t test_ints[] = { 10, 20, 30 };
static const bool test_bools[] = { true, true };
static const struct secl_net test_nets[] = {
	{ AF_INET, 32, { 10, 0, 0, 1 } },
	{ AF_INET, 32, { 10, 0, 0, 2 } },
};
/* elements of the iterator `it` */
static const struct secl_string test_it_names[] = { S("AAA"), S("BBB"), S("CCC") };
static const struct secl_string test_it_lists[] = { S("x"), S("y"), S("z") };

struct test_field {
	const char *name;
	enum secl_type type;
	unsigned flags, weight, event;
	uint8_t iterator;
	uint32_t max_literal;
	struct secl_value value;
	int fail;
};

#define STR(text)                                                                                  \
	{                                                                                          \
		.type = SECL_STRING, .string = S(text)                                             \
	}
#define INT(n)                                                                                     \
	{                                                                                          \
		.type = SECL_INT, .integer = (n)                                                   \
	}
#define LIST(type_, member, rows)                                                                  \
	{                                                                                          \
		.type = SECL_##type_, .array = true, .list.count = ELEMENTS(rows),                 \
		.list.member = (rows)                                                              \
	}

static const struct test_field test_fields[] = {
	{ "a.str", SECL_STRING, 0, 5, 0, 0, 0, STR("hello"), 0 },
	{ "a.empty", SECL_STRING, 0, 5, 0, 0, 0, STR(""), 0 },
	{ "a.path", SECL_STRING, SECL_FIELD_GLOB | SECL_FIELD_PATH, 5, 0, 0, 0, STR("/usr/bin/cat"),
	  0 },
	{ "a.plain.path", SECL_STRING, SECL_FIELD_PATH, 5, 0, 0, 0, STR("/mnt/x/y"), 0 },
	{ "a.link", SECL_STRING, SECL_FIELD_GLOB | SECL_FIELD_PATH | SECL_FIELD_ALIASES, 5, 0, 0, 0,
	  LIST(STRING, strings, test_paths), 0 },
	{ "a.ext", SECL_STRING, SECL_FIELD_EXTENSION, 5, 0, 0, 0, STR(".sh"), 0 },
	{ "a.host", SECL_STRING, SECL_FIELD_ICASE, 5, 0, 0, 0, STR("Foo.Example.com"), 0 },
	{ "a.short", SECL_STRING, 0, 5, 0, 0, 4, STR("abcd"), 0 },
	{ "a.int", SECL_INT, 0, 5, 0, 0, 0, INT(42), 0 },
	{ "a.bool", SECL_BOOL, 0, 5, 0, 0, 0, { .type = SECL_BOOL, .boolean = true }, 0 },
	{ "a.time", SECL_INT, SECL_FIELD_TIME, 5, 0, 0, 0, INT(990 * 1000000000LL), 0 },
	{ "a.never", SECL_INT, SECL_FIELD_TIME, 5, 0, 0, 0, INT(INT64_MIN), 0 },
	{ "a.list", SECL_STRING, SECL_FIELD_ARRAY, 5, 0, 0, 0, LIST(STRING, strings, test_list),
	  0 },
	{ "a.none",
	  SECL_STRING,
	  SECL_FIELD_ARRAY,
	  5,
	  0,
	  0,
	  0,
	  { .type = SECL_STRING, .array = true },
	  0 },
	{ "a.ints", SECL_INT, SECL_FIELD_ARRAY, 5, 0, 0, 0, LIST(INT, integers, test_ints), 0 },
	{ "a.bools", SECL_BOOL, SECL_FIELD_ARRAY, 5, 0, 0, 0, LIST(BOOL, booleans, test_bools), 0 },
	{ "a.ip",
	  SECL_NET,
	  0,
	  5,
	  0,
	  0,
	  0,
	  { .type = SECL_NET, .net = { AF_INET, 32, { 192, 168, 0, 1 } } },
	  0 },
	{ "a.noip", SECL_NET, 0, 5, 0, 0, 0, { .type = SECL_NET }, 0 },
	{ "a.ips", SECL_NET, SECL_FIELD_ARRAY, 5, 0, 0, 0, LIST(NET, nets, test_nets), 0 },
	{ "a.noips",
	  SECL_NET,
	  SECL_FIELD_ARRAY,
	  5,
	  0,
	  0,
	  0,
	  { .type = SECL_NET, .array = true },
	  0 },
	{ "a.ret", SECL_INT, SECL_FIELD_RETVAL, 5, 0, 0, 0, INT(-EPERM), 0 },
	{ "it.str", SECL_STRING, SECL_FIELD_ITERATOR, 2000, 0, 1, 0,
	  LIST(STRING, strings, test_it_names), 0 },
	{ "it.int", SECL_INT, SECL_FIELD_ITERATOR, 2000, 0, 1, 0, LIST(INT, integers, test_ints),
	  0 },
	{ "it.bool", SECL_BOOL, SECL_FIELD_ITERATOR, 2000, 0, 1, 0,
	  LIST(BOOL, booleans, test_bools), 0 },
	{ "it.list", SECL_STRING, SECL_FIELD_ITERATOR | SECL_FIELD_ARRAY, 2000, 0, 1, 0,
	  LIST(STRING, strings, test_it_lists), 0 },
	{ "it.length", SECL_INT, 0, 5, 0, 0, 0, INT(3), 0 },
	{ "no.int",
	  SECL_INT,
	  SECL_FIELD_ITERATOR,
	  2000,
	  0,
	  2,
	  0,
	  { .type = SECL_INT, .array = true },
	  0 },
	{ "no.length", SECL_INT, 0, 5, 0, 0, 0, INT(0), 0 },
	{ "one.x", SECL_INT, 0, 5, 1, 0, 0, INT(1), 0 },
	{ "two.x", SECL_INT, 0, 5, 2, 0, 0, INT(2), 0 },
	{ "fail.cheap", SECL_INT, 0, 1, 0, 0, 0, INT(0), -EIO },
	{ "fail.dear", SECL_INT, 0, 900, 0, 0, 0, INT(0), -EIO },
	{ "fail.type", SECL_INT, 0, 5, 0, 0, 0, STR("not an int"), 0 },
	{ "fail.list", SECL_INT, 0, 5, 0, 0, 0, LIST(INT, integers, test_ints), 0 },
	{ "fail.scalar", SECL_INT, SECL_FIELD_ARRAY, 5, 0, 0, 0, INT(1), 0 },
};

static int test_find(const struct secl_schema *self, const char *name, struct secl_field *ret,
		     const char **ret_hint)
{
	(void)self;
	for (size_t i = 0; i < ELEMENTS(test_fields); i++) {
		const struct test_field *t = &test_fields[i];

		if (!streq(t->name, name))
			continue;
		*ret = (struct secl_field){ .type = t->type,
					    .flags = t->flags,
					    .weight = t->weight,
					    .event = t->event,
					    .needs = 1ull << (i % 60),
					    .iterator = t->iterator,
					    .max_literal = t->max_literal,
					    .nsteps = 1,
					    .steps = { (uint16_t)i } };
		strcpy(ret->name, t->name);
		return 0;
	}
	*ret_hint = strncmp(name, "a.st", 4) == 0 ? "a.str" : NULL;
	return -ENOENT;
}

static int test_constant(const struct secl_schema *self, const char *name, struct secl_value *ret)
{
	static const struct {
		const char *name;
		struct secl_value value;
	} rows[] = {
		{ "true", { .type = SECL_BOOL, .boolean = true } },
		{ "false", { .type = SECL_BOOL, .boolean = false } },
		{ "EPERM", INT(-EPERM) },
		{ "EACCES", INT(-EACCES) },
		{ "A", INT(1) },
		{ "B", INT(2) },
		{ "C", INT(4) },
	};

	(void)self;
	for (size_t i = 0; i < ELEMENTS(rows); i++)
		if (streq(rows[i].name, name)) {
			*ret = rows[i].value;
			return 0;
		}
	return -ENOENT;
}

static int test_load(const struct secl_context *ctx, const struct secl_field *field, int element,
		     struct secl_value *ret)
{
	const struct test_field *t = &test_fields[field->steps[0]];
	struct secl_value v = t->value;

	(void)ctx;
	if (t->fail)
		return t->fail;
	if (element >= 0 && (t->flags & SECL_FIELD_ITERATOR)) {
		struct secl_value one = { .type = v.type };

		if (t->flags & SECL_FIELD_ARRAY) {
			v.list.strings += element;
			v.list.count = 1;
			*ret = v;
			return 0;
		}
		if (v.type == SECL_STRING)
			one.string = v.list.strings[element];
		else if (v.type == SECL_INT)
			one.integer = v.list.integers[element];
		else
			one.boolean = element < 2 && v.list.booleans[element];
		v = one;
	}
	*ret = v;
	return 0;
}

static int test_count(const struct secl_context *ctx, unsigned iterator)
{
	(void)ctx;
	return iterator == 1 ? 3 : 0;
}

static const char *test_event_name(const struct secl_schema *self, unsigned event)
{
	(void)self;
	return event == 1 ? "one" : "two";
}

static const struct secl_schema test_schema = { test_find, test_constant, test_load, test_count,
						test_event_name };

static const struct {
	const char *name;
	struct secl_value value;
} test_variables[] = {
	{ "n", INT(42) },
	{ "s", STR("hello") },
	{ "b", { .type = SECL_BOOL, .boolean = true } },
	{ "list", LIST(STRING, strings, test_list) },
	{ "ints", LIST(INT, integers, test_ints) },
	{ "process.x", STR("") },
	{ "ip", { .type = SECL_NET, .net = { AF_INET, 8, { 10 } } } },
};

static int test_vars_find(const struct secl_vars *self, const char *name, enum secl_type *ret_type,
			  bool *ret_array, unsigned *ret_id)
{
	(void)self;
	for (unsigned i = 0; i < ELEMENTS(test_variables); i++)
		if (streq(test_variables[i].name, name)) {
			*ret_type = test_variables[i].value.type;
			*ret_array = test_variables[i].value.array;
			*ret_id = i;
			return 0;
		}
	return -ENOENT;
}

static int test_vars_get(const struct secl_vars *self, const struct secl_context *ctx, unsigned id,
			 struct secl_value *ret)
{
	(void)self;
	(void)ctx;
	*ret = test_variables[id].value;
	return 0;
}

static const struct secl_vars test_vars = { test_vars_find, test_vars_get };

static inline struct secl_options test_options(const struct secl_macros *macros)
{
	return (struct secl_options){
		.schema = &test_schema, .macros = macros, .vars = &test_vars, .want_bool = true
	};
}

/* 1, 0, the -errno of the evaluation; -EINVAL with *error for the text. */
static inline int test_eval(const struct secl_macros *macros, const char *text,
			    struct secl_error *error)
{
	struct secl_options options = test_options(macros);
	struct arena scratch;
	struct secl_context ctx = { .schema = &test_schema,
				    .scratch = &scratch,
				    .now_ns = TEST_NOW * 1000000000LL,
				    .vars = &test_vars };
	struct secl_expr *expr;
	int r = secl_compile(&options, text, &expr, error);

	if (r < 0)
		return r;
	if (arena_init(&scratch, 1 << 20) < 0)
		abort();
	r = secl_eval(expr, &ctx);
	if (scratch.used != 0)
		abort(); /* evaluation gives back what it took */
	arena_done(&scratch);
	secl_expr_free(expr);
	return r;
}
