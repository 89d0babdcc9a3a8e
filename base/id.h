/* SPDX-License-Identifier: Apache-2.0 */
/* Ids of the contract's section 3: a fixed prefix and 22 base62 characters (128 random bits).
 * They are names, not secrets. */
#ifndef BASE_ID_H
#define BASE_ID_H

#include <stdbool.h>

#include "base/env.h"
#include "base/str.h"

enum id_kind {
	ID_ACCOUNT,    /* acct_ */
	ID_QUOTE,      /* quote_ */
	ID_PURCHASE,   /* purchase_ */
	ID_SERVICE,    /* svc_ */
	ID_ROUTER_KEY, /* router_key_ */
	ID_REQUEST,    /* req_ */
	ID_APPROVAL,   /* approval_ */
	ID_KIND_COUNT
};

#define ID_TEXT_MAX 40

struct id {
	char text[ID_TEXT_MAX]; /* NUL-terminated; empty means none */
};

struct id id_make(const struct env *env, enum id_kind kind);
/* Prefix, length and alphabet are right. */
bool id_is(struct str text, enum id_kind kind);
/* Copies a text of at most ID_TEXT_MAX - 1 bytes (a stored id or a catalog id); a longer one gives
 * the empty id, which no object has. */
struct id id_of(struct str text);
struct str id_str(const struct id *id);
bool id_eq(const struct id *a, const struct id *b);
bool id_is_empty(const struct id *id);

/* Writes `n` bytes as big-endian base62 in exactly `width` characters (and a NUL). `width` must be
 * enough for the largest value of `n` bytes: 22 for 16 bytes, 43 for 32. */
void base62_encode(const unsigned char *bytes, size_t n, char *out, size_t width);
/* All of `text` is of the base62 alphabet. */
bool base62_is(struct str text);
/* Writes `n` random characters, each as likely as the others, without a NUL. */
void base62_random(const struct env *env, char *out, size_t n);

#endif
