/* SPDX-License-Identifier: GPL-3.0-or-later */
/* main.c - the table of subcommands, and how one is chosen. */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>

#include "base/log.h"
#include "base/nearest.h"
#include "cmd/cmd.h"

const struct command *const commands[] = {
	&cmd_run, &cmd_doctor, &cmd_check, &cmd_eval, &cmd_test, &cmd_version, &cmd_help, NULL,
};

/* What people write instead of a command: both spellings reach the same one. */
static const struct {
	const char *word, *command;
} spellings[] = {
	{ "--help", "help" },
	{ "-h", "help" },
	{ "--version", "version" },
	{ "-V", "version" },
};

static const struct command *find_command(const char *word)
{
	for (size_t i = 0; i < ELEMENTS(spellings); i++) {
		if (streq(spellings[i].word, word))
			word = spellings[i].command;
	}
	for (const struct command *const *c = commands; *c; c++) {
		if (streq((*c)->name, word))
			return *c;
	}
	return NULL;
}

static void say_unknown(const char *word)
{
	struct nearest n = NEAREST(word);
	const char *hint;

	for (const struct command *const *c = commands; *c; c++)
		nearest_offer(&n, (*c)->name);
	hint = nearest_result(&n);
	if (hint)
		log_error("unknown command '%s', did you mean '%s'?", word, hint);
	else
		log_error("unknown command '%s', see 'guard help'", word);
}

/* A closed standard stream would be the first descriptor that guard opens for
 * itself. Held until an exec: the workload finds it closed, as without guard.
 */
static void hold_standard_streams(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			(void)!open("/dev/null", O_RDWR | O_CLOEXEC); /* takes this number */
	}
}

int main(int argc, char **argv)
{
	const struct command *command;

	hold_standard_streams();
	if (argc < 2) {
		log_error("no command given, see 'guard help'");
		return EXIT_GUARD;
	}
	command = find_command(argv[1]);
	if (!command) {
		say_unknown(argv[1]);
		return EXIT_GUARD;
	}
	return command->run(argc - 1, argv + 1);
}
