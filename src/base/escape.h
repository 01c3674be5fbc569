/* SPDX-License-Identifier: GPL-3.0-or-later */
/* escape.h - untrusted bytes on a line that a person reads.
 *
 * A terminal obeys what it is sent. So whatever could move the cursor, forge a
 * line or turn the direction of writing is spelt out: control characters of
 * ASCII and of Unicode (C1), line and paragraph separators, bidirectional and
 * invisible format characters, and every byte that is not valid UTF-8 become
 * \xNN, byte by byte. Everything else stays as it is, backslashes too, so text
 * that went through here once does not change when it goes through again.
 */
#pragma once
#include "base/util.h"

/* The length of the UTF-8 character at TEXT, at most SIZE bytes, and its code
 * point in *ret; 0 when the bytes there are not valid UTF-8 (RFC 3629: no
 * overlong forms, no surrogates, nothing above U+10FFFF).
 */
size_t utf8_decode(const char *text, size_t size, uint32_t *ret);

/* Whether a code point acts instead of being seen (the list above). */
bool codepoint_is_unsafe(uint32_t codepoint);

/* Writes TEXT of N bytes, escaped, into BUF of SIZE > 0 bytes and terminates
 * it. What does not fit is left out from a whole character on and replaced by
 * "..." (when SIZE has room for it). Returns the length without the NUL.
 */
size_t escape_text(char *buf, size_t size, const char *text, size_t n);
