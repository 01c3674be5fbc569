/* SPDX-License-Identifier: GPL-3.0-or-later */
/* source.h - the text of a rule, and saying where something is wrong with it. */
#pragma once
#include "secl/secl.h"

/* The text that is being read and where to put what is wrong with it. */
struct source {
	const char *text;
	size_t size;
	struct secl_error *error; /* may be NULL */
};

/* Fills the error for the byte at OFFSET; returns -EINVAL. */
int source_error(const struct source *source, size_t offset, const char *format, ...)
	PRINTF_LIKE(3, 4);
