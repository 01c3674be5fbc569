/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Evaluation of everything but comparisons, and the entry points. Depth is
 * bounded by the compiler (SECL_MAX_DEPTH), chains are loops.
 */
#include "config.h"

#include "secl/secl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "secl/compile.h"
#include "secl/node.h"

/* Elements of an iterator that a register tries. */
enum { MAX_ELEMENTS = 100 };

int node_value(const struct node *n, const struct frame *f, struct secl_value *ret)
{
	int r;

	if (n->value)
		return n->value(n, f, ret);
	r = n->test(n, f);
	if (r < 0)
		return r;
	*ret = (struct secl_value){ .type = SECL_BOOL, .boolean = r };
	return 0;
}

static int find_out(const struct node *n, const struct frame *f)
{
	struct secl_value v;
	int r;

	if (n->test)
		return n->test(n, f);
	r = n->value(n, f, &v);
	if (r < 0)
		return r;
	value_first(&v);
	return v.boolean;
}

static const uint64_t *lasting_bits(const struct secl_memo *memo, enum secl_lasting lasting)
{
	switch (lasting) {
	case SECL_OF_PARENT: return memo->of_parent;
	case SECL_OF_ANCESTORS: return memo->of_ancestors;
	default: return NULL;
	}
}

/* A predicate, which somebody may have asked for already. Failures are not kept. */
static int look_up(const struct secl_predicate *p, const struct node *n, const struct frame *f)
{
	const struct secl_memo *memo = f->ctx->memo;
	const uint64_t *bits = lasting_bits(memo, p->lasting);
	int r;

	if (bits)
		return (bits[p->bit / 64] >> p->bit % 64 & 1) != n->negate;
	if (p->memo == (unsigned)SECL_NO_MEMO)
		return find_out(n, f);
	if (memo->answers[p->memo])
		return (memo->answers[p->memo] == 2) != n->negate;
	r = find_out(n, f);
	if (r >= 0)
		memo->answers[p->memo] = r != n->negate ? 2 : 1;
	return r;
}

int node_test(const struct node *n, const struct frame *f)
{
	return n->predicate && f->ctx->memo && !n->left->registered ? look_up(n->predicate, n, f)
								    : find_out(n, f);
}

struct secl_value secl_value_element(const struct secl_value *list, size_t index)
{
	struct secl_value one = { .type = list->type };

	if (index >= list->list.count)
		return one;
	switch (list->type) {
	case SECL_BOOL: one.boolean = list->list.booleans[index]; break;
	case SECL_INT: one.integer = list->list.integers[index]; break;
	case SECL_STRING: one.string = list->list.strings[index]; break;
	case SECL_NET: one.net = list->list.nets[index]; break;
	case SECL_NONE: break;
	}
	return one;
}

void value_first(struct secl_value *v)
{
	if (v->array)
		*v = secl_value_element(v, 0);
}

int value_fixed(const struct node *n, const struct frame *f UNUSED, struct secl_value *ret)
{
	*ret = n->fixed;
	return 0;
}

/* Larger values are not worth the memory: they are loaded again. */
enum { KEEP_MAX = 64 * 1024 };

/* The value of one that is in the memo, or will be. */
static int load_once(const struct secl_context *ctx, const struct secl_field *field,
		     struct secl_value *ret)
{
	uint64_t *word = &ctx->memo->loaded[field->slot / 64];
	uint64_t bit = UINT64_C(1) << field->slot % 64;
	size_t before = arena_mark(ctx->scratch), used;
	int r;

	if (*word & bit) {
		*ret = ctx->memo->values[field->slot];
		return 0;
	}
	r = ctx->schema->load(ctx, field, -1, ret);
	used = arena_mark(ctx->scratch) - before;
	if (r < 0 || used > KEEP_MAX)
		return r;
	ctx->memo->pins += used > 0;
	ctx->memo->values[field->slot] = *ret;
	*word |= bit;
	return 0;
}

int secl_load(const struct secl_context *ctx, const struct secl_field *field,
	      struct secl_value *ret)
{
	return ctx->memo && field->slot ? load_once(ctx, field, ret)
					: ctx->schema->load(ctx, field, -1, ret);
}

int value_field(const struct node *n, const struct frame *f, struct secl_value *ret)
{
	const struct secl_field *field = n->load;
	struct secl_value v = { 0 };
	int r = n->registered ? f->ctx->schema->load(f->ctx, field, f->element, &v)
			      : secl_load(f->ctx, field, &v);

	if (r < 0)
		return r;
	/* a schema that yields another shape than it promised is a bug: the
	 * union must not be read the wrong way
	 */
	if (v.type != field->type)
		return -EPROTO;
	if (v.array ? !n->array && !(field->flags & SECL_FIELD_ALIASES) : n->array && !n->element)
		return -EPROTO;
	*ret = v;
	return 0;
}

int value_variable(const struct node *n, const struct frame *f, struct secl_value *ret)
{
	const struct secl_vars *vars = f->ctx->vars;
	struct secl_value v = { 0 };
	int r;

	if (!vars)
		return -EPROTO;
	r = vars->get(vars, f->ctx, (unsigned)n->index, &v);
	if (r < 0)
		return r;
	if (v.type != n->type || v.array != n->array)
		return -EPROTO;
	*ret = v;
	return 0;
}

int value_length(const struct node *n, const struct frame *f, struct secl_value *ret)
{
	struct secl_value v;
	int r = node_value(n->left, f, &v);

	if (r < 0)
		return r;
	if (!n->left->array)
		value_first(&v);
	*ret = (struct secl_value){ .type = SECL_INT,
				    .integer = (int64_t)(v.array ? v.list.count : v.string.size) };
	return 0;
}

int value_index(const struct node *n, const struct frame *f, struct secl_value *ret)
{
	int r = node_value(n->left, f, ret);

	if (r < 0)
		return r;
	if (!ret->array && n->index == 0)
		return 0;
	if (!ret->array) /* one element where a list was: it has no second */
		*ret = (struct secl_value){ .type = ret->type };
	else
		*ret = secl_value_element(ret, n->index);
	return 0;
}

/* A text that grows in the scratch arena. Two passes: the first with a NULL
 * buffer measures.
 */
struct builder {
	char *buf;
	size_t size;
};

static void put(struct builder *b, const char *text, size_t size)
{
	if (b->buf && size > 0)
		memcpy(b->buf + b->size, text, size);
	b->size += size;
}

static void put_net(struct builder *b, const struct secl_net *net)
{
	char text[INET6_ADDRSTRLEN + 8] = "";
	size_t n;

	if (net->family == 0 || !inet_ntop(net->family, net->addr, text, INET6_ADDRSTRLEN))
		return;
	n = strlen(text);
	if (net->prefix != (net->family == AF_INET ? 32 : 128))
		n += (size_t)snprintf(text + n, sizeof text - n, "/%u", net->prefix);
	put(b, text, n);
}

static void put_scalar(struct builder *b, const struct secl_value *v)
{
	char number[24];

	if (v->type == SECL_STRING)
		put(b, v->string.text, v->string.size);
	else if (v->type == SECL_INT)
		put(b, number, (size_t)snprintf(number, sizeof number, "%" PRId64, v->integer));
	else if (v->type == SECL_NET)
		put_net(b, &v->net);
}

static void put_value(struct builder *b, const struct secl_value *v)
{
	for (size_t i = 0; v->array && i < v->list.count; i++) {
		struct secl_value one = secl_value_element(v, i);

		if (i > 0)
			put(b, ",", 1);
		put_scalar(b, &one);
	}
	if (!v->array)
		put_scalar(b, v);
}

/* "...${variable}...%{field}..." */
int value_text(const struct node *n, const struct frame *f, struct secl_value *ret)
{
	struct arena *scratch = f->ctx->scratch;
	struct secl_value *parts = arena_alloc(scratch, n->count * sizeof *parts);
	struct builder b = { 0 };
	int r;

	if (!parts)
		return -ENOMEM;
	for (size_t i = 0; i < n->count; i++) {
		r = node_value(n->items[i], f, &parts[i]);
		if (r < 0)
			return r;
		if (!n->items[i]->array)
			value_first(&parts[i]);
		put_value(&b, &parts[i]);
	}
	b = (struct builder){ .buf = arena_alloc(scratch, b.size) };
	if (!b.buf)
		return -ENOMEM;
	for (size_t i = 0; i < n->count; i++)
		put_value(&b, &parts[i]);
	*ret = (struct secl_value){ .type = SECL_STRING, .string = { b.buf, b.size } };
	return 0;
}

/* Wraps around, as the peer's integers do. */
static int64_t calculate(int64_t a, enum ast_op op, int64_t b)
{
	uint64_t x = (uint64_t)a, y = (uint64_t)b;

	switch (op) {
	case OP_PLUS: return (int64_t)(x + y);
	case OP_MINUS: return (int64_t)(x - y);
	case OP_BIT_AND: return (int64_t)(x & y);
	case OP_BIT_OR: return (int64_t)(x | y);
	case OP_BIT_XOR: return (int64_t)(x ^ y);
	case OP_NEGATE: return (int64_t)(0 - x);
	default: return (int64_t)~x; /* OP_COMPLEMENT */
	}
}

int value_arithmetic(const struct node *n, const struct frame *f, struct secl_value *ret)
{
	struct secl_value left, right = { 0 };
	int r = node_value(n->left, f, &left);

	if (r == 0 && n->right)
		r = node_value(n->right, f, &right);
	if (r < 0)
		return r;
	value_first(&left);
	value_first(&right);
	*ret = (struct secl_value){ .type = SECL_INT,
				    .integer = calculate(left.integer, n->op, right.integer) };
	return 0;
}

int test_not(const struct node *n, const struct frame *f)
{
	int r = node_test(n->left, f);

	return r < 0 ? r : !r;
}

int test_and(const struct node *n, const struct frame *f)
{
	for (size_t i = 0; i < n->count; i++) {
		int r = node_test(n->items[i], f);

		if (r <= 0)
			return r;
	}
	return 1;
}

int test_or(const struct node *n, const struct frame *f)
{
	for (size_t i = 0; i < n->count; i++) {
		int r = node_test(n->items[i], f);

		if (r != 0)
			return r;
	}
	return 0;
}

/* What an evaluation took from scratch; kept when the memo has something there. */
struct taken {
	size_t mark;
	unsigned pins;
};

static struct taken begin(const struct secl_context *ctx)
{
	return (struct taken){ arena_mark(ctx->scratch), ctx->memo ? ctx->memo->pins : 0 };
}

static void give_back(const struct secl_context *ctx, const struct taken *taken)
{
	if (!ctx->memo || ctx->memo->pins == taken->pins)
		arena_release(ctx->scratch, taken->mark);
}

/* With a register: the whole once per element, true if any is. */
static int test_elements(const struct secl_expr *expr, struct secl_context *ctx)
{
	int count = ctx->schema->count(ctx, expr->iterator);

	if (count < 0)
		return count;
	for (int i = 0; i < MIN(count, MAX_ELEMENTS); i++) {
		struct frame f = { .ctx = ctx, .element = i };
		struct taken taken = begin(ctx);
		int r = node_test(expr->root, &f);

		give_back(ctx, &taken);
		if (r != 0)
			return r;
	}
	return 0;
}

int secl_eval(const struct secl_expr *expr, struct secl_context *ctx)
{
	struct frame f = { .ctx = ctx, .element = -1 };
	struct taken taken;
	int r;

	if (expr->root->type != SECL_BOOL || expr->array)
		return -EPROTO;
	if (expr->iterator)
		return test_elements(expr, ctx);
	taken = begin(ctx);
	r = node_test(expr->root, &f);
	give_back(ctx, &taken);
	return r;
}

int secl_predicate_test(const struct secl_predicate *predicate, const struct secl_context *ctx)
{
	const struct node *root = predicate->expr->root;
	const struct frame f = { .ctx = ctx, .element = -1 };
	struct taken taken = begin(ctx);
	int r = ctx->memo ? look_up(predicate, root, &f) : find_out(root, &f);

	give_back(ctx, &taken);
	return r;
}

int secl_eval_value(const struct secl_expr *expr, struct secl_context *ctx, struct secl_value *ret)
{
	struct frame f = { .ctx = ctx, .element = -1 };
	int r;

	if (expr->root->type == SECL_BOOL && !expr->array) {
		r = secl_eval(expr, ctx);
		if (r < 0)
			return r;
		*ret = (struct secl_value){ .type = SECL_BOOL, .boolean = r };
		return 0;
	}
	if (expr->iterator) {
		r = ctx->schema->count(ctx, expr->iterator);
		if (r < 0)
			return r;
		f.element = 0;
		if (r == 0) {
			*ret = (struct secl_value){ .type = expr->root->type,
						    .array = expr->array };
			return 0;
		}
	}
	r = node_value(expr->root, &f, ret);
	if (r == 0 && ret->array != expr->array)
		value_first(ret);
	return r;
}
