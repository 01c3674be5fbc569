/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/launch.h"

#include <errno.h>
#include <grp.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <paths.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kernel/filter.h"
#include "kernel/shield.h"

static void page_wake(struct launch_page *page)
{
	(void)syscall(SYS_futex, &page->step, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

static void page_set(struct launch_page *page, enum launch_step step)
{
	atomic_store(&page->step, step);
	page_wake(page);
}

static void page_wait_while(struct launch_page *page, enum launch_step step)
{
	while (atomic_load(&page->step) == (uint32_t)step)
		(void)syscall(SYS_futex, &page->step, FUTEX_WAIT, step, NULL, NULL, 0);
}

/* The same, for a stub that may die without a word (the OOM killer, an outer
 * filter that kills): false when it did.
 */
static bool page_wait_for(struct launch_page *page, enum launch_step step, pid_t stub)
{
	static const struct timespec now_and_then = { .tv_nsec = 100 * 1000 * 1000 };
	siginfo_t info;

	while (atomic_load(&page->step) == (uint32_t)step) {
		info.si_pid = 0;
		if (waitid(P_PID, (id_t)stub, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		    info.si_pid)
			return atomic_load(&page->step) != (uint32_t)step;
		(void)syscall(SYS_futex, &page->step, FUTEX_WAIT, step, &now_and_then, NULL, 0);
	}
	return true;
}

/* ---- in the stub: from here on only system calls, no library state ------ */

_Noreturn static void stub_fail(struct launch_page *page, enum launch_step step, int error)
{
	page->error = error;
	page_set(page, step);
	/* env(1): 127 when there is no such command, 126 when it cannot be run */
	_exit(step != LAUNCH_FAILED_EXEC ? 125 : error == ENOENT ? 127 : 126);
}

static int stub_set_ids(const struct launch_request *request)
{
	if (syscall(SYS_setgroups, request->ngroups, request->groups) < 0 ||
	    syscall(SYS_setresgid, request->gid, request->gid, request->gid) < 0 ||
	    syscall(SYS_setresuid, request->uid, request->uid, request->uid) < 0)
		return errno;
	return 0;
}

static int stub_shield(const struct launch_request *request)
{
	int r = request->shield ? shield_up() : 0;

	return r == -EPERM && (request->no_new_privs || request->best_effort) ? 0 : r;
}

_Noreturn static void stub_main(const struct launch_request *request, char *const *shell_argv,
				struct launch_page *page)
{
	int r;

	(void)setrlimit(RLIMIT_NOFILE, &request->nofile);
	/* guard is not, and without privilege could not read the first call */
	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	heritage_give(&request->heritage);
	if (request->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		stub_fail(page, LAUNCH_FAILED_FILTER, errno);
	/* before the ids are dropped, and CAP_SETPCAP with them */
	r = stub_shield(request);
	if (r < 0)
		stub_fail(page, LAUNCH_FAILED_SHIELD, -r);
	/* before the ids are dropped: without no_new_privs it needs CAP_SYS_ADMIN */
	r = filter_load(request->filter, request->filter_flags);
	if (r < 0)
		stub_fail(page, LAUNCH_FAILED_FILTER, -r);
	page->listener = r;
	page_set(page, LAUNCH_FILTERED);
	page_wait_while(page, LAUNCH_FILTERED);
	if (request->cwd && chdir(request->cwd) < 0)
		stub_fail(page, LAUNCH_FAILED_CWD, errno);
	r = request->set_ids ? stub_set_ids(request) : 0;
	if (r)
		stub_fail(page, LAUNCH_FAILED_IDS, r);
	(void)sigprocmask(SIG_SETMASK, &request->signal_mask, NULL);
	(void)syscall(SYS_execve, request->path, request->argv, request->envp);
	/* a file without a magic number is a shell script to execvp(3), and so to
	 * everyone who starts commands by name */
	if (errno == ENOEXEC)
		(void)syscall(SYS_execve, _PATH_BSHELL, shell_argv, request->envp);
	stub_fail(page, LAUNCH_FAILED_EXEC, errno);
}

/* ---- in the supervisor -------------------------------------------------- */

/* "sh FILE ARG..."; the caller frees it, not the strings. */
static const char **make_shell_argv(const struct launch_request *request)
{
	const char **argv;
	size_t argc = 0;

	while (request->argv[argc])
		argc++;
	argv = calloc(argc + 2, sizeof *argv);
	if (!argv)
		return NULL;
	argv[0] = _PATH_BSHELL;
	argv[1] = request->path;
	for (size_t i = 1; i < argc; i++)
		argv[i + 1] = request->argv[i];
	return argv;
}

int launch_start(const struct launch_request *request, struct launch_page *page, struct launch *ret,
		 enum launch_step *ret_step)
{
	_cleanup_free_ const char **shell_argv = make_shell_argv(request);
	long pid;

	*ret_step = LAUNCH_STARTING;
	if (!shell_argv)
		return -ENOMEM;
	pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid == 0)
		stub_main(request, (char *const *)(uintptr_t)shell_argv, page);
	if (pid < 0)
		return -errno;
	if (!page_wait_for(page, LAUNCH_STARTING, (pid_t)pid)) {
		page->error = ECHILD;
		atomic_store(&page->step, LAUNCH_FAILED_FILTER);
	}
	*ret_step = atomic_load(&page->step);
	if (*ret_step != LAUNCH_FILTERED) {
		int r = -page->error;

		(void)waitpid((pid_t)pid, NULL, 0);
		return r;
	}
	*ret = (struct launch){ .pid = (pid_t)pid, .listener = page->listener };
	return 0;
}

void launch_go(struct launch_page *page)
{
	uint32_t filtered = LAUNCH_FILTERED;

	if (atomic_compare_exchange_strong(&page->step, &filtered, LAUNCH_GO))
		page_wake(page);
}

enum launch_step launch_outcome(const struct launch_page *page, int *ret_error)
{
	*ret_error = page->error;
	return atomic_load(&page->step);
}
