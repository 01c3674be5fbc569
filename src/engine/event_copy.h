/* SPDX-License-Identifier: GPL-3.0-or-later */
/* event_copy.h - an event that outlives its call: for what is found out after the answer.
 *
 * A copy has its own processes, up to the oldest ancestor, and shares their images with
 * the process table, which keeps them as long as the copy is there.
 */
#pragma once
#include "engine/proctab.h"

struct event_copy {
	struct event event;
	struct proctab *tab;
	const struct image **kept; /* those that are shared */
	size_t nkept;
};

/* 0; -ENOMEM when it does not fit ARENA; -EOPNOTSUPP for an event that cannot be copied.
 * RET is only to be moved while it is empty.
 */
int event_copy_make(struct proctab *tab, const struct event *event, struct arena *arena,
		    struct event_copy *ret);
void event_copy_drop(struct event_copy *copy);

/* FILE of one of the copy's images, so that it can be written to: its image becomes the
 * copy's own. *ret_process is whose it is. NULL when FILE is of no image, or no memory is
 * left.
 */
struct file_info *event_copy_file(struct event_copy *copy, struct arena *arena,
				  const struct file_info *file, const struct process **ret_process);
