/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snapshot.h - the image of a process whose exec guard did not see, as /proc shows it
 * now.
 */
#pragma once
#include "base/arena.h"
#include "engine/imagepool.h"
#include "kernel/resolve.h"

/* A copy in POOL with one reference, read through SCRATCH; NULL without memory. UNKNOWN:
 * of a process of the workload, which can have made that up, for reports only. HOST as
 * for resolve_describe(). Without MEMORY its own is not read: arguments and environment.
 * OUTSIDE: it runs above the workload.
 */
const struct image *snapshot_image(struct imagepool *pool, struct resolve_host *host,
				   struct arena *scratch, pid_t tid, bool unknown, bool memory,
				   bool outside);

/* Whether TID runs the file of IMAGE. */
bool snapshot_same_program(pid_t tid, const struct image *image);
