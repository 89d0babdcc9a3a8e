/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts: written once, chained by hash. The hash covers every column in the order of the table
 * (but the hash itself) in bytes that can be read in one way only, so that anybody with SQL and
 * BLAKE2b can check it (docs/money.md). Rows of the first schema have no upstream, and their bytes
 * end before it. */
#include "store/receipt.h"

#include "store/model.h"

#define ROW_BYTES_MAX (4u << 20)

/* ---- The chain ---- */

/* Eight bytes, the highest first. */
static void add_number(struct buf *b, int64_t n)
{
	char bytes[8];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(unsigned char)((uint64_t)n >> (56 - 8 * i));
	buf_add(b, (struct str){ bytes, sizeof(bytes) });
}

/* The length, then the bytes; NULL has the length -1. */
static void add_text(struct buf *b, struct str s)
{
	add_number(b, s.p == NULL ? -1 : (int64_t)s.len);
	if (s.p != NULL)
		buf_add(b, s);
}

static void add_classes(struct buf *b, const int64_t n[TOKEN_CLASS_COUNT])
{
	for (size_t c = 0; c < TOKEN_CLASS_COUNT; c++)
		add_number(b, n[c]);
}

static void add_head(struct buf *b, const struct receipt *r)
{
	add_number(b, r->seq);
	add_text(b, r->request_id);
	add_number(b, r->key);
	add_number(b, r->service);
	add_number(b, r->txn);
	add_text(b, r->status);
	add_text(b, r->evidence);
	add_number(b, r->recovered ? 1 : 0);
	add_text(b, r->model);
	add_text(b, r->upstream_model);
	add_text(b, r->reported_model);
	add_text(b, r->provider);
	add_text(b, r->route);
	add_number(b, r->stream ? 1 : 0);
}

static void add_money(struct buf *b, const struct receipt *r)
{
	add_classes(b, r->counts.n);
	add_text(b, r->price_version);
	add_classes(b, r->prices.per_million);
	add_number(b, money_micros(r->held));
	add_number(b, money_micros(r->charge));
	add_number(b, money_micros(r->overrun));
}

bool store__receipt_hash(const struct receipt *r, const struct hash *previous, struct hash *out,
                         struct err *err)
{
	OWN_BUF struct buf row = buf_make(ROW_BYTES_MAX);

	add_head(&row, r);
	add_money(&row, r);
	add_text(&row, r->attempts);
	add_number(&row, r->http_status);
	add_number(&row, r->created_ms);
	add_number(&row, r->first_byte_ms);
	add_number(&row, r->settled_ms);
	if (r->served_by.p != NULL || r->upstream.p != NULL) {
		add_text(&row, r->served_by);
		add_text(&row, r->upstream);
	}
	if (!buf_ok(&row, "a receipt", err))
		return false;
	*out = hash_chain(previous, buf_str(&row));
	return true;
}

bool store__receipt_load_head(struct store *st, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "SELECT seq, hash FROM receipt ORDER BY seq DESC LIMIT 1");
	bool row = false;

	if (!store__step(&q, &row, err))
		return false;
	st->receipt = row ? store__col_i64(&q, 0) : 0;
	st->chain = row ? store__col_hash(&q, 1) : (struct hash){ { 0 } };
	return true;
}

/* ---- Rows ---- */

static void bind_classes(struct store_query *q, int first, const int64_t n[TOKEN_CLASS_COUNT])
{
	for (int c = 0; c < TOKEN_CLASS_COUNT; c++)
		store__bind_i64(q, first + c, n[c]);
}

static void bind_receipt(struct store_query *q, const struct receipt *r)
{
	store__bind_i64(q, 1, r->seq);
	store__bind_str(q, 2, r->request_id);
	store__bind_i64(q, 3, r->key);
	store__bind_i64(q, 4, r->service);
	store__bind_i64(q, 5, r->txn);
	store__bind_str(q, 6, r->status);
	store__bind_str(q, 7, r->evidence);
	store__bind_i64(q, 8, r->recovered ? 1 : 0);
	store__bind_str(q, 9, r->model);
	store__bind_str(q, 10, r->upstream_model);
	store__bind_str(q, 11, r->reported_model);
	store__bind_str(q, 12, r->provider);
	store__bind_str(q, 13, r->route);
	store__bind_i64(q, 14, r->stream ? 1 : 0);
	bind_classes(q, 15, r->counts.n);
	store__bind_str(q, 20, r->price_version);
	bind_classes(q, 21, r->prices.per_million);
	store__bind_money(q, 26, r->held);
	store__bind_money(q, 27, r->charge);
	store__bind_money(q, 28, r->overrun);
	store__bind_str(q, 29, r->attempts);
	store__bind_i64(q, 30, r->http_status);
	store__bind_i64(q, 31, r->created_ms);
	store__bind_i64(q, 32, r->first_byte_ms);
	store__bind_i64(q, 33, r->settled_ms);
	store__bind_hash(q, 34, &r->hash);
	store__bind_str(q, 35, r->served_by);
	store__bind_str(q, 36, r->upstream);
}

bool store__receipt_write(struct store *st, const struct receipt *r, struct err *err)
{
	struct receipt next = *r;

	next.seq = st->receipt + 1;
	if (!store__receipt_hash(&next, &st->chain, &next.hash, err))
		return false;
	OWN_QUERY struct store_query q = store__query(
		st, "INSERT INTO receipt (seq, request_id, key, service, txn, status, evidence,"
		    " recovered, model, upstream_model, reported_model, provider, route, stream,"
		    " uncached_input, cache_write_5m, cache_write_1h, cache_read, output,"
		    " price_version, price_uncached_input, price_cache_write_5m,"
		    " price_cache_write_1h, price_cache_read, price_output, held, charge, overrun,"
		    " attempts, http_status, created_ms, first_byte_ms, settled_ms, hash,"
		    " served_by, upstream)"
		    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,"
		    " ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30,"
		    " ?31, ?32, ?33, ?34, ?35, ?36)");
	bind_receipt(&q, &next);
	if (!store__run(&q, err))
		return false;
	st->receipt = next.seq;
	st->chain = next.hash;
	return true;
}

static void read_classes(const struct store_query *q, int first, int64_t n[TOKEN_CLASS_COUNT])
{
	for (int c = 0; c < TOKEN_CLASS_COUNT; c++)
		n[c] = store__col_i64(q, first + c);
}

struct receipt store__receipt_read(const struct store_query *q)
{
	struct receipt r = {
		.seq = store__col_i64(q, 0),
		.request_id = store__col_str(q, 1),
		.key = store__col_i64(q, 2),
		.service = store__col_i64(q, 3),
		.txn = store__col_i64(q, 4),
		.status = store__col_str(q, 5),
		.evidence = store__col_str(q, 6),
		.recovered = store__col_i64(q, 7) != 0,
		.model = store__col_str(q, 8),
		.upstream_model = store__col_str(q, 9),
		.reported_model = store__col_str(q, 10),
		.provider = store__col_str(q, 11),
		.route = store__col_str(q, 12),
		.stream = store__col_i64(q, 13) != 0,
		.price_version = store__col_str(q, 19),
		.held = store__col_money(q, 25),
		.charge = store__col_money(q, 26),
		.overrun = store__col_money(q, 27),
		.attempts = store__col_str(q, 28),
		.http_status = store__col_i64(q, 29),
		.created_ms = store__col_i64(q, 30),
		.first_byte_ms = store__col_i64(q, 31),
		.settled_ms = store__col_i64(q, 32),
		.hash = store__col_hash(q, 33),
		.served_by = store__col_str(q, 34),
		.upstream = store__col_str(q, 35),
	};

	read_classes(q, 14, r.counts.n);
	read_classes(q, 20, r.prices.per_million);
	return r;
}

/* ---- JSON ---- */

static void put_tokens(struct json_out *out, const struct receipt *r)
{
	for (size_t c = 0; c < TOKEN_CLASS_COUNT; c++)
		json_put_i64(out, token_class_field((enum token_class)c), r->counts.n[c]);
	json_put_object(out, "unitPricesUsdPerMillion");
	for (size_t c = 0; c < TOKEN_CLASS_COUNT; c++)
		json_put_price(out, token_class_price_field((enum token_class)c),
		               r->prices.per_million[c]);
	json_put_end(out, '}');
}

static void put_who(struct json_out *out, const struct receipt *r)
{
	json_put_str(out, "model", r->model);
	if (r->served_by.p != NULL)
		json_put_str(out, "servedBy", r->served_by);
	json_put_str(out, "upstreamModel", r->upstream_model);
	json_put_str(out, "reportedModel", r->reported_model);
	json_put_bool(out, "modelDiffers",
	              store_model_differs(r->upstream_model, r->reported_model));
	json_put_str(out, "provider", r->provider);
	json_put_str(out, "upstream", r->upstream.p != NULL ? r->upstream : r->provider);
}

static void put_receipt(struct json_out *out, const struct receipt *r, const struct store_query *q)
{
	json_put_object(out, NULL);
	json_put_str(out, "requestId", r->request_id);
	json_put_str(out, "apiKeyId", store__col_str(q, RECEIPT_WIDTH));
	json_put_str(out, "serviceId", store__col_str(q, RECEIPT_WIDTH + 1));
	put_who(out, r);
	json_put_str(out, "route", r->route);
	json_put_bool(out, "stream", r->stream);
	json_put_raw(out, "attempts", r->attempts);
	json_put_str(out, "status", r->status);
	json_put_i64(out, "httpStatus", r->http_status);
	put_tokens(out, r);
	json_put_str(out, "priceVersion", r->price_version);
	json_put_i64(out, "heldUsdMicros", money_micros(r->held));
	json_put_i64(out, "buyerChargeUsdMicros", money_micros(r->charge));
	json_put_i64(out, "overrunUsdMicros", money_micros(r->overrun));
	json_put_str(out, "evidence", r->evidence);
	json_put_bool(out, "recovered", r->recovered);
	json_put_time(out, "createdAt", r->created_ms);
	if (r->first_byte_ms >= 0)
		json_put_i64(out, "firstByteMs", r->first_byte_ms);
	else
		json_put_null(out, "firstByteMs");
	json_put_time(out, "settledAt", r->settled_ms);
	json_put_end(out, '}');
}

/* Looks in one block of receipts; schema.c tells why there are blocks. */
static bool put_from_block(struct store_query *q, int64_t block, struct json_out *out, bool *found,
                           struct err *err)
{
	store__bind_i64(q, 3, block);
	if (!store__step(q, found, err))
		return false;
	if (!*found)
		return true;
	struct receipt r = store__receipt_read(q);
	put_receipt(out, &r, q);
	return buf_ok(&out->text, "the answer", err); /* which may go on after it */
}

bool store_receipt_put(struct store *st, const struct id *account, struct str request_id,
                       struct json_out *out, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		st, "SELECT " RECEIPT_COLUMNS ", k.public_id, s.public_id"
		    " FROM receipt r JOIN service s ON s.id = r.service"
		    " JOIN account a ON a.id = s.account JOIN api_key k ON k.id = r.key"
		    " WHERE r.seq / 1024 = ?3 AND r.request_id = ?1 AND a.public_id = ?2");
	bool found = false;

	store__bind_str(&q, 1, request_id);
	store__bind_id(&q, 2, account);
	for (int64_t block = st->receipt / RECEIPT_BLOCK; block >= 0 && !found; block--) {
		if (!put_from_block(&q, block, out, &found, err))
			return false;
	}
	if (!found)
		return err_set(err, ERR_NOT_FOUND, "there is no finished request '%.*s'",
		               request_id.len > ID_TEXT_MAX ? ID_TEXT_MAX : (int)request_id.len,
		               request_id.p);
	return true;
}
