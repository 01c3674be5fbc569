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

#include "engine/flight.h"
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

/* -EPERM and -ESRCH say that the task may not be read; what else goes wrong with
 * the caller's pointers goes wrong for the kernel in the same way.
 */
static bool unreadable(ssize_t error)
{
	return error == -EPERM || error == -EACCES;
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

/* What comm will be: the last component of the path as given (fs/exec.c). */
static struct secl_string future_comm(const char *path, size_t size)
{
	size_t start = size;

	while (start > 0 && path[start - 1] != '/')
		start--;
	return (struct secl_string){ .text = path + start, .size = MIN(size - start, 15u) };
}

/* The name that was used, when it is another than the file's own. */
static void add_alias(struct image *image, const char *path, size_t size)
{
	const struct secl_string own = image->file.path;

	if (path[0] == '/' && (size != own.size || memcmp(path, own.text, size) != 0))
		image->aliases[0] = (struct secl_string){ .text = path, .size = size };
}

/* Everything that rules look at, from the caller's memory. 0 or -errno. */
static int read_image(struct supervisor *sv, unsigned slot, struct image *image)
{
	const struct flight *f = &sv->flights[slot];
	const struct seccomp_notif *n = flight_notification(sv, slot);
	struct exec_args args = exec_args(n, f->syscall);
	uint64_t needs = sv->ruleset->needs[EVENT_EXEC].fields;
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
	add_alias(image, f->exec.path, strlen(f->exec.path));
	r = target_read_vector((pid_t)n->pid, args.argv, 8, &sv->arena, &image->argv);
	if (r == 0 && needs & NEED_ENVP) {
		r = target_read_vector((pid_t)n->pid, args.envp, 8, &sv->arena, &image->envp);
		image->envp_read = true;
	}
	return r;
}

static void make_event(const struct flight *f, const struct process *process, struct event *event)
{
	*event = (struct event){
		.type = EVENT_EXEC,
		.time_ns = now_realtime_ns(),
		.process = process,
		.tid = f->tid,
		.syscall = f->syscall,
		.exec.path = { .text = f->exec.path, .size = strlen(f->exec.path) },
	};
}

/* ---- first look ------------------------------------------------------------------ */

static void start_exec(struct supervisor *sv, unsigned slot, struct caller *caller);

/* An event that is refused because of guard's own trouble, or continued. */
static void cannot_judge(struct supervisor *sv, unsigned slot, struct caller *caller,
			 struct process *process, enum reason reason)
{
	struct flight *f = &sv->flights[slot];
	struct event event;

	close_files(&f->exec);
	make_event(f, process, &event);
	if (!flight_refuse_unreadable(sv, slot, &event, reason))
		start_exec(sv, slot, caller);
}

static enum reason reason_of(int error)
{
	if (error == -EMFILE || error == -ENFILE || error == -EAGAIN)
		return REASON_NO_RESOURCE;
	if (error == -ENOMEM)
		return REASON_NO_MEMORY;
	if (error == -EINTR)
		return REASON_DEADLINE;
	return unreadable(error) ? REASON_TARGET_UNREADABLE : REASON_UNRESOLVED;
}

/* False when there is nothing to judge and the call has been dealt with. What
 * does not exist for the caller fails for the kernel too; should it come to
 * exist meanwhile, the second look sees it.
 */
static bool files_found(struct supervisor *sv, unsigned slot, struct caller *caller,
			struct process *process)
{
	struct exec_job *job = &sv->flights[slot].exec;

	if (job->file < 0) {
		if (resolve_error_is_native(job->file))
			start_exec(sv, slot, caller);
		else
			cannot_judge(sv, slot, caller, process, reason_of(job->file));
		return false;
	}
	if (job->interpreter < 0 && !resolve_error_is_native(job->interpreter)) {
		cannot_judge(sv, slot, caller, process, reason_of(job->interpreter));
		return false;
	}
	return true;
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

	if (!files_found(sv, slot, caller, process))
		return;
	r = read_image(sv, slot, &image);
	if (r < 0) {
		if (r == -EFAULT || r == -E2BIG) {
			close_files(&f->exec);
			start_exec(sv, slot, caller);
		} else {
			cannot_judge(sv, slot, caller, process, reason_of(r));
		}
		return;
	}
	close_files(&f->exec);
	candidate = proctab_candidate(process, &image);
	candidate.comm = future_comm(f->exec.path, strlen(f->exec.path));
	make_event(f, &candidate, &event);
	d = flight_decide(sv, &event);
	if (notify_valid(sv->listener, flight_notification(sv, slot)->id) < 0) {
		flight_end(sv, slot);
		return;
	}
	if (d.strongest.kind >= VERDICT_BLOCKED) {
		/* the report shows all of it, and the caller is parked: it can be read */
		(void)proctab_refresh(sv->processes, process, f->tid,
				      UINT64_MAX & ~(uint64_t)NEED_COMM);
		candidate = proctab_candidate(process, &image);
		candidate.comm = future_comm(f->exec.path, strlen(f->exec.path));
		flight_refuse(sv, slot, &event, &d, GUARANTEE_VERIFIED);
		return;
	}
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
	size = target_read_string(f->tid, args.path, f->exec.path, sizeof f->exec.path);
	if (size < 0) {
		f->exec.path[0] = '\0';
		if (unreadable(size))
			cannot_judge(sv, slot, caller, process, REASON_TARGET_UNREADABLE);
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
		cannot_judge(sv, slot, caller, process, REASON_NO_RESOURCE);
	}
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
static void script_found(struct supervisor *sv, unsigned slot, int result);

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
	process = proctab_get(sv->processes, caller, &error);
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

	if (f->stopped) {
		script_found(sv, slot, result);
		return;
	}
	if (caller_open(f->tid, &caller) < 0) {
		close_files(&f->exec);
		flight_end(sv, slot);
		return;
	}
	process = proctab_get(sv->processes, &caller, &error);
	f->state = FLIGHT_NONE;
	if (!process) {
		close_files(&f->exec);
		flight_fail(sv, slot, EPERM);
	} else if (result < 0 || now_monotonic_ns() > f->deadline_ns) {
		cannot_judge(sv, slot, &caller, process, REASON_DEADLINE);
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

	process = proctab_get(sv->processes, caller, &error);
	if (!process) {
		flight_fail(sv, slot, EPERM);
		return;
	}
	make_event(f, process, &event);
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
	int r;

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
	/* the leader's descriptor serves again at the stop */
	if (f->tid == f->tgid)
		f->pidfd = TAKE_FD(caller->pidfd);
	f->exec.path[0] = '\0';
	(void)notify_continue(sv->listener, flight_notification(sv, slot)->id);
	if (!sv->options.killable)
		(void)verify_interrupt(f->tid);
}

/* ---- second look ------------------------------------------------------------------- */

/* Every match that would have refused kills: there is no call left to fail. */
static struct decision as_kill(struct supervisor *sv, const struct decision *d, bool judged)
{
	struct match *matches = arena_alloc(&sv->arena, (d->nmatches + 1) * sizeof *matches);
	struct decision killed = { .matches = matches, .strongest = d->strongest };

	killed.strongest.kind = VERDICT_KILLED;
	killed.strongest.signal = SIGKILL;
	killed.strongest.error = 0;
	if (!matches)
		return killed;
	killed.nmatches = d->nmatches;
	for (size_t i = 0; i < d->nmatches; i++) {
		matches[i] = d->matches[i];
		if (matches[i].kind < VERDICT_BLOCKED)
			continue;
		matches[i].kind = VERDICT_KILLED;
		matches[i].signal = SIGKILL;
		matches[i].error = 0;
		if (judged && matches[i].reason == REASON_RULE)
			matches[i].reason = REASON_CHANGED_AFTER_CHECK;
	}
	return killed;
}

static void kill_at_stop(struct supervisor *sv, unsigned slot, pid_t pid, struct event *event,
			 const struct decision *d)
{
	struct flight *f = &sv->flights[slot];
	struct decision killed = as_kill(sv, d, f->judged);

	event->retval = -EPERM;
	reporter_commit(sv->reporter, event, &killed, GUARANTEE_VERIFIED);
	kill_scope_apply(sv, event->process, killed.strongest.scope, SIGKILL);
	(void)kill(pid, SIGKILL);
	f->state = FLIGHT_DYING;
	reporter_report(sv->reporter, event, &killed, GUARANTEE_VERIFIED);
}

/* The image as it stands, with the script that a worker or a look found. */
static int image_of_truth(struct supervisor *sv, pid_t pid, const struct exec_truth *truth,
			  int script, struct image *ret)
{
	int r = 0;

	*ret = (struct image){
		.file = truth->file,
		.argv = truth->argv,
		.envp = truth->envp,
		.envp_read = true,
		.exec_time_ns = now_realtime_ns(),
		.token = truth->token,
	};
	if (script == VERIFY_SCRIPT_IN_DOUBT)
		ret->interpreter = truth->file; /* judged as both */
	if (script > 0) {
		ret->interpreter = truth->file;
		r = resolve_describe(&sv->host, pid, script, &sv->arena, &ret->file);
	}
	add_alias(ret, truth->execfn.text, truth->execfn.size);
	return r;
}

/* The process is stopped at its first instruction and its image is known. */
static void judge_truth(struct supervisor *sv, unsigned slot, pid_t pid, struct process *process,
			const struct image *image, struct secl_string execfn)
{
	uint64_t needs = sv->ruleset->needs[EVENT_EXEC].fields;
	struct flight *f = &sv->flights[slot];
	struct process candidate;
	struct decision d;
	struct event event;

	/* of a descriptor the kernel makes the name from its file: ask for it */
	if (execfn.size > 8 && memcmp(execfn.text, "/dev/fd/", 8) == 0)
		needs |= NEED_COMM;
	else
		proctab_set_comm(process, future_comm(execfn.text, execfn.size));
	(void)proctab_refresh(sv->processes, process, pid, needs);
	candidate = proctab_candidate(process, image);
	make_event(f, &candidate, &event);
	event.exec.path = execfn;
	d = flight_decide(sv, &event);
	if (d.nmatches) {
		/* a report shows all of it, and now it can still be read */
		(void)proctab_refresh(sv->processes, process, pid, UINT64_MAX);
		candidate = proctab_candidate(process, image);
	}
	if (d.strongest.kind >= VERDICT_BLOCKED) {
		kill_at_stop(sv, slot, pid, &event, &d);
		return;
	}
	(void)proctab_exec(sv->processes, process, image);
	/* dead already (ESRCH): its end is reported to us, see exec_stopped() */
	if (verify_detach(pid) == -ESRCH)
		f->state = FLIGHT_DYING;
	reporter_report(sv->reporter, &event, &d, GUARANTEE_VERIFIED);
	if (f->state != FLIGHT_DYING)
		flight_end(sv, slot);
}

/* Killed by somebody else, or about to be: there is nothing to refuse. */
static bool is_dying(pid_t pid)
{
	struct proc_stat stat;

	return procfs_stat(pid, &stat) < 0 || stat.state == 'Z' || stat.state == 'X' ||
	       stat.kernel_flags & PROC_EXITING;
}

/* What is in place could not be read: it does not run, or, when nothing could
 * have refused it, runs unseen.
 */
static void truth_unknown(struct supervisor *sv, unsigned slot, pid_t pid, struct process *process,
			  int error)
{
	struct flight *f = &sv->flights[slot];
	struct decision d = decide_unreadable(sv->ruleset, sv->options.config->mode, EVENT_EXEC,
					      reason_of(error), &sv->arena);
	struct event event;

	if (d.strongest.kind >= VERDICT_BLOCKED && process && error != -ESRCH && !is_dying(pid)) {
		make_event(f, process, &event);
		kill_at_stop(sv, slot, pid, &event, &d);
		return;
	}
	if (d.strongest.kind >= VERDICT_BLOCKED) {
		(void)kill(pid, SIGKILL);
		f->state = FLIGHT_DYING;
		return;
	}
	if (process)
		proctab_doubt(sv->processes, process);
	if (verify_detach(pid) == -ESRCH)
		f->state = FLIGHT_DYING;
	else
		flight_end(sv, slot);
}

static int find_script_job(void *data)
{
	return verify_script_find(data, false);
}

static void close_script(void *data)
{
	struct verify_script *question = data;

	if (question->file > 0)
		(void)close(TAKE_FD(question->file));
}

/* Goes on in a worker: the process stays at its stop meanwhile. */
static int find_script_later(struct supervisor *sv, unsigned slot)
{
	struct flight *f = &sv->flights[slot];
	int r;

	f->deadline_ns = now_monotonic_ns() + sv->options.config->deadline_ms * 1000000;
	r = flight_work(sv, slot, EXEC_WORKERS_PER_PROCESS,
			(struct worker_request){ .job = find_script_job,
						 .data = &f->script,
						 .size = sizeof f->script,
						 .dispose = close_script });
	/* a successor finds a tracee that EXITKILL has killed, not a call to judge */
	journal_slot_step(sv->journal, slot, SLOT_EXEC);
	f->stopped = r == 0;
	return r;
}

/* Who stands at the stop: an exec may have changed its ids. */
static int reopen_caller(struct flight *f, pid_t pid, struct caller *ret)
{
	*ret = (struct caller){ .tid = pid, .pidfd = TAKE_FD(f->pidfd) };
	if (ret->pidfd >= 0 && procfs_pidfd_identity(ret->pidfd, &ret->who) == 0)
		return 0;
	caller_close(ret);
	return caller_open(pid, ret);
}

enum { SCRIPT_NOT_LOOKED_FOR = -1 };

/* SCRIPT: what verify_script_find() found, or that it was not asked yet. */
static void second_look(struct supervisor *sv, unsigned slot, pid_t pid, int script)
{
	struct flight *f = &sv->flights[slot];
	struct process *process = NULL;
	struct exec_truth truth;
	struct caller caller;
	struct image image;
	int r, error = 0;

	/* the thread that called has become the leader; its old number may be another's */
	f->tgid = f->tid = pid;
	r = reopen_caller(f, pid, &caller);
	if (r == 0) {
		process = proctab_get_for_exec(sv->processes, &caller, &error);
		caller_close(&caller);
		r = process ? verify_read(&sv->host, pid, true, &sv->arena, &truth) : error;
	}
	if (r == 0 && script == SCRIPT_NOT_LOOKED_FOR) {
		verify_script_ask(&f->script, &sv->host, pid, &truth);
		r = verify_script_find(&f->script, true);
		if (r == -EAGAIN)
			r = find_script_later(sv, slot);
		if (r == 0 && f->stopped)
			return;
		script = f->script.file;
	}
	f->exec.path[0] = '\0';
	if (r == 0)
		r = image_of_truth(sv, pid, &truth, script, &image);
	if (r == 0)
		judge_truth(sv, slot, pid, process, &image, truth.execfn);
	else
		truth_unknown(sv, slot, pid, process, r);
}

/* Who stands at the stop, NULL when that cannot be found out. */
static struct process *stopped_process(struct supervisor *sv, struct flight *f)
{
	struct process *process;
	struct caller caller;
	int error;

	if (reopen_caller(f, f->tgid, &caller) < 0)
		return NULL;
	process = proctab_get_for_exec(sv->processes, &caller, &error);
	caller_close(&caller);
	return process;
}

/* A worker has found the script, or that there is none. */
static void script_found(struct supervisor *sv, unsigned slot, int result)
{
	struct flight *f = &sv->flights[slot];
	int script = result < 0 ? VERIFY_NO_SCRIPT : f->script.file;

	f->stopped = false;
	f->state = FLIGHT_EXEC;
	f->exec.path[0] = '\0';
	if (f->dead)
		flight_end(sv, slot);
	else if (result < 0)
		truth_unknown(sv, slot, f->tgid, stopped_process(sv, f), result);
	else
		second_look(sv, slot, f->tgid, script);
	if (script > 0)
		(void)close(script);
}

static struct flight *find_flight(struct supervisor *sv, pid_t tid, unsigned *ret_slot)
{
	for (unsigned i = 0; i < sv->high; i++) {
		struct flight *f = &sv->flights[i];

		if ((f->state == FLIGHT_EXEC || f->state == FLIGHT_DYING ||
		     (f->state == FLIGHT_WORKING && f->stopped)) &&
		    (f->tid == tid || (f->state != FLIGHT_EXEC && f->tgid == tid))) {
			*ret_slot = i;
			return f;
		}
	}
	return NULL;
}

bool exec_stopped(struct supervisor *sv, pid_t pid, int status)
{
	struct flight *f;
	unsigned slot;
	pid_t tid;
	enum verify_stop stop = VERIFY_NONE;

	if (!find_flight(sv, pid, &slot) && !(WIFSTOPPED(status) && status >> 16))
		return false;
	stop = verify_classify(pid, status, &tid);
	f = find_flight(sv, tid, &slot);
	if (!f)
		f = find_flight(sv, pid, &slot);
	if (!f) {
		/* traced by us, but for nothing that is still going on */
		if (stop == VERIFY_EXEC || stop == VERIFY_FAILED)
			(void)verify_detach(pid);
		return stop != VERIFY_EXITED;
	}
	if (stop == VERIFY_EXITED) {
		/* a worker still has the flight: it ends when that one is through */
		if (f->state == FLIGHT_WORKING)
			f->dead = true;
		else
			flight_end(sv, slot);
		return true;
	}
	if (f->state == FLIGHT_DYING)
		return true;
	if (stop == VERIFY_EXEC) {
		arena_reset(&sv->arena);
		second_look(sv, slot, pid, SCRIPT_NOT_LOOKED_FOR);
	} else if (stop == VERIFY_FAILED) {
		if (verify_detach(pid) == -ESRCH)
			f->state = FLIGHT_DYING;
		else
			flight_end(sv, slot);
	}
	return true;
}
