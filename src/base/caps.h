/* SPDX-License-Identifier: GPL-3.0-or-later */
/* caps.h - capabilities of the calling thread. */
#pragma once
#include <linux/capability.h>

#include "base/util.h"

struct caps {
	struct __user_cap_data_struct words[_LINUX_CAPABILITY_U32S_3];
};

/* 0, or -errno. */
int caps_get(struct caps *ret);
int caps_set(const struct caps *caps);

/* Whether capability CAP is effective; what cannot be asked for is not there. */
bool caps_effective(unsigned cap);

/* Empties the bounding set, which takes CAP_SETPCAP: 0, or -errno. */
int caps_unbind(void);
