/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Neither kind of pattern backtracks: each literal piece is taken where it is
 * found first. That is what the peer does, and it bounds the time by the
 * length of the text; `*ab` therefore does not match "abab".
 */
#include "config.h"

#include "secl/glob.h"

#include <errno.h>

static char lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static bool same(const char *a, const char *b, size_t size, bool icase)
{
	if (!icase)
		return size == 0 || memcmp(a, b, size) == 0;
	for (size_t i = 0; i < size; i++)
		if (lower(a[i]) != lower(b[i]))
			return false;
	return true;
}

/* Where PIECE begins in TEXT, or NULL. */
static const char *find(const char *text, size_t size, const char *piece, size_t psize, bool icase)
{
	if (!icase && size < psize)
		return NULL;
	if (!icase)
		return size ? memmem(text, size, piece, psize) : text;
	for (; size >= psize; text++, size--)
		if (same(text, piece, psize, true))
			return text;
	return NULL;
}

bool secl_pattern_match(const char *pattern, size_t psize, const char *text, size_t size,
			bool icase)
{
	const char *end = pattern + psize;
	const char *star = psize > 0 ? memchr(pattern, '*', psize) : NULL;
	size_t piece = star ? (size_t)(star - pattern) : psize;

	if (piece > size || !same(pattern, text, piece, icase))
		return false;
	if (!star)
		return piece == size;
	text += piece;
	size -= piece;
	for (pattern = star + 1; pattern < end; pattern = star + 1) {
		const char *found;

		star = memchr(pattern, '*', (size_t)(end - pattern));
		piece = (size_t)((star ? star : end) - pattern);
		if (piece > 0) {
			found = find(text, size, pattern, piece, icase);
			if (!found)
				return false;
			size -= (size_t)(found - text) + piece;
			text = found + piece;
		}
		if (!star)
			return size == 0;
	}
	return true;
}

int secl_pattern_check(const char *pattern, size_t psize, struct err *err)
{
	if (psize >= 2 && memmem(pattern, psize, "**", 2))
		return err_set(err, -EINVAL, "** is for paths only: write * in a pattern of text");
	return 0;
}

/* The components of a text, taken away one by one from either end. */
struct components {
	const char *text;
	size_t size;
	bool done;
};

static bool next_component(struct components *c, struct secl_string *ret)
{
	const char *slash;

	if (c->done)
		return false;
	slash = c->size > 0 ? memchr(c->text, '/', c->size) : NULL;
	*ret = (struct secl_string){ c->text, slash ? (size_t)(slash - c->text) : c->size };
	c->done = !slash;
	if (slash) {
		c->size -= ret->size + 1;
		c->text = slash + 1;
	}
	return true;
}

static bool last_component(struct components *c, struct secl_string *ret)
{
	const char *slash;

	if (c->done)
		return false;
	slash = c->size > 0 ? memrchr(c->text, '/', c->size) : NULL;
	*ret = slash ? (struct secl_string){ slash + 1, (size_t)(c->text + c->size - slash - 1) }
		     : (struct secl_string){ c->text, c->size };
	c->done = !slash;
	if (slash)
		c->size = (size_t)(slash - c->text);
	return true;
}

static bool is_any(const struct secl_string *component)
{
	return component->size == 2 && memcmp(component->text, "**", 2) == 0;
}

/* Compares from one end until the pattern ends or `**` comes; *ret_any tells
 * which. `**` stands for at least one component here: the one behind the slash
 * in front of it.
 */
static bool match_side(struct components pattern, struct components text,
		       bool (*take)(struct components *c, struct secl_string *ret), bool *ret_any)
{
	struct secl_string want, have;

	while (take(&pattern, &want)) {
		*ret_any = is_any(&want);
		if (*ret_any)
			return !text.done;
		if (!take(&text, &have) ||
		    !secl_pattern_match(want.text, want.size, have.text, have.size, false))
			return false;
	}
	return text.done;
}

bool secl_glob_match(const char *pattern, size_t psize, const char *text, size_t size)
{
	struct components p = { pattern, psize, false };
	struct components t = { text, size, false };
	bool any = false;

	if (size == 0)
		return false;
	if (psize == 0 || !memchr(pattern, '*', psize))
		return psize == size && memcmp(pattern, text, size) == 0;
	/* a leading * stands for the first component and the slash before it */
	if (psize >= 2 && pattern[0] == '*' && pattern[1] == '/') {
		t.text++;
		t.size--;
	}
	if (!match_side(p, t, next_component, &any))
		return false;
	return !any || match_side(p, t, last_component, &any);
}

/* Without the slash at its end, which names no component more. */
static size_t without_slash(const char *text, size_t size)
{
	return size && text[size - 1] == '/' ? size - 1 : size;
}

bool secl_glob_reaches(const char *pattern, size_t psize, const char *directory, size_t size)
{
	struct components p = { pattern, without_slash(pattern, psize), false };
	struct components d = { directory, without_slash(directory, size), false };
	struct secl_string want, have;

	/* as in secl_glob_match() */
	if (psize >= 2 && pattern[0] == '*' && pattern[1] == '/' && d.size) {
		d.text++;
		d.size--;
	}
	while (next_component(&p, &want) && !is_any(&want) && next_component(&d, &have)) {
		if (!secl_pattern_match(want.text, want.size, have.text, have.size, false))
			return false;
	}
	return true;
}

int secl_glob_check(const char *pattern, size_t psize, struct err *err)
{
	struct components p = { pattern, psize, false };
	struct secl_string component;
	unsigned any = 0;

	while (next_component(&p, &component))
		any += is_any(&component);
	if (any > 1)
		return err_set(err, -EINVAL, "** may stand only once in a path");
	return 0;
}
