/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "policy/trigger.h"

#include <errno.h>

struct trigger {
	struct trigger *collide;
	const struct secl_predicate *predicate;
	bool negated;
	uint32_t *rules;
	size_t nrules, capacity;
};

/* Those that are to hold and that are known beforehand, by their bits. */
struct known {
	struct trigger **by_bit;
	uint64_t *wanted;
	size_t words;
};

enum { BUCKETS = 256 };

struct triggers {
	struct trigger *buckets[BUCKETS];
	struct trigger **asked; /* all others */
	size_t nasked;
	struct known of_parent, of_ancestors;
};

int triggers_new(struct triggers **ret)
{
	*ret = calloc(1, sizeof **ret);
	return *ret ? 0 : -ENOMEM;
}

void triggers_free(struct triggers *triggers)
{
	if (!triggers)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct trigger *t = triggers->buckets[i], *next; t; t = next) {
			next = t->collide;
			free(t->rules);
			free(t);
		}
	}
	free(triggers->asked);
	free(triggers->of_parent.by_bit);
	free(triggers->of_parent.wanted);
	free(triggers->of_ancestors.by_bit);
	free(triggers->of_ancestors.wanted);
	free(triggers);
}

static struct known *known_of(struct triggers *triggers, const struct trigger *t)
{
	if (t->negated || t->predicate->lasting == SECL_PASSING)
		return NULL;
	return t->predicate->lasting == SECL_OF_PARENT ? &triggers->of_parent
						       : &triggers->of_ancestors;
}

static int know(struct known *known, struct trigger *t)
{
	unsigned bit = t->predicate->bit;
	size_t words = MAX(bit / 64 + 1, known->words);
	struct trigger **by_bit;
	uint64_t *wanted;

	by_bit = reallocarray(known->by_bit, words * 64, sizeof *by_bit);
	if (!by_bit)
		return -ENOMEM;
	known->by_bit = by_bit;
	wanted = reallocarray(known->wanted, words, sizeof *wanted);
	if (!wanted)
		return -ENOMEM;
	known->wanted = wanted;
	for (; known->words < words; known->words++) {
		wanted[known->words] = 0;
		memset(&by_bit[known->words * 64], 0, 64 * sizeof(struct trigger *));
	}
	by_bit[bit] = t;
	wanted[bit / 64] |= UINT64_C(1) << bit % 64;
	return 0;
}

static int ask(struct triggers *triggers, struct trigger *t)
{
	struct trigger **asked = reallocarray(triggers->asked, triggers->nasked + 1, sizeof *asked);

	if (!asked)
		return -ENOMEM;
	triggers->asked = asked;
	asked[triggers->nasked++] = t;
	return 0;
}

static struct trigger **bucket(struct triggers *triggers, const struct secl_predicate *predicate)
{
	return &triggers->buckets[(uintptr_t)predicate / sizeof *predicate % BUCKETS];
}

static int add_trigger(struct triggers *triggers, const struct secl_predicate *predicate,
		       bool negated, struct trigger **ret)
{
	struct trigger **head = bucket(triggers, predicate), *t = calloc(1, sizeof *t);
	struct known *known;

	if (!t)
		return -ENOMEM;
	*t = (struct trigger){ .collide = *head, .predicate = predicate, .negated = negated };
	*head = t;
	*ret = t;
	known = known_of(triggers, t);
	return known ? know(known, t) : ask(triggers, t);
}

int triggers_add(struct triggers *triggers, const struct secl_predicate *predicate, bool negated,
		 uint32_t rule)
{
	struct trigger *t = *bucket(triggers, predicate);
	uint32_t *rules;
	int r;

	while (t && (t->predicate != predicate || t->negated != negated))
		t = t->collide;
	if (!t) {
		r = add_trigger(triggers, predicate, negated, &t);
		if (r < 0)
			return r;
	}
	if (t->nrules == t->capacity) {
		size_t capacity = t->capacity ? t->capacity * 2 : 4;

		rules = reallocarray(t->rules, capacity, sizeof *rules);
		if (!rules)
			return -ENOMEM;
		t->rules = rules;
		t->capacity = capacity;
	}
	t->rules[t->nrules++] = rule;
	return 0;
}

static void set_rules(const struct trigger *t, uint64_t *bits)
{
	for (size_t i = 0; i < t->nrules; i++)
		bits[t->rules[i] / 64] |= UINT64_C(1) << t->rules[i] % 64;
}

static void ask_for(const struct trigger *t, const struct secl_context *ctx, uint64_t *bits)
{
	int r = secl_predicate_test(t->predicate, ctx);

	/* what it means for each that it failed, the evaluation of each finds out */
	if (r < 0 || (r > 0) != t->negated)
		set_rules(t, bits);
}

static void look_known(const struct known *known, const uint64_t *holds,
		       const struct secl_context *ctx, uint64_t *bits)
{
	for (size_t word = 0; word < known->words; word++) {
		uint64_t rest = known->wanted[word] & (holds ? holds[word] : UINT64_MAX);

		for (; rest; rest &= rest - 1) {
			size_t bit = word * 64 + (size_t)__builtin_ctzll(rest);

			if (holds)
				set_rules(known->by_bit[bit], bits);
			else
				ask_for(known->by_bit[bit], ctx, bits);
		}
	}
}

void triggers_look(const struct triggers *triggers, const struct secl_context *ctx, uint64_t *bits)
{
	const struct secl_memo *memo = ctx->memo;

	look_known(&triggers->of_parent, memo ? memo->of_parent : NULL, ctx, bits);
	look_known(&triggers->of_ancestors, memo ? memo->of_ancestors : NULL, ctx, bits);
	for (size_t i = 0; i < triggers->nasked; i++)
		ask_for(triggers->asked[i], ctx, bits);
}
