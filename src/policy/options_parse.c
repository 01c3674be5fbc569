/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command line: getopt_long(3) fed from the table of options. */
#include <config.h>

#include "policy/options.h"

#include <errno.h>
#include <getopt.h>

#include "base/nearest.h"

enum { MAX_OPTIONS = 64, LONG_BASE = 256 };

struct parser {
	const char *name; /* of the command */
	unsigned command;
	const struct option_row *rows[MAX_OPTIONS]; /* those of the command */
	bool seen[MAX_OPTIONS];
	size_t count;
	struct option longs[MAX_OPTIONS + 1];
	char shorts[3 * MAX_OPTIONS + 3];
};

static int add_row(void *data, const struct option_row *row)
{
	struct parser *p = data;
	char *s = p->shorts + strlen(p->shorts);

	if (!(row->commands & p->command))
		return 0;
	if (p->count == MAX_OPTIONS)
		return -E2BIG; /* the unit test of the table would have said so */
	p->rows[p->count] = row;
	p->longs[p->count] = (struct option){
		.name = row->name,
		.has_arg = row->argument ? required_argument : no_argument,
		.val = LONG_BASE + (int)p->count,
	};
	p->count++;
	if (row->letter) {
		*s++ = row->letter;
		if (row->argument)
			*s++ = ':';
		*s = '\0';
	}
	return 0;
}

static int find_row(const struct parser *p, int value)
{
	if (value >= LONG_BASE && (size_t)(value - LONG_BASE) < p->count)
		return value - LONG_BASE;
	for (size_t i = 0; i < p->count; i++) {
		if (p->rows[i]->letter && p->rows[i]->letter == value)
			return (int)i;
	}
	return -1;
}

/* getopt_long() only says "?": find out what was wrong with TEXT. */
static int bad_option(const struct parser *p, const char *text, struct err *err)
{
	struct nearest n;
	const char *hint, *first = NULL;
	size_t size;

	if (optopt && optopt < LONG_BASE)
		return err_set(err, -EINVAL, "unknown option '-%c', see 'guard help %s'", optopt,
			       p->name);
	if (optopt)
		return err_set(err, -EINVAL, "option '--%s' takes no value",
			       p->rows[optopt - LONG_BASE]->name);
	text += strspn(text, "-");
	size = strcspn(text, "=");
	n = (struct nearest){ .word = text, .size = size };
	for (size_t i = 0; i < p->count; i++) {
		nearest_offer(&n, p->rows[i]->name);
		if (size == 0 || strncmp(p->rows[i]->name, text, size) != 0)
			continue;
		if (first)
			return err_set(err, -EINVAL,
				       "option '--%.*s' is ambiguous: '--%s' or '--%s'?", (int)size,
				       text, first, p->rows[i]->name);
		first = p->rows[i]->name;
	}
	hint = nearest_result(&n);
	if (hint)
		return err_set(err, -EINVAL, "unknown option '--%.*s', did you mean '--%s'?",
			       (int)size, text, hint);
	return err_set(err, -EINVAL, "unknown option '--%.*s', see 'guard help %s'", (int)size,
		       text, p->name);
}

static int missing_value(const struct parser *p, struct err *err)
{
	int row = find_row(p, optopt);

	if (row < 0)
		return err_set(err, -EINVAL, "option '-%c' needs a value", optopt);
	return err_set(err, -EINVAL, "option '--%s' needs a value: %s", p->rows[row]->name,
		       p->rows[row]->argument);
}

static int parser_init(struct parser *p, const char *command, struct err *err)
{
	int r;

	*p = (struct parser){ .name = command, .command = options_command(command) };
	/* "+": the options of `guard run` end where its COMMAND begins; ":": tell a
	 * missing value from an unknown option */
	(void)strcpy(p->shorts, p->command == FOR_RUN ? "+:" : ":");
	r = options_each(add_row, p);
	return r < 0 ? err_set(err, r, "too many options for '%s'", command) : 0;
}

static int parse(struct config *config, int argc, char **argv, struct err *err)
{
	struct parser p;
	int r, value, row;

	r = parser_init(&p, argv[0], err);
	if (r < 0)
		return r;
	opterr = 0;
	optind = 0; /* glibc: begin anew, whatever was parsed before */
	for (;;) {
		int here = optind ? optind : 1;

		value = getopt_long(argc, argv, p.shorts, p.longs, NULL);
		if (value == -1)
			break;
		if (value == ':')
			return missing_value(&p, err);
		if (value == '?')
			return bad_option(&p, optind > here ? argv[optind - 1] : argv[here], err);
		row = find_row(&p, value);
		if (row < 0)
			return err_set(err, -EINVAL, "option '%s' is not understood", argv[here]);
		r = options_set_row(config, p.rows[row], optarg, !p.seen[row], err);
		if (r < 0)
			return err_prefix(err, "option '--%s'", p.rows[row]->name);
		p.seen[row] = true;
	}
	config->command = argv + optind;
	return 0;
}

/* The operands of check are what -p is for run. */
static int take_operands(struct config *config, const char *command)
{
	int r;

	if (options_command(command) != FOR_CHECK || !config->command || !config->command[0])
		return 0;
	strv_done(&config->policies);
	for (char **operand = config->command; *operand; operand++) {
		r = strv_add(&config->policies, *operand);
		if (r < 0)
			return r;
	}
	return 0;
}

int options_parse(struct config *config, int argc, char **argv, struct err *err)
{
	int r = parse(config, argc, argv, err);

	if (r < 0)
		return r;
	return take_operands(config, argv[0]);
}

int options_load(struct config *config, int argc, char **argv, struct err *err)
{
	_cleanup_free_ char *path = NULL;
	unsigned command = options_command(argv[0]);
	int r;

	/* the first pass finds mistakes, --help and --config, before any file is read */
	config_init(config);
	r = options_parse(config, argc, argv, err);
	if (r < 0 || config->help || !(command & (FOR_RUN | FOR_CHECK | FOR_TEST | FOR_DOCTOR)))
		return r;
	path = TAKE(config->config_path);
	config_done(config);
	config_init(config);
	r = config_read(config, path, err);
	if (r < 0)
		return r;
	r = options_parse(config, argc, argv, err);
	if (r < 0)
		return r;
	r = config_default_policies(config);
	return r < 0 ? err_set(err, r, "out of memory") : 0;
}
