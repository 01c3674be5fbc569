/* SPDX-License-Identifier: GPL-3.0-or-later */
/* programs.h - files that rules pin: known by a path, and again under any other.
 *
 * Each is held open, so that its number means nothing else as long as guard runs (and
 * its file system cannot be unmounted). What was at a path when guard started counts
 * for ever, the last few that came there after it as well: a package was upgraded.
 */
#pragma once
#include "base/util.h"
#include "secl/secl.h"

struct programs;

/* Looks at each path, which need not be there. The texts are copied. 0, or -ENOMEM. */
int programs_new(const struct secl_string *paths, size_t count, struct programs **ret);
void programs_free(struct programs *programs);

/* Looks at the paths again as far as that needs no waiting for a disk or server. */
void programs_look(struct programs *programs);

/* Whether path I is or was the file with these numbers (resolve_identify()). */
bool programs_known(const struct programs *programs, size_t i, uint64_t device, uint64_t inode);
