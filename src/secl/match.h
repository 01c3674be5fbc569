/* SPDX-License-Identifier: GPL-3.0-or-later */
/* match.h - literals of a rule, made ready to be compared with text.
 *
 * Exact ones are hashed, so that a list of a thousand names costs as much as
 * one; patterns, globs and regexps are tried one after the other, each in time
 * linear in the text.
 */
#pragma once
#include "secl/ast.h"
#include "secl/pool.h"
#include "secl/secl.h"

struct literal {
	struct secl_string text; /* outlives the matcher */
	enum flavour flavour;
	uint32_t offset; /* for messages */
};

struct matcher;

/* A shorter piece of a pattern tells next to nothing. */
enum { ATOM_PART_MIN = 2 };

struct matcher_options {
	bool glob;  /* patterns are path globs */
	bool icase; /* letters A-Z and a-z are the same; regexps fold by Unicode */
};

/* 0; -EINVAL with *err, *ret_bad being the literal that is wrong; -ENOMEM. */
int matcher_new(struct pool *pool, const struct matcher_options *options,
		const struct literal *literals, size_t count, struct matcher **ret, size_t *ret_bad,
		struct err *err);

/* Whether any literal matches: 1, 0, or -errno (regexp_match()). */
int matcher_match(const struct matcher *m, const struct secl_string *text, struct arena *scratch);

/* Calls VISIT for the texts without wildcards. */
void matcher_texts(const struct matcher *m, const struct secl_field *field,
		   void (*visit)(void *data, const struct secl_field *field,
				 const struct secl_string *text),
		   void *data);

/* Texts of which one is or is in whatever matches (as secl_expr_atoms()): how many
 * there are, 0 when something matches that contains none of them.
 */
size_t matcher_atoms(const struct matcher *m,
		     void (*visit)(void *data, enum secl_atom_kind kind,
				   const struct secl_string *text),
		     void *data);

struct matcher_counts {
	size_t exact, patterns, globs, regexps;
};
void matcher_count(const struct matcher *m, struct matcher_counts *ret);
void matcher_each(const struct matcher *m,
		  void (*visit)(void *data, const struct secl_literal *literal), void *data);

/* Cost of one evaluation, in the units of secl_field.weight. */
unsigned matcher_weight(const struct matcher *m);
