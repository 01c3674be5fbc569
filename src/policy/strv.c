/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>

#include "policy/config.h"

#include <errno.h>

int strv_add(struct strv *v, const char *item)
{
	_cleanup_free_ char *copy = strdup(item);
	char **items;

	if (!copy)
		return -ENOMEM;
	items = reallocarray(v->items, v->count + 2, sizeof *items);
	if (!items)
		return -ENOMEM;
	v->items = items;
	items[v->count++] = TAKE(copy);
	items[v->count] = NULL;
	return 0;
}

void strv_done(struct strv *v)
{
	for (size_t i = 0; i < v->count; i++)
		free(v->items[i]);
	free(v->items);
	*v = (struct strv){ 0 };
}
