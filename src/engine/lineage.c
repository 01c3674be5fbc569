/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/lineage.h"

#include <errno.h>
#include <sys/mman.h>

#include "model/field.h"
#include "policy/index.h"

/* For the arguments of one process, and all that is derived from them. */
enum { SCRATCH = 96 * 1024 * 1024 };

struct record {
	uint32_t epoch;                        /* in which its bits of all are right; 0 = in none */
	bool known;                            /* its own bits are right */
	bool failed;                           /* one of its own could not be evaluated, */
	bool all_failed, all_unknown, all_cut; /* or of it and its ancestors */
};

struct lineage {
	const struct scrubber *scrubber;
	size_t slots, words; /* of one set of bits */
	size_t count;        /* predicates */
	uint32_t epoch;
	struct record *records;      /* by slot */
	uint64_t *bits;              /* likewise, two sets: its own, and with its ancestors' */
	const struct process **path; /* from one to its oldest ancestor that has to be asked */
	struct rule *predicates;     /* rules only to be in an index */
	const struct rule **list;
	struct rule_index *index;
	uint64_t *candidates;
	struct arena scratch;
};

static void *reserve(size_t count, size_t size)
{
	void *p = mmap(NULL, count * size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void give_back(void *p, size_t count, size_t size)
{
	if (p)
		(void)munmap(p, count * size);
}

static uint64_t *own_bits(const struct lineage *l, unsigned slot)
{
	return &l->bits[(size_t)slot * 2 * l->words];
}

static uint64_t *all_bits(const struct lineage *l, unsigned slot)
{
	return own_bits(l, slot) + l->words;
}

static void add_predicate(void *data, const struct secl_predicate *predicate)
{
	struct lineage *l = data;
	struct rule *rule = &l->predicates[predicate->bit];

	/* evaluated, never changed */
	rule->expr = (struct secl_expr *)(uintptr_t)predicate->expr;
	l->list[predicate->bit] = rule;
}

static int fill(struct lineage *l, const struct ruleset *ruleset)
{
	l->records = reserve(l->slots + 1, sizeof *l->records);
	l->bits = reserve(l->slots + 1, 2 * l->words * sizeof *l->bits);
	l->path = reserve(l->slots + 1, sizeof(struct process *));
	l->predicates = calloc(l->count + 1, sizeof *l->predicates);
	l->list = calloc(l->count + 1, sizeof(struct rule *));
	l->candidates = calloc(l->words, sizeof *l->candidates);
	if (!l->records || !l->bits || !l->path || !l->predicates || !l->list || !l->candidates ||
	    arena_init(&l->scratch, SCRATCH) < 0)
		return -ENOMEM;
	secl_shared_each_lasting(ruleset->shared, add_predicate, l);
	return rule_index_new(l->list, l->count, &l->index);
}

int lineage_new(const struct ruleset *ruleset, const struct scrubber *scrubber, size_t slots,
		struct lineage **ret)
{
	struct lineage *l = calloc(1, sizeof *l);
	int r;

	if (!l)
		return -ENOMEM;
	l->slots = slots;
	l->scrubber = scrubber;
	l->epoch = 1;
	l->count = secl_shared_lasting(ruleset->shared);
	l->words = RULE_INDEX_WORDS(l->count) + 1;
	r = fill(l, ruleset);
	if (r < 0) {
		lineage_free(l);
		return r;
	}
	*ret = l;
	return 0;
}

void lineage_free(struct lineage *l)
{
	if (!l)
		return;
	give_back(l->records, l->slots + 1, sizeof *l->records);
	give_back(l->bits, l->slots + 1, 2 * l->words * sizeof *l->bits);
	give_back(l->path, l->slots + 1, sizeof(struct process *));
	rule_index_free(l->index);
	free(l->predicates);
	free(l->list);
	free(l->candidates);
	arena_done(&l->scratch);
	free(l);
}

void lineage_changed(struct lineage *l, unsigned slot, bool parent)
{
	struct record *record = &l->records[slot];

	record->known = false;
	if (record->epoch != l->epoch)
		return;
	record->epoch = 0;
	/* what those below it inherited is no longer right. It happens when a process
	 * executes that has children, which is rare
	 */
	if (parent && ++l->epoch == 0) {
		memset(l->records, 0, (l->slots + 1) * sizeof *l->records);
		l->epoch = 1;
	}
}

/* Each predicate as it is of PROCESS alone: as of the only ancestor of an event's actor. */
static void evaluate(struct lineage *l, const struct process *process)
{
	struct record *record = &l->records[process->slot];
	uint64_t *bits = own_bits(l, process->slot);
	struct process alone = *process;
	const struct process child = { .parent = &alone, .image = process->image };
	const struct event event = { .process = &child };
	const struct field_source source = { .event = &event, .scrubber = l->scrubber };
	struct secl_context ctx = { .schema = &event_schema,
				    .event = &source,
				    .scratch = &l->scratch };

	alone.parent = NULL;
	record->failed = false;
	memset(bits, 0, l->words * sizeof *bits);
	arena_reset(&l->scratch);
	rule_index_look(l->index, &ctx, l->candidates);
	for (size_t word = 0; word < RULE_INDEX_WORDS(l->count); word++) {
		for (uint64_t rest = l->candidates[word]; rest; rest &= rest - 1) {
			size_t bit = word * 64 + (size_t)__builtin_ctzll(rest);
			int r = secl_eval(l->predicates[bit].expr, &ctx);

			record->failed |= r < 0;
			bits[word] |= r > 0 ? UINT64_C(1) << bit % 64 : 0;
		}
	}
	record->known = true;
}

/* PARENT's bits of all are right, or it is NULL. */
static void inherit(struct lineage *l, const struct process *process, const struct process *parent)
{
	struct record *record = &l->records[process->slot];
	const struct record *from = parent ? &l->records[parent->slot] : NULL;
	uint64_t *own = own_bits(l, process->slot), *all = all_bits(l, process->slot);

	/* forked and not executed: the same image */
	if (!record->known && from && from->known && parent->image == process->image) {
		memcpy(own, own_bits(l, parent->slot), l->words * sizeof *own);
		record->failed = from->failed;
		record->known = true;
	} else if (!record->known) {
		evaluate(l, process);
	}
	for (size_t i = 0; i < l->words; i++)
		all[i] = own[i] | (parent ? all_bits(l, parent->slot)[i] : 0);
	record->all_failed = record->failed || (from && from->all_failed);
	record->all_unknown = process->image->unknown || (from && from->all_unknown);
	record->all_cut = process->image->cut || (from && from->all_cut);
	record->epoch = l->epoch;
}

/* Makes the bits of all right for PROCESS: false when some ancestor is in no table. */
static bool bring_up(struct lineage *l, const struct process *process)
{
	const struct process *p = process, *known;
	size_t n = 0;

	for (; p && p->slot && l->records[p->slot].epoch != l->epoch; p = p->parent) {
		if (p->slot > l->slots || n > l->slots)
			return false;
		l->path[n++] = p;
	}
	if (p && !p->slot)
		return false;
	known = p;
	while (n-- > 0) {
		inherit(l, l->path[n], known);
		known = l->path[n];
	}
	return true;
}

bool lineage_look(struct lineage *l, const struct process *process, struct lineage_bits *ret)
{
	const struct process *parent = process->parent;
	const struct record *record;

	if (!parent || !bring_up(l, parent))
		return false;
	record = &l->records[parent->slot];
	if (record->all_failed)
		return false;
	*ret = (struct lineage_bits){ .of_parent = own_bits(l, parent->slot),
				      .of_ancestors = all_bits(l, parent->slot),
				      .unknown = record->all_unknown,
				      .cut = record->all_cut };
	return true;
}
