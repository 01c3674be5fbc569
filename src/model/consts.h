/* SPDX-License-Identifier: GPL-3.0-or-later */
/* consts.h - the named constants of the rule language, from consts.def. */
#pragma once
#include "secl/secl.h"

enum const_group {
#define CONST_GROUP(id, title) CONST_GROUP_##id,
#include "model/consts.def"
#undef CONST_GROUP
	CONST_GROUP_COUNT
};

/* In the row, not pointed at: a table of pointers is written to in every process when it
 * starts (relocated), and read in few.
 */
enum { CONST_NAME_SIZE = 44 };

struct constant {
	enum const_group group;
	char name[CONST_NAME_SIZE];
	int64_t value;
};

/* A number, true, false or CWS_MAP_NAMES: 0, or -ENOENT. */
int constant_find(const char *name, struct secl_value *ret);

/* The name of VALUE in GROUP, the alphabetically first of several; NULL when
 * it has none.
 */
const char *constant_name(enum const_group group, int64_t value);

/* All numbers, sorted by name: for completion and the manual. */
const struct constant *constants(size_t *ret_count);
const char *const_group_title(enum const_group group);
