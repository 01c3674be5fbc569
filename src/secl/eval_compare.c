/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tests of ops.def. A value is a scalar or a list here, whatever the type
 * checker called it (aliases, iterators): every test asks whether any element
 * pair satisfies it, and turns the answer round when it is negated.
 */
#include "config.h"

#include "secl/node.h"

#include <errno.h>
#include <strings.h>

/* From this number of pairs on, two lists of strings are compared by sorting one. */
enum { SORT_PAIRS = 64 };

static int load_both(const struct node *n, const struct frame *f, struct secl_value *left,
		     struct secl_value *right)
{
	int r = node_value(n->left, f, left);

	return r < 0 ? r : node_value(n->right, f, right);
}

/* A scalar counts as a list of one. */
#define ELEMENTS_OF(v, scalar, many, ret)                                                          \
	((v)->array ? ((ret) = (v)->list.many, (v)->list.count) : ((ret) = &(v)->scalar, (size_t)1))

static int answer(const struct node *n, bool any)
{
	return any != n->negate;
}

int test_bools(const struct node *n, const struct frame *f)
{
	struct secl_value left, right;
	const bool *a, *b;
	size_t na, nb;
	bool any = false;
	int r = load_both(n, f, &left, &right);

	if (r < 0)
		return r;
	na = ELEMENTS_OF(&left, boolean, booleans, a);
	nb = ELEMENTS_OF(&right, boolean, booleans, b);
	for (size_t i = 0; i < na && !any; i++)
		for (size_t k = 0; k < nb && !any; k++)
			any = a[i] == b[k];
	return answer(n, any);
}

static bool holds(int64_t a, enum ast_op op, int64_t b)
{
	switch (op) {
	case OP_LT: return a < b;
	case OP_LE: return a <= b;
	case OP_GT: return a > b;
	case OP_GE: return a >= b;
	default: return a == b;
	}
}

int test_ints(const struct node *n, const struct frame *f)
{
	struct secl_value left, right;
	const int64_t *a, *b;
	size_t na, nb;
	bool any = false;
	int r = load_both(n, f, &left, &right);

	if (r < 0)
		return r;
	na = ELEMENTS_OF(&left, integer, integers, a);
	nb = ELEMENTS_OF(&right, integer, integers, b);
	for (size_t i = 0; i < na && !any; i++)
		for (size_t k = 0; k < nb && !any; k++)
			any = holds(a[i], n->op, b[k]);
	return answer(n, any);
}

int compare_int64(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The right side is a constant list in ascending order. */
int test_int_set(const struct node *n, const struct frame *f)
{
	const struct secl_value *set = &n->right->fixed;
	struct secl_value left;
	const int64_t *a;
	size_t na;
	bool any = false;
	int r = node_value(n->left, f, &left);

	if (r < 0)
		return r;
	na = ELEMENTS_OF(&left, integer, integers, a);
	for (size_t i = 0; i < na && !any; i++)
		any = bsearch(&a[i], set->list.integers, set->list.count, sizeof a[i],
			      compare_int64) != NULL;
	return answer(n, any);
}

/* The right side is one duration. */
int test_age(const struct node *n, const struct frame *f)
{
	struct secl_value left, right;
	const int64_t *a;
	size_t na;
	bool any = false;
	int r = load_both(n, f, &left, &right);

	if (r < 0)
		return r;
	value_first(&right);
	na = ELEMENTS_OF(&left, integer, integers, a);
	for (size_t i = 0; i < na && !any; i++) {
		int64_t age;

		/* saturates: beyond the range it is very old or far ahead */
		if (__builtin_sub_overflow(f->ctx->now_ns, a[i], &age))
			age = a[i] < 0 ? INT64_MAX : INT64_MIN;
		any = holds(age, n->op, right.integer);
	}
	return answer(n, any);
}

/* Any total order will do: by length first, which is the cheapest. */
static int order(const struct secl_string *a, const struct secl_string *b, bool icase)
{
	if (a->size != b->size)
		return a->size < b->size ? -1 : 1;
	if (a->size == 0)
		return 0;
	return icase ? strncasecmp(a->text, b->text, a->size) : memcmp(a->text, b->text, a->size);
}

static bool equal(const struct secl_string *a, const struct secl_string *b, bool icase)
{
	return a->size == b->size && order(a, b, icase) == 0;
}

static void sift_down(const struct secl_string **heap, size_t root, size_t count, bool icase)
{
	for (;;) {
		size_t child = root * 2 + 1;
		const struct secl_string *taken;

		if (child >= count)
			return;
		if (child + 1 < count && order(heap[child], heap[child + 1], icase) < 0)
			child++;
		if (order(heap[root], heap[child], icase) >= 0)
			return;
		taken = heap[root];
		heap[root] = heap[child];
		heap[child] = taken;
		root = child;
	}
}

/* Heap sort: qsort() may call malloc, and no input makes this one slow. */
static void sort(const struct secl_string **heap, size_t count, bool icase)
{
	for (size_t i = count / 2; i-- > 0;)
		sift_down(heap, i, count, icase);
	for (size_t end = count; end-- > 1;) {
		const struct secl_string *largest = heap[0];

		heap[0] = heap[end];
		heap[end] = largest;
		sift_down(heap, 0, end, icase);
	}
}

static bool contains(const struct secl_string **sorted, size_t count, const struct secl_string *s,
		     bool icase)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int r = order(s, sorted[middle], icase);

		if (r == 0)
			return true;
		if (r < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

/* Two long lists, both of the workload's choosing (arguments, environment):
 * n log n, where comparing every pair would let it decide how long we take.
 */
static int meet_sorted(const struct secl_string *a, size_t na, const struct secl_string *b,
		       size_t nb, bool icase, struct arena *scratch)
{
	size_t mark = arena_mark(scratch);
	const struct secl_string **sorted = arena_alloc(scratch, nb * sizeof(void *));
	int found = 0;

	if (!sorted)
		return -ENOMEM;
	for (size_t k = 0; k < nb; k++)
		sorted[k] = &b[k];
	sort(sorted, nb, icase);
	for (size_t i = 0; i < na && !found; i++)
		found = contains(sorted, nb, &a[i], icase);
	arena_release(scratch, mark);
	return found;
}

static int meet(const struct node *n, const struct frame *f, bool icase)
{
	struct secl_value left, right;
	const struct secl_string *a, *b;
	size_t na, nb;
	int any = 0, r = load_both(n, f, &left, &right);

	if (r < 0)
		return r;
	na = ELEMENTS_OF(&left, string, strings, a);
	nb = ELEMENTS_OF(&right, string, strings, b);
	if (na > 1 && nb > 1 && na * nb > SORT_PAIRS) {
		any = meet_sorted(a, na, b, nb, icase, f->ctx->scratch);
		return any < 0 ? any : answer(n, any);
	}
	for (size_t i = 0; i < na && !any; i++)
		for (size_t k = 0; k < nb && !any; k++)
			any = equal(&a[i], &b[k], icase);
	return answer(n, any);
}

int test_strings(const struct node *n, const struct frame *f)
{
	return meet(n, f, false);
}

int test_strings_icase(const struct node *n, const struct frame *f)
{
	return meet(n, f, true);
}

int test_match(const struct node *n, const struct frame *f)
{
	struct secl_value left;
	const struct secl_string *a;
	size_t na;
	int any = 0, r = node_value(n->left, f, &left);

	if (r < 0)
		return r;
	na = ELEMENTS_OF(&left, string, strings, a);
	for (size_t i = 0; i < na && any == 0; i++)
		any = matcher_match(n->matcher, &a[i], f->ctx->scratch);
	return any < 0 ? any : answer(n, any);
}

int test_nets(const struct node *n, const struct frame *f)
{
	struct secl_value left, right;
	const struct secl_net *a, *b;
	size_t na, nb;
	bool any = false;
	int r = load_both(n, f, &left, &right);

	if (r < 0)
		return r;
	na = ELEMENTS_OF(&left, net, nets, a);
	nb = ELEMENTS_OF(&right, net, nets, b);
	for (size_t i = 0; i < na && !any; i++)
		for (size_t k = 0; k < nb && !any; k++)
			any = secl_net_overlaps(&a[i], &b[k]);
	return answer(n, any);
}

/* Every element on the left overlaps every one on the right; false for none. */
int test_nets_all(const struct node *n, const struct frame *f)
{
	struct secl_value left, right;
	const struct secl_net *a, *b;
	size_t na, nb;
	bool all;
	int r = load_both(n, f, &left, &right);

	if (r < 0)
		return r;
	na = ELEMENTS_OF(&left, net, nets, a);
	nb = ELEMENTS_OF(&right, net, nets, b);
	all = na > 0 && nb > 0;
	for (size_t i = 0; i < na && all; i++)
		for (size_t k = 0; k < nb && all; k++)
			all = secl_net_overlaps(&a[i], &b[k]);
	return answer(n, all);
}

/* Any element on the left contains the address on the right. */
int test_nets_contain(const struct node *n, const struct frame *f)
{
	struct secl_value left, right;
	const struct secl_net *a;
	size_t na;
	bool any = false;
	int r = load_both(n, f, &left, &right);

	if (r < 0)
		return r;
	value_first(&right);
	na = ELEMENTS_OF(&left, net, nets, a);
	for (size_t i = 0; i < na && !any; i++)
		any = secl_net_contains(&a[i], &right.net);
	return answer(n, any);
}
