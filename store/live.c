/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and balances in memory: made from the database at open, kept up by effects. reserve.c has
 * what a running call does with them. Records live until the store closes, so a pointer to a key
 * stays good without a count of its users; a revoked key costs its few hundred bytes until then. */
#include "store/live.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/env.h"

#define USE_STEP_MS 60000 /* how exact last_used_ms is */

/* ---- Records ---- */

struct store_pool *store__live_make_pool(const struct store_pool_row *row, struct err *err)
{
	struct store_pool *pool = calloc(1, sizeof(*pool));

	if (pool == NULL) {
		err_no_memory(err);
		return NULL;
	}
	pool->service = row->service;
	pool->credit_account = row->credit_account;
	pool->hold_account = row->hold_account;
	atomic_init(&pool->available, money_micros(row->available));
	atomic_init(&pool->held, money_micros(row->held));
	return pool;
}

static struct live_account *find_account(const struct store_live *live, int64_t row)
{
	struct table_node *node = table_find(&live->accounts, table_hash_i64(row));

	/* Different rows have different hashes: the finisher is a bijection. */
	return node == NULL ? NULL : CONTAINER_OF(node, struct live_account, by_row);
}

struct live_account *store__live_account(struct store_live *live, int64_t row, struct err *err)
{
	struct live_account *account = find_account(live, row);

	if (account != NULL)
		return account;
	account = calloc(1, sizeof(*account));
	if (account == NULL) {
		err_no_memory(err);
		return NULL;
	}
	account->row = row;
	table_put(&live->accounts, &account->by_row, table_hash_i64(row));
	return account;
}

void store__live_free_key(struct store_key *key)
{
	if (key == NULL)
		return;
	json_free(key->models);
	free(key->use);
	free(key);
}

static void fill_key(struct store_key *key, const struct store_key_row *row)
{
	assert(row->lookup.len == KEY_LOOKUP_LEN);
	key->row = row->key;
	key->id = row->id;
	key->account_id = row->account_id;
	memcpy(key->lookup, row->lookup.p, KEY_LOOKUP_LEN);
	key->hash = row->hash;
	key->spend_limit = money_micros(row->limits.spend_limit);
	key->expires_ms = row->limits.expires_ms;
	key->requests_per_minute = row->limits.requests_per_minute;
	key->max_concurrent = row->limits.max_concurrent;
	key->lower_output = row->limits.lower_output;
	atomic_init(&key->use->committed, money_micros(row->spent));
}

static struct store_key *blank_key(struct err *err)
{
	struct store_key *key = calloc(1, sizeof(*key));

	if (key != NULL)
		key->use = calloc(1, sizeof(*key->use));
	if (key == NULL || key->use == NULL) {
		free(key);
		err_no_memory(err);
		return NULL;
	}
	return key;
}

struct store_key *store__live_make_key(struct store_live *live, const struct store_key_row *row,
                                       struct err *err)
{
	struct live_account *account = store__live_account(live, row->account, err);

	if (account == NULL)
		return NULL;
	struct store_key *key = blank_key(err);
	if (key == NULL)
		return NULL;
	fill_key(key, row);
	key->account = account;
	if (row->allowed_models.p != NULL) {
		key->models = json_parse(row->allowed_models, err);
		if (key->models == NULL) {
			store__live_free_key(key);
			return NULL;
		}
	}
	return key;
}

void store__live_put_pool(struct store_live *live, struct store_pool *pool,
                          struct live_account *account)
{
	struct store_pool *none = NULL;

	table_put(&live->pools, &pool->by_service, table_hash_i64(pool->service));
	atomic_compare_exchange_strong(&account->pool, &none, pool);
}

void store__live_put_key(struct store_live *live, struct store_key *key)
{
	table_put(&live->key_rows, &key->by_row, table_hash_i64(key->row));
	(void)pthread_rwlock_wrlock(&live->lock);
	table_put(&live->keys, &key->by_lookup,
	          table_hash_str((struct str){ key->lookup, KEY_LOOKUP_LEN }));
	(void)pthread_rwlock_unlock(&live->lock);
}

struct store_pool *store__live_pool(const struct store_live *live, int64_t service)
{
	struct table_node *node = table_find(&live->pools, table_hash_i64(service));

	return node == NULL ? NULL : CONTAINER_OF(node, struct store_pool, by_service);
}

struct store_key *store__live_key_row(const struct store_live *live, int64_t key)
{
	struct table_node *node = table_find(&live->key_rows, table_hash_i64(key));

	return node == NULL ? NULL : CONTAINER_OF(node, struct store_key, by_row);
}

/* ---- Life ---- */

struct store_live *store__live_new(const struct pepper *pepper, struct err *err)
{
	struct store_live *live = calloc(1, sizeof(*live));

	if (live == NULL) {
		err_no_memory(err);
		return NULL;
	}
	(void)pthread_rwlock_init(&live->lock, NULL); /* cannot fail without attributes */
	live->pepper = *pepper;
	atomic_init(&live->next_row, 1);
	if (!table_init(&live->keys, err) || !table_init(&live->key_rows, err) ||
	    !table_init(&live->pools, err) || !table_init(&live->accounts, err)) {
		store__live_free(live);
		return NULL;
	}
	return live;
}

static void free_keys(struct table *t)
{
	struct table_node *node = table_each(t, NULL);

	while (node != NULL) {
		struct store_key *key = CONTAINER_OF(node, struct store_key, by_row);
		node = table_each(t, node);
		store__live_free_key(key);
	}
}

static void free_pools(struct table *t)
{
	struct table_node *node = table_each(t, NULL);

	while (node != NULL) {
		struct store_pool *pool = CONTAINER_OF(node, struct store_pool, by_service);
		node = table_each(t, node);
		free(pool);
	}
}

static void free_accounts(struct table *t)
{
	struct table_node *node = table_each(t, NULL);

	while (node != NULL) {
		struct live_account *account = CONTAINER_OF(node, struct live_account, by_row);
		node = table_each(t, node);
		free(account);
	}
}

void store__live_free(struct store_live *live)
{
	if (live == NULL)
		return;
	free_keys(&live->key_rows);
	free_pools(&live->pools);
	free_accounts(&live->accounts);
	table_done(&live->keys);
	table_done(&live->key_rows);
	table_done(&live->pools);
	table_done(&live->accounts);
	(void)pthread_rwlock_destroy(&live->lock);
	bytes_wipe(&live->pepper, sizeof(live->pepper));
	free(live);
}

/* ---- From the database ---- */

static bool load_pools(struct store *st, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		st, "SELECT s.id, s.account, s.credit, s.hold, c.micros, h.micros FROM service s"
		    " JOIN ledger_account c ON c.id = s.credit"
		    " JOIN ledger_account h ON h.id = s.hold ORDER BY s.id");
	bool row = false;

	while (store__step(&q, &row, err)) {
		if (!row)
			return true;
		struct store_pool_row found = {
			.service = store__col_i64(&q, 0),
			.account = store__col_i64(&q, 1),
			.credit_account = store__col_i64(&q, 2),
			.hold_account = store__col_i64(&q, 3),
			.available = store__col_money(&q, 4),
			.held = store__col_money(&q, 5),
		};
		if (!store__live_pool_new(st, &found, err))
			return false;
	}
	return false;
}

static struct store_key_row key_of_row(const struct store_query *q)
{
	return (struct store_key_row){
		.key = store__col_i64(q, 0),
		.id = store__col_id(q, 1),
		.account = store__col_i64(q, 2),
		.account_id = store__col_id(q, 3),
		.service = store__col_i64(q, 4),
		.lookup = store__col_str(q, 5),
		.hash = store__col_hash(q, 6),
		.limits = { .spend_limit = store__col_money(q, 7),
		            .expires_ms = store__col_i64(q, 8),
		            .requests_per_minute = store__col_i64(q, 9),
		            .max_concurrent = store__col_i64(q, 10),
		            .lower_output = store__col_i64(q, 13) != 0 },
		.allowed_models = store__col_str(q, 11),
		.spent = store__col_money(q, 12),
	};
}

static bool load_keys(struct store *st, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		st, "SELECT k.id, k.public_id, k.account, a.public_id, k.service, k.lookup, k.hash,"
		    " k.spend_limit, k.expires_ms, k.requests_per_minute, k.max_concurrent,"
		    " k.allowed_models, k.spent + k.carried, k.lower_output"
		    " FROM api_key k JOIN account a ON a.id = k.account"
		    " WHERE k.revoked_ms = 0 AND k.kind <> 'purchase'");
	bool row = false;

	while (store__step(&q, &row, err)) {
		if (!row)
			return true;
		struct store_key_row found = key_of_row(&q);
		if (!store__live_key_new(st, &found, err))
			return false;
	}
	return false;
}

static bool load_frozen(struct store *st, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "SELECT id FROM account WHERE frozen_ms <> 0");
	bool row = false;

	while (store__step(&q, &row, err)) {
		if (!row)
			return true;
		if (!store__live_account_frozen(st, store__col_i64(&q, 0), true, err))
			return false;
	}
	return false;
}

bool store__live_load(struct store *st, struct err *err)
{
	if (!load_pools(st, err) || !load_keys(st, err) || !load_frozen(st, err)) {
		store__effects_drop(st, 0);
		return false;
	}
	store__effects_apply(st);
	return true;
}

/* ---- Last use ---- */

static bool save_use(struct store *st, struct store_key *key, struct err *err)
{
	int64_t used_ms = atomic_load(&key->use->last_ms);

	if (used_ms - key->saved_ms < USE_STEP_MS)
		return true;
	OWN_QUERY struct store_query q =
		store__query(st, "UPDATE api_key SET last_used_ms = ?2 WHERE id = ?1");
	store__bind_i64(&q, 1, key->row);
	store__bind_i64(&q, 2, used_ms);
	if (!store__run(&q, err))
		return false;
	key->saved_ms = used_ms;
	return true;
}

static bool save_uses(struct store *st, struct err *err)
{
	const struct table *rows = &st->live->key_rows;
	OWN_TX struct store_tx tx = { 0 };

	if (!store__tx_begin_batch(&tx, st, false, err))
		return false;
	for (struct table_node *n = table_each(rows, NULL); n != NULL; n = table_each(rows, n)) {
		if (!save_use(st, CONTAINER_OF(n, struct store_key, by_row), err))
			return false;
	}
	return store__tx_commit(&tx, err);
}

void store__live_save_uses(struct store *st)
{
	struct err ignored;

	(void)save_uses(st, &ignored); /* tried again in a minute */
}
