/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Careful rather than clever: whatever is not plain text, repeated at will, one of
 * several or inside of parentheses, ends a part or the search.
 */
#include "config.h"

#include "secl/regex_parts.h"

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '/' || c == ' ' || c == ':' || c == '=' || c == '@' ||
	       c == ',' || c == ';' || c == '%' || c == '&' || c == '~' || c == '!' || c == '"' ||
	       c == '\'' || c == '<' || c == '>' || c == '#';
}

/* "a|b|c" in one pair of parentheses, with or without .* around it: one of them it is. */
static bool one_of_words(struct secl_string p, struct secl_string *ret)
{
	if (p.size >= 2 && memcmp(p.text, ".*", 2) == 0)
		p = (struct secl_string){ p.text + 2, p.size - 2 };
	if (p.size >= 2 && memcmp(p.text + p.size - 2, ".*", 2) == 0)
		p.size -= 2;
	if (p.size < 2 || p.text[0] != '(' || p.text[p.size - 1] != ')')
		return false;
	*ret = (struct secl_string){ p.text + 1, p.size - 2 };
	for (size_t i = 0; i < ret->size; i++) {
		if (!is_word(ret->text[i]) && ret->text[i] != '|')
			return false;
	}
	return true;
}

static size_t visit_words(struct secl_string words, size_t minimum,
			  void (*visit)(void *data, const struct secl_string *text), void *data)
{
	size_t count = 0;

	for (size_t start = 0, i = 0; i <= words.size; i++) {
		const struct secl_string word = { words.text + start, i - start };

		if (i < words.size && words.text[i] != '|')
			continue;
		if (word.size < minimum)
			return 0;
		if (visit)
			visit(data, &word);
		count++;
		start = i + 1;
	}
	return count;
}

struct search {
	const char *p, *end;
	const char *run; /* where the plain text begins, NULL = nowhere */
	unsigned depth;
	struct secl_string best;
	bool lost; /* nothing is certain */
};

/* What ends before END is a part. */
static void end_run(struct search *s, const char *end)
{
	if (s->run && end > s->run && (size_t)(end - s->run) > s->best.size)
		s->best = (struct secl_string){ s->run, (size_t)(end - s->run) };
	s->run = NULL;
}

/* The ] of [:name:] at P, NULL when it is not that. */
static const char *end_of_name(const char *p, const char *end)
{
	for (p += 2; p < end && (*p == '^' || (*p >= 'a' && *p <= 'z')); p++)
		;
	return p + 1 < end && p[0] == ':' && p[1] == ']' ? p + 1 : NULL;
}

/* The end of [...], of which a ] in front and [:names:] are part; NULL when that is not
 * certain.
 */
static const char *end_of_class(const char *p, const char *end)
{
	p++;
	p += p < end && *p == '^';
	p += p < end && *p == ']';
	for (; p < end && *p != ']'; p++) {
		if (*p == '\\')
			p++;
		else if (*p == '[' && p + 1 < end && p[1] == ':')
			p = end_of_name(p, end);
		if (!p)
			return NULL;
	}
	return p < end ? p : NULL;
}

/* The end of {N}, {N,} or {N,M} at P; NULL where the brace is one like any character. */
static const char *behind_count(const char *p, const char *end)
{
	const char *start = ++p;

	while (p < end && *p >= '0' && *p <= '9')
		p++;
	if (p == start)
		return NULL;
	p += p < end && *p == ',';
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p < end && *p == '}' ? p : NULL;
}

static void step(struct search *s)
{
	const char *class_end;
	char c = *s->p;

	if (is_word(c)) {
		if (s->depth == 0 && !s->run)
			s->run = s->p;
		return;
	}
	switch (c) {
	/* the character in front may be missing */
	case '*':
	case '?': end_run(s, s->p - 1); break;
	case '{':
		end_run(s, s->p - 1);
		/* what stands behind one that counts nothing may be a | */
		s->p = behind_count(s->p, s->end) ?: s->p;
		break;
	case '[':
		end_run(s, s->p);
		class_end = end_of_class(s->p, s->end);
		s->lost |= !class_end;
		s->p = class_end ?: s->p;
		break;
	case '\\':
		end_run(s, s->p);
		s->p++;
		/* \Q quotes, \x and \p take more than one character */
		s->lost |= s->p >= s->end || strchr("QExpP0123456789", *s->p) != NULL;
		break;
	case '(':
		end_run(s, s->p);
		s->depth++;
		s->lost |= s->p + 1 < s->end && s->p[1] == '?';
		break;
	case ')':
		s->lost |= s->depth == 0;
		s->depth -= s->depth > 0;
		break;
	case '|': s->lost |= s->depth == 0; break;
	default: /* . ^ $ + and what is not ASCII */ end_run(s, s->p);
	}
}

size_t regexp_parts(const struct secl_string *pattern, size_t minimum,
		    void (*visit)(void *data, const struct secl_string *text), void *data)
{
	struct search s = { .p = pattern->text, .end = pattern->text + pattern->size };
	struct secl_string words;

	if (!pattern->size)
		return 0;
	if (one_of_words(*pattern, &words)) {
		if (!visit_words(words, minimum, NULL, NULL))
			return 0;
		return visit_words(words, minimum, visit, data);
	}
	for (; s.p < s.end && !s.lost; s.p++)
		step(&s);
	end_run(&s, s.end);
	if (s.lost || s.best.size < minimum)
		return 0;
	if (visit)
		visit(data, &s.best);
	return 1;
}
