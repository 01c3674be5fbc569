/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/inherit.h"

#include <dirent.h>
#include <fcntl.h>

#include "base/util.h"

/* Those of this process; the directory itself and what closes itself stay. */
static void close_entries(int dir, const char *entries, ssize_t size)
{
	for (ssize_t at = 0; at < size;) {
		const struct dirent64 *entry = (const void *)(entries + at);
		int fd = atoi(entry->d_name);

		if (fd > 2 && fd != dir && !(fcntl(fd, F_GETFD) & FD_CLOEXEC))
			(void)close(fd);
		at += entry->d_reclen;
	}
}

/* Without opendir(3), whose buffer takes longer than all the rest. */
static void close_others(void)
{
	_cleanup_close_ int dir = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_Alignas(struct dirent64) char entries[1024];
	ssize_t n;

	while (dir >= 0 && (n = getdents64(dir, entries, sizeof entries)) > 0)
		close_entries(dir, entries, n);
}

void inherit_drop(int streams)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	close_others();
	for (int fd = 0; fd < streams; fd++) {
		if (null == fd)
			continue;
		if (null >= 0)
			(void)dup3(null, fd, O_CLOEXEC);
		else
			(void)close(fd);
	}
	if (null >= streams)
		(void)close(null);
}
