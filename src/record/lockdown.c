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

static const int allowed[] = {
	/* link and sinks */
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(connect),
	SCMP_SYS(getsockopt),
	SCMP_SYS(write),
	SCMP_SYS(pread64),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(fcntl),
	SCMP_SYS(close),
	SCMP_SYS(memfd_create),
	SCMP_SYS(flock),
	SCMP_SYS(ftruncate),
	/* memory, time and the end */
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(futex),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

/* Allowed where the argument, masked, has this value. */
static const struct {
	int number;
	unsigned argument;
	scmp_datum_t mask, value;
} narrowed[] = {
	{ SCMP_SYS(socket), 0, UINT32_MAX, AF_UNIX },
	{ SCMP_SYS(mmap), 2, PROT_EXEC, 0 },
	{ SCMP_SYS(mprotect), 2, PROT_EXEC, 0 },
	{ SCMP_SYS(ioctl), 1, UINT32_MAX, TCGETS }, /* isatty(3) */
};

static int add_rules(scmp_filter_ctx filter)
{
	int error = 0;

	for (size_t i = 0; i < ELEMENTS(allowed) && error == 0; i++)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; i < ELEMENTS(narrowed) && error == 0; i++)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, narrowed[i].number, 1,
					 SCMP_CMP(narrowed[i].argument, SCMP_CMP_MASKED_EQ,
						  narrowed[i].mask, narrowed[i].value));
	return error;
}

int lockdown(struct err *err)
{
	scmp_filter_ctx filter;
	int error;

	tzset();
	json_object_seed(0);
#ifdef WITH_SANITIZERS
	return 0;
#endif
	filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!filter)
		return err_set(err, -ENOMEM, "out of memory");
	/* privilege_drop() has set it; were it missing, loading should fail */
	error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
	if (error == 0)
		/* a search, not a chain: the kernel tries every number while loading */
		error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (error == 0)
		error = add_rules(filter);
	if (error == 0)
		error = seccomp_load(filter);
	seccomp_release(filter);
	return error < 0 ? err_errno(err, error, "cannot load the recorder's own filter") : 0;
}
