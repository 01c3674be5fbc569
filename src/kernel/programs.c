/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/programs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

#include "kernel/resolve.h"

#ifndef RESOLVE_CACHED
#define RESOLVE_CACHED 0x20 /* Linux 5.12 */
#endif

/* How many files of one path are held besides the first. */
enum { REMEMBERED = 3 };

struct held {
	int fd; /* O_PATH */
	uint64_t device, inode;
};

struct program {
	char *path;
	struct held seen[1 + REMEMBERED]; /* the first one stays */
	unsigned count, next;
};

struct programs {
	size_t count;
	struct program programs[];
};

static bool is_seen(const struct program *p, uint64_t device, uint64_t inode)
{
	for (unsigned i = 0; i < p->count; i++) {
		if (p->seen[i].device == device && p->seen[i].inode == inode)
			return true;
	}
	return false;
}

static void look(struct program *p, uint64_t resolve)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = resolve };
	_cleanup_close_ int fd = -1;
	struct held held, *place;

	fd = (int)syscall(SYS_openat2, AT_FDCWD, p->path, &how, sizeof how);
	if (fd < 0 || resolve_identify(fd, &held.device, &held.inode) < 0 ||
	    is_seen(p, held.device, held.inode))
		return;
	held.fd = TAKE_FD(fd);
	if (p->count < ELEMENTS(p->seen)) {
		p->seen[p->count++] = held;
		return;
	}
	place = &p->seen[1 + p->next++ % REMEMBERED];
	(void)close(place->fd);
	*place = held;
}

int programs_new(const struct secl_string *paths, size_t count, struct programs **ret)
{
	struct programs *programs =
		calloc(1, sizeof *programs + count * sizeof programs->programs[0]);

	if (!programs)
		return -ENOMEM;
	for (; programs->count < count; programs->count++) {
		struct program *p = &programs->programs[programs->count];

		p->path = strndup(paths[programs->count].text, paths[programs->count].size);
		if (!p->path) {
			programs_free(programs);
			return -ENOMEM;
		}
		look(p, 0);
	}
	*ret = programs;
	return 0;
}

void programs_free(struct programs *programs)
{
	if (!programs)
		return;
	for (size_t i = 0; i < programs->count; i++) {
		for (unsigned k = 0; k < programs->programs[i].count; k++)
			(void)close(programs->programs[i].seen[k].fd);
		free(programs->programs[i].path);
	}
	free(programs);
}

void programs_look(struct programs *programs)
{
	for (size_t i = 0; i < programs->count; i++)
		look(&programs->programs[i], RESOLVE_CACHED);
}

bool programs_known(const struct programs *programs, size_t i, uint64_t device, uint64_t inode)
{
	return is_seen(&programs->programs[i], device, inode);
}
