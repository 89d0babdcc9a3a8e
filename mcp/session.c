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
#include "mcp/offer.h"
#include "mcp/tool.h"
#include "mcp/tool_result.h"
#include "mcp/work.h"

#define LIST_TTL_MS INT64_C(3600000) /* lists change with the program only */
#define ERROR_MAX 4096               /* bytes of an error of our own */
#define ERRAND_MAX 4096              /* of its arguments */

struct mcp_session {
	struct mcp_session_io io;
	struct env env;
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

static void refuse(struct mcp__request *r, struct str raw_error)
{
	enum mcp__asked asked = mcp__request_asked(r);

	if (asked == MCP__ASKED_RESOURCE)
		mcp__resource_fail(r, raw_error);
	else if (asked == MCP__ASKED_COMPLETION)
		mcp__completion_answer(r, (struct str){ 0 });
	else if (!mcp__approval_ask(r, raw_error))
		send_failure(r, raw_error);
}

static void serve(struct mcp__request *r, struct str raw_result)
{
	enum mcp__asked asked = mcp__request_asked(r);

	if (asked == MCP__ASKED_RESOURCE)
		mcp__resource_answer(r, raw_result);
	else if (asked == MCP__ASKED_COMPLETION)
		mcp__completion_answer(r, raw_result);
	else
		send_result(r, raw_result);
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
	else if (picked[1].p)
		refuse(r, picked[1]);
	else
		serve(r, picked[0].p ? picked[0] : STR("{}"));
}

/* ---- Calls ---- */

/* The request for the shop holds the purchase key, so its memory is not moved and is wiped. */
static void send_work(struct mcp_session *s, struct mcp__request *r, const char *kind,
                      const char *name, struct str arguments)
{
	struct json_out work = json_out_make(LIMIT_MCP_LINE + 1024);

	(void)!buf_reserve(&work.text, arguments.len + 1024);
	json_put_object(&work, NULL);
	json_put_z(&work, kind, name);
	if (arguments.p)
		json_put_raw(&work, "arguments", arguments);
	if (secret_str(&s->key).len > 0)
		json_put_str(&work, "key", secret_str(&s->key));
	if (mcp__request_asked(r) == MCP__ASKED_TOOL)
		mcp__approval_put(r, &work);
	if (s->key_folder)
		json_put_z(&work, "keyFolder", s->key_folder);
	json_put_end(&work, '}');
	mcp__request_set_data(r, s); /* its work is under way */
	mcp__request_waits(r, "waiting for the store");
	s->io.call(s->io.data, mcp__request_number(r), buf_str(&work.text)); /* may answer */
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
	send_work(s, r, "tool", tool->name, mcp__request_arguments(r));
}

typedef bool errand_fn(struct mcp__request *r, struct mcp__errand *out);

static void run_errand(struct mcp_session *s, struct mcp__request *r, errand_fn *read)
{
	struct mcp__errand errand = { .arguments = json_out_make(ERRAND_MAX) };
	struct err err;

	if (read(r, &errand)) {
		if (json_out_ok(&errand.arguments, &err))
			send_work(s, r, errand.kind, errand.name, buf_str(&errand.arguments.text));
		else
			mcp__request_fail(r, RPC_INVALID_PARAMS, err.text, (struct str){ 0 });
	}
	json_out_done(&errand.arguments);
}

static void run(void *data, struct mcp__request *r)
{
	struct mcp_session *s = data;

	switch (mcp__request_asked(r)) {
	case MCP__ASKED_TOOL:
		call_tool(s, r);
		return;
	case MCP__ASKED_PROMPT:
		mcp__prompt_get(r, &s->env);
		return;
	case MCP__ASKED_RESOURCE:
		run_errand(s, r, mcp__resource_errand);
		return;
	case MCP__ASKED_COMPLETION:
		run_errand(s, r, mcp__completion_errand);
		return;
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
	.instructions = mcp__instructions,
	.offers = MCP__OFFERS_TOOLS | MCP__OFFERS_PROMPTS | MCP__OFFERS_RESOURCES |
	          MCP__OFFERS_COMPLETIONS,
	.tools = { list_tools, LIST_TTL_MS },
	.prompts = { mcp__put_prompts, LIST_TTL_MS },
	.resources = { mcp__put_resources, LIST_TTL_MS },
	.templates = { mcp__put_templates, LIST_TTL_MS },
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
	s->env = io->env ? *io->env : env_real();
	if (allowance && allowance->purchase_key)
		secret_set(&s->key, str_of(allowance->purchase_key));
	if (allowance && allowance->key_folder && allowance->key_folder[0] != '\0') {
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
