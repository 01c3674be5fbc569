/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lineage.h - what holds of the programs of a process's ancestors.
 *
 * A predicate about an image (its file, arguments, environment) is evaluated once for
 * each process that has executed one, and inherited as a bit: what any ancestor ever
 * was asked costs the same however many there are. Nothing else is inherited: names,
 * credentials and cgroups change without an exec.
 *
 * Of one ruleset, from the moment somebody asks: another ruleset has another. A process
 * is known by its slot, and whoever owns the processes says when one has another image
 * than before.
 */
#pragma once
#include "policy/ruleset.h"

struct lineage;
struct scrubber;

/* What is known of a process's ancestors, all of them, and of its parent. */
struct lineage_bits {
	const uint64_t *of_parent, *of_ancestors; /* see secl_memo */
	bool unknown, cut;                        /* the image of some ancestor is */
};

/* For processes in slots 1 to SLOTS: 0, or -ENOMEM. The scrubber, which says what of an
 * environment rules see, is borrowed as the ruleset is.
 */
int lineage_new(const struct ruleset *ruleset, const struct scrubber *scrubber, size_t slots,
		struct lineage **ret);
void lineage_free(struct lineage *lineage);

/* The image of the process in SLOT is, or may be, another. PARENT: it has children. */
void lineage_changed(struct lineage *lineage, unsigned slot, bool parent);

/* What is known of the ancestors of PROCESS. False when that is nothing: it has none,
 * they are in no table, or something could not be evaluated, which whoever evaluates it
 * again finds out. Valid until the next call.
 */
bool lineage_look(struct lineage *lineage, const struct process *process, struct lineage_bits *ret);
