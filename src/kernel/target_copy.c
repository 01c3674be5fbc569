/* SPDX-License-Identifier: GPL-3.0-or-later */
/* target_copy.c - memory that a task may write but not read.
 *
 * The processor knows no such pages: the kernel, when it copies from the task itself,
 * reads them, but on behalf of another one it does not. So what the mapping says is
 * asked for, and what the kernel would have read is read past it.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "kernel/target.h"

/* Of /proc/TID/maps: some thousand mappings. In what lies beyond them a wrong address
 * is the likelier reason by far.
 */
enum { MAPS_MAX = 256 * 1024, LINE_BEGIN = 64 };

static int open_of(pid_t tid, const char *name)
{
	char path[sizeof "/proc/2147483647/maps"];

	(void)snprintf(path, sizeof path, "/proc/%d/%s", tid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* How far from ADDRESS on a line of maps lets it be copied; ADDRESS when it is about
 * other memory. "start-end rwxp ...": in the order of the addresses.
 */
static uint64_t covered_by(const char *line, uint64_t address)
{
	char *rest;
	uint64_t start = strtoull(line, &rest, 16), end;

	if (*rest != '-')
		return address;
	end = strtoull(rest + 1, &rest, 16);
	if (start > address || end <= address || *rest != ' ')
		return address;
	return rest[1] == 'r' || rest[2] == 'w' ? end : address;
}

/* The beginning of each line is enough; what it ends with may be long. */
struct line {
	char text[LINE_BEGIN];
	size_t used;
};

static uint64_t add_byte(struct line *line, char byte, uint64_t address)
{
	if (byte != '\n') {
		if (line->used < sizeof line->text - 1)
			line->text[line->used++] = byte;
		return address;
	}
	line->text[line->used] = '\0';
	line->used = 0;
	return covered_by(line->text, address);
}

static bool is_mapped(pid_t tid, uint64_t address, uint64_t end)
{
	_cleanup_close_ int fd = open_of(tid, "maps");
	struct line line = { .used = 0 };
	size_t total = 0;
	char piece[4096];
	ssize_t n = 1;

	while (fd >= 0 && address < end && n > 0 && total < MAPS_MAX) {
		n = read(fd, piece, sizeof piece);
		for (ssize_t i = 0; i < n; i++)
			address = add_byte(&line, piece[i], address);
		total += n > 0 ? (size_t)n : 0;
	}
	return address >= end;
}

ssize_t target_copy(pid_t tid, uint64_t address, void *buf, size_t size)
{
	ssize_t n = target_read(tid, address, buf, size);
	size_t got = n > 0 ? (size_t)n : 0;
	_cleanup_close_ int fd = -1;

	if (got == size || (n < 0 && n != -EFAULT) || address + size < address ||
	    !is_mapped(tid, address + got, address + size))
		return n;
	fd = open_of(tid, "mem");
	if (fd < 0 || pread(fd, (char *)buf + got, size - got, (off_t)(address + got)) !=
			      (ssize_t)(size - got))
		return n;
	return (ssize_t)size;
}
