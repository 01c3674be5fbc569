/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "model/consts.h"

#include <errno.h>

static const struct constant table[] = {
#define CONSTANT(group, name, value) { CONST_GROUP_##group, name, value },
#include "model/consts.def"
#undef CONSTANT
};

#define CONSTANT(group, name, value) _Static_assert(sizeof(name) <= CONST_NAME_SIZE, name);
#include "model/consts.def"
#undef CONSTANT

static const char *const titles[] = {
#define CONST_GROUP(id, title) [CONST_GROUP_##id] = (title),
#include "model/consts.def"
#undef CONST_GROUP
};

/* CWS_MAP_NAMES are the peer's own BPF maps; there are none here. */
static const struct {
	const char *name;
	struct secl_value value;
} specials[] = {
	{ "true", { .type = SECL_BOOL, .boolean = true } },
	{ "false", { .type = SECL_BOOL, .boolean = false } },
	{ "CWS_MAP_NAMES", { .type = SECL_STRING, .array = true } },
};

static int compare(const void *name, const void *row)
{
	return strcmp(name, ((const struct constant *)row)->name);
}

int constant_find(const char *name, struct secl_value *ret)
{
	const struct constant *found;

	for (size_t i = 0; i < ELEMENTS(specials); i++) {
		if (!streq(name, specials[i].name))
			continue;
		*ret = specials[i].value;
		return 0;
	}
	found = bsearch(name, table, ELEMENTS(table), sizeof table[0], compare);
	if (!found)
		return -ENOENT;
	*ret = (struct secl_value){ .type = SECL_INT, .integer = found->value };
	return 0;
}

const char *constant_name(enum const_group group, int64_t value)
{
	for (size_t i = 0; i < ELEMENTS(table); i++)
		if (table[i].group == group && table[i].value == value)
			return table[i].name;
	return NULL;
}

const struct constant *constants(size_t *ret_count)
{
	*ret_count = ELEMENTS(table);
	return table;
}

const char *const_group_title(enum const_group group)
{
	return (unsigned)group < CONST_GROUP_COUNT ? titles[group] : NULL;
}
