/* SPDX-License-Identifier: Apache-2.0 */
/* Freezing an account. The keys stay as they are: what stops them is a mark on the account, in
 * memory by the effect of this transaction and in the database for purchase keys and the next
 * start, so that lifting it brings back exactly what was there. */
#include "store/office.h"

#include "store/shop.h"

static bool mark(struct store *st, int64_t account, bool frozen, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "UPDATE account SET frozen_ms = ?2 WHERE id = ?1");

	store__bind_i64(&q, 1, account);
	store__bind_i64(&q, 2, frozen ? store__now(st) : 0);
	return store__run_one(&q, ERR_INTERNAL, "an account went missing", err) &&
	       store__live_account_frozen(st, account, frozen, err);
}

static bool end_sessions(struct store *st, int64_t account, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(st, "DELETE FROM session WHERE account = ?1");

	store__bind_i64(&q, 1, account);
	return store__run(&q, err);
}

static void put_frozen(struct json_out *o, bool frozen)
{
	json_put_object(o, NULL);
	json_put_bool(o, "frozen", frozen);
	json_put_end(o, '}');
}

static bool note(struct store *st, const struct id *account, bool frozen, struct err *err)
{
	OWN_JSON_OUT struct json_out before = json_out_make(64);
	OWN_JSON_OUT struct json_out after = json_out_make(64);

	put_frozen(&before, !frozen);
	put_frozen(&after, frozen);
	return store__audit(
		st,
		&(struct store__change){ .what = frozen ? "account.freeze" : "account.unfreeze",
	                                 .subject = id_str(account),
	                                 .before = &before,
	                                 .after = &after },
		err);
}

bool store_account_freeze(struct store *st, const struct id *account, bool frozen, struct err *err)
{
	OWN_TX struct store_tx tx = { 0 };
	struct store__account_row row;

	if (!store__tx_begin(&tx, st, err) || !store__account_load(st, account, &row, err))
		return false;
	if (row.frozen != frozen &&
	    (!mark(st, row.row, frozen, err) || !note(st, account, frozen, err)))
		return false;
	return (!frozen || end_sessions(st, row.row, err)) && store__tx_commit(&tx, err);
}
