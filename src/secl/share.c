/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "secl/share.h"

#include <errno.h>

enum { BUCKETS = 1024, SLOTS_MAX = UINT16_MAX, WEIGHT_OF_A_BIT = 1 };

struct shared_field {
	struct shared_field *collide;
	struct secl_string name;
	struct secl_field field;
};

struct shared_matcher {
	struct shared_matcher *collide;
	uint64_t hash;
	struct matcher_options options;
	const struct literal *literals;
	size_t count;
	struct matcher *matcher;
};

struct shared_predicate {
	struct shared_predicate *collide, *next_lasting;
	uint64_t hash;
	struct secl_predicate predicate; /* as others see it */
	struct node node;                /* the test without its negation */
	struct secl_expr expr;           /* of that alone */
};

struct secl_shared {
	struct pool pool;
	struct shared_field *fields[BUCKETS];
	struct shared_matcher *matchers[BUCKETS];
	struct shared_predicate *predicates[BUCKETS];
	struct shared_predicate *lasting, **last_lasting;
	size_t nfields, npredicates, nlasting, nmemo;
};

int secl_shared_new(struct secl_shared **ret)
{
	struct secl_shared *shared = calloc(1, sizeof *shared);

	if (!shared)
		return -ENOMEM;
	shared->last_lasting = &shared->lasting;
	*ret = shared;
	return 0;
}

void secl_shared_free(struct secl_shared *shared)
{
	if (!shared)
		return;
	pool_done(&shared->pool);
	free(shared);
}

static uint64_t mix(uint64_t h, const void *data, size_t size)
{
	const unsigned char *p = data;
	uint64_t word;

	for (; size >= sizeof word; p += sizeof word, size -= sizeof word) {
		memcpy(&word, p, sizeof word);
		h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	for (; size; size--)
		h = (h ^ *p++) * UINT64_C(0x100000001b3);
	return h ^ h >> 32;
}

static bool same_text(const struct secl_string *a, const struct secl_string *b)
{
	return a->size == b->size && (!a->size || memcmp(a->text, b->text, a->size) == 0);
}

static int copy_text(struct pool *pool, struct secl_string *text)
{
	text->text = pool_copy(pool, text->text, text->size);
	return text->text ? 0 : -ENOMEM;
}

/* ---- fields -------------------------------------------------------------------- */

const struct secl_field *share_field_find(const struct secl_shared *shared,
					  const struct secl_string *name)
{
	const struct shared_field *f;

	if (!shared)
		return NULL;
	f = shared->fields[mix(0, name->text, name->size) % BUCKETS];
	while (f && !same_text(&f->name, name))
		f = f->collide;
	return f ? &f->field : NULL;
}

int share_field_add(struct secl_shared *shared, const struct secl_string *name,
		    const struct secl_field *field, const struct secl_field **ret)
{
	struct shared_field **bucket = &shared->fields[mix(0, name->text, name->size) % BUCKETS];
	struct shared_field *f = pool_alloc(&shared->pool, sizeof *f);

	if (!f)
		return -ENOMEM;
	f->name = *name;
	if (copy_text(&shared->pool, &f->name) < 0)
		return -ENOMEM;
	f->field = *field;
	/* what differs from rule to rule is not the event's value, and of what is costly
	 * each rule has to find out that it is not there yet */
	if (!(field->flags & (SECL_FIELD_OF_RULE | SECL_FIELD_COSTLY)) &&
	    shared->nfields < SLOTS_MAX)
		f->field.slot = (uint16_t)++shared->nfields;
	f->collide = *bucket;
	*bucket = f;
	*ret = &f->field;
	return 0;
}

/* ---- matchers ------------------------------------------------------------------ */

static uint64_t hash_literals(const struct matcher_options *options, const struct literal *literals,
			      size_t count)
{
	uint64_t h = (uint64_t)options->glob << 1 | options->icase;

	for (size_t i = 0; i < count; i++) {
		h += (uint64_t)literals[i].flavour + literals[i].text.size * 4;
		h = mix(h, literals[i].text.text, literals[i].text.size);
	}
	return h;
}

static bool same_literals(const struct shared_matcher *m, const struct matcher_options *options,
			  const struct literal *literals, size_t count)
{
	if (m->count != count || m->options.glob != options->glob ||
	    m->options.icase != options->icase)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (m->literals[i].flavour != literals[i].flavour ||
		    !same_text(&m->literals[i].text, &literals[i].text))
			return false;
	}
	return true;
}

static int copy_literals(struct pool *pool, const struct literal *literals, size_t count,
			 struct literal **ret)
{
	struct literal *copy = pool_alloc(pool, count * sizeof *copy);

	if (!copy)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		copy[i] = literals[i];
		if (copy_text(pool, &copy[i].text) < 0)
			return -ENOMEM;
	}
	*ret = copy;
	return 0;
}

int share_matcher(struct secl_shared *shared, struct pool *pool,
		  const struct matcher_options *options, const struct literal *literals,
		  size_t count, const struct matcher **ret, size_t *ret_bad, struct err *err)
{
	struct shared_matcher **bucket, *m;
	struct matcher *matcher;
	struct literal *copy;
	uint64_t hash;
	int r;

	if (!shared) {
		r = matcher_new(pool, options, literals, count, &matcher, ret_bad, err);
		if (r == 0)
			*ret = matcher;
		return r;
	}
	hash = hash_literals(options, literals, count);
	bucket = &shared->matchers[hash % BUCKETS];
	for (m = *bucket; m; m = m->collide) {
		if (m->hash == hash && same_literals(m, options, literals, count)) {
			*ret = m->matcher;
			return 0;
		}
	}
	m = pool_alloc(&shared->pool, sizeof *m);
	r = m ? copy_literals(&shared->pool, literals, count, &copy) : -ENOMEM;
	if (r == 0)
		r = matcher_new(&shared->pool, options, copy, count, &matcher, ret_bad, err);
	if (r < 0)
		return r;
	*m = (struct shared_matcher){ *bucket, hash, *options, copy, count, matcher };
	*bucket = m;
	*ret = matcher;
	return 0;
}

/* ---- predicates ---------------------------------------------------------------- */

static bool is_constant(const struct node *n)
{
	return n->constant && !n->literals && n->type != SECL_STRING;
}

/* A shared field, and nothing else that changes. */
static bool is_predicate(const struct node *n)
{
	const struct node *left = n->left;

	if (!n->test || !left || left->value != value_field || !left->load->slot)
		return false;
	return n->test == test_match || (n->right && is_constant(n->right));
}

static size_t element_size(enum secl_type type)
{
	switch (type) {
	case SECL_BOOL: return sizeof(bool);
	case SECL_INT: return sizeof(int64_t);
	default: return sizeof(struct secl_net);
	}
}

/* The bytes of a constant's value. */
static const void *bytes_of(const struct secl_value *v, size_t *ret_size)
{
	*ret_size = element_size(v->type) * (v->array ? v->list.count : 1);
	return v->array ? (const void *)v->list.integers : &v->integer;
}

static uint64_t hash_test(const struct node *n)
{
	const void *parts[] = { (const void *)(uintptr_t)n->test, n->left->load,
				n->test == test_match ? n->matcher : NULL };
	uint64_t h = mix((uint64_t)n->op, parts, sizeof parts);
	const void *bytes;
	size_t size;

	if (n->test == test_match)
		return h;
	bytes = bytes_of(&n->right->fixed, &size);
	return mix(h, bytes, size);
}

/* With the padding of networks: those of equal meaning and other padding are told
 * apart, which costs nothing but a second evaluation.
 */
static bool same_test(const struct node *a, const struct node *b)
{
	const void *x, *y;
	size_t n, m;

	if (a->test != b->test || a->op != b->op || a->left->load != b->left->load)
		return false;
	if (a->test == test_match)
		return a->matcher == b->matcher;
	if (a->right->type != b->right->type || a->right->array != b->right->array ||
	    a->right->duration != b->right->duration)
		return false;
	x = bytes_of(&a->right->fixed, &n);
	y = bytes_of(&b->right->fixed, &m);
	return n == m && (!n || memcmp(x, y, n) == 0);
}

static struct node *copy_node(struct pool *pool, const struct node *n)
{
	struct node *copy = pool_alloc(pool, sizeof *copy);

	if (copy)
		*copy = *n;
	return copy;
}

/* Without what belongs to the expression that N is of. */
static int copy_test(struct pool *pool, const struct node *n, struct node *ret)
{
	const void *bytes;
	size_t size;

	*ret = *n;
	ret->negate = false;
	ret->left = copy_node(pool, n->left);
	if (!ret->left)
		return -ENOMEM;
	ret->left->registered = false;
	if (n->test == test_match)
		return 0;
	ret->right = copy_node(pool, n->right);
	if (!ret->right)
		return -ENOMEM;
	if (!n->right->fixed.array)
		return 0;
	bytes = bytes_of(&n->right->fixed, &size);
	ret->right->fixed.list.integers = (const void *)pool_copy(pool, bytes, size);
	return ret->right->fixed.list.integers ? 0 : -ENOMEM;
}

static int add_predicate(struct secl_shared *shared, const struct secl_schema *schema,
			 const struct node *n, uint64_t hash, struct shared_predicate **ret)
{
	struct shared_predicate *p = pool_alloc(&shared->pool, sizeof *p);

	if (!p || copy_test(&shared->pool, n, &p->node) < 0)
		return -ENOMEM;
	p->hash = hash;
	p->expr.root = &p->node;
	p->predicate = (struct secl_predicate){ .field = n->left->load,
						.expr = &p->expr,
						.memo = SECL_NO_MEMO };
	/* what the clock is part of does not last */
	if (schema->lasting && n->test != test_age)
		p->predicate.lasting = schema->lasting(n->left->load);
	if (p->predicate.lasting) {
		p->predicate.bit = (unsigned)shared->nlasting++;
		*shared->last_lasting = p;
		shared->last_lasting = &p->next_lasting;
	}
	shared->npredicates++;
	*ret = p;
	return 0;
}

int share_predicate(struct secl_shared *shared, const struct secl_schema *schema, struct node *n)
{
	struct shared_predicate **bucket, *p;
	uint64_t hash;
	int r;

	if (!shared || !is_predicate(n))
		return 0;
	hash = hash_test(n);
	bucket = &shared->predicates[hash % BUCKETS];
	for (p = *bucket; p; p = p->collide) {
		if (p->hash == hash && same_test(&p->node, n))
			break;
	}
	if (!p) {
		r = add_predicate(shared, schema, n, hash, &p);
		if (r < 0)
			return r;
		p->collide = *bucket;
		*bucket = p;
	}
	n->predicate = &p->predicate;
	if (n->left->registered)
		return 0;
	/* it is a bit in most cases, which is looked at before anything else */
	if (p->predicate.lasting)
		n->weight = WEIGHT_OF_A_BIT;
	/* the answer is kept when somebody else may ask for it */
	if (++p->predicate.uses == 2 && !p->predicate.lasting)
		p->predicate.memo = (unsigned)shared->nmemo++;
	return 0;
}

size_t secl_shared_predicates(const struct secl_shared *shared)
{
	return shared ? shared->npredicates : 0;
}

size_t secl_shared_lasting(const struct secl_shared *shared)
{
	return shared ? shared->nlasting : 0;
}

void secl_shared_each_lasting(const struct secl_shared *shared,
			      void (*visit)(void *data, const struct secl_predicate *predicate),
			      void *data)
{
	for (const struct shared_predicate *p = shared ? shared->lasting : NULL; p;
	     p = p->next_lasting)
		visit(data, &p->predicate);
}

/* ---- what was found out of one event -------------------------------------------- */

int secl_memo_init(struct secl_memo *memo, const struct secl_shared *shared, struct arena *arena)
{
	size_t words = shared->nfields / 64 + 1, mark = arena_mark(arena);

	*memo = (struct secl_memo){ .answers = arena_alloc(arena, shared->nmemo + 1),
				    .loaded = arena_alloc(arena, words * sizeof *memo->loaded) };
	memo->values = arena_alloc_raw(arena, (shared->nfields + 1) * sizeof *memo->values);
	if (memo->answers && memo->loaded && memo->values)
		return 0;
	arena_release(arena, mark);
	return -ENOMEM;
}
