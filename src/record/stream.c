/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "record/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* Another description of the same pipe or terminal; O_APPEND is moot. */
static int open_own(int fd)
{
	char path[sizeof "/proc/self/fd/" + 11];

	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

int stream_adopt(int *fd, enum stream_kind *ret)
{
	struct stat st;
	int own;

	if (fstat(*fd, &st) < 0)
		return -errno;
	if (S_ISSOCK(st.st_mode)) {
		*ret = STREAM_SOCKET;
		return 0;
	}
	if (!S_ISFIFO(st.st_mode) && !isatty(*fd)) {
		*ret = STREAM_FILE;
		return 0;
	}
	if (fcntl(*fd, F_GETFL) & O_NONBLOCK) {
		*ret = STREAM_OWN; /* adopted before, or somebody else made it so */
		return 0;
	}
	own = open_own(*fd);
	if (own < 0) {
		/* another user's pipe, a pipe without a reader, or no /proc */
		*ret = STREAM_SHARED;
		return 0;
	}
	(void)close(*fd);
	*fd = own;
	*ret = STREAM_OWN;
	return 0;
}

/* What is left of a pipe's atomicity when its description is not ours: it has
 * room for PIPE_BUF bytes when poll says that it can be written.
 */
static ssize_t write_shared(int fd, const char *data, size_t size)
{
	struct pollfd ready = { .fd = fd, .events = POLLOUT };

	if (poll(&ready, 1, 0) <= 0) {
		errno = EAGAIN;
		return -1;
	}
	return write(fd, data, MIN(size, (size_t)PIPE_BUF));
}

static ssize_t write_some(const struct sink *sink, const char *data, size_t size)
{
	switch (sink->stream) {
	case STREAM_SOCKET: return send(sink->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	case STREAM_SHARED: return write_shared(sink->fd, data, size);
	case STREAM_OWN:
	case STREAM_FILE: break;
	}
	return write(sink->fd, data, size);
}

int stream_open(struct sink *sink)
{
	return stream_adopt(&sink->fd, &sink->stream);
}

int stream_flush(struct sink *sink)
{
	struct outbuf *out = &sink->out;

	while (out->done < out->size) {
		ssize_t n = write_some(sink, out->data + out->done, out->size - out->done);

		sink->written += n > 0 ? (size_t)n : 0;
		if (n > 0)
			out->done += (size_t)n;
		else if (n == 0)
			return -EIO;
		else if (errno != EINTR)
			return -errno;
	}
	return 0;
}

int stream_reopen(struct sink *sink, int fd)
{
	/* half a line belongs to the old file; where that is full, all of it goes
	 * to the new one */
	if (sink->out.done > 0 && sink->fd >= 0 && sink->type->flush(sink) < 0)
		sink->out.done = 0;
	if (sink->fd >= 0)
		(void)close(sink->fd);
	sink->fd = fd;
	return sink->type->open(sink);
}

void stream_close(struct sink *sink)
{
	if (sink->fd >= 0)
		(void)close(sink->fd);
	sink->fd = -1;
}
