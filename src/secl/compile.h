/* SPDX-License-Identifier: GPL-3.0-or-later */
/* compile.h - from the shape of a text to nodes: names resolved, types checked,
 * literals prepared, constants folded. Private to secl/.
 */
#pragma once
#include "secl/macro.h"
#include "secl/node.h"

/* What one expression may become, its macros expanded: a bound on time and
 * memory that text size alone is not, because macros may use macros.
 */
enum { SECL_MAX_COST = 1 << 17, SECL_COST_REGEXP = 32 };

struct field_use {
	struct field_use *next;    /* in order of first use */
	struct field_use *collide; /* in the compiler's bucket */
	struct secl_string name;   /* as it is written, without subscripts */
	const struct secl_field *field;
};

/* Literals that a field is compared with. */
struct text_use {
	struct text_use *next;
	const struct secl_field *field;
	const struct matcher *matcher;
};

struct secl_expr {
	struct pool pool;
	struct node *root;
	struct field_use *fields; /* each once, the first one first */
	struct text_use *texts;
	unsigned event;
	uint64_t needs;
	bool array;
	uint8_t iterator; /* of the register; 0 = no register */
};

enum { FIELD_BUCKETS = 256 };

struct compiler {
	const struct secl_options *options;
	struct source source;
	struct secl_expr *expr;
	struct pool *pool;         /* of expr */
	const struct macro *macro; /* being expanded, or NULL */
	uint32_t macro_use;        /* where in the text */
	size_t visible;            /* macros of a lower rank may be used */
	unsigned depth;
	size_t cost;
	struct secl_string iterator;          /* name of what the register ranges over */
	struct secl_string reg;               /* name of the register */
	const struct secl_field *event_field; /* the first that named an event */
	struct field_use **last_field;
	struct field_use *buckets[FIELD_BUCKETS];
	struct arena scratch; /* for folding; mapped on first use */
};

/* compile.c */
int compile_node(struct compiler *c, const struct ast *a, struct node **ret);
/* Says what is wrong at A, or at the macro that A is in; -EINVAL. */
int compile_error(struct compiler *c, uint32_t offset, const char *format, ...) PRINTF_LIKE(3, 4);
/* The place in the rule's text that OFFSET, maybe in a macro, stands for. */
uint32_t compile_place(const struct compiler *c, uint32_t offset);
/* Counts the cost of something new: 0, or -EINVAL. */
int compile_spend(struct compiler *c, uint32_t offset, size_t cost);
/* A node at OFFSET; its children set its depth and weight in node_join(). */
int compile_new(struct compiler *c, uint32_t offset, struct node **ret);
int node_join(struct compiler *c, struct node *n);
/* Replaces N, whose children are constant, by its value. */
int node_fold(struct compiler *c, struct node **n);
void node_set_bool(struct node *n, bool value);
bool node_is_scalar(const struct node *n, enum secl_type type);
/* TEXT in memory that lives as long as the expression. */
int compile_text(struct compiler *c, const struct secl_string *text, struct secl_string *ret);
/* Compiles TEXT's shape into EXPR, which the caller owns. */
int compile_ast(const struct secl_options *options, const struct source *source,
		const struct ast *ast, size_t visible_macros, struct secl_expr *expr);

/* names.c */
int compile_ident(struct compiler *c, const struct ast *a, struct node **ret);
int compile_reference(struct compiler *c, uint32_t offset, const struct secl_string *name,
		      struct node **ret);
int compile_variable(struct compiler *c, uint32_t offset, const struct secl_string *name,
		     struct node **ret);

/* literal.c */
int compile_string(struct compiler *c, const struct ast *a, struct node **ret);
int compile_list(struct compiler *c, const struct ast *a, struct node **ret);

/* literal.c: a matcher for LITERALS as they are compared with SUBJECT. */
int compile_matcher(struct compiler *c, const struct node *subject, const struct node *literals,
		    bool pattern, const struct matcher **ret);

/* compare.c */
int compile_compare(struct compiler *c, const struct ast *a, struct node **ret);
