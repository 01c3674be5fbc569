/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>

#include "policy/load.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum { MESSAGE_MAX = 1024 };

/* OFFSET in the file, SIZE_MAX = no place. */
static int add_row(struct load *load, enum diag_subject subject, enum diag_status status,
		   const struct policy_file *file, size_t offset, const char *id,
		   const char *message)
{
	char line[SOURCE_LINE_MAX + 8];
	struct diag row = {
		.subject = subject,
		.status = status,
		.policy = (char *)(uintptr_t)file->source.name,
		.path = (char *)(uintptr_t)file->source.path,
		.id = (char *)(uintptr_t)id,
		.message = (char *)(uintptr_t)message,
		.rule = UINT32_MAX,
	};

	if (offset != SIZE_MAX)
		source_point(&file->source, offset, &row, line);
	return diags_add(load->diags, &row);
}

int report_at(struct load *load, enum diag_subject subject, enum diag_status status,
	      const struct policy_file *file, const struct yaml *node, const char *id,
	      const char *format, ...)
{
	char message[MESSAGE_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(message, sizeof message, format, args);
	va_end(args);
	return add_row(load, subject, status, file, node ? node->offset : SIZE_MAX, id, message);
}

int report_inside(struct load *load, enum diag_subject subject, enum diag_status status,
		  const struct policy_file *file, const struct yaml *node, size_t offset,
		  const char *id, const char *message)
{
	offset = yaml_file_offset(node, file->source.text, offset);
	return add_row(load, subject, status, file, offset, id, message);
}

int report_secl(struct load *load, enum diag_subject subject, const struct policy_file *file,
		const struct yaml *node, const char *id, const struct secl_error *error)
{
	const char *line = node->text;

	for (unsigned i = 1; i < error->line && line; i++) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	if (!line || error->column == 0)
		return report_at(load, subject, DIAG_ERROR, file, node, id, "%s", error->err.text);
	return report_inside(load, subject, DIAG_ERROR, file, node,
			     (size_t)(line - node->text) + error->column - 1, id, error->err.text);
}

int report_draft(struct load *load, struct draft *draft, const struct yaml *node,
		 const char *format, ...)
{
	char message[MESSAGE_MAX];
	va_list args;
	int r;

	va_start(args, format);
	(void)vsnprintf(message, sizeof message, format, args);
	va_end(args);
	draft->failed = true;
	r = add_row(load, DIAG_RULE, DIAG_ERROR, draft->file,
		    node ? node->offset : draft->node->offset, draft->id, message);
	if (r < 0)
		return r;
	load->diags->rows[load->diags->count - 1].event = draft->event;
	abouts_mark(load, load->diags->count - 1, draft);
	return 0;
}

int report_warning(struct load *load, const struct policy_file *file, const struct yaml *node,
		   const char *id, const char *format, ...)
{
	char message[MESSAGE_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(message, sizeof message, format, args);
	va_end(args);
	return add_row(load, DIAG_WARNING, DIAG_LOADED, file, node ? node->offset : SIZE_MAX, id,
		       message);
}
