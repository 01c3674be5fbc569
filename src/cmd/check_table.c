/* SPDX-License-Identifier: GPL-3.0-or-later */
/* guard check: one line for each rule. */
#include "config.h"

#include "cmd/check.h"

#include <stdio.h>

#include "base/escape.h"

enum { ID_WIDTH = 40 };

static void print_call(void *data, const char *name)
{
	bool *any = data;

	(void)printf("%s%s", *any ? "," : "", name);
	*any = true;
}

/* Ids are letters, digits and underscores, unless that is what is wrong with them. */
static int id_width(const struct diag *row)
{
	return row->id ? MIN((int)strlen(row->id), (int)ID_WIDTH) : 1;
}

static void print_row(const struct checked *checked, const struct diag *row, int width)
{
	const struct rule *rule = check_rule(checked, row);
	char id[4 * (ID_WIDTH + 1)] = "-";
	bool any = false;

	if (row->id)
		(void)escape_text(id, sizeof id, row->id, (size_t)id_width(row));
	(void)printf("%-*s  %-9s  %-11s  %-8s  %-9s  ", width, id,
		     row->event ? event_type_name((enum event_type)row->event) : "-",
		     rule ? protection_name(rule->protection) : "-",
		     diag_status_name(check_status(checked, row)),
		     rule ? guarantee_name(event_type_guarantee(rule->event)) : "-");
	if (rule)
		check_calls(checked, rule, print_call, &any);
	(void)printf("%s\n", any ? "" : "-");
}

void check_table(const struct checked *checked)
{
	int width = (int)strlen("RULE");
	size_t count = 0;

	for (size_t i = 0; i < checked->diags->count; i++) {
		if (checked->diags->rows[i].subject != DIAG_RULE)
			continue;
		width = MAX(width, id_width(&checked->diags->rows[i]));
		count++;
	}
	if (!count)
		return;
	(void)printf("%-*s  %-9s  %-11s  %-8s  %-9s  %s\n", width, "RULE", "EVENT", "PROTECTION",
		     "STATE", "GUARANTEE", "NEEDS");
	for (size_t i = 0; i < checked->diags->count; i++) {
		if (checked->diags->rows[i].subject == DIAG_RULE)
			print_row(checked, &checked->diags->rows[i], width);
	}
	(void)printf("\n");
}
