/* SPDX-License-Identifier: GPL-3.0-or-later */
/* syscall.h - the system calls that guard knows, as data.
 *
 * The rows are in syscalls.def. A row is found by architecture and number in
 * constant time; numbers that have no row are of no interest to guard.
 */
#pragma once
#include "model/event.h"

enum syscall_id {
#define SYSCALL(name, x86_64, i386, socketcall, aarch64, arity, event, provenance, handler)        \
	SYSCALL_##name,
#include "model/syscalls.def"
	SYSCALL_COUNT
};

/* The columns of numbers. x32 has none: guard refuses it. */
enum syscall_abi { SYSCALL_ABI_X86_64, SYSCALL_ABI_I386, SYSCALL_ABI_AARCH64, SYSCALL_ABI_COUNT };

#if defined(__x86_64__) && !defined(__ILP32__)
#define SYSCALL_ABI_NATIVE SYSCALL_ABI_X86_64
#elif defined(__aarch64__)
#define SYSCALL_ABI_NATIVE SYSCALL_ABI_AARCH64
#else
#error "guard runs on x86_64 and aarch64"
#endif

enum {
	/* The highest number that the tables classify, on each architecture. */
	SYSCALL_NUMBER_MAX = 470,
	SYSCALL_X32_BIT = 0x40000000,
};

/* Where the arguments that decide are kept (design: provenance). */
enum provenance {
	PROVENANCE_REG,  /* registers: they cannot change */
	PROVENANCE_KERN, /* kernel objects, reached by a descriptor or pid */
	PROVENANCE_MEM,  /* the caller's memory: can change until the call is over */
};

/* Who decodes and performs a notified call; the table of functions is the
 * engine's. NONE: the call is filtered, nobody decodes it.
 */
enum syscall_handler {
	HANDLER_NONE,
	HANDLER_EXEC,
	HANDLER_CONNECT,
	HANDLER_SENDTO,
	HANDLER_SENDMSG,
	HANDLER_SENDMMSG,
	HANDLER_BIND,
	HANDLER_PACKED,     /* addresses in a form that is not judged */
	HANDLER_SOCKETCALL, /* i386: arguments and real call are in memory */
	HANDLER_REGISTERS,  /* all that decides is in registers */
	HANDLER_KILL,       /* to everybody or to a group */
	HANDLER_PIDFD_SIGNAL,
	HANDLER_TARGET, /* names a process or thread, which may be guard's */
};

/* One condition on a register argument. A pointer or length is compared in
 * both halves, an int in its low half only: the kernel ignores the rest, so
 * must the filter.
 */
enum term_kind {
	TERM_NONE,                /* always true */
	TERM_KIND_NONZERO64,      /* any of 64 bits is set */
	TERM_KIND_EQ32,           /* low half is one of VALUES */
	TERM_KIND_MASK32,         /* low half has a bit of VALUES[0] */
	TERM_KIND_NOT_POSITIVE32, /* low half is <= 0 as an int */
};

enum { TERM_VALUES_MAX = 4, PREFILTER_TERMS_MAX = 2 };

struct term {
	enum term_kind kind;
	unsigned arg; /* 0 to 5 */
	unsigned nvalues;
	uint32_t values[TERM_VALUES_MAX];
};

#define TERM_NONZERO64(arg)                                                                        \
	{                                                                                          \
		TERM_KIND_NONZERO64, arg, 0,                                                       \
		{                                                                                  \
			0                                                                          \
		}                                                                                  \
	}
#define TERM_MASK32(arg, mask)                                                                     \
	{                                                                                          \
		TERM_KIND_MASK32, arg, 1,                                                          \
		{                                                                                  \
			mask                                                                       \
		}                                                                                  \
	}
#define TERM_NOT_POSITIVE32(arg)                                                                   \
	{                                                                                          \
		TERM_KIND_NOT_POSITIVE32, arg, 0,                                                  \
		{                                                                                  \
			0                                                                          \
		}                                                                                  \
	}
#define TERM_EQ32(arg, ...)                                                                        \
	{                                                                                          \
		TERM_KIND_EQ32, arg, ELEMENTS(((const uint32_t[]){ __VA_ARGS__ })),                \
		{                                                                                  \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}

/* Every term must hold; the empty prefilter always does. */
struct prefilter {
	struct term terms[PREFILTER_TERMS_MAX];
};

struct syscall_row {
	const char *name;
	int numbers[SYSCALL_ABI_COUNT]; /* -1 = the architecture has none */
	unsigned socketcall;            /* i386: also call number of socketcall(2); 0 = not */
	unsigned arity;
	enum event_type event; /* that it serves, see also syscall_serves() */
	enum provenance provenance;
	enum syscall_handler handler;
};

const struct syscall_row *syscall_row(enum syscall_id id);

/* The register conditions of the row, empty for most. Lives for ever. */
const struct prefilter *syscall_prefilter(enum syscall_id id);

/* True when the call can be an event of this type. */
bool syscall_serves(enum syscall_id id, enum event_type type);

/* True when the call is notified only for rules that can refuse it. */
bool syscall_to_refuse(enum syscall_id id);

/* The row of a number; SYSCALL_COUNT when there is none. */
enum syscall_id syscall_by_number(enum syscall_abi abi, int number);

/* From and to AUDIT_ARCH_*; SYSCALL_ABI_COUNT for an unknown one. */
enum syscall_abi syscall_abi_of_arch(uint32_t audit_arch);
uint32_t syscall_arch_of_abi(enum syscall_abi abi);
