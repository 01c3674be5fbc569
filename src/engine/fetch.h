/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fetch.h - what a call names in its caller's memory, read by a worker instead of the
 * loop, with a deadline (see sentinel.h).
 *
 * Where the loop is to be careful, a call is given to a worker before its handler sees
 * it; then it is dispatched again and the handler takes what was read. So everything is
 * read once, and by whoever may wait.
 */
#pragma once
#include "engine/flight.h"

struct fetch {
	struct fetch *next;
	pid_t tid;
	enum syscall_handler handler;
	struct seccomp_data data;
	/* of exec: `at` says execveat; of a connect or bind the address */
	bool at, want_envp;
	ssize_t size; /* of the text, or -errno */
	char text[PATH_MAX];
	struct string_list argv, envp;
	int argv_error, envp_error; /* 0 or -errno */
	struct arena arena;         /* where these lie */
	/* of a send: message number `message`; the job without its descriptor */
	unsigned message;
	struct send_job job;
	struct send_scratch *scratch;
	int taken, fetched; /* 0 or -errno of send_take_...() and send_fetch() */
};

/* Whether the loop shall not read its callers' memory. */
static inline bool flight_careful(const struct supervisor *sv)
{
	return sv->traced || atomic_load_explicit(&sv->journal->careful, memory_order_relaxed);
}

/* Sets the sentinel up. Where nobody could take over, or nobody watches, everything is
 * read by workers.
 */
void fetch_init(struct supervisor *sv);

/* The supervisor DATA reads memory of the workload by itself; false: it shall not. */
bool fetch_may_read(void *data);
void fetch_has_read(void *data);

/* True when SLOT was given to a worker, which reads its memory first, or was dealt with
 * because there is none. False: the handler may go on.
 */
bool fetch_begin(struct supervisor *sv, unsigned slot, struct caller *caller);
/* The worker is through. */
void fetch_worked(struct supervisor *sv, unsigned slot);
/* The verdict is due and the worker not through. */
void fetch_overdue(struct supervisor *sv, unsigned slot);
/* Whether the caller is still there. */
void fetch_look(struct supervisor *sv, unsigned slot);

/* What was read for the flight is used up; what events point to stays until the loop's
 * next turn, when fetch_sweep() takes it.
 */
void fetch_drop(struct supervisor *sv, struct flight *f);
void fetch_sweep(struct supervisor *sv);

/* The path or address into BUF: as target_read_string() and target_copy() return. */
ssize_t fetch_path(const struct fetch *fetch, char *buf, size_t size);
ssize_t fetch_address(const struct fetch *fetch, void *buf, size_t size);
/* What was read of the message in hand; NULL: nothing. */
struct fetch *fetch_of_message(struct supervisor *sv, unsigned slot);
/* That message into the job, and its data into the loop's scratch: as send_take_...(). */
int fetch_message(struct supervisor *sv, struct flight *f);
