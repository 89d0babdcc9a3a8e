/* SPDX-License-Identifier: Apache-2.0 */
/* Prices before they are paid. A quote is a promise for fifteen minutes that holds no money. */
#include "mcp/tool.h"

struct wish {
	struct str item_id;
	int64_t quantity;
	const struct json *configuration;
};

static const struct json_field QUOTE_FIELD[] = {
	{ .name = "catalogItemId",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct wish, item_id),
	  .required = true,
	  .doc = "Id of an item from catalog_search." },
	{ .name = "quantity",
	  .type = JSON_FIELD_INT,
	  .offset = offsetof(struct wish, quantity),
	  .min = 1,
	  .max = 1,
	  .doc = "1, the default." },
	{ .name = "configuration",
	  .type = JSON_FIELD_OBJECT,
	  .offset = offsetof(struct wish, configuration),
	  .doc = "The fields that catalog_checkout_requirements names, for example "
	         "{ \"creditAmountUsd\": 25 }." },
};
static const struct json_fields QUOTE_FIELDS = JSON_FIELDS(QUOTE_FIELD);

static void put_quote(struct json_out *out, const struct store_quote *quote)
{
	json_put_object(out, "quote");
	json_put_str(out, "id", id_str(&quote->id));
	json_put_z(out, "catalogItemId", quote->item->id);
	json_put_i64(out, "totalPriceMinor", quote->total_cents);
	json_put_z(out, "currency", "usd");
	json_put_z(out, "displayName", quote->display_name);
	json_put_object(out, "quoteDetails");
	json_put_usd_number(out, "creditAmountUsd", quote->credit_amount);
	if (!id_is_empty(&quote->service))
		json_put_str(out, "serviceId", id_str(&quote->service));
	json_put_end(out, '}');
	mcp__put_names(out, "managementCapabilities", quote->item->quote_capabilities);
	json_put_z(out, "status", quote->status);
	json_put_time(out, "expiresAt", quote->expires_ms);
	json_put_end(out, '}');
}

static bool create_quote(const struct mcp__call *call, struct json_out *out, struct err *err)
{
	struct wish wish = { .quantity = 1 };
	struct store_quote quote;
	struct store_policy_verdict verdict;

	if (!json_read(call->arguments, &QUOTE_FIELDS, &wish, err) ||
	    !store_quote_create(call->st, call->account, wish.item_id, wish.quantity,
	                        wish.configuration, &quote, err) ||
	    !store_policy_weigh(call->st, call->account, quote.credit_amount, &verdict, err))
		return false;
	json_put_object(out, NULL);
	put_quote(out, &quote);
	mcp__put_verdict(out, "policyVerdict", &verdict);
	json_put_end(out, '}');
	return true;
}

static const struct mcp__shape DETAIL_MEMBERS[] = {
	{ .name = "creditAmountUsd", .type = MCP__NUMBER, .doc = "Credit bought, in USD." },
	{ .name = "serviceId",
	  .type = MCP__TEXT,
	  .optional = true,
	  .doc = "Service that gets it, if one was named." },
};
static const struct mcp__shapes DETAIL_SHAPES = MCP__SHAPES(DETAIL_MEMBERS);
static const struct mcp__shape QUOTE_MEMBERS[] = {
	{ .name = "id", .type = MCP__TEXT, .doc = "quoteId for purchase_create." },
	{ .name = "catalogItemId", .type = MCP__TEXT, .doc = "The item." },
	{ .name = "totalPriceMinor", .type = MCP__WHOLE, .doc = "Price in cents." },
	{ .name = "currency", .type = MCP__TEXT, .doc = "usd" },
	{ .name = "displayName", .type = MCP__TEXT, .doc = "What is bought, for people." },
	{ .name = "quoteDetails",
	  .type = MCP__OBJECT,
	  .doc = "The configuration that was priced.",
	  .sub = &DETAIL_SHAPES },
	{ .name = "managementCapabilities",
	  .type = MCP__TEXTS,
	  .doc = "What can be done with the service." },
	{ .name = "status", .type = MCP__TEXT, .doc = "open, used or expired." },
	{ .name = "expiresAt", .type = MCP__TIME, .doc = "Not good for buying after this." },
};
static const struct mcp__shapes QUOTE_SHAPES = MCP__SHAPES(QUOTE_MEMBERS);
static const struct mcp__shape ANSWER_MEMBERS[] = {
	{ .name = "quote", .type = MCP__OBJECT, .doc = "The quote.", .sub = &QUOTE_SHAPES },
	{ .name = "policyVerdict",
	  .type = MCP__OBJECT,
	  .doc = "outcome of buying it now (allowed, or the error), and each rule in checks." },
};
static const struct mcp__shapes ANSWER_SHAPES = MCP__SHAPES(ANSWER_MEMBERS);

const struct mcp__tool mcp__tool_quote_create = {
	.name = "quote_create",
	.title = "Get a price",
	.description = "Prices an item with its configuration. Free; reserves nothing. The quote "
		       "lives 15 minutes and can be bought once with purchase_create. Show "
		       "totalPriceMinor (cents) to whoever decides; policyVerdict says whether "
		       "buying would be allowed, refused, or need a person's approval.",
	.hints = { .read_only = false, .destructive = false, .idempotent = false },
	.needs_account = true,
	.input = &QUOTE_FIELDS,
	.output = &ANSWER_SHAPES,
	.run = create_quote,
};
