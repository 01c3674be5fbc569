/* SPDX-License-Identifier: GPL-3.0-or-later */
/* spec.h - the sinks that `-o` takes.
 *
 *   -          JSON lines on standard output
 *   stderr     one line for a person on standard error
 *   file:PATH  JSON lines appended to a file
 *   journal    structured entries in the systemd journal
 *   syslog     /dev/log
 *   unix:PATH  JSON lines to whoever listens on a stream socket; an absolute path,
 *              or "@name" for an abstract one
 */
#pragma once
#include "base/err.h"

enum sink_kind {
	SINK_STDOUT,
	SINK_STDERR,
	SINK_FILE,
	SINK_JOURNAL,
	SINK_SYSLOG,
	SINK_UNIX,
	SINK_KIND_COUNT
};

/* As many as descriptors fit beside one REOPEN message. */
enum { SINKS_MAX = 8 };

struct sink_spec {
	enum sink_kind kind;
	const char *path; /* behind the colon, part of the text parsed; "" = none */
};

/* 0, or -EINVAL with one line that says what a sink is. */
int sink_spec_parse(const char *text, struct sink_spec *ret, struct err *err);

/* "-", "stderr", "file" ... */
const char *sink_kind_name(enum sink_kind kind);

/* Whether the keeper opens it and hands over a descriptor; the others are
 * connected by the recorder itself.
 */
bool sink_kind_is_handed_over(enum sink_kind kind);
