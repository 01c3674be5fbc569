/* SPDX-License-Identifier: GPL-3.0-or-later */
/* exec_stop.c - the second look at an exec: what the kernel has really put in place,
 * at the one stop that follows. What is refused here dies before its first
 * instruction.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "engine/exec_event.h"
#include "engine/flight.h"
#include "kernel/notify.h"
#include "kernel/script.h"
#include "kernel/target.h"
#include "kernel/verify.h"

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
	flight_settle(sv, event, d);
	sv->journal->slots[slot].kill_signal = 0; /* EXITKILL does */
	reporter_commit(sv->reporter, slot, event, &killed, GUARANTEE_VERIFIED);
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
	exec_add_alias(ret, truth->execfn.text, truth->execfn.size);
	return r;
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
					      exec_reason(error), &sv->arena);
	struct event event;

	if (d.strongest.kind >= VERDICT_BLOCKED && process && error != -ESRCH && !is_dying(pid)) {
		exec_make_event(f, process, &event);
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

/* Which files have to be hashed whatever the rules about execs say: rules about what the
 * program does later may ask. IMAGE_FILES = none.
 */
static enum image_file asked_later(const struct supervisor *sv, const struct image *image)
{
	if (!sv->hashing || !sv->ruleset->hashes_images || sv->options.config->mode != MODE_BLOCK)
		return IMAGE_FILES;
	if (image->file.hash_state == HASH_STATE_NO_HASH)
		return IMAGE_FILE;
	return image->interpreter.present && image->interpreter.hash_state == HASH_STATE_NO_HASH
		       ? IMAGE_INTERPRETER
		       : IMAGE_FILES;
}

/* Decides, with the hashes that verdicts depend on: 0, 1 when a worker is to find one first,
 * or -errno.
 */
static int decide_with_hashes(struct supervisor *sv, unsigned slot, const struct event *event,
			      struct image *image, int script, struct decision *ret)
{
	struct flight *f = &sv->flights[slot];
	int r = 0;

	while (r == 0) {
		enum image_file which;

		exec_show_hashes(f, image);
		*ret = flight_decide(sv, event);
		which = ret->unhashed ? exec_unhashed(ret, image) : asked_later(sv, image);
		if (which == IMAGE_FILES)
			return ret->unhashed ? -ENODATA : 0;
		r = exec_hash(sv, slot, event->process, image, which,
			      which == IMAGE_FILE && script > 0 ? script : -1);
	}
	if (r < 0)
		return r;
	/* a successor finds a tracee that EXITKILL has killed, not a call to judge */
	journal_slot_step(sv->journal, slot, SLOT_EXEC);
	f->stopped = true;
	f->hashes.script = script > 0 ? fcntl(script, F_DUPFD_CLOEXEC, 3) : script;
	return 1;
}

/* The process is stopped at its first instruction and its image is known. */
static void judge_truth(struct supervisor *sv, unsigned slot, pid_t pid, struct process *process,
			struct image *image, struct secl_string execfn, int script)
{
	uint64_t needs = sv->ruleset->needs[EVENT_EXEC].fields;
	struct flight *f = &sv->flights[slot];
	struct process candidate;
	struct decision d;
	struct event event;
	int r;

	/* of a descriptor the kernel makes the name from its file: ask for it */
	if (execfn.size > 8 && memcmp(execfn.text, "/dev/fd/", 8) == 0)
		needs |= NEED_COMM;
	else
		proctab_set_comm(process, exec_future_comm(execfn.text, execfn.size));
	(void)proctab_refresh(sv->processes, process, pid, needs);
	candidate = proctab_candidate(process, image);
	exec_make_event(f, &candidate, &event);
	event.exec.path = execfn;
	r = decide_with_hashes(sv, slot, &event, image, script, &d);
	if (r == 1)
		return;
	if (r < 0) {
		truth_unknown(sv, slot, pid, process, r);
		return;
	}
	if (d.nmatches) {
		/* a report shows all of it, and now it can still be read */
		(void)proctab_refresh(sv->processes, process, pid, UINT64_MAX);
		candidate = proctab_candidate(process, image);
	}
	if (d.strongest.kind >= VERDICT_BLOCKED) {
		later_pin(sv, &event, &d, (int[]){ script > 0 ? script : -1, -1 });
		kill_at_stop(sv, slot, pid, &event, &d);
		later_unpin(sv);
		return;
	}
	(void)proctab_exec(sv->processes, process, image);
	later_pin(sv, &event, &d, (int[]){ script > 0 ? script : -1, -1 });
	/* dead already (ESRCH): its end is reported to us, see exec_stopped() */
	if (verify_detach(pid) == -ESRCH)
		f->state = FLIGHT_DYING;
	flight_report(sv, &event, &d, GUARANTEE_VERIFIED);
	later_unpin(sv);
	if (f->state != FLIGHT_DYING)
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

/* Who stands at the stop is asked: its number may be new to it, and its ids. */
static int reopen_caller(struct supervisor *sv, struct flight *f, pid_t pid, struct caller *ret)
{
	*ret = (struct caller){ .tid = pid, .pidfd = TAKE_FD(f->pidfd) };
	if (ret->pidfd >= 0 && procfs_pidfd_identity(ret->pidfd, &ret->who) == 0)
		return 0;
	caller_close(ret);
	return proctab_caller(sv->processes, pid, ret);
}

/* Who stands at the stop. ELEVATED: an exec of such a file changes ids. */
static int find_stopped(struct supervisor *sv, struct flight *f, bool elevated,
			struct process **ret)
{
	struct process *process = NULL;
	struct caller caller;
	int r;

	if (f->met && !elevated)
		process = proctab_get_traced(sv->processes, f->tgid);
	if (!process) {
		r = reopen_caller(sv, f, f->tgid, &caller);
		if (r < 0)
			return r;
		process = proctab_get_for_exec(sv->processes, &caller, &r);
		caller_close(&caller);
		if (!process)
			return r;
	}
	*ret = process;
	return 0;
}

enum { SCRIPT_NOT_LOOKED_FOR = -1 };

/* SCRIPT: what verify_script_find() found, or that it was not asked yet. */
static void second_look(struct supervisor *sv, unsigned slot, pid_t pid, int script)
{
	struct flight *f = &sv->flights[slot];
	struct process *process = NULL;
	struct exec_truth truth;
	struct image image;
	int r;

	/* the thread that called has become the leader; its old number may be another's */
	f->met &= f->tid == pid;
	f->tgid = f->tid = pid;
	r = verify_read(&sv->host, pid, true, &sv->arena, &truth);
	if (r == 0)
		r = find_stopped(sv, f, truth.file.mode & (S_ISUID | S_ISGID), &process);
	else
		(void)find_stopped(sv, f, true, &process);
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
		judge_truth(sv, slot, pid, process, &image, truth.execfn, script);
	else
		truth_unknown(sv, slot, pid, process, r);
}

/* A worker is through, with what it was to find or without it. */
static void go_on(struct supervisor *sv, unsigned slot, int result, int script)
{
	struct flight *f = &sv->flights[slot];
	struct process *process = NULL;

	if (result < 0 && !f->dead)
		(void)find_stopped(sv, f, true, &process);
	f->stopped = false;
	f->state = FLIGHT_EXEC;
	f->exec.path[0] = '\0';
	if (f->dead)
		flight_end(sv, slot);
	else if (result < 0)
		truth_unknown(sv, slot, f->tgid, process, result);
	else
		second_look(sv, slot, f->tgid, script);
	if (script > 0)
		(void)close(script);
}

/* A worker has found the script, or that there is none. */
void exec_script_found(struct supervisor *sv, unsigned slot, int result)
{
	go_on(sv, slot, result, result < 0 ? VERIFY_NO_SCRIPT : sv->flights[slot].script.file);
}

void exec_stop_hashed(struct supervisor *sv, unsigned slot, int result)
{
	go_on(sv, slot, result, sv->flights[slot].hashes.script);
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
	pid_t tid = pid;
	enum verify_stop stop = VERIFY_NONE;
	bool known;

	f = find_flight(sv, pid, &slot);
	if (!f && !(WIFSTOPPED(status) && status >> 16))
		return false;
	/* of a process one exec at a time is traced: this one is its first thread's */
	known = f && f->state == FLIGHT_EXEC;
	stop = verify_classify(pid, status, known ? NULL : &tid);
	if (!known)
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
		/* of the first look: somebody may have written to the files since */
		f->hashes.known = 0;
		second_look(sv, slot, pid, SCRIPT_NOT_LOOKED_FOR);
	} else if (stop == VERIFY_FAILED) {
		if (verify_detach(pid) == -ESRCH)
			f->state = FLIGHT_DYING;
		else
			flight_end(sv, slot);
	}
	return true;
}
