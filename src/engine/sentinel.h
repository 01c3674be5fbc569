/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sentinel.h - who notices that the caller's memory holds the loop.
 *
 * Reading a page that a file server backs, which does not answer, holds the reader in
 * the kernel until it dies. The loop reads its callers' memory itself, since that is
 * quick and next to never stalls. When it does, the sentinel, a thread of its own, writes
 * `careful` into the journal and ends the supervisor: its successor, like any that
 * traces an exec, leaves the reading to workers (fetch.h). So it happens once in a run,
 * and nobody's exec dies with the supervisor.
 */
#pragma once
#include <stdatomic.h>

#include "engine/journal.h"

struct sentinel;

/* For the calling thread. When it is held, that is written into JOURNAL, which NEWS says,
 * and the process is ended. 0, or -errno: then nobody watches.
 */
int sentinel_new(struct journal *journal, int news, struct sentinel **ret);
/* Before the process ends; its thread goes with that. NULL is fine. */
void sentinel_dismiss(struct sentinel *s);

/* Around what reads a caller's memory, by the thread that is watched; NULL is fine. */
void sentinel_enter(struct sentinel *s);
void sentinel_leave(struct sentinel *s);
