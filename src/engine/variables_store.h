/* SPDX-License-Identifier: GPL-3.0-or-later */
/* variables_store.h - the memory behind variables.h; private to its two files.
 *
 * A cell is the value of one variable for one owner: a list of elements, of which a
 * scalar has one. Cells and elements are named by numbers, 0 = none.
 */
#pragma once
#include "engine/variables.h"

/* Whose value it is. */
struct owner {
	enum variable_scope scope;
	unsigned variable;
	const struct process *process;
	struct secl_string text; /* container or cgroup */
};

struct owner variable_owner(unsigned index, const struct variable *variable,
			    const struct process *process);
/* False for what has no value at all: a host process has no container. */
bool owner_exists(const struct owner *owner);

/* The cell of OWNER. ANY_IMAGE: of a process, also what was set before an exec. */
uint32_t store_find(struct variables *store, const struct owner *owner, bool any_image);

/* Elements, oldest first. */
uint32_t store_first(struct variables *store, uint32_t cell, size_t *ret_count);
uint32_t store_next(struct variables *store, uint32_t element);
/* It has not expired. */
bool store_lasts(struct variables *store, uint32_t element, int64_t now_ns);
/* Its value, of the type that *ret has already; a long text lies in SCRATCH. 0, or
 * -ENOMEM.
 */
int store_value(struct variables *store, uint32_t element, struct arena *scratch,
		struct secl_value *ret);

/* What is missing may have been dropped. */
bool store_dropped(const struct variables *store);

/* Around every change: who dies in between leaves it torn. */
void store_begin(struct variables *store);
void store_end(struct variables *store);
void store_write(struct variables *store, const struct variable *variable,
		 const struct owner *owner, const struct secl_value *value, int64_t now_ns);
