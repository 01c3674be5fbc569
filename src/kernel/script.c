/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/script.h"

#include <errno.h>
#include <fcntl.h>

#include "kernel/resolve.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool parse_line(const char *text, size_t size, struct script_line *ret)
{
	const char *end = memchr(text, '\n', size), *p = text + 2, *name;

	if (size < 3 || text[0] != '#' || text[1] != '!')
		return false;
	if (!end)
		end = text + size;
	while (end > p && is_blank(end[-1]))
		end--;
	while (p < end && is_blank(*p))
		p++;
	name = p;
	while (p < end && !is_blank(*p) && *p)
		p++;
	if (p == name)
		return false;
	memcpy(ret->interpreter, name, (size_t)(p - name));
	ret->interpreter[p - name] = '\0';
	while (p < end && is_blank(*p))
		p++;
	memcpy(ret->argument, p, (size_t)(end - p));
	ret->argument[end - p] = '\0';
	return true;
}

/* What says that the file is no script, or none to guard. Everything else is a
 * question without an answer: a server that fails, or a worker called off.
 */
static bool says_no_script(int error)
{
	static const int known[] = { -ENOEXEC, -EACCES, -EPERM, -ENOENT, -ETXTBSY, -EISDIR };

	for (size_t i = 0; i < ELEMENTS(known); i++) {
		if (known[i] == error)
			return true;
	}
	return false;
}

int script_read(int fd, struct script_line *ret)
{
	_cleanup_close_ int copy = resolve_reopen(fd);
	char text[SCRIPT_LINE_MAX];
	ssize_t n;

	if (copy < 0)
		return says_no_script(copy) ? 0 : copy;
	n = pread(copy, text, sizeof text - 1, 0);
	if (n < 0)
		return says_no_script(-errno) ? 0 : -errno;
	return n > 0 && parse_line(text, (size_t)n, ret) ? 1 : 0;
}

static int open_interpreter(const struct resolve_host *host, pid_t tid, pid_t tgid,
			    const char *path)
{
	return resolve_open(&(struct resolve_request){
		.host = host, .tid = tid, .tgid = tgid, .dirfd = AT_FDCWD, .path = path });
}

static bool same_inode(int fd, uint64_t device, uint64_t inode)
{
	uint64_t its_device, its_inode;

	return resolve_identify(fd, &its_device, &its_inode) == 0 && its_device == device &&
	       its_inode == inode;
}

/* One link of the chain from a script to a program. */
static int next_link(const struct resolve_host *host, pid_t tid, pid_t tgid, int fd,
		     struct script_line *line)
{
	int r = script_read(fd, line);

	if (r <= 0)
		return r;
	return open_interpreter(host, tid, tgid, line->interpreter);
}

int script_runs(const struct resolve_host *host, pid_t tgid, int fd, const char *argv0,
		uint64_t device, uint64_t inode)
{
	_cleanup_close_ int at = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	struct script_line line;

	if (at < 0)
		return -errno;
	for (unsigned depth = 0; depth < SCRIPT_DEPTH_MAX; depth++) {
		int next = next_link(host, tgid, tgid, at, &line);

		if (next <= 0)
			return next == 0 || resolve_error_is_native(next) ? 0 : next;
		(void)close(at);
		at = next;
		if (same_inode(at, device, inode))
			return streq(argv0, line.interpreter);
	}
	return 0;
}

int script_interpreter(const struct resolve_host *host, pid_t tid, pid_t tgid, int fd)
{
	struct script_line line;
	int at = next_link(host, tid, tgid, fd, &line);

	for (unsigned depth = 1; at > 0 && depth < SCRIPT_DEPTH_MAX; depth++) {
		int next = next_link(host, tid, tgid, at, &line);

		if (next == 0)
			return at;
		(void)close(at);
		at = next;
	}
	return at;
}
