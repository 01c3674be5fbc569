/* SPDX-License-Identifier: GPL-3.0-or-later */
/* eval.c - tries an expression on a recorded event. */
#include "config.h"

#include <errno.h>
#include <stdio.h>

#include "base/jsonw.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/eval_task.h"
#include "model/event.h"
#include "model/recorded.h"
#include "policy/options.h"

/* Exit statuses beside EXIT_SUCCESS for true. */
enum { EXIT_FALSE = 1, EXIT_ERROR = 2 };

/* A document or a line of a batch, the expression included. */
enum { INPUT_MAX = 1 << 20 };

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
	struct eval_task task = { 0 };
	const json_t *expression;
	json_t *input = NULL;
	int r = recorded_parse(text, size, &input, &task.error.err);

	if (r == 0)
		r = eval_task_read(&task, input);
	if (r == 0) {
		expression = json_object_get(input, "expr");
		task.expression = json_string_value(expression);
		if (!task.expression || strlen(task.expression) != json_string_length(expression))
			r = err_set(&task.error.err, -EINVAL, "expr: expected a string");
	}
	if (r == 0)
		r = eval_task_run(&task);
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
	struct eval_task task = { .expression = expression, .now_ns = now_realtime_ns() };
	json_t *input = NULL;
	char place[1024];
	int r = 0;

	if (event_file)
		r = read_event(event_file, &input, &task.error.err);
	if (r == 0 && json_object_get(input, "fields"))
		r = eval_task_read(&task, input);
	else if (r == 0)
		task.fields = input;
	if (r == 0)
		r = eval_task_run(&task);
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
	return cmd_run_configured(&cmd_eval, argc, argv, run_config);
}

const struct command cmd_eval = {
	.name = "eval",
	.synopsis = "-e EXPRESSION [--event FILE] | --batch",
	.summary = "try an expression on a recorded event",
	.run = eval,
	.usage_status = EXIT_ERROR,
};
