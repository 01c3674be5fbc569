/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>

#include "policy/ruleset.h"

const char *protection_name(enum protection protection)
{
	static const char *const names[] = {
		[PROTECTION_DISABLED] = "disabled",
		[PROTECTION_MONITORING] = "monitoring",
		[PROTECTION_BLOCKING] = "blocking",
	};

	return names[protection];
}

const char *kill_scope_name(enum kill_scope scope)
{
	static const char *const names[] = {
		[KILL_SCOPE_PROCESS] = "process",
		[KILL_SCOPE_CONTAINER] = "container",
		[KILL_SCOPE_CGROUP] = "cgroup",
		[KILL_SCOPE_TREE] = "tree",
	};

	return names[scope];
}

const char *action_type_name(enum action_type type)
{
	static const char *const names[] = {
		[ACTION_BLOCK] = "block",
		[ACTION_KILL] = "kill",
		[ACTION_LOG] = "log",
		[ACTION_SET] = "set",
		[ACTION_HASH] = "hash",
		[ACTION_COREDUMP] = "coredump",
		[ACTION_NETWORK_FILTER] = "network_filter",
	};

	return names[type];
}
