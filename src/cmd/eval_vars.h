/* SPDX-License-Identifier: GPL-3.0-or-later */
/* eval_vars.h - variables of `guard eval`: those of the input by name, and the
 * predefined ones.
 */
#pragma once
#include <jansson.h>

#include "secl/secl.h"

struct eval_vars {
	struct secl_vars vars;
	const json_t *values; /* name to int, string, bool or list; may be NULL */
};

/* VALUES is borrowed. 0, or -EINVAL with *err for a value of no type. */
int eval_vars_init(struct eval_vars *vars, const json_t *values, struct err *err);
