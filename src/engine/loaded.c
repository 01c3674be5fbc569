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

static void write_rule(struct jsonw *w, const struct loaded *loaded, const struct diag *diag)
{
	const struct ruleset *ruleset = loaded->ruleset;

	jsonw_begin_object(w);
	jsonw_kv_string(w, "id", diag->id ? diag->id : "");
	jsonw_kv_string(w, "status", diag_status_name(diag->status));
	if (diag->message)
		jsonw_kv_string(w, "message", diag->message);
	if (diag->rule < ruleset->nrules && ruleset->rules[diag->rule].version)
		jsonw_kv_string(w, "version", ruleset->rules[diag->rule].version);
	write_warnings(w, loaded->diags, diag);
	jsonw_end_object(w);
}

static bool of_policy(const struct diag *diag, const struct policy *policy)
{
	return diag->policy && streq(diag->policy, policy->name);
}

static void write_policy(struct jsonw *w, const struct loaded *loaded, const struct policy *policy)
{
	const struct diags *diags = loaded->diags;
	bool failed = false;

	for (size_t i = 0; i < diags->count; i++)
		failed |= of_policy(&diags->rows[i], policy) && diags->rows[i].status == DIAG_ERROR;
	jsonw_begin_object(w);
	jsonw_kv_string(w, "name", policy->name);
	if (policy->version)
		jsonw_kv_string(w, "version", policy->version);
	jsonw_kv_string(w, "source", policy->path ? policy->path : "built-in");
	jsonw_kv_string(w, "status", failed ? "partially_loaded" : "loaded");
	jsonw_key(w, "rules");
	jsonw_begin_array(w);
	for (size_t i = 0; i < diags->count; i++) {
		if (diags->rows[i].subject == DIAG_RULE && of_policy(&diags->rows[i], policy))
			write_rule(w, loaded, &diags->rows[i]);
	}
	jsonw_end_array(w);
	jsonw_end_object(w);
}

void loaded_body(struct jsonw *w, const void *data)
{
	const struct loaded *loaded = data;

	jsonw_key(w, "policies");
	jsonw_begin_array(w);
	for (size_t i = 0; i < loaded->ruleset->npolicies; i++)
		write_policy(w, loaded, &loaded->ruleset->policies[i]);
	jsonw_end_array(w);
}
