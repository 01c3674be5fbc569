/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sink_stderr.c - one line for a person on standard error. */
#include "config.h"

#include "record/facts.h"
#include "record/stream.h"

/* Only what guard says itself is coloured, never the workload's bytes, and only
 * on a terminal.
 */
static const struct {
	const char *verdict, *colour;
} colours[] = {
	{ "blocked", "\x1b[31m" },
	{ "killed", "\x1b[31m" },
	{ "would_block", "\x1b[33m" },
	{ "detected", "\x1b[33m" },
};

static int open_stderr(struct sink *sink)
{
	sink->colour = sink->colour && isatty(sink->fd);
	return stream_open(sink);
}

static int render_person(struct sink *sink, const struct line *line)
{
	_cleanup_(facts_done) struct facts facts;
	const char *colour = "";
	int error;

	facts_read(&facts, line);
	if (!facts.for_people)
		return 0;
	for (size_t i = 0; sink->colour && i < ELEMENTS(colours); i++)
		if (streq(facts.verdict, colours[i].verdict))
			colour = colours[i].colour;
	error = end_torn_line(sink);
	if (error == 0)
		error = out_add(&sink->out, colour, strlen(colour));
	if (error == 0)
		error = out_add(&sink->out, "guard: ", strlen("guard: "));
	if (error == 0)
		error = out_add(&sink->out, facts.summary, strlen(facts.summary));
	if (error == 0 && colour[0] != '\0')
		error = out_add(&sink->out, "\x1b[0m", strlen("\x1b[0m"));
	return error < 0 ? error : out_add(&sink->out, "\n", 1);
}

const struct sink_type sink_type_stderr = {
	.kind = SINK_STDERR,
	.open = open_stderr,
	.render = render_person,
	.flush = stream_flush,
	.close = stream_close,
};
