/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/escape.h"

enum { LOG_LINE_MAX = 4096 }; /* PIPE_BUF: lines of several processes never mix */

static struct {
	enum log_level level;
	int fd;
} log_state = { LOG_LEVEL_INFO, STDERR_FILENO };

static const char *const level_words[] = {
	[LOG_LEVEL_ERROR] = "",
	[LOG_LEVEL_WARNING] = "warning: ",
	[LOG_LEVEL_INFO] = "",
	[LOG_LEVEL_DEBUG] = "debug: ",
};

void log_set_level(enum log_level level)
{
	log_state.level = level;
}

void log_set_fd(int fd)
{
	log_state.fd = fd;
}

/* One write(2): a line is whole even when several processes share the fd. A
 * standard error that cannot be written is nobody's to report.
 */
static void write_line(const char *line, size_t size)
{
	ssize_t n;

	do
		n = write(log_state.fd, line, size);
	while (n < 0 && errno == EINTR);
}

void log_message(enum log_level level, const char *format, ...)
{
	char text[LOG_LINE_MAX], line[LOG_LINE_MAX];
	int saved = errno;
	size_t length;
	va_list args;
	int n;

	if (level > log_state.level)
		return;
	va_start(args, format);
	n = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (n < 0)
		n = 0;
	length = (size_t)snprintf(line, sizeof line, "guard: %s", level_words[level]);
	/* a message cut by vsnprintf is cut again here, and then marked */
	length += escape_text(line + length, sizeof line - length - 1, text, strlen(text));
	line[length++] = '\n';
	write_line(line, length);
	errno = saved;
}
