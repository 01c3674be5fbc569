/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "record/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "record/say.h"

static const struct sink_type *const types[] = {
	[SINK_STDOUT] = &sink_type_stdout, [SINK_STDERR] = &sink_type_stderr,
	[SINK_FILE] = &sink_type_file,     [SINK_JOURNAL] = &sink_type_journal,
	[SINK_SYSLOG] = &sink_type_syslog, [SINK_UNIX] = &sink_type_unix,
};

enum error_class { ERROR_WAIT, ERROR_PASSES, ERROR_LOST_PEER, ERROR_BAD_LINE, ERROR_FATAL };

/* What passes by itself, at whatever sink. */
static const int passing[] = { ENOSPC, EDQUOT, EFBIG, ENOMEM, ENOBUFS, EMFILE, ENFILE };
/* What says that there is no peer (any more). */
static const int peer_gone[] = { EPIPE, ECONNRESET, ECONNREFUSED, ENOTCONN, ENOENT, EDESTADDRREQ };

static bool is_one_of(int error, const int *set, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (set[i] == -error)
			return true;
	return false;
}

static enum error_class classify(const struct sink *sink, int error)
{
	if (error == -EAGAIN)
		return ERROR_WAIT;
	if (error == -EPIPE && !sink->type->reconnects)
		return ERROR_FATAL; /* a FIFO's reader, too: denials must not wait for it */
	if (sink->type->errors_pass || is_one_of(error, passing, ELEMENTS(passing)))
		return ERROR_PASSES;
	if (!sink->type->reconnects)
		return ERROR_FATAL;
	return is_one_of(error, peer_gone, ELEMENTS(peer_gone)) ? ERROR_LOST_PEER : ERROR_BAD_LINE;
}

int sink_init(struct sink *ret, const char *text, size_t queue_bytes, struct err *err)
{
	const char *equals = strchr(text, '='), *colon = equals ? strchr(equals, ':') : NULL;
	char number[16] = "";
	int64_t fd;

	if (!colon || (size_t)(colon - equals) > sizeof number)
		return err_set(err, -EINVAL, "'%s' is not TYPE=FD:PATH", text);
	memcpy(number, equals + 1, (size_t)(colon - equals) - 1);
	if (parse_int64(number, 10, &fd) < 0 || fd < -1 || fd > INT32_MAX)
		return err_set(err, -EINVAL, "'%s': '%s' is no descriptor", text, number);
	for (size_t kind = 0; kind < ELEMENTS(types); kind++) {
		const char *name = sink_kind_name((enum sink_kind)kind);

		if (strlen(name) != (size_t)(equals - text) ||
		    strncmp(name, text, strlen(name)) != 0)
			continue;
		if (sink_kind_is_handed_over((enum sink_kind)kind) != (fd >= 0))
			return err_set(err, -EINVAL, "'%s': no such descriptor expected", text);
		*ret = (struct sink){ .type = types[kind], .fd = (int)fd, .pause = RETRY_MIN_NS };
		ret->path = strdup(colon + 1);
		if (!ret->path)
			return err_set(err, -ENOMEM, "out of memory");
		queue_init(&ret->queue, queue_bytes);
		return 0;
	}
	return err_set(err, -EINVAL, "'%s': unknown type of sink", text);
}

void sink_done(struct sink *sink)
{
	sink->type->close(sink);
	queue_done(&sink->queue);
	free(sink->path);
	free(sink->out.data);
	*sink = (struct sink){ .fd = -1 };
}

const char *sink_name(const struct sink *sink, char *buf, size_t size)
{
	bool path = sink->path[0] != '\0';

	(void)snprintf(buf, size, "%s%s%s", sink_kind_name(sink->type->kind), path ? ":" : "",
		       sink->path);
	return buf;
}

/* Once for each kind of trouble, until it is over. */
static void complain(struct sink *sink, int error, const char *what)
{
	char name[256];

	if (sink->complaint == error)
		return;
	sink->complaint = error;
	say("sink %s: %s: %s", sink_name(sink, name, sizeof name), strerror(-error), what);
}

static void retry_later(struct sink *sink, int64_t now)
{
	sink->retry_at = now + sink->pause;
	sink->pause = MIN(sink->pause * 2, RETRY_MAX_NS);
}

static void go_down(struct sink *sink, int error, int64_t now)
{
	sink->type->close(sink);
	sink->out.done = 0; /* the next connection gets the whole line */
	sink->state = SINK_DOWN;
	queue_disown(&sink->queue);
	complain(sink, error, "trying again");
	retry_later(sink, now);
}

static void die(struct sink *sink, int error)
{
	sink->type->close(sink);
	sink->state = SINK_DEAD;
	queue_done(&sink->queue);
	sink->out.size = sink->out.done = 0;
	complain(sink, error, "given up");
}

static void handle(struct sink *sink, int error, int64_t now)
{
	sink->wait_for_fd = false;
	switch (classify(sink, error)) {
	case ERROR_WAIT:
		sink->state = SINK_STALLED;
		sink->wait_for_fd = true;
		sink->retry_at = now + RETRY_MAX_NS;
		return;
	case ERROR_PASSES:
		sink->state = SINK_STALLED;
		complain(sink, error, "trying again");
		retry_later(sink, now);
		return;
	case ERROR_LOST_PEER: go_down(sink, error, now); return;
	case ERROR_BAD_LINE:
		complain(sink, error, "an event was lost");
		queue_pop(&sink->queue);
		sink->queue.lost++;
		sink->out.size = sink->out.done = 0;
		return;
	case ERROR_FATAL: die(sink, error); return;
	}
}

static void open_now(struct sink *sink, int64_t now)
{
	int error = sink->type->open(sink);

	if (error == 0)
		sink->state = SINK_UP;
	else if (sink->type->reconnects)
		go_down(sink, error, now);
	else
		die(sink, error);
}

void sink_start(struct sink *sink, int64_t now)
{
	open_now(sink, now);
}

int sink_put(struct sink *sink, struct line *line)
{
	bool owed = line->seq > 0 && sink_is_alive(sink);
	char name[256];

	if (sink->state == SINK_DEAD || queue_put(&sink->queue, line, owed))
		return 0;
	if (owed)
		return -ENOMEM;
	if (!sink->said_full)
		say("sink %s: does not keep up: events are dropped and counted",
		    sink_name(sink, name, sizeof name));
	sink->said_full = true;
	return 0;
}

static void report_loss(struct sink *sink, const struct loss_reporter *reporter)
{
	uint64_t lost = queue_take_lost(&sink->queue);
	struct line *line;

	if (lost == 0)
		return;
	line = reporter->make(reporter->data, sink, lost);
	if (!line || !queue_put(&sink->queue, line, false)) {
		sink->queue.lost = lost; /* later, then */
	} else {
		sink->said_full = false;
	}
	if (line)
		line_unref(line);
}

/* The oldest line, or the rest of it. */
static int write_head(struct sink *sink, struct line *line)
{
	int error;

	if (sink->out.size == 0) {
		error = sink->type->render(sink, line);
		if (error < 0) {
			sink->out.size = 0;
			return error;
		}
	}
	error = sink->out.size > 0 ? sink->type->flush(sink) : 0;
	if (error < 0)
		return error;
	sink->out.size = sink->out.done = 0;
	return 0;
}

static void recovered(struct sink *sink)
{
	char name[256];

	sink->pause = RETRY_MIN_NS;
	if (sink->complaint != 0)
		say("sink %s: writes again", sink_name(sink, name, sizeof name));
	sink->complaint = 0;
}

bool sink_pump(struct sink *sink, int64_t now, const struct loss_reporter *reporter)
{
	for (int i = 0; i < SINK_BURST && sink->state == SINK_UP; i++) {
		struct line *line;
		int error;

		report_loss(sink, reporter);
		line = queue_head(&sink->queue);
		if (!line)
			return false;
		error = write_head(sink, line);
		if (error < 0) {
			handle(sink, error, now);
			continue;
		}
		queue_pop(&sink->queue);
		recovered(sink);
	}
	return sink->state == SINK_UP && queue_head(&sink->queue);
}

const char *sink_check(struct sink *sink)
{
	const char *damage = sink->type->check && sink->fd >= 0 ? sink->type->check(sink) : NULL;
	char name[256];

	if (damage)
		say("sink %s: was %s by somebody", sink_name(sink, name, sizeof name), damage);
	return damage;
}

void sink_wake(struct sink *sink, int64_t now)
{
	if (sink->state == SINK_STALLED)
		sink->state = SINK_UP;
	else if (sink->state == SINK_DOWN && now >= sink->retry_at)
		open_now(sink, now);
	sink->wait_for_fd = false;
}

void sink_reopen(struct sink *sink, int fd)
{
	int error;

	if (!sink->type->reopen) {
		(void)close(fd);
		return;
	}
	error = sink->type->reopen(sink, fd);
	if (error < 0) {
		die(sink, error);
		return;
	}
	sink->state = SINK_UP;
	sink->wait_for_fd = false;
}

int64_t sink_due(const struct sink *sink)
{
	return sink->state == SINK_STALLED || sink->state == SINK_DOWN ? sink->retry_at : INT64_MAX;
}

bool sink_is_idle(const struct sink *sink)
{
	return !queue_head(&sink->queue) || sink->state == SINK_DEAD;
}

int out_add(struct outbuf *out, const void *data, size_t size)
{
	if (out->size + size > out->capacity) {
		size_t capacity = MAX(out->capacity * 2, out->size + size);
		char *grown = realloc(out->data, capacity);

		if (!grown)
			return -ENOMEM;
		out->data = grown;
		out->capacity = capacity;
	}
	if (size > 0)
		memcpy(out->data + out->size, data, size);
	out->size += size;
	return 0;
}

int end_torn_line(struct sink *sink)
{
	int error = sink->torn ? out_add(&sink->out, "\n", 1) : 0;

	if (error == 0)
		sink->torn = false;
	return error;
}

int render_json(struct sink *sink, const struct line *line)
{
	int error = end_torn_line(sink);

	if (error == 0)
		error = out_add(&sink->out, line->text, line->size);
	return error < 0 ? error : out_add(&sink->out, "\n", 1);
}
