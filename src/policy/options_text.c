/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the table of options says to people: --help, guard.conf, the dump. */
#include <config.h>

#include "policy/options.h"

#include <ctype.h>

enum { TEXT_WIDTH = 79 };

/* Writes TEXT in lines of at most TEXT_WIDTH, each after PREFIX; ends it with
 * a full stop.
 */
static void wrap(FILE *out, const char *prefix, const char *text)
{
	size_t column = 0, word;

	while (*text) {
		text += strspn(text, " ");
		word = strcspn(text, " ");
		if (word == 0)
			break;
		if (column > 0 && column + 1 + word + (text[word] ? 0 : 1) > TEXT_WIDTH) {
			(void)fputc('\n', out);
			column = 0;
		}
		if (column == 0)
			column = (size_t)fprintf(out, "%s", prefix);
		else
			column += (size_t)fprintf(out, " ");
		(void)fwrite(text, 1, word, out);
		column += word;
		text += word;
	}
	(void)fputs(".\n", out);
}

/* The help as a sentence that begins with a capital letter. */
static void sentence(FILE *out, const char *prefix, const char *help)
{
	char text[1024];

	(void)snprintf(text, sizeof text, "%s", help);
	text[0] = (char)toupper((unsigned char)text[0]);
	wrap(out, prefix, text);
}

/* "a|b|c", each value by its first name. */
static void write_values(FILE *out, const struct option_value *values, const char *separator)
{
	for (const struct option_value *v = values; v->name; v++) {
		bool again = false;

		for (const struct option_value *w = values; w < v; w++)
			again |= w->value == v->value;
		if (!again)
			(void)fprintf(out, "%s%s", v > values ? separator : "", v->name);
	}
}

struct text_job {
	FILE *out;
	unsigned command;
	const char *section;
	const struct option_row *first; /* of the section */
};

static int help_row(void *data, const struct option_row *row)
{
	const struct text_job *job = data;

	if (!(row->commands & job->command))
		return 0;
	if (row->letter)
		(void)fprintf(job->out, "  -%c, ", row->letter);
	else
		(void)fputs("      ", job->out);
	(void)fprintf(job->out, "--%s", row->name);
	if (row->argument)
		(void)fprintf(job->out, " %s", row->argument);
	(void)fputc('\n', job->out);
	sentence(job->out, "          ", row->help);
	if (row->values && row->argument) {
		(void)fputs("          One of ", job->out);
		write_values(job->out, row->values, ", ");
		(void)fputs(".\n", job->out);
	}
	return 0;
}

void options_help(FILE *out, const char *command)
{
	struct text_job job = { .out = out, .command = options_command(command) };

	if (job.command)
		(void)options_each(help_row, &job);
}

static int conf_row(void *data, const struct option_row *row)
{
	const struct text_job *job = data;

	if (!row->key || !streq(row->section, job->section))
		return 0;
	(void)fputc('\n', job->out);
	sentence(job->out, "# ", row->help);
	if (row->values) {
		(void)fputs("# Values: ", job->out);
		write_values(job->out, row->values, ", ");
		(void)fputs(".\n", job->out);
	}
	if (row->type == OPTION_LIST) {
		(void)fputs("# A list: separate items with commas, or repeat the key.\n", job->out);
	}
	(void)fprintf(job->out, "#%s =%s%s\n", row->key, *row->standard ? " " : "", row->standard);
	return 0;
}

static int first_row(void *data, const struct option_row *row)
{
	struct text_job *job = data;

	if (!row->key || !streq(row->section, job->section))
		return 0;
	job->first = row;
	return 1;
}

/* The whole section, at its first row. */
static int conf_section(void *data, const struct option_row *row)
{
	struct text_job job = { .out = data, .section = row->section };

	if (!row->key)
		return 0;
	(void)options_each(first_row, &job);
	if (job.first != row)
		return 0;
	(void)fprintf(job.out, "\n[%s]\n", row->section);
	return options_each(conf_row, &job);
}

void options_write_conf(FILE *out)
{
	(void)fputs("# guard.conf - configuration of guard, see guard.conf(5)\n"
		    "#\n"
		    "# Every key is here, commented out, with the value that applies without it.\n"
		    "# Options of the command line go before this file.\n",
		    out);
	(void)options_each(conf_section, out);
}

static void dump_values(FILE *out, const struct option_row *row)
{
	if (row->values)
		write_values(out, row->values, "|");
	else
		(void)fputc('-', out);
}

static int dump_command(const struct text_job *job, const char *name, const struct option_row *row)
{
	(void)fprintf(job->out, "option\t%s\t--%s\t", name, row->name);
	if (row->letter)
		(void)fprintf(job->out, "-%c", row->letter);
	else
		(void)fputc('-', job->out);
	(void)fprintf(job->out, "\t%s\t", row->argument ? row->argument : "-");
	if (row->argument)
		dump_values(job->out, row);
	else
		(void)fputc('-', job->out);
	(void)fprintf(job->out, "\t%s\n", row->help);
	return 0;
}

static int dump_row(void *data, const struct option_row *row)
{
	const struct text_job *job = data;
	const char *name;

	for (size_t i = 0; (name = options_command_name(i)); i++) {
		if (row->commands & options_command(name))
			(void)dump_command(job, name, row);
	}
	if (row->key) {
		(void)fprintf(job->out, "key\t%s\t%s\t%s\t", row->section, row->key,
			      *row->standard ? row->standard : "-");
		dump_values(job->out, row);
		(void)fprintf(job->out, "\t%s\n", row->help);
	}
	return 0;
}

void options_dump(FILE *out)
{
	struct text_job job = { .out = out };

	(void)options_each(dump_row, &job);
}
