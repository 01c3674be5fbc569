/* SPDX-License-Identifier: GPL-3.0-or-later */
/* alone.h - whether a parked caller is the only one who could change its
 * descriptors.
 */
#pragma once
#include "base/util.h"

/* True when TID is the only thread of its process and no other task of the
 * system shares its descriptor table (clone(2), CLONE_FILES). As long as it is
 * parked that stays so. In doubt false: a task that may not be compared counts
 * when it is under a filter. Takes some µs for each process of the system: for
 * a worker.
 */
bool alone_with_files(pid_t tid);
