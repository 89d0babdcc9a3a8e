/* SPDX-License-Identifier: Apache-2.0 */
/* Purchases: each rule of buying once. test_store_purchase_model.c tries them together. */
#include "tests/check.h"
#include "tests/store_world.h"

#define MINUTE_MS INT64_C(60000)
#define DAY_MS INT64_C(86400000)

static void check_refused(struct store_world *w, bool ok, enum err_code code, const char *says)
{
	CHECK(!ok);
	CHECK_I64(w->err.code, code);
	if (!CHECK(strstr(w->err.text, says) != NULL))
		check_note("%s", w->err.text);
	w->err = (struct err){ 0 };
}

/* ---- Buying ---- */

static void the_first_purchase_makes_the_pool(void)
{
	struct store_purchase purchase = { 0 };
	struct store_service service = { 0 };
	struct store_purchase_request request = { .quantity = 1,
		                                  .idempotency_key = STR("topup-001") };
	struct store_world w;
	struct id account, quote;

	if (!world_open(&w))
		return;
	account = world_account(&w, "a", 10000, NULL);
	quote = world_quote(&w, &account, 2500);
	request.quote_id = id_str(&quote);
	CHECK(store_purchase_create(w.st, &account, &request, &purchase, &service, &w.err));
	CHECK(id_is(id_str(&purchase.id), ID_PURCHASE));
	CHECK_STR(purchase.status, "completed");
	CHECK_I64(purchase.total_cents, 2500);
	CHECK(id_eq(&purchase.quote, &quote));
	CHECK(id_eq(&purchase.service, &service.id));
	CHECK_I64(purchase.created_ms, WORLD_START_MS);
	CHECK(!purchase.repeated);
	CHECK(id_is(id_str(&service.id), ID_SERVICE));
	CHECK(id_eq(&service.account, &account));
	CHECK_STR(service.service_type, "llm_router");
	CHECK_STR(service.display_name, "Primary Router Credit Pool");
	CHECK_STR(service.status, "active");
	CHECK(service.item == store_item_at(0));
	CHECK_I64(money_micros(service.balance.balance), 25000000);
	CHECK_I64(money_micros(service.balance.available), 25000000);
	CHECK_I64(money_micros(service.balance.held), 0);
	CHECK_I64(money_micros(world_wallet(&w, &account)), 75000000);
	world_close(&w);
}

static void later_purchases_top_up_the_same_pool(void)
{
	struct store_purchase first = { 0 }, second = { 0 };
	struct store_world w;
	struct id account;

	if (!world_open(&w))
		return;
	account = world_account(&w, "a", 10000, NULL);
	CHECK(world_buy(&w, &account, 2500, "one", &first));
	CHECK(world_buy(&w, &account, 1050, "two", &second));
	CHECK(id_is_empty(&first.quote));
	CHECK(id_eq(&first.service, &second.service));
	CHECK(!id_eq(&first.id, &second.id));
	CHECK_I64(money_micros(world_credit(&w, &account)), 35500000);
	CHECK_I64(money_micros(world_wallet(&w, &account)), 64500000);
	world_close(&w);
}

static void a_named_service_of_ones_own_is_credited(void)
{
	OWN_BUF struct buf text = buf_make(200);
	OWN_JSON struct json *configuration = NULL;
	struct store_purchase_request request = { .item_id = WORLD_ITEM,
		                                  .quantity = 2,
		                                  .idempotency_key = STR("two") };
	struct store_purchase first = { 0 }, second = { 0 };
	struct store_service service = { 0 };
	struct store_world w;
	struct id account, stranger;

	if (!world_open(&w))
		return;
	account = world_account(&w, "a", 10000, NULL);
	stranger = world_account(&w, "b", 10000, NULL);
	CHECK(world_buy(&w, &account, 100, "one", &first));
	buf_addf(&text, "{\"serviceId\":\"%s\",\"creditAmountUsd\":3}", first.service.text);
	configuration = json_parse(buf_str(&text), NULL);
	request.configuration = configuration;
	CHECK(store_purchase_create(w.st, &account, &request, &second, &service, &w.err));
	CHECK(id_eq(&service.id, &first.service));
	CHECK_I64(second.total_cents, 600);
	CHECK_I64(money_micros(service.balance.available), 7000000);
	check_refused(&w,
	              store_purchase_create(w.st, &stranger, &request, &second, &service, &w.err),
	              ERR_NOT_FOUND, "there is no service");
	CHECK_I64(money_micros(world_wallet(&w, &stranger)), 100000000);
	world_close(&w);
}

static void bought_credit_can_be_spent_at_once(void)
{
	OWN_SECRET struct secret router = { 0 };
	struct token_counts counts = { .n = { [TOKEN_OUTPUT] = 500 } };
	struct store_purchase purchase = { 0 };
	struct store_world w;
	struct id account;

	if (!world_open(&w))
		return;
	account = world_account(&w, "a", 10000, NULL);
	CHECK(world_buy(&w, &account, 100, "one", &purchase));
	(void)world_router_key(&w, &account, &purchase.service, &router);
	world_call(&w, &router, "gpt-5.4", &counts);
	CHECK_I64(money_micros(world_credit(&w, &account)), 999000);
	/* A dollar is held by a call, so the second purchase is what pays for this one. */
	CHECK(world_buy(&w, &account, 100, "two", &purchase));
	world_call(&w, &router, "gpt-5.4", &counts);
	CHECK_I64(money_micros(world_credit(&w, &account)), 1998000);
	world_close(&w);
}

/* ---- Once ---- */

static void the_same_key_and_arguments_are_one_purchase_for_ever(void)
{
	struct store_purchase first = { 0 }, again = { 0 };
	struct store_world w;
	struct id account;

	if (!world_open(&w))
		return;
	account = world_account(&w, "a", 10000, NULL);
	CHECK(world_buy(&w, &account, 2500, "k", &first));
	w.time.now_ms += 400 * DAY_MS;
	CHECK(world_buy(&w, &account, 2500, "k", &again));
	CHECK(again.repeated);
	CHECK(id_eq(&again.id, &first.id));
	CHECK_I64(again.created_ms, WORLD_START_MS);
	CHECK_I64(money_micros(world_credit(&w, &account)), 25000000);
	CHECK_I64(money_micros(world_wallet(&w, &account)), 75000000);
	world_close(&w);
}

static bool buy_text(struct store_world *w, const struct id *account, int64_t quantity,
                     const char *configuration, struct store_purchase *purchase)
{
	OWN_JSON struct json *tree = json_parse(str_of(configuration), NULL);
	struct store_purchase_request request = { .item_id = WORLD_ITEM,
		                                  .quantity = quantity,
		                                  .configuration = tree,
		                                  .idempotency_key = STR("k") };
	struct store_service service;

	return store_purchase_create(w->st, account, &request, purchase, &service, &w->err);
}

static void equal_arguments_may_be_spelled_differently(void)
{
	struct store_purchase purchase = { 0 };
	struct store_world w;
	struct id account;

	if (!world_open(&w))
		return;
	account = world_account(&w, "a", 10000, NULL);
	CHECK(buy_text(&w, &account, 1, "{\"creditAmountUsd\":25}", &purchase));
	CHECK(buy_text(&w, &account, 1, " { \"creditAmountUsd\" : 25.00 } ", &purchase));
	CHECK(purchase.repeated);
	CHECK(buy_text(&w, &account, 1, "{\"credit\\u0041mountUsd\":2.5e1}", &purchase));
	CHECK(purchase.repeated);
	check_refused(&w, buy_text(&w, &account, 2, "{\"creditAmountUsd\":25}", &purchase),
	              ERR_IDEMPOTENCY_CONFLICT, "'k'");
	check_refused(&w, buy_text(&w, &account, 1, "{\"creditAmountUsd\":25.01}", &purchase),
	              ERR_IDEMPOTENCY_CONFLICT, "'k'");
	CHECK_I64(money_micros(world_credit(&w, &account)), 25000000);
	world_close(&w);
}

static void a_bought_quote_answers_whatever_key_comes_with_it(void)
{
	struct store_purchase first = { 0 }, again = { 0 }, other = { 0 };
	struct store_world w;
	struct id account, quote;

	if (!world_open(&w))
		return;
	account = world_account(&w, "a", 10000, NULL);
	quote = world_quote(&w, &account, 2500);
	CHECK(world_buy(&w, &account, 100, "used", &other));
	CHECK(world_buy_quote(&w, &account, &quote, "k1", &first));
	w.time.now_ms += DAY_MS; /* long past the quote's end */
	CHECK(world_buy_quote(&w, &account, &quote, "k1", &again));
	CHECK(again.repeated && id_eq(&again.id, &first.id));
	CHECK(world_buy_quote(&w, &account, &quote, "k2", &again));
	CHECK(again.repeated && id_eq(&again.id, &first.id));
	CHECK(world_buy_quote(&w, &account, &quote, "used", &again));
	CHECK(again.repeated && id_eq(&again.id, &first.id));
	/* k2 is bound now, and what it had meant before stays. */
	check_refused(&w, world_buy(&w, &account, 300, "k2", &again), ERR_IDEMPOTENCY_CONFLICT,
	              "'k2'");
	CHECK(world_buy(&w, &account, 100, "used", &again));
	CHECK(again.repeated && id_eq(&again.id, &other.id));
	CHECK_I64(money_micros(world_credit(&w, &account)), 26000000);
	world_close(&w);
}

static void accounts_do_not_share_keys(void)
{
	struct store_purchase a_buys = { 0 }, b_buys = { 0 };
	struct store_world w;
	struct id a, b;

	if (!world_open(&w))
		return;
	a = world_account(&w, "a", 10000, NULL);
	b = world_account(&w, "b", 10000, NULL);
	CHECK(world_buy(&w, &a, 2500, "k", &a_buys));
	CHECK(world_buy(&w, &b, 700, "k", &b_buys));
	CHECK(!b_buys.repeated);
	CHECK(!id_eq(&a_buys.service, &b_buys.service));
	CHECK_I64(money_micros(world_credit(&w, &b)), 7000000);
	world_close(&w);
}

static void a_refused_purchase_leaves_its_key_free(void)
{
	struct store_purchase purchase = { 0 };
	struct store_funding funding;
	struct store_world w;
	struct id account;

	if (!world_open(&w))
		return;
	account = world_account(&w, "a", 500, NULL);
	CHECK(!world_buy(&w, &account, 2500, "k", &purchase));
	CHECK_I64(w.err.code, ERR_INSUFFICIENT_FUNDS);
	CHECK(store_wallet_fund(w.st, &account, world_cents(5000), STR("more"), &funding, &w.err));
	CHECK(world_buy(&w, &account, 2500, "k", &purchase));
	CHECK(!purchase.repeated);
	world_close(&w);
}

/* ---- Refusals ---- */

static void too_little_money_moves_nothing(void)
{
	struct store_purchase purchase = { 0 };
	struct store_world w;
	struct id account, quote;

	if (!world_open(&w))
		return;
	account = world_account(&w, "a", 2499, NULL);
	quote = world_quote(&w, &account, 2500);
	CHECK(!world_buy_quote(&w, &account, &quote, "k", &purchase));
	CHECK_I64(w.err.code, ERR_INSUFFICIENT_FUNDS);
	CHECK_I64(w.err.funds.required, 25000000);
	CHECK_I64(w.err.funds.available, 24990000);
	CHECK_I64(w.err.funds.held, 0);
	CHECK(strstr(w.err.text, "25.00") && strstr(w.err.text, "24.99"));
	CHECK_I64(money_micros(world_wallet(&w, &account)), 24990000);
	CHECK_I64(money_micros(world_credit(&w, &account)), 0);
	CHECK(id_is_empty(&purchase.id));
	CHECK(world_buy(&w, &account, 2499, "all of it", &purchase));
	CHECK_I64(money_micros(world_wallet(&w, &account)), 0);
	world_close(&w);
}

static void a_quote_lives_fifteen_minutes(void)
{
	struct store_purchase purchase = { 0 };
	struct store_world w;
	struct id account, in_time, late;

	if (!world_open(&w))
		return;
	account = world_account(&w, "a", 10000, NULL);
	in_time = world_quote(&w, &account, 100);
	late = world_quote(&w, &account, 100);
	w.time.now_ms += 15 * MINUTE_MS - 1;
	CHECK(world_buy_quote(&w, &account, &in_time, "k1", &purchase));
	w.time.now_ms += 1;
	check_refused(
		&w, world_buy_quote(&w, &account, &late, "k2", &purchase), ERR_QUOTE_EXPIRED,
		"expired at 2026-11-22T08:15:00.000Z and nothing was bought: make a new quote");
	world_close(&w);
}

static void anothers_quote_or_purchase_is_not_found(void)
{
	struct store_purchase purchase = { 0 }, out = { 0 };
	struct id quote, none = id_of(STR("quote_0000000000000000000000"));
	struct store_service service;
	struct store_world w;
	struct id a, b;

	if (!world_open(&w))
		return;
	a = world_account(&w, "a", 10000, NULL);
	b = world_account(&w, "b", 10000, NULL);
	quote = world_quote(&w, &a, 100);
	check_refused(&w, world_buy_quote(&w, &b, &quote, "k", &out), ERR_NOT_FOUND,
	              "there is no quote 'quote_");
	CHECK(world_buy_quote(&w, &a, &quote, "k", &purchase));
	check_refused(&w, world_buy_quote(&w, &b, &quote, "k", &out), ERR_NOT_FOUND,
	              "there is no quote 'quote_");
	check_refused(&w, world_buy_quote(&w, &a, &none, "k9", &out), ERR_NOT_FOUND,
	              "there is no quote 'quote_0000000000000000000000'");
	CHECK(store_purchase_find(w.st, &a, id_str(&purchase.id), &out, &w.err));
	CHECK(id_eq(&out.quote, &quote) && !out.repeated);
	check_refused(&w, store_purchase_find(w.st, &b, id_str(&purchase.id), &out, &w.err),
	              ERR_NOT_FOUND, "there is no purchase 'purchase_");
	check_refused(&w, store_service_find(w.st, &b, id_str(&purchase.service), &service, &w.err),
	              ERR_NOT_FOUND, "there is no service 'svc_");
	CHECK_I64(money_micros(world_credit(&w, &b)), 0);
	world_close(&w);
}

static void a_request_must_say_what_and_under_which_key(void)
{
	char long_key[257] = "";
	OWN_JSON struct json *configuration = world_configuration(100);
	const struct {
		struct store_purchase_request request;
		const char *names;
	} ROWS[] = {
		{ { .quote_id = STR("q"), .quantity = 1 }, "idempotencyKey is required" },
		{ { .quote_id = STR("q"), .quantity = 1, .idempotency_key = STR("") },
		  "1 to 255 bytes" },
		{ { .quote_id = STR("q"), .quantity = 1, .idempotency_key = STR("a\nb") },
		  "control characters" },
		{ { .quote_id = STR("q"), .quantity = 1, .idempotency_key = { long_key, 256 } },
		  "1 to 255 bytes" },
		{ { .quantity = 1, .idempotency_key = STR("k") }, "quoteId is missing" },
		{ { .quote_id = STR("q"), .item_id = WORLD_ITEM, .idempotency_key = STR("k") },
		  "not both" },
		{ { .quote_id = STR("q"),
		    .configuration = configuration,
		    .idempotency_key = STR("k") },
		  "not both" },
		{ { .item_id = WORLD_ITEM,
		    .configuration = configuration,
		    .idempotency_key = STR("k") },
		  "quantity" },
		{ { .item_id = WORLD_ITEM, .quantity = 1, .idempotency_key = STR("k") },
		  "creditAmountUsd" },
	};
	struct store_purchase purchase;
	struct store_service service;
	struct store_world w;
	struct id account;

	if (!world_open(&w))
		return;
	memset(long_key, 'k', sizeof(long_key) - 1);
	account = world_account(&w, "a", 10000, NULL);
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		check_note("row %zu", i);
		check_refused(&w,
		              store_purchase_create(w.st, &account, &ROWS[i].request, &purchase,
		                                    &service, &w.err),
		              ERR_INVALID_ARGUMENT, ROWS[i].names);
	}
	world_close(&w);
}

/* ---- Policy ---- */

static void one_purchase_may_not_pass_the_limit(void)
{
	struct store_policy policy = world_no_policy();
	struct store_purchase purchase = { 0 };
	struct store_world w;
	struct id account;

	if (!world_open(&w))
		return;
	account = world_account(&w, "a", 100000, NULL);
	policy.max_purchase = world_cents(5000);
	CHECK(store_account_set_policy(w.st, &account, &policy, &w.err));
	CHECK(world_buy(&w, &account, 5000, "k1", &purchase));
	check_refused(&w, world_buy(&w, &account, 5001, "k2", &purchase), ERR_POLICY_REFUSED,
	              "max-purchase: one purchase may be at most 50.00 USD, this one is 50.01 USD");
	CHECK_I64(money_micros(world_credit(&w, &account)), 50000000);
	world_close(&w);
}

static void a_days_purchases_may_not_pass_the_total(void)
{
	struct store_policy policy = world_no_policy();
	struct store_purchase purchase = { 0 };
	struct store_world w;
	struct id account, other;

	if (!world_open(&w))
		return;
	account = world_account(&w, "a", 100000, NULL);
	other = world_account(&w, "b", 100000, NULL);
	policy.daily = world_cents(10000);
	CHECK(store_account_set_policy(w.st, &account, &policy, &w.err));
	CHECK(world_buy(&w, &other, 9000, "k", &purchase)); /* counts for itself */
	CHECK(world_buy(&w, &account, 7000, "k1", &purchase));
	CHECK(world_buy(&w, &account, 7000, "k1", &purchase)); /* a replay adds nothing */
	check_refused(&w, world_buy(&w, &account, 3001, "k2", &purchase), ERR_POLICY_REFUSED,
	              "daily: purchases of one UTC day may be 100.00 USD together, 30.00 USD is "
	              "left and this one is 30.01 USD");
	CHECK(world_buy(&w, &account, 3000, "k3", &purchase));
	w.time.now_ms = WORLD_START_MS + 960 * MINUTE_MS - 1; /* 23:59:59.999 */
	check_refused(&w, world_buy(&w, &account, 100, "k4", &purchase), ERR_POLICY_REFUSED,
	              " 0.00 USD is left");
	w.time.now_ms += 1;
	CHECK(world_buy(&w, &account, 10000, "k5", &purchase));
	/* A limit lowered below what was spent leaves nothing, not less. */
	policy.daily = world_cents(100);
	CHECK(store_account_set_policy(w.st, &account, &policy, &w.err));
	check_refused(&w, world_buy(&w, &account, 100, "k6", &purchase), ERR_POLICY_REFUSED,
	              " 0.00 USD is left");
	world_close(&w);
}

static void a_large_purchase_needs_consent(void)
{
	OWN_JSON struct json *configuration = world_configuration(2001);
	struct store_purchase_request request = { .item_id = WORLD_ITEM,
		                                  .quantity = 1,
		                                  .configuration = configuration,
		                                  .idempotency_key = STR("k2") };
	struct store_policy policy = world_no_policy();
	struct store_approval approval = { 0 };
	struct store_purchase purchase = { 0 };
	struct store_service service;
	struct store_world w;
	struct id account;

	if (!world_open(&w))
		return;
	account = world_account(&w, "a", 10000, NULL);
	policy.approval_above = world_cents(2000);
	CHECK(store_account_set_policy(w.st, &account, &policy, &w.err));
	CHECK(world_buy(&w, &account, 2000, "k1", &purchase));
	check_refused(&w, world_buy(&w, &account, 2001, "k2", &purchase), ERR_APPROVAL_REQUIRED,
	              "approval-above: a purchase above 20.00 USD needs a person's consent, this "
	              "one is 20.01 USD");
	CHECK(store_approval_open(w.st, &account, &request, &approval, &w.err));
	request.approval = id_str(&approval.id);
	CHECK(store_purchase_create(w.st, &account, &request, &purchase, &service, &w.err));
	CHECK(!purchase.repeated);
	/* The replay needs no second consent. */
	CHECK(world_buy(&w, &account, 2001, "k2", &purchase));
	CHECK(purchase.repeated);
	world_close(&w);
}

static void consent_does_not_lift_the_other_rules(void)
{
	OWN_JSON struct json *configuration = world_configuration(6000);
	struct store_purchase_request request = { .item_id = WORLD_ITEM,
		                                  .quantity = 1,
		                                  .configuration = configuration,
		                                  .idempotency_key = STR("k") };
	struct store_policy policy = world_no_policy();
	struct store_approval approval = { 0 };
	struct store_purchase purchase;
	struct store_service service;
	struct store_world w;
	struct id account;

	if (!world_open(&w))
		return;
	account = world_account(&w, "a", 5000, NULL);
	policy.approval_above = MONEY_ZERO;
	/* Nobody is asked for consent to what cannot be paid. */
	CHECK(store_account_set_policy(w.st, &account, &policy, &w.err));
	check_refused(&w, world_buy(&w, &account, 6000, "k", &purchase), ERR_INSUFFICIENT_FUNDS,
	              "60.00");
	policy.max_purchase = world_cents(100);
	CHECK(store_account_set_policy(w.st, &account, &policy, &w.err));
	CHECK(store_approval_open(w.st, &account, &request, &approval, &w.err));
	request.approval = id_str(&approval.id);
	check_refused(&w,
	              store_purchase_create(w.st, &account, &request, &purchase, &service, &w.err),
	              ERR_POLICY_REFUSED, "max-purchase");
	world_close(&w);
}

static const struct check_case CASES[] = {
	CASE(the_first_purchase_makes_the_pool),
	CASE(later_purchases_top_up_the_same_pool),
	CASE(a_named_service_of_ones_own_is_credited),
	CASE(bought_credit_can_be_spent_at_once),
	CASE(the_same_key_and_arguments_are_one_purchase_for_ever),
	CASE(equal_arguments_may_be_spelled_differently),
	CASE(a_bought_quote_answers_whatever_key_comes_with_it),
	CASE(accounts_do_not_share_keys),
	CASE(a_refused_purchase_leaves_its_key_free),
	CASE(too_little_money_moves_nothing),
	CASE(a_quote_lives_fifteen_minutes),
	CASE(anothers_quote_or_purchase_is_not_found),
	CASE(a_request_must_say_what_and_under_which_key),
	CASE(one_purchase_may_not_pass_the_limit),
	CASE(a_days_purchases_may_not_pass_the_total),
	CASE(a_large_purchase_needs_consent),
	CASE(consent_does_not_lift_the_other_rules),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
