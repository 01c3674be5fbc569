/* SPDX-License-Identifier: GPL-3.0-or-later */
/* eval.c - tries an expression on a recorded event. */
#include "config.h"

#include <errno.h>
#include <stdio.h>

#include "base/jsonw.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/eval_vars.h"
#include "model/event.h"
#include "model/recorded.h"
#include "policy/options.h"

/* Exit statuses beside EXIT_SUCCESS for true. */
enum { EXIT_FALSE = 1, EXIT_ERROR = 2 };

/* A document or a line of a batch, the expression included. */
enum { INPUT_MAX = 1 << 20 };

/* Address space for the lists of one evaluation; touched as needed. */
enum { SCRATCH = 64 << 20 };

/* One evaluation, and what went wrong with it: `error.line` is 0 unless it is
 * about a place in the expression.
 */
struct task {
	const char *expression;
	json_t *fields, *macros, *vars;
	enum event_type event; /* fields of another one are an error */
	int64_t now_ns;
	struct secl_error error;
};

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

static int check_event(struct task *task, const struct secl_expr *expr)
{
	enum event_type event = secl_expr_event(expr);

	if (event == EVENT_NONE || task->event == EVENT_NONE || event == task->event)
		return 0;
	return err_set(&task->error.err, -EINVAL,
		       "expression is about event type %s, the event is of type %s",
		       event_type_name(event), event_type_name(task->event));
}

static int run_compiled(struct task *task, const struct secl_expr *expr, struct recorded *recorded,
			const struct secl_vars *vars)
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

static int run_with(struct task *task, struct secl_macros *macros, struct recorded *recorded)
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

/* 1, 0, or -errno with task->error filled. */
static int run_task(struct task *task)
{
	json_t *fields = task->fields ? json_incref(task->fields) : json_object();
	struct recorded *recorded = NULL;
	struct secl_macros *macros = NULL;
	int r;

	r = recorded_new(fields, task->now_ns, &recorded, &task->error.err);
	if (r == 0)
		r = secl_macros_new(&macros);
	if (r == 0)
		r = run_with(task, macros, recorded);
	secl_macros_free(macros);
	recorded_free(recorded);
	json_decref(fields);
	if (r < 0 && task->error.err.text[0] == '\0')
		(void)err_errno(&task->error.err, r, "evaluation failed");
	return r;
}

/* The keys of a line of a batch; a single document may use them too. */
static int read_task(struct task *task, const json_t *input)
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

/* ---- --batch -------------------------------------------------------------------------- */

static void write_id(struct jsonw *w, const json_t *id)
{
	jsonw_key(w, "id");
	if (json_is_string(id))
		jsonw_string_n(w, json_string_value(id), json_string_length(id));
	else if (json_is_integer(id))
		jsonw_int(w, json_integer_value(id));
	else
		jsonw_null(w);
}

static void write_answer(const json_t *id, int result, const struct secl_error *error)
{
	char line[8192], message[sizeof error->err.text + 64];
	struct jsonw w;
	ssize_t n;

	if (error->line > 0)
		(void)snprintf(message, sizeof message, "line %u, column %u: %s", error->line,
			       error->column, error->err.text);
	else
		(void)snprintf(message, sizeof message, "%s", error->err.text);
	for (int attempt = 0; attempt < 2; attempt++) {
		jsonw_init(&w, line, sizeof line);
		jsonw_begin_object(&w);
		/* an id that fills a buffer is no id */
		write_id(&w, attempt == 0 ? id : NULL);
		if (result < 0)
			jsonw_kv_string(&w, "error", message);
		else
			jsonw_kv_bool(&w, "result", result);
		jsonw_end_object(&w);
		n = jsonw_finish(&w);
		if (n >= 0)
			break;
	}
	if (n >= 0)
		(void)printf("%s\n", line);
}

static void answer_line(const char *text, size_t size)
{
	struct task task = { 0 };
	const json_t *expression;
	json_t *input = NULL;
	int r = recorded_parse(text, size, &input, &task.error.err);

	if (r == 0)
		r = read_task(&task, input);
	if (r == 0) {
		expression = json_object_get(input, "expr");
		task.expression = json_string_value(expression);
		if (!task.expression || strlen(task.expression) != json_string_length(expression))
			r = err_set(&task.error.err, -EINVAL, "expr: expected a string");
	}
	if (r == 0)
		r = run_task(&task);
	write_answer(json_object_get(input, "id"), r, &task.error);
	json_decref(input);
}

/* One line into BUF: its length, -1 at the end, INPUT_MAX + 1 when too long (the
 * rest of it is skipped).
 */
static ssize_t read_line(char *buf)
{
	size_t n = 0;
	int c;

	while ((c = getc_unlocked(stdin)) != EOF && c != '\n')
		if (n <= INPUT_MAX)
			buf[n++] = (char)c;
	return n == 0 && c == EOF ? -1 : (ssize_t)n;
}

static int run_batch(void)
{
	_cleanup_free_ char *line = malloc(INPUT_MAX + 2);
	struct secl_error error = { 0 };
	ssize_t n;

	if (!line) {
		log_error("out of memory");
		return EXIT_ERROR;
	}
	while ((n = read_line(line)) >= 0) {
		if (n > INPUT_MAX) {
			(void)err_set(&error.err, -EFBIG, "line is longer than %d bytes",
				      INPUT_MAX);
			write_answer(NULL, -EFBIG, &error);
		} else if (strspn(line, " \t\r") < (size_t)n) {
			answer_line(line, (size_t)n);
		}
	}
	if (ferror(stdin)) {
		log_error("standard input: %s", strerror(errno));
		return EXIT_ERROR;
	}
	return cmd_finish_stdout() == EXIT_SUCCESS ? EXIT_SUCCESS : EXIT_ERROR;
}

/* ---- -e ---------------------------------------------------------------------------------- */

/* A map of fields, or an object as in a batch with "fields" in it. */
static int read_event(const char *path, json_t **ret, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r = read_file(streq(path, "-") ? "/dev/stdin" : path, INPUT_MAX, &text, &size);

	if (r < 0)
		return err_errno(err, r, "cannot read %s", path);
	r = recorded_parse(text, size, ret, err);
	return r < 0 ? err_prefix(err, "%s", path) : 0;
}

static int run_one(const char *expression, const char *event_file)
{
	struct task task = { .expression = expression, .now_ns = now_realtime_ns() };
	json_t *input = NULL;
	char place[1024];
	int r = 0;

	if (event_file)
		r = read_event(event_file, &input, &task.error.err);
	if (r == 0 && json_object_get(input, "fields"))
		r = read_task(&task, input);
	else if (r == 0)
		task.fields = input;
	if (r == 0)
		r = run_task(&task);
	json_decref(input);
	if (r >= 0) {
		(void)printf("%s\n", r ? "true" : "false");
		if (cmd_finish_stdout() != EXIT_SUCCESS)
			return EXIT_ERROR;
		return r ? EXIT_SUCCESS : EXIT_FALSE;
	}
	if (task.error.line > 0) {
		log_error("line %u, column %u: %s", task.error.line, task.error.column,
			  task.error.err.text);
		secl_error_show(&task.error, place, sizeof place);
		(void)fprintf(stderr, "%s\n", place);
	} else {
		log_error("%s", task.error.err.text);
	}
	return EXIT_ERROR;
}

static int run_config(const struct config *config)
{
	if (config->help)
		return cmd_print_help(&cmd_eval);
	if (config->batch && (config->expression || config->event_file)) {
		log_error("--batch takes expressions and events from standard input, not from "
			  "options");
		return EXIT_ERROR;
	}
	if (config->batch)
		return run_batch();
	if (!config->expression) {
		log_error("eval needs an expression (-e) or --batch, see 'guard help eval'");
		return EXIT_ERROR;
	}
	return run_one(config->expression, config->event_file);
}

static int eval(int argc, char **argv)
{
	struct config config;
	struct err err;
	int status;

	if (options_load(&config, argc, argv, &err) < 0) {
		log_error("%s", err.text);
		status = EXIT_ERROR;
	} else {
		status = run_config(&config);
	}
	config_done(&config);
	return status;
}

const struct command cmd_eval = {
	.name = "eval",
	.synopsis = "-e EXPRESSION [--event FILE] | --batch",
	.summary = "try an expression on a recorded event",
	.run = eval,
	.usage_status = EXIT_ERROR,
};
