/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "record/say.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"

void say(const char *format, ...)
{
	struct pollfd ready = { .fd = STDERR_FILENO, .events = POLLOUT };
	char text[1024];
	va_list args;

	if (poll(&ready, 1, 0) <= 0)
		return;
	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	log_error("%s", text);
}
