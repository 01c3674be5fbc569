/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/seqpacket.h"
#include "engine/children.h"
#include "engine/fetch.h"
#include "engine/flight.h"
#include "engine/handlers.h"
#include "engine/imagepool.h"
#include "engine/inherit.h"
#include "engine/slay.h"
#include "kernel/confine.h"
#include "kernel/notify.h"
#include "model/link.h"

enum {
	/* every event's own memory: the longest argv and environment, pointers, and
	 * the spans that they are read through */
	EVENT_ARENA_SIZE = 96 * 1024 * 1024,
	EPOLL_BATCH = 8,
	/* what a tick takes, some 40 and 10 µs, others may have to wait */
	DEAR_LOOKS_PER_TICK = 3,
	LOOKS_PER_TICK = 64,
	PIDFDS_MAX = 4096,
};

#define WORKERS_AFTER_NS INT64_C(5000000)

/* What an epoll event is about. */
enum source {
	FROM_LISTENER,
	FROM_SIGNALS,
	FROM_WORKERS,
	FROM_RING,
	FROM_KEEPER,
	FROM_RECORDER,
	FROM_TIMER,
	FROM_CHORES,
	FROM_HASHES,
	FROM_HASH_TIMER
};

/* ---- notifications ---- */

/* Notified to protect guard itself, in every mode. */
static bool protects_guard(enum syscall_handler handler)
{
	return handler == HANDLER_KILL || handler == HANDLER_PIDFD_SIGNAL ||
	       handler == HANDLER_TARGET;
}

/* Who it is that calls cannot be found out: refused, unless guard only watches. */
static void cannot_look(struct supervisor *sv, unsigned slot)
{
	if (sv->options.config->mode != MODE_BLOCK && !protects_guard(sv->flights[slot].handler))
		flight_continue(sv, slot);
	else
		flight_fail(sv, slot, EPERM);
}

bool flight_caller(struct supervisor *sv, unsigned slot, struct caller *caller)
{
	struct flight *f = &sv->flights[slot];
	int r;

	/* an exec keeps the descriptor beyond this call */
	r = f->handler == HANDLER_EXEC ? caller_open(f->tid, caller)
				       : proctab_caller(sv->processes, f->tid, caller);
	/* of an exec the answer says so, or who looks at it before */
	if (r == 0 && f->handler != HANDLER_EXEC &&
	    notify_valid(sv->listener, flight_notification(sv, slot)->id) < 0) {
		caller_close(caller);
		r = -ESRCH;
	}
	if (r == -ESRCH)
		flight_end(sv, slot);
	else if (r < 0)
		cannot_look(sv, slot);
	if (r < 0)
		return false;
	f->tgid = caller->who.tgid;
	sv->journal->slots[slot].tgid = f->tgid;
	return true;
}

static void dispatch(struct supervisor *sv, unsigned slot)
{
	struct flight *f = &sv->flights[slot];
	const struct seccomp_notif *n = flight_notification(sv, slot);
	enum syscall_id id = handler_identify(n);
	struct caller caller = { .tid = (pid_t)n->pid, .pidfd = -1 };
	const struct handler *handler;

	sv->high = MAX(sv->high, slot + 1);
	f->state = FLIGHT_NONE;
	f->tid = f->tgid = caller.tid;
	f->judged = f->met = f->interrupted = f->stopped = f->dead = f->looking = f->left = false;
	f->look.file = 0;
	if (id == SYSCALL_COUNT || !n->pid) {
		/* pid 0: a task outside guard's view of pids cannot be judged */
		f->handler = HANDLER_NONE;
		flight_fail(sv, slot, n->pid ? ENOSYS : EPERM);
		return;
	}
	f->handler = syscall_row(id)->handler;
	f->syscall = syscall_row(id)->name;
	f->exec.path[0] = '\0';
	f->exec.file = f->exec.interpreter = 0;
	f->hashes.known = 0;
	f->hashes.busy = false;
	arena_reset(&sv->arena);
	handler = handler_find(f->handler);
	if ((!handler->by_numbers || sv->condemned) && !flight_caller(sv, slot, &caller))
		return;
	if (sv->condemned) {
		(void)syscall(SYS_pidfd_send_signal, caller.pidfd, SIGKILL, NULL, 0);
		caller_close(&caller);
		flight_fail(sv, slot, EPERM);
		return;
	}
	if (!handler->reads || !fetch_begin(sv, slot, &caller))
		handler->received(sv, slot, &caller);
	caller_close(&caller);
	proctab_trim(sv->processes);
}

/* Those that had to wait, or that a supervisor before this one had in hand. */
static void dispatch_ready(struct supervisor *sv)
{
	for (unsigned i = 0; sv->ready && i < sv->high; i++) {
		if (sv->flights[i].state != FLIGHT_READY)
			continue;
		sv->ready--;
		dispatch(sv, i);
	}
}

static void receive(struct supervisor *sv)
{
	int slot = journal_slot_take(sv->journal), r;

	if (slot < 0) {
		sv->stalled = true;
		return;
	}
	sv->journal->slots[slot].messages = sv->journal->slots[slot].deed = 0;
	sv->journal->slots[slot].bytes = 0;
	sv->journal->slots[slot].recovered = false;
	atomic_store_explicit(&sv->journal->slots[slot].denied, 0, memory_order_release);
	/* straight into the journal: from here on a successor knows of it */
	r = notify_receive(sv->listener, &sv->journal->slots[slot].notification);
	if (r < 0)
		return;
	journal_slot_step(sv->journal, (unsigned)slot, SLOT_RECEIVED);
	sv->flights[slot].recovered = false;
	sv->flights[slot].until_ns = 0;
	sv->flights[slot].pidfd = -1;
	sv->flights[slot].tgid = 0;
	dispatch(sv, (unsigned)slot);
}

/* ---- workers ---- */

static void take_results(struct supervisor *sv)
{
	uint64_t count;
	unsigned slot;
	int result;

	(void)!read(worker_pool_fd(sv->workers), &count, sizeof count);
	while (worker_pool_take(sv->workers, &slot, &result)) {
		arena_reset(&sv->arena);
		if (sv->flights[slot].fetching)
			fetch_worked(sv, slot);
		else
			handler_find(sv->flights[slot].handler)->worked(sv, slot, result);
	}
	connect_dequeue(sv);
}

/* True when there was one: others may have become ready. */
static bool take_results_of_ring(struct supervisor *sv)
{
	bool any = false;
	unsigned slot;
	int result;

	if (!sv->ring)
		return false;
	while (ring_take(sv->ring, &slot, &result)) {
		any = true;
		arena_reset(&sv->arena);
		handler_find(sv->flights[slot].handler)->ringed(sv, slot, result);
	}
	if (any)
		connect_dequeue(sv);
	return any;
}

/* When a verdict is due it is given without the worker: a file server need not heed
 * signals. The last of those that wait takes the place of one that ends.
 */
static void look_for_overdue(struct supervisor *sv)
{
	int64_t now = now_monotonic_ns();

	for (unsigned i = sv->nwaiting; i-- > 0;) {
		unsigned slot = sv->waiting[i].slot;
		const struct flight *f = &sv->flights[slot];

		if (sv->waiting[i].on != WAITS_FOR_WORKER || f->state != FLIGHT_WORKING ||
		    now <= f->deadline_ns)
			continue;
		if (f->fetching)
			fetch_overdue(sv, slot);
		else if (f->handler == HANDLER_EXEC)
			exec_overdue(sv, slot);
		else if (f->looking)
			local_overdue(sv, slot);
	}
}

/* Whose caller has ended, or whose time in the queue has. The listener is not asked: it
 * goes through all calls that are parked to find one.
 */
static void look_for_gone(struct supervisor *sv)
{
	struct pollfd callers[LOOKS_PER_TICK];
	unsigned slots[LOOKS_PER_TICK], count = MIN(sv->nwaiting, (unsigned)LOOKS_PER_TICK);
	int64_t now = now_monotonic_ns();

	for (unsigned i = 0; i < count; i++) {
		slots[i] = sv->waiting[sv->next_look++ % sv->nwaiting].slot;
		callers[i] = (struct pollfd){ .fd = sv->flights[slots[i]].pidfd, .events = POLLIN };
	}
	if (poll(callers, count, 0) < 0)
		return;
	for (unsigned i = 0; i < count; i++) {
		const struct flight *f = &sv->flights[slots[i]];
		tick_function *look = f->fetching ? fetch_look : handler_find(f->handler)->look;
		bool late = f->state == FLIGHT_QUEUED && f->until_ns && now >= f->until_ns;

		if (look && (callers[i].fd < 0 || callers[i].revents || late))
			look(sv, slots[i]);
	}
}

/* Those that wait are called off when the caller is gone, or has a signal to attend to.
 * Of many each has its turn.
 */
static void look_after_waiting(struct supervisor *sv)
{
	uint64_t count;

	(void)!read(sv->timer, &count, sizeof count);
	look_for_overdue(sv);
	look_for_gone(sv);
	for (unsigned n = MIN(sv->nwaiting, (unsigned)DEAR_LOOKS_PER_TICK); n && sv->nwaiting;
	     n--) {
		unsigned slot = sv->waiting[sv->next_dear_look++ % sv->nwaiting].slot;
		tick_function *tick = handler_find(sv->flights[slot].handler)->tick;

		if (tick && !sv->flights[slot].fetching)
			tick(sv, slot);
	}
	/* where no worker could be made nothing else would wake the queue */
	connect_dequeue(sv);
	flight_tick(sv);
}

/* ---- what is due now and then ---- */

static void arm_chores(struct supervisor *sv)
{
	int64_t due = MIN(heartbeat_due(&sv->heartbeat), sv->workers_due);
	struct itimerspec spec = { .it_value = { .tv_nsec = 0 } };

	if (due == sv->chores_ns)
		return;
	sv->chores_ns = due;
	if (due != INT64_MAX) {
		/* 0 would disarm it */
		due = MAX(due, (int64_t)1);
		spec.it_value.tv_sec = due / 1000000000;
		spec.it_value.tv_nsec = due % 1000000000;
	}
	(void)timerfd_settime(sv->chores, TFD_TIMER_ABSTIME, &spec, NULL);
}

/* There is always one, whatever limits threads later. Most of what is started is over
 * before it is due, and one that is needed earlier is made then.
 */
static void make_workers(struct supervisor *sv)
{
	if (now_monotonic_ns() < sv->workers_due)
		return;
	sv->workers_due = INT64_MAX;
	worker_pool_prepare(sv->workers, 2);
}

static void do_chores(struct supervisor *sv)
{
	uint64_t count;

	(void)!read(sv->chores, &count, sizeof count);
	sv->chores_ns = 0;
	make_workers(sv);
	heartbeat_tick(&sv->heartbeat, sv->reporter, now_monotonic_ns());
	arm_chores(sv);
}

/* ---- children ---- */

static void tell_keeper(const struct supervisor *sv)
{
	uint64_t one = 1;

	(void)!write(sv->options.news, &one, sizeof one);
}

static void root_changed(struct supervisor *sv, enum root_state state, int status)
{
	sv->journal->root_status = status;
	if (state == ROOT_STOPPED)
		atomic_fetch_add(&sv->journal->root_stops, 1);
	atomic_store_explicit(&sv->journal->root_state, state, memory_order_release);
	tell_keeper(sv);
}

static void child_changed(struct supervisor *sv, pid_t pid, int status)
{
	bool root = pid == sv->journal->root_pid;

	if (WIFEXITED(status) || WIFSIGNALED(status)) {
		if (root)
			journal_launch_ended(sv->journal, sv->options.path);
		if (root)
			root_changed(sv, ROOT_EXITED, status);
		/* it may have stopped with it */
		if (root && atomic_load(&sv->journal->root_stops))
			(void)kill(sv->options.keeper_pid, SIGCONT);
		(void)exec_stopped(sv, pid, status);
		return;
	}
	if (exec_stopped(sv, pid, status) || !root)
		return;
	if (WIFSTOPPED(status))
		root_changed(sv, ROOT_STOPPED, status);
	else if (WIFCONTINUED(status)) {
		root_changed(sv, ROOT_RUNNING, status);
		/* it mirrors the workload's stops, and may have slept through this */
		(void)kill(sv->options.keeper_pid, SIGCONT);
	}
}

static void reap(struct supervisor *sv)
{
	struct signalfd_siginfo info;
	pid_t pid;
	int status;

	/* one that was dealt with before its signal was read may have gone on since */
	if (read(sv->signals, &info, sizeof info) == (ssize_t)sizeof info &&
	    info.ssi_code == CLD_TRAPPED && children_stopped((pid_t)info.ssi_pid, &status))
		child_changed(sv, (pid_t)info.ssi_pid, status);
	/* several may hide behind one signal */
	while ((pid = children_next(sv->journal, &status)) > 0)
		child_changed(sv, pid, status);
}

/* ---- the recorder and the keeper ---- */

static void flush(struct supervisor *sv)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = FROM_RECORDER };
	bool full;

	if (sv->options.recorder < 0)
		return;
	full = reporter_flush(sv->reporter);
	if (full == sv->recorder_full)
		return;
	sv->recorder_full = full;
	event.events |= full ? EPOLLOUT : 0;
	(void)epoll_ctl(sv->epoll, EPOLL_CTL_MOD, sv->options.recorder, &event);
}

static bool root_alive(const struct supervisor *sv)
{
	return sv->root_pidfd >= 0 && atomic_load(&sv->journal->root_state) != ROOT_EXITED &&
	       (syscall(SYS_pidfd_send_signal, sv->root_pidfd, 0, NULL, 0) == 0 || errno != ESRCH);
}

/* Nobody is left who could restart guard or report the end: the workload must not
 * outlive its protection. Those that no descent leads to any more are killed at their
 * next call; with the last of them the listener hangs up.
 */
static void condemn(struct supervisor *sv)
{
	pid_t pids[4096];
	size_t count = 0;

	sv->condemned = true;
	(void)epoll_ctl(sv->epoll, EPOLL_CTL_DEL, sv->options.keeper, NULL);
	if (root_alive(sv))
		pids[count++] = sv->journal->root_pid;
	count += proctab_members(sv->processes, pids + count, ELEMENTS(pids) - count);
	slay_trees(pids, count);
}

static void from_keeper(struct supervisor *sv)
{
	struct seqpacket_head head;
	ssize_t n = seqpacket_receive(sv->options.keeper, &head, NULL, 0, NULL, NULL);

	if (n == -EPIPE || n == -EBADMSG)
		condemn(sv);
	else if (n >= 0 && head.type == LINK_STOPPED)
		sv->keeper_stopped = true;
}

/* ---- start ---- */

static int watch(struct supervisor *sv, int fd, enum source source)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = source };

	return epoll_ctl(sv->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int open_sources(struct supervisor *sv)
{
	sigset_t set;
	int r = 0;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	sv->epoll = epoll_create1(EPOLL_CLOEXEC);
	sv->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	sv->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	sv->chores = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (sv->epoll < 0 || sv->signals < 0 || sv->timer < 0 || sv->chores < 0)
		return -errno;
	if (r == 0)
		r = watch(sv, sv->listener, FROM_LISTENER);
	sv->watching = r == 0;
	if (r == 0)
		r = watch(sv, sv->signals, FROM_SIGNALS);
	if (r == 0)
		r = watch(sv, worker_pool_fd(sv->workers), FROM_WORKERS);
	if (r == 0 && sv->ring)
		r = watch(sv, ring_fd(sv->ring), FROM_RING);
	if (r == 0)
		r = watch(sv, sv->timer, FROM_TIMER);
	if (r == 0)
		r = watch(sv, sv->chores, FROM_CHORES);
	if (r == 0)
		r = watch(sv, sv->options.keeper, FROM_KEEPER);
	if (r == 0 && sv->options.recorder >= 0)
		r = watch(sv, sv->options.recorder, FROM_RECORDER);
	if (r == 0 && sv->later)
		r = watch(sv, later_results_fd(sv->later), FROM_HASHES);
	if (r == 0 && sv->later)
		r = watch(sv, later_timer_fd(sv->later), FROM_HASH_TIMER);
	return r;
}

static unsigned pidfd_budget(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur <= FDS_RESERVED)
		return 0;
	return (unsigned)MIN((limit.rlim_cur - FDS_RESERVED) / 2, (rlim_t)PIDFDS_MAX);
}

static void forget_variables(void *data, pid_t pid, uint64_t start_ticks)
{
	const struct supervisor *sv = data;

	variables_forget(sv->options.variables, pid, start_ticks);
}

static bool still_alive(pid_t pid, uint64_t start_ticks)
{
	struct proc_stat stat;

	return procfs_stat(pid, &stat) == 0 && stat.start_ticks == start_ticks;
}

static int make_parts(struct supervisor *sv)
{
	struct proctab_options table = {
		.host = &sv->host,
		.images = sv->options.images,
		.pidfds = pidfd_budget(),
		.reaper = sv->options.keeper_pid,
		.follows = sv->ruleset->needs[EVENT_EXEC].watched || sv->ruleset->verifies_images,
		.forget = sv->options.variables ? forget_variables : NULL,
		.begin_reading = fetch_may_read,
		.end_reading = fetch_has_read,
		.data = sv,
	};
	struct reporter_options reporter = {
		.journal = sv->journal,
		.ruleset = sv->ruleset,
		.origin = sv->options.origin,
		.recorder = sv->options.recorder,
		.news = sv->options.news,
		.variables = sv->options.variables,
		.tally = sv->options.tally,
		.data = sv,
	};
	int r;

	/* of a former supervisor */
	if (sv->options.listener >= 0)
		imagepool_recover(sv->options.images);
	if (sv->options.listener >= 0 && sv->options.variables)
		variables_recover(sv->options.variables, still_alive);
	sv->flights = mmap(NULL, JOURNAL_SLOTS * sizeof *sv->flights, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (sv->flights == MAP_FAILED)
		return -ENOMEM;
	sv->waiting = calloc(JOURNAL_SLOTS, sizeof *sv->waiting);
	if (!sv->waiting)
		return -ENOMEM;
	connect_make_ring(sv);
	/* without random numbers they can be guessed, which only makes rates less fair */
	(void)!getrandom(sv->key, sizeof sv->key, 0);
	sv->pins = sv->options.pinned->sockets;
	r = arena_init(&sv->arena, EVENT_ARENA_SIZE);
	if (r == 0)
		r = resolve_host_init(&sv->host);
	if (r == 0)
		r = lineage_new(sv->ruleset, sv->options.origin->scrubber, PROCTAB_SLOTS,
				&sv->lineage);
	table.lineage = sv->lineage;
	if (r == 0)
		r = proctab_new(&table, &sv->processes);
	if (r == 0)
		r = worker_pool_new(&sv->workers);
	if (r == 0)
		fetch_init(sv);
	if (r == 0)
		r = later_make(sv);
	reporter.later = sv->later ? later_take : NULL;
	if (r == 0)
		r = reporter_new(&reporter, &sv->reporter);
	sv->heartbeat = (struct heartbeat){
		.loaded = loaded_make(sv->ruleset, sv->options.diags),
		.journal = sv->journal,
		.tally = sv->options.tally,
		.every_ms = sv->options.config->heartbeat_ms,
	};
	return r;
}

static void hand_listener_over(struct supervisor *sv)
{
	struct seqpacket_head head = { .type = LINK_LISTENER };

	(void)seqpacket_send(sv->options.keeper, &head, NULL, &sv->listener, 1);
}

/* ---- loop ---- */

static void from_listener(struct supervisor *sv, uint32_t events)
{
	if (events & EPOLLIN)
		receive(sv);
	else if (events & EPOLLHUP)
		sv->done = true; /* no task uses the filter any more */
}

static void handle(struct supervisor *sv, const struct epoll_event *event)
{
	switch ((enum source)event->data.u32) {
	case FROM_LISTENER: from_listener(sv, event->events); break;
	case FROM_SIGNALS: reap(sv); break;
	case FROM_WORKERS: take_results(sv); break;
	case FROM_KEEPER: from_keeper(sv); break;
	case FROM_RECORDER: reporter_receive(sv->reporter); break;
	case FROM_TIMER: look_after_waiting(sv); break;
	case FROM_CHORES: do_chores(sv); break;
	case FROM_HASHES: later_results(sv); break;
	case FROM_HASH_TIMER: later_overdue(sv); break;
	case FROM_RING: break; /* with every turn of the loop */
	}
}

/* Watches the listener, unless no slot is free for what it would bring. */
static void watch_listener(struct supervisor *sv)
{
	struct epoll_event event = { .events = sv->stalled ? 0 : EPOLLIN,
				     .data.u32 = FROM_LISTENER };

	if (sv->watching != sv->stalled)
		return;
	(void)epoll_ctl(sv->epoll, EPOLL_CTL_MOD, sv->listener, &event);
	sv->watching = !sv->stalled;
}

/* The keeper has stopped with the workload. Where that is the keeper's child and not
 * ours, its going on or its end is nothing that we are told: it is looked at.
 */
static void look_after_keeper(struct supervisor *sv)
{
	struct proc_stat stat;

	if (atomic_load(&sv->journal->root_state) != ROOT_STOPPED) {
		sv->keeper_stopped = false;
		return;
	}
	if (procfs_stat(sv->journal->root_pid, &stat) < 0 || stat.state != 'T')
		(void)kill(sv->options.keeper_pid, SIGCONT);
}

static void loop(struct supervisor *sv)
{
	enum { LOOK_MS = 100 };
	struct epoll_event events[EPOLL_BATCH];

	while (!sv->done) {
		int n = epoll_wait(sv->epoll, events, EPOLL_BATCH,
				   sv->ready            ? 0
				   : sv->keeper_stopped ? LOOK_MS
							: -1);

		if (sv->keeper_stopped)
			look_after_keeper(sv);
		for (int i = 0; i < n; i++)
			handle(sv, &events[i]);
		do
			dispatch_ready(sv);
		while (take_results_of_ring(sv));
		fetch_sweep(sv);
		watch_listener(sv);
		flush(sv);
	}
}

/* Since Linux 6.11 a task lets go of the filter before it can be waited for. A thread that
 * dies while guard traces it is guard's to reap, or its leader waits for ever: so it is not
 * the first process alone that is waited for.
 */
static void await_root(struct supervisor *sv)
{
	siginfo_t info;

	reap(sv);
	while (atomic_load(&sv->journal->root_state) != ROOT_EXITED &&
	       waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WCONTINUED | WNOWAIT | __WALL) == 0)
		reap(sv);
}

/* The last denials get their time to reach a sink; a recorder that is dead or
 * stalled does not keep guard from ending.
 */
static void settle(struct supervisor *sv)
{
	enum { SETTLE_MS = 3000, STEP_MS = 20 };
	/* this alone: the listener is hung up and would be ready for ever */
	struct pollfd link = { .fd = sv->options.recorder, .events = POLLIN };
	int64_t until;

	sentinel_dismiss(sv->sentinel);
	await_root(sv);
	later_await(sv);
	heartbeat_last(&sv->heartbeat, sv->reporter);
	reporter_finish(sv->reporter);
	until = now_monotonic_ns() + SETTLE_MS * INT64_C(1000000);
	while (!reporter_settled(sv->reporter) && now_monotonic_ns() < until) {
		flush(sv);
		if (poll(&link, 1, STEP_MS) > 0)
			reporter_receive(sv->reporter);
	}
	reporter_give_up(sv->reporter);
	/* even where it sleeps with a workload that has ended */
	if (atomic_load(&sv->journal->root_stops) && !sv->condemned)
		(void)kill(sv->options.keeper_pid, SIGCONT);
	atomic_store(&sv->journal->finished, 1);
	tell_keeper(sv);
}

static void become_supervisor(void)
{
	/* before Linux 6.6 and in unprivileged use the workload may run as the same
	 * user: no core, no ptrace, no /proc/PID/mem */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)prctl(PR_SET_NAME, "guard-super", 0, 0, 0);
	(void)setsid();
}

/* The process ends behind this, and takes its threads and its memory with it: to wait
 * for the ones and to give back the other first would keep the user waiting.
 */
static void let_go(const struct supervisor *sv)
{
	/* who waits for our end of it to close need not wait for a thread that hangs */
	if (sv->options.recorder >= 0)
		(void)close(sv->options.recorder);
	(void)close(sv->options.keeper);
	(void)close(sv->listener);
}

/* Tables of thousands of rows, most of which are never used: as mappings of their own
 * they are memory only where they are touched, and need not be cleared.
 */
static void map_what_is_large(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, 8192);
}

int supervisor_run(const struct supervisor_options *options)
{
	struct supervisor sv = {
		.options = *options,
		.ruleset = options->ruleset,
		.journal = options->journal,
		.listener = options->listener,
		.epoll = -1,
		.signals = -1,
		.timer = -1,
		.chores = -1,
		.root_pidfd = -1,
	};
	bool first = options->listener < 0;
	struct err err UNUSED = { .code = 0 };
	int r = 0;

	atomic_store(&sv.journal->supervisor, getpid());
	map_what_is_large();
	if (options->degraded)
		(void)snprintf(sv.degraded, sizeof sv.degraded, "%s", options->degraded);
	/* the stub must be born before the session changes and before the first
	 * thread; it shares our descriptors until its exec */
	if (first)
		r = start_launch(&sv);
	become_supervisor();
	/* the stub has a table of its own by now */
	if (r == 0)
		inherit_drop(3);
	if (r == 0 && notify_set_sync(sv.listener) < 0)
		log_debug("no synchronous wake-up on this kernel: calls cost more");
	if (r == 0)
		r = make_parts(&sv);
	if (r == 0)
		r = open_sources(&sv);
	if (r < 0) {
		if (sv.journal->launch_status < 0)
			(void)start_failed(&sv, LAUNCH_STARTING, r);
		if (sv.launch.pid)
			(void)kill(sv.launch.pid, SIGKILL);
		tell_keeper(&sv);
		return 125;
	}
	hand_listener_over(&sv);
#ifndef WITH_SANITIZERS
	/* theirs need calls of their own at any time */
	if (confine_supervisor(&err) < 0)
		log_debug("%s", err.text);
#endif
	sv.workers_due = first ? now_monotonic_ns() + WORKERS_AFTER_NS : 0;
	make_workers(&sv);
	if (first)
		start_begin(&sv);
	else
		start_recover(&sv);
	arm_chores(&sv);
	do
		dispatch_ready(&sv);
	while (take_results_of_ring(&sv));
	loop(&sv);
	settle(&sv);
	let_go(&sv);
	return 0;
}
