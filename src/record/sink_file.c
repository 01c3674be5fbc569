/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sink_file.c - JSON lines appended to a file that the keeper opened.
 *
 * Whatever goes wrong with a file may pass: a full disk is cleaned up, a limit
 * is raised. So it is tried again for ever, and the line that was cut by the
 * error is finished first: the file is valid JSON lines at any time but
 * within one write(2).
 */
#include "config.h"

#include <errno.h>
#include <sys/stat.h>

#include "record/stream.h"

/* A recorder that was killed may have left half a line. Unknown where the file
 * cannot be read; then it is taken to be whole.
 */
static int open_file(struct sink *sink)
{
	struct stat st;
	char last;

	if (fstat(sink->fd, &st) < 0)
		return -errno;
	sink->torn = sink->out.done == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
		     pread(sink->fd, &last, 1, st.st_size - 1) == 1 && last != '\n';
	return stream_open(sink);
}

const struct sink_type sink_type_file = {
	.kind = SINK_FILE,
	.open = open_file,
	.render = render_json,
	.flush = stream_flush,
	.reopen = stream_reopen,
	.close = stream_close,
	.errors_pass = true,
};
