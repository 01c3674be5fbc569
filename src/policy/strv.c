/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>

#include "policy/config.h"

#include <errno.h>

int strv_add(struct strv *v, const char *item)
{
	char **items = reallocarray(v->items, v->count + 2, sizeof *items);

	if (!items)
		return -ENOMEM;
	v->items = items;
	items[v->count + 1] = NULL;
	items[v->count] = strdup(item);
	if (!items[v->count])
		return -ENOMEM;
	v->count++;
	return 0;
}

void strv_done(struct strv *v)
{
	for (size_t i = 0; i < v->count; i++)
		free(v->items[i]);
	free(v->items);
	*v = (struct strv){ 0 };
}
