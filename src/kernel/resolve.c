/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "kernel/procfs.h"
#include "kernel/walk.h"

#ifndef RESOLVE_CACHED
#define RESOLVE_CACHED 0x20 /* Linux 5.12 */
#endif

#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x4000U /* Linux 6.8: never given twice */
#endif

enum { LINK_ROOM = 64 };

/* An O_PATH descriptor of one of the task's own anchors: root, cwd, fd/N. */
static int open_anchor(pid_t tid, const char *name)
{
	struct procfs_path path;
	int fd;

	fd = open(procfs_path(&path, tid, name), O_PATH | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int open_dirfd(const struct resolve_request *request)
{
	char name[32];
	int fd;

	if (request->dirfd == AT_FDCWD)
		return open_anchor(request->tid, "cwd");
	if (request->dirfd < 0)
		return -EBADF;
	(void)snprintf(name, sizeof name, "fd/%d", request->dirfd);
	fd = open_anchor(request->tid, name);
	return fd == -ENOENT ? -EBADF : fd;
}

/* What is asked of every file. The attributes are those that the kernel has:
 * asking a network or FUSE server for newer ones could wait for it.
 */
static int look_at(int fd, const char *path, unsigned mask, struct statx *ret)
{
	return statx(fd, path, AT_EMPTY_PATH | AT_STATX_DONT_SYNC, mask, ret) < 0 ? -errno : 0;
}

int resolve_host_init(struct resolve_host *host)
{
	struct statx st;
	int r;

	r = look_at(AT_FDCWD, "/proc", STATX_INO, &st);
	if (r < 0)
		return r;
	host->proc_device = makedev(st.stx_dev_major, st.stx_dev_minor);
	r = look_at(AT_FDCWD, "/", STATX_INO | STATX_MNT_ID, &st);
	if (r < 0)
		return r;
	host->root_device = makedev(st.stx_dev_major, st.stx_dev_minor);
	host->root_inode = st.stx_ino;
	host->root_mount = st.stx_mnt_id;
	fsname_init(&host->filesystems);
	host->own_fds = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return host->own_fds < 0 ? -errno : 0;
}

void resolve_host_done(struct resolve_host *host)
{
	if (host->own_fds > 0)
		(void)close(host->own_fds);
	host->own_fds = 0;
}

/* True when the task's root directory is guard's own, so that absolute paths
 * and absolute links mean the same for both.
 */
bool resolve_shares_root(const struct resolve_host *host, pid_t tid)
{
	struct procfs_path path;
	struct statx st;

	return look_at(AT_FDCWD, procfs_path(&path, tid, "root"), STATX_INO | STATX_MNT_ID, &st) ==
		       0 &&
	       st.stx_ino == host->root_inode && st.stx_mnt_id == host->root_mount &&
	       makedev(st.stx_dev_major, st.stx_dev_minor) == host->root_device;
}

static int open_path(int start, const char *path, bool nofollow, uint64_t resolve)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | (nofollow ? O_NOFOLLOW : 0),
		.resolve = RESOLVE_NO_MAGICLINKS | resolve,
	};
	int fd = (int)syscall(SYS_openat2, start, path, &how, sizeof how);

	if (fd < 0 && errno == EINVAL && resolve & RESOLVE_CACHED) {
		how.resolve &= ~(uint64_t)RESOLVE_CACHED;
		fd = (int)syscall(SYS_openat2, start, path, &how, sizeof how);
	}
	return fd < 0 ? -errno : fd;
}

static bool on_procfs(const struct resolve_host *host, int fd)
{
	struct statx st;

	return look_at(fd, "", STATX_INO, &st) < 0 ||
	       makedev(st.stx_dev_major, st.stx_dev_minor) == host->proc_device;
}

/* Whether the failed way may have led through a procfs, whose "self" was guard
 * and not the task: only if it crossed into another mount at all.
 */
static bool may_be_procfs(int start, const struct resolve_request *request)
{
	int fd = open_path(start, request->path, request->nofollow,
			   RESOLVE_NO_XDEV | (request->cached_only ? RESOLVE_CACHED : 0));

	if (fd >= 0)
		(void)close(fd);
	return fd == -EXDEV;
}

/* The short way: one system call. -ELOOP when it cannot tell. */
static int open_directly(int start, const struct resolve_request *request)
{
	int fd = open_path(start, request->path, request->nofollow,
			   request->cached_only ? RESOLVE_CACHED : 0);

	if (fd >= 0) {
		if (!on_procfs(request->host, fd))
			return fd;
		(void)close(fd);
		return -ELOOP;
	}
	if (fd != -EAGAIN && may_be_procfs(start, request))
		return -ELOOP;
	return fd;
}

int resolve_open(const struct resolve_request *request)
{
	_cleanup_close_ int start = -1, root = -1;
	bool absolute = request->path[0] == '/';
	int fd;

	if (!request->path[0]) {
		if (!request->empty_path)
			return -ENOENT;
		return open_dirfd(request);
	}
	if (!absolute) {
		start = open_dirfd(request);
		if (start < 0)
			return start;
	}
	/* an absolute path begins at guard's own root: the descriptor does not count */
	if (resolve_shares_root(request->host, request->tid)) {
		fd = open_directly(start, request);
		if (fd != -ELOOP)
			return fd;
	}
	if (request->cached_only)
		return -EAGAIN;
	root = open_anchor(request->tid, "root");
	if (root < 0)
		return root;
	return walk_open(&(struct walk){ .root = root,
					 .start = absolute ? root : start,
					 .tid = request->tid,
					 .tgid = request->tgid,
					 .nofollow = request->nofollow },
			 request->path);
}

bool resolve_error_is_native(int error)
{
	static const int native[] = { -ENOENT, -ENOTDIR,      -ELOOP, -EACCES,
				      -EBADF,  -ENAMETOOLONG, -EPERM, -ENXIO };

	for (size_t i = 0; i < ELEMENTS(native); i++) {
		if (native[i] == error)
			return true;
	}
	return false;
}

static int64_t timestamp_ns(const struct statx_timestamp *t)
{
	return t->tv_sec * INT64_C(1000000000) + t->tv_nsec;
}

/* How statx(2) and readlink(2) get at a file: through a descriptor, or a magic link
 * of /proc.
 */
struct place {
	int dir;
	const char *path;
	int link_dir;
	const char *link;
};

/* d_path() of the kernel: from guard's root, or from the root of the mount
 * namespace that the file is in. A deleted file has " (deleted)" behind it,
 * a memfd is "/memfd:NAME (deleted)" and has no path at all.
 */
static int read_path(const struct place *place, bool deleted, struct arena *arena,
		     struct secl_string *ret)
{
	static const char mark[] = " (deleted)";
	UNCLEARED char buf[PATH_MAX + sizeof mark];
	size_t size;
	ssize_t n;

	n = readlinkat(place->link_dir, place->link, buf, sizeof buf);
	if (n < 0)
		return -errno;
	size = (size_t)n;
	if (size == sizeof buf)
		return -ENAMETOOLONG;
	if (deleted && size > sizeof mark - 1 &&
	    memcmp(buf + size - (sizeof mark - 1), mark, sizeof mark - 1) == 0)
		size -= sizeof mark - 1;
	ret->text = arena_copy(arena, buf, size);
	ret->size = size;
	return ret->text ? 0 : -ENOMEM;
}

/* The mount of F and the type of its file system. ST has the mount's id for good
 * where the kernel gives one: then the usual id is asked for but once.
 */
static int describe_mount(struct resolve_host *host, pid_t tid, const struct place *place,
			  const struct statx *st, struct file_info *f)
{
	uint64_t unique = st->stx_mask & STATX_MNT_ID_UNIQUE ? st->stx_mnt_id : 0;
	const struct fsname_mount *known =
		host && unique ? fsname_known(&host->filesystems, unique, f->device) : NULL;
	const char *name = known ? known->name : "";
	struct statx usual;
	int r;

	f->mount_id = known ? known->id : st->stx_mnt_id;
	if (unique && !known) {
		r = look_at(place->dir, place->path, STATX_MNT_ID, &usual);
		if (r < 0)
			return r;
		f->mount_id = usual.stx_mnt_id;
	}
	if (host && !known)
		name = fsname_find(&host->filesystems, tid, unique, f->device, f->mount_id);
	f->filesystem = (struct secl_string){ .text = name, .size = strlen(name) };
	return 0;
}

static int describe(struct resolve_host *host, pid_t tid, const struct place *place,
		    struct arena *arena, struct file_info *ret)
{
	struct file_info f = { .present = true };
	struct statx st;
	int r;

	r = look_at(place->dir, place->path, STATX_BASIC_STATS | STATX_MNT_ID | STATX_MNT_ID_UNIQUE,
		    &st);
	if (r < 0)
		return r;
	f.device = makedev(st.stx_dev_major, st.stx_dev_minor);
	f.inode = st.stx_ino;
	f.size = st.stx_size;
	f.mode = st.stx_mode;
	f.uid = st.stx_uid;
	f.gid = st.stx_gid;
	f.nlink = st.stx_nlink;
	f.mtime_ns = timestamp_ns(&st.stx_mtime);
	f.ctime_ns = timestamp_ns(&st.stx_ctime);
	f.atime_ns = timestamp_ns(&st.stx_atime);
	r = read_path(place, st.stx_nlink == 0, arena, &f.path);
	if (r == -ENOMEM)
		return r;
	f.error = r;
	r = describe_mount(host, tid, place, &st, &f);
	if (r < 0)
		return r;
	*ret = f;
	return 0;
}

int resolve_describe(struct resolve_host *host, pid_t tid, int fd, struct arena *arena,
		     struct file_info *ret)
{
	char link[LINK_ROOM];

	(void)snprintf(link, sizeof link, host ? "%d" : "/proc/self/fd/%d", fd);
	return describe(host, tid, &(struct place){ fd, "", host ? host->own_fds : AT_FDCWD, link },
			arena, ret);
}

int resolve_describe_exe(struct resolve_host *host, pid_t tgid, struct arena *arena,
			 struct file_info *ret)
{
	struct procfs_path path;
	const char *link = procfs_path(&path, tgid, "exe");

	return describe(host, tgid, &(struct place){ AT_FDCWD, link, AT_FDCWD, link }, arena, ret);
}

int resolve_reopen(int fd)
{
	enum { FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY };
	char link[LINK_ROOM];
	struct statx st;
	int copy, r;

	r = look_at(fd, "", STATX_TYPE, &st);
	if (r < 0)
		return r;
	if (!S_ISREG(st.stx_mode))
		return -ENOEXEC;
	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	copy = open(link, FLAGS | O_NOATIME);
	/* neither its owner nor privileged */
	if (copy < 0 && errno == EPERM)
		copy = open(link, FLAGS);
	return copy < 0 ? -errno : copy;
}

int resolve_identify(int fd, uint64_t *ret_device, uint64_t *ret_inode)
{
	struct statx st;
	int r;

	r = look_at(fd, "", STATX_INO, &st);
	if (r < 0)
		return r;
	*ret_device = makedev(st.stx_dev_major, st.stx_dev_minor);
	*ret_inode = st.stx_ino;
	return 0;
}

bool resolve_same_file(const struct file_info *a, const struct file_info *b)
{
	return a->present && b->present && a->device == b->device && a->inode == b->inode;
}
