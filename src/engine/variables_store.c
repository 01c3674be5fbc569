/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/variables_store.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>

/* 8 MiB of address space, of which only what is used is memory. */
enum { BLOCKS = 65536, BLOCK_SIZE = 128, HASH_SIZE = 4096 };
enum { ELEMENT_TEXT = 80, PIECE_TEXT = 124, KEY_TEXT_MAX = 4096 };

/* Text that does not fit its element goes on in pieces. Blocks are named by their
 * number, 0 = none.
 */
struct piece {
	uint32_t next;
	char text[PIECE_TEXT];
};

struct element {
	uint32_t next;  /* more recently written */
	uint32_t size;  /* of the text */
	uint32_t more;  /* its piece after the first bytes */
	int64_t expiry; /* monotonic, INT64_MAX = never */
	union {
		int64_t integer;
		struct secl_net net;
		char text[ELEMENT_TEXT];
	};
};

/* The value of one variable for one owner. */
struct cell {
	uint32_t next_hash;
	uint32_t newer, older;   /* by last write */
	uint32_t oldest, newest; /* elements; a scalar has one */
	uint32_t count;
	uint32_t owner_text; /* id of a container or path of a cgroup: an element */
	uint32_t bucket;
	uint16_t variable; /* index */
	uint16_t scope;
	/* of a process: who, and which of its images */
	int64_t pid;
	uint64_t start_ticks, token;
};

union block {
	struct cell cell;
	struct element element;
	struct piece piece;
	char size[BLOCK_SIZE];
};
_Static_assert(sizeof(union block) == BLOCK_SIZE, "a kind of block has grown");

struct variables {
	atomic_bool writing; /* between begin and end of a change */
	bool dropped;        /* values were dropped for want of room */
	uint32_t fresh, free, used;
	uint32_t newest, oldest; /* cells, by last write */
	uint32_t hash[HASH_SIZE];
	union block blocks[BLOCKS];
};

int variables_new(struct variables **ret)
{
	void *p = mmap(NULL, sizeof(struct variables), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return -ENOMEM;
	*ret = p;
	(*ret)->fresh = 1;
	return 0;
}

void variables_free(struct variables *store)
{
	if (store)
		(void)munmap(store, sizeof *store);
}

unsigned variables_used(const struct variables *store)
{
	return store->used;
}

/* ---- blocks -------------------------------------------------------------------- */

static struct cell *cell_at(struct variables *store, uint32_t ref)
{
	return &store->blocks[ref].cell;
}

static struct element *element_at(struct variables *store, uint32_t ref)
{
	return &store->blocks[ref].element;
}

static struct piece *piece_at(struct variables *store, uint32_t ref)
{
	return &store->blocks[ref].piece;
}

static void give_back(struct variables *store, uint32_t ref)
{
	piece_at(store, ref)->next = store->free;
	store->free = ref;
	store->used--;
}

static void drop_oldest(struct variables *store, uint32_t keep);

/* A zeroed block, for which values other than those of KEEP may be dropped; 0 = none. */
static uint32_t take(struct variables *store, uint32_t keep)
{
	uint32_t ref = store->free;

	if (!ref && store->fresh == BLOCKS) {
		drop_oldest(store, keep);
		ref = store->free;
	}
	if (ref)
		store->free = piece_at(store, ref)->next;
	else if (store->fresh < BLOCKS)
		ref = store->fresh++;
	else
		return 0;
	memset(&store->blocks[ref], 0, BLOCK_SIZE);
	store->used++;
	return ref;
}

/* ---- texts --------------------------------------------------------------------- */

static void free_element(struct variables *store, uint32_t ref)
{
	uint32_t piece = element_at(store, ref)->more;

	while (piece) {
		uint32_t next = piece_at(store, piece)->next;

		give_back(store, piece);
		piece = next;
	}
	give_back(store, ref);
}

/* A new element with TEXT; 0 when there is no room for it. */
static uint32_t text_element(struct variables *store, struct secl_string text, uint32_t keep)
{
	uint32_t ref = take(store, keep), *link;
	struct element *e = element_at(store, ref);
	size_t at;

	if (!ref)
		return 0;
	e->size = (uint32_t)MIN(text.size, (size_t)VARIABLE_TEXT_MAX);
	at = MIN(e->size, (uint32_t)ELEMENT_TEXT);
	if (at)
		memcpy(e->text, text.text, at);
	link = &e->more;
	while (at < e->size) {
		size_t n = MIN(e->size - at, (size_t)PIECE_TEXT);
		uint32_t piece = take(store, keep);

		if (!piece) {
			free_element(store, ref);
			return 0;
		}
		memcpy(piece_at(store, piece)->text, text.text + at, n);
		*link = piece;
		link = &piece_at(store, piece)->next;
		at += n;
	}
	return ref;
}

static bool text_equals(struct variables *store, const struct element *e, struct secl_string text)
{
	size_t at = MIN(e->size, (uint32_t)ELEMENT_TEXT);
	uint32_t piece = e->more;

	text.size = MIN(text.size, (size_t)VARIABLE_TEXT_MAX);
	if (e->size != text.size || (at && memcmp(e->text, text.text, at) != 0))
		return false;
	while (at < e->size) {
		size_t n = MIN(e->size - at, (size_t)PIECE_TEXT);

		if (memcmp(piece_at(store, piece)->text, text.text + at, n) != 0)
			return false;
		at += n;
		piece = piece_at(store, piece)->next;
	}
	return true;
}

/* Short ones are read in place, long ones put together in SCRATCH. */
static int text_of(struct variables *store, const struct element *e, struct arena *scratch,
		   struct secl_string *ret)
{
	size_t at = MIN(e->size, (uint32_t)ELEMENT_TEXT);
	uint32_t piece = e->more;
	char *copy;

	*ret = (struct secl_string){ e->text, e->size };
	if (!piece)
		return 0;
	copy = arena_alloc(scratch, e->size);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, e->text, at);
	while (at < e->size) {
		size_t n = MIN(e->size - at, (size_t)PIECE_TEXT);

		memcpy(copy + at, piece_at(store, piece)->text, n);
		at += n;
		piece = piece_at(store, piece)->next;
	}
	ret->text = copy;
	return 0;
}

/* ---- cells --------------------------------------------------------------------- */

/* All that a process has is in one bucket, so that it is quickly forgotten. */
static uint32_t bucket_of(const struct owner *owner)
{
	uint64_t h = owner->variable;

	if (owner->scope == SCOPE_PROCESS)
		h = (uint64_t)owner->process->pid ^ owner->process->start_ticks << 22;
	for (size_t i = 0; i < owner->text.size; i++)
		h = (h ^ (unsigned char)owner->text.text[i]) * UINT64_C(0x100000001b3);
	h *= UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(h >> 32) % HASH_SIZE;
}

/* ANY_IMAGE: what was set before an exec of the process counts as well. */
static bool belongs(struct variables *store, const struct cell *cell, const struct owner *owner,
		    bool any_image)
{
	const struct process *p = owner->process;

	if (cell->variable != owner->variable || cell->scope != owner->scope)
		return false;
	if (owner->scope == SCOPE_PROCESS)
		return cell->pid == p->pid && cell->start_ticks == p->start_ticks &&
		       (any_image || cell->token == p->image->token);
	return owner->scope == SCOPE_GLOBAL ||
	       text_equals(store, element_at(store, cell->owner_text), owner->text);
}

/* The newest is in front, so that of several images the last one answers. */
uint32_t store_find(struct variables *store, const struct owner *owner, bool any_image)
{
	uint32_t ref = store->hash[bucket_of(owner)];

	while (ref && !belongs(store, cell_at(store, ref), owner, any_image))
		ref = cell_at(store, ref)->next_hash;
	return ref;
}

static void unlink_write(struct variables *store, uint32_t ref)
{
	struct cell *cell = cell_at(store, ref);

	*(cell->newer ? &cell_at(store, cell->newer)->older : &store->newest) = cell->older;
	*(cell->older ? &cell_at(store, cell->older)->newer : &store->oldest) = cell->newer;
}

static void link_write(struct variables *store, uint32_t ref)
{
	struct cell *cell = cell_at(store, ref);

	cell->newer = 0;
	cell->older = store->newest;
	*(cell->older ? &cell_at(store, cell->older)->newer : &store->oldest) = ref;
	store->newest = ref;
}

static void drop_elements(struct variables *store, struct cell *cell)
{
	while (cell->oldest) {
		uint32_t next = element_at(store, cell->oldest)->next;

		free_element(store, cell->oldest);
		cell->oldest = next;
	}
	cell->newest = cell->count = 0;
}

/* Takes the cell out of its chain. LINK points to its number. */
static void drop_cell(struct variables *store, uint32_t *link)
{
	uint32_t ref = *link;
	struct cell *cell = cell_at(store, ref);

	*link = cell->next_hash;
	unlink_write(store, ref);
	drop_elements(store, cell);
	if (cell->owner_text)
		free_element(store, cell->owner_text);
	give_back(store, ref);
}

static void drop_oldest(struct variables *store, uint32_t keep)
{
	uint32_t ref = store->oldest, *link;

	while (ref && (ref == keep || cell_at(store, ref)->scope == SCOPE_GLOBAL))
		ref = cell_at(store, ref)->newer;
	store->dropped = true;
	if (!ref)
		return;
	link = &store->hash[cell_at(store, ref)->bucket];
	while (*link != ref)
		link = &cell_at(store, *link)->next_hash;
	drop_cell(store, link);
}

static uint32_t make_cell(struct variables *store, const struct owner *owner)
{
	uint32_t ref = take(store, 0), text = 0, *head;
	struct cell *cell;

	if (!ref)
		return 0;
	/* not linked yet: nothing that is dropped for the text can be this one */
	if (owner->text.size) {
		text = text_element(store, owner->text, 0);
		if (!text) {
			give_back(store, ref);
			return 0;
		}
	}
	cell = cell_at(store, ref);
	head = &store->hash[bucket_of(owner)];
	*cell = (struct cell){ .next_hash = *head,
			       .bucket = bucket_of(owner),
			       .owner_text = text,
			       .variable = (uint16_t)owner->variable,
			       .scope = (uint16_t)owner->scope };
	if (owner->scope == SCOPE_PROCESS) {
		cell->pid = owner->process->pid;
		cell->start_ticks = owner->process->start_ticks;
		cell->token = owner->process->image->token;
	}
	*head = ref;
	link_write(store, ref);
	return ref;
}

/* ---- elements ------------------------------------------------------------------ */

static bool same_scalar(struct variables *store, const struct element *e,
			const struct secl_value *v)
{
	switch (v->type) {
	case SECL_STRING: return text_equals(store, e, v->string);
	case SECL_NET: return memcmp(&e->net, &v->net, sizeof e->net) == 0;
	case SECL_BOOL: return e->integer == v->boolean;
	default: return e->integer == v->integer;
	}
}

static uint32_t make_element(struct variables *store, const struct secl_value *v, uint32_t keep)
{
	struct element *e;
	uint32_t ref;

	if (v->type == SECL_STRING)
		return text_element(store, v->string, keep);
	ref = take(store, keep);
	e = element_at(store, ref);
	if (!ref)
		return 0;
	if (v->type == SECL_NET)
		e->net = v->net;
	else
		e->integer = v->type == SECL_BOOL ? v->boolean : v->integer;
	return ref;
}

/* Takes the element behind PREVIOUS (0: the oldest) out of the list. */
static uint32_t unlink_element(struct variables *store, struct cell *cell, uint32_t previous)
{
	uint32_t *link = previous ? &element_at(store, previous)->next : &cell->oldest;
	uint32_t ref = *link;

	*link = element_at(store, ref)->next;
	if (cell->newest == ref)
		cell->newest = previous;
	cell->count--;
	return ref;
}

static void link_element(struct variables *store, struct cell *cell, uint32_t ref, int64_t expiry)
{
	struct element *e = element_at(store, ref);

	e->next = 0;
	e->expiry = expiry;
	*(cell->newest ? &element_at(store, cell->newest)->next : &cell->oldest) = ref;
	cell->newest = ref;
	cell->count++;
}

/* A list is a set: what is in it already becomes the newest again. */
static uint32_t take_out(struct variables *store, struct cell *cell, const struct secl_value *v)
{
	uint32_t previous = 0;

	for (uint32_t ref = cell->oldest; ref; ref = element_at(store, ref)->next) {
		if (same_scalar(store, element_at(store, ref), v))
			return unlink_element(store, cell, previous);
		previous = ref;
	}
	return 0;
}

static void drop_expired(struct variables *store, struct cell *cell, int64_t now_ns)
{
	while (cell->oldest && element_at(store, cell->oldest)->expiry <= now_ns)
		free_element(store, unlink_element(store, cell, 0));
}

static void add_scalar(struct variables *store, uint32_t cell_ref, const struct secl_value *v,
		       const struct variable *variable, int64_t expiry)
{
	struct cell *cell = cell_at(store, cell_ref);
	uint32_t ref = variable->array ? take_out(store, cell, v) : 0;

	if (!variable->array)
		drop_elements(store, cell);
	if (!ref)
		ref = make_element(store, v, cell_ref);
	if (!ref) {
		store->dropped = true;
		return;
	}
	link_element(store, cell, ref, expiry);
	while (cell->count > variable->size)
		free_element(store, unlink_element(store, cell, 0));
}

/* ---- owners -------------------------------------------------------------------- */

struct owner variable_owner(unsigned index, const struct variable *variable,
			    const struct process *process)
{
	struct owner owner = { .scope = variable->scope, .variable = index, .process = process };

	if (variable->scope == SCOPE_CONTAINER)
		owner.text = process->container;
	else if (variable->scope == SCOPE_CGROUP)
		owner.text = process->cgroup;
	owner.text.size = MIN(owner.text.size, (size_t)KEY_TEXT_MAX);
	return owner;
}

/* A host process has no container. */
bool owner_exists(const struct owner *owner)
{
	return owner->scope == SCOPE_GLOBAL ||
	       (owner->scope == SCOPE_PROCESS ? owner->process != NULL : owner->text.size > 0);
}

/* ---- for readers ---------------------------------------------------------------- */

uint32_t store_first(struct variables *store, uint32_t cell, size_t *ret_count)
{
	*ret_count = cell ? cell_at(store, cell)->count : 0;
	return cell ? cell_at(store, cell)->oldest : 0;
}

uint32_t store_next(struct variables *store, uint32_t element)
{
	return element_at(store, element)->next;
}

bool store_lasts(struct variables *store, uint32_t element, int64_t now_ns)
{
	return element_at(store, element)->expiry > now_ns;
}

int store_value(struct variables *store, uint32_t ref, struct arena *scratch,
		struct secl_value *ret)
{
	const struct element *e = element_at(store, ref);

	switch (ret->type) {
	case SECL_STRING: return text_of(store, e, scratch, &ret->string);
	case SECL_NET: ret->net = e->net; break;
	case SECL_BOOL: ret->boolean = e->integer != 0; break;
	default: ret->integer = e->integer; break;
	}
	return 0;
}

bool store_dropped(const struct variables *store)
{
	return store->dropped;
}

void store_begin(struct variables *store)
{
	atomic_store(&store->writing, true);
}

void store_end(struct variables *store)
{
	atomic_store(&store->writing, false);
}

/* ---- writing ------------------------------------------------------------------- */

void store_write(struct variables *store, const struct variable *variable,
		 const struct owner *owner, const struct secl_value *value, int64_t now_ns)
{
	int64_t expiry = variable->ttl_ns && variable->ttl_ns < INT64_MAX - now_ns
				 ? now_ns + variable->ttl_ns
				 : INT64_MAX;
	uint32_t ref = store_find(store, owner, false);

	if (!ref)
		ref = make_cell(store, owner);
	if (!ref) {
		store->dropped = true;
		return;
	}
	unlink_write(store, ref);
	link_write(store, ref);
	drop_expired(store, cell_at(store, ref), now_ns);
	if (!value->array)
		add_scalar(store, ref, value, variable, expiry);
	for (size_t i = 0; value->array && i < value->list.count; i++) {
		struct secl_value one = secl_value_element(value, i);

		add_scalar(store, ref, &one, variable, expiry);
	}
}

void variables_miss(struct variables *store)
{
	if (store)
		store->dropped = true;
}

static void forget_where(struct variables *store,
			 bool (*gone)(const struct cell *cell, const void *data), const void *data,
			 size_t first, size_t count)
{
	store_begin(store);
	for (size_t i = first; i < first + count; i++) {
		uint32_t *link = &store->hash[i];

		while (*link) {
			const struct cell *cell = cell_at(store, *link);

			if (cell->scope == SCOPE_PROCESS && gone(cell, data))
				drop_cell(store, link);
			else
				link = &cell_at(store, *link)->next_hash;
		}
	}
	store_end(store);
}

static bool is_of(const struct cell *cell, const void *data)
{
	const struct process *process = data;

	return cell->pid == process->pid && cell->start_ticks == process->start_ticks;
}

void variables_forget(struct variables *store, pid_t pid, uint64_t start_ticks)
{
	const struct process gone = { .pid = pid, .start_ticks = start_ticks };
	const struct owner owner = { .scope = SCOPE_PROCESS, .process = &gone };

	if (store->used)
		forget_where(store, is_of, &gone, bucket_of(&owner), 1);
}

static bool is_dead(const struct cell *cell, const void *data)
{
	bool (*const *alive)(pid_t pid, uint64_t start_ticks) = data;

	return !(*alive)((pid_t)cell->pid, cell->start_ticks);
}

void variables_recover(struct variables *store, bool (*alive)(pid_t pid, uint64_t start_ticks))
{
	bool torn = atomic_load(&store->writing);

	if (!torn) {
		forget_where(store, is_dead, &alive, 0, HASH_SIZE);
		return;
	}
	(void)madvise(store, sizeof *store, MADV_REMOVE);
	memset(store, 0, offsetof(struct variables, blocks));
	store->fresh = 1;
	store->dropped = true;
}
