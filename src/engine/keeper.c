/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/keeper.h"

#include <cap-ng.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/seqpacket.h"
#include "engine/children.h"
#include "engine/imagepool.h"
#include "engine/variables.h"
#include "engine/inherit.h"
#include "engine/slay.h"
#include "engine/tally.h"
#include "kernel/filter.h"
#include "kernel/procfs.h"
#include "model/link.h"
#include "record/spawn.h"

enum {
	/* a supervisor that dies this often within a minute is not worth another */
	RESTARTS_PER_MINUTE = 600,
	RECORDERS_PER_MINUTE = 60,
	RECORDER_EXIT_MS = 4000,
};

/* How often something was started again in the current minute. */
struct rate {
	int64_t minute_ns;
	unsigned count;
};

struct keeper {
	const struct keeper_options *options;
	struct journal *journal;
	struct imagepool *images;
	struct variables *variables;
	struct tally *tally;
	struct pinned pinned;
	struct recorder_sinks sinks;
	struct launch_request launch;
	int listener;         /* copy of the supervisor's, -1 = not yet */
	int link[2];          /* [0] ours, [1] the supervisor's */
	int recorder_link[2]; /* [0] the supervisor's end, [1] the recorder's */
	int news;
	int signals; /* SIGCHLD */
	int mail;    /* all others: meant for the workload, left alone until it is born */
	pid_t supervisor, recorder, first_recorder;
	struct recorder_program recorder_program;
	bool killable, show_refusals, launched, killing;
	bool foster; /* the first process is the child of a supervisor that is held */
	struct rate supervisor_rate, recorder_rate;
	uint32_t mirrored_stops; /* of journal->root_stops */
	sigset_t old_mask;
};

/* ---- standard error ---- */

/* A reader of standard error that has stalled must not stall guard; lines are
 * shorter than PIPE_BUF, so what poll(2) calls writable takes one whole.
 */
static bool stderr_takes_a_line(void)
{
	struct pollfd fd = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&fd, 1, 0) > 0;
}

/* From the start of the supervisor on; a line that cannot be taken is left out. */
#define tell(log, ...) (stderr_takes_a_line() ? log(__VA_ARGS__) : (void)0)

/* ---- processes ------------------------------------------------------------------ */

static int start_recorder(struct keeper *k)
{
	const struct report_origin *origin = k->options->origin;
	struct recorder_options options = { .hostname = origin->hostname,
					    .service = origin->service,
					    .workload = origin->workload,
					    .program = &k->recorder_program,
					    .colour = true };
	struct err err = { .code = 0 };
	int r;

	/* its number is in the filter of the workload, see start_supervisor() */
	options.pid = k->first_recorder;
	k->recorder = 0;
	r = recorder_spawn(k->recorder_link[1], &k->sinks, &options, &k->recorder, &err);
	if (r < 0)
		tell(log_error, "no recorder, so no events: %s", err.text);
	if (!k->first_recorder)
		k->first_recorder = k->recorder;
	atomic_store(&k->journal->recorder, k->recorder);
	return r;
}

static int supervise(struct keeper *k, bool first)
{
	struct supervisor_options options = {
		.config = k->options->config,
		.ruleset = k->options->ruleset,
		.library = k->options->library,
		.degraded = k->options->degraded,
		.diags = k->options->diags,
		.journal = k->journal,
		.images = k->images,
		.pinned = &k->pinned,
		.variables = k->variables,
		.tally = k->tally,
		.origin = k->options->origin,
		.path = k->options->path,
		.launch = first ? &k->launch : NULL,
		.listener = k->listener,
		.keeper = k->link[1],
		.recorder = k->sinks.count ? k->recorder_link[0] : -1,
		.news = k->news,
		.killable = k->killable,
		.keeper_pid = getppid(),
	};

	(void)close(k->link[0]);
	(void)close(k->recorder_link[1]);
	recorder_program_done(&k->recorder_program);
	(void)close(k->signals);
	(void)close(k->mail);
	return supervisor_run(&options);
}

/* The filter of the workload names guard's processes by their pids, so a successor
 * should have the pid of its predecessor.
 */
static int start_supervisor(struct keeper *k)
{
	bool first = k->listener < 0;
	pid_t pid = fork_as(first ? 0 : k->supervisor);

	if (pid < 0)
		return -errno;
	if (pid == 0)
		_exit(supervise(k, first));
	k->supervisor = pid;
	return 0;
}

/* ---- descriptors ------------------------------------------------------------------ */

static void from_supervisor(struct keeper *k)
{
	struct seqpacket_head head;
	int fds[SEQPACKET_MAX_FDS];
	size_t nfds = ELEMENTS(fds);

	while (seqpacket_receive(k->link[0], &head, NULL, 0, fds, &nfds) >= 0) {
		for (size_t i = 0; i < nfds; i++) {
			if (head.type == LINK_LISTENER && k->listener < 0)
				k->listener = fds[i];
			else
				(void)close(fds[i]);
		}
		if (head.type == LINK_LISTENER && !k->launched) {
			k->launched = true;
			inherit_drop(2); /* not standard error: it is ours too */
		}
		nfds = ELEMENTS(fds);
	}
}

/* ---- what the user sees -------------------------------------------------------------- */

static void show_refusals(struct keeper *k)
{
	uint64_t shown = atomic_load(&k->journal->shown);
	const struct journal_record *record;

	/* what has been acknowledged is overwritten in time: too late for those */
	if (atomic_load(&k->journal->head) - shown > JOURNAL_RING_SIZE / 2)
		shown = MAX(shown, atomic_load(&k->journal->tail));
	while ((record = journal_peek(k->journal, &shown))) {
		if (k->show_refusals && !stderr_takes_a_line())
			break;
		if (k->show_refusals)
			log_error("%s", record->summary);
		shown += record->size;
	}
	atomic_store(&k->journal->shown, shown);
}

static void show_summary(const struct keeper *k)
{
	uint64_t blocked = atomic_load(&k->journal->blocked);
	uint64_t killed = atomic_load(&k->journal->killed);
	uint64_t lost = atomic_load(&k->journal->lost);

	if (k->options->config->quiet)
		return;
	if (blocked || killed)
		tell(log_error, "%llu refused, %llu killed", (unsigned long long)blocked,
		     (unsigned long long)killed);
	if (lost)
		tell(log_error, "%llu events lost", (unsigned long long)lost);
}

/* ---- signals ----------------------------------------------------------------------------- */

static pid_t root_pid(const struct keeper *k)
{
	uint32_t state = atomic_load(&k->journal->root_state);

	return state == ROOT_RUNNING || state == ROOT_STOPPED ? k->journal->root_pid : 0;
}

/* Who sends something to guard before that means a command that is yet to come. */
static bool is_born(const struct keeper *k)
{
	return k->launched && atomic_load(&k->journal->root_state) != ROOT_UNBORN;
}

/* The workload stopped: so does guard, for the shell that waits for it. Once a
 * stop: when both are continued, word of the workload may come later than guard
 * itself goes on.
 */
static void mirror_stop(struct keeper *k)
{
	struct seqpacket_head head = { .type = LINK_STOPPED };
	uint32_t stops = atomic_load(&k->journal->root_stops);

	if (atomic_load(&k->journal->root_state) != ROOT_STOPPED || stops == k->mirrored_stops)
		return;
	k->mirrored_stops = stops;
	/* nobody waits for the first process of a container, and nothing stops it */
	if (getpid() == 1)
		return;
	/* a successor is not its parent: it is told to watch, for we shall not see it */
	if (atomic_load(&k->journal->restarts))
		(void)seqpacket_send(k->link[0], &head, NULL, NULL, 0);
	(void)kill(getpid(), SIGSTOP);
	/* continued: a workload in a group of its own has not heard of it */
	if (root_pid(k) && getpgid(root_pid(k)) != getpgrp())
		(void)kill(-getpgid(root_pid(k)), SIGCONT);
}

/* The first process has ended and left others behind: who asks guard to end, or tells
 * it something, means those.
 */
static bool meant_for_all(int signal_number)
{
	static const int all[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };

	for (size_t i = 0; i < ELEMENTS(all); i++) {
		if (all[i] == signal_number)
			return true;
	}
	return false;
}

/* What a terminal sends goes to the whole foreground group, the workload
 * included, and a member of the workload that signals us meant the group:
 * neither is passed on again.
 */
static void forward(struct keeper *k, const struct signalfd_siginfo *info)
{
	int signal_number = (int)info->ssi_signo;
	/* except that a terminal tells its end to the leader of the session alone */
	bool hangup = signal_number == SIGHUP && getsid(0) == getpid();

	if (info->ssi_code == SI_KERNEL && !hangup)
		return;
	if (info->ssi_pid && slay_descends((pid_t)info->ssi_pid, getpid()))
		return;
	if (root_pid(k))
		(void)kill(root_pid(k), signal_number);
	else if (meant_for_all(signal_number))
		slay_signal(getpid(), k->supervisor, k->recorder, signal_number);
}

static bool rate_allow(struct rate *rate, unsigned most)
{
	int64_t now = now_monotonic_ns();

	if (now - rate->minute_ns > INT64_C(60000000000))
		*rate = (struct rate){ .minute_ns = now };
	return ++rate->count <= most;
}

/* ---- children ------------------------------------------------------------------------------ */

static void kill_everything(struct keeper *k)
{
	k->killing = true;
	slay_descendants(getpid(), k->supervisor, k->recorder);
}

static bool restart_allowed(struct keeper *k)
{
	return k->options->config->on_supervisor_loss == LOSS_RESTART && k->listener >= 0 &&
	       rate_allow(&k->supervisor_rate, RESTARTS_PER_MINUTE);
}

static void say_restarted(const struct keeper *k, int status)
{
	if (atomic_load(&k->journal->careful) && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		tell(log_warning, "memory of the workload held the supervisor up: another was "
				  "started, which leaves reading it to workers");
	else
		tell(log_warning, "the supervisor died (status 0x%x), another was started", status);
}

static void supervisor_ended(struct keeper *k, int status)
{
	/* it may have handed over the listener that decides about a successor */
	from_supervisor(k);
	if (atomic_load(&k->journal->finished) || k->journal->launch_status >= 0) {
		k->supervisor = 0;
		return;
	}
	/* before any word of it: calls are waiting */
	if (!k->killing && restart_allowed(k)) {
		atomic_fetch_add(&k->journal->restarts, 1);
		if (start_supervisor(k) == 0) {
			if (!k->options->config->quiet)
				say_restarted(k, status);
			return;
		}
	}
	tell(log_error, "the supervisor is lost: the workload is killed");
	k->supervisor = 0;
	kill_everything(k);
	atomic_store(&k->journal->finished, 1);
}

static void root_ended(struct keeper *k, int status)
{
	journal_launch_ended(k->journal, k->options->path);
	k->journal->root_status = status;
	atomic_store(&k->journal->root_state, ROOT_EXITED);
}

static void child_changed(struct keeper *k, pid_t pid, int status)
{
	bool ended = WIFEXITED(status) || WIFSIGNALED(status);

	if (pid == k->journal->root_pid && ended) {
		root_ended(k, status);
	} else if (pid == k->journal->root_pid) {
		if (WIFSTOPPED(status))
			atomic_fetch_add(&k->journal->root_stops, 1);
		atomic_store(&k->journal->root_state,
			     WIFSTOPPED(status) ? ROOT_STOPPED : ROOT_RUNNING);
	} else if (pid == k->supervisor && ended) {
		supervisor_ended(k, status);
	} else if (pid == k->recorder && ended) {
		k->recorder = 0;
		atomic_store(&k->journal->recorder, 0);
		if (k->supervisor && !atomic_load(&k->journal->finished) &&
		    rate_allow(&k->recorder_rate, RECORDERS_PER_MINUTE))
			(void)start_recorder(k);
	}
}

static void reap(struct keeper *k)
{
	pid_t pid;
	int status;

	while ((pid = children_next(k->journal, &status)) > 0)
		child_changed(k, pid, status);
}

static void from_signals(struct keeper *k)
{
	struct signalfd_siginfo info;

	while (read(k->signals, &info, sizeof info) == sizeof info)
		reap(k);
	while (is_born(k) && read(k->mail, &info, sizeof info) == sizeof info)
		forward(k, &info);
}

/* ---- start and end -----------------------------------------------------------------------------
 */

/* Setuid programs keep working where guard may do without it. */
bool keeper_no_new_privs(void)
{
	return !capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_ADMIN) ||
	       prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

static int prepare_launch(struct keeper *k)
{
	const struct keeper_options *o = k->options;
	extern char **environ;

	k->launch = (struct launch_request){
		.path = o->path,
		.argv = o->config->command,
		.envp = environ,
		.cwd = o->config->cwd,
		.set_ids = o->set_ids,
		.uid = o->uid,
		.gid = o->gid,
		.groups = o->groups,
		.ngroups = o->ngroups,
		.signal_mask = k->old_mask,
		.no_new_privs = keeper_no_new_privs(),
		.shield = o->config->drop_ptrace,
		.best_effort = o->config->best_effort,
		.filter_flags = filter_best_flags(),
	};
	k->killable = k->launch.filter_flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	return getrlimit(RLIMIT_NOFILE, &k->launch.nofile) < 0 ? -errno : 0;
}

/* Descriptors are what a supervisor of many processes runs out of first. */
static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int block_signals(struct keeper *k)
{
	sigset_t child, others;

	/* those of faults as well: anybody in the group may send them, and a fault of
	 * our own gets through all the same */
	(void)sigfillset(&others);
	if (sigprocmask(SIG_SETMASK, &others, &k->old_mask) < 0)
		return -errno;
	(void)sigdelset(&others, SIGCHLD);
	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	k->signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	k->mail = signalfd(-1, &others, SFD_CLOEXEC | SFD_NONBLOCK);
	return k->signals < 0 || k->mail < 0 ? -errno : 0;
}

static int open_sinks(struct keeper *k, struct err *err)
{
	const struct config *config = k->options->config;
	const char *standard[] = { "stderr" };
	const char *const *specs = (const char *const *)config->sinks.items;
	size_t count = config->sinks.count;
	int r;

	/* without -o a person is told on standard error, unless told to be quiet */
	if (!count) {
		specs = standard;
		count = config->quiet ? 0 : 1;
	}
	r = recorder_open_sinks(specs, count, 3, &k->sinks, err);
	if (r < 0)
		return r;
	k->show_refusals = !config->quiet;
	for (size_t i = 0; i < count; i++)
		k->show_refusals &= !streq(specs[i], "stderr");
	return 0;
}

static int prepare(struct keeper *k, struct err *err)
{
	int r;

	/* a workload of the same user could open our memory */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	r = block_signals(k);
	if (r == 0)
		r = prepare_launch(k);
	heritage_take(&k->old_mask, &k->launch.heritage);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	raise_limit();
	if (r == 0)
		r = journal_new(&k->journal);
	if (r == 0)
		r = imagepool_new(&k->images);
	if (r == 0)
		r = tally_new(k->options->ruleset->nrules, &k->tally);
	if (r == 0 && k->options->ruleset->nvariables)
		r = variables_new(&k->variables);
	if (r == 0)
		r = pinned_init(k->options->ruleset, k->options->config, &k->pinned);
	if (r == 0)
		r = seqpacket_pair(k->link);
	if (r == 0)
		r = seqpacket_pair(k->recorder_link);
	k->news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r == 0 && k->news < 0)
		r = -errno;
	if (r < 0)
		return err_errno(err, r, "cannot start");
	return open_sinks(k, err);
}

/* The recorder writes out what it has and ends by itself at the end of its link. */
static void let_recorder_go(struct keeper *k)
{
	/* a supervisor that is held in the kernel keeps its end open */
	if (k->recorder_link[0] >= 0 && atomic_load(&k->journal->held))
		(void)shutdown(k->recorder_link[0], SHUT_RDWR);
	for (size_t i = 0; i < ELEMENTS(k->recorder_link); i++) {
		if (k->recorder_link[i] >= 0)
			(void)close(TAKE_FD(k->recorder_link[i]));
	}
}

enum { SUPERVISOR_EXIT_MS = 1500, HELD_LOOK_MS = 20 };

static int count_running(void *data, pid_t tid)
{
	unsigned *running = data;
	struct proc_stat stat;

	*running += procfs_stat(tid, &stat) == 0 && stat.state != 'D' && stat.state != 'Z' &&
		    stat.state != 'X';
	return 0;
}

/* Ended by its sentinel (sentinel.h), but kept in the kernel even so, where not even that
 * ends it: nothing of it will run again, and its successor need not wait.
 */
static bool is_held(const struct keeper *k)
{
	unsigned running = 0;

	return k->supervisor && atomic_load(&k->journal->held) == k->supervisor &&
	       procfs_each_thread(k->supervisor, count_running, &running) == 0 && !running;
}

/* Whose child is not ours, but that of one that will never wait for it. */
static void look_at_root(struct keeper *k)
{
	uint32_t state = atomic_load(&k->journal->root_state);
	struct proc_stat stat;
	int status;

	if (!k->foster || state == ROOT_EXITED || procfs_stat(k->journal->root_pid, &stat) < 0)
		return;
	if (stat.state == 'T' && state == ROOT_RUNNING)
		atomic_fetch_add(&k->journal->root_stops, 1);
	if (procfs_exit_status(k->journal->root_pid, &status) == 0)
		root_ended(k, status);
	else
		atomic_store(&k->journal->root_state,
			     stat.state == 'T' ? ROOT_STOPPED : ROOT_RUNNING);
}

static int patience_ms(const struct keeper *k)
{
	/* a thread of it that a file server keeps in the kernel keeps it from
	 * ending; its work is done all the same */
	if (atomic_load(&k->journal->finished))
		return SUPERVISOR_EXIT_MS;
	return atomic_load(&k->journal->held) == k->supervisor || k->foster ? HELD_LOOK_MS : -1;
}

static void loop(struct keeper *k)
{
	struct pollfd fds[] = { { .fd = k->signals, .events = POLLIN },
				{ .fd = k->news, .events = POLLIN },
				{ .fd = k->link[0], .events = POLLIN },
				{ .fd = -1, .events = POLLIN } };
	uint64_t count;

	while (k->supervisor) {
		bool finished = atomic_load(&k->journal->finished);
		int n;

		fds[3].fd = is_born(k) ? k->mail : -1;
		n = poll(fds, ELEMENTS(fds), patience_ms(k));

		if ((n < 0 && errno != EINTR) || (n == 0 && finished))
			break;
		(void)!read(k->news, &count, sizeof count);
		from_supervisor(k);
		show_refusals(k);
		from_signals(k);
		if (is_held(k)) {
			k->foster = true;
			supervisor_ended(k, SIGKILL);
		}
		look_at_root(k);
		mirror_stop(k);
		/* while the supervisor's memory is given back */
		if (atomic_load(&k->journal->finished))
			let_recorder_go(k);
		/* init of a container ends with its command, and so do the rest */
		if (atomic_load(&k->journal->root_state) == ROOT_EXITED && !k->killing &&
		    (getpid() == 1 || k->options->config->leftover == LEFTOVER_KILL))
			kill_everything(k);
	}
	look_at_root(k);
}

/* One that hangs on a stalled sink is not waited for longer than this. */
static void wait_for_recorder(struct keeper *k)
{
	enum { STEP_MS = 10 };

	let_recorder_go(k);
	for (int waited = 0; k->recorder && waited < RECORDER_EXIT_MS; waited += STEP_MS) {
		struct pollfd fd = { .fd = k->signals, .events = POLLIN };

		if (waitpid(k->recorder, NULL, WNOHANG) == k->recorder)
			k->recorder = 0;
		else
			(void)poll(&fd, 1, STEP_MS);
	}
	if (k->recorder)
		(void)kill(k->recorder, SIGKILL);
}

static int exit_status(const struct keeper *k)
{
	int status = k->journal->root_status;

	if (k->journal->launch_status >= 0) {
		tell(log_error, "%s", k->journal->launch_text);
		return k->journal->launch_status;
	}
	if (atomic_load(&k->journal->root_state) != ROOT_EXITED)
		return 128 + SIGKILL;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void keeper_done(struct keeper *k)
{
	int fds[] = { k->listener, k->link[0], k->link[1], k->news, k->signals, k->mail };

	for (size_t i = 0; i < ELEMENTS(fds); i++) {
		if (fds[i] >= 0)
			(void)close(fds[i]);
	}
	recorder_sinks_done(&k->sinks);
	recorder_program_done(&k->recorder_program);
	imagepool_free(k->images);
	variables_free(k->variables);
	tally_free(k->tally);
	pinned_done(&k->pinned);
	journal_free(k->journal);
}

static int pin_and_start_recorder(struct keeper *k)
{
	struct err err = { .code = 0 };

	int r = recorder_pin(NULL, 3, &k->recorder_program, &err);

	if (r == 0)
		return start_recorder(k);
	tell(log_error, "no recorder, so no events: %s", err.text);
	return r;
}

static int run(struct keeper *k)
{
	struct err err = { .code = 0 };
	int r;

	r = prepare(k, &err);
	if (r < 0) {
		log_error("%s", err.text);
		return 125;
	}
	if (k->sinks.count && pin_and_start_recorder(k) < 0 && !k->options->config->best_effort)
		return 125;
	r = start_supervisor(k);
	if (r < 0) {
		log_error("cannot fork: %s", strerror(-r));
		return 125;
	}
	loop(k);
	children_await_root(k->journal);
	reap(k);
	show_refusals(k);
	wait_for_recorder(k);
	show_summary(k);
	return exit_status(k);
}

int keeper_run(const struct keeper_options *options)
{
	struct keeper k = { .options = options,
			    .listener = -1,
			    .link = { -1, -1 },
			    .recorder_link = { -1, -1 },
			    .recorder_program.fd = -1,
			    .news = -1,
			    .signals = -1,
			    .mail = -1 };
	int status = run(&k);

	keeper_done(&k);
	return status;
}
