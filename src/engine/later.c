/* SPDX-License-Identifier: GPL-3.0-or-later */
/* later.c - events that wait for the hashes of their files, after the answer.
 *
 * What is not known yet is read by workers of its own kind, a few at a time, so that no
 * call ever waits for them: by each at most a few files of one file system, since that
 * may be one that does not answer. An event that has its hashes, or its time, goes on as
 * if it had just been seen.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <sys/timerfd.h>

#include "engine/event_copy.h"
#include "engine/flight.h"

enum {
	HELD_MAX = 64,           /* events that wait; of more the hashes are left out */
	HELD_PER_DEVICE = 16,    /* of these, for files of one file system */
	READERS = 4,             /* files that are read at the same time */
	READERS_PER_DEVICE = 2,  /* of these, of one file system */
	STUCK_PER_DEVICE = 8,    /* readers that it may keep for good */
	HELD_ROOM = 1024 * 1024, /* address space for one copy */
	FILES_MAX = 16,          /* files hashed for one match */
	PINNED_MAX = 4,          /* of these, taken before it waits for the first */
};

enum held_state { HELD_FREE, HELD_QUEUED, HELD_READING };

struct pinned_file {
	const struct file_info *file;
	struct hash_target target;
};

struct held {
	enum held_state state;
	struct arena arena;
	struct event_copy copy;
	struct match match;
	enum guarantee guarantee;
	struct file_info *file; /* the one of the job */
	struct hash_job job;
	pid_t device; /* of the file, as an owner of workers */
	int64_t deadline_ns;
	unsigned files; /* hashed so far */
	struct pinned_file pins[PINNED_MAX];
};

struct later {
	struct worker_pool *readers;
	int timer;
	unsigned count, reading;
	struct pinned_file pins[IMAGE_FILES];
	struct held held[HELD_MAX];
};

static int new_later(struct later **ret)
{
	struct later *later = calloc(1, sizeof *later);
	int r;

	if (!later)
		return -ENOMEM;
	for (size_t i = 0; i < IMAGE_FILES; i++)
		later->pins[i].target.fd = -1;
	for (size_t i = 0; i < HELD_MAX * PINNED_MAX; i++)
		later->held[i / PINNED_MAX].pins[i % PINNED_MAX].target.fd = -1;
	later->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	r = later->timer < 0 ? -errno : worker_pool_new(&later->readers);
	if (r < 0) {
		if (later->timer >= 0)
			(void)close(later->timer);
		free(later);
		return r;
	}
	*ret = later;
	return 0;
}

int later_make(struct supervisor *sv)
{
	int r;

	if (!sv->ruleset->hashes_files || sv->options.config->mode == MODE_OFF)
		return 0;
	r = hashing_new(sv->options.config, sv->ruleset, sv->options.library, &sv->hashing);
	return r == 0 ? new_later(&sv->later) : r;
}

int later_results_fd(const struct later *later)
{
	return worker_pool_fd(later->readers);
}

int later_timer_fd(const struct later *later)
{
	return later->timer;
}

/* ---- pins ----------------------------------------------------------------------- */

void later_unpin(struct supervisor *sv)
{
	for (size_t i = 0; sv->later && i < IMAGE_FILES; i++) {
		hash_target_drop(&sv->later->pins[i].target);
		sv->later->pins[i].file = NULL;
	}
}

static bool may_hash(const struct match *match)
{
	for (size_t i = 0; i < match->rule->nactions; i++) {
		if (match->rule->actions[i].type == ACTION_HASH && match_does(match, i))
			return true;
	}
	return match->unhashed;
}

void later_pin(struct supervisor *sv, const struct event *event, const struct decision *d,
	       const int files[IMAGE_FILES])
{
	const struct image *image = event->process->image;
	const struct file_info *infos[IMAGE_FILES] = { &image->file, &image->interpreter };
	bool any = false;

	for (size_t i = 0; sv->later && i < d->nmatches; i++)
		any |= may_hash(&d->matches[i]);
	for (size_t i = 0; any && i < IMAGE_FILES; i++) {
		struct pinned_file *pin = &sv->later->pins[i];
		int r = -ENOENT;

		if (!infos[i]->present)
			continue;
		if (files[i] > 0)
			r = hash_target_take(files[i], &pin->target);
		else if (files[i] < 0)
			r = hash_target_find(&sv->host, event->process, infos[i], &pin->target);
		pin->file = r == 0 ? infos[i] : NULL;
	}
}

/* FILE may be of a copy of the event that the pins are of: it is the same file. */
static bool take_pin(struct pinned_file *pins, size_t count, const struct file_info *file,
		     struct hash_target *ret)
{
	for (size_t i = 0; i < count; i++) {
		struct pinned_file *pin = &pins[i];

		if (!pin->file || !resolve_same_file(pin->file, file))
			continue;
		*ret = pin->target;
		pin->target.fd = -1;
		pin->file = NULL;
		return true;
	}
	return false;
}

/* The file FILE of PROCESS, as it was taken, or as it is now. 0 or -errno. */
static int find_target(struct supervisor *sv, struct held *h, const struct process *process,
		       const struct file_info *file, struct hash_target *ret)
{
	if (take_pin(h->pins, PINNED_MAX, file, ret) ||
	    take_pin(sv->later->pins, IMAGE_FILES, file, ret))
		return 0;
	return hash_target_find(&sv->host, process, file, ret);
}

/* Takes all files that H's actions are about, while their processes are there. */
static void pin_files(struct supervisor *sv, struct held *h)
{
	size_t count = 0;

	for (size_t i = 0; i < h->match.rule->nactions && count < PINNED_MAX; i++) {
		const struct action *action = &h->match.rule->actions[i];
		struct pinned_file pin = { .target.fd = -1 };
		const struct process *process;

		if (action->type != ACTION_HASH || !match_does(&h->match, i))
			continue;
		pin.file = field_file(&action->hash->field, &h->copy.event, &process);
		if (pin.file && pin.file->present && pin.file->hash_state == HASH_STATE_NO_HASH &&
		    find_target(sv, h, process, pin.file, &pin.target) == 0)
			h->pins[count++] = pin;
	}
}

/* ---- reading -------------------------------------------------------------------- */

static void set_timer(struct later *later)
{
	struct itimerspec spec = { .it_value.tv_sec = 0 };
	int64_t first = INT64_MAX;

	for (size_t i = 0; later->count && i < HELD_MAX; i++) {
		if (later->held[i].state != HELD_FREE)
			first = MIN(first, later->held[i].deadline_ns);
	}
	if (first != INT64_MAX) {
		spec.it_value.tv_sec = first / 1000000000;
		spec.it_value.tv_nsec = first % 1000000000 + 1;
	}
	(void)timerfd_settime(later->timer, TFD_TIMER_ABSTIME, &spec, NULL);
}

static unsigned count_of(const struct later *later, enum held_state state, pid_t device)
{
	unsigned count = 0;

	for (size_t i = 0; i < HELD_MAX; i++)
		count += later->held[i].state == state && later->held[i].device == device;
	return count;
}

/* The oldest of those that wait and may be read now. */
static struct held *next_queued(struct later *later)
{
	struct held *next = NULL;

	for (size_t i = 0; i < HELD_MAX; i++) {
		struct held *h = &later->held[i];

		if (h->state == HELD_QUEUED && (!next || h->deadline_ns < next->deadline_ns) &&
		    count_of(later, HELD_READING, h->device) < READERS_PER_DEVICE &&
		    worker_pool_held(later->readers, h->device) < STUCK_PER_DEVICE)
			next = h;
	}
	return next;
}

static void start_readers(struct later *later)
{
	struct held *h;

	while (later->reading < READERS && (h = next_queued(later))) {
		if (worker_pool_start(later->readers,
				      &(struct worker_request){ .slot = (unsigned)(h - later->held),
								.owner = h->device,
								.job = hash_job_run,
								.data = &h->job,
								.size = sizeof h->job,
								.dispose = hash_job_dispose }) < 0)
			return;
		h->state = HELD_READING;
		later->reading++;
	}
}

/* ---- one event ------------------------------------------------------------------- */

static void drop(struct later *later, struct held *h)
{
	for (size_t i = 0; i < PINNED_MAX; i++) {
		hash_target_drop(&h->pins[i].target);
		h->pins[i].file = NULL;
	}
	event_copy_drop(&h->copy);
	arena_reset(&h->arena);
	h->state = HELD_FREE;
	later->count--;
}

static enum hash_state state_of_error(int error)
{
	switch (error) {
	case -EACCES:
	case -EPERM: return HASH_STATE_FILE_OPEN_ERROR;
	case -ENOENT:
	case -ESRCH:
	case -EAGAIN: return HASH_STATE_FILE_NOT_FOUND;
	default: return HASH_STATE_FAILED;
	}
}

/* The hashes are H's from now on: its file shows them. */
static bool show(struct held *h, const struct file_hashes *hashes)
{
	struct file_hashes *copy = arena_alloc(&h->arena, sizeof *copy);

	if (!copy)
		return false;
	*copy = *hashes;
	file_hashes_show(copy, h->file);
	return true;
}

/* False when FILE has its hashes now, or why it has none; true when it is being read. */
static bool read_file_of(struct supervisor *sv, struct held *h, const struct file_info *file,
			 uint64_t max_size)
{
	struct later *later = sv->later;
	const struct file_hashes *known;
	const struct process *process;
	struct hash_target target;
	unsigned wanted = hashing_reported(sv->hashing);
	int r;

	/* a rule may name one that is not configured */
	if (h->match.unhashed)
		wanted |= hashing_judged(sv->hashing);
	h->file = event_copy_file(&h->copy, &h->arena, file, &process);
	if (!h->file)
		return false;
	h->file->hash_state = HASH_STATE_FAILED;
	if (h->files++ >= FILES_MAX)
		return false;
	if (!h->file->present) {
		h->file->hash_state = HASH_STATE_PATHNAME_RESOLUTION_ERROR;
		return false;
	}
	r = find_target(sv, h, process, h->file, &target);
	if (r < 0) {
		h->file->hash_state = state_of_error(r);
		return false;
	}
	h->device = (pid_t)(target.key.device & INT32_MAX);
	known = hashing_known(sv->hashing, &target, wanted);
	if (known && target.key.size <= max_size && show(h, known)) {
		hash_target_drop(&target);
		return false;
	}
	if (count_of(later, HELD_QUEUED, h->device) + count_of(later, HELD_READING, h->device) >=
		    HELD_PER_DEVICE ||
	    !hashing_allow(sv->hashing)) {
		hash_target_drop(&target);
		h->file->hash_state = HASH_STATE_RATE_LIMITED;
		return false;
	}
	h->job = hash_job(sv->hashing, target, wanted, max_size, h->deadline_ns);
	h->state = HELD_QUEUED;
	return true;
}

/* The next file of an action that has no hashes yet; NULL when all have. */
static const struct file_info *next_file(const struct held *h, uint64_t *ret_max_size)
{
	const struct process *process;

	for (size_t i = 0; i < h->match.rule->nactions; i++) {
		const struct action *action = &h->match.rule->actions[i];
		const struct file_info *file;

		if (action->type != ACTION_HASH || !match_does(&h->match, i))
			continue;
		file = field_file(&action->hash->field, &h->copy.event, &process);
		if (!file || file->hash_state != HASH_STATE_NO_HASH)
			continue;
		if (action->hash->max_size)
			*ret_max_size = action->hash->max_size;
		return file;
	}
	return NULL;
}

/* Whether the rule, which was undecided, matches and reports: then its match is H's. */
static bool decide_now(struct supervisor *sv, struct held *h)
{
	struct decision d = flight_decide_later(sv, &h->copy.event, h->match.rule);

	if (!d.nmatches)
		return false;
	h->match = d.matches[0];
	if (h->match.unhashed)
		return true;
	pin_files(sv, h);
	flight_settle(sv, &h->copy.event, &d);
	return reporter_begin(sv->reporter, &h->match);
}

/* Goes on with H until it waits for a file, or is over. */
static void go_on(struct supervisor *sv, struct held *h)
{
	const struct config *config = sv->options.config;
	uint64_t max_size;

	for (;;) {
		const struct file_info *file;

		if (h->match.unhashed && !decide_now(sv, h))
			break;
		max_size = (uint64_t)config->hash_max_size;
		file = h->match.unhashed ?: next_file(h, &max_size);
		if (!file) {
			reporter_late(sv->reporter, &h->copy.event, &h->match, h->guarantee);
			break;
		}
		if (read_file_of(sv, h, file, max_size))
			return;
		if (h->file)
			continue;
		/* no memory: what is known is said, what is not cannot be found out */
		if (!h->match.unhashed)
			reporter_late(sv->reporter, &h->copy.event, &h->match, h->guarantee);
		break;
	}
	drop(sv->later, h);
}

static struct held *free_place(struct later *later)
{
	for (size_t i = 0; i < HELD_MAX; i++) {
		struct held *h = &later->held[i];

		if (h->state != HELD_FREE)
			continue;
		if (!h->arena.base && arena_init(&h->arena, HELD_ROOM) < 0)
			return NULL;
		return h;
	}
	return NULL;
}

bool later_take(void *data, const struct event *event, const struct match *match,
		enum guarantee guarantee)
{
	struct supervisor *sv = data;
	struct later *later = sv->later;
	struct held *h = free_place(later);

	if (!h)
		return false;
	if (event_copy_make(sv->processes, event, &h->arena, &h->copy) < 0) {
		arena_reset(&h->arena);
		return false;
	}
	h->match = *match;
	h->guarantee = guarantee;
	h->files = 0;
	h->deadline_ns = now_monotonic_ns() + sv->options.config->deadline_ms * 1000000;
	/* taken, whatever comes of it: a place that is not free */
	h->state = HELD_QUEUED;
	h->device = -1;
	later->count++;
	pin_files(sv, h);
	go_on(sv, h);
	start_readers(later);
	set_timer(later);
	return true;
}

/* ---- the loop -------------------------------------------------------------------- */

void later_results(struct supervisor *sv)
{
	struct later *later = sv->later;
	uint64_t count;
	unsigned slot;
	int result;

	(void)!read(worker_pool_fd(later->readers), &count, sizeof count);
	while (worker_pool_take(later->readers, &slot, &result)) {
		struct held *h = &later->held[slot];

		later->reading--;
		h->state = HELD_QUEUED;
		hash_target_drop(&h->job.target);
		hashing_learn(sv->hashing, &h->job);
		(void)show(h, &h->job.result);
		arena_reset(&sv->arena);
		go_on(sv, h);
	}
	start_readers(later);
	set_timer(later);
}

void later_overdue(struct supervisor *sv)
{
	struct later *later = sv->later;
	int64_t now = now_monotonic_ns();
	uint64_t count;

	(void)!read(later->timer, &count, sizeof count);
	for (size_t i = 0; i < HELD_MAX; i++) {
		struct held *h = &later->held[i];

		if (h->state == HELD_FREE || h->deadline_ns >= now)
			continue;
		if (h->state == HELD_READING) {
			/* it closes what it has when it comes back */
			worker_pool_abandon(later->readers, (unsigned)i);
			later->reading--;
		} else {
			hash_target_drop(&h->job.target);
		}
		h->file->hash_state = HASH_STATE_FAILED;
		h->state = HELD_QUEUED;
		/* what else it needs is asked of the same time */
		h->files = FILES_MAX;
		arena_reset(&sv->arena);
		go_on(sv, h);
	}
	start_readers(later);
	set_timer(later);
}

void later_await(struct supervisor *sv)
{
	while (sv->later && sv->later->count) {
		struct pollfd sources[] = {
			{ .fd = later_results_fd(sv->later), .events = POLLIN },
			{ .fd = later_timer_fd(sv->later), .events = POLLIN },
		};

		if (poll(sources, ELEMENTS(sources), -1) < 0)
			continue;
		if (sources[0].revents)
			later_results(sv);
		if (sources[1].revents)
			later_overdue(sv);
	}
}
