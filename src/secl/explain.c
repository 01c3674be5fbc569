/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A compiled expression in words: what is evaluated, and in which order. */
#include "config.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "secl/compile.h"

struct writer {
	void (*line)(void *data, unsigned depth, const char *text);
	void *data;
	char text[1024];
	size_t used;
};

static void put(struct writer *w, const char *format, ...) PRINTF_LIKE(2, 3);

static void put(struct writer *w, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(w->text + w->used, sizeof w->text - w->used, format, args);
	va_end(args);
	if (n > 0)
		w->used = MIN(w->used + (size_t)n, sizeof w->text - 1);
}

static void end_line(struct writer *w, unsigned depth)
{
	w->line(w->data, depth, w->text);
	w->used = 0;
	w->text[0] = '\0';
}

/* ---- operands ------------------------------------------------------------- */

/* Of a long text the beginning. */
enum { TEXT_SHOWN = 60 };

static void put_value(struct writer *w, const struct secl_value *v)
{
	if (v->array)
		put(w, "[%zu]", v->list.count);
	else if (v->type == SECL_INT)
		put(w, "%" PRId64, v->integer);
	else if (v->type == SECL_BOOL)
		put(w, "%s", v->boolean ? "true" : "false");
	else if (v->type == SECL_STRING)
		put(w, "\"%.*s\"%s", (int)MIN(v->string.size, (size_t)TEXT_SHOWN), v->string.text,
		    v->string.size > TEXT_SHOWN ? "..." : "");
	else
		put(w, "a network");
}

/* Depth is bounded by the compiler. */
static void put_operand(struct writer *w, const struct node *n)
{
	if (n->constant && !n->set && n->value == value_fixed) {
		put_value(w, &n->fixed);
	} else if (n->constant) {
		put(w, "a list");
	} else if (n->value == value_field) {
		put(w, "%s%s", n->load->name, n->registered ? " of the element" : "");
	} else if (n->value == value_variable) {
		put(w, "a variable");
	} else if (n->value == value_length) {
		put(w, "the length of ");
		put_operand(w, n->left);
	} else if (n->value == value_index) {
		put(w, "element %zu of ", n->index);
		put_operand(w, n->left);
	} else if (n->value == value_text) {
		put(w, "a text with variables");
	} else if (n->left && n->right) {
		put(w, "(");
		put_operand(w, n->left);
		put(w, " %s ", ast_op_text(n->op));
		put_operand(w, n->right);
		put(w, ")");
	} else if (n->left) {
		put(w, "%s", ast_op_text(n->op));
		put_operand(w, n->left);
	} else {
		put(w, "a condition");
	}
}

/* ---- conditions ----------------------------------------------------------- */

static void put_count(struct writer *w, const char **separator, size_t count, const char *what)
{
	if (!count)
		return;
	put(w, "%s%zu %s%s", *separator, count, what, count == 1 ? "" : "s");
	*separator = ", ";
}

static void put_literal(void *data, const struct secl_literal *literal)
{
	static const char *const marks[] = {
		[SECL_FORM_TEXT] = "",
		[SECL_FORM_PATTERN] = "~",
		[SECL_FORM_GLOB] = "~",
		[SECL_FORM_REGEXP] = "r",
	};
	struct writer *w = data;

	put(w, "%s", marks[literal->form]);
	put_value(w, &(struct secl_value){ .type = SECL_STRING, .string = literal->text });
}

static void put_match(struct writer *w, const struct node *n)
{
	struct matcher_counts counts;
	const char *separator = "";

	matcher_count(n->matcher, &counts);
	put_operand(w, n->left);
	if (counts.exact + counts.patterns + counts.globs + counts.regexps == 1) {
		put(w, n->negate ? " is not " : " is ");
		matcher_each(n->matcher, put_literal, w);
		return;
	}
	put(w, n->negate ? " is none of " : " is one of ");
	put_count(w, &separator, counts.exact, "text");
	put_count(w, &separator, counts.patterns, "pattern");
	put_count(w, &separator, counts.globs, "path pattern");
	put_count(w, &separator, counts.regexps, "regular expression");
}

static void put_condition(struct writer *w, const struct node *n)
{
	if (n->test == test_match) {
		put_match(w, n);
	} else if (n->test && n->left && n->right) {
		put(w, "%s%s", n->negate ? "not: " : "", n->test == test_age ? "the age of " : "");
		put_operand(w, n->left);
		put(w, " %s ", ast_op_text(n->op));
		put_operand(w, n->right);
	} else {
		put_operand(w, n);
	}
	put(w, " (weight %u)", n->weight);
}

static void explain(struct writer *w, const struct node *n, unsigned depth)
{
	if (n->test == test_not) {
		put(w, "not");
		end_line(w, depth);
		explain(w, n->left, depth + 1);
		return;
	}
	if (n->test != test_and && n->test != test_or) {
		put_condition(w, n);
		end_line(w, depth);
		return;
	}
	put(w, n->test == test_and ? "all of, until one is false" : "any of, until one is true");
	end_line(w, depth);
	for (size_t i = 0; i < n->count; i++)
		explain(w, n->items[i], depth + 1);
}

void secl_expr_explain(const struct secl_expr *expr,
		       void (*line)(void *data, unsigned depth, const char *text), void *data)
{
	struct writer w = { .line = line, .data = data };

	if (expr->iterator) {
		put(&w, "for each element, up to 100, until it is true");
		end_line(&w, 0);
	}
	explain(&w, expr->root, expr->iterator ? 1 : 0);
}

bool secl_expr_fixed(const struct secl_expr *expr, bool *ret)
{
	if (!expr->root->constant || expr->root->type != SECL_BOOL || expr->root->array)
		return false;
	*ret = expr->root->fixed.boolean;
	return true;
}

/* ---- literals ------------------------------------------------------------- */

static void visit_literals(const struct node *n,
			   void (*visit)(void *data, const struct secl_literal *literal),
			   void *data)
{
	if (n->test == test_match)
		matcher_each(n->matcher, visit, data);
	if (n->test == test_and || n->test == test_or) {
		for (size_t i = 0; i < n->count; i++)
			visit_literals(n->items[i], visit, data);
		return;
	}
	if (n->left)
		visit_literals(n->left, visit, data);
	if (n->right)
		visit_literals(n->right, visit, data);
}

void secl_expr_literals(const struct secl_expr *expr,
			void (*visit)(void *data, const struct secl_literal *literal), void *data)
{
	visit_literals(expr->root, visit, data);
}
