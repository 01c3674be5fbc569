/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/jsonw.h"

#include <errno.h>

void jsonw_init(struct jsonw *w, char *buf, size_t size)
{
	*w = (struct jsonw){ .buf = buf, .size = size };
	if (size)
		buf[0] = '\0';
}

ssize_t jsonw_finish(struct jsonw *w)
{
	if (w->error || w->depth || w->after_key || !w->need_comma)
		return -EINVAL;
	if (jsonw_full(w))
		return -ENOBUFS;
	w->buf[w->len] = '\0';
	return (ssize_t)w->len;
}

/* One byte stays free for the NUL. A piece that does not fit is left out
 * whole; what follows it may still be written, the document is lost anyway.
 */
static void put(struct jsonw *w, const char *text, size_t size)
{
	if (!jsonw_full(w) && size < w->size - w->len)
		memcpy(w->buf + w->len, text, size);
	w->len += size;
}

static void put_char(struct jsonw *w, char c)
{
	put(w, &c, 1);
}

static bool in_object(const struct jsonw *w)
{
	return w->depth && (w->objects >> (w->depth - 1) & 1);
}

/* Every value starts here: the comma before it, and whether one may stand at
 * this place at all.
 */
static void begin_value(struct jsonw *w)
{
	if (in_object(w) != w->after_key || (!w->depth && w->need_comma))
		w->error = true;
	if (w->need_comma)
		put_char(w, ',');
	w->after_key = false;
	w->need_comma = true;
}

static void begin_container(struct jsonw *w, char open, bool object)
{
	begin_value(w);
	if (w->depth >= JSONW_MAX_DEPTH) {
		w->error = true;
		return;
	}
	put_char(w, open);
	w->objects &= ~(1ull << w->depth);
	w->objects |= (uint64_t)object << w->depth;
	w->depth++;
	w->need_comma = false;
}

static void end_container(struct jsonw *w, char close, bool object)
{
	if (!w->depth || in_object(w) != object || w->after_key) {
		w->error = true;
		return;
	}
	put_char(w, close);
	w->depth--;
	w->need_comma = true;
}

void jsonw_begin_object(struct jsonw *w)
{
	begin_container(w, '{', true);
}

void jsonw_end_object(struct jsonw *w)
{
	end_container(w, '}', true);
}

void jsonw_begin_array(struct jsonw *w)
{
	begin_container(w, '[', false);
}

void jsonw_end_array(struct jsonw *w)
{
	end_container(w, ']', false);
}

/* ---- text --------------------------------------------------------------- */

/* Bytes that stand for themselves: ASCII without controls, quote, backslash. */
static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* Decodes one character: its length in bytes, 0 when the bytes at TEXT are not
 * valid UTF-8 (overlong, surrogate, beyond U+10FFFF, cut short).
 */
static size_t decode_utf8(const unsigned char *text, size_t size, uint32_t *ret)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = text[0] < 0x80             ? 1
			: (text[0] & 0xe0) == 0xc0 ? 2
			: (text[0] & 0xf0) == 0xe0 ? 3
			: (text[0] & 0xf8) == 0xf0 ? 4
						   : 0;
	uint32_t code;

	if (!length || length > size)
		return 0;
	code = length == 1 ? text[0] : text[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	if (code < smallest[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*ret = code;
	return length;
}

/* Characters that could break a line or reorder what a person reads. */
static bool is_unsafe(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} unsafe[] = {
		{ 0x00, 0x1f },     { 0x7f, 0x9f },     { 0x061c, 0x061c },
		{ 0x200e, 0x200f }, { 0x2028, 0x202e }, { 0x2066, 0x2069 },
	};

	for (size_t i = 0; i < ELEMENTS(unsafe); i++)
		if (code >= unsafe[i].first && code <= unsafe[i].last)
			return true;
	return false;
}

/* The escape of CODE, which is at most U+FFFF: its length. */
static size_t escape(uint32_t code, char ret[6])
{
	static const char hex[] = "0123456789abcdef";
	static const char letters[] = "\"\"\\\\\bb\ff\nn\rr\tt";

	for (size_t i = 0; i + 1 < sizeof letters; i += 2) {
		if ((unsigned char)letters[i] != code)
			continue;
		ret[0] = '\\';
		ret[1] = letters[i + 1];
		return 2;
	}
	ret[0] = '\\';
	ret[1] = 'u';
	for (int i = 0; i < 4; i++)
		ret[2 + i] = hex[code >> (12 - 4 * i) & 0xf];
	return 6;
}

/* How the character at TEXT goes out: *ret_out of *ret_size bytes; ESCAPED is
 * room for it. Returns how many bytes of TEXT that was.
 */
static size_t next_piece(const char *text, size_t size, char escaped[6], const char **ret_out,
			 size_t *ret_size)
{
	uint32_t code;
	size_t length = decode_utf8((const unsigned char *)text, size, &code);

	*ret_out = text;
	*ret_size = length;
	if (!length) {
		*ret_out = "\xef\xbf\xbd";
		*ret_size = 3;
		return 1;
	}
	if (code == '"' || code == '\\' || is_unsafe(code)) {
		*ret_out = escaped;
		*ret_size = escape(code, escaped);
	}
	return length;
}

bool jsonw_string_max(struct jsonw *w, const char *text, size_t size, size_t max)
{
	size_t i = 0, left = max;

	begin_value(w);
	put_char(w, '"');
	/* long texts of a workload's choice must not cost more than there is room */
	if (jsonw_full(w))
		return true;
	while (i < size) {
		size_t start = i, n, length;
		const char *out;
		char escaped[6];

		while (i < size && i - start < left && is_plain((unsigned char)text[i]))
			i++;
		put(w, text + start, i - start);
		left -= i - start;
		if (i == size)
			break;
		length = next_piece(text + i, size - i, escaped, &out, &n);
		if (n > left)
			break;
		put(w, out, n);
		left -= n;
		i += length;
	}
	put_char(w, '"');
	return i == size;
}

void jsonw_string_n(struct jsonw *w, const char *text, size_t size)
{
	(void)jsonw_string_max(w, text, size, SIZE_MAX);
}

void jsonw_string(struct jsonw *w, const char *text)
{
	jsonw_string_n(w, text, text ? strlen(text) : 0);
}

void jsonw_key(struct jsonw *w, const char *key)
{
	if (!in_object(w) || w->after_key)
		w->error = true;
	/* for begin_value() the key is the value that needs no key */
	w->after_key = in_object(w);
	jsonw_string(w, key);
	put_char(w, ':');
	w->after_key = true;
	w->need_comma = false;
}

/* ---- numbers and times -------------------------------------------------- */

enum { DIGITS_MAX = 20 };

/* VALUE in BASE right-aligned in BUF, at least WIDTH digits: where it starts. */
static const char *format_digits(char buf[DIGITS_MAX], uint64_t value, unsigned base, size_t width)
{
	char *p = buf + DIGITS_MAX;

	do {
		*--p = "0123456789abcdef"[value % base];
		value /= base;
	} while (value || (size_t)(buf + DIGITS_MAX - p) < width);
	return p;
}

static void put_digits(struct jsonw *w, uint64_t value, unsigned base, size_t width)
{
	char buf[DIGITS_MAX];
	const char *p = format_digits(buf, value, base, width);

	put(w, p, (size_t)(buf + DIGITS_MAX - p));
}

void jsonw_uint(struct jsonw *w, uint64_t value)
{
	begin_value(w);
	put_digits(w, value, 10, 1);
}

void jsonw_int(struct jsonw *w, int64_t value)
{
	begin_value(w);
	if (value < 0)
		put_char(w, '-');
	put_digits(w, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10, 1);
}

void jsonw_bool(struct jsonw *w, bool value)
{
	begin_value(w);
	put(w, value ? "true" : "false", value ? 4 : 5);
}

void jsonw_null(struct jsonw *w)
{
	begin_value(w);
	put(w, "null", 4);
}

void jsonw_hex(struct jsonw *w, uint64_t value)
{
	begin_value(w);
	put(w, "\"0x", 3);
	put_digits(w, value, 16, 1);
	put_char(w, '"');
}

/* Date of a day counted from 1970-01-01, proleptic Gregorian. Years start in
 * March here, so that the leap day is the last of its year; an era is the 400
 * years (146,097 days) after which the calendar repeats.
 */
static void date_of_day(int64_t day, int64_t *ret_year, unsigned *ret_month, unsigned *ret_day)
{
	int64_t from_era = day + 719468; /* days since 0000-03-01 */
	int64_t era = (from_era >= 0 ? from_era : from_era - 146096) / 146097;
	unsigned doe = (unsigned)(from_era - era * 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned month = (5 * doy + 2) / 153; /* March = 0 */

	*ret_day = doy - (153 * month + 2) / 5 + 1;
	*ret_month = month < 10 ? month + 3 : month - 9;
	*ret_year = (int64_t)yoe + era * 400 + (*ret_month <= 2);
}

void jsonw_time(struct jsonw *w, int64_t ns)
{
	const int64_t second = 1000000000, day_ns = 86400 * second;
	int64_t day = ns / day_ns - (ns % day_ns < 0), rest = ns - day * day_ns, year;
	unsigned month, day_of_month;

	date_of_day(day, &year, &month, &day_of_month);
	begin_value(w);
	put_char(w, '"');
	put_digits(w, (uint64_t)year, 10, 4); /* 64 bits of ns end in 1677 and 2262 */
	put_char(w, '-');
	put_digits(w, month, 10, 2);
	put_char(w, '-');
	put_digits(w, day_of_month, 10, 2);
	put_char(w, 'T');
	put_digits(w, (uint64_t)(rest / second / 3600), 10, 2);
	put_char(w, ':');
	put_digits(w, (uint64_t)(rest / second / 60 % 60), 10, 2);
	put_char(w, ':');
	put_digits(w, (uint64_t)(rest / second % 60), 10, 2);
	put_char(w, '.');
	put_digits(w, (uint64_t)(rest % second), 10, 9);
	put(w, "Z\"", 2);
}

void jsonw_raw(struct jsonw *w, const char *text, size_t size)
{
	begin_value(w);
	put(w, text, size);
}

/* ---- key and value ------------------------------------------------------ */

void jsonw_kv_string(struct jsonw *w, const char *key, const char *text)
{
	jsonw_key(w, key);
	jsonw_string(w, text);
}

void jsonw_kv_int(struct jsonw *w, const char *key, int64_t value)
{
	jsonw_key(w, key);
	jsonw_int(w, value);
}

void jsonw_kv_uint(struct jsonw *w, const char *key, uint64_t value)
{
	jsonw_key(w, key);
	jsonw_uint(w, value);
}

void jsonw_kv_bool(struct jsonw *w, const char *key, bool value)
{
	jsonw_key(w, key);
	jsonw_bool(w, value);
}

void jsonw_kv_time(struct jsonw *w, const char *key, int64_t ns)
{
	jsonw_key(w, key);
	jsonw_time(w, ns);
}
