/* SPDX-License-Identifier: Apache-2.0 */
/* The store as the protocol core serves it: what is offered, and how a tool call becomes work for
 * the shop and its answer a result. The surprising fact: nothing here knows which era a host
 * speaks. */
#include <stdlib.h>

#include "base/limits.h"
#include "base/secret.h"
#include "mcp/approval.h"
#include "mcp/core.h"
#include "mcp/mcp.h"
#include "mcp/tool.h"
#include "mcp/tool_result.h"
#include "mcp/work.h"

#define LIST_TTL_MS INT64_C(3600000) /* lists change with the program only */
#define ERROR_MAX 4096               /* bytes of an error of our own */

static const char INSTRUCTIONS[] =
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
	"Secrets: a router key is shown once and is not the purchase key that this server acts "
	"with. Never write either into files, logs or chats that others read.\n"
	"Ids: quotes live 15 minutes; services, purchases, keys and receipts stay.";

struct mcp_session {
	struct mcp_session_io io;
	struct secret key;
	char *key_folder; /* NULL: none */
	struct mcp__core *core;
};

/* ---- Answers ---- */

/* An error of ours is small: it is sent whatever happens. */
static void send_failure(struct mcp__request *r, struct str raw_error)
{
	struct err err;

	mcp__put_failure(mcp__result_begin(r, 4 * raw_error.len), raw_error);
	if (!mcp__result_send(r, &err))
		mcp__request_fail(r, RPC_INTERNAL_ERROR, err.text, (struct str){ 0 });
}

static void send_error(struct mcp__request *r, const struct err *why)
{
	OWN_JSON_OUT struct json_out error = json_out_make(ERROR_MAX);

	mcp__put_error(&error, NULL, why);
	send_failure(r, buf_str(&error.text));
}

/* A result is there twice, escaped once: four times its length is room enough, so that a key in it
 * is wiped wholly. */
static void send_result(struct mcp__request *r, struct str result)
{
	struct err err;

	mcp__put_success(mcp__result_begin(r, 4 * result.len), result);
	if (!mcp__result_send(r, &err))
		send_error(r, &err);
}

void mcp_session_answer(struct mcp_session *s, int64_t number, struct str answer)
{
	static const char *const keys[] = { "result", "error" };
	struct mcp__request *r = mcp__core_request(s->core, number);
	struct str picked[ARRAY_LEN(keys)];
	struct err err;

	if (!r)
		return; /* cancelled, or answered before */
	mcp__request_set_data(r, NULL);
	if (!json_pick(answer, keys, picked, ARRAY_LEN(keys), &err))
		send_error(r, &err);
	else if (picked[1].p && mcp__approval_ask(r, picked[1]))
		return;
	else if (picked[1].p)
		send_failure(r, picked[1]);
	else
		send_result(r, picked[0].p ? picked[0] : STR("{}"));
}

/* ---- Calls ---- */

/* The request for the shop holds the purchase key, so its memory is not moved and is wiped. */
static void send_work(struct mcp_session *s, struct mcp__request *r, const char *tool)
{
	struct str arguments = mcp__request_arguments(r);
	struct json_out work = json_out_make(LIMIT_MCP_LINE + 1024);

	(void)!buf_reserve(&work.text, arguments.len + 1024);
	json_put_object(&work, NULL);
	json_put_z(&work, "tool", tool);
	if (arguments.p)
		json_put_raw(&work, "arguments", arguments);
	if (secret_str(&s->key).len > 0)
		json_put_str(&work, "key", secret_str(&s->key));
	mcp__approval_put(r, &work);
	if (s->key_folder)
		json_put_z(&work, "keyFolder", s->key_folder);
	json_put_end(&work, '}');
	mcp__request_set_data(r, s); /* its work is under way */
	s->io.call(s->io.data, mcp__request_number(r), buf_str(&work.text));
	buf_wipe(&work.text);
	json_out_done(&work);
}

static void call_tool(struct mcp_session *s, struct mcp__request *r)
{
	const struct mcp__tool *tool = mcp__tool_find(mcp__request_name(r));

	if (!tool) {
		mcp__request_fail(r, RPC_INVALID_PARAMS,
		                  "'name' must be the name of a tool of tools/list",
		                  (struct str){ 0 });
		return;
	}
	mcp__request_waits(r, "waiting for the store");
	/* It may answer at once. */
	send_work(s, r, tool->name);
}

static void run(void *data, struct mcp__request *r)
{
	switch (mcp__request_asked(r)) {
	case MCP__ASKED_TOOL:
		call_tool(data, r);
		return;
	case MCP__ASKED_PROMPT:
	case MCP__ASKED_RESOURCE:
	case MCP__ASKED_COMPLETION:
	case MCP__ASKED_SUBSCRIBE:
	case MCP__ASKED_UNSUBSCRIBE:
		break; /* not offered */
	}
	mcp__request_fail(r, RPC_METHOD_NOT_FOUND, "unknown method", (struct str){ 0 });
}

static void dropped(void *data, struct mcp__request *r)
{
	struct mcp_session *s = data;

	if (s->io.forget && mcp__request_data(r))
		s->io.forget(s->io.data, mcp__request_number(r));
}

/* ---- The server ---- */

static void list_tools(void *data, struct json_out *o, const char *key)
{
	(void)data; /* the list depends on nobody */
	mcp__put_tools(o, key);
}

static const struct mcp__server SERVER = {
	.name = "agent-store",
	.title = "Agent Store",
	.version = AGENT_STORE_VERSION,
	.instructions = INSTRUCTIONS,
	.offers = MCP__OFFERS_TOOLS,
	.tools = { list_tools, LIST_TTL_MS },
	.run = run,
	.dropped = dropped,
};

/* ---- Life ---- */

struct mcp_session *mcp_session_new(const struct mcp_session_io *io,
                                    const struct mcp_allowance *allowance, struct err *err)
{
	const struct mcp__core_io core_io = {
		.line = io->line, .wake = io->wake, .data = io->data, .env = io->env
	};
	struct mcp_session *s = calloc(1, sizeof(*s));

	if (!s) {
		(void)err_no_memory(err);
		return NULL;
	}
	s->io = *io;
	if (allowance->purchase_key)
		secret_set(&s->key, str_of(allowance->purchase_key));
	if (allowance->key_folder && allowance->key_folder[0] != '\0') {
		s->key_folder = str_dup(str_of(allowance->key_folder));
		if (!s->key_folder) {
			(void)err_no_memory(err);
			goto failed;
		}
	}
	s->core = mcp__core_new(&SERVER, s, &core_io, err);
	if (!s->core)
		goto failed;
	return s;
failed:
	mcp_session_free(s);
	return NULL;
}

void mcp_session_feed(struct mcp_session *s, struct str bytes)
{
	mcp__core_feed(s->core, bytes);
}

void mcp_session_tick(struct mcp_session *s)
{
	mcp__core_tick(s->core);
}

void mcp_session_end(struct mcp_session *s)
{
	mcp__core_end(s->core);
}

size_t mcp_session_in_flight(const struct mcp_session *s)
{
	return mcp__core_in_flight(s->core);
}

void mcp_session_free(struct mcp_session *s)
{
	if (!s)
		return;
	s->io.forget = NULL; /* whoever frees us has forgotten the work already */
	mcp__core_free(s->core);
	secret_wipe(&s->key);
	free(s->key_folder);
	free(s);
}
