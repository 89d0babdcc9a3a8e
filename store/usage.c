/* SPDX-License-Identifier: Apache-2.0 */
/* Usage is read from receipts, which never change, so the same question about the past has the same
 * answer for ever. A request counts on the day that it ended. */
#include "store/store.h"

#include <assert.h>

#include "store/shop.h"

#define NANOS_PER_MICRO 1000

/* A class's part of the charge, in nano-USD: sums of pico-USD could leave 63 bits. What nobody was
 * billed for (a released call with counts) has no part. */
#define PART(class)                                                                     \
	"coalesce(sum(CASE WHEN r.status = 'settled' THEN r." class " * r.price_" class \
		" / 1000 ELSE 0 END), 0)"

/* One statement per grouping: SQL is never put together from parts at run time. */
#define USAGE_SQL(group, label, joins, tail)                                                                                                     \
	"SELECT " group ", count(*), sum(r.uncached_input), sum(r.cache_write_5m), "                                                             \
	"sum(r.cache_write_1h), sum(r.cache_read), sum(r.output), sum(r.charge), " PART("uncached_input") ", " PART("cache_write_5m") ", " PART( \
		"cache_write_1h") ", " PART("cache_read") ", " PART("output") ", " label                                                         \
									      " FROM receipt r JOIN service s ON s.id = r.service "              \
									      "JOIN account a ON a.id = s.account " joins                        \
									      " WHERE a.public_id = ?1 AND (?2 IS NULL OR s.public_id = ?2)"     \
									      " AND r.settled_ms >= ?3 AND (?4 = 0 OR r.settled_ms < ?4) " tail

static const char TOTAL_SQL[] = USAGE_SQL("NULL", "NULL", "", "");

static const char *const GROUP_SQL[] = {
	[USAGE_BY_NONE] = NULL, /* only the total */
	[USAGE_BY_MODEL] = USAGE_SQL("r.model", "r.model", "", "GROUP BY r.model ORDER BY r.model"),
	[USAGE_BY_KEY] = USAGE_SQL("k.public_id", "k.label", "JOIN api_key k ON k.id = r.key",
	                           "GROUP BY k.id ORDER BY k.id"),
	[USAGE_BY_DAY] =
		USAGE_SQL("date(r.settled_ms / 1000, 'unixepoch')",
	                  "date(r.settled_ms / 1000, 'unixepoch')", "", "GROUP BY 1 ORDER BY 1"),
};
static_assert(ARRAY_LEN(GROUP_SQL) == USAGE_GROUP_COUNT, "every grouping has its query");

struct span {
	const struct id *account;
	struct str service_id;
	int64_t from_ms, to_ms;
};

static void usage_columns(const struct store_query *q, struct store_usage *out)
{
	*out = (struct store_usage){
		.group = store__col_str(q, 0),
		.requests = store__col_i64(q, 1),
		.charge = store__col_money(q, 7),
		.label = store__col_str(q, 13),
	};
	for (int c = 0; c < TOKEN_CLASS_COUNT; c++) {
		out->counts.n[c] = store__col_i64(q, 2 + c);
		out->by_class[c] = money_of_micros(store__col_i64(q, 8 + c) / NANOS_PER_MICRO);
	}
}

static bool each_row(struct store *st, const char *sql, const struct span *span, store_usage_fn *fn,
                     void *data, struct err *err)
{
	OWN_QUERY struct store_query q = store__query_of(st, sql);
	struct store_usage usage;
	bool row;

	store__bind_id(&q, 1, span->account);
	store__bind_str(&q, 2, span->service_id);
	store__bind_i64(&q, 3, span->from_ms);
	store__bind_i64(&q, 4, span->to_ms);
	for (;;) {
		if (!store__step(&q, &row, err))
			return false;
		if (!row)
			return true;
		usage_columns(&q, &usage);
		fn(data, &usage);
	}
}

/* NOLINTNEXTLINE(readability-function-size): the public header's shape */
bool store_usage_each(struct store *st, const struct id *account, struct str service_id,
                      int64_t from_ms, int64_t to_ms, enum usage_group by, store_usage_fn *fn,
                      void *data, struct err *err)
{
	const struct span span = { account, service_id, from_ms, to_ms };
	struct store_service service;

	assert(by < USAGE_GROUP_COUNT);
	if (to_ms != 0 && to_ms < from_ms)
		return err_set(err, ERR_INVALID_ARGUMENT, "'to' must not be before 'from'");
	if (service_id.p && !store_service_find(st, account, service_id, &service, err))
		return false;
	if (GROUP_SQL[by] && !each_row(st, GROUP_SQL[by], &span, fn, data, err))
		return false;
	return each_row(st, TOTAL_SQL, &span, fn, data, err);
}
