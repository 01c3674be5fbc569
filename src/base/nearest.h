/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nearest.h - the name that was probably meant, for "did you mean ...?".
 *
 * Begin with the word that was not understood, offer every name that would
 * have been, ask for the result. Works for any table, since the caller walks
 * it:
 *
 *	struct nearest n = NEAREST(word);
 *	for (each row)
 *		nearest_offer(&n, row->name);
 *	hint = nearest_result(&n);
 */
#pragma once
#include "base/util.h"

/* Longer words and names are never near anything. */
enum { NEAREST_MAX_LENGTH = 64 };

struct nearest {
	const char *word;
	size_t size;      /* of the word, which need not be NUL-terminated */
	const char *best; /* NULL = none yet */
	unsigned distance;
};

/* For a NUL-terminated word; a part of a text is { .word = text, .size = n }. */
#define NEAREST(text)                                                                              \
	{                                                                                          \
		.word = (text), .size = strlen(text)                                               \
	}

/* NAME is kept until nearest_result(). NULL is ignored. */
void nearest_offer(struct nearest *n, const char *name);

/* The closest name offered, the first of equals; NULL when none is close: more
 * than a third of the letters would have to change.
 */
const char *nearest_result(const struct nearest *n);
