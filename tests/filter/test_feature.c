/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Feature detection: an outer filter takes a system call away, and the report
 * must say so, for that feature and for those that rest on it alone.
 */
#include "config.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../unit/rows.h"
#include "kernel/feature.h"
#include "kernel/filter.h"

enum { NO_CALL = -1 };

/* What a child finds out about itself. */
struct findings {
	struct feature_report report;
	struct err err;
	int required;
	bool prepared; /* the world of the row could be made */
};

static struct findings *shared_findings(void)
{
	void *page = mmap(NULL, sizeof(struct findings), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	cr_assert_neq(page, MAP_FAILED);
	return page;
}

/* An outer filter: ACTION for one call, the rest allowed. FLAGS may ask for a
 * listener, which then nobody reads.
 */
static bool take_away(int number, uint32_t action, unsigned flags)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { ELEMENTS(insns), insns };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && filter_load(&program, flags) >= 0;
}

static const bool both_events[EVENT_COUNT] = { [EVENT_EXEC] = true, [EVENT_CONNECT] = true };

static void look(struct findings *ret)
{
	ret->prepared = true;
	feature_probe(&ret->report);
	ret->required = feature_run_end(feature_run_begin(), both_events, &ret->err);
}

static void end_of(pid_t pid)
{
	int status;

	cr_assert_geq(pid, 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status), "the prober itself was killed");
}

struct absent_row {
	int number;
	uint32_t action;
	unsigned flags;
	enum feature feature;
	const char *reason;  /* part of it */
	const char *refusal; /* part of the line of feature_run_end(); NULL = it starts */
};

#define ERRNO(code) (SECCOMP_RET_ERRNO | (code))

static const struct absent_row absent_rows[] = {
	{ SYS_memfd_create, ERRNO(ENOSYS), 0, FEATURE_MEMFD, "not in this kernel", "memfd" },
	{ SYS_prctl, ERRNO(EINVAL), 0, FEATURE_SUBREAPER, "not known", "subreaper" },
	{ SYS_pidfd_open, ERRNO(ENOSYS), 0, FEATURE_PIDFD, "not in this kernel", "pidfd" },
	{ SYS_pidfd_open, ERRNO(EPERM), 0, FEATURE_PIDFD_THREAD, "refused", "pidfd" },
	{ SYS_pidfd_getfd, ERRNO(EPERM), 0, FEATURE_PIDFD_GETFD, "refused", "pidfd_getfd" },
	{ SYS_process_vm_readv, ERRNO(EPERM), 0, FEATURE_PROCESS_VM_READV, "refused",
	  "process_vm_readv" },
	{ SYS_ptrace, ERRNO(EPERM), 0, FEATURE_PTRACE, "refused", "ptrace" },
	{ SYS_ptrace, SECCOMP_RET_KILL_PROCESS, 0, FEATURE_PTRACE, "signal 31", "ptrace" },
	{ SYS_openat2, ERRNO(ENOSYS), 0, FEATURE_OPENAT2, "not in this kernel", "openat2" },
	{ SYS_openat2, ERRNO(EINVAL), 0, FEATURE_RESOLVE_CACHED, "not known", "openat2" },
	{ SYS_io_uring_setup, ERRNO(ENOSYS), 0, FEATURE_IO_URING, "not in this kernel", NULL },
	{ SYS_io_uring_setup, ERRNO(EPERM), 0, FEATURE_IO_URING, "refused", NULL },
	{ SYS_fanotify_init, ERRNO(EPERM), 0, FEATURE_FANOTIFY_PERMISSION, "refused", NULL },
	{ SYS_clone3, ERRNO(ENOSYS), 0, FEATURE_SET_TID, "not in this kernel", NULL },
	{ SYS_seccomp, ERRNO(ENOSYS), 0, FEATURE_USER_NOTIFICATION, "not in this kernel",
	  "user_notification" },
	{ SYS_seccomp, ERRNO(EINVAL), 0, FEATURE_WAIT_KILLABLE, "not known", "user_notification" },
	{ SYS_seccomp, ERRNO(EPERM), 0, FEATURE_LISTENER, "refused", "user_notification" },
	{ SYS_ioctl, ERRNO(EINVAL), 0, FEATURE_SYNC_WAKE_UP, "not known", NULL },
	{ SYS_ioctl, ERRNO(EINVAL), 0, FEATURE_ADDFD, "not known", NULL },
	{ SYS_ioctl, ERRNO(ENOTTY), 0, FEATURE_PIDFD_INFO, "not in this kernel", NULL },
	/* guard in guard: the outer one has the listener */
	{ NO_CALL, ERRNO(ENOSYS), SECCOMP_FILTER_FLAG_NEW_LISTENER, FEATURE_LISTENER,
	  "inside guard", "listener" },
	/* any filter of an unprivileged parent brings no_new_privs with it */
	{ NO_CALL, ERRNO(ENOSYS), 0, FEATURE_SETUID_PROGRAMS, "no_new_privs", NULL },
};

ROWS_TEST(feature, absence_is_found, absent_rows)
{
	struct findings *f = shared_findings();
	const struct feature_result *result = &f->report.features[r->feature];
	pid_t pid = fork();

	if (pid == 0) {
		if (take_away(r->number, r->action, r->flags))
			look(f);
		_exit(0);
	}
	end_of(pid);
	cr_assert(f->prepared, "the outer filter was not accepted");
	cr_expect(result->probed);
	cr_expect_not(result->available, "%s", feature_row(r->feature)->name);
	cr_expect_lt(result->code, 0);
	cr_expect(strstr(result->reason, r->reason), "reason: %s", result->reason);
	if (r->refusal) {
		cr_expect_lt(f->required, 0);
		cr_expect_eq(strncmp(f->err.text, r->refusal, strlen(r->refusal)), 0, "%s",
			     f->err.text);
		cr_expect_null(strchr(f->err.text, '\n'));
	} else {
		cr_expect_eq(f->required, 0, "%s", f->err.text);
	}
}

/* ---- worlds that need a mount namespace ---- */

static bool in_mount_namespace(void)
{
	return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static bool no_proc(void)
{
	return in_mount_namespace() && mount("none", "/proc", "tmpfs", 0, NULL) == 0;
}

static bool yama(const char *scope)
{
	FILE *f;

	if (!in_mount_namespace() || mount("none", "/proc/sys/kernel", "tmpfs", 0, NULL) < 0 ||
	    mkdir("/proc/sys/kernel/yama", 0755) < 0)
		return false;
	f = fopen("/proc/sys/kernel/yama/ptrace_scope", "we");
	return f && fputs(scope, f) >= 0 && fclose(f) == 0;
}

/* Loses privilege for good, as an ordinary user has it. */
static bool as_nobody(void)
{
	return syscall(SYS_setresgid, 65534, 65534, 65534) == 0 &&
	       syscall(SYS_setresuid, 65534, 65534, 65534) == 0 &&
	       prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
}

static bool yama_1_unprivileged(void)
{
	return yama("1\n") && as_nobody();
}

static bool yama_2_unprivileged(void)
{
	/* stands for what the kernel's Yama would answer */
	return yama("2\n") && as_nobody() && take_away(SYS_ptrace, ERRNO(EPERM), 0);
}

static bool yama_2_memory(void)
{
	return yama("2\n") && as_nobody() && take_away(SYS_process_vm_readv, ERRNO(EPERM), 0);
}

static bool yama_3(void)
{
	return yama("3\n") && take_away(SYS_pidfd_getfd, ERRNO(EPERM), 0);
}

static bool yama_1_privileged(void)
{
	return yama("1\n");
}

static bool hidepid(void)
{
	return in_mount_namespace() && mount("proc", "/proc", "proc", 0, "hidepid=2") == 0 &&
	       as_nobody();
}

/* uname(2) then says 2.6 */
static bool old_kernel(void)
{
	return personality(UNAME26) >= 0;
}

struct world_row {
	const char *what;
	bool (*make)(void);
	enum feature feature;
	bool available;
	const char *reason;
	const char *refusal;
};

static const struct world_row worlds[] = {
	{ "old kernel", old_kernel, FEATURE_KERNEL, false, "this is Linux 2.6", "kernel" },
	{ "no /proc", no_proc, FEATURE_PROC, false, "/proc is not mounted", "proc" },
	{ "yama 1", yama_1_unprivileged, FEATURE_SUPERVISOR_RESTART, false, "ptrace_scope is 1",
	  NULL },
	{ "yama 2", yama_2_unprivileged, FEATURE_PTRACE, false, "ptrace_scope is 2", "ptrace" },
	{ "yama 2, memory", yama_2_memory, FEATURE_PROCESS_VM_READV, false,
	  "asks for CAP_SYS_PTRACE", "process_vm_readv" },
	{ "yama 3", yama_3, FEATURE_PIDFD_GETFD, false, "forbids it to everybody", "pidfd_getfd" },
	{ "yama 1, root", yama_1_privileged, FEATURE_SUPERVISOR_RESTART, true, "", NULL },
	{ "hidepid", hidepid, FEATURE_PROC_VISIBLE, false, "hidepid", NULL },
	{ "unprivileged", as_nobody, FEATURE_SETUID_PROGRAMS, false, "CAP_SYS_ADMIN", NULL },
	{ "unprivileged", as_nobody, FEATURE_FANOTIFY_PERMISSION, false, "refused", NULL },
	{ "unprivileged", as_nobody, FEATURE_LISTENER, true, "", NULL },
};

ROWS_TEST(feature, world_is_described, worlds)
{
	struct findings *f = shared_findings();
	const struct feature_result *result = &f->report.features[r->feature];
	pid_t pid;

	if (geteuid() != 0)
		cr_skip_test("needs root to make the world");
	pid = fork();
	if (pid == 0) {
		if (r->make())
			look(f);
		_exit(0);
	}
	end_of(pid);
	if (!f->prepared)
		cr_skip_test("%s cannot be made here", r->what);
	cr_expect_eq(result->available, r->available, "%s: %s", r->what, result->reason);
	cr_expect(strstr(result->reason, r->reason), "reason: %s", result->reason);
	if (r->refusal)
		cr_expect_eq(strncmp(f->err.text, r->refusal, strlen(r->refusal)), 0, "%s",
			     f->err.text);
	else
		cr_expect_eq(f->required, 0, "%s", f->err.text);
}

/* ---- on the process that is to be watched ---- */

/* A child that waits until its parent is gone, and what it does before. */
static pid_t start_waiting(void (*prepare)(void))
{
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe(ready) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (prepare)
			prepare();
		(void)!write(ready[1], "", 1);
		for (;;)
			(void)pause();
	}
	(void)!read(ready[0], &byte, 1);
	return pid;
}

static void be_closed(void)
{
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static void be_traced(void)
{
	pid_t self = getpid();
	int ready[2];
	char byte;

	if (pipe(ready) < 0)
		return;
	if (fork() == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)!write(ready[1], "", ptrace(PTRACE_SEIZE, self, 0, 0) == 0);
		for (;;)
			(void)pause();
	}
	(void)!read(ready[0], &byte, 1);
}

struct watched_row {
	const char *what;
	void (*prepare)(void);
	bool privileged;
	enum event_type event;
	const char *refusal; /* NULL = none */
};

static const struct watched_row watched[] = {
	{ "an ordinary one", NULL, true, EVENT_EXEC, NULL },
	{ "an ordinary one", NULL, true, EVENT_CONNECT, NULL },
	{ "an ordinary one, without privilege", NULL, false, EVENT_EXEC, NULL },
	{ "a closed one", be_closed, false, EVENT_CONNECT, "process_vm_readv, needed" },
	{ "a traced one", be_traced, true, EVENT_EXEC, "ptrace, needed" },
	{ "a traced one, whose execs do not matter", be_traced, true, EVENT_CONNECT, NULL },
};

static int count_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

ROWS_TEST(feature, is_tried_on_the_watched, watched)
{
	struct findings *f = shared_findings();
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		bool events[EVENT_COUNT] = { false };
		int before;
		pid_t child;

		events[r->event] = true;
		if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != 0 ||
		    (!r->privileged && geteuid() == 0 && !as_nobody()))
			_exit(0);
		f->prepared = true;
		child = start_waiting(r->prepare);
		before = count_descriptors();
		f->required = feature_run_on(child, 0, events, &f->err);
		/* nothing is left open, and it goes on as it was */
		_exit(count_descriptors() != before || waitpid(child, NULL, WNOHANG) != 0);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0);
	if (!f->prepared)
		cr_skip_test("an outer filter is in force");
	if (!r->refusal)
		cr_expect_eq(f->required, 0, "%s", f->err.text);
	else
		cr_expect_eq(strncmp(f->err.text, r->refusal, strlen(r->refusal)), 0, "%s",
			     f->err.text);
}

/* ---- what a probe leaves behind ---- */

Test(feature, caller_is_as_before)
{
	struct feature_report report;
	int before = count_descriptors();
	int seccomp = prctl(PR_GET_SECCOMP, 0, 0, 0, 0);
	int no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	int subreaper = -1, subreaper_before = -2;

	(void)prctl(PR_GET_CHILD_SUBREAPER, &subreaper_before, 0, 0, 0);
	feature_probe(&report);
	cr_expect_eq(feature_run_end(feature_run_begin(), both_events, NULL), 0);
	cr_expect_eq(count_descriptors(), before);
	cr_expect_eq(prctl(PR_GET_CHILD_SUBREAPER, &subreaper, 0, 0, 0), 0);
	cr_expect_eq(subreaper, subreaper_before);
	cr_expect_eq(prctl(PR_GET_SECCOMP, 0, 0, 0, 0), seccomp);
	cr_expect_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), no_new_privs);
	cr_expect_eq(waitpid(-1, NULL, WNOHANG | __WALL), -1);
	cr_expect_eq(errno, ECHILD);
	for (enum feature f = 0; f < FEATURE_COUNT; f++)
		cr_expect(report.features[f].probed, "%s", feature_row(f)->name);
}

/* Only what the events need is asked for. */
Test(feature, unneeded_features_are_not_required)
{
	struct findings *f = shared_findings();
	pid_t pid = fork();

	if (pid == 0) {
		static const bool connects[EVENT_COUNT] = { [EVENT_CONNECT] = true };

		f->prepared = take_away(SYS_ptrace, ERRNO(EPERM), 0);
		f->required = feature_run_end(feature_run_begin(), connects, &f->err);
		_exit(0);
	}
	end_of(pid);
	cr_assert(f->prepared);
	cr_expect_eq(f->required, 0, "%s", f->err.text);
}

Test(feature, degraded_and_missing)
{
	struct feature_report report = { 0 };

	for (enum feature f = 0; f < FEATURE_COUNT; f++)
		report.features[f].available = true;
	cr_expect_not(feature_is_degraded(&report));
	cr_expect_eq(feature_missing(&report, EVENT_EXEC), FEATURE_COUNT);
	report.features[FEATURE_SYNC_WAKE_UP].available = false;
	cr_expect_not(feature_is_degraded(&report), "slower is not degraded");
	report.features[FEATURE_PTRACE].available = false;
	cr_expect(feature_is_degraded(&report));
	cr_expect_eq(feature_missing(&report, EVENT_EXEC), FEATURE_PTRACE);
	cr_expect_eq(feature_missing(&report, EVENT_CONNECT), FEATURE_COUNT);
	cr_expect_eq(feature_missing(&report, EVENT_NONE), FEATURE_COUNT);
	report.features[FEATURE_PROC].available = false;
	cr_expect_eq(feature_missing(&report, EVENT_CONNECT), FEATURE_PROC);
}
