/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and other secrets: made, checked, hashed, wiped. A key is
 *     <prefix><16 lookup>.<43 secret><6 checksum>
 * in base62; the checksum is CRC-32 over all before it, so that a typo or a guess is refused
 * without a look-up. The lookup part is public (lists show it); the whole is stored only as a
 * keyed BLAKE2b-256 hash. Nothing here can be printed by a log function. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/env.h"
#include "base/str.h"

enum key_kind {
	KEY_PURCHASE, /* ask_live_: buys, never routes */
	KEY_ROUTER,   /* asr_live_: routes on one credit service, never buys */
	KEY_ROUTE,    /* rk_: an account's route key */
	KEY_KIND_COUNT
};

#define KEY_TEXT_MAX 96
#define KEY_LOOKUP_LEN 16
#define HASH_LEN 32

/* A text that is wiped when it ends. Always declare with OWN_SECRET or call secret_wipe. */
struct secret {
	char text[KEY_TEXT_MAX];
};
#define OWN_SECRET CLEANUP(secret_wipe)

struct hash {
	unsigned char bytes[HASH_LEN];
};

/* The 32-byte key of all stored hashes. It lives in a file of its own beside the database, mode
 * 0600, so that a stolen database alone does not help to test guesses. */
struct pepper {
	unsigned char bytes[32];
};

const char *key_prefix(enum key_kind kind); /* "asr_live_" */
/* "purchase", "router", "route": the kind's name in JSON and in the database. */
const char *key_kind_name(enum key_kind kind);
void key_make(const struct env *env, enum key_kind kind, struct secret *out);
/* Shape and checksum. On success `*lookup` borrows from `text`. False is no error: it is not a key.
 */
MUST_CHECK bool key_parse(struct str text, enum key_kind *kind, struct str *lookup);
/* A random token of 43 base62 characters (a session token). */
void secret_token(const struct env *env, struct secret *out);

struct hash secret_hash(const struct pepper *pepper, struct str text); /* keyed BLAKE2b-256 */
bool hash_eq(const struct hash *a, const struct hash *b);              /* in constant time */
struct hash hash_plain(const void *bytes, size_t n);                   /* BLAKE2b-256, no key */
/* BLAKE2b-256 of `previous` followed by `row`: one link of the receipt chain. */
struct hash hash_chain(const struct hash *previous, struct str row);

struct str secret_str(const struct secret *s);
void secret_set(struct secret *s, struct str text); /* cut at KEY_TEXT_MAX - 1 */
void secret_wipe(struct secret *s);
void bytes_wipe(void *p, size_t n);

/* Reads the pepper beside a database, making it on first use (0600, synced, folder synced).
 * ERR_STORAGE if it cannot be read, is short, or others may read it. */
MUST_CHECK bool pepper_open(const char *path, const struct env *env, struct pepper *out,
                            struct err *err);

#endif
