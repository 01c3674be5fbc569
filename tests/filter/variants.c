/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "variants.h"

/* O_WRONLY, O_RDWR, O_CREAT, O_TRUNC of openat(2) */
static const struct prefilter for_writing = { { TERM_MASK32(2, 01 | 02 | 0100 | 01000) } };
static const struct prefilter anything = { 0 };

const struct filter_variant filter_variants[FILTER_VARIANTS] = {
	{ "nothing" },
	{ "nothing, soft", .no_hardening = true },
	{ "exec", .event = EVENT_EXEC },
	{ "exec, guard protected", .event = EVENT_EXEC, .npids = 1 },
	{ "connect, guard protected", .event = EVENT_CONNECT, .npids = 2, .groups = true },
	{ "connect, translated", .event = EVENT_CONNECT, .foreign = FILTER_FOREIGN_TRANSLATE,
	  .npids = 2, .groups = true },
	{ "group kills", .syscall = "kill", .npids = 3, .groups = true },
	{ "all kills", .syscall = "kill", .prefilter = &anything, .npids = 3, .groups = true },
	{ "writing opens", .syscall = "openat", .prefilter = &for_writing },
	{ "socketcall", .syscall = "socketcall", .foreign = FILTER_FOREIGN_TRANSLATE },
	{ "events", .all_events = true, .npids = 16, .groups = true },
	{ "events, translated, soft", .all_events = true, .foreign = FILTER_FOREIGN_TRANSLATE,
	  .no_hardening = true, .npids = 16 },
	{ "calls", .all_calls = true },
	{ "calls, translated", .all_calls = true, .foreign = FILTER_FOREIGN_TRANSLATE, .npids = 16,
	  .groups = true },
	{ "aarch64: nothing", SYSCALL_ABI_AARCH64 },
	{ "aarch64: connect", SYSCALL_ABI_AARCH64, .event = EVENT_CONNECT, .npids = 2,
	  .groups = true },
	{ "aarch64: calls, translated", SYSCALL_ABI_AARCH64, FILTER_FOREIGN_TRANSLATE,
	  .all_calls = true, .npids = 16, .groups = true },
};

void variant_request(const struct filter_variant *variant, struct filter_request *ret)
{
	filter_request_init(ret);
	ret->foreign = variant->foreign;
	if (variant->no_hardening) {
		ret->refuse_io_uring = false;
		ret->refuse_userfaultfd = false;
		ret->refuse_unknown = false;
	}
	for (enum syscall_id id = 0; id < SYSCALL_COUNT; id++) {
		const struct syscall_row *row = syscall_row(id);

		if (variant->all_calls || (variant->all_events && row->event) ||
		    syscall_serves(id, variant->event))
			filter_request_syscall(ret, id);
		if (variant->syscall && streq(variant->syscall, row->name)) {
			filter_request_syscall(ret, id);
			ret->notify[id].prefilter = variant->prefilter;
		}
	}
	for (size_t i = 0; i < variant->npids; i++) {
		pid_t pid = i == 0   ? GUARD_PID
			    : i == 1 ? GUARD_BIG_PID
				     : GUARD_FIRST_OF_MANY + (pid_t)i;

		(void)filter_request_protect(ret, pid, variant->groups);
	}
}
