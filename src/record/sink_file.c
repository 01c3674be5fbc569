/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sink_file.c - JSON lines appended to a file that the keeper opened.
 *
 * Whatever goes wrong with a file may pass: a full disk is cleaned up, a limit
 * is raised. So it is tried again for ever, and the line that was cut by the
 * error is finished first. A line that was cut by the death of a recorder (kill -9
 * stops write(2) between two pages) is removed by the next one; its sender still
 * has it if it was a denial. So the file is JSON lines, at any time
 * but within one write(2).
 */
#include "config.h"

#include <errno.h>
#include <jansson.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/seqpacket.h"
#include "record/stream.h"

/* What stands behind the last newline, at most a line of ours, in *ret with
 * *ret_size bytes: 0 or -errno.
 */
static int read_tail(int fd, off_t size, char **ret, size_t *ret_size)
{
	size_t want = MIN((size_t)size, (size_t)SEQPACKET_MAX);
	_cleanup_free_ char *text = malloc(want + 1);
	const char *newline;
	ssize_t n;

	if (!text)
		return -ENOMEM;
	n = pread(fd, text, want, size - (off_t)want);
	if (n != (ssize_t)want)
		return -EIO; /* or it cannot be read at all */
	newline = memrchr(text, '\n', want);
	if (!newline && want < (size_t)size)
		return -EFBIG;
	*ret_size = newline ? (size_t)(text + want - newline) - 1 : want;
	memmove(text, text + want - *ret_size, *ret_size);
	*ret = TAKE(text);
	return 0;
}

/* Whether the last line is whole: one byte tells, and most often that it is. */
static bool is_whole(int fd, off_t size)
{
	char last;

	return pread(fd, &last, 1, size - 1) == 1 && last == '\n';
}

/* Half a JSON object; anything else at the end of a file is somebody's text. */
static bool is_torn_object(const char *text, size_t size)
{
	json_t *json;

	if (text[0] != '{')
		return false;
	json = json_loadb(text, size, JSON_ALLOW_NUL, NULL);
	json_decref(json);
	return !json;
}

/* Ends an unfinished last line. Other recorders may append to the same file; all of
 * them hold a shared lock, so what looks unfinished to the only holder of an
 * exclusive one is not just being written.
 */
static void mend(struct sink *sink)
{
	_cleanup_free_ char *tail = NULL;
	struct stat st;
	size_t size = 0;

	sink->torn = false;
	if (flock(sink->fd, LOCK_EX | LOCK_NB) < 0)
		return;
	if (fstat(sink->fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
	    !is_whole(sink->fd, st.st_size) && read_tail(sink->fd, st.st_size, &tail, &size) == 0 &&
	    size > 0)
		sink->torn = !is_torn_object(tail, size) ||
			     ftruncate(sink->fd, st.st_size - (off_t)size) < 0;
}

static int open_file(struct sink *sink)
{
	/* half a line of this recorder is finished, not mended */
	if (sink->out.done == 0)
		mend(sink);
	(void)flock(sink->fd, LOCK_SH | LOCK_NB);
	return stream_open(sink);
}

/* A file that is only appended to never gets shorter than it was plus what was written
 * (others may append as well). One that is renamed, for rotation, is still there. To
 * overwrite a part is not seen.
 */
static const char *check_file(struct sink *sink)
{
	const char *damage = NULL;
	struct stat st;

	if (fstat(sink->fd, &st) < 0 || !S_ISREG(st.st_mode))
		return NULL;
	if (st.st_size < sink->end + (int64_t)sink->written)
		damage = "truncated";
	else if (st.st_nlink == 0 && !sink->removed)
		damage = "removed";
	sink->removed = st.st_nlink == 0;
	sink->end = st.st_size;
	sink->written = 0;
	return damage;
}

static int reopen_file(struct sink *sink, int fd)
{
	int error = stream_reopen(sink, fd);

	sink->end = 0;
	sink->written = 0;
	sink->removed = false;
	return error;
}

const struct sink_type sink_type_file = {
	.kind = SINK_FILE,
	.open = open_file,
	.render = render_json,
	.flush = stream_flush,
	.reopen = reopen_file,
	.check = check_file,
	.close = stream_close,
	.errors_pass = true,
};
