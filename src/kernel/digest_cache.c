/* SPDX-License-Identifier: GPL-3.0-or-later */
/* digest_cache.c - hashes that are known by what the kernel says of their files. */
#include "config.h"

#include "kernel/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <sys/vfs.h>

#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x4000U /* Linux 6.8: never given twice */
#endif
#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

/* A tick of the kernel's clock is at most 10 ms; a second is far from any doubt. */
enum { SETTLED_NS = 1000 * 1000 * 1000 };

enum { BUCKETS = 128, WAYS = 4 };

struct cached {
	struct digest_key key;
	struct file_hashes hashes;
	uint64_t used; /* when, in lookups; 0 = nothing is in here */
};

struct digest_cache {
	int clock; /* timerfd that says when somebody sets the clock; -1 = nothing is kept */
	uint64_t lookups;
	struct cached entries[BUCKETS][WAYS];
};

/* ---- keys ----------------------------------------------------------------- */

static int64_t timestamp_ns(const struct statx_timestamp *t)
{
	return t->tv_sec * INT64_C(1000000000) + t->tv_nsec;
}

int digest_key(int fd, struct digest_key *ret)
{
	struct statx st;

	/* a mount that comes later may have the device number of one that is gone, and a
	 * file system that somebody made for it: the mount is a part of the key */
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC,
		  STATX_BASIC_STATS | STATX_MNT_ID | STATX_MNT_ID_UNIQUE, &st) < 0)
		return -errno;
	*ret = (struct digest_key){
		.device = makedev(st.stx_dev_major, st.stx_dev_minor),
		.inode = st.stx_ino,
		.mount = st.stx_mnt_id,
		.size = st.stx_size,
		.mtime_ns = timestamp_ns(&st.stx_mtime),
		.ctime_ns = timestamp_ns(&st.stx_ctime),
	};
	return 0;
}

/* A write by way of a mapping faults once for each page and mapping there, and the fault
 * sets the times; or nothing can be written at all.
 */
static bool tells_of_mappings(int fd)
{
	static const unsigned long known[] = {
		EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC,      BTRFS_SUPER_MAGIC, F2FS_SUPER_MAGIC,
		SQUASHFS_MAGIC,   EROFS_SUPER_MAGIC_V1, ISOFS_SUPER_MAGIC,
	};
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return false;
	for (size_t i = 0; i < ELEMENTS(known); i++) {
		if ((unsigned long)fs.f_type == known[i])
			return true;
	}
	return false;
}

bool digest_key_tells(int fd, const struct digest_key *key, int64_t now_ns)
{
	return now_ns - key->ctime_ns >= SETTLED_NS && tells_of_mappings(fd);
}

bool digest_key_equal(const struct digest_key *a, const struct digest_key *b)
{
	return a->device == b->device && a->inode == b->inode && a->mount == b->mount &&
	       a->size == b->size && a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

/* ---- the cache ------------------------------------------------------------- */

static int watch_clock(void)
{
	const struct itimerspec never = { .it_value.tv_sec = INT32_MAX };
	int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd >= 0 &&
	    timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) < 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

int digest_cache_new(struct digest_cache **ret)
{
	struct digest_cache *cache = calloc(1, sizeof *cache);

	if (!cache)
		return -ENOMEM;
	cache->clock = watch_clock();
	*ret = cache;
	return 0;
}

void digest_cache_free(struct digest_cache *cache)
{
	if (!cache)
		return;
	if (cache->clock >= 0)
		(void)close(cache->clock);
	free(cache);
}

/* False when what is in there is not to be trusted any more, and was dropped. */
static bool clock_went_on(struct digest_cache *cache)
{
	uint64_t count;

	if (read(cache->clock, &count, sizeof count) < 0 && errno == EAGAIN)
		return true;
	memset(cache->entries, 0, sizeof cache->entries);
	return false;
}

static struct cached *bucket_of(struct digest_cache *cache, const struct digest_key *key)
{
	uint64_t mixed = (key->inode ^ key->device << 20) * UINT64_C(0x9e3779b97f4a7c15);

	return cache->entries[mixed >> 32 & (BUCKETS - 1)];
}

const struct file_hashes *digest_cache_find(struct digest_cache *cache,
					    const struct digest_key *key, unsigned wanted)
{
	struct cached *bucket = bucket_of(cache, key);

	if (!clock_went_on(cache))
		return NULL;
	cache->lookups++;
	for (unsigned i = 0; i < WAYS; i++) {
		struct cached *c = &bucket[i];

		if (!c->used || !digest_key_equal(&c->key, key) || wanted & ~c->hashes.have)
			continue;
		c->used = cache->lookups;
		return &c->hashes;
	}
	return NULL;
}

void digest_cache_add(struct digest_cache *cache, const struct digest_key *key,
		      const struct file_hashes *hashes)
{
	struct cached *bucket = bucket_of(cache, key), *place = bucket;

	/* set since the file was hashed: what its time says is not certain */
	if (hashes->state != HASH_STATE_DONE || !clock_went_on(cache))
		return;
	for (unsigned i = 1; i < WAYS; i++) {
		if (bucket[i].used < place->used)
			place = &bucket[i];
	}
	for (unsigned i = 0; i < WAYS; i++) {
		if (bucket[i].used && digest_key_equal(&bucket[i].key, key))
			place = &bucket[i];
	}
	*place = (struct cached){ .key = *key, .hashes = *hashes, .used = ++cache->lookups };
}
