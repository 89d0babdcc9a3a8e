/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the shop that fail: the errors that all tools have in common, who may call what, and
 * the advice that goes with each error. */
#include "mcp/near.h"
#include "mcp/tool.h"
#include "mcp/work.h"
#include "tests/check.h"
#include "tests/mcp_desk.h"

/* ---- Errors of all tools ---- */

static void every_tool_refuses_an_unknown_field_by_name(void)
{
	struct desk desk;

	desk_open(&desk, true);
	for (size_t i = 0; mcp__tool_at(i); i++)
		desk_refuses(&desk, mcp__tool_at(i)->name, "{\"colour\":1}", "invalid_argument",
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
				desk_refuses(&desk, tool->name, "{}", "invalid_argument", f->name);
			buf_addf(&arguments, "{\"%s\":[[]]}", f->name);
			desk_refuses(&desk, tool->name, arguments.p, "invalid_argument", "'");
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
		desk_refuses(&desk, LOOK_UPS[i].tool, LOOK_UPS[i].arguments, "not_found", "");
	desk_close(&desk);
}

static void another_accounts_objects_are_not_found(void)
{
	struct desk desk;
	struct store_account other;
	struct secret key;
	struct err err;
	char service[ID_TEXT_MAX], key_id[ID_TEXT_MAX];
	OWN_SECRET struct secret key_secret = { 0 };
	OWN_BUF struct buf get = buf_make(200);
	OWN_BUF struct buf revoke = buf_make(200);
	OWN_BUF struct buf create = buf_make(200);

	desk_open(&desk, true);
	desk_buy(&desk, service);
	desk_make_key(&desk, service, key_id, &key_secret);
	buf_addf(&get, "{\"serviceId\":\"%s\"}", service);
	buf_addf(&revoke, "{\"apiKeyId\":\"%s\"}", key_id);
	buf_addf(&create, "{\"serviceId\":\"%s\",\"label\":\"x\"}", service);
	CHECK(store_account_create(desk.st, STR("other"), &other, &key, &err));
	secret_set(&desk.key, secret_str(&key));
	desk_refuses(&desk, "service_get", get.p, "not_found", "");
	desk_refuses(&desk, "router_usage_get", get.p, "not_found", "");
	desk_refuses(&desk, "router_api_key_list", get.p, "not_found", "");
	desk_refuses(&desk, "router_api_key_create", create.p, "not_found", "");
	desk_refuses(&desk, "router_api_key_revoke", revoke.p, "not_found", "");
	desk_refuses(&desk, "router_api_key_rotate", revoke.p, "not_found", "");
	secret_wipe(&key);
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
	desk_refuses(&desk, "wallet_get", "{}", "unauthorized", "");
	OWN_JSON struct json *no_text =
		desk_work(&desk, STR("{\"tool\":\"wallet_get\",\"key\":17}"));
	CHECK_TEXT(desk_text(no_text, "error.code"), "unauthorized");
	desk_close(&desk);
}

static void a_router_key_does_not_buy(void)
{
	struct desk desk;
	char service[ID_TEXT_MAX], key_id[ID_TEXT_MAX];
	OWN_SECRET struct secret key_secret = { 0 };

	desk_open(&desk, true);
	desk_buy(&desk, service);
	desk_make_key(&desk, service, key_id, &key_secret);
	secret_set(&desk.key, secret_str(&key_secret));
	desk_refuses(&desk, "wallet_get", "{}", "unauthorized", "");
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
