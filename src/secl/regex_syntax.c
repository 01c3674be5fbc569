/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "secl/regex_syntax.h"

#include <errno.h>
#include <stdio.h>

/* RE2's own limit for counted repetition. */
enum { REPEAT_MAX = 1000 };

/* The longest that one byte of pattern can become: \s (two bytes) turns into
 * a bracket of eleven or twelve, and once more when it is repeated.
 */
enum { GROWTH = 16 };

struct translator {
	const char *p, *end;
	char *out;
	size_t n;
	bool repeatable; /* the last thing may be followed by a quantifier */
	bool single;     /* and it is one character, class or assertion, */
	size_t atom;     /* which begins here in `out` */
	size_t counts;   /* sum of the upper bounds of repetitions */
	struct err *err;
};

static int refuse(struct translator *t, const char *why)
{
	return err_set(t->err, -EINVAL, "regexp: %s", why);
}

static void emit(struct translator *t, const char *text, size_t size)
{
	memcpy(t->out + t->n, text, size);
	t->n += size;
}

static void emit_text(struct translator *t, const char *text)
{
	emit(t, text, strlen(text));
}

static void emit_code(struct translator *t, unsigned code)
{
	t->n += (size_t)sprintf(t->out + t->n, "\\x{%x}", code);
}

/* What is emitted next is one thing that a quantifier may follow. */
static void begin_atom(struct translator *t)
{
	t->atom = t->n;
	t->repeatable = t->single = true;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_';
}

static bool is_octal(const struct translator *t)
{
	return t->p < t->end && *t->p >= '0' && *t->p <= '7';
}

/* \xHH or \x{H...}; p is behind the x. */
static int hex_escape(struct translator *t)
{
	const char *start = t->p;

	if (t->p < t->end && *t->p == '{') {
		t->p++;
		while (t->p < t->end && is_hex(*t->p))
			t->p++;
		if (t->p == t->end || *t->p != '}' || t->p - start < 2)
			return refuse(t, "\\x{ needs hexadecimal digits and }");
		t->p++;
	} else {
		if (t->end - t->p < 2 || !is_hex(t->p[0]) || !is_hex(t->p[1]))
			return refuse(t, "\\x needs two hexadecimal digits or {}");
		t->p += 2;
	}
	emit_text(t, "\\x");
	emit(t, start, (size_t)(t->p - start));
	return 0;
}

/* \0, \012, \123: PCRE2 would take some for back-references. p is behind the
 * first digit, FIRST.
 */
static int octal_escape(struct translator *t, char first)
{
	unsigned code = (unsigned)(first - '0');

	if (first > '7' || (first != '0' && !is_octal(t)))
		return refuse(t, "back-references are not supported");
	for (int i = 0; i < 2 && is_octal(t); i++)
		code = code * 8 + (unsigned)(*t->p++ - '0');
	emit_code(t, code);
	return 0;
}

/* \pL, \p{Greek}, \p{^Greek}; p is behind the p. */
static int property_escape(struct translator *t, char letter)
{
	const char *start = t->p;

	if (t->p < t->end && *t->p == '{') {
		while (t->p < t->end && *t->p != '}')
			t->p++;
		if (t->p == t->end)
			return refuse(t, "\\p{ needs a }");
	}
	if (t->p == t->end)
		return refuse(t, "\\p needs a class of characters");
	t->p++;
	emit(t, (char[]){ '\\', letter }, 2);
	emit(t, start, (size_t)(t->p - start));
	return 0;
}

/* \Q...\E: everything literally. */
static int quoted(struct translator *t)
{
	while (t->p < t->end) {
		char c = *t->p++;

		if (c == '\\' && t->p < t->end && *t->p == 'E') {
			t->p++;
			return 0;
		}
		if (((unsigned char)c & 0xc0) != 0x80)
			begin_atom(t);
		if (!is_word(c) && (unsigned char)c < 0x80)
			emit(t, "\\", 1);
		emit(t, &c, 1);
	}
	return 0;
}

/* Letters behind a backslash, and what they become outside and inside of a
 * bracket; NULL = refused there.
 */
static const struct {
	char letter;
	const char *outside, *inside;
} escapes[] = {
	{ 'd', "\\d", "\\d" },
	{ 'D', "\\D", "\\D" },
	{ 'w', "\\w", "\\w" },
	{ 'W', "\\W", "\\W" },
	/* PCRE2 counts the vertical tab as white space, RE2 does not */
	{ 's', "[\\t\\n\\f\\r ]", "\\t\\n\\f\\r " },
	{ 'S', "[^\\t\\n\\f\\r ]", "\\S" },
	{ 'b', "\\b", NULL },
	{ 'B', "\\B", NULL },
	{ 'A', "\\A", NULL },
	{ 'z', "\\z", NULL },
	{ 'a', "\\a", "\\a" },
	{ 'f', "\\f", "\\f" },
	{ 't', "\\t", "\\t" },
	{ 'n', "\\n", "\\n" },
	{ 'r', "\\r", "\\r" },
	{ 'v', "\\x0b", "\\x0b" },
};

static int escape(struct translator *t, bool inside)
{
	char c;

	if (t->end - t->p < 2)
		return refuse(t, "backslash at the end");
	c = t->p[1];
	t->p += 2;
	if (!inside)
		begin_atom(t);
	for (size_t i = 0; i < ELEMENTS(escapes); i++) {
		const char *text = inside ? escapes[i].inside : escapes[i].outside;

		if (escapes[i].letter != c)
			continue;
		if (!text)
			break;
		emit_text(t, text);
		return 0;
	}
	if (c == 'x')
		return hex_escape(t);
	if (c >= '0' && c <= '9')
		return octal_escape(t, c);
	if (c == 'p' || c == 'P')
		return property_escape(t, c);
	if (c == 'Q' && !inside)
		return quoted(t);
	if (is_word(c) || (unsigned char)c >= 0x80)
		return err_set(t->err, -EINVAL, "regexp: \\%c is not supported%s", c,
			       c == 'k' || c == 'g' ? " (back-reference)" : "");
	emit(t, (char[]){ '\\', c }, 2);
	return 0;
}

/* [:alpha:] and its like; p is at the bracket. 0 = there is none. */
static size_t posix_class(const struct translator *t)
{
	static const char *const names[] = { "alnum", "alpha", "ascii", "blank", "cntrl",
					     "digit", "graph", "lower", "print", "punct",
					     "space", "upper", "word",  "xdigit" };
	const char *p = t->p + 2;

	if (t->end - t->p < 2 || t->p[1] != ':')
		return 0;
	if (p < t->end && *p == '^')
		p++;
	for (size_t i = 0; i < ELEMENTS(names); i++) {
		size_t n = strlen(names[i]);

		if ((size_t)(t->end - p) >= n + 2 && memcmp(p, names[i], n) == 0 && p[n] == ':' &&
		    p[n + 1] == ']')
			return (size_t)(p - t->p) + n + 2;
	}
	return 0;
}

static int bracket_member(struct translator *t)
{
	size_t n;

	if (*t->p == '\\')
		return escape(t, true);
	if (*t->p == '[') {
		n = posix_class(t);
		if (n > 0) {
			emit(t, t->p, n);
			t->p += n;
			return 0;
		}
		if (t->p + 1 < t->end && t->p[1] == ':')
			return refuse(t, "unknown class of characters in [: :]");
		emit(t, "\\", 1);
	}
	emit(t, t->p++, 1);
	return 0;
}

static int bracket(struct translator *t)
{
	int r;

	begin_atom(t);
	emit(t, t->p++, 1);
	if (t->p < t->end && *t->p == '^')
		emit(t, t->p++, 1);
	/* the first one is a member, not the end */
	if (t->p < t->end && *t->p == ']') {
		emit(t, "\\]", 2);
		t->p++;
	}
	while (t->p < t->end && *t->p != ']') {
		r = bracket_member(t);
		if (r < 0)
			return r;
	}
	if (t->p == t->end)
		return refuse(t, "closing ] is missing");
	emit(t, t->p++, 1);
	return 0;
}

/* Why what follows "(?" is refused. */
static int bad_group(struct translator *t)
{
	static const struct {
		const char *start, *why;
	} rows[] = {
		{ "=", "look-ahead is not supported" },
		{ "!", "look-ahead is not supported" },
		{ "<=", "look-behind is not supported" },
		{ "<!", "look-behind is not supported" },
		{ ">", "atomic groups are not supported" },
		{ "P=", "back-references are not supported" },
		{ "P>", "recursion is not supported" },
		{ "R", "recursion is not supported" },
		{ "&", "recursion is not supported" },
		{ "1", "recursion is not supported" },
		{ "C", "callouts are not supported" },
		{ "(", "conditions are not supported" },
	};

	for (size_t i = 0; i < ELEMENTS(rows); i++) {
		size_t n = strlen(rows[i].start);

		if ((size_t)(t->end - t->p) >= n && memcmp(t->p, rows[i].start, n) == 0)
			return refuse(t, rows[i].why);
	}
	return refuse(t, "this kind of group is not supported");
}

/* <name> or P<name>: nothing can refer to it, so it becomes a plain group. */
static int named_group(struct translator *t, const char *name)
{
	const char *p = name;

	while (p < t->end && is_word(*p))
		p++;
	if (p == name || p == t->end || *p != '>')
		return bad_group(t);
	t->p = p + 1;
	emit_text(t, "(?:");
	return 0;
}

/* (?flags) or (?flags:...); p is behind the question mark. */
static int flag_group(struct translator *t)
{
	const char *p = t->p;
	bool minus = false;
	size_t flags = 0;

	for (; p < t->end; p++) {
		if (*p == '-' && !minus) {
			minus = true;
			flags = 0;
		} else if (strchr("imsU", *p) && *p) {
			flags++;
		} else {
			break;
		}
	}
	if (p == t->end || (*p != ':' && *p != ')') || (flags == 0 && (minus || *p == ')')))
		return bad_group(t);
	emit_text(t, "(?");
	emit(t, t->p, (size_t)(p + 1 - t->p));
	t->p = p + 1;
	return 0;
}

static int group(struct translator *t)
{
	t->repeatable = false;
	t->p++;
	if (t->p < t->end && *t->p == '*')
		return refuse(t, "(*VERBS) are not supported");
	if (t->p == t->end || *t->p != '?') {
		emit(t, "(", 1);
		return 0;
	}
	t->p++;
	if (t->end - t->p >= 2 && t->p[0] == '<' && is_word(t->p[1]))
		return named_group(t, t->p + 1);
	if (t->end - t->p >= 3 && t->p[0] == 'P' && t->p[1] == '<')
		return named_group(t, t->p + 2);
	return flag_group(t);
}

/* A quantifier: how long it is, and from where to where it counts. */
struct repeat {
	size_t size;
	unsigned low, high;
	bool open; /* without an upper bound */
};

static const struct repeat star = { 1, 0, 0, true }, plus = { 1, 1, 0, true },
			   maybe = { 1, 0, 1, false };

static int check_repeat(struct translator *t, const struct repeat *repeat)
{
	if (repeat->low > REPEAT_MAX || repeat->high > REPEAT_MAX)
		return refuse(t, "a repetition counts to 1000 at most");
	if (!repeat->open && repeat->low > repeat->high)
		return refuse(t, "the bounds of a repetition are the wrong way round");
	return 1;
}

/* {n}, {n,}, {n,m}; p is at the brace. 1; 0 = an ordinary brace; -EINVAL. */
static int counted(struct translator *t, struct repeat *ret)
{
	const char *p = t->p + 1;
	unsigned bounds[2] = { 0, 0 };

	*ret = (struct repeat){ 0 };
	for (int i = 0; i < 2; i++) {
		const char *start = p;

		for (; p < t->end && *p >= '0' && *p <= '9'; p++)
			bounds[i] = MIN(bounds[i] * 10 + (unsigned)(*p - '0'), REPEAT_MAX + 1u);
		if (p == t->end || (p == start && i == 0))
			return 0;
		ret->open = i == 1 && p == start;
		if (*p == '}') {
			ret->low = bounds[0];
			ret->high = bounds[i];
			ret->size = (size_t)(p + 1 - t->p);
			return check_repeat(t, ret);
		}
		if (*p != ',' || i == 1)
			return 0;
		p++;
	}
	return 0;
}

/* x+ becomes xx*, x{3,} becomes x{3}x*: the single pass of PCRE2 counts the
 * rounds of x+ and takes each count for a state of its own, which makes it as
 * slow as the backtracking that it replaces. Groups it does not count.
 */
static void emit_open(struct translator *t, const struct repeat *repeat)
{
	size_t size = t->n - t->atom;

	if (repeat->low > 0) {
		if (repeat->low > 1)
			t->n += (size_t)sprintf(t->out + t->n, "{%u}", repeat->low);
		emit(t, t->out + t->atom, size);
	}
	emit(t, "*", 1);
}

static int quantifier(struct translator *t, const struct repeat *repeat)
{
	if (!t->repeatable)
		return refuse(t, "a quantifier without something to repeat (possessive and "
				 "double quantifiers are not supported)");
	if (t->single && repeat->open)
		emit_open(t, repeat);
	else
		emit(t, t->p, repeat->size);
	t->counts += MAX(repeat->low, repeat->high);
	t->p += repeat->size;
	if (t->p < t->end && *t->p == '?')
		emit(t, t->p++, 1);
	t->repeatable = t->single = false;
	return 0;
}

static int brace(struct translator *t)
{
	struct repeat repeat;
	int r = counted(t, &repeat);

	if (r < 0)
		return r;
	if (r > 0)
		return quantifier(t, &repeat);
	begin_atom(t);
	emit(t, "\\{", 2);
	t->p++;
	return 0;
}

static int translate_one(struct translator *t)
{
	char c = *t->p;

	switch (c) {
	case '\\': return escape(t, false);
	case '[': return bracket(t);
	case '(': return group(t);
	case '*': return quantifier(t, &star);
	case '+': return quantifier(t, &plus);
	case '?': return quantifier(t, &maybe);
	case '{': return brace(t);
	default: break;
	}
	if (((unsigned char)c & 0xc0) != 0x80)
		begin_atom(t);
	if (c == '|')
		t->repeatable = false;
	if (c == ')')
		t->single = false;
	emit(t, t->p++, 1);
	return 0;
}

int regexp_translate(const char *pattern, size_t size, char **ret, size_t *ret_size,
		     size_t *ret_counts, struct err *err)
{
	_cleanup_free_ char *out = malloc(size * GROWTH + GROWTH);
	struct translator t = { .p = pattern, .end = pattern + size, .out = out, .err = err };
	int r;

	if (!out)
		return -ENOMEM;
	while (t.p < t.end) {
		r = translate_one(&t);
		if (r < 0)
			return r;
	}
	*ret = TAKE(out);
	*ret_size = t.n;
	*ret_counts = t.counts;
	return 0;
}
