/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/arena.h"

#include <errno.h>
#include <stdalign.h>
#include <sys/mman.h>

/* What arena_reset() keeps mapped: an event of ordinary size fits, so that the
 * usual case costs no page faults, and a huge one does not stay resident.
 */
enum { KEEP = 256 * 1024 };

static size_t page_round(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (size + page - 1) & ~(page - 1);
}

int arena_init(struct arena *a, size_t size)
{
	void *base;

	if (size == 0 || size > PTRDIFF_MAX)
		return -ENOMEM;
	size = page_round(size);
	base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		    -1, 0);
	if (base == MAP_FAILED)
		return -ENOMEM;
	*a = (struct arena){ .base = base, .size = size };
	return 0;
}

void arena_done(struct arena *a)
{
	if (a->base)
		(void)munmap(a->base, a->size);
	*a = (struct arena){ 0 };
}

void *arena_alloc_raw(struct arena *a, size_t size)
{
	const size_t align = alignof(max_align_t);
	size_t start = (a->used + align - 1) & ~(align - 1);

	/* start may lie behind the end, therefore no plain subtraction */
	if (start > a->size || size > a->size - start)
		return NULL;
	a->used = start + size;
	return a->base + start;
}

void *arena_alloc(struct arena *a, size_t size)
{
	void *p = arena_alloc_raw(a, size);

	/* pages are reused after a reset, so they are not always zero */
	return p ? memset(p, 0, size) : NULL;
}

char *arena_copy(struct arena *a, const void *data, size_t size)
{
	char *copy = size < SIZE_MAX ? arena_alloc(a, size + 1) : NULL;

	if (copy && size > 0)
		memcpy(copy, data, size);
	return copy;
}

void arena_reset(struct arena *a)
{
	/* between events, and most of them stay below it */
	if (a->used > KEEP) {
		size_t keep = page_round(KEEP);

		(void)madvise(a->base + keep, page_round(a->used) - keep, MADV_DONTNEED);
	}
	a->used = 0;
}

void arena_release(struct arena *a, size_t mark)
{
	if (mark <= a->used)
		a->used = mark;
}
