/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/pinned.h"

#include <errno.h>

static int pin_sockets(const struct ruleset *set, const struct strv *passing, struct pins **ret)
{
	struct secl_string paths[PINS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < set->npeers && count < PINS_MAX; i++)
		paths[count++] = set->peers[i];
	for (size_t i = 0; i < passing->count && count < PINS_MAX; i++)
		paths[count++] =
			(struct secl_string){ passing->items[i], strlen(passing->items[i]) };
	return count ? pins_new(paths, count, ret) : 0;
}

int pinned_init(const struct ruleset *ruleset, const struct config *config, struct pinned *ret)
{
	int r = pin_sockets(ruleset, &config->unix_passthrough, &ret->sockets);

	if (r == 0 && ruleset->nprograms)
		r = programs_new(ruleset->programs, ruleset->nprograms, &ret->programs);
	return r;
}

void pinned_done(struct pinned *pinned)
{
	pins_free(pinned->sockets);
	programs_free(pinned->programs);
}

/* What was said of a file of COPY is meant of that of IMAGE. */
static const struct file_info *back(const struct file_info *file, const struct image *copy,
				    const struct image *image)
{
	if (file == &copy->file)
		return &image->file;
	return file == &copy->interpreter ? &image->interpreter : file;
}

/* The same event, of a program that is called NAME. */
static struct decision decide_as(const struct decide_request *request,
				 const struct secl_string *name)
{
	struct decide_request other = *request;
	struct event event = *request->event;
	struct process process = *event.process;
	struct image image = *process.image;
	struct decision d;

	image.file.path = *name;
	process.image = &image;
	event.process = &process;
	other.event = &event;
	other.pinned_only = true;
	d = decide(&other);
	d.unhashed = back(d.unhashed, &image, request->event->process->image);
	for (size_t i = 0; i < d.nmatches; i++) {
		struct match *match = (struct match *)(uintptr_t)&d.matches[i];

		match->unhashed = back(match->unhashed, &image, request->event->process->image);
	}
	return d;
}

void pinned_decide(struct programs *programs, const struct decide_request *request,
		   struct decision *d)
{
	const struct ruleset *set = request->ruleset;
	const struct process *process = request->event->process;
	const struct file_info *file;

	if (!programs || !process || !process->image || !process->image->file.present)
		return;
	file = &process->image->file;
	if (request->event->type == EVENT_EXEC)
		programs_look(programs);
	for (size_t i = 0; i < set->nprograms; i++) {
		const struct secl_string *name = &set->programs[i];
		struct decision more;

		if (!programs_known(programs, i, file->device, file->inode) ||
		    (name->size == file->path.size &&
		     memcmp(name->text, file->path.text, name->size) == 0))
			continue;
		more = decide_as(request, name);
		(void)decision_add(d, &more, request->arena);
	}
}
