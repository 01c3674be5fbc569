/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fim.h - a rule on fim.write.file.* stands for eight rules (15.1). */
#pragma once
#include "base/arena.h"

struct fim_part {
	const char *name;   /* in the id of the expanded rule */
	const char *prefix; /* what replaces fim.write.file. */
	bool writes;        /* only opens that can write */
};

extern const struct fim_part fim_parts[];
extern const size_t fim_count;

bool fim_is(const char *expression);

/* Expression of PART, from ARENA; NULL when that is full. */
char *fim_expand(struct arena *arena, const struct fim_part *part, const char *expression);
