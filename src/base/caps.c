/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/caps.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

int caps_get(struct caps *ret)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capget, &head, ret->words) < 0 ? -errno : 0;
}

int caps_set(const struct caps *caps)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capset, &head, caps->words) < 0 ? -errno : 0;
}

bool caps_effective(unsigned cap)
{
	struct caps caps;

	return cap / 32 < _LINUX_CAPABILITY_U32S_3 && caps_get(&caps) == 0 &&
	       caps.words[cap / 32].effective & UINT32_C(1) << cap % 32;
}

int caps_unbind(void)
{
	/* this kernel may know more of them, or fewer, than its headers at build time */
	for (unsigned cap = 0; cap < 32 * _LINUX_CAPABILITY_U32S_3; cap++) {
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return cap && errno == EINVAL ? 0 : -errno;
	}
	return 0;
}
