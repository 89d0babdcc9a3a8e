/* SPDX-License-Identifier: Apache-2.0 */
/* OpenAI Responses, stateless. Nothing may be stored on the shared account or refer to it; tools
 * that the provider would run are taken out of the list, because agents send some by default and
 * would otherwise not work at all: the model then simply does not have them. */
#include "base/json.h"
#include "router/provider_openai.h"

static void url(const char *base, struct str model, bool stream, struct buf *out)
{
	(void)model; /* it stands in the body, and so does `stream` */
	(void)stream;
	buf_add_z(out, base);
	buf_add_z(out, "/responses");
}

static bool check(const struct ask *ask, struct err *err)
{
	static const enum ask_member stateful[] = { ASK_PREVIOUS_RESPONSE_ID, ASK_CONVERSATION,
		                                    ASK_PROMPT };
	bool on = false;

	for (size_t i = 0; i < ARRAY_LEN(stateful); i++)
		if (ask_has(ask, stateful[i]))
			return err_set(
				err, ERR_UNSUPPORTED,
				"'%s' needs stored state, and this router keeps none: send the "
				"whole conversation in 'input'",
				ask_member_name(stateful[i]));
	if (json_raw_bool(ask->member[ASK_BACKGROUND].value, &on) && on)
		return err_set(err, ERR_UNSUPPORTED, "'background' is not offered here");
	if (json_raw_bool(ask->member[ASK_STORE].value, &on) && on)
		return err_set(err, ERR_UNSUPPORTED, "'store' may only be false here");
	return true;
}

/* ---- Tools that stay ---- */

struct filter {
	struct buf *kept;
	struct str type; /* of the element that is being read */
};

static bool runs_here(struct str type)
{
	static const struct str mine[] = { STR_INIT("\"function\""),    STR_INIT("\"custom\""),
		                           STR_INIT("\"local_shell\""), STR_INIT("\"shell\""),
		                           STR_INIT("\"apply_patch\""), STR_INIT("\"namespace\"") };

	for (size_t i = 0; i < ARRAY_LEN(mine); i++)
		if (str_eq(type, mine[i]))
			return true;
	return false;
}

static void visit_tool(void *data, const struct json_span *span)
{
	struct filter *f = data;

	if (span->depth == 2 && str_eq(span->key, STR("type")))
		f->type = span->value;
	if (span->depth != 1)
		return;
	if (runs_here(f->type)) {
		if (f->kept->len > 1)
			buf_add_char(f->kept, ',');
		buf_add(f->kept, span->value);
	}
	f->type = (struct str){ 0 };
}

static void keep_tools(const struct ask *ask, struct splices *s, struct buf *kept)
{
	struct filter f = { .kept = kept };
	struct str tools = ask->member[ASK_TOOLS].value;

	if (!ask->server_tool.p || !tools.p)
		return;
	buf_add_char(kept, '[');
	if (!json_scan(tools, visit_tool, &f, NULL))
		return; /* cannot be: the whole body was scanned */
	buf_add_char(kept, ']');
	ask_set(ask, s, ASK_TOOLS, buf_str(kept), NULL);
}

static void body(const struct ask *ask, struct str upstream_model,
                 const struct provider_buyer *buyer, struct buf *out)
{
	OWN_BUF struct buf added = buf_make(LIMIT_HTTP_HEAD);
	OWN_BUF struct buf cache_key = buf_make(LIMIT_HTTP_BODY);
	OWN_BUF struct buf tools = buf_make(LIMIT_HTTP_BODY);
	struct splices s = { .count = 0 };
	char limit[24];

	ask_set(ask, &s, ASK_MODEL, upstream_model, &added);
	openai_force_terms(ask, &s, &added);
	if (!ask_has(ask, ASK_STORE)) /* the protocol's own default is to store */
		ask_set(ask, &s, ASK_STORE, STR("false"), &added);
	openai_hide_buyer(ask, &s, buyer, &cache_key);
	ask_set_lowered(ask, &s, ASK_MAX_OUTPUT_TOKENS, limit, &added);
	keep_tools(ask, &s, &tools);
	ask_apply(ask, &s, buf_str(&added), out);
}

/* ---- The answer ---- */

static void read_response(struct meter *m, struct str response)
{
	static const char *const keys[] = { "model", "usage" };
	struct str got[2] = { 0 };

	if (!json_pick(response, keys, got, 2, NULL)) {
		m->malformed = true;
		return;
	}
	meter_model(m, got[0]);
	if (got[1].p && !json_raw_is_null(got[1]))
		meter_responses(m, got[1]);
}

static enum event_fate event(struct meter *m, const struct net_sse_event *e, bool wants_usage,
                             struct buf *put)
{
	static const char *const keys[] = { "response" };
	struct str response = { 0 };

	(void)wants_usage; /* usage is part of every stream here, and nothing is rewritten */
	(void)put;
	if (str_ends(e->name, STR(".delta"))) {
		meter_delta(m, e->data, STR("\"delta\":\""));
		return EVENT_PASS;
	}
	if (str_eq(e->name, STR("error")) || str_eq(e->name, STR("response.failed")))
		return EVENT_ERROR;
	if (!str_eq(e->name, STR("response.completed")) &&
	    !str_eq(e->name, STR("response.incomplete")))
		return EVENT_PASS;
	if (json_pick(e->data, keys, &response, 1, NULL) && response.p)
		read_response(m, response);
	return EVENT_LAST;
}

const struct router_provider router_provider_openai_responses = {
	.id = PROVIDER_OPENAI,
	.native = DIALECT_RESPONSES,
	.url = url,
	.check = check,
	.body = body,
	.headers = openai_headers,
	.answer = read_response,
	.event = event,
	.fault = openai_fault,
};
