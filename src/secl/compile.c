/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The frame of the compiler: entry points, logic, arithmetic, folding. Names
 * are in names.c, literals in literal.c, comparisons in compare.c.
 */
#include "config.h"

#include "secl/compile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

/* For folding texts and regexps: both are bounded by the text of the rule. */
enum { FOLD_SCRATCH = 1 << 20 };

int compile_error(struct compiler *c, uint32_t offset, const char *format, ...)
{
	char message[sizeof c->source.error->err.text];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(message, sizeof message, format, ap);
	va_end(ap);
	if (!c->macro)
		return source_error(&c->source, offset, "%s", message);
	return source_error(&c->source, c->macro_use, "in macro %s: %s", c->macro->id, message);
}

uint32_t compile_place(const struct compiler *c, uint32_t offset)
{
	return c->macro ? c->macro_use : offset;
}

int compile_spend(struct compiler *c, uint32_t offset, size_t cost)
{
	c->cost += cost;
	if (c->cost <= SECL_MAX_COST)
		return 0;
	return compile_error(c, offset, "expression is too large with its macros expanded");
}

int compile_new(struct compiler *c, uint32_t offset, struct node **ret)
{
	struct node *n;
	int r = compile_spend(c, offset, 1);

	if (r < 0)
		return r;
	n = pool_alloc(c->pool, sizeof *n);
	if (!n)
		return -ENOMEM;
	n->offset = compile_place(c, offset);
	n->depth = 1;
	*ret = n;
	return 0;
}

static void join_child(struct node *n, const struct node *child)
{
	n->depth = (uint16_t)MAX(n->depth, child->depth + 1);
	n->weight += child->weight;
}

int node_join(struct compiler *c, struct node *n)
{
	if (n->left)
		join_child(n, n->left);
	if (n->right)
		join_child(n, n->right);
	if (n->test == test_and || n->test == test_or || n->value == value_text)
		for (size_t i = 0; i < n->count; i++)
			join_child(n, n->items[i]);
	/* sums of fields are deep without being nested */
	if (n->depth > SECL_MAX_DEPTH)
		return compile_error(c, n->offset, "expression has more than %d levels",
				     SECL_MAX_DEPTH);
	return 0;
}

bool node_is_scalar(const struct node *n, enum secl_type type)
{
	return n->type == type && !n->set && (!n->array || n->element);
}

void node_set_bool(struct node *n, bool value)
{
	uint32_t offset = n->offset;

	*n = (struct node){ .value = value_fixed,
			    .type = SECL_BOOL,
			    .constant = true,
			    .depth = 1,
			    .offset = offset,
			    .fixed = { .type = SECL_BOOL, .boolean = value } };
}

int node_fold(struct compiler *c, struct node **n)
{
	struct secl_context ctx = { .schema = c->options->schema, .scratch = &c->scratch };
	struct frame f = { .ctx = &ctx, .element = -1 };
	struct node *node = *n;
	struct secl_value v;
	int r;

	if (!c->scratch.base && arena_init(&c->scratch, FOLD_SCRATCH) < 0)
		return -ENOMEM;
	r = node_value(node, &f, &v);
	if (r == 0 && v.type == SECL_STRING)
		r = compile_text(c, &v.string, &v.string);
	arena_reset(&c->scratch);
	if (r < 0)
		return 0; /* then it is left to the evaluation, which says why */
	node->fixed = v;
	node->value = value_fixed;
	node->test = NULL;
	node->constant = true;
	node->depth = 1;
	node->weight = 0;
	node->left = node->right = NULL;
	return 0;
}

int compile_text(struct compiler *c, const struct secl_string *text, struct secl_string *ret)
{
	const char *copy = pool_copy(c->pool, text->text, text->size);

	if (!copy)
		return -ENOMEM;
	*ret = (struct secl_string){ copy, text->size };
	return 0;
}

/* ---- arithmetic ------------------------------------------------------------ */

static int need_int(struct compiler *c, const struct node *n)
{
	if (node_is_scalar(n, SECL_INT))
		return 0;
	return compile_error(c, n->offset, "expected an int%s",
			     n->type == SECL_INT ? ", found an int array" : "");
}

static int calculation(struct compiler *c, enum ast_op op, struct node *left, struct node *right,
		       struct node **ret)
{
	struct node *n;
	int r;

	r = need_int(c, left);
	if (r == 0 && right)
		r = need_int(c, right);
	if (r == 0)
		r = compile_new(c, left->offset, &n);
	if (r < 0)
		return r;
	n->type = SECL_INT;
	n->op = op;
	n->left = left;
	n->right = right;
	n->value = value_arithmetic;
	n->arithmetic = right != NULL;
	/* 10s + 20s is a duration still, created_at + 3s is a time */
	n->duration = left->duration && (!right || right->duration);
	*ret = n;
	r = node_join(c, n);
	if (r < 0)
		return r;
	return left->constant && (!right || right->constant) ? node_fold(c, ret) : 0;
}

static int compile_members(struct compiler *c, const struct ast *a, struct node ***ret)
{
	struct node **items = pool_alloc(c->pool, a->count * sizeof(struct node *));
	const struct ast *member = a->first;
	int r;

	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < a->count; i++, member = member->next) {
		r = compile_node(c, member, &items[i]);
		if (r < 0)
			return r;
	}
	*ret = items;
	return 0;
}

/* Groups to the left. */
static int compile_sum(struct compiler *c, const struct ast *a, struct node **ret)
{
	const struct ast *member = a->first;
	struct node **items, *sum;
	int r = compile_members(c, a, &items);

	if (r < 0)
		return r;
	sum = items[0];
	for (size_t i = 1; i < a->count; i++, member = member->next) {
		r = calculation(c, member->link, sum, items[i], &sum);
		if (r < 0)
			return r;
	}
	*ret = sum;
	return 0;
}

/* Groups to the right, all three operators alike. */
static int compile_bits(struct compiler *c, const struct ast *a, struct node **ret)
{
	struct node **items, *rest;
	enum ast_op *ops;
	size_t i = 0;
	int r = compile_members(c, a, &items);

	ops = r == 0 ? pool_alloc(c->pool, a->count * sizeof *ops) : NULL;
	if (!ops)
		return r < 0 ? r : -ENOMEM;
	for (const struct ast *member = a->first; member; member = member->next)
		ops[i++] = member->link;
	rest = items[--i];
	while (i-- > 0) {
		r = calculation(c, ops[i], items[i], rest, &rest);
		if (r < 0)
			return r;
	}
	*ret = rest;
	return 0;
}

/* ---- logic ----------------------------------------------------------------- */

static int need_bool(struct compiler *c, const struct node *n)
{
	if (node_is_scalar(n, SECL_BOOL))
		return 0;
	return compile_error(c, n->offset, "expected a bool%s",
			     n->type == SECL_BOOL ? ", found a bool array" : "");
}

/* A member of a run of && or ||, with its place for a stable order. */
struct ranked {
	struct node *node;
	size_t place;
};

static int by_weight(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->node->weight != y->node->weight)
		return x->node->weight < y->node->weight ? -1 : 1;
	return x->place < y->place ? -1 : 1;
}

/* Makes one node of COUNT members, the cheap ones first. */
static int join_run(struct compiler *c, enum ast_op op, struct node **items, size_t count,
		    struct node **ret)
{
	_cleanup_free_ struct ranked *ranked = NULL;
	struct node *n;
	int r;

	if (count == 1) {
		*ret = items[0];
		return 0;
	}
	ranked = calloc(count, sizeof *ranked);
	r = ranked ? compile_new(c, items[0]->offset, &n) : -ENOMEM;
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		ranked[i] = (struct ranked){ items[i], i };
	qsort(ranked, count, sizeof *ranked, by_weight);
	n->items = pool_alloc(c->pool, count * sizeof *n->items);
	if (!n->items)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		n->items[i] = ranked[i].node;
	n->count = count;
	n->type = SECL_BOOL;
	n->test = op == OP_AND ? test_and : test_or;
	*ret = n;
	return node_join(c, n);
}

/* a && b || c is a && (b || c): from the right, runs of one operator become one
 * node whose last member is what stands to their right. Constants fall away.
 */
static int compile_logic(struct compiler *c, const struct ast *a, struct node **ret)
{
	struct node **items, **run, *rest;
	enum ast_op *ops, run_op = OP_NONE;
	size_t i = 0, n;
	int r = compile_members(c, a, &items);

	if (r < 0)
		return r;
	ops = pool_alloc(c->pool, a->count * sizeof *ops);
	run = pool_alloc(c->pool, (a->count + 1) * sizeof(struct node *));
	if (!ops || !run)
		return -ENOMEM;
	for (const struct ast *member = a->first; member; member = member->next, i++) {
		ops[i] = member->link;
		r = need_bool(c, items[i]);
		if (r < 0)
			return r;
	}
	/* run[n..count] grows downwards */
	n = a->count;
	run[n] = items[--i];
	while (i-- > 0) {
		bool neutral = ops[i] == OP_AND; /* true && x is x, false || x is x */

		if (items[i]->constant) {
			if (items[i]->fixed.boolean != neutral) {
				n = a->count;
				run[n] = items[i];
			}
			continue;
		}
		if (n == a->count && run[n]->constant) {
			if (run[n]->fixed.boolean == neutral)
				run[n] = items[i];
			continue;
		}
		if (n < a->count && ops[i] != run_op) {
			r = join_run(c, run_op, run + n, a->count + 1 - n, &rest);
			if (r < 0)
				return r;
			n = a->count;
			run[n] = rest;
		}
		run_op = ops[i];
		run[--n] = items[i];
	}
	return join_run(c, run_op, run + n, a->count + 1 - n, ret);
}

static int compile_unary(struct compiler *c, const struct ast *a, struct node **ret)
{
	struct node *operand, *n;
	int r = compile_node(c, a->left, &operand);

	if (r < 0)
		return r;
	if (a->op != OP_NOT)
		return calculation(c, a->op, operand, NULL, ret);
	r = need_bool(c, operand);
	if (r == 0)
		r = compile_new(c, a->offset, &n);
	if (r < 0)
		return r;
	n->type = SECL_BOOL;
	n->test = test_not;
	n->left = operand;
	*ret = n;
	r = node_join(c, n);
	if (r < 0)
		return r;
	return operand->constant ? node_fold(c, ret) : 0;
}

/* ---- constants and dispatch ------------------------------------------------- */

static int compile_fixed(struct compiler *c, const struct ast *a, struct node **ret)
{
	struct node *n;
	int r = compile_new(c, a->offset, &n);

	if (r < 0)
		return r;
	n->value = value_fixed;
	n->constant = true;
	n->duration = a->kind == AST_DURATION;
	n->type = a->kind == AST_NET ? SECL_NET : SECL_INT;
	n->fixed.type = n->type;
	if (a->kind == AST_NET)
		n->fixed.net = a->net;
	else
		n->fixed.integer = a->integer;
	*ret = n;
	return 0;
}

static int compile_name(struct compiler *c, const struct ast *a, struct node **ret)
{
	return a->kind == AST_VARIABLE ? compile_variable(c, a->offset, &a->string, ret)
				       : compile_reference(c, a->offset, &a->string, ret);
}

static int (*const compilers[])(struct compiler *c, const struct ast *a, struct node **ret) = {
	[AST_INT] = compile_fixed,       [AST_DURATION] = compile_fixed,
	[AST_NET] = compile_fixed,       [AST_STRING] = compile_string,
	[AST_IDENT] = compile_ident,     [AST_VARIABLE] = compile_name,
	[AST_REFERENCE] = compile_name,  [AST_STRING_LIST] = compile_list,
	[AST_NET_LIST] = compile_list,   [AST_INT_LIST] = compile_list,
	[AST_IDENT_LIST] = compile_list, [AST_UNARY] = compile_unary,
	[AST_COMPARE] = compile_compare, [AST_SUM] = compile_sum,
	[AST_BITS] = compile_bits,       [AST_LOGIC] = compile_logic,
};

int compile_node(struct compiler *c, const struct ast *a, struct node **ret)
{
	int r;

	if (c->depth >= SECL_MAX_DEPTH)
		return compile_error(c, a->offset,
				     "expression is nested more than %d levels deep with its "
				     "macros expanded",
				     SECL_MAX_DEPTH);
	c->depth++;
	r = compilers[a->kind](c, a, ret);
	c->depth--;
	return r;
}

static int check_type(struct compiler *c, const struct node *root)
{
	if (!c->options->want_bool || node_is_scalar(root, SECL_BOOL))
		return 0;
	return compile_error(c, root->offset, "expected a condition: the result must be a bool");
}

int compile_ast(const struct secl_options *options, const struct source *source,
		const struct ast *ast, size_t visible_macros, struct secl_expr *expr)
{
	struct compiler *c = calloc(1, sizeof *c);
	int r;

	if (!c)
		return -ENOMEM;
	c->options = options;
	c->source = *source;
	c->expr = expr;
	c->pool = &expr->pool;
	c->visible = visible_macros;
	c->last_field = &expr->fields;
	r = compile_node(c, ast, &expr->root);
	if (r == 0)
		r = check_type(c, expr->root);
	if (r == 0)
		expr->array = expr->root->set || (expr->root->array && !expr->root->element);
	arena_done(&c->scratch);
	free(c);
	return r;
}

static void cleanup_pool(struct pool *pool)
{
	pool_done(pool);
}

int secl_compile(const struct secl_options *options, const char *text, struct secl_expr **ret,
		 struct secl_error *error)
{
	_cleanup_(cleanup_pool) struct pool shapes = { 0 };
	struct source source = { .size = strlen(text), .error = error };
	struct secl_expr *expr = calloc(1, sizeof *expr);
	struct ast *ast;
	int r = -ENOMEM;

	if (!expr)
		return r;
	/* literals stay where they are in the text; a text that is too long is
	 * refused by the parser
	 */
	source.text = pool_copy(&expr->pool, text, source.size);
	if (source.text)
		r = ast_parse(&source, false, &shapes, &ast);
	if (r == 0)
		r = compile_ast(options, &source, ast, SIZE_MAX, expr);
	if (r < 0) {
		secl_expr_free(expr);
		return r;
	}
	*ret = expr;
	return 0;
}

void secl_expr_free(struct secl_expr *expr)
{
	if (!expr)
		return;
	pool_done(&expr->pool);
	free(expr);
}

unsigned secl_expr_event(const struct secl_expr *expr)
{
	return expr->event;
}

uint64_t secl_expr_needs(const struct secl_expr *expr)
{
	return expr->needs;
}

enum secl_type secl_expr_type(const struct secl_expr *expr, bool *ret_array)
{
	if (ret_array)
		*ret_array = expr->array;
	return expr->root->type;
}

void secl_expr_fields(const struct secl_expr *expr,
		      void (*visit)(void *data, const struct secl_field *field), void *data)
{
	for (const struct field_use *use = expr->fields; use; use = use->next)
		visit(data, use->field);
}

void secl_expr_texts(const struct secl_expr *expr,
		     void (*visit)(void *data, const struct secl_field *field,
				   const struct secl_string *text),
		     void *data)
{
	for (const struct text_use *use = expr->texts; use; use = use->next)
		matcher_texts(use->matcher, use->field, visit, data);
}
