/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Comparisons: finds the row of ops.def for two operands and lets its builder
 * make the node.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>

#include "secl/share.h"

struct comparison {
	struct node *left, *right;
	enum ast_op op;
	struct node *node; /* being built */
	int (*test)(const struct node *n, const struct frame *f);
};

static int build_plain(struct compiler *c, struct comparison *cmp);
static int build_swapped(struct compiler *c, struct comparison *cmp);
static int build_strings(struct compiler *c, struct comparison *cmp);
static int build_pattern(struct compiler *c, struct comparison *cmp);
static int build_match(struct compiler *c, struct comparison *cmp);
static int build_match_swapped(struct compiler *c, struct comparison *cmp);
static int build_int_set(struct compiler *c, struct comparison *cmp);
static int build_age(struct compiler *c, struct comparison *cmp);

static const struct row {
	enum operand left, right;
	enum ast_op op, negation;
	int (*build)(struct compiler *c, struct comparison *cmp);
	int (*test)(const struct node *n, const struct frame *f);
} rows[] = {
#define COMPARE(left, op, negation, right, build, test)                                            \
	{ OPERAND_##left, OPERAND_##right, OP_##op, OP_##negation, build, test },
#include "secl/ops.def"
#undef COMPARE
};

static const char *const operand_names[OPERAND_COUNT] = {
	[OPERAND_BOOL] = "bool",
	[OPERAND_BOOLS] = "bool array",
	[OPERAND_INT] = "int",
	[OPERAND_INTS] = "int array",
	[OPERAND_DURATION] = "duration",
	[OPERAND_STRING] = "string",
	[OPERAND_STRINGS] = "string array",
	[OPERAND_STRING_SET] = "list of strings",
	[OPERAND_NET] = "address",
	[OPERAND_NETS] = "address array",
	[OPERAND_NET_SET] = "list of addresses",
};

/* ---- builders ------------------------------------------------------------------ */

static int build_plain(struct compiler *c UNUSED, struct comparison *cmp)
{
	cmp->node->left = cmp->left;
	cmp->node->right = cmp->right;
	cmp->node->test = cmp->test;
	return 0;
}

static int build_swapped(struct compiler *c UNUSED, struct comparison *cmp)
{
	cmp->node->left = cmp->right;
	cmp->node->right = cmp->left;
	cmp->node->test = cmp->test;
	return 0;
}

/* SUBJECT against LITERALS, made ready. */
static int match_node(struct compiler *c, struct comparison *cmp, struct node *subject,
		      const struct node *literals, bool pattern)
{
	int r = compile_matcher(c, subject, literals, pattern, &cmp->node->matcher);

	if (r < 0)
		return r;
	cmp->node->left = subject;
	cmp->node->test = test_match;
	cmp->node->weight = matcher_weight(cmp->node->matcher);
	return 0;
}

static int build_match(struct compiler *c, struct comparison *cmp)
{
	return match_node(c, cmp, cmp->left, cmp->right, false);
}

static int build_match_swapped(struct compiler *c, struct comparison *cmp)
{
	return match_node(c, cmp, cmp->right, cmp->left, false);
}

static bool is_literal(const struct node *n)
{
	return n->nliterals == 1 && !n->set;
}

static int build_pattern(struct compiler *c, struct comparison *cmp)
{
	if (!is_literal(cmp->right))
		return compile_error(c, cmp->right->offset,
				     "%s needs a literal pattern on its right, without variables",
				     ast_op_text(cmp->op));
	return match_node(c, cmp, cmp->left, cmp->right, true);
}

static bool is_icase(const struct node *n)
{
	return n->field && n->load->flags & SECL_FIELD_ICASE;
}

/* One literal: its flavour decides, on whichever side it stands. Two: the
 * flavoured one does; none, or two of a kind: plain equality.
 */
static int build_strings(struct compiler *c, struct comparison *cmp)
{
	bool left = is_literal(cmp->left), right = is_literal(cmp->right);

	if (left && right) {
		left = cmp->left->literals[0].flavour != FLAVOUR_EXACT;
		right = cmp->right->literals[0].flavour != FLAVOUR_EXACT;
	}
	if (left && !right)
		return match_node(c, cmp, cmp->right, cmp->left, false);
	if (right && !left)
		return match_node(c, cmp, cmp->left, cmp->right, false);
	if (is_icase(cmp->left) || is_icase(cmp->right))
		cmp->test = test_strings_icase;
	return build_plain(c, cmp);
}

/* A constant list on the right is searched by halves. */
static int build_int_set(struct compiler *c, struct comparison *cmp)
{
	const struct node *set = cmp->right;
	int64_t *sorted;

	if (!set->constant)
		return build_plain(c, cmp);
	sorted = pool_alloc(c->pool, set->fixed.list.count * sizeof *sorted);
	if (!sorted)
		return -ENOMEM;
	memcpy(sorted, set->fixed.list.integers, set->fixed.list.count * sizeof *sorted);
	qsort(sorted, set->fixed.list.count, sizeof *sorted, compare_int64);
	cmp->right->fixed.list.integers = sorted;
	cmp->test = test_int_set;
	return build_plain(c, cmp);
}

/* A sum or difference is a span of time already. */
static int build_age(struct compiler *c, struct comparison *cmp)
{
	if (cmp->left->arithmetic)
		cmp->test = test_ints;
	return build_plain(c, cmp);
}

/* ---- type checking --------------------------------------------------------------- */

static enum operand operand_of(const struct node *n, bool element)
{
	bool array = n->array && !element;

	switch (n->type) {
	case SECL_BOOL: return array ? OPERAND_BOOLS : OPERAND_BOOL;
	case SECL_INT: return array ? OPERAND_INTS : n->duration ? OPERAND_DURATION : OPERAND_INT;
	case SECL_STRING:
		return n->set ? OPERAND_STRING_SET : array ? OPERAND_STRINGS : OPERAND_STRING;
	case SECL_NET: return n->set ? OPERAND_NET_SET : array ? OPERAND_NETS : OPERAND_NET;
	default: return OPERAND_COUNT;
	}
}

static const struct row *find_exactly(enum operand left, enum ast_op op, enum operand right)
{
	for (size_t i = 0; i < ELEMENTS(rows); i++)
		if (rows[i].left == left && rows[i].right == right &&
		    (rows[i].op == op || rows[i].negation == op))
			return &rows[i];
	return NULL;
}

/* As a list first, then as the scalar that one element of an iterator is. A
 * duration on the left is a number.
 */
static const struct row *find_row(const struct node *left, enum ast_op op, const struct node *right)
{
	const struct row *row = NULL;

	for (int l = 0; l <= left->element && !row; l++)
		for (int r = 0; r <= right->element && !row; r++) {
			enum operand a = operand_of(left, l), b = operand_of(right, r);

			row = find_exactly(a == OPERAND_DURATION ? OPERAND_INT : a, op, b);
		}
	return row;
}

/* "int or int array": what could stand on the right. */
static void list_expected(enum operand left, enum ast_op op, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	if (left == OPERAND_DURATION)
		left = OPERAND_INT;
	for (int right = 0; right < OPERAND_COUNT; right++)
		if (find_exactly(left, op, (enum operand)right) && n < size)
			n += (size_t)snprintf(buf + n, size - n, "%s%s", n > 0 ? " or " : "",
					      operand_names[right]);
}

static int type_error(struct compiler *c, const struct ast *a, const struct node *left,
		      const struct node *right)
{
	enum operand l = operand_of(left, false), r = operand_of(right, false);
	char expected[160];

	list_expected(l, a->op, expected, sizeof expected);
	if (left->element && expected[0] == '\0')
		list_expected(operand_of(left, true), a->op, expected, sizeof expected);
	if (expected[0] == '\0')
		return compile_error(c, a->offset,
				     "type error: %s does not apply to a value of "
				     "type %s",
				     ast_op_text(a->op), operand_names[l]);
	return compile_error(c, right->offset,
			     "type error: %s expected on the right of %s %s, found %s", expected,
			     operand_names[l], ast_op_text(a->op), operand_names[r]);
}

/* event.retval is only ever -EPERM or -EACCES where guard sees it (6.5). */
static int check_retval(struct compiler *c, const struct node *subject, const struct node *other)
{
	const int64_t *values = other->array ? other->fixed.list.integers : &other->fixed.integer;
	size_t count = other->array ? other->fixed.list.count : 1;

	if (!subject->field || !(subject->load->flags & SECL_FIELD_RETVAL) || !other->constant ||
	    other->type != SECL_INT)
		return 0;
	for (size_t i = 0; i < count; i++)
		if (values[i] != -EPERM && values[i] != -EACCES)
			return compile_error(c, other->offset,
					     "%s compares with EPERM and EACCES only",
					     subject->load->name);
	return 0;
}

int compile_compare(struct compiler *c, const struct ast *a, struct node **ret)
{
	struct comparison cmp = { .op = a->op };
	const struct row *row;
	bool constant;
	int r = compile_node(c, a->left, &cmp.left);

	if (r == 0)
		r = compile_node(c, a->right, &cmp.right);
	if (r < 0)
		return r;
	row = find_row(cmp.left, a->op, cmp.right);
	if (!row)
		return type_error(c, a, cmp.left, cmp.right);
	r = check_retval(c, cmp.left, cmp.right);
	if (r == 0)
		r = check_retval(c, cmp.right, cmp.left);
	if (r == 0)
		r = compile_new(c, a->offset, &cmp.node);
	if (r < 0)
		return r;
	cmp.test = row->test;
	cmp.node->type = SECL_BOOL;
	cmp.node->op = row->op;
	cmp.node->negate = row->op != a->op;
	r = row->build(c, &cmp);
	if (r < 0)
		return r;
	*ret = cmp.node;
	r = node_join(c, cmp.node);
	if (r < 0)
		return r;
	constant = cmp.left->constant && cmp.right->constant && cmp.node->test != test_age;
	return constant ? node_fold(c, ret)
			: share_predicate(c->options->shared, c->options->schema, cmp.node);
}
