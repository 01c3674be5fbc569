/* SPDX-License-Identifier: GPL-3.0-or-later */
/* t-exec.c - every way to start a program. Each takes PATH and its arguments;
 * argv[0] of the program is PATH.
 */
#include "tests/lib/t-do.h"

#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static int with_execve(char **args)
{
	return say(execve(args[0], args, environ));
}

static int with_execveat_path(char **args)
{
	return say(syscall(SYS_execveat, AT_FDCWD, args[0], args, environ, 0));
}

/* relative to a descriptor of the directory */
static int with_execveat_dir(char **args)
{
	char *slash = strrchr(args[0], '/');
	int dir;

	if (!slash || slash == args[0])
		return setup_failed("PATH must be DIRECTORY/NAME");
	*slash = '\0';
	dir = open(args[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
	*slash = '/';
	if (dir < 0)
		return setup_failed(args[0]);
	return say(syscall(SYS_execveat, dir, slash + 1, args, environ, 0));
}

static int with_execveat_fd(char **args)
{
	int fd = open(args[0], O_PATH | O_CLOEXEC);

	if (fd < 0)
		return setup_failed(args[0]);
	return say(syscall(SYS_execveat, fd, "", args, environ, AT_EMPTY_PATH));
}

static int with_fexecve(char **args)
{
	int fd = open(args[0], O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return setup_failed(args[0]);
	return say(fexecve(fd, args, environ));
}

static int with_proc_fd(char **args)
{
	char path[32];
	int fd = open(args[0], O_PATH);

	if (fd < 0)
		return setup_failed(args[0]);
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return say(execve(path, args, environ));
}

/* a copy that has no path */
static int with_memfd(char **args)
{
	int from = open(args[0], O_RDONLY | O_CLOEXEC);
	int fd = memfd_create("t-do", MFD_CLOEXEC);
	struct stat st;

	if (from < 0 || fd < 0 || fstat(from, &st) != 0)
		return setup_failed(args[0]);
	while (st.st_size > 0) {
		ssize_t n = sendfile(fd, from, NULL, st.st_size);

		if (n <= 0)
			return setup_failed("sendfile");
		st.st_size -= n;
	}
	return say(fexecve(fd, args, environ));
}

static int with_argc0(char **args)
{
	char *none[] = { NULL };

	return say(execve(args[0], none, environ));
}

/* The kernel allows both to be NULL and takes them for empty lists. */
static int with_null_argv(char **args)
{
	return say(syscall(SYS_execve, args[0], NULL, NULL));
}

static int with_fork(char **args)
{
	pid_t pid = fork();

	if (pid < 0)
		return setup_failed("fork");
	if (pid == 0) {
		(void)execve(args[0], args, environ);
		_exit(errno == EPERM ? 126 : 127);
	}
	return say_child(pid);
}

static int with_vfork(char **args)
{
	pid_t pid = vfork();

	if (pid < 0)
		return setup_failed("vfork");
	if (pid == 0) {
		(void)execve(args[0], args, environ);
		_exit(errno == EPERM ? 126 : 127);
	}
	return say_child(pid);
}

static int with_posix_spawn(char **args)
{
	pid_t pid;

	errno = posix_spawn(&pid, args[0], NULL, NULL, args, environ);
	return errno ? say(-1) : say_child(pid);
}

static int with_system(char **args)
{
	int status = system(args[0]);

	(void)printf("exit %d\n", WEXITSTATUS(status));
	return WEXITSTATUS(status);
}

struct thread_exec {
	char **args;
	int status;
};

static void *exec_in_thread(void *data)
{
	struct thread_exec *t = data;

	t->status = with_execve(t->args);
	return NULL;
}

static void *idle(void *data)
{
	for (;;)
		(void)pause();
	return data;
}

/* from a thread that is not the leader, while others live */
static int with_thread(char **args)
{
	struct thread_exec t = { .args = args };
	pthread_t executing, idling;

	if (pthread_create(&idling, NULL, idle, NULL) != 0 ||
	    pthread_create(&executing, NULL, exec_in_thread, &t) != 0)
		return setup_failed("pthread_create");
	(void)pthread_join(executing, NULL);
	return t.status;
}

/* the leader is gone when another thread executes */
static int with_thread_alone(char **args)
{
	static struct thread_exec t;
	pthread_t executing;

	t.args = args;
	if (pthread_create(&executing, NULL, exec_in_thread, &t) != 0)
		return setup_failed("pthread_create");
	pthread_exit(NULL);
}

static int with_close_range(char **args)
{
	if (syscall(SYS_close_range, 3, ~0u, 0) != 0)
		return setup_failed("close_range");
	return with_execve(args);
}

/* COUNT times fork and exec, one after the other: how did they end? */
static int storm(char **args)
{
	long count = strtol(args[0], NULL, 10), ok = 0, failed = 0, killed = 0;

	for (long i = 0; i < count; i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			(void)execve(args[1], args + 1, environ);
			_exit(127);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			failed++;
		else if (WIFSIGNALED(status))
			killed++;
		else if (WEXITSTATUS(status) == 0)
			ok++;
		else
			failed++;
	}
	(void)printf("ok %ld failed %ld killed %ld\n", ok, failed, killed);
	return failed + killed ? T_FAILED : T_OK;
}

const struct deed exec_deeds[] = {
	{ "execve", "PATH [ARG]...", 1, with_execve },
	{ "execveat-path", "PATH [ARG]...", 1, with_execveat_path },
	{ "execveat-dir", "PATH [ARG]...", 1, with_execveat_dir },
	{ "execveat-fd", "PATH [ARG]...", 1, with_execveat_fd },
	{ "fexecve", "PATH [ARG]...", 1, with_fexecve },
	{ "proc-fd", "PATH [ARG]...", 1, with_proc_fd },
	{ "memfd", "PATH [ARG]...", 1, with_memfd },
	{ "argc0", "PATH", 1, with_argc0 },
	{ "null-argv", "PATH", 1, with_null_argv },
	{ "fork", "PATH [ARG]...", 1, with_fork },
	{ "vfork", "PATH [ARG]...", 1, with_vfork },
	{ "posix-spawn", "PATH [ARG]...", 1, with_posix_spawn },
	{ "system", "COMMAND", 1, with_system },
	{ "thread", "PATH [ARG]...", 1, with_thread },
	{ "thread-alone", "PATH [ARG]...", 1, with_thread_alone },
	{ "close-range", "PATH [ARG]...", 1, with_close_range },
	{ "storm", "COUNT PATH [ARG]...", 2, storm },
	{ NULL, NULL, 0, NULL },
};
