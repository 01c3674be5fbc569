/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "secl/pool.h"

#include <errno.h>
#include <stdalign.h>

/* Most rules fit into one block. */
enum { BLOCK = 4096 };

struct pool_block {
	struct pool_block *next;
	size_t used, size;
	alignas(max_align_t) char data[];
};

struct pool_object {
	struct pool_object *next;
	void *object;
	void (*release)(void *object);
};

static size_t align_up(size_t size)
{
	return (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

void *pool_alloc(struct pool *p, size_t size)
{
	struct pool_block *b = p->blocks;
	size_t room;
	char *start;

	if (size > PTRDIFF_MAX / 2)
		return NULL;
	size = align_up(size);
	if (!b || size > b->size - b->used) {
		/* blocks double, so that their number stays small */
		room = MAX(size, b ? MIN(b->size * 2, (size_t)1 << 20) : BLOCK);
		b = calloc(1, sizeof *b + room);
		if (!b)
			return NULL;
		b->size = room;
		b->next = p->blocks;
		p->blocks = b;
	}
	start = b->data + b->used;
	b->used += size;
	return start;
}

char *pool_copy(struct pool *p, const void *data, size_t size)
{
	char *copy = size < SIZE_MAX ? pool_alloc(p, size + 1) : NULL;

	if (copy && size > 0)
		memcpy(copy, data, size);
	return copy;
}

int pool_adopt(struct pool *p, void *object, void (*release)(void *object))
{
	struct pool_object *o = pool_alloc(p, sizeof *o);

	if (!o) {
		release(object);
		return -ENOMEM;
	}
	*o = (struct pool_object){ .next = p->objects, .object = object, .release = release };
	p->objects = o;
	return 0;
}

void pool_done(struct pool *p)
{
	struct pool_block *b, *next;

	for (struct pool_object *o = p->objects; o; o = o->next)
		o->release(o->object);
	for (b = p->blocks; b; b = next) {
		next = b->next;
		free(b);
	}
	*p = (struct pool){ 0 };
}
