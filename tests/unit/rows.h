/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rows.h - parameterised tests whose rows hold pointers.
 *
 * Criterion runs each row in a process of its own, in which addresses differ;
 * so what travels is the index of the row in a static table.
 *
 *	static const struct row rows[] = { ... };
 *	ROWS_TEST(suite, name, rows)
 *	{
 *		... r->text ...
 *	}
 */
#pragma once
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#define ROWS_TEST(suite, name, rows)                                                               \
	static void suite##_##name##_row(const __typeof__((rows)[0]) *r);                          \
	ParameterizedTestParameters(suite, name)                                                   \
	{                                                                                          \
		static size_t indices[ELEMENTS(rows)];                                             \
                                                                                                   \
		for (size_t i = 0; i < ELEMENTS(rows); i++)                                        \
			indices[i] = i;                                                            \
		return cr_make_param_array(size_t, indices, ELEMENTS(rows));                       \
	}                                                                                          \
	ParameterizedTest(size_t *index, suite, name)                                              \
	{                                                                                          \
		suite##_##name##_row(&(rows)[*index]);                                             \
	}                                                                                          \
	static void suite##_##name##_row(const __typeof__((rows)[0]) *r)
