/* SPDX-License-Identifier: GPL-3.0-or-later */
/* children.h - waiting for children without losing what became of the workload's
 * first process: its fate is in the journal before the kernel forgets it, for a
 * successor could not ask for it again.
 */
#pragma once
#include "engine/journal.h"

/* The next child (or tracee) that has ended, stopped or gone on: its pid, with the
 * status as of waitpid(2). 0 when there is none now.
 */
pid_t children_next(struct journal *journal, int *ret_status);

/* Whether PID, of which a signal told that it was trapped, is a tracee at a stop: its
 * status then is in *ret_status. One call, where children_next() takes two.
 */
bool children_stopped(pid_t pid, int *ret_status);

/* Waits until the workload's first process has ended, when it is our child, and
 * writes that down; it is left to be waited for.
 */
void children_await_root(struct journal *journal);
