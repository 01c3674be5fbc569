/* SPDX-License-Identifier: GPL-3.0-or-later */
/* shield.h - why a workload cannot look into guard, even as root.
 *
 * Every way into another process (ptrace(2), /proc/PID/mem, environ, maps, fd, root,
 * pidfd_getfd(2), process_vm_readv(2)) asks ptrace_may_access() of the kernel. Guard's
 * processes are not dumpable, so the answer is no without CAP_SYS_PTRACE in their
 * user namespace; that capability is taken from the workload, for ever, before it is
 * executed. This is decided by the kernel at each access, so there is nothing to race
 * with and nothing to pay. In a user namespace that the workload makes it has the
 * capability again, for what lives there.
 */
#pragma once
#include "base/err.h"

/* Whether shield_up() can succeed for good: 0, or -EPERM with one line in *err, when a
 * program that the workload executes would get the capability back. NO_NEW_PRIVS: the
 * workload runs with it, and so gets back nothing.
 */
int shield_check(bool no_new_privs, struct err *err);

/* Takes CAP_SYS_PTRACE out of every set of the calling process. Only system calls. 0,
 * or -errno when it stays in the bounding set (where no_new_privs makes it harmless)
 * or anywhere else.
 */
int shield_up(void);
