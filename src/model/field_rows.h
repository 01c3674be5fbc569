/* SPDX-License-Identifier: GPL-3.0-or-later */
/* field_rows.h - fields.def as tables, shared by field.c (names) and
 * field_load.c (values) only.
 */
#pragma once
#include "model/field.h"

enum trait {
#define TRAIT(id) TRAIT_##id,
#include "model/fields.def"
#undef TRAIT
	TRAIT_COUNT
};
_Static_assert(TRAIT_COUNT <= 64, "sets of traits are 64-bit masks");

/* Beyond enum secl_field_flag, which has the lower 16 bits. */
enum field_row_flag {
	FIELD_SECL_FLAGS = 0xffff,
	FIELD_LENGTH = 1 << 16,      /* leaf: has a ".length" */
	FIELD_ROOT_DOMAIN = 1 << 17, /* leaf: has a ".root_domain" */
	FIELD_ALIASABLE = 1 << 18,   /* leaf: of a program, matches its symlinks too */
	FIELD_SELF = 1 << 19,        /* link: the acting process itself */
	FIELD_PROGRAM = 1 << 20,     /* link: to the program of a process */
	FIELD_EACH = 1 << 21,        /* link: to many, an iterator */
	FIELD_RESTRICTED = 1 << 22,  /* link: see field_allowed() */
	FIELD_MAX_SHIFT = 24,
};
/* leaf: literals of at most N bytes */
#define FIELD_MAX(n) ((n) << FIELD_MAX_SHIFT)

enum way { WAY_SAME, WAY_INSIDE, WAY_BEHIND, WAY_IMAGE, WAY_EACH, WAY_ABSENT, WAY_UNWATCHED };

struct link_row {
	const char *name;
	uint64_t traits; /* of the target */
	uint64_t needs;
	enum trait owner;
	enum event_type event;
	unsigned flags;
	enum way way;
	size_t offset;
};

enum value_kind {
	VALUE_NOTHING,
	VALUE_BOOL,
	VALUE_I32,
	VALUE_U16,
	VALUE_U32,
	VALUE_U64,
	VALUE_I64,
	VALUE_STRING,
	VALUE_NET,
	VALUE_USER,
	VALUE_GROUP,
	VALUE_BIT,
	VALUE_CALL,
};

/* What a derivation works with. */
struct derive {
	const struct field_source *source;
	struct arena *scratch;
};

struct leaf_row {
	const char *name;
	uint64_t needs;
	enum trait owner;
	enum secl_type type;
	unsigned flags;
	unsigned weight;
	enum value_kind kind;
	size_t offset; /* of the member; of VALUE_BIT the mask */
	/* OWNER is never NULL; *ret has type and array set and is else zero. */
	int (*call)(const struct derive *d, const void *owner, struct secl_value *ret);
};

/* The steps of a field: links, then one leaf, then possibly a suffix. */
enum { STEP_LENGTH = 0xffff, STEP_ROOT_DOMAIN = 0xfffe };

extern const struct link_row field_links[];
extern const struct leaf_row field_leaves[];
extern const size_t nfield_links, nfield_leaves;

/* The leaf of FIELD; *ret_suffix is STEP_LENGTH, STEP_ROOT_DOMAIN or 0. */
const struct leaf_row *field_leaf(const struct secl_field *field, unsigned *ret_suffix);

/* The two functions of event_schema that concern values (field_load.c). */
int field_load(const struct secl_context *ctx, const struct secl_field *field, int element,
	       struct secl_value *ret);
int field_count(const struct secl_context *ctx, unsigned iterator);
