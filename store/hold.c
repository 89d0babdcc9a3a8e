/* SPDX-License-Identifier: Apache-2.0 */
/* A hold's life on disk:
 *
 *     (reserved) --write--> held --mark--> streaming
 *                            |                |
 *                            +------end-------+--> settled | released | failed
 *
 * A row of the hold table is an open hold. Ending deletes the row and writes the receipt in the
 * same transaction, so that a hold can end once and only once, and the table stays small. */
#include "store/balances.h"
#include "store/live.h"
#include "store/model.h"
#include "store/receipt.h"

#include <assert.h>

struct state_name {
	const char *name;
	bool open; /* a row of the hold table; else the status of a receipt */
};

static const struct state_name STATES[] = {
	[HOLD_HELD] = { "held", true },        [HOLD_STREAMING] = { "streaming", true },
	[HOLD_SETTLED] = { "settled", false }, [HOLD_RELEASED] = { "released", false },
	[HOLD_FAILED] = { "failed", false },
};
static_assert(ARRAY_LEN(STATES) == HOLD_STATE_COUNT, "one name per state");

static const char *const EVIDENCE[] = {
	[EVIDENCE_PROVIDER] = "provider",
	[EVIDENCE_ESTIMATED] = "estimated",
	[EVIDENCE_NONE] = "none",
};
static_assert(ARRAY_LEN(EVIDENCE) == EVIDENCE_COUNT, "one name per evidence");

const char *hold_state_name(enum hold_state s)
{
	assert(s < HOLD_STATE_COUNT);
	return STATES[s].name;
}

const char *evidence_name(enum evidence e)
{
	assert(e < EVIDENCE_COUNT);
	return EVIDENCE[e];
}

/* ---- Writing ---- */

static void bind_prices(struct store_query *q, int first, const struct token_prices *prices)
{
	for (int c = 0; c < TOKEN_CLASS_COUNT; c++)
		store__bind_i64(q, first + c, prices->per_million[c]);
}

static struct str upstream_name(const struct store_call *call)
{
	return call->upstream.p != NULL ? call->upstream : str_of(provider_name(call->provider));
}

static void bind_call(struct store_query *q, const struct store_call *call)
{
	store__bind_str(q, 6, call->model);
	store__bind_str(q, 7, call->upstream_model);
	store__bind_z(q, 8, provider_name(call->provider));
	store__bind_str(q, 9, call->route);
	store__bind_i64(q, 10, call->stream ? 1 : 0);
	store__bind_str(q, 11, call->price_version);
	bind_prices(q, 12, &call->prices);
	store__bind_i64(q, 17, call->long_above);
	bind_prices(q, 18, &call->long_prices);
	store__bind_i64(q, 23, call->input_estimate);
	store__bind_i64(q, 24, call->created_ms);
	store__bind_str(q, 25, call->served_by);
	store__bind_str(q, 26, upstream_name(call));
}

static bool insert_hold(struct store *st, const struct store_hold *hold,
                        const struct store_call *call, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		st, "INSERT INTO hold (id, request_id, key, service, state, amount, model,"
		    " upstream_model, provider, route, stream, price_version,"
		    " price_uncached_input, price_cache_write_5m, price_cache_write_1h,"
		    " price_cache_read, price_output, long_above, long_uncached_input,"
		    " long_cache_write_5m, long_cache_write_1h, long_cache_read, long_output,"
		    " input_estimate, created_ms, served_by, upstream)"
		    " VALUES (?1, ?2, ?3, ?4, 'held', ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
		    " ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26)");

	store__bind_i64(&q, 1, hold->row);
	store__bind_id(&q, 2, &hold->request_id);
	store__bind_i64(&q, 3, hold->key->row);
	store__bind_i64(&q, 4, hold->pool->service);
	store__bind_money(&q, 5, hold->amount);
	bind_call(&q, call);
	return store__run(&q, err);
}

static bool has_prices(const struct token_prices *p)
{
	return p->per_million[TOKEN_UNCACHED_INPUT] >= 0 && p->per_million[TOKEN_OUTPUT] >= 0;
}

/* What the crash rule will need must be there: it cannot ask anybody. */
static bool check_call(const struct store_call *call, struct err *err)
{
	if (!has_prices(&call->prices) || (call->long_above > 0 && !has_prices(&call->long_prices)))
		return err_set(err, ERR_INVALID_ARGUMENT, "the model '%.*s' has no price",
		               STR_ARG(call->model));
	if (call->input_estimate < 0)
		return err_set(err, ERR_INVALID_ARGUMENT, "the input estimate is below zero");
	return true;
}

bool store_hold_write(struct store *st, const struct store_hold *hold,
                      const struct store_call *call, struct err *err)
{
	struct ledger_move move = {
		.kind = "hold",
		.ref = id_str(&hold->request_id),
		.from = hold->pool->credit_account,
		.to = hold->pool->hold_account,
		.amount = hold->amount,
	};
	int64_t txn = 0;
	OWN_TX struct store_tx tx = { 0 };

	if (!check_call(call, err) || !store__tx_begin_bare(&tx, st, err))
		return false;
	if (!store__ledger_move(st, &move, &txn, err))
		return err_prefix(err, "the ledger disagrees with the reserve");
	return insert_hold(st, hold, call, err) && store__tx_commit(&tx, err);
}

bool store_hold_mark(struct store *st, const struct store_hold *hold, int64_t output_estimate,
                     struct err *err)
{
	OWN_TX struct store_tx tx = { 0 };

	if (!store__tx_begin_bare(&tx, st, err))
		return false;
	OWN_QUERY struct store_query q =
		store__query(st, "UPDATE hold SET state = 'streaming', output_estimate = ?2"
	                         " WHERE id = ?1 AND request_id = ?3");
	store__bind_i64(&q, 1, hold->row);
	store__bind_i64(&q, 2, output_estimate);
	store__bind_id(&q, 3, &hold->request_id);
	return store__run_one(&q, ERR_CONFLICT, "the hold has ended already", err) &&
	       store__tx_commit(&tx, err);
}

/* ---- Ending ---- */

/* One open hold, as it stands in the database; texts are borrowed from the query. */
struct open_hold {
	int64_t row;
	bool streaming;
	int64_t credit_account, hold_account;
	struct receipt receipt; /* what is known before the end */
	int64_t long_above;
	struct token_prices long_prices;
	int64_t input_estimate, output_estimate;
};

#define OPEN_HOLD_COLUMNS                                                                       \
	"h.id, h.request_id, h.key, h.service, h.state, h.amount, h.model, h.upstream_model,"   \
	" h.provider, h.route, h.stream, h.price_version, h.price_uncached_input,"              \
	" h.price_cache_write_5m, h.price_cache_write_1h, h.price_cache_read, h.price_output,"  \
	" h.long_above, h.long_uncached_input, h.long_cache_write_5m, h.long_cache_write_1h,"   \
	" h.long_cache_read, h.long_output, h.input_estimate, h.output_estimate, h.created_ms," \
	" s.credit, s.hold, h.served_by, h.upstream"

static void read_prices(const struct store_query *q, int first, struct token_prices *out)
{
	for (int c = 0; c < TOKEN_CLASS_COUNT; c++)
		out->per_million[c] = store__col_i64(q, first + c);
}

static struct open_hold read_open_hold(const struct store_query *q)
{
	struct open_hold h = {
		.row = store__col_i64(q, 0),
		.streaming = str_eq(store__col_str(q, 4), STR("streaming")),
		.receipt = { .request_id = store__col_str(q, 1),
		             .key = store__col_i64(q, 2),
		             .service = store__col_i64(q, 3),
		             .held = store__col_money(q, 5),
		             .model = store__col_str(q, 6),
		             .upstream_model = store__col_str(q, 7),
		             .provider = store__col_str(q, 8),
		             .route = store__col_str(q, 9),
		             .stream = store__col_i64(q, 10) != 0,
		             .price_version = store__col_str(q, 11),
		             .created_ms = store__col_i64(q, 25),
		             .served_by = store__col_str(q, 28),
		             .upstream = store__col_str(q, 29) },
		.long_above = store__col_i64(q, 17),
		.input_estimate = store__col_i64(q, 23),
		.output_estimate = store__col_i64(q, 24),
		.credit_account = store__col_i64(q, 26),
		.hold_account = store__col_i64(q, 27),
	};

	read_prices(q, 12, &h.receipt.prices);
	read_prices(q, 18, &h.long_prices);
	if (h.receipt.upstream.p == NULL) /* of the first schema */
		h.receipt.upstream = h.receipt.provider;
	return h;
}

/* Who pays what the tokens cost: first the hold, then other credit, then we. */
struct split {
	struct money cost;
	struct money from_hold;
	struct money back;        /* of the hold, to the credit */
	struct money from_credit; /* beyond the hold */
	struct money overrun;
};

static bool check_counts(const struct token_counts *counts, struct err *err)
{
	for (size_t c = 0; c < TOKEN_CLASS_COUNT; c++) {
		if (counts->n[c] < 0)
			return err_set(err, ERR_INVALID_ARGUMENT, "%s is below zero",
			               token_class_field((enum token_class)c));
	}
	return true;
}

static bool is_long(const struct open_hold *h, const struct token_counts *counts)
{
	int64_t prompt = 0;

	for (size_t c = 0; c < TOKEN_CLASS_COUNT; c++) {
		if (c != TOKEN_OUTPUT && __builtin_add_overflow(prompt, counts->n[c], &prompt))
			return true; /* the charge will not fit either */
	}
	return h->long_above > 0 && prompt > h->long_above;
}

/* Prices a settled hold and splits the cost as if nothing but the hold could pay. */
static bool split_cost(struct open_hold *h, const struct store_outcome *outcome,
                       struct split *split, struct err *err)
{
	struct split s = { .cost = MONEY_ZERO };
	struct receipt *r = &h->receipt;

	if (!check_counts(&outcome->counts, err))
		return false;
	if (is_long(h, &outcome->counts))
		r->prices = h->long_prices;
	if (outcome->state == HOLD_SETTLED &&
	    !token_charge(&outcome->counts, &r->prices, &s.cost, err))
		return false;
	s.from_hold = money_min(s.cost, r->held);
	if (!money_sub(&s.back, r->held, s.from_hold) ||
	    !money_sub(&s.overrun, s.cost, s.from_hold))
		return err_set(err, ERR_TOO_LARGE, "the charge is out of range");
	*split = s;
	return true;
}

/* Lets the credit that is free pay for what the hold did not cover. */
static bool cover_overrun(struct store *st, struct store_pool *pool, struct split *s,
                          struct err *err)
{
	if (money_cmp(s->overrun, MONEY_ZERO) == 0)
		return true;
	if (!store__effect_take(st, pool, s->overrun, &s->from_credit, err))
		return false;
	if (!money_sub(&s->overrun, s->overrun, s->from_credit))
		return err_set(err, ERR_TOO_LARGE, "the charge is out of range");
	return true;
}

static bool post_end(struct store *st, struct open_hold *h, const struct split *s,
                     enum hold_state state, struct err *err)
{
	struct receipt *r = &h->receipt;
	struct ledger_txn txn = {
		.kind = state == HOLD_SETTLED ? "settle" : "release",
		.ref = r->request_id,
		.postings = { { .account = h->credit_account },
		              { .account = h->hold_account },
		              { .account = LEDGER_USAGE, .amount = s->cost },
		              { .account = LEDGER_OVERRUN } },
		.count = 4,
	};

	if (!money_sub(&txn.postings[0].amount, s->back, s->from_credit) ||
	    !money_sub(&txn.postings[1].amount, MONEY_ZERO, r->held) ||
	    !money_sub(&txn.postings[3].amount, MONEY_ZERO, s->overrun) ||
	    !money_add(&r->charge, s->from_hold, s->from_credit))
		return err_set(err, ERR_TOO_LARGE, "the charge is out of range");
	r->overrun = s->overrun;
	return store__ledger_post(st, &txn, &r->txn, err);
}

static bool delete_hold(struct store *st, int64_t row, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(st, "DELETE FROM hold WHERE id = ?1");

	store__bind_i64(&q, 1, row);
	return store__run_one(&q, ERR_CONFLICT, "the hold has ended already", err);
}

static bool count_spending(struct store *st, const struct receipt *r, struct err *err)
{
	return money_cmp(r->charge, MONEY_ZERO) == 0 ||
	       store__balance_spend(st, r->key, r->charge, err);
}

/* Another upstream than the one that the hold names has answered, at its own prices. */
static bool use_call(struct open_hold *h, const struct store_call *used, struct err *err)
{
	struct receipt *r = &h->receipt;

	if (!check_call(used, err))
		return false;
	r->served_by = used->served_by;
	r->upstream_model = used->upstream_model;
	r->upstream = upstream_name(used);
	r->provider = str_of(provider_name(used->provider));
	r->price_version = used->price_version;
	r->prices = used->prices;
	h->long_above = used->long_above;
	h->long_prices = used->long_prices;
	return true;
}

static void fill_outcome(struct receipt *r, const struct store_outcome *outcome)
{
	r->status = str_of(hold_state_name(outcome->state));
	r->evidence = str_of(evidence_name(outcome->evidence));
	r->counts = outcome->counts;
	r->reported_model = outcome->reported_model;
	r->attempts = outcome->attempts.len == 0 ? STR("[]") : outcome->attempts;
	r->http_status = outcome->status;
	r->first_byte_ms = outcome->first_byte_ms;
	r->settled_ms = outcome->settled_ms;
}

/* Writes the end of a hold whose cost is split. */
static bool write_end(struct store *st, struct open_hold *h, const struct split *s,
                      const struct store_outcome *outcome, struct err *err)
{
	fill_outcome(&h->receipt, outcome);
	return post_end(st, h, s, outcome->state, err) && count_spending(st, &h->receipt, err) &&
	       store__receipt_write(st, &h->receipt, err) && delete_hold(st, h->row, err);
}

static bool end_open_hold(struct store *st, const struct store_hold *hold,
                          const struct store_outcome *outcome, struct money *charged,
                          struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		st, "SELECT " OPEN_HOLD_COLUMNS " FROM hold h JOIN service s ON s.id = h.service"
		    " WHERE h.id = ?1 AND h.request_id = ?2");
	struct split s = { .cost = MONEY_ZERO };
	bool row = false;

	store__bind_i64(&q, 1, hold->row);
	store__bind_id(&q, 2, &hold->request_id);
	if (!store__step(&q, &row, err))
		return false;
	if (!row)
		return err_set(err, ERR_CONFLICT, "the hold has ended already");
	struct open_hold h = read_open_hold(&q);
	if (outcome->used != NULL && !use_call(&h, outcome->used, err))
		return false;
	if (!split_cost(&h, outcome, &s, err) || !cover_overrun(st, hold->pool, &s, err) ||
	    !write_end(st, &h, &s, outcome, err))
		return false;
	*charged = h.receipt.charge;
	return store__effect_hold_ended(st, hold, h.receipt.charge, s.back, err);
}

bool store_hold_end(struct store *st, const struct store_hold *hold,
                    const struct store_outcome *outcome, struct money *charged, struct err *err)
{
	struct money charge = MONEY_ZERO;
	OWN_TX struct store_tx tx = { 0 };

	assert(!STATES[outcome->state].open);
	if (!store__tx_begin_bare(&tx, st, err) ||
	    !end_open_hold(st, hold, outcome, &charge, err) || !store__tx_commit(&tx, err))
		return false;
	*charged = charge;
	return true;
}

bool store_holds_open(struct store *st, struct store_open_holds *out, struct err *err)
{
	OWN_QUERY struct store_query q =
		store__query(st, "SELECT count(*), coalesce(sum(amount), 0) FROM hold");
	bool row = false;

	if (!store__step(&q, &row, err))
		return false;
	*out = (struct store_open_holds){ store__col_i64(&q, 0), store__col_money(&q, 1) };
	return true;
}

/* ---- After a crash ---- */

/* Bytes that were delivered are billed as estimated, never above the hold; the rest is our loss.
 * Where none were, nothing is billed. */
static struct store_outcome crash_outcome(const struct open_hold *h, int64_t now_ms)
{
	struct store_outcome o = {
		.state = HOLD_RELEASED,
		.evidence = EVIDENCE_NONE,
		.first_byte_ms = -1,
		.settled_ms = now_ms,
	};

	if (h->streaming) {
		o.state = HOLD_SETTLED;
		o.evidence = EVIDENCE_ESTIMATED;
		o.counts.n[TOKEN_UNCACHED_INPUT] = h->input_estimate;
		o.counts.n[TOKEN_OUTPUT] = h->output_estimate;
	}
	return o;
}

static bool recover_one(struct store *st, bool *found, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		st, "SELECT " OPEN_HOLD_COLUMNS " FROM hold h JOIN service s ON s.id = h.service"
		    " ORDER BY h.id LIMIT 1");
	struct split s = { .cost = MONEY_ZERO };

	if (!store__step(&q, found, err))
		return false;
	if (!*found)
		return true;
	struct open_hold h = read_open_hold(&q);
	struct store_outcome outcome = crash_outcome(&h, store__now(st));
	h.receipt.recovered = true;
	return split_cost(&h, &outcome, &s, err) && write_end(st, &h, &s, &outcome, err);
}

bool store__holds_recover(struct store *st, struct err *err)
{
	bool found = true;
	OWN_TX struct store_tx tx = { 0 };

	if (!store__tx_begin(&tx, st, err))
		return false;
	while (found) {
		if (!recover_one(st, &found, err))
			return false;
	}
	return store__tx_commit(&tx, err);
}
