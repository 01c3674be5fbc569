/* SPDX-License-Identifier: GPL-3.0-or-later */
/* worker.h - threads for what may block for the workload's sake.
 *
 * The loop never waits: a connect to a slow peer, a path on a cold disk or a
 * FUSE mount, go to a worker, and an eventfd says when one is through. A worker
 * can be taken out of its system call by a signal, as the caller itself would
 * be. Threads are made on demand, up to a fixed number, and stay.
 */
#pragma once
#include "base/util.h"

struct worker_pool;

enum { WORKERS_MAX = 256, WORKER_DATA_MAX = 5 * 1024 };

/* Runs in a worker: 0 or -errno. May be interrupted (-EINTR). */
typedef int worker_job(void *data);

struct worker_request {
	unsigned slot; /* the notification that it is done for */
	pid_t owner;   /* the process that it is done for */
	worker_job *job;
	/* copied; what the job makes of it is copied back when the result is taken */
	void *data;
	size_t size; /* at most WORKER_DATA_MAX */
	/* closes what the job has opened, when nobody takes the result */
	void (*dispose)(void *data);
};

/* For good: the threads end with the process. */
int worker_pool_new(struct worker_pool **ret);
/* Makes the first COUNT threads now, as far as possible. */
void worker_pool_prepare(struct worker_pool *pool, unsigned count);

/* Becomes readable when results wait. */
int worker_pool_fd(const struct worker_pool *pool);

/* -EAGAIN when all workers are busy, or why no thread could be made. */
int worker_pool_start(struct worker_pool *pool, const struct worker_request *request);

/* The result of one that is through: true with *ret_slot and *ret_result, false
 * when there is none.
 */
bool worker_pool_take(struct worker_pool *pool, unsigned *ret_slot, int *ret_result);

/* A signal for the worker of SLOT. It may come before the system call that it
 * is to interrupt: to be repeated until the result is there.
 */
void worker_pool_interrupt(struct worker_pool *pool, unsigned slot);

/* Nobody waits for the result of SLOT any more: the slot is free for another job,
 * and the worker is disposed of whenever it comes back.
 */
void worker_pool_abandon(struct worker_pool *pool, unsigned slot);

/* How many are held for the process OWNER, abandoned ones included. */
unsigned worker_pool_held(const struct worker_pool *pool, pid_t owner);

/* How many wait for work; one more may be made while not all are busy. */
unsigned worker_pool_idle(const struct worker_pool *pool);

/* How many are under way, abandoned ones included. */
unsigned worker_pool_busy(const struct worker_pool *pool);
