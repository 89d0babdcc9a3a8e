/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and hashes; pepper.c has the file. The checksum is no protection, it only saves look-ups:
 * what keeps a key safe is its 43 random characters and that they are stored as a keyed hash. */
#include "base/secret.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"

#define SECRET_CHARS 43
#define CHECKSUM_CHARS 6

struct key_shape {
	struct str prefix;
	const char *name;
};

static const struct key_shape SHAPES[] = {
	[KEY_PURCHASE] = { STR_INIT("ask_live_"), "purchase" },
	[KEY_ROUTER] = { STR_INIT("asr_live_"), "router" },
	[KEY_ROUTE] = { STR_INIT("rk_"), "route" },
};
static_assert(ARRAY_LEN(SHAPES) == KEY_KIND_COUNT, "one shape per kind of key");

/* CRC-32 (IEEE 802.3, reflected) of the sixteen values of half a byte. */
static const uint32_t CRC_OF_NIBBLE[16] = {
	0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4,
	0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
	0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
};

static uint32_t crc32_of(struct str text)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < text.len; i++) {
		crc ^= (unsigned char)text.p[i];
		crc = crc >> 4 ^ CRC_OF_NIBBLE[crc & 15];
		crc = crc >> 4 ^ CRC_OF_NIBBLE[crc & 15];
	}
	return ~crc;
}

static void checksum_of(struct str text, char out[CHECKSUM_CHARS + 1])
{
	uint32_t crc = crc32_of(text);
	unsigned char bytes[4] = {
		(unsigned char)(crc >> 24),
		(unsigned char)(crc >> 16),
		(unsigned char)(crc >> 8),
		(unsigned char)crc,
	};

	base62_encode(bytes, sizeof(bytes), out, CHECKSUM_CHARS);
}

const char *key_prefix(enum key_kind kind)
{
	assert(kind < KEY_KIND_COUNT);
	return SHAPES[kind].prefix.p;
}

const char *key_kind_name(enum key_kind kind)
{
	assert(kind < KEY_KIND_COUNT);
	return SHAPES[kind].name;
}

void key_make(const struct env *env, enum key_kind kind, struct secret *out)
{
	assert(kind < KEY_KIND_COUNT);
	struct str prefix = SHAPES[kind].prefix;
	char *end = out->text;

	*out = (struct secret){ 0 };
	memcpy(end, prefix.p, prefix.len);
	end += prefix.len;
	base62_random(env, end, KEY_LOOKUP_LEN);
	end += KEY_LOOKUP_LEN;
	*end++ = '.';
	base62_random(env, end, SECRET_CHARS);
	end += SECRET_CHARS;
	checksum_of(secret_str(out), end);
}

static bool kind_of_key(struct str text, enum key_kind *kind)
{
	for (size_t i = 0; i < KEY_KIND_COUNT; i++) {
		if (str_starts(text, SHAPES[i].prefix)) {
			*kind = (enum key_kind)i;
			return true;
		}
	}
	return false;
}

bool key_parse(struct str text, enum key_kind *kind, struct str *lookup)
{
	enum key_kind found;
	char checksum[CHECKSUM_CHARS + 1];

	if (!kind_of_key(text, &found))
		return false;
	size_t prefix = SHAPES[found].prefix.len;
	struct str rest = { text.p + prefix, text.len - prefix };
	struct str public_part = str_cut(&rest, '.');
	if (public_part.len != KEY_LOOKUP_LEN || rest.len != SECRET_CHARS + CHECKSUM_CHARS ||
	    !base62_is(public_part) || !base62_is(rest))
		return false;
	checksum_of((struct str){ text.p, text.len - CHECKSUM_CHARS }, checksum);
	if (!str_ends(text, (struct str){ checksum, CHECKSUM_CHARS }))
		return false;
	*kind = found;
	*lookup = public_part;
	return true;
}

void secret_token(const struct env *env, struct secret *out)
{
	*out = (struct secret){ 0 };
	base62_random(env, out->text, SECRET_CHARS);
}

/* libsodium wants this before anything else; later calls are cheap, and any thread may make them.
 * A process that only has a fixed env has not called env_real. */
static void start_sodium(void)
{
	if (sodium_init() < 0)
		abort();
}

/* The generic hash fails only for wrong lengths, which are constants here. */
static void must_hash(int result)
{
	if (result != 0)
		abort();
}

static const unsigned char *bytes_of(struct str text)
{
	return (const unsigned char *)(text.len == 0 ? "" : text.p);
}

struct hash secret_hash(const struct pepper *pepper, struct str text)
{
	struct hash h;

	start_sodium();
	must_hash(crypto_generichash(h.bytes, sizeof(h.bytes), bytes_of(text), text.len,
	                             pepper->bytes, sizeof(pepper->bytes)));
	return h;
}

bool hash_eq(const struct hash *a, const struct hash *b)
{
	return sodium_memcmp(a->bytes, b->bytes, HASH_LEN) == 0;
}

struct hash hash_plain(const void *bytes, size_t n)
{
	struct hash h;

	start_sodium();
	must_hash(crypto_generichash(h.bytes, sizeof(h.bytes), bytes, n, NULL, 0));
	return h;
}

struct hash hash_chain(const struct hash *previous, struct str row)
{
	crypto_generichash_state state;
	struct hash h;

	start_sodium();
	must_hash(crypto_generichash_init(&state, NULL, 0, HASH_LEN));
	must_hash(crypto_generichash_update(&state, previous->bytes, HASH_LEN));
	must_hash(crypto_generichash_update(&state, bytes_of(row), row.len));
	must_hash(crypto_generichash_final(&state, h.bytes, HASH_LEN));
	return h;
}

struct str secret_str(const struct secret *s)
{
	return str_of(s->text);
}

void secret_set(struct secret *s, struct str text)
{
	size_t n = text.len < KEY_TEXT_MAX ? text.len : KEY_TEXT_MAX - 1;

	secret_wipe(s);
	if (n > 0)
		memcpy(s->text, text.p, n);
}

void secret_wipe(struct secret *s)
{
	bytes_wipe(s->text, sizeof(s->text));
}

void bytes_wipe(void *p, size_t n)
{
	sodium_memzero(p, n);
}
