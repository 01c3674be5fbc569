/* SPDX-License-Identifier: GPL-3.0-or-later */
/* glob.h - plain patterns and path globs (specification 6.2, 6.3). Matching
 * itself is in secl.h.
 */
#pragma once
#include "secl/secl.h"

/* A plain pattern: 0, or -EINVAL with a text (`**` means nothing there). */
int secl_pattern_check(const char *pattern, size_t psize, struct err *err);
