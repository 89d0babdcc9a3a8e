/* SPDX-License-Identifier: Apache-2.0 */
/* Services: what a purchase leaves behind. A router service is a pair of ledger accounts, what is
 * free and what running calls hold, so its balance is read from the books and stored nowhere. */
#include "store/store.h"

#include "store/shop.h"

#define POOL_NAME "Primary Router Credit Pool"

#define SERVICE_COLUMNS                                                                \
	"SELECT s.public_id, a.public_id, s.service_type, s.display_name, s.status, "  \
	"c.micros, h.micros, s.created_ms, s.item FROM service s "                     \
	"JOIN account a ON a.id = s.account JOIN ledger_account c ON c.id = s.credit " \
	"JOIN ledger_account h ON h.id = s.hold "

static bool service_columns(const struct store_query *q, struct store_service *out, struct err *err)
{
	*out = (struct store_service){
		.id = store__col_id(q, 0),
		.account = store__col_id(q, 1),
		.balance.available = store__col_money(q, 5),
		.balance.held = store__col_money(q, 6),
		.created_ms = store__col_i64(q, 7),
		.item = store_item_find(store__col_str(q, 8)),
	};
	store__col_text(q, 2, out->service_type, sizeof(out->service_type));
	store__col_text(q, 3, out->display_name, sizeof(out->display_name));
	store__col_text(q, 4, out->status, sizeof(out->status));
	if (!out->item ||
	    !money_add(&out->balance.balance, out->balance.available, out->balance.held))
		return err_set(err, ERR_STORAGE, "service '%s' cannot be read", out->id.text);
	return true;
}

static bool not_found(struct str id, struct err *err)
{
	return err_set(err, ERR_NOT_FOUND, "there is no service '%.*s'", STR_ARG(id));
}

bool store_service_find(struct store *st, const struct id *account, struct str id,
                        struct store_service *out, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, SERVICE_COLUMNS "WHERE s.public_id = ?1 AND a.public_id = ?2");
	struct store_service found;
	bool row;

	store__bind_str(&q, 1, id);
	store__bind_id(&q, 2, account);
	if (!store__step(&q, &row, err))
		return false;
	if (!row)
		return not_found(id, err);
	if (!service_columns(&q, &found, err))
		return false;
	*out = found;
	return true;
}

bool store_service_each(struct store *st, const struct id *account, store_service_fn *fn,
                        void *data, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, SERVICE_COLUMNS "WHERE a.public_id = ?1 ORDER BY s.id");
	struct store_service service;
	bool row;

	store__bind_id(&q, 1, account);
	for (;;) {
		if (!store__step(&q, &row, err))
			return false;
		if (!row)
			return true;
		if (!service_columns(&q, &service, err))
			return false;
		fn(data, &service);
	}
}

/* ---- Rows ---- */

static void row_columns(const struct store_query *q, struct store__service_row *out)
{
	*out = (struct store__service_row){
		.row = store__col_i64(q, 0),
		.credit = store__col_i64(q, 1),
		.id = store__col_id(q, 2),
	};
}

bool store__service_load(struct store *st, int64_t account, struct str id,
                         struct store__service_row *out, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "SELECT id, credit, public_id FROM service"
	                         " WHERE public_id = ?1 AND account = ?2");
	bool row;

	store__bind_str(&q, 1, id);
	store__bind_i64(&q, 2, account);
	if (!store__step(&q, &row, err))
		return false;
	if (!row)
		return not_found(id, err);
	row_columns(&q, out);
	return true;
}

/* The account's oldest service of this item; `*found` false if it has none. */
static bool find_pool(struct store *st, int64_t account, const struct store_item *item,
                      struct store__service_row *out, bool *found, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "SELECT id, credit, public_id FROM service"
	                         " WHERE account = ?1 AND item = ?2 ORDER BY id LIMIT 1");

	store__bind_i64(&q, 1, account);
	store__bind_z(&q, 2, item->id);
	if (!store__step(&q, found, err))
		return false;
	if (*found)
		row_columns(&q, out);
	return true;
}

static bool insert_service(struct store *st, const struct store_item *item, const struct id *id,
                           struct store_pool_row *pool, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		st, "INSERT INTO service (public_id, account, item, service_type, display_name,"
		    " status, credit, hold, created_ms)"
		    " VALUES (?1, ?2, ?3, ?4, ?5, 'active', ?6, ?7, ?8)");

	store__bind_id(&q, 1, id);
	store__bind_i64(&q, 2, pool->account);
	store__bind_z(&q, 3, item->id);
	store__bind_z(&q, 4, item->service_type);
	store__bind_z(&q, 5, POOL_NAME);
	store__bind_i64(&q, 6, pool->credit_account);
	store__bind_i64(&q, 7, pool->hold_account);
	store__bind_i64(&q, 8, store__now(st));
	if (!store__run(&q, err))
		return false;
	pool->service = store__last_id(st);
	return true;
}

static bool make_pool(struct store *st, int64_t account, const struct store_item *item,
                      struct store__service_row *out, struct err *err)
{
	struct store_pool_row pool = { .account = account };
	struct id id = id_make(st->env, ID_SERVICE);

	if (!store__ledger_open(st, "credit", &id, &pool.credit_account, err) ||
	    !store__ledger_open(st, "hold", &id, &pool.hold_account, err) ||
	    !insert_service(st, item, &id, &pool, err) || !store__live_pool_new(st, &pool, err))
		return false;
	*out = (struct store__service_row){
		.row = pool.service,
		.credit = pool.credit_account,
		.id = id,
	};
	return true;
}

bool store__service_pool(struct store *st, int64_t account, const struct store_item *item,
                         struct store__service_row *out, struct err *err)
{
	bool found;

	if (!find_pool(st, account, item, out, &found, err))
		return false;
	return found || make_pool(st, account, item, out, err);
}
