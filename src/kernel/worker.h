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

enum { WORKERS_MAX = 256 };

/* Runs in a worker: 0 or -errno. May be interrupted (-EINTR). DATA is the
 * job's alone until its result has been taken.
 */
typedef int worker_job(void *data);

int worker_pool_new(struct worker_pool **ret);
/* Interrupts what is under way and waits for the threads. */
void worker_pool_free(struct worker_pool *pool);

/* Becomes readable when results wait. */
int worker_pool_fd(const struct worker_pool *pool);

/* Starts JOB for the notification SLOT. -EAGAIN when all workers are busy, or
 * why no thread could be made.
 */
int worker_pool_start(struct worker_pool *pool, unsigned slot, worker_job *job, void *data);

/* The result of one that is through: true with *ret_slot and *ret_result, false
 * when there is none.
 */
bool worker_pool_take(struct worker_pool *pool, unsigned *ret_slot, int *ret_result);

/* A signal for the worker of SLOT. It may come before the system call that it
 * is to interrupt: to be repeated until the result is there.
 */
void worker_pool_interrupt(struct worker_pool *pool, unsigned slot);

/* How many are under way. */
unsigned worker_pool_busy(const struct worker_pool *pool);
