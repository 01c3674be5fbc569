/* SPDX-License-Identifier: GPL-3.0-or-later */
/* allowlist.h - the system calls that a process of guard keeps.
 *
 * A sorted list becomes a binary search, so a call costs some seven comparisons and
 * the kernel, which tries every number when a filter is loaded, is soon through. What
 * is not on the list fails with EPERM; another architecture's call ends the process.
 */
#pragma once
#include <linux/filter.h>

#include "base/util.h"

enum { ALLOWLIST_CONDITIONS = 2, ALLOWLIST_ROWS_MAX = 256 };

/* Of an argument: what is left by MASK is VALUE. No mask: no condition. */
struct allowlist_condition {
	unsigned argument;
	uint64_t mask, value;
};

/* Allowed when both conditions hold. NUMBER is SCMP_SYS(): negative, and so left out,
 * where this architecture does it by another call. ERROR instead: it is not allowed,
 * and fails with that.
 */
struct allowlist_row {
	int number;
	int error;
	struct allowlist_condition when[ALLOWLIST_CONDITIONS];
};

#define ALLOWLIST_CALL(name)                                                                       \
	{                                                                                          \
		.number = SCMP_SYS(name)                                                           \
	}

/* The program for the native architecture: 0, -EINVAL (a number twice, too many rows) or
 * -ENOMEM. The caller frees ret->filter.
 */
int allowlist_build(const struct allowlist_row *rows, size_t count, struct sock_fprog *ret);

/* Builds and loads it for the calling thread and those that it makes from now on; 0 or
 * -errno. no_new_privs, or CAP_SYS_ADMIN, is the caller's business.
 */
int allowlist_load(const struct allowlist_row *rows, size_t count);
