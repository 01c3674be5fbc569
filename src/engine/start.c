/* SPDX-License-Identifier: GPL-3.0-or-later */
/* start.c - how a supervisor comes to its workload: by starting it, or by taking
 * it over from one that died.
 */
#include "config.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>

#include "base/log.h"
#include "engine/flight.h"
#include "engine/handlers.h"
#include "engine/loaded.h"
#include "kernel/feature.h"
#include "kernel/filter.h"
#include "kernel/notify.h"
#include "kernel/target.h"

int start_failed(struct supervisor *sv, enum launch_step step, int error)
{
	const char *why = strerror(-error);

	if (step == LAUNCH_FAILED_FILTER && error == -EBUSY)
		why = "another supervisor listens above this process already (a nested guard, or a "
		      "container runtime with its own); there can be only one";
	else if (step == LAUNCH_FAILED_FILTER && (error == -EACCES || error == -EINVAL))
		why = "the kernel refuses the seccomp filter";
	else if (step == LAUNCH_FAILED_SHIELD)
		why = "CAP_SYS_PTRACE cannot be taken from the workload";
	sv->journal->launch_status = 125;
	(void)snprintf(sv->journal->launch_text, sizeof sv->journal->launch_text,
		       "cannot supervise: %s", why);
	return error;
}

/* Calls at which a number alone does not tell whether it means guard. */
static void request_targets(struct filter_request *request)
{
	static const enum syscall_id calls[] = {
		SYSCALL_kill,
		SYSCALL_tkill,
		SYSCALL_rt_sigqueueinfo,
		SYSCALL_pidfd_send_signal,
		SYSCALL_ptrace,
		SYSCALL_pidfd_open,
		SYSCALL_process_vm_writev,
	};

	for (size_t i = 0; i < ELEMENTS(calls); i++)
		filter_request_syscall(request, calls[i]);
}

/* Every call that a loaded rule may be about, and those that make processes what
 * the rules look at.
 */
static void request_calls(const struct ruleset *ruleset, bool enforcing,
			  struct filter_request *request)
{
	for (unsigned call = 0; call < SYSCALL_COUNT; call++) {
		for (unsigned type = 1; type < EVENT_COUNT; type++) {
			const struct event_needs *needs = &ruleset->needs[type];
			bool refuses = enforcing && needs->blocking;
			bool wanted =
				needs->watched || (type == EVENT_EXEC && ruleset->follows_images);

			if (wanted && (refuses || !syscall_to_refuse(call)) &&
			    handler_judges(call, type))
				filter_request_syscall(request, call);
		}
	}
}

/* What is notified follows from the policy; what is refused always, from the
 * configuration. Guard's own processes are named by their pids.
 */
static int build_filter(struct supervisor *sv, struct sock_fprog *ret)
{
	const struct config *config = sv->options.config;
	const struct ruleset *ruleset = sv->ruleset;
	struct filter_request *request = calloc(1, sizeof *request);
	int r = 0;

	if (!request)
		return -ENOMEM;
	filter_request_init(request);
	request->refuse_io_uring = config->refuse_io_uring;
	request->refuse_userfaultfd = config->refuse_userfaultfd;
	if (config->mode != MODE_OFF)
		request_calls(ruleset, config->mode == MODE_BLOCK, request);
	if (config->protect_self) {
		pid_t recorder = atomic_load(&sv->journal->recorder);

		request_targets(request);
		r = filter_request_protect(request, sv->options.keeper_pid, false);
		if (r == 0)
			r = filter_request_protect(request, getpid(), true);
		if (r == 0 && recorder)
			r = filter_request_protect(request, recorder, true);
	}
	if (r == 0)
		r = filter_build(request, SYSCALL_ABI_NATIVE, ret);
	free(request);
	return r;
}

/* What feature_run_end() could not try without a process: this is the one. */
static int check_stub(struct supervisor *sv)
{
	bool events[EVENT_COUNT] = { false };
	size_t used = strlen(sv->degraded);
	struct err err = { .code = 0 };

	for (unsigned type = 1; type < EVENT_COUNT; type++)
		events[type] = sv->ruleset->needs[type].watched;
	if (feature_run_on(sv->launch.pid, sv->launch.listener, events, &err) == 0)
		return 0;
	if (!sv->options.config->best_effort) {
		sv->journal->launch_status = 125;
		(void)snprintf(sv->journal->launch_text, sizeof sv->journal->launch_text, "%s",
			       err.text);
		return err.code;
	}
	log_warning("DEGRADED: %s", err.text);
	(void)snprintf(sv->degraded + used, sizeof sv->degraded - used, "%s%s", used ? "; " : "",
		       err.text);
	return 0;
}

/* The stub is a member of the keeper's session and process group, the
 * supervisor of its own: nothing that a terminal sends to the workload reaches it.
 */
int start_launch(struct supervisor *sv)
{
	struct launch_request request = *sv->options.launch;
	enum launch_step step = LAUNCH_STARTING;
	struct sock_fprog filter;
	int r;

	r = build_filter(sv, &filter);
	if (r < 0)
		return start_failed(sv, step, r);
	request.filter = &filter;
	r = launch_start(&request, &sv->journal->launch, &sv->launch, &step);
	filter_done(&filter);
	if (r < 0)
		return start_failed(sv, step, r);
	/* the stub keeps the table that we shared so far, we go on with a copy */
	if (unshare(CLONE_FILES) < 0)
		return start_failed(sv, step, -errno);
	r = check_stub(sv);
	if (r < 0)
		return r;
	sv->listener = sv->launch.listener;
	sv->journal->root_pid = sv->launch.pid;
	atomic_store(&sv->journal->root_state, ROOT_RUNNING);
	start_hold_root(sv);
	return 0;
}

void start_hold_root(struct supervisor *sv)
{
	int fd = sv->journal->root_pid ? target_pidfd(sv->journal->root_pid) : -1;

	/* who has waited for it says so first: alive afterwards, the number was its own */
	if (fd >= 0 && atomic_load(&sv->journal->root_state) == ROOT_EXITED) {
		(void)close(fd);
		return;
	}
	sv->root_pidfd = fd;
}

static void degraded_body(struct jsonw *w, const void *data)
{
	jsonw_key(w, "degraded");
	jsonw_begin_object(w);
	jsonw_kv_string(w, "reason", data);
	jsonw_end_object(w);
}

void start_begin(struct supervisor *sv)
{
	struct loaded loaded = loaded_make(sv->ruleset, sv->options.diags);

	reporter_hello(sv->reporter);
	if (sv->degraded[0])
		reporter_internal(sv->reporter, "degraded", degraded_body, sv->degraded);
	loaded_report(sv->reporter, &loaded);
	launch_go(&sv->journal->launch);
}

/* ---- after a death ---- */

static void lost_body(struct jsonw *w, const void *data)
{
	const struct journal_slot *js = data;

	jsonw_key(w, "guard_exec");
	jsonw_begin_object(w);
	jsonw_kv_int(w, "pid", js->tgid);
	jsonw_kv_string(w, "reason", reason_name(REASON_SUPERVISOR_LOST));
	jsonw_end_object(w);
}

static void restarted_body(struct jsonw *w, const void *data)
{
	const struct journal *journal = data;

	jsonw_kv_uint(w, "restarts", atomic_load(&journal->restarts));
}

/* The caller dies, or has: by EXITKILL, which is sent before a dead supervisor can be
 * waited for. Until the caller acts on it, its call still looks pending.
 */
static bool is_doomed(const struct journal_slot *js)
{
	struct proc_status status;
	struct proc_stat stat;

	if (procfs_stat(js->tgid, &stat) < 0 || stat.state == 'Z' || stat.state == 'X' ||
	    stat.kernel_flags & PROC_EXITING)
		return true;
	return procfs_status((pid_t)js->notification.pid, &status) == 0 &&
	       status.pending & UINT64_C(1) << (SIGKILL - 1);
}

/* Refused and reported, but perhaps not killed. */
static void finish_denial(struct supervisor *sv, const struct journal_slot *js)
{
	struct process *process = NULL;
	struct caller caller;
	int error;

	if (!js->kill_signal)
		return;
	if (caller_open((pid_t)js->notification.pid, &caller) == 0) {
		process = proctab_get(sv->processes, &caller, &error);
		caller_close(&caller);
	}
	if (process)
		kill_scope_apply(sv, process, (enum kill_scope)js->kill_scope, js->kill_signal);
	else
		(void)kill(js->tgid, js->kill_signal);
}

/* What the one before had in hand. A slot counts by its notification, not by its
 * step: it may have died between receiving and saying so.
 */
static void recover_slot(struct supervisor *sv, unsigned slot)
{
	struct journal_slot *js = &sv->journal->slots[slot];
	uint32_t step = atomic_load(&js->step);
	bool doomed, denied = atomic_load(&js->denied);

	if (!js->notification.id) {
		journal_slot_step(sv->journal, slot, SLOT_FREE);
		return;
	}
	sv->flights[slot].pidfd = -1;
	doomed = step == SLOT_EXEC && is_doomed(js);
	if (!doomed && notify_valid(sv->listener, js->notification.id) == 0) {
		sv->high = MAX(sv->high, slot + 1);
		if (step == SLOT_EFFECT || denied) {
			if (step != SLOT_EFFECT)
				finish_denial(sv, js);
			flight_result(sv, slot, js->result);
			return;
		}
		journal_slot_step(sv->journal, slot, SLOT_RECEIVED);
		js->recovered |= step == SLOT_WORKING;
		sv->flights[slot].recovered = js->recovered;
		sv->flights[slot].state = FLIGHT_READY;
		sv->ready++;
		return;
	}
	if (doomed && !denied)
		reporter_commit_internal(
			sv->reporter, slot, "supervisor_lost",
			"killed a process whose exec was in flight when the supervisor died",
			lost_body, js);
	js->notification.id = 0;
	journal_slot_step(sv->journal, slot, SLOT_FREE);
}

void start_recover(struct supervisor *sv)
{
	start_hold_root(sv);
	journal_recover(sv->journal);
	reporter_hello(sv->reporter);
	reporter_internal(sv->reporter, "supervisor_restarted", restarted_body, sv->journal);
	/* it may have died between the two stores that belong together */
	sv->journal->first_free = 0;
	for (unsigned i = 0; i < JOURNAL_SLOTS; i++)
		recover_slot(sv, i);
	/* it may have died before it said so itself */
	launch_go(&sv->journal->launch);
}
