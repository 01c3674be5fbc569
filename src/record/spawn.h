/* SPDX-License-Identifier: GPL-3.0-or-later */
/* spawn.h - the keeper's side of the recorder: opens sinks, starts the process.
 *
 * The recorder runs without any privilege, so whatever needs the user's own
 * rights is opened here, once, and handed over. The descriptors stay open in
 * the keeper as well: a recorder that died is started again with the same
 * sinks and the same end of the link.
 */
#pragma once
#include "record/spec.h"

struct recorder_sink {
	enum sink_kind kind;
	char *path; /* "" = none */
	int fd;     /* -1 = the recorder connects by itself */
};

struct recorder_sinks {
	struct recorder_sink items[SINKS_MAX];
	size_t count;
	unsigned starts; /* of a recorder with them */
};

/* Opens SPECS (spec.h) in their order. Descriptors are close-on-exec and not
 * below MINIMUM_FD. A file is opened for appending, made with mode 0600, and
 * must not be a symbolic link, a directory, a block device, a socket or a FIFO that
 * nobody reads. 0, or a negative errno with one line in *err; then *ret is
 * empty.
 */
int recorder_open_sinks(const char *const *specs, size_t nspecs, int minimum_fd,
			struct recorder_sinks *ret, struct err *err);
void recorder_sinks_done(struct recorder_sinks *sinks);

/* The program as it was when guard started, whatever happens to the file meanwhile: a
 * sealed copy in memory. Where memory may not be executed (vm.memfd_noexec = 2) the
 * file itself, which is not started any more once it has changed.
 */
struct recorder_program {
	int fd;             /* -1 = none */
	int64_t changed_ns; /* ctime of the file; 0 = a copy that cannot change */
};

/* PATH = NULL looks for the guard-recorder that belongs to the running executable:
 * beside it (build tree), then in ../libexec/guard from there (moved installation),
 * then in LIBEXECDIR; no environment variable has a say. The descriptor is not below
 * MINIMUM_FD. 0, or a negative errno with one line in *err; then *ret is left alone.
 */
int recorder_pin(const char *path, int minimum_fd, struct recorder_program *ret, struct err *err);
void recorder_program_done(struct recorder_program *program);

struct recorder_options {
	const struct recorder_program *program;
	pid_t pid;            /* that it should have, where guard may choose; 0 = any */
	const char *hostname; /* for events_lost, may be NULL; so are the next two */
	const char *service;
	const char *workload;
	bool colour; /* stderr may be coloured where it is a terminal */
};

/* Starts guard-recorder with LINK_FD, the recorder's end of the link, which
 * stays open here. From the second start with the same SINKS on, it first ends
 * the line that the one before may have left unfinished in a pipe. Dispositions of
 * signals are reset, whatever can be blocked is, the environment is empty. Nobody of the
 * same user can look into it, from its first instruction on. Returns once exec succeeded
 * or failed: 0 with the child's pid in *ret_pid, or a negative errno with one line in
 * *err.
 */
int recorder_spawn(int link_fd, struct recorder_sinks *sinks,
		   const struct recorder_options *options, pid_t *ret_pid, struct err *err);

/* Log rotation: opens every file sink again under its path and hands the new
 * descriptors to the recorder through LINK_FD, which is a copy of the
 * *supervisor's* end. A file that cannot be opened keeps its old descriptor and
 * is named in *err; the others go on. 0, or the (first) negative errno.
 */
int recorder_reopen_sinks(int link_fd, struct recorder_sinks *sinks, struct err *err);
