/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sink.h - where lines go to: one queue, one descriptor, one type each.
 *
 * Nothing here blocks. A sink is
 *   UP     writing as fast as it is taken;
 *   STALLED its reader does not read or its disk is full: it keeps its place and is
 *          tried again. Denials wait for it.
 *   DOWN   nobody listens at its address: it is connected again with growing
 *          pauses. Denials do not wait for it, what fits its queue is kept.
 *   DEAD   its reader is gone for good. Takes nothing any more.
 * A change for the worse is said once on standard error, and so is the recovery.
 */
#pragma once
#include "record/queue.h"
#include "record/spec.h"

enum sink_state { SINK_UP, SINK_STALLED, SINK_DOWN, SINK_DEAD };

/* How bytes are written to a descriptor without ever blocking (stream.h). */
enum stream_kind {
	STREAM_OWN,    /* a description of our own with O_NONBLOCK */
	STREAM_SOCKET, /* send(2) with MSG_DONTWAIT */
	STREAM_FILE,   /* a regular file or device that does not block */
	STREAM_SHARED, /* a pipe whose description others use: poll, small writes */
};

/* The bytes of the line being written. */
struct outbuf {
	char *data;
	size_t size, capacity;
	size_t done; /* already written */
};

struct sink {
	const struct sink_type *type;
	char *path;
	int fd; /* -1 = none */
	enum stream_kind stream;
	enum sink_state state;
	bool colour;      /* stderr: it is a terminal and may be coloured */
	bool torn;        /* what is there may end without a newline */
	bool framed;      /* syslog over a stream: a NUL ends each message */
	bool wait_for_fd; /* STALLED until poll(2) says that fd can be written */
	bool said_full;
	int complaint;    /* errno last said on standard error; 0 = all is well */
	int64_t retry_at; /* monotonic ns; when to try again without poll's word */
	int64_t pause;    /* between attempts; doubles up to RETRY_MAX_NS */
	struct queue queue;
	struct outbuf out;
	uint64_t written; /* bytes, see check */
	int64_t end;      /* file: how long it must be at least */
	bool removed;     /* file: that has been said */
};

enum {
	/* Per sink: some 8,000 events of 1 KiB, 10 s of a busy workload. */
	SINK_QUEUE_BYTES = 8 * 1024 * 1024,
	/* Lines that a sink may write in one go before the link is looked at. */
	SINK_BURST = 256,
};
#define RETRY_MIN_NS INT64_C(50000000)
#define RETRY_MAX_NS INT64_C(5000000000)

/* All return 0 or -errno. */
struct sink_type {
	enum sink_kind kind;
	/* Connects, or makes the descriptor handed over ready. */
	int (*open)(struct sink *sink);
	/* Puts LINE in its own form into sink->out, which is empty; nothing at all
	 * when this sink does not show such a line. */
	int (*render)(struct sink *sink, const struct line *line);
	/* Writes sink->out: -EAGAIN when the rest must wait. */
	int (*flush)(struct sink *sink);
	/* Goes on with FD, which it takes over; NULL = nothing to rotate. */
	int (*reopen)(struct sink *sink, int fd);
	void (*close)(struct sink *sink);
	/* What somebody has done to what was written, in one word, once; NULL = nothing,
	 * as far as one can see. May be missing. */
	const char *(*check)(struct sink *sink);
	/* What an error means: a full disk passes, a lost peer comes back. */
	bool errors_pass, reconnects;
};

extern const struct sink_type sink_type_stdout, sink_type_stderr, sink_type_file, sink_type_journal,
	sink_type_syslog, sink_type_unix;

/* "TYPE=FD:PATH" as the keeper writes it, parsed into *ret: 0 or -EINVAL. */
int sink_init(struct sink *ret, const char *text, size_t queue_bytes, struct err *err);
void sink_done(struct sink *sink);

static inline bool sink_is_alive(const struct sink *sink)
{
	return sink->state == SINK_UP || sink->state == SINK_STALLED;
}

/* The first open; what it cannot do yet is tried again later. */
void sink_start(struct sink *sink, int64_t now);

/* Queues LINE. A sink that is alive owes it when it is a denial. -ENOMEM when
 * a denial could not be queued.
 */
int sink_put(struct sink *sink, struct line *line);

/* Makes the line that reports a loss, or that SINK was damaged; NULL when it cannot. */
struct loss_reporter {
	struct line *(*make)(void *data, const struct sink *sink, uint64_t lost);
	struct line *(*damaged)(void *data, const struct sink *sink, const char *damage);
	void *data;
};

/* Writes what can be written. True when there is more to do at once (SINK_BURST
 * reached).
 */
bool sink_pump(struct sink *sink, int64_t now, const struct loss_reporter *reporter);

/* Looks whether what was written is still there; says so on standard error when not. What
 * happened, in one word, or NULL.
 */
const char *sink_check(struct sink *sink);

/* The descriptor says that it can be written, or time has come to try again. */
void sink_wake(struct sink *sink, int64_t now);

/* Replaces the descriptor (log rotation); takes FD over. */
void sink_reopen(struct sink *sink, int fd);

/* When sink_wake() is due without a descriptor's word; INT64_MAX = never. */
int64_t sink_due(const struct sink *sink);

/* Nothing is left to write, or nothing ever can be. */
bool sink_is_idle(const struct sink *sink);

/* "file:/var/log/x", for messages. */
const char *sink_name(const struct sink *sink, char *buf, size_t size);

/* For render functions: appends to sink->out. 0 or -ENOMEM. */
int out_add(struct outbuf *out, const void *data, size_t size);
int end_torn_line(struct sink *sink);
int render_json(struct sink *sink, const struct line *line);
