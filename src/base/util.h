/* SPDX-License-Identifier: GPL-3.0-or-later */
/* util.h - the handful of macros and helpers that every file may use.
 *
 * Cleanup attributes follow one rule: a variable that owns something says so
 * in its declaration, and TAKE()/TAKE_FD() is the only way to let go of it.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define CONTAINER_OF(pointer, type, member)                                                        \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* Hands over the pointer and leaves NULL behind, so that the cleanup of the
 * variable has nothing left to do.
 */
#define TAKE(pointer)                                                                              \
	({                                                                                         \
		__typeof__(pointer) taken_ = (pointer);                                            \
		(pointer) = NULL;                                                                  \
		taken_;                                                                            \
	})
#define TAKE_FD(fd)                                                                                \
	({                                                                                         \
		int taken_fd_ = (fd);                                                              \
		(fd) = -1;                                                                         \
		taken_fd_;                                                                         \
	})

#define PRINTF_LIKE(text, first) __attribute__((__format__(__printf__, text, first)))
#define FALLTHROUGH              __attribute__((fallthrough))
#define UNUSED                   __attribute__((unused))

/* Of a buffer that something fills before it is read, and that is read no further than
 * it was filled: not cleared first (-ftrivial-auto-var-init), which for some KiB costs
 * more than what is done with it.
 */
#if defined(__has_attribute)
#if __has_attribute(uninitialized)
#define UNCLEARED __attribute__((uninitialized))
#endif
#endif
#ifndef UNCLEARED
#define UNCLEARED
#endif

static inline void cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}

static inline void cleanup_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

#define _cleanup_(function) __attribute__((cleanup(function)))
#define _cleanup_free_      _cleanup_(cleanup_free)
#define _cleanup_close_     _cleanup_(cleanup_close)

static inline bool streq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* Nanoseconds since the epoch, and since boot without the time asleep. */
int64_t now_realtime_ns(void);
int64_t now_monotonic_ns(void);

/* Writes all of it: 0, or -errno. Retries EINTR and short writes. */
int write_full(int fd, const void *data, size_t size);

/* Reads up to SIZE bytes until end of file: count, or -errno. */
ssize_t read_full(int fd, void *data, size_t size);

/* The whole of PATH, NUL-terminated, at most LIMIT bytes (-EFBIG beyond).
 * The caller frees *ret.
 */
int read_file(const char *path, size_t limit, char **ret, size_t *ret_size);

/* Strict decimal or (with base 0) C-style number: 0, -EINVAL or -ERANGE. */
int parse_int64(const char *text, int base, int64_t *ret);

/* Moves FD to a number of at least MINIMUM with FD_CLOEXEC set and closes the
 * old one. On failure FD is untouched: the new number, or -errno.
 */
int fd_move_above(int fd, int minimum);

/* fork(2), as process WANTED where that is free and may be chosen (clone3 with set_tid
 * takes CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN); 0 = any. The caller must be
 * single-threaded.
 */
pid_t fork_as(pid_t wanted);
