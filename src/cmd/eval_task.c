/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "cmd/eval_task.h"

#include <errno.h>

#include "cmd/eval_vars.h"
#include "model/recorded.h"

/* Address space for the lists of one evaluation; touched as needed. */
enum { SCRATCH = 64 << 20 };

/* ---- macros -------------------------------------------------------------------- */

static int add_values(struct secl_macros *macros, const struct secl_options *options,
		      const char *id, const json_t *values, struct secl_error *error)
{
	size_t count = json_array_size(values);
	_cleanup_free_ const char **texts = calloc(count + 1, sizeof *texts);

	if (!texts)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		texts[i] = json_string_value(json_array_get(values, i));
		if (!texts[i])
			return err_set(&error->err, -EINVAL, "macro %s: values must be strings",
				       id);
	}
	return secl_macros_add_values(macros, options, id, texts, count, SECL_COMBINE_NONE, error);
}

static int add_macro(struct secl_macros *macros, const struct secl_options *options, const char *id,
		     const json_t *body, struct secl_error *error)
{
	const char *text = json_string_value(body);
	int r;

	if (!id || (!text && !json_is_array(body)))
		return err_set(&error->err, -EINVAL,
			       "macros: expected an id with an expression or a list of values");
	if (!text)
		return add_values(macros, options, id, body, error);
	r = secl_macros_add(macros, options, id, text, error);
	if (r < 0 && error->err.text[0] != '\0')
		(void)err_prefix(&error->err, "macro %s", id);
	return r;
}

/* An object of id and expression, or a list of {"id", "expression"}. */
static int add_macros(struct secl_macros *macros, const struct secl_options *options,
		      const json_t *given, struct secl_error *error)
{
	const char *key;
	json_t *value;
	size_t i;
	int r = 0;

	if (given && !json_is_object(given) && !json_is_array(given))
		return err_set(&error->err, -EINVAL, "macros: expected an object or a list");
	if (json_is_object(given))
		json_object_foreach((json_t *)given, key, value)
		{
			if (r == 0)
				r = add_macro(macros, options, key, value, error);
		}
	json_array_foreach((json_t *)given, i, value)
	{
		const json_t *body = json_object_get(value, "expression");

		if (r == 0)
			r = add_macro(macros, options,
				      json_string_value(json_object_get(value, "id")),
				      body ? body : json_object_get(value, "values"), error);
	}
	/* a place in a macro is no place in the expression */
	error->line = 0;
	return r;
}

/* ---- one task ---------------------------------------------------------------------- */

static int check_event(struct eval_task *task, const struct secl_expr *expr)
{
	enum event_type event = secl_expr_event(expr);

	if (event == EVENT_NONE || task->event == EVENT_NONE || event == task->event)
		return 0;
	return err_set(&task->error.err, -EINVAL,
		       "expression is about event type %s, the event is of type %s",
		       event_type_name(event), event_type_name(task->event));
}

static int run_compiled(struct eval_task *task, const struct secl_expr *expr,
			struct recorded *recorded, const struct secl_vars *vars)
{
	struct arena scratch;
	struct secl_context ctx = { .schema = &recorded_schema,
				    .event = recorded,
				    .scratch = &scratch,
				    .now_ns = task->now_ns,
				    .vars = vars };
	int r = arena_init(&scratch, SCRATCH);

	if (r < 0)
		return r;
	r = secl_eval(expr, &ctx);
	arena_done(&scratch);
	if (r < 0)
		return err_errno(&task->error.err, r, "evaluation failed");
	return r;
}

/* A rule's own expression has its macros in it, and no variables. */
static int run_rule(struct eval_task *task, struct recorded *recorded)
{
	int r = check_event(task, task->compiled);

	return r == 0 ? run_compiled(task, task->compiled, recorded, NULL) : r;
}

static int run_with(struct eval_task *task, struct secl_macros *macros, struct recorded *recorded)
{
	struct secl_options options = { .schema = &recorded_schema,
					.macros = macros,
					.want_bool = true };
	struct secl_expr *expr;
	struct eval_vars vars;
	int r;

	r = eval_vars_init(&vars, task->vars, &task->error.err);
	if (r < 0)
		return r;
	options.vars = &vars.vars;
	r = add_macros(macros, &options, task->macros, &task->error);
	if (r == 0)
		r = secl_compile(&options, task->expression, &expr, &task->error);
	if (r < 0)
		return r;
	r = check_event(task, expr);
	if (r == 0)
		r = run_compiled(task, expr, recorded, &vars.vars);
	secl_expr_free(expr);
	return r;
}

int eval_task_run(struct eval_task *task)
{
	json_t *fields = task->fields ? json_incref(task->fields) : json_object();
	struct recorded *recorded = NULL;
	struct secl_macros *macros = NULL;
	int r;

	r = recorded_new(fields, task->now_ns, &recorded, &task->error.err);
	if (r == 0 && task->compiled)
		r = run_rule(task, recorded);
	else if (r == 0)
		r = secl_macros_new(&macros);
	if (r == 0 && macros)
		r = run_with(task, macros, recorded);
	secl_macros_free(macros);
	recorded_free(recorded);
	json_decref(fields);
	if (r < 0 && task->error.err.text[0] == '\0')
		(void)err_errno(&task->error.err, r, "evaluation failed");
	return r;
}

int eval_task_read(struct eval_task *task, const json_t *input)
{
	const json_t *event = json_object_get(input, "event"), *now = json_object_get(input, "now");

	task->fields = json_object_get(input, "fields");
	task->macros = json_object_get(input, "macros");
	task->vars = json_object_get(input, "vars");
	task->now_ns = now_realtime_ns();
	if (now && !json_is_integer(now))
		return err_set(&task->error.err, -EINVAL, "now: expected nanoseconds");
	if (now)
		task->now_ns = json_integer_value(now);
	if (!event || json_is_null(event))
		return 0;
	if (json_is_string(event))
		task->event =
			event_type_by_name(json_string_value(event), json_string_length(event));
	if (task->event == EVENT_NONE)
		return err_set(&task->error.err, -EINVAL, "event: \"%.100s\" is no event type",
			       json_string_value(event) ?: "");
	return 0;
}
