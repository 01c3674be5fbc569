/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "record/line.h"

enum { LINE_OVERHEAD = 64 }; /* of the allocator, and the queue's entry */

struct line *line_new(const char *text, size_t size, uint64_t seq)
{
	struct line *line = malloc(sizeof *line + size + 1);

	if (!line)
		return NULL;
	*line = (struct line){ .refs = 1, .seq = seq, .size = size };
	for (size_t i = 0; i < size; i++)
		line->text[i] = (unsigned char)text[i] < ' ' ? ' ' : text[i];
	line->text[size] = '\0';
	return line;
}

struct line *line_ref(struct line *line)
{
	line->refs++;
	return line;
}

void line_unref(struct line *line)
{
	if (--line->refs == 0)
		free(line);
}

size_t line_cost(const struct line *line)
{
	return sizeof *line + line->size + LINE_OVERHEAD;
}
