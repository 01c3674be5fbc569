/* SPDX-License-Identifier: GPL-3.0-or-later */
/* atoms.c - what must hold of single fields for an expression to be true.
 *
 * Of conditions joined by && any one is necessary: the one that tells most is taken.
 * Of those joined by || each needs one of its own. A negation has none.
 */
#include "config.h"

#include "secl/compile.h"

/* An expression that has more is none that an index could keep quiet. */
enum { ATOMS_MAX = 20000 };

/* How much it tells that some atom holds: 0 = nothing. Texts tell more than parts of
 * texts, these more the longer they are, numbers little; fields that are cheap to have
 * come first among equals.
 */
enum {
	SCORE_COMMON = 40, /* at most, of what many rules ask: it would bring them all */
	COMMON_USES = 8,
	SCORE_LASTING = 150, /* of some process it may hold for hours, but it is known at once */
	SCORE_HOLDS = 10,    /* has to be asked */
	SCORE_HOLDS_NOT = 5, /* and mostly does not help */
};

struct cover {
	unsigned score;
	size_t count;
};

struct output {
	void (*visit)(void *data, const struct secl_atom *atom);
	void *data;
	const struct secl_field *field;
	unsigned worst; /* score of the weakest */
};

static unsigned score_of(enum secl_atom_kind kind, const struct secl_string *text)
{
	switch (kind) {
	/* much is empty */
	case SECL_ATOM_TEXT:
		return text->size ? 300 + (unsigned)MIN(text->size, (size_t)10) * 10 : 20;
	case SECL_ATOM_PART: return 100 + (unsigned)MIN(text->size, (size_t)16) * 10;
	default: return 50;
	}
}

static void give(struct output *out, enum secl_atom_kind kind, const struct secl_string *text,
		 int64_t number)
{
	struct secl_atom atom = { .kind = kind, .field = out->field, .number = number };

	if (text)
		atom.text = *text;
	out->worst = MIN(out->worst, score_of(kind, text));
	if (out->visit)
		out->visit(out->data, &atom);
}

static struct cover of_predicate(const struct node *n, struct output *out)
{
	const struct secl_predicate *p = n->predicate;
	struct secl_atom atom = { .kind = SECL_ATOM_PREDICATE };

	if (!p || (n->negate && n->left->registered))
		return (struct cover){ 0 };
	atom.predicate = p;
	atom.field = p->field;
	atom.negated = n->negate;
	if (out->visit)
		out->visit(out->data, &atom);
	if (n->negate)
		return (struct cover){ SCORE_HOLDS_NOT, 1 };
	return (struct cover){ p->lasting ? SCORE_LASTING : SCORE_HOLDS, 1 };
}

static void give_text(void *data, enum secl_atom_kind kind, const struct secl_string *text)
{
	give(data, kind, text, 0);
}

/* Only what is loaded as it stands, and without much ado, can be looked up. */
static const struct secl_field *field_of(const struct node *n)
{
	if (!n || !n->field || n->value != value_field ||
	    n->load->flags & (SECL_FIELD_OF_RULE | SECL_FIELD_COSTLY))
		return NULL;
	return n->load;
}

enum { COST_MAX = 30, COST_OF_MANY = 200 };

static struct cover done(const struct output *out, size_t count)
{
	unsigned cost = out->field ? MIN(out->field->weight / 10, (unsigned)COST_MAX) : 0;

	/* all of them are gone through at every event */
	if (out->field && out->field->flags & SECL_FIELD_ITERATOR)
		cost = COST_OF_MANY;
	if (!count || count > ATOMS_MAX)
		return (struct cover){ 0 };
	/* a long list is a little less telling than a short one */
	return (struct cover){ MAX(out->worst - MIN(cost, out->worst - 1), 1u), count };
}

static struct cover of_match(const struct node *n, struct output *out)
{
	out->field = field_of(n->left);
	if (!out->field || out->field->type != SECL_STRING)
		return (struct cover){ 0 };
	return done(out, matcher_atoms(n->matcher, give_text, out));
}

static bool constant_ints(const struct node *n)
{
	return n && n->constant && n->type == SECL_INT;
}

static struct cover of_ints(const struct node *n, struct output *out)
{
	const struct node *constant = constant_ints(n->right) ? n->right : n->left;
	const struct node *other = constant == n->right ? n->left : n->right;
	size_t count;

	out->field = field_of(other);
	if (!out->field || !constant_ints(constant) || out->field->type != SECL_INT)
		return (struct cover){ 0 };
	count = constant->array ? constant->fixed.list.count : 1;
	for (size_t i = 0; i < count; i++)
		give(out, SECL_ATOM_NUMBER, NULL,
		     constant->array ? constant->fixed.list.integers[i] : constant->fixed.integer);
	return done(out, count);
}

static struct cover of_bool_field(const struct node *n, struct output *out)
{
	out->field = field_of(n);
	if (!out->field || out->field->type != SECL_BOOL)
		return (struct cover){ 0 };
	give(out, SECL_ATOM_NUMBER, NULL, 1);
	return done(out, 1);
}

/* Depth is bounded by the compiler. */
static struct cover find(const struct node *n, struct output *out);

static struct cover measure(const struct node *n)
{
	struct output out = { .worst = UINT32_MAX };

	return find(n, &out);
}

static struct cover of_and(const struct node *n, struct output *out)
{
	const struct node *best = NULL;
	struct cover cover = { 0 };

	for (size_t i = 0; i < n->count; i++) {
		struct cover c = measure(n->items[i]);

		if (c.score > cover.score || (c.score == cover.score && c.count < cover.count)) {
			cover = c;
			best = n->items[i];
		}
	}
	return best ? find(best, out) : cover;
}

static struct cover of_or(const struct node *n, struct output *out)
{
	struct cover all = { .score = UINT32_MAX };

	for (size_t i = 0; i < n->count; i++) {
		struct cover c = measure(n->items[i]);

		all.score = MIN(all.score, c.score);
		all.count += c.count;
		if (!c.score || all.count > ATOMS_MAX)
			return (struct cover){ 0 };
	}
	for (size_t i = 0; i < n->count && out->visit; i++)
		(void)find(n->items[i], out);
	return all;
}

/* What can be looked up: OUT is not touched when there is none. */
static struct cover of_values(const struct node *n, struct output *out)
{
	if (n->negate)
		return (struct cover){ 0 };
	if (n->test == test_match)
		return of_match(n, out);
	if (n->test == test_int_set || (n->test == test_ints && n->op == OP_EQ) ||
	    (n->test == test_ints && n->op == OP_IN))
		return of_ints(n, out);
	return of_bool_field(n, out);
}

static struct cover find(const struct node *n, struct output *out)
{
	struct output silent = { .worst = UINT32_MAX };
	struct cover cover;

	if (n->test == test_and)
		return of_and(n, out);
	if (n->test == test_or)
		return of_or(n, out);
	/* what is known of the ancestors need not be looked up in them */
	if (n->predicate && (n->predicate->lasting || !of_values(n, &silent).score))
		cover = of_predicate(n, out);
	else
		cover = of_values(n, out);
	if (n->predicate && n->predicate->uses > COMMON_USES)
		cover.score = MIN(cover.score, (unsigned)SCORE_COMMON);
	return cover;
}

static void visit_predicates(const struct node *n,
			     void (*visit)(void *data, const struct secl_predicate *predicate,
					   bool negated),
			     void *data)
{
	if (n->predicate && !n->left->registered)
		visit(data, n->predicate, n->negate);
	if (n->test == test_and || n->test == test_or)
		for (size_t i = 0; i < n->count; i++)
			visit_predicates(n->items[i], visit, data);
	else if (n->test == test_not)
		visit_predicates(n->left, visit, data);
}

void secl_expr_predicates(const struct secl_expr *expr,
			  void (*visit)(void *data, const struct secl_predicate *predicate,
					bool negated),
			  void *data)
{
	visit_predicates(expr->root, visit, data);
}

size_t secl_expr_atoms(const struct secl_expr *expr,
		       void (*visit)(void *data, const struct secl_atom *atom), void *data)
{
	struct output out = { .visit = visit, .data = data, .worst = UINT32_MAX };
	struct cover cover = measure(expr->root);

	if (!cover.score)
		return 0;
	(void)find(expr->root, &out);
	return cover.count;
}
