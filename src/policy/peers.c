/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files that rules name in full, so that they are known again when a program
 * reaches them by another name: sockets, and the programs of rules that pin them.
 */
#include <config.h>

#include "policy/load.h"

#include <errno.h>

/* ---- what a rule names ---------------------------------------------------- */

struct naming {
	bool programs, sockets;
	void (*visit)(void *data, const struct secl_string *path);
	void *data;
};

static void take_text(void *data, const struct secl_field *field, const struct secl_string *text)
{
	const struct naming *n = data;
	const unsigned program = SECL_FIELD_PATH | SECL_FIELD_ALIASES;
	bool wanted = (n->sockets && field->needs & NEED_PEER_PATH) ||
		      (n->programs && (field->flags & program) == program);

	/* an abstract name is no file */
	if (wanted && text->size && text->text[0] == '/')
		n->visit(n->data, text);
}

static void name_paths(const struct rule *rule, struct naming naming)
{
	secl_expr_texts(rule->expr, take_text, &naming);
	for (size_t i = 0; i < rule->nactions; i++) {
		if (rule->actions[i].filter)
			secl_expr_texts(rule->actions[i].filter, take_text, &naming);
	}
}

void rule_paths(const struct rule *rule, void (*visit)(void *data, const struct secl_string *path),
		void *data)
{
	name_paths(rule, (struct naming){ rule->pin, true, visit, data });
}

/* ---- each once -------------------------------------------------------------- */

struct collection {
	struct secl_string items[RULESET_PEERS_MAX];
	size_t count, max;
	bool full;
};
_Static_assert(RULESET_PROGRAMS_MAX <= RULESET_PEERS_MAX, "one struct holds either");

static void collect(void *data, const struct secl_string *text)
{
	struct collection *c = data;

	for (size_t i = 0; i < c->count; i++) {
		if (c->items[i].size == text->size &&
		    memcmp(c->items[i].text, text->text, text->size) == 0)
			return;
	}
	if (c->count == c->max)
		c->full = true;
	else
		c->items[c->count++] = *text;
}

static int keep(struct arena *arena, const struct collection *c, const struct secl_string **ret,
		size_t *ret_count)
{
	struct secl_string *items = arena_alloc(arena, (c->count + 1) * sizeof *items);

	if (!items)
		return -ENOMEM;
	memcpy(items, c->items, c->count * sizeof *items);
	*ret = items;
	*ret_count = c->count;
	return 0;
}

int peers_collect(struct ruleset *set, struct arena *arena)
{
	_cleanup_free_ struct collection *sockets = calloc(1, sizeof *sockets);
	_cleanup_free_ struct collection *programs = calloc(1, sizeof *programs);
	int r;

	if (!sockets || !programs)
		return -ENOMEM;
	sockets->max = RULESET_PEERS_MAX;
	programs->max = RULESET_PROGRAMS_MAX;
	for (size_t i = 0; i < set->nrules; i++) {
		name_paths(&set->rules[i], (struct naming){ false, true, collect, sockets });
		if (set->rules[i].pin)
			name_paths(&set->rules[i],
				   (struct naming){ true, false, collect, programs });
	}
	r = keep(arena, sockets, &set->peers, &set->npeers);
	return r < 0 ? r : keep(arena, programs, &set->programs, &set->nprograms);
}

/* ---- block: {pin: true} ----------------------------------------------------- */

static bool wants_pin(const struct rule *rule)
{
	for (size_t i = 0; i < rule->nactions; i++) {
		if (rule->actions[i].pin)
			return true;
	}
	return false;
}

/* How many programs the rules so far name, and this one with them. */
static void count_programs(const struct ruleset *set, const struct rule *rule, struct collection *c)
{
	c->max = RULESET_PROGRAMS_MAX;
	for (size_t i = 0; i < set->nrules; i++) {
		if (set->rules[i].pin)
			name_paths(&set->rules[i], (struct naming){ true, false, collect, c });
	}
	name_paths(rule, (struct naming){ true, false, collect, c });
}

int rule_pin(struct load *load, struct draft *draft, struct rule *rule)
{
	_cleanup_free_ struct collection *all = NULL, *own = NULL;
	int r = 0;

	if (!wants_pin(rule))
		return 0;
	all = calloc(1, sizeof *all);
	own = calloc(1, sizeof *own);
	if (!all || !own)
		return -ENOMEM;
	rule->pin = true;
	own->max = RULESET_PEERS_MAX;
	rule_paths(rule, collect, own);
	if (!own->count)
		return report_warning(load, draft->file, draft->expression, draft->id,
				      "nothing to pin: the rule compares no path without wildcards "
				      "with exec.file.path, process.file.path or "
				      "connect.addr.path");
	count_programs(load->ruleset, rule, all);
	if (!all->full)
		return 0;
	/* not left out in silence: what is not pinned is not refused */
	r = report_draft(load, draft, draft->expression, "more than %d programs are pinned",
			 RULESET_PROGRAMS_MAX);
	return r < 0 ? r : 1;
}
