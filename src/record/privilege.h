/* SPDX-License-Identifier: GPL-3.0-or-later */
/* privilege.h - what the recorder gives up before it reads its first message. */
#pragma once
#include "base/err.h"

/* Session, signals, core dumps; ends close-on-exec omissions: every descriptor
 * but 0 to 2 and KEEP is closed. Standard input becomes /dev/null. 0 or
 * -errno.
 */
int privilege_detach(const int *keep, size_t nkeep, struct err *err);

/* For ever: user `guard` of /etc/passwd, else nobody (when started as root), no
 * capability in any set, no new privileges, not dumpable. 0 or a negative errno
 * with a line in *err. Where a user namespace does not map the
 * user, *ret_note says so, and only the capabilities go.
 */
int privilege_drop(const char **ret_note, struct err *err);
