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

static void give_text(void *data, enum secl_atom_kind kind, const struct secl_string *text)
{
	give(data, kind, text, 0);
}

/* Only what is loaded as it stands can be looked up. */
static const struct secl_field *field_of(const struct node *n)
{
	if (!n || !n->field || n->value != value_field || n->load->flags & SECL_FIELD_OF_RULE)
		return NULL;
	return n->load;
}

static struct cover done(const struct output *out, size_t count)
{
	unsigned cost = out->field ? MIN(out->field->weight / 10, 30u) : 0;

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

static struct cover find(const struct node *n, struct output *out)
{
	if (n->test == test_and)
		return of_and(n, out);
	if (n->test == test_or)
		return of_or(n, out);
	if (n->negate)
		return (struct cover){ 0 };
	if (n->test == test_match)
		return of_match(n, out);
	if (n->test == test_int_set || (n->test == test_ints && n->op == OP_EQ) ||
	    (n->test == test_ints && n->op == OP_IN))
		return of_ints(n, out);
	return of_bool_field(n, out);
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
