/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/escape.h"

static const struct {
	uint32_t first, last;
} unsafe_ranges[] = {
	{ 0x0000, 0x001f },   /* C0 controls */
	{ 0x007f, 0x009f },   /* DEL, C1 controls */
	{ 0x00ad, 0x00ad },   /* soft hyphen: invisible */
	{ 0x061c, 0x061c },   /* Arabic letter mark */
	{ 0x180e, 0x180e },   /* Mongolian vowel separator: invisible */
	{ 0x200b, 0x200f },   /* zero width, LRM, RLM */
	{ 0x2028, 0x202e },   /* line and paragraph separator, bidi embedding */
	{ 0x2060, 0x206f },   /* word joiner, bidi isolates */
	{ 0xfeff, 0xfeff },   /* byte order mark */
	{ 0xfff9, 0xfffb },   /* interlinear annotation */
	{ 0xe0000, 0xe007f }, /* tags: invisible ASCII */
};

/* First byte to length, smallest code point of that length, payload bits. */
static const struct {
	unsigned char mask, lead;
	uint8_t size;
	uint32_t minimum;
} utf8_forms[] = {
	{ 0x80, 0x00, 1, 0 },
	{ 0xe0, 0xc0, 2, 0x80 },
	{ 0xf0, 0xe0, 3, 0x800 },
	{ 0xf8, 0xf0, 4, 0x10000 },
};

size_t utf8_decode(const char *text, size_t size, uint32_t *ret)
{
	const unsigned char *bytes = (const unsigned char *)text;
	uint32_t codepoint;
	size_t form;

	if (size == 0)
		return 0;
	for (form = 0; form < ELEMENTS(utf8_forms); form++)
		if ((bytes[0] & utf8_forms[form].mask) == utf8_forms[form].lead)
			break;
	if (form == ELEMENTS(utf8_forms) || utf8_forms[form].size > size)
		return 0;
	codepoint = bytes[0] & (unsigned char)~utf8_forms[form].mask;
	for (size_t i = 1; i < utf8_forms[form].size; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		codepoint = codepoint << 6 | (bytes[i] & 0x3f);
	}
	if (codepoint < utf8_forms[form].minimum || codepoint > 0x10ffff ||
	    (codepoint >= 0xd800 && codepoint <= 0xdfff))
		return 0;
	*ret = codepoint;
	return utf8_forms[form].size;
}

bool codepoint_is_unsafe(uint32_t codepoint)
{
	for (size_t i = 0; i < ELEMENTS(unsafe_ranges); i++)
		if (codepoint >= unsafe_ranges[i].first && codepoint <= unsafe_ranges[i].last)
			return true;
	return false;
}

/* One character, as it is or spelt out, into OUT: its length there. */
static size_t escape_one(char out[16], const char *text, size_t n, size_t *used)
{
	static const char digits[] = "0123456789abcdef";
	uint32_t codepoint;
	size_t size = utf8_decode(text, n, &codepoint), length = 0;

	*used = MAX(size, (size_t)1);
	if (size > 0 && !codepoint_is_unsafe(codepoint)) {
		memcpy(out, text, size);
		return size;
	}
	for (size_t i = 0; i < *used; i++) {
		unsigned char byte = (unsigned char)text[i];

		out[length++] = '\\';
		out[length++] = 'x';
		out[length++] = digits[byte >> 4];
		out[length++] = digits[byte & 15];
	}
	return length;
}

size_t escape_text(char *buf, size_t size, const char *text, size_t n)
{
	static const char cut[] = "...";
	size_t length = 0, at = 0;
	size_t fallback = 0; /* the longest prefix that leaves room for the mark */

	while (at < n) {
		char one[16];
		size_t used, add = escape_one(one, text + at, n - at, &used);

		if (length + add + 1 > size)
			break;
		memcpy(buf + length, one, add);
		length += add;
		at += used;
		if (length + sizeof cut <= size)
			fallback = length;
	}
	if (at < n && size >= sizeof cut) {
		memcpy(buf + fallback, cut, sizeof cut - 1);
		length = fallback + sizeof cut - 1;
	}
	buf[length] = '\0';
	return length;
}
