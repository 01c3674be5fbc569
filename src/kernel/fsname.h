/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fsname.h - the type of the file system that a file is on, from the lists of
 * mounts in /proc.
 *
 * statfs(2) would ask the file system, and one served by a process of the workload
 * need not answer. Nothing here waits for a server.
 */
#pragma once
#include <sys/types.h>

#include "base/util.h"

enum { FSNAME_MAX = 24, FSNAME_TYPES = 64, FSNAME_MOUNTS = 64 };

struct fsname_cache {
	uint64_t memory_device; /* of the mount behind memfd_create(2), which no list has */
	unsigned ntypes;
	char types[FSNAME_TYPES][FSNAME_MAX];
	struct {
		uint64_t mount, device; /* mount 0 = not in use */
		int64_t until_ns;       /* monotonic */
		const char *name;
	} mounts[FSNAME_MOUNTS];
};

void fsname_init(struct fsname_cache *cache);

/* "ext4", "tmpfs", "overlay", "fuse" (without a subtype), "" when it is in no list
 * that can be read. FD is a file that TID can reach, DEVICE and MOUNT its device and
 * mount id (STATX_MNT_ID). The text lives as long as the cache.
 */
const char *fsname_find(struct fsname_cache *cache, pid_t tid, int fd, uint64_t device,
			uint64_t mount);
