/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "cmd/cmd.h"

#include <errno.h>
#include <stdio.h>

#include "base/log.h"

int cmd_finish_stdout(void)
{
	if (ferror(stdout) == 0 && fflush(stdout) == 0)
		return EXIT_SUCCESS;
	log_error("standard output: %s", strerror(errno));
	return EXIT_FAILURE;
}
