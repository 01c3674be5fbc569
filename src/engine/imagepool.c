/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/imagepool.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>

/* Sizes and numbers of blocks: about 140 MiB of address space, of which only
 * what is used is memory. The largest holds all that execve(2) takes. IDLE is
 * how many stay when nobody holds them.
 */
static const struct {
	size_t size;
	unsigned count, idle;
} classes[] = {
	{ 1024, 16384, 256 }, { 4096, 8192, 256 }, { 16384, 1024, 64 },
	{ 131072, 128, 8 },   { 1048576, 8, 2 },   { 8388608, 6, 1 },
};

enum { CLASSES = ELEMENTS(classes), HASH_SIZE = 8192 };

struct block {
	_Atomic uint32_t complete; /* set last, cleared first: survives any death */
	unsigned class, refs;
	struct block *next, *prev; /* free or idle list */
	struct block *next_hash;
	struct image image;
	char strings[];
};

struct imagepool {
	size_t size;
	struct block *free[CLASSES];
	struct block *oldest[CLASSES], *newest[CLASSES]; /* idle */
	unsigned idle[CLASSES];
	_Atomic(char *) fresh[CLASSES]; /* never used yet */
	char *start[CLASSES], *end[CLASSES];
	struct block *hash[HASH_SIZE];
	unsigned used;
};

static struct block *block_of(const struct image *image)
{
	return CONTAINER_OF(image, struct block, image);
}

int imagepool_new(struct imagepool **ret)
{
	size_t size = (sizeof(struct imagepool) + 4095) & ~(size_t)4095;
	struct imagepool *pool;
	char *p;

	for (size_t i = 0; i < CLASSES; i++)
		size += classes[i].size * classes[i].count;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1,
		 0);
	if (p == MAP_FAILED)
		return -ENOMEM;
	pool = (struct imagepool *)(void *)p;
	pool->size = size;
	p += (sizeof *pool + 4095) & ~(size_t)4095;
	for (size_t i = 0; i < CLASSES; i++) {
		pool->start[i] = p;
		atomic_store(&pool->fresh[i], p);
		p += classes[i].size * classes[i].count;
		pool->end[i] = p;
	}
	*ret = pool;
	return 0;
}

void imagepool_free(struct imagepool *pool)
{
	if (pool)
		(void)munmap(pool, pool->size);
}

/* ---- lists ---------------------------------------------------------------- */

static struct block **hash_slot(struct imagepool *pool, uint64_t token)
{
	return &pool->hash[(token ^ (token >> 32)) & (HASH_SIZE - 1)];
}

static void hash_add(struct imagepool *pool, struct block *block)
{
	struct block **slot = hash_slot(pool, block->image.token);

	block->next_hash = *slot;
	*slot = block;
}

static void hash_remove(struct imagepool *pool, struct block *block)
{
	struct block **p = hash_slot(pool, block->image.token);

	while (*p && *p != block)
		p = &(*p)->next_hash;
	if (*p)
		*p = block->next_hash;
}

static void idle_add(struct imagepool *pool, struct block *block)
{
	unsigned class = block->class;

	block->next = NULL;
	block->prev = pool->newest[class];
	if (block->prev)
		block->prev->next = block;
	else
		pool->oldest[class] = block;
	pool->newest[class] = block;
	pool->idle[class]++;
}

static void idle_remove(struct imagepool *pool, struct block *block)
{
	unsigned class = block->class;

	if (block->prev)
		block->prev->next = block->next;
	else
		pool->oldest[class] = block->next;
	if (block->next)
		block->next->prev = block->prev;
	else
		pool->newest[class] = block->prev;
	pool->idle[class]--;
}

/* Forgets an image that nobody holds; its block is free. */
static void forget(struct imagepool *pool, struct block *block)
{
	idle_remove(pool, block);
	hash_remove(pool, block);
	atomic_store(&block->complete, 0);
	/* large blocks are rare and give their pages back */
	if (classes[block->class].size >= 131072)
		(void)madvise((char *)block + 4096, classes[block->class].size - 4096, MADV_REMOVE);
	block->next = pool->free[block->class];
	pool->free[block->class] = block;
}

static struct block *take_block(struct imagepool *pool, unsigned class)
{
	char *fresh = atomic_load(&pool->fresh[class]);
	struct block *block;

	if (!pool->free[class] && fresh == pool->end[class] && pool->oldest[class])
		forget(pool, pool->oldest[class]);
	block = pool->free[class];
	if (block) {
		pool->free[class] = block->next;
	} else if (fresh < pool->end[class]) {
		block = (struct block *)(void *)fresh;
		atomic_store(&pool->fresh[class], fresh + classes[class].size);
	} else {
		return NULL;
	}
	block->class = class;
	block->refs = 1;
	pool->used++;
	return block;
}

/* ---- copies ----------------------------------------------------------------- */

static size_t strings_size(const struct image *image)
{
	size_t size = image->file.path.size + image->interpreter.path.size +
		      (size_t)image->argv.size + image->envp.size;

	for (size_t i = 0; i < ELEMENTS(image->aliases); i++)
		size += image->aliases[i].size;
	for (size_t i = 0; i < HASH_COUNT; i++)
		size += image->file.hashes[i].size + image->interpreter.hashes[i].size;
	return size;
}

/* The smallest block that holds SIZE, else the largest one that is left. */
static struct block *find_block(struct imagepool *pool, size_t size)
{
	struct block *block = NULL;

	for (unsigned i = 0; i < CLASSES && !block; i++) {
		if (classes[i].size >= sizeof *block + size)
			block = take_block(pool, i);
	}
	for (unsigned i = CLASSES; i-- > 0 && !block;)
		block = take_block(pool, i);
	return block;
}

struct writer {
	char *p, *end;
	bool cut;
};

static void put_string(struct writer *w, struct secl_string *s)
{
	size_t size = MIN(s->size, (size_t)(w->end - w->p));

	w->cut |= size < s->size;
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
		w->cut = true;
	}
	if (size)
		memcpy(w->p, list->data, size);
	list->data = w->p;
	list->size = (uint32_t)size;
	list->count = count;
	w->p += size;
}

const struct image *imagepool_copy(struct imagepool *pool, const struct image *image)
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
	for (size_t i = 0; i < HASH_COUNT; i++) {
		put_string(&w, &block->image.file.hashes[i]);
		put_string(&w, &block->image.interpreter.hashes[i]);
	}
	put_list(&w, &block->image.argv);
	put_list(&w, &block->image.envp);
	block->image.cut |= w.cut;
	hash_add(pool, block);
	atomic_store(&block->complete, 1);
	return &block->image;
}

void imagepool_ref(struct imagepool *pool, const struct image *image)
{
	struct block *block = block_of(image);

	if (!block->refs++) {
		idle_remove(pool, block);
		pool->used++;
	}
}

void imagepool_unref(struct imagepool *pool, const struct image *image)
{
	struct block *block = block_of(image);
	unsigned class = block->class;

	if (--block->refs)
		return;
	pool->used--;
	idle_add(pool, block);
	while (pool->idle[class] > classes[class].idle)
		forget(pool, pool->oldest[class]);
}

/* ---- finding ------------------------------------------------------------------ */

static bool same_list(const struct string_list *a, const struct string_list *b)
{
	return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

/* The same to every rule but one about time. */
static bool same_program(const struct image *a, const struct image *b)
{
	return a->file.device == b->file.device && a->file.inode == b->file.inode &&
	       a->file.path.size == b->file.path.size &&
	       memcmp(a->file.path.text, b->file.path.text, a->file.path.size) == 0 &&
	       same_list(&a->argv, &b->argv) && same_list(&a->envp, &b->envp);
}

const struct image *imagepool_find(struct imagepool *pool, uint64_t token, bool *ret_ambiguous)
{
	const struct image *found = NULL;

	*ret_ambiguous = false;
	for (struct block *b = *hash_slot(pool, token); b; b = b->next_hash) {
		if (b->image.token != token)
			continue;
		if (!found)
			found = &b->image;
		else if (!same_program(found, &b->image))
			*ret_ambiguous = true;
	}
	return found;
}

void imagepool_recover(struct imagepool *pool)
{
	memset(pool->hash, 0, sizeof pool->hash);
	pool->used = 0;
	for (unsigned i = 0; i < CLASSES; i++) {
		char *fresh = atomic_load(&pool->fresh[i]);

		pool->free[i] = pool->oldest[i] = pool->newest[i] = NULL;
		pool->idle[i] = 0;
		for (char *p = pool->start[i]; p < fresh; p += classes[i].size) {
			struct block *block = (struct block *)(void *)p;

			block->class = i;
			block->refs = 0;
			if (atomic_load(&block->complete)) {
				hash_add(pool, block);
				idle_add(pool, block);
			} else {
				block->next = pool->free[i];
				pool->free[i] = block;
			}
		}
	}
}

unsigned imagepool_used(const struct imagepool *pool)
{
	return pool->used;
}
