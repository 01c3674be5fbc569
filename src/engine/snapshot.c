/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/snapshot.h"

#include <errno.h>
#include <fcntl.h>

#include "kernel/procfs.h"

enum { SNAPSHOT_MAX = 64 * 1024 }; /* arguments, and environment, read from /proc */

/* NUL-separated text of /proc to a list; a missing last NUL is added. */
static void make_list(char *data, ssize_t size, size_t room, struct string_list *ret)
{
	*ret = (struct string_list){ .data = "" };
	if (size <= 0)
		return;
	ret->truncated = (size_t)size >= room;
	if (data[size - 1] != '\0')
		data[size++] = '\0';
	ret->data = data;
	ret->size = (uint32_t)size;
	for (ssize_t i = 0; i < size; i++)
		ret->count += data[i] == '\0';
}

static int exe_describe(struct resolve_host *host, pid_t pid, struct arena *arena,
			struct file_info *ret)
{
	_cleanup_close_ int fd = -1;
	struct procfs_path path;

	fd = open(procfs_path(&path, pid, "exe"), O_PATH | O_CLOEXEC);
	return fd < 0 ? -errno : resolve_describe(host, pid, fd, arena, ret);
}

const struct image *snapshot_image(struct imagepool *pool, struct resolve_host *host,
				   struct arena *scratch, pid_t tid, bool unknown, bool memory,
				   bool outside)
{
	struct image image = { .envp_read = true, .unknown = unknown };
	char *arguments = arena_alloc_raw(scratch, SNAPSHOT_MAX + 1);
	char *environment = arena_alloc_raw(scratch, SNAPSHOT_MAX + 1);

	if (!arguments || !environment)
		return NULL;
	if (exe_describe(host, tid, scratch, &image.file) < 0)
		image.file.present = false; /* a kernel thread, or not ours to read */
	image.file.outside = outside;
	make_list(arguments, !memory ? 0 : procfs_cmdline(tid, arguments, SNAPSHOT_MAX),
		  SNAPSHOT_MAX, &image.argv);
	make_list(environment, !memory ? 0 : procfs_environ(tid, environment, SNAPSHOT_MAX),
		  SNAPSHOT_MAX, &image.envp);
	return imagepool_copy(pool, &image);
}

bool snapshot_same_program(pid_t tid, const struct image *image)
{
	uint64_t device, inode;
	_cleanup_close_ int fd = -1;
	struct procfs_path path;

	if (!image->file.present)
		return false;
	fd = open(procfs_path(&path, tid, "exe"), O_PATH | O_CLOEXEC);
	return fd >= 0 && resolve_identify(fd, &device, &inode) == 0 &&
	       device == image->file.device && inode == image->file.inode;
}
