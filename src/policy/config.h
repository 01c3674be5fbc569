/* SPDX-License-Identifier: GPL-3.0-or-later */
/* config.h - what the user asked for: defaults, then guard.conf, then options.
 *
 * The rows of policy/options.def make the option parser, the keys of
 * guard.conf, --help, the manual's option lists and the completion.
 */
#pragma once
#include "base/err.h"
#include "policy/ruleset.h"

struct strv {
	char **items; /* NULL-terminated */
	size_t count;
};
int strv_add(struct strv *v, const char *item);
void strv_done(struct strv *v);

enum on_supervisor_loss { LOSS_RESTART, LOSS_KILL };
enum foreign_abi { FOREIGN_ABI_REFUSE, FOREIGN_ABI_ALLOW };
enum on_leftover { LEFTOVER_WAIT, LEFTOVER_KILL };

struct config {
	/* from the command line or guard.conf */
	struct strv policies;  /* -p */
	enum protection_mode mode; /* -m, [protection] active */
	struct strv sinks;     /* -o */
	char *service;         /* --service, else DD_SERVICE of the command */
	struct strv tags;      /* --tag */
	bool best_effort, quiet;
	/* command line only */
	char *user, *group, *cwd;
	char *config_path;     /* --config */
	char **command;        /* borrowed from argv, NULL-terminated */
	/* guard.conf only */
	enum on_supervisor_loss on_supervisor_loss; /* [run] on_supervisor_loss */
	enum on_leftover leftover;   /* [run] leftover = wait | kill */
	enum foreign_abi foreign_abi;/* [hardening] foreign_abi */
	bool refuse_io_uring;        /* [hardening] io_uring = refuse | allow */
	bool refuse_userfaultfd;     /* [hardening] userfaultfd */
	bool protect_self;           /* [hardening] protect_self */
	int64_t deadline_ms;         /* [run] deadline: for one verdict */
	char *origin;                /* [events] origin = ebpfless */
	struct strv scrub_words;     /* [events] scrub: extra words */
	struct strv envs_with_value; /* [events] envs_with_value */
};

void config_init(struct config *config); /* defaults */
void config_done(struct config *config);

/* Reads PATH (NULL = the default path, where absence is fine). A line that
 * is not understood is an error that names file, line and the nearest key.
 */
int config_read(struct config *config, const char *path, struct err *err);
