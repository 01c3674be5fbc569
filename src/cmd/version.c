/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>

#include "base/log.h"
#include "cmd/cmd.h"

static int version(int argc, char **argv)
{
	if (argc == 2 && (streq(argv[1], "--help") || streq(argv[1], "-h")))
		return cmd_print_help(&cmd_version);
	if (argc > 1) {
		log_error("version takes no arguments");
		return cmd_version.usage_status;
	}
	(void)printf("guard %s\n", PACKAGE_VERSION);
	return cmd_finish_stdout();
}

const struct command cmd_version = {
	.name = "version",
	.synopsis = "",
	.summary = "print the version",
	.run = version,
	.usage_status = EXIT_GUARD,
};
