/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/inherit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void close_others(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		int fd = atoi(entry->d_name);

		if (fd > 2 && fd != dirfd(dir) && !(fcntl(fd, F_GETFD) & FD_CLOEXEC))
			(void)close(fd);
	}
	if (dir)
		(void)closedir(dir);
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
