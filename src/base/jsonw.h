/* SPDX-License-Identifier: GPL-3.0-or-later */
/* jsonw.h - writes one JSON document into a buffer that the caller owns.
 *
 * No allocation and no failure in the middle: once the buffer is full nothing
 * more is looked at, and jsonw_finish() says -ENOBUFS. Whatever bytes come
 * in, valid one-line UTF-8 goes out (RFC 8259): control characters (C0, DEL
 * and C1), U+2028/2029 and bidirectional controls are \u-escaped, a byte that
 * is not part of valid UTF-8 becomes U+FFFD.
 */
#pragma once
#include "base/util.h"

enum { JSONW_MAX_DEPTH = 64 };

struct jsonw {
	char *buf;
	size_t size, len; /* len reaches size or goes beyond it when full */
	uint64_t objects; /* bit i: the container at depth i + 1 is an object */
	unsigned depth;
	bool need_comma, after_key;
	bool error; /* calls that do not make a document */
};

void jsonw_init(struct jsonw *w, char *buf, size_t size);

/* Nothing that is written now can be in the document any more. */
static inline bool jsonw_full(const struct jsonw *w)
{
	return w->len >= w->size;
}

/* The length without the terminating NUL; -ENOBUFS when it did not fit,
 * -EINVAL when the calls did not make one whole document: begin and end that
 * do not pair, a key without value, a member without key, a second value, more
 * than JSONW_MAX_DEPTH levels.
 */
ssize_t jsonw_finish(struct jsonw *w);

void jsonw_begin_object(struct jsonw *w);
void jsonw_end_object(struct jsonw *w);
void jsonw_begin_array(struct jsonw *w);
void jsonw_end_array(struct jsonw *w);

/* The key of the next value; only inside an object. */
void jsonw_key(struct jsonw *w, const char *key);

/* TEXT NULL is the empty string. */
void jsonw_string(struct jsonw *w, const char *text);
void jsonw_string_n(struct jsonw *w, const char *text, size_t size);
/* As much of the text as makes at most MAX bytes between the quotes, cut
 * before a whole character. True when that was all of it, or when the buffer
 * was full already.
 */
bool jsonw_string_max(struct jsonw *w, const char *text, size_t size, size_t max);
void jsonw_int(struct jsonw *w, int64_t value);
void jsonw_uint(struct jsonw *w, uint64_t value);
void jsonw_bool(struct jsonw *w, bool value);
void jsonw_null(struct jsonw *w);
/* "0x..." as a string. */
void jsonw_hex(struct jsonw *w, uint64_t value);
/* RFC 3339 with nanoseconds in UTC, from nanoseconds since the epoch. */
void jsonw_time(struct jsonw *w, int64_t ns);
/* TEXT is a finished JSON value on one line. */
void jsonw_raw(struct jsonw *w, const char *text, size_t size);

/* key + value in one call. */
void jsonw_kv_string(struct jsonw *w, const char *key, const char *text);
void jsonw_kv_int(struct jsonw *w, const char *key, int64_t value);
void jsonw_kv_uint(struct jsonw *w, const char *key, uint64_t value);
void jsonw_kv_bool(struct jsonw *w, const char *key, bool value);
void jsonw_kv_time(struct jsonw *w, const char *key, int64_t ns);
