/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kernel/target.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

/* A spanning read larger than this costs more than reading string by string. */
enum { SPAN_MAX = 1024 * 1024, PAGE = 4096 };

/* PIDFD_THREAD is O_EXCL (Linux 6.9). */
#define PIDFD_THREAD_FLAG O_EXCL

ssize_t target_read(pid_t tid, uint64_t address, void *buf, size_t size)
{
	struct iovec local = { .iov_base = buf, .iov_len = size };
	struct iovec remote = { .iov_base = (void *)(uintptr_t)address, .iov_len = size };
	ssize_t n;

	n = process_vm_readv(tid, &local, 1, &remote, 1, 0);
	return n < 0 ? -errno : n;
}

ssize_t target_write(pid_t tid, uint64_t address, const void *buf, size_t size)
{
	struct iovec local = { .iov_base = (void *)(uintptr_t)buf, .iov_len = size };
	struct iovec remote = { .iov_base = (void *)(uintptr_t)address, .iov_len = size };
	ssize_t n;

	n = process_vm_writev(tid, &local, 1, &remote, 1, 0);
	return n < 0 ? -errno : n;
}

ssize_t target_read_string(pid_t tid, uint64_t address, char *buf, size_t size)
{
	size_t used = 0;

	while (used < size) {
		/* up to the end of the page: the next one may not be mapped */
		size_t chunk = PAGE - ((address + used) & (PAGE - 1));
		const char *nul;
		ssize_t n;

		n = target_read(tid, address + used, buf + used, MIN(chunk, size - used));
		if (n < 0)
			return n;
		if (n == 0)
			return -EFAULT;
		nul = memchr(buf + used, '\0', (size_t)n);
		if (nul)
			return nul - buf;
		used += (size_t)n;
	}
	return -ENAMETOOLONG;
}

struct pointers {
	uint64_t *items;
	size_t count, capacity;
	uint64_t low, high;
};

static uint64_t pointer_at(const char *raw, unsigned word, size_t i)
{
	uint64_t wide;
	uint32_t narrow;

	if (word == 8) {
		memcpy(&wide, raw + 8 * i, 8);
		return wide;
	}
	memcpy(&narrow, raw + 4 * i, 4);
	return narrow;
}

/* Doubles the room for pointers; the old room stays in the arena. */
static int grow(struct arena *arena, struct pointers *p)
{
	size_t capacity = p->capacity ? 2 * p->capacity : PAGE / sizeof(uint64_t);
	uint64_t *items = arena_alloc(arena, capacity * sizeof *items);

	if (!items)
		return -ENOMEM;
	if (p->count)
		memcpy(items, p->items, p->count * sizeof *items);
	p->items = items;
	p->capacity = capacity;
	return 0;
}

static int add_pointer(struct arena *arena, struct pointers *p, uint64_t pointer)
{
	int r;

	if (p->count >= TARGET_VECTOR_MAX / sizeof(uint64_t))
		return -E2BIG;
	if (p->count == p->capacity) {
		r = grow(arena, p);
		if (r < 0)
			return r;
	}
	p->low = p->count ? MIN(p->low, pointer) : pointer;
	p->high = MAX(p->high, pointer);
	p->items[p->count++] = pointer;
	return 0;
}

/* The pointer vector up to its NULL. */
static int read_pointers(pid_t tid, uint64_t address, unsigned word, struct arena *arena,
			 struct pointers *ret)
{
	struct pointers p = { .items = NULL };
	UNCLEARED char raw[PAGE];
	int r;

	for (;;) {
		size_t chunk = PAGE - (address & (PAGE - 1));
		ssize_t n;

		/* a vector may lie at an odd address; a pointer then spans two pages */
		n = target_read(tid, address, raw, chunk < word ? word : chunk);
		if (n < 0)
			return (int)n;
		if ((size_t)n < word)
			return -EFAULT;
		n -= n % (ssize_t)word;
		for (size_t i = 0; i < (size_t)n / word; i++) {
			uint64_t pointer = pointer_at(raw, word, i);

			if (!pointer) {
				*ret = p;
				return 0;
			}
			r = add_pointer(arena, &p, pointer);
			if (r < 0)
				return r;
		}
		address += (uint64_t)n;
	}
}

/* What lies between the lowest and the end of the page of the highest string,
 * as far as it can be read. NULL when that is too much or not readable.
 */
static const char *read_span(pid_t tid, const struct pointers *p, struct arena *arena, size_t *ret)
{
	uint64_t end = (p->high | (PAGE - 1)) + 1;
	size_t size = (size_t)(end - p->low);
	char *span;
	ssize_t n;

	if (end <= p->low || end - p->low > SPAN_MAX)
		return NULL;
	span = arena_alloc_raw(arena, size);
	if (!span)
		return NULL;
	n = target_read(tid, p->low, span, size);
	if (n <= 0)
		return NULL;
	*ret = (size_t)n;
	return span;
}

/* Where the strings go. */
struct sink {
	char *out;
	size_t used, room;
};

/* The string at POINTER, when it lies inside what was read in one go: 1, 0 when it
 * does not, or -E2BIG.
 */
static int copy_from_span(uint64_t pointer, uint64_t low, const char *span, size_t span_size,
			  struct sink *sink)
{
	const char *text, *nul;
	size_t size;

	if (!span || pointer - low >= span_size)
		return 0;
	text = span + (pointer - low);
	nul = memchr(text, '\0', span_size - (size_t)(pointer - low));
	if (!nul)
		return 0;
	size = (size_t)(nul - text) + 1;
	if (size > sink->room - sink->used)
		return -E2BIG;
	memcpy(sink->out + sink->used, text, size);
	sink->used += size;
	return 1;
}

static int copy_one(pid_t tid, uint64_t pointer, struct sink *sink)
{
	ssize_t n = target_read_string(tid, pointer, sink->out + sink->used,
				       MIN(sink->room - sink->used, (size_t)TARGET_STRING_MAX));

	if (n < 0)
		return n == -ENAMETOOLONG ? -E2BIG : (int)n;
	sink->used += (size_t)n + 1;
	return 0;
}

/* Short strings far from each other are read many at a time. */
enum { BATCH = 64, PIECE = 64 };

/* The beginning of each of COUNT strings, none beyond the end of its page, in one
 * call. How many of them are complete in PIECES, from the first on.
 */
static size_t read_pieces(pid_t tid, const uint64_t *pointers, size_t count,
			  char pieces[BATCH][PIECE])
{
	struct iovec local[BATCH] = { { 0 } }, remote[BATCH] = { { 0 } };
	size_t i;
	ssize_t left;

	for (i = 0; i < count; i++) {
		size_t size = MIN((size_t)PIECE, PAGE - (size_t)(pointers[i] & (PAGE - 1)));

		local[i] = (struct iovec){ .iov_base = pieces[i], .iov_len = size };
		remote[i] = (struct iovec){ .iov_base = (void *)(uintptr_t)pointers[i],
					    .iov_len = size };
	}
	left = process_vm_readv(tid, local, count, remote, count, 0);
	for (i = 0; i < count && left >= (ssize_t)remote[i].iov_len; i++) {
		left -= (ssize_t)remote[i].iov_len;
		if (!memchr(pieces[i], '\0', remote[i].iov_len))
			break;
	}
	return i;
}

/* Copies COUNT strings; what is long or cannot be read is asked for by itself. */
static int copy_batch(pid_t tid, const uint64_t *pointers, size_t count, struct sink *sink)
{
	UNCLEARED char pieces[BATCH][PIECE];
	size_t done = read_pieces(tid, pointers, count, pieces);
	int r = 0;

	for (size_t i = 0; i < done; i++) {
		size_t size = strlen(pieces[i]) + 1;

		if (size > sink->room - sink->used)
			return -E2BIG;
		memcpy(sink->out + sink->used, pieces[i], size);
		sink->used += size;
	}
	if (done < count) {
		r = copy_one(tid, pointers[done], sink);
		done++;
	}
	return r < 0 ? r : (int)done;
}

static int copy_strings(pid_t tid, const struct pointers *p, const char *span, size_t span_size,
			struct sink *sink)
{
	size_t batch = 1;

	for (size_t i = 0; i < p->count;) {
		int r = copy_from_span(p->items[i], p->low, span, span_size, sink);

		if (r == 0) {
			r = copy_batch(tid, p->items + i, MIN(batch, p->count - i), sink);
			/* long ones are better asked for one by one */
			batch = r == (int)batch ? MIN(2 * batch, (size_t)BATCH) : 1;
		}
		if (r < 0)
			return r;
		i += (size_t)r;
	}
	return 0;
}

int target_read_vector(pid_t tid, uint64_t address, unsigned word, struct arena *arena,
		       struct string_list *ret)
{
	struct pointers p = { .items = NULL };
	struct sink sink = { .used = 0 };
	size_t span_size = 0;
	const char *span;
	int r;

	*ret = (struct string_list){ .data = "" };
	if (!address)
		return 0;
	r = read_pointers(tid, address, word, arena, &p);
	if (r < 0 || !p.count)
		return r;
	span = read_span(tid, &p, arena, &span_size);
	/* most often all strings are inside the span; else, or when several pointers
	 * mean one string, room for the most that execve(2) itself takes */
	sink.room = span && p.count * 8 < span_size ? span_size + p.count : TARGET_VECTOR_MAX;
	for (;;) {
		sink.used = 0;
		sink.out = arena_alloc_raw(arena, sink.room);
		if (!sink.out)
			return -ENOMEM;
		r = copy_strings(tid, &p, span, span_size, &sink);
		if (r != -E2BIG || sink.room >= TARGET_VECTOR_MAX)
			break;
		sink.room = TARGET_VECTOR_MAX;
	}
	if (r < 0)
		return r;
	ret->data = sink.out;
	ret->size = (uint32_t)sink.used;
	ret->count = (uint32_t)p.count;
	return 0;
}

int target_pidfd(pid_t tid)
{
	int fd = (int)syscall(SYS_pidfd_open, tid, PIDFD_THREAD_FLAG);

	if (fd < 0 && errno == EINVAL)
		fd = (int)syscall(SYS_pidfd_open, tid, 0);
	/* "not the first thread" in later kernels, where the flag may still be filtered */
	if (fd < 0 && errno == ENOENT)
		return -EINVAL;
	return fd < 0 ? -errno : fd;
}

int target_getfd(int pidfd, int fd)
{
	int copy = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);

	return copy < 0 ? -errno : copy;
}
