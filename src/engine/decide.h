/* SPDX-License-Identifier: GPL-3.0-or-later */
/* decide.h - an event and a policy become a verdict.
 *
 * Pure: nothing is read, sent, written or logged here. Every rule of the event's type
 * is asked; all that match report, the strongest verdict is carried out. A rule
 * that cannot be evaluated refuses the action if it could have refused it.
 */
#pragma once
#include "base/arena.h"
#include "base/sip.h"
#include "engine/lineage.h"
#include "engine/variables.h"
#include "model/field.h"
#include "model/report.h"
#include "policy/ruleset.h"

struct match {
	const struct rule *rule;
	enum verdict_kind kind;
	int error;  /* BLOCKED and WOULD_BLOCK: positive errno, else 0 */
	int signal; /* KILLED and WOULD_BLOCK: signal, else 0 */
	enum kill_scope scope;
	enum reason reason;
	/* bit I: action I of the rule, which is none that sets, refuses or kills, is to be
	 * carried out */
	uint64_t others;
	bool unset; /* a set action could not find its value */
	/* of the values of limiter_token; zero for a rule without */
	struct sip_hash tuple;
	/* the rule only watches, and asks for the hashes of this file of the event, which are
	 * not there yet: KIND is VERDICT_NONE, and whether it matches is found out later */
	const struct file_info *unhashed;
};

struct decision {
	const struct match *matches; /* in the arena that was given */
	size_t nmatches;
	/* the strongest of them; kind is VERDICT_NONE without a match */
	struct match strongest;
	/* what the rules set, to be applied when the event takes place or is refused */
	const struct planned_set *planned;
	/* HASHING_NOW: the verdict depends on the hashes of this file of the event */
	const struct file_info *unhashed;
};

/* What becomes of rules that ask for the hashes of files that were not hashed yet. */
enum hashing_when {
	HASHING_NEVER, /* nobody hashes: one that could refuse refuses, others do not match */
	HASHING_LATER, /* when the verdict is out, for those that only watch */
	HASHING_NOW,   /* and before, for those that could refuse */
};

struct decide_request {
	const struct ruleset *ruleset;
	enum protection_mode mode;
	const struct event *event;
	const struct report_origin *origin; /* names, service, host, scrubber */
	struct arena *arena;                /* of the event */
	struct lineage *lineage;            /* of the ruleset; NULL = ancestors are walked */
	struct variables *variables;        /* NULL = none was ever set */
	const struct process *(*lookup)(void *data, pid_t pid); /* see variables.h */
	void *lookup_data;
	bool pinned_only; /* ask rules with `pin` alone */
	enum hashing_when hashing;
	const struct rule *only; /* NULL = all */
	/* where values come from instead of the event, which then only names the actor:
	 * recorded ones (tests); NULL = the event itself */
	const struct secl_schema *schema;
	const void *source;
	uint64_t key[2]; /* of match.tuple */
};

/* Never fails: what goes wrong is in the verdict's reason. */
struct decision decide(const struct decide_request *request);

/* Adds the matches of MORE whose rules have none in D, or a weaker one: true when
 * there are some. On no memory for them D keeps its list and takes the stronger verdict.
 */
bool decision_add(struct decision *d, const struct decision *more, struct arena *arena);

/* The verdict when the event itself could not be read: refused if any rule of
 * TYPE could refuse it. One match, of the first rule that could.
 */
struct decision decide_unreadable(const struct ruleset *ruleset, enum protection_mode mode,
				  enum event_type type, enum reason reason, struct arena *arena);
