/* SPDX-License-Identifier: GPL-3.0-or-later */
/* default_policy.h - conf/policies/default.policy inside the program; the
 * source file is made by the build.
 */
#pragma once
#include <stddef.h>

extern const char default_policy[]; /* NUL-terminated */
extern const size_t default_policy_size;
