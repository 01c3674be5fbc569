/* SPDX-License-Identifier: GPL-3.0-or-later */
/* heritage.h - what execve(2) keeps and fork(2) does not.
 *
 * Whoever starts guard in place of a command has perhaps prepared the process for it:
 * a timer that is to end it, a signal that waits, the part of a subreaper. The command
 * is guard's child and would lack all that. So guard takes it from itself and the stub
 * puts it on again. What cannot be moved is in the list of guard(7).
 */
#pragma once
#include <signal.h>
#include <sys/time.h>

#include "base/util.h"

enum { HERITAGE_TIMERS = 3, HERITAGE_SIGNALS = 64 };

struct heritage {
	struct sigaction child; /* the disposition of SIGCHLD */
	int subreaper;
	struct itimerval timers[HERITAGE_TIMERS]; /* ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF */
	siginfo_t waiting[HERITAGE_SIGNALS]; /* blocked by BLOCKED and pending; more are lost */
	size_t nwaiting;
};

/* Takes it from the calling process, in which every signal is blocked. BLOCKED are the
 * signals that the command is to find blocked. From then on SIGCHLD has its default
 * effect: who ignores it is not told how children end.
 */
void heritage_take(const sigset_t *blocked, struct heritage *ret);

/* Gives it to the calling process, in which every signal is blocked. Only system calls. */
void heritage_give(const struct heritage *heritage);
