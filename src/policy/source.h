/* SPDX-License-Identifier: GPL-3.0-or-later */
/* source.h - the text of one policy file, and where in it something stands.
 *
 * Offsets are bytes from the beginning of the text; lines and columns are what
 * an editor shows, from 1, columns in bytes.
 */
#pragma once
#include "base/arena.h"
#include "policy/diag.h"

/* The longest source line that a message repeats; longer ones are cut around
 * the error.
 */
enum { SOURCE_LINE_MAX = 160 };

struct source {
	const char *name; /* for messages without a path */
	const char *path; /* NULL = built in */
	const char *text; /* NUL-terminated */
	size_t size;
	const uint32_t *lines; /* where each begins; source_index() */
	size_t nlines;
};

/* Finds the lines, for the functions below. 0, or -ENOMEM; the index is in
 * ARENA.
 */
int source_index(struct source *source, struct arena *arena);

void source_position(const struct source *source, size_t offset, unsigned *ret_line,
		     unsigned *ret_column);

/* Fills line, column, source and caret of ROW. The line is copied into BUF. */
void source_point(const struct source *source, size_t offset, struct diag *row,
		  char buf[static SOURCE_LINE_MAX + 8]);
