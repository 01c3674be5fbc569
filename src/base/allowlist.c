/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/allowlist.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#if defined(__x86_64__) && !defined(__ILP32__)
#define NATIVE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#else
#error "guard runs on x86_64 and aarch64"
#endif

enum {
	ALLOW = SECCOMP_RET_ALLOW,
	REFUSE = SECCOMP_RET_ERRNO | EPERM,
	/* of a row at most: three for each half of a condition and two returns */
	SEGMENT_INSNS = 3 * 2 * ALLOWLIST_CONDITIONS + 2,
	/* the refusal behind it, and a step of the search to each of the two */
	ROW_INSNS = SEGMENT_INSNS + 1 + 2 * 2,
	/* over half of so many a conditional jump may not reach */
	NEAR_SEGMENTS = 2 * UINT8_MAX / (SEGMENT_INSNS + 1),
};

/* The numbers from FIRST to where the next one begins. */
struct segment {
	uint32_t first;
	const struct allowlist_row *row; /* NULL: refused */
};

struct builder {
	struct segment segments[2 * ALLOWLIST_ROWS_MAX + 1];
	size_t nsegments;
	struct sock_filter *insns;
	size_t len;
};

static bool is_plain(const struct allowlist_row *row)
{
	return !row->error && !row->when[0].mask && !row->when[1].mask;
}

static int by_number(const void *a, const void *b)
{
	const struct allowlist_row *const *x = a, *const *y = b;

	return ((*x)->number > (*y)->number) - ((*x)->number < (*y)->number);
}

/* Neighbours that are just allowed are one. */
static int add_row(struct builder *b, const struct allowlist_row *row)
{
	struct segment *last = &b->segments[b->nsegments - 1];
	uint32_t number = (uint32_t)row->number;

	if (number < last->first)
		return -EINVAL;
	if (number > last->first)
		last = &b->segments[b->nsegments++];
	*last = (struct segment){ .first = number, .row = row };
	if (b->nsegments > 1 && is_plain(row) && last[-1].row && is_plain(last[-1].row)) {
		b->nsegments--;
		last--;
	}
	b->segments[b->nsegments++] = (struct segment){ .first = number + 1 };
	return 0;
}

static int make_segments(struct builder *b, const struct allowlist_row *rows, size_t count)
{
	const struct allowlist_row *sorted[ALLOWLIST_ROWS_MAX];
	size_t n = 0;
	int r = 0;

	if (count > ALLOWLIST_ROWS_MAX)
		return -EINVAL;
	for (size_t i = 0; i < count; i++) {
		if (rows[i].number >= 0)
			sorted[n++] = &rows[i];
	}
	qsort(sorted, n, sizeof *sorted, by_number);
	b->segments[b->nsegments++] = (struct segment){ .first = 0 };
	for (size_t i = 0; i < n && r == 0; i++)
		r = add_row(b, sorted[i]);
	return r;
}

static size_t emit(struct builder *b, uint16_t code, uint32_t k)
{
	b->insns[b->len] = (struct sock_filter)BPF_STMT(code, k);
	return b->len++;
}

/* Emits a comparison whose failure goes on behind what the caller emits next. */
static size_t emit_test(struct builder *b, uint16_t test, uint32_t k)
{
	return emit(b, BPF_JMP | test | BPF_K, k);
}

/* How far a jump at FROM goes to what comes next. */
static size_t distance(const struct builder *b, size_t from)
{
	return b->len - from - 1;
}

/* Both halves of an argument are looked at as far as the mask says. */
static void emit_conditional(struct builder *b, const struct allowlist_row *row)
{
	size_t ways_out[2 * ALLOWLIST_CONDITIONS], n = 0;

	for (size_t i = 0; i < 2 * ALLOWLIST_CONDITIONS; i++) {
		const struct allowlist_condition *when = &row->when[i / 2];
		uint32_t mask = (uint32_t)(when->mask >> (i % 2 ? 32 : 0));

		if (!mask)
			continue;
		(void)emit(b, BPF_LD | BPF_W | BPF_ABS,
			   (uint32_t)(offsetof(struct seccomp_data, args) +
				      when->argument * sizeof(uint64_t) +
				      (i % 2 ? sizeof(uint32_t) : 0)));
		if (mask != UINT32_MAX)
			(void)emit(b, BPF_ALU | BPF_AND | BPF_K, mask);
		ways_out[n++] = emit_test(b, BPF_JEQ, (uint32_t)(when->value >> (i % 2 ? 32 : 0)));
	}
	(void)emit(b, BPF_RET | BPF_K, ALLOW);
	for (size_t i = 0; i < n; i++)
		b->insns[ways_out[i]].jf = (uint8_t)distance(b, ways_out[i]);
	(void)emit(b, BPF_RET | BPF_K, REFUSE);
}

static void emit_segment(struct builder *b, const struct segment *segment)
{
	const struct allowlist_row *row = segment->row;

	if (!row)
		(void)emit(b, BPF_RET | BPF_K, REFUSE);
	else if (row->error)
		(void)emit(b, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)row->error);
	else if (is_plain(row))
		(void)emit(b, BPF_RET | BPF_K, ALLOW);
	else
		emit_conditional(b, row);
}

/* The search among COUNT segments. */
static void emit_search(struct builder *b, const struct segment *segments, size_t count)
{
	size_t half = count / 2, test, skip = 0;
	bool far = count > NEAR_SEGMENTS;

	if (count == 1) {
		emit_segment(b, segments);
		return;
	}
	test = emit_test(b, BPF_JGE, segments[half].first);
	if (far)
		skip = emit(b, BPF_JMP | BPF_JA, 0);
	emit_search(b, segments, half);
	if (far) {
		b->insns[test].jf = 1;
		b->insns[skip].k = (uint32_t)distance(b, skip);
	} else {
		b->insns[test].jt = (uint8_t)distance(b, test);
	}
	emit_search(b, segments + half, count - half);
}

int allowlist_build(const struct allowlist_row *rows, size_t count, struct sock_fprog *ret)
{
	_cleanup_free_ struct sock_filter *insns = NULL;
	struct builder b = { .nsegments = 0 };
	size_t test;
	int r = make_segments(&b, rows, count);

	if (r < 0)
		return r;
	insns = calloc(ROW_INSNS * (count + 1), sizeof *insns);
	if (!insns)
		return -ENOMEM;
	b.insns = insns;
	(void)emit(&b, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	test = emit_test(&b, BPF_JEQ, NATIVE);
	b.insns[test].jt = 1;
	(void)emit(&b, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	(void)emit(&b, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	emit_search(&b, b.segments, b.nsegments);
	if (b.len > BPF_MAXINSNS)
		return -EINVAL;
	*ret = (struct sock_fprog){ .len = (unsigned short)b.len, .filter = TAKE(insns) };
	return 0;
}

int allowlist_load(const struct allowlist_row *rows, size_t count)
{
	struct sock_fprog program;
	int r = allowlist_build(rows, count, &program);

	if (r < 0)
		return r;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		r = -errno;
	free(program.filter);
	return r;
}
