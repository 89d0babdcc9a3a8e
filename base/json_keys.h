/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of all objects that are open during a scan, to find duplicates. Private to base/.
 * Objects close in the reverse order of opening, so their keys lie on one stack; an object with
 * few keys is searched by comparing, one with many gets a hash table of its own. */
#ifndef BASE_JSON_KEYS_H
#define BASE_JSON_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* A key as it stands between its quotes. */
struct json__key {
	struct str raw;
	uint64_t hash; /* of the decoded text */
	bool escaped;  /* holds a backslash */
};

#define JSON__KEYS_INLINE 64

struct json__keys {
	struct json__key *stack; /* `few` until it is full */
	size_t count;
	size_t cap;
	uint64_t seed;
	struct json__key few[JSON__KEYS_INLINE];
};

/* One open object's share of the stack. */
struct json__object {
	size_t first;    /* of its keys */
	uint32_t *slots; /* NULL while it has few keys; else key number + 1, 0 is free */
	size_t slot_cap; /* a power of two, at least twice the keys */
};

enum json__add {
	JSON__ADDED,
	JSON__DUPLICATE,
	JSON__TOO_MANY, /* LIMIT_JSON_MEMBERS */
	JSON__NO_MEMORY,
};

void json__keys_init(struct json__keys *keys);
void json__keys_done(struct json__keys *keys);
struct json__object json__object_open(const struct json__keys *keys);
/* Takes the object's keys off the stack. It must be the one that was opened last. */
void json__object_close(struct json__keys *keys, struct json__object *object);
/* `raw` must stay where it is until the object is closed. */
enum json__add json__object_add(struct json__keys *keys, struct json__object *object,
                                struct str raw, bool escaped);

#endif
