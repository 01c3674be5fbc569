/* SPDX-License-Identifier: GPL-3.0-or-later */
/* slay.h - finding and killing processes by descent. */
#pragma once
#include "base/util.h"

/* True when ANCESTOR is PID or above it. */
bool slay_descends(pid_t pid, pid_t ancestor);

/* Kills everything below ANCESTOR but SPARED and SPARED_TOO (0 = nobody), again and
 * again until a look finds nobody alive; whoever forks faster than a hundred looks
 * stays. Each look collects before it kills: the children of the dead belong to
 * somebody else.
 */
void slay_descendants(pid_t ancestor, pid_t spared, pid_t spared_too);

/* The same for what is below any of the PIDS, and those themselves. */
void slay_trees(const pid_t *pids, size_t count);

/* Sends SIGNAL, once, to whom slay_descendants() would kill. */
void slay_signal(pid_t ancestor, pid_t spared, pid_t spared_too, int signal);
