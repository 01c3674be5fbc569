/* SPDX-License-Identifier: GPL-3.0-or-later */
/* derive.h - values that are computed from what an event holds (specification
 * 17). One function per CALL() of fields.def; lists and joined strings are
 * built in the scratch arena: 0, or -ENOMEM when that is full.
 */
#pragma once
#include "model/field_rows.h"

#define DERIVE(name) int name(const struct derive *d, const void *owner, struct secl_value *ret)

/* owner: struct event */
DERIVE(derive_os);
DERIVE(derive_origin);
DERIVE(derive_service);
DERIVE(derive_hostname);
DERIVE(derive_rule_tags);
DERIVE(derive_source);

/* owner: struct process */
DERIVE(derive_tid);
DERIVE(derive_created_at);
DERIVE(derive_argv0);
DERIVE(derive_args);
DERIVE(derive_argv);
DERIVE(derive_args_flags);
DERIVE(derive_args_options);
DERIVE(derive_args_truncated);
DERIVE(derive_envs);
DERIVE(derive_envp);
DERIVE(derive_envs_truncated);
DERIVE(derive_ancestors_length);

/* owner: struct file_info */
DERIVE(derive_hashes); /* -EINPROGRESS when they are yet to be taken */
DERIVE(derive_file_name);
DERIVE(derive_file_extension);
DERIVE(derive_file_rights);
DERIVE(derive_file_user);
DERIVE(derive_file_group);

/* owner: struct socket_address */
DERIVE(derive_is_public);
DERIVE(derive_hostnames);

/* The part of PATH behind its last slash. */
struct secl_string path_basename(struct secl_string path);

/* How many ancestors PROCESS has. */
int count_ancestors(const struct process *process);
