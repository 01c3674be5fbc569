/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "secl/match.h"

#include <errno.h>

#include "secl/glob.h"
#include "secl/regex.h"
#include "secl/regex_parts.h"

struct matcher {
	struct secl_string *slots; /* open addressing; text NULL = free */
	size_t mask;               /* of the slots, which are a power of two */
	size_t exact;              /* how many are taken */
	struct secl_string *patterns, *globs;
	size_t npatterns, nglobs;
	struct regexp **regexps;
	struct secl_string *regexp_texts;
	size_t nregexps;
	bool icase;
};

static uint64_t hash(const struct secl_string *s)
{
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < s->size; i++)
		h = (h ^ (unsigned char)s->text[i]) * 0x100000001b3;
	return h ^ h >> 32;
}

static bool equal(const struct secl_string *a, const struct secl_string *b)
{
	return a->size == b->size && (a->size == 0 || memcmp(a->text, b->text, a->size) == 0);
}

static bool find_exact(const struct matcher *m, const struct secl_string *text)
{
	if (m->exact == 0)
		return false;
	for (size_t i = hash(text) & m->mask; m->slots[i].text; i = (i + 1) & m->mask)
		if (equal(&m->slots[i], text))
			return true;
	return false;
}

static void add_exact(struct matcher *m, const struct secl_string *text)
{
	size_t i = hash(text) & m->mask;

	while (m->slots[i].text) {
		if (equal(&m->slots[i], text))
			return;
		i = (i + 1) & m->mask;
	}
	m->slots[i] = *text;
	m->exact++;
}

static void fold_case(char *out, const struct secl_string *s)
{
	for (size_t i = 0; i < s->size; i++) {
		char c = s->text[i];

		out[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
	}
}

static int add_regexp(struct matcher *m, struct pool *pool, const struct secl_string *text,
		      struct err *err)
{
	struct regexp *re;
	int r;

	r = regexp_new(text->text, text->size, m->icase, &re, err);
	if (r < 0)
		return r;
	r = pool_adopt(pool, re, (void (*)(void *))regexp_free);
	if (r < 0)
		return r;
	m->regexp_texts[m->nregexps] = *text;
	m->regexps[m->nregexps++] = re;
	return 0;
}

static int add(struct matcher *m, struct pool *pool, const struct literal *literal, bool glob,
	       struct err *err)
{
	struct secl_string text = literal->text;
	char *folded;
	int r;

	if (literal->flavour == FLAVOUR_REGEXP)
		return add_regexp(m, pool, &text, err);
	if (m->icase) {
		folded = pool_alloc(pool, text.size + 1);
		if (!folded)
			return -ENOMEM;
		fold_case(folded, &text);
		text.text = folded;
	}
	if (literal->flavour == FLAVOUR_EXACT || text.size == 0 ||
	    !memchr(text.text, '*', text.size)) {
		/* an empty glob matches nothing, an empty path included */
		if (text.size > 0 || literal->flavour == FLAVOUR_EXACT || !glob)
			add_exact(m, &text);
		return 0;
	}
	r = glob ? secl_glob_check(text.text, text.size, err)
		 : secl_pattern_check(text.text, text.size, err);
	if (r < 0)
		return r;
	if (glob)
		m->globs[m->nglobs++] = text;
	else
		m->patterns[m->npatterns++] = text;
	return 0;
}

int matcher_new(struct pool *pool, const struct matcher_options *options,
		const struct literal *literals, size_t count, struct matcher **ret, size_t *ret_bad,
		struct err *err)
{
	struct matcher *m = pool_alloc(pool, sizeof *m);
	size_t slots = 2, counts[FLAVOUR_REGEXP + 1] = { 0 };
	int r;

	while (slots < count * 2)
		slots *= 2;
	for (size_t i = 0; i < count; i++)
		counts[literals[i].flavour]++;
	if (!m)
		return -ENOMEM;
	m->icase = options->icase;
	m->mask = slots - 1;
	m->slots = pool_alloc(pool, slots * sizeof *m->slots);
	m->patterns = pool_alloc(pool, counts[FLAVOUR_PATTERN] * sizeof *m->patterns);
	m->globs = pool_alloc(pool, counts[FLAVOUR_PATTERN] * sizeof *m->globs);
	m->regexps = pool_alloc(pool, counts[FLAVOUR_REGEXP] * sizeof *m->regexps);
	m->regexp_texts = pool_alloc(pool, counts[FLAVOUR_REGEXP] * sizeof *m->regexp_texts);
	if (!m->slots || !m->patterns || !m->globs || !m->regexps || !m->regexp_texts)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		*ret_bad = i;
		r = add(m, pool, &literals[i], options->glob, err);
		if (r < 0)
			return r;
	}
	*ret = m;
	return 0;
}

static int match_regexps(const struct matcher *m, const struct secl_string *text,
			 struct arena *scratch)
{
	for (size_t i = 0; i < m->nregexps; i++) {
		int r = regexp_match(m->regexps[i], text, scratch);

		if (r != 0)
			return r;
	}
	return 0;
}

int matcher_match(const struct matcher *m, const struct secl_string *text, struct arena *scratch)
{
	struct secl_string subject = *text;
	char *folded;

	if (m->icase && text->size > 0) {
		folded = arena_alloc(scratch, text->size);
		if (!folded)
			return -ENOMEM;
		fold_case(folded, text);
		subject.text = folded;
	}
	if (find_exact(m, &subject))
		return 1;
	for (size_t i = 0; i < m->npatterns; i++)
		if (secl_pattern_match(m->patterns[i].text, m->patterns[i].size, subject.text,
				       subject.size, false))
			return 1;
	for (size_t i = 0; i < m->nglobs; i++)
		if (secl_glob_match(m->globs[i].text, m->globs[i].size, subject.text, subject.size))
			return 1;
	return match_regexps(m, text, scratch);
}

/* The longest piece between asterisks. */
static struct secl_string longest_piece(const struct secl_string *pattern)
{
	const char *p = pattern->text, *end = p + pattern->size;
	struct secl_string best = { .size = 0 };

	while (p < end) {
		const char *star = memchr(p, '*', (size_t)(end - p));
		size_t n = (size_t)((star ? star : end) - p);

		if (n > best.size)
			best = (struct secl_string){ p, n };
		p += n + 1;
	}
	return best;
}

/* With VISIT NULL only whether every pattern has one. */
static size_t patterns_atoms(const struct secl_string *patterns, size_t count,
			     void (*visit)(void *data, enum secl_atom_kind kind,
					   const struct secl_string *text),
			     void *data)
{
	for (size_t i = 0; i < count; i++) {
		struct secl_string piece = longest_piece(&patterns[i]);

		if (piece.size < ATOM_PART_MIN)
			return 0;
		if (visit)
			visit(data, SECL_ATOM_PART, &piece);
	}
	return count;
}

/* Where the atoms of a matcher go. */
struct atoms {
	void (*visit)(void *data, enum secl_atom_kind kind, const struct secl_string *text);
	void *data;
};

static void visit_part(void *data, const struct secl_string *text)
{
	struct atoms *atoms = data;

	atoms->visit(atoms->data, SECL_ATOM_PART, text);
}

static size_t regexps_atoms(const struct matcher *m, struct atoms *atoms)
{
	size_t count = 0;

	for (size_t i = 0; i < m->nregexps; i++) {
		/* folding by Unicode has no simple parts */
		size_t n = m->icase ? 0
				    : regexp_parts(&m->regexp_texts[i], ATOM_PART_MIN,
						   atoms->visit ? visit_part : NULL, atoms);

		if (!n)
			return 0;
		count += n;
	}
	return count;
}

/* Of all kinds; 0 as soon as one has something without an atom. */
static size_t all_atoms(const struct matcher *m, struct atoms *atoms)
{
	size_t patterns = patterns_atoms(m->patterns, m->npatterns, atoms->visit, atoms->data);
	size_t globs = patterns_atoms(m->globs, m->nglobs, atoms->visit, atoms->data);
	size_t regexps = regexps_atoms(m, atoms);

	if ((m->npatterns && !patterns) || (m->nglobs && !globs) || (m->nregexps && !regexps))
		return 0;
	return m->exact + patterns + globs + regexps;
}

void matcher_texts(const struct matcher *m, const struct secl_field *field,
		   void (*visit)(void *data, const struct secl_field *field,
				 const struct secl_string *text),
		   void *data)
{
	for (size_t i = 0; m->exact && i <= m->mask; i++) {
		if (m->slots[i].text)
			visit(data, field, &m->slots[i]);
	}
}

size_t matcher_atoms(const struct matcher *m,
		     void (*visit)(void *data, enum secl_atom_kind kind,
				   const struct secl_string *text),
		     void *data)
{
	struct atoms count = { NULL, NULL }, atoms = { visit, data };

	if (!all_atoms(m, &count))
		return 0;
	for (size_t i = 0; visit && m->exact && i <= m->mask; i++) {
		if (m->slots[i].text)
			visit(data, SECL_ATOM_TEXT, &m->slots[i]);
	}
	return all_atoms(m, &atoms);
}

void matcher_count(const struct matcher *m, struct matcher_counts *ret)
{
	*ret = (struct matcher_counts){ m->exact, m->npatterns, m->nglobs, m->nregexps };
}

static void each_pattern(const struct secl_string *patterns, size_t count, enum secl_form form,
			 void (*visit)(void *data, const struct secl_literal *literal), void *data)
{
	for (size_t i = 0; i < count; i++) {
		const struct secl_literal literal = {
			form, patterns[i], longest_piece(&patterns[i]).size >= ATOM_PART_MIN
		};

		visit(data, &literal);
	}
}

void matcher_each(const struct matcher *m,
		  void (*visit)(void *data, const struct secl_literal *literal), void *data)
{
	for (size_t i = 0; m->exact && i <= m->mask; i++) {
		if (m->slots[i].text)
			visit(data, &(struct secl_literal){ SECL_FORM_TEXT, m->slots[i], true });
	}
	each_pattern(m->patterns, m->npatterns, SECL_FORM_PATTERN, visit, data);
	each_pattern(m->globs, m->nglobs, SECL_FORM_GLOB, visit, data);
	for (size_t i = 0; i < m->nregexps; i++) {
		const struct secl_string *text = &m->regexp_texts[i];
		bool sought = !m->icase && regexp_parts(text, ATOM_PART_MIN, NULL, NULL);

		visit(data, &(struct secl_literal){ SECL_FORM_REGEXP, *text, sought });
	}
}

unsigned matcher_weight(const struct matcher *m)
{
	return 5 + (unsigned)(10 * (m->npatterns + m->nglobs) + 100 * m->nregexps);
}
