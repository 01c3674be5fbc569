/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/shield.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

struct sets {
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
};

static int get(struct sets *ret)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capget, &head, ret->data) < 0 ? -errno : 0;
}

static int set(const struct sets *sets)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capset, &head, sets->data) < 0 ? -errno : 0;
}

static bool is_bound(void)
{
	return prctl(PR_CAPBSET_READ, CAP_SYS_PTRACE, 0, 0, 0) == 1;
}

int shield_check(bool no_new_privs, struct err *err)
{
	struct sets sets;
	int r = get(&sets);

	if (r < 0)
		return err_errno(err, r, "capabilities");
	if (no_new_privs || !is_bound() || sets.data[0].effective & 1U << CAP_SETPCAP)
		return 0;
	return err_set(err, -EPERM,
		       "without CAP_SETPCAP a workload cannot be kept from CAP_SYS_PTRACE, and so "
		       "from guard's own processes ([hardening] ptrace_capability = keep does "
		       "without)");
}

int shield_up(void)
{
	const uint32_t others = ~(1U << CAP_SYS_PTRACE);
	struct sets sets;
	int bound = 0, r;

	/* first: it takes a capability, the other sets do not */
	if (is_bound() && prctl(PR_CAPBSET_DROP, CAP_SYS_PTRACE, 0, 0, 0) < 0)
		bound = -errno;
	r = get(&sets);
	if (r < 0)
		return r;
	sets.data[0].effective &= others;
	sets.data[0].permitted &= others;
	/* and with it from the ambient set, which is within both */
	sets.data[0].inheritable &= others;
	r = set(&sets);
	return r < 0 ? r : bound;
}
