/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The filters of guard's own processes: in a simulator, against the list read row by
 * row, and in the kernel. Exercises base/allowlist.c.
 */
#include "config.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/audit.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/allowlist.h"
#include "bpfsim.h"

#if defined(__x86_64__)
enum { OTHER_ARCH = AUDIT_ARCH_I386 };
#define THIS_ARCH AUDIT_ARCH_X86_64
#else
enum { OTHER_ARCH = AUDIT_ARCH_ARM };
#define THIS_ARCH AUDIT_ARCH_AARCH64
#endif

enum { NUMBERS = 600 };

static const struct allowlist_row few[] = {
	{ 0 },
	{ 2 },
	{ 1 },
	{ .number = 3, .error = ENOSYS },
	{ 4 },
	{ .number = 5, .when = { { 2, 4, 0 } } },
	{ 6 },
	{ .number = 10, .when = { { 0, UINT32_MAX, 7 }, { 5, UINT64_MAX, 0x1000000001 } } },
	{ .number = 11, .when = { { 0, 0xff00000000, 0x0100000000 } } },
	{ .number = -10001 },
	{ 470 },
};

static const struct allowlist_row *row_of(const struct allowlist_row *rows, size_t count, int nr)
{
	for (size_t i = 0; i < count; i++) {
		if (rows[i].number == nr)
			return &rows[i];
	}
	return NULL;
}

static uint32_t expected(const struct allowlist_row *row, const struct seccomp_data *data)
{
	if (!row)
		return SECCOMP_RET_ERRNO | EPERM;
	if (row->error)
		return SECCOMP_RET_ERRNO | (uint32_t)row->error;
	for (size_t i = 0; i < ALLOWLIST_CONDITIONS; i++) {
		const struct allowlist_condition *when = &row->when[i];

		if ((data->args[when->argument] & when->mask) != when->value)
			return SECCOMP_RET_ERRNO | EPERM;
	}
	return SECCOMP_RET_ALLOW;
}

/* Every number with arguments that do and do not meet the conditions of FEW. */
static void sweep(const struct allowlist_row *rows, size_t count)
{
	static const uint64_t values[] = { 0, 1, 4, 7, 0x100000000, 0x1000000001, UINT64_MAX };
	struct sock_fprog program;

	cr_assert_eq(allowlist_build(rows, count, &program), 0);
	cr_assert_null(bpfsim_check(&program));
	for (int nr = 0; nr < NUMBERS; nr++) {
		for (size_t i = 0; i < ELEMENTS(values) * ELEMENTS(values); i++) {
			uint64_t a = values[i % ELEMENTS(values)], b = values[i / ELEMENTS(values)];
			struct seccomp_data data = { .nr = nr,
						     .arch = THIS_ARCH,
						     .args = { a, b, a, b, a, b } };
			struct bpfsim_result got = bpfsim_run(&program, &data);

			cr_assert_null(got.error, "%d: %s", nr, got.error);
			cr_assert_eq(got.action, expected(row_of(rows, count, nr), &data),
				     "%d: 0x%x", nr, got.action);
		}
	}
	free(program.filter);
}

Test(allowlist, means_what_its_rows_mean)
{
	sweep(few, ELEMENTS(few));
	sweep(few, 1);
	sweep(NULL, 0);
}

/* Many, no two of which are one, with all conditions that they can
 * have: the search jumps further than a conditional jump can.
 */
Test(allowlist, takes_many)
{
	struct allowlist_row many[200];

	for (size_t i = 0; i < ELEMENTS(many); i++)
		many[i] = (struct allowlist_row){ .number = (int)(ELEMENTS(many) - i) * 2,
						  .when = { { 1, 0xfffffffefffffffe, 4 },
							    { 2, 0x1000000f0, 0 } } };
	for (size_t count = 1; count <= ELEMENTS(many); count += 17)
		sweep(many, count);
	sweep(many, ELEMENTS(many));
}

Test(allowlist, refuses_what_is_wrong)
{
	static const struct allowlist_row twice[] = { { 7 }, { 9 }, { 7 } };
	struct sock_fprog program = { .len = 0 };

	cr_expect_eq(allowlist_build(twice, ELEMENTS(twice), &program), -EINVAL);
	cr_expect_eq(allowlist_build(few, ALLOWLIST_ROWS_MAX + 1, &program), -EINVAL);
	cr_expect_null(program.filter);
}

/* Numbers of another architecture, and x32's, are nobody's on the list. */
Test(allowlist, other_architectures)
{
	struct seccomp_data data = { .nr = 0, .arch = (uint32_t)OTHER_ARCH };
	struct sock_fprog program;

	cr_assert_eq(allowlist_build(few, ELEMENTS(few), &program), 0);
	cr_expect_eq(bpfsim_run(&program, &data).action, SECCOMP_RET_KILL_PROCESS);
	data = (struct seccomp_data){ .nr = 0x40000000, .arch = THIS_ARCH };
	cr_expect_eq(bpfsim_run(&program, &data).action, SECCOMP_RET_ERRNO | EPERM);
	free(program.filter);
}

/* The control arm is the same call before. */
Test(allowlist, holds_in_the_kernel)
{
	static const struct allowlist_row rows[] = { { SYS_exit_group },
						     { SYS_write },
						     { .number = SYS_getppid, .error = ENOSYS } };
	pid_t pid;
	int status = 0;

#ifdef WITH_SANITIZERS
	cr_skip_test("the sanitizers need calls at any time");
#endif
	pid = fork();
	if (pid == 0) {
		bool before = getppid() > 0 && getuid() == geteuid();

		if (!before || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		    allowlist_load(rows, ELEMENTS(rows)) < 0)
			_exit(1);
		if (syscall(SYS_getuid) != -1 || errno != EPERM)
			_exit(2);
		if (syscall(SYS_getppid) != -1 || errno != ENOSYS)
			_exit(3);
		_exit(syscall(SYS_write, -1, "", 0) == -1 && errno == EBADF ? 0 : 4);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0, "0x%x", status);
}
