/* SPDX-License-Identifier: GPL-3.0-or-later */
/* guard check: what is right, and probably not what was meant, or dear. */
#include "config.h"

#include "cmd/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum { LITERAL_SHOWN = 80 };

struct adviser {
	const struct checked *checked;
	struct diags *diags;
	size_t at; /* row of the rule */
	int result;
};

static void advise(struct adviser *a, const char *format, ...) PRINTF_LIKE(2, 3);

static void advise(struct adviser *a, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (a->result == 0)
		a->result = check_warn(a->diags, a->at, text);
}

static bool has_star(const struct secl_literal *literal)
{
	return literal->text.size > 1 && memchr(literal->text.text, '*', literal->text.size);
}

static bool begins_with_star(const struct secl_literal *literal)
{
	return literal->text.size && literal->text.text[0] == '*';
}

static bool is_not_sought(const struct secl_literal *literal)
{
	return !literal->sought;
}

/* What is said of literals, by form: of the first, and how many more there are. */
static const struct remark {
	enum secl_form form;
	bool (*holds)(const struct secl_literal *literal);
	const char *what, *before;
} remarks[] = {
	{ SECL_FORM_TEXT, has_star, "compared as it stands, a pattern is written ~\"...\": ", "" },
	{ SECL_FORM_PATTERN, begins_with_star, "wildcard prefix forces a full scan: ", "~" },
	{ SECL_FORM_GLOB, begins_with_star, "wildcard prefix forces a full scan: ", "~" },
	{ SECL_FORM_REGEXP, is_not_sought,
	  "regular expression without a literal, it runs over every value: ", "r" },
};

struct literals {
	struct secl_literal first[ELEMENTS(remarks)];
	size_t counts[ELEMENTS(remarks)];
};

static void look_at_literal(void *data, const struct secl_literal *literal)
{
	struct literals *found = data;

	for (size_t i = 0; i < ELEMENTS(remarks); i++) {
		if (remarks[i].form != literal->form || !remarks[i].holds(literal))
			continue;
		if (!found->counts[i]++)
			found->first[i] = *literal;
	}
}

static void look_at_literals(struct adviser *a, const struct rule *rule)
{
	struct literals found = { .counts = { 0 } };
	char more[32];

	secl_expr_literals(rule->expr, look_at_literal, &found);
	for (size_t i = 0; i < ELEMENTS(remarks); i++) {
		const struct secl_string *text = &found.first[i].text;

		if (!found.counts[i])
			continue;
		(void)snprintf(more, sizeof more, " and %zu more", found.counts[i] - 1);
		advise(a, "%s%s\"%.*s\"%s", remarks[i].what, remarks[i].before,
		       (int)MIN(text->size, (size_t)LITERAL_SHOWN), text->text,
		       found.counts[i] > 1 ? more : "");
	}
}

/* A condition that is no single value is asked for, if only once for all rules with it. */
static void note_asked(void *data, const struct secl_atom *atom)
{
	bool *asked = data;

	*asked |= atom->kind == SECL_ATOM_PREDICATE && atom->predicate->lasting == SECL_PASSING;
}

static void look_at_rule(struct adviser *a, const struct rule *rule)
{
	bool value, asked = false;

	if (secl_expr_fixed(rule->expr, &value))
		advise(a, "the expression is always %s", value ? "true" : "false");
	look_at_literals(a, rule);
	if (rule->protection == PROTECTION_BLOCKING &&
	    event_type_guarantee(rule->event) == GUARANTEE_OBSERVED)
		advise(a, "blocking rests on memory only: %s", guarantee_text(GUARANTEE_OBSERVED));
	if (a->checked->set->index[rule->event] &&
	    (!secl_expr_atoms(rule->expr, note_asked, &asked) || asked))
		advise(a,
		       "no index: it names nothing that an event must have, and is asked at "
		       "every %s event",
		       event_type_name(rule->event));
}

int check_advice(const struct checked *checked, struct diags *diags)
{
	struct adviser a = { .checked = checked, .diags = diags };
	size_t count = diags->count;

	for (a.at = 0; a.at < count && a.result == 0; a.at++) {
		const struct rule *rule = check_rule(checked, &diags->rows[a.at]);

		if (rule)
			look_at_rule(&a, rule);
	}
	return a.result;
}
