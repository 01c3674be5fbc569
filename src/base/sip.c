/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/sip.h"

static uint64_t rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static void rounds(uint64_t v[4], unsigned count)
{
	while (count--) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

struct sip sip_begin(const uint64_t key[2])
{
	return (struct sip){ {
		key[0] ^ UINT64_C(0x736f6d6570736575),
		/* 0xee: the variant with 128 bits of output */
		key[1] ^ UINT64_C(0x646f72616e646f6d) ^ 0xee,
		key[0] ^ UINT64_C(0x6c7967656e657261),
		key[1] ^ UINT64_C(0x7465646279746573),
	} };
}

static void add_word(struct sip *sip, uint64_t word)
{
	sip->v[3] ^= word;
	rounds(sip->v, 2);
	sip->v[0] ^= word;
}

void sip_add(struct sip *sip, const void *data, size_t size)
{
	const char *bytes = data;

	add_word(sip, size);
	for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
		uint64_t word = 0;

		memcpy(&word, bytes + at, MIN(size - at, sizeof word));
		add_word(sip, word);
	}
}

struct sip_hash sip_end(struct sip *sip)
{
	struct sip_hash hash;
	uint64_t *v = sip->v;

	v[2] ^= 0xee;
	rounds(v, 4);
	hash.words[0] = v[0] ^ v[1] ^ v[2] ^ v[3];
	v[1] ^= 0xdd;
	rounds(v, 4);
	hash.words[1] = v[0] ^ v[1] ^ v[2] ^ v[3];
	return hash;
}
