/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fuzz_policy.c - any bytes as a policy file: YAML, keys, conditions, macros,
 * actions, expressions, and the places that messages point at.
 *
 *	./configure CC=clang --enable-fuzzing && make
 *	tests/fuzz/fuzz_policy -dict=tests/fuzz/policy.dict DIR tests/fuzz/corpus/policy
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>

#include "policy/ruleset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A row must point into the file, and its caret into its line. */
static void check_row(const struct diag *row)
{
	if (row->source && row->caret > strlen(row->source))
		abort();
	if (!row->message || row->line > 1u << 24)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	const char *paths[] = { path };
	const struct ruleset_options options = { .paths = paths, .npaths = 1, .unwatched = true };
	struct ruleset *set = NULL;
	struct diags diags = { 0 };
	struct err err = { 0 };
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int fd = memfd_create("policy", MFD_CLOEXEC);

	if (fd < 0 || null < 0 || write_full(fd, data, size) < 0)
		abort();
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (ruleset_load(&options, &set, &diags, &err) == 0 && set->nrules == 0)
		abort();
	for (size_t i = 0; i < diags.count; i++) {
		check_row(&diags.rows[i]);
		diag_print(null, &diags.rows[i]);
	}
	ruleset_free(set);
	diags_done(&diags);
	(void)close(fd);
	(void)close(null);
	return 0;
}
