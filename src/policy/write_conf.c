/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes conf/guard.conf from the table of options, for `make update-conf`. */
#include <config.h>

#include <stdio.h>

#include "policy/options.h"

int main(void)
{
	options_write_conf(stdout);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
