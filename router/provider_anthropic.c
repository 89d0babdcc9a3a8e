/* SPDX-License-Identifier: Apache-2.0 */
/* Anthropic Messages. Everything passes as it came (betas, both API versions, unknown fields and
 * events, pings); the usage is split between the first event and running totals in the last ones,
 * and the last event is message_stop: there is no other mark of the end. */
#include "base/json.h"
#include "router/provider.h"

/* What runs or stores something at the provider, or changes the price. */
static const enum ask_member refused[] = { ASK_CONTAINER, ASK_MCP_SERVERS, ASK_FALLBACKS };

static void url(const char *base, struct str model, bool stream, struct buf *out)
{
	(void)model; /* it stands in the body, and so does `stream` */
	(void)stream;
	buf_add_z(out, base);
	buf_add_z(out, "/v1/messages");
}

static bool check(const struct ask *ask, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		if (ask_has(ask, refused[i]))
			return err_set(
				err, ERR_UNSUPPORTED,
				"'%s' is not offered here: it cannot be metered; leave it out",
				ask_member_name(refused[i]));
	if (ask_has(ask, ASK_SPEED) &&
	    !json_raw_equals(ask->member[ASK_SPEED].value, STR("standard")))
		return err_set(err, ERR_UNSUPPORTED, "'speed' may only be \"standard\"");
	if (ask_has(ask, ASK_INFERENCE_GEO) &&
	    !json_raw_equals(ask->member[ASK_INFERENCE_GEO].value, STR("global")))
		return err_set(err, ERR_UNSUPPORTED, "'inference_geo' may only be \"global\"");
	if (ask->server_tool.p)
		return err_set(
			err, ERR_UNSUPPORTED,
			"a tool of type %.*s runs at the provider and is not priced here; use "
			"tools that the caller runs",
			STR_ARG(ask->server_tool));
	if (!ask_has(ask, ASK_MAX_TOKENS))
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "'max_tokens' is required by the Messages API");
	return true;
}

static void body(const struct ask *ask, struct str upstream_model,
                 const struct provider_buyer *buyer, struct buf *out)
{
	OWN_BUF struct buf added = buf_make(LIMIT_HTTP_HEAD);
	OWN_BUF struct buf metadata = buf_make(LIMIT_HTTP_HEAD);
	struct splices s = { .count = 0 };
	char limit[24];

	ask_set(ask, &s, ASK_MODEL, upstream_model, &added);
	/* `auto` would spend the account's priority tier. */
	ask_set(ask, &s, ASK_SERVICE_TIER, STR("\"standard_only\""), &added);
	if (ask_has(ask, ASK_METADATA)) {
		buf_add_z(&metadata, "{\"user_id\":");
		buf_add(&metadata, buyer->user);
		buf_add_char(&metadata, '}');
		ask_set(ask, &s, ASK_METADATA, buf_str(&metadata), &added);
	}
	ask_set_lowered(ask, &s, ASK_MAX_TOKENS, limit, &added);
	ask_apply(ask, &s, buf_str(&added), out);
}

static size_t headers(const struct net_request *rq, const char *key, struct buf *authorization,
                      struct net_header out[PROVIDER_HEADERS_MAX])
{
	struct str version = rq ? net_request_header(rq, "anthropic-version") : (struct str){ 0 };
	struct str beta = rq ? net_request_header(rq, "anthropic-beta") : (struct str){ 0 };
	size_t n = 0;

	buf_add_z(authorization, key);
	out[n++] = (struct net_header){ STR("x-api-key"), buf_str(authorization) };
	out[n++] = (struct net_header){ STR("anthropic-version"),
		                        version.p ? version : STR("2023-06-01") };
	out[n++] = (struct net_header){ STR("Content-Type"), STR("application/json") };
	if (beta.p)
		out[n++] = (struct net_header){ STR("anthropic-beta"), beta };
	return n;
}

/* A refusal before any output is reported with tokens, and not billed by the provider. */
static void note_refusal(struct meter *m, struct str stop_reason)
{
	if (json_raw_equals(stop_reason, STR("refusal")) && m->delta_bytes == 0)
		m->unbilled = true;
}

static void answer(struct meter *m, struct str text)
{
	static const char *const keys[] = { "model", "usage", "stop_reason", "content" };
	struct str got[4] = { 0 };

	if (!json_pick(text, keys, got, 4, NULL)) {
		m->malformed = true;
		return;
	}
	meter_model(m, got[0]);
	if (!got[1].p || json_raw_is_null(got[1]))
		return;
	meter_anthropic(m, got[1], true);
	m->reported = !m->malformed && m->input >= 0 && m->output >= 0;
	m->delta_bytes += got[3].len > 2 ? (int64_t)got[3].len : 0;
	if (got[2].p)
		note_refusal(m, got[2]);
}

static void read_start(struct meter *m, struct str data)
{
	static const char *const outer[] = { "message" };
	static const char *const inner[] = { "model", "usage" };
	struct str message = { 0 }, got[2] = { 0 };

	if (!json_pick(data, outer, &message, 1, NULL) || !message.p ||
	    !json_pick(message, inner, got, 2, NULL)) {
		m->malformed = true;
		return;
	}
	meter_model(m, got[0]);
	if (got[1].p && !json_raw_is_null(got[1]))
		meter_anthropic(m, got[1], true);
}

static void read_delta(struct meter *m, struct str data)
{
	static const char *const keys[] = { "usage", "delta" };
	static const char *const delta_keys[] = { "stop_reason" };
	struct str got[2] = { 0 }, stop = { 0 };

	if (!json_pick(data, keys, got, 2, NULL)) {
		m->malformed = true;
		return;
	}
	if (got[1].p && json_pick(got[1], delta_keys, &stop, 1, NULL) && stop.p)
		note_refusal(m, stop);
	if (!got[0].p || json_raw_is_null(got[0]))
		return;
	meter_anthropic(m, got[0], false);
	m->reported = !m->malformed && m->input >= 0 && m->output >= 0;
}

static enum event_fate event(struct meter *m, const struct net_sse_event *e, bool wants_usage,
                             struct buf *put)
{
	(void)wants_usage; /* usage is part of every stream here, and nothing is rewritten */
	(void)put;
	if (str_eq(e->name, STR("content_block_delta"))) {
		meter_delta(m, e->data, STR("\"text\":\""));
		meter_delta(m, e->data, STR("\"thinking\":\""));
		meter_delta(m, e->data, STR("\"partial_json\":\""));
	} else if (str_eq(e->name, STR("message_start"))) {
		read_start(m, e->data);
	} else if (str_eq(e->name, STR("message_delta"))) {
		read_delta(m, e->data);
	} else if (str_eq(e->name, STR("message_stop"))) {
		return EVENT_LAST;
	} else if (str_eq(e->name, STR("error"))) {
		return EVENT_ERROR;
	}
	return EVENT_PASS;
}

static enum upstream_fault fault(int status, struct str text)
{
	if (status == 401 || status == 402 || status == 403)
		return UPSTREAM_OURS;
	if (status == 429)
		return str_find(text, STR("spend_limit")) >= 0 ||
		                       str_find(text, STR("billing_error")) >= 0
		               ? UPSTREAM_OURS
		               : UPSTREAM_BUSY;
	/* "Your credit balance is too low" comes as a 400 and is about our account, not the
	 * caller's. */
	if (status == 400 && str_find(text, STR("credit balance is too low")) >= 0)
		return UPSTREAM_OURS;
	return status >= 500 ? UPSTREAM_BROKEN : UPSTREAM_CALLER;
}

const struct router_provider router_provider_anthropic = {
	.id = PROVIDER_ANTHROPIC,
	.native = DIALECT_ANTHROPIC,
	.url = url,
	.check = check,
	.body = body,
	.write = talk_write_messages,
	.headers = headers,
	.answer = answer,
	.event = event,
	.fault = fault,
	.source_event = talk_source_messages_event,
	.source_answer = talk_source_messages_answer,
};
