/* SPDX-License-Identifier: Apache-2.0 */
/* What was used of router credit: usage, single requests, and the models that it buys. The keys
 * that use it are in tool_router_key.c. */
#include <string.h>

#include "mcp/tool.h"

#define DATE_LEN 10 /* of the text of a time */

static const char *const PROVIDERS[] = { "openai", "anthropic", "google", "kimi", NULL };

static void put_prices(struct json_out *o, const char *key, const struct token_prices *prices)
{
	json_put_object(o, key);
	for (int c = 0; c < TOKEN_CLASS_COUNT; c++)
		json_put_price(o, token_class_price_field((enum token_class)c),
		               prices->per_million[c]);
	json_put_end(o, '}');
}

/* ---- router_usage_get ---- */

struct usage_query {
	struct str service_id;
	int64_t from_ms;
	int64_t to_ms;
	struct str group_by;
};

static const char *const GROUPS[] = { "model", "key", "day", NULL };
static const enum usage_group GROUP_OF[] = { USAGE_BY_MODEL, USAGE_BY_KEY, USAGE_BY_DAY };

static const struct json_field USAGE_FIELD[] = {
	{ .name = "serviceId",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct usage_query, service_id),
	  .required = true,
	  .doc = "The service (svc_...)." },
	{ .name = "from",
	  .type = JSON_FIELD_TIME,
	  .offset = offsetof(struct usage_query, from_ms),
	  .doc = "Only requests at or after this time." },
	{ .name = "to",
	  .type = JSON_FIELD_TIME,
	  .offset = offsetof(struct usage_query, to_ms),
	  .doc = "Only requests before this time." },
	{ .name = "groupBy",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct usage_query, group_by),
	  .choices = GROUPS,
	  .doc = "One row per model, key or UTC day; only the total if left out." },
};
static const struct json_fields USAGE_FIELDS = JSON_FIELDS(USAGE_FIELD);

static enum usage_group group_of(struct str name)
{
	for (size_t i = 0; GROUPS[i]; i++)
		if (str_eq(name, str_of(GROUPS[i])))
			return GROUP_OF[i];
	return USAGE_BY_NONE;
}

struct usage_rows {
	struct json_out *out;
	struct store_usage total;
};

static void put_usage(struct json_out *out, const char *key, const struct store_usage *row)
{
	json_put_object(out, key);
	if (row->group.p)
		json_put_str(out, "group", row->group);
	json_put_i64(out, "requests", row->requests);
	for (int c = 0; c < TOKEN_CLASS_COUNT; c++)
		json_put_i64(out, token_class_field((enum token_class)c), row->counts.n[c]);
	json_put_i64(out, "buyerChargeUsdMicros", money_micros(row->charge));
	json_put_end(out, '}');
}

static void take_usage(void *data, const struct store_usage *row)
{
	struct usage_rows *rows = data;

	if (row->group.p)
		put_usage(rows->out, NULL, row);
	else
		rows->total = *row;
}

static bool get_usage(const struct mcp__call *call, struct json_out *out, struct err *err)
{
	struct usage_query query = { 0 };
	struct usage_rows rows = { .out = out };

	if (!json_read(call->arguments, &USAGE_FIELDS, &query, err))
		return false;
	json_put_object(out, NULL);
	json_put_array(out, "usage");
	if (!store_usage_each(call->st, call->account, query.service_id, query.from_ms, query.to_ms,
	                      group_of(query.group_by), take_usage, &rows, err))
		return false;
	json_put_end(out, ']');
	put_usage(out, "total", &rows.total);
	json_put_end(out, '}');
	return true;
}

static const struct mcp__shape ROW_MEMBERS[] = {
	{ .name = "group", .type = MCP__TEXT, .doc = "Model id, key id or day." },
	{ .name = "requests", .type = MCP__WHOLE, .doc = "Calls." },
	{ .name = "uncachedInputTokens", .type = MCP__WHOLE, .doc = "Input, not cached." },
	{ .name = "cacheWrite5mTokens", .type = MCP__WHOLE, .doc = "Cached for 5 minutes." },
	{ .name = "cacheWrite1hTokens", .type = MCP__WHOLE, .doc = "Cached for 1 hour." },
	{ .name = "cacheReadTokens", .type = MCP__WHOLE, .doc = "Read from cache." },
	{ .name = "outputTokens", .type = MCP__WHOLE, .doc = "Output." },
	{ .name = "buyerChargeUsdMicros", .type = MCP__WHOLE, .doc = "Charge in micro-USD." },
};
static const struct mcp__shapes ROW_SHAPES = MCP__SHAPES(ROW_MEMBERS);
static const struct mcp__shape USAGE_MEMBERS[] = {
	{ .name = "usage",
	  .type = MCP__LIST,
	  .doc = "One row per group; empty without groupBy.",
	  .sub = &ROW_SHAPES },
	{ .name = "total", .type = MCP__OBJECT, .doc = "All rows together, without group." },
};
static const struct mcp__shapes USAGE_SHAPES = MCP__SHAPES(USAGE_MEMBERS);

const struct mcp__tool mcp__tool_router_usage_get = {
	.name = "router_usage_get",
	.title = "Get router usage",
	.description = "Adds up what a service's router keys have used and what was charged, by "
		       "the five token classes. Free. 1000000 micro-USD are 1 USD. For one call's "
		       "receipt use router_request_get.",
	.hints = MCP__LOOK_ONLY,
	.needs_account = true,
	.input = &USAGE_FIELDS,
	.output = &USAGE_SHAPES,
	.run = get_usage,
};

/* ---- router_request_get ---- */

struct request_query {
	struct str request_id;
};

static const struct json_field REQUEST_FIELD[] = {
	{ .name = "requestId",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct request_query, request_id),
	  .required = true,
	  .doc = "The x-request-id header of a router answer (req_...)." },
};
static const struct json_fields REQUEST_FIELDS = JSON_FIELDS(REQUEST_FIELD);

static bool get_request(const struct mcp__call *call, struct json_out *out, struct err *err)
{
	struct request_query query = { 0 };

	return json_read(call->arguments, &REQUEST_FIELDS, &query, err) &&
	       store_receipt_put(call->st, call->account, query.request_id, out, err);
}

static const struct mcp__shape RECEIPT_MEMBERS[] = {
	{ .name = "requestId", .type = MCP__TEXT, .doc = "The request." },
	{ .name = "apiKeyId", .type = MCP__TEXT, .doc = "Key that paid." },
	{ .name = "serviceId", .type = MCP__TEXT, .doc = "Service that paid." },
	{ .name = "model", .type = MCP__TEXT, .doc = "Catalog id that was asked for." },
	{ .name = "servedBy",
	  .type = MCP__TEXT,
	  .optional = true,
	  .doc = "Who answered for a retired one." },
	{ .name = "upstreamModel", .type = MCP__TEXT, .doc = "What the provider was asked for." },
	{ .name = "reportedModel",
	  .type = MCP__TEXT,
	  .nullable = true,
	  .doc = "What it says it ran." },
	{ .name = "modelDiffers", .type = MCP__TRUTH, .doc = "It ran another than asked." },
	{ .name = "provider", .type = MCP__TEXT, .doc = "Who answered." },
	{ .name = "upstream", .type = MCP__TEXT, .doc = "Through whom." },
	{ .name = "route", .type = MCP__TEXT, .doc = "openai or the route alias." },
	{ .name = "stream", .type = MCP__TRUTH, .doc = "Streamed." },
	{ .name = "attempts", .type = MCP__LIST, .doc = "Every upstream attempt." },
	{ .name = "status", .type = MCP__TEXT, .doc = "settled, released or failed." },
	{ .name = "httpStatus", .type = MCP__WHOLE, .doc = "What the client saw." },
	{ .name = "uncachedInputTokens", .type = MCP__WHOLE, .doc = "Input, not cached." },
	{ .name = "cacheWrite5mTokens", .type = MCP__WHOLE, .doc = "Cached for 5 minutes." },
	{ .name = "cacheWrite1hTokens", .type = MCP__WHOLE, .doc = "Cached for 1 hour." },
	{ .name = "cacheReadTokens", .type = MCP__WHOLE, .doc = "Read from cache." },
	{ .name = "outputTokens", .type = MCP__WHOLE, .doc = "Output." },
	{ .name = "unitPricesUsdPerMillion", .type = MCP__OBJECT, .doc = "Prices by token class." },
	{ .name = "priceVersion", .type = MCP__TEXT, .doc = "Name of that price list." },
	{ .name = "heldUsdMicros", .type = MCP__WHOLE, .doc = "Set aside before." },
	{ .name = "buyerChargeUsdMicros", .type = MCP__WHOLE, .doc = "Charge in micro-USD." },
	{ .name = "overrunUsdMicros", .type = MCP__WHOLE, .doc = "Cost that nobody paid." },
	{ .name = "evidence",
	  .type = MCP__TEXT,
	  .doc = "Source of the counts: provider, estimated or none." },
	{ .name = "recovered", .type = MCP__TRUTH, .doc = "Ended by rule after a crash." },
	{ .name = "createdAt", .type = MCP__TIME, .doc = "Start." },
	{ .name = "firstByteMs",
	  .type = MCP__WHOLE,
	  .nullable = true,
	  .doc = "From start to first byte." },
	{ .name = "settledAt", .type = MCP__TIME, .doc = "End." },
};
static const struct mcp__shapes RECEIPT_SHAPES = MCP__SHAPES(RECEIPT_MEMBERS);

const struct mcp__tool mcp__tool_router_request_get = {
	.name = "router_request_get",
	.title = "Get one request's receipt",
	.description = "Shows what one router call used, at which prices, and what it cost. Free. "
		       "The id is in the x-request-id header of every router answer.",
	.hints = MCP__LOOK_ONLY,
	.needs_account = true,
	.input = &REQUEST_FIELDS,
	.output = &RECEIPT_SHAPES,
	.run = get_request,
};

/* ---- router_models_list ---- */

struct model_query {
	struct str provider;
};

static const struct json_field MODEL_FIELD[] = {
	{ .name = "provider",
	  .type = JSON_FIELD_STR,
	  .offset = offsetof(struct model_query, provider),
	  .choices = PROVIDERS,
	  .doc = "Only models of this provider." },
};
static const struct json_fields MODEL_FIELDS = JSON_FIELDS(MODEL_FIELD);

static void put_end_date(struct json_out *out, int64_t retires_s)
{
	char text[TIME_TEXT_MAX];

	if (retires_s == 0)
		return;
	time_format(retires_s * 1000, text);
	json_put_str(out, "retiresAt", (struct str){ text, DATE_LEN });
}

/* Limits and prices are those of the model that answers. */
void mcp__put_model(struct json_out *out, const char *key, const struct store_models *models,
                    const struct store_model *model)
{
	const struct store_model *serving = store_model_serving(models, model);

	json_put_object(out, key);
	json_put_str(out, "id", model->id);
	json_put_z(out, "provider", provider_name(model->provider));
	json_put_str(out, "displayName", model->display_name);
	json_put_z(out, "state", model_state_name(store_model_state(models, model)));
	if (serving != model)
		json_put_str(out, "servedBy", serving->id);
	put_end_date(out, model->retires_s);
	json_put_i64(out, "contextTokens", serving->context_tokens);
	json_put_i64(out, "maxOutputTokens", serving->max_output_tokens);
	put_prices(out, "pricesUsdPerMillion", &serving->prices);
	if (serving->long_above > 0) {
		json_put_object(out, "longPrompt");
		json_put_i64(out, "aboveTokens", serving->long_above);
		put_prices(out, "pricesUsdPerMillion", &serving->long_prices);
		json_put_end(out, '}');
	}
	json_put_end(out, '}');
}

static bool list_models(const struct mcp__call *call, struct json_out *out, struct err *err)
{
	const struct store_models *models = call->shop->models;
	struct model_query query = { 0 };
	bool any = false;

	if (!json_read(call->arguments, &MODEL_FIELDS, &query, err))
		return false;
	json_put_object(out, NULL);
	json_put_array(out, "models");
	for (size_t i = 0; i < store_models_count(models); i++) {
		const struct store_model *model = store_models_at(models, i);
		bool wanted = !query.provider.p ||
		              str_eq(query.provider, str_of(provider_name(model->provider)));

		if (!wanted || !store_model_routable(models, model))
			continue;
		mcp__put_model(out, NULL, models, model);
		any = true;
	}
	json_put_end(out, ']');
	if (!any)
		json_put_z(out, "note",
		           "no such model can be called now: the operator has configured no key "
		           "for its provider");
	json_put_end(out, '}');
	return true;
}

static const struct mcp__shape MODEL_MEMBERS[] = {
	{ .name = "id", .type = MCP__TEXT, .doc = "What callers send as model." },
	{ .name = "provider", .type = MCP__TEXT, .doc = "Its maker." },
	{ .name = "displayName", .type = MCP__TEXT, .doc = "Name for people." },
	{ .name = "state", .type = MCP__TEXT, .doc = "active, deprecated (ends soon) or retired." },
	{ .name = "servedBy",
	  .type = MCP__TEXT,
	  .optional = true,
	  .doc = "Who answers for a retired one, at its prices." },
	{ .name = "retiresAt",
	  .type = MCP__TEXT,
	  .optional = true,
	  .doc = "First day without it." },
	{ .name = "contextTokens", .type = MCP__WHOLE, .doc = "Context window." },
	{ .name = "maxOutputTokens", .type = MCP__WHOLE, .doc = "Longest answer." },
	{ .name = "pricesUsdPerMillion",
	  .type = MCP__OBJECT,
	  .doc = "By token class; null: not offered." },
	{ .name = "longPrompt",
	  .type = MCP__OBJECT,
	  .optional = true,
	  .doc = "Other pricesUsdPerMillion for prompts aboveTokens." },
};
static const struct mcp__shapes MODEL_SHAPES = MCP__SHAPES(MODEL_MEMBERS);
static const struct mcp__shape MODELS_MEMBERS[] = {
	{ .name = "models",
	  .type = MCP__LIST,
	  .doc = "Models that can be called now.",
	  .sub = &MODEL_SHAPES },
	{ .name = "note", .type = MCP__TEXT, .optional = true, .doc = "Why there is none." },
};
static const struct mcp__shapes MODELS_SHAPES = MCP__SHAPES(MODELS_MEMBERS);

const struct mcp__tool mcp__tool_router_models_list = {
	.name = "router_models_list",
	.title = "List models and prices",
	.description = "Lists the LLMs that router credit buys, with limits and prices in USD per "
		       "million tokens. Free, needs no key. Use it to choose a model or to fill "
		       "allowedModels.",
	.hints = MCP__LOOK_ONLY,
	.input = &MODEL_FIELDS,
	.output = &MODELS_SHAPES,
	.run = list_models,
};
