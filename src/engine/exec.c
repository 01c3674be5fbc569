/* SPDX-License-Identifier: GPL-3.0-or-later */
/* exec.c - execve and execveat: judged twice.
 *
 * First look, when a rule may refuse: on guard's own copy of path, arguments and
 * environment, and on the file that the path means now; a refusal is an errno.
 * Then the call is continued with a tracer on it, and at the one stop that
 * follows the second look judges what the kernel has really put in place. What
 * the second look refuses is killed before its first instruction.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "engine/exec_event.h"
#include "engine/fetch.h"
#include "kernel/notify.h"
#include "kernel/script.h"
#include "kernel/target.h"
#include "kernel/verify.h"

/* ---- the arguments ---------------------------------------------------------- */

struct exec_args {
	int dirfd;
	uint64_t path, argv, envp;
	int flags;
};

static struct exec_args exec_args(const struct seccomp_notif *n, const char *syscall)
{
	const uint64_t *a = (const uint64_t *)n->data.args;

	if (streq(syscall, "execveat"))
		return (struct exec_args){ (int)a[0], a[1], a[2], a[3], (int)a[4] };
	return (struct exec_args){ AT_FDCWD, a[0], a[1], a[2], 0 };
}

/* ---- the files --------------------------------------------------------------- */

static int find_files(struct exec_job *job, bool cached_only)
{
	job->interpreter = 0;
	job->file = resolve_open(&(struct resolve_request){ .host = job->host,
							    .tid = job->tid,
							    .tgid = job->tgid,
							    .dirfd = job->dirfd,
							    .path = job->path,
							    .empty_path = job->empty_path,
							    .nofollow = job->nofollow,
							    .cached_only = cached_only });
	if (job->file == -EAGAIN && cached_only)
		return -EAGAIN;
	if (job->file < 0 || !job->want_interpreter)
		return 0;
	/* reading the first line of a file may wait for a disk */
	if (cached_only) {
		(void)close(TAKE_FD(job->file));
		return -EAGAIN;
	}
	job->interpreter = script_interpreter(job->host, job->tid, job->tgid, job->file);
	return 0;
}

static int find_files_job(void *data)
{
	return find_files(data, false);
}

static void close_files(void *data)
{
	struct exec_job *job = data;

	if (job->file > 0)
		(void)close(job->file);
	if (job->interpreter > 0)
		(void)close(job->interpreter);
	job->file = job->interpreter = 0;
}

/* ---- building the event -------------------------------------------------------- */

static int read_arguments(struct supervisor *sv, const struct flight *f,
			  const struct exec_args *args, struct image *image)
{
	int r;

	image->envp_read = sv->ruleset->needs[EVENT_EXEC].fields & NEED_ENVP;
	if (f->fetch) {
		image->argv = f->fetch->argv;
		image->envp = f->fetch->envp;
		return f->fetch->argv_error ?: f->fetch->envp_error;
	}
	sentinel_enter(sv->sentinel);
	r = target_read_vector(f->tid, args->argv, 8, &sv->arena, &image->argv);
	if (r == 0 && image->envp_read)
		r = target_read_vector(f->tid, args->envp, 8, &sv->arena, &image->envp);
	sentinel_leave(sv->sentinel);
	return r;
}

static ssize_t read_path(struct supervisor *sv, struct flight *f, uint64_t at)
{
	ssize_t size;

	if (f->fetch)
		return fetch_path(f->fetch, f->exec.path, sizeof f->exec.path);
	sentinel_enter(sv->sentinel);
	size = target_read_string(f->tid, at, f->exec.path, sizeof f->exec.path);
	sentinel_leave(sv->sentinel);
	return size;
}

/* Everything that rules look at, from the caller's memory. 0 or -errno. */
static int read_image(struct supervisor *sv, unsigned slot, struct image *image)
{
	const struct flight *f = &sv->flights[slot];
	struct exec_args args = exec_args(flight_notification(sv, slot), f->syscall);
	int r;

	*image = (struct image){ .argv.data = "",
				 .envp.data = "",
				 .exec_time_ns = now_realtime_ns() };
	r = resolve_describe(&sv->host, f->tid, f->exec.file, &sv->arena, &image->file);
	if (r < 0)
		return r;
	if (f->exec.interpreter > 0) {
		r = resolve_describe(&sv->host, f->tid, f->exec.interpreter, &sv->arena,
				     &image->interpreter);
		if (r < 0)
			return r;
	}
	exec_add_alias(image, f->exec.path, strlen(f->exec.path));
	return read_arguments(sv, f, &args, image);
}

/* ---- first look ------------------------------------------------------------------ */

/* Whether the call is still waited for: who was found to make it does so. What is no
 * more is over.
 */
static bool still_parked(struct supervisor *sv, unsigned slot)
{
	if (notify_valid(sv->listener, flight_notification(sv, slot)->id) == 0)
		return true;
	flight_end(sv, slot);
	return false;
}

static void start_exec(struct supervisor *sv, unsigned slot, struct caller *caller);

/* An event that is refused because of guard's own trouble, or continued. It shows what
 * the caller still is.
 */
static void cannot_judge(struct supervisor *sv, unsigned slot, struct caller *caller,
			 enum reason reason)
{
	struct flight *f = &sv->flights[slot];
	struct process *process;
	struct event event;
	int error;

	close_files(&f->exec);
	process = proctab_get(sv->processes, caller, &error);
	if (!process) {
		flight_fail(sv, slot, EPERM);
		return;
	}
	exec_make_event(f, process, &event);
	if (!flight_refuse_unreadable(sv, slot, &event, reason))
		start_exec(sv, slot, caller);
}

/* False when there is nothing to judge and the call has been dealt with. What
 * does not exist for the caller fails for the kernel too; should it come to
 * exist meanwhile, the second look sees it.
 */
static bool files_found(struct supervisor *sv, unsigned slot, struct caller *caller)
{
	struct exec_job *job = &sv->flights[slot].exec;

	if (job->file < 0) {
		if (resolve_error_is_native(job->file))
			start_exec(sv, slot, caller);
		else
			cannot_judge(sv, slot, caller, exec_reason(job->file));
		return false;
	}
	if (job->interpreter < 0 && !resolve_error_is_native(job->interpreter)) {
		cannot_judge(sv, slot, caller, exec_reason(job->interpreter));
		return false;
	}
	return true;
}

/* Decides, with the hashes that the verdict depends on: 0, 1 when a worker is to find one
 * first, or -errno.
 */
static int decide_with_hashes(struct supervisor *sv, unsigned slot, const struct event *event,
			      struct image *image, struct decision *ret)
{
	struct flight *f = &sv->flights[slot];
	const int files[IMAGE_FILES] = { f->exec.file, f->exec.interpreter };
	int r = 0;

	while (r == 0) {
		enum image_file which;

		exec_show_hashes(f, image);
		*ret = flight_decide(sv, event);
		if (!ret->unhashed)
			return 0;
		which = exec_unhashed(ret, image);
		if (which == IMAGE_FILES)
			return -ENODATA;
		r = exec_hash(sv, slot, event->process, image, which, files[which]);
	}
	return r;
}

/* The files are there: the verdict on guard's own copy. */
static void judge(struct supervisor *sv, unsigned slot, struct caller *caller,
		  struct process *process)
{
	struct flight *f = &sv->flights[slot];
	struct process candidate;
	struct decision d;
	struct image image;
	struct event event;
	int r;

	if (!files_found(sv, slot, caller))
		return;
	r = read_image(sv, slot, &image);
	if (r == 0) {
		candidate = proctab_candidate(process, &image);
		candidate.comm = exec_future_comm(f->exec.path, strlen(f->exec.path));
		exec_make_event(f, &candidate, &event);
		r = decide_with_hashes(sv, slot, &event, &image, &d);
		if (r == 1)
			return;
	}
	if (r < 0) {
		if (r == -EFAULT || r == -E2BIG) {
			close_files(&f->exec);
			start_exec(sv, slot, caller);
		} else {
			cannot_judge(sv, slot, caller, exec_reason(r));
		}
		return;
	}
	if (!still_parked(sv, slot)) {
		close_files(&f->exec);
		return;
	}
	if (d.strongest.kind >= VERDICT_BLOCKED) {
		later_pin(sv, &event, &d, (int[]){ f->exec.file, f->exec.interpreter });
		close_files(&f->exec);
		/* the report shows all of it, and the caller is parked: it can be read */
		(void)proctab_refresh(sv->processes, process, f->tid,
				      UINT64_MAX & ~(uint64_t)NEED_COMM);
		candidate = proctab_candidate(process, &image);
		candidate.comm = exec_future_comm(f->exec.path, strlen(f->exec.path));
		flight_refuse(sv, slot, &event, &d, GUARANTEE_VERIFIED);
		later_unpin(sv);
		return;
	}
	close_files(&f->exec);
	f->judged = true;
	start_exec(sv, slot, caller);
}

/* Reads the path and looks for the file. */
static void first_look(struct supervisor *sv, unsigned slot, struct caller *caller,
		       struct process *process)
{
	struct flight *f = &sv->flights[slot];
	const struct seccomp_notif *n = flight_notification(sv, slot);
	struct exec_args args = exec_args(n, f->syscall);
	ssize_t size;

	f->exec = (struct exec_job){
		.host = &sv->host,
		.tid = f->tid,
		.tgid = f->tgid,
		.dirfd = args.dirfd,
		.empty_path = args.flags & AT_EMPTY_PATH,
		.nofollow = args.flags & AT_SYMLINK_NOFOLLOW,
		.want_interpreter = sv->ruleset->needs[EVENT_EXEC].fields & NEED_INTERPRETER,
	};
	size = read_path(sv, f, args.path);
	if (size < 0) {
		f->exec.path[0] = '\0';
		if (exec_unreadable(size))
			cannot_judge(sv, slot, caller, REASON_TARGET_UNREADABLE);
		else
			start_exec(sv, slot, caller);
		return;
	}
	if (find_files(&f->exec, true) == 0) {
		judge(sv, slot, caller, process);
		return;
	}
	f->deadline_ns = now_monotonic_ns() + sv->options.config->deadline_ms * 1000000;
	if (flight_work(sv, slot, EXEC_WORKERS_PER_PROCESS,
			(struct worker_request){ .job = find_files_job,
						 .data = &f->exec,
						 .size = sizeof f->exec,
						 .dispose = close_files }) < 0) {
		f->exec.file = 0;
		cannot_judge(sv, slot, caller, REASON_NO_RESOURCE);
	}
}

void exec_unread(struct supervisor *sv, unsigned slot, struct caller *caller, enum reason reason)
{
	cannot_judge(sv, slot, caller, reason);
}

static bool exec_in_flight(const struct supervisor *sv, unsigned slot)
{
	for (unsigned i = 0; i < sv->high; i++) {
		const struct flight *f = &sv->flights[i];

		if (i != slot && f->tgid == sv->flights[slot].tgid && f->handler == HANDLER_EXEC &&
		    (f->state == FLIGHT_EXEC || f->state == FLIGHT_WORKING ||
		     f->state == FLIGHT_DYING))
			return true;
	}
	return false;
}

static void observe(struct supervisor *sv, unsigned slot, struct caller *caller);

void exec_received(struct supervisor *sv, unsigned slot, struct caller *caller)
{
	struct flight *f = &sv->flights[slot];
	struct process *process;
	int error;

	/* of two threads that exec at once only one may be traced: the kernel waits
	 * for the other to die while it holds what PTRACE_SEIZE needs */
	if (exec_in_flight(sv, slot)) {
		f->state = FLIGHT_WAITING;
		return;
	}
	if (!sv->ruleset->needs[EVENT_EXEC].watched && !sv->ruleset->verifies_images) {
		observe(sv, slot, caller);
		return;
	}
	if (!flight_enforces(sv, EVENT_EXEC)) {
		start_exec(sv, slot, caller);
		return;
	}
	if (!still_parked(sv, slot))
		return;
	/* whose own image nobody asks for: the event is about the one to come */
	process = proctab_get_for_exec(sv->processes, caller, &error);
	if (!process ||
	    proctab_refresh(sv->processes, process, f->tid,
			    sv->ruleset->needs[EVENT_EXEC].fields & ~(uint64_t)NEED_COMM) < 0) {
		flight_fail(sv, slot, EPERM);
		return;
	}
	first_look(sv, slot, caller, process);
}

void exec_worked(struct supervisor *sv, unsigned slot, int result)
{
	struct flight *f = &sv->flights[slot];
	struct process *process;
	struct caller caller;
	int error;

	if (f->hashes.busy) {
		exec_hashed(sv, slot, result);
		if (f->stopped) {
			exec_stop_hashed(sv, slot, result);
			return;
		}
	}
	if (f->stopped) {
		exec_script_found(sv, slot, result);
		return;
	}
	if (caller_open(f->tid, &caller) < 0) {
		close_files(&f->exec);
		flight_end(sv, slot);
		return;
	}
	if (!still_parked(sv, slot)) {
		close_files(&f->exec);
		caller_close(&caller);
		return;
	}
	process = proctab_get_for_exec(sv->processes, &caller, &error);
	f->state = FLIGHT_NONE;
	if (!process) {
		close_files(&f->exec);
		flight_fail(sv, slot, EPERM);
	} else if (result < 0 || now_monotonic_ns() > f->deadline_ns) {
		cannot_judge(sv, slot, &caller, REASON_DEADLINE);
	} else {
		judge(sv, slot, &caller, process);
	}
	caller_close(&caller);
}

void exec_overdue(struct supervisor *sv, unsigned slot)
{
	worker_pool_abandon(sv->workers, slot);
	arena_reset(&sv->arena);
	exec_worked(sv, slot, -EINTR);
}

/* ---- continued ------------------------------------------------------------------- */

/* No rule is about execs: the call goes through, the process is no longer the
 * one that it was.
 */
static void observe(struct supervisor *sv, unsigned slot, struct caller *caller)
{
	struct process *process;
	int error;

	if (!still_parked(sv, slot))
		return;
	process = proctab_get(sv->processes, caller, &error);
	if (process)
		proctab_doubt(sv->processes, process);
	flight_continue(sv, slot);
}

/* Another tracer holds the caller, or it may not be traced. */
static void cannot_verify(struct supervisor *sv, unsigned slot, struct caller *caller)
{
	struct flight *f = &sv->flights[slot];
	struct proc_status status;
	struct process *process;
	struct event event;
	int error;

	if (!still_parked(sv, slot))
		return;
	process = proctab_get(sv->processes, caller, &error);
	if (!process) {
		flight_fail(sv, slot, EPERM);
		return;
	}
	exec_make_event(f, process, &event);
	if (flight_refuse_unreadable(sv, slot, &event,
				     procfs_status(f->tid, &status) == 0 && status.tracer
					     ? REASON_TRACED
					     : REASON_TARGET_UNREADABLE))
		return;
	proctab_doubt(sv->processes, process);
	flight_continue(sv, slot);
}

/* Puts the tracer on the parked caller and lets the kernel go on. */
static void start_exec(struct supervisor *sv, unsigned slot, struct caller *caller)
{
	struct flight *f = &sv->flights[slot];
	int r, error;

	/* before the tracer, whose death kills the caller (EXITKILL) */
	journal_slot_step(sv->journal, slot, SLOT_EXEC);
	r = verify_attach(f->tid, sv->options.killable);
	if (r == -ESRCH) {
		flight_end(sv, slot);
		return;
	}
	if (r < 0) {
		journal_slot_step(sv->journal, slot, SLOT_RECEIVED);
		cannot_verify(sv, slot, caller);
		return;
	}
	f->state = FLIGHT_EXEC;
	sv->traced += !f->traced;
	f->traced = true;
	f->exec.path[0] = '\0';
	r = notify_continue(sv->listener, flight_notification(sv, slot)->id);
	if (!sv->options.killable)
		(void)verify_interrupt(f->tid);
	/* when it took the answer it was there all the time: it was the one looked at and
	 * seized. Else its end, or a stop of whoever has its number, ends the flight */
	if (r < 0 || f->tid != f->tgid)
		return;
	/* who it is, and its ancestors, while the kernel is busy with the new image */
	f->met = proctab_get_for_exec(sv->processes, caller, &error) != NULL;
	/* serves again at the stop, unless it is the table's by now */
	if (!caller->known)
		f->pidfd = TAKE_FD(caller->pidfd);
}
