/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bpfsim.h - runs a seccomp filter in the test program instead of the kernel.
 *
 * Knows the subset of classic BPF that guard's generator emits, checks every
 * step as the kernel would at load time, and tells what the program looked at.
 */
#pragma once
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>

struct bpfsim_result {
	uint32_t action;   /* SECCOMP_RET_* with its data */
	bool read_args;    /* looked beyond architecture and number */
	const char *error; /* NULL, or why the program is not valid */
};

struct bpfsim_result bpfsim_run(const struct sock_fprog *program, const struct seccomp_data *data);

/* Looks at every instruction, reachable or not: NULL, or what is wrong. */
const char *bpfsim_check(const struct sock_fprog *program);
