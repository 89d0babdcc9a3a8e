/* SPDX-License-Identifier: Apache-2.0 */
/* A shop in memory. Jobs run without a worker: the test's only thread is the store thread, and each
 * store call is a transaction of its own. */
#include "tests/mcp_desk.h"

#include <stdlib.h>

#include "base/limits.h"

static void must(bool ok)
{
	if (!ok)
		abort();
}

void desk_open(struct desk *desk, bool with_providers)
{
	const bool has_key[PROVIDER_COUNT] = { with_providers, with_providers, with_providers,
		                               with_providers };
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
	desk->models = store_models_new(NULL, NULL, has_key, &err);
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
