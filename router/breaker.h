/* SPDX-License-Identifier: Apache-2.0 */
/* Which upstreams are well, told by real traffic alone: one circuit breaker for each pair of
 * upstream and model, and the memory of where a buyer's prompt cache was written.
 *
 *   CLOSED ──failures in a row, or "retry after"──> OPEN ──cool-down over──> TRIAL
 *     ^                                              ^                        │ │
 *     └───────────────── one success ────────────────┼────────────────────────┘ │
 *                                                    └───────── failure ────────┘
 *
 * Only what the upstream did wrong counts: a caller's bad request is a success of the upstream. */
#ifndef ROUTER_BREAKER_H
#define ROUTER_BREAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/id.h"
#include "base/str.h"

enum breaker_state {
	BREAKER_CLOSED,
	BREAKER_OPEN,
	BREAKER_TRIAL, /* one request may try; the others wait for what becomes of it */
	BREAKER_STATE_COUNT
};

struct breaker {
	const void *upstream, *model; /* whose it is; both live as long as the breakers */
	enum breaker_state state;
	int failures;        /* in a row */
	int64_t cool_ms;     /* the next cool-down; doubles while trials fail */
	int64_t open_until;  /* monotonic milliseconds */
	int64_t trial_until; /* a trial that never ended counts as none after this */
};

struct breakers;

MUST_CHECK struct breakers *breakers_new(struct err *err);
void breakers_free(struct breakers *b); /* NULL is fine */

/* The breaker of a pair, made on first use; NULL without memory, which means "closed". Stays where
 * it is until breakers_free. */
struct breaker *breakers_of(struct breakers *b, const void *upstream, const void *model);

/* May a request go there now? Moves OPEN to TRIAL when the cool-down is over, and takes the trial.
 */
bool breaker_admits(struct breaker *b, int64_t now_ms);
void breaker_success(struct breaker *b);
/* `retry_after_ms`: what the upstream asked for; 0: nothing. */
void breaker_failure(struct breaker *b, int64_t now_ms, int64_t retry_after_ms);
/* Neither: the attempt was given up for reasons of ours, so a trial is free again. */
void breaker_abandon(struct breaker *b);

const char *breaker_state_name(enum breaker_state s);

/* Calls `fn` for each breaker there is: for people who look. */
void breakers_each(const struct breakers *b, void (*fn)(void *data, const struct breaker *b),
                   void *data);

/* ---- Where a prompt cache was written ---- */

#define STICKY_SLOTS \
	1024 /* the newest entry of a slot wins: forgetting costs a cache miss, no more */

struct sticky {
	struct {
		uint64_t key;
		const void *upstream;
		int64_t until;
	} slot[STICKY_SLOTS];
};

/* The upstream where this account last wrote or read a cache of this model, NULL if none lives. */
const void *sticky_find(const struct sticky *s, const struct id *account, const void *model,
                        int64_t now_ms);
void sticky_note(struct sticky *s, const struct id *account, const void *model,
                 const void *upstream, int64_t until_ms);

#endif
