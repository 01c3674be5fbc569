/* SPDX-License-Identifier: GPL-3.0-or-later */
/* idnames.h - numbers of users and groups to names, without asking anybody.
 *
 * Read once from files in the format of passwd(5) and group(5), not through
 * NSS: that would load libraries, open sockets and could wait for a server.
 * Users whom only NSS knows have no name here.
 */
#pragma once
#include "secl/secl.h"

struct idnames;

/* A file that does not exist is an empty one; lines that do not parse are
 * skipped; of two lines with one id the first counts. The caller frees *ret.
 * 0, -ENOMEM, or -errno of opening or reading a file.
 */
int idnames_load(const char *passwd, const char *group, struct idnames **ret);
void idnames_free(struct idnames *names);

/* Empty when unknown; NAMES may be NULL. Lives as long as NAMES. */
struct secl_string idnames_user(const struct idnames *names, uint32_t uid);
struct secl_string idnames_group(const struct idnames *names, uint32_t gid);
