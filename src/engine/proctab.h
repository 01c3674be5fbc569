/* SPDX-License-Identifier: GPL-3.0-or-later */
/* proctab.h - who the processes of the workload are.
 *
 * An entry is a process: pid and start time. What its image is was captured at
 * the exec, by the kernel's own copy; a process that guard meets for the first
 * time is known by the memory it has from that exec (imagepool.h), whoever its
 * parent is by now. What cannot be known that way is marked `unknown`, and no
 * blocking rule is satisfied by it. Processes above the workload are read from
 * /proc once. Parents stay as long as a child needs them, alive
 * or not, so that ancestors are those that were. All memory is reserved at the
 * start; when it is used up the entries longest not asked for go first, and are
 * read again from /proc should they come back.
 */
#pragma once
#include "base/err.h"
#include "engine/caller.h"
#include "engine/lineage.h"
#include "kernel/procfs.h"
#include "model/event.h"

struct proctab;

/* Slots of processes (process.slot) are 1 to this. */
enum { PROCTAB_SLOTS = 16384 };

struct proctab_options {
	struct imagepool *images; /* borrowed */
	/* a process is dead and nobody asks for it any more; may be NULL */
	void (*forget)(void *data, pid_t pid, uint64_t start_ticks);
	/* around reading memory of the workload, which may hold the reader; false: it must
	 * not be read now. Both may be NULL.
	 */
	bool (*begin_reading)(void *data);
	void (*end_reading)(void *data);
	void *data;
	struct resolve_host *host; /* borrowed; NULL: no names of file systems */
	unsigned pidfds;           /* how many descriptors it may hold */
	pid_t reaper;              /* adopts orphans: as a parent, the lineage is inferred */
	struct lineage *lineage;   /* told of images that change; may be NULL */
	bool follows;              /* every exec is reported with proctab_exec() or _doubt() */
};

int proctab_new(const struct proctab_options *options, struct proctab **ret);
void proctab_free(struct proctab *tab);

/* Does as caller_open(), but opens nothing for a process that is in the table: its
 * descriptor there serves. Valid until proctab_trim().
 */
int proctab_caller(struct proctab *tab, pid_t tid, struct caller *ret);

/* The entry of the caller's process, from the table or made from /proc, with
 * its ancestors. NULL when it is gone or nothing is left (*ret_error).
 * The entry stays valid until proctab_trim(), which is only called between events. A
 * new one keeps the caller's descriptor (caller.known), which serves the caller still.
 */
struct process *proctab_get(struct proctab *tab, struct caller *caller, int *ret_error);

/* The same for a process that executes, or has just executed: its image is not read,
 * for the events are about another one, which proctab_exec() is to set. Should it not
 * come to that, proctab_get() reads it.
 */
struct process *proctab_get_for_exec(struct proctab *tab, struct caller *caller, int *ret_error);

/* The same for one that proctab_get_for_exec() has given since it was traced, which keeps
 * its number for it: nobody is asked who it is. NULL when its entry has had to go.
 */
struct process *proctab_get_traced(struct proctab *tab, pid_t pid);

/* Keeps the IMAGE of a process of the table, and lets go of it. */
void proctab_image_keep(struct proctab *tab, const struct image *image);
void proctab_image_drop(struct proctab *tab, const struct image *image);

/* The entry of the process PID, NULL when there is none. */
struct process *proctab_find(struct proctab *tab, pid_t pid);

/* Reads, of the calling thread TID, what NEEDS (enum event_need) asks for and is not known yet, or
 * may have changed since: credentials, terminal, cgroup, command name. 0, or -errno.
 */
int proctab_refresh(struct proctab *tab, struct process *process, pid_t tid, uint64_t needs);

/* What an exec is about to make of PROCESS, or has made: a process with IMAGE,
 * for evaluation only. Same pid, parent and terminal.
 */
struct process proctab_candidate(const struct process *process, const struct image *image);

/* The exec took place: IMAGE is copied and becomes the image of PROCESS. Children
 * that it has from before keep the old one. What does not fit is cut and marked
 * so. 0; -ENOMEM: nothing at all is left, the image is unknown from now on.
 */
int proctab_exec(struct proctab *tab, struct process *process, const struct image *image);

/* The command name that an exec has given to PROCESS; cut to 15 bytes. */
void proctab_set_comm(struct process *process, struct secl_string comm);

/* Marks the image as no longer certain (an exec that was not verified): the
 * next proctab_get() reads it from /proc.
 */
void proctab_doubt(struct proctab *tab, struct process *process);

/* Drops what is dead and unneeded; a few entries now and then, so that every event
 * may call it.
 */
void proctab_trim(struct proctab *tab);

/* The pids of up to SIZE processes of the workload, that is of callers, that
 * are alive. Their number.
 */
size_t proctab_members(const struct proctab *tab, pid_t *ret, size_t size);

/* Entries in use, for tests and statistics. */
unsigned proctab_used(const struct proctab *tab);
