/* SPDX-License-Identifier: Apache-2.0 */
/* The latest receipts of an account, for people who look for one. Each service is asked for its own
 * newest, which its index has in order: no list of all receipts is ever sorted. */
#include "store/internal.h"

struct recent {
	struct store *st;
	int64_t limit; /* of each service */
	store_receipt_fn *fn;
	void *data;
};

static bool each_of_service(const struct recent *recent, int64_t service, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(recent->st, "SELECT request_id FROM receipt WHERE service = ?1"
	                                 " ORDER BY settled_ms DESC LIMIT ?2");
	bool row;

	store__bind_i64(&q, 1, service);
	store__bind_i64(&q, 2, recent->limit);
	for (;;) {
		if (!store__step(&q, &row, err))
			return false;
		if (!row)
			return true;
		recent->fn(recent->data, store__col_str(&q, 0));
	}
}

bool store_receipt_recent(struct store *st, const struct id *account, int64_t limit,
                          store_receipt_fn *fn, void *data, struct err *err)
{
	const struct recent recent = { st, limit, fn, data };
	OWN_QUERY struct store_query q =
		store__query(st, "SELECT s.id FROM service s JOIN account a ON a.id = s.account"
	                         " WHERE a.public_id = ?1 ORDER BY s.id");
	bool row;

	store__bind_id(&q, 1, account);
	for (;;) {
		if (!store__step(&q, &row, err))
			return false;
		if (!row)
			return true;
		if (!each_of_service(&recent, store__col_i64(&q, 0), err))
			return false;
	}
}
