/* SPDX-License-Identifier: GPL-3.0-or-later */
/* exec_event.h - what both looks at an exec share. Private to exec.c and exec_stop.c.
 */
#pragma once
#include "engine/flight.h"

/* The event of the exec in F by PROCESS. */
void exec_make_event(const struct flight *f, const struct process *process, struct event *event);

/* What comm will be: the last component of the path as given (fs/exec.c). */
struct secl_string exec_future_comm(const char *path, size_t size);

/* Notes the name that was used, when it is another than the file's own. */
void exec_add_alias(struct image *image, const char *path, size_t size);

/* True for an error that says the task may not be read. What else goes wrong with
 * the caller's pointers goes wrong for the kernel in the same way.
 */
bool exec_unreadable(ssize_t error);

/* Why a verdict could not be given, from what went wrong. */
enum reason exec_reason(int error);

/* ---- exec_stop.c ---- */

/* A worker has found the script, or that there is none. */
void exec_script_found(struct supervisor *sv, unsigned slot, int result);
