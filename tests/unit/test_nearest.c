/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "base/nearest.h"

struct row {
	char word[80], want[16]; /* want "" = nothing is near */
};

static const char *const names[] = { "run", "check", "eval", "doctor", "version", "help" };

ParameterizedTestParameters(nearest, finds)
{
	static struct row rows[] = {
		{ "rnu", "run" },
		{ "ru", "run" },
		{ "runn", "run" },
		{ "sum", "" },
		{ "chekc", "check" },
		{ "chck", "check" },
		{ "evaluate", "" },
		{ "doktor", "doctor" },
		{ "versoin", "version" },
		{ "HELP", "" },
		{ "", "" },
		{ "hel", "help" },
		{ "\xff\xfe\xfd", "" },
		{ "x", "" },
		{ "help me, this word is longer than any name of ours could ever be, by far", "" },
	};
	return cr_make_param_array(struct row, rows, ELEMENTS(rows));
}

ParameterizedTest(struct row *r, nearest, finds)
{
	struct nearest n = NEAREST(r->word);
	const char *got;

	nearest_offer(&n, NULL);
	for (size_t i = 0; i < ELEMENTS(names); i++)
		nearest_offer(&n, names[i]);
	got = nearest_result(&n);
	cr_expect_str_eq(got ? got : "", r->want, "%s gives %s", r->word, got ? got : "nothing");
}

Test(nearest, part_of_a_text)
{
	struct nearest n = { .word = "chek: yes", .size = 4 };

	nearest_offer(&n, "check");
	cr_expect_str_eq(nearest_result(&n), "check");
}
