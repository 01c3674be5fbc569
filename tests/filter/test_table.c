/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of system calls: its numbers against libseccomp's, and every call
 * that libseccomp or the kernel headers know is in one of our two lists.
 */
#include "config.h"

#include <criterion/criterion.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <stdio.h>

#include "model/syscall.h"

static const uint32_t scmp_arch[SYSCALL_ABI_COUNT] = {
	[SYSCALL_ABI_X86_64] = SCMP_ARCH_X86_64,
	[SYSCALL_ABI_I386] = SCMP_ARCH_X86,
	[SYSCALL_ABI_AARCH64] = SCMP_ARCH_AARCH64,
};

static const char *const rest[] = {
#define REST(name, class) #name,
#include "model/syscalls_rest.def"
#undef REST
};

static bool is_classified(const char *name)
{
	for (enum syscall_id id = 0; id < SYSCALL_COUNT; id++)
		if (streq(syscall_row(id)->name, name))
			return true;
	for (size_t i = 0; i < ELEMENTS(rest); i++)
		if (streq(rest[i], name))
			return true;
	return false;
}

Test(table, numbers_are_those_of_libseccomp)
{
	size_t compared = 0;

	for (enum syscall_id id = 0; id < SYSCALL_COUNT; id++)
		for (enum syscall_abi abi = 0; abi < SYSCALL_ABI_COUNT; abi++) {
			const struct syscall_row *row = syscall_row(id);
			int number = row->numbers[abi];
			_cleanup_free_ char *name = NULL;

			if (number < 0) {
				/* nor does libseccomp know one, or only behind socketcall */
				int known = seccomp_syscall_resolve_name_arch(scmp_arch[abi],
									      row->name);

				cr_expect_lt(known, 0, "%s of %d is %d", row->name, abi, known);
				continue;
			}
			name = seccomp_syscall_resolve_num_arch(scmp_arch[abi], number);
			if (!name)
				continue; /* newer than libseccomp */
			cr_expect_str_eq(name, row->name, "%d of %d", number, abi);
			compared++;
		}
	cr_expect_gt(compared, 350);
}

Test(table, every_number_is_classified)
{
	for (enum syscall_abi abi = 0; abi < SYSCALL_ABI_COUNT; abi++)
		for (int number = 0; number < 1024; number++) {
			_cleanup_free_ char *name =
				seccomp_syscall_resolve_num_arch(scmp_arch[abi], number);

			if (!name)
				continue;
			cr_expect(is_classified(name), "%s (%d) is in neither list", name, number);
			cr_expect_leq(number, SYSCALL_NUMBER_MAX, "%s is above the maximum", name);
		}
}

/* The kernel headers may be newer than libseccomp. */
static bool check_header(const char *path)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0, found = 0;
	FILE *f = fopen(path, "re");
	char name[64];
	int number;

	if (!f)
		return false;
	while (getline(&line, &size, f) >= 0) {
		if (sscanf(line, "#define __NR_%63s %d", name, &number) != 2)
			continue;
		cr_expect(is_classified(name), "%s: %s (%d) is in neither list", path, name,
			  number);
		cr_expect_leq(number, SYSCALL_NUMBER_MAX, "%s: %s is above the maximum", path,
			      name);
		found++;
	}
	(void)fclose(f);
	cr_expect_gt(found, 250, "%s holds no numbers", path);
	return true;
}

Test(table, every_number_of_the_headers_is_classified)
{
	static const char *const headers[] = {
		"/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
		"/usr/include/x86_64-linux-gnu/asm/unistd_32.h",
		"/usr/include/asm/unistd_64.h",
		"/usr/include/asm/unistd_32.h",
	};
	size_t read = 0;

	for (size_t i = 0; i < ELEMENTS(headers); i++)
		read += check_header(headers[i]);
	cr_expect_gt(read, 0, "no kernel headers here");
}

Test(table, no_call_is_in_both_lists_or_twice)
{
	for (size_t i = 0; i < ELEMENTS(rest); i++) {
		for (enum syscall_id id = 0; id < SYSCALL_COUNT; id++)
			cr_expect_str_neq(rest[i], syscall_row(id)->name);
		for (size_t j = i + 1; j < ELEMENTS(rest); j++)
			cr_expect_str_neq(rest[i], rest[j]);
	}
}

Test(table, rows_are_found_by_number)
{
	for (enum syscall_abi abi = 0; abi < SYSCALL_ABI_COUNT; abi++) {
		size_t found = 0, rows = 0;

		for (int number = -2; number < 1100; number++) {
			enum syscall_id id = syscall_by_number(abi, number);

			if (id == SYSCALL_COUNT)
				continue;
			cr_expect_eq(syscall_row(id)->numbers[abi], number);
			found++;
		}
		for (enum syscall_id id = 0; id < SYSCALL_COUNT; id++)
			rows += syscall_row(id)->numbers[abi] >= 0;
		cr_expect_eq(found, rows);
	}
	cr_expect_eq(syscall_by_number(SYSCALL_ABI_COUNT, 1), SYSCALL_COUNT);
	cr_expect_eq(syscall_by_number(SYSCALL_ABI_X86_64, 0x40000000 | 59), SYSCALL_COUNT);
}

Test(table, abis_and_architectures)
{
	for (enum syscall_abi abi = 0; abi < SYSCALL_ABI_COUNT; abi++)
		cr_expect_eq(syscall_abi_of_arch(syscall_arch_of_abi(abi)), abi);
	cr_expect_eq(syscall_abi_of_arch(AUDIT_ARCH_ARM), SYSCALL_ABI_COUNT);
}

/* What a row says fits together. */
Test(table, rows_are_consistent)
{
	for (enum syscall_id id = 0; id < SYSCALL_COUNT; id++) {
		const struct syscall_row *row = syscall_row(id);
		const struct prefilter *when = syscall_prefilter(id);

		cr_expect_leq(row->arity, 6, "%s", row->name);
		cr_expect_leq(row->socketcall, 20, "%s", row->name);
		for (size_t i = 0; i < ELEMENTS(when->terms); i++) {
			if (when->terms[i].kind != TERM_NONE)
				cr_expect_lt(when->terms[i].arg, row->arity, "%s", row->name);
			cr_expect_leq(when->terms[i].nvalues, (unsigned)TERM_VALUES_MAX);
		}
		if (row->handler == HANDLER_EXEC)
			cr_expect(syscall_serves(id, EVENT_EXEC), "%s", row->name);
	}
	cr_expect(syscall_serves(SYSCALL_connect, EVENT_CONNECT));
	cr_expect_not(syscall_serves(SYSCALL_connect, EVENT_EXEC));
	cr_expect_not(syscall_serves(SYSCALL_clone, EVENT_NONE));
}
