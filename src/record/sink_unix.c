/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sink_unix.c - JSON lines to whoever listens on a stream socket.
 *
 * A stream and not datagrams: a line may be larger than a datagram, and a
 * reader such as `socat` or `nc -lU` needs to know nothing. A line that was cut
 * by the end of a connection is sent again, whole, on the next one; so a reader
 * throws away what does not end in a newline.
 */
#include "config.h"

#include "record/dial.h"
#include "record/stream.h"

static int open_unix(struct sink *sink)
{
	int fd = dial(sink->path, SOCK_STREAM);

	if (fd < 0)
		return fd;
	sink->fd = fd;
	sink->stream = STREAM_SOCKET;
	return 0;
}

const struct sink_type sink_type_unix = {
	.kind = SINK_UNIX,
	.open = open_unix,
	.render = render_json,
	.flush = stream_flush,
	.close = stream_close,
	.reconnects = true,
};
