/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/util.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

static int64_t clock_ns(clockid_t clock)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t now_realtime_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

int64_t now_monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

int write_full(int fd, const void *data, size_t size)
{
	const char *next = data;

	while (size > 0) {
		ssize_t n = write(fd, next, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		next += n;
		size -= (size_t)n;
	}
	return 0;
}

ssize_t read_full(int fd, void *data, size_t size)
{
	size_t have = 0;

	while (have < size) {
		ssize_t n = read(fd, (char *)data + have, size - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

int read_file(const char *path, size_t limit, char **ret, size_t *ret_size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	_cleanup_free_ char *data = NULL;
	size_t have = 0, room = 4096;

	if (fd < 0)
		return -errno;
	/* files of /proc and pipes have no size to ask for: grow until the end */
	for (;;) {
		char *larger;
		ssize_t n;

		room = MIN(room, limit);
		larger = realloc(data, room + 2);
		if (!larger)
			return -ENOMEM;
		data = larger;
		/* one byte more than allowed, to tell "full" from "too large" */
		n = read_full(fd, data + have, room + 1 - have);
		if (n < 0)
			return (int)n;
		have += (size_t)n;
		if (have <= room)
			break;
		if (room == limit)
			return -EFBIG;
		room = room > SIZE_MAX / 4 ? limit : room * 2;
	}
	data[have] = '\0';
	*ret = TAKE(data);
	if (ret_size)
		*ret_size = have;
	return 0;
}

int parse_int64(const char *text, int base, int64_t *ret)
{
	intmax_t value;
	char *end;

	/* strtoimax() skips white space, which is not strict */
	if (*text == '\0' || isspace((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	value = strtoimax(text, &end, base);
	if (end == text || *end != '\0')
		return -EINVAL;
	if (errno == ERANGE)
		return -ERANGE;
	*ret = value;
	return 0;
}

int fd_move_above(int fd, int minimum)
{
	int moved = fcntl(fd, F_DUPFD_CLOEXEC, minimum);

	if (moved < 0)
		return -errno;
	(void)close(fd);
	return moved;
}

pid_t fork_as(pid_t wanted)
{
	struct clone_args args = { .exit_signal = SIGCHLD,
				   .set_tid = (uintptr_t)&wanted,
				   .set_tid_size = 1 };
	pid_t pid;

	if (wanted > 0) {
		pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
		if (pid >= 0)
			return pid;
	}
	return fork();
}
