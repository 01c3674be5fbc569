/* SPDX-License-Identifier: GPL-3.0-or-later */
/* imagepool.h - program images in memory that is reserved once.
 *
 * An image is one block: the struct and all its strings. Blocks come in a few
 * sizes; of each there is a fixed number, so a fork bomb or a thousand long
 * command lines cost what was reserved and no more. Images are counted: the
 * processes forked from one share it.
 */
#pragma once
#include "model/event.h"

struct imagepool;

int imagepool_new(struct imagepool **ret);
void imagepool_free(struct imagepool *pool);

/* A copy of IMAGE with one reference. What does not fit the largest free block
 * is cut from the ends of environment and arguments and marked truncated
 * (*ret_shortened). NULL only when no block at all is left.
 */
struct image *imagepool_copy(struct imagepool *pool, const struct image *image,
			     bool *ret_shortened);
void imagepool_ref(struct imagepool *pool, const struct image *image);
void imagepool_unref(struct imagepool *pool, const struct image *image);
unsigned imagepool_used(const struct imagepool *pool);
