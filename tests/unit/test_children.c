/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The end of the workload is waited for, also when one of its threads was being traced
 * at that moment.
 */
#include "config.h"

#include "engine/children.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static __attribute__((noreturn)) void *sleep_on(void *data)
{
	pid_t tid = (pid_t)syscall(SYS_gettid);

	(void)!write(*(int *)data, &tid, sizeof tid);
	for (;;)
		(void)pause();
}

/* A child with a second thread, whose id is *RET_TID. */
static pid_t two_threads(pid_t *ret_tid)
{
	pthread_t thread;
	int ends[2];
	pid_t pid;

	cr_assert_eq(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		(void)pthread_create(&thread, NULL, sleep_on, &ends[1]);
		for (;;)
			(void)pause();
	}
	cr_assert_eq(read(ends[0], ret_tid, sizeof *ret_tid), sizeof *ret_tid);
	(void)close(ends[0]);
	(void)close(ends[1]);
	return pid;
}

Test(children, a_traced_thread_holds_nobody_up, .timeout = 30)
{
	static struct journal journal;
	int status;
	pid_t tid;

	journal.root_pid = two_threads(&tid);
	cr_assert_eq(ptrace(PTRACE_SEIZE, tid, NULL, NULL), 0);
	cr_assert_eq(kill(journal.root_pid, SIGKILL), 0);
	children_await_root(&journal);
	cr_expect_eq(atomic_load(&journal.root_state), ROOT_EXITED);
	cr_expect_eq(journal.root_status, SIGKILL);
	/* it is left for who reaps it */
	cr_expect_eq(waitpid(journal.root_pid, &status, 0), journal.root_pid);
}

Test(children, who_is_not_ours_is_not_waited_for, .timeout = 30)
{
	static struct journal journal;
	pid_t tid, other = two_threads(&tid);

	journal.root_pid = 1;
	children_await_root(&journal);
	cr_expect_neq(atomic_load(&journal.root_state), ROOT_EXITED);
	(void)kill(other, SIGKILL);
	(void)waitpid(other, NULL, 0);
}
