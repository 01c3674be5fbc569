/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>

#include "policy/options.h"

#include <errno.h>

static const struct {
	const char *name;
	unsigned shift;
} units[] = { { "", 0 }, { "KiB", 10 }, { "MiB", 20 }, { "GiB", 30 } };

int size_parse(const char *text, int64_t *ret)
{
	size_t digits = strspn(text, "0123456789");
	int64_t value = 0;

	if (digits == 0)
		return -EINVAL;
	for (size_t i = 0; i < digits; i++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, text[i] - '0', &value))
			return -ERANGE;
	}
	for (size_t i = 0; i < ELEMENTS(units); i++) {
		if (!streq(units[i].name, text + digits))
			continue;
		if (value > INT64_MAX >> units[i].shift)
			return -ERANGE;
		*ret = value << units[i].shift;
		return 0;
	}
	return -EINVAL;
}
