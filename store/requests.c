/* SPDX-License-Identifier: Apache-2.0 */
/* A buyer's finished calls, page by page, newest first. Each service is looked through by its own
 * index, a bounded way down; the pages of the services are merged. A page ends at its limit, or
 * where the first of these looks ended before it had found enough: what lies below that is not
 * known yet. Where a page ends is named by a request's id, which tells a buyer nothing of others.
 */
#include "store/office.h"

#include <assert.h>
#include <string.h>

#include "store/receipt.h"
#include "store/shop.h"

#define SCAN_MAX 5000 /* receipts of one service that a search looks at */

/* A receipt's place: by time, then by number. */
struct place {
	int64_t settled_ms, seq;
};

static bool is_newer(struct place a, struct place b)
{
	return a.settled_ms != b.settled_ms ? a.settled_ms > b.settled_ms : a.seq > b.seq;
}

struct page {
	const struct store_request_query *query;
	const struct id *account;
	struct place before; /* older than this */
	struct place found[STORE_REQUESTS_MAX + 1];
	size_t count;
	struct place floor; /* nothing older than this is known; zeros: all is */
};

/* ---- Where a page begins ---- */

static bool find_place(struct store *st, const struct id *account, struct str request_id,
                       struct place *out, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		st, "SELECT r.settled_ms, r.seq FROM receipt r JOIN service s ON s.id = r.service"
		    " JOIN account a ON a.id = s.account"
		    " WHERE r.seq / 1024 = ?3 AND r.request_id = ?1 AND a.public_id = ?2");
	bool row = false;

	store__bind_str(&q, 1, request_id);
	store__bind_id(&q, 2, account);
	for (int64_t block = st->receipt / RECEIPT_BLOCK; block >= 0 && !row; block--) {
		store__bind_i64(&q, 3, block);
		if (!store__step(&q, &row, err))
			return false;
	}
	if (!row)
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "'before' must be the nextCursor of an earlier answer");
	*out = (struct place){ store__col_i64(&q, 0), store__col_i64(&q, 1) };
	return true;
}

/* ---- One service ---- */

/* Keeps the newest limit + 1, in order. */
static void keep(struct page *p, struct place at)
{
	size_t most = p->query->limit + 1, i = p->count;

	while (i > 0 && is_newer(at, p->found[i - 1]))
		i--;
	if (i == most)
		return;
	size_t last = p->count < most ? p->count : most - 1;
	memmove(&p->found[i + 1], &p->found[i], (last - i) * sizeof(p->found[0]));
	p->found[i] = at;
	p->count = last + 1;
}

static bool is_filtered(const struct store_request_query *query)
{
	return query->q.p || query->model.p || query->status.p || query->key_id.p;
}

static void bind_filter(struct store_query *q, const struct store_request_query *query)
{
	store__bind_str(q, 6, query->q);
	store__bind_str(q, 7, query->model);
	store__bind_str(q, 8, query->status);
	store__bind_str(q, 9, query->key_id);
}

static bool scan(struct store *st, struct page *p, int64_t service, size_t *matches,
                 struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		st, "SELECT r.settled_ms, r.seq FROM (SELECT seq, settled_ms, request_id, model,"
		    " route, upstream, provider, status, key FROM receipt INDEXED BY"
		    " receipt_service WHERE service = ?1 AND settled_ms <= ?2"
		    " AND (settled_ms < ?2 OR seq < ?3) ORDER BY settled_ms DESC, seq DESC"
		    " LIMIT ?4) r JOIN api_key k ON k.id = r.key"
		    " WHERE (?6 IS NULL OR instr(lower(r.request_id || ' ' || r.model || ' ' ||"
		    " r.route || ' ' || coalesce(r.upstream, r.provider) || ' ' || k.label),"
		    " lower(?6)) > 0) AND (?7 IS NULL OR r.model = ?7)"
		    " AND (?8 IS NULL OR r.status = ?8) AND (?9 IS NULL OR k.public_id = ?9)"
		    " ORDER BY r.settled_ms DESC, r.seq DESC LIMIT ?5");
	bool row;

	store__bind_i64(&q, 1, service);
	store__bind_i64(&q, 2, p->before.settled_ms);
	store__bind_i64(&q, 3, p->before.seq);
	store__bind_i64(&q, 4, is_filtered(p->query) ? SCAN_MAX : (int64_t)p->query->limit + 1);
	store__bind_i64(&q, 5, (int64_t)p->query->limit + 1);
	bind_filter(&q, p->query);
	for (*matches = 0;; (*matches)++) {
		if (!store__step(&q, &row, err))
			return false;
		if (!row)
			return true;
		keep(p, (struct place){ store__col_i64(&q, 0), store__col_i64(&q, 1) });
	}
}

/* A look that ended without enough, but not at the oldest receipt, leaves what is below open. */
static bool note_floor(struct store *st, struct page *p, int64_t service, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		st, "SELECT settled_ms, seq FROM receipt INDEXED BY receipt_service"
		    " WHERE service = ?1 AND settled_ms <= ?2 AND (settled_ms < ?2 OR seq < ?3)"
		    " ORDER BY settled_ms DESC, seq DESC LIMIT 1 OFFSET ?4");
	bool row;

	store__bind_i64(&q, 1, service);
	store__bind_i64(&q, 2, p->before.settled_ms);
	store__bind_i64(&q, 3, p->before.seq);
	store__bind_i64(&q, 4, SCAN_MAX - 1);
	if (!store__step(&q, &row, err))
		return false;
	if (row) {
		struct place at = { store__col_i64(&q, 0), store__col_i64(&q, 1) };
		if (is_newer(at, p->floor))
			p->floor = at;
	}
	return true;
}

static bool scan_services(struct store *st, struct page *p, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "SELECT s.id FROM service s JOIN account a ON a.id = s.account"
	                         " WHERE a.public_id = ?1 AND (?2 IS NULL OR s.public_id = ?2)");
	size_t matches;
	bool row;

	store__bind_id(&q, 1, p->account);
	store__bind_str(&q, 2, p->query->service_id);
	while (store__step(&q, &row, err)) {
		if (!row)
			return true;
		int64_t service = store__col_i64(&q, 0);
		if (!scan(st, p, service, &matches, err))
			return false;
		if (matches <= p->query->limit && !note_floor(st, p, service, err))
			return false;
	}
	return false;
}

/* ---- Telling it ---- */

static bool tell(struct store *st, int64_t seq, store_request_fn *fn, void *data, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		st, "SELECT " RECEIPT_COLUMNS ", k.public_id, s.public_id, k.label FROM receipt r"
		    " JOIN service s ON s.id = r.service JOIN api_key k ON k.id = r.key"
		    " WHERE r.seq = ?1");
	bool row;

	store__bind_i64(&q, 1, seq);
	if (!store__step(&q, &row, err))
		return false;
	if (!row)
		return err_set(err, ERR_STORAGE, "a receipt went missing");
	struct receipt r = store__receipt_read(&q);
	struct store_request_line line = {
		.id = id_of(r.request_id),
		.key = store__col_id(&q, RECEIPT_WIDTH),
		.service = store__col_id(&q, RECEIPT_WIDTH + 1),
		.key_label = store__col_str(&q, RECEIPT_WIDTH + 2),
		.model = r.model,
		.provider = r.provider,
		.upstream = r.upstream.p != NULL ? r.upstream : r.provider,
		.route = r.route,
		.status = r.status,
		.evidence = r.evidence,
		.stream = r.stream,
		.http_status = (int)r.http_status,
		.counts = r.counts,
		.charge = r.charge,
		.created_ms = r.created_ms,
		.first_byte_ms = r.first_byte_ms,
		.settled_ms = r.settled_ms,
	};
	fn(data, &line);
	return true;
}

static bool request_id_of(struct store *st, int64_t seq, struct id *out, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "SELECT request_id FROM receipt WHERE seq = ?1");
	bool row;

	store__bind_i64(&q, 1, seq);
	if (!store__step(&q, &row, err))
		return false;
	*out = row ? store__col_id(&q, 0) : (struct id){ { 0 } };
	return true;
}

/* Leaves out what is below the floor and what is above the limit. Returns what comes next. */
static struct place cut(struct page *p)
{
	struct place next = p->floor;

	while (p->count > 0 && is_newer(p->floor, p->found[p->count - 1]))
		p->count--;
	if (p->count > p->query->limit) {
		p->count = p->query->limit;
		next = p->found[p->count - 1];
	}
	return next;
}

/* NOLINTNEXTLINE(readability-function-size): the public header's shape */
bool store_request_each(struct store *st, const struct id *account,
                        const struct store_request_query *query, store_request_fn *fn, void *data,
                        struct id *next, struct err *err)
{
	struct page p = {
		.query = query,
		.account = account,
		.before = { INT64_MAX, INT64_MAX },
	};

	assert(query->limit >= 1 && query->limit <= STORE_REQUESTS_MAX);
	if (query->before.p && !find_place(st, account, query->before, &p.before, err))
		return false;
	if (!scan_services(st, &p, err))
		return false;
	struct place end = cut(&p);
	for (size_t i = 0; i < p.count; i++) {
		if (!tell(st, p.found[i].seq, fn, data, err))
			return false;
	}
	*next = (struct id){ { 0 } };
	return end.seq == 0 || request_id_of(st, end.seq, next, err);
}
