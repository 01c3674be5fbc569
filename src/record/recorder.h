/* SPDX-License-Identifier: GPL-3.0-or-later */
/* recorder.h - the state of the recorder process. */
#pragma once
#include "base/seqpacket.h"
#include "record/denials.h"
#include "record/lost.h"
#include "record/sink.h"

struct message {
	char body[SEQPACKET_MAX];
	int fds[SEQPACKET_MAX_FDS];
	size_t nfds;
};

struct recorder {
	int link_fd;
	struct sink sinks[SINKS_MAX];
	size_t nsinks;
	struct denials denials;
	struct loss_reporter reporter;
	int64_t now;          /* monotonic ns, once a turn */
	int64_t ask_again_at; /* when HELLO is repeated that was not answered */
	int64_t flush_until;  /* INT64_MAX = no flush is on */
	bool flush_asked;     /* by a message, which wants an answer */
	bool flushed;         /* the answer is due */
	bool ack_due, link_full;
	bool ended;             /* the link is at its end */
	bool failed;            /* out of memory at a denial */
	struct message message; /* the last member, see recorder_init() */
};

/* Takes LINK_FD over. Sinks and reporter are the caller's to fill in before
 * recorder_run().
 */
void recorder_init(struct recorder *r, int link_fd);
void recorder_done(struct recorder *r);

/* Until the link ends: the exit status. */
int recorder_run(struct recorder *r);
