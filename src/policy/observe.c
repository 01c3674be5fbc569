/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a rule looks at and guard cannot see: event types without a source, fields
 * without a value. It is said of every rule. Nothing is refused for a value that
 * nobody read: a blocking rule is rejected, or, if the user prefers that to no
 * start, watches only.
 */
#include <config.h>

#include "policy/load.h"

#include <errno.h>

#include "model/field.h"

struct observation {
	struct load *load;
	struct draft *draft;
	struct rule *rule;
	bool refuses; /* what is looked at decides about a refusal */
	int result;   /* as of rule_observable() */
};

/* Marks the row that was reported last. */
static void mark(struct load *load, bool unenforced)
{
	struct diag *row = &load->diags->rows[load->diags->count - 1];

	row->unobservable = true;
	row->unenforced = unenforced;
}

static int warn(struct load *load, struct draft *d, bool unenforced, const char *what,
		const char *then)
{
	int r = report_warning(load, d->file, d->expression, d->id, "not observable yet: %s%s",
			       what, then);

	if (r == 0)
		mark(load, unenforced);
	return r;
}

/* A blocking rule rests on WHAT: 0 when it may go on and watch, 1, -ENOMEM. */
static int cannot_enforce(struct load *load, struct draft *d, struct rule *rule, const char *what)
{
	int r;

	if (load->options->best_effort) {
		rule->protection = PROTECTION_MONITORING;
		return warn(load, d, true, what, "; the rule only watches");
	}
	r = report_draft(load, d, d->expression, "cannot be enforced: not observable yet: %s",
			 what);
	if (r < 0)
		return r;
	mark(load, true);
	return 1;
}

static void look_at_field(void *data, const struct secl_field *field)
{
	struct observation *o = data;
	bool refuses = o->refuses && o->rule->protection == PROTECTION_BLOCKING;
	struct err what;

	if (o->result)
		return;
	if (!field_available(field)) {
		(void)err_set(&what, 0, "this version of guard does not know the value of %s",
			      field->name);
		if (refuses)
			o->result = cannot_enforce(o->load, o->draft, o->rule, what.text);
		else
			o->result = warn(o->load, o->draft, false, what.text,
					 ": it reads as empty or 0");
	} else if (field->needs & NEED_HOSTNAMES) {
		/* those that are known are certain: a rule may refuse by them */
		(void)err_set(&what, 0, "of %s those names that only DNS knows", field->name);
		o->result = warn(o->load, o->draft, false, what.text, "");
	}
}

/* Whether events of the type are seen at all: 0; 1 when there is no rule; -ENOMEM. */
static int look_at_event(struct load *load, struct draft *d, const struct rule *rule)
{
	bool blocking = rule->protection == PROTECTION_BLOCKING;
	int r;

	if (event_type_watched(rule->event))
		return 0;
	if (blocking && !load->options->best_effort) {
		r = report_draft(load, d, d->expression,
				 "cannot be enforced: not observable yet: event type %s is not "
				 "enabled, this version of guard has no source for it",
				 event_type_name(rule->event));
		if (r == 0)
			mark(load, true);
		return r < 0 ? r : 1;
	}
	/* a part of a FIM rule may be watched when this one is not */
	d->filtered = "not observable yet: its event type is not enabled, this version of guard "
		      "has no source for it";
	d->unobservable = true;
	d->unenforced |= blocking;
	return 1;
}

int rule_observable(struct load *load, struct draft *draft, struct rule *rule)
{
	struct observation o = { .load = load, .draft = draft, .rule = rule, .refuses = true };
	int r;

	/* recorded events have what was recorded */
	if (load->options->unwatched)
		return 0;
	r = look_at_event(load, draft, rule);
	if (r != 0)
		return r;
	secl_expr_fields(rule->expr, look_at_field, &o);
	for (size_t i = 0; i < rule->nactions && o.result == 0; i++) {
		const struct action *action = &rule->actions[i];

		o.refuses = action->type == ACTION_BLOCK || action->type == ACTION_KILL;
		if (action->filter)
			secl_expr_fields(action->filter, look_at_field, &o);
		if (action->set && action->set->source)
			secl_expr_fields(action->set->source, look_at_field, &o);
	}
	return MIN(o.result, 1);
}
