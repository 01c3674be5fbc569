/* SPDX-License-Identifier: GPL-3.0-or-later */
/* yaml.h - policy files as a small tree that remembers where it comes from.
 *
 * Built from libyaml's events. What a policy never needs is refused with the
 * place: anchors, aliases, tags, several documents, keys that are not plain
 * text or occur twice, too much depth or size. So nothing in a file can expand
 * beyond its own size.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"

enum {
	YAML_MAX_DEPTH = 16,      /* policies use 7 */
	YAML_MAX_NODES = 2000000, /* 10,000 large rules have a fifth of that */
	YAML_MAX_KEYS = 4096,     /* in one mapping: the search for duplicates is quadratic */
};

enum yaml_kind { YAML_IS_SCALAR, YAML_IS_SEQUENCE, YAML_IS_MAPPING };

struct yaml {
	enum yaml_kind kind;
	bool plain;       /* a scalar without quotes: null, true, 12 are no texts */
	char style;       /* of a scalar: ' " | > or 0 */
	const char *text; /* scalar, NUL-terminated; holds no NUL otherwise */
	size_t size;
	size_t offset, end;              /* in the file: first byte, byte after the last */
	const struct yaml *key;          /* of an entry of a mapping, else NULL */
	const struct yaml *first, *next; /* children; siblings */
	size_t count;                    /* of children */
};

struct yaml_error {
	struct err err;
	size_t offset;
};

/* Parses the whole of TEXT into nodes from ARENA. *ret is NULL for a document
 * without content. 0; -EINVAL with *error, -ENOMEM.
 */
int yaml_parse(const char *text, size_t size, struct arena *arena, const struct yaml **ret,
	       struct yaml_error *error);

/* Entry KEY of a mapping, NULL when there is none (or NODE is no mapping). */
const struct yaml *yaml_get(const struct yaml *node, const char *key);

/* An empty plain scalar, ~ or null. */
bool yaml_is_null(const struct yaml *node);

/* true, yes, on / false, no, off, without quotes: 0, or -EINVAL. */
int yaml_bool(const struct yaml *node, bool *ret);

/* A whole number without quotes: 0, -EINVAL, -ERANGE. */
int yaml_int(const struct yaml *node, int64_t *ret);

/* Offset in the file of byte OFFSET of NODE's text. Text and file differ by
 * quotes, escapes, indentation and folding, but show the same visible bytes in
 * the same order: those are counted.
 */
size_t yaml_file_offset(const struct yaml *node, const char *file, size_t offset);
