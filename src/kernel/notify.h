/* SPDX-License-Identifier: GPL-3.0-or-later */
/* notify.h - the seccomp user notification descriptor (seccomp_unotify(2)).
 *
 * Thin, exact wrappers: one ioctl each, results as 0 or -errno. -ENOENT from
 * any of them means that the caller is gone (killed, or its call was
 * interrupted): normal, never an error of guard.
 */
#pragma once
#include <linux/seccomp.h>

#include "base/util.h"

/* Receives the next notification into *ret. The kernel demands a zeroed
 * buffer; this zeroes it. -ENOENT: the caller died before we looked, poll for
 * POLLHUP before the next try (Linux >= 5.x returns at once for ever when no
 * task is left).
 */
int notify_receive(int listener, struct seccomp_notif *ret);

/* 0 while the call is still parked, -ENOENT when it is gone. Whatever was
 * read about the task before this returned 0 was read about the right task.
 */
int notify_valid(int listener, uint64_t id);

/* The call returns RETVAL without being made. */
int notify_return(int listener, uint64_t id, int64_t retval);

/* The call fails with ERROR (a positive errno); the kernel's internal
 * ERESTARTSYS (512) makes it restart or return EINTR as the caller's signal
 * handler asks, and must only be used while a signal is pending.
 */
int notify_fail(int listener, uint64_t id, int error);

/* The kernel makes the call, reading the caller's memory again. */
int notify_continue(int listener, uint64_t id);

/* SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (Linux 6.6): the one switch that decides
 * between 5 and 50 microseconds a call. -EINVAL where it does not exist.
 */
int notify_set_sync(int listener);

enum { NOTIFY_ERESTARTSYS = 512 };
