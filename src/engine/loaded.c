/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/loaded.h"

/* What of the rule is not carried out as it stands. */
static void write_warnings(struct jsonw *w, const struct diags *diags, const struct diag *rule)
{
	bool any = false;

	for (size_t i = 0; rule->id && i < diags->count; i++) {
		const struct diag *row = &diags->rows[i];

		if ((row->subject != DIAG_WARNING && row->subject != DIAG_ACTION) || !row->id ||
		    !streq(row->id, rule->id))
			continue;
		if (!any) {
			jsonw_key(w, "warnings");
			jsonw_begin_array(w);
		}
		any = true;
		jsonw_string(w, row->message);
	}
	if (any)
		jsonw_end_array(w);
}

struct loaded loaded_make(const struct ruleset *ruleset, const struct diags *diags)
{
	struct loaded loaded = { .ruleset = ruleset, .diags = diags };

	for (size_t i = 0; i < diags->count; i++)
		loaded.warned |= diags->rows[i].subject == DIAG_WARNING ||
				 diags->rows[i].subject == DIAG_ACTION;
	return loaded;
}

static void write_list(struct jsonw *w, const char *key, const char *const *items, size_t count)
{
	if (!count)
		return;
	jsonw_key(w, key);
	jsonw_begin_array(w);
	for (size_t i = 0; i < count; i++)
		jsonw_string(w, items[i]);
	jsonw_end_array(w);
}

static void write_text(struct jsonw *w, const char *key, const char *text)
{
	if (text && *text)
		jsonw_kv_string(w, key, text);
}

static void write_about(struct jsonw *w, const struct rule_about *about)
{
	write_text(w, "version", about->version);
	write_text(w, "expression", about->expression);
	write_text(w, "filter_type", about->filter_type);
	write_text(w, "agent_version", about->agent_version);
	write_list(w, "filters", about->filters, about->nfilters);
	if (about->ntags) {
		jsonw_key(w, "tags");
		jsonw_begin_object(w);
		for (size_t i = 0; i < about->ntags; i++)
			jsonw_kv_string(w, about->tags[i].key, about->tags[i].value);
		jsonw_end_object(w);
	}
	write_list(w, "product_tags", about->product_tags, about->nproduct_tags);
	if (about->actions) {
		jsonw_key(w, "actions");
		jsonw_raw(w, about->actions, strlen(about->actions));
	}
}

static void write_rule(struct jsonw *w, const struct loaded *loaded, const struct diag *diag)
{
	const struct ruleset *ruleset = loaded->ruleset;

	jsonw_begin_object(w);
	jsonw_kv_string(w, "id", diag->id ? diag->id : "");
	jsonw_kv_string(w, "status", diag_status_name(diag->status));
	if (diag->status != DIAG_LOADED)
		write_text(w, "message", diag->message);
	if (diag->rule < ruleset->nrules)
		jsonw_kv_string(w, "protection",
				protection_name(ruleset->rules[diag->rule].protection));
	if (diag->about && diag->about <= ruleset->nabouts)
		write_about(w, &ruleset->abouts[diag->about - 1]);
	if (loaded->warned)
		write_warnings(w, loaded->diags, diag);
	jsonw_end_object(w);
}

bool loaded_of(const struct diag *diag, const struct policy *policy)
{
	if (!diag->policy || !streq(diag->policy, policy->name))
		return false;
	/* files of several directories may have one name */
	return !diag->path || !policy->path || streq(diag->path, policy->path);
}

/* By what became of its rules; a file that is no policy at all has a row of its own. */
static const char *policy_status(const struct loaded *loaded, const struct policy *policy,
				 const char **ret_message)
{
	const struct diags *diags = loaded->diags;
	size_t rules[DIAG_ERROR + 1] = { 0 }, in_force;

	*ret_message = NULL;
	for (size_t i = 0; i < diags->count; i++) {
		const struct diag *row = &diags->rows[i];

		if (!loaded_of(row, policy))
			continue;
		if (row->subject == DIAG_POLICY && row->status == DIAG_ERROR) {
			*ret_message = row->message;
			return "error";
		}
		if (row->subject == DIAG_RULE)
			rules[row->status]++;
	}
	/* one that is disabled is as its author wants it */
	in_force = rules[DIAG_LOADED] + rules[DIAG_DISABLED];
	if (rules[DIAG_ERROR])
		return in_force || rules[DIAG_FILTERED] ? "partially_loaded" : "fully_rejected";
	if (rules[DIAG_FILTERED])
		return in_force ? "partially_filtered" : "fully_filtered";
	return "loaded";
}

void loaded_policy(struct jsonw *w, const struct loaded *loaded, const struct policy *policy)
{
	const char *message, *status = policy_status(loaded, policy, &message);

	jsonw_kv_string(w, "name", policy->name);
	write_text(w, "version", policy->version);
	jsonw_kv_string(w, "source", policy->path ? "file" : "bundled");
	write_text(w, "path", policy->path);
	jsonw_kv_string(w, "status", status);
	write_text(w, "message", message);
}

/* The rules are numbered over all policies: those of the part. */
static void write_rules(struct jsonw *w, const struct internal_part *part,
			const struct policy *policy, size_t *number)
{
	const struct loaded *loaded = part->data;

	jsonw_key(w, "rules");
	jsonw_begin_array(w);
	for (size_t i = 0; i < loaded->diags->count && !jsonw_full(w); i++) {
		const struct diag *row = &loaded->diags->rows[i];

		if (row->subject != DIAG_RULE || !loaded_of(row, policy))
			continue;
		if (*number >= part->from && *number < part->to)
			write_rule(w, loaded, row);
		++*number;
	}
	jsonw_end_array(w);
}

static void loaded_body(struct jsonw *w, const struct internal_part *part)
{
	const struct loaded *loaded = part->data;
	size_t number = 0;

	jsonw_key(w, "policies");
	jsonw_begin_array(w);
	for (size_t i = 0; i < loaded->ruleset->npolicies && !jsonw_full(w); i++) {
		jsonw_begin_object(w);
		loaded_policy(w, loaded, &loaded->ruleset->policies[i]);
		write_rules(w, part, &loaded->ruleset->policies[i], &number);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

void loaded_report(struct reporter *reporter, const struct loaded *loaded)
{
	size_t rules = 0;

	for (size_t i = 0; i < loaded->diags->count; i++)
		rules += loaded->diags->rows[i].subject == DIAG_RULE;
	reporter_internal_parts(reporter, "ruleset_loaded", rules, loaded_body, loaded);
}
