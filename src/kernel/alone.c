/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/alone.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* A line of /proc/TID/status as a number, -1 when it cannot be read. It stands
 * behind the groups, which may be many.
 */
static long status_number(pid_t tid, const char *name)
{
	char path[64], line[256];
	long value = -1;
	FILE *file;

	(void)snprintf(path, sizeof path, "/proc/%d/status", tid);
	file = fopen(path, "re");
	if (!file)
		return -1;
	while (value < 0 && fgets(line, sizeof line, file)) {
		size_t size = strlen(name);

		if (strncmp(line, name, size) == 0)
			value = strtol(line + size, NULL, 10);
	}
	(void)fclose(file);
	return value;
}

/* The pid given last in guard's view. Pids are given in rising order: who is
 * born during a walk through /proc is met by it, unless they wrapped round.
 */
static long last_pid(void)
{
	char text[128];
	_cleanup_close_ int fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
	const char *last;
	ssize_t n;

	n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	last = strrchr(text, ' ');
	return last ? strtol(last, NULL, 10) : -1;
}

static bool shares(pid_t tid, pid_t other)
{
	long r;

	if (other == tid)
		return false;
	r = syscall(SYS_kcmp, tid, other, KCMP_FILES, 0, 0);
	if (r >= 0)
		return r == 0;
	if (errno == ESRCH)
		return false;
	/* only the workload can share it, and all of that is under a filter */
	return errno != EPERM || status_number(other, "Seccomp:") != 0;
}

/* FOLDER lists tasks: /proc all processes, whose threads are asked too. */
static bool anyone_shares(pid_t tid, const char *folder, bool processes)
{
	DIR *dir = opendir(folder);
	bool found = false;
	struct dirent *entry;

	if (!dir)
		return processes || errno != ENOENT;
	while (!found && (entry = readdir(dir))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		char tasks[64];
		struct stat st;

		if (pid <= 0)
			continue;
		found = shares(tid, pid);
		if (found || !processes)
			continue;
		/* its links count the threads, which may have tables of their own */
		(void)snprintf(tasks, sizeof tasks, "/proc/%d/task", pid);
		if (stat(tasks, &st) == 0 && st.st_nlink > 3)
			found = anyone_shares(tid, tasks, false);
	}
	(void)closedir(dir);
	return found;
}

bool alone_with_files(pid_t tid)
{
	long before = last_pid();

	return before >= 0 && status_number(tid, "Threads:") == 1 &&
	       !anyone_shares(tid, "/proc", true) && last_pid() >= before;
}
