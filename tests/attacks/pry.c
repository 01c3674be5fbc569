/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looking into guard's processes: every way that leads through ptrace_may_access(). */
#include "tests/lib/t-do.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/kcmp.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

/* Opens what can be opened and reads a byte, for some files ask only then. */
static bool opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char byte;
	bool refused;

	if (fd < 0)
		return false;
	refused = (flags & O_ACCMODE) != O_WRONLY && !(flags & O_DIRECTORY) &&
		  read(fd, &byte, 1) < 0 && (errno == EACCES || errno == EPERM);
	(void)close(fd);
	return !refused;
}

static bool reads_link(const char *path)
{
	char text[PATH_MAX];

	return readlink(path, text, sizeof text) > 0;
}

/* Any entry of DIRECTORY that can be opened or whose target can be read. */
static bool entry_opens(const char *directory)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry;
	bool open = false;
	char path[PATH_MAX + 256];

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
		open |= opens(path, O_RDONLY) || opens(path, O_PATH | O_DIRECTORY) ||
			reads_link(path);
	}
	if (dir)
		(void)closedir(dir);
	return open;
}

/* A helper may have to ask for what its file gave it. */
static uint64_t raise_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, data) < 0)
		return 0;
	for (size_t i = 0; i < ELEMENTS(data); i++)
		data[i].effective = data[i].permitted;
	(void)syscall(SYS_capset, &head, data);
	return data[0].permitted | (uint64_t)data[1].permitted << 32;
}

/* Who may measure the machine's performance sees these of everybody since Linux 6.15:
 * layout and environment, but no memory and nothing that could be changed.
 */
static bool is_for_perfmon(const char *name, uint64_t capabilities)
{
	static const char *const names[] = { "environ", "maps", "smaps", "auxv" };

	for (size_t i = 0; i < ELEMENTS(names); i++) {
		if (strcmp(name, names[i]) == 0)
			return capabilities &
			       (UINT64_C(1) << CAP_PERFMON | UINT64_C(1) << CAP_SYS_ADMIN);
	}
	return false;
}

static void pry_files(const char *proc, const char *process, uint64_t capabilities)
{
	static const struct {
		const char *name;
		int flags;
	} files[] = {
		{ "mem", O_RDONLY },
		{ "mem", O_RDWR },
		{ "environ", O_RDONLY },
		{ "maps", O_RDONLY },
		{ "smaps", O_RDONLY },
		{ "auxv", O_RDONLY },
		{ "syscall", O_RDONLY },
		{ "stack", O_RDONLY },
		{ "io", O_RDONLY },
		{ "root", O_RDONLY | O_DIRECTORY },
		{ "cwd", O_RDONLY | O_DIRECTORY },
		{ "exe", O_RDONLY },
		{ "ns/mnt", O_RDONLY },
		{ "ns/user", O_RDONLY },
	};
	static const char *const directories[] = { "fd", "fdinfo", "map_files" };
	char path[PATH_MAX];

	for (size_t i = 0; i < ELEMENTS(files); i++) {
		(void)snprintf(path, sizeof path, "%s/%s/%s", proc, process, files[i].name);
		if (!is_for_perfmon(files[i].name, capabilities) && opens(path, files[i].flags))
			(void)printf("%s%s\n", files[i].name,
				     files[i].flags == O_RDWR ? " for writing" : "");
	}
	for (size_t i = 0; i < ELEMENTS(directories); i++) {
		(void)snprintf(path, sizeof path, "%s/%s/%s", proc, process, directories[i]);
		if (entry_opens(path))
			(void)printf("%s\n", directories[i]);
	}
}

static void pry_calls(pid_t pid)
{
	static char here;
	struct iovec local = { &here, 1 }, remote = { (void *)(uintptr_t)4096, 1 };
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (process_vm_readv(pid, &local, 1, &remote, 1, 0) == 1 || errno == EFAULT)
		(void)printf("process_vm_readv\n");
	if (process_vm_writev(pid, &local, 1, &remote, 1, 0) == 1 || errno == EFAULT)
		(void)printf("process_vm_writev\n");
	if (syscall(SYS_kcmp, getpid(), pid, KCMP_VM, 0, 0) >= 0)
		(void)printf("kcmp\n");
	if (pidfd >= 0 && syscall(SYS_pidfd_getfd, pidfd, 0, 0) >= 0)
		(void)printf("pidfd_getfd\n");
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0)
		(void)printf("ptrace\n");
}

/* PID PROC: into process PID by the files of PROC, where a procfs is mounted, and by
 * system calls. Prints what is not refused, and nothing when all is.
 */
static int pry(char **args)
{
	uint64_t capabilities;
	char task[64];

	capabilities = raise_capabilities();
	(void)snprintf(task, sizeof task, "%s/task/%s", args[0], args[0]);
	pry_files(args[1], args[0], capabilities);
	pry_files(args[1], task, capabilities);
	pry_calls((pid_t)strtol(args[0], NULL, 10));
	return T_OK;
}

/* ---- while guard's processes come and go ---------------------------------------- */

enum { CHILDREN_MAX = 4096 };

static void try_child(const char *pid, unsigned *tries)
{
	static const char *const names[] = { "mem", "exe", "root" };
	char path[64], comm[32] = "";
	FILE *f;

	++*tries;
	for (size_t i = 0; i < ELEMENTS(names); i++) {
		(void)snprintf(path, sizeof path, "/proc/%s/%s", pid, names[i]);
		if (!opens(path, i == 2 ? O_RDONLY | O_DIRECTORY : O_RDONLY))
			continue;
		(void)snprintf(path, sizeof path, "/proc/%s/comm", pid);
		f = fopen(path, "re");
		if (f && fgets(comm, sizeof comm, f))
			comm[strcspn(comm, "\n")] = '\0';
		if (f)
			(void)fclose(f);
		(void)printf("%s of %s\n", names[i], comm);
	}
}

/* KEEPER END: tries all children of guard's keeper but itself, again and again, until
 * the file END exists. Prints each that could be opened.
 */
static int pry_children(char **args)
{
	char path[64], list[CHILDREN_MAX], self[16], *rest, *pid;
	unsigned tries = 0;

	(void)snprintf(self, sizeof self, "%d", getpid());
	(void)snprintf(path, sizeof path, "/proc/%s/task/%s/children", args[0], args[0]);
	(void)printf("trying\n");
	(void)fflush(stdout);
	while (access(args[1], F_OK) < 0) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, list, sizeof list - 1);

		if (fd >= 0)
			(void)close(fd);
		list[n < 0 ? 0 : n] = '\0';
		for (pid = strtok_r(list, " \n", &rest); pid; pid = strtok_r(NULL, " \n", &rest))
			if (strcmp(pid, self) != 0)
				try_child(pid, &tries);
	}
	(void)printf("%s\n", tries > 100 ? "tried" : "hardly tried");
	return T_OK;
}

const struct deed pry_deeds[] = {
	{ "pry", "PID PROC", 2, pry },
	{ "pry-children", "KEEPER END", 2, pry_children },
	{ NULL, NULL, 0, NULL },
};
