/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pool.h - memory of one compiled expression or one set of macros.
 *
 * Unlike an arena it grows: nobody knows beforehand how large a rule is. All
 * of it is freed at once.
 */
#pragma once
#include "base/util.h"

struct pool_block;
struct pool_object;

struct pool {
	struct pool_block *blocks;
	struct pool_object *objects;
};

/* Zeroed and aligned for any type; NULL when memory is out. */
void *pool_alloc(struct pool *p, size_t size);

/* A NUL-terminated copy of SIZE bytes; NULL when memory is out. */
char *pool_copy(struct pool *p, const void *data, size_t size);

/* Hands OBJECT over: RELEASE(OBJECT) runs in pool_done(). 0; on -ENOMEM it
 * has run already.
 */
int pool_adopt(struct pool *p, void *object, void (*release)(void *object));

void pool_done(struct pool *p);
