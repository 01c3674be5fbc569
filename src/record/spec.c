/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "record/spec.h"

#include <errno.h>
#include <sys/un.h>

static const struct {
	const char *name;
	bool takes_path, handed_over;
} kinds[] = {
	[SINK_STDOUT] = { "-", false, true },       [SINK_STDERR] = { "stderr", false, true },
	[SINK_FILE] = { "file", true, true },       [SINK_JOURNAL] = { "journal", false, false },
	[SINK_SYSLOG] = { "syslog", false, false }, [SINK_UNIX] = { "unix", true, false },
};

const char *sink_kind_name(enum sink_kind kind)
{
	return kinds[kind].name;
}

bool sink_kind_is_handed_over(enum sink_kind kind)
{
	return kinds[kind].handed_over;
}

static int check_path(const char *text, const struct sink_spec *spec, struct err *err)
{
	const size_t room = sizeof((struct sockaddr_un *)NULL)->sun_path;

	if (spec->path[0] == '\0')
		return err_set(err, -EINVAL, "sink '%s': the path is missing", text);
	if (spec->kind != SINK_UNIX)
		return 0;
	/* the recorder has another working directory */
	if (spec->path[0] != '/' && spec->path[0] != '@')
		return err_set(err, -EINVAL, "sink '%s': the path must be absolute", text);
	if (strlen(spec->path) >= room)
		return err_set(err, -EINVAL, "sink '%s': a socket's path has at most %zu bytes",
			       text, room - 1);
	return 0;
}

int sink_spec_parse(const char *text, struct sink_spec *ret, struct err *err)
{
	const char *colon = strchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : strlen(text);

	for (int kind = 0; kind < SINK_KIND_COUNT; kind++) {
		struct sink_spec spec = { .kind = (enum sink_kind)kind, .path = "" };
		int error;

		if (strlen(kinds[kind].name) != length ||
		    strncmp(text, kinds[kind].name, length) != 0)
			continue;
		if (!kinds[kind].takes_path && colon)
			return err_set(err, -EINVAL, "sink '%s': '%s' takes no path", text,
				       kinds[kind].name);
		if (colon)
			spec.path = colon + 1;
		error = kinds[kind].takes_path ? check_path(text, &spec, err) : 0;
		if (error < 0)
			return error;
		*ret = spec;
		return 0;
	}
	return err_set(
		err, -EINVAL,
		"sink '%s' is unknown: use -, stderr, file:PATH, journal, syslog or unix:PATH",
		text);
}
