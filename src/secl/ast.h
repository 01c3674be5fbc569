/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ast.h - the shape of a rule's text, before any name means anything
 * (specification section 2). A macro stays in this form, because what its
 * literals mean depends on the field they are compared with.
 */
#pragma once
#include "secl/pool.h"
#include "secl/source.h"

/* How deep parentheses, negations and comparisons may nest, macros included.
 * Parser, compiler and evaluator recurse no deeper than that.
 */
enum { SECL_MAX_DEPTH = 200, SECL_MAX_TEXT = 64 * 1024 };

enum ast_kind {
	AST_INT,
	AST_DURATION,
	AST_STRING,
	AST_NET,
	AST_IDENT,
	AST_VARIABLE,
	AST_REFERENCE,
	AST_STRING_LIST, /* the lists: members by `first` and `next` */
	AST_NET_LIST,
	AST_INT_LIST,
	AST_IDENT_LIST,
	AST_UNARY,   /* left */
	AST_COMPARE, /* left, right */
	/* Chains: members by `first` and `next`, operators in their `link`. Parser
	 * and compiler loop over them, so that a long chain is not a deep one.
	 */
	AST_SUM,   /* + and -, grouping to the left */
	AST_BITS,  /* & | ^, grouping to the right */
	AST_LOGIC, /* && and ||, grouping to the right */
};

enum ast_op {
	OP_NONE,
	OP_EQ,
	OP_NE,
	OP_LT,
	OP_LE,
	OP_GT,
	OP_GE,
	OP_MATCH,
	OP_NOT_MATCH,
	OP_IN,
	OP_NOT_IN,
	OP_ALL_IN,
	OP_AND,
	OP_OR,
	OP_PLUS,
	OP_MINUS,
	OP_BIT_AND,
	OP_BIT_OR,
	OP_BIT_XOR,
	OP_NOT, /* unary ones */
	OP_NEGATE,
	OP_COMPLEMENT,
	OP_COUNT
};

enum flavour { FLAVOUR_EXACT, FLAVOUR_PATTERN, FLAVOUR_REGEXP };

struct ast {
	enum ast_kind kind;
	enum ast_op op;       /* of a unary or comparing node */
	enum ast_op link;     /* in a chain: the operator behind this member */
	enum flavour flavour; /* of a string */
	bool array_position;  /* stands behind `in`: macros come before constants */
	uint32_t offset;      /* in the text, for messages */
	uint32_t count;       /* members of a list or chain */
	struct ast *next;
	union {
		int64_t integer;
		struct secl_string string; /* also the name */
		struct secl_net net;
		struct {
			struct ast *left, *right;
		};
		struct ast *first;
	};
};

/* As it is written in rules. */
const char *ast_op_text(enum ast_op op);

/* Parses all of SOURCE; nodes and texts live in POOL and SOURCE's text. A macro
 * may also be an array literal. 0; -EINVAL with the error set; -ENOMEM.
 */
int ast_parse(const struct source *source, bool macro, struct pool *pool, struct ast **ret);
