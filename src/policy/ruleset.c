/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Drafts become rules: compiled, ordered, and summed up in what they need. */
#include <config.h>

#include "policy/load.h"

#include <errno.h>
#include <stdio.h>

#include "model/field.h"
#include "policy/fim.h"
#include "policy/index.h"

/* What the ruleset holds besides its public part. The public part is first. */
struct loaded {
	struct ruleset ruleset;
	struct arena arena;
	struct rule *rules;
	bool execution_context[]; /* of each rule: it is evaluated first */
};

/* Needs that look at the image of a process. */
static const uint64_t image_needs =
	NEED_ARGV | NEED_ENVP | NEED_FILE | NEED_INTERPRETER | NEED_ANCESTORS;

/* ---- compiling --------------------------------------------------------- */

int draft_compile(struct load *load, struct draft *draft, const struct policy_file *file,
		  const struct yaml *node, const char *text, struct secl_expr **ret,
		  uint64_t *needs)
{
	const struct load_vars vars = load_vars(load, needs);
	const struct secl_options options = {
		.schema = &event_schema,
		.macros = load->macros,
		.vars = &vars.base,
		.shared = load->ruleset->shared,
		.want_bool = true,
	};
	struct secl_error error = { .line = 0 };
	struct secl_expr *expr = NULL;
	struct yaml place = *node;
	int r;

	/* an expanded text no longer tells where in the file it stands */
	if (!streq(text, node->text)) {
		place.text = "";
		place.size = 0;
	}
	r = secl_compile(&options, text, &expr, &error);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		draft->failed = true;
		r = report_secl(load, DIAG_RULE, file, &place, draft->id, &error);
		return r < 0 ? r : 1;
	}
	*needs |= secl_expr_needs(expr);
	*ret = expr;
	return 0;
}

static const char *keep(struct load *load, const char *text, bool *failed)
{
	const char *copy = text ? arena_copy(load->keep, text, strlen(text)) : NULL;

	*failed |= text && !copy;
	return copy;
}

static int keep_tags(struct load *load, const struct draft *d, struct rule *rule)
{
	const char **tags = arena_alloc(load->keep, (d->ntags + 1) * sizeof *tags);
	struct secl_string *products =
		arena_alloc(load->keep, (d->nproduct_tags + 1) * sizeof *products);
	bool failed = false;

	if (!tags || !products)
		return -ENOMEM;
	for (size_t i = 0; i < d->ntags; i++) {
		size_t size = strlen(d->tags[i].key) + strlen(d->tags[i].value) + 2;
		char *tag = arena_alloc(load->keep, size);

		if (!tag)
			return -ENOMEM;
		(void)snprintf(tag, size, "%s:%s", d->tags[i].key, d->tags[i].value);
		tags[i] = tag;
	}
	for (size_t i = 0; i < d->nproduct_tags; i++) {
		products[i].text = keep(load, d->product_tags[i], &failed);
		products[i].size = strlen(d->product_tags[i]);
	}
	rule->tags = tags;
	rule->ntags = d->ntags;
	rule->product_tags = products;
	rule->nproduct_tags = d->nproduct_tags;
	return failed ? -ENOMEM : 0;
}

static int keep_texts(struct load *load, const struct draft *d, const char *text,
		      const struct fim_part *part, struct rule *rule)
{
	char id[2 * MAX_ID + 64];
	bool failed = false;

	rule->id = keep(load, d->id, &failed);
	rule->group_id = keep(load, d->group_id, &failed);
	rule->expression = keep(load, text, &failed);
	rule->description = keep(load, d->description, &failed);
	rule->version = keep(load, d->version, &failed);
	if (part) {
		(void)snprintf(id, sizeof id, "__fim_expanded_%s_%s_%s", part->name,
			       d->group_id ? d->group_id : "", d->id);
		rule->expanded_id = keep(load, id, &failed);
	}
	return failed ? -ENOMEM : keep_tags(load, d, rule);
}

static bool enforces(const struct action *actions, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (actions[i].type == ACTION_BLOCK || actions[i].type == ACTION_KILL)
			return true;
	}
	return false;
}

struct field_check {
	struct load *load;
	struct draft *draft;
	enum event_type event;
	int result; /* as of check_fields() */
};

static void check_field(void *data, const struct secl_field *field)
{
	struct field_check *check = data;
	struct draft *d = check->draft;
	int r;

	if (check->result || field_allowed(field, check->event))
		return;
	r = report_draft(check->load, d, d->expression,
			 "field %s is not there in events of type %s", field->name,
			 event_type_name(check->event));
	check->result = r < 0 ? r : 1;
}

/* Whether the rule has an event type, and events of it have its fields: 0; 1 with a
 * row.
 */
static int check_fields(struct load *load, struct draft *d, const struct rule *rule)
{
	struct field_check check = { load, d, rule->event, 0 };
	int r;

	if (rule->event == EVENT_NONE) {
		r = report_draft(load, d, d->expression,
				 "no field of the rule says which type of event it is about");
		return r < 0 ? r : 1;
	}
	secl_expr_fields(rule->expr, check_field, &check);
	return check.result;
}

/* One expression of a draft: 0; 1 when it did not become a rule; -ENOMEM. */
static int add_rule(struct load *load, struct draft *d, const char *text,
		    const struct fim_part *part)
{
	struct loaded *loaded = CONTAINER_OF(load->ruleset, struct loaded, ruleset);
	struct rule rule = {
		.index = (unsigned)load->ruleset->nrules,
		.policy = d->file->policy,
		.every_ns = d->every_ns,
		.silent = d->silent,
		.priority = (int)MAX(MIN(d->priority, (int64_t)INT32_MAX), (int64_t)INT32_MIN),
	};
	struct action *actions = NULL;
	bool blocks;
	int r;

	r = draft_compile(load, d, d->expression_file, d->expression, text, &rule.expr,
			  &rule.needs);
	if (r != 0)
		return r;
	rule.event = (enum event_type)secl_expr_event(rule.expr);
	d->event = rule.event;
	r = check_fields(load, d, &rule);
	if (r == 0)
		r = actions_compile(load, d, rule.event, &actions, &rule.nactions, &rule.needs);
	if (r != 0)
		goto drop;
	rule.actions = actions;
	r = tokens_compile(load, d, &rule);
	if (r != 0)
		goto drop;
	blocks = enforces(actions, rule.nactions);
	rule.protection = d->says_protection ? d->protection
			  : blocks           ? PROTECTION_BLOCKING
					     : PROTECTION_MONITORING;
	r = 1;
	if (rule.protection == PROTECTION_BLOCKING && !blocks) {
		if (report_draft(
			    load, d, d->protection_node,
			    "protection is blocking, but the rule has no block or kill action") < 0)
			r = -ENOMEM;
		goto drop;
	}
	r = rule_observable(load, d, &rule);
	if (r == 0)
		r = rule_pin(load, d, &rule);
	if (r != 0)
		goto drop;
	r = keep_texts(load, d, text, part, &rule);
	if (r < 0)
		goto drop;
	loaded->execution_context[rule.index] = d->execution_context;
	loaded->rules[load->ruleset->nrules++] = rule;
	return 0;
drop:
	tokens_free(&rule);
	actions_free(actions, rule.nactions);
	secl_expr_free(rule.expr);
	return r;
}

static int add_fim(struct load *load, struct draft *d)
{
	size_t before = load->ruleset->nrules;
	char *text;
	int r;

	for (size_t i = 0; i < fim_count; i++) {
		text = fim_expand(&load->arena, &fim_parts[i], d->expression->text);
		if (!text)
			return -ENOMEM;
		r = add_rule(load, d, text, &fim_parts[i]);
		if (r < 0 || d->failed)
			return MIN(r, 0);
	}
	if (load->ruleset->nrules > before)
		d->filtered = NULL;
	return 0;
}

/* The row of a rule that is no error. */
static int report_rule(struct load *load, const struct draft *d, size_t before)
{
	enum diag_status status = DIAG_LOADED;
	const char *message = NULL;
	struct diag *row;
	int r;

	if (d->filtered) {
		status = DIAG_FILTERED;
		if (!load->abouts[d->order].filter_type)
			load->abouts[d->order].filter_type = "event_type";
		message = d->filtered;
	} else if (load->ruleset->nrules == before) {
		status = DIAG_DISABLED;
		message = "the rule is disabled";
	}
	r = report_at(load, DIAG_RULE, status, d->file, d->node, d->id, "%s",
		      message ? message : "loaded");
	if (r < 0)
		return r;
	row = &load->diags->rows[load->diags->count - 1];
	row->rule = status == DIAG_LOADED ? (unsigned)before : UINT32_MAX;
	row->event = d->event;
	row->unobservable = d->unobservable;
	row->unenforced = d->unenforced;
	return 0;
}

static int compile_draft(struct load *load, struct draft *d)
{
	size_t before = load->ruleset->nrules, rows = load->diags->count;
	int r = 0;

	if (d->failed || d->merged)
		return 0;
	if (!d->filtered && !d->disabled &&
	    !(d->says_protection && d->protection == PROTECTION_DISABLED)) {
		r = fim_is(d->expression->text) ? add_fim(load, d)
						: add_rule(load, d, d->expression->text, NULL);
		if (r < 0)
			return r;
	}
	r = d->failed ? 0 : report_rule(load, d, before);
	abouts_mark(load, rows, d);
	return r;
}

/* ---- order and needs --------------------------------------------------- */

/* Specification 15: execution context, default policy, priority, as loaded. */
static int by_order(const void *a, const void *b, void *data)
{
	const struct rule *x = *(const struct rule *const *)a, *y = *(const struct rule *const *)b;
	const bool *context = data;

	if (context[x->index] != context[y->index])
		return context[x->index] ? -1 : 1;
	if (x->policy->is_default != y->policy->is_default)
		return x->policy->is_default ? -1 : 1;
	if (x->priority != y->priority)
		return x->priority > y->priority ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static int order_rules(struct loaded *loaded)
{
	struct ruleset *set = &loaded->ruleset;
	const struct rule **lists;

	lists = arena_alloc(&loaded->arena, (set->nrules + 1) * sizeof(struct rule *));
	if (!lists)
		return -ENOMEM;
	for (int type = 0; type < EVENT_COUNT; type++) {
		size_t count = 0;

		for (size_t i = 0; i < set->nrules; i++) {
			if (set->rules[i].event == (enum event_type)type)
				lists[count++] = &set->rules[i];
		}
		qsort_r(lists, count, sizeof(struct rule *), by_order, loaded->execution_context);
		set->by_event[type] = lists;
		set->nby_event[type] = count;
		lists += count;
	}
	return 0;
}

/* Below that all are asked, which is as quick. */
enum { INDEX_MIN_RULES = 8 };

static int index_rules(struct ruleset *set)
{
	int r = 0;

	for (int type = 0; type < EVENT_COUNT && r == 0; type++) {
		if (set->nby_event[type] >= INDEX_MIN_RULES)
			r = rule_index_new(set->by_event[type], set->nby_event[type],
					   &set->index[type]);
	}
	return r;
}

static int mark_undecided(struct loaded *loaded)
{
	struct ruleset *set = &loaded->ruleset;
	const uint64_t needs = NEED_ARGV | NEED_ENVP | NEED_FILE | NEED_INTERPRETER;

	for (int type = 0; type < EVENT_COUNT; type++) {
		size_t count = set->nby_event[type];
		uint64_t *bits =
			arena_alloc(&loaded->arena, (RULE_INDEX_WORDS(count) + 1) * sizeof *bits);

		if (!bits)
			return -ENOMEM;
		for (size_t i = 0; i < count; i++) {
			const struct rule *rule = set->by_event[type][i];

			if (rule->protection == PROTECTION_BLOCKING && rule->needs & needs)
				bits[i / 64] |= UINT64_C(1) << i % 64;
		}
		set->undecided[type] = bits;
	}
	return 0;
}

static void note_hash(void *data, const struct secl_field *field, const struct secl_string *text)
{
	unsigned *named = data;

	for (enum hash h = 0; field->needs & NEED_HASH && h < HASH_COUNT; h++) {
		size_t size = strlen(hash_name(h));

		if (text->size > size && text->text[size] == ':' &&
		    memcmp(text->text, hash_name(h), size) == 0)
			*named |= 1u << h;
	}
}

static void sum_hashes(struct ruleset *set, const struct rule *rule)
{
	bool blocking = rule->protection == PROTECTION_BLOCKING;

	for (size_t k = 0; k < rule->nactions; k++) {
		set->hashes_files |= rule->actions[k].type == ACTION_HASH;
		if (rule->actions[k].filter)
			secl_expr_texts(rule->actions[k].filter, note_hash, &set->hashes_named);
	}
	if (!(rule->needs & NEED_HASH))
		return;
	set->hashes_files = true;
	set->hashes_images |=
		blocking && (rule->event != EVENT_EXEC || rule->needs & NEED_ANCESTORS);
	secl_expr_texts(rule->expr, note_hash, &set->hashes_named);
}

static void sum_ruleset(struct ruleset *set)
{
	/* an exec ends the life of what was set for a process */
	for (size_t i = 0; i < set->nvariables; i++)
		set->follows_images |= set->variables[i].scope == SCOPE_PROCESS;
	for (size_t i = 0; i < set->nrules; i++) {
		const struct rule *rule = &set->rules[i];
		struct event_needs *needs = &set->needs[rule->event];
		bool blocking = rule->protection == PROTECTION_BLOCKING;

		needs->watched = true;
		set->judges_ancestors[rule->event] |= blocking && rule->needs & NEED_ANCESTORS;
		needs->fields |= rule->needs | rule->token_needs;
		needs->blocking_fields |= blocking ? rule->needs : 0;
		needs->blocking |= blocking;
		for (size_t k = 0; k < rule->nactions; k++)
			needs->may_block |= blocking && rule->actions[k].type == ACTION_BLOCK;
		sum_hashes(set, rule);
		set->follows_images |=
			((rule->needs | rule->token_needs) & image_needs) != 0 || set->hashes_files;
		/* at an exec everything changes: the file, the arguments, the credentials */
		set->verifies_images |=
			blocking && (rule->event == EVENT_EXEC || (rule->needs & image_needs) != 0);
	}
}

/* ---- the whole --------------------------------------------------------- */

static struct loaded *new_loaded(struct load *load, size_t capacity)
{
	struct loaded *loaded = calloc(1, sizeof *loaded + capacity * sizeof(bool));

	if (!loaded)
		return NULL;
	loaded->ruleset = *load->ruleset;
	loaded->arena = *load->keep;
	loaded->rules = arena_alloc(&loaded->arena, (capacity + 1) * sizeof *loaded->rules);
	if (!loaded->rules) {
		free(loaded);
		return NULL;
	}
	loaded->ruleset.rules = loaded->rules;
	load->ruleset = &loaded->ruleset;
	load->keep = &loaded->arena;
	return loaded;
}

static size_t count_rules(const struct load *load)
{
	size_t count = 0;

	for (const struct draft *d = load->first; d; d = d->next)
		count += d->expression && fim_is(d->expression->text) ? fim_count : 1;
	return count;
}

static int no_rule(struct load *load)
{
	const struct diags *diags = load->diags;

	for (size_t i = 0; i < diags->count; i++) {
		const struct diag *d = &diags->rows[i];

		if (d->status != DIAG_ERROR)
			continue;
		return err_set(load->err, -EINVAL,
			       "no valid rule, %zu error%s, the first: %s:%u:%u: %s", diags->errors,
			       diags->errors == 1 ? "" : "s", d->path ? d->path : d->policy,
			       d->line, d->column, d->message);
	}
	return err_set(load->err, -EINVAL,
		       "no valid rule: all are disabled, filtered out or about events that this "
		       "version does not watch");
}

static int compile_all(struct load *load)
{
	int r;

	r = secl_shared_new(&load->ruleset->shared);
	if (r == 0)
		r = drafts_read(load);
	if (r == 0)
		r = drafts_merge(load);
	if (r == 0)
		r = macros_read(load);
	if (r == 0)
		r = variables_declare(load);
	if (r == 0 && !new_loaded(load, count_rules(load)))
		r = -ENOMEM;
	if (r == 0)
		r = variables_keep(load);
	if (r == 0)
		r = abouts_make(load);
	for (struct draft *d = load->first; r == 0 && d; d = d->next)
		r = compile_draft(load, d);
	return r;
}

static int load_all(struct load *load, struct ruleset **ret)
{
	struct loaded *loaded;
	int r;

	if (semver_parse(load->options->agent_version ?: GUARD_AGENT_VERSION,
			 &load->agent_version) < 0)
		return err_set(load->err, -EINVAL, "'%s' is not a version",
			       load->options->agent_version);
	r = facts_read(&load->facts);
	if (r == 0)
		r = secl_macros_new(&load->macros);
	if (r < 0)
		return err_set(load->err, r, "out of memory");
	load->facts.origin = load->options->origin ?: "ebpfless";
	load->facts.hostname = load->options->hostname ?: "";
	r = files_read(load);
	if (r < 0)
		return r;
	r = compile_all(load);
	if (r < 0)
		return err_set(load->err, r, "out of memory");
	if (load->ruleset->nrules == 0)
		return no_rule(load);
	loaded = CONTAINER_OF(load->ruleset, struct loaded, ruleset);
	r = order_rules(loaded);
	if (r == 0)
		r = index_rules(&loaded->ruleset);
	if (r == 0)
		r = mark_undecided(loaded);
	if (r == 0)
		r = peers_collect(&loaded->ruleset, &loaded->arena);
	if (r < 0)
		return err_set(load->err, r, "out of memory");
	sum_ruleset(&loaded->ruleset);
	*ret = &loaded->ruleset;
	return 0;
}

int ruleset_load(const struct ruleset_options *options, struct ruleset **ret, struct diags *diags,
		 struct err *err)
{
	struct arena keep_arena = { 0 };
	struct ruleset start = { 0 };
	struct load load = {
		.options = options,
		.keep = &keep_arena,
		.ruleset = &start,
		.diags = diags,
		.err = err,
	};
	int r;

	r = load_all(&load, ret);
	if (r < 0 && load.ruleset != &start)
		ruleset_free(load.ruleset);
	if (r < 0 && load.ruleset == &start) {
		secl_shared_free(start.shared);
		arena_done(&keep_arena);
	}
	secl_macros_free(load.macros);
	facts_done(&load.facts);
	files_done(&load);
	return r;
}

void ruleset_free(struct ruleset *ruleset)
{
	struct loaded *loaded;

	if (!ruleset)
		return;
	loaded = CONTAINER_OF(ruleset, struct loaded, ruleset);
	for (int type = 0; type < EVENT_COUNT; type++)
		rule_index_free(ruleset->index[type]);
	for (size_t i = 0; i < ruleset->nrules; i++) {
		actions_free(ruleset->rules[i].actions, ruleset->rules[i].nactions);
		tokens_free(&ruleset->rules[i]);
		secl_expr_free(ruleset->rules[i].expr);
	}
	secl_shared_free(ruleset->shared);
	arena_done(&loaded->arena);
	free(loaded);
}
