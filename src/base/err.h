/* SPDX-License-Identifier: GPL-3.0-or-later */
/* err.h - why something failed, in words for a person.
 *
 * Library code fills a struct err and returns its negative code; only
 * commands and loops print it. The text is one line without a full stop and
 * without the program's name.
 */
#pragma once
#include "base/util.h"

struct err {
	int code;        /* negative errno, 0 = no error */
	char text[1024]; /* bounded, NUL-terminated, control bytes escaped */
};

/* Sets code and text and returns CODE, so that a failing function can end
 * with `return err_set(err, -errno, "...")`. ERR may be NULL.
 */
int err_set(struct err *err, int code, const char *format, ...) PRINTF_LIKE(3, 4);

/* As err_set(), with ": " and the text of errno appended. */
int err_errno(struct err *err, int code, const char *format, ...) PRINTF_LIKE(3, 4);

/* Puts context in front of the text that is there. Returns err->code. */
int err_prefix(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);
