/* SPDX-License-Identifier: GPL-3.0-or-later */
/* connect_ring.c - blocking connects over IP wait in the ring, which takes no thread.
 *
 * Where the ring's connect differs from the kernel's (see ring.h), this makes it the
 * same: the time limit is the socket's, and a connect that is in progress already is
 * waited for and then asked for its result.
 */
#include "config.h"

#include "engine/connect.h"

#include <errno.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/log.h"

/* One that is in progress is over when the socket is ready. Should the kernel say so
 * and not so, again and again, a thread is better.
 */
enum { TURNS_MAX = 8 };

/* Instead of a result: the next step is due. */
enum { NEXT_STEP = 4 };

/* What lies in the journal may all wait, but for some slots that other calls need. A
 * connect that waits keeps two descriptors.
 */
void connect_make_ring(struct supervisor *sv)
{
	struct rlimit limit;
	rlim_t max = JOURNAL_SLOTS - 1024;
	int r;

	if (sv->options.config->mode == MODE_OFF || !sv->ruleset->needs[EVENT_CONNECT].watched ||
	    getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur < FDS_RESERVED + 8)
		return;
	max = MIN(max, (limit.rlim_cur - FDS_RESERVED) / 8);
	r = ring_new(JOURNAL_SLOTS, (unsigned)max, &sv->ring);
	if (r < 0)
		log_debug("no io_uring here (%s): connects wait in threads", strerror(-r));
}

bool connect_fits_ring(const struct supervisor *sv, unsigned slot)
{
	const struct flight *f = &sv->flights[slot];

	return sv->ring && !f->connect.job.local && f->connect.kind.type == SOCK_STREAM &&
	       (f->connect.kind.domain == AF_INET || f->connect.kind.domain == AF_INET6) &&
	       ring_serves(f->connect.job.fd, f->connect.kind.protocol);
}

bool connect_has_room(const struct supervisor *sv, pid_t process)
{
	unsigned room = ring_room(sv->ring), held = flight_in_ring(sv, process);

	/* the more there are, the fewer for each: some room is left for the next process */
	return room && held < MAX(room, 1u) * 3;
}

static int begin(struct supervisor *sv, unsigned slot)
{
	const struct flight *f = &sv->flights[slot];
	const struct connect_job *job = &f->connect.job;
	int64_t left = 0;

	if (f->until_ns)
		left = MAX(f->until_ns - now_monotonic_ns(), 1);
	if (f->connect.polled)
		return ring_poll(sv->ring, slot, job->fd, POLLOUT, left);
	return ring_connect(sv->ring, slot, job->fd, &job->address, job->size, left);
}

/* What a result of the ring means. */
static int settle(const struct supervisor *sv, struct flight *f, int result)
{
	bool polled = f->connect.polled;

	f->connect.polled = false;
	if (result == -ECANCELED) /* we have called it off */
		return f->connect.disconnected ? ring_disconnected(sv->ring) : -EINTR;
	if (result == -ETIME)
		return f->connect.in_progress ? -EALREADY : -EINPROGRESS;
	if (polled)
		return NEXT_STEP;
	if (result == -EALREADY) {
		f->connect.polled = f->connect.in_progress = true;
		return f->connect.turns++ < TURNS_MAX ? NEXT_STEP : CONNECT_NOT_HERE;
	}
	if (result < 0)
		ring_clean_up(f->connect.job.fd, result);
	return result;
}

/* Which socket it is, whoever holds it. */
static ino_t number_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 ? 0 : st.st_ino;
}

void connect_end_others(struct supervisor *sv, unsigned slot)
{
	ino_t socket = sv->ring && sv->nwaiting ? number_of(sv->flights[slot].connect.job.fd) : 0;

	for (unsigned i = 0; socket && i < sv->nwaiting; i++) {
		const struct waiting *w = &sv->waiting[i];

		if (w->on != WAITS_IN_RING || w->socket != socket)
			continue;
		sv->flights[w->slot].connect.disconnected = true;
		ring_cancel(sv->ring, w->slot);
	}
}

int connect_by_ring(struct supervisor *sv, unsigned slot)
{
	struct flight *f = &sv->flights[slot];
	int result;

	do {
		if (begin(sv, slot) < 0)
			return CONNECT_NOT_HERE;
		if (!ring_take_now(sv->ring, slot, &result)) {
			f->state = FLIGHT_RING;
			flight_waits(sv, slot, WAITS_IN_RING);
			sv->waiting[f->waiting - 1].socket = number_of(f->connect.job.fd);
			return CONNECT_WAITS;
		}
		result = settle(sv, f, result);
	} while (result == NEXT_STEP);
	return result;
}

void connect_ringed(struct supervisor *sv, unsigned slot, int result)
{
	struct flight *f = &sv->flights[slot];

	f->state = FLIGHT_NONE;
	result = settle(sv, f, result);
	if (result == NEXT_STEP)
		result = connect_by_ring(sv, slot);
	if (result == CONNECT_NOT_HERE)
		result = connect_wait(sv, slot);
	if (result != CONNECT_WAITS)
		connect_worked(sv, slot, result);
}
