/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ruleset.h - the compiled policy: what is judged, and what it needs.
 *
 * Immutable once loaded. A reload makes a second one and swaps a pointer; an
 * event is judged by one ruleset from beginning to end. State that changes
 * (rate limits, variables) belongs to the engine and is indexed by
 * rule->index.
 */
#pragma once
#include "model/event.h"
#include "policy/diag.h"

enum protection { PROTECTION_DISABLED, PROTECTION_MONITORING, PROTECTION_BLOCKING };
const char *protection_name(enum protection protection);

enum action_type {
	ACTION_BLOCK,
	ACTION_KILL,
	ACTION_LOG,
	ACTION_SET,
	ACTION_HASH,
	/* read and checked, then said to be unsupported with every event: what they act on,
	 * a kernel with the peer's programs in it, is not there */
	ACTION_COREDUMP,
	ACTION_NETWORK_FILTER
};
/* As in policies. */
const char *action_type_name(enum action_type type);

enum kill_scope { KILL_SCOPE_PROCESS, KILL_SCOPE_CONTAINER, KILL_SCOPE_CGROUP, KILL_SCOPE_TREE };
const char *kill_scope_name(enum kill_scope scope);

/* Where the values of a variable live: one for all, or one for each process,
 * container or cgroup.
 */
enum variable_scope { SCOPE_GLOBAL, SCOPE_PROCESS, SCOPE_CONTAINER, SCOPE_CGROUP };

enum {
	VARIABLES_MAX = 1024,
	VARIABLE_SIZE = 100, /* elements of a list, unless its action says more */
	VARIABLE_SIZE_MAX = 10000,
	VARIABLE_TEXT_MAX = 4096, /* bytes of one string; longer ones are cut */
};

/* A variable that some set action declares (specification 13). */
struct variable {
	const char *name; /* as in ${...}: "x", "process.x" */
	enum variable_scope scope;
	enum secl_type type;
	bool array;
	bool private;               /* not written into events */
	bool environment;           /* may hold values of the environment, nor is that */
	bool inherited;             /* read from the nearest ancestor that has it */
	int64_t ttl_ns;             /* 0 = for ever */
	unsigned size;              /* of a list, elements */
	struct secl_value standard; /* global scalars: the value until the first set */
};

/* The ids that ${...} has in compiled expressions: the predefined ones first. */
enum { VARIABLE_PROCESS_PID, VARIABLE_UUID4, VARIABLE_FIRST_ID };

struct set_action {
	unsigned variable; /* index in ruleset->variables */
	bool append;
	struct secl_expr *source; /* field or expression; NULL: VALUE */
	struct secl_value value;
	struct secl_expr *scope_field; /* pid of the process that it is set for; NULL = the actor */
};

struct hash_action {
	struct secl_field field; /* FILE.hashes of the file object that it is about */
	uint64_t max_size;       /* bytes; 0 = as configured */
};

struct action {
	enum action_type type;
	struct secl_expr *filter; /* NULL = always */
	const char *filter_text;
	int error;             /* block: positive errno */
	bool pin;              /* block: the rule's paths mean files, see struct rule */
	int signal;            /* kill */
	enum kill_scope scope; /* kill */
	int level;             /* log: enum log_level */
	const char *message;   /* log */
	const struct set_action *set;
	const struct hash_action *hash;
};

struct policy {
	const char *name; /* file name, "default" for the built-in one */
	const char *path; /* NULL for the built-in one */
	const char *version;
	bool is_default;
};

struct rule {
	unsigned index; /* position in ruleset->rules */
	const char *id, *group_id;
	const char *expanded_id; /* of one of the rules that a fim.write rule became, else NULL */
	const char *expression, *description, *version;
	const char *const *tags; /* "key:value" */
	size_t ntags;
	const struct secl_string *product_tags;
	size_t nproduct_tags;
	const struct policy *policy;
	enum event_type event;
	enum protection protection;
	struct secl_expr *expr;
	uint64_t needs; /* of expression and action filters */
	const struct action *actions;
	size_t nactions;
	int64_t every_ns; /* 0 = default limiter */
	/* limiter_token: a rate for each tuple of these values; what reading them needs is
	 * not part of NEEDS, since no verdict depends on it */
	struct secl_expr *const *tokens;
	size_t ntokens;
	uint64_t token_needs;
	int priority;
	bool silent;
	/* the programs that it names in full are meant under any other name, too */
	bool pin;
};

/* Calls VISIT for each path without wildcards that stands in the rule or in a filter of
 * its actions and is known again under other names: programs of a rule with `pin`,
 * sockets (connect.addr.path) of any. Perhaps more than once.
 */
void rule_paths(const struct rule *rule, void (*visit)(void *data, const struct secl_string *path),
		void *data);

/* A rule as its policies tell it, whatever became of it. Rows of diags about a rule
 * lead here (diag.about).
 */
struct rule_about {
	/* NULL where the rule does not say so */
	const char *version, *expression, *agent_version;
	const char *filter_type; /* of a filtered one: what did not let it in */
	const char *actions;     /* a JSON array */
	const char *const *filters;
	size_t nfilters;
	const struct rule_about_tag {
		const char *key, *value;
	} * tags;
	size_t ntags;
	const char *const *product_tags;
	size_t nproduct_tags;
};

/* What a loaded policy asks of one event type. */
struct event_needs {
	bool watched;             /* some rule is about this type */
	bool blocking;            /* some rule may refuse or kill */
	bool may_block;           /* some rule may refuse with an errno */
	uint64_t fields;          /* enum event_need */
	uint64_t blocking_fields; /* those of rules that may refuse or kill */
};

enum { RULESET_PEERS_MAX = 256, RULESET_PROGRAMS_MAX = 64 };

struct ruleset {
	const struct rule *rules; /* every rule that loaded, in order */
	size_t nrules;
	const struct rule_about *abouts;
	size_t nabouts;
	const struct policy *policies;
	size_t npolicies;
	/* rules by event type, in order of evaluation (specification 15) */
	const struct rule *const *by_event[EVENT_COUNT];
	size_t nby_event[EVENT_COUNT];
	/* which of them an event could match (index.h); NULL = too few to be worth it */
	struct rule_index *index[EVENT_COUNT];
	/* likewise: those that refuse when an image is not certain that they look at */
	const uint64_t *undecided[EVENT_COUNT];
	/* some blocking rule looks at the images of ancestors */
	bool judges_ancestors[EVENT_COUNT];
	struct event_needs needs[EVENT_COUNT];
	struct secl_shared *shared; /* of all its expressions */
	const struct variable *variables;
	size_t nvariables;
	/* some rule of any type looks at the image of a process (its file, arguments,
	 * environment, ancestors): execs must be followed; and some blocking rule does
	 * by values that only the moment of the exec makes certain */
	bool follows_images, verifies_images;
	/* some rule has an action hash, or asks for hashes; and some blocking rule asks for
	 * those of an image that was put in place by another event than its own */
	bool hashes_files, hashes_images;
	unsigned hashes_named; /* bit per enum hash: those that rules compare with */
	/* socket files that rules name in full (connect.addr.path), each once: they are
	 * known again under other names */
	const struct secl_string *peers; /* up to RULESET_PEERS_MAX */
	size_t npeers;
	/* programs that rules with `pin` name in full, each once */
	const struct secl_string *programs; /* up to RULESET_PROGRAMS_MAX */
	size_t nprograms;
	unsigned generation;
};

/* -m: what blocking rules do. */
enum protection_mode { MODE_BLOCK, MODE_MONITOR, MODE_OFF };

/* The agent version that guard claims to policies (specification 15). */
#define GUARD_AGENT_VERSION "7.75.0"

struct ruleset_options {
	const char *const *paths; /* policy files and directories; none = built-in */
	size_t npaths;
	const char *agent_version; /* NULL = GUARD_AGENT_VERSION */
	const char *origin;        /* event.origin: "ebpfless" */
	const char *hostname;
	/* load rules about event types that guard does not watch, too: for those who
	 * evaluate recorded events instead of watching (tests) */
	bool unwatched;
	/* a blocking rule that rests on what guard cannot see is not an error: it only
	 * watches, or is left out where there is nothing to watch (diag->unenforced) */
	bool best_effort;
};

/* Loads all policies. One broken rule leaves the others loaded and is a row in
 * *diags; *ret then still comes out. Fails with -ENOENT/-EACCES/... when a
 * path cannot be read, -EINVAL when no valid rule is left, -ENOMEM; the
 * reason is in *err. The caller owns *ret (ruleset_free) and *diags.
 */
int ruleset_load(const struct ruleset_options *options, struct ruleset **ret, struct diags *diags,
		 struct err *err);
void ruleset_free(struct ruleset *ruleset);
