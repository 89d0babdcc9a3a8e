/* SPDX-License-Identifier: Apache-2.0 */
/* A store with one buyer for the tests of the ledger: account, wallet, service with credit, router
 * key and route key, made below the shop, so that a test says exactly what is in the books. Amounts
 * are micro-USD. */
#ifndef TESTS_STORE_SETUP_H
#define TESTS_STORE_SETUP_H

#include "store/internal.h"
#include "store/store.h"

#define SETUP_NOW_MS INT64_C(1795334400000) /* 2026-11-22T08:00:00Z */

struct buyer {
	int64_t account, service, key; /* rows */
	int64_t wallet, credit, hold;  /* ledger rows */
	struct id account_id, service_id;
	struct secret router, route; /* key texts */
};

struct setup {
	struct env_fixed clock;
	struct env env;
	char folder[64]; /* a temporary one; empty for a store in memory */
	char path[96];
	struct store *st;
	struct buyer buyer;
};

/* A fresh store, in memory or in a new temporary folder, whose buyer has `credit` micros and keys
 * without limits. Fails the case and returns false if that does not work. */
MUST_CHECK bool setup_memory(struct setup *s, int64_t credit);
MUST_CHECK bool setup_file(struct setup *s, int64_t credit);
void setup_done(struct setup *s); /* closes, removes the folder */
/* Opens the store of a folder again, after store_close or setup_crash. */
MUST_CHECK bool setup_open(struct setup *s);
/* What kill -9 leaves: the files as they are now, and a store that never got to close. */
MUST_CHECK bool setup_crash(struct setup *s);

/* Another buyer in the same store. */
MUST_CHECK bool setup_buyer(struct setup *s, const char *name, int64_t credit, struct buyer *out);
/* A router key of the buyer with limits; NULL for none. */
MUST_CHECK bool setup_key(struct setup *s, const struct buyer *buyer, enum key_kind kind,
                          const struct store_key_limits *limits, struct secret *out);
/* The live key of a text; fails the case if there is none. */
const struct store_key *setup_live_key(struct setup *s, const struct secret *text);

/* A call at 1 USD per million of input, 2 of output, so that a token is a micro, or two. */
struct store_call setup_call(void);
/* Reserves and writes a hold of `amount` for the buyer's router key. */
MUST_CHECK bool setup_hold(struct setup *s, int64_t amount, struct store_hold *out);
struct store_outcome setup_settled(int64_t input, int64_t output);

int64_t setup_balance(struct setup *s, int64_t ledger_account); /* micros */
struct store_balance setup_live_balance(struct setup *s, const struct buyer *buyer);
/* Fails the case with the verdict's problem if the books do not add up. */
void setup_check_books(struct setup *s);

#endif
