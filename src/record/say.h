/* SPDX-License-Identifier: GPL-3.0-or-later */
/* say.h - the recorder's own messages. */
#pragma once
#include "base/util.h"

/* As log_error(), unless standard error cannot take it at once: a message is not
 * worth a recorder that hangs.
 */
void say(const char *format, ...) PRINTF_LIKE(1, 2);
