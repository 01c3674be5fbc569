/* SPDX-License-Identifier: GPL-3.0-or-later */
/* keeper.h - the process that the user sees: session, signals, status, restart.
 *
 * It holds what must not be lost (journal, a copy of the listener) and does as
 * little as possible with it: it judges nothing and reads nothing of the
 * workload. Run as init of a container it reaps whatever is left to it.
 */
#pragma once
#include "engine/supervisor.h"

struct keeper_options {
	const struct config *config;
	const struct ruleset *ruleset;
	const struct report_origin *origin;
	const struct digest_library *library; /* NULL = files cannot be hashed, or need not be */
	const char *path;                     /* of the command, resolved */
	bool set_ids;
	uid_t uid;
	gid_t gid;
	const gid_t *groups;
	size_t ngroups;
	const char *degraded;      /* with --best-effort: what cannot be had; NULL = nothing */
	const struct diags *diags; /* of loading the ruleset: told to the sinks */
};

/* True when the workload will run with no_new_privs: guard may not do without it. */
bool keeper_no_new_privs(void);

/* Runs the command under supervision until it and all that it left behind have
 * ended. The exit status of `guard run`: the command's own, 128+N for signal N,
 * 125 to 127 as in env(1).
 */
int keeper_run(const struct keeper_options *options);
