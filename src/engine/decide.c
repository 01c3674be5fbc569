/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/decide.h"

#include <errno.h>

#include "base/util.h"
#include "policy/index.h"

/* The verdict that stronger matches replace: kinds are ordered (verdict.def). */
static void keep_strongest(struct decision *d, const struct match *m)
{
	if (m->kind > d->strongest.kind)
		d->strongest = *m;
}

static enum reason reason_of(int error)
{
	switch (error) {
	case -ENOMEM: return REASON_NO_MEMORY;
	case -ENODATA: return REASON_UNHASHED;
	case -EFAULT:
	case -EPERM:
	case -EACCES:
	case -ESRCH: return REASON_TARGET_UNREADABLE;
	default: return REASON_EVALUATION;
	}
}

static bool may_enforce(const struct rule *rule, enum protection_mode mode)
{
	return mode == MODE_BLOCK && rule->protection == PROTECTION_BLOCKING;
}

/* What a failed evaluation comes to: refused by a rule that could refuse. */
static struct match failed(const struct rule *rule, enum protection_mode mode, int error)
{
	struct match m = { .rule = rule, .kind = VERDICT_DETECTED, .reason = reason_of(error) };

	if (rule->protection == PROTECTION_BLOCKING) {
		m.kind = may_enforce(rule, mode) ? VERDICT_BLOCKED : VERDICT_WOULD_BLOCK;
		m.error = EPERM;
	}
	return m;
}

static struct match apply_action(const struct rule *rule, const struct action *action,
				 enum protection_mode mode)
{
	struct match m = { .rule = rule, .kind = VERDICT_DETECTED, .reason = REASON_RULE };

	if (action->type == ACTION_BLOCK) {
		m.kind = VERDICT_BLOCKED;
		m.error = action->error;
	} else if (action->type == ACTION_KILL) {
		m.kind = VERDICT_KILLED;
		m.signal = action->signal;
		m.scope = action->scope;
	}
	if (m.kind > VERDICT_WOULD_BLOCK && !may_enforce(rule, mode))
		m.kind = VERDICT_WOULD_BLOCK;
	return m;
}

/* The strongest action whose filter lets it through. */
static struct match apply_actions(const struct rule *rule, enum protection_mode mode,
				  struct secl_context *context, struct variable_view *view)
{
	struct match best = { .rule = rule, .kind = VERDICT_DETECTED, .reason = REASON_RULE };

	for (size_t i = 0; i < rule->nactions; i++) {
		const struct action *action = &rule->actions[i];
		struct match m;
		int r = 1;

		if (action->filter)
			r = secl_eval(action->filter, context);
		if (r == 0)
			continue;
		if (action->type != ACTION_SET && action->type != ACTION_BLOCK &&
		    action->type != ACTION_KILL) {
			best.others |= r > 0 ? UINT64_C(1) << (i % 64) : 0;
			continue;
		}
		if (action->type == ACTION_SET) {
			/* one that has no owner or no value here sets nothing */
			if (r > 0)
				r = variables_plan(view, action->set, context);
			best.unset |= r < 0 && r != -ENOENT && r != -ESRCH;
			continue;
		}
		m = r < 0 ? failed(rule, mode, r) : apply_action(rule, action, mode);
		m.others = best.others;
		m.unset = best.unset;
		if (m.kind > best.kind)
			best = m;
	}
	return best;
}

/* Whether the rule looks at an image that is not, or not wholly, known. */
static bool uncertain(const struct image *image, uint64_t needs)
{
	if (image->unknown)
		return needs & (NEED_ARGV | NEED_ENVP | NEED_FILE | NEED_INTERPRETER);
	return image->cut && needs & (NEED_ARGV | NEED_ENVP);
}

/* What all rules of an event are judged with. */
struct judgement {
	const uint64_t *key;
	enum protection_mode mode;
	bool pinned_only;
	enum hashing_when hashing;
	const struct rule *only;
	struct field_source source;
	struct field_cursor cursor;
	struct hash_gap gap;
	struct variable_view view;
	struct secl_context context;
	struct secl_memo memo;
	bool inherited; /* LINEAGE is known */
	struct lineage_bits lineage;
};

static bool uncertain_ancestors(const struct judgement *j, uint64_t needs)
{
	const struct process *p = j->view.process->parent;

	if (j->inherited) {
		const struct image any = { .unknown = j->lineage.unknown, .cut = j->lineage.cut };

		return uncertain(&any, needs);
	}
	while (p && !uncertain(p->image, needs))
		p = p->parent;
	return p != NULL;
}

static bool looks_at_the_uncertain(const struct judgement *j, const struct rule *rule)
{
	return uncertain(j->view.process->image, rule->needs) ||
	       (rule->needs & NEED_ANCESTORS && uncertain_ancestors(j, rule->needs));
}

/* Some image is not certain that rules of the type may look at. */
static bool has_uncertain(const struct judgement *j, const struct ruleset *ruleset,
			  enum event_type type)
{
	return uncertain(j->view.process->image, UINT64_MAX) ||
	       (ruleset->judges_ancestors[type] && uncertain_ancestors(j, UINT64_MAX));
}

/* One bit for each rule that has to be asked, and how many there are. NULL without
 * memory.
 */
static uint64_t *find_candidates(const struct decide_request *request, const struct judgement *j,
				 size_t *ret_count)
{
	const struct ruleset *ruleset = request->ruleset;
	enum event_type type = request->event->type;
	size_t count = ruleset->nby_event[type], words = RULE_INDEX_WORDS(count);
	uint64_t *bits = arena_alloc(request->arena, words * sizeof *bits);

	*ret_count = 0;
	if (!bits)
		return NULL;
	if (!ruleset->index[type]) {
		memset(bits, 0xff, words * sizeof *bits);
		if (count % 64)
			bits[words - 1] = (UINT64_C(1) << count % 64) - 1;
	} else {
		rule_index_look(ruleset->index[type], &j->context, bits);
		/* such a rule may be undecided, whatever its atoms say */
		if (has_uncertain(j, ruleset, type)) {
			for (size_t i = 0; i < words; i++)
				bits[i] |= ruleset->undecided[type][i];
		}
	}
	for (size_t i = 0; i < words; i++)
		*ret_count += bits[i] ? (size_t)__builtin_popcountll(bits[i]) : 0;
	return bits;
}

/* ---- what reports are counted by ---------------------------------------- */

static void add_value(struct sip *sip, const struct secl_value *v)
{
	switch (v->type) {
	case SECL_STRING: sip_add(sip, v->string.text, v->string.size); break;
	case SECL_NET: sip_add(sip, &v->net, sizeof v->net); break;
	case SECL_BOOL: sip_add(sip, &v->boolean, sizeof v->boolean); break;
	case SECL_INT: sip_add(sip, &v->integer, sizeof v->integer); break;
	case SECL_NONE: break;
	}
}

/* What cannot be read is a value as well. */
static void add_token(struct sip *sip, const struct secl_expr *token, struct secl_context *context)
{
	struct secl_value v = { .type = SECL_NONE };
	size_t count = 1;

	if (secl_eval_value(token, context, &v) < 0)
		v = (struct secl_value){ .type = SECL_NONE };
	if (v.array)
		count = v.list.count;
	sip_add(sip, &count, sizeof count);
	for (size_t i = 0; i < count; i++) {
		struct secl_value one = v.array ? secl_value_element(&v, i) : v;

		add_value(sip, &one);
	}
}

static struct sip_hash tuple_of(const struct rule *rule, const uint64_t key[2],
				struct secl_context *context)
{
	struct sip sip = sip_begin(key);

	for (size_t i = 0; i < rule->ntokens; i++)
		add_token(&sip, rule->tokens[i], context);
	return sip_end(&sip);
}

/* ---- a whole event ------------------------------------------------------ */

static void begin(struct judgement *j, const struct decide_request *request)
{
	const struct report_origin *origin = request->origin;

	j->key = request->key;
	j->mode = request->mode;
	j->pinned_only = request->pinned_only;
	j->hashing = request->hashing;
	j->only = request->only;
	j->cursor = (struct field_cursor){ .start = NULL };
	j->source = (struct field_source){
		.event = request->event,
		.names = origin->names,
		.service = origin->service,
		.hostname = origin->hostname,
		.origin = origin->origin,
		.scrubber = origin->scrubber,
		.cursor = &j->cursor,
		.gap = &j->gap,
	};
	j->view = variables_view(request->variables, request->ruleset, request->event->process,
				 request->ruleset->nvariables ? now_monotonic_ns() : 0);
	j->view.lookup = request->lookup;
	j->view.lookup_data = request->lookup_data;
	j->context = (struct secl_context){
		.schema = request->schema ?: &event_schema,
		.event = request->schema ? request->source : &j->source,
		.scratch = request->arena,
		.now_ns = request->event->time_ns,
		.vars = &j->view.base,
	};
	/* recorded values have no lineage but their own */
	j->inherited = request->lineage && !request->schema &&
		       lineage_look(request->lineage, request->event->process, &j->lineage);
	/* without memory for it everything is found out where it is needed */
	if (secl_memo_init(&j->memo, request->ruleset->shared, request->arena) < 0)
		return;
	j->context.memo = &j->memo;
	if (j->inherited) {
		j->memo.of_parent = j->lineage.of_parent;
		j->memo.of_ancestors = j->lineage.of_ancestors;
	}
}

/* The rule asks for hashes that are not there yet. */
static bool wait_for_hash(const struct judgement *j, const struct rule *rule, struct match *ret,
			  struct decision *d)
{
	bool enforces = may_enforce(rule, j->mode);

	if (enforces && j->hashing == HASHING_NOW) {
		d->unhashed = j->gap.file;
		return false;
	}
	if (enforces) {
		*ret = failed(rule, j->mode, -ENODATA);
		return true;
	}
	*ret = (struct match){ .rule = rule, .kind = VERDICT_NONE, .unhashed = j->gap.file };
	return j->hashing != HASHING_NEVER;
}

/* "False" is not the truth when what could have made it true is missing. */
static int doubt(const struct judgement *j, const struct rule *rule, int result)
{
	if (result != 0 || rule->protection != PROTECTION_BLOCKING)
		return result;
	if (looks_at_the_uncertain(j, rule))
		return -EACCES;
	return j->gap.missing ? -ENODATA : 0;
}

static bool judge_rule(struct judgement *j, const struct rule *rule, struct match *ret,
		       struct decision *d)
{
	struct planned_set *planned = j->view.planned;
	int r;

	j->gap = (struct hash_gap){ .file = NULL };
	r = secl_eval(rule->expr, &j->context);
	if (!j->gap.file)
		r = doubt(j, rule, r);
	if (r == 0)
		return false;
	if (r > 0)
		*ret = apply_actions(rule, j->mode, &j->context, &j->view);
	if (j->gap.file) {
		j->view.planned = planned;
		return wait_for_hash(j, rule, ret, d);
	}
	/* the filter of an action that could have refused is an expression, too */
	if (r > 0 && j->gap.missing && ret->kind < VERDICT_WOULD_BLOCK &&
	    rule->protection == PROTECTION_BLOCKING)
		r = -ENODATA;
	if (r < 0)
		*ret = failed(rule, j->mode, r);
	return true;
}

static void ask(struct judgement *j, const struct rule *rule, struct match *matches,
		struct decision *d)
{
	struct match *m = &matches[d->nmatches];

	if ((j->pinned_only && !rule->pin) || (j->only && j->only != rule))
		return;
	j->source.rule_tags = rule->product_tags;
	j->source.nrule_tags = rule->nproduct_tags;
	if (!judge_rule(j, rule, m, d))
		return;
	if (rule->ntokens)
		m->tuple = tuple_of(rule, j->key, &j->context);
	keep_strongest(d, m);
	d->nmatches++;
}

struct decision decide(const struct decide_request *request)
{
	const struct ruleset *ruleset = request->ruleset;
	enum event_type type = request->event->type;
	struct decision d = { .strongest.kind = VERDICT_NONE };
	struct match *matches = NULL;
	struct judgement judgement;
	uint64_t *bits;
	size_t count;

	if (request->mode == MODE_OFF || !ruleset->nby_event[type])
		return d;
	begin(&judgement, request);
	bits = find_candidates(request, &judgement, &count);
	if (bits && count)
		matches = arena_alloc(request->arena, count * sizeof *matches);
	if (!bits || (count && !matches))
		return decide_unreadable(ruleset, request->mode, type, REASON_NO_MEMORY,
					 request->arena);
	d.matches = matches;
	for (size_t word = 0; word < RULE_INDEX_WORDS(ruleset->nby_event[type]); word++) {
		for (uint64_t rest = bits[word]; rest; rest &= rest - 1)
			ask(&judgement,
			    ruleset->by_event[type][word * 64 + (size_t)__builtin_ctzll(rest)],
			    matches, &d);
	}
	d.planned = judgement.view.planned;
	return d;
}

static struct match *match_of(struct match *matches, size_t count, const struct rule *rule)
{
	for (size_t i = 0; i < count; i++) {
		if (matches[i].rule == rule)
			return &matches[i];
	}
	return NULL;
}

bool decision_add(struct decision *d, const struct decision *more, struct arena *arena)
{
	size_t count = d->nmatches;
	bool added = false;
	struct match *matches;

	d->unhashed = d->unhashed ?: more->unhashed;
	if (!more->nmatches)
		return false;
	keep_strongest(d, &more->strongest);
	matches = arena_alloc(arena, (count + more->nmatches) * sizeof *matches);
	if (!matches)
		return true;
	if (count)
		memcpy(matches, d->matches, count * sizeof *matches);
	for (size_t i = 0; i < more->nmatches; i++) {
		const struct match *m = &more->matches[i];
		struct match *old = match_of(matches, d->nmatches, m->rule);

		added |= !old || m->kind > old->kind;
		if (!old)
			matches[count++] = *m;
		else if (m->kind > old->kind)
			*old = *m;
	}
	d->matches = matches;
	d->nmatches = count;
	return added;
}

struct decision decide_unreadable(const struct ruleset *ruleset, enum protection_mode mode,
				  enum event_type type, enum reason reason, struct arena *arena)
{
	struct decision d = { .strongest.kind = VERDICT_NONE };
	struct match *m;

	for (size_t i = 0; mode == MODE_BLOCK && i < ruleset->nby_event[type]; i++) {
		const struct rule *rule = ruleset->by_event[type][i];

		if (rule->protection != PROTECTION_BLOCKING)
			continue;
		d.strongest = (struct match){
			.rule = rule, .kind = VERDICT_BLOCKED, .error = EPERM, .reason = reason
		};
		m = arena_alloc(arena, sizeof *m);
		if (m) {
			*m = d.strongest;
			d.matches = m;
			d.nmatches = 1;
		}
		break;
	}
	return d;
}
