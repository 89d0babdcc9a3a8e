/* SPDX-License-Identifier: Apache-2.0 */
/* See balances.h. Records stay for the life of the store; those of an earlier epoch are stale and
 * are read again before use. What keys have spent is gathered in the same way. */
#include "store/balances.h"

#include <stdlib.h>

#include "store/live.h"

struct ledger_balance {
	struct table_node by_account;
	int64_t account;
	struct money money;
	bool may_owe;
	uint64_t epoch; /* another than the store's: stale */
	bool changed;
	struct ledger_balance *next_changed;
};

struct store_balances {
	struct table accounts;
	uint64_t epoch;
	struct ledger_balance *changed;
	struct store_key *spenders; /* keys with unsaved spending */
};

struct store_balances *store__balances_new(struct err *err)
{
	struct store_balances *b = calloc(1, sizeof(*b));

	if (b == NULL) {
		err_no_memory(err);
		return NULL;
	}
	b->epoch = 1;
	if (!table_init(&b->accounts, err)) {
		free(b);
		return NULL;
	}
	return b;
}

void store__balances_free(struct store_balances *b)
{
	if (b == NULL)
		return;
	struct table_node *node = table_each(&b->accounts, NULL);
	while (node != NULL) {
		struct ledger_balance *found =
			CONTAINER_OF(node, struct ledger_balance, by_account);
		node = table_each(&b->accounts, node);
		free(found);
	}
	table_done(&b->accounts);
	free(b);
}

/* ---- Balances ---- */

static struct ledger_balance *find_or_make(struct store_balances *all, int64_t account,
                                           struct err *err)
{
	uint64_t hash = table_hash_i64(account);
	struct table_node *node = table_find(&all->accounts, hash);

	if (node != NULL)
		return CONTAINER_OF(node, struct ledger_balance, by_account);
	struct ledger_balance *b = calloc(1, sizeof(*b));
	if (b == NULL) {
		err_no_memory(err);
		return NULL;
	}
	b->account = account;
	table_put(&all->accounts, &b->by_account, hash);
	return b;
}

static bool load(struct store *st, struct ledger_balance *b, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "SELECT micros, may_owe FROM ledger_account WHERE id = ?1");
	bool row = false;

	store__bind_i64(&q, 1, b->account);
	if (!store__step(&q, &row, err))
		return false;
	if (!row)
		return err_set(err, ERR_STORAGE, "there is no ledger account %lld",
		               (long long)b->account);
	b->money = store__col_money(&q, 0);
	b->may_owe = store__col_i64(&q, 1) != 0;
	b->changed = false;
	b->epoch = st->balances->epoch;
	return true;
}

struct ledger_balance *store__balance_of(struct store *st, int64_t account, struct err *err)
{
	struct ledger_balance *b = find_or_make(st->balances, account, err);

	if (b == NULL || (b->epoch != st->balances->epoch && !load(st, b, err)))
		return NULL;
	return b;
}

struct money store__balance_money(const struct ledger_balance *b)
{
	return b->money;
}

static bool too_little(const struct ledger_balance *b, struct money amount, struct err *err)
{
	struct money required = MONEY_ZERO;
	char have[MONEY_TEXT_MAX];
	char need[MONEY_TEXT_MAX];

	if (!money_sub(&required, MONEY_ZERO, amount))
		return err_set(err, ERR_TOO_LARGE, "the amount is out of range");
	money_format_usd(b->money, have);
	money_format_usd(required, need);
	(void)err_set(err, ERR_INSUFFICIENT_FUNDS, "%s USD is needed and %s USD is there", need,
	              have);
	if (err != NULL)
		err->funds = (struct err_funds){ .required = money_micros(required),
			                         .available = money_micros(b->money) };
	return false;
}

bool store__balance_after(const struct ledger_balance *b, struct money amount, struct money *after,
                          struct err *err)
{
	struct money sum = MONEY_ZERO;

	if (!money_add(&sum, b->money, amount))
		return err_set(err, ERR_TOO_LARGE, "the balance is out of range");
	if (money_is_negative(sum) && !b->may_owe)
		return too_little(b, amount, err);
	*after = sum;
	return true;
}

void store__balance_set(struct store *st, struct ledger_balance *b, struct money m)
{
	b->money = m;
	if (b->changed)
		return;
	b->changed = true;
	b->next_changed = st->balances->changed;
	st->balances->changed = b;
}

/* ---- Spending of keys ---- */

static bool save_spending(struct store *st, int64_t key, struct money charge, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "UPDATE api_key SET spent = spent + ?2 WHERE id = ?1");

	store__bind_i64(&q, 1, key);
	store__bind_money(&q, 2, charge);
	return store__run_one(&q, ERR_STORAGE, "the key of a hold is gone", err);
}

bool store__balance_spend(struct store *st, int64_t key, struct money charge, struct err *err)
{
	struct store_key *live = store__live_key_row(st->live, key);

	if (live == NULL || !st->db.gather)
		return save_spending(st, key, charge, err);
	if (!money_add(&live->unsaved, live->unsaved, charge))
		return err_set(err, ERR_TOO_LARGE, "the spending of a key is out of range");
	if (!live->spender) {
		live->spender = true;
		live->next_spender = st->balances->spenders;
		st->balances->spenders = live;
	}
	return true;
}

static void saved(struct store *st, struct store_key *key)
{
	st->balances->spenders = key->next_spender;
	key->spender = false;
	key->unsaved = MONEY_ZERO;
}

/* ---- To the database, or to nothing ---- */

static bool save_balance(struct store *st, struct ledger_balance *b, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "UPDATE ledger_account SET micros = ?2 WHERE id = ?1");

	store__bind_i64(&q, 1, b->account);
	store__bind_money(&q, 2, b->money);
	if (!store__run_one(&q, ERR_STORAGE, "a ledger account is gone", err))
		return false;
	b->changed = false;
	st->balances->changed = b->next_changed;
	return true;
}

bool store__balances_flush(struct store *st, struct err *err)
{
	struct store_balances *all = st->balances;

	while (all->changed != NULL) {
		if (!save_balance(st, all->changed, err))
			return false;
	}
	while (all->spenders != NULL) {
		struct store_key *key = all->spenders;
		if (!save_spending(st, key->row, key->unsaved, err))
			return false;
		saved(st, key);
	}
	return true;
}

void store__balances_drop(struct store *st)
{
	struct store_balances *all = st->balances;

	all->epoch++;
	all->changed = NULL;
	while (all->spenders != NULL)
		saved(st, all->spenders);
}
