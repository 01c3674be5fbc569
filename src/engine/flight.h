/* SPDX-License-Identifier: GPL-3.0-or-later */
/* flight.h - the supervisor's state, and what it knows of each notification
 * in hand beyond the journal. Private to the supervisor's files.
 */
#pragma once
#include <limits.h>

#include "engine/act.h"
#include "engine/heartbeat.h"
#include "engine/hashing.h"
#include "engine/proctab.h"
#include "engine/sentinel.h"
#include "engine/supervisor.h"
#include "kernel/bind.h"
#include "kernel/connect.h"
#include "kernel/peer.h"
#include "kernel/resolve.h"
#include "kernel/ring.h"
#include "kernel/send.h"
#include "kernel/verify.h"
#include "kernel/worker.h"
#include "model/syscall.h"

/* Descriptors that are neither the process table's nor those of connects. */
enum { FDS_RESERVED = 256 };

enum flight_state {
	FLIGHT_NONE,
	FLIGHT_WAITING, /* another exec of the same process goes first */
	FLIGHT_READY,   /* to be dispatched by the loop */
	FLIGHT_QUEUED,  /* waits for a worker, or for room in the ring */
	FLIGHT_RING,    /* the ring has it */
	FLIGHT_WORKING, /* a worker has it */
	FLIGHT_EXEC,    /* continued, one ptrace stop will come */
	FLIGHT_DYING,   /* killed at its stop, to be reaped */
};

/* The files of an exec, found by the loop when they are cached, by a worker
 * when they are not.
 */
struct exec_job {
	const struct resolve_host *host;
	pid_t tid, tgid;
	int dirfd;
	bool empty_path, nofollow, want_interpreter;
	char path[PATH_MAX];
	int file;        /* O_PATH, or -errno */
	int interpreter; /* O_PATH, 0 = no script, or -errno */
};

/* The files of a program: that or the script, and the interpreter of a script. */
enum image_file { IMAGE_FILE, IMAGE_INTERPRETER, IMAGE_FILES };

/* What an exec in flight knows of them. */
struct exec_hashes {
	unsigned known; /* bit per enum image_file */
	bool busy;      /* a worker reads the one of the job */
	enum image_file job_is_for;
	struct hash_job job;
	struct file_hashes of[IMAGE_FILES];
	int script; /* while a worker is busy at the stop: as second_look() has it */
};

struct flight {
	enum flight_state state;
	enum syscall_handler handler;
	const char *syscall;
	pid_t tid, tgid;
	int pidfd;             /* of tid, kept while it executes or waits; -1 = none */
	int64_t deadline_ns;   /* monotonic; of a worker that prepares a verdict */
	int64_t until_ns;      /* monotonic; where SO_SNDTIMEO ends, 0 = nowhere */
	unsigned waiting;      /* one more than its row of those that wait, 0 = none */
	bool judged;           /* passed a first look */
	bool met;              /* an exec: it is in the table, and nobody has its number since */
	bool recovered;        /* was under way when a supervisor died */
	bool interrupted;      /* the waiting was called off for a signal */
	bool stopped;          /* at its exec stop, while a worker looks for the script */
	bool dead;             /* and killed there */
	bool looking;          /* a worker looks for the AF_UNIX peer */
	bool left;             /* to the kernel: it was only seen */
	bool traced;           /* counts in the supervisor's `traced` */
	bool fetching;         /* a worker reads the caller's memory */
	struct fetch *fetch;   /* and this is what; NULL = the loop reads itself */
	struct peer_look look; /* AF_UNIX: what the address means */
	struct exec_hashes hashes;
	union {
		struct exec_job exec;
		struct verify_script script; /* stopped */
		struct {
			struct connect_job job;
			struct socket_kind kind;
			bool polled;       /* the ring waits for one in progress */
			bool in_progress;  /* it already was at our connect */
			bool disconnected; /* called off, since another call ends it */
			unsigned turns;    /* how often */
		} connect;
		struct bind_job bind;
		struct {
			struct send_job job;
			bool broken;  /* SIGPIPE goes with the answer */
			bool unread;  /* its data are not in the scratch */
			bool writing; /* a worker writes msg_len */
			struct send_length length;
		} send;
	};
};

/* One that waits: what has to be known of all of them again and again, close together.
 */
struct waiting {
	unsigned slot;
	pid_t tgid;
	ino_t socket; /* of one in the ring */
	enum waits_on {
		WAITS_FOR_WORKER, /* or has had one */
		WAITS_IN_RING,
		WAITS_FOR_TURN, /* FLIGHT_READY */
		/* FLIGHT_QUEUED, for a worker or for room in the ring; from here on */
		WAITS_QUEUED,
		WAITS_QUEUED_FOR_RING,
	} on;
};

struct supervisor {
	struct supervisor_options options;
	const struct ruleset *ruleset;
	struct journal *journal;
	struct proctab *processes;
	struct lineage *lineage; /* of the ruleset */
	struct worker_pool *workers;
	struct ring *ring; /* NULL = none here: workers wait instead */
	struct reporter *reporter;
	struct heartbeat heartbeat;
	struct hashing *hashing; /* NULL = no rule asks for hashes */
	struct later *later;     /* likewise */
	struct arena arena;      /* of the event in hand */
	struct launch launch;
	struct resolve_host host;
	struct pins *pins;       /* the ruleset's peers, then those that pass through */
	struct flight *flights;  /* JOURNAL_SLOTS */
	struct waiting *waiting; /* likewise; the first NWAITING count */
	unsigned nwaiting, nqueued;
	unsigned traced; /* execs whose end is traced: they would die with the supervisor */
	struct sentinel *sentinel;   /* NULL = none */
	struct fetch *spent, *spare; /* see fetch.h */
	unsigned nspare;
	struct send_scratch *scratch; /* of the message in hand; NULL = none was sent yet */
	const char *service;
	uint64_t key[2];                    /* of tuples of limiter_token */
	unsigned next_look, next_dear_look; /* where the next tick begins */
	unsigned next_dequeue;              /* likewise, for those in the queue */
	unsigned ready;                     /* flights in FLIGHT_READY */
	unsigned high;                      /* one past the highest slot in use */
	int listener, epoll, signals, timer;
	int chores;          /* timer of what is due now and then */
	int64_t workers_due; /* when the first threads are made, INT64_MAX = they are there */
	int64_t chores_ns;   /* when it goes off, monotonic; INT64_MAX = never */
	int tick_ns;         /* what the timer is armed with, 0 = nothing */
	bool stalled;        /* no free slot: callers wait */
	bool watching;       /* the listener is watched */
	bool recorder_full;  /* the recorder's end is watched for writing */
	bool condemned;      /* the keeper is gone: who calls is killed */
	bool keeper_stopped; /* and a SIGCONT of the workload must be passed on */
	bool done;
	int root_pidfd; /* of the first process, -1 = not to be had */
	int exit_status;
	char degraded[1024]; /* what this host cannot do, "" = nothing */
};

static inline struct seccomp_notif *flight_notification(struct supervisor *sv, unsigned slot)
{
	return &sv->journal->slots[slot].notification;
}

/* ---- flight.c ---- */

/* The notification is over. */
void flight_end(struct supervisor *sv, unsigned slot);
/* The call fails with ERROR, a positive errno. */
void flight_fail(struct supervisor *sv, unsigned slot, int error);
/* The call was made on behalf: RESULT is 0 or -errno. */
void flight_result(struct supervisor *sv, unsigned slot, int64_t result);
/* The kernel makes the call. */
void flight_continue(struct supervisor *sv, unsigned slot);
/* A process whose calls all hang leaves workers to the others. */
enum { WORKERS_PER_PROCESS = WORKERS_MAX * 3 / 4, EXEC_WORKERS_PER_PROCESS = 16 };
/* Hands the flight to a worker, REQUEST without slot and owner; a full pool, or one
 * of which the process already holds LIMIT workers, is -EAGAIN.
 */
int flight_work(struct supervisor *sv, unsigned slot, unsigned limit,
		struct worker_request request);
/* Whether a signal waits that the caller would act on. One for the whole process
 * goes to its first thread when that does not block it (complete_signal() of the
 * kernel): a thread that was not woken up would see the raw ERESTARTSYS.
 */
bool flight_signal_waits(const struct flight *f);
/* The SIZE bytes of the address at AT, which a worker may have read already: returns as
 * target_copy().
 */
ssize_t flight_address(struct supervisor *sv, const struct flight *f, uint64_t at, void *buf,
		       size_t size);
/* True when rules of TYPE can refuse something now. */
bool flight_enforces(const struct supervisor *sv, enum event_type type);
/* Carries out a verdict that refuses or kills: committed, done, answered. */
void flight_refuse(struct supervisor *sv, unsigned slot, struct event *event,
		   const struct decision *decision, enum guarantee guarantee);
/* The same where DONE messages of the call went out before: it returns their number. */
void flight_refuse_after(struct supervisor *sv, unsigned slot, struct event *event,
			 const struct decision *decision, enum guarantee guarantee, unsigned done);
/* The event could not be read: refused when a rule could refuse it, and then
 * true.
 */
bool flight_refuse_unreadable(struct supervisor *sv, unsigned slot, struct event *event,
			      enum reason reason);
/* The flight waits: it is looked after until it ends. */
void flight_waits(struct supervisor *sv, unsigned slot, enum waits_on on);
/* Each one that waits holds a slot of the journal, and the other calls of the workload
 * need some: false when no more may wait.
 */
bool flight_may_wait(const struct supervisor *sv);
/* How many flights of the process wait in the ring. */
unsigned flight_in_ring(const struct supervisor *sv, pid_t tgid);
/* Sets the timer that looks after those that wait. */
void flight_tick(struct supervisor *sv);
struct decision flight_decide(struct supervisor *sv, const struct event *event);
/* The same of one rule, after the verdict: it only watches. */
struct decision flight_decide_later(struct supervisor *sv, const struct event *event,
				    const struct rule *rule);
/* The event takes place, or is refused for good: what its rules set is set. */
void flight_settle(struct supervisor *sv, const struct event *event,
		   const struct decision *decision);
/* That, and the report of what was not refused. */
void flight_report(struct supervisor *sv, const struct event *event,
		   const struct decision *decision, enum guarantee guarantee);

/* ---- start.c ---- */

/* Starts the stub under its filter; it waits for start_begin(). 0, or -errno with
 * the reason in the journal.
 */
int start_launch(struct supervisor *sv);
/* Writes down why nothing could be started: ERROR, which it returns. */
int start_failed(struct supervisor *sv, enum launch_step step, int error);
/* From now on the first process is known by more than its number. */
void start_hold_root(struct supervisor *sv);
/* Everything is in place: the workload may run. */
void start_begin(struct supervisor *sv);
/* Everything is in place to go on where a supervisor died. */
void start_recover(struct supervisor *sv);

/* ---- supervisor.c ---- */

/* Finds out who makes the call of SLOT, and that it is still waited for. False when
 * that cannot be: then the call has been dealt with.
 */
bool flight_caller(struct supervisor *sv, unsigned slot, struct caller *caller);

/* ---- handlers.c ---- */
typedef void received_function(struct supervisor *sv, unsigned slot, struct caller *caller);
typedef void worked_function(struct supervisor *sv, unsigned slot, int result);
typedef void tick_function(struct supervisor *sv, unsigned slot);
struct handler {
	received_function *received; /* NULL = the call has no handler */
	bool by_numbers;             /* nobody asks who calls: it gets its caller unopened */
	bool reads;                  /* the caller's memory: see fetch.h */
	worked_function *worked;     /* a worker that it was given to is through */
	worked_function *ringed;     /* likewise the ring */
	/* both look after one that waits; of many each has its turn */
	tick_function *look; /* the caller has ended, or its time in the queue has */
	tick_function *tick; /* is it still there, and does a signal wait for it? */
};
/* Never NULL. */
const struct handler *handler_find(enum syscall_handler handler);

/* ---- one handler each ---- */
void exec_received(struct supervisor *sv, unsigned slot, struct caller *caller);
void exec_worked(struct supervisor *sv, unsigned slot, int result);
/* Its memory could not be read, for REASON. */
void exec_unread(struct supervisor *sv, unsigned slot, struct caller *caller, enum reason reason);
/* The verdict is due and the worker not through: decided without it. */
void exec_overdue(struct supervisor *sv, unsigned slot);
/* A wait status of PID: true when it belonged to an exec in flight. */
bool exec_stopped(struct supervisor *sv, pid_t pid, int status);
/* The look for an AF_UNIX peer takes too long. */
void local_overdue(struct supervisor *sv, unsigned slot);
void connect_received(struct supervisor *sv, unsigned slot, struct caller *caller);
void connect_worked(struct supervisor *sv, unsigned slot, int result);
void connect_ringed(struct supervisor *sv, unsigned slot, int result);
void connect_look(struct supervisor *sv, unsigned slot);
void connect_tick(struct supervisor *sv, unsigned slot);
/* Where rules are about connects, and the kernel has one. */
void connect_make_ring(struct supervisor *sv);
/* Those in the queue may get a worker, or room in the ring. */
void connect_dequeue(struct supervisor *sv);
void bind_received(struct supervisor *sv, unsigned slot, struct caller *caller);
void bind_worked(struct supervisor *sv, unsigned slot, int result);
void bind_look(struct supervisor *sv, unsigned slot);
void registers_received(struct supervisor *sv, unsigned slot, struct caller *caller);
/* sctp.c */
void packed_received(struct supervisor *sv, unsigned slot, struct caller *caller);
void send_received(struct supervisor *sv, unsigned slot, struct caller *caller);
void send_worked(struct supervisor *sv, unsigned slot, int result);
void send_look(struct supervisor *sv, unsigned slot);
void send_tick(struct supervisor *sv, unsigned slot);
void kill_received(struct supervisor *sv, unsigned slot, struct caller *caller);
void pidfd_signal_received(struct supervisor *sv, unsigned slot, struct caller *caller);
void target_received(struct supervisor *sv, unsigned slot, struct caller *caller);

/* ---- exec_hash.c: hashes that a verdict depends on ---- */

/* Writes into IMAGE what is known of the hashes of its files. */
void exec_show_hashes(const struct flight *f, struct image *image);
/* Which file of IMAGE has to be hashed for D; IMAGE_FILES = none, and where D depends on
 * another one, it is not to be had.
 */
enum image_file exec_unhashed(const struct decision *d, const struct image *image);
/* Hashes one: 0 when exec_show_hashes() now shows it; 1 when a worker is at it; -errno. FD
 * is the file; -1: what PROCESS, which is stopped, runs.
 */
int exec_hash(struct supervisor *sv, unsigned slot, const struct process *process,
	      const struct image *image, enum image_file which, int fd);
/* The worker is through, or, with an error, was left alone. */
void exec_hashed(struct supervisor *sv, unsigned slot, int result);

/* ---- exec_stop.c ---- */

/* A worker that was to hash is through: the process still stands at its stop. */
void exec_stop_hashed(struct supervisor *sv, unsigned slot, int result);

/* ---- later.c: hashes after the answer ---- */

struct later;
/* Makes what the rules ask for, if they do: 0 or -errno. */
int later_make(struct supervisor *sv);
/* Readable when a file was read, and when one takes too long. */
int later_results_fd(const struct later *later);
int later_timer_fd(const struct later *later);
void later_results(struct supervisor *sv);
void later_overdue(struct supervisor *sv);
/* As reporter_options.later; DATA is the supervisor. */
bool later_take(void *data, const struct event *event, const struct match *match,
		enum guarantee guarantee);
/* Takes the files of an exec event that is about to be answered, for those of its matches
 * that later_take() gets before later_unpin(): FILES, -1 = what the process runs.
 */
void later_pin(struct supervisor *sv, const struct event *event, const struct decision *d,
	       const int files[IMAGE_FILES]);
void later_unpin(struct supervisor *sv);
/* What still waits for a hash gets it, or its deadline. */
void later_await(struct supervisor *sv);

/* ---- kill.c ---- */

/* Sends SIGNAL to what SCOPE makes of PROCESS; never to guard or pid 1. */
void kill_scope_apply(struct supervisor *sv, const struct process *process, enum kill_scope scope,
		      int signal);
/* True for the keeper, the supervisor and whatever else is guard's. */
bool is_guard(const struct supervisor *sv, pid_t pid);
