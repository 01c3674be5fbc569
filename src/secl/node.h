/* SPDX-License-Identifier: GPL-3.0-or-later */
/* node.h - a compiled expression: a tree of nodes that know how to evaluate
 * themselves. Immutable once compiled; what belongs to one evaluation is in
 * struct frame.
 */
#pragma once
#include "secl/ast.h"
#include "secl/match.h"

/* The kinds of operand that rows of ops.def tell apart. */
enum operand {
	OPERAND_BOOL,
	OPERAND_BOOLS,
	OPERAND_INT,
	OPERAND_INTS,
	OPERAND_DURATION,
	OPERAND_STRING,
	OPERAND_STRINGS,
	OPERAND_STRING_SET, /* literals, each with its flavour */
	OPERAND_NET,
	OPERAND_NETS,
	OPERAND_NET_SET,
	OPERAND_COUNT
};

struct frame {
	const struct secl_context *ctx;
	int element; /* of the iterator with a register; -1 = none */
};

struct node {
	/* One of the two at least: test() for conditions (1, 0 or -errno),
	 * value() for the rest (0 or -errno).
	 */
	int (*value)(const struct node *n, const struct frame *f, struct secl_value *ret);
	int (*test)(const struct node *n, const struct frame *f);

	enum secl_type type;
	bool array;
	bool constant;   /* needs no event: `fixed` or `literals` */
	bool set;        /* a list of literals */
	bool registered; /* loaded for one element of an iterator, */
	bool element;    /* and that is a scalar if need be */
	bool field;      /* the value of a field */
	bool arithmetic; /* the result of + or - */
	bool duration;
	bool negate; /* of a test: turns the answer round */
	enum ast_op op;
	uint16_t depth;
	uint32_t offset; /* in the rule's text */
	unsigned weight;

	/* Of a comparison that is one, NULL = none. With a register it is that about any
	 * element, which must hold where this is true of one.
	 */
	const struct secl_predicate *predicate;
	struct node *left, *right;
	union {
		struct secl_value fixed;
		const struct secl_field *load;
		const struct matcher *matcher;
		size_t index; /* of a subscript; id of a variable */
		struct {
			struct node **items;
			size_t count;
		};
	};
	/* A constant string as it was written; a set has several. */
	struct literal *literals;
	size_t nliterals;
};

/* ---- eval.c: the shapes -------------------------------------------------- */

int node_value(const struct node *n, const struct frame *f, struct secl_value *ret);
int node_test(const struct node *n, const struct frame *f);

/* The one value of a list of alternatives, or of a scalar as it is. */
void value_first(struct secl_value *v);

int value_fixed(const struct node *n, const struct frame *f, struct secl_value *ret);
int value_field(const struct node *n, const struct frame *f, struct secl_value *ret);
int value_variable(const struct node *n, const struct frame *f, struct secl_value *ret);
int value_length(const struct node *n, const struct frame *f, struct secl_value *ret);
int value_index(const struct node *n, const struct frame *f, struct secl_value *ret);
int value_text(const struct node *n, const struct frame *f, struct secl_value *ret);
int value_arithmetic(const struct node *n, const struct frame *f, struct secl_value *ret);
int test_not(const struct node *n, const struct frame *f);
/* All items true; any item true. */
int test_and(const struct node *n, const struct frame *f);
int test_or(const struct node *n, const struct frame *f);

/* ---- eval_compare.c: the tests of ops.def -------------------------------- */

int test_bools(const struct node *n, const struct frame *f);
int test_ints(const struct node *n, const struct frame *f);
int test_int_set(const struct node *n, const struct frame *f);
int test_age(const struct node *n, const struct frame *f);
int test_strings(const struct node *n, const struct frame *f);
int test_strings_icase(const struct node *n, const struct frame *f);
int test_match(const struct node *n, const struct frame *f);
int test_nets(const struct node *n, const struct frame *f);
int test_nets_all(const struct node *n, const struct frame *f);
int test_nets_contain(const struct node *n, const struct frame *f);

/* Order of the right operand of test_int_set(). */
int compare_int64(const void *a, const void *b);
