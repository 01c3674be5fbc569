/* SPDX-License-Identifier: GPL-3.0-or-later */
/* facts.h - what the `filters` of rules and macros may ask about this host:
 * a schema of its own (specification 15.3).
 */
#pragma once
#include "secl/secl.h"

enum { FACTS_MAX_ENVS = 4096 };

/* Strings are borrowed from the caller or held in the struct. */
struct facts {
	int64_t kernel[4]; /* major, minor, patch, abi */
	char kernel_flavor[64];
	char os_id[64], os_version[64], os_platform[64];
	const char *origin, *hostname;
	struct secl_string *envs;
	size_t nenvs;
};

/* Reads uname(2), /etc/os-release and the environment; what cannot be read
 * stays empty. 0, or -ENOMEM.
 */
int facts_read(struct facts *facts);
void facts_done(struct facts *facts);

/* secl_context.event is a struct facts. */
extern const struct secl_schema facts_schema;
