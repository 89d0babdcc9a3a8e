/* SPDX-License-Identifier: Apache-2.0 */
/* The books at a glance, for a person who watches them. Cheap enough to be asked each second while
 * calls run: the totals are read from balances, never from entries, and the newest receipts by
 * their number, whatever their count. */
#include "store/store.h"

#include "store/shop.h"

/* ---- Totals ---- */

static bool read_wallets(struct store *st, struct store_overview *out, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "SELECT count(*), ifnull(sum(l.micros), 0) FROM account a"
	                         " JOIN ledger_account l ON l.id = a.wallet");
	bool row;

	if (!store__step(&q, &row, err))
		return false;
	out->accounts = store__col_i64(&q, 0);
	out->wallets = store__col_money(&q, 1);
	return true;
}

static bool read_services(struct store *st, struct store_overview *out, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "SELECT ifnull(sum(c.micros), 0), ifnull(sum(h.micros), 0)"
	                         " FROM service s JOIN ledger_account c ON c.id = s.credit"
	                         " JOIN ledger_account h ON h.id = s.hold");
	bool row;

	if (!store__step(&q, &row, err))
		return false;
	out->credit = store__col_money(&q, 0);
	out->held = store__col_money(&q, 1);
	return true;
}

static bool read_calls(struct store *st, struct store_overview *out, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "SELECT (SELECT ifnull(max(seq), 0) FROM receipt),"
	                         " (SELECT count(*) FROM hold),"
	                         " (SELECT micros FROM ledger_account WHERE name = 'usage')");
	bool row;

	if (!store__step(&q, &row, err))
		return false;
	out->receipts = store__col_i64(&q, 0);
	out->open_holds = store__col_i64(&q, 1);
	out->charged = store__col_money(&q, 2);
	return true;
}

bool store_overview(struct store *st, struct store_overview *out, struct err *err)
{
	struct store_overview found = { 0 };

	if (!read_wallets(st, &found, err) || !read_services(st, &found, err) ||
	    !read_calls(st, &found, err))
		return false;
	*out = found;
	return true;
}

/* ---- Accounts ---- */

bool store_overview_accounts(struct store *st, int64_t limit, store_balances_fn *fn, void *data,
                             struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "SELECT a.public_id, a.name, w.micros,"
	                         " ifnull(sum(c.micros), 0) AS credit,"
	                         " ifnull(sum(h.micros), 0) AS held"
	                         " FROM account a JOIN ledger_account w ON w.id = a.wallet"
	                         " LEFT JOIN service s ON s.account = a.id"
	                         " LEFT JOIN ledger_account c ON c.id = s.credit"
	                         " LEFT JOIN ledger_account h ON h.id = s.hold"
	                         " GROUP BY a.id ORDER BY held DESC, credit DESC, a.id LIMIT ?1");
	bool row;

	store__bind_i64(&q, 1, limit);
	for (;;) {
		if (!store__step(&q, &row, err))
			return false;
		if (!row)
			return true;
		const struct store_balances_row balances = {
			.account = store__col_id(&q, 0),
			.name = store__col_str(&q, 1),
			.wallet = store__col_money(&q, 2),
			.credit = store__col_money(&q, 3),
			.held = store__col_money(&q, 4),
		};
		fn(data, &balances);
	}
}

/* ---- Receipts ---- */

static struct store_activity activity_columns(const struct store_query *q)
{
	return (struct store_activity){
		.request_id = store__col_str(q, 0),
		.account = store__col_str(q, 1),
		.key = store__col_str(q, 2),
		.model = store__col_str(q, 3),
		.upstream = store__col_str(q, 4),
		.status = store__col_str(q, 5),
		.http_status = store__col_i64(q, 6),
		.input_tokens = store__col_i64(q, 7),
		.output_tokens = store__col_i64(q, 8),
		.charge = store__col_money(q, 9),
		.created_ms = store__col_i64(q, 10),
		.settled_ms = store__col_i64(q, 11),
	};
}

bool store_overview_receipts(struct store *st, int64_t limit, store_activity_fn *fn, void *data,
                             struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		st, "SELECT r.request_id, a.name, k.label, r.model, ifnull(r.upstream, r.provider),"
		    " r.status, r.http_status, r.uncached_input + r.cache_write_5m"
		    " + r.cache_write_1h + r.cache_read, r.output, r.charge, r.created_ms,"
		    " r.settled_ms FROM receipt r JOIN service s ON s.id = r.service"
		    " JOIN account a ON a.id = s.account JOIN api_key k ON k.id = r.key"
		    " ORDER BY r.seq DESC LIMIT ?1");
	bool row;

	store__bind_i64(&q, 1, limit);
	for (;;) {
		if (!store__step(&q, &row, err))
			return false;
		if (!row)
			return true;
		const struct store_activity activity = activity_columns(&q);
		fn(data, &activity);
	}
}
