/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "cmd/cmd.h"

#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "policy/options.h"

int cmd_run_configured(const struct command *command, int argc, char **argv,
		       int (*run)(const struct config *config))
{
	struct config config;
	struct err err = { .code = 0 };
	int status;

	if (options_load(&config, argc, argv, &err) < 0) {
		log_error("%s", err.text);
		status = command->usage_status;
	} else if (config.help) {
		status = cmd_print_help(command);
	} else {
		status = run(&config);
	}
	config_done(&config);
	return status;
}

int cmd_finish_stdout(void)
{
	if (ferror(stdout) == 0 && fflush(stdout) == 0)
		return EXIT_SUCCESS;
	log_error("standard output: %s", strerror(errno));
	return EXIT_FAILURE;
}
