/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/children.h"

#include <errno.h>
#include <sys/wait.h>

static bool has_ended(const siginfo_t *info)
{
	return info->si_code == CLD_EXITED || info->si_code == CLD_KILLED ||
	       info->si_code == CLD_DUMPED;
}

/* waitid(2) tells it in two words, waitpid(2) in one. */
static int wait_status(const siginfo_t *info)
{
	enum { CONTINUED = 0xffff, STOPPED = 0x7f, CORE = 0x80 };

	switch (info->si_code) {
	case CLD_EXITED: return (info->si_status & 0xff) << 8;
	case CLD_KILLED: return info->si_status;
	case CLD_DUMPED: return info->si_status | CORE;
	case CLD_CONTINUED: return CONTINUED;
	default: return info->si_status << 8 | STOPPED;
	}
}

static void record_end(struct journal *journal, const siginfo_t *info)
{
	if (info->si_pid != journal->root_pid || !has_ended(info))
		return;
	journal->root_status = wait_status(info);
	atomic_store_explicit(&journal->root_state, ROOT_EXITED, memory_order_release);
}

pid_t children_next(struct journal *journal, int *ret_status)
{
	siginfo_t info;

	for (;;) {
		int what;

		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info,
			   WEXITED | WSTOPPED | WCONTINUED | WNOHANG | WNOWAIT | __WALL) < 0 ||
		    !info.si_pid)
			return 0;
		record_end(journal, &info);
		/* one that has ended since we looked is not taken for its stop */
		what = has_ended(&info) ? WEXITED : WSTOPPED | WCONTINUED;
		if (waitid(P_PID, (id_t)info.si_pid, &info, what | WNOHANG | __WALL) < 0 &&
		    errno != ECHILD)
			return 0;
		if (info.si_pid) {
			*ret_status = wait_status(&info);
			return info.si_pid;
		}
	}
}

bool children_stopped(pid_t pid, int *ret_status)
{
	siginfo_t info = { .si_pid = 0 };

	if (waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOHANG | __WALL) < 0 || !info.si_pid)
		return false;
	*ret_status = wait_status(&info);
	return true;
}

void children_await_root(struct journal *journal)
{
	siginfo_t info = { .si_pid = 0 };

	if (journal->root_pid &&
	    waitid(P_PID, (id_t)journal->root_pid, &info, WEXITED | WNOWAIT | __WALL) == 0)
		record_end(journal, &info);
}
