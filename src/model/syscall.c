/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "model/syscall.h"

#include <linux/audit.h>

static const struct syscall_row rows[SYSCALL_COUNT] = {
#define SYSCALL(name, x86_64, i386, socketcall, aarch64, arity, event, provenance, handler)        \
	[SYSCALL_##name] = { #name,         { x86_64, i386, aarch64 }, socketcall,       arity,    \
			     EVENT_##event, PROVENANCE_##provenance,   HANDLER_##handler },
#include "model/syscalls.def"
};

static const struct prefilter prefilters[SYSCALL_COUNT] = {
#define PREFILTER(name, ...) [SYSCALL_##name] = { { __VA_ARGS__ } },
#include "model/syscalls.def"
};

static const enum event_type second_events[SYSCALL_COUNT] = {
#define ALSO(name, event) [SYSCALL_##name] = EVENT_##event,
#include "model/syscalls.def"
};

static const bool to_refuse[SYSCALL_COUNT] = {
#define TO_REFUSE(name) [SYSCALL_##name] = true,
#include "model/syscalls.def"
};

/* Number to row. A row that lacks the architecture takes a slot of its own
 * above all numbers, so that a number given twice does not compile
 * (-Woverride-init). Slots hold id + 1, 0 = no row.
 */
enum { SLOTS = 512 };
#define SLOT(number, id) ((number) >= 0 ? (number) : SLOTS + (id))

static const uint8_t index_by_number[SYSCALL_ABI_COUNT][SLOTS + SYSCALL_COUNT] = {
	[SYSCALL_ABI_X86_64] = {
#define SYSCALL(name, x86_64, i386, socketcall, aarch64, arity, event, provenance, handler)        \
	[SLOT(x86_64, SYSCALL_##name)] = SYSCALL_##name + 1,
#include "model/syscalls.def"
	},
	[SYSCALL_ABI_I386] = {
#define SYSCALL(name, x86_64, i386, socketcall, aarch64, arity, event, provenance, handler)        \
	[SLOT(i386, SYSCALL_##name)] = SYSCALL_##name + 1,
#include "model/syscalls.def"
	},
	[SYSCALL_ABI_AARCH64] = {
#define SYSCALL(name, x86_64, i386, socketcall, aarch64, arity, event, provenance, handler)        \
	[SLOT(aarch64, SYSCALL_##name)] = SYSCALL_##name + 1,
#include "model/syscalls.def"
	},
};
_Static_assert((int)SYSCALL_COUNT < UINT8_MAX, "the index holds bytes");
_Static_assert((int)SYSCALL_NUMBER_MAX < (int)SLOTS, "every known number has a slot");

static const uint32_t archs[SYSCALL_ABI_COUNT] = {
	[SYSCALL_ABI_X86_64] = AUDIT_ARCH_X86_64,
	[SYSCALL_ABI_I386] = AUDIT_ARCH_I386,
	[SYSCALL_ABI_AARCH64] = AUDIT_ARCH_AARCH64,
};

const struct syscall_row *syscall_row(enum syscall_id id)
{
	return &rows[id];
}

const struct prefilter *syscall_prefilter(enum syscall_id id)
{
	return &prefilters[id];
}

bool syscall_serves(enum syscall_id id, enum event_type type)
{
	return type != EVENT_NONE && (rows[id].event == type || second_events[id] == type);
}

bool syscall_to_refuse(enum syscall_id id)
{
	return to_refuse[id];
}

enum syscall_id syscall_by_number(enum syscall_abi abi, int number)
{
	uint8_t slot;

	if (abi >= SYSCALL_ABI_COUNT || number < 0 || number >= SLOTS)
		return SYSCALL_COUNT;
	slot = index_by_number[abi][number];
	return slot ? (enum syscall_id)(slot - 1) : SYSCALL_COUNT;
}

enum syscall_abi syscall_abi_of_arch(uint32_t audit_arch)
{
	enum syscall_abi abi = 0;

	while (abi < SYSCALL_ABI_COUNT && archs[abi] != audit_arch)
		abi++;
	return abi;
}

uint32_t syscall_arch_of_abi(enum syscall_abi abi)
{
	return archs[abi];
}
