/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/attacks/contest.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/lib/t-do.h"

/* As many as there are processors on a small machine: guard works on one, they on all. */
enum { RACERS = 2 };
/* Of each kind there must be some; and the seconds that a race is given beyond its own
 * where the machine serves others, too.
 */
enum { SOME = 11, PATIENCE = 60, CAUGHT_PER_SECOND = 15 };
enum { LINGER = 1500, ACCOMPLICE_NICE = -5 };

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void *contest_shared(unsigned long size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		exit(setup_failed("mmap"));
	return p;
}

static void linger(unsigned *seed)
{
	unsigned turns = (unsigned)rand_r(seed) % LINGER;

	for (volatile unsigned i = 0; i < turns; i++)
		;
	/* whoever judges shall not have to wait for the end of a time slice */
	if (turns % 2)
		(void)sched_yield();
}

void contest_change(_Atomic bool *stop, void (*set)(void *data, bool evil), void *data)
{
	unsigned seed = (unsigned)getpid();

	/* where others use the machine as well, it shall run while the call does */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), ACCOMPLICE_NICE);
	while (!*stop) {
		set(data, true);
		linger(&seed);
		set(data, false);
		linger(&seed);
	}
}

bool contest_goes_on(const struct contest *c)
{
	/* a race that is lost is lost */
	bool enough = c->wins || (c->caught >= c->wanted &&
				  (!c->wanted || (c->refused >= SOME && c->done >= SOME)));
	double t = now();

	return t < c->end || (!enough && t < c->patience);
}

int contest_run(const char *quota, contest_racer *racer, char **args)
{
	struct contest *c = contest_shared(sizeof *c);
	pid_t pids[RACERS];
	int status, result = T_OK;
	char *rest;

	c->end = now() + strtod(quota, &rest);
	c->wanted = *rest == ':' ? strtol(rest + 1, NULL, 10) : 0;
	c->patience = c->end + PATIENCE + (double)c->wanted / CAUGHT_PER_SECOND;
	for (int i = 0; i < RACERS; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			exit(racer(c, args));
		}
	}
	for (int i = 0; i < RACERS; i++) {
		if (waitpid(pids[i], &status, 0) != pids[i] || !WIFEXITED(status))
			result = setup_failed("a racer died");
		else if (WEXITSTATUS(status) != T_OK)
			result = WEXITSTATUS(status);
	}
	(void)printf("attempts %ld caught %ld refused %ld done %ld odd %ld wins %ld\n", c->attempts,
		     c->caught, c->refused, c->done, c->odd, c->wins);
	return result == T_OK && c->wins ? T_FAILED : result;
}
