/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

/* Length of the valid UTF-8 sequence at TEXT (2 to 4), or 0: then the byte is
 * escaped. C1 controls, line separators and bidirectional controls count as
 * invalid, because a terminal acts on them.
 */
static size_t printable_sequence(const unsigned char *text)
{
	static const struct {
		unsigned char mask, lead, size;
		uint32_t minimum;
	} forms[] = {
		{ 0xe0, 0xc0, 2, 0x80 },
		{ 0xf0, 0xe0, 3, 0x800 },
		{ 0xf8, 0xf0, 4, 0x10000 },
	};

	for (size_t i = 0; i < ELEMENTS(forms); i++) {
		uint32_t code;

		if ((text[0] & forms[i].mask) != forms[i].lead)
			continue;
		code = text[0] & (unsigned char)~forms[i].mask;
		for (size_t k = 1; k < forms[i].size; k++) {
			if ((text[k] & 0xc0) != 0x80)
				return 0;
			code = code << 6 | (text[k] & 0x3f);
		}
		if (code < forms[i].minimum || code > 0x10ffff || code < 0xa0 ||
		    (code >= 0xd800 && code <= 0xdfff) || code == 0x061c || code == 0xfeff ||
		    (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
		    (code >= 0x2060 && code <= 0x206f))
			return 0;
		return forms[i].size;
	}
	return 0;
}

/* Copies TEXT into OUT of SIZE bytes, control and invalid bytes as \xNN. What
 * does not fit is cut, never in the middle of a sequence.
 */
static void copy_escaped(char *out, size_t size, const char *text)
{
	const unsigned char *in = (const unsigned char *)text;
	size_t len = 0;

	while (*in) {
		char escape[5];
		const void *piece = in;
		size_t take = 1, width = 1;

		if (*in >= 0x80)
			take = width = printable_sequence(in);
		if (width == 0 || *in < 0x20 || *in == 0x7f) {
			(void)snprintf(escape, sizeof escape, "\\x%02x", *in);
			piece = escape;
			take = 1;
			width = 4;
		}
		if (len + width >= size)
			break;
		memcpy(out + len, piece, width);
		len += width;
		in += take;
	}
	out[len] = '\0';
}

int err_set(struct err *err, int code, const char *format, ...)
{
	char raw[sizeof err->text];
	va_list ap;

	if (!err)
		return code;
	va_start(ap, format);
	(void)vsnprintf(raw, sizeof raw, format, ap);
	va_end(ap);
	err->code = code;
	copy_escaped(err->text, sizeof err->text, raw);
	return code;
}

int err_errno(struct err *err, int code, const char *format, ...)
{
	char raw[sizeof err->text];
	va_list ap;

	if (!err)
		return code;
	va_start(ap, format);
	(void)vsnprintf(raw, sizeof raw, format, ap);
	va_end(ap);
	return err_set(err, code, "%s: %s", raw, strerrordesc_np(abs(code)) ?: "unknown error");
}

int err_prefix(struct err *err, const char *format, ...)
{
	char raw[sizeof err->text], old[sizeof err->text];
	size_t len;
	va_list ap;

	memcpy(old, err->text, sizeof old);
	va_start(ap, format);
	(void)vsnprintf(raw, sizeof raw, format, ap);
	va_end(ap);
	copy_escaped(err->text, sizeof err->text, raw);
	/* the old text is escaped already: doing it twice is harmless but for
	 * nothing */
	len = strlen(err->text);
	(void)snprintf(err->text + len, sizeof err->text - len, ": %s", old);
	return err->code;
}
