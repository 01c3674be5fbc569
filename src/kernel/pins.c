/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/pins.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>

/* How many files of one path are remembered besides the first: a server that starts
 * again makes a new one.
 */
enum { REMEMBERED = 8 };

/* Numbers of files are used again, which the time of birth tells. */
struct identity {
	uint32_t major, minor;
	uint64_t inode;
	int64_t born_s;
	uint32_t born_ns;
};

struct pin {
	char *path;
	struct identity seen[1 + REMEMBERED]; /* the first one stays */
	unsigned count, next;
};

struct pins {
	pthread_mutex_t lock; /* of what is remembered */
	size_t count;
	struct pin pins[];
};

static bool identify(int dir, const char *path, int flags, struct identity *ret)
{
	struct statx st;

	if (statx(dir, path, flags | AT_STATX_DONT_SYNC, STATX_INO | STATX_BTIME, &st) < 0)
		return false;
	*ret = (struct identity){ .major = st.stx_dev_major,
				  .minor = st.stx_dev_minor,
				  .inode = st.stx_ino };
	if (st.stx_mask & STATX_BTIME) {
		ret->born_s = st.stx_btime.tv_sec;
		ret->born_ns = st.stx_btime.tv_nsec;
	}
	return true;
}

static bool same(const struct identity *a, const struct identity *b)
{
	return a->inode == b->inode && a->major == b->major && a->minor == b->minor &&
	       a->born_s == b->born_s && a->born_ns == b->born_ns;
}

static bool remembers(const struct pin *pin, const struct identity *identity)
{
	for (unsigned i = 0; i < pin->count; i++) {
		if (same(&pin->seen[i], identity))
			return true;
	}
	return false;
}

/* What the path is now; one that is gone stays known. */
static void look(struct pins *pins, struct pin *pin)
{
	struct identity now;

	if (!identify(AT_FDCWD, pin->path, 0, &now))
		return;
	(void)pthread_mutex_lock(&pins->lock);
	if (!remembers(pin, &now)) {
		if (pin->count < ELEMENTS(pin->seen))
			pin->seen[pin->count++] = now;
		else
			pin->seen[1 + pin->next++ % REMEMBERED] = now;
	}
	(void)pthread_mutex_unlock(&pins->lock);
}

int pins_new(const struct secl_string *paths, size_t count, struct pins **ret)
{
	struct pins *pins;

	count = MIN(count, (size_t)PINS_MAX);
	pins = calloc(1, sizeof *pins + count * sizeof pins->pins[0]);
	if (!pins)
		return -ENOMEM;
	(void)pthread_mutex_init(&pins->lock, NULL);
	for (size_t i = 0; i < count; i++, pins->count++) {
		pins->pins[i].path = strndup(paths[i].text, paths[i].size);
		if (!pins->pins[i].path) {
			pins_free(pins);
			return -ENOMEM;
		}
		look(pins, &pins->pins[i]);
	}
	*ret = pins;
	return 0;
}

void pins_free(struct pins *pins)
{
	if (!pins)
		return;
	for (size_t i = 0; i < pins->count; i++)
		free(pins->pins[i].path);
	(void)pthread_mutex_destroy(&pins->lock);
	free(pins);
}

/* PATH as the caller sees it, where its root is not guard's. */
static bool is_there(const struct pins_view *view, const char *path,
		     const struct identity *identity)
{
	_cleanup_close_ int fd = -1;
	struct identity theirs;

	fd = resolve_open(&(struct resolve_request){ .host = view->host,
						     .tid = view->tid,
						     .tgid = view->tgid,
						     .dirfd = AT_FDCWD,
						     .path = path });
	return fd >= 0 && identify(fd, "", AT_EMPTY_PATH, &theirs) && same(&theirs, identity);
}

void pins_find(struct pins *pins, const struct pins_view *view, struct pins_set *ret)
{
	bool elsewhere = !resolve_shares_root(view->host, view->tid);
	struct identity identity;

	*ret = (struct pins_set){ { 0 } };
	if (!identify(view->file, "", AT_EMPTY_PATH, &identity))
		return;
	for (size_t i = 0; i < pins->count; i++) {
		struct pin *pin = &pins->pins[i];
		bool found;

		look(pins, pin);
		(void)pthread_mutex_lock(&pins->lock);
		found = remembers(pin, &identity);
		(void)pthread_mutex_unlock(&pins->lock);
		if (!found && elsewhere)
			found = is_there(view, pin->path, &identity);
		if (found)
			ret->bits[i / 64] |= UINT64_C(1) << (i % 64);
	}
}
