/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/heartbeat.h"

/* As the peer: each minute at first, then every so often. */
enum { EARLY_BEATS = 5, EARLY_MS = 60 * 1000 };

/* One policy's. */
struct body {
	const struct heartbeat *beat;
	const struct policy *policy;
};

static int64_t period_ns(const struct heartbeat *beat)
{
	int64_t ms = beat->every_ms;

	return (beat->tally->beats < EARLY_BEATS ? MIN(ms, (int64_t)EARLY_MS) : ms) * 1000000;
}

int64_t heartbeat_due(const struct heartbeat *beat)
{
	if (!beat->every_ms)
		return INT64_MAX;
	return beat->tally->beat_ns ?: beat->tally->started_ns + period_ns(beat);
}

static void write_counts(struct jsonw *w, const struct heartbeat *beat)
{
	const struct journal *journal = beat->journal;
	struct tally *tally = beat->tally;

	jsonw_kv_int(w, "uptime", (now_monotonic_ns() - tally->started_ns) / 1000000000);
	jsonw_kv_uint(w, "detected", atomic_load(&tally->detected));
	jsonw_kv_uint(w, "would_block", atomic_load(&tally->would_block));
	jsonw_kv_uint(w, "blocked", atomic_load(&journal->blocked));
	jsonw_kv_uint(w, "killed", atomic_load(&journal->killed));
	jsonw_kv_uint(w, "withheld", atomic_load(&tally->withheld));
	jsonw_kv_uint(w, "lost", atomic_load(&journal->lost));
	jsonw_kv_uint(w, "restarts", atomic_load(&journal->restarts));
}

/* Rules of the policy of which something was withheld. */
static void write_rules(struct jsonw *w, const struct internal_part *part, const struct body *body)
{
	const struct ruleset *ruleset = body->beat->loaded.ruleset;

	jsonw_key(w, "rules");
	jsonw_begin_array(w);
	for (size_t i = part->from; i < part->to && !jsonw_full(w); i++) {
		const struct rule *rule = &ruleset->rules[i];
		uint64_t withheld = atomic_load(&body->beat->tally->by_rule[i]);

		if (rule->policy != body->policy || !withheld)
			continue;
		jsonw_begin_object(w);
		jsonw_kv_string(w, "id", rule->id);
		if (rule->expanded_id)
			jsonw_kv_string(w, "expanded_id", rule->expanded_id);
		jsonw_kv_uint(w, "withheld", withheld);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

static void beat_body(struct jsonw *w, const struct internal_part *part)
{
	const struct body *body = part->data;

	jsonw_key(w, "policy");
	jsonw_begin_object(w);
	loaded_policy(w, &body->beat->loaded, body->policy);
	jsonw_end_object(w);
	jsonw_key(w, "counts");
	jsonw_begin_object(w);
	write_counts(w, body->beat);
	write_rules(w, part, body);
	jsonw_end_object(w);
}

static void report(const struct heartbeat *beat, struct reporter *reporter)
{
	const struct ruleset *ruleset = beat->loaded.ruleset;
	uint64_t withheld = atomic_load(&beat->tally->withheld);

	for (size_t i = 0; i < ruleset->npolicies; i++) {
		struct body body = { beat, &ruleset->policies[i] };

		reporter_internal_parts(reporter, "heartbeat", ruleset->nrules, beat_body, &body);
	}
	atomic_store(&beat->tally->told, withheld);
}

void heartbeat_tick(const struct heartbeat *beat, struct reporter *reporter, int64_t now_ns)
{
	if (now_ns < heartbeat_due(beat))
		return;
	report(beat, reporter);
	beat->tally->beats++;
	/* not from when it was due: after a sleep of the machine one is enough */
	beat->tally->beat_ns = now_ns + period_ns(beat);
}

void heartbeat_last(const struct heartbeat *beat, struct reporter *reporter)
{
	if (atomic_load(&beat->tally->withheld) != atomic_load(&beat->tally->told))
		report(beat, reporter);
}
