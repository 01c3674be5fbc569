/* SPDX-License-Identifier: GPL-3.0-or-later */
/* path.h - the search for a command, as env(1) does it. */
#pragma once
#include "base/err.h"

/* NAME with a slash is taken as it is, else the first executable file of that
 * name in PATH. Relative results count from CWD (NULL = here), where the command
 * will run. The caller frees *ret. 0; with one line in *err -ENOENT (no such
 * command), -EINVAL (no such CWD), -ENOMEM, any other -errno (found, but cannot be
 * executed).
 */
int path_search(const char *name, const char *cwd, char **ret, struct err *err);
