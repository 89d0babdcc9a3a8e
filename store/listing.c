/* SPDX-License-Identifier: Apache-2.0 */
/* Lists for people: what was bought, what was funded, accounts to look through, and balances as
 * they are in memory. Searching compares parts of texts without patterns, so no letter of a caller
 * means anything special. */
#include "store/office.h"

#include "store/live.h"
#include "store/shop.h"

/* ---- Money that came in ---- */

static struct store_purchase_line purchase_line(const struct store_query *q)
{
	struct store_purchase_line line = {
		.purchase = { .id = store__col_id(q, 0),
		              .total_cents = store__col_i64(q, 2),
		              .quote = store__col_id(q, 3),
		              .service = store__col_id(q, 4),
		              .created_ms = store__col_i64(q, 5) },
		.display_name = store__col_str(q, 6),
	};

	store__col_text(q, 1, line.purchase.status, sizeof(line.purchase.status));
	return line;
}

/* NOLINTNEXTLINE(readability-function-size): the public header's shape */
bool store_purchase_each(struct store *st, const struct id *account, struct str service_id,
                         size_t limit, store_purchase_fn *fn, void *data, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		st, "SELECT p.public_id, p.status, p.total_cents, q.public_id, s.public_id,"
		    " p.created_ms, coalesce(q.display_name, s.display_name) FROM purchase p"
		    " JOIN service s ON s.id = p.service JOIN account a ON a.id = p.account"
		    " LEFT JOIN quote q ON q.id = p.quote"
		    " WHERE a.public_id = ?1 AND (?2 IS NULL OR s.public_id = ?2)"
		    " ORDER BY p.id DESC LIMIT ?3");
	bool row;

	store__bind_id(&q, 1, account);
	store__bind_str(&q, 2, service_id);
	store__bind_i64(&q, 3, (int64_t)limit);
	while (store__step(&q, &row, err)) {
		if (!row)
			return true;
		struct store_purchase_line line = purchase_line(&q);
		fn(data, &line);
	}
	return false;
}

bool store_funding_each(struct store *st, const struct id *account, size_t limit,
                        store_funding_fn *fn, void *data, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "SELECT f.reference, f.amount, f.created_ms FROM funding f"
	                         " JOIN account a ON a.id = f.account WHERE a.public_id = ?1"
	                         " ORDER BY f.txn DESC LIMIT ?2");
	bool row;

	store__bind_id(&q, 1, account);
	store__bind_i64(&q, 2, (int64_t)limit);
	while (store__step(&q, &row, err)) {
		if (!row)
			return true;
		struct store_funding_line line = { store__col_str(&q, 0), store__col_money(&q, 1),
			                           store__col_i64(&q, 2) };
		fn(data, &line);
	}
	return false;
}

/* ---- Balances in memory ---- */

/* NOLINTNEXTLINE(readability-function-size): the public header's shape */
bool store_live_pools(struct store *st, const struct id *account, struct str service_id,
                      struct store_pool_name *out, size_t max, size_t *count, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		st, "SELECT s.id, s.public_id FROM service s JOIN account a ON a.id = s.account"
		    " WHERE a.public_id = ?1 AND (?2 IS NULL OR s.public_id = ?2)"
		    " ORDER BY s.id LIMIT ?3");
	size_t found = 0;
	bool row;

	store__bind_id(&q, 1, account);
	store__bind_str(&q, 2, service_id);
	store__bind_i64(&q, 3, (int64_t)max);
	while (store__step(&q, &row, err)) {
		if (!row) {
			*count = found;
			return true;
		}
		const struct store_pool *pool = store__live_pool(st->live, store__col_i64(&q, 0));
		if (pool != NULL) /* else it is as new as this transaction */
			out[found++] = (struct store_pool_name){ store__col_id(&q, 1), pool };
	}
	return false;
}

struct store_balance store_pool_balance(const struct store_pool *pool)
{
	struct store_balance b = {
		.available = money_of_micros(atomic_load(&pool->available)),
		.held = money_of_micros(atomic_load(&pool->held)),
	};

	if (!money_add(&b.balance, b.available, b.held))
		b.balance = b.available;
	return b;
}
