/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/event_copy.h"

#include <errno.h>

enum {
	LINEAGE_MAX = 1000,  /* as the process table reads it */
	HOSTNAMES_MAX = 256, /* of one address */
};

/* ---- texts ------------------------------------------------------------------ */

static bool copy_text(struct arena *arena, struct secl_string *s)
{
	s->text = arena_copy(arena, s->text, s->size);
	return s->text;
}

static bool copy_texts(struct arena *arena, const struct secl_string **list, size_t *count)
{
	struct secl_string *copy;

	*count = *list ? MIN(*count, (size_t)HOSTNAMES_MAX) : 0;
	copy = arena_alloc(arena, (*count + 1) * sizeof *copy);
	if (!copy)
		return false;
	for (size_t i = 0; i < *count; i++) {
		copy[i] = (*list)[i];
		if (!copy_text(arena, &copy[i]))
			return false;
	}
	*list = copy;
	return true;
}

static bool copy_address(struct arena *arena, struct socket_address *address)
{
	return copy_text(arena, &address->path) && copy_text(arena, &address->alias) &&
	       copy_texts(arena, &address->hostnames, &address->nhostnames);
}

/* What is the event's own beside its process. An event that is not named here may point
 * to what will be gone.
 */
static int copy_details(struct arena *arena, struct event *event)
{
	bool copied = true;

	switch (event->type) {
	case EVENT_EXEC: copied = copy_text(arena, &event->exec.path); break;
	case EVENT_CONNECT: copied = copy_address(arena, &event->connect.addr); break;
	case EVENT_BIND: copied = copy_address(arena, &event->bind.addr); break;
	case EVENT_SOCKET: break;
	default: return -EOPNOTSUPP;
	}
	return copied ? 0 : -ENOMEM;
}

/* ---- processes ---------------------------------------------------------------- */

/* Of an exec that did not come about: who reads of its files needs no arguments. */
static const struct image *copy_image(struct arena *arena, const struct image *image)
{
	struct image *copy = arena_alloc(arena, sizeof *copy);

	if (!copy)
		return NULL;
	*copy = *image;
	copy->argv = copy->envp = (struct string_list){ .data = "" };
	copy->aliases[0] = copy->aliases[1] = (struct secl_string){ .size = 0 };
	for (size_t i = 0; i < HASH_COUNT; i++) {
		if (!copy_text(arena, &copy->file.hashes[i]) ||
		    !copy_text(arena, &copy->interpreter.hashes[i]))
			return NULL;
	}
	return copy_text(arena, &copy->file.path) && copy_text(arena, &copy->interpreter.path)
		       ? copy
		       : NULL;
}

static bool same_image(const struct image *a, const struct image *b)
{
	return !b->unknown && a->exec_time_ns == b->exec_time_ns && a->token == b->token &&
	       a->file.device == b->file.device && a->file.inode == b->file.inode;
}

/* The image of PROCESS in a form that lasts: shared with the table, which has that of an
 * exec once it came about; else its own.
 */
static const struct image *last(struct event_copy *copy, const struct process *process,
				struct arena *arena, bool executing)
{
	const struct process *known = executing ? proctab_find(copy->tab, process->pid) : process;

	if (!known || (executing && !same_image(process->image, known->image)))
		return copy_image(arena, process->image);
	proctab_image_keep(copy->tab, known->image);
	copy->kept[copy->nkept++] = known->image;
	return known->image;
}

static struct process *copy_process(struct event_copy *copy, const struct process *process,
				    struct arena *arena, bool executing)
{
	struct process *p = arena_alloc(arena, sizeof *p);

	if (!p)
		return NULL;
	*p = *process;
	if (!copy_text(arena, &p->comm) || !copy_text(arena, &p->tty) ||
	    !copy_text(arena, &p->cgroup) || !copy_text(arena, &p->container))
		return NULL;
	p->image = last(copy, process, arena, executing);
	return p->image ? p : NULL;
}

static int copy_lineage(struct event_copy *copy, struct arena *arena)
{
	const struct process **link = &copy->event.process;
	size_t count = 0;

	for (const struct process *p = *link; p && count < LINEAGE_MAX; p = p->parent)
		count++;
	copy->kept = arena_alloc(arena, (count + 1) * sizeof(struct image *));
	if (!copy->kept)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		struct process *p =
			copy_process(copy, *link, arena, i == 0 && copy->event.type == EVENT_EXEC);

		if (!p)
			return -ENOMEM;
		*link = p;
		link = &p->parent;
	}
	*link = NULL;
	return 0;
}

int event_copy_make(struct proctab *tab, const struct event *event, struct arena *arena,
		    struct event_copy *ret)
{
	int r;

	*ret = (struct event_copy){ .event = *event, .tab = tab };
	r = copy_details(arena, &ret->event);
	if (r == 0)
		r = copy_lineage(ret, arena);
	if (r < 0)
		event_copy_drop(ret);
	return r;
}

void event_copy_drop(struct event_copy *copy)
{
	for (size_t i = 0; i < copy->nkept; i++)
		proctab_image_drop(copy->tab, copy->kept[i]);
	copy->nkept = 0;
}

struct file_info *event_copy_file(struct event_copy *copy, struct arena *arena,
				  const struct file_info *file, const struct process **ret_process)
{
	const struct process *p = copy->event.process;
	struct image *image;
	bool interpreter;

	while (p && file != &p->image->file && file != &p->image->interpreter)
		p = p->parent;
	image = p ? arena_alloc(arena, sizeof *image) : NULL;
	if (!image)
		return NULL;
	interpreter = file == &p->image->interpreter;
	*image = *p->image;
	/* the processes are the copy's own */
	((struct process *)(uintptr_t)p)->image = image;
	*ret_process = p;
	return interpreter ? &image->interpreter : &image->file;
}
