/* SPDX-License-Identifier: Apache-2.0 */
/* What each tool answers when all goes well, each answer held against the tool's own outputSchema,
 * and the refusals that belong to one tool. All on a shop in memory. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "mcp/tool.h"
#include "tests/check.h"
#include "tests/mcp_desk.h"

#define QUOTE_25 \
	"{\"catalogItemId\":\"cat_router_credit_001\",\"configuration\":{\"creditAmountUsd\":25}}"

/* ---- A small checker of JSON Schema: as much of it as our schemas use ---- */

static bool fits(const struct json *schema, const struct json *value);

static bool fits_type(struct str type, const struct json *value)
{
	static const struct {
		const char *name;
		enum json_type type;
	} types[] = {
		{ "object", JSON_OBJECT }, { "array", JSON_ARRAY },  { "string", JSON_STRING },
		{ "number", JSON_NUMBER }, { "boolean", JSON_BOOL }, { "null", JSON_NULL },
	};
	int64_t whole;

	if (str_eq(type, STR("integer")))
		return json_i64(value, &whole);
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (str_eq(type, str_of(types[i].name)))
			return json_is(value, types[i].type);
	return false;
}

static bool fits_any(const struct json *choices, const struct json *value)
{
	for (const struct json *c = json_first(choices); c; c = json_next(c))
		if (fits(c, value))
			return true;
	return false;
}

/* Stricter than the standard: a member that the schema does not name does not fit. */
static bool members_fit(const struct json *properties, const struct json *value)
{
	for (const struct json *m = json_first(value); properties && m; m = json_next(m)) {
		OWN_BUF struct buf name = buf_make(200);

		buf_add(&name, json_key(m));
		if (!json_get(properties, name.p) || !fits(json_get(properties, name.p), m)) {
			check_note("member '%s' does not fit", name.p);
			return false;
		}
	}
	return true;
}

static bool fits(const struct json *schema, const struct json *value)
{
	const struct json *items = json_get(schema, "items");

	if (json_get(schema, "anyOf"))
		return fits_any(json_get(schema, "anyOf"), value);
	if (!fits_type(desk_text(schema, "type"), value))
		return false;
	if (json_is(value, JSON_OBJECT))
		return members_fit(json_get(schema, "properties"), value);
	for (const struct json *e = json_first(value); items && e; e = json_next(e))
		if (!fits(items, e))
			return false;
	return true;
}

/* Every member that the schema names and that is not optional is there. */
static bool is_complete(const struct mcp__shapes *shapes, const struct json *value)
{
	for (size_t i = 0; i < shapes->count; i++) {
		const struct mcp__shape *s = &shapes->members[i];
		const struct json *m = json_get(value, s->name);

		if (!m && !s->optional) {
			check_note("member '%s' is missing", s->name);
			return false;
		}
		if (m && s->sub && s->type == MCP__OBJECT && !is_complete(s->sub, m))
			return false;
		if (m && s->sub && s->type == MCP__LIST && json_first(m) &&
		    !is_complete(s->sub, json_first(m)))
			return false;
	}
	return true;
}

/* Calls a tool that must succeed; the answer is checked against the tool's schema. */
static struct json *good(struct desk *desk, const char *name, const char *arguments)
{
	OWN_JSON_OUT struct json_out out = json_out_make(LIMIT_MCP_OUT_LINE);
	struct json *answer = desk_call(desk, name, arguments);
	const struct json *result = json_get(answer, "result");
	size_t i = 0;

	if (!CHECK(result != NULL)) {
		check_note("%s: %s", name, desk_text(answer, "error.message").p);
		return answer;
	}
	mcp__put_tools(&out, NULL);
	OWN_JSON struct json *list = json_parse(buf_str(&out.text), NULL);
	const struct json *tool = json_first(list);
	while (!str_eq(desk_text(tool, "name"), str_of(name))) {
		tool = json_next(tool);
		i++;
	}
	if (!CHECK(fits(json_get(tool, "outputSchema"), result)) ||
	    !CHECK(is_complete(mcp__tool_at(i)->output, result)))
		check_note("%s", name);
	return answer;
}

static struct json *goodf(struct desk *desk, const char *name, const char *format, ...)
	PRINTF_LIKE(3, 4);

static struct json *goodf(struct desk *desk, const char *name, const char *format, ...)
{
	char arguments[2000];
	va_list args;

	va_start(args, format);
	int n = vsnprintf(arguments, sizeof(arguments), format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(arguments))
		abort();
	return good(desk, name, arguments);
}

/* ---- Catalog ---- */

static void the_catalog_is_open_and_fits_its_schemas(void)
{
	struct desk desk;

	desk_open(&desk, true);
	OWN_JSON struct json *categories = good(&desk, "catalog_categories", "{}");
	CHECK_TEXT(desk_text(categories, "result.categories.0.category"), "api_tokens");
	OWN_JSON struct json *all = good(&desk, "catalog_search", "{}");
	CHECK_TEXT(desk_text(all, "result.items.0.id"), "cat_router_credit_001");
	OWN_JSON struct json *words = good(&desk, "catalog_search", "{\"q\":\"CREDITS router\"}");
	CHECK_I64((int64_t)json_count(desk_at(words, "result.items")), 1);
	OWN_JSON struct json *none = good(&desk, "catalog_search", "{\"category\":\"boats\"}");
	CHECK_I64((int64_t)json_count(desk_at(none, "result.items")), 0);
	OWN_JSON struct json *needs = good(&desk, "catalog_checkout_requirements",
	                                   "{\"catalogItemId\":\"cat_router_credit_001\"}");
	CHECK_TEXT(desk_text(needs, "result.requiredFields.0"), "creditAmountUsd");
	desk_close(&desk);
}

static void models_are_listed_with_prices(void)
{
	struct desk desk;
	int64_t context = 0, micros = 0;

	desk_open(&desk, true);
	OWN_JSON struct json *all = good(&desk, "router_models_list", "{}");
	CHECK_TEXT(desk_text(all, "result.models.0.id"), "gpt-5.4");
	CHECK(json_i64(desk_at(all, "result.models.0.contextTokens"), &context));
	CHECK_I64(context, 1050000);
	CHECK(json_micros(desk_at(all, "result.models.0.pricesUsdPerMillion.input"), 6, &micros));
	CHECK_I64(micros, 2500000);
	CHECK(json_micros(desk_at(all, "result.models.0.pricesUsdPerMillion.cacheRead"), 6,
	                  &micros));
	CHECK_I64(micros, 250000);
	CHECK(json_i64(desk_at(all, "result.models.0.longPrompt.aboveTokens"), &context));
	CHECK_I64(context, 272000);
	OWN_JSON struct json *kimi = good(&desk, "router_models_list", "{\"provider\":\"kimi\"}");
	CHECK(json_count(desk_at(kimi, "result.models")) > 0);
	for (const struct json *m = json_first(desk_at(kimi, "result.models")); m; m = json_next(m))
		CHECK_TEXT(desk_text(m, "provider"), "kimi");
	desk_close(&desk);
}

/* The listed model of that id, or NULL. */
static const struct json *listed(const struct json *answer, const char *id)
{
	const struct json *m = json_first(desk_at(answer, "result.models"));

	while (m && !str_eq(desk_text(m, "id"), str_of(id)))
		m = json_next(m);
	return m;
}

static void a_retired_model_is_listed_with_who_serves_it(void)
{
	struct desk desk;
	int64_t micros = 0;

	desk_open(&desk, true);
	OWN_JSON struct json *all = good(&desk, "router_models_list", "{}");
	const struct json *opus = listed(all, "claude-opus-4-1");
	CHECK_TEXT(desk_text(opus, "state"), "retired");
	CHECK_TEXT(desk_text(opus, "servedBy"), "claude-opus-4-8");
	CHECK_TEXT(desk_text(opus, "retiresAt"), "2026-08-05");
	CHECK(json_micros(desk_at(opus, "pricesUsdPerMillion.output"), 6, &micros));
	CHECK_I64(micros, 25000000); /* its own was 75 */
	CHECK(json_i64(desk_at(opus, "contextTokens"), &micros));
	CHECK_I64(micros, 1000000);
	const struct json *gemini = listed(all, "gemini-2.5-pro");
	CHECK_TEXT(desk_text(gemini, "state"), "deprecated");
	CHECK_TEXT(desk_text(gemini, "retiresAt"), "2026-12-01");
	CHECK(!json_get(gemini, "servedBy"));
	CHECK(!json_get(listed(all, "gpt-5.4"), "retiresAt"));
	desk_close(&desk);
}

static void without_providers_lists_are_empty_and_say_why(void)
{
	struct desk desk;
	char service[ID_TEXT_MAX];

	desk_open(&desk, false);
	OWN_JSON struct json *models = good(&desk, "router_models_list", "{}");
	CHECK_I64((int64_t)json_count(desk_at(models, "result.models")), 0);
	CHECK(desk_text(models, "result.note").len > 0);
	desk_buy(&desk, service);
	OWN_JSON struct json *got = goodf(&desk, "service_get", "{\"serviceId\":\"%s\"}", service);
	CHECK_I64((int64_t)json_count(desk_at(got, "result.service.router.supportedProviders")), 0);
	CHECK(desk_text(got, "result.service.router.note").len > 0);
	desk_close(&desk);
}

/* ---- Buying ---- */

static void a_purchase_moves_money_once(void)
{
	struct desk desk;
	char quote[ID_TEXT_MAX], purchase[ID_TEXT_MAX];

	desk_open(&desk, true);
	OWN_JSON struct json *quoted = good(&desk, "quote_create", QUOTE_25);
	desk_copy_id(quoted, "result.quote.id", quote);
	OWN_JSON struct json *bought = goodf(
		&desk, "purchase_create", "{\"quoteId\":\"%s\",\"idempotencyKey\":\"k\"}", quote);
	desk_copy_id(bought, "result.purchase.id", purchase);
	OWN_JSON struct json *again = goodf(&desk, "purchase_create",
	                                    "{\"quoteId\":\"%s\",\"idempotencyKey\":\"k\"}", quote);
	CHECK(json_equal(bought, again));
	OWN_JSON struct json *wallet = good(&desk, "wallet_get", "{}");
	CHECK_TEXT(desk_text(wallet, "result.wallet.balanceUsd"), "75.00");
	OWN_JSON struct json *status =
		goodf(&desk, "purchase_get_status", "{\"purchaseId\":\"%s\"}", purchase);
	CHECK_TEXT(desk_text(status, "result.purchase.status"), "completed");
	OWN_JSON struct json *services = good(&desk, "service_list", "{}");
	CHECK_I64((int64_t)json_count(desk_at(services, "result.services")), 1);
	desk_close(&desk);
}

static void a_purchase_names_a_quote_or_an_item_never_both(void)
{
	struct desk desk;

	desk_open(&desk, true);
	desk_refuses(&desk, "purchase_create", "{\"idempotencyKey\":\"k\"}", "invalid_argument",
	             "'quoteId' is missing");
	desk_refuses(&desk, "purchase_create",
	             "{\"quoteId\":\"quote_x\",\"catalogItemId\":\"cat_router_credit_001\","
	             "\"idempotencyKey\":\"k\"}",
	             "invalid_argument", "stands alone");
	desk_refuses(&desk, "purchase_create",
	             "{\"quoteId\":\"quote_x\",\"quantity\":1,\"idempotencyKey\":\"k\"}",
	             "invalid_argument", "stands alone");
	desk_refuses(&desk, "purchase_create", "{\"quoteId\":\"quote_x\"}", "invalid_argument",
	             "'idempotencyKey' is missing");
	desk_close(&desk);
}

static void the_wallet_shows_the_policy_and_the_policy_holds(void)
{
	struct desk desk;
	struct err err;
	struct store_policy policy = { .daily = money_of_micros(-1) };

	desk_open(&desk, true);
	CHECK(money_of_cents(&policy.max_purchase, 5000));
	CHECK(money_of_cents(&policy.approval_above, 2000));
	CHECK(store_account_set_policy(desk.st, &desk.account.id, &policy, &err));
	OWN_JSON struct json *wallet = good(&desk, "wallet_get", "{}");
	CHECK_TEXT(desk_text(wallet, "result.policy.maxPurchaseUsd"), "50.00");
	CHECK_TEXT(desk_text(wallet, "result.policy.approvalAboveUsd"), "20.00");
	CHECK(json_is(desk_at(wallet, "result.policy.dailyUsd"), JSON_NULL));
	desk_refuses(&desk, "purchase_create",
	             "{\"catalogItemId\":\"cat_router_credit_001\",\"configuration\":"
	             "{\"creditAmountUsd\":60},\"idempotencyKey\":\"a\"}",
	             "policy_refused", "50.00");
	desk_refuses(&desk, "purchase_create",
	             "{\"catalogItemId\":\"cat_router_credit_001\",\"configuration\":"
	             "{\"creditAmountUsd\":30},\"idempotencyKey\":\"b\"}",
	             "approval_required", "20.00");
	desk_close(&desk);
}

/* ---- Keys ---- */

static void a_key_is_made_listed_rotated_and_revoked(void)
{
	struct desk desk;
	char service[ID_TEXT_MAX], key_id[ID_TEXT_MAX];
	OWN_SECRET struct secret key_secret = { 0 };

	desk_open(&desk, true);
	desk_buy(&desk, service);
	desk_make_key(&desk, service, key_id, &key_secret);
	struct str secret = secret_str(&key_secret);
	CHECK(str_starts(secret, STR("asr_live_")));
	OWN_JSON struct json *rotated =
		goodf(&desk, "router_api_key_rotate", "{\"apiKeyId\":\"%s\"}", key_id);
	CHECK(!str_eq(desk_text(rotated, "result.apiKey.secret"), secret));
	CHECK_TEXT(desk_text(rotated, "result.apiKey.label"), "one");
	OWN_JSON struct json *list =
		goodf(&desk, "router_api_key_list", "{\"serviceId\":\"%s\"}", service);
	CHECK_I64((int64_t)json_count(desk_at(list, "result.apiKeys")), 2);
	CHECK_TEXT(desk_text(list, "result.apiKeys.0.status"), "revoked");
	CHECK_TEXT(desk_text(list, "result.apiKeys.1.status"), "active");
	CHECK_TEXT(desk_text(list, "result.apiKeys.1.spentUsd"), "0.00");
	CHECK(json_is(desk_at(list, "result.apiKeys.1.lastUsedAt"), JSON_NULL));
	struct str now = desk_text(rotated, "result.apiKey.id");
	for (int i = 0; i < 2; i++) {
		OWN_JSON struct json *revoked = goodf(&desk, "router_api_key_revoke",
		                                      "{\"apiKeyId\":\"%.*s\"}", STR_ARG(now));
		CHECK_TEXT(desk_text(revoked, "result.apiKey.status"), "revoked");
	}
	OWN_BUF struct buf arguments = buf_make(200);
	buf_addf(&arguments, "{\"apiKeyId\":\"%.*s\"}", STR_ARG(now));
	desk_refuses(&desk, "router_api_key_rotate", arguments.p, "conflict", "revoked");
	desk_close(&desk);
}

static void a_list_never_shows_a_secret(void)
{
	struct desk desk;
	char service[ID_TEXT_MAX], key_id[ID_TEXT_MAX];
	OWN_SECRET struct secret key_secret = { 0 };
	OWN_JSON_OUT struct json_out printed = json_out_make(1u << 20);

	desk_open(&desk, true);
	desk_buy(&desk, service);
	desk_make_key(&desk, service, key_id, &key_secret);
	struct str secret = secret_str(&key_secret);
	OWN_JSON struct json *list =
		goodf(&desk, "router_api_key_list", "{\"serviceId\":\"%s\"}", service);
	json_put_tree(&printed, NULL, list);
	struct str tail = { secret.p + secret.len - 49, 49 };
	CHECK(str_find(buf_str(&printed.text), tail) < 0);
	CHECK(str_find(secret, desk_text(list, "result.apiKeys.0.lookup")) == 9);
	desk_close(&desk);
}

static void limits_of_a_key_come_back(void)
{
	struct desk desk;
	char service[ID_TEXT_MAX];
	int64_t n = 0, micros = 0;

	desk_open(&desk, true);
	desk_buy(&desk, service);
	OWN_JSON struct json *made =
		goodf(&desk, "router_api_key_create",
	              "{\"serviceId\":\"%s\",\"label\":\"x\",\"limits\":{\"spendLimitUsd\":2.5,"
	              "\"expiresAt\":\"2026-11-22T09:00:00Z\",\"allowedModels\":[\"gpt-5.4-mini\"],"
	              "\"requestsPerMinute\":60,\"maxConcurrent\":2,\"lowerOutput\":true}}",
	              service);
	CHECK(json_micros(desk_at(made, "result.apiKey.limits.spendLimitUsd"), 2, &micros));
	CHECK_I64(micros, 2500000);
	CHECK_TEXT(desk_text(made, "result.apiKey.limits.expiresAt"), "2026-11-22T09:00:00.000Z");
	CHECK_TEXT(desk_text(made, "result.apiKey.limits.allowedModels.0"), "gpt-5.4-mini");
	CHECK(json_i64(desk_at(made, "result.apiKey.limits.requestsPerMinute"), &n));
	CHECK_I64(n, 60);
	CHECK(json_i64(desk_at(made, "result.apiKey.limits.maxConcurrent"), &n));
	CHECK_I64(n, 2);
	CHECK(json_true(desk_at(made, "result.apiKey.limits.lowerOutput")));
	desk.clock.now_ms += 3600000; /* an hour */
	OWN_JSON struct json *list =
		goodf(&desk, "router_api_key_list", "{\"serviceId\":\"%s\"}", service);
	CHECK_TEXT(desk_text(list, "result.apiKeys.0.status"), "expired");
	desk_close(&desk);
}

static void wrong_limits_are_refused_by_name(void)
{
	static const struct {
		const char *limits;
		const char *part;
	} rows[] = {
		{ "{\"spendLimit\":1}", "unknown field 'spendLimit'" },
		{ "{\"spendLimitUsd\":-1}", "'spendLimitUsd'" },
		{ "{\"spendLimitUsd\":0.001}", "'spendLimitUsd'" },
		{ "{\"expiresAt\":\"2026-11-22T08:00:00Z\"}", "in the past" },
		{ "{\"expiresAt\":\"tomorrow\"}", "'expiresAt'" },
		{ "{\"allowedModels\":[\"gpt-5.4-minny\"]}", "near it are: gpt-5.4-mini" },
		{ "{\"allowedModels\":[]}", "'allowedModels'" },
		{ "{\"allowedModels\":[1]}", "'allowedModels'" },
		{ "{\"requestsPerMinute\":0}", "'requestsPerMinute'" },
		{ "{\"maxConcurrent\":1.5}", "'maxConcurrent'" },
		{ "[]", "'limits' must be an object" },
	};
	struct desk desk;
	char service[ID_TEXT_MAX];

	desk_open(&desk, true);
	desk_buy(&desk, service);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		OWN_BUF struct buf arguments = buf_make(500);

		buf_addf(&arguments, "{\"serviceId\":\"%s\",\"label\":\"x\",\"limits\":%s}",
		         service, rows[i].limits);
		desk_refuses(&desk, "router_api_key_create", arguments.p, "invalid_argument",
		             rows[i].part);
	}
	desk_close(&desk);
}

struct purchase_key {
	struct id id;
};

static void note_purchase_key(void *data, const struct store_key_info *info)
{
	struct purchase_key *found = data;

	if (info->kind == KEY_PURCHASE)
		found->id = info->id;
}

static void an_agent_cannot_replace_its_own_purchase_key(void)
{
	struct purchase_key key = { 0 };
	struct desk desk;
	struct err err;
	OWN_BUF struct buf arguments = buf_make(200);

	desk_open(&desk, true);
	CHECK(store_key_each(desk.st, &desk.account.id, (struct str){ 0 }, note_purchase_key, &key,
	                     &err));
	if (CHECK(!id_is_empty(&key.id))) {
		buf_addf(&arguments, "{\"apiKeyId\":\"%s\"}", key.id.text);
		desk_refuses(&desk, "router_api_key_rotate", arguments.p, "not_found",
		             "router key");
		desk_refuses(&desk, "router_api_key_revoke", arguments.p, "not_found",
		             "router key");
	}
	OWN_JSON struct json *wallet = good(&desk, "wallet_get", "{}");
	CHECK(json_get(wallet, "result") != NULL);
	desk_close(&desk);
}

/* ---- Services ---- */

static void a_service_says_why_it_has_no_address(void)
{
	struct desk desk;
	char service[ID_TEXT_MAX];

	desk_open(&desk, true);
	desk_buy(&desk, service);
	desk.shop.base_url = desk.shop.anthropic_base_url = NULL;
	desk.shop.listen_problem = "port 8787 is taken by another program";
	OWN_JSON struct json *taken =
		goodf(&desk, "service_get", "{\"serviceId\":\"%s\"}", service);
	CHECK(json_is(desk_at(taken, "result.service.router.baseUrl"), JSON_NULL));
	CHECK_TEXT(desk_text(taken, "result.service.router.problem"),
	           "port 8787 is taken by another program");
	desk.shop.listen_problem = NULL;
	OWN_JSON struct json *none = goodf(&desk, "service_get", "{\"serviceId\":\"%s\"}", service);
	CHECK(desk_text(none, "result.service.router.problem").len > 0);
	desk_close(&desk);
}

/* ---- Usage and receipts ---- */

/* One call of 1000 input and 100 output tokens to gpt-5.4: 2.5 and 15 USD per million, so 2500 and
 * 1500 micros. */
static struct id run_call(struct desk *desk, struct str secret)
{
	const struct store_model *model = store_models_find(desk->models, STR("gpt-5.4"));
	const struct store_call call = {
		.model = model->id,
		.upstream_model = model->upstream_id,
		.provider = model->provider,
		.route = STR("openai"),
		.prices = model->prices,
		.long_prices = model->long_prices,
		.long_above = model->long_above,
		.price_version = model->price_version,
		.created_ms = desk->clock.now_ms,
	};
	const struct store_outcome outcome = {
		.state = HOLD_SETTLED,
		.evidence = EVIDENCE_PROVIDER,
		.counts = { .n = { [TOKEN_UNCACHED_INPUT] = 1000, [TOKEN_OUTPUT] = 100 } },
		.reported_model = model->upstream_id,
		.attempts = STR("[]"),
		.status = 200,
		.first_byte_ms = 5,
		.settled_ms = desk->clock.now_ms + 10,
	};
	struct store_live *live = store_live(desk->st);
	struct store_hold hold = { .request_id = id_make(&desk->env, ID_REQUEST) };
	const struct id request = hold.request_id;
	struct money amount, charged;
	struct err err;
	const struct store_key *key = store_live_key(live, secret, desk->clock.now_ms, &err);

	if (!key || !money_of_cents(&amount, 100) ||
	    !store_live_reserve(live, key, amount, desk->clock.now_ms, &hold, &err) ||
	    !store_hold_write(desk->st, &hold, &call, &err) ||
	    !store_hold_end(desk->st, &hold, &outcome, &charged, &err)) {
		check_note("%s", err.text);
		abort();
	}
	CHECK_I64(money_micros(charged), 4000);
	return request;
}

static void usage_and_receipts_show_what_a_call_cost(void)
{
	struct desk desk;
	char service[ID_TEXT_MAX], key_id[ID_TEXT_MAX];
	OWN_SECRET struct secret key_secret = { 0 };
	int64_t n = 0;

	desk_open(&desk, true);
	desk_buy(&desk, service);
	desk_make_key(&desk, service, key_id, &key_secret);
	struct id request = run_call(&desk, secret_str(&key_secret));
	OWN_JSON struct json *total =
		goodf(&desk, "router_usage_get", "{\"serviceId\":\"%s\"}", service);
	CHECK_I64((int64_t)json_count(desk_at(total, "result.usage")), 0);
	CHECK(json_i64(desk_at(total, "result.total.buyerChargeUsdMicros"), &n));
	CHECK_I64(n, 4000);
	OWN_JSON struct json *by_model = goodf(
		&desk, "router_usage_get",
		"{\"serviceId\":\"%s\",\"groupBy\":\"model\",\"from\":\"2026-11-22T00:00:00Z\"}",
		service);
	CHECK_TEXT(desk_text(by_model, "result.usage.0.group"), "gpt-5.4");
	CHECK(json_i64(desk_at(by_model, "result.usage.0.uncachedInputTokens"), &n));
	CHECK_I64(n, 1000);
	OWN_JSON struct json *before =
		goodf(&desk, "router_usage_get",
	              "{\"serviceId\":\"%s\",\"to\":\"2026-11-22T00:00:00Z\"}", service);
	CHECK(json_i64(desk_at(before, "result.total.requests"), &n));
	CHECK_I64(n, 0);
	OWN_JSON struct json *receipt =
		goodf(&desk, "router_request_get", "{\"requestId\":\"%s\"}", request.text);
	CHECK_TEXT(desk_text(receipt, "result.requestId"), request.text);
	CHECK_TEXT(desk_text(receipt, "result.status"), "settled");
	CHECK(json_i64(desk_at(receipt, "result.buyerChargeUsdMicros"), &n));
	CHECK_I64(n, 4000);
	OWN_JSON struct json *got = goodf(&desk, "service_get", "{\"serviceId\":\"%s\"}", service);
	CHECK_TEXT(desk_text(got, "result.service.router.creditBalanceUsd"), "24.996");
	desk_close(&desk);
}

static const struct check_case CASES[] = {
	CASE(the_catalog_is_open_and_fits_its_schemas),
	CASE(models_are_listed_with_prices),
	CASE(a_retired_model_is_listed_with_who_serves_it),
	CASE(without_providers_lists_are_empty_and_say_why),
	CASE(a_purchase_moves_money_once),
	CASE(a_purchase_names_a_quote_or_an_item_never_both),
	CASE(the_wallet_shows_the_policy_and_the_policy_holds),
	CASE(a_key_is_made_listed_rotated_and_revoked),
	CASE(a_list_never_shows_a_secret),
	CASE(limits_of_a_key_come_back),
	CASE(wrong_limits_are_refused_by_name),
	CASE(an_agent_cannot_replace_its_own_purchase_key),
	CASE(a_service_says_why_it_has_no_address),
	CASE(usage_and_receipts_show_what_a_call_cost),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
