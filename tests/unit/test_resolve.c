/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which file a path means for another task: rows of spellings for one file, seen
 * from a child in its own working directory, with and without a chroot.
 */
#include "config.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "kernel/resolve.h"

static char base[64];
static struct arena arena;
static struct resolve_host host;

static void make_file(const char *name)
{
	char path[256];
	int fd;

	(void)snprintf(path, sizeof path, "%s/%s", base, name);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
	cr_assert_geq(fd, 0, "%s: %s", path, strerror(errno));
	(void)close(fd);
}

static void make_link(const char *target, const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof path, "%s/%s", base, name);
	cr_assert_eq(symlink(target, path), 0);
}

static void make_dir(const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof path, "%s/%s", base, name);
	cr_assert_eq(mkdir(path, 0755), 0);
}

static void setup(void)
{
	(void)strcpy(base, "/tmp/guard-resolve-XXXXXX");
	cr_assert_not_null(mkdtemp(base));
	cr_assert_eq(arena_init(&arena, 1 << 20), 0);
	cr_assert_eq(resolve_host_init(&host), 0);
	make_dir("jail");
	make_dir("jail/bin");
	make_file("jail/bin/tool");
	make_file("top");
	make_link("../top", "jail/up");
	make_link("/bin/tool", "jail/absolute");
	make_link("absolute", "jail/twice");
	make_link("loop2", "jail/loop1");
	make_link("loop1", "jail/loop2");
	make_link("bin", "jail/dir");
}

static void teardown(void)
{
	char command[128];

	arena_done(&arena);
	resolve_host_done(&host);
	(void)snprintf(command, sizeof command, "rm -r %s", base);
	(void)!system(command);
}

TestSuite(resolve, .init = setup, .fini = teardown);

/* A child in BASE/jail, with that as its root if JAILED, and BASE/jail/bin as
 * descriptor 77; it waits to be killed.
 */
static pid_t start_child(bool jailed)
{
	int ready[2];
	char byte, path[128];
	pid_t pid;

	cr_assert_eq(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		(void)snprintf(path, sizeof path, "%s/jail", base);
		if (chdir(path) < 0 || dup2(open("bin", O_RDONLY | O_DIRECTORY), 77) < 0 ||
		    (jailed && (chroot(".") < 0 || chdir("/") < 0)))
			_exit(1);
		(void)!write(ready[1], "x", 1);
		for (;;)
			(void)pause();
	}
	(void)close(ready[1]);
	cr_assert_eq(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	return pid;
}

static void stop_child(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

struct row {
	const char *path, *want; /* below BASE; NULL = error */
	int dirfd, error;
	bool nofollow, empty_path;
};

static void check_rows(const struct row *rows, size_t count, bool jailed)
{
	pid_t pid = start_child(jailed);

	for (size_t i = 0; i < count; i++) {
		const struct row *row = &rows[i];
		struct file_info file;
		char want[256];
		int fd;

		fd = resolve_open(&(struct resolve_request){ .host = &host,
							     .tid = pid,
							     .tgid = pid,
							     .dirfd = row->dirfd,
							     .path = row->path,
							     .nofollow = row->nofollow,
							     .empty_path = row->empty_path });
		if (!row->want) {
			cr_expect_eq(fd, row->error, "%s: %d", row->path, fd);
			continue;
		}
		cr_expect_geq(fd, 0, "%s: %s", row->path, strerror(-fd));
		if (fd < 0)
			continue;
		cr_assert_eq(resolve_describe(&host, pid, fd, &arena, &file), 0);
		(void)snprintf(want, sizeof want, "%s/%s", base, row->want);
		cr_expect_str_eq(file.path.text, want, "%s is %s", row->path, file.path.text);
		(void)close(fd);
	}
	stop_child(pid);
}

Test(resolve, from_the_working_directory)
{
	static const struct row rows[] = {
		{ "bin/tool", "jail/bin/tool", AT_FDCWD },
		{ "./bin//tool", "jail/bin/tool", AT_FDCWD },
		{ "dir/tool", "jail/bin/tool", AT_FDCWD },
		{ "bin/../bin/tool", "jail/bin/tool", AT_FDCWD },
		{ "up", "top", AT_FDCWD },
		{ "up", "jail/up", AT_FDCWD, .nofollow = true },
		{ "tool", "jail/bin/tool", 77 },
		{ "", "jail/bin", 77, .empty_path = true },
		{ "/proc/self/cwd/bin/tool", "jail/bin/tool", AT_FDCWD },
		{ "/proc/self/fd/77/tool", "jail/bin/tool", AT_FDCWD },
		{ "/dev/fd/77/tool", "jail/bin/tool", AT_FDCWD },
		{ "/proc/thread-self/fd/77/tool", "jail/bin/tool", AT_FDCWD },
		{ "", NULL, AT_FDCWD, -ENOENT },
		{ "none", NULL, AT_FDCWD, -ENOENT },
		{ "bin/tool/x", NULL, AT_FDCWD, -ENOTDIR },
		{ "bin/tool/", NULL, AT_FDCWD, -ENOTDIR },
		{ "loop1", NULL, AT_FDCWD, -ELOOP },
		{ "x", NULL, 78, -EBADF },
	};

	check_rows(rows, ELEMENTS(rows), false);
}

Test(resolve, in_a_chroot_names_count_from_the_namespace)
{
	static const struct row rows[] = {
		{ "/bin/tool", "jail/bin/tool", AT_FDCWD },
		{ "/../../bin/tool", "jail/bin/tool", AT_FDCWD },
		{ "absolute", "jail/bin/tool", AT_FDCWD },
		{ "twice", "jail/bin/tool", AT_FDCWD },
		{ "dir/tool", "jail/bin/tool", AT_FDCWD },
		{ "/up", NULL, AT_FDCWD, -ENOENT },
		{ "/loop1", NULL, AT_FDCWD, -ELOOP },
		{ "bin/tool/", NULL, AT_FDCWD, -ENOTDIR },
	};

	if (geteuid() != 0)
		cr_skip("chroot needs root");
	check_rows(rows, ELEMENTS(rows), true);
}

/* The names come from lists of mounts; a second question is answered from memory. */
Test(resolve, file_systems_are_named_without_asking_them)
{
	const struct {
		int fd;
		const char *want;
	} rows[] = {
		{ open("/proc/self/status", O_PATH | O_CLOEXEC), "proc" },
		{ open("/sys/kernel", O_PATH | O_CLOEXEC), "sysfs" },
		{ memfd_create("x", MFD_CLOEXEC), "tmpfs" },
		{ open("/proc/self/status", O_PATH | O_CLOEXEC), "proc" },
	};
	struct file_info file;

	for (size_t i = 0; i < ELEMENTS(rows); i++) {
		if (rows[i].fd < 0)
			continue;
		cr_assert_eq(resolve_describe(&host, getpid(), rows[i].fd, &arena, &file), 0);
		cr_expect_str_eq(file.filesystem.text, rows[i].want, "row %zu: %s", i,
				 file.filesystem.text);
		(void)close(rows[i].fd);
	}
}
