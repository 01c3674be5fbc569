/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "record/lockdown.h"

#include <errno.h>
#include <jansson.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#include "base/allowlist.h"

static const struct allowlist_row allowed[] = {
	/* link and sinks */
	ALLOWLIST_CALL(recvmsg),
	ALLOWLIST_CALL(sendmsg),
	ALLOWLIST_CALL(sendto),
	ALLOWLIST_CALL(poll),
	ALLOWLIST_CALL(ppoll),
	ALLOWLIST_CALL(connect),
	ALLOWLIST_CALL(getsockopt),
	ALLOWLIST_CALL(write),
	ALLOWLIST_CALL(pread64),
	ALLOWLIST_CALL(fstat),
	ALLOWLIST_CALL(newfstatat),
	ALLOWLIST_CALL(fcntl),
	ALLOWLIST_CALL(close),
	ALLOWLIST_CALL(memfd_create),
	ALLOWLIST_CALL(flock),
	ALLOWLIST_CALL(ftruncate),
	/* memory, time and the end */
	ALLOWLIST_CALL(brk),
	ALLOWLIST_CALL(munmap),
	ALLOWLIST_CALL(mremap),
	ALLOWLIST_CALL(madvise),
	ALLOWLIST_CALL(futex),
	ALLOWLIST_CALL(clock_gettime),
	ALLOWLIST_CALL(gettimeofday),
	ALLOWLIST_CALL(time),
	ALLOWLIST_CALL(getpid),
	ALLOWLIST_CALL(gettid),
	ALLOWLIST_CALL(rt_sigprocmask),
	ALLOWLIST_CALL(rt_sigreturn),
	ALLOWLIST_CALL(restart_syscall),
	ALLOWLIST_CALL(exit),
	ALLOWLIST_CALL(exit_group),
	/* in one form only */
	{ .number = SCMP_SYS(socket), .when = { { 0, UINT32_MAX, AF_UNIX } } },
	{ .number = SCMP_SYS(mmap), .when = { { 2, PROT_EXEC, 0 } } },
	{ .number = SCMP_SYS(mprotect), .when = { { 2, PROT_EXEC, 0 } } },
	{ .number = SCMP_SYS(ioctl), .when = { { 1, UINT32_MAX, TCGETS } } }, /* isatty(3) */
};

int lockdown(struct err *err)
{
	int error;

	tzset();
	json_object_seed(0);
#ifdef WITH_SANITIZERS
	return 0;
#endif
	/* privilege_drop() has set no_new_privs; were it missing, loading should fail */
	error = allowlist_load(allowed, ELEMENTS(allowed));
	return error < 0 ? err_errno(err, error, "cannot load the recorder's own filter") : 0;
}
