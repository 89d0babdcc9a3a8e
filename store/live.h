/* SPDX-License-Identifier: Apache-2.0 */
/* The live tables from the inside. Who may touch what: the key table is read by any thread under
 * its lock and grown by the store thread; balances and counters are atomics for everybody; pools
 * and accounts are looked up by the store thread alone. */
#ifndef STORE_LIVE_H
#define STORE_LIVE_H

#include <pthread.h>
#include <stdatomic.h>

#include "store/internal.h"
#include "store/table.h"

/* The credit of one service. `available` never exceeds the ledger's credit account: memory
 * subtracts before the disk does, and adds after it. */
struct store_pool {
	struct table_node by_service;
	int64_t service;                      /* row */
	int64_t credit_account, hold_account; /* ledger rows */
	_Atomic int64_t available, held;      /* micros */
};

struct live_account {
	struct table_node by_row;
	int64_t row;
	_Atomic(struct store_pool *) pool; /* its first; NULL until it buys */
	_Atomic bool frozen;
};

/* What running calls count. Apart from the key, so that a caller's const key can be counted on. */
struct key_use {
	_Atomic bool dead;
	_Atomic int64_t committed; /* micros: spent, and held by running calls */
	_Atomic int64_t held;      /* the second part of that */
	_Atomic int64_t running;   /* calls */
	_Atomic int64_t rate_us;   /* when the minute's allowance would be full again */
	_Atomic int64_t last_ms;   /* last use */
};

struct store_key {
	struct table_node by_lookup, by_row;
	int64_t row;
	struct id id, account_id;
	char lookup[KEY_LOOKUP_LEN + 1];
	struct hash hash;
	struct store_pool *pool;      /* of a router key; NULL for route keys, which go by ... */
	struct live_account *account; /* ... the account's first pool */
	struct json *models;          /* allow list; NULL: all */
	int64_t spend_limit;          /* micros; negative: none */
	int64_t expires_ms, requests_per_minute, max_concurrent; /* 0: none */
	bool lower_output;
	int64_t saved_ms;    /* last use as the database has it; store thread only */
	struct key_use *use; /* owned */
	/* Spending that is not yet in the database; store thread only, see balances.c. */
	struct money unsaved;
	bool spender;
	struct store_key *next_spender;
};

struct store_live {
	pthread_rwlock_t lock; /* of `keys`; held for a look-up */
	struct table keys;     /* by lookup text */
	struct table key_rows, pools, accounts;
	_Atomic int64_t next_row; /* of holds */
	struct pepper pepper;
};

MUST_CHECK struct store_live *store__live_new(const struct pepper *pepper, struct err *err);
void store__live_free(struct store_live *live); /* NULL is fine */
/* Fills the tables from the database: all services, and router and route keys that live. */
MUST_CHECK bool store__live_load(struct store *st, struct err *err);
/* Writes when keys were last used, to the minute. Its own transaction; a failure costs nothing but
 * that information. */
void store__live_save_uses(struct store *st);

/* ---- For the store thread, by row ---- */

struct store_pool *store__live_pool(const struct store_live *live, int64_t service);
struct store_key *store__live_key_row(const struct store_live *live, int64_t key);

/* ---- Effects (effects.c) ---- */

MUST_CHECK struct store_effects *store__effects_new(struct err *err);
void store__effects_free(struct store_effects *effects); /* NULL is fine; drops what is queued */
size_t store__effects_count(const struct store *st);
void store__effects_drop(struct store *st, size_t keep); /* forgets all after the first `keep` */
void store__effects_apply(struct store *st);

/* A hold is over: `back` micros become available again, the key has spent `charge`. */
MUST_CHECK bool store__effect_hold_ended(struct store *st, const struct store_hold *hold,
                                         struct money charge, struct money back, struct err *err);
/* Takes up to `want` out of what is available at once, so that nobody else reserves it while the
 * transaction runs; given back if that is undone. */
MUST_CHECK bool store__effect_take(struct store *st, struct store_pool *pool, struct money want,
                                   struct money *taken, struct err *err);

/* ---- Applied effects (live.c) ---- */

void store__live_put_pool(struct store_live *live, struct store_pool *pool,
                          struct live_account *account);
void store__live_put_key(struct store_live *live, struct store_key *key);
/* New records, not yet in a table. The caller frees them until they are put there. */
MUST_CHECK struct store_pool *store__live_make_pool(const struct store_pool_row *row,
                                                    struct err *err);
/* Found, or made and put into the table of accounts (which nobody sees but the store thread). */
MUST_CHECK struct live_account *store__live_account(struct store_live *live, int64_t row,
                                                    struct err *err);
MUST_CHECK struct store_key *store__live_make_key(struct store_live *live,
                                                  const struct store_key_row *row, struct err *err);
void store__live_free_key(struct store_key *key);

#endif
