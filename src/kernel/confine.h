/* SPDX-License-Identifier: GPL-3.0-or-later */
/* confine.h - the supervisor's own system call filter.
 *
 * It parses what a hostile workload put in memory, with privileges. Should that
 * ever go wrong, it still cannot start a program, open a socket, write a file,
 * change an id, mount or load anything: only what its loop is made of is left.
 */
#pragma once
#include "base/err.h"

/* For the calling thread and those that it makes from now on: 0, or -errno with one
 * line in *err. no_new_privs is set on the way. What is refused fails with EPERM.
 */
int confine_supervisor(struct err *err);
