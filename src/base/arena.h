/* SPDX-License-Identifier: GPL-3.0-or-later */
/* arena.h - memory that lives exactly as long as one event or one ruleset.
 *
 * Nothing taken from an arena is ever freed alone: arena_reset() drops it all
 * and keeps the pages, arena_done() gives the pages back. The pages are
 * reserved once and touched on use, so a large arena costs address space only.
 */
#pragma once
#include "base/util.h"

struct arena {
	char *base;
	size_t used, size;
};

/* SIZE in bytes, rounded up to pages. 0, or -ENOMEM. */
int arena_init(struct arena *a, size_t size);
void arena_done(struct arena *a);

/* Zeroed and aligned for any type; NULL when the arena is full, never blocks. */
void *arena_alloc(struct arena *a, size_t size);

/* The same with whatever is there: for what is about to be filled. */
void *arena_alloc_raw(struct arena *a, size_t size);

/* A NUL-terminated copy of SIZE bytes; NULL when the arena is full. */
char *arena_copy(struct arena *a, const void *data, size_t size);

/* Drops everything. Pages above a small working set are given back. */
void arena_reset(struct arena *a);

/* Undo point: everything taken after arena_mark() is dropped by
 * arena_release().
 */
static inline size_t arena_mark(const struct arena *a)
{
	return a->used;
}
void arena_release(struct arena *a, size_t mark);
