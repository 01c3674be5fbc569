/* SPDX-License-Identifier: GPL-3.0-or-later */
/* supervisor.h - the process that receives, decides and answers.
 *
 * One loop thread on epoll, which is also the only tracer. It writes nothing to disk
 * and speaks to no network but by the workload's own sockets; what may take long, a
 * path that is not cached or a connect, is done by workers. Only at the end does it
 * wait for more: up to three seconds for the recorder. The keeper forks
 * it, and forks another one should it die; everything that the second must know
 * is in the journal.
 */
#pragma once
#include <linux/filter.h>

#include "engine/journal.h"
#include "engine/pinned.h"
#include "kernel/digest.h"
#include "kernel/launch.h"
#include "model/report.h"
#include "policy/config.h"

struct supervisor_options {
	const struct config *config;
	const struct ruleset *ruleset;
	struct journal *journal;
	struct imagepool *images;    /* in memory shared with the keeper */
	const struct pinned *pinned; /* a copy of the keeper's */
	struct variables *variables; /* likewise shared; NULL when no rule sets any */
	struct tally *tally;         /* likewise shared */
	const struct report_origin *origin;
	const struct digest_library *library; /* NULL = files cannot be hashed */
	const char *degraded;                 /* what this host cannot do, NULL = nothing */
	const struct diags *diags;            /* of loading the ruleset */
	const char *path;                     /* of the command */
	const struct launch_request *launch;  /* NULL: take over LISTENER */
	int listener;                         /* of a former supervisor, -1 = launch */
	int keeper;                           /* seqpacket to the keeper */
	int recorder;                         /* seqpacket to the recorder, -1 = none */
	int news;                             /* eventfd of the keeper: look at the journal */
	bool killable;                        /* the listener has WAIT_KILLABLE_RECV */
	pid_t keeper_pid;                     /* adopts orphans */
};

/* Runs until no task of the workload is left, in a process of its own. The
 * exit status: 0 done, 125 the workload could not be started (the journal
 * says why).
 */
int supervisor_run(const struct supervisor_options *options);
