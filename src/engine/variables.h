/* SPDX-License-Identifier: GPL-3.0-or-later */
/* variables.h - the values of the variables that set actions write and rules
 * read (specification 13.2).
 *
 * Bounded: a fixed number of blocks of one size holds all values. When they run
 * out, the scoped value that was longest unused is dropped, and from then on a
 * value that is missing is an error for the rule that reads it and not a zero:
 * who floods the store with processes must not thereby switch a rule off.
 *
 * The store lies in memory shared with the keeper, so a successor of the
 * supervisor goes on with the values there are. Nothing in it is a pointer.
 *
 * A decision does not write: what its rules set is planned, seen by the rules
 * after them, and applied once it is certain that the event takes place.
 */
#pragma once
#include "model/field.h"
#include "policy/ruleset.h"

struct variables;

/* A value that a rule of the decision in hand sets; in the arena of the event. */
struct planned_set {
	struct planned_set *next;
	const struct set_action *action;
	const struct process *process; /* of a process variable: whose */
	struct secl_value value;
};

/* What rules see while one event is decided: secl_context.vars is &base. */
struct variable_view {
	struct secl_vars base;
	struct variables *store; /* NULL = every variable has its first value */
	const struct ruleset *ruleset;
	const struct process *process; /* who acts */
	struct planned_set *planned;
	int64_t now_ns; /* monotonic */
	/* the process with a pid, for scope_field; may be NULL */
	const struct process *(*lookup)(void *data, pid_t pid);
	void *lookup_data;
	char uuid[37]; /* of this event, once somebody has asked for it */
};

/* Maps a new store, which every process forked from here shares: 0, or -ENOMEM. */
int variables_new(struct variables **ret);
void variables_free(struct variables *store);

/* After the one who wrote has died, maybe in the middle of something: then all is
 * forgotten, and what is missing is an error. Values of processes for which ALIVE
 * says no are dropped.
 */
void variables_recover(struct variables *store, bool (*alive)(pid_t pid, uint64_t start_ticks));

struct variable_view variables_view(struct variables *store, const struct ruleset *ruleset,
				    const struct process *process, int64_t now_ns);

/* Plans what ACTION sets, evaluated in CTX, of which the view is part. 0, or -errno
 * when its value cannot be had.
 */
int variables_plan(struct variable_view *view, const struct set_action *action,
		   struct secl_context *ctx);

/* Writes what was planned. ACTOR replaces the process that the view had: an event
 * is decided about a candidate, and lasts for what came of it.
 */
void variables_apply(struct variables *store, const struct ruleset *ruleset,
		     const struct planned_set *planned, const struct process *candidate,
		     const struct process *actor, int64_t now_ns);

/* A value could not be had that should have been set: what is missing from now on is
 * an error.
 */
void variables_miss(struct variables *store);

/* The process is gone, and nobody inherits from it any more. */
void variables_forget(struct variables *store, pid_t pid, uint64_t start_ticks);

/* Calls VISIT for each variable of SCOPE that has a value for PROCESS and may be shown:
 * neither private nor of the environment. Values may lie in SCRATCH.
 */
void variables_each(struct variables *store, const struct ruleset *ruleset,
		    enum variable_scope scope, const struct process *process, int64_t now_ns,
		    struct arena *scratch,
		    void (*visit)(void *data, const struct variable *variable,
				  const struct secl_value *value),
		    void *data);

/* Blocks in use, for tests. */
unsigned variables_used(const struct variables *store);
