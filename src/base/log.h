/* SPDX-License-Identifier: GPL-3.0-or-later */
/* log.h - messages of guard itself, for the person who runs it.
 *
 * One line each on standard error, prefixed "guard: ", control bytes escaped.
 * Only commands and loops log; library code returns a struct err. The level
 * is the one piece of file-static state in the program.
 */
#pragma once
#include "base/err.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level level);
/* The descriptor that messages go to; default 2. */
void log_set_fd(int fd);

void log_message(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

#define log_error(...)   log_message(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_message(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_message(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_message(LOG_LEVEL_DEBUG, __VA_ARGS__)
