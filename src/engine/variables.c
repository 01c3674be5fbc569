/* SPDX-License-Identifier: GPL-3.0-or-later */
/* variables.c - variables as one decision sees them: what is stored, and behind it
 * what the decision itself plans.
 */
#include "config.h"

#include "engine/variables.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

#include "engine/variables_store.h"

/* ---- reading ------------------------------------------------------------------- */

/* Elements of a cell that have not expired, and behind them what is planned. */
struct gathering {
	const struct variable *variable;
	struct arena *scratch;
	struct secl_value value; /* the result */
	size_t capacity;
	bool found;
};

static size_t element_size(enum secl_type type)
{
	switch (type) {
	case SECL_STRING: return sizeof(struct secl_string);
	case SECL_NET: return sizeof(struct secl_net);
	case SECL_BOOL: return sizeof(bool);
	default: return sizeof(int64_t);
	}
}

static bool equal(const struct secl_value *a, const struct secl_value *b)
{
	switch (a->type) {
	case SECL_STRING:
		return a->string.size == b->string.size &&
		       (!a->string.size ||
			memcmp(a->string.text, b->string.text, a->string.size) == 0);
	case SECL_NET: return memcmp(&a->net, &b->net, sizeof a->net) == 0;
	case SECL_BOOL: return a->boolean == b->boolean;
	default: return a->integer == b->integer;
	}
}

static void put_at(struct secl_value *list, size_t i, const struct secl_value *v)
{
	switch (v->type) {
	case SECL_STRING:
		((struct secl_string *)(uintptr_t)list->list.strings)[i] = v->string;
		break;
	case SECL_NET: ((struct secl_net *)(uintptr_t)list->list.nets)[i] = v->net; break;
	case SECL_BOOL: ((bool *)(uintptr_t)list->list.booleans)[i] = v->boolean; break;
	default: ((int64_t *)(uintptr_t)list->list.integers)[i] = v->integer; break;
	}
}

static void put(struct gathering *g, const struct secl_value *v)
{
	g->found = true;
	if (!g->variable->array)
		g->value = *v;
	else if (g->value.list.count < g->capacity)
		put_at(&g->value, g->value.list.count++, v);
}

/* A planned one may be there already. */
static void put_planned(struct gathering *g, const struct secl_value *v)
{
	for (size_t i = 0; g->variable->array && i < g->value.list.count; i++) {
		struct secl_value known = secl_value_element(&g->value, i);

		if (equal(&known, v))
			return;
	}
	put(g, v);
}

static bool is_planned(const struct planned_set *planned, const struct owner *owner)
{
	return planned->action->variable == owner->variable &&
	       (owner->scope != SCOPE_PROCESS || planned->process == owner->process);
}

static int make_list(struct gathering *g, const struct variable_view *view,
		     const struct owner *owner, size_t stored)
{
	g->value = (struct secl_value){ .type = g->variable->type, .array = g->variable->array };
	if (!g->variable->array)
		return 0;
	g->capacity = stored;
	for (const struct planned_set *p = view->planned; p; p = p->next) {
		if (is_planned(p, owner))
			g->capacity += p->value.array ? p->value.list.count : 1;
	}
	if (!g->capacity)
		return 0;
	g->value.list.integers =
		arena_alloc(g->scratch, g->capacity * element_size(g->variable->type));
	return g->value.list.integers ? 0 : -ENOMEM;
}

static void gather_planned(struct gathering *g, const struct variable_view *view,
			   const struct owner *owner)
{
	for (const struct planned_set *p = view->planned; p; p = p->next) {
		if (!is_planned(p, owner))
			continue;
		if (!p->value.array)
			put_planned(g, &p->value);
		for (size_t i = 0; p->value.array && i < p->value.list.count; i++) {
			struct secl_value one = secl_value_element(&p->value, i);

			put_planned(g, &one);
		}
	}
}

/* What OWNER itself has. */
static int gather(struct gathering *g, const struct variable_view *view, const struct owner *owner)
{
	struct variables *store = view->store;
	uint32_t ref = store ? store_find(store, owner, g->variable->inherited) : 0;
	size_t count;
	int r;

	ref = store ? store_first(store, ref, &count) : 0;
	r = make_list(g, view, owner, ref ? count : 0);
	for (; ref && r == 0; ref = store_next(store, ref)) {
		struct secl_value v = { .type = g->variable->type };

		if (!store_lasts(store, ref, view->now_ns))
			continue;
		r = store_value(store, ref, g->scratch, &v);
		if (r == 0)
			put(g, &v);
	}
	if (r == 0)
		gather_planned(g, view, owner);
	/* as the store will, when it takes in what is planned */
	if (g->variable->array && g->value.list.count > g->variable->size) {
		size_t more = g->value.list.count - g->variable->size;

		g->value.list.integers =
			(const int64_t *)(const void *)((const char *)g->value.list.integers +
							more * element_size(g->variable->type));
		g->value.list.count -= more;
	}
	return r;
}

/* 1 found, 0 not set, -errno. */
static int read_variable(const struct variable_view *view, unsigned index, struct arena *scratch,
			 struct secl_value *ret)
{
	const struct variable *variable = &view->ruleset->variables[index];
	struct gathering g = { .variable = variable, .scratch = scratch };
	const struct process *process = view->process;
	int r = 0;

	g.value = (struct secl_value){ .type = variable->type, .array = variable->array };
	while (r == 0 && !g.found && process) {
		struct owner owner = variable_owner(index, variable, process);

		if (owner_exists(&owner))
			r = gather(&g, view, &owner);
		process = variable->inherited ? process->parent : NULL;
	}
	if (r < 0)
		return r;
	*ret = g.value;
	return g.found;
}

static int make_uuid(char text[37])
{
	unsigned char b[16];

	if (getrandom(b, sizeof b, GRND_NONBLOCK) != sizeof b)
		return -EIO;
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40); /* RFC 9562, version 4 */
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	(void)snprintf(text, 37,
		       "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
		       b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
		       b[13], b[14], b[15]);
	return 0;
}

/* All rules and actions of one event see the same, so that what they set belongs
 * together. The value outlives the view.
 */
static int read_uuid(struct variable_view *view, struct arena *scratch, struct secl_value *ret)
{
	int r = view->uuid[0] ? 0 : make_uuid(view->uuid);
	char *text = r == 0 ? arena_copy(scratch, view->uuid, sizeof view->uuid - 1) : NULL;

	if (!text)
		return r < 0 ? r : -ENOMEM;
	*ret = (struct secl_value){ .type = SECL_STRING, .string = { text, 36 } };
	return 0;
}

static int find(const struct secl_vars *self UNUSED, const char *name UNUSED,
		enum secl_type *ret_type UNUSED, bool *ret_array UNUSED, unsigned *ret_id UNUSED)
{
	return -ENOENT; /* for evaluation only */
}

static int get(const struct secl_vars *self, const struct secl_context *ctx, unsigned id,
	       struct secl_value *ret)
{
	const struct variable_view *view = CONTAINER_OF(self, const struct variable_view, base);
	const struct variable *variable;
	int r;

	if (id == VARIABLE_UUID4)
		return read_uuid((struct variable_view *)(uintptr_t)view, ctx->scratch, ret);
	if (id == VARIABLE_PROCESS_PID) {
		*ret = (struct secl_value){ .type = SECL_INT, .integer = view->process->pid };
		return 0;
	}
	variable = &view->ruleset->variables[id - VARIABLE_FIRST_ID];
	r = read_variable(view, id - VARIABLE_FIRST_ID, ctx->scratch, ret);
	if (r != 0)
		return MIN(r, 0);
	/* it may have been dropped, see variables.h */
	if (view->store && store_dropped(view->store) && variable->scope != SCOPE_GLOBAL)
		return -ENOMEM;
	if (variable->standard.type != SECL_NONE)
		*ret = variable->standard;
	return 0;
}

struct variable_view variables_view(struct variables *store, const struct ruleset *ruleset,
				    const struct process *process, int64_t now_ns)
{
	return (struct variable_view){ .base = { find, get },
				       .store = store,
				       .ruleset = ruleset,
				       .process = process,
				       .now_ns = now_ns };
}

void variables_each(struct variables *store, const struct ruleset *ruleset,
		    enum variable_scope scope, const struct process *process, int64_t now_ns,
		    struct arena *scratch,
		    void (*visit)(void *data, const struct variable *variable,
				  const struct secl_value *value),
		    void *data)
{
	const struct variable_view view = variables_view(store, ruleset, process, now_ns);

	for (unsigned i = 0; i < ruleset->nvariables; i++) {
		const struct variable *variable = &ruleset->variables[i];
		struct secl_value value;

		if (variable->scope == scope && !variable->private && !variable->environment &&
		    read_variable(&view, i, scratch, &value) > 0)
			visit(data, variable, &value);
	}
}

/* ---- writing ------------------------------------------------------------------- */

static int plan_owner(struct variable_view *view, const struct set_action *action,
		      struct secl_context *ctx, const struct process **ret)
{
	struct secl_value pid;
	int r;

	*ret = view->process;
	if (!action->scope_field)
		return 0;
	r = secl_eval_value(action->scope_field, ctx, &pid);
	if (r < 0)
		return r;
	if (pid.integer == view->process->pid)
		return 0;
	*ret = view->lookup ? view->lookup(view->lookup_data, (pid_t)pid.integer) : NULL;
	return *ret ? 0 : -ESRCH;
}

int variables_plan(struct variable_view *view, const struct set_action *action,
		   struct secl_context *ctx)
{
	const struct variable *variable = &view->ruleset->variables[action->variable];
	struct planned_set *planned = arena_alloc(ctx->scratch, sizeof *planned), **link;
	struct owner owner;
	int r;

	if (!planned)
		return -ENOMEM;
	*planned = (struct planned_set){ .action = action, .value = action->value };
	r = plan_owner(view, action, ctx, &planned->process);
	if (r == 0 && action->source)
		r = secl_eval_value(action->source, ctx, &planned->value);
	if (r < 0)
		return r;
	owner = variable_owner(action->variable, variable, planned->process);
	if (!owner_exists(&owner))
		return -ENOENT;
	for (link = &view->planned; *link; link = &(*link)->next)
		;
	*link = planned;
	return 0;
}

void variables_apply(struct variables *store, const struct ruleset *ruleset,
		     const struct planned_set *planned, const struct process *candidate,
		     const struct process *actor, int64_t now_ns)
{
	if (!store || !planned)
		return;
	store_begin(store);
	for (; planned; planned = planned->next) {
		const struct process *process =
			planned->process == candidate ? actor : planned->process;
		unsigned index = planned->action->variable;
		struct owner owner = variable_owner(index, &ruleset->variables[index], process);

		store_write(store, &ruleset->variables[index], &owner, &planned->value, now_ns);
	}
	store_end(store);
}
