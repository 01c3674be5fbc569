/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fields of limiter_token: what a rule's reports are counted by. */
#include <config.h>

#include "policy/load.h"

#include <errno.h>
#include <stdio.h>

#include "model/field.h"

_Static_assert(MAX_TOKENS == 16, "a message says so");

/* 1, or -ENOMEM. An override may have brought the list from another file. */
static int reject(struct load *load, struct draft *d, const struct yaml *node, const char *text)
{
	int r = report_at(load, DIAG_RULE, DIAG_ERROR, d->tokens.file, node, d->id,
			  "limiter_token: %s", text);

	d->failed = true;
	return r < 0 ? r : 1;
}

/* One name: 0; 1 with a row, -ENOMEM. */
static int compile_token(struct load *load, struct draft *d, struct rule *rule,
			 const struct yaml *node, struct secl_expr **ret)
{
	const struct secl_options options = { .schema = &event_schema };
	struct secl_error error = { .line = 0 };
	char reference[SECL_NAME_MAX + 8];
	unsigned about;
	int r;

	if (node->kind != YAML_IS_SCALAR ||
	    snprintf(reference, sizeof reference, "%%{%s}", node->text) >= (int)sizeof reference)
		return reject(load, d, node, "it must be a list of fields");
	r = secl_compile(&options, reference, ret, &error);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return reject(load, d, node, error.err.text);
	about = secl_expr_event(*ret);
	if (about == EVENT_NONE || about == (unsigned)rule->event) {
		rule->token_needs |= secl_expr_needs(*ret);
		return 0;
	}
	return reject(load, d, node, "a field is about another type of event than the rule");
}

int tokens_compile(struct load *load, struct draft *d, struct rule *rule)
{
	const struct yaml *list = d->tokens.node;
	struct secl_expr **tokens;
	int r = 0;

	if (!list || yaml_is_null(list) || !list->count)
		return 0;
	if (list->count > MAX_TOKENS)
		return reject(load, d, list, "it has too many fields, 16 are allowed");
	tokens = arena_alloc(load->keep, list->count * sizeof(struct secl_expr *));
	if (!tokens)
		return -ENOMEM;
	rule->tokens = tokens;
	for (const struct yaml *t = list->first; t && r == 0; t = t->next)
		r = compile_token(load, d, rule, t, &tokens[rule->ntokens++]);
	return r;
}

void tokens_free(const struct rule *rule)
{
	for (size_t i = 0; i < rule->ntokens; i++)
		secl_expr_free(rule->tokens[i]);
}
