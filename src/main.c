/* SPDX-License-Identifier: GPL-3.0-or-later */
/* main.c - the table of subcommands. */
#include "config.h"

#include <stdio.h>

#include "cmd/cmd.h"

int main(void)
{
	return 0;
}
