/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/notify.h"

#include <errno.h>
#include <sys/ioctl.h>

/* linux/seccomp.h of Debian 12 (6.1) does not have it yet. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS      SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

int notify_receive(int listener, struct seccomp_notif *ret)
{
	memset(ret, 0, sizeof *ret);
	return ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, ret) < 0 ? -errno : 0;
}

int notify_valid(int listener, uint64_t id)
{
	return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) < 0 ? -errno : 0;
}

static int send_response(int listener, struct seccomp_notif_resp *response)
{
	int r;

	/* it is interrupted not by signals alone, but also by what a ring has to do */
	do
		r = ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, response) < 0 ? -errno : 0;
	while (r == -EINTR);
	return r;
}

int notify_return(int listener, uint64_t id, int64_t retval)
{
	struct seccomp_notif_resp response = { .id = id, .val = retval };

	return send_response(listener, &response);
}

int notify_fail(int listener, uint64_t id, int error)
{
	struct seccomp_notif_resp response = { .id = id, .error = -error };

	return send_response(listener, &response);
}

int notify_continue(int listener, uint64_t id)
{
	struct seccomp_notif_resp response = { .id = id,
					       .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };

	return send_response(listener, &response);
}

int notify_set_sync(int listener)
{
	return ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP) <
			       0
		       ? -errno
		       : 0;
}
