/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/shield.h"

#include <errno.h>
#include <sys/prctl.h>

#include "base/caps.h"

static bool is_bound(void)
{
	return prctl(PR_CAPBSET_READ, CAP_SYS_PTRACE, 0, 0, 0) == 1;
}

int shield_check(bool no_new_privs, struct err *err)
{
	struct caps caps;
	int r = caps_get(&caps);

	if (r < 0)
		return err_errno(err, r, "capabilities");
	if (no_new_privs || !is_bound() || caps.words[0].effective & 1U << CAP_SETPCAP)
		return 0;
	return err_set(err, -EPERM,
		       "without CAP_SETPCAP a workload cannot be kept from CAP_SYS_PTRACE, and so "
		       "from guard's own processes ([hardening] ptrace_capability = keep does "
		       "without)");
}

int shield_up(void)
{
	const uint32_t others = ~(1U << CAP_SYS_PTRACE);
	struct caps caps;
	int bound = 0, r;

	/* first: it takes a capability, the other sets do not */
	if (is_bound() && prctl(PR_CAPBSET_DROP, CAP_SYS_PTRACE, 0, 0, 0) < 0)
		bound = -errno;
	r = caps_get(&caps);
	if (r < 0)
		return r;
	caps.words[0].effective &= others;
	caps.words[0].permitted &= others;
	/* and with it from the ambient set, which is within both */
	caps.words[0].inheritable &= others;
	r = caps_set(&caps);
	return r < 0 ? r : bound;
}
