/* SPDX-License-Identifier: Apache-2.0 */
/* Finds duplicate keys without the heap for objects of ordinary size and in linear time for any.
 * The surprising fact: the hash is seeded with the kernel's random bytes for this process
 * (AT_RANDOM), so nobody can send a hundred thousand keys that all land in one slot. */
#include "base/json_keys.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/json_text.h"
#include "base/limits.h"

#define FEW_KEYS 16 /* up to here comparing all is faster than a table */

void json__keys_init(struct json__keys *keys)
{
	unsigned long at = getauxval(AT_RANDOM);

	keys->stack = keys->few;
	keys->count = 0;
	keys->cap = JSON__KEYS_INLINE;
	keys->seed = 0;
	if (at) /* the kernel tells an address as a number;
	           NOLINTNEXTLINE(performance-no-int-to-ptr) */
		memcpy(&keys->seed, (const void *)at, sizeof keys->seed);
}

void json__keys_done(struct json__keys *keys)
{
	if (keys->stack != keys->few)
		free(keys->stack);
	keys->stack = keys->few;
	keys->count = 0;
}

struct json__object json__object_open(const struct json__keys *keys)
{
	return (struct json__object){ .first = keys->count };
}

void json__object_close(struct json__keys *keys, struct json__object *object)
{
	free(object->slots);
	object->slots = NULL;
	keys->count = object->first;
}

/* Multiplies to 128 bits and folds: the mixing step of wyhash. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

#define MIX_WORD 0x9E3779B97F4A7C15u
#define MIX_END 0xD6E8FEB86659FD93u

static uint64_t hash_plain_key(uint64_t seed, struct str key)
{
	uint64_t h = seed, word;
	size_t at = 0;

	for (; key.len - at >= 8; at += 8) {
		memcpy(&word, key.p + at, 8);
		h = mix(h ^ word, MIX_WORD);
	}
	word = 0;
	for (size_t i = 0; at + i < key.len; i++)
		word |= (uint64_t)(unsigned char)key.p[at + i] << (8 * i);
	return mix(h ^ word ^ MIX_WORD, key.len ^ MIX_END);
}

/* The same value as hash_plain_key of the decoded text. */
static uint64_t hash_escaped_key(uint64_t seed, struct str key)
{
	const char *p = key.p, *end = key.p + key.len;
	uint64_t h = seed, word = 0;
	size_t len = 0;

	while (p < end) {
		struct json__escape c = { .text = { *p }, .len = 1, .used = 1 };

		if (*p == '\\')
			(void)json__unescape(p, end, &c); /* the gate has checked it */
		for (size_t i = 0; i < c.len; i++) {
			word |= (uint64_t)(unsigned char)c.text[i] << (8 * (len % 8));
			if (++len % 8 == 0) {
				h = mix(h ^ word, MIX_WORD);
				word = 0;
			}
		}
		p += c.used;
	}
	return mix(h ^ word ^ MIX_WORD, len ^ MIX_END);
}

static bool same_key(const struct json__key *a, const struct json__key *b)
{
	if (a->hash != b->hash)
		return false;
	if (a->escaped || b->escaped)
		return json__decoded_eq(a->raw, b->raw);
	return a->raw.len == b->raw.len && memcmp(a->raw.p, b->raw.p, a->raw.len) == 0;
}

/* The slot of a key that equals `key`, or the free one where it belongs. */
static uint32_t *find_slot(const struct json__keys *keys, const struct json__object *object,
                           const struct json__key *key)
{
	size_t mask = object->slot_cap - 1;
	size_t i = key->hash & mask;

	while (object->slots[i] &&
	       !same_key(&keys->stack[object->first + object->slots[i] - 1], key))
		i = (i + 1) & mask;
	return &object->slots[i];
}

/* Makes the table four times as large as the keys that are there and enters them. */
static bool rebuild_slots(const struct json__keys *keys, struct json__object *object)
{
	size_t count = keys->count - object->first, cap = 64;
	uint32_t *slots;

	while (cap < count * 4)
		cap *= 2;
	slots = calloc(cap, sizeof *slots);
	if (!slots)
		return false;
	free(object->slots);
	object->slots = slots;
	object->slot_cap = cap;
	for (size_t i = 0; i < count; i++)
		*find_slot(keys, object, &keys->stack[object->first + i]) = (uint32_t)(i + 1);
	return true;
}

static bool push_key(struct json__keys *keys, const struct json__key *key)
{
	if (keys->count == keys->cap) {
		struct json__key *old = keys->stack == keys->few ? NULL : keys->stack;
		struct json__key *grown = realloc(old, keys->cap * 2 * sizeof *grown);

		if (!grown)
			return false;
		if (!old)
			memcpy(grown, keys->few, sizeof keys->few);
		keys->stack = grown;
		keys->cap *= 2;
	}
	keys->stack[keys->count++] = *key;
	return true;
}

static bool has_key(const struct json__keys *keys, const struct json__object *object,
                    const struct json__key *key)
{
	if (object->slots)
		return *find_slot(keys, object, key) != 0;
	for (size_t i = object->first; i < keys->count; i++)
		if (same_key(&keys->stack[i], key))
			return true;
	return false;
}

enum json__add json__object_add(struct json__keys *keys, struct json__object *object,
                                struct str raw, bool escaped)
{
	struct json__key key = { .raw = raw, .escaped = escaped };
	size_t count = keys->count - object->first;

	key.hash = escaped ? hash_escaped_key(keys->seed, raw) : hash_plain_key(keys->seed, raw);
	if (has_key(keys, object, &key))
		return JSON__DUPLICATE;
	if (count == LIMIT_JSON_MEMBERS)
		return JSON__TOO_MANY;
	if (!push_key(keys, &key))
		return JSON__NO_MEMORY;
	count++;
	if (count <= FEW_KEYS)
		return JSON__ADDED;
	if (count * 2 > object->slot_cap)
		return rebuild_slots(keys, object) ? JSON__ADDED : JSON__NO_MEMORY;
	*find_slot(keys, object, &key) = (uint32_t)count;
	return JSON__ADDED;
}
