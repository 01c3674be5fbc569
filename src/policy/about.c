/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the policies say about each rule, kept for the ruleset_loaded event: of rules
 * that are not in force as well.
 */
#include <config.h>

#include "policy/load.h"

#include <errno.h>

#include "base/jsonw.h"

static const char *keep(struct load *load, const char *text, bool *failed)
{
	const char *copy = text ? arena_copy(load->keep, text, strlen(text)) : NULL;

	*failed |= text && !copy;
	return copy;
}

static const char *text_of(const struct yaml *node, const char *key)
{
	const struct yaml *entry = yaml_get(node, key);

	return entry && entry->kind == YAML_IS_SCALAR && !yaml_is_null(entry) ? entry->text : NULL;
}

static int keep_filters(struct load *load, const struct draft *d, struct rule_about *about)
{
	const struct yaml *filters = yaml_get(d->node, "filters");
	const char **list;
	bool failed = false;

	if (!filters || !filters->count)
		return 0;
	list = arena_alloc(load->keep, filters->count * sizeof *list);
	if (!list)
		return -ENOMEM;
	for (const struct yaml *f = filters->first; f; f = f->next) {
		if (f->kind == YAML_IS_SCALAR)
			list[about->nfilters++] = keep(load, f->text, &failed);
	}
	about->filters = list;
	return failed ? -ENOMEM : 0;
}

static int keep_tags(struct load *load, const struct draft *d, struct rule_about *about)
{
	struct rule_about_tag *tags = arena_alloc(load->keep, (d->ntags + 1) * sizeof *tags);
	const char **products = arena_alloc(load->keep, (d->nproduct_tags + 1) * sizeof *products);
	bool failed = !tags || !products;

	for (size_t i = 0; i < d->ntags && !failed; i++) {
		tags[i].key = keep(load, d->tags[i].key, &failed);
		tags[i].value = keep(load, d->tags[i].value, &failed);
	}
	for (size_t i = 0; i < d->nproduct_tags && !failed; i++)
		products[i] = keep(load, d->product_tags[i], &failed);
	about->tags = tags;
	about->ntags = d->ntags;
	about->product_tags = products;
	about->nproduct_tags = d->nproduct_tags;
	return failed ? -ENOMEM : 0;
}

/* ---- actions: the tree of the file as JSON --------------------------------- */

static void write_node(struct jsonw *w, const struct yaml *node);

static void write_scalar(struct jsonw *w, const struct yaml *node)
{
	int64_t number;
	bool boolean;

	if (yaml_is_null(node))
		jsonw_null(w);
	else if (yaml_bool(node, &boolean) == 0)
		jsonw_bool(w, boolean);
	else if (yaml_int(node, &number) == 0)
		jsonw_int(w, number);
	else
		jsonw_string_n(w, node->text, node->size);
}

static void write_node(struct jsonw *w, const struct yaml *node)
{
	if (node->kind == YAML_IS_SCALAR) {
		write_scalar(w, node);
		return;
	}
	if (node->kind == YAML_IS_MAPPING)
		jsonw_begin_object(w);
	else
		jsonw_begin_array(w);
	for (const struct yaml *e = node->first; e; e = e->next) {
		if (node->kind == YAML_IS_MAPPING)
			jsonw_key(w, e->key->text);
		write_node(w, e);
	}
	if (node->kind == YAML_IS_MAPPING)
		jsonw_end_object(w);
	else
		jsonw_end_array(w);
}

/* What a node takes at most: each byte as \uXXXX, quotes, colons, commas and brackets. */
static size_t json_room(const struct yaml *node)
{
	size_t size = 32 + 6 * node->size + (node->key ? 8 + 6 * node->key->size : 0);

	for (const struct yaml *e = node->first; e; e = e->next)
		size += json_room(e);
	return size;
}

static int keep_actions(struct load *load, const struct draft *d, struct rule_about *about)
{
	size_t mark = arena_mark(&load->arena), room = 16;
	struct jsonw w;
	ssize_t size;
	char *buf;

	if (!d->nactions)
		return 0;
	for (size_t i = 0; i < d->nactions; i++)
		room += json_room(d->actions[i].node);
	buf = arena_alloc_raw(&load->arena, room);
	if (!buf)
		return -ENOMEM;
	jsonw_init(&w, buf, room);
	jsonw_begin_array(&w);
	for (size_t i = 0; i < d->nactions; i++)
		write_node(&w, d->actions[i].node);
	jsonw_end_array(&w);
	size = jsonw_finish(&w);
	about->actions = size < 0 ? NULL : arena_copy(load->keep, buf, (size_t)size);
	arena_release(&load->arena, mark);
	return about->actions || size < 0 ? 0 : -ENOMEM;
}

static int make_about(struct load *load, const struct draft *d, struct rule_about *about)
{
	bool failed = false;
	int r;

	about->version = keep(load, text_of(d->node, "version"), &failed);
	about->expression = keep(load, text_of(d->node, "expression"), &failed);
	about->agent_version = keep(load, text_of(d->node, "agent_version"), &failed);
	about->filter_type = d->filtered ? conditions_filter_type(d->filtered) : NULL;
	r = failed ? -ENOMEM : keep_filters(load, d, about);
	if (r == 0)
		r = keep_tags(load, d, about);
	if (r == 0)
		r = keep_actions(load, d, about);
	return r;
}

int abouts_make(struct load *load)
{
	struct rule_about *abouts;
	size_t count = 0;
	int r = 0;

	for (const struct draft *d = load->first; d; d = d->next)
		count = MAX(count, d->order + 1);
	abouts = arena_alloc(load->keep, (count + 1) * sizeof *abouts);
	if (!abouts)
		return -ENOMEM;
	for (const struct draft *d = load->first; d && r == 0; d = d->next)
		r = make_about(load, d, &abouts[d->order]);
	load->abouts = abouts;
	load->ruleset->abouts = abouts;
	load->ruleset->nabouts = count;
	return r;
}

void abouts_mark(struct load *load, size_t from, const struct draft *d)
{
	for (size_t i = from; i < load->diags->count; i++) {
		if (load->diags->rows[i].subject == DIAG_RULE)
			load->diags->rows[i].about = (unsigned)d->order + 1;
	}
}
