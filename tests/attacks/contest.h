/* SPDX-License-Identifier: GPL-3.0-or-later */
/* contest.h - what all races have in common: several run side by side, each with an
 * accomplice, until enough was caught.
 *
 * Caught is a call that was judged while what it named was harmless, and that came back
 * (or was killed) when it had become the forbidden one: a change between judgement and
 * use that did no harm. Harm itself is counted by the victim.
 */
#pragma once
#include <stdbool.h>

/* Shared by all who take part. */
struct contest {
	double end, patience;
	long wanted;
	_Atomic long attempts, refused, done, caught;
	_Atomic long wins, odd; /* of execs, where the racer itself is told */
};

/* One racer: runs as long as contest_goes_on() and counts. Returns T_OK, or another one
 * when it could not be set up. ARGS begin behind the quota.
 */
typedef int contest_racer(struct contest *c, char **args);

/* QUOTA is SECONDS[:CAUGHT]: at least so long, and until so many were caught and some
 * were refused, but not for ever. Prints the counts.
 */
int contest_run(const char *quota, contest_racer *racer, char **args);

bool contest_goes_on(const struct contest *c);

/* The accomplice: SET makes what is named evil, and good again, in turn, until *STOP. Both
 * sides live a random while, so that every order of looks and changes comes up:
 * good-evil as well as good-evil-good.
 */
void contest_change(_Atomic bool *stop, void (*set)(void *data, bool evil), void *data);

/* Memory that children share; ends the program when there is none. */
void *contest_shared(unsigned long size);
