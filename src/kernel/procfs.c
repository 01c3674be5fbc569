/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/procfs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

static void put_number(char **at, pid_t pid)
{
	char digits[12];
	unsigned n = pid < 0 ? 0 : (unsigned)pid, count = 0;

	do
		digits[count++] = (char)('0' + n % 10);
	while (n /= 10);
	while (count)
		*(*at)++ = digits[--count];
}

/* printf(3) would take as long as the call that the name is for. */
const char *procfs_path(struct procfs_path *path, pid_t pid, const char *name)
{
	static const char proc[] = "/proc/";
	char *at = path->text + sizeof proc - 1;

	memcpy(path->text, proc, sizeof proc - 1);
	put_number(&at, pid);
	*at++ = '/';
	for (size_t room = sizeof path->text - (size_t)(at - path->text); --room && *name;)
		*at++ = *name++;
	*at = '\0';
	return path->text;
}

static int open_entry(pid_t pid, const char *name)
{
	struct procfs_path path;
	int fd;

	fd = open(procfs_path(&path, pid, name), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	return fd;
}

static ssize_t read_entry(pid_t pid, const char *name, char *buf, size_t size)
{
	_cleanup_close_ int fd = open_entry(pid, name);
	size_t used = 0;

	if (fd < 0)
		return fd;
	while (used < size) {
		ssize_t n = read(fd, buf + used, size - used);

		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	return (ssize_t)used;
}

/* The NUL-terminated text of a small entry: the kernel makes it in one piece, so
 * one read has it all.
 */
static ssize_t read_text(pid_t pid, const char *name, char *buf, size_t size)
{
	_cleanup_close_ int fd = open_entry(pid, name);
	ssize_t n = fd < 0 ? fd : read(fd, buf, size - 1);

	if (n < 0 && fd >= 0)
		n = -errno;

	if (n >= 0)
		buf[n] = '\0';
	return n;
}

int procfs_stat(pid_t pid, struct proc_stat *ret)
{
	UNCLEARED char text[1024];
	struct proc_stat s = { .state = '?' };
	const char *open_paren, *close_paren;
	unsigned flags;
	int ppid, sid, tty;
	unsigned long long start;
	ssize_t n;

	n = read_text(pid, "stat", text, sizeof text);
	if (n < 0)
		return (int)n;
	open_paren = strchr(text, '(');
	close_paren = strrchr(text, ')');
	if (!open_paren || !close_paren || close_paren < open_paren)
		return -EBADMSG;
	memcpy(s.comm, open_paren + 1,
	       MIN((size_t)(close_paren - open_paren - 1), sizeof s.comm - 1));
	if (sscanf(close_paren + 1,
		   " %c %d %*d %d %d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
		   &s.state, &ppid, &sid, &tty, &flags, &start) != 6)
		return -EBADMSG;
	s.ppid = ppid;
	s.sid = (uint32_t)sid;
	s.tty = (uint32_t)tty;
	s.kernel_flags = flags;
	s.start_ticks = start;
	*ret = s;
	return 0;
}

int procfs_exit_status(pid_t pid, int *ret)
{
	char text[1024], *last;
	struct proc_stat stat;
	int r;

	r = procfs_stat(pid, &stat);
	if (r < 0)
		return r;
	if (stat.state != 'Z')
		return -EAGAIN;
	r = (int)read_text(pid, "stat", text, sizeof text);
	last = r < 0 ? NULL : strrchr(text, ' ');
	if (!last)
		return r < 0 ? r : -EBADMSG;
	*ret = (int)strtol(last, NULL, 10);
	return 0;
}

/* One line of /proc/PID/status: the name, how to read it, where to. */
struct status_line {
	const char *name;
	unsigned count; /* numbers on the line */
	int base;
	void (*store)(struct proc_status *s, const uint64_t *v);
};

static void store_umask(struct proc_status *s, const uint64_t *v)
{
	s->umask = (mode_t)v[0];
}

static void store_tgid(struct proc_status *s, const uint64_t *v)
{
	s->tgid = (pid_t)v[0];
}

static void store_ppid(struct proc_status *s, const uint64_t *v)
{
	s->ppid = (pid_t)v[0];
}

/* Numbers from the namespace of our procfs inwards. */
static void store_nspid(struct proc_status *s, const uint64_t *v)
{
	for (unsigned i = 1; i < 4 && v[i]; i++)
		s->inner_pid = (pid_t)v[i];
}

static void store_tracer(struct proc_status *s, const uint64_t *v)
{
	s->tracer = (pid_t)v[0];
}

static void store_uid(struct proc_status *s, const uint64_t *v)
{
	s->cred.uid = (uint32_t)v[0];
	s->cred.euid = (uint32_t)v[1];
	s->cred.suid = (uint32_t)v[2];
	s->cred.fsuid = (uint32_t)v[3];
}

static void store_gid(struct proc_status *s, const uint64_t *v)
{
	s->cred.gid = (uint32_t)v[0];
	s->cred.egid = (uint32_t)v[1];
	s->cred.sgid = (uint32_t)v[2];
	s->cred.fsgid = (uint32_t)v[3];
}

static void store_shared(struct proc_status *s, const uint64_t *v)
{
	s->shared = v[0];
	s->pending |= v[0];
}

static void store_threads(struct proc_status *s, const uint64_t *v)
{
	s->threads = (uint32_t)v[0];
}

static void store_pending(struct proc_status *s, const uint64_t *v)
{
	s->pending |= v[0];
}

static void store_blocked(struct proc_status *s, const uint64_t *v)
{
	s->blocked = v[0];
}

static void store_cap_permitted(struct proc_status *s, const uint64_t *v)
{
	s->cred.cap_permitted = v[0];
}

static void store_cap_effective(struct proc_status *s, const uint64_t *v)
{
	s->cred.cap_effective = v[0];
}

static const struct status_line status_lines[] = {
	{ "Umask:", 1, 8, store_umask },
	{ "Tgid:", 1, 10, store_tgid },
	{ "PPid:", 1, 10, store_ppid },
	{ "TracerPid:", 1, 10, store_tracer },
	{ "NSpid:", 4, 10, store_nspid },
	{ "Uid:", 4, 10, store_uid },
	{ "Gid:", 4, 10, store_gid },
	{ "Threads:", 1, 10, store_threads },
	{ "SigPnd:", 1, 16, store_pending },
	{ "ShdPnd:", 1, 16, store_shared },
	{ "SigBlk:", 1, 16, store_blocked },
	{ "CapPrm:", 1, 16, store_cap_permitted },
	{ "CapEff:", 1, 16, store_cap_effective },
};

/* How many rows of status_lines the line was for: 1 or 0. */
static unsigned parse_status_line(struct proc_status *s, const char *line)
{
	for (size_t i = 0; i < ELEMENTS(status_lines); i++) {
		const struct status_line *row = &status_lines[i];
		size_t length = strlen(row->name);
		uint64_t v[4] = { 0 };
		char *end;

		if (strncmp(line, row->name, length) != 0)
			continue;
		line += length;
		for (unsigned k = 0; k < row->count; k++, line = end)
			v[k] = strtoull(line, &end, row->base);
		row->store(s, v);
		return 1;
	}
	return 0;
}

int procfs_status(pid_t tid, struct proc_status *ret)
{
	/* some hundred supplementary groups fit; beyond that the lines behind them
	 * are cut off, which is noticed below */
	UNCLEARED char text[8 * 1024];
	struct proc_status s = { .cred.auid = UINT32_MAX };
	unsigned found = 0;
	ssize_t n;

	n = read_text(tid, "status", text, sizeof text);
	if (n < 0)
		return (int)n;
	for (char *line = text, *next; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		found += parse_status_line(&s, line);
	}
	/* a kernel without pid namespaces has no NSpid */
	if (found < ELEMENTS(status_lines) - 1)
		return -EBADMSG;
	*ret = s;
	return 0;
}

uint32_t procfs_loginuid(pid_t pid)
{
	char text[16];

	if (read_text(pid, "loginuid", text, sizeof text) <= 0)
		return UINT32_MAX;
	return (uint32_t)strtoul(text, NULL, 10);
}

/* linux/pidfd.h of Linux 6.13; the headers of Debian 12 are older. */
struct pidfd_info_v0 {
	uint64_t mask, cgroupid;
	uint32_t pid, tgid, ppid;
	uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code;
};
#define PIDFD_GET_INFO_V0 _IOWR(0xFF, 11, struct pidfd_info_v0)
enum { INFO_PID = 1 << 0, INFO_CREDS = 1 << 1 };

int procfs_pidfd_identity(int pidfd, struct proc_identity *ret)
{
	struct pidfd_info_v0 info = { .mask = INFO_PID | INFO_CREDS };

	if (ioctl(pidfd, PIDFD_GET_INFO_V0, &info) < 0)
		return errno == EINVAL ? -ENOTTY : -errno;
	*ret = (struct proc_identity){
		.tgid = (pid_t)info.tgid,
		.ppid = (pid_t)info.ppid,
		.has_cred = info.mask & INFO_CREDS,
		.cred = { .uid = info.ruid,
			  .gid = info.rgid,
			  .euid = info.euid,
			  .egid = info.egid,
			  .suid = info.suid,
			  .sgid = info.sgid,
			  .fsuid = info.fsuid,
			  .fsgid = info.fsgid,
			  .auid = UINT32_MAX },
	};
	return 0;
}

ssize_t procfs_cgroup(pid_t pid, char *buf, size_t size)
{
	UNCLEARED char text[4096];
	const char *best = NULL;
	ssize_t n;

	n = read_text(pid, "cgroup", text, sizeof text);
	if (n < 0)
		return n;
	/* lines are hierarchy:controllers:path (cgroups(7)); 0:: is version 2 */
	for (char *line = text, *next; line && *line; line = next) {
		char *path = strchr(line, ':');

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		path = path ? strchr(path + 1, ':') : NULL;
		if (!path)
			continue;
		/* on a hybrid host version 2 may sit at the root while version 1 says
		 * more */
		if (!best || strncmp(line, "0::", 3) == 0) {
			if (!best || path[2] != '\0' || streq(best, "/"))
				best = path + 1;
		}
	}
	if (!best || !size)
		return -ENOENT;
	n = (ssize_t)MIN(strlen(best), size - 1);
	memcpy(buf, best, (size_t)n);
	buf[n] = '\0';
	return n;
}

static size_t hex_run(const char *text, const char *end)
{
	const char *p = text;

	while (p < end && isxdigit((unsigned char)*p))
		p++;
	return (size_t)(p - text);
}

/* ECS: 32 hex digits, a dash, digits. Cloud Foundry: 8-4-4-4-12 hex digits. */
static size_t other_id(const char *text, const char *end)
{
	static const uint8_t groups[] = { 8, 4, 4, 4, 12 };
	const char *p = text + hex_run(text, end);
	size_t used = 0;

	if (p - text == 32 && p < end && *p == '-') {
		const char *digits = ++p;

		while (p < end && isdigit((unsigned char)*p))
			p++;
		return p > digits ? (size_t)(p - text) : 0;
	}
	for (size_t i = 0; i < ELEMENTS(groups); i++) {
		if (hex_run(text + used, end) != groups[i])
			return 0;
		used += groups[i];
		if (i + 1 < ELEMENTS(groups)) {
			if (text + used >= end || text[used] != '-')
				return 0;
			used++;
		}
	}
	return used;
}

size_t procfs_container_id(const char *cgroup, size_t size, const char **ret)
{
	const char *end = cgroup + size;
	const char *best = NULL;
	size_t best_size = 0;

	/* the innermost one counts: a container in a container */
	for (const char *p = cgroup; p < end;) {
		size_t run = hex_run(p, end);
		size_t other = run ? other_id(p, end) : 0;

		if (run == 64 || other) {
			best = p;
			best_size = run == 64 ? 64 : other;
			p += best_size;
		} else {
			p += run ? run : 1;
		}
	}
	if (best)
		*ret = best;
	return best_size;
}

uint32_t procfs_namespace(pid_t pid, const char *name)
{
	struct procfs_path path;
	char entry[16];
	struct stat st;

	(void)snprintf(entry, sizeof entry, "ns/%s", name);
	return stat(procfs_path(&path, pid, entry), &st) < 0 ? 0 : (uint32_t)st.st_ino;
}

/* Majors of Documentation/admin-guide/devices.txt. */
enum { TTY_MAJOR = 4, PTS_MAJOR_FIRST = 136, PTS_MAJOR_LAST = 143, SERIAL_MINOR = 64 };

size_t procfs_tty_name(uint32_t device, char *buf, size_t size)
{
	unsigned major_number = major(device), minor_number = minor(device);
	int n = 0;

	if (size)
		buf[0] = '\0';
	if (major_number >= PTS_MAJOR_FIRST && major_number <= PTS_MAJOR_LAST)
		n = snprintf(buf, size, "pts%u",
			     (major_number - PTS_MAJOR_FIRST) * 256 + minor_number);
	else if (major_number == TTY_MAJOR && minor_number < SERIAL_MINOR)
		n = snprintf(buf, size, "tty%u", minor_number);
	else if (major_number == TTY_MAJOR)
		n = snprintf(buf, size, "ttyS%u", minor_number - SERIAL_MINOR);
	else if (device)
		n = snprintf(buf, size, "%u:%u", major_number, minor_number);
	return n < 0 ? 0 : MIN((size_t)n, size ? size - 1 : 0);
}

int64_t procfs_boot_time_ns(void)
{
	struct timespec boot, real;

	(void)clock_gettime(CLOCK_BOOTTIME, &boot);
	(void)clock_gettime(CLOCK_REALTIME, &real);
	return (real.tv_sec - boot.tv_sec) * INT64_C(1000000000) + (real.tv_nsec - boot.tv_nsec);
}

int64_t procfs_ticks_to_ns(uint64_t ticks)
{
	long hertz = sysconf(_SC_CLK_TCK);

	return (int64_t)(ticks * UINT64_C(1000000000) / (uint64_t)(hertz > 0 ? hertz : 100));
}

ssize_t procfs_cmdline(pid_t pid, char *buf, size_t size)
{
	return read_entry(pid, "cmdline", buf, size);
}

ssize_t procfs_environ(pid_t pid, char *buf, size_t size)
{
	return read_entry(pid, "environ", buf, size);
}

uint64_t procfs_token_of(const void *vector, size_t size)
{
	const char *p = vector;
	uint64_t hash = size, word;

	for (; size >= sizeof word; p += sizeof word, size -= sizeof word) {
		memcpy(&word, p, sizeof word);
		/* bits go up by the product and down by the shift (splitmix64) */
		hash = (hash ^ word) * UINT64_C(0xbf58476d1ce4e5b9);
		hash ^= hash >> 27;
	}
	if (size) {
		word = 0;
		memcpy(&word, p, size);
		hash = (hash ^ word) * UINT64_C(0x94d049bb133111eb);
	}
	hash ^= hash >> 31;
	return hash ? hash : 1;
}

int procfs_token(pid_t tid, uint64_t *ret)
{
	enum { AUXV_MAX = 2048, END = 2 * sizeof(uint64_t) };
	UNCLEARED char vector[AUXV_MAX];
	ssize_t n = read_entry(tid, "auxv", vector, sizeof vector);

	if (n < 0)
		return (int)n;
	/* a task without memory (exited, kernel thread) has an empty one */
	if (n <= END || n == (ssize_t)sizeof vector)
		return -ESRCH;
	*ret = procfs_token_of(vector, (size_t)n - END);
	return 0;
}

int procfs_children_open(pid_t pid)
{
	char name[32];
	int fd;

	(void)snprintf(name, sizeof name, "task/%d/children", pid);
	fd = open_entry(pid, name);
	return fd == -ESRCH ? -ENOENT : fd;
}

ssize_t procfs_children_read(int fd, pid_t *ret, size_t size)
{
	UNCLEARED char text[4096];
	char *p = text;
	size_t count = 0;
	ssize_t n;

	/* the kernel stops early only at its own page, which this is */
	n = pread(fd, text, sizeof text - 1, 0);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	while (count < size && *p) {
		ret[count++] = (pid_t)strtol(p, &p, 10);
		p += strspn(p, " \n");
	}
	return (ssize_t)count;
}

ssize_t procfs_children(pid_t pid, pid_t *ret, size_t size)
{
	_cleanup_close_ int fd = procfs_children_open(pid);

	return fd < 0 ? fd : procfs_children_read(fd, ret, size);
}

/* For each entry of PATH that is a number. */
static int each_number(const char *path, int (*visit)(void *data, pid_t number), void *data)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return -errno;
	while (r == 0 && (entry = readdir(dir))) {
		if (isdigit((unsigned char)entry->d_name[0]))
			r = visit(data, (pid_t)strtol(entry->d_name, NULL, 10));
	}
	(void)closedir(dir);
	return r;
}

int procfs_each_thread(pid_t pid, int (*visit)(void *data, pid_t tid), void *data)
{
	char path[sizeof "/proc/2147483647/task"];

	(void)snprintf(path, sizeof path, "/proc/%d/task", pid);
	return each_number(path, visit, data);
}

int procfs_each(int (*visit)(void *data, pid_t pid), void *data)
{
	return each_number("/proc", visit, data);
}
