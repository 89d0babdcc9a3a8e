/* SPDX-License-Identifier: Apache-2.0 */
/* The parts that nearly every test of the store begins with. */
#include "tests/store_world.h"

#include "tests/check.h"

bool world_open(struct store_world *w)
{
	struct store_options options = { .path = ":memory:", .durability = STORE_PROCESS };

	*w = (struct store_world){ .time.now_ms = WORLD_START_MS };
	w->env = env_fixed(&w->time);
	options.env = &w->env;
	w->st = store_open(&options, &w->err);
	if (!w->st)
		CHECK_STR(w->err.text, "");
	return w->st != NULL;
}

void world_close(struct store_world *w)
{
	struct store_verdict verdict = { 0 };

	if (!w->st)
		return;
	CHECK(store_ledger_verify(w->st, &verdict, &w->err));
	CHECK_STR(verdict.problem, "");
	store_close(w->st);
	w->st = NULL;
}

struct money world_cents(int64_t cents)
{
	struct money m = MONEY_ZERO;

	CHECK(money_of_cents(&m, cents));
	return m;
}

struct id world_account(struct store_world *w, const char *name, int64_t cents, struct secret *key)
{
	OWN_SECRET struct secret unused = { 0 };
	struct store_account account = { 0 };
	struct store_funding funding;

	CHECK(store_account_create(w->st, str_of(name), &account, key ? key : &unused, &w->err));
	if (cents > 0)
		CHECK(store_wallet_fund(w->st, &account.id, world_cents(cents), STR("first"),
		                        &funding, &w->err));
	return account.id;
}

struct money world_wallet(struct store_world *w, const struct id *account)
{
	struct store_account found = { 0 };

	CHECK(store_account_find(w->st, id_str(account), &found, &w->err));
	return found.wallet;
}

static void add_available(void *data, const struct store_service *service)
{
	struct money *sum = data;

	CHECK(money_add(sum, *sum, service->balance.available));
}

struct money world_credit(struct store_world *w, const struct id *account)
{
	struct money sum = MONEY_ZERO;

	CHECK(store_service_each(w->st, account, add_available, &sum, &w->err));
	return sum;
}

struct json *world_configuration(int64_t cents)
{
	OWN_JSON_OUT struct json_out o = json_out_make(256);

	json_put_object(&o, NULL);
	json_put_usd_number(&o, "creditAmountUsd", world_cents(cents));
	json_put_end(&o, '}');
	return json_parse(buf_str(&o.text), NULL);
}

struct id world_quote(struct store_world *w, const struct id *account, int64_t cents)
{
	OWN_JSON struct json *configuration = world_configuration(cents);
	struct store_quote quote = { 0 };

	CHECK(store_quote_create(w->st, account, WORLD_ITEM, 1, configuration, &quote, &w->err));
	return quote.id;
}

bool world_buy(struct store_world *w, const struct id *account, int64_t cents, const char *key,
               struct store_purchase *purchase)
{
	OWN_JSON struct json *configuration = world_configuration(cents);
	struct store_purchase_request request = { .item_id = WORLD_ITEM,
		                                  .quantity = 1,
		                                  .configuration = configuration,
		                                  .idempotency_key = str_of(key) };
	struct store_service service;

	return store_purchase_create(w->st, account, &request, purchase, &service, &w->err);
}

bool world_buy_quote(struct store_world *w, const struct id *account, const struct id *quote,
                     const char *key, struct store_purchase *purchase)
{
	struct store_purchase_request request = { .quote_id = id_str(quote),
		                                  .quantity = 1,
		                                  .idempotency_key = str_of(key) };
	struct store_service service;

	return store_purchase_create(w->st, account, &request, purchase, &service, &w->err);
}

struct store_policy world_no_policy(void)
{
	return (struct store_policy){ money_of_micros(-1), money_of_micros(-1),
		                      money_of_micros(-1) };
}

struct store_key_info world_router_key(struct store_world *w, const struct id *account,
                                       const struct id *service, struct secret *secret)
{
	struct store_key_limits limits = { .spend_limit = money_of_micros(-1) };
	struct store_key_info info = { 0 };

	CHECK(store_router_key_create(w->st, account, id_str(service), STR("prod-router"), &limits,
	                              &info, secret, &w->err));
	return info;
}

void world_call(struct store_world *w, const struct secret *key, const char *model,
                const struct token_counts *counts)
{
	struct store_call call = {
		.model = str_of(model),
		.upstream_model = str_of(model),
		.provider = PROVIDER_OPENAI,
		.route = STR_INIT("openai"),
		.prices = { { 1000000, 1250000, 2000000, 100000, 2000000 } },
		.price_version = STR_INIT("test"),
		.created_ms = w->time.now_ms,
	};
	struct store_outcome outcome = { .state = HOLD_SETTLED,
		                         .evidence = EVIDENCE_PROVIDER,
		                         .counts = *counts,
		                         .attempts = STR_INIT("[]"),
		                         .status = 200,
		                         .first_byte_ms = 5,
		                         .settled_ms = w->time.now_ms };
	struct store_hold hold = { .request_id = id_make(&w->env, ID_REQUEST) };
	struct store_live *live = store_live(w->st);
	struct money charged;

	hold.key = store_live_key(live, secret_str(key), w->time.now_ms, &w->err);
	if (!CHECK(hold.key != NULL))
		return;
	call.long_prices = call.prices;
	CHECK(store_live_reserve(live, hold.key, world_cents(100), w->time.now_ms, &hold, &w->err));
	CHECK(store_hold_write(w->st, &hold, &call, &w->err));
	CHECK(store_hold_end(w->st, &hold, &outcome, &charged, &w->err));
}
