/* SPDX-License-Identifier: Apache-2.0 */
/* Quotes: what a configuration costs, and what may not be asked for. */
#include "tests/check.h"
#include "tests/store_world.h"

static bool quote(struct store_world *w, const struct id *account, int64_t quantity,
                  const char *configuration, struct store_quote *out)
{
	OWN_JSON struct json *tree = configuration ? json_parse(str_of(configuration), NULL) : NULL;

	return store_quote_create(w->st, account, WORLD_ITEM, quantity, tree, out, &w->err);
}

static void a_quote_names_price_credit_and_end(void)
{
	static const struct {
		const char *configuration;
		int64_t quantity, cents;
		const char *name;
	} ROWS[] = {
		{ "{\"creditAmountUsd\":25}", 1, 2500, "LLM Router Credits ($25)" },
		{ "{\"creditAmountUsd\":25.5}", 1, 2550, "LLM Router Credits ($25.50)" },
		{ "{\"creditAmountUsd\":1}", 1, 100, "LLM Router Credits ($1)" },
		{ "{\"creditAmountUsd\":1.07}", 100, 10700, "LLM Router Credits ($107)" },
		{ "{\"creditAmountUsd\":10000}", 1, 1000000, "LLM Router Credits ($10000)" },
		{ "{\"creditAmountUsd\":100.00}", 100, 1000000, "LLM Router Credits ($10000)" },
	};
	struct store_world w;
	struct id account;

	if (!world_open(&w))
		return;
	account = world_account(&w, "a", 0, NULL);
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		struct store_quote q = { 0 };

		check_note("row %zu", i);
		CHECK(quote(&w, &account, ROWS[i].quantity, ROWS[i].configuration, &q));
		CHECK(id_is(id_str(&q.id), ID_QUOTE));
		CHECK(q.item == store_item_at(0));
		CHECK_I64(q.total_cents, ROWS[i].cents);
		CHECK_I64(money_micros(q.credit_amount), ROWS[i].cents * 10000);
		CHECK_STR(q.display_name, ROWS[i].name);
		CHECK_STR(q.status, "open");
		CHECK_I64(q.expires_ms, WORLD_START_MS + 900000);
		CHECK(id_is_empty(&q.service));
	}
	world_close(&w);
}

static void what_cannot_be_sold_is_refused_by_name(void)
{
	static const struct {
		int64_t quantity;
		const char *configuration, *names;
	} ROWS[] = {
		{ 1, NULL, "creditAmountUsd" },
		{ 1, "{}", "creditAmountUsd" },
		{ 1, "{\"creditAmountUsd\":0.99}", "creditAmountUsd" },
		{ 1, "{\"creditAmountUsd\":10000.01}", "creditAmountUsd" },
		{ 1, "{\"creditAmountUsd\":1.001}", "creditAmountUsd" },
		{ 1, "{\"creditAmountUsd\":\"25\"}", "creditAmountUsd" },
		{ 1, "{\"creditAmountUsd\":-25}", "creditAmountUsd" },
		{ 1, "{\"creditAmountUsd\":25,\"colour\":1}", "colour" },
		{ 1, "{\"creditAmountUsd\":25,\"serviceId\":7}", "serviceId" },
		{ 1, "[]", "configuration" },
		{ 0, "{\"creditAmountUsd\":25}", "quantity must be 1 to 100" },
		{ -1, "{\"creditAmountUsd\":25}", "quantity must be 1 to 100" },
		{ 101, "{\"creditAmountUsd\":25}", "quantity must be 1 to 100" },
		{ 2, "{\"creditAmountUsd\":5000.01}", "10000 USD" },
	};
	struct store_world w;
	struct id account;

	if (!world_open(&w))
		return;
	account = world_account(&w, "a", 0, NULL);
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		struct store_quote q = { 0 };

		w.err = (struct err){ 0 };
		CHECK(!quote(&w, &account, ROWS[i].quantity, ROWS[i].configuration, &q));
		if (!CHECK_I64(w.err.code, ERR_INVALID_ARGUMENT) ||
		    !CHECK(strstr(w.err.text, ROWS[i].names) != NULL))
			check_note("row %zu: %s", i, w.err.text);
		CHECK(id_is_empty(&q.id));
	}
	world_close(&w);
}

static void an_unknown_item_is_not_found(void)
{
	OWN_JSON struct json *configuration = world_configuration(2500);
	struct store_quote q;
	struct store_world w;
	struct id account;

	if (!world_open(&w))
		return;
	account = world_account(&w, "a", 0, NULL);
	CHECK(!store_quote_create(w.st, &account, STR("cat_gpu"), 1, configuration, &q, &w.err));
	CHECK_I64(w.err.code, ERR_NOT_FOUND);
	CHECK(strstr(w.err.text, "'cat_gpu'") != NULL);
	world_close(&w);
}

static void credit_may_be_meant_for_an_own_service_only(void)
{
	OWN_BUF struct buf text = buf_make(200);
	struct store_purchase purchase = { 0 };
	struct store_quote q = { 0 };
	struct id mine, stranger;
	struct store_world w;

	if (!world_open(&w))
		return;
	mine = world_account(&w, "mine", 10000, NULL);
	stranger = world_account(&w, "stranger", 10000, NULL);
	CHECK(world_buy(&w, &mine, 100, "k", &purchase));
	buf_addf(&text, "{\"creditAmountUsd\":2,\"serviceId\":\"%s\"}", purchase.service.text);
	CHECK(quote(&w, &mine, 1, text.p, &q));
	CHECK(id_eq(&q.service, &purchase.service));
	CHECK(!quote(&w, &stranger, 1, text.p, &q));
	CHECK_I64(w.err.code, ERR_NOT_FOUND);
	CHECK(strstr(w.err.text, "there is no service '") == w.err.text);
	CHECK(!quote(&w, &mine, 1, "{\"creditAmountUsd\":2,\"serviceId\":\"svc_none\"}", &q));
	CHECK_STR(w.err.text, "there is no service 'svc_none'");
	world_close(&w);
}

static const struct check_case CASES[] = {
	CASE(a_quote_names_price_credit_and_end),
	CASE(what_cannot_be_sold_is_refused_by_name),
	CASE(an_unknown_item_is_not_found),
	CASE(credit_may_be_meant_for_an_own_service_only),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
