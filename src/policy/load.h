/* SPDX-License-Identifier: GPL-3.0-or-later */
/* load.h - from files to rules, step by step; internal to policy/.
 *
 *   files.c    paths -> struct policy_file, in order, each with its tree
 *   draft.c    one mapping of a file -> struct draft (a rule not yet compiled)
 *   merge.c    drafts of one id -> one draft
 *   macro.c    macros of all files
 *   vars.c     what set actions declare
 *   action.c   the actions of a draft -> struct action
 *   observe.c  what of a rule cannot be seen
 *   tokens.c   its limiter_token
 *   ruleset.c  drafts -> struct ruleset
 *
 * Everything here lives in the load's arena and is gone when ruleset_load()
 * returns; what the ruleset keeps is copied into an arena of its own.
 */
#pragma once
#include "policy/facts.h"
#include "policy/ruleset.h"
#include "policy/semver.h"
#include "policy/source.h"
#include "policy/yaml.h"

enum {
	MAX_POLICY_SIZE = 16 * 1024 * 1024, /* one file; the largest known has 220 KiB */
	MAX_POLICY_FILES = 256,
	MAX_ID = 255,
	MAX_EXPRESSION = 64 * 1024,
	MAX_TAGS = 64,    /* of one rule, merged */
	MAX_ACTIONS = 32, /* of one rule, merged */
	MAX_TOKENS = 16,  /* fields in limiter_token */
};

struct policy_file {
	struct source source;
	char *text;            /* owned; NULL for the built-in policy */
	struct policy *policy; /* in the ruleset */
	const struct yaml *root;
	const struct yaml *macros, *rules; /* sequences or NULL */
};

struct tag {
	const char *key, *value;
};

/* An action of a rule keeps the file it is from: overrides mix files. */
struct action_ref {
	const struct policy_file *file;
	const struct yaml *node;
};

enum override_part {
	OVERRIDE_ALL = 1u << 0,
	OVERRIDE_EXPRESSION = 1u << 1,
	OVERRIDE_ACTIONS = 1u << 2,
	OVERRIDE_EVERY = 1u << 3,
	OVERRIDE_TAGS = 1u << 4,
	OVERRIDE_PRODUCT_TAGS = 1u << 5,
};

struct draft {
	struct draft *next;
	const struct policy_file *file;
	const struct yaml *node;
	const struct yaml *expression;             /* NULL = none */
	const struct policy_file *expression_file; /* where it is from: overrides mix files */
	const char *id, *group_id, *description, *version;
	const char *filtered; /* why it does not apply here; NULL = it does */
	unsigned event;       /* as far as it is known */
	bool unobservable;    /* and that is because guard does not see such events, */
	bool unenforced;      /* of which it should refuse some */
	bool failed;          /* has its error row already */
	bool merged;          /* went into another draft, or another speaks for the id */
	size_t order;         /* of appearance */
	bool disabled, silent, execution_context;
	bool says_protection;
	enum protection protection;
	const struct yaml *protection_node;
	bool combine_override;
	unsigned override; /* enum override_part */
	bool has_every;
	int64_t every_ns;
	int64_t priority;
	struct tag tags[MAX_TAGS];
	size_t ntags;
	const char *product_tags[MAX_TAGS];
	size_t nproduct_tags;
	struct action_ref actions[MAX_ACTIONS];
	size_t nactions;
	struct action_ref tokens; /* limiter_token: a list; node NULL = none */
};

struct declared;  /* vars.c: a variable */
struct set_entry; /* and a valid action that sets one */

struct load {
	const struct ruleset_options *options;
	struct semver agent_version;
	struct facts facts;
	struct arena arena; /* of the load */
	struct policy_file *files;
	size_t nfiles;
	struct draft *first, **tail; /* in order of appearance, after the merge in order of rules */
	struct secl_macros *macros;
	struct declared *variables;
	size_t nvariables;
	struct variable *kept; /* those of the ruleset, from variables_keep() on */
	struct set_entry *sets;
	struct arena *keep; /* of the ruleset */
	struct ruleset *ruleset;
	struct rule_about *abouts; /* those of the ruleset, by draft.order */
	struct diags *diags;
	struct err *err;
};

/* ---- load_report.c: rows of diags; 0, or -ENOMEM ---- */

/* About NODE of FILE, or the file as a whole (NULL). */
int report_at(struct load *load, enum diag_subject subject, enum diag_status status,
	      const struct policy_file *file, const struct yaml *node, const char *id,
	      const char *format, ...) PRINTF_LIKE(7, 8);
/* About a place inside the text of NODE: OFFSET bytes from its beginning. */
int report_inside(struct load *load, enum diag_subject subject, enum diag_status status,
		  const struct policy_file *file, const struct yaml *node, size_t offset,
		  const char *id, const char *message);
/* About an error of the language in the text of NODE. */
int report_secl(struct load *load, enum diag_subject subject, const struct policy_file *file,
		const struct yaml *node, const char *id, const struct secl_error *error);
/* The error of a draft: marks it failed. */
int report_draft(struct load *load, struct draft *draft, const struct yaml *node,
		 const char *format, ...) PRINTF_LIKE(4, 5);
int report_warning(struct load *load, const struct policy_file *file, const struct yaml *node,
		   const char *id, const char *format, ...) PRINTF_LIKE(5, 6);

/* ---- files.c ---- */

/* Reads and parses everything that the options name. A file that is no valid
 * policy is a row; one that cannot be read is an error.
 */
int files_read(struct load *load);
void files_done(struct load *load);

/* ---- keys.c: which keys there are ---- */

enum key_kind { KEY_TEXT, KEY_BOOL, KEY_INT, KEY_LIST, KEY_MAP, KEY_ANY };

struct key {
	const char *name;
	enum key_kind kind;
	bool unavailable; /* known, but without effect in this version: a warning */
};

/* Warns about keys of NODE that are not in KEYS. 0; 1 when a value is of the
 * wrong kind: then *ret_bad is it and *ret_why says what it should be; -ENOMEM.
 */
int keys_check(struct load *load, const struct policy_file *file, const struct yaml *node,
	       const struct key *keys, size_t nkeys, const char *id, const struct yaml **ret_bad,
	       const char **ret_why);
bool id_is_valid(const char *id);

/* ---- conditions.c ---- */

/* Whether `agent_version` and `filters` of NODE let it in: 1; 0 with *ret_why; -EINVAL when
 * they cannot be understood: *ret_bad and *error then say where.
 */
int conditions_hold(struct load *load, const struct yaml *node, const char **ret_why,
		    const struct yaml **ret_bad, struct secl_error *error);

/* "agent_version" or "rule_filter", for a text that conditions_hold() gave. */
const char *conditions_filter_type(const char *why);

/* ---- about.c ---- */

/* What all drafts say, into the ruleset: 0, or -ENOMEM. */
int abouts_make(struct load *load);
/* The rows of rules from FROM on are about D. */
void abouts_mark(struct load *load, size_t from, const struct draft *d);

/* ---- draft.c, merge.c, macro.c, vars.c ---- */

int drafts_read(struct load *load);
int drafts_merge(struct load *load);
int macros_read(struct load *load);

/* Declares the variables of all set actions; conflicts are rows. */
int variables_declare(struct load *load);
/* Copies them into the ruleset, which compiled expressions refer to by index. */
int variables_keep(struct load *load);
/* What a compile sees of them; NEEDS collects what reading them needs of an event. */
struct load_vars {
	struct secl_vars base;
	const struct load *load;
	uint64_t *needs;
};
struct load_vars load_vars(const struct load *load, uint64_t *needs);
/* The set action NODE (what follows `set:`) of a rule about EVENT: 1; 0 when it is left
 * out (with its row); -ENOMEM. *ret is in the ruleset's arena, its expressions are
 * owned by the caller. What it needs of an event is added to NEEDS.
 */
int variables_compile_set(struct load *load, struct draft *draft, const struct policy_file *file,
			  const struct yaml *node, enum event_type event, struct set_action *ret,
			  uint64_t *needs);

/* ---- observe.c ---- */

/* Whether guard sees what the rule is about: its event type, its fields and those of
 * its actions. What it does not see is said; a blocking rule is rejected for it, or,
 * with best_effort, only watches. 0; 1 when it did not become a rule; -ENOMEM.
 */
int rule_observable(struct load *load, struct draft *draft, struct rule *rule);

/* ---- peers.c ---- */

/* Does what `block: {pin: true}` asks of RULE: 0; 1 with a row when it cannot be; -ENOMEM. */
int rule_pin(struct load *load, struct draft *draft, struct rule *rule);

/* Fills SET's peers and programs from its rules: 0, or -ENOMEM. */
int peers_collect(struct ruleset *set, struct arena *arena);

/* ---- action.c ---- */

/* Compiles the actions of a draft for a rule about EVENT. 0; 1 when the rule is
 * rejected (with its row); -ENOMEM. *ret is in the ruleset's arena, its filters
 * are owned by the caller.
 */
int actions_compile(struct load *load, struct draft *draft, enum event_type event,
		    struct action **ret, size_t *ret_count, uint64_t *needs);
void actions_free(const struct action *actions, size_t count);

/* ---- tokens.c ---- */

/* Compiles the fields of limiter_token for RULE, whose type of event is known: 0; 1 when
 * the rule is rejected (with its row); -ENOMEM. What RULE has got then is to be freed in
 * any case.
 */
int tokens_compile(struct load *load, struct draft *draft, struct rule *rule);
void tokens_free(const struct rule *rule);

/* Whether NODE (a mapping of one action) has a key that names an action that
 * refuses or kills.
 */
bool action_enforces(const struct yaml *node);

/* Compiles the text of NODE against the events' schema. On 1 the error has been
 * reported for DRAFT; -ENOMEM. What its fields and variables need is added to NEEDS.
 */
int draft_compile(struct load *load, struct draft *draft, const struct policy_file *file,
		  const struct yaml *node, const char *text, struct secl_expr **ret,
		  uint64_t *needs);
