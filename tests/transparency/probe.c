/* SPDX-License-Identifier: GPL-3.0-or-later */
/* probe.c - everything that a process can ask the kernel about itself, one line for
 * each thing, "key value". Left out is what differs between two runs without guard:
 * process ids, addresses, times, sizes of memory.
 */
#include "tests/lib/t-do.h"

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <locale.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/utsname.h>

/* A value of any bytes in one line. */
static void put_escaped(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c == 0x7f)
			(void)printf("\\%02x", c);
		else
			(void)putchar(c);
	}
	(void)putchar('\n');
}

static void put_result(const char *key, long result)
{
	(void)printf("%s %s\n", key, result == -1 ? strerrorname_np(errno) : "ok");
}

static bool is_one_of(const char *word, size_t size, const char *const *words)
{
	for (; *words; words++) {
		if (strlen(*words) == size && memcmp(*words, word, size) == 0)
			return true;
	}
	return false;
}

/* ---- files of /proc/self ---- */

static void put_status(void)
{
	static const char *const volatile_keys[] = { "Pid",
						     "Tgid",
						     "PPid",
						     "SigQ",
						     "VmPeak",
						     "VmSize",
						     "VmHWM",
						     "VmRSS",
						     "VmData",
						     "VmStk",
						     "VmLib",
						     "VmPTE",
						     "VmPin",
						     "VmSwap",
						     "VmLck",
						     "VmExe",
						     "RssAnon",
						     "RssFile",
						     "NStgid",
						     "RssShmem",
						     "NSpid",
						     "voluntary_ctxt_switches",
						     "nonvoluntary_ctxt_switches",
						     NULL };
	FILE *f = fopen("/proc/self/status", "re");
	char line[8192];

	while (f && fgets(line, sizeof line, f)) {
		size_t key = strcspn(line, ":");

		line[strcspn(line, "\n")] = '\0';
		if (!is_one_of(line, key, volatile_keys))
			(void)printf("status.%s\n", line);
	}
	if (f)
		(void)fclose(f);
}

/* Numbers of stat(5) that are not the process's own size, time or place in memory. */
static void put_stat(void)
{
	static const struct {
		int field;
		const char *name;
	} fields[] = { { 3, "state" },        { 5, "pgrp" },         { 6, "session" },
		       { 7, "tty_nr" },       { 8, "tpgid" },        { 9, "flags" },
		       { 18, "priority" },    { 19, "nice" },        { 20, "num_threads" },
		       { 31, "blocked" },     { 32, "sigignore" },   { 33, "sigcatch" },
		       { 38, "exit_signal" }, { 40, "rt_priority" }, { 41, "policy" } };
	FILE *f = fopen("/proc/self/stat", "re");
	char line[4096], *word;
	size_t next = 0;

	if (!f || !fgets(line, sizeof line, f))
		return;
	(void)fclose(f);
	word = strtok(strrchr(line, ')') + 2, " ");
	for (int field = 3; word; field++, word = strtok(NULL, " ")) {
		if (next < ELEMENTS(fields) && fields[next].field == field)
			(void)printf("stat.%s %s\n", fields[next++].name, word);
	}
}

static void put_files(void)
{
	static const char *const names[] = {
		"limits",     "cgroup",        "mountinfo",     "environ",         "cmdline",
		"comm",       "personality",   "oom_score_adj", "coredump_filter", "loginuid",
		"sessionid",  "timerslack_ns", "cpuset",        "autogroup",       "uid_map",
		"gid_map",    "setgroups",     "attr/current",  "timers",          "wchan",
		"projid_map", "patch_state",   "arch_status",   "latency",
	};
	static char text[1024 * 1024];

	for (size_t i = 0; i < ELEMENTS(names); i++) {
		char path[64];
		ssize_t n = 0, size = 0;
		int fd;

		(void)snprintf(path, sizeof path, "/proc/self/%s", names[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		while (fd >= 0 && (n = read(fd, text + size, sizeof text - (size_t)size)) > 0)
			size += n;
		(void)printf("file.%s ", names[i]);
		put_escaped(fd < 0 ? strerrorname_np(errno) : text,
			    fd < 0 ? strlen(strerrorname_np(errno)) : (size_t)size);
		if (fd >= 0)
			(void)close(fd);
	}
}

static void put_links(void)
{
	static const char *const names[] = {
		"exe",
		"cwd",
		"root",
		"ns/cgroup",
		"ns/ipc",
		"ns/mnt",
		"ns/net",
		"ns/pid",
		"ns/user",
		"ns/uts",
		"ns/time",
		"ns/pid_for_children",
		"ns/time_for_children",
	};

	for (size_t i = 0; i < ELEMENTS(names); i++) {
		char path[64], target[4096];
		ssize_t n;

		(void)snprintf(path, sizeof path, "/proc/self/%s", names[i]);
		n = readlink(path, target, sizeof target);
		(void)printf("link.%s ", names[i]);
		put_escaped(n < 0 ? strerrorname_np(errno) : target,
			    n < 0 ? strlen(strerrorname_np(errno)) : (size_t)n);
	}
}

/* The mapped files in their order; where they are is random. */
static void put_maps(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[8192];

	while (f && fgets(line, sizeof line, f)) {
		char permissions[8] = "", path[4096] = "";

		(void)sscanf(line, "%*s %7s %*s %*s %*s %4095[^\n]", permissions, path);
		if (path[0] == '/' || strncmp(path, "[v", 2) == 0)
			(void)printf("map %s %s\n", permissions, path);
	}
	if (f)
		(void)fclose(f);
}

/* ---- descriptors ---- */

static void put_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char target[4096] = "";
		int fd = atoi(entry->d_name);

		if (entry->d_name[0] == '.' || fd == dirfd(dir))
			continue;
		(void)readlinkat(dirfd(dir), entry->d_name, target, sizeof target - 1);
		(void)printf("fd.%d flags %x %x at %ld ", fd, fcntl(fd, F_GETFD),
			     fcntl(fd, F_GETFL), (long)lseek(fd, 0, SEEK_CUR));
		put_escaped(target, strlen(target));
	}
	if (dir)
		(void)closedir(dir);
}

/* ---- ids, signals, scheduling ---- */

static void put_ids(void)
{
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid, groups[256];
	int n = getgroups(ELEMENTS(groups), groups);
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2] = { { 0 } };

	(void)getresuid(&ruid, &euid, &suid);
	(void)getresgid(&rgid, &egid, &sgid);
	(void)printf("uid %u %u %u\ngid %u %u %u\ngroups", ruid, euid, suid, rgid, egid, sgid);
	for (int i = 0; i < n; i++)
		(void)printf(" %u", groups[i]);
	(void)printf("\npgrp %d\nsession %d\nforeground %d\n", getpgrp(), getsid(0), tcgetpgrp(0));
	(void)printf("leader %d %d\n", getpgrp() == getpid(), getsid(0) == getpid());
	(void)printf("tty %s\n", ttyname(0) ? ttyname(0) : "none");
	(void)syscall(SYS_capget, &head, caps);
	/* CAP_SYS_PTRACE, which guard takes away, has a line of its own below: so it is only
	 * that one which may be missing in the sums of /proc/self/status */
	caps[0].effective &= ~(1U << CAP_SYS_PTRACE);
	caps[0].permitted &= ~(1U << CAP_SYS_PTRACE);
	(void)printf("capabilities %08x%08x %08x%08x %08x%08x\n", caps[1].effective,
		     caps[0].effective, caps[1].permitted, caps[0].permitted, caps[1].inheritable,
		     caps[0].inheritable);
	for (int cap = 0; cap < 64; cap++) {
		int bounding = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
		int ambient = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0);

		if (bounding >= 0)
			(void)printf("capability.%d %d %d\n", cap, bounding, ambient);
	}
	(void)printf("session-keyring %s\n", syscall(SYS_keyctl, 0 /* GET_KEYRING_ID */, -3, 0) < 0
						     ? strerrorname_np(errno)
						     : "ok");
}

static void put_signals(void)
{
	sigset_t blocked, pending;
	stack_t stack;

	(void)sigprocmask(SIG_BLOCK, NULL, &blocked);
	(void)sigpending(&pending);
	for (int sig = 1; sig < _NSIG; sig++) {
		struct {
			void *handler;
			unsigned long flags;
			void *restorer;
			unsigned long mask;
		} action = { 0 }; /* glibc hides two of them */

		(void)syscall(SYS_rt_sigaction, sig, NULL, &action, sizeof action.mask);
		(void)printf("signal.%d blocked %d pending %d handler %p flags %lx mask %lx\n", sig,
			     sigismember(&blocked, sig), sigismember(&pending, sig), action.handler,
			     action.flags, action.mask);
	}
	if (sigaltstack(NULL, &stack) == 0)
		(void)printf("signal-stack %x\n", stack.ss_flags);
}

static void put_timers(void)
{
	for (int which = ITIMER_REAL; which <= ITIMER_PROF; which++) {
		struct itimerval timer;

		/* how much is left differs, but not by minutes */
		if (getitimer(which, &timer) == 0)
			(void)printf("timer.%d minutes %ld interval %ld\n", which,
				     (timer.it_value.tv_sec + 59) / 60, timer.it_interval.tv_sec);
	}
}

static void put_scheduling(void)
{
	struct {
		unsigned size, policy;
		unsigned long flags;
		int nice;
		unsigned priority;
		unsigned long runtime, deadline, period;
		unsigned clamp_min, clamp_max;
	} attr = { 0 };
	cpu_set_t cpus;
	int mode = -1;

	(void)syscall(SYS_sched_getattr, 0, &attr, sizeof attr, 0);
	(void)printf("scheduling policy %u flags %lx nice %d priority %u clamp %u %u\n",
		     attr.policy, attr.flags, attr.nice, attr.priority, attr.clamp_min,
		     attr.clamp_max);
	(void)printf("nice %d\n", getpriority(PRIO_PROCESS, 0));
	(void)printf("io-priority %lx\n", syscall(SYS_ioprio_get, 1, 0));
	CPU_ZERO(&cpus);
	(void)sched_getaffinity(0, sizeof cpus, &cpus);
	(void)printf("cpus %d\n", CPU_COUNT(&cpus));
	(void)syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, 0);
	(void)printf("memory-policy %d\n", mode);
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		struct rlimit limit;

		if (getrlimit(i, &limit) == 0)
			(void)printf("limit.%d %lx %lx\n", i, (unsigned long)limit.rlim_cur,
				     (unsigned long)limit.rlim_max);
	}
}

/* ---- prctl ---- */

static void put_prctl(void)
{
	static const struct {
		const char *name;
		int option;
		bool by_pointer;
		unsigned long argument;
	} rows[] = {
		{ "dumpable", PR_GET_DUMPABLE, false, 0 },
		{ "death-signal", PR_GET_PDEATHSIG, true, 0 },
		{ "keep-capabilities", PR_GET_KEEPCAPS, false, 0 },
		{ "securebits", PR_GET_SECUREBITS, false, 0 },
		{ "subreaper", PR_GET_CHILD_SUBREAPER, true, 0 },
		{ "no-new-privileges", PR_GET_NO_NEW_PRIVS, false, 0 },
		{ "seccomp", PR_GET_SECCOMP, false, 0 },
		{ "timer-slack", PR_GET_TIMERSLACK, false, 0 },
		{ "huge-pages-disabled", PR_GET_THP_DISABLE, false, 0 },
		{ "memory-failure", PR_MCE_KILL_GET, false, 0 },
		{ "timing", PR_GET_TIMING, false, 0 },
		{ "io-flusher", PR_GET_IO_FLUSHER, false, 0 },
		{ "tsc", PR_GET_TSC, true, 0 },
		{ "store-bypass", PR_GET_SPECULATION_CTRL, false, PR_SPEC_STORE_BYPASS },
		{ "indirect-branch", PR_GET_SPECULATION_CTRL, false, PR_SPEC_INDIRECT_BRANCH },
		{ "l1d-flush", PR_GET_SPECULATION_CTRL, false, PR_SPEC_L1D_FLUSH },
		{ "write-execute", 66 /* PR_GET_MDWE */, false, 0 },
		{ "merge-memory", 68 /* PR_GET_MEMORY_MERGE */, false, 0 },
	};

	for (size_t i = 0; i < ELEMENTS(rows); i++) {
		int value = 0;
		unsigned long argument =
			rows[i].by_pointer ? (unsigned long)&value : rows[i].argument;
		int result = prctl(rows[i].option, argument, 0, 0, 0);

		if (result < 0)
			(void)printf("prctl.%s %s\n", rows[i].name, strerrorname_np(errno));
		else
			(void)printf("prctl.%s %d\n", rows[i].name,
				     rows[i].by_pointer ? value : result);
	}
}

/* ---- program, environment ---- */

static void put_auxiliary(void)
{
	/* of the kernel's vector in the file: getauxval(3) knows no end */
	static const unsigned long addresses[] = { AT_PHDR,         AT_BASE,         AT_ENTRY,
						   AT_RANDOM,       AT_EXECFN,       AT_PLATFORM,
						   AT_SYSINFO_EHDR, AT_BASE_PLATFORM };
	FILE *f = fopen("/proc/self/auxv", "re");
	ElfW(auxv_t) entry;

	while (f && fread(&entry, sizeof entry, 1, f) == 1) {
		bool address = false;

		for (size_t i = 0; i < ELEMENTS(addresses); i++)
			address |= addresses[i] == entry.a_type;
		(void)printf("auxiliary.%lu %lx\n", (unsigned long)entry.a_type,
			     address ? entry.a_un.a_val != 0 : (unsigned long)entry.a_un.a_val);
	}
	if (f)
		(void)fclose(f);
	(void)printf("executed %s\n", (const char *)getauxval(AT_EXECFN));
}

static void put_program(char **args)
{
	extern char *program_invocation_name;
	struct utsname name;
	char cwd[4096];
	mode_t mask = umask(0);

	(void)umask(mask);
	(void)printf("umask %04o\npersonality %x\n", (unsigned)mask, personality(0xffffffff));
	(void)printf("cwd %s\n", getcwd(cwd, sizeof cwd) ? cwd : strerrorname_np(errno));
	(void)printf("argument.0 ");
	put_escaped(program_invocation_name, strlen(program_invocation_name));
	for (int i = 0; args[i]; i++) {
		(void)printf("argument.%d ", i + 2);
		put_escaped(args[i], strlen(args[i]));
	}
	for (char **e = environ; *e; e++) {
		(void)printf("environment ");
		put_escaped(*e, strlen(*e));
	}
	(void)printf("locale %s\n", setlocale(LC_ALL, "") ? setlocale(LC_ALL, NULL) : "none");
	if (uname(&name) == 0)
		(void)printf("host %s %s %s\n", name.nodename, name.release, name.machine);
}

/* ---- calls that guard may have an opinion about ---- */

static void put_calls(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { 1, &allow };
	char parameters[120] = { 0 };
	int pair[2];
	struct ucred peer = { .pid = 0 };
	socklen_t size = sizeof peer;
	unsigned action = SECCOMP_RET_USER_NOTIF;

	put_result("call.io_uring_setup", syscall(SYS_io_uring_setup, 2, parameters));
	put_result("call.userfaultfd",
		   syscall(SYS_userfaultfd, O_CLOEXEC | 1 /* USER_MODE_ONLY */));
#ifdef __x86_64__
	put_result("call.x32", syscall(0x40000000 | SYS_getpid));
#endif
	put_result("call.unknown", syscall(100000));
	put_result("call.kill-self", kill(getpid(), 0));
	put_result("call.kill-init", kill(1, 0));
	put_result("call.ptrace-me", syscall(SYS_ptrace, 0 /* TRACEME */, 0, 0, 0) == 0 ? 0 : -1);
	put_result("call.seccomp-action",
		   syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0 &&
	    getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
		(void)printf("peer %d %u %u\n", peer.pid == getpid(), peer.uid, peer.gid);
	/* last: it cannot be undone */
	put_result("call.filter", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	put_result("call.filter-unprivileged",
		   syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
	put_result("call.listener", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
					    SECCOMP_FILTER_FLAG_NEW_LISTENER, &program));
}

static int probe(char **args)
{
	put_descriptors(); /* before any other is open */
	put_status();
	put_stat();
	put_files();
	put_links();
	put_maps();
	put_ids();
	put_signals();
	put_timers();
	put_scheduling();
	put_prctl();
	put_auxiliary();
	put_program(args);
	put_calls();
	return T_OK;
}

const struct deed probe_deeds[] = {
	{ "probe", "[ARG]...", 0, probe },
	{ NULL, NULL, 0, NULL },
};
