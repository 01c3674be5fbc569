/* SPDX-License-Identifier: GPL-3.0-or-later */
/* eval_task.h - one evaluation over a recorded event, for `guard eval` and
 * `guard test`.
 */
#pragma once
#include <jansson.h>

#include "model/event.h"

/* What went wrong is in `error`; `error.line` is 0 unless it is about a place in
 * the expression. All that it points to is borrowed.
 */
struct eval_task {
	const char *expression;
	const struct secl_expr *compiled; /* of a rule, instead of an expression */
	json_t *fields, *macros, *vars;   /* recorded.h; of an expression: its macros */
	enum event_type event;            /* fields of another one are an error */
	int64_t now_ns;
	struct secl_error error;
};

/* Takes event, fields, macros, vars and now from INPUT, the keys of a line of a
 * batch: 0, or -EINVAL with the reason in the task.
 */
int eval_task_read(struct eval_task *task, const json_t *input);

/* 1 true, 0 false, or -errno with the reason in the task. */
int eval_task_run(struct eval_task *task);
