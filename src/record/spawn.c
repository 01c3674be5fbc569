/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "record/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
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

/* In the child, which has our memory until it executes: only async-signal-safe calls. */
static void become(const char *program, char *const words[], int link_fd,
		   const struct recorder_sinks *sinks, int report_fd)
{
	char *const no_environment[] = { NULL };
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;
	int error;

	/* SIG_IGN and a blocked mask outlive execve(2) */
	for (int number = 1; number < NSIG; number++)
		(void)sigaction(number, &action, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)fcntl(link_fd, F_SETFD, 0);
	for (size_t i = 0; i < sinks->count; i++)
		if (sinks->items[i].fd >= 0)
			(void)fcntl(sinks->items[i].fd, F_SETFD, 0);
	(void)execve(program, words, no_environment);
	error = -errno;
	(void)write_full(report_fd, &error, sizeof error);
	_exit(127);
}

/* A function of its own, for nothing of its caller may change in the child. */
static pid_t start(const char *program, char *const words[], int link_fd,
		   const struct recorder_sinks *sinks, int report_fd)
{
	/* no copy of what is thrown away at once */
	pid_t pid = vfork();

	if (pid == 0)
		become(program, words, link_fd, sinks, report_fd);
	return pid < 0 ? -errno : pid;
}

int recorder_spawn(int link_fd, struct recorder_sinks *sinks,
		   const struct recorder_options *options, pid_t *ret_pid, struct err *err)
{
	_cleanup_(command_line_done) struct command_line line = { .count = 0 };
	_cleanup_close_ int read_end = -1, write_end = -1;
	char program[PATH_MAX];
	int error = 0, pipe_fds[2];
	ssize_t n;
	pid_t pid;

	if (options->program)
		(void)snprintf(program, sizeof program, "%s", options->program);
	else if (find_program(program, err) < 0)
		return -ENOENT;
	build(&line, link_fd, sinks, options);
	if (line.failed)
		return err_set(err, -ENOMEM, "out of memory");
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_errno(err, -errno, "cannot start guard-recorder");
	read_end = pipe_fds[0];
	write_end = pipe_fds[1];
	pid = start(program, line.words, link_fd, sinks, write_end);
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
	return err_errno(err, n == (ssize_t)sizeof error ? error : -EIO, "cannot run %s", program);
}
