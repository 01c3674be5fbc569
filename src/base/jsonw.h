/* SPDX-License-Identifier: GPL-3.0-or-later */
/* jsonw.h - writes one JSON document into a buffer that the caller owns.
 *
 * No allocation and no failure in the middle: once the buffer is full the
 * writer only counts, and jsonw_finish() says -ENOBUFS. Whatever bytes come
 * in, valid one-line UTF-8 goes out (RFC 8259): control characters, DEL,
 * U+2028/2029 and bidirectional controls are \u-escaped, a byte that is not
 * part of valid UTF-8 becomes U+FFFD.
 */
#pragma once
#include "base/util.h"

struct jsonw {
	char *buf;
	size_t size, len; /* len counts on past size */
	unsigned depth;
	bool need_comma;
	bool error; /* unbalanced calls */
};

void jsonw_init(struct jsonw *w, char *buf, size_t size);

/* The length without the terminating NUL; -ENOBUFS when it did not fit,
 * -EINVAL when begin and end calls do not pair.
 */
ssize_t jsonw_finish(struct jsonw *w);

void jsonw_begin_object(struct jsonw *w);
void jsonw_end_object(struct jsonw *w);
void jsonw_begin_array(struct jsonw *w);
void jsonw_end_array(struct jsonw *w);

/* The key of the next value; only inside an object. */
void jsonw_key(struct jsonw *w, const char *key);

void jsonw_string(struct jsonw *w, const char *text);
void jsonw_string_n(struct jsonw *w, const char *text, size_t size);
void jsonw_int(struct jsonw *w, int64_t value);
void jsonw_uint(struct jsonw *w, uint64_t value);
void jsonw_bool(struct jsonw *w, bool value);
void jsonw_null(struct jsonw *w);
/* "0x..." as a string. */
void jsonw_hex(struct jsonw *w, uint64_t value);
/* RFC 3339 with nanoseconds in UTC, from nanoseconds since the epoch. */
void jsonw_time(struct jsonw *w, int64_t ns);
/* TEXT is a finished JSON value. */
void jsonw_raw(struct jsonw *w, const char *text, size_t size);

/* key + value in one call. */
void jsonw_kv_string(struct jsonw *w, const char *key, const char *text);
void jsonw_kv_int(struct jsonw *w, const char *key, int64_t value);
void jsonw_kv_uint(struct jsonw *w, const char *key, uint64_t value);
void jsonw_kv_bool(struct jsonw *w, const char *key, bool value);
void jsonw_kv_time(struct jsonw *w, const char *key, int64_t ns);
