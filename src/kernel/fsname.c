/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/fsname.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

enum {
	/* the longest line holds two paths, escaped, and the mount options */
	LINE_ROOM = 32 * 1024,
	/* a list longer than this is not read to its end */
	LIST_MAX = 4 * 1024 * 1024,
};

/* How long a name is believed where mount ids are given again. */
#define BELIEVED_NS (INT64_C(1000) * 1000 * 1000)

void fsname_init(struct fsname_cache *cache)
{
	_cleanup_close_ int fd = memfd_create("guard", MFD_CLOEXEC);
	struct stat st;

	*cache = (struct fsname_cache){ .ntypes = 0 };
	if (fd >= 0 && fstat(fd, &st) == 0)
		cache->memory_device = st.st_dev;
}

/* One text for each type. */
static const char *intern(struct fsname_cache *cache, const char *name, size_t size)
{
	if (size >= FSNAME_MAX)
		return "";
	for (unsigned i = 0; i < cache->ntypes; i++) {
		if (strlen(cache->types[i]) == size && memcmp(cache->types[i], name, size) == 0)
			return cache->types[i];
	}
	if (cache->ntypes == FSNAME_TYPES)
		return "";
	memcpy(cache->types[cache->ntypes], name, size);
	cache->types[cache->ntypes][size] = '\0';
	return cache->types[cache->ntypes++];
}

/* proc(5): ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [FIELD]... - TYPE SOURCE OPTIONS;
 * blanks in paths are escaped. NULL when it is about another mount.
 */
static const char *type_of_line(struct fsname_cache *cache, const char *line, uint64_t mount)
{
	char *end;
	const char *type;

	if (strtoull(line, &end, 10) != mount || *end != ' ')
		return NULL;
	type = strstr(end, " - ");
	if (!type)
		return "";
	type += 3;
	return intern(cache, type, strcspn(type, " ."));
}

/* NULL when it is not in the list of PID. */
static const char *search_list(struct fsname_cache *cache, const char *pid, uint64_t mount)
{
	char path[64], text[LINE_ROOM];
	_cleanup_close_ int fd = -1;
	size_t used = 0, total = 0;
	ssize_t n;

	(void)snprintf(path, sizeof path, "/proc/%s/mountinfo", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	while (total < LIST_MAX && (n = read(fd, text + used, sizeof text - 1 - used)) > 0) {
		char *line = text, *end;

		used += (size_t)n;
		total += (size_t)n;
		text[used] = '\0';
		while ((end = strchr(line, '\n'))) {
			const char *type;

			*end = '\0';
			type = type_of_line(cache, line, mount);
			if (type)
				return type;
			line = end + 1;
		}
		used = strlen(line);
		if (used == sizeof text - 1)
			used = 0; /* no line is that long */
		memmove(text, line, used);
	}
	return NULL;
}

const struct fsname_mount *fsname_known(const struct fsname_cache *cache, uint64_t unique,
					uint64_t device)
{
	const struct fsname_mount *m = &cache->mounts[unique % FSNAME_MOUNTS];

	return m->key == unique && m->device == device ? m : NULL;
}

const char *fsname_find(struct fsname_cache *cache, pid_t tid, uint64_t unique, uint64_t device,
			uint64_t mount)
{
	uint64_t key = unique ? unique : mount;
	int64_t now = unique ? 0 : now_monotonic_ns();
	struct fsname_mount *m = &cache->mounts[key % FSNAME_MOUNTS];
	char pid[16];
	const char *name;

	if (device == cache->memory_device)
		return "tmpfs";
	if (m->key == key && m->device == device && m->until_ns > now)
		return m->name;
	(void)snprintf(pid, sizeof pid, "%d", tid);
	name = search_list(cache, pid, mount);
	if (!name)
		name = search_list(cache, "self", mount);
	*m = (struct fsname_mount){ .key = key,
				    .device = device,
				    .id = mount,
				    .until_ns = unique ? INT64_MAX : now + BELIEVED_NS,
				    .name = name ? name : "" };
	return m->name;
}
