/* SPDX-License-Identifier: GPL-3.0-or-later */
/* options.h - the table of everything that a user can set, and what is made
 * from it: the option parser, --help, guard.conf, and through options_each()
 * the manual and the completion.
 */
#pragma once
#include <stdio.h>

#include "policy/config.h"

/* Which commands take an option; bits of option_row.commands. */
enum option_command {
	FOR_RUN = 1u << 0,
	FOR_CHECK = 1u << 1,
	FOR_EVAL = 1u << 2,
	FOR_DOCTOR = 1u << 3,
	FOR_VERSION = 1u << 4,
	FOR_HELP = 1u << 5,
	FOR_TEST = 1u << 6,
	FOR_ALL = (1u << 7) - 1,
};

enum option_type {
	OPTION_FLAG,     /* bool; takes no argument on the command line */
	OPTION_STRING,   /* char * */
	OPTION_LIST,     /* struct strv; a comma separates in guard.conf */
	OPTION_ENUM,     /* an enum; one of `values` */
	OPTION_BOOL,     /* bool with names of its own in `values` */
	OPTION_DURATION, /* int64_t in milliseconds; `5s`, `500ms`, `2m` */
	OPTION_SIZE,     /* int64_t in bytes; `512`, `64KiB`, `10MiB`, `1GiB` */
};

struct option_value {
	const char *name;
	int value; /* the first name of a value is the one that is shown */
};

struct option_row {
	unsigned commands;    /* enum option_command; 0 = not on the command line */
	const char *name;     /* long name; NULL = not on the command line */
	char letter;          /* 0 = none */
	const char *argument; /* its name in help; NULL for flags */
	enum option_type type;
	const struct option_value *values; /* ends with a NULL name; NULL = any */
	int64_t minimum, maximum;          /* of a duration, in milliseconds; of a size */
	size_t member;                     /* offset in struct config */
	const char *section, *key;         /* in guard.conf; NULL = not there */
	const char *standard;              /* default as text; "" = none */
	const char *help;                  /* one sentence without the full stop */
};

/* All rows, in the order of the manual. Stops and returns what VISIT returns
 * when that is not 0.
 */
int options_each(int (*visit)(void *data, const struct option_row *row), void *data);

/* The bit of a command's name, 0 when it has no options. */
unsigned options_command(const char *name);
/* The commands that have options, one by one; NULL behind the last. */
const char *options_command_name(size_t index);

/* The whole of a command's start: defaults into CONFIG, guard.conf (or
 * --config), then the options of argv[1...] (argv[0] is the name of the
 * command). A list given on the command line replaces the one of guard.conf.
 * config->command is what follows; for run, options end at the first
 * argument that is none. CONFIG is to be released with config_done() whatever
 * comes out. 0; -EINVAL or another error with a line for the user in *err.
 */
int options_load(struct config *config, int argc, char **argv, struct err *err);

/* As options_load(), without reading any file (tests). */
int options_parse(struct config *config, int argc, char **argv, struct err *err);

/* The options of COMMAND, one paragraph each. */
void options_help(FILE *out, const char *command);

/* The text of conf/guard.conf: every key, commented out, at its default. */
void options_write_conf(FILE *out);

/* For scripts, one row a line, separated by tabs: "option", command, long
 * name, letter or -, argument or -, values joined with | or -, help; and
 * "key", section, key, default, values or -, help.
 */
void options_dump(FILE *out);

/* Sets what KEY of SECTION stands for; FIRST = the key occurs for the first
 * time, which replaces a list instead of adding to it. 0; -ENOENT when there
 * is no such key (*ret_hint: the nearest, or NULL); -EINVAL with *err.
 */
int options_set_key(struct config *config, const char *section, const char *key, const char *value,
		    bool first, const char **ret_hint, struct err *err);

/* Sets what ROW stands for from the command line; VALUE is ignored for flags,
 * FIRST as above. 0, -EINVAL with *err, -ENOMEM.
 */
int options_set_row(struct config *config, const struct option_row *row, const char *value,
		    bool first, struct err *err);

/* "1h", "2m", "5s", "500ms", "10us", "7ns", and sums like "1m30s" or
 * fractions like "1.5h", to nanoseconds. 0, -EINVAL, -ERANGE.
 */
int duration_parse(const char *text, int64_t *ret_ns);

/* "512", "64KiB", "10MiB", "1GiB" to bytes. 0, -EINVAL, -ERANGE. */
int size_parse(const char *text, int64_t *ret);
