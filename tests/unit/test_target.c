/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading another task's memory: here our own, with holes where they hurt. */
#include "config.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#include "kernel/target.h"

static uint64_t address_of(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

/* Two pages, the second one unreadable. */
static char *page_with_a_hole(void)
{
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	cr_assert_neq(p, MAP_FAILED);
	cr_assert_eq(mprotect(p + 4096, 4096, PROT_NONE), 0);
	return p;
}

Test(target, a_string_may_end_at_the_edge_of_memory)
{
	char *p = page_with_a_hole(), buf[64];

	(void)strcpy(p + 4096 - 6, "hello");
	cr_expect_eq(target_read_string(getpid(), address_of(p + 4090), buf, sizeof buf), 5);
	cr_expect_str_eq(buf, "hello");
	p[4095] = 'x';
	cr_expect_eq(target_read_string(getpid(), address_of(p + 4090), buf, sizeof buf), -EFAULT);
	cr_expect_eq(target_read_string(getpid(), address_of(p + 4090), buf, 3), -ENAMETOOLONG);
	cr_expect_eq(target_read_string(getpid(), 0, buf, sizeof buf), -EFAULT);
}

static struct arena arena;

static void setup(void)
{
	cr_assert_eq(arena_init(&arena, (size_t)64 << 20), 0);
}

static void teardown(void)
{
	arena_done(&arena);
}

TestSuite(vector, .init = setup, .fini = teardown);

Test(vector, an_ordinary_one_and_none)
{
	const char *argv[] = { "a", "", "ccc", NULL };
	struct string_list list;

	cr_assert_eq(target_read_vector(getpid(), address_of(argv), 8, &arena, &list), 0);
	cr_expect_eq(list.count, 3u);
	cr_expect_eq(list.size, 7u);
	cr_expect_eq(memcmp(list.data, "a\0\0ccc\0", 7), 0);
	cr_assert_eq(target_read_vector(getpid(), 0, 8, &arena, &list), 0);
	cr_expect_eq(list.count, 0u);
}

Test(vector, one_string_many_times)
{
	enum { COUNT = 5000 };
	static const char *argv[COUNT + 1];
	static char text[3000];
	struct string_list list;

	memset(text, 'x', sizeof text - 1);
	for (size_t i = 0; i < COUNT; i++)
		argv[i] = i % 1000 ? text + 2900 : text;
	cr_assert_eq(target_read_vector(getpid(), address_of(argv), 8, &arena, &list), 0);
	cr_expect_eq(list.count, (uint32_t)COUNT);
	cr_expect_eq(strlen(list.data), 2999u);
}

Test(vector, strings_far_apart_and_narrow_pointers)
{
	char *low = mmap((void *)0x10000000, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	uint32_t narrow[3];
	const char *wide[3];
	struct string_list list;

	cr_assert_neq(low, MAP_FAILED);
	(void)strcpy(low, "low");
	(void)strcpy(low + 100, "lower");
	wide[0] = low;
	wide[1] = "high";
	wide[2] = NULL;
	cr_assert_eq(target_read_vector(getpid(), address_of(wide), 8, &arena, &list), 0);
	cr_expect_eq(memcmp(list.data, "low\0high\0", 9), 0);
	narrow[0] = (uint32_t)address_of(low);
	narrow[1] = (uint32_t)address_of(low + 100);
	narrow[2] = 0;
	cr_assert_eq(target_read_vector(getpid(), address_of(narrow), 4, &arena, &list), 0);
	cr_expect_eq(memcmp(list.data, "low\0lower\0", 10), 0);
}

/* Too far apart for one span: read in batches, whatever their length and place. */
Test(vector, many_far_apart)
{
	enum { COUNT = 3000, STRIDE = 3 * 4096 };
	static const char *argv[COUNT + 1];
	struct string_list list;
	const char *p;
	char *area = mmap(NULL, (size_t)COUNT * STRIDE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	cr_assert_neq(area, MAP_FAILED);
	for (size_t i = 0; i < COUNT; i++) {
		/* some at the edge of a page, some across it, some long */
		size_t size = i % 7 ? i % 80 : 5000, place = i % 3 ? 4096 - i % 64 : 10;
		char *text = area + i * STRIDE + place;

		memset(text, 'a' + (int)(i % 26), size);
		argv[i] = text;
	}
	cr_assert_eq(target_read_vector(getpid(), address_of(argv), 8, &arena, &list), 0);
	cr_assert_eq(list.count, (uint32_t)COUNT);
	p = list.data;
	for (size_t i = 0; i < COUNT; i++) {
		cr_assert_str_eq(p, argv[i], "string %zu", i);
		p += strlen(p) + 1;
	}
	cr_expect_eq(p, list.data + list.size);
}

Test(vector, what_cannot_be_read_is_an_error)
{
	char *p = page_with_a_hole();
	const char *argv[] = { "a", p + 4096, NULL };
	const char **edge = (const char **)(void *)(p + 4096 - 8);
	struct string_list list;

	cr_expect_eq(target_read_vector(getpid(), address_of(argv), 8, &arena, &list), -EFAULT);
	*edge = "no end";
	cr_expect_eq(target_read_vector(getpid(), address_of(edge), 8, &arena, &list), -EFAULT);
	cr_expect_eq(target_read_vector(getpid(), address_of(p + 4096), 8, &arena, &list), -EFAULT);
}

Test(vector, a_full_arena_is_said)
{
	struct arena small;
	const char *argv[] = { "a", "b", NULL };
	struct string_list list;

	cr_assert_eq(arena_init(&small, 4096), 0);
	cr_expect_eq(target_read_vector(getpid(), address_of(argv), 8, &small, &list), -ENOMEM);
	arena_done(&small);
}
