/* SPDX-License-Identifier: GPL-3.0-or-later */
/* semver.h - agent_version constraints of policies, as their authors know them.
 *
 * `||` separates alternatives, a comma or a space joins conditions, each of
 * which is an operator (= != > < >= <= ~ ^, none means =) and a version that
 * may leave out parts or write them as x; `1.2 - 1.4` is a range. Where parts
 * are left out, > and != look only at those that are there: `> 7.37` is not
 * true for 7.37.1.
 */
#pragma once
#include "base/err.h"

struct semver {
	int64_t parts[3];
};

/* "7.75.0", "7.38", "v7.75.0-rc.1+meta" (what follows the numbers is ignored):
 * 0, or -EINVAL.
 */
int semver_parse(const char *text, struct semver *ret);

/* 1 when VERSION satisfies CONSTRAINT, 0 when not, -EINVAL with *err. */
int semver_satisfies(const struct semver *version, const char *constraint, struct err *err);
