/* SPDX-License-Identifier: GPL-3.0-or-later */
/* script.h - "#!" lines as the kernel reads them (fs/binfmt_script.c). */
#pragma once
#include "kernel/resolve.h"

/* The kernel looks at this much of a file (BINPRM_BUF_SIZE). */
enum { SCRIPT_LINE_MAX = 256, SCRIPT_DEPTH_MAX = 5 };

struct script_line {
	char interpreter[SCRIPT_LINE_MAX];
	char argument[SCRIPT_LINE_MAX]; /* "" = none */
};

/* The first line of the file behind the O_PATH descriptor FD. 1; 0 when it is
 * no script, or none that guard may read; -errno when it cannot be read now: -EIO,
 * -EINTR, no descriptor or memory left.
 */
int script_read(int fd, struct script_line *ret);

/* Whether the program DEVICE:INODE with the first argument ARGV0 is what running
 * the script behind FD leads to, for task TGID: 1, 0 or -errno.
 */
int script_runs(const struct resolve_host *host, pid_t tgid, int fd, const char *argv0,
		uint64_t device, uint64_t inode);

/* The program that the script behind FD leads to, through nested scripts: an
 * O_PATH descriptor; 0 when FD is no script; -errno.
 */
int script_interpreter(const struct resolve_host *host, pid_t tid, pid_t tgid, int fd);
