/* SPDX-License-Identifier: GPL-3.0-or-later */
/* identity.h - --user and --group: names or numbers to ids. */
#pragma once
#include "base/err.h"

enum { IDENTITY_GROUPS_MAX = 256 };

struct identity {
	bool set;
	uid_t uid;
	gid_t gid;
	gid_t groups[IDENTITY_GROUPS_MAX];
	size_t ngroups;
};

/* USER and GROUP may be NULL. A user brings its groups, as login would; a number
 * that no user has brings none. A group replaces the user's first one. 0, or
 * -EINVAL with one line in *err.
 */
int identity_resolve(const char *user, const char *group, struct identity *ret, struct err *err);
