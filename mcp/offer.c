/* SPDX-License-Identifier: Apache-2.0 */
/* The instructions, which every model reads first, and completions. The first sentence of the
 * instructions says what the server is for: some hosts show no more than that. */
#include "mcp/offer.h"

#include "base/limits.h"
#include "mcp/view.h"

const char mcp__instructions[] =
	"A prepaid store where agents buy LLM credit with an account's money and get API keys to "
	"spend it at OpenAI- and Anthropic-compatible URLs.\n"
	"To buy: catalog_search, catalog_checkout_requirements, quote_create, then purchase_create "
	"with the quote's id and an idempotencyKey of your own. Credit goes into one pool per "
	"account; buying again tops it up. To use it: router_api_key_create gives a key and base "
	"URLs; point any OpenAI or Anthropic client at them and choose a model from "
	"router_models_list.\n"
	"Money: only purchase_create spends the wallet, at once and for good; every other tool is "
	"free. totalPriceMinor is in US cents, ...Usd in US dollars, ...UsdMicros in millionths of "
	"a dollar. Look at wallet_get first, and tell whoever decides the price before you buy. If "
	"a purchase's answer is lost, repeat it with the same idempotencyKey: it cannot buy "
	"twice.\n"
	"Limits: policyVerdict of quote_create says whether a purchase would be allowed. Above the "
	"approval limit this server asks the user itself; a no is final, so do not ask again, "
	"split the purchase or try another way.\n"
	"Secrets: a router key is shown once and is not the purchase key that this server acts "
	"with. Never write either into files, logs or chats that others read; deliver: file keeps "
	"a new key out of the chat where the operator allows it.\n"
	"Ids: quotes live 15 minutes; services, purchases, keys and receipts stay. Everything that "
	"resources (store://...) show can be had by tools too.";

/* ---- Completions ---- */

static void send_values(struct mcp__request *r, const char *const *list, struct str start)
{
	OWN_JSON_OUT struct json_out result = json_out_make(LIMIT_MCP_OUT_LINE);

	mcp__put_completion(&result, list, start);
	mcp__completion_answer(r, buf_str(&result.text));
}

static bool read_argument(const struct mcp__request *r, struct buf *name, struct buf *value)
{
	static const char *const keys[] = { "argument" };
	static const char *const members[] = { "name", "value" };
	struct str argument = { 0 }, picked[ARRAY_LEN(members)];

	return json_pick(mcp__request_params(r), keys, &argument, 1, NULL) && argument.p &&
	       json_pick(argument, members, picked, ARRAY_LEN(members), NULL) &&
	       json_raw_string(picked[0], name) && json_raw_string(picked[1], value);
}

bool mcp__completion_errand(struct mcp__request *r, struct mcp__errand *out)
{
	static const char *const nothing[] = { NULL };
	OWN_BUF struct buf argument = buf_make(LIMIT_MCP_LINE);
	OWN_BUF struct buf value = buf_make(LIMIT_MCP_LINE);
	const char *const *list = NULL;
	const char *of = NULL;
	struct str name = mcp__request_name(r);

	if (!read_argument(r, &argument, &value) ||
	    (!mcp__prompt_completes(name, buf_str(&argument), &list, &of) &&
	     !mcp__template_completes(name, buf_str(&argument), &of))) {
		mcp__request_fail(r, RPC_INVALID_PARAMS,
		                  "'ref' must name a prompt of prompts/list or a template of "
		                  "resources/templates/list",
		                  (struct str){ 0 });
		return false;
	}
	if (!of) {
		send_values(r, list ? list : nothing, buf_str(&value));
		return false;
	}
	out->kind = "view";
	out->name = "completion";
	json_put_object(&out->arguments, NULL);
	json_put_z(&out->arguments, "of", of);
	json_put_str(&out->arguments, "value", buf_str(&value));
	json_put_end(&out->arguments, '}');
	return true;
}

void mcp__completion_answer(struct mcp__request *r, struct str raw_result)
{
	static const char *const keys[] = { "completion" };
	struct str completion = { 0 };
	struct json_out *o = mcp__result_begin(r, raw_result.len);
	struct err err;

	if (!raw_result.p || !json_pick(raw_result, keys, &completion, 1, NULL) || !completion.p)
		completion = STR("{\"values\":[],\"total\":0,\"hasMore\":false}");
	json_put_raw(o, "completion", completion);
	if (!mcp__result_send(r, &err))
		mcp__request_fail(r, RPC_INTERNAL_ERROR, err.text, (struct str){ 0 });
}
