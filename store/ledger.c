/* SPDX-License-Identifier: Apache-2.0 */
/* Double entry: money moves only here. A balance is checked and changed in the same transaction, by
 * the only thread that can change it, so nothing comes between looking and taking. */
#include "store/balances.h"

#include <assert.h>

#include "base/env.h"

int64_t store__now(const struct store *st)
{
	return env_now_ms(st->env);
}

bool store__ledger_open(struct store *st, const char *kind, const struct id *owner,
                        int64_t *account, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		st, "INSERT INTO ledger_account (name, may_owe) VALUES (?1 || ':' || ?2, 0)");

	store__bind_z(&q, 1, kind);
	store__bind_id(&q, 2, owner);
	if (!store__run(&q, err))
		return false;
	*account = store__last_id(st);
	return true;
}

bool store__ledger_balance(struct store *st, int64_t account, struct money *out, struct err *err)
{
	struct ledger_balance *b = store__balance_of(st, account, err);

	if (b == NULL)
		return false;
	*out = store__balance_money(b);
	return true;
}

/* ---- Posting ---- */

static bool is_zero(struct money m)
{
	return money_cmp(m, MONEY_ZERO) == 0;
}

static bool sums_to_zero(const struct ledger_txn *txn)
{
	struct money sum = MONEY_ZERO;

	for (size_t i = 0; i < txn->count; i++) {
		if (!money_add(&sum, sum, txn->postings[i].amount))
			return false;
	}
	return is_zero(sum);
}

/* Two postings on one account would each be checked alone. */
static bool has_twin(const struct ledger_txn *txn)
{
	for (size_t i = 1; i < txn->count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (txn->postings[i].account == txn->postings[j].account)
				return true;
		}
	}
	return false;
}

static bool write_txn(struct store *st, const struct ledger_txn *txn, int64_t *id, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "INSERT INTO txn (kind, ref, created_ms) VALUES (?1, ?2, ?3)");

	store__bind_z(&q, 1, txn->kind);
	store__bind_str(&q, 2, txn->ref);
	store__bind_i64(&q, 3, store__now(st));
	if (!store__run(&q, err))
		return false;
	*id = store__last_id(st);
	return true;
}

static bool write_entry(struct store *st, int64_t txn, const struct ledger_posting *p,
                        struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "INSERT INTO entry (txn, account, micros) VALUES (?1, ?2, ?3)");

	store__bind_i64(&q, 1, txn);
	store__bind_i64(&q, 2, p->account);
	store__bind_money(&q, 3, p->amount);
	return store__run(&q, err);
}

/* One account of a transaction, with where it will stand. */
struct change {
	struct ledger_balance *balance;
	struct money after;
};

/* Every account is looked at before a row is written, so that a refusal leaves nothing behind. */
static bool plan(struct store *st, const struct ledger_txn *txn, struct change *changes,
                 struct err *err)
{
	for (size_t i = 0; i < txn->count; i++) {
		const struct ledger_posting *p = &txn->postings[i];
		struct change *c = &changes[i];
		if (is_zero(p->amount))
			continue;
		c->balance = store__balance_of(st, p->account, err);
		if (c->balance == NULL ||
		    !store__balance_after(c->balance, p->amount, &c->after, err))
			return false;
	}
	return true;
}

static bool write_rows(struct store *st, const struct ledger_txn *txn, int64_t *id, struct err *err)
{
	if (!write_txn(st, txn, id, err))
		return false;
	for (size_t i = 0; i < txn->count; i++) {
		if (!is_zero(txn->postings[i].amount) &&
		    !write_entry(st, *id, &txn->postings[i], err))
			return false;
	}
	return true;
}

bool store__ledger_post(struct store *st, const struct ledger_txn *txn, int64_t *id,
                        struct err *err)
{
	struct change changes[LEDGER_POSTINGS_MAX] = { { NULL, MONEY_ZERO } };
	int64_t row = 0;

	assert(st->db.depth > 0);
	assert(txn->count <= LEDGER_POSTINGS_MAX && sums_to_zero(txn) && !has_twin(txn));
	if (!plan(st, txn, changes, err) || !write_rows(st, txn, &row, err))
		return false;
	for (size_t i = 0; i < txn->count; i++) {
		if (changes[i].balance != NULL)
			store__balance_set(st, changes[i].balance, changes[i].after);
	}
	if (!st->db.gather && !store__balances_flush(st, err))
		return false;
	*id = row;
	return true;
}

bool store__ledger_move(struct store *st, const struct ledger_move *move, int64_t *id,
                        struct err *err)
{
	struct money out = MONEY_ZERO;

	if (!money_sub(&out, MONEY_ZERO, move->amount))
		return err_set(err, ERR_TOO_LARGE, "the amount is too large");
	struct ledger_txn txn = {
		.kind = move->kind,
		.ref = move->ref,
		.postings = { { move->from, out }, { move->to, move->amount } },
		.count = 2,
	};
	return store__ledger_post(st, &txn, id, err);
}
