/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>

#include "policy/source.h"

/* Offset of the first byte of the line that OFFSET is in. */
static size_t line_start(const struct source *source, size_t offset)
{
	while (offset > 0 && source->text[offset - 1] != '\n')
		offset--;
	return offset;
}

void source_position(const struct source *source, size_t offset, unsigned *ret_line,
		     unsigned *ret_column)
{
	unsigned line = 1;
	const char *s = source->text, *end;

	offset = MIN(offset, source->size);
	end = source->text + offset;
	while ((s = memchr(s, '\n', (size_t)(end - s)))) {
		line++;
		s++;
	}
	*ret_line = line;
	*ret_column = (unsigned)(offset - line_start(source, offset)) + 1;
}

void source_point(const struct source *source, size_t offset, struct diag *row,
		  char buf[static SOURCE_LINE_MAX + 8])
{
	size_t start, size, caret, skip = 0;
	const char *end;

	offset = MIN(offset, source->size);
	start = line_start(source, offset);
	end = strpbrk(source->text + start, "\r\n");
	size = end ? (size_t)(end - source->text) - start : source->size - start;
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
