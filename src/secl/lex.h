/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lex.h - text of a rule to tokens (specification section 1). */
#pragma once
#include "secl/source.h"

enum token_kind {
	TOKEN_END,
	TOKEN_CIDR,
	TOKEN_IP,
	TOKEN_VARIABLE,  /* ${name} */
	TOKEN_REFERENCE, /* %{name} */
	TOKEN_DURATION,
	TOKEN_REGEXP,
	TOKEN_IDENT,
	TOKEN_STRING,
	TOKEN_PATTERN,
	TOKEN_INT,
	TOKEN_PUNCT,
};

struct token {
	enum token_kind kind;
	uint32_t offset;  /* of its first byte */
	const char *text; /* what is between quotes or braces, else all of it */
	size_t size;
	union {
		int64_t integer; /* INT; DURATION in nanoseconds */
		struct secl_net net;
		char punct;
	};
};

struct lexer {
	struct source source;
	size_t pos;
};

/* The next token, TOKEN_END at the end: 0, or -EINVAL with the error set. */
int lex_next(struct lexer *lexer, struct token *ret);

/* Length of the name at TEXT (letter or underscore, then letters, digits,
 * underscores, dots); 0 = none.
 */
size_t lex_name(const char *text, const char *end);
