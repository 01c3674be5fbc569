/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Several definitions of one id become one rule (specification 15). */
#include <config.h>

#include "policy/load.h"

#include <errno.h>

/* By id, then by order of appearance. */
static int by_id(const void *a, const void *b)
{
	const struct draft *x = *(struct draft *const *)a, *y = *(struct draft *const *)b;
	int r = strcmp(x->id, y->id);

	if (r)
		return r;
	return x->order < y->order ? -1 : x->order > y->order;
}

static bool yaml_equal(const struct yaml *a, const struct yaml *b)
{
	if (a->kind != b->kind || a->count != b->count)
		return false;
	if (a->kind == YAML_IS_SCALAR)
		return a->size == b->size && memcmp(a->text, b->text, a->size) == 0;
	for (const struct yaml *x = a->first, *y = b->first; x; x = x->next, y = y->next) {
		if (x->key && !streq(x->key->text, y->key->text))
			return false;
		if (!yaml_equal(x, y))
			return false;
	}
	return true;
}

static void merge_actions(struct draft *into, const struct draft *from)
{
	for (size_t i = 0; i < from->nactions; i++) {
		bool present = into->nactions == MAX_ACTIONS;

		for (size_t k = 0; k < into->nactions; k++)
			present |= yaml_equal(into->actions[k].node, from->actions[i].node);
		if (!present)
			into->actions[into->nactions++] = from->actions[i];
	}
}

static void merge_tags(struct draft *into, const struct draft *from)
{
	for (size_t i = 0; i < from->ntags; i++) {
		size_t k = 0;

		while (k < into->ntags && !streq(into->tags[k].key, from->tags[i].key))
			k++;
		if (k == MAX_TAGS)
			continue;
		into->tags[k] = from->tags[i];
		into->ntags = MAX(into->ntags, k + 1);
		if (streq(from->tags[i].key, "execution_context"))
			into->execution_context = from->execution_context;
	}
}

static void merge_product_tags(struct draft *into, const struct draft *from)
{
	for (size_t i = 0; i < from->nproduct_tags; i++) {
		bool present = into->nproduct_tags == MAX_TAGS;

		for (size_t k = 0; k < into->nproduct_tags; k++)
			present |= streq(into->product_tags[k], from->product_tags[i]);
		if (!present)
			into->product_tags[into->nproduct_tags++] = from->product_tags[i];
	}
}

/* Everything but identity and expression. */
static void replace_all(struct draft *into, const struct draft *from)
{
	struct draft old = *into;

	*into = *from;
	into->next = old.next;
	into->order = old.order;
	into->merged = false;
	into->file = old.file;
	into->node = old.node;
	into->expression = old.expression;
	into->expression_file = old.expression_file;
}

static void merge_override(struct draft *into, const struct draft *from)
{
	if ((from->override & OVERRIDE_ALL) && into->file->policy->is_default) {
		replace_all(into, from);
		return;
	}
	if (from->override & OVERRIDE_ACTIONS)
		merge_actions(into, from);
	if ((from->override & OVERRIDE_EVERY) && from->has_every) {
		into->has_every = true;
		into->every_ns = from->every_ns;
	}
	if (from->override & OVERRIDE_TAGS)
		merge_tags(into, from);
	if (from->override & OVERRIDE_PRODUCT_TAGS)
		merge_product_tags(into, from);
}

static enum protection effective_protection(const struct draft *d)
{
	if (d->says_protection)
		return d->protection;
	for (size_t i = 0; i < d->nactions; i++) {
		if (action_enforces(d->actions[i].node))
			return PROTECTION_BLOCKING;
	}
	return PROTECTION_MONITORING;
}

/* A later copy without `combine` only switches. */
static void merge_copy(struct draft *into, const struct draft *from)
{
	if (into->disabled && !from->disabled) {
		into->disabled = false;
		if (!into->expression) {
			into->expression = from->expression;
			into->expression_file = from->expression_file;
		}
	} else if (!into->disabled && from->disabled && into->file->policy->is_default &&
		   !from->file->policy->is_default) {
		into->disabled = true;
	}
	/* design 4: blocking > monitoring > disabled over policies */
	if (from->says_protection && from->protection > effective_protection(into)) {
		into->says_protection = true;
		into->protection = from->protection;
		into->protection_node = from->protection_node;
	}
}

static int merge_one(struct load *load, struct draft **winner, struct draft *d)
{
	struct draft *w = *winner;

	if (!w) {
		if (!d->expression && !d->disabled)
			return report_draft(load, d, NULL,
					    "the rule overrides one that no earlier policy has");
		*winner = d;
		return 0;
	}
	d->merged = true;
	if (w->file == d->file)
		return report_draft(load, d, yaml_get(d->node, "id"),
				    "the id is used twice in this file, the first rule applies");
	if (d->combine_override)
		merge_override(w, d);
	else
		merge_copy(w, d);
	return 0;
}

/* The drafts of one id, in order of appearance. */
static int merge_group(struct load *load, struct draft **group, size_t count)
{
	struct draft *winner = NULL, *filtered = NULL;
	int r;

	for (size_t i = 0; i < count; i++) {
		struct draft *d = group[i];

		if (d->failed)
			continue;
		if (d->filtered) {
			d->merged = true;
			if (!filtered)
				filtered = d;
			continue;
		}
		r = merge_one(load, &winner, d);
		if (r < 0)
			return r;
	}
	if (filtered && !winner)
		filtered->merged = false; /* nothing else speaks for the id */
	return 0;
}

int drafts_merge(struct load *load)
{
	struct draft **sorted;
	size_t count = 0, size;
	int r;

	for (struct draft *d = load->first; d; d = d->next)
		count++;
	sorted = arena_alloc(&load->arena, (count + 1) * sizeof(struct draft *));
	if (!sorted)
		return -ENOMEM;
	count = 0;
	for (struct draft *d = load->first; d; d = d->next) {
		if (d->id)
			sorted[count++] = d;
	}
	qsort(sorted, count, sizeof(struct draft *), by_id);
	for (size_t i = 0; i < count; i += size) {
		for (size = 1; i + size < count && streq(sorted[i]->id, sorted[i + size]->id);)
			size++;
		r = merge_group(load, sorted + i, size);
		if (r < 0)
			return r;
	}
	return 0;
}
