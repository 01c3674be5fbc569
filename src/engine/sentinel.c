/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/sentinel.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "kernel/procfs.h"

enum {
	/* between two looks; a read that is the same, and asleep, in so many is held */
	LOOK_MS = 25,
	LOOKS_HELD = 4,
	/* where nothing is read for so long nobody looks any more */
	LOOKS_IDLE = 40,
	STACK_SIZE = 64 * 1024,
};

struct sentinel {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	_Atomic uint64_t reads; /* odd: one is under way */
	_Atomic bool awake, dismissed;
	pid_t tid; /* who is watched */
	struct journal *journal;
	int news;
};

/* Who waits for a processor, or is stopped with all of us, is not held by memory. */
static bool sleeps(pid_t tid)
{
	struct proc_stat stat;

	return procfs_stat(tid, &stat) == 0 && (stat.state == 'D' || stat.state == 'S');
}

static void end_it(struct sentinel *s)
{
	uint64_t one = 1;

	/* written before: the successor shall not be held by the same page */
	atomic_store(&s->journal->careful, 1);
	atomic_store(&s->journal->held, getpid());
	(void)!write(s->news, &one, sizeof one);
	(void)kill(getpid(), SIGKILL);
}

/* Looks until nothing was read for a while. */
static void watch(struct sentinel *s)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
	uint64_t last = atomic_load(&s->reads);
	unsigned held = 0, idle = 0;

	while (idle < LOOKS_IDLE) {
		uint64_t reads;

		(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
		reads = atomic_load(&s->reads);
		idle = reads == last && reads % 2 == 0 ? idle + 1 : 0;
		held = reads == last && reads % 2 && sleeps(s->tid) ? held + 1 : 0;
		last = reads;
		if (held == LOOKS_HELD && !atomic_load(&s->dismissed))
			end_it(s);
	}
}

static void *sentinel_main(void *data)
{
	struct sentinel *s = data;

	for (;;) {
		(void)pthread_mutex_lock(&s->lock);
		while (!atomic_load(&s->awake))
			(void)pthread_cond_wait(&s->wake, &s->lock);
		(void)pthread_mutex_unlock(&s->lock);
		for (bool more = true; more;) {
			uint64_t reads;

			watch(s);
			/* either it sees that we sleep, or we see that it reads */
			reads = atomic_load(&s->reads);
			atomic_store(&s->awake, false);
			more = atomic_load(&s->reads) != reads;
			if (more)
				atomic_store(&s->awake, true);
		}
	}
	return NULL;
}

int sentinel_new(struct journal *journal, int news, struct sentinel **ret)
{
	struct sentinel *s = calloc(1, sizeof *s);
	sigset_t all, old;
	pthread_attr_t attr;
	int r;

	if (!s)
		return -ENOMEM;
	s->tid = gettid();
	s->journal = journal;
	s->news = news;
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_cond_init(&s->wake, NULL);
	r = pthread_attr_init(&attr);
	if (r == 0) {
		(void)pthread_attr_setstacksize(&attr, STACK_SIZE);
		/* every signal belongs to the loop */
		(void)sigfillset(&all);
		(void)pthread_sigmask(SIG_SETMASK, &all, &old);
		r = pthread_create(&s->thread, &attr, sentinel_main, s);
		(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
		(void)pthread_attr_destroy(&attr);
	}
	if (r) {
		free(s);
		return -r;
	}
	*ret = s;
	return 0;
}

void sentinel_dismiss(struct sentinel *s)
{
	if (s)
		atomic_store(&s->dismissed, true);
}

void sentinel_enter(struct sentinel *s)
{
	if (!s)
		return;
	atomic_fetch_add(&s->reads, 1);
	if (atomic_load(&s->awake))
		return;
	(void)pthread_mutex_lock(&s->lock);
	atomic_store(&s->awake, true);
	(void)pthread_cond_signal(&s->wake);
	(void)pthread_mutex_unlock(&s->lock);
}

void sentinel_leave(struct sentinel *s)
{
	if (s)
		atomic_fetch_add(&s->reads, 1);
}
