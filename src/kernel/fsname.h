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
	struct fsname_mount {
		uint64_t key, device; /* key 0 = not in use */
		uint64_t id;          /* STATX_MNT_ID: may be another mount's later */
		int64_t until_ns;     /* monotonic */
		const char *name;
	} mounts[FSNAME_MOUNTS];
};

void fsname_init(struct fsname_cache *cache);

/* What was found before about the mount that has the id UNIQUE (STATX_MNT_ID_UNIQUE,
 * which no other mount will ever have), NULL = nothing.
 */
const struct fsname_mount *fsname_known(const struct fsname_cache *cache, uint64_t unique,
					uint64_t device);

/* "ext4", "tmpfs", "overlay", "fuse" (without a subtype), "" when it is in no list
 * that can be read, of a file that TID can reach: DEVICE is its device, MOUNT its
 * mount (STATX_MNT_ID), UNIQUE the same for good, 0 where the kernel cannot tell
 * (before Linux 6.8). The text lives as long as the cache.
 */
const char *fsname_find(struct fsname_cache *cache, pid_t tid, uint64_t unique, uint64_t device,
			uint64_t mount);
