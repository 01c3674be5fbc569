/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>

#include "policy/diag.h"

#include <errno.h>
#include <stdio.h>

const char *diag_status_name(enum diag_status status)
{
	static const char *const names[] = {
		[DIAG_LOADED] = "loaded",
		[DIAG_FILTERED] = "filtered",
		[DIAG_DISABLED] = "disabled",
		[DIAG_ERROR] = "error",
	};

	return names[status];
}

static void free_row(struct diag *row)
{
	free(row->policy);
	free(row->path);
	free(row->id);
	free(row->message);
	free(row->source);
}

/* A copy of TEXT, or NULL with *failed set. */
static char *copy(const char *text, bool *failed)
{
	char *s = text ? strdup(text) : NULL;

	*failed |= text && !s;
	return s;
}

int diags_add(struct diags *diags, const struct diag *row)
{
	size_t capacity = diags->capacity ? diags->capacity * 2 : 64;
	bool failed = false;
	struct diag *rows, copied = *row;

	if (diags->count == diags->capacity) {
		rows = reallocarray(diags->rows, capacity, sizeof *rows);
		if (!rows)
			return -ENOMEM;
		diags->rows = rows;
		diags->capacity = capacity;
	}
	copied.policy = copy(row->policy, &failed);
	copied.path = copy(row->path, &failed);
	copied.id = copy(row->id, &failed);
	copied.message = copy(row->message, &failed);
	copied.source = copy(row->source, &failed);
	if (failed) {
		free_row(&copied);
		return -ENOMEM;
	}
	diags->rows[diags->count++] = copied;
	if (row->status == DIAG_ERROR && row->subject != DIAG_WARNING)
		diags->errors++;
	return 0;
}

void diags_done(struct diags *diags)
{
	for (size_t i = 0; i < diags->count; i++)
		free_row(&diags->rows[i]);
	free(diags->rows);
	*diags = (struct diags){ 0 };
}

/* "path:line:column", as much of it as is known. */
static void format_place(const struct diag *diag, char *buf, size_t size)
{
	const char *name = diag->path ? diag->path : diag->policy ? diag->policy : "policy";

	if (diag->line)
		(void)snprintf(buf, size, "%s:%u:%u", name, diag->line, MAX(diag->column, 1u));
	else
		(void)snprintf(buf, size, "%s", name);
}

void diag_print(int fd, const struct diag *diag)
{
	static const char *const subjects[] = {
		[DIAG_POLICY] = "policy", [DIAG_MACRO] = "macro",  [DIAG_RULE] = "rule",
		[DIAG_ACTION] = "rule",   [DIAG_WARNING] = "rule",
	};
	struct err line = { 0 }, source = { 0 };
	char place[512], id[160] = "";

	format_place(diag, place, sizeof place);
	if (diag->id)
		(void)snprintf(id, sizeof id, "%s '%s': ", subjects[diag->subject], diag->id);
	/* through err_set(): what came out of a file is escaped */
	(void)err_set(&line, 0, "%s: %s%s%s", place,
		      diag->subject == DIAG_WARNING ? "warning: " : "", id,
		      diag->message ? diag->message : diag_status_name(diag->status));
	(void)dprintf(fd, "%s\n", line.text);
	if (!diag->source)
		return;
	(void)err_set(&source, 0, "%s", diag->source);
	(void)dprintf(fd, "  %s\n  %*s^\n", source.text, (int)diag->caret, "");
}
