/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pinned.h - files that rules name, known again under other names. */
#pragma once
#include "engine/decide.h"
#include "kernel/pins.h"
#include "kernel/programs.h"
#include "policy/config.h"

/* What a keeper looks at once, before its first supervisor: one that takes over
 * knows what was there at the start, whatever was renamed since.
 */
struct pinned {
	struct pins *sockets;      /* the ruleset's peers, then unix_passthrough; NULL = none */
	struct programs *programs; /* likewise of rules with `pin` */
};

/* 0, or -ENOMEM; what was made is freed in any case by pinned_done(). */
int pinned_init(const struct ruleset *ruleset, const struct config *config, struct pinned *ret);
void pinned_done(struct pinned *pinned);

/* Adds to D, the decision of REQUEST, what rules with `pin` say where the program of the
 * process is one that they name, under another name.
 */
void pinned_decide(struct programs *programs, const struct decide_request *request,
		   struct decision *d);
