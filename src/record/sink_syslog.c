/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sink_syslog.c - the local syslog socket, in the form that syslog(3) writes:
 * "<PRI>Mmm dd hh:mm:ss guard[pid]: MESSAGE" (RFC 3164, local time, no host), facility
 * daemon. MESSAGE is the JSON line; one that is longer than the 8 KiB that rsyslog
 * takes by default is replaced by its summary, because half a JSON line is none.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <syslog.h>
#include <time.h>

#include "record/dial.h"
#include "record/facts.h"
#include "record/stream.h"

#define SYSLOG_SOCKET "/dev/log"
enum { SYSLOG_MAX = 8000 };

/* Datagrams, or a stream (RFC 6587: NUL ends a message) where that is what listens. */
static int open_syslog(struct sink *sink)
{
	const char *path = sink->path[0] != '\0' ? sink->path : SYSLOG_SOCKET;
	int fd = dial(path, SOCK_DGRAM);

	sink->framed = fd == -EPROTOTYPE;
	if (sink->framed)
		fd = dial(path, SOCK_STREAM);
	if (fd < 0)
		return fd;
	sink->fd = fd;
	sink->stream = STREAM_SOCKET;
	return 0;
}

static int render_syslog(struct sink *sink, const struct line *line)
{
	/* month names do not follow the locale here, unlike strftime(3)'s */
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	_cleanup_(facts_done) struct facts facts;
	time_t now = time(NULL);
	struct tm tm = { 0 };
	char head[64];
	bool whole = line->size <= SYSLOG_MAX;
	int error, n;

	facts_read(&facts, line);
	(void)localtime_r(&now, &tm);
	n = snprintf(head, sizeof head,
		     "<%d>%s %2d %02d:%02d:%02d guard[%d]: ", LOG_DAEMON | facts.priority,
		     months[tm.tm_mon % 12], tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		     (int)getpid());
	error = out_add(&sink->out, head, (size_t)n);
	if (error == 0)
		error = out_add(&sink->out, whole ? line->text : facts.summary,
				whole ? line->size : strlen(facts.summary));
	return error == 0 && sink->framed ? out_add(&sink->out, "", 1) : error;
}

static int flush_syslog(struct sink *sink)
{
	int error;

	if (sink->framed)
		return stream_flush(sink);
	error = dial_send(sink->fd, sink->out.data, sink->out.size, -1);
	if (error == 0)
		sink->out.done = sink->out.size;
	return error;
}

const struct sink_type sink_type_syslog = {
	.kind = SINK_SYSLOG,
	.open = open_syslog,
	.render = render_syslog,
	.flush = flush_syslog,
	.close = stream_close,
	.reconnects = true,
};
