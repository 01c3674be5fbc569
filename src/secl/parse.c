/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Recursive descent with two tokens of lookahead, one function a grammar rule.
 * Recursion is counted (SECL_MAX_DEPTH); chains are loops.
 */
#include "config.h"

#include "secl/ast.h"
#include "secl/lex.h"

#include <errno.h>
#include <stdio.h>

struct parser {
	struct lexer lexer;
	struct token token, ahead; /* the current one and the one behind it */
	struct pool *pool;
	unsigned depth;
};

static const char *const op_texts[OP_COUNT] = {
	[OP_EQ] = "==",        [OP_NE] = "!=",         [OP_LT] = "<",         [OP_LE] = "<=",
	[OP_GT] = ">",         [OP_GE] = ">=",         [OP_MATCH] = "=~",     [OP_NOT_MATCH] = "!~",
	[OP_IN] = "in",        [OP_NOT_IN] = "not in", [OP_ALL_IN] = "allin", [OP_AND] = "&&",
	[OP_OR] = "||",        [OP_PLUS] = "+",        [OP_MINUS] = "-",      [OP_BIT_AND] = "&",
	[OP_BIT_OR] = "|",     [OP_BIT_XOR] = "^",     [OP_NOT] = "!",        [OP_NEGATE] = "-",
	[OP_COMPLEMENT] = "^",
};

const char *ast_op_text(enum ast_op op)
{
	return op_texts[op];
}

static int advance(struct parser *p)
{
	p->token = p->ahead;
	return lex_next(&p->lexer, &p->ahead);
}

static bool token_punct(const struct token *t, char c)
{
	return t->kind == TOKEN_PUNCT && t->punct == c;
}

static bool token_word(const struct token *t, const char *word)
{
	return t->kind == TOKEN_IDENT && t->size == strlen(word) &&
	       memcmp(t->text, word, t->size) == 0;
}

static int describe(const struct token *t, char *buf, size_t size)
{
	if (t->kind == TOKEN_END)
		return snprintf(buf, size, "the end");
	if (t->kind == TOKEN_STRING || t->kind == TOKEN_PATTERN || t->kind == TOKEN_REGEXP)
		return snprintf(buf, size, "a string");
	return snprintf(buf, size, "\"%.*s\"", (int)MIN(t->size, 40u), t->text);
}

static int expected(struct parser *p, const char *what)
{
	char found[64];

	(void)describe(&p->token, found, sizeof found);
	return source_error(&p->lexer.source, p->token.offset, "expected %s, found %s", what,
			    found);
}

static int new_node(struct parser *p, enum ast_kind kind, uint32_t offset, struct ast **ret)
{
	struct ast *a = pool_alloc(p->pool, sizeof *a);

	if (!a)
		return -ENOMEM;
	a->kind = kind;
	a->offset = offset;
	*ret = a;
	return 0;
}

static int enter(struct parser *p)
{
	if (++p->depth <= SECL_MAX_DEPTH)
		return 0;
	return source_error(&p->lexer.source, p->token.offset,
			    "expression is nested more than %d levels deep", SECL_MAX_DEPTH);
}

static int parse_expression(struct parser *p, struct ast **ret);

/* What a token alone stands for. */
static const struct {
	enum token_kind token;
	enum ast_kind ast;
	enum flavour flavour;
} primaries[] = {
	{ TOKEN_IDENT, AST_IDENT, FLAVOUR_EXACT },
	{ TOKEN_CIDR, AST_NET, FLAVOUR_EXACT },
	{ TOKEN_IP, AST_NET, FLAVOUR_EXACT },
	{ TOKEN_INT, AST_INT, FLAVOUR_EXACT },
	{ TOKEN_VARIABLE, AST_VARIABLE, FLAVOUR_EXACT },
	{ TOKEN_REFERENCE, AST_REFERENCE, FLAVOUR_EXACT },
	{ TOKEN_STRING, AST_STRING, FLAVOUR_EXACT },
	{ TOKEN_PATTERN, AST_STRING, FLAVOUR_PATTERN },
	{ TOKEN_REGEXP, AST_STRING, FLAVOUR_REGEXP },
	{ TOKEN_DURATION, AST_DURATION, FLAVOUR_EXACT },
};

/* The current token as a node of its own; WHAT was expected otherwise. */
static int parse_token(struct parser *p, const char *what, struct ast **ret)
{
	const struct token *t = &p->token;
	struct ast *a;
	int r;

	for (size_t i = 0; i < ELEMENTS(primaries); i++) {
		if (primaries[i].token != t->kind)
			continue;
		r = new_node(p, primaries[i].ast, t->offset, &a);
		if (r < 0)
			return r;
		a->flavour = primaries[i].flavour;
		if (a->kind == AST_INT || a->kind == AST_DURATION)
			a->integer = t->integer;
		else if (a->kind == AST_NET)
			a->net = t->net;
		else
			a->string = (struct secl_string){ t->text, t->size };
		*ret = a;
		return advance(p);
	}
	return expected(p, what);
}

static int parse_primary(struct parser *p, struct ast **ret)
{
	int r;

	if (!token_punct(&p->token, '(')) {
		if (token_punct(&p->token, '['))
			return expected(p, "a value (a list stands behind in, not in or allin)");
		return parse_token(p, "a value", ret);
	}
	r = enter(p);
	if (r < 0)
		return r;
	r = advance(p);
	if (r < 0)
		return r;
	r = parse_expression(p, ret);
	if (r < 0)
		return r;
	if (!token_punct(&p->token, ')'))
		return expected(p, "an operator or \")\"");
	p->depth--;
	return advance(p);
}

static enum ast_op unary_op(const struct parser *p)
{
	if (token_punct(&p->token, '!') || token_word(&p->token, "not"))
		return OP_NOT;
	if (token_punct(&p->token, '-'))
		return OP_NEGATE;
	if (token_punct(&p->token, '^'))
		return OP_COMPLEMENT;
	return OP_NONE;
}

static int parse_unary(struct parser *p, struct ast **ret)
{
	enum ast_op op = unary_op(p);
	struct ast *a;
	int r;

	if (op == OP_NONE)
		return parse_primary(p, ret);
	r = new_node(p, AST_UNARY, p->token.offset, &a);
	if (r < 0)
		return r;
	a->op = op;
	r = enter(p);
	if (r < 0)
		return r;
	r = advance(p);
	if (r < 0)
		return r;
	r = parse_unary(p, &a->left);
	if (r < 0)
		return r;
	p->depth--;
	*ret = a;
	return 0;
}

/* The operator of a chain at the current token, without moving; *ret_tokens
 * is how many tokens it takes.
 */
static enum ast_op bits_op(const struct parser *p, int *ret_tokens)
{
	*ret_tokens = 1;
	/* && and || are two of these */
	if (token_punct(&p->token, '&') && !token_punct(&p->ahead, '&'))
		return OP_BIT_AND;
	if (token_punct(&p->token, '|') && !token_punct(&p->ahead, '|'))
		return OP_BIT_OR;
	return token_punct(&p->token, '^') ? OP_BIT_XOR : OP_NONE;
}

static enum ast_op sum_op(const struct parser *p, int *ret_tokens)
{
	*ret_tokens = 1;
	if (token_punct(&p->token, '+'))
		return OP_PLUS;
	return token_punct(&p->token, '-') ? OP_MINUS : OP_NONE;
}

static enum ast_op logic_op(const struct parser *p, int *ret_tokens)
{
	*ret_tokens = p->token.kind == TOKEN_PUNCT ? 2 : 1;
	if (token_word(&p->token, "and") ||
	    (token_punct(&p->token, '&') && token_punct(&p->ahead, '&')))
		return OP_AND;
	if (token_word(&p->token, "or") ||
	    (token_punct(&p->token, '|') && token_punct(&p->ahead, '|')))
		return OP_OR;
	return OP_NONE;
}

/* A chain is described by its members and operators. */
struct chain {
	enum ast_kind kind;
	int (*member)(struct parser *p, struct ast **ret);
	enum ast_op (*operator)(const struct parser *p, int *ret_tokens);
};

/* member { operator member }; one member alone is not wrapped. */
static int parse_chain(struct parser *p, const struct chain *grammar, struct ast **ret)
{
	struct ast *first, *last, *a;
	uint32_t count = 1;
	int r, tokens;

	r = grammar->member(p, &first);
	if (r < 0)
		return r;
	last = first;
	while ((last->link = grammar->operator(p, &tokens)) != OP_NONE) {
		while (tokens-- > 0) {
			r = advance(p);
			if (r < 0)
				return r;
		}
		r = grammar->member(p, &last->next);
		if (r < 0)
			return r;
		last = last->next;
		count++;
	}
	if (count > 1) {
		r = new_node(p, grammar->kind, first->offset, &a);
		if (r < 0)
			return r;
		a->first = first;
		a->count = count;
		first = a;
	}
	*ret = first;
	return 0;
}

static int parse_bits(struct parser *p, struct ast **ret)
{
	static const struct chain bits = { AST_BITS, parse_unary, bits_op };

	return parse_chain(p, &bits, ret);
}

static int parse_sum(struct parser *p, struct ast **ret)
{
	static const struct chain sum = { AST_SUM, parse_bits, sum_op };

	return parse_chain(p, &sum, ret);
}

/* `in` takes no string and no number: say what to write instead. */
static int bad_array(struct parser *p)
{
	switch (p->token.kind) {
	case TOKEN_IP:
		return expected(p, "a list, a network or a name behind in (write [ADDRESS])");
	case TOKEN_STRING:
	case TOKEN_PATTERN:
	case TOKEN_REGEXP: return expected(p, "a list or a name behind in (write [\"...\"])");
	case TOKEN_INT: return expected(p, "a list or a name behind in (write [NUMBER])");
	default: return expected(p, "a list or a name behind in");
	}
}

/* The kind of list that a member of this token makes. */
static enum ast_kind list_kind(const struct token *t)
{
	switch (t->kind) {
	case TOKEN_STRING:
	case TOKEN_PATTERN:
	case TOKEN_REGEXP: return AST_STRING_LIST;
	case TOKEN_IP:
	case TOKEN_CIDR: return AST_NET_LIST;
	case TOKEN_INT: return AST_INT_LIST;
	case TOKEN_IDENT: return AST_IDENT_LIST;
	default: return AST_UNARY; /* none of them */
	}
}

static const char *list_member_name(enum ast_kind kind)
{
	switch (kind) {
	case AST_STRING_LIST: return "another string, pattern or regexp (lists have one kind)";
	case AST_NET_LIST: return "another address or network (lists have one kind)";
	case AST_INT_LIST: return "another number (lists have one kind)";
	default: return "another constant (lists have one kind)";
	}
}

/* "[" member { "," member } "]" */
static int parse_list(struct parser *p, struct ast **ret)
{
	struct ast *list, **link;
	int r;

	r = new_node(p, AST_UNARY, p->token.offset, &list);
	if (r < 0)
		return r;
	r = advance(p);
	if (r < 0)
		return r;
	list->kind = list_kind(&p->token);
	if (list->kind == AST_UNARY)
		return expected(p, "strings, numbers, addresses or constants in the list");
	for (link = &list->first;; link = &(*link)->next) {
		if (list_kind(&p->token) != list->kind)
			return expected(p, list_member_name(list->kind));
		r = parse_token(p, "a value", link);
		if (r < 0)
			return r;
		list->count++;
		if (!token_punct(&p->token, ','))
			break;
		r = advance(p);
		if (r < 0)
			return r;
	}
	if (!token_punct(&p->token, ']'))
		return expected(p, "\",\" or \"]\"");
	*ret = list;
	return advance(p);
}

static int parse_array(struct parser *p, struct ast **ret)
{
	int r;

	if (token_punct(&p->token, '['))
		return parse_list(p, ret);
	if (p->token.kind != TOKEN_CIDR && p->token.kind != TOKEN_VARIABLE &&
	    p->token.kind != TOKEN_REFERENCE && p->token.kind != TOKEN_IDENT)
		return bad_array(p);
	r = parse_token(p, "a list or a name", ret);
	if (r < 0)
		return r;
	(*ret)->array_position = true;
	return 0;
}

/* One row an operator: two signs (the second may be none), or two words. */
static const struct {
	enum ast_op op;
	const char *first, *second;
	bool array;
} comparisons[] = {
	{ OP_GE, ">", "=", false },         { OP_GT, ">", NULL, false },
	{ OP_LE, "<", "=", false },         { OP_LT, "<", NULL, false },
	{ OP_NE, "!", "=", false },         { OP_EQ, "=", "=", false },
	{ OP_MATCH, "=", "~", false },      { OP_NOT_MATCH, "!", "~", false },
	{ OP_IN, "in", NULL, true },        { OP_NOT_IN, "not", "in", true },
	{ OP_ALL_IN, "allin", NULL, true },
};

static bool token_is(const struct token *t, const char *text)
{
	return (t->kind == TOKEN_PUNCT || t->kind == TOKEN_IDENT) && t->size == strlen(text) &&
	       memcmp(t->text, text, t->size) == 0;
}

static int bad_comparison(struct parser *p)
{
	const struct token *t = &p->token;

	if (t->punct == '=' && p->ahead.kind == TOKEN_PATTERN)
		return source_error(&p->lexer.source, t->offset,
				    "=~ needs a space in front of the string");
	if (t->punct == '!' && p->ahead.kind == TOKEN_PATTERN)
		return source_error(&p->lexer.source, t->offset,
				    "!~ needs a space in front of the string");
	if (t->punct == '=')
		return source_error(&p->lexer.source, t->offset,
				    "expected == or =~, found a single =");
	return 0;
}

static int parse_comparison(struct parser *p, struct ast **ret)
{
	struct ast *left, *a;
	size_t i;
	int r;

	r = parse_sum(p, &left);
	if (r < 0)
		return r;
	for (i = 0; i < ELEMENTS(comparisons); i++)
		if (token_is(&p->token, comparisons[i].first) &&
		    (!comparisons[i].second || token_is(&p->ahead, comparisons[i].second)))
			break;
	if (i == ELEMENTS(comparisons)) {
		*ret = left;
		return p->token.kind == TOKEN_PUNCT ? bad_comparison(p) : 0;
	}
	r = new_node(p, AST_COMPARE, p->token.offset, &a);
	if (r < 0)
		return r;
	a->op = comparisons[i].op;
	a->left = left;
	for (int tokens = comparisons[i].second ? 2 : 1; tokens > 0; tokens--) {
		r = advance(p);
		if (r < 0)
			return r;
	}
	*ret = a;
	if (comparisons[i].array)
		return parse_array(p, &a->right);
	/* a == b == c is a == (b == c) */
	r = enter(p);
	if (r < 0)
		return r;
	r = parse_comparison(p, &a->right);
	p->depth--;
	return r;
}

static int parse_expression(struct parser *p, struct ast **ret)
{
	static const struct chain logic = { AST_LOGIC, parse_comparison, logic_op };

	return parse_chain(p, &logic, ret);
}

static int bad_rest(struct parser *p)
{
	const struct token *t = &p->token;

	if (t->kind == TOKEN_INT && (t->text[0] == '-' || t->text[0] == '+'))
		return source_error(&p->lexer.source, t->offset,
				    "expected an operator: write \"%c %.*s\" to calculate",
				    t->text[0], (int)MIN(t->size - 1, 20u), t->text + 1);
	return expected(p, "an operator");
}

int ast_parse(const struct source *source, bool macro, struct pool *pool, struct ast **ret)
{
	struct parser p = { .lexer.source = *source, .pool = pool };
	int r;

	if (source->size > SECL_MAX_TEXT)
		return source_error(source, 0, "expression is longer than %d bytes", SECL_MAX_TEXT);
	r = lex_next(&p.lexer, &p.token);
	if (r < 0)
		return r;
	r = lex_next(&p.lexer, &p.ahead);
	if (r < 0)
		return r;
	if (p.token.kind == TOKEN_END)
		return source_error(source, p.token.offset, "expression is empty");
	r = macro && token_punct(&p.token, '[') ? parse_list(&p, ret) : parse_expression(&p, ret);
	if (r < 0)
		return r;
	return p.token.kind == TOKEN_END ? 0 : bad_rest(&p);
}
