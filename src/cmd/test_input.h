/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_input.h - files of `guard test`: YAML documents, one after the other, each
 * about one rule or expression.
 */
#pragma once
#include <jansson.h>

#include "base/err.h"
#include "policy/yaml.h"

enum { TEST_FILE_MAX = 16 << 20 };

struct test_file {
	const char *path;
	char *text; /* owned */
	size_t size, offset;
	struct arena arena; /* of the document in hand */
	bool ready;         /* the arena is there */
};

struct test_document {
	const char *path;
	const char *text;        /* of the whole file */
	size_t offset;           /* in it, where the document begins */
	const struct yaml *root; /* a mapping */
};

/* PATH is borrowed, "-" is standard input. 0, or -errno with *err; to be closed in
 * either case.
 */
int test_file_open(struct test_file *file, const char *path, struct err *err);
void test_file_close(struct test_file *file);

/* The next document, valid until the one after it is asked for; those without
 * content are passed over. 1; 0 at the end; -EINVAL with *err for what is no YAML
 * or no mapping, -ENOMEM.
 */
int test_file_next(struct test_file *file, struct test_document *ret, struct err *err);

/* The line where NODE stands in its file, from 1. */
unsigned test_line(const struct test_document *document, const struct yaml *node);

/* NODE as JSON, for recorded.h: a scalar without quotes that is null, true, false or
 * a whole number is one, any other a string. 0, -ENOMEM, or -EINVAL with *err.
 */
int test_json(const struct yaml *node, json_t **ret, struct err *err);

/* 0, or -EINVAL with *err when NODE is no mapping or has a key that is not in KEYS. */
int test_check_keys(const struct yaml *node, const char *const *keys, size_t count,
		    struct err *err);
