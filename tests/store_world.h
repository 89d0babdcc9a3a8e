/* SPDX-License-Identifier: Apache-2.0 */
/* A store in memory with a clock that stands still, for the tests of the shop, which set it up by
 * buying (store_setup.h does it below the shop). Closing it proves the books: every
 * test that ends with them wrong fails, whatever it was about. */
#ifndef TESTS_STORE_WORLD_H
#define TESTS_STORE_WORLD_H

#include "store/store.h"

#define WORLD_START_MS INT64_C(1795334400000) /* 2026-11-22T08:00:00Z */
#define WORLD_ITEM STR("cat_router_credit_001")

struct store_world {
	struct env_fixed time;
	struct env env;
	struct store *st; /* NULL if it could not be opened; the case has failed then */
	struct err err;   /* of the last call that a test lets fail */
};

/* The world must not move while it is open. */
bool world_open(struct store_world *w);
void world_close(struct store_world *w);

struct money world_cents(int64_t cents);
/* A new account with so much in its wallet; its purchase key goes to `key` unless NULL. */
struct id world_account(struct store_world *w, const char *name, int64_t cents, struct secret *key);
struct money world_wallet(struct store_world *w, const struct id *account);
/* Available credit of all of the account's services. */
struct money world_credit(struct store_world *w, const struct id *account);

/* {"creditAmountUsd": 12.50}; the caller frees it. */
struct json *world_configuration(int64_t cents);
/* A quote of one, checked. */
struct id world_quote(struct store_world *w, const struct id *account, int64_t cents);
/* Buys credit directly under this idempotency key. False leaves w->err. */
bool world_buy(struct store_world *w, const struct id *account, int64_t cents, const char *key,
               struct store_purchase *purchase);
/* Buys a quote. False leaves w->err. */
bool world_buy_quote(struct store_world *w, const struct id *account, const struct id *quote,
                     const char *key, struct store_purchase *purchase);
struct store_policy world_no_policy(void); /* no limit of any kind */
/* A router key on the account's pool, without limits. */
struct store_key_info world_router_key(struct store_world *w, const struct id *account,
                                       const struct id *service, struct secret *secret);
/* One call by this key, settled: input and output tokens at 1 and 2 USD per million. */
void world_call(struct store_world *w, const struct secret *key, const char *model,
                const struct token_counts *counts);

#endif
