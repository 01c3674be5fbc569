/* SPDX-License-Identifier: GPL-3.0-or-later */
/* recorder.c - the process that writes events: one link in, several sinks out.
 *
 * It reads everything the link has at once, for what waits there holds up the
 * supervisor's next message, and writes each sink as far as that sink goes.
 * Nothing blocks but poll(2). It ends with its link.
 */
#include "config.h"

#include "record/recorder.h"

#include <errno.h>
#include <poll.h>

#include "base/seqpacket.h"
#include "model/link.h"
#include "record/say.h"

enum {
	/* Messages read before the sinks get their turn. */
	LINK_BURST = 512,
	/* Denials accepted and not yet written everywhere; the journal ring holds
	 * less, so this is reached by a stalled sink only. */
	DENIAL_BYTES = 16 * 1024 * 1024,
};
#define FLUSH_NS INT64_C(2000000000)
/* An answer to HELLO takes microseconds; its loss costs no more than this. */
#define ASK_AGAIN_NS INT64_C(1000000000)
/* How often a sink in trouble is tried while a flush waits for it. */
#define FLUSH_RETRY_NS INT64_C(20000000)

void recorder_init(struct recorder *r, int link_fd)
{
	/* the message, which is large, is read into before it is read */
	memset(r, 0, offsetof(struct recorder, message));
	r->message.nfds = 0;
	r->link_fd = link_fd;
	r->flush_until = INT64_MAX;
	denials_init(&r->denials, DENIAL_BYTES);
}

void recorder_done(struct recorder *r)
{
	for (size_t i = 0; i < r->nsinks; i++)
		sink_done(&r->sinks[i]);
	denials_done(&r->denials);
	(void)close(r->link_fd);
}

/* ---- messages ---------------------------------------------------------- */

static int spread(struct recorder *r, struct line *line)
{
	int error = 0;

	for (size_t i = 0; i < r->nsinks && error == 0; i++)
		error = sink_put(&r->sinks[i], line);
	return error;
}

static int on_event(struct recorder *r, const struct seqpacket_head *head, struct message *m)
{
	struct line *line = line_new(m->body, head->size, 0);

	if (!line) {
		for (size_t i = 0; i < r->nsinks; i++)
			r->sinks[i].queue.lost++;
		return 0;
	}
	(void)spread(r, line);
	line_unref(line);
	return 0;
}

static int on_denial(struct recorder *r, const struct seqpacket_head *head, struct message *m)
{
	struct line *line;

	switch (denials_offer(&r->denials, head->seq, head->size)) {
	case DENIAL_DUPLICATE: r->ack_due = true; return 0;
	case DENIAL_REFUSED: return 0;
	case DENIAL_NEW: break;
	}
	line = line_new(m->body, head->size, head->seq);
	if (!line) {
		denials_refuse(&r->denials);
		return 0;
	}
	denials_add(&r->denials, line);
	/* half spread it can be neither kept nor refused: a new recorder asks again */
	return spread(r, line);
}

static int on_hello(struct recorder *r, const struct seqpacket_head *head, struct message *m)
{
	(void)m;
	denials_hello(&r->denials, head->seq);
	r->ack_due = true; /* a new supervisor may not have seen the last one */
	return 0;
}

static int on_reopen(struct recorder *r, const struct seqpacket_head *head, struct message *m)
{
	for (size_t i = 0; i < head->size && i < m->nfds; i++) {
		unsigned place = (unsigned char)m->body[i];

		if (place < r->nsinks)
			sink_reopen(&r->sinks[place], TAKE_FD(m->fds[i]));
	}
	return 0;
}

static int on_flush(struct recorder *r, const struct seqpacket_head *head, struct message *m)
{
	(void)head;
	(void)m;
	r->flush_until = MIN(r->flush_until, r->now + FLUSH_NS);
	r->flush_asked = true;
	return 0;
}

static const struct {
	uint32_t type;
	int (*handle)(struct recorder *r, const struct seqpacket_head *head, struct message *m);
} messages[] = {
	{ LINK_EVENT, on_event },   { LINK_DENIAL, on_denial }, { LINK_HELLO, on_hello },
	{ LINK_REOPEN, on_reopen }, { LINK_FLUSH, on_flush },
};

static int dispatch(struct recorder *r, const struct seqpacket_head *head, struct message *m)
{
	int error = -ENOSYS;

	for (size_t i = 0; i < ELEMENTS(messages); i++)
		if (messages[i].type == head->type)
			error = messages[i].handle(r, head, m);
	for (size_t i = 0; i < m->nfds; i++)
		cleanup_close(&m->fds[i]);
	if (error == -ENOSYS) {
		say("recorder: message of unknown type %u", head->type);
		error = 0;
	}
	return error;
}

/* Reads what is there. True when there may be more. */
static bool read_link(struct recorder *r)
{
	for (int i = 0; i < LINK_BURST; i++) {
		struct seqpacket_head head;
		ssize_t n =
			seqpacket_receive(r->link_fd, &head, r->message.body,
					  sizeof r->message.body, r->message.fds, &r->message.nfds);

		if (n == -EAGAIN)
			return false;
		if (n == -EBADMSG) {
			say("recorder: a malformed message on the link");
			continue;
		}
		if (n < 0) {
			r->ended = true;
			r->flush_until = MIN(r->flush_until, r->now + FLUSH_NS);
			return false;
		}
		if (dispatch(r, &head, &r->message) < 0) {
			say("recorder: out of memory");
			r->failed = true;
			return false;
		}
	}
	return true;
}

/* ---- answers ----------------------------------------------------------- */

static bool answer(struct recorder *r, enum link_message type)
{
	struct seqpacket_head head = { .type = type, .seq = r->denials.written };

	r->link_full = !r->ended && seqpacket_send(r->link_fd, &head, NULL, NULL, 0) == -EAGAIN;
	return !r->link_full;
}

static void answer_link(struct recorder *r)
{
	if (denials_settle(&r->denials))
		r->ack_due = true;
	if (r->ack_due && answer(r, LINK_ACK))
		r->ack_due = false;
	if (r->flushed && answer(r, LINK_FLUSH))
		r->flushed = false;
	if (r->now >= r->ask_again_at)
		r->denials.asked = false; /* a supervisor that died has not answered */
	if (!r->ack_due && denials_must_ask(&r->denials) && answer(r, LINK_HELLO)) {
		r->denials.asked = true;
		r->ask_again_at = r->now + ASK_AGAIN_NS;
	}
}

/* ---- loop -------------------------------------------------------------- */

/* All are told: the one that was damaged may be gone. */
static void check_all(struct recorder *r)
{
	for (size_t i = 0; i < r->nsinks; i++) {
		const char *damage = sink_check(&r->sinks[i]);
		struct line *line =
			damage ? r->reporter.damaged(r->reporter.data, &r->sinks[i], damage) : NULL;

		if (line)
			(void)spread(r, line);
		if (line)
			line_unref(line);
	}
}

static bool pump_all(struct recorder *r)
{
	bool more = false;

	for (size_t i = 0; i < r->nsinks; i++)
		more |= sink_pump(&r->sinks[i], r->now, &r->reporter);
	return more;
}

static bool all_idle(const struct recorder *r)
{
	for (size_t i = 0; i < r->nsinks; i++)
		if (!sink_is_idle(&r->sinks[i]))
			return false;
	return true;
}

/* Ends a flush that is complete or late. True when the recorder is done. */
static bool finish_flush(struct recorder *r)
{
	if (r->flush_until == INT64_MAX || (!all_idle(r) && r->now < r->flush_until))
		return false;
	r->flush_until = INT64_MAX;
	r->flushed |= r->flush_asked;
	r->flush_asked = false;
	answer_link(r);
	return r->ended;
}

static int wait_ms(const struct recorder *r)
{
	int64_t due = r->flush_until;

	for (size_t i = 0; i < r->nsinks; i++)
		due = MIN(due, sink_due(&r->sinks[i]));
	if (r->denials.asked)
		due = MIN(due, r->ask_again_at);
	if (r->flush_until != INT64_MAX)
		due = MIN(due, r->now + FLUSH_RETRY_NS);
	if (due == INT64_MAX)
		return -1;
	return due <= r->now ? 0 : (int)MIN((due - r->now) / 1000000 + 1, 60000);
}

/* Waits, and wakes the sinks that can go on. */
static void wait_for_work(struct recorder *r, bool more)
{
	struct pollfd fds[SINKS_MAX + 1];

	for (size_t i = 0; i < r->nsinks; i++) {
		const struct sink *sink = &r->sinks[i];
		bool waits = sink->state == SINK_STALLED && sink->wait_for_fd;

		fds[i] = (struct pollfd){ .fd = waits ? sink->fd : -1, .events = POLLOUT };
	}
	fds[r->nsinks] = (struct pollfd){
		.fd = r->ended ? -1 : r->link_fd,
		.events = (short)(POLLIN | (r->link_full ? POLLOUT : 0)),
	};
	if (poll(fds, r->nsinks + 1, more ? 0 : wait_ms(r)) < 0)
		return; /* EINTR, or no memory: around again */
	r->now = now_monotonic_ns();
	for (size_t i = 0; i < r->nsinks; i++) {
		bool flushing = r->flush_until != INT64_MAX;

		if (fds[i].revents != 0 || sink_due(&r->sinks[i]) <= r->now || flushing)
			sink_wake(&r->sinks[i], r->now);
	}
}

int recorder_run(struct recorder *r)
{
	r->now = now_monotonic_ns();
	for (size_t i = 0; i < r->nsinks; i++)
		sink_start(&r->sinks[i], r->now);
	answer_link(r); /* HELLO, whatever the link still holds for an earlier recorder */
	while (!r->failed) {
		bool more = !r->ended && read_link(r);

		check_all(r);
		more |= pump_all(r);
		answer_link(r);
		if (finish_flush(r))
			return 0;
		wait_for_work(r, more);
	}
	return 1;
}
