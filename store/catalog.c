/* SPDX-License-Identifier: Apache-2.0 */
/* What is for sale: a table in the program, not rows, because an item is worth nothing without the
 * code that fulfils it. */
#include <assert.h>

#include "base/limits.h"
#include "store/shop.h"

static const struct json_field ROUTER_CREDIT_ARRAY[] = {
	{ .name = "creditAmountUsd",
	  .type = JSON_FIELD_USD,
	  .offset = offsetof(struct store__configuration, credit_amount),
	  .required = true,
	  .min = LIMIT_CREDIT_MIN_CENTS,
	  .max = LIMIT_CREDIT_MAX_CENTS,
	  .doc = "Router credit to buy, in US dollars: a number with at most two decimals. The "
	         "price is the same amount; there is no fee." },
	{ .name = "serviceId",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct store__configuration, service_id),
	  .min = 1,
	  .max = ID_TEXT_MAX - 1,
	  .doc = "Optional: one of your own router services (svc_...) to add the credit to. Without "
	         "it the credit goes to your credit pool, which the first purchase creates." },
};
static const struct json_fields ROUTER_CREDIT_FIELDS = JSON_FIELDS(ROUTER_CREDIT_ARRAY);

static const char *const ROUTER_QUOTE_CAPABILITIES[] = {
	"router:api-key:create",
	"router:usage:get",
	NULL,
};

static const char *const ROUTER_SERVICE_CAPABILITIES[] = {
	"router:api-key:create",
	"router:api-key:list",
	"router:usage:get",
	NULL,
};

static const struct store_item ITEMS[] = {
	{ .id = "cat_router_credit_001",
	  .sku = "llm-router-credit-balance",
	  .name = "LLM Router Credits",
	  .category = "api_tokens",
	  .checkout_kind = "custom",
	  .service_type = "llm_router",
	  .description =
	          "Prepaid balance for one OpenAI- and Anthropic-compatible endpoint to models "
	          "of OpenAI, Anthropic, Google Gemini and Kimi, at the makers' list prices "
	          "without markup. Buy credit, then create a router API key to spend it; a "
	          "further purchase tops up the same balance.",
	  .configuration = &ROUTER_CREDIT_FIELDS,
	  .quote_capabilities = ROUTER_QUOTE_CAPABILITIES,
	  .service_capabilities = ROUTER_SERVICE_CAPABILITIES },
};

size_t store_items_count(void)
{
	return ARRAY_LEN(ITEMS);
}

const struct store_item *store_item_at(size_t i)
{
	assert(i < ARRAY_LEN(ITEMS));
	return &ITEMS[i];
}

const struct store_item *store_item_find(struct str id)
{
	for (size_t i = 0; i < ARRAY_LEN(ITEMS); i++) {
		if (str_eq(id, str_of(ITEMS[i].id)))
			return &ITEMS[i];
	}
	return NULL;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Cuts the next word off `*rest`; an empty one at the end. */
static struct str next_word(struct str *rest)
{
	struct str word = { rest->p, 0 };
	size_t at = 0;

	while (at < rest->len && is_space(rest->p[at]))
		at++;
	if (rest->p)
		word.p = rest->p + at;
	while (at + word.len < rest->len && !is_space(word.p[word.len]))
		word.len++;
	if (rest->p)
		*rest = (struct str){ word.p + word.len, rest->len - at - word.len };
	return word;
}

static bool has_word(const struct store_item *item, struct str word)
{
	return str_has_nocase(str_of(item->name), word) ||
	       str_has_nocase(str_of(item->sku), word) ||
	       str_has_nocase(str_of(item->category), word) ||
	       str_has_nocase(str_of(item->service_type), word) ||
	       str_has_nocase(str_of(item->description), word);
}

static bool has_every_word(const struct store_item *item, struct str q)
{
	for (struct str word = next_word(&q); word.len > 0; word = next_word(&q)) {
		if (!has_word(item, word))
			return false;
	}
	return true;
}

size_t store_item_search(struct str category, struct str q, const struct store_item **out,
                         size_t limit)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(ITEMS) && n < limit; i++) {
		if (category.p && !str_eq_nocase(category, str_of(ITEMS[i].category)))
			continue;
		if (has_every_word(&ITEMS[i], q))
			out[n++] = &ITEMS[i];
	}
	return n;
}
