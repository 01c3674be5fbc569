/* SPDX-License-Identifier: GPL-3.0-or-later */
/* share.h - what the expressions of one policy have in common, kept once: fields,
 * lists of literals made ready, and predicates about a field. Frees as a whole, after
 * the expressions that were compiled with it.
 */
#pragma once
#include "secl/compile.h"

/* The field called NAME: NULL when it was not added yet. */
const struct secl_field *share_field_find(const struct secl_shared *shared,
					  const struct secl_string *name);
/* Adds it, copied: 0, or -ENOMEM. */
int share_field_add(struct secl_shared *shared, const struct secl_string *name,
		    const struct secl_field *field, const struct secl_field **ret);

/* As matcher_new(), in POOL when there is nothing to share. */
int share_matcher(struct secl_shared *shared, struct pool *pool,
		  const struct matcher_options *options, const struct literal *literals,
		  size_t count, const struct matcher **ret, size_t *ret_bad, struct err *err);

/* Makes N, a comparison that is finished, known to be one of a predicate's, when it is
 * about a shared field and something constant: 0, or -ENOMEM.
 */
int share_predicate(struct secl_shared *shared, const struct secl_schema *schema, struct node *n);
