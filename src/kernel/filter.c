/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/filter.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

enum {
	ALLOW = SECCOMP_RET_ALLOW,
	NOTIFY = SECCOMP_RET_USER_NOTIF,
	REFUSE = SECCOMP_RET_ERRNO | EPERM,
	ABSENT = SECCOMP_RET_ERRNO | ENOSYS,
};

enum protect_kind { PROTECT_PID, PROTECT_PGRP, PROTECT_ALWAYS };

struct protect_row {
	enum syscall_id id;
	enum protect_kind kind;
	unsigned arg;
	bool negative;
	struct prefilter only_if;
};

static const struct protect_row protect_rows[] = {
#define PROTECT(name, arg, ...) { SYSCALL_##name, PROTECT_PID, arg, false, { { __VA_ARGS__ } } },
#define PROTECT_GROUP(name, arg, negative, ...)                                                    \
	{ SYSCALL_##name, PROTECT_PGRP, arg, negative, { { __VA_ARGS__ } } },
#define PROTECT_IF(name, ...) { SYSCALL_##name, PROTECT_ALWAYS, 0, false, { { __VA_ARGS__ } } },
#include "model/syscalls.def"
};

static const struct {
	enum syscall_id id;
	size_t enabled; /* offset of the switch in the request */
} harden_rows[] = {
#define SWITCH_IO_URING     offsetof(struct filter_request, refuse_io_uring)
#define SWITCH_USERFAULTFD  offsetof(struct filter_request, refuse_userfaultfd)
#define HARDEN(name, which) { SYSCALL_##name, SWITCH_##which },
#include "model/syscalls.def"
};

/* The program in the making. Once it is too long, or a jump too far, nothing
 * more is written and filter_build() fails.
 */
struct code {
	struct sock_filter *insns;
	size_t len;
	bool overflow;
};

/* One system call of one architecture. */
struct target {
	const struct filter_request *request;
	enum syscall_abi abi;
	enum syscall_id id;
};

static size_t emit(struct code *code, uint16_t op, uint32_t k, size_t jump_true, size_t jump_false)
{
	if (code->len >= BPF_MAXINSNS || jump_true > UINT8_MAX || jump_false > UINT8_MAX) {
		code->overflow = true;
		return code->len;
	}
	code->insns[code->len] =
		(struct sock_filter)BPF_JUMP(op, k, (uint8_t)jump_true, (uint8_t)jump_false);
	return code->len++;
}

static size_t emit_jump(struct code *code, uint16_t test, uint32_t k, size_t jump_true,
			size_t jump_false)
{
	return emit(code, BPF_JMP | test | BPF_K, k, jump_true, jump_false);
}

static void emit_load(struct code *code, size_t offset)
{
	(void)emit(code, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void emit_return(struct code *code, uint32_t action)
{
	(void)emit(code, BPF_RET | BPF_K, action, 0, 0);
}

/* Lets the jump at INSN, when its test fails, go to what comes next. */
static void land_false(struct code *code, size_t insn)
{
	size_t distance = code->len - insn - 1;

	if (code->overflow)
		return;
	if (distance > UINT8_MAX)
		code->overflow = true;
	else
		code->insns[insn].jf = (uint8_t)distance;
}

/* Both ABIs with 64-bit registers that guard knows are little-endian. */
static size_t low_half(unsigned arg)
{
	return offsetof(struct seccomp_data, args) + arg * sizeof(uint64_t);
}

static size_t high_half(unsigned arg)
{
	return low_half(arg) + sizeof(uint32_t);
}

/* A test of the low half against COUNT values. Returns the last jump, which
 * the caller lets go elsewhere when nothing was equal.
 */
static size_t emit_equal(struct code *code, unsigned arg, const uint32_t *values, size_t count)
{
	size_t last = 0;

	emit_load(code, low_half(arg));
	for (size_t i = 0; i < count; i++)
		last = emit_jump(code, BPF_JEQ, values[i], count - 1 - i, 0);
	return last;
}

/* What is emitted next runs when the term holds. Returns the jump that the
 * caller lets go elsewhere when it does not; SIZE_MAX for a term without test.
 */
static size_t emit_term(struct code *code, const struct term *term)
{
	switch (term->kind) {
	case TERM_KIND_NONZERO64:
		emit_load(code, high_half(term->arg));
		(void)emit_jump(code, BPF_JEQ, 0, 0, 2);
		emit_load(code, low_half(term->arg));
		return emit_jump(code, BPF_JGT, 0, 0, 0);
	case TERM_KIND_MASK32:
		emit_load(code, low_half(term->arg));
		return emit_jump(code, BPF_JSET, term->values[0], 0, 0);
	case TERM_KIND_NOT_POSITIVE32:
		emit_load(code, low_half(term->arg));
		(void)emit_jump(code, BPF_JEQ, 0, 1, 0);
		return emit_jump(code, BPF_JSET, 0x80000000, 0, 0);
	case TERM_KIND_EQ32: return emit_equal(code, term->arg, term->values, term->nvalues);
	case TERM_NONE: break;
	}
	return SIZE_MAX;
}

/* A clause: ACTION when all conditions hold, else on with what comes next.
 * VALUES (NULL = no such condition) are what argument ARG may equal. Returns
 * false when the clause has no conditions, so that nothing comes next.
 */
static bool emit_clause(struct code *code, uint32_t action, unsigned arg, const uint32_t *values,
			size_t nvalues, const struct prefilter *only_if)
{
	size_t ways_out[1 + PREFILTER_TERMS_MAX], n = 0;

	if (values)
		ways_out[n++] = emit_equal(code, arg, values, nvalues);
	for (size_t i = 0; i < PREFILTER_TERMS_MAX; i++) {
		size_t jump = emit_term(code, &only_if->terms[i]);

		if (jump != SIZE_MAX)
			ways_out[n++] = jump;
	}
	emit_return(code, action);
	for (size_t i = 0; i < n; i++)
		land_false(code, ways_out[i]);
	return n > 0;
}

static void emit_protection(struct code *code, const struct filter_request *request,
			    const struct protect_row *row)
{
	const pid_t *ids = row->kind == PROTECT_PID ? request->pids : request->groups;
	size_t n = row->kind == PROTECT_PID ? request->npids : request->ngroups;
	uint32_t values[FILTER_PIDS_MAX];

	if (row->kind == PROTECT_ALWAYS) {
		if (request->npids > 0)
			(void)emit_clause(code, REFUSE, 0, NULL, 0, &row->only_if);
		return;
	}
	if (n == 0)
		return;
	for (size_t i = 0; i < n; i++)
		values[i] = (uint32_t)(row->negative ? -ids[i] : ids[i]);
	(void)emit_clause(code, REFUSE, row->arg, values, n, &row->only_if);
}

static bool is_hardened(const struct filter_request *request, enum syscall_id id)
{
	for (size_t i = 0; i < ELEMENTS(harden_rows); i++) {
		const char *enabled = (const char *)request + harden_rows[i].enabled;

		if (harden_rows[i].id == id && *(const bool *)enabled)
			return true;
	}
	return false;
}

/* The numbers by which socketcall(2) reaches wanted calls. The arguments of
 * those are in memory, so their prefilters do not apply.
 */
static size_t socketcalls_wanted(const struct filter_request *request,
				 uint32_t calls[SYSCALL_COUNT])
{
	size_t n = 0;

	for (enum syscall_id id = 0; id < SYSCALL_COUNT; id++)
		if (request->notify[id].wanted && syscall_row(id)->socketcall)
			calls[n++] = syscall_row(id)->socketcall;
	return n;
}

/* Returns false when nothing comes after the notification. */
static bool emit_notification(struct code *code, const struct target *target)
{
	const struct prefilter *prefilter = target->request->notify[target->id].prefilter;
	uint32_t calls[SYSCALL_COUNT];
	size_t n;

	if (target->request->notify[target->id].wanted)
		return emit_clause(code, NOTIFY, 0, NULL, 0,
				   prefilter ? prefilter : syscall_prefilter(target->id));
	if (target->id != SYSCALL_socketcall)
		return true;
	n = socketcalls_wanted(target->request, calls);
	if (n > 0)
		(void)emit_clause(code, NOTIFY, 0, calls, n, &(const struct prefilter){ 0 });
	return true;
}

/* Everything about one call, from the comparison of its number on. Nothing is
 * left behind when it is always allowed. Returns whether an argument is read.
 */
static bool emit_target(struct code *code, const struct target *target)
{
	size_t start = code->len, entry;
	bool conditional = false;

	entry = emit_jump(code, BPF_JEQ, (uint32_t)syscall_row(target->id)->numbers[target->abi], 0,
			  0);
	if (is_hardened(target->request, target->id)) {
		emit_return(code, ABSENT);
	} else {
		for (size_t i = 0; i < ELEMENTS(protect_rows); i++)
			if (protect_rows[i].id == target->id)
				emit_protection(code, target->request, &protect_rows[i]);
		conditional = code->len > entry + 1;
		if (emit_notification(code, target)) {
			conditional = conditional || code->len > entry + 1;
			emit_return(code, ALLOW);
		}
		if (code->len == entry + 2 && code->insns[entry + 1].k == ALLOW)
			code->len = start;
	}
	if (code->len > start)
		land_false(code, entry);
	return conditional;
}

static void emit_architecture(struct code *code, const struct filter_request *request,
			      enum syscall_abi abi)
{
	size_t skip;

	/* a section may be longer than a conditional jump reaches */
	(void)emit_jump(code, BPF_JEQ, syscall_arch_of_abi(abi), 1, 0);
	skip = emit(code, BPF_JMP | BPF_JA, 0, 0, 0);

	emit_load(code, offsetof(struct seccomp_data, nr));
	/* a tracer sets -1 to skip a call and gives the result itself */
	(void)emit_jump(code, BPF_JEQ, (uint32_t)-1, 0, 1);
	emit_return(code, ALLOW);
	(void)emit_jump(code, BPF_JGT,
			request->refuse_unknown ? SYSCALL_NUMBER_MAX : SYSCALL_X32_BIT - 1, 0, 1);
	emit_return(code, ABSENT);
	for (int pass = 0; pass < 2; pass++)
		for (enum syscall_id id = 0; id < SYSCALL_COUNT; id++) {
			const struct target target = { request, abi, id };
			size_t start = code->len;

			if (syscall_row(id)->numbers[abi] >= 0 &&
			    emit_target(code, &target) != (pass == 0))
				code->len = start;
		}
	emit_return(code, ALLOW);
	if (!code->overflow)
		code->insns[skip].k = (uint32_t)(code->len - skip - 1);
}

void filter_request_init(struct filter_request *request)
{
	*request = (struct filter_request){
		.foreign = FILTER_FOREIGN_REFUSE,
		.refuse_io_uring = true,
		.refuse_userfaultfd = true,
		.refuse_unknown = true,
	};
}

void filter_request_syscall(struct filter_request *request, enum syscall_id id)
{
	request->notify[id].wanted = true;
}

void filter_request_event(struct filter_request *request, enum event_type type)
{
	for (enum syscall_id id = 0; id < SYSCALL_COUNT; id++)
		if (syscall_serves(id, type))
			filter_request_syscall(request, id);
}

int filter_request_protect(struct filter_request *request, pid_t pid, bool own_group)
{
	if (pid < 1)
		return -EINVAL;
	if (request->npids == FILTER_PIDS_MAX)
		return -ENOSPC;
	request->pids[request->npids++] = pid;
	if (own_group) /* never more groups than processes */
		request->groups[request->ngroups++] = pid;
	return 0;
}

int filter_build(const struct filter_request *request, enum syscall_abi native,
		 struct sock_fprog *ret)
{
	_cleanup_free_ struct sock_filter *insns = NULL;
	struct code code = { 0 };

	insns = calloc(BPF_MAXINSNS, sizeof(*insns));
	if (!insns)
		return -ENOMEM;
	code.insns = insns;

	emit_load(&code, offsetof(struct seccomp_data, arch));
	emit_architecture(&code, request, native);
	if (request->foreign == FILTER_FOREIGN_TRANSLATE && native == SYSCALL_ABI_X86_64)
		emit_architecture(&code, request, SYSCALL_ABI_I386);
	emit_return(&code, ABSENT);
	if (code.overflow)
		return -E2BIG;
	*ret = (struct sock_fprog){ .len = (unsigned short)code.len, .filter = TAKE(insns) };
	return 0;
}

void filter_done(struct sock_fprog *program)
{
	free(program->filter);
	*program = (struct sock_fprog){ 0 };
}

unsigned filter_best_flags(void)
{
	unsigned flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;

	/* flags are checked before the program is read: EFAULT = all known */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, NULL) < 0 && errno == EFAULT)
		return flags;
	return SECCOMP_FILTER_FLAG_NEW_LISTENER;
}

int filter_load(const struct sock_fprog *program, unsigned flags)
{
	long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, program);

	return fd < 0 ? -errno : (int)fd;
}
