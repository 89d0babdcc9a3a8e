/* SPDX-License-Identifier: Apache-2.0 */
/* Where time and randomness come from. Tests pass a fixed one, and the same run then gives the
 * same bytes. Thread-safe: the real one has no state, the fixed one is used by one thread. */
#ifndef BASE_ENV_H
#define BASE_ENV_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct env {
	int64_t (*now_ms)(void *data);  /* wall clock, milliseconds since 1970 UTC */
	int64_t (*mono_us)(void *data); /* a clock that never goes back, microseconds */
	void (*random)(void *data, void *out, size_t n);
	void *data;
};

/* The machine's clock and libsodium's generator. Aborts if libsodium cannot start. */
struct env env_real(void);

/* A clock that stands at `now_ms` until moved and a seeded generator; `state` is the caller's and
 * must live as long as the env. */
struct env_fixed {
	int64_t now_ms;
	uint64_t counter;
};
struct env env_fixed(struct env_fixed *state);

int64_t env_now_ms(const struct env *env);
int64_t env_mono_us(const struct env *env);
void env_random(const struct env *env, void *out, size_t n);

/* RFC 3339 UTC with milliseconds, "2026-11-22T08:00:00.000Z", and back. Reading takes "Z" or an
 * offset, with or without a fraction; ERR_INVALID_ARGUMENT otherwise. */
#define TIME_TEXT_MAX 32
void time_format(int64_t ms, char out[TIME_TEXT_MAX]);
MUST_CHECK bool time_parse(struct str text, int64_t *ms, struct err *err);

#endif
