/* SPDX-License-Identifier: GPL-3.0-or-later */
/* macro.h - what the compiler sees of macros: their shape, unevaluated. */
#pragma once
#include "secl/ast.h"
#include "secl/secl.h"

struct macro {
	struct macro *next_in_bucket;
	const char *id;
	const struct ast *ast;
	size_t rank;      /* order of declaration */
	bool from_values; /* a list of values, may be combined */
};

/* The macro NAME if it was declared before the one of rank LIMIT. */
const struct macro *macros_find(const struct secl_macros *macros, const struct secl_string *name,
				size_t limit);

/* Calls VISIT with every id. */
void macros_each(const struct secl_macros *macros, void (*visit)(void *data, const char *id),
		 void *data);
