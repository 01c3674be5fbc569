/* SPDX-License-Identifier: GPL-3.0-or-later */
/* help.c - what the tables of commands and options say, for a person or, with
 * --dump, for the scripts that check manual pages and completions.
 */
#include "config.h"

#include <stdio.h>

#include "base/log.h"
#include "cmd/cmd.h"
#include "policy/options.h"

static const char overview[] =
	"guard judges what a program does, before it takes effect.\n"
	"\n"
	"usage: guard COMMAND [OPTION]... [ARGUMENT]...\n"
	"\n"
	"  guard run -- COMMAND                   run COMMAND under the installed policies\n"
	"  guard run -p FILE -o - -- COMMAND      under FILE, events on standard output\n"
	"  guard check FILE                       is this policy right, and enforceable here?\n"
	"\n"
	"commands:\n";

static const struct command *find(const char *name)
{
	for (const struct command *const *c = commands; *c; c++) {
		if (streq((*c)->name, name))
			return *c;
	}
	return NULL;
}

static int overview_print(void)
{
	(void)fputs(overview, stdout);
	for (const struct command *const *c = commands; *c; c++)
		(void)printf("  %-10s %s\n", (*c)->name, (*c)->summary);
	(void)printf(
		"\n'guard help COMMAND' lists the options of a command, 'man guard' has it all.\n");
	return cmd_finish_stdout();
}

int cmd_print_help(const struct command *command)
{
	(void)printf("usage: guard %s%s%s\n\n%s\n\n", command->name, *command->synopsis ? " " : "",
		     command->synopsis, command->summary);
	options_help(stdout, command->name);
	return cmd_finish_stdout();
}

/* One row a line, tab-separated: "command NAME SUMMARY", then the options. */
static int dump(void)
{
	for (const struct command *const *c = commands; *c; c++)
		(void)printf("command\t%s\t%s\n", (*c)->name, (*c)->summary);
	options_dump(stdout);
	return cmd_finish_stdout();
}

static int help(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2)
		return overview_print();
	if (streq(argv[1], "--help") || streq(argv[1], "-h"))
		return cmd_print_help(&cmd_help);
	if (streq(argv[1], "--dump"))
		return dump();
	command = find(argv[1]);
	if (!command || argc > 2) {
		log_error("there is no help on '%s', see 'guard help'", argv[argc - 1]);
		return cmd_help.usage_status;
	}
	return cmd_print_help(command);
}

const struct command cmd_help = {
	.name = "help",
	.synopsis = "[COMMAND]",
	.summary = "say what the commands do",
	.run = help,
	.usage_status = EXIT_GUARD,
};
