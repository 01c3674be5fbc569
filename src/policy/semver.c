/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>

#include "policy/semver.h"

#include <ctype.h>
#include <errno.h>

enum { MAX_CONSTRAINT = 512 };

/* A version in a constraint: `given` of its three parts are there. */
struct pattern {
	struct semver version;
	unsigned given;
};

static bool is_wildcard(char c)
{
	return c == 'x' || c == 'X' || c == '*';
}

/* Reads "1.2.3", "1.2", "1.x", "*" at *TEXT and skips it, with any pre-release
 * and build part.
 */
static int take_version(const char **text, struct pattern *ret)
{
	struct pattern p = { .given = 0 };
	const char *s = *text + (**text == 'v');
	bool wild = false;

	for (unsigned i = 0; i < 3; i++) {
		if (is_wildcard(*s)) {
			wild = true;
			s++;
		} else if (isdigit((unsigned char)*s) && !wild) {
			int64_t n = 0;

			for (; isdigit((unsigned char)*s); s++) {
				n = n * 10 + (*s - '0');
				if (n > INT32_MAX)
					return -EINVAL;
			}
			p.version.parts[i] = n;
			p.given = i + 1;
		} else {
			return -EINVAL;
		}
		if (*s != '.' || i == 2)
			break;
		s++;
	}
	if (*s == '-' || *s == '+')
		s += strcspn(s, " ,|");
	*text = s;
	*ret = p;
	return 0;
}

int semver_parse(const char *text, struct semver *ret)
{
	struct pattern p;

	if (take_version(&text, &p) < 0 || p.given == 0 || *text != '\0')
		return -EINVAL;
	*ret = p.version;
	return 0;
}

static int compare(const struct semver *a, const struct semver *b)
{
	for (unsigned i = 0; i < 3; i++) {
		if (a->parts[i] != b->parts[i])
			return a->parts[i] < b->parts[i] ? -1 : 1;
	}
	return 0;
}

/* Whether the first COUNT parts are the same. */
static bool same(const struct semver *a, const struct semver *b, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (a->parts[i] != b->parts[i])
			return false;
	}
	return true;
}

static bool op_equal(const struct semver *v, const struct pattern *p)
{
	return same(v, &p->version, p->given);
}

static bool op_not_equal(const struct semver *v, const struct pattern *p)
{
	return !op_equal(v, p);
}

static bool op_less(const struct semver *v, const struct pattern *p)
{
	return compare(v, &p->version) < 0;
}

static bool op_greater(const struct semver *v, const struct pattern *p)
{
	return compare(v, &p->version) > 0 && !op_equal(v, p);
}

static bool op_at_least(const struct semver *v, const struct pattern *p)
{
	return compare(v, &p->version) >= 0;
}

static bool op_at_most(const struct semver *v, const struct pattern *p)
{
	return compare(v, &p->version) <= 0 || op_equal(v, p);
}

/* ~1.2.3: the same minor version, at least this. */
static bool op_tilde(const struct semver *v, const struct pattern *p)
{
	return compare(v, &p->version) >= 0 && same(v, &p->version, MIN(p->given, 2u));
}

/* ^1.2.3: the same up to the first part that is not 0, at least this. */
static bool op_caret(const struct semver *v, const struct pattern *p)
{
	unsigned count = 1;

	while (count < p->given && p->version.parts[count - 1] == 0)
		count++;
	return compare(v, &p->version) >= 0 && same(v, &p->version, MIN(count, p->given));
}

static const struct {
	const char *text;
	bool (*holds)(const struct semver *v, const struct pattern *p);
} operators[] = {
	/* longer ones first */
	{ "!=", op_not_equal }, { ">=", op_at_least }, { "=>", op_at_least }, { "<=", op_at_most },
	{ "=<", op_at_most },   { "~>", op_tilde },    { ">", op_greater },   { "<", op_less },
	{ "=", op_equal },      { "~", op_tilde },     { "^", op_caret },     { "", op_equal },
};

static const char *skip_space(const char *s)
{
	return s + strspn(s, " \t");
}

/* One condition at *TEXT: 1, 0, or -EINVAL. */
static int take_condition(const char **text, const struct semver *version)
{
	const char *s = *text;
	struct pattern p, to;
	size_t op = 0;

	while (strncmp(s, operators[op].text, strlen(operators[op].text)) != 0)
		op++;
	s = skip_space(s + strlen(operators[op].text));
	if (take_version(&s, &p) < 0)
		return -EINVAL;
	*text = s;
	if (*operators[op].text || strncmp(s, " - ", 3) != 0)
		return operators[op].holds(version, &p);
	s = skip_space(s + 3);
	if (take_version(&s, &to) < 0)
		return -EINVAL;
	*text = s;
	return op_at_least(version, &p) && op_at_most(version, &to);
}

/* One alternative, up to "||" or the end: 1, 0, or -EINVAL. */
static int take_alternative(const char **text, const struct semver *version)
{
	const char *s = skip_space(*text);
	bool all = true;
	int r;

	do {
		r = take_condition(&s, version);
		if (r < 0)
			return r;
		if (*s != '\0' && !strchr(" \t,|", *s))
			return -EINVAL;
		all &= r > 0;
		s = skip_space(s);
		if (*s == ',')
			s = skip_space(s + 1);
	} while (*s != '\0' && *s != '|');
	*text = s;
	return all;
}

int semver_satisfies(const struct semver *version, const char *constraint, struct err *err)
{
	const char *s = constraint;
	bool any = false;
	int r;

	if (strlen(constraint) > MAX_CONSTRAINT)
		return err_set(err, -EINVAL, "the version constraint is too long");
	for (;;) {
		r = take_alternative(&s, version);
		if (r < 0)
			break;
		any |= r > 0;
		if (*s == '\0')
			return any;
		if (strncmp(s, "||", 2) != 0)
			break;
		s += 2;
	}
	return err_set(err, -EINVAL, "'%s' is not a version constraint", constraint);
}
