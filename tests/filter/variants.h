/* SPDX-License-Identifier: GPL-3.0-or-later */
/* variants.h - the filters that the tests generate, as data. */
#pragma once
#include "kernel/filter.h"

/* Guard's processes as the variants know them. */
enum { GUARD_PID = 1234, GUARD_BIG_PID = 4194303, GUARD_FIRST_OF_MANY = 2000 };

struct filter_variant {
	const char *name;
	enum syscall_abi native;
	enum filter_foreign foreign;
	bool no_hardening;
	bool all_events;                   /* every row that serves an event */
	bool all_calls;                    /* every row */
	enum event_type event;             /* rows that serve this event */
	const char *syscall;               /* one more row, by its name */
	const struct prefilter *prefilter; /* of that one */
	size_t npids; /* guard's processes; the first two are always the named ones */
	bool groups;  /* each leads a group of its own */
};

enum { FILTER_VARIANTS = 17 };
extern const struct filter_variant filter_variants[FILTER_VARIANTS];

void variant_request(const struct filter_variant *variant, struct filter_request *ret);
