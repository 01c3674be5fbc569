/* SPDX-License-Identifier: GPL-3.0-or-later */
/* walk.h - path resolution component by component, as another task.
 *
 * openat2(2) cannot do it: RESOLVE_IN_ROOT refuses magic links, and
 * /proc/self would be guard. Needed for chroots, foreign mount namespaces and
 * paths through /proc; everything else takes the short way in resolve.c.
 */
#pragma once
#include "base/util.h"

struct walk {
	int root;        /* O_PATH of the task's root directory */
	int start;       /* O_PATH to start from; the root for absolute paths */
	pid_t tid, tgid; /* what /proc/thread-self and /proc/self mean */
	bool nofollow;   /* do not follow a link in last place */
};

/* An O_PATH descriptor, or -errno as open(2) would give the task. */
int walk_open(const struct walk *walk, const char *path);
