/* SPDX-License-Identifier: Apache-2.0 */
/* Rows are written as the shop writes them, with the same live effects. */
#include "tests/store_setup.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/live.h"
#include "tests/check.h"

/* ---- Opening ---- */

bool setup_open(struct setup *s)
{
	struct err err = { 0 };
	struct store_options options = { s->path, STORE_PROCESS, &s->env };

	s->st = store_open(&options, &err);
	if (s->st == NULL)
		CHECK_FAIL("cannot open: %s", err.text);
	return s->st != NULL;
}

static void begin(struct setup *s)
{
	*s = (struct setup){ .clock = { .now_ms = SETUP_NOW_MS } };
	s->env = env_fixed(&s->clock);
}

static bool begin_file(struct setup *s)
{
	begin(s);
	(void)snprintf(s->folder, sizeof(s->folder), "/tmp/test-store-XXXXXX");
	if (!CHECK(mkdtemp(s->folder) != NULL))
		return false;
	(void)snprintf(s->path, sizeof(s->path), "%s/store.db", s->folder);
	return setup_open(s);
}

bool setup_memory(struct setup *s, int64_t credit)
{
	begin(s);
	(void)snprintf(s->path, sizeof(s->path), ":memory:");
	return setup_open(s) && setup_buyer(s, "first", credit, &s->buyer);
}

bool setup_file(struct setup *s, int64_t credit)
{
	return begin_file(s) && setup_buyer(s, "first", credit, &s->buyer);
}

static void remove_folder(const char *folder)
{
	char command[160];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	CHECK_I64(system(command), 0);
}

void setup_done(struct setup *s)
{
	store_close(s->st);
	s->st = NULL;
	if (s->folder[0] != '\0')
		remove_folder(s->folder);
}

bool setup_crash(struct setup *s)
{
	char command[400];

	(void)snprintf(command, sizeof(command), "cp -r '%s' '%s.left'", s->folder, s->folder);
	if (!CHECK_I64(system(command), 0))
		return false;
	store_close(s->st);
	s->st = NULL;
	(void)snprintf(command, sizeof(command), "rm -rf '%s' && mv '%s.left' '%s'", s->folder,
	               s->folder, s->folder);
	return CHECK_I64(system(command), 0);
}

/* ---- A buyer ---- */

static bool insert_account(struct setup *s, const char *name, struct buyer *b, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		s->st,
		"INSERT INTO account (public_id, name, wallet, created_ms) VALUES (?1, ?2, ?3, ?4)");

	b->account_id = id_make(&s->env, ID_ACCOUNT);
	if (!store__ledger_open(s->st, "wallet", &b->account_id, &b->wallet, err))
		return false;
	store__bind_id(&q, 1, &b->account_id);
	store__bind_z(&q, 2, name);
	store__bind_i64(&q, 3, b->wallet);
	store__bind_i64(&q, 4, store__now(s->st));
	if (!store__run(&q, err))
		return false;
	b->account = store__last_id(s->st);
	return true;
}

static bool insert_service(struct setup *s, struct buyer *b, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		s->st, "INSERT INTO service (public_id, account, item, service_type, display_name,"
		       " status, credit, hold, created_ms)"
		       " VALUES (?1, ?2, 'cat_router_credit_001', 'llm_router', 'credit', 'active',"
		       " ?3, ?4, ?5)");

	b->service_id = id_make(&s->env, ID_SERVICE);
	if (!store__ledger_open(s->st, "credit", &b->service_id, &b->credit, err) ||
	    !store__ledger_open(s->st, "hold", &b->service_id, &b->hold, err))
		return false;
	store__bind_id(&q, 1, &b->service_id);
	store__bind_i64(&q, 2, b->account);
	store__bind_i64(&q, 3, b->credit);
	store__bind_i64(&q, 4, b->hold);
	store__bind_i64(&q, 5, store__now(s->st));
	if (!store__run(&q, err))
		return false;
	b->service = store__last_id(s->st);
	return store__live_pool_new(s->st,
	                            &(struct store_pool_row){ .service = b->service,
	                                                      .account = b->account,
	                                                      .credit_account = b->credit,
	                                                      .hold_account = b->hold },
	                            err);
}

static bool give_credit(struct setup *s, const struct buyer *b, int64_t micros, struct err *err)
{
	struct money amount = money_of_micros(micros);
	struct ledger_move fund = { "funding", STR("test"), LEDGER_OPERATOR, b->wallet, amount };
	struct ledger_move buy = { "purchase", STR("test"), b->wallet, b->credit, amount };
	int64_t txn = 0;

	return store__ledger_move(s->st, &fund, &txn, err) &&
	       store__ledger_move(s->st, &buy, &txn, err) &&
	       store__live_pool_add(s->st, b->service, amount, err);
}

static bool insert_key(struct setup *s, const struct store_key_row *row, struct err *err)
{
	OWN_QUERY struct store_query q = store__query(
		s->st,
		"INSERT INTO api_key (public_id, account, service, kind, label, lookup, hash,"
		" spend_limit, expires_ms, requests_per_minute, max_concurrent,"
		" allowed_models, created_ms, lower_output)"
		" VALUES (?1, ?2, nullif(?3, 0), ?4, 'test', ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
		" ?13)");

	store__bind_id(&q, 1, &row->id);
	store__bind_i64(&q, 2, row->account);
	store__bind_i64(&q, 3, row->service);
	store__bind_z(&q, 4, key_kind_name(row->kind));
	store__bind_str(&q, 5, row->lookup);
	store__bind_hash(&q, 6, &row->hash);
	store__bind_money(&q, 7, row->limits.spend_limit);
	store__bind_i64(&q, 8, row->limits.expires_ms);
	store__bind_i64(&q, 9, row->limits.requests_per_minute);
	store__bind_i64(&q, 10, row->limits.max_concurrent);
	store__bind_str(&q, 11, row->allowed_models);
	store__bind_i64(&q, 12, store__now(s->st));
	store__bind_i64(&q, 13, row->limits.lower_output ? 1 : 0);
	if (!store__run(&q, err))
		return false;
	struct store_key_row made = *row;
	made.key = store__last_id(s->st);
	return store__live_key_new(s->st, &made, err);
}

static bool make_key(struct setup *s, const struct buyer *b, enum key_kind kind,
                     const struct store_key_limits *limits, struct secret *out)
{
	enum key_kind parsed = kind;
	struct store_key_row row = {
		.account = b->account,
		.account_id = b->account_id,
		.service = kind == KEY_ROUTER ? b->service : 0,
		.id = id_make(&s->env, ID_ROUTER_KEY),
		.kind = kind,
		.limits = { .spend_limit = money_of_micros(-1) },
	};
	struct err err = { 0 };

	if (limits != NULL)
		row.limits = *limits;
	if (row.limits.allowed_models != NULL)
		row.allowed_models = STR("[\"model-a\",\"model-b\"]");
	key_make(&s->env, kind, out);
	row.hash = secret_hash(&s->st->pepper, secret_str(out));
	if (!CHECK(key_parse(secret_str(out), &parsed, &row.lookup)))
		return false;
	if (insert_key(s, &row, &err))
		return true;
	CHECK_FAIL("cannot make a key: %s", err.text);
	return false;
}

bool setup_key(struct setup *s, const struct buyer *b, enum key_kind kind,
               const struct store_key_limits *limits, struct secret *out)
{
	struct err err = { 0 };
	OWN_TX struct store_tx tx = { 0 };

	return CHECK(store__tx_begin(&tx, s->st, &err)) && make_key(s, b, kind, limits, out) &&
	       CHECK(store__tx_commit(&tx, &err));
}

bool setup_buyer(struct setup *s, const char *name, int64_t credit, struct buyer *out)
{
	struct err err = { 0 };
	OWN_TX struct store_tx tx = { 0 };

	if (!store__tx_begin(&tx, s->st, &err) || !insert_account(s, name, out, &err) ||
	    !insert_service(s, out, &err) || !give_credit(s, out, credit, &err) ||
	    !make_key(s, out, KEY_ROUTER, NULL, &out->router) ||
	    !make_key(s, out, KEY_ROUTE, NULL, &out->route) || !store__tx_commit(&tx, &err)) {
		CHECK_FAIL("cannot make a buyer: %s", err.text);
		return false;
	}
	return true;
}

const struct store_key *setup_live_key(struct setup *s, const struct secret *text)
{
	struct err err = { 0 };
	const struct store_key *key =
		store_live_key(store_live(s->st), secret_str(text), s->clock.now_ms, &err);

	if (key == NULL)
		CHECK_FAIL("no live key: %s", err.text);
	return key;
}

/* ---- Calls ---- */

struct store_call setup_call(void)
{
	return (struct store_call){
		.model = STR("model-a"),
		.upstream_model = STR("model-a-2026"),
		.provider = PROVIDER_OPENAI,
		.route = STR("openai"),
		.stream = true,
		.prices = { { 1000000, 1250000, 2000000, 100000, 2000000 } },
		.long_prices = { { 2000000, 2500000, 4000000, 200000, 3000000 } },
		.price_version = STR("2026-11"),
		.input_estimate = 100,
		.created_ms = SETUP_NOW_MS,
	};
}

bool setup_hold(struct setup *s, int64_t amount, struct store_hold *out)
{
	const struct store_key *key = setup_live_key(s, &s->buyer.router);
	struct store_call call = setup_call();
	struct err err = { 0 };

	if (key == NULL)
		return false;
	*out = (struct store_hold){ .request_id = id_make(&s->env, ID_REQUEST) };
	if (store_live_reserve(store_live(s->st), key, money_of_micros(amount), s->clock.now_ms,
	                       out, &err) &&
	    store_hold_write(s->st, out, &call, &err))
		return true;
	CHECK_FAIL("cannot hold: %s", err.text);
	return false;
}

struct store_outcome setup_settled(int64_t input, int64_t output)
{
	struct store_outcome o = {
		.state = HOLD_SETTLED,
		.evidence = EVIDENCE_PROVIDER,
		.reported_model = STR("model-a-2026-10"),
		.attempts = STR("[{\"provider\":\"openai\",\"status\":200}]"),
		.status = 200,
		.first_byte_ms = 12,
		.settled_ms = SETUP_NOW_MS + 3456,
	};

	o.counts.n[TOKEN_UNCACHED_INPUT] = input;
	o.counts.n[TOKEN_OUTPUT] = output;
	return o;
}

/* ---- Looking ---- */

int64_t setup_balance(struct setup *s, int64_t ledger_account)
{
	struct money found = MONEY_ZERO;
	struct err err = { 0 };

	if (!store__ledger_balance(s->st, ledger_account, &found, &err))
		CHECK_FAIL("no balance: %s", err.text);
	return money_micros(found);
}

struct store_balance setup_live_balance(struct setup *s, const struct buyer *buyer)
{
	struct store_pool *pool = store__live_pool(store_live(s->st), buyer->service);
	struct store_balance out = { 0 };

	if (!CHECK(pool != NULL))
		return out;
	out.available = money_of_micros(atomic_load(&pool->available));
	out.held = money_of_micros(atomic_load(&pool->held));
	CHECK(money_add(&out.balance, out.available, out.held));
	return out;
}

void setup_check_books(struct setup *s)
{
	struct store_verdict v = { 0 };
	struct err err = { 0 };

	if (!store_ledger_verify(s->st, &v, &err))
		CHECK_FAIL("cannot verify: %s", err.text);
	if (v.problem[0] != '\0')
		CHECK_FAIL("%s", v.problem);
}
