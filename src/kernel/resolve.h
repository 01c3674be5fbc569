/* SPDX-License-Identifier: GPL-3.0-or-later */
/* resolve.h - which file a path means for another task.
 *
 * The walk starts at the task's own root, working directory or descriptor, so
 * that chroots and mount namespaces are honoured; /proc/self and the magic
 * links below it mean the task, not guard. The result is an O_PATH descriptor:
 * what is said about it afterwards is said about that very file.
 */
#pragma once
#include "base/arena.h"
#include "kernel/fsname.h"
#include "model/event.h"

/* What does not change while guard runs: its own root directory, to see at once
 * that a task has the same, the device of its /proc, and where its descriptors are
 * listed there; and names of file systems, which are for one thread only.
 */
struct resolve_host {
	uint64_t root_inode, root_mount;
	uint64_t root_device, proc_device;
	int own_fds; /* O_PATH of /proc/self/fd */
	struct fsname_cache filesystems;
};

/* 0, or -errno. Of the process that calls, for its threads as well: a fork needs one of
 * its own.
 */
int resolve_host_init(struct resolve_host *host);
void resolve_host_done(struct resolve_host *host);

struct resolve_request {
	const struct resolve_host *host;
	pid_t tid;        /* whose view */
	pid_t tgid;       /* its process, for /proc/self */
	int dirfd;        /* AT_FDCWD or a descriptor of the task */
	const char *path; /* "" with `empty_path`: dirfd itself */
	bool empty_path;  /* AT_EMPTY_PATH */
	bool nofollow;    /* AT_SYMLINK_NOFOLLOW */
	bool cached_only; /* -EAGAIN instead of waiting for a disk or FUSE server */
};

/* An O_PATH descriptor (close-on-exec), or -errno: those of openat2(2) as the
 * task would get them (-ENOENT, -ENOTDIR, -ELOOP, -EACCES, -ENAMETOOLONG), or
 * -EAGAIN (cached_only), -EMFILE, -ENFILE, -ENOMEM, -ESRCH for guard's own.
 */
int resolve_open(const struct resolve_request *request);

/* Whether TID has guard's own root directory; false, too, where that cannot be told. */
bool resolve_shares_root(const struct resolve_host *host, pid_t tid);

/* True for the results that say something about the path, not about guard. */
bool resolve_error_is_native(int error);

/* Everything about the file behind FD, which was opened for TID; no file server is
 * asked. HOST is to outlive the result, NULL leaves the file system unnamed. The path is named from
 * the root of its mount namespace (design: "what a path is"). Strings go to ARENA. 0, -ENOMEM or
 * -errno of statx(2).
 */
int resolve_describe(struct resolve_host *host, pid_t tid, int fd, struct arena *arena,
		     struct file_info *ret);

/* The same of the program that TGID runs, without opening it: in several looks, and
 * therefore only of a process that is stopped.
 */
int resolve_describe_exe(struct resolve_host *host, pid_t tgid, struct arena *arena,
			 struct file_info *ret);

/* The file behind FD, which may be O_PATH, open for reading: no name can lead to another
 * one meanwhile. -ENOEXEC unless it is a regular file: opening a FIFO or a device has
 * effects. Nothing is left behind in its time of access where guard may say so.
 */
int resolve_reopen(int fd);

/* Device and inode of FD, likewise. 0 or -errno. */
int resolve_identify(int fd, uint64_t *ret_device, uint64_t *ret_inode);

/* True when both were described and are one file. */
bool resolve_same_file(const struct file_info *a, const struct file_info *b);
