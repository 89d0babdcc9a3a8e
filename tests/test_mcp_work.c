/* SPDX-License-Identifier: Apache-2.0 */
/* What each tool answers: its success held against its own outputSchema, and every error that it
 * can have. All on a shop in memory. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "mcp/near.h"
#include "mcp/tool.h"
#include "mcp/work.h"
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

static void expect_error(struct desk *desk, const char *name, const char *arguments,
                         const char *code, const char *part)
{
	OWN_JSON struct json *answer = desk_call(desk, name, arguments);

	if (!CHECK_TEXT(desk_text(answer, "error.code"), code) ||
	    !CHECK(str_find(desk_text(answer, "error.message"), str_of(part)) >= 0))
		check_note("%s %s: %s", name, arguments, desk_text(answer, "error.message").p);
}

struct service {
	char id[ID_TEXT_MAX];
};

static void copy_id(const struct json *answer, const char *path, char out[ID_TEXT_MAX])
{
	struct str id = desk_text(answer, path);

	out[0] = '\0';
	if (id.len > 0 && id.len < ID_TEXT_MAX) {
		memcpy(out, id.p, id.len);
		out[id.len] = '\0';
	}
}

/* Buys 25 dollars of credit. */
static struct service buy(struct desk *desk, const char *idempotency_key)
{
	struct service service;
	OWN_JSON struct json *answer =
		goodf(desk, "purchase_create",
	              "{\"catalogItemId\":\"cat_router_credit_001\",\"quantity\":1,"
	              "\"configuration\":{\"creditAmountUsd\":25},\"idempotencyKey\":\"%s\"}",
	              idempotency_key);

	copy_id(answer, "result.service.id", service.id);
	return service;
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

static void retired_models_are_not_listed(void)
{
	struct desk desk;

	desk_open(&desk, true);
	OWN_JSON struct json *all = good(&desk, "router_models_list", "{}");
	for (const struct json *m = json_first(desk_at(all, "result.models")); m; m = json_next(m))
		CHECK(!str_eq(desk_text(m, "id"), STR("claude-opus-4-1")));
	desk_close(&desk);
}

static void without_providers_lists_are_empty_and_say_why(void)
{
	struct desk desk;

	desk_open(&desk, false);
	OWN_JSON struct json *models = good(&desk, "router_models_list", "{}");
	CHECK_I64((int64_t)json_count(desk_at(models, "result.models")), 0);
	CHECK(desk_text(models, "result.note").len > 0);
	struct service service = buy(&desk, "a");
	OWN_JSON struct json *got =
		goodf(&desk, "service_get", "{\"serviceId\":\"%s\"}", service.id);
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
	copy_id(quoted, "result.quote.id", quote);
	OWN_JSON struct json *bought = goodf(
		&desk, "purchase_create", "{\"quoteId\":\"%s\",\"idempotencyKey\":\"k\"}", quote);
	copy_id(bought, "result.purchase.id", purchase);
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
	expect_error(&desk, "purchase_create", "{\"idempotencyKey\":\"k\"}", "invalid_argument",
	             "'quoteId' is missing");
	expect_error(&desk, "purchase_create",
	             "{\"quoteId\":\"quote_x\",\"catalogItemId\":\"cat_router_credit_001\","
	             "\"idempotencyKey\":\"k\"}",
	             "invalid_argument", "stands alone");
	expect_error(&desk, "purchase_create",
	             "{\"quoteId\":\"quote_x\",\"quantity\":1,\"idempotencyKey\":\"k\"}",
	             "invalid_argument", "stands alone");
	expect_error(&desk, "purchase_create", "{\"quoteId\":\"quote_x\"}", "invalid_argument",
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
	expect_error(&desk, "purchase_create",
	             "{\"catalogItemId\":\"cat_router_credit_001\",\"configuration\":"
	             "{\"creditAmountUsd\":60},\"idempotencyKey\":\"a\"}",
	             "policy_refused", "50.00");
	expect_error(&desk, "purchase_create",
	             "{\"catalogItemId\":\"cat_router_credit_001\",\"configuration\":"
	             "{\"creditAmountUsd\":30},\"idempotencyKey\":\"b\"}",
	             "approval_required", "20.00");
	desk_close(&desk);
}

/* ---- Keys ---- */

static struct str new_key(struct desk *desk, const struct service *service, struct json **answer)
{
	*answer = goodf(desk, "router_api_key_create", "{\"serviceId\":\"%s\",\"label\":\"one\"}",
	                service->id);
	return desk_text(*answer, "result.apiKey.id");
}

static void a_key_is_made_listed_rotated_and_revoked(void)
{
	struct desk desk;
	struct json *made;

	desk_open(&desk, true);
	struct service service = buy(&desk, "a");
	struct str id = new_key(&desk, &service, &made);
	struct str secret = desk_text(made, "result.apiKey.secret");
	CHECK(str_starts(secret, STR("asr_live_")));
	OWN_JSON struct json *rotated =
		goodf(&desk, "router_api_key_rotate", "{\"apiKeyId\":\"%.*s\"}", STR_ARG(id));
	CHECK(!str_eq(desk_text(rotated, "result.apiKey.secret"), secret));
	CHECK_TEXT(desk_text(rotated, "result.apiKey.label"), "one");
	OWN_JSON struct json *list =
		goodf(&desk, "router_api_key_list", "{\"serviceId\":\"%s\"}", service.id);
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
	expect_error(&desk, "router_api_key_rotate", arguments.p, "conflict", "revoked");
	json_free(made);
	desk_close(&desk);
}

static void a_list_never_shows_a_secret(void)
{
	struct desk desk;
	struct json *made;
	OWN_JSON_OUT struct json_out printed = json_out_make(1u << 20);

	desk_open(&desk, true);
	struct service service = buy(&desk, "a");
	(void)new_key(&desk, &service, &made);
	struct str secret = desk_text(made, "result.apiKey.secret");
	OWN_JSON struct json *list =
		goodf(&desk, "router_api_key_list", "{\"serviceId\":\"%s\"}", service.id);
	json_put_tree(&printed, NULL, list);
	struct str tail = { secret.p + secret.len - 49, 49 };
	CHECK(str_find(buf_str(&printed.text), tail) < 0);
	CHECK(str_find(secret, desk_text(list, "result.apiKeys.0.lookup")) == 9);
	json_free(made);
	desk_close(&desk);
}

static void limits_of_a_key_come_back(void)
{
	struct desk desk;
	int64_t n = 0, micros = 0;

	desk_open(&desk, true);
	struct service service = buy(&desk, "a");
	OWN_JSON struct json *made =
		goodf(&desk, "router_api_key_create",
	              "{\"serviceId\":\"%s\",\"label\":\"x\",\"limits\":{\"spendLimitUsd\":2.5,"
	              "\"expiresAt\":\"2026-11-22T09:00:00Z\",\"allowedModels\":[\"gpt-5.4-mini\"],"
	              "\"requestsPerMinute\":60,\"maxConcurrent\":2}}",
	              service.id);
	CHECK(json_micros(desk_at(made, "result.apiKey.limits.spendLimitUsd"), 2, &micros));
	CHECK_I64(micros, 2500000);
	CHECK_TEXT(desk_text(made, "result.apiKey.limits.expiresAt"), "2026-11-22T09:00:00.000Z");
	CHECK_TEXT(desk_text(made, "result.apiKey.limits.allowedModels.0"), "gpt-5.4-mini");
	CHECK(json_i64(desk_at(made, "result.apiKey.limits.requestsPerMinute"), &n));
	CHECK_I64(n, 60);
	CHECK(json_i64(desk_at(made, "result.apiKey.limits.maxConcurrent"), &n));
	CHECK_I64(n, 2);
	desk.clock.now_ms += 60 * 60 * 1000;
	OWN_JSON struct json *list =
		goodf(&desk, "router_api_key_list", "{\"serviceId\":\"%s\"}", service.id);
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

	desk_open(&desk, true);
	struct service service = buy(&desk, "a");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		OWN_BUF struct buf arguments = buf_make(500);

		buf_addf(&arguments, "{\"serviceId\":\"%s\",\"label\":\"x\",\"limits\":%s}",
		         service.id, rows[i].limits);
		expect_error(&desk, "router_api_key_create", arguments.p, "invalid_argument",
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
		expect_error(&desk, "router_api_key_rotate", arguments.p, "not_found",
		             "router key");
		expect_error(&desk, "router_api_key_revoke", arguments.p, "not_found",
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

	desk_open(&desk, true);
	struct service service = buy(&desk, "a");
	desk.shop.base_url = desk.shop.anthropic_base_url = NULL;
	desk.shop.listen_problem = "port 8787 is taken by another program";
	OWN_JSON struct json *taken =
		goodf(&desk, "service_get", "{\"serviceId\":\"%s\"}", service.id);
	CHECK(json_is(desk_at(taken, "result.service.router.baseUrl"), JSON_NULL));
	CHECK_TEXT(desk_text(taken, "result.service.router.problem"),
	           "port 8787 is taken by another program");
	desk.shop.listen_problem = NULL;
	OWN_JSON struct json *none =
		goodf(&desk, "service_get", "{\"serviceId\":\"%s\"}", service.id);
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
	struct json *made;
	int64_t n = 0;

	desk_open(&desk, true);
	struct service service = buy(&desk, "a");
	(void)new_key(&desk, &service, &made);
	struct id request = run_call(&desk, desk_text(made, "result.apiKey.secret"));
	OWN_JSON struct json *total =
		goodf(&desk, "router_usage_get", "{\"serviceId\":\"%s\"}", service.id);
	CHECK_I64((int64_t)json_count(desk_at(total, "result.usage")), 0);
	CHECK(json_i64(desk_at(total, "result.total.buyerChargeUsdMicros"), &n));
	CHECK_I64(n, 4000);
	OWN_JSON struct json *by_model = goodf(
		&desk, "router_usage_get",
		"{\"serviceId\":\"%s\",\"groupBy\":\"model\",\"from\":\"2026-11-22T00:00:00Z\"}",
		service.id);
	CHECK_TEXT(desk_text(by_model, "result.usage.0.group"), "gpt-5.4");
	CHECK(json_i64(desk_at(by_model, "result.usage.0.uncachedInputTokens"), &n));
	CHECK_I64(n, 1000);
	OWN_JSON struct json *before =
		goodf(&desk, "router_usage_get",
	              "{\"serviceId\":\"%s\",\"to\":\"2026-11-22T00:00:00Z\"}", service.id);
	CHECK(json_i64(desk_at(before, "result.total.requests"), &n));
	CHECK_I64(n, 0);
	OWN_JSON struct json *receipt =
		goodf(&desk, "router_request_get", "{\"requestId\":\"%s\"}", request.text);
	CHECK_TEXT(desk_text(receipt, "result.requestId"), request.text);
	CHECK_TEXT(desk_text(receipt, "result.status"), "settled");
	CHECK(json_i64(desk_at(receipt, "result.buyerChargeUsdMicros"), &n));
	CHECK_I64(n, 4000);
	OWN_JSON struct json *got =
		goodf(&desk, "service_get", "{\"serviceId\":\"%s\"}", service.id);
	CHECK_TEXT(desk_text(got, "result.service.router.creditBalanceUsd"), "24.996");
	json_free(made);
	desk_close(&desk);
}

/* ---- Errors of all tools ---- */

static void every_tool_refuses_an_unknown_field_by_name(void)
{
	struct desk desk;

	desk_open(&desk, true);
	for (size_t i = 0; mcp__tool_at(i); i++)
		expect_error(&desk, mcp__tool_at(i)->name, "{\"colour\":1}", "invalid_argument",
		             "'colour'");
	desk_close(&desk);
}

static void every_tool_names_the_field_that_is_missing_or_wrong(void)
{
	struct desk desk;

	desk_open(&desk, true);
	for (size_t i = 0; mcp__tool_at(i); i++) {
		const struct mcp__tool *tool = mcp__tool_at(i);

		for (size_t j = 0; j < tool->input->count; j++) {
			const struct json_field *f = &tool->input->fields[j];
			OWN_BUF struct buf arguments = buf_make(200);

			if (f->required && j == 0)
				expect_error(&desk, tool->name, "{}", "invalid_argument", f->name);
			buf_addf(&arguments, "{\"%s\":[[]]}", f->name);
			expect_error(&desk, tool->name, arguments.p, "invalid_argument", "'");
		}
	}
	desk_close(&desk);
}

static const struct {
	const char *tool;
	const char *arguments;
} LOOK_UPS[] = {
	{ "catalog_checkout_requirements", "{\"catalogItemId\":\"cat_x\"}" },
	{ "quote_create", "{\"catalogItemId\":\"cat_x\",\"configuration\":{}}" },
	{ "purchase_create", "{\"quoteId\":\"quote_x\",\"idempotencyKey\":\"k\"}" },
	{ "purchase_get_status", "{\"purchaseId\":\"purchase_x\"}" },
	{ "service_get", "{\"serviceId\":\"svc_x\"}" },
	{ "router_api_key_create", "{\"serviceId\":\"svc_x\",\"label\":\"l\"}" },
	{ "router_api_key_list", "{\"serviceId\":\"svc_x\"}" },
	{ "router_api_key_rotate", "{\"apiKeyId\":\"router_key_x\"}" },
	{ "router_api_key_revoke", "{\"apiKeyId\":\"router_key_x\"}" },
	{ "router_usage_get", "{\"serviceId\":\"svc_x\"}" },
	{ "router_request_get", "{\"requestId\":\"req_x\"}" },
};

static void what_does_not_exist_is_not_found(void)
{
	struct desk desk;

	desk_open(&desk, true);
	for (size_t i = 0; i < ARRAY_LEN(LOOK_UPS); i++)
		expect_error(&desk, LOOK_UPS[i].tool, LOOK_UPS[i].arguments, "not_found", "");
	desk_close(&desk);
}

static void another_accounts_objects_are_not_found(void)
{
	struct desk desk;
	struct store_account other;
	struct secret key;
	struct err err;
	struct json *made;
	OWN_BUF struct buf get = buf_make(200);
	OWN_BUF struct buf revoke = buf_make(200);
	OWN_BUF struct buf create = buf_make(200);

	desk_open(&desk, true);
	struct service service = buy(&desk, "a");
	struct str id = new_key(&desk, &service, &made);
	buf_addf(&get, "{\"serviceId\":\"%s\"}", service.id);
	buf_addf(&revoke, "{\"apiKeyId\":\"%.*s\"}", STR_ARG(id));
	buf_addf(&create, "{\"serviceId\":\"%s\",\"label\":\"x\"}", service.id);
	CHECK(store_account_create(desk.st, STR("other"), &other, &key, &err));
	secret_set(&desk.key, secret_str(&key));
	expect_error(&desk, "service_get", get.p, "not_found", "");
	expect_error(&desk, "router_usage_get", get.p, "not_found", "");
	expect_error(&desk, "router_api_key_list", get.p, "not_found", "");
	expect_error(&desk, "router_api_key_create", create.p, "not_found", "");
	expect_error(&desk, "router_api_key_revoke", revoke.p, "not_found", "");
	expect_error(&desk, "router_api_key_rotate", revoke.p, "not_found", "");
	secret_wipe(&key);
	json_free(made);
	desk_close(&desk);
}

static void without_a_good_key_only_the_open_tools_work(void)
{
	struct desk desk;

	desk_open(&desk, true);
	for (size_t i = 0; mcp__tool_at(i); i++) {
		const struct mcp__tool *tool = mcp__tool_at(i);
		OWN_JSON struct json *keyless = desk_call_keyless(&desk, tool->name, "{}");
		bool refused = str_eq(desk_text(keyless, "error.code"), STR("unauthorized"));

		if (!CHECK(refused == tool->needs_account))
			check_note("%s", tool->name);
	}
	secret_set(&desk.key, STR("ask_live_wrong"));
	expect_error(&desk, "wallet_get", "{}", "unauthorized", "");
	OWN_JSON struct json *no_text =
		desk_work(&desk, STR("{\"tool\":\"wallet_get\",\"key\":17}"));
	CHECK_TEXT(desk_text(no_text, "error.code"), "unauthorized");
	desk_close(&desk);
}

static void a_router_key_does_not_buy(void)
{
	struct desk desk;
	struct json *made;

	desk_open(&desk, true);
	struct service service = buy(&desk, "a");
	(void)new_key(&desk, &service, &made);
	secret_set(&desk.key, desk_text(made, "result.apiKey.secret"));
	expect_error(&desk, "wallet_get", "{}", "unauthorized", "");
	json_free(made);
	desk_close(&desk);
}

static void requests_that_name_nothing_are_refused(void)
{
	static const struct {
		const char *request;
		const char *code;
	} rows[] = {
		{ "{}", "invalid_argument" },
		{ "[]", "invalid_argument" },
		{ "x", "invalid_argument" },
		{ "{\"tool\":1}", "invalid_argument" },
		{ "{\"tool\":\"no_such\"}", "unsupported" },
		{ "{\"command\":\"no such\",\"arguments\":{}}", "unsupported" },
		{ "{\"tool\":\"catalog_search\",\"arguments\":[]}", "invalid_argument" },
	};
	struct desk desk;

	desk_open(&desk, true);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		OWN_JSON struct json *answer = desk_work(&desk, str_of(rows[i].request));

		if (!CHECK_TEXT(desk_text(answer, "error.code"), rows[i].code))
			check_note("%s", rows[i].request);
	}
	desk_close(&desk);
}

/* ---- Advice ---- */

static void every_error_has_a_next_step(void)
{
	for (int c = ERR_NONE + 1; c < ERR_CODE_COUNT; c++) {
		struct str step = str_of(mcp__next_step(str_of(err_code_name((enum err_code)c))));

		if (!CHECK(step.len > 20 && str_ends(step, STR("."))))
			check_note("%s", err_code_name((enum err_code)c));
	}
	CHECK_STR(mcp__next_step(STR("unheard_of")), "");
}

static void funds_are_decimals_in_the_error(void)
{
	OWN_JSON_OUT struct json_out out = json_out_make(1000);
	struct err err = { .code = ERR_INSUFFICIENT_FUNDS,
		           .text = "too little",
		           .funds = { .required = 25000000, .available = 999628 } };

	mcp__put_error(&out, NULL, &err);
	CHECK_TEXT(buf_str(&out.text),
	           "{\"code\":\"insufficient_funds\",\"message\":\"too little\","
	           "\"balanceUsd\":\"0.999628\",\"requiredUsd\":\"25.00\"}");
}

static void near_models_come_nearest_first(void)
{
	struct desk desk;
	OWN_BUF struct buf near = buf_make(200);
	OWN_BUF struct buf none = buf_make(200);

	desk_open(&desk, true);
	mcp__near_models(desk.models, STR("gpt-5.4-nani"), &near);
	CHECK(str_starts(buf_str(&near), STR("gpt-5.4-nano, gpt-5.4-mini, ")));
	desk_close(&desk);
	desk_open(&desk, false);
	mcp__near_models(desk.models, STR("gpt"), &none);
	CHECK_TEXT(buf_str(&none), "");
	desk_close(&desk);
}

static const struct check_case CASES[] = {
	CASE(the_catalog_is_open_and_fits_its_schemas),
	CASE(models_are_listed_with_prices),
	CASE(retired_models_are_not_listed),
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
	CASE(every_tool_refuses_an_unknown_field_by_name),
	CASE(every_tool_names_the_field_that_is_missing_or_wrong),
	CASE(what_does_not_exist_is_not_found),
	CASE(another_accounts_objects_are_not_found),
	CASE(without_a_good_key_only_the_open_tools_work),
	CASE(a_router_key_does_not_buy),
	CASE(requests_that_name_nothing_are_refused),
	CASE(every_error_has_a_next_step),
	CASE(funds_are_decimals_in_the_error),
	CASE(near_models_come_nearest_first),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
