/* SPDX-License-Identifier: GPL-3.0-or-later */
/* regex_syntax.h - checks that a pattern is RE2 and writes it for PCRE2. */
#pragma once
#include "base/err.h"

/* The caller frees *ret, which is not NUL-terminated. *ret_counts is the sum of
 * the bounds of its repetitions. 0; -EINVAL; -ENOMEM.
 */
int regexp_translate(const char *pattern, size_t size, char **ret, size_t *ret_size,
		     size_t *ret_counts, struct err *err);
