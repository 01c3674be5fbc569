/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pins.h - files that are known by a path, known again under any other name.
 *
 * A hard link, a bind mount or a rename gives a socket another path and leaves it
 * the same file. Each pinned path is looked at when a file is to be compared, in
 * guard's root and in the caller's, and what it was before is remembered: the file
 * that was there at the start for ever, the last few after it.
 */
#pragma once
#include "base/util.h"
#include "kernel/resolve.h"

enum { PINS_MAX = 512 };

struct pins;

struct pins_set {
	uint64_t bits[PINS_MAX / 64];
};

static inline bool pins_has(const struct pins_set *set, size_t i)
{
	return set->bits[i / 64] >> (i % 64) & 1;
}

/* Numbered from 0; what is more than PINS_MAX is left out. The texts are copied. Looks
 * at each path for the first time. 0, or -ENOMEM.
 */
int pins_new(const struct secl_string *paths, size_t count, struct pins **ret);
void pins_free(struct pins *pins);

struct pins_view {
	const struct resolve_host *host;
	pid_t tid, tgid; /* the caller, in whose root the paths are looked at, too */
	int file;        /* the file in question */
};

/* Which paths are or were the file. May wait for file servers: for a worker, of which
 * several may ask at once.
 */
void pins_find(struct pins *pins, const struct pins_view *view, struct pins_set *ret);
