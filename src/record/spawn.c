/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "record/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { SPAWN_MAX_ARGS = 7 + SINKS_MAX };

/* The command line of the recorder; the words are owned. */
struct command_line {
	char *words[SPAWN_MAX_ARGS + 1];
	size_t count;
	bool failed;
};

static void command_line_done(struct command_line *line)
{
	for (size_t i = 0; i < line->count; i++)
		free(line->words[i]);
}

PRINTF_LIKE(2, 3) static void add_word(struct command_line *line, const char *format, ...)
{
	char *word;
	va_list args;

	va_start(args, format);
	if (line->count == SPAWN_MAX_ARGS || vasprintf(&word, format, args) < 0)
		line->failed = true;
	else
		line->words[line->count++] = word;
	va_end(args);
}

static void build(struct command_line *line, int link_fd, const struct recorder_sinks *sinks,
		  const struct recorder_options *options)
{
	add_word(line, "guard-recorder");
	add_word(line, "--link=%d", link_fd);
	if (options->hostname)
		add_word(line, "--hostname=%s", options->hostname);
	if (options->service)
		add_word(line, "--service=%s", options->service);
	if (options->workload)
		add_word(line, "--workload=%s", options->workload);
	if (options->colour)
		add_word(line, "--colour");
	if (sinks->starts > 0)
		add_word(line, "--restarted");
	for (size_t i = 0; i < sinks->count; i++)
		add_word(line, "--sink=%s=%d:%s", sink_kind_name(sinks->items[i].kind),
			 sinks->items[i].fd, sinks->items[i].path);
}

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

static int find_program(char path[PATH_MAX], struct err *err)
{
	static const char *const places[] = { "/guard-recorder",
					      "/../libexec/guard/guard-recorder" };
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash;

	self[n < 0 ? 0 : n] = '\0';
	slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	for (size_t i = 0; slash && i < ELEMENTS(places); i++)
		if (snprintf(path, PATH_MAX, "%s%s", self, places[i]) < PATH_MAX &&
		    is_program(path))
			return 0;
	(void)snprintf(path, PATH_MAX, "%s", LIBEXECDIR "/guard-recorder");
	if (is_program(path))
		return 0;
	return err_set(err, -ENOENT, "guard-recorder is neither beside guard nor in " LIBEXECDIR);
}

/* ---- the program ---- */

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3 */
#endif

/* Who may not read a program may not see its memory either: exec makes it not
 * dumpable. Only CAP_DAC_OVERRIDE reads this one, see become().
 */
enum { EXECUTE_ONLY = 0111, MAX_SEGMENTS = 32 };

/* What is executed of a program: symbols and the like lie behind it, and each page that
 * is copied takes its time. SIZE when it cannot be told.
 */
static off_t executed_part(int file, off_t size)
{
	ElfW(Phdr) segments[MAX_SEGMENTS];
	ElfW(Ehdr) head;
	uint64_t end = 0;
	size_t bytes;

#ifdef WITH_SANITIZERS
	return size; /* which show symbols to people */
#endif
	if (pread(file, &head, sizeof head, 0) != sizeof head ||
	    memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_phentsize != sizeof *segments ||
	    head.e_phnum > MAX_SEGMENTS)
		return size;
	bytes = head.e_phnum * sizeof *segments;
	if (pread(file, segments, bytes, (off_t)head.e_phoff) != (ssize_t)bytes)
		return size;
	for (size_t i = 0; i < head.e_phnum; i++)
		end = MAX(end, segments[i].p_offset + segments[i].p_filesz);
	return end && end <= (uint64_t)size ? (off_t)end : size;
}

static int copy_to_memory(int file, off_t size)
{
	const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	_cleanup_close_ int copy = memfd_create("guard-recorder", flags | MFD_EXEC);

	if (copy < 0 && errno == EINVAL)
		copy = memfd_create("guard-recorder", flags);
	if (copy < 0)
		return -errno;
	while (size > 0) {
		ssize_t n = sendfile(copy, file, NULL, (size_t)size);

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		size -= n;
	}
	if (fchmod(copy, EXECUTE_ONLY) < 0 ||
	    fcntl(copy, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return -errno;
	return TAKE_FD(copy);
}

static int64_t ctime_ns(const struct stat *st)
{
	return (int64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec;
}

int recorder_pin(const char *path, int minimum_fd, struct recorder_program *ret, struct err *err)
{
	_cleanup_close_ int file = -1;
	char found[PATH_MAX];
	struct stat st;
	bool copied;
	int fd;

	if (!path && find_program(found, err) < 0)
		return -ENOENT;
	path = path ? path : found;
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0 || fstat(file, &st) < 0)
		return err_errno(err, -errno, "cannot run %s", path);
	fd = copy_to_memory(file, executed_part(file, st.st_size));
	copied = fd != -EACCES;
	if (!copied)
		fd = TAKE_FD(file);
	if (fd >= 0 && fd < minimum_fd)
		fd = fd_move_above(fd, minimum_fd);
	if (fd < 0)
		return err_errno(err, fd, "cannot copy %s", path);
	*ret = (struct recorder_program){ .fd = fd, .changed_ns = copied ? 0 : ctime_ns(&st) };
	return 0;
}

void recorder_program_done(struct recorder_program *program)
{
	if (program->fd >= 0)
		(void)close(TAKE_FD(program->fd));
}

static bool has_changed(const struct recorder_program *program)
{
	struct stat st;

	return program->changed_ns &&
	       (fstat(program->fd, &st) < 0 || ctime_ns(&st) != program->changed_ns);
}

/* Of the effective set alone: root has them again after the exec. */
static void forget_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, data) < 0)
		return;
	for (size_t i = 0; i < ELEMENTS(data); i++)
		data[i].effective = 0;
	(void)syscall(SYS_capset, &head, data);
}

/* ---- the process ---- */

/* In the child, which may have our memory until it executes: only async-signal-safe
 * calls.
 */
static void become(int program, char *const words[], int link_fd,
		   const struct recorder_sinks *sinks, int report_fd)
{
	char *const no_environment[] = { NULL };
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t all;
	int error;

	/* SIG_IGN outlives execve(2), and so does the mask: nothing that anybody may send,
	 * F_SETSIG of a workload included, ends a recorder; a fault of its own does */
	for (int number = 1; number < NSIG; number++)
		(void)sigaction(number, &action, NULL);
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	(void)fcntl(link_fd, F_SETFD, 0);
	for (size_t i = 0; i < sinks->count; i++)
		if (sinks->items[i].fd >= 0)
			(void)fcntl(sinks->items[i].fd, F_SETFD, 0);
	forget_capabilities();
	(void)syscall(SYS_execveat, program, "", words, no_environment, AT_EMPTY_PATH);
	error = -errno;
	(void)write_full(report_fd, &error, sizeof error);
	_exit(127);
}

/* A function of its own, for nothing of its caller may change in the child. */
static pid_t start(const struct recorder_options *options, char *const words[], int link_fd,
		   const struct recorder_sinks *sinks, int report_fd)
{
	/* the first time no copy of what is thrown away at once; it has no number to choose */
	pid_t pid = options->pid ? fork_as(options->pid) : vfork();

	if (pid == 0)
		become(options->program->fd, words, link_fd, sinks, report_fd);
	return pid < 0 ? -errno : pid;
}

int recorder_spawn(int link_fd, struct recorder_sinks *sinks,
		   const struct recorder_options *options, pid_t *ret_pid, struct err *err)
{
	_cleanup_(command_line_done) struct command_line line = { .count = 0 };
	_cleanup_close_ int read_end = -1, write_end = -1;
	int error = 0, pipe_fds[2];
	ssize_t n;
	pid_t pid;

	if (has_changed(options->program))
		return err_set(err, -ESTALE, "guard-recorder was changed after guard started");
	build(&line, link_fd, sinks, options);
	if (line.failed)
		return err_set(err, -ENOMEM, "out of memory");
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_errno(err, -errno, "cannot start guard-recorder");
	read_end = pipe_fds[0];
	write_end = pipe_fds[1];
	pid = start(options, line.words, link_fd, sinks, write_end);
	if (pid < 0)
		return err_errno(err, (int)pid, "cannot start guard-recorder");
	(void)close(TAKE_FD(write_end));
	n = read_full(read_end, &error, sizeof error);
	if (n == 0) {
		sinks->starts++;
		*ret_pid = pid;
		return 0;
	}
	(void)waitpid(pid, NULL, 0);
	return err_errno(err, n == (ssize_t)sizeof error ? error : -EIO,
			 "cannot run guard-recorder");
}
