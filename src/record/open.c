/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "record/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/seqpacket.h"
#include "model/link.h"

/* What a file sink must not be, and why. */
static int check_file(int fd, const char *path, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno(err, -errno, "sink file:%s", path);
	if (S_ISBLK(st.st_mode))
		return err_set(err, -EINVAL, "sink file:%s: is a block device", path);
	return 0;
}

/* ENXIO is the kernel's word for both. */
static int explain_open(const char *path, int error, struct err *err)
{
	struct stat st;

	if (error == -ELOOP)
		return err_set(err, error, "sink file:%s: is a symbolic link", path);
	if (error == -ENXIO && lstat(path, &st) == 0 && S_ISFIFO(st.st_mode))
		return err_set(err, error, "sink file:%s: is a FIFO that nobody reads", path);
	if (error == -ENXIO)
		return err_set(err, error,
			       "sink file:%s: is not a file (use unix:PATH for a socket)", path);
	return err_errno(err, error, "sink file:%s", path);
}

/* A second description of the same file that can also be read, for the
 * recorder to see whether the last line is whole. Where that is not allowed or
 * there is no /proc the first one serves.
 */
static int make_readable(int fd)
{
	char path[sizeof "/proc/self/fd/" + 11];
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -1;
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return open(path, O_RDWR | O_APPEND | O_CLOEXEC);
}

static int open_file(const char *path, struct err *err)
{
	/* O_NONBLOCK: a FIFO without a reader fails instead of hanging guard */
	_cleanup_close_ int fd =
		open(path,
		     O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
		     0600);
	int error, readable;

	if (fd < 0)
		return explain_open(path, -errno, err);
	error = check_file(fd, path, err);
	if (error < 0)
		return error;
	readable = make_readable(fd);
	return readable >= 0 ? readable : TAKE_FD(fd);
}

static int open_sink(const struct sink_spec *spec, int minimum_fd, struct err *err)
{
	_cleanup_close_ int fd = -1;
	int error;

	if (!sink_kind_is_handed_over(spec->kind))
		return -1;
	if (spec->kind == SINK_FILE) {
		fd = open_file(spec->path, err);
		if (fd < 0)
			return err ? err->code : fd;
	} else {
		fd = fcntl(spec->kind == SINK_STDOUT ? STDOUT_FILENO : STDERR_FILENO,
			   F_DUPFD_CLOEXEC, minimum_fd);
		if (fd < 0)
			return err_errno(err, -errno, "sink '%s'", sink_kind_name(spec->kind));
	}
	if (fd >= minimum_fd)
		return TAKE_FD(fd);
	error = fd_move_above(fd, minimum_fd);
	if (error < 0)
		return err_errno(err, error, "sink %s", sink_kind_name(spec->kind));
	fd = -1; /* moved */
	return error;
}

int recorder_open_sinks(const char *const *specs, size_t nspecs, int minimum_fd,
			struct recorder_sinks *ret, struct err *err)
{
	_cleanup_(recorder_sinks_done) struct recorder_sinks sinks = { .count = 0 };

	*ret = sinks;
	if (nspecs > SINKS_MAX)
		return err_set(err, -E2BIG, "at most %d sinks are possible", SINKS_MAX);
	for (size_t i = 0; i < nspecs; i++) {
		struct recorder_sink *sink = &sinks.items[i];
		struct sink_spec spec;
		int error = sink_spec_parse(specs[i], &spec, err);

		if (error < 0)
			return error;
		sink->kind = spec.kind;
		sink->path = strdup(spec.path);
		if (!sink->path)
			return err_set(err, -ENOMEM, "out of memory");
		sinks.count = i + 1;
		sink->fd = open_sink(&spec, minimum_fd, err);
		if (sink->fd < 0 && sink_kind_is_handed_over(spec.kind))
			return sink->fd;
	}
	*ret = sinks;
	sinks.count = 0;
	return 0;
}

void recorder_sinks_done(struct recorder_sinks *sinks)
{
	for (size_t i = 0; i < sinks->count; i++) {
		free(sinks->items[i].path);
		if (sinks->items[i].fd >= 0)
			(void)close(sinks->items[i].fd);
	}
	sinks->count = 0;
}

int recorder_reopen_sinks(int link_fd, struct recorder_sinks *sinks, struct err *err)
{
	struct seqpacket_head head = { .type = LINK_REOPEN };
	unsigned char places[SINKS_MAX];
	int fds[SINKS_MAX], first = 0;

	for (size_t i = 0; i < sinks->count; i++) {
		struct recorder_sink *sink = &sinks->items[i];
		struct sink_spec spec = { .kind = sink->kind, .path = sink->path };
		int fd;

		if (sink->kind != SINK_FILE)
			continue;
		fd = open_sink(&spec, sink->fd, first == 0 ? err : NULL);
		if (fd < 0) {
			first = first == 0 ? fd : first;
			continue;
		}
		(void)close(sink->fd);
		sink->fd = fd;
		fds[head.size] = fd;
		places[head.size++] = (unsigned char)i;
	}
	if (head.size > 0) {
		int error = seqpacket_send(link_fd, &head, places, fds, head.size);

		if (error < 0 && first == 0)
			first = err_errno(err, error,
					  "cannot tell the recorder to reopen its files");
	}
	return first;
}
