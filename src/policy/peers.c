/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The socket files that rules name in full, so that they are known again when a
 * program reaches them by another name.
 */
#include <config.h>

#include "policy/load.h"

#include <errno.h>

struct collection {
	struct secl_string items[RULESET_PEERS_MAX];
	size_t count;
};

static void add_text(void *data, const struct secl_field *field, const struct secl_string *text)
{
	struct collection *c = data;

	/* an abstract name is no file */
	if (!(field->needs & NEED_PEER_PATH) || !text->size || text->text[0] != '/' ||
	    c->count == ELEMENTS(c->items))
		return;
	for (size_t i = 0; i < c->count; i++) {
		if (c->items[i].size == text->size &&
		    memcmp(c->items[i].text, text->text, text->size) == 0)
			return;
	}
	c->items[c->count++] = *text;
}

int peers_collect(struct ruleset *set, struct arena *arena)
{
	_cleanup_free_ struct collection *c = calloc(1, sizeof *c);
	struct secl_string *peers;

	if (!c)
		return -ENOMEM;
	for (size_t i = 0; i < set->nrules; i++) {
		const struct rule *rule = &set->rules[i];

		secl_expr_texts(rule->expr, add_text, c);
		for (size_t k = 0; k < rule->nactions; k++) {
			if (rule->actions[k].filter)
				secl_expr_texts(rule->actions[k].filter, add_text, c);
		}
	}
	peers = arena_alloc(arena, (c->count + 1) * sizeof *peers);
	if (!peers)
		return -ENOMEM;
	memcpy(peers, c->items, c->count * sizeof *peers);
	set->peers = peers;
	set->npeers = c->count;
	return 0;
}
