/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/imagepool.h"

#include <errno.h>
#include <sys/mman.h>

/* Sizes and numbers of blocks: about 90 MiB of address space, of which only
 * what is used is memory. The largest holds a command line beyond any build
 * system's; longer ones are cut in the table (never in the event).
 */
static const struct {
	size_t size;
	unsigned count;
} classes[] = {
	{ 1024, 16384 }, { 4096, 8192 }, { 16384, 1024 }, { 131072, 128 }, { 1048576, 8 },
};

struct block {
	struct block *next; /* free list */
	unsigned class, refs;
	struct image image;
	char strings[];
};

struct imagepool {
	char *memory;
	size_t size;
	struct block *free[ELEMENTS(classes)];
	char *fresh[ELEMENTS(classes)], *end[ELEMENTS(classes)]; /* never used yet */
	unsigned used;
};

static struct block *block_of(const struct image *image)
{
	return CONTAINER_OF(image, struct block, image);
}

int imagepool_new(struct imagepool **ret)
{
	struct imagepool *pool = calloc(1, sizeof *pool);
	char *p;

	if (!pool)
		return -ENOMEM;
	for (size_t i = 0; i < ELEMENTS(classes); i++)
		pool->size += classes[i].size * classes[i].count;
	pool->memory = mmap(NULL, pool->size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (pool->memory == MAP_FAILED) {
		free(pool);
		return -ENOMEM;
	}
	p = pool->memory;
	for (size_t i = 0; i < ELEMENTS(classes); i++) {
		pool->fresh[i] = p;
		p += classes[i].size * classes[i].count;
		pool->end[i] = p;
	}
	*ret = pool;
	return 0;
}

void imagepool_free(struct imagepool *pool)
{
	if (!pool)
		return;
	(void)munmap(pool->memory, pool->size);
	free(pool);
}

static struct block *take_block(struct imagepool *pool, unsigned class)
{
	struct block *block = pool->free[class];

	if (block) {
		pool->free[class] = block->next;
	} else if (pool->fresh[class] < pool->end[class]) {
		block = (struct block *)(void *)pool->fresh[class];
		pool->fresh[class] += classes[class].size;
	} else {
		return NULL;
	}
	block->class = class;
	block->refs = 1;
	pool->used++;
	return block;
}

static size_t strings_size(const struct image *image)
{
	size_t size = image->file.path.size + image->interpreter.path.size +
		      (size_t)image->argv.size + image->envp.size;

	for (size_t i = 0; i < ELEMENTS(image->aliases); i++)
		size += image->aliases[i].size;
	return size;
}

/* The smallest block that holds SIZE, else the largest one that is left. */
static struct block *find_block(struct imagepool *pool, size_t size)
{
	struct block *block = NULL;

	for (unsigned i = 0; i < ELEMENTS(classes) && !block; i++) {
		if (classes[i].size >= sizeof *block + size)
			block = take_block(pool, i);
	}
	for (unsigned i = ELEMENTS(classes); i-- > 0 && !block;)
		block = take_block(pool, i);
	return block;
}

struct writer {
	char *p, *end;
	bool shortened;
};

static void put_string(struct writer *w, struct secl_string *s)
{
	size_t size = MIN(s->size, (size_t)(w->end - w->p));

	w->shortened |= size < s->size;
	if (size)
		memcpy(w->p, s->text, size);
	*s = (struct secl_string){ .text = w->p, .size = size };
	w->p += size;
}

/* As many whole strings as there is room for. */
static void put_list(struct writer *w, struct string_list *list)
{
	size_t room = (size_t)(w->end - w->p), size = list->size;
	uint32_t count = list->count;

	if (size > room) {
		size = count = 0;
		for (const char *p = list->data; count < list->count; count++) {
			size_t next = strlen(p) + 1;

			if (size + next > room)
				break;
			size += next;
			p += next;
		}
		list->truncated = true;
		w->shortened = true;
	}
	if (size)
		memcpy(w->p, list->data, size);
	list->data = w->p;
	list->size = (uint32_t)size;
	list->count = count;
	w->p += size;
}

struct image *imagepool_copy(struct imagepool *pool, const struct image *image, bool *ret_shortened)
{
	struct block *block = find_block(pool, strings_size(image));
	struct writer w;

	if (!block)
		return NULL;
	block->image = *image;
	w = (struct writer){ .p = block->strings,
			     .end = (char *)block + classes[block->class].size };
	put_string(&w, &block->image.file.path);
	put_string(&w, &block->image.interpreter.path);
	for (size_t i = 0; i < ELEMENTS(block->image.aliases); i++)
		put_string(&w, &block->image.aliases[i]);
	put_list(&w, &block->image.argv);
	put_list(&w, &block->image.envp);
	*ret_shortened = w.shortened;
	return &block->image;
}

void imagepool_ref(struct imagepool *pool UNUSED, const struct image *image)
{
	block_of(image)->refs++;
}

void imagepool_unref(struct imagepool *pool, const struct image *image)
{
	struct block *block = block_of(image);

	if (--block->refs)
		return;
	/* large blocks are rare and give their pages back */
	if (classes[block->class].size >= 131072) {
		unsigned class = block->class;

		(void)madvise((char *)block + 4096, classes[class].size - 4096, MADV_DONTNEED);
	}
	block->next = pool->free[block->class];
	pool->free[block->class] = block;
	pool->used--;
}

unsigned imagepool_used(const struct imagepool *pool)
{
	return pool->used;
}
