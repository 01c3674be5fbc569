/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd.h - one subcommand per file, each exports one struct command. */
#pragma once
#include "base/util.h"

/* Exit statuses that every command shares (design: command line). */
enum { EXIT_GUARD = 125, EXIT_CANNOT_EXECUTE = 126, EXIT_NOT_FOUND = 127 };

struct command {
	const char *name;
	const char *synopsis; /* what follows the name */
	const char *summary;  /* one line for `guard help` */
	/* argv[0] is the subcommand's name. Returns the exit status. */
	int (*run)(int argc, char **argv);
	int usage_status; /* exit status for a usage error: 125 for run, else 2 or 1 */
};

extern const struct command cmd_run, cmd_check, cmd_eval, cmd_test, cmd_doctor, cmd_version,
	cmd_help;

struct config;

/* The usual course of a command: reads its options and guard.conf, answers --help, and
 * else does what RUN does. Returns the exit status; a usage error is printed.
 */
int cmd_run_configured(const struct command *command, int argc, char **argv,
		       int (*run)(const struct config *config));

/* What `guard help COMMAND` and `guard COMMAND --help` print, on standard output.
 * Returns the exit status.
 */
int cmd_print_help(const struct command *command);

/* For the end of a command whose answer went to standard output: EXIT_SUCCESS,
 * or EXIT_FAILURE after a message when it could not all be written.
 */
int cmd_finish_stdout(void);

/* All of them, NULL-terminated (main.c). */
extern const struct command *const commands[];
