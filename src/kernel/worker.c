/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/eventfd.h>

/* Jobs are a few system calls; path walks keep two paths on the stack. */
enum { WORKER_STACK = 256 * 1024 };

/* The signal that takes a worker out of a system call; its handler does nothing
 * and is installed without SA_RESTART.
 */
#define WORKER_SIGNAL SIGUSR1

enum worker_state { WORKER_IDLE, WORKER_BUSY, WORKER_DONE };

struct worker {
	struct worker_pool *pool;
	pthread_t thread;
	pthread_cond_t work; /* its own: of hundreds one is to wake up */
	bool started;
	_Atomic enum worker_state state;
	bool abandoned;
	struct worker_request request;
	void *data; /* its own copy */
	int result;
};

struct worker_pool {
	struct worker workers[WORKERS_MAX];
	pthread_mutex_t lock;
	int eventfd;
	unsigned busy;
	_Alignas(max_align_t) char data[WORKERS_MAX][WORKER_DATA_MAX];
};

static void do_nothing(int signal_number UNUSED)
{
}

static void finish(struct worker *w, int result)
{
	uint64_t one = 1;

	w->result = result;
	atomic_store(&w->state, WORKER_DONE);
	(void)!write(w->pool->eventfd, &one, sizeof one);
}

_Noreturn static void *worker_main(void *data)
{
	struct worker *w = data;
	struct worker_pool *pool = w->pool;
	sigset_t set;

	/* everything else belongs to the loop thread */
	(void)sigfillset(&set);
	(void)sigdelset(&set, WORKER_SIGNAL);
	(void)pthread_sigmask(SIG_SETMASK, &set, NULL);
	for (;;) {
		(void)pthread_mutex_lock(&pool->lock);
		while (atomic_load(&w->state) != WORKER_BUSY)
			(void)pthread_cond_wait(&w->work, &pool->lock);
		(void)pthread_mutex_unlock(&pool->lock);
		finish(w, w->request.job(w->data));
	}
}

static int start_thread(struct worker *w)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int r;

	r = pthread_attr_init(&attr);
	if (r)
		return -r;
	(void)pthread_attr_setstacksize(&attr, WORKER_STACK);
	/* born with everything blocked: a process signal must not land here */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&w->thread, &attr, worker_main, w);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	(void)pthread_attr_destroy(&attr);
	if (r)
		return -r;
	w->started = true;
	return 0;
}

int worker_pool_new(struct worker_pool **ret)
{
	struct sigaction action = { .sa_handler = do_nothing };
	struct worker_pool *pool = calloc(1, sizeof *pool);

	if (!pool)
		return -ENOMEM;
	pool->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (pool->eventfd < 0) {
		free(pool);
		return -errno;
	}
	(void)pthread_mutex_init(&pool->lock, NULL);
	(void)sigaction(WORKER_SIGNAL, &action, NULL);
	for (size_t i = 0; i < ELEMENTS(pool->workers); i++) {
		pool->workers[i] = (struct worker){ .pool = pool, .data = pool->data[i] };
		(void)pthread_cond_init(&pool->workers[i].work, NULL);
	}
	*ret = pool;
	return 0;
}

void worker_pool_prepare(struct worker_pool *pool, unsigned count)
{
	for (unsigned i = 0; i < MIN(count, (unsigned)WORKERS_MAX); i++) {
		if (!pool->workers[i].started)
			(void)start_thread(&pool->workers[i]);
	}
}

int worker_pool_fd(const struct worker_pool *pool)
{
	return pool->eventfd;
}

static struct worker *idle_worker(struct worker_pool *pool)
{
	struct worker *fresh = NULL;

	for (size_t i = 0; i < ELEMENTS(pool->workers); i++) {
		struct worker *w = &pool->workers[i];

		if (w->started && atomic_load(&w->state) == WORKER_IDLE)
			return w;
		if (!w->started && !fresh)
			fresh = w;
	}
	return fresh;
}

int worker_pool_start(struct worker_pool *pool, const struct worker_request *request)
{
	struct worker *w = idle_worker(pool);
	int r;

	if (!w)
		return -EAGAIN;
	if (request->size > WORKER_DATA_MAX)
		return -EINVAL;
	if (!w->started) {
		r = start_thread(w);
		if (r < 0)
			return r;
	}
	(void)pthread_mutex_lock(&pool->lock);
	w->request = *request;
	w->abandoned = false;
	memcpy(w->data, request->data, request->size);
	atomic_store(&w->state, WORKER_BUSY);
	pool->busy++;
	(void)pthread_cond_signal(&w->work);
	(void)pthread_mutex_unlock(&pool->lock);
	return 0;
}

bool worker_pool_take(struct worker_pool *pool, unsigned *ret_slot, int *ret_result)
{
	for (size_t i = 0; i < ELEMENTS(pool->workers); i++) {
		struct worker *w = &pool->workers[i];
		bool abandoned = w->abandoned;

		if (atomic_load(&w->state) != WORKER_DONE)
			continue;
		*ret_slot = w->request.slot;
		*ret_result = w->result;
		if (!abandoned)
			memcpy(w->request.data, w->data, w->request.size);
		else if (w->request.dispose)
			w->request.dispose(w->data);
		pool->busy--;
		atomic_store(&w->state, WORKER_IDLE);
		if (!abandoned)
			return true;
	}
	return false;
}

static struct worker *worker_of(struct worker_pool *pool, unsigned slot)
{
	for (size_t i = 0; i < ELEMENTS(pool->workers); i++) {
		struct worker *w = &pool->workers[i];

		if (w->started && !w->abandoned && w->request.slot == slot &&
		    atomic_load(&w->state) != WORKER_IDLE)
			return w;
	}
	return NULL;
}

void worker_pool_interrupt(struct worker_pool *pool, unsigned slot)
{
	struct worker *w = worker_of(pool, slot);

	if (w && atomic_load(&w->state) == WORKER_BUSY)
		(void)pthread_kill(w->thread, WORKER_SIGNAL);
}

void worker_pool_abandon(struct worker_pool *pool, unsigned slot)
{
	struct worker *w = worker_of(pool, slot);

	if (!w)
		return;
	w->abandoned = true;
	if (atomic_load(&w->state) == WORKER_BUSY)
		(void)pthread_kill(w->thread, WORKER_SIGNAL);
}

unsigned worker_pool_held(const struct worker_pool *pool, pid_t owner)
{
	unsigned count = 0;

	for (size_t i = 0; i < ELEMENTS(pool->workers); i++) {
		const struct worker *w = &pool->workers[i];

		count += w->started && w->request.owner == owner &&
			 atomic_load(&w->state) != WORKER_IDLE;
	}
	return count;
}

unsigned worker_pool_idle(const struct worker_pool *pool)
{
	unsigned count = 0;

	for (size_t i = 0; i < ELEMENTS(pool->workers); i++)
		count += pool->workers[i].started &&
			 atomic_load(&pool->workers[i].state) == WORKER_IDLE;
	return count;
}

unsigned worker_pool_busy(const struct worker_pool *pool)
{
	return pool->busy;
}
