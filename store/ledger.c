/* SPDX-License-Identifier: Apache-2.0 */
/* Double entry: money moves only here. A balance is checked by the statement that changes it, so
 * there is no moment between looking and taking. */
#include "store/internal.h"

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

static bool find_balance(struct store_query *q, int64_t account, struct err *err)
{
	bool row = false;

	store__bind_i64(q, 1, account);
	if (!store__step(q, &row, err))
		return false;
	return row ||
	       err_set(err, ERR_STORAGE, "there is no ledger account %lld", (long long)account);
}

bool store__ledger_balance(struct store *st, int64_t account, struct money *out, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "SELECT micros FROM ledger_account WHERE id = ?1");

	if (!find_balance(&q, account, err))
		return false;
	*out = store__col_money(&q, 0);
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

static bool refuse(struct store *st, const struct ledger_posting *p, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "SELECT micros, name FROM ledger_account WHERE id = ?1");
	char have[MONEY_TEXT_MAX];
	char need[MONEY_TEXT_MAX];
	struct money required = MONEY_ZERO;

	if (!find_balance(&q, p->account, err))
		return false;
	if (!money_sub(&required, MONEY_ZERO, p->amount))
		return err_set(err, ERR_STORAGE, "an amount is out of range");
	money_format_usd(store__col_money(&q, 0), have);
	money_format_usd(required, need);
	(void)err_set(err, ERR_INSUFFICIENT_FUNDS, "%s USD is needed and %s USD is there", need,
	              have);
	if (err != NULL)
		err->funds = (struct err_funds){ .required = money_micros(required),
			                         .available = store__col_i64(&q, 0) };
	return false;
}

static bool move_balance(struct store *st, const struct ledger_posting *p, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "UPDATE ledger_account SET micros = micros + ?2"
	                         " WHERE id = ?1 AND (micros + ?2 >= 0 OR may_owe = 1)");

	store__bind_i64(&q, 1, p->account);
	store__bind_money(&q, 2, p->amount);
	if (!store__run(&q, err))
		return false;
	return store__changed(&q) == 1 || refuse(st, p, err);
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

/* Balances first: a refusal then leaves nothing written, if the first posting is the one that may
 * be refused. */
static bool move_balances(struct store *st, const struct ledger_txn *txn, struct err *err)
{
	for (size_t i = 0; i < txn->count; i++) {
		if (!is_zero(txn->postings[i].amount) && !move_balance(st, &txn->postings[i], err))
			return false;
	}
	return true;
}

bool store__ledger_post(struct store *st, const struct ledger_txn *txn, int64_t *id,
                        struct err *err)
{
	int64_t row = 0;

	assert(st->db.depth > 0);
	assert(txn->count <= LEDGER_POSTINGS_MAX && sums_to_zero(txn));
	if (!move_balances(st, txn, err) || !write_txn(st, txn, &row, err))
		return false;
	for (size_t i = 0; i < txn->count; i++) {
		if (!is_zero(txn->postings[i].amount) &&
		    !write_entry(st, row, &txn->postings[i], err))
			return false;
	}
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
