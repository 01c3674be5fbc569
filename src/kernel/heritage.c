/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/heritage.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static void take_waiting(const sigset_t *blocked, struct heritage *h)
{
	static const struct timespec at_once = { 0 };

	while (h->nwaiting < ELEMENTS(h->waiting)) {
		if (sigtimedwait(blocked, &h->waiting[h->nwaiting], &at_once) > 0)
			h->nwaiting++;
		else if (errno != EINTR)
			return;
	}
}

void heritage_take(const sigset_t *blocked, struct heritage *ret)
{
	static const struct itimerval off = { { 0 }, { 0 } };

	*ret = (struct heritage){ .nwaiting = 0 };
	(void)sigaction(SIGCHLD, &(struct sigaction){ .sa_handler = SIG_DFL }, &ret->child);
	(void)prctl(PR_GET_CHILD_SUBREAPER, &ret->subreaper, 0, 0, 0);
	for (int i = 0; i < HERITAGE_TIMERS; i++)
		(void)setitimer(i, &off, &ret->timers[i]);
	take_waiting(blocked, ret);
}

void heritage_give(const struct heritage *heritage)
{
	(void)sigaction(SIGCHLD, &heritage->child, NULL);
	if (heritage->subreaper)
		(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	for (int i = 0; i < HERITAGE_TIMERS; i++)
		(void)setitimer(i, &heritage->timers[i], NULL);
	/* to itself a process may send in any name, the kernel's included */
	for (size_t i = 0; i < heritage->nwaiting; i++)
		(void)syscall(SYS_rt_sigqueueinfo, getpid(), heritage->waiting[i].si_signo,
			      &heritage->waiting[i]);
}
