/* SPDX-License-Identifier: GPL-3.0-or-later */
/* t-do.h - the test helper: one small deed per subcommand, done the plain way.
 *
 * A subcommand prints one line about what happened: "ok", "errno NAME",
 * "exit N", "signal NAME" or the value asked for. Exit status: 0 = done,
 * 1 = the call under test failed, 2 = the test could not be set up.
 */
#pragma once
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

enum { T_OK = 0, T_FAILED = 1, T_SETUP = 2 };

struct deed {
	const char *name, *arguments;
	int nargs; /* at least */
	int (*run)(char **args);
};

/* end: name NULL */
extern const struct deed exec_deeds[], net_deeds[], proc_deeds[], kernel_deeds[];
extern const struct deed unix_deeds[], send_deeds[], wait_deeds[], bind_deeds[];
/* tests/attacks */
extern const struct deed race_deeds[], grasp_deeds[], odd_deeds[], naive_deeds[];
extern const struct deed lineage_deeds[], fuse_deeds[], unix_race_deeds[];
extern const struct deed send_race_deeds[], pry_deeds[], hanging_deeds[], stall_deeds[];
extern const struct deed rewrite_deeds[];
/* tests/transparency */
extern const struct deed probe_deeds[], family_deeds[];

/* "ok" when RESULT is not -1, else "errno NAME": the exit status. */
int say(long result);

/* For what must work before the deed itself. */
int setup_failed(const char *what);

/* Waits for PID and prints how it ended: its exit status, or T_FAILED. */
int say_child(pid_t pid);

/* Creates PATH whole, so that who waits for it never reads half of it. */
int write_file(const char *path, const char *text);
/* A server's count, in FILE, of which it has one. The races make ten thousands of them:
 * but for the first it is written in place, as the text never gets shorter.
 */
void count_in_file(const char *file, unsigned long n);
