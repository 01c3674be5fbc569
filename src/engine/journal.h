/* SPDX-License-Identifier: GPL-3.0-or-later */
/* journal.h - what must survive the supervisor.
 *
 * A memory file that the keeper makes before anything else and every
 * supervisor inherits: the notifications in hand, a ring of committed denials,
 * the fate of the workload, and the counters. Each record becomes valid by one
 * store of its state, made last; a supervisor may die between any two
 * instructions. There is one writer at a time; readers (the keeper) only look at
 * what is published.
 */
#pragma once
#include <linux/seccomp.h>
#include <stdatomic.h>

#include "kernel/launch.h"

enum {
	JOURNAL_SLOTS = 4096,
	/* committed denials that no sink has taken yet; a page of it costs memory
	 * once it is written */
	JOURNAL_RING_SIZE = 16 * 1024 * 1024,
	JOURNAL_SUMMARY_MAX = 1024,
};

/* How far a notification has come: written before a worker has it and before a tracer
 * is on the caller, so that what a dead supervisor did at most is known. One exception:
 * a call on behalf is written down after it was made (SLOT_EFFECT); a death in
 * between makes it again, and the handler knows what that answers.
 */
enum slot_step {
	SLOT_FREE,
	SLOT_RECEIVED, /* judged again by a new supervisor */
	SLOT_WORKING,  /* a worker has it: nothing has been answered */
	SLOT_EFFECT,   /* performed on behalf: `result` is the answer, not sent yet */
	SLOT_EXEC,     /* exec continued, to be verified: EXITKILL ends it */
};

struct journal_slot {
	_Atomic uint32_t step;
	/* its denial is in the ring: what is left to do is to kill, where kill_signal is
	 * not 0, and to answer `result`; not to judge and report again */
	_Atomic uint32_t denied;
	int kill_scope, kill_signal; /* enum kill_scope */
	pid_t tgid;                  /* 0 = not known yet */
	int64_t result;              /* SLOT_EFFECT, denied: 0 or -errno */
	bool recovered;              /* had reached SLOT_WORKING when a supervisor died */
	int8_t state; /* of a connect: that of the socket before it, see connect_state() */
	/* of a send: messages that are through, and the number, from 1, of the one that
	 * was begun last; what the stream had taken before it (-1 = not known), and how
	 * much of it is surely sent */
	uint32_t messages, deed;
	int64_t position;
	uint64_t bytes;
	struct seccomp_notif notification;
};

/* The workload's first process. */
enum root_state { ROOT_UNBORN, ROOT_RUNNING, ROOT_STOPPED, ROOT_EXITED };

struct journal {
	_Atomic uint32_t root_state; /* a futex-free word: read after an eventfd tick */
	_Atomic uint32_t root_stops; /* how often it was stopped: each stop is mirrored once */
	pid_t root_pid;
	int root_status;            /* wait status, valid in ROOT_EXITED and ROOT_STOPPED */
	int launch_status;          /* exit status when the command never ran, else -1 */
	char launch_text[1024];     /* and why */
	struct launch_page launch;  /* a successor lets go whom its predecessor parked */
	_Atomic uint32_t finished;  /* no task of the workload is left */
	_Atomic pid_t held;         /* the supervisor that was ended for being held */
	_Atomic uint32_t careful;   /* the loop reads no memory of callers: see sentinel.h */
	_Atomic uint64_t seq;       /* of events, counts on over restarts */
	_Atomic uint64_t lost;      /* events that no sink will get */
	_Atomic uint64_t committed; /* records ever put into the ring */
	_Atomic uint64_t denials;   /* refused or killed, logged or not */
	_Atomic uint64_t blocked, killed;
	_Atomic uint32_t restarts;
	_Atomic pid_t supervisor; /* pid of the one at work */
	_Atomic pid_t recorder;   /* likewise, 0 = none */

	/* ring of denials: offsets count bytes for ever, modulo its size */
	_Atomic uint64_t head;  /* end of what is committed */
	_Atomic uint64_t sent;  /* given to the recorder's queue */
	_Atomic uint64_t tail;  /* acknowledged by the recorder: free again */
	_Atomic uint64_t shown; /* printed by the keeper */

	/* the denial that is being written: what a successor restores when it finds that
	 * its records were not published */
	_Atomic uint32_t open;
	struct {
		unsigned slot;
		uint64_t head, seq, lost, denials, blocked, killed;
	} undo;
	uint64_t next; /* end of its records, not published yet */
	uint64_t added;

	uint64_t trimmed; /* head when the ring's memory was last given back */

	uint32_t first_free; /* no slot below it is free */
	struct journal_slot slots[JOURNAL_SLOTS];
	_Alignas(4096) char ring[JOURNAL_RING_SIZE];
};

/* One committed denial: header, summary with NUL, line with NUL, padding. */
struct journal_record {
	uint32_t size;      /* of the whole record, a multiple of 8 */
	uint32_t line_size; /* without the NUL; 0 = padding up to the ring's end */
	uint64_t number;    /* 1, 2, 3 ...: what the recorder acknowledges */
	char summary[JOURNAL_SUMMARY_MAX];
	char line[];
};

/* Maps a new journal at the same address for every process forked from here:
 * 0, or -errno.
 */
int journal_new(struct journal **ret);
void journal_free(struct journal *journal);

/* The first process has ended: when it never became the command PATH, writes down
 * why not.
 */
void journal_launch_ended(struct journal *journal, const char *path);

/* A free slot, -ENOSPC when all are in use (the callers then wait). */
int journal_slot_take(struct journal *journal);
static inline void journal_slot_step(struct journal *journal, unsigned slot, enum slot_step step)
{
	atomic_store_explicit(&journal->slots[slot].step, step, memory_order_release);
	if (step == SLOT_FREE && slot < journal->first_free)
		journal->first_free = slot;
}

/* A denial is committed as a whole: between begin and commit its records (one for each
 * rule) and all counters are written, then one store publishes the records. From then on
 * the slot is `denied`; a supervisor that dies before has denied nothing, and
 * journal_recover() makes it so.
 */
void journal_begin(struct journal *journal, unsigned slot);
/* 0, or -ENOSPC when the ring is full of what no sink takes: the caller counts it as
 * lost; the verdict stands all the same.
 */
int journal_add(struct journal *journal, const char *summary, const char *line, size_t size);
void journal_commit(struct journal *journal);

/* Gives the memory of the ring back when nothing is in it any more. */
void journal_trim(struct journal *journal);

/* After a supervisor died: a denial that it had begun is committed or never was, and the
 * counters agree with the ring. Before anything is committed.
 */
void journal_recover(struct journal *journal);

/* The record at *offset (one of head, sent, tail, shown), NULL at the end.
 * *offset is advanced over padding; the caller advances over the record.
 */
const struct journal_record *journal_peek(const struct journal *journal, uint64_t *offset);
