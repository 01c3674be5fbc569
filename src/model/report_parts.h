/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report_parts.h - the objects inside a report; for report.c and
 * report_process.c only.
 */
#pragma once
#include "model/report.h"

/* How much of everything is written. */
struct report_limits {
	size_t args, arg_bytes; /* arguments of a process, bytes of each */
	size_t envs, ancestors, tags;
	size_t text; /* bytes of any other string, as written */
	bool parent;
};

/* A document in the making. */
struct report_doc {
	struct jsonw w;
	const struct report_origin *origin;
	const struct report_limits *limits;
	const struct report_variable *variables;
	size_t nvariables;
	bool cut; /* something is shorter than it was */
};

/* key + string; nothing when the text is empty. */
void report_text(struct report_doc *doc, const char *key, struct secl_string text);
void report_cstring(struct report_doc *doc, const char *key, const char *text);
/* A string as an element. */
void report_element(struct report_doc *doc, struct secl_string text, size_t max);
/* key + number. Above INT64_MAX (inode numbers of a FUSE server's choice) it is
 * written as that: most readers of JSON have no larger integers and would refuse
 * the whole line.
 */
void report_number(struct report_doc *doc, const char *key, uint64_t value);
/* key + time; nothing when it is 0. */
void report_time(struct report_doc *doc, const char *key, int64_t ns);

/* The object of a file; METADATA adds what the peer has for executables. */
void report_file(struct report_doc *doc, const char *key, const struct file_info *file,
		 bool metadata);
/* "variables" of one scope, if there are any. */
void report_variables(struct report_doc *doc, enum report_scope scope);
/* "container" and "cgroup" of a process, those that it has; with their variables
 * at the ROOT of the document.
 */
void report_container(struct report_doc *doc, const struct process *process, bool root);
/* "process" with parent and ancestors. */
void report_process(struct report_doc *doc, const struct event *event);
