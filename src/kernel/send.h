/* SPDX-License-Identifier: GPL-3.0-or-later */
/* send.h - sendto(2), sendmsg(2) and sendmmsg(2) performed on guard's duplicate of the
 * socket, one message at a time.
 *
 * The name of the peer is copied once and never read again: what was judged is where
 * it goes. Data and control messages are judged by nobody, so they may be read again
 * from the caller's memory when a worker goes on with the call. The kernel's own
 * order of errors is kept: what cannot be read of the data is passed on as memory that
 * cannot be read either, and the kernel says what that means.
 */
#pragma once
#include <linux/seccomp.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/util.h"
#include "kernel/ancillary.h"
#include "kernel/connect.h"

enum {
	SEND_CHUNK = 64 * 1024,              /* the longest datagram, and a piece of a stream */
	SEND_VECTOR_MAX = 1024,              /* UIO_MAXIOV */
	SEND_LONG_MAX = 8 * 1024 * 1024,     /* a message of AF_UNIX: as its SO_SNDBUF allows */
	SEND_CONTROL_MAX = 128 * 1024,       /* optmem_max of Linux 6.9 and later */
	SEND_TOTAL_MAX = 0x7fffffff & ~4095, /* MAX_RW_COUNT */
};

/* Where a message passes through. The loop has one, a worker makes its own; only what is
 * used takes memory.
 */
struct send_scratch {
	struct iovec vector[SEND_VECTOR_MAX];     /* the caller's */
	struct iovec remote[SEND_VECTOR_MAX + 2]; /* what is read in one go */
	size_t got, want;                         /* bytes of `data`: read, to be read */
	bool control_bad;                         /* it cannot be read */
	size_t chunk;                             /* how much is read in one go */
	char control[SEND_CONTROL_MAX];
	char made[SEND_CONTROL_MAX + ANCILLARY_EXTRA]; /* of it, for AF_UNIX */
	_Alignas(4096) char data[SEND_LONG_MAX]; /* pages of its own: MSG_ZEROCOPY keeps them */
};

struct send_job {
	int fd;          /* our duplicate */
	pid_t tid, tgid; /* whose memory it is */
	struct socket_kind kind;
	struct sockaddr_storage name; /* guard's copy */
	socklen_t name_size;          /* 0 = none */
	bool name_empty;              /* sendto(2) with an address of no bytes */
	bool as_caller;               /* the kernel asks who sends: with its identity */
	int peer_error;               /* AF_UNIX: why there is no peer of the name, -errno */
	bool names;                   /* AF_UNIX: guard may send credentials of others */
	bool ask_alone;               /* SEND_CONTINUE when nobody else could change the socket */
	int flags;                    /* MSG_DONTWAIT also for O_NONBLOCK */
	struct iovec single;          /* sendto(2): the caller's buffer */
	uint64_t name_at, control, vector; /* addresses in the caller's memory */
	size_t nvector, control_size;
	size_t total; /* bytes of the message */
	size_t done;  /* sent so far, of a stream */
};

/* A send_scratch, NULL when there is no memory. */
struct send_scratch *send_scratch_new(void);
void send_scratch_free(struct send_scratch *scratch);

/* Takes the message over from the arguments of sendto(2), or from the struct msghdr
 * at ADDRESS (msg_flags that count: ALLOWED): everything but control and data. 0, or
 * the -errno of the call; -EPERM and -ESRCH: the caller's memory is out of reach.
 */
int send_take_arguments(struct send_job *job, struct send_scratch *scratch,
			const struct seccomp_data *data);
int send_take_message(struct send_job *job, struct send_scratch *scratch, uint64_t address,
		      int allowed);

/* Reads name (with WITH_NAME), control and the piece of data that is next, in one
 * go. Returns as those do.
 */
int send_fetch(struct send_job *job, struct send_scratch *scratch, bool with_name);

/* Whether the message goes to a peer that it names itself. Not so for a connected
 * TCP stream, where the kernel ignores a name.
 */
bool send_has_peer(const struct send_job *job);
/* The name as this socket would take it: a family of 0 can mean that of the socket. */
void send_peer(const struct send_job *job, struct sockaddr_storage *ret);

/* Control messages that need a right, or look at who sends. */
bool send_control_is_personal(const struct send_scratch *scratch, size_t size);

/* A message that is longer than what the loop passes on. */
bool send_is_long(const struct send_job *job);
/* A stream: sent in pieces, a partial count is no error. */
bool send_is_stream(const struct socket_kind *kind);
/* True when a failure with EPIPE also sends SIGPIPE. */
bool send_signals(const struct send_job *job);
/* True when the call must not be tried without waiting first. */
bool send_must_wait(const struct send_job *job);

/* Takes up a message again, of which `done` bytes are sent and whose name is known:
 * returns as send_fetch().
 */
int send_resume(struct send_job *job, struct send_scratch *scratch);
/* Sends what was fetched, with FLAGS in addition: bytes, or -errno. */
ssize_t send_piece(const struct send_job *job, struct send_scratch *scratch, int flags);

/* How many bytes were ever put into the stream; -1 when that cannot be told. */
int64_t send_position(const struct send_job *job);

/* msg_len of a message of sendmmsg(2), in the caller's memory. A worker_job: 0 or -EFAULT. */
struct send_length {
	pid_t tid;
	uint64_t at;
	int64_t value;
};
int send_write_length(void *length);

enum { SEND_CONTINUE = 1 };
/* The rest of the message, waiting for room as the flags say. A worker_job: 0 or
 * -errno, and job->done; or SEND_CONTINUE.
 */
int send_run(void *job);
