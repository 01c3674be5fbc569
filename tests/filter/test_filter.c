/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every filter variant in the simulator, for all numbers, architectures and
 * boundary arguments, against an oracle that reads the rows but knows nothing
 * of BPF; and single verdicts written out by hand, which pin the rows.
 */
#include "config.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/audit.h>

#include "bpfsim.h"
#include "../unit/rows.h"
#include "variants.h"

enum {
	ALLOW = SECCOMP_RET_ALLOW,
	NOTIFY = SECCOMP_RET_USER_NOTIF,
	REFUSE = SECCOMP_RET_ERRNO | EPERM,
	ABSENT = SECCOMP_RET_ERRNO | ENOSYS,
};

/* ---- the oracle ---- */

struct oracle_row {
	int kind; /* 1 process, 2 group, 3 always */
	enum syscall_id id;
	int arg, negative;
	struct term terms[PREFILTER_TERMS_MAX];
};

static const struct oracle_row protections[] = {
#define PROTECT(name, arg, ...) { 1, SYSCALL_##name, arg, 0, { __VA_ARGS__ } },
#define PROTECT_GROUP(name, arg, negative, ...)                                                    \
	{ 2, SYSCALL_##name, arg, negative, { __VA_ARGS__ } },
#define PROTECT_IF(name, ...) { 3, SYSCALL_##name, 0, 0, { __VA_ARGS__ } },
#include "model/syscalls.def"
};

static bool term_true(const struct term *term, const struct seccomp_data *data)
{
	uint64_t value = data->args[term->arg];
	int number = (int)(value & 0xffffffff);

	if (term->kind == TERM_KIND_NONZERO64)
		return value != 0;
	if (term->kind == TERM_KIND_MASK32)
		return (number & (int)term->values[0]) != 0;
	if (term->kind == TERM_KIND_NOT_POSITIVE32)
		return number <= 0;
	if (term->kind == TERM_KIND_EQ32) {
		for (unsigned i = 0; i < term->nvalues; i++)
			if (number == (int)term->values[i])
				return true;
		return false;
	}
	return true;
}

static bool aims_at_guard(const struct filter_request *request, enum syscall_id id,
			  const struct seccomp_data *data)
{
	for (size_t i = 0; i < ELEMENTS(protections); i++) {
		const struct oracle_row *row = &protections[i];
		int target = (int)(data->args[row->arg] & 0xffffffff);

		if (row->id != id || !term_true(&row->terms[0], data) ||
		    !term_true(&row->terms[1], data))
			continue;
		if (row->kind == 3 && request->npids > 0)
			return true;
		for (size_t p = 0; row->kind == 1 && p < request->npids; p++)
			if (target == request->pids[p])
				return true;
		for (size_t g = 0; row->kind == 2 && g < request->ngroups; g++)
			if (target == (row->negative ? -request->groups[g] : request->groups[g]))
				return true;
	}
	return false;
}

static bool is_notified(const struct filter_request *request, enum syscall_id id,
			const struct seccomp_data *data)
{
	const struct prefilter *when = request->notify[id].prefilter;

	if (request->notify[id].wanted) {
		if (!when)
			when = syscall_prefilter(id);
		return term_true(&when->terms[0], data) && term_true(&when->terms[1], data);
	}
	if (id != SYSCALL_socketcall)
		return false;
	for (enum syscall_id other = 0; other < SYSCALL_COUNT; other++)
		if (request->notify[other].wanted && syscall_row(other)->socketcall != 0 &&
		    syscall_row(other)->socketcall == (uint32_t)data->args[0])
			return true;
	return false;
}

static uint32_t oracle(const struct filter_request *request, enum syscall_abi native,
		       const struct seccomp_data *data)
{
	enum syscall_abi abi;
	enum syscall_id id;

	if (native == SYSCALL_ABI_X86_64 && data->arch == AUDIT_ARCH_X86_64)
		abi = SYSCALL_ABI_X86_64;
	else if (native == SYSCALL_ABI_AARCH64 && data->arch == AUDIT_ARCH_AARCH64)
		abi = SYSCALL_ABI_AARCH64;
	else if (native == SYSCALL_ABI_X86_64 && data->arch == AUDIT_ARCH_I386 &&
		 request->foreign == FILTER_FOREIGN_TRANSLATE)
		abi = SYSCALL_ABI_I386;
	else
		return ABSENT;
	if (data->nr == -1)
		return ALLOW;
	if (data->nr < 0 || data->nr >= 0x40000000)
		return ABSENT;
	if (request->refuse_unknown && data->nr > SYSCALL_NUMBER_MAX)
		return ABSENT;
	for (id = 0; id < SYSCALL_COUNT; id++)
		if (syscall_row(id)->numbers[abi] == data->nr)
			break;
	if (id == SYSCALL_COUNT)
		return ALLOW;
	if (request->refuse_io_uring && strncmp(syscall_row(id)->name, "io_uring_", 9) == 0)
		return ABSENT;
	if (request->refuse_userfaultfd && streq(syscall_row(id)->name, "userfaultfd"))
		return ABSENT;
	if (aims_at_guard(request, id, data))
		return REFUSE;
	return is_notified(request, id, data) ? NOTIFY : ALLOW;
}

/* ---- the sweep ---- */

static const uint64_t boundary[] = {
	0,
	1,
	2,
	4,
	9,
	10,
	19,
	INT32_MAX,
	1ull << 31,
	UINT32_MAX,
	1ull << 32,
	(1ull << 32) + 1,
	(1ull << 32) + 9,
	UINT64_MAX,
	GUARD_PID,
	GUARD_PID | 0xdead00000000ull,
	(uint32_t)-GUARD_PID,
	(uint64_t)-GUARD_PID,
	GUARD_BIG_PID,
	GUARD_BIG_PID | 1ull << 63,
	GUARD_FIRST_OF_MANY + 15,
};

static const uint32_t archs[] = {
	AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM, 0, UINT32_MAX
};

struct sweep {
	const struct filter_variant *variant;
	struct filter_request request;
	struct sock_fprog program;
	size_t runs;
};

static void compare(struct sweep *sweep, const struct seccomp_data *data)
{
	struct bpfsim_result got = bpfsim_run(&sweep->program, data);
	uint32_t want = oracle(&sweep->request, sweep->variant->native, data);

	sweep->runs++;
	if (!got.error && got.action == want)
		return;
	cr_assert_fail(
		"%s: arch %#x nr %#x (%#llx, %#llx, %#llx, %#llx, %#llx): %#x (%s), want %#x",
		sweep->variant->name, data->arch, (unsigned)data->nr,
		(unsigned long long)data->args[0], (unsigned long long)data->args[1],
		(unsigned long long)data->args[2], (unsigned long long)data->args[3],
		(unsigned long long)data->args[4], got.action, got.error ? got.error : "-", want);
}

static bool has_row(int number)
{
	for (enum syscall_abi abi = 0; abi < SYSCALL_ABI_COUNT; abi++)
		if (syscall_by_number(abi, number) != SYSCALL_COUNT)
			return true;
	return false;
}

/* One argument at each boundary value; with PAIRS two at a time, since no row
 * tests more. The others are FILL.
 */
static void sweep_arguments(struct sweep *sweep, struct seccomp_data data, bool pairs,
			    uint64_t fill)
{
	for (int i = 0; i < 6; i++)
		data.args[i] = fill;
	for (int i = 0; i < 6; i++) {
		for (size_t v = 0; v < ELEMENTS(boundary); v++) {
			data.args[i] = boundary[v];
			compare(sweep, &data);
			for (int j = i + 1; pairs && j < 6; j++) {
				for (size_t w = 0; w < ELEMENTS(boundary); w++) {
					data.args[j] = boundary[w];
					compare(sweep, &data);
				}
				data.args[j] = fill;
			}
		}
		data.args[i] = fill;
	}
}

static void sweep_numbers(struct sweep *sweep, uint32_t arch)
{
	bool pairs = syscall_abi_of_arch(arch) != SYSCALL_ABI_COUNT;
	static const uint32_t odd[] = { 0x3fffffff, 0x40000000, 0x7fffffff, 0x80000000,
					0xbfffffff, 0xfffffffe, UINT32_MAX };
	struct seccomp_data data = { .arch = arch };

	for (int number = 0; number < 1024; number++) {
		data.nr = number;
		sweep_arguments(sweep, data, pairs && has_row(number), 0);
		/* x32 carries the architecture of x86_64 and a bit in the number */
		data.nr = SYSCALL_X32_BIT | number;
		compare(sweep, &data);
	}
	for (size_t i = 0; i < ELEMENTS(odd); i++) {
		data.nr = (int)odd[i];
		sweep_arguments(sweep, data, false, UINT64_MAX);
	}
}

ROWS_TEST(filter, every_call, filter_variants)
{
	struct sweep sweep = { .variant = r };
	const char *wrong;

	variant_request(r, &sweep.request);
	cr_assert_eq(filter_build(&sweep.request, r->native, &sweep.program), 0);
	wrong = bpfsim_check(&sweep.program);
	cr_assert_null(wrong, "%s", wrong);
	for (size_t i = 0; i < ELEMENTS(archs); i++)
		sweep_numbers(&sweep, archs[i]);
	cr_expect_gt(sweep.runs, 1000000);
	filter_done(&sweep.program);
}

/* ---- the action cache ---- */

/* Calls that no row gives conditions are judged by architecture and number
 * alone, so that the kernel's action cache covers them.
 */
Test(filter, plain_calls_stay_in_the_action_cache)
{
	static const char *const hot[] = { "read",   "write", "futex", "epoll_wait", "mmap",
					   "openat", "close", "clone", "brk",        "recvfrom" };
	static const int numbers[] = { 0, 1, 202, 232, 9, 257, 3, 56, 12, 45 };
	struct filter_request request;
	struct sock_fprog program;

	filter_request_init(&request);
	filter_request_syscall(&request, SYSCALL_execve);
	filter_request_syscall(&request, SYSCALL_connect);
	filter_request_syscall(&request, SYSCALL_sendto);
	filter_request_syscall(&request, SYSCALL_kill);
	cr_assert_eq(filter_request_protect(&request, GUARD_PID, true), 0);
	cr_assert_eq(filter_build(&request, SYSCALL_ABI_X86_64, &program), 0);
	for (size_t i = 0; i < ELEMENTS(hot); i++) {
		struct seccomp_data data = { .nr = numbers[i], .arch = AUDIT_ARCH_X86_64 };
		struct bpfsim_result got = bpfsim_run(&program, &data);

		cr_expect_eq(got.action, (uint32_t)ALLOW, "%s", hot[i]);
		cr_expect_not(got.read_args, "%s reads arguments", hot[i]);
	}
	filter_done(&program);
}

/* ---- verdicts by hand ---- */

struct verdict_row {
	const char *what;
	uint32_t arch;
	uint32_t nr;
	uint64_t args[6];
	uint32_t want;
};

/* exec, connect family, group kills; guard is GUARD_PID, in a group of its own */
static const struct verdict_row verdicts[] = {
	{ "execve", AUDIT_ARCH_X86_64, 59, { 0 }, NOTIFY },
	{ "execveat", AUDIT_ARCH_X86_64, 322, { 0 }, NOTIFY },
	{ "connect", AUDIT_ARCH_X86_64, 42, { 3 }, NOTIFY },
	{ "sendto, connected", AUDIT_ARCH_X86_64, 44, { 3, 1, 1, 0, 0, 0 }, ALLOW },
	{ "sendto, address", AUDIT_ARCH_X86_64, 44, { 3, 1, 1, 0, 0x1000, 16 }, NOTIFY },
	{ "sendto, at 4 GiB", AUDIT_ARCH_X86_64, 44, { 3, 1, 1, 0, 1ull << 32, 16 }, NOTIFY },
	{ "getpid", AUDIT_ARCH_X86_64, 39, { 0 }, ALLOW },
	{ "no call", AUDIT_ARCH_X86_64, UINT32_MAX, { 0 }, ALLOW },
	{ "newer than guard", AUDIT_ARCH_X86_64, SYSCALL_NUMBER_MAX + 1, { 0 }, ABSENT },
	{ "x32 execve", AUDIT_ARCH_X86_64, 0x40000000 + 520, { 0 }, ABSENT },
	{ "x32 number of 64", AUDIT_ARCH_X86_64, 0x40000000 + 59, { 0 }, ABSENT },
	{ "i386 execve", AUDIT_ARCH_I386, 11, { 0 }, NOTIFY },
	{ "i386 59 is olduname", AUDIT_ARCH_I386, 59, { 0 }, ALLOW },
	{ "i386 connect", AUDIT_ARCH_I386, 362, { 3 }, NOTIFY },
	{ "i386 socketcall connect", AUDIT_ARCH_I386, 102, { 3 }, NOTIFY },
	{ "i386 socketcall sendto", AUDIT_ARCH_I386, 102, { 11 }, NOTIFY },
	{ "i386 socketcall sendmsg", AUDIT_ARCH_I386, 102, { 16 }, NOTIFY },
	{ "i386 socketcall sendmmsg", AUDIT_ARCH_I386, 102, { 20 }, NOTIFY },
	{ "i386 socketcall socket", AUDIT_ARCH_I386, 102, { 1 }, ALLOW },
	{ "i386 io_uring", AUDIT_ARCH_I386, 425, { 0 }, ABSENT },
	{ "i386 kill", AUDIT_ARCH_I386, 37, { GUARD_PID, 9 }, REFUSE },
	{ "arm", AUDIT_ARCH_ARM, 4, { 0 }, ABSENT },
	{ "aarch64", AUDIT_ARCH_AARCH64, 64, { 0 }, ABSENT },
	{ "io_uring_setup", AUDIT_ARCH_X86_64, 425, { 8 }, ABSENT },
	{ "io_uring_enter", AUDIT_ARCH_X86_64, 426, { 3 }, ABSENT },
	{ "io_uring_register", AUDIT_ARCH_X86_64, 427, { 3 }, ABSENT },
	{ "userfaultfd", AUDIT_ARCH_X86_64, 323, { 0 }, ABSENT },
	{ "kill guard", AUDIT_ARCH_X86_64, 62, { GUARD_PID, 15 }, REFUSE },
	{ "kill guard, 0", AUDIT_ARCH_X86_64, 62, { GUARD_PID, 0 }, REFUSE },
	{ "kill guard, junk", AUDIT_ARCH_X86_64, 62, { 7ull << 32 | GUARD_PID, 9 }, REFUSE },
	{ "kill another", AUDIT_ARCH_X86_64, 62, { GUARD_PID + 1, 9 }, NOTIFY },
	{ "kill another, SIGTERM", AUDIT_ARCH_X86_64, 62, { GUARD_PID + 1, 15 }, ALLOW },
	{ "kill its group", AUDIT_ARCH_X86_64, 62, { (uint64_t)-GUARD_PID, 15 }, REFUSE },
	{ "kill its group, 32", AUDIT_ARCH_X86_64, 62, { (uint32_t)-GUARD_PID, 9 }, REFUSE },
	{ "kill all", AUDIT_ARCH_X86_64, 62, { UINT64_MAX, 9 }, NOTIFY },
	{ "stop all", AUDIT_ARCH_X86_64, 62, { UINT32_MAX, 19 }, NOTIFY },
	{ "kill own group", AUDIT_ARCH_X86_64, 62, { 0, 9 }, NOTIFY },
	{ "kill own group, junk", AUDIT_ARCH_X86_64, 62, { 1ull << 32, 1ull << 32 | 9 }, NOTIFY },
	{ "kill a group", AUDIT_ARCH_X86_64, 62, { (uint64_t)-77, 19 }, NOTIFY },
	{ "terminate all", AUDIT_ARCH_X86_64, 62, { UINT64_MAX, 15 }, ALLOW },
	{ "tkill", AUDIT_ARCH_X86_64, 200, { GUARD_PID, 9 }, REFUSE },
	{ "tgkill", AUDIT_ARCH_X86_64, 234, { GUARD_PID, 5, 9 }, REFUSE },
	{ "rt_sigqueueinfo", AUDIT_ARCH_X86_64, 129, { GUARD_PID, 9 }, REFUSE },
	{ "rt_tgsigqueueinfo", AUDIT_ARCH_X86_64, 297, { GUARD_PID, 5, 9 }, REFUSE },
	{ "pidfd_open", AUDIT_ARCH_X86_64, 434, { GUARD_PID }, REFUSE },
	{ "pidfd_send_signal", AUDIT_ARCH_X86_64, 424, { 3, 9 }, NOTIFY },
	{ "pidfd_send_signal TERM", AUDIT_ARCH_X86_64, 424, { 3, 15 }, ALLOW },
	{ "ptrace", AUDIT_ARCH_X86_64, 101, { 16, GUARD_PID }, REFUSE },
	{ "ptrace another", AUDIT_ARCH_X86_64, 101, { GUARD_PID, 5 }, ALLOW },
	{ "process_vm_readv", AUDIT_ARCH_X86_64, 310, { GUARD_PID }, REFUSE },
	{ "process_vm_writev", AUDIT_ARCH_X86_64, 311, { GUARD_PID }, REFUSE },
	{ "kcmp, first", AUDIT_ARCH_X86_64, 312, { GUARD_PID, 5 }, REFUSE },
	{ "kcmp, second", AUDIT_ARCH_X86_64, 312, { 5, GUARD_PID }, REFUSE },
	{ "kcmp, others", AUDIT_ARCH_X86_64, 312, { 5, 6, GUARD_PID }, ALLOW },
	{ "get_robust_list", AUDIT_ARCH_X86_64, 274, { GUARD_PID }, REFUSE },
	{ "prlimit64", AUDIT_ARCH_X86_64, 302, { GUARD_PID, 7 }, REFUSE },
	{ "prlimit64, own", AUDIT_ARCH_X86_64, 302, { 0, 7 }, ALLOW },
	{ "sched_setaffinity", AUDIT_ARCH_X86_64, 203, { GUARD_PID }, REFUSE },
	{ "sched_setscheduler", AUDIT_ARCH_X86_64, 144, { GUARD_PID }, REFUSE },
	{ "sched_setparam", AUDIT_ARCH_X86_64, 142, { GUARD_PID }, REFUSE },
	{ "sched_setattr", AUDIT_ARCH_X86_64, 314, { GUARD_PID }, REFUSE },
	{ "setpriority, process", AUDIT_ARCH_X86_64, 141, { 0, GUARD_PID }, REFUSE },
	{ "setpriority, group", AUDIT_ARCH_X86_64, 141, { 1, GUARD_PID }, REFUSE },
	{ "setpriority, user", AUDIT_ARCH_X86_64, 141, { 2, GUARD_PID }, ALLOW },
	{ "ioprio_set, process", AUDIT_ARCH_X86_64, 251, { 1, GUARD_PID }, REFUSE },
	{ "ioprio_set, group", AUDIT_ARCH_X86_64, 251, { 2, GUARD_PID }, REFUSE },
	{ "migrate_pages", AUDIT_ARCH_X86_64, 256, { GUARD_PID }, REFUSE },
	{ "move_pages", AUDIT_ARCH_X86_64, 279, { GUARD_PID }, REFUSE },
	{ "perf_event_open", AUDIT_ARCH_X86_64, 298, { 5, GUARD_PID }, REFUSE },
	{ "setpgid", AUDIT_ARCH_X86_64, 109, { GUARD_PID, 0 }, REFUSE },
	{ "F_SETSIG KILL", AUDIT_ARCH_X86_64, 72, { 3, 10, 9 }, REFUSE },
	{ "F_SETSIG IO", AUDIT_ARCH_X86_64, 72, { 3, 10, 29 }, ALLOW },
	{ "F_SETFD", AUDIT_ARCH_X86_64, 72, { 3, 2, 9 }, ALLOW },
};

ROWS_TEST(filter, verdict, verdicts)
{
	struct seccomp_data data = { .nr = (int)r->nr, .arch = r->arch };
	struct bpfsim_result got;
	struct filter_request request;
	struct sock_fprog program;

	filter_request_init(&request);
	request.foreign = FILTER_FOREIGN_TRANSLATE;
	filter_request_event(&request, EVENT_EXEC);
	filter_request_event(&request, EVENT_CONNECT);
	filter_request_syscall(&request, SYSCALL_kill);
	filter_request_syscall(&request, SYSCALL_pidfd_send_signal);
	cr_assert_eq(filter_request_protect(&request, GUARD_PID, true), 0);
	cr_assert_eq(filter_build(&request, SYSCALL_ABI_X86_64, &program), 0);
	memcpy(data.args, r->args, sizeof(data.args));
	got = bpfsim_run(&program, &data);
	cr_expect_null(got.error);
	cr_expect_eq(got.action, r->want, "%s: %#x, want %#x", r->what, got.action, r->want);
	filter_done(&program);
}

/* ---- the request ---- */

Test(filter, refuses_impossible_processes)
{
	struct filter_request request;

	filter_request_init(&request);
	cr_expect_eq(filter_request_protect(&request, 0, false), -EINVAL);
	cr_expect_eq(filter_request_protect(&request, -5, false), -EINVAL);
	for (int i = 0; i < FILTER_PIDS_MAX; i++)
		cr_assert_eq(filter_request_protect(&request, 100 + i, true), 0);
	cr_expect_eq(filter_request_protect(&request, 99, false), -ENOSPC);
}
