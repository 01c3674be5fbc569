/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "secl/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <errno.h>
#include <pcre2.h>

#include "secl/regex_syntax.h"

struct regexp {
	pcre2_code *search; /* finds a match fast, or gives up */
	pcre2_code *pass;   /* for the single pass: any text in front */
	size_t workspace;   /* of the pass, in ints */
};

static void cleanup_context(pcre2_compile_context **context)
{
	pcre2_compile_context_free(*context);
}

static int compile(const char *text, size_t size, uint32_t options, pcre2_code **ret,
		   struct err *err)
{
	_cleanup_(cleanup_context) pcre2_compile_context *context =
		pcre2_compile_context_create(NULL);
	PCRE2_UCHAR message[128];
	PCRE2_SIZE offset;
	int code;

	if (!context)
		return -ENOMEM;
	(void)pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	*ret = pcre2_compile((PCRE2_SPTR)text, size, options, &code, &offset, context);
	if (*ret)
		return 0;
	if (code == PCRE2_ERROR_NOMEMORY)
		return -ENOMEM;
	(void)pcre2_get_error_message(code, message, sizeof message);
	return err_set(err, -EINVAL, "regexp: %s", (const char *)message);
}

static void cleanup_regexp(struct regexp **re)
{
	regexp_free(*re);
}

int regexp_new(const char *pattern, size_t size, bool icase, struct regexp **ret, struct err *err)
{
	static const char any[] = "(?s:.*)(?:";
	_cleanup_(cleanup_regexp) struct regexp *re = calloc(1, sizeof *re);
	_cleanup_free_ char *text = NULL, *wrapped = NULL;
	uint32_t options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NO_AUTO_CAPTURE |
			   PCRE2_ALT_CIRCUMFLEX | PCRE2_NEVER_BACKSLASH_C;
	size_t length, counts, bytes = 0;
	int r;

	if (!re)
		return -ENOMEM;
	if (icase)
		options |= PCRE2_CASELESS;
	r = regexp_translate(pattern, size, &text, &length, &counts, err);
	if (r < 0)
		return r;
	r = compile(text, length, options, &re->search, err);
	if (r < 0)
		return r;
	/* without it (no executable memory) the interpreter does the same */
	(void)pcre2_jit_compile(re->search, PCRE2_JIT_COMPLETE);

	wrapped = malloc(length + sizeof any + 1);
	if (!wrapped)
		return -ENOMEM;
	memcpy(wrapped, any, sizeof any - 1);
	memcpy(wrapped + sizeof any - 1, text, length);
	wrapped[sizeof any - 1 + length] = ')';
	r = compile(wrapped, length + sizeof any, options | PCRE2_NO_AUTO_POSSESS, &re->pass, err);
	if (r < 0)
		return r;
	/* two lists of states, three ints each; no more of them than bytes of code,
	 * and one for each round of a counted repetition
	 */
	(void)pcre2_pattern_info(re->pass, PCRE2_INFO_SIZE, &bytes);
	re->workspace = MIN((bytes + counts) * 6 + 64, (size_t)REGEXP_STATES);
	*ret = TAKE(re);
	return 0;
}

void regexp_free(struct regexp *re)
{
	if (!re)
		return;
	pcre2_code_free(re->search);
	pcre2_code_free(re->pass);
	free(re);
}

/* Length of the valid UTF-8 sequence at P; 0 = the byte is none. */
static size_t utf8_length(const unsigned char *p, size_t size)
{
	/* bounds of the second byte exclude overlong forms and surrogates */
	static const struct {
		unsigned char first, last, low, high, length;
	} rows[] = {
		{ 0x00, 0x7f, 0x80, 0xbf, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < ELEMENTS(rows); i++) {
		size_t n = rows[i].length;

		if (p[0] < rows[i].first || p[0] > rows[i].last)
			continue;
		if (n > size || (n > 1 && (p[1] < rows[i].low || p[1] > rows[i].high)))
			return 0;
		for (size_t k = 2; k < n; k++)
			if ((p[k] & 0xc0) != 0x80)
				return 0;
		return n;
	}
	return 0;
}

/* Offset of the first byte that is not valid, SIZE when all are. */
static size_t utf8_valid(const char *text, size_t size)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t i = 0, n;

	while (i < size) {
		if (p[i] < 0x80) {
			i++;
			continue;
		}
		n = utf8_length(p + i, size - i);
		if (n == 0)
			break;
		i += n;
	}
	return i;
}

/* TEXT with U+FFFD for every bad byte, in SCRATCH when there is one. */
static int repair(const struct secl_string *text, struct arena *scratch, struct secl_string *ret)
{
	const unsigned char *p = (const unsigned char *)text->text;
	size_t done = utf8_valid(text->text, text->size);
	size_t n = done, length;
	char *out;

	*ret = *text;
	if (done == text->size)
		return 0;
	out = text->size < SIZE_MAX / 3 ? arena_alloc(scratch, text->size * 3) : NULL;
	if (!out)
		return -ENOMEM;
	memcpy(out, text->text, done);
	while (done < text->size) {
		length = utf8_length(p + done, text->size - done);
		memcpy(out + n, length > 0 ? text->text + done : "\xef\xbf\xbd",
		       length > 0 ? length : 3);
		n += length > 0 ? length : 3;
		done += length > 0 ? length : 1;
	}
	*ret = (struct secl_string){ out, n };
	return 0;
}

static void *take_memory(PCRE2_SIZE size, void *scratch)
{
	return arena_alloc(scratch, size);
}

static void drop_memory(void *memory UNUSED, void *scratch UNUSED)
{
	/* goes with the mark of regexp_match() */
}

/* What one match needs from PCRE2, all of it in scratch memory. */
struct run {
	pcre2_match_context *context;
	pcre2_match_data *data;
	PCRE2_SPTR text;
	size_t size;
};

static int single_pass(const struct regexp *re, const struct run *run, struct arena *scratch)
{
	int *workspace = arena_alloc(scratch, re->workspace * sizeof *workspace);
	int r;

	if (!workspace)
		return -ENOMEM;
	r = pcre2_dfa_match(re->pass, run->text, run->size, 0,
			    PCRE2_NO_UTF_CHECK | PCRE2_ANCHORED | PCRE2_DFA_SHORTEST, run->data,
			    run->context, workspace, re->workspace);
	if (r == PCRE2_ERROR_NOMATCH)
		return 0;
	if (r >= 0)
		return 1;
	return r == PCRE2_ERROR_NOMEMORY ? -ENOMEM : -EOVERFLOW;
}

static int search(const struct regexp *re, const struct secl_string *text, struct arena *scratch)
{
	pcre2_general_context *general;
	struct run run = { .text = (PCRE2_SPTR)(text->size > 0 ? text->text : ""),
			   .size = text->size };
	size_t steps = MIN(REGEXP_WORK / (text->size + 1) + 1, (size_t)REGEXP_STEPS);
	int r;

	general = pcre2_general_context_create(take_memory, drop_memory, scratch);
	run.context = general ? pcre2_match_context_create(general) : NULL;
	run.data = general ? pcre2_match_data_create(1, general) : NULL;
	if (!run.context || !run.data)
		return -ENOMEM;
	(void)pcre2_set_match_limit(run.context, (uint32_t)steps);
	r = pcre2_match(re->search, run.text, run.size, 0, PCRE2_NO_UTF_CHECK, run.data,
			run.context);
	if (r == PCRE2_ERROR_NOMATCH)
		return 0;
	if (r >= 0)
		return 1;
	/* out of steps, stack or heap: settle it the slow and certain way */
	(void)pcre2_set_match_limit(run.context, UINT32_MAX);
	return single_pass(re, &run, scratch);
}

int regexp_match(const struct regexp *re, const struct secl_string *text, struct arena *scratch)
{
	size_t mark = arena_mark(scratch);
	struct secl_string valid;
	int r;

	r = repair(text, scratch, &valid);
	if (r == 0)
		r = search(re, &valid, scratch);
	arena_release(scratch, mark);
	return r;
}
