/* SPDX-License-Identifier: GPL-3.0-or-later */
/* policy_util.h - policies in files, and events to judge by them. */
#pragma once
#include "policy/ruleset.h"

/* A directory of its own for policy files. */
struct policy_dir {
	char path[64];
	size_t count;
};
void policy_dir_init(struct policy_dir *dir);
/* NAME NULL = the next of 0.policy, 1.policy ... */
void policy_dir_add(struct policy_dir *dir, const char *name, const char *text, size_t size);
void policy_dir_done(struct policy_dir *dir);

/* An exec or connect; strings are borrowed. */
struct sample {
	const char *file; /* path of the program */
	const char **argv;
	size_t argc;
	const char *envp;   /* one NAME=value, NULL = none */
	const char *parent; /* path of the parent's program; NULL = no parent */
	const char *ip;     /* of a connect; NULL = an exec */
	unsigned port, protocol;
};

/* Whether EXPR is true of it: 1, 0 or -errno. */
int sample_eval(const struct sample *sample, const struct secl_expr *expr);

/* The rule with the id, NULL when it is not loaded. */
const struct rule *find_rule(const struct ruleset *set, const char *id);
