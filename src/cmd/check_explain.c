/* SPDX-License-Identifier: GPL-3.0-or-later */
/* guard check --explain: a rule as guard understood it. */
#include "config.h"

#include "cmd/check.h"

#include <errno.h>
#include <signal.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/escape.h"
#include "base/log.h"
#include "base/nearest.h"
#include "policy/index.h"

/* What must be read for a value, and what it rests on (design: provenance). */
static const struct {
	uint64_t bit;
	const char *what, *kind;
} needs[] = {
	{ NEED_ARGV, "arguments", "memory" },
	{ NEED_ENVP, "environment", "memory" },
	{ NEED_ADDRESS, "socket address", "memory" },
	{ NEED_FILE, "executable file", "kernel" },
	{ NEED_INTERPRETER, "interpreter", "kernel" },
	{ NEED_CREDENTIALS, "credentials", "kernel" },
	{ NEED_CGROUP, "control group", "kernel" },
	{ NEED_TTY, "terminal", "kernel" },
	{ NEED_ANCESTORS, "ancestors", "kernel" },
	{ NEED_COMM, "name of the process", "kernel" },
	{ NEED_NAMESPACES, "namespaces", "kernel" },
	{ NEED_HASH, "hash of the file", "kernel" },
	{ NEED_PACKAGE, "package of the file", "kernel" },
	{ NEED_SESSION, "user session", "memory" },
	{ NEED_HOSTNAMES, "host names", "memory" },
	{ NEED_PEER_PATH, "file of the peer's socket", "kernel" },
};

static const char *const guarantees[] = {
#define GUARANTEE(id, name, text) [GUARANTEE_##id] = text,
#include "model/guarantee.def"
#undef GUARANTEE
};

struct field_list {
	char text[64][SECL_NAME_MAX + 1];
	uint64_t needs[64];
	size_t count;
};

static void collect_field(void *data, const struct secl_field *field)
{
	struct field_list *list = data;

	for (size_t i = 0; i < list->count; i++) {
		if (streq(list->text[i], field->name))
			return;
	}
	if (list->count == ELEMENTS(list->text))
		return;
	(void)snprintf(list->text[list->count], sizeof list->text[0], "%s", field->name);
	list->needs[list->count++] = field->needs;
}

static const char *kind_of(uint64_t bits)
{
	const char *kind = "kernel";

	for (size_t i = 0; i < ELEMENTS(needs); i++) {
		if (bits & needs[i].bit && streq(needs[i].kind, "memory"))
			kind = "memory";
	}
	return kind;
}

/* TEXT with what a terminal would obey spelt out. */
static void print_text(const char *label, const char *text)
{
	size_t size = 4 * strlen(text) + 1;
	_cleanup_free_ char *escaped = malloc(size);

	if (escaped) {
		(void)escape_text(escaped, size, text, strlen(text));
		(void)printf("  %-13s %s\n", label, escaped);
	}
}

static void print_fields(const struct rule *rule)
{
	_cleanup_free_ struct field_list *list = calloc(1, sizeof *list);

	if (!list)
		return;
	secl_expr_fields(rule->expr, collect_field, list);
	for (size_t i = 0; i < rule->nactions; i++) {
		if (rule->actions[i].filter)
			secl_expr_fields(rule->actions[i].filter, collect_field, list);
	}
	(void)printf("  fields\n");
	for (size_t i = 0; i < list->count; i++)
		(void)printf("    %-40s %s\n", list->text[i], kind_of(list->needs[i]));
}

static void print_syscall(void *data, const char *name)
{
	const char **separator = data;

	(void)printf("%s%s", *separator, name);
	*separator = ", ";
}

static void print_needs(const struct rule *rule)
{
	const char *separator = "";

	(void)printf("  %-13s ", "system calls");
	check_syscalls(rule, print_syscall, &separator);
	(void)printf("\n  %-13s ", "reads");
	separator = "";
	for (size_t i = 0; i < ELEMENTS(needs); i++) {
		if (rule->needs & needs[i].bit)
			print_syscall(&separator, needs[i].what);
	}
	(void)printf("%s\n", *separator ? "" : "nothing but the call itself");
}

/* Of long lists the beginning. */
enum { ATOMS_SHOWN = 8 };

static void print_action(const struct ruleset *set, const struct action *action)
{
	char text[160];

	switch (action->type) {
	case ACTION_BLOCK:
		(void)snprintf(text, sizeof text, "block with %s", strerrorname_np(action->error));
		break;
	case ACTION_KILL:
		(void)snprintf(text, sizeof text, "kill the %s with SIG%s",
			       kill_scope_name(action->scope), sigabbrev_np(action->signal));
		break;
	case ACTION_LOG: (void)snprintf(text, sizeof text, "log"); break;
	case ACTION_HASH:
		(void)snprintf(text, sizeof text, "hash for %.140s", action->hash->field.name);
		break;
	case ACTION_COREDUMP:
	case ACTION_NETWORK_FILTER:
		(void)snprintf(text, sizeof text, "%s: unsupported here, not carried out",
			       action_type_name(action->type));
		break;
	case ACTION_SET:
		(void)snprintf(text, sizeof text, "%s ${%s}",
			       action->set->append ? "append to" : "set",
			       set->variables[action->set->variable].name);
		break;
	}
	(void)printf("  %-13s %s\n", "action", text);
	if (action->filter_text)
		print_text("  only if", action->filter_text);
}

static void print_index(const struct ruleset *set, const struct rule *rule)
{
	const struct rule_index *index = set->index[rule->event];

	if (!index)
		(void)printf("  %-13s none, the rules about %s are few: each is asked\n", "index",
			     event_type_name(rule->event));
	else
		(void)printf("  %-13s of %zu rules about %s, %zu of which are always asked\n",
			     "index", set->nby_event[rule->event], event_type_name(rule->event),
			     rule_index_always(index));
}

static void print_order(const struct ruleset *set, const struct rule *rule)
{
	size_t place = 0;

	while (set->by_event[rule->event][place] != rule)
		place++;
	(void)printf("  %-13s %zu of %zu about %s\n", "evaluated", place + 1,
		     set->nby_event[rule->event], event_type_name(rule->event));
}

/* What the index looks for, see policy/index.h. */
static void print_atom(void *data, const struct secl_atom *atom)
{
	static const char *const relations[] = {
		[SECL_ATOM_NUMBER] = "is",
		[SECL_ATOM_TEXT] = "is",
		[SECL_ATOM_PART] = "contains",
	};
	size_t *count = data;
	char text[SECL_NAME_MAX + 128];

	if ((*count)++ >= ATOMS_SHOWN)
		return;
	if (atom->kind == SECL_ATOM_PREDICATE)
		(void)snprintf(text, sizeof text, "a condition on %s %s", atom->field->name,
			       atom->negated ? "does not hold" : "holds");
	else if (atom->kind == SECL_ATOM_NUMBER)
		(void)snprintf(text, sizeof text, "%s is %" PRId64, atom->field->name,
			       atom->number);
	else
		(void)snprintf(text, sizeof text, "%s %s \"%.*s\"", atom->field->name,
			       relations[atom->kind], (int)MIN(atom->text.size, (size_t)80),
			       atom->text.text);
	print_text(*count == 1 ? "asked if" : "or if", text);
}

static void print_step(void *data, unsigned depth, const char *text)
{
	size_t size = 4 * strlen(text) + 1;
	_cleanup_free_ char *escaped = malloc(size);

	(void)data;
	if (!escaped)
		return;
	(void)escape_text(escaped, size, text, strlen(text));
	(void)printf("    %*s%s\n", (int)(2 * depth), "", escaped);
}

static void print_atoms(const struct rule *rule)
{
	size_t count = 0;

	if (!secl_expr_atoms(rule->expr, print_atom, &count))
		print_text("asked if", "always: it names nothing that an event must have");
	else if (count > ATOMS_SHOWN)
		(void)printf("  %-13s %zu more\n", "or if", count - ATOMS_SHOWN);
}

struct sharing {
	size_t all, common, inherited;
};

static void count_predicate(void *data, const struct secl_predicate *predicate, bool negated UNUSED)
{
	struct sharing *sharing = data;

	sharing->all++;
	sharing->common += predicate->uses > 1;
	sharing->inherited += predicate->lasting != SECL_PASSING;
}

/* One that has several uses is evaluated once an event for all of them. */
static void print_predicate(void *data UNUSED, const struct secl_predicate *predicate, bool negated)
{
	char text[SECL_NAME_MAX + 128];

	if (predicate->uses < 2)
		return;
	(void)snprintf(text, sizeof text, "%s%s: %u uses%s", negated ? "not on " : "on ",
		       predicate->field->name, predicate->uses,
		       predicate->lasting ? ", inherited as a bit" : "");
	(void)printf("    %s\n", text);
}

static void print_sharing(const struct rule *rule)
{
	struct sharing sharing = { 0 };

	secl_expr_predicates(rule->expr, count_predicate, &sharing);
	(void)printf("  %-13s %zu, %zu of them shared, %zu inherited from ancestors\n",
		     "predicates", sharing.all, sharing.common, sharing.inherited);
	secl_expr_predicates(rule->expr, print_predicate, NULL);
}

static void explain(const struct ruleset *set, const struct rule *rule)
{
	enum guarantee guarantee = event_type_guarantee(rule->event);

	(void)printf("rule %s\n", rule->expanded_id ? rule->expanded_id : rule->id);
	print_text("policy", rule->policy->path ? rule->policy->path : "built in");
	if (rule->description)
		print_text("description", rule->description);
	print_text("expression", rule->expression);
	(void)printf("  %-13s %s, seen by %s\n", "event", event_type_name(rule->event),
		     event_type_source(rule->event));
	(void)printf("  %-13s %s\n", "protection", protection_name(rule->protection));
	(void)printf("  %-13s %s: %s\n", "guarantee", guarantee_name(guarantee),
		     guarantees[guarantee]);
	for (size_t i = 0; i < rule->nactions; i++)
		print_action(set, &rule->actions[i]);
	(void)printf("  program\n");
	secl_expr_explain(rule->expr, print_step, NULL);
	print_fields(rule);
	print_needs(rule);
	print_sharing(rule);
	print_atoms(rule);
	print_index(set, rule);
	print_order(set, rule);
}

static void say_unknown(const struct checked *checked, const char *id)
{
	struct nearest n = NEAREST(id);
	const char *hint;

	for (size_t i = 0; i < checked->diags->count; i++) {
		if (checked->diags->rows[i].subject == DIAG_RULE)
			nearest_offer(&n, checked->diags->rows[i].id);
	}
	hint = nearest_result(&n);
	if (hint)
		log_error("there is no rule '%s', did you mean '%s'?", id, hint);
	else
		log_error("there is no rule '%s'", id);
}

int check_explain(const struct checked *checked, const char *id)
{
	bool found = false;

	for (size_t i = 0; checked->set && i < checked->set->nrules; i++) {
		if (streq(checked->set->rules[i].id, id)) {
			explain(checked->set, &checked->set->rules[i]);
			found = true;
		}
	}
	(void)fflush(stdout);
	for (size_t i = 0; i < checked->diags->count; i++) {
		const struct diag *row = &checked->diags->rows[i];

		if (!row->id || !streq(row->id, id) || row->subject == DIAG_MACRO ||
		    (row->subject == DIAG_RULE && row->status == DIAG_LOADED))
			continue;
		diag_print(STDOUT_FILENO, row);
		found = true;
	}
	if (found)
		return 0;
	say_unknown(checked, id);
	return -ENOENT;
}
