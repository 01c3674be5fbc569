/* SPDX-License-Identifier: GPL-3.0-or-later */
/* target.h - reading the memory and descriptors of a parked task.
 *
 * Everything read here is MEM: the workload can change it before and after.
 * A caller that acts on it checks notify_valid() after the last read, and
 * never lets the kernel read the same memory again for a blocking verdict.
 */
#pragma once
#include "base/arena.h"
#include "model/event.h"

enum {
	/* fs/exec.c: a string of argv or envp has at most 32 pages */
	TARGET_STRING_MAX = 32 * 4096,
	/* all of argv and envp: 3/4 of the largest stack that the kernel counts
	 * (_STK_LIM / 4 * 3, fs/exec.c) is 6 MiB */
	TARGET_VECTOR_MAX = 6 * 1024 * 1024,
};

/* One process_vm_readv(2). Bytes read (may be short at an unmapped page), or
 * -EFAULT, -EPERM (the task may not be read), -ESRCH.
 */
ssize_t target_read(pid_t tid, uint64_t address, void *buf, size_t size);

/* The same in the other direction: bytes written. For results that a call leaves in
 * memory.
 */
ssize_t target_write(pid_t tid, uint64_t address, const void *buf, size_t size);

/* As the kernel itself would copy it, when the task gives it the address: also from
 * pages that may be written but not read. Costs nothing more where plain reading works.
 */
ssize_t target_copy(pid_t tid, uint64_t address, void *buf, size_t size);

/* A NUL-terminated string, read page by page. Its length, -EFAULT,
 * -ENAMETOOLONG when no NUL comes within SIZE bytes, -EPERM, -ESRCH.
 */
ssize_t target_read_string(pid_t tid, uint64_t address, char *buf, size_t size);

/* A NULL-terminated vector of string pointers of WORD bytes each (8, or 4 for
 * i386). The pointers are read in pages, the strings in one spanning read where
 * they lie close together. Address 0 is an empty list, as in execve(2). 0,
 * -EFAULT, -E2BIG beyond TARGET_VECTOR_MAX, -ENOMEM when the arena is full.
 */
int target_read_vector(pid_t tid, uint64_t address, unsigned word, struct arena *arena,
		       struct string_list *ret);

/* A pidfd for the task, thread or leader (PIDFD_THREAD, Linux 6.9; before that
 * only leaders). -errno on failure.
 */
int target_pidfd(pid_t tid);

/* Our duplicate of the task's descriptor FD, close-on-exec. -EBADF as the task
 * itself would get it, -EPERM, -ESRCH.
 */
int target_getfd(int pidfd, int fd);
