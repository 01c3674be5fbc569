/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sip.h - a keyed hash of 128 bits over a sequence of byte strings.
 *
 * SipHash-2-4 (Aumasson, Bernstein 2012) over 64-bit words: each string is preceded
 * by its length, so that two sequences differ whenever one of their strings does.
 * Who does not know the key can find no two sequences with one hash.
 */
#pragma once
#include "base/util.h"

struct sip {
	uint64_t v[4];
};

struct sip_hash {
	uint64_t words[2];
};

struct sip sip_begin(const uint64_t key[2]);
void sip_add(struct sip *sip, const void *data, size_t size);
struct sip_hash sip_end(struct sip *sip);
