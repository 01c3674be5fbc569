/* SPDX-License-Identifier: GPL-3.0-or-later */
/* imagepool.h - program images: what each exec put into memory, found again by
 * the memory that it made.
 *
 * An image is one block: the struct and all its strings. Blocks come in a few
 * sizes; of each there is a fixed number, so a fork bomb or a thousand long
 * command lines cost what was reserved and no more. Images are counted: the
 * processes forked from one share it. One that nobody holds any more stays for a
 * while: a child that has not been met yet may turn up.
 *
 * The token of an image identifies the address space that its exec laid out, and
 * every fork of it (kernel/verify.h). The pool lies in memory shared with the
 * keeper: a successor of the supervisor finds the images of the processes that it
 * takes over, as they were at their execs.
 */
#pragma once
#include "model/event.h"

struct imagepool;

/* Maps a new pool at the same address for every process forked from here: 0, or
 * -ENOMEM.
 */
int imagepool_new(struct imagepool **ret);
void imagepool_free(struct imagepool *pool);

/* After the one who used it has died, maybe in the middle of something: every
 * image that was complete is there and held by nobody.
 */
void imagepool_recover(struct imagepool *pool);

/* A copy of IMAGE with one reference. What does not fit the largest free block
 * is cut from the ends of environment and arguments: then `cut` is set in the
 * copy. NULL only when no block at all is left.
 */
const struct image *imagepool_copy(struct imagepool *pool, const struct image *image);
void imagepool_ref(struct imagepool *pool, const struct image *image);
void imagepool_unref(struct imagepool *pool, const struct image *image);

/* The image with TOKEN, not yet held; NULL when there is none. Without address
 * space randomisation different programs can have one token: *ret_ambiguous.
 */
const struct image *imagepool_find(struct imagepool *pool, uint64_t token, bool *ret_ambiguous);

/* Images that somebody holds. */
unsigned imagepool_used(const struct imagepool *pool);
