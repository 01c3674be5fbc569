/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>

#include "policy/options.h"

#include <errno.h>

static const struct {
	const char *name;
	int64_t ns;
} units[] = {
	{ "ns", 1 },         { "us", 1000 },       { "ms", 1000000 },
	{ "s", 1000000000 }, { "m", 60000000000 }, { "h", 3600000000000 },
};

/* The unit that *TEXT begins with, which is skipped; 0 when there is none. */
static int64_t take_unit(const char **text)
{
	size_t size = strspn(*text, "nusmh");

	for (size_t i = 0; i < ELEMENTS(units); i++) {
		if (strlen(units[i].name) == size && strncmp(*text, units[i].name, size) == 0) {
			*text += size;
			return units[i].ns;
		}
	}
	return 0;
}

/* One "12.5s" of a sum: its nanoseconds, -EINVAL or -ERANGE. */
static int64_t take_part(const char **text)
{
	int64_t whole = 0, fraction = 0, scale = 1, unit, ns;
	size_t digits = strspn(*text, "0123456789");
	const char *s = *text;

	if (digits == 0)
		return -EINVAL;
	for (; digits > 0; digits--, s++) {
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, *s - '0', &whole))
			return -ERANGE;
	}
	if (*s == '.') {
		s++;
		digits = strspn(s, "0123456789");
		if (digits == 0)
			return -EINVAL;
		for (; digits > 0; digits--, s++) {
			if (scale < 1000000) { /* finer than that is below a nanosecond's use */
				fraction = fraction * 10 + (*s - '0');
				scale *= 10;
			}
		}
	}
	unit = take_unit(&s);
	if (unit == 0)
		return -EINVAL;
	if (__builtin_mul_overflow(whole, unit, &ns) ||
	    __builtin_add_overflow(ns, unit / scale * fraction + unit % scale * fraction / scale,
				   &ns))
		return -ERANGE;
	*text = s;
	return ns;
}

int duration_parse(const char *text, int64_t *ret_ns)
{
	int64_t sum = 0, part;

	if (*text == '\0')
		return -EINVAL;
	while (*text) {
		part = take_part(&text);
		if (part < 0)
			return (int)part;
		if (__builtin_add_overflow(sum, part, &sum))
			return -ERANGE;
	}
	*ret_ns = sum;
	return 0;
}
