/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog: the names are promised to callers, so they are compared letter by letter. */
#include "base/json.h"
#include "store/store.h"
#include "tests/check.h"

static void check_list(const char *const *list, const char *const *want)
{
	size_t i = 0;

	for (; list[i] && want[i]; i++)
		CHECK_STR(list[i], want[i]);
	CHECK(!list[i] && !want[i]);
}

static void router_credit_is_the_item_that_was_promised(void)
{
	const struct store_item *item = store_item_find(STR("cat_router_credit_001"));

	CHECK_I64((int64_t)store_items_count(), 1);
	if (!CHECK(item != NULL))
		return;
	CHECK(store_item_at(0) == item);
	CHECK_STR(item->id, "cat_router_credit_001");
	CHECK_STR(item->sku, "llm-router-credit-balance");
	CHECK_STR(item->name, "LLM Router Credits");
	CHECK_STR(item->category, "api_tokens");
	CHECK_STR(item->checkout_kind, "custom");
	CHECK_STR(item->service_type, "llm_router");
	CHECK(item->description[0] != '\0');
	check_list(item->quote_capabilities,
	           (const char *const[]){ "router:api-key:create", "router:usage:get", NULL });
	check_list(item->service_capabilities,
	           (const char *const[]){ "router:api-key:create", "router:api-key:list",
	                                  "router:usage:get", NULL });
}

static void only_the_exact_id_finds_an_item(void)
{
	CHECK(!store_item_find(STR("cat_router_credit_002")));
	CHECK(!store_item_find(STR("CAT_ROUTER_CREDIT_001")));
	CHECK(!store_item_find(STR("")));
	CHECK(!store_item_find((struct str){ 0 }));
}

static void credit_amount_is_the_only_required_field(void)
{
	const struct json_fields *fields = store_item_at(0)->configuration;

	CHECK_I64((int64_t)fields->count, 2);
	CHECK_STR(fields->fields[0].name, "creditAmountUsd");
	CHECK(fields->fields[0].required);
	CHECK_I64(fields->fields[0].type, JSON_FIELD_USD);
	CHECK_I64(fields->fields[0].min, 100);
	CHECK_I64(fields->fields[0].max, 1000000);
	CHECK_STR(fields->fields[1].name, "serviceId");
	CHECK(!fields->fields[1].required);
}

static void a_search_needs_every_word_in_any_order_and_case(void)
{
	static const struct {
		const char *category, *q;
		size_t hits;
	} ROWS[] = {
		{ "api_tokens", "router credits", 1 },
		{ "api_tokens", "CREDITS   Router", 1 },
		{ NULL, "llm_router", 1 },
		{ NULL, "llm-router-credit-balance", 1 },
		{ NULL, "gemini anthropic", 1 },
		{ NULL, "api_tokens\tcredit\n", 1 },
		{ NULL, "", 1 },
		{ NULL, " \t", 1 },
		{ NULL, NULL, 1 },
		{ "API_Tokens", NULL, 1 },
		{ NULL, "router domain", 0 },
		{ NULL, "routercredits", 0 },
		{ NULL, "%", 0 },
		{ NULL, "r_uter", 0 },
		{ "domains", "router", 0 },
		{ "", NULL, 0 },
		{ "api", NULL, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		const struct store_item *found[4] = { NULL };
		size_t n = store_item_search(str_of(ROWS[i].category), str_of(ROWS[i].q), found, 4);

		if (!CHECK_I64((int64_t)n, (int64_t)ROWS[i].hits))
			check_note("row %zu: '%s'", i, ROWS[i].q ? ROWS[i].q : "(absent)");
		CHECK(found[0] == (n > 0 ? store_item_at(0) : NULL));
	}
}

static void a_search_keeps_its_limit(void)
{
	const struct store_item *found[1] = { NULL };

	CHECK_I64((int64_t)store_item_search(str_of(NULL), STR("router"), found, 0), 0);
	CHECK(!found[0]);
}

static const struct check_case CASES[] = {
	CASE(router_credit_is_the_item_that_was_promised),
	CASE(only_the_exact_id_finds_an_item),
	CASE(credit_amount_is_the_only_required_field),
	CASE(a_search_needs_every_word_in_any_order_and_case),
	CASE(a_search_keeps_its_limit),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
