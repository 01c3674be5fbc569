/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sink_journal.c - structured entries in the systemd journal.
 *
 * Written in the journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL)
 * and not through sd_journal_sendv(), which waits in sendmsg(2) while journald
 * does not read: one stalled sink must not hold up the others. Every field is in the
 * form for binary values, so no byte of an event can make a field of its own.
 */
#include "config.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>

#include "record/dial.h"
#include "record/facts.h"
#include "record/stream.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

static int open_journal(struct sink *sink)
{
	int fd = dial(sink->path[0] != '\0' ? sink->path : JOURNAL_SOCKET, SOCK_DGRAM);

	if (fd < 0)
		return fd;
	sink->fd = fd;
	sink->stream = STREAM_SOCKET;
	return 0;
}

static int add_field(struct outbuf *out, const char *name, const char *value, size_t size)
{
	uint64_t length = htole64(size);
	int error = out_add(out, name, strlen(name));

	if (error == 0)
		error = out_add(out, "\n", 1);
	if (error == 0)
		error = out_add(out, &length, sizeof length);
	if (error == 0)
		error = out_add(out, value, size);
	return error < 0 ? error : out_add(out, "\n", 1);
}

static int render_journal(struct sink *sink, const struct line *line)
{
	_cleanup_(facts_done) struct facts facts;
	char priority[2] = "6";

	facts_read(&facts, line);
	priority[0] = (char)('0' + facts.priority);
	{
		const struct {
			const char *name, *value;
			size_t size;
		} fields[] = {
			{ "MESSAGE", facts.summary, strlen(facts.summary) },
			{ "PRIORITY", priority, 1 },
			{ "SYSLOG_IDENTIFIER", "guard", strlen("guard") },
			{ "GUARD_RULE_ID", facts.rule.text, facts.rule.size },
			{ "GUARD_VERDICT", facts.verdict, strlen(facts.verdict) },
			{ "GUARD_EVENT", line->text, line->size },
		};

		for (size_t i = 0; i < ELEMENTS(fields); i++) {
			int error = 0;

			if (fields[i].size > 0)
				error = add_field(&sink->out, fields[i].name, fields[i].value,
						  fields[i].size);
			if (error < 0)
				return error;
		}
	}
	return 0;
}

/* An entry too large for a datagram goes in a sealed memory file. */
static int send_in_memfd(const struct sink *sink)
{
	_cleanup_close_ int fd = memfd_create("guard-event", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int error;

	if (fd < 0)
		return -errno;
	error = write_full(fd, sink->out.data, sink->out.size);
	if (error < 0)
		return error;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		return -errno;
	return dial_send(sink->fd, NULL, 0, fd);
}

static int flush_journal(struct sink *sink)
{
	int error;

	if (sink->out.size == 0)
		return 0;
	error = dial_send(sink->fd, sink->out.data, sink->out.size, -1);
	if (error == -EMSGSIZE)
		error = send_in_memfd(sink);
	if (error == 0)
		sink->out.done = sink->out.size;
	return error;
}

const struct sink_type sink_type_journal = {
	.kind = SINK_JOURNAL,
	.open = open_journal,
	.render = render_journal,
	.flush = flush_journal,
	.close = stream_close,
	.reconnects = true,
};
