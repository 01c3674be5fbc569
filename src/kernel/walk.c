/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>

/* fs/namei.c: more links than this are ELOOP. */
enum { LINKS_MAX = 40, PROC_ROOT_INODE = 1 };

struct state {
	const struct walk *walk;
	int dir;                 /* where we are, owned */
	char rest[2 * PATH_MAX]; /* what is still to go */
	unsigned links;
};

static int move_to(struct state *s, int fd)
{
	if (fd < 0)
		return -errno;
	(void)close(s->dir);
	s->dir = fd;
	return 0;
}

static int move_to_root(struct state *s)
{
	return move_to(s, fcntl(s->walk->root, F_DUPFD_CLOEXEC, 0));
}

static bool is_root(const struct state *s)
{
	struct statx here, root;

	return statx(s->dir, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &here) == 0 &&
	       statx(s->walk->root, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &root) == 0 &&
	       here.stx_ino == root.stx_ino && here.stx_mnt_id == root.stx_mnt_id &&
	       here.stx_dev_major == root.stx_dev_major && here.stx_dev_minor == root.stx_dev_minor;
}

/* 0 outside procfs, 1 inside, 2 at its root directory. */
static int procfs_place(int dir)
{
	struct statfs fs;
	struct stat st;

	if (fstatfs(dir, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
		return 0;
	return fstat(dir, &st) == 0 && st.st_ino == PROC_ROOT_INODE ? 2 : 1;
}

/* Puts TEXT in front of what is still to go, which is empty or begins with a
 * slash.
 */
static int prepend(struct state *s, const char *text, size_t size)
{
	size_t rest = strlen(s->rest);

	if (size + rest >= sizeof s->rest)
		return -ENAMETOOLONG;
	memmove(s->rest + size, s->rest, rest + 1);
	memcpy(s->rest, text, size);
	return 0;
}

/* The plain links at the root of a procfs, with the task put in place of
 * whoever reads them. 1 when NAME is one of them.
 */
static int proc_root_link(struct state *s, const char *name)
{
	char text[64];
	int n = 0;

	if (streq(name, "self"))
		n = snprintf(text, sizeof text, "%d", s->walk->tgid);
	else if (streq(name, "thread-self"))
		n = snprintf(text, sizeof text, "%d/task/%d", s->walk->tgid, s->walk->tid);
	else if (streq(name, "mounts") || streq(name, "net"))
		n = snprintf(text, sizeof text, "%d/%s", s->walk->tgid, name);
	if (n <= 0)
		return 0;
	n = prepend(s, text, (size_t)n);
	return n < 0 ? n : 1;
}

/* FD is the link itself (O_PATH|O_NOFOLLOW), NAME its name in s->dir. */
static int follow(struct state *s, int fd, const char *name)
{
	char target[PATH_MAX];
	int place = procfs_place(s->dir);
	ssize_t n;
	int r;

	if (++s->links > LINKS_MAX)
		return -ELOOP;
	if (place == 2) {
		r = proc_root_link(s, name);
		if (r)
			return r < 0 ? r : 0;
	}
	/* a magic link has no path to walk: the kernel follows it */
	if (place)
		return move_to(s, openat(s->dir, name, O_PATH | O_CLOEXEC));
	n = readlinkat(fd, "", target, sizeof target);
	if (n < 0)
		return -errno;
	if (n == 0)
		return -ENOENT;
	if ((size_t)n == sizeof target)
		return -ENAMETOOLONG;
	if (target[0] == '/') {
		r = move_to_root(s);
		if (r < 0)
			return r;
	}
	return prepend(s, target, (size_t)n);
}

/* One component; LAST when nothing but slashes follows. */
static int step(struct state *s, const char *name, bool last, bool slash_behind)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (streq(name, "."))
		return 0;
	if (streq(name, ".."))
		return is_root(s)
			       ? 0
			       : move_to(s, openat(s->dir, "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
	fd = openat(s->dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode) && !(last && s->walk->nofollow && !slash_behind))
		return follow(s, fd, name);
	if ((!last || slash_behind) && !S_ISDIR(st.st_mode))
		return -ENOTDIR;
	return move_to(s, TAKE_FD(fd));
}

static int next_component(struct state *s, char name[NAME_MAX + 1])
{
	const char *p = s->rest + strspn(s->rest, "/");
	size_t size = strcspn(p, "/");

	if (size > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, p, size);
	name[size] = '\0';
	memmove(s->rest, p + size, strlen(p + size) + 1);
	return (int)size;
}

int walk_open(const struct walk *walk, const char *path)
{
	struct state s = { .walk = walk };
	char name[NAME_MAX + 1];
	int r;

	if (strlen(path) >= PATH_MAX)
		return -ENAMETOOLONG;
	(void)memcpy(s.rest, path, strlen(path) + 1);
	s.dir = fcntl(walk->start, F_DUPFD_CLOEXEC, 0);
	if (s.dir < 0)
		return -errno;
	while ((r = next_component(&s, name)) > 0) {
		bool slash_behind = s.rest[0] == '/';
		bool last = s.rest[strspn(s.rest, "/")] == '\0';

		r = step(&s, name, last, slash_behind);
		if (r < 0)
			break;
	}
	if (r < 0) {
		(void)close(s.dir);
		return r;
	}
	return s.dir;
}
