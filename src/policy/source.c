/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>

#include "policy/source.h"

#include <errno.h>

int source_index(struct source *source, struct arena *arena)
{
	const char *end = source->text + source->size;
	size_t count = 1;
	uint32_t *lines;

	for (const char *s = source->text; (s = memchr(s, '\n', (size_t)(end - s))); s++)
		count++;
	lines = arena_alloc(arena, count * sizeof *lines);
	if (!lines)
		return -ENOMEM;
	source->lines = lines;
	source->nlines = count;
	for (const char *s = source->text; (s = memchr(s, '\n', (size_t)(end - s))); s++)
		*++lines = (uint32_t)(s - source->text) + 1;
	return 0;
}

/* Index of the line that OFFSET is in. */
static size_t line_of(const struct source *source, size_t offset)
{
	size_t low = 0, high = source->nlines;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (source->lines[middle] <= offset)
			low = middle;
		else
			high = middle;
	}
	return low;
}

void source_position(const struct source *source, size_t offset, unsigned *ret_line,
		     unsigned *ret_column)
{
	size_t line;

	offset = MIN(offset, source->size);
	line = line_of(source, offset);
	*ret_line = (unsigned)line + 1;
	*ret_column = (unsigned)(offset - source->lines[line]) + 1;
}

void source_point(const struct source *source, size_t offset, struct diag *row,
		  char buf[static SOURCE_LINE_MAX + 8])
{
	size_t start, size, caret, skip = 0;

	offset = MIN(offset, source->size);
	start = source->lines[line_of(source, offset)];
	size = strcspn(source->text + start, "\r\n");
	caret = offset - start;
	if (caret > SOURCE_LINE_MAX * 3 / 4)
		skip = caret - SOURCE_LINE_MAX / 2;
	size = MIN(size - MIN(skip, size), (size_t)SOURCE_LINE_MAX);
	memcpy(buf, source->text + start + skip, size);
	buf[size] = '\0';
	for (size_t i = 0; i < size; i++) {
		if (buf[i] == '\t')
			buf[i] = ' '; /* so that the caret stands where it should */
	}
	source_position(source, offset, &row->line, &row->column);
	row->source = buf;
	row->caret = (unsigned)MIN(caret - skip, size);
}
