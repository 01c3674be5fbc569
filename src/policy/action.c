/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The actions of a rule. One that refuses or kills and is wrong rejects the
 * rule: what was to be blocked must not go on as merely watched. Any other
 * that is wrong is left out with an error (specification 13.1).
 */
#include <config.h>

#include "policy/load.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "base/log.h"
#include "base/nearest.h"
#include "model/field.h"
#include "policy/options.h"

enum { MAX_ERRNO = 4095 }; /* what a system call can return */

struct reader {
	struct load *load;
	enum event_type event;
	uint64_t *needs; /* of the rule */
	struct draft *draft;
	const struct policy_file *file;
	const struct yaml *node; /* what follows the name of the action */
};

/* How one kind of action is read: 1 taken, 0 left out, -EINVAL (with a row)
 * wrong, -ENOMEM.
 */
struct action_kind {
	const char *name;
	bool enforces;
	int (*read)(const struct reader *r, struct action *ret);
	const struct key *keys;
	size_t nkeys;
};

static int wrong(const struct reader *r, const struct yaml *node, const char *text)
{
	int result = report_at(r->load, DIAG_RULE, DIAG_ERROR, r->file, node ? node : r->node,
			       r->draft->id, "%s", text);

	r->draft->failed = true;
	return result < 0 ? result : -EINVAL;
}

static const struct yaml *entry_of(const struct yaml *node, const char *key)
{
	const struct yaml *entry = yaml_get(node, key);

	return entry && !yaml_is_null(entry) ? entry : NULL;
}

/* ---- block ------------------------------------------------------------- */

static int errno_by_name(const char *name, const char **ret_hint)
{
	static const struct {
		const char *name;
		int number;
	} aliases[] = { { "EWOULDBLOCK", EWOULDBLOCK }, { "ENOTSUP", ENOTSUP } };
	struct nearest n = NEAREST(name);

	for (size_t i = 0; i < ELEMENTS(aliases); i++) {
		if (streq(aliases[i].name, name))
			return aliases[i].number;
	}
	for (int e = 1; e < MAX_ERRNO; e++) {
		const char *known = strerrorname_np(e);

		if (known && streq(known, name))
			return e;
		nearest_offer(&n, known);
	}
	*ret_hint = nearest_result(&n);
	return 0;
}

static const struct key block_keys[] = {
	{ "errno", KEY_TEXT, false },
	{ "pin", KEY_BOOL, false },
};

static int read_block(const struct reader *r, struct action *ret)
{
	const struct yaml *name = entry_of(r->node, "errno"), *pin = entry_of(r->node, "pin");
	const char *hint = NULL;
	char text[160];

	ret->type = ACTION_BLOCK;
	if (pin)
		(void)yaml_bool(pin, &ret->pin);
	ret->error = name ? errno_by_name(name->text, &hint) : EPERM;
	if (ret->error > 0)
		return 1;
	(void)snprintf(text, sizeof text, "action block: there is no errno '%.40s'%s%s%s",
		       name->text, hint ? ", did you mean '" : "", hint ? hint : "",
		       hint ? "'?" : "");
	return wrong(r, name, text);
}

/* ---- kill -------------------------------------------------------------- */

static int signal_by_name(const char *name)
{
	if (strncmp(name, "SIG", 3) != 0)
		return 0;
	for (int s = 1; s < NSIG; s++) {
		const char *known = sigabbrev_np(s);

		if (known && streq(known, name + 3))
			return s;
	}
	return 0;
}

static const struct key kill_keys[] = {
	{ "signal", KEY_TEXT, false },
	{ "scope", KEY_TEXT, false },
	{ "disable_container_disarmer", KEY_BOOL, false },
	{ "disable_executable_disarmer", KEY_BOOL, false },
};

static int read_kill(const struct reader *r, struct action *ret)
{
	const struct yaml *name = entry_of(r->node, "signal"), *scope = entry_of(r->node, "scope");

	ret->type = ACTION_KILL;
	if (!name)
		return wrong(r, NULL, "action kill: it needs a signal, such as SIGKILL");
	ret->signal = signal_by_name(name->text);
	if (ret->signal == 0)
		return wrong(r, name, "action kill: there is no such signal");
	ret->scope = KILL_SCOPE_PROCESS;
	if (!scope)
		return 1;
	for (int s = KILL_SCOPE_PROCESS; s <= KILL_SCOPE_TREE; s++) {
		if (streq(kill_scope_name((enum kill_scope)s), scope->text)) {
			ret->scope = (enum kill_scope)s;
			return 1;
		}
	}
	return wrong(r, scope, "action kill: scope must be process, container, cgroup or tree");
}

/* ---- log --------------------------------------------------------------- */

static const struct key log_keys[] = {
	{ "level", KEY_TEXT, false },
	{ "message", KEY_TEXT, false },
};

static int leave_out(const struct reader *r, const struct yaml *node, const char *text)
{
	return report_at(r->load, DIAG_ACTION, DIAG_ERROR, r->file, node ? node : r->node,
			 r->draft->id, "%s; the rule is loaded without it", text);
}

static int read_log(const struct reader *r, struct action *ret)
{
	static const char *const levels[] = {
		[LOG_LEVEL_ERROR] = "error",
		[LOG_LEVEL_WARNING] = "warning",
		[LOG_LEVEL_INFO] = "info",
		[LOG_LEVEL_DEBUG] = "debug",
	};
	const struct yaml *level = entry_of(r->node, "level"),
			  *message = entry_of(r->node, "message");
	char standard[MAX_ID + 32];

	ret->type = ACTION_LOG;
	for (ret->level = 0; (size_t)ret->level < ELEMENTS(levels); ret->level++) {
		if (level && streq(levels[ret->level], level->text))
			break;
	}
	if ((size_t)ret->level == ELEMENTS(levels))
		return leave_out(r, level,
				 "action log: level must be debug, info, warning or error");
	(void)snprintf(standard, sizeof standard, "Rule %s triggered", r->draft->id);
	ret->message = arena_copy(r->load->keep, message ? message->text : standard,
				  message ? message->size : strlen(standard));
	return ret->message ? 1 : -ENOMEM;
}

/* ---- set --------------------------------------------------------------- */

static int read_set(const struct reader *r, struct action *ret)
{
	struct set_action *set = arena_alloc(r->load->keep, sizeof *set);

	if (!set)
		return -ENOMEM;
	ret->type = ACTION_SET;
	ret->set = set;
	return variables_compile_set(r->load, r->draft, r->file, r->node, r->event, set, r->needs);
}

/* ---- hash -------------------------------------------------------------- */

static const struct key hash_keys[] = {
	{ "field", KEY_TEXT, false },
	{ "max_file_size", KEY_INT, false },
};

/* The file object that is hashed when the action names none; NULL = it must. */
static const char *usual_file(enum event_type event)
{
	return event == EVENT_EXEC ? "exec.file" : event == EVENT_OPEN ? "open.file" : NULL;
}

/* A file object is what has hashes: 1, or 0 with a row. */
static int find_file(const struct reader *r, const struct yaml *node, const char *name,
		     struct secl_field *ret)
{
	char text[SECL_NAME_MAX + 1];

	if (snprintf(text, sizeof text, "%s.hashes", name) >= (int)sizeof text ||
	    event_schema.find(&event_schema, text, ret, NULL) < 0)
		return leave_out(r, node, "action hash: field must be a file such as process.file");
	if (ret->flags & SECL_FIELD_ITERATOR)
		return leave_out(r, node, "action hash: field must be one file, not a list");
	if (!field_allowed(ret, r->event))
		return leave_out(r, node,
				 "action hash: field is about another type of event than the rule");
	return 1;
}

static int read_hash(const struct reader *r, struct action *ret)
{
	const struct yaml *field = entry_of(r->node, "field"),
			  *size = entry_of(r->node, "max_file_size");
	const char *name = field ? field->text : usual_file(r->event);
	struct hash_action *hash;
	int64_t limit = 0;
	int found;

	if (!name)
		return leave_out(r, NULL,
				 "action hash: events of this type have no file of their own, name "
				 "one: field: process.file");
	if (size && (yaml_int(size, &limit) < 0 || limit < 1))
		return leave_out(r, size, "action hash: max_file_size must be at least 1");
	hash = arena_alloc(r->load->keep, sizeof *hash);
	if (!hash)
		return -ENOMEM;
	found = find_file(r, field, name, &hash->field);
	if (found <= 0)
		return found;
	hash->max_size = (uint64_t)limit;
	ret->type = ACTION_HASH;
	ret->hash = hash;
	return 1;
}

/* ---- actions that are accepted and cannot be carried out --------------- */

static const struct key coredump_keys[] = {
	{ "process", KEY_BOOL, false },
	{ "mount", KEY_BOOL, false },
	{ "dentry", KEY_BOOL, false },
	{ "no_compression", KEY_BOOL, false },
};
static const struct key network_filter_keys[] = {
	{ "filter", KEY_TEXT, false },
	{ "policy", KEY_TEXT, false },
	{ "scope", KEY_TEXT, false },
};

/* Taken, so that every event of the rule says so as well. */
static int unsupported(const struct reader *r, enum action_type type, const char *why,
		       struct action *ret)
{
	int result = report_warning(r->load, r->file, r->node, r->draft->id,
				    "action %s is unsupported on this system and not carried "
				    "out: %s",
				    action_type_name(type), why);

	ret->type = type;
	return result < 0 ? result : 1;
}

static int read_coredump(const struct reader *r, struct action *ret)
{
	bool any = false;

	for (const struct yaml *e = r->node->first; e; e = e->next) {
		bool value = false;

		(void)yaml_bool(e, &value);
		any |= value && !streq(e->key->text, "no_compression");
	}
	if (!any)
		return leave_out(r, NULL,
				 "action coredump: at least one of process, mount and dentry");
	return unsupported(r, ACTION_COREDUMP, "it shows the tables of an agent in the kernel",
			   ret);
}

static int read_network_filter(const struct reader *r, struct action *ret)
{
	const struct yaml *filter = entry_of(r->node, "filter"),
			  *scope = entry_of(r->node, "scope");

	if (!filter || !filter->size)
		return leave_out(r, filter, "action network_filter: it needs a filter");
	if (scope && !streq(scope->text, "process") && !streq(scope->text, "cgroup"))
		return leave_out(r, scope,
				 "action network_filter: scope must be process or cgroup");
	return unsupported(r, ACTION_NETWORK_FILTER, "packets are not seen without eBPF", ret);
}

#define KEYS(keys) keys, ELEMENTS(keys)
static const struct action_kind kinds[] = {
	{ "block", true, read_block, KEYS(block_keys) },
	{ "kill", true, read_kill, KEYS(kill_keys) },
	{ "log", false, read_log, KEYS(log_keys) },
	{ "hash", false, read_hash, KEYS(hash_keys) },
	{ "coredump", false, read_coredump, KEYS(coredump_keys) },
	{ "network_filter", false, read_network_filter, KEYS(network_filter_keys) },
	{ "set", false, read_set, NULL, 0 }, /* keys: vars.c */
};
#undef KEYS

static const struct action_kind *find_kind(const char *name)
{
	for (size_t i = 0; i < ELEMENTS(kinds); i++) {
		if (streq(kinds[i].name, name))
			return &kinds[i];
	}
	return NULL;
}

bool action_enforces(const struct yaml *node)
{
	for (size_t i = 0; i < ELEMENTS(kinds); i++) {
		if (kinds[i].enforces && yaml_get(node, kinds[i].name))
			return true;
	}
	return false;
}

/* ---- one entry of the list --------------------------------------------- */

static int unknown_action(const struct reader *r, const struct yaml *entry)
{
	struct nearest n = NEAREST(entry->key->text);
	const char *hint;
	char text[200];

	for (size_t i = 0; i < ELEMENTS(kinds); i++)
		nearest_offer(&n, kinds[i].name);
	nearest_offer(&n, "filter");
	hint = nearest_result(&n);
	(void)snprintf(text, sizeof text, "there is no action '%.40s'%s%s%s", entry->key->text,
		       hint ? ", did you mean '" : "", hint ? hint : "", hint ? "'?" : "");
	/* a typing error must not turn a rule that blocks into one that watches */
	if (hint && find_kind(hint) && find_kind(hint)->enforces)
		return wrong(r, entry->key, text);
	return leave_out(r, entry->key, text);
}

/* The one action of the entry, which stays NULL when it is left out: 0, or as
 * struct action_kind.read.
 */
static int pick_kind(struct reader *r, const struct yaml *node, const struct action_kind **ret)
{
	r->node = node;
	for (const struct yaml *e = node->first; e; e = e->next) {
		const struct action_kind *kind = find_kind(e->key->text);

		if (!kind && streq(e->key->text, "filter"))
			continue;
		if (!kind) {
			*ret = NULL;
			return unknown_action(r, e);
		}
		if (*ret)
			return wrong(r, e->key, "an entry of actions holds one action only");
		*ret = kind;
		r->node = e;
	}
	return *ret ? 0 : wrong(r, NULL, "the entry of actions names no action");
}

static int check_keys(const struct reader *r, const struct action_kind *kind)
{
	const struct yaml *bad;
	const char *why;
	char text[160];
	int result;

	if (r->node->kind != YAML_IS_MAPPING && !yaml_is_null(r->node))
		return wrong(r, NULL, "an action must be a mapping like kill: {signal: SIGKILL}");
	if (!kind->keys)
		return 0;
	result = keys_check(r->load, r->file, r->node, kind->keys, kind->nkeys, r->draft->id, &bad,
			    &why);
	if (result <= 0)
		return result;
	(void)snprintf(text, sizeof text, "action %s: '%.40s' must be %s", kind->name,
		       bad->key->text, why);
	return wrong(r, bad, text);
}

static int compile_filter(const struct reader *r, const struct yaml *filter, struct action *action)
{
	unsigned about;
	int result;

	if (filter->kind != YAML_IS_SCALAR)
		return wrong(r, filter, "the filter of an action must be a text");
	action->filter_text = arena_copy(r->load->keep, filter->text, filter->size);
	if (!action->filter_text)
		return -ENOMEM;
	result = draft_compile(r->load, r->draft, r->file, filter, filter->text, &action->filter,
			       r->needs);
	if (result != 0)
		return result < 0 ? result : -EINVAL;
	about = secl_expr_event(action->filter);
	if (about != EVENT_NONE && about != (unsigned)r->event) {
		secl_expr_free(action->filter);
		action->filter = NULL;
		return wrong(r, filter, "the filter is about another type of event than the rule");
	}
	return 0;
}

static int read_action(struct reader *r, const struct yaml *node, struct action *ret)
{
	const struct yaml *filter = entry_of(node, "filter");
	const struct action_kind *kind = NULL;
	struct action action = { 0 };
	int result;

	result = pick_kind(r, node, &kind);
	if (result == 0 && !kind)
		return 0;
	if (result == 0)
		result = check_keys(r, kind);
	if (result == 0)
		result = kind->read(r, &action);
	if (result <= 0)
		return result;
	if (filter)
		result = compile_filter(r, filter, &action);
	if (result < 0) {
		actions_free(&action, 1);
		return result;
	}
	*ret = action;
	return 1;
}

int actions_compile(struct load *load, struct draft *draft, enum event_type event,
		    struct action **ret, size_t *ret_count, uint64_t *needs)
{
	struct action *actions;
	size_t count = 0;
	int result;

	actions = arena_alloc(load->keep, (draft->nactions + 1) * sizeof *actions);
	if (!actions)
		return -ENOMEM;
	for (size_t i = 0; i < draft->nactions; i++) {
		struct reader r = { load, event, needs, draft, draft->actions[i].file, NULL };

		result = read_action(&r, draft->actions[i].node, &actions[count]);
		if (result < 0) {
			actions_free(actions, count);
			return result == -EINVAL ? 1 : result;
		}
		count += result > 0;
	}
	*ret = actions;
	*ret_count = count;
	return 0;
}

void actions_free(const struct action *actions, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		secl_expr_free(actions[i].filter);
		if (actions[i].set) {
			secl_expr_free(actions[i].set->source);
			secl_expr_free(actions[i].set->scope_field);
		}
	}
}
