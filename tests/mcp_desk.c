/* SPDX-License-Identifier: Apache-2.0 */
/* A shop in memory. Jobs run without a worker: the test's only thread is the store thread, and each
 * store call is a transaction of its own. */
#include "tests/mcp_desk.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "tests/check.h"

static void must(bool ok)
{
	if (!ok)
		abort();
}

void desk_open(struct desk *desk, bool with_providers)
{
	struct store_funding funding;
	struct money amount;
	struct err err;

	*desk = (struct desk){ .clock = { .now_ms = DESK_START_MS } };
	desk->env = env_fixed(&desk->clock);
	desk->st = store_open(
		&(struct store_options){
			.path = ":memory:", .durability = STORE_PROCESS, .env = &desk->env },
		&err);
	must(desk->st != NULL);
	struct store_models_options models = { .env = &desk->env };
	for (size_t p = 0; p < PROVIDER_COUNT; p++)
		models.has_key[p] = with_providers;
	desk->models = store_models_new(&models, &err);
	must(desk->models != NULL);
	desk->shop = (struct mcp_shop){
		.models = desk->models,
		.env = &desk->env,
		.base_url = "http://127.0.0.1:8787/openai/v1",
		.anthropic_base_url = "http://127.0.0.1:8787/claude",
	};
	must(store_account_create(desk->st, STR("tester"), &desk->account, &desk->key, &err));
	must(money_of_cents(&amount, 10000));
	must(store_wallet_fund(desk->st, &desk->account.id, amount, STR("start"), &funding, &err));
}

void desk_close(struct desk *desk)
{
	store_close(desk->st);
	store_models_free(desk->models);
	secret_wipe(&desk->key);
}

struct json *desk_work(struct desk *desk, struct str request)
{
	OWN_JSON_OUT struct json_out out = json_out_make(LIMIT_FRAME);
	struct json *answer;

	mcp_work_run(&desk->shop, desk->st, request, &out);
	must(json_out_ok(&out, NULL));
	answer = json_parse(buf_str(&out.text), NULL);
	must(answer != NULL);
	return answer;
}

static struct json *call(struct desk *desk, const char *tool, const char *arguments, struct str key)
{
	OWN_JSON_OUT struct json_out out = json_out_make(LIMIT_MCP_LINE);

	json_put_object(&out, NULL);
	json_put_z(&out, "tool", tool);
	json_put_raw(&out, "arguments", str_of(arguments));
	if (key.p)
		json_put_str(&out, "key", key);
	json_put_end(&out, '}');
	return desk_work(desk, buf_str(&out.text));
}

struct json *desk_call(struct desk *desk, const char *tool, const char *arguments)
{
	return call(desk, tool, arguments, secret_str(&desk->key));
}

struct json *desk_call_keyless(struct desk *desk, const char *tool, const char *arguments)
{
	return call(desk, tool, arguments, (struct str){ 0 });
}

static const struct json *child_at(const struct json *node, struct str step)
{
	const struct json *child = json_first(node);
	int64_t index = 0;

	if (json_is(node, JSON_ARRAY)) {
		must(str_to_i64(step, &index));
		for (; child && index > 0; index--)
			child = json_next(child);
		return child;
	}
	for (; child; child = json_next(child))
		if (str_eq(json_key(child), step))
			return child;
	return NULL;
}

const struct json *desk_at(const struct json *root, const char *path)
{
	struct str rest = str_of(path);
	const struct json *node = root;

	while (node && rest.p)
		node = child_at(node, str_cut(&rest, '.'));
	return node;
}

struct str desk_text(const struct json *root, const char *path)
{
	return json_text(desk_at(root, path));
}

bool desk_copy_id(const struct json *answer, const char *path, char out[ID_TEXT_MAX])
{
	struct str id = desk_text(answer, path);

	out[0] = '\0';
	if (!CHECK(id.len > 0 && id.len < ID_TEXT_MAX))
		return false;
	memcpy(out, id.p, id.len);
	out[id.len] = '\0';
	return true;
}

void desk_buy(struct desk *desk, char service[ID_TEXT_MAX])
{
	OWN_JSON struct json *answer = desk_call(
		desk, "purchase_create",
		"{\"catalogItemId\":\"cat_router_credit_001\",\"quantity\":1,"
		"\"configuration\":{\"creditAmountUsd\":25},\"idempotencyKey\":\"desk\"}");

	must(desk_copy_id(answer, "result.service.id", service));
}

void desk_make_key(struct desk *desk, const char *service, char id[ID_TEXT_MAX],
                   struct secret *secret)
{
	OWN_BUF struct buf arguments = buf_make(200);

	buf_addf(&arguments, "{\"serviceId\":\"%s\",\"label\":\"one\"}", service);
	OWN_JSON struct json *answer = desk_call(desk, "router_api_key_create", arguments.p);
	must(desk_copy_id(answer, "result.apiKey.id", id));
	secret_set(secret, desk_text(answer, "result.apiKey.secret"));
}

void desk_refuses(struct desk *desk, const char *tool, const char *arguments, const char *code,
                  const char *part)
{
	OWN_JSON struct json *answer = desk_call(desk, tool, arguments);
	struct str message = desk_text(answer, "error.message");

	if (!CHECK_TEXT(desk_text(answer, "error.code"), code) ||
	    !CHECK(str_find(message, str_of(part)) >= 0))
		check_note("%s %s: %.*s", tool, arguments, STR_ARG(message));
}
