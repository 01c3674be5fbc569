/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "secl/source.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

/* How much of a long line is shown before the error. */
enum { CONTEXT = 100 };

/* The line goes to terminals: what might act there, or take another width than
 * one column, becomes '?'; a tab becomes a space. The caret stays in its place.
 */
static void show_line(struct secl_error *error, const char *line, size_t size, size_t column)
{
	size_t first = column > CONTEXT ? column - CONTEXT : 0;
	size_t n = MIN(size - first, sizeof error->source - 1);

	for (size_t i = 0; i < n; i++) {
		char c = line[first + i];

		error->source[i] = (char)(c == '\t' ? ' ' : c < 0x20 || c > 0x7e ? '?' : c);
	}
	error->source[n] = '\0';
	error->caret = (unsigned)MIN(column - first, n);
}

int source_error(const struct source *source, size_t offset, const char *format, ...)
{
	struct secl_error *error = source->error;
	const char *text = source->text;
	size_t start = 0, end;
	char message[sizeof error->err.text];
	va_list ap;

	if (!error)
		return -EINVAL;
	*error = (struct secl_error){ .line = 1 };
	offset = MIN(offset, source->size);
	for (size_t i = 0; i < offset; i++)
		if (text[i] == '\n') {
			error->line++;
			start = i + 1;
		}
	end = offset;
	while (end < source->size && text[end] != '\n')
		end++;
	error->column = (unsigned)(offset - start) + 1;
	show_line(error, text + start, end - start, offset - start);

	va_start(ap, format);
	(void)vsnprintf(message, sizeof message, format, ap);
	va_end(ap);
	return err_set(&error->err, -EINVAL, "%s", message);
}

void secl_error_show(const struct secl_error *error, char *buf, size_t size)
{
	(void)snprintf(buf, size, "%s\n%*s^", error->source, (int)error->caret, "");
}
