/* SPDX-License-Identifier: GPL-3.0-or-later */
/* config.h - what the user asked for: defaults, then guard.conf, then options.
 *
 * The rows of policy/options.def make the option parser, the keys of
 * guard.conf, --help, the manual's option lists and the completion. Reading
 * the command line is options.h.
 *
 * This header has the name of autoconf's: sources in src/policy include that
 * one as <config.h>, everybody includes this one as "policy/config.h".
 */
#pragma once
#include "base/err.h"
#include "policy/ruleset.h"

struct strv {
	char **items; /* NULL-terminated; NULL while empty */
	size_t count;
};
/* 0, or -ENOMEM; ITEM is copied. */
int strv_add(struct strv *v, const char *item);
void strv_done(struct strv *v);

enum on_supervisor_loss { LOSS_RESTART, LOSS_KILL };
enum foreign_abi { FOREIGN_ABI_REFUSE, FOREIGN_ABI_TRANSLATE };
enum on_leftover { LEFTOVER_WAIT, LEFTOVER_KILL };

struct config {
	/* from the command line or guard.conf */
	struct strv policies;      /* -p; for check its operands. Empty = the built-in one */
	enum protection_mode mode; /* -m, [protection] active */
	struct strv sinks;         /* -o */
	char *service;             /* --service, else DD_SERVICE of the command */
	struct strv tags;          /* --tag */
	struct strv pins;          /* --resolve, [network] resolve: hosts.h reads them */
	bool best_effort, quiet;
	/* command line only */
	char *user, *group, *cwd;
	char *config_path; /* --config */
	char **command;    /* what follows the options: borrowed from argv, NULL-terminated */
	bool json;         /* check, doctor: --json */
	char *explain;     /* check: --explain, the id of a rule */
	char *expression;  /* eval: -e */
	char *event_file;  /* eval: --event, "-" = standard input */
	bool batch;        /* eval: --batch */
	bool help;         /* --help was given: print options_help() and end with 0 */
	/* guard.conf only */
	enum on_supervisor_loss on_supervisor_loss; /* [run] on_supervisor_loss */
	enum on_leftover leftover;                  /* [run] leftover = wait | kill */
	enum foreign_abi foreign_abi;               /* [hardening] foreign_abi */
	bool refuse_io_uring;                       /* [hardening] io_uring = refuse | allow */
	bool refuse_userfaultfd;                    /* [hardening] userfaultfd */
	bool protect_self;                          /* [hardening] protect_self */
	bool drop_ptrace;             /* [hardening] ptrace_capability = drop | keep */
	int64_t deadline_ms;          /* [run] deadline: for one verdict */
	struct strv unix_passthrough; /* [network] unix_passthrough */
	struct strv hash_algorithms;  /* [hash] algorithms: names of model/hash.def */
	int64_t hash_max_size;        /* [hash] max_file_size, bytes */
	char *origin;                 /* [events] origin = ebpfless */
	int64_t heartbeat_ms;         /* [events] heartbeat, 0 = none */
	struct strv scrub_words;      /* [events] scrub: extra words */
	struct strv envs_with_value;  /* [events] envs_with_value */
};

void config_init(struct config *config); /* defaults */
void config_done(struct config *config);

/* Reads PATH (NULL = the default path, where absence is fine). A line that
 * is not understood is an error that names file, line and the nearest key.
 */
int config_read(struct config *config, const char *path, struct err *err);

/* Without any policy so far: SYSCONFDIR/guard/policies.d when it holds one,
 * else the list stays empty, which means the built-in policy. 0, or -ENOMEM.
 */
int config_default_policies(struct config *config);
