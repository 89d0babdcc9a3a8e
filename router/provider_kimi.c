/* SPDX-License-Identifier: Apache-2.0 */
/* Kimi (Moonshot): OpenAI's chat completions with quirks. Requests need so many small changes
 * inside the messages that every call is translated; usage may stand in the last choice, and again
 * at the top, where it wins and is never added. */
#include "base/json.h"
#include "router/provider_openai.h"

static void url(const char *base, struct str model, bool stream, struct buf *out)
{
	(void)model; /* it stands in the body, and so does `stream` */
	(void)stream;
	buf_add_z(out, base);
	buf_add_z(out, "/chat/completions");
}

struct chunk {
	struct str model, usage, choice_usage, error;
};

static void visit_chunk(void *data, const struct json_span *span)
{
	struct chunk *c = data;

	if (span->depth == 3 && str_eq(span->key, STR("usage")) && span->type == JSON_OBJECT)
		c->choice_usage = span->value;
	if (span->depth != 1)
		return;
	if (str_eq(span->key, STR("model")))
		c->model = span->value;
	else if (str_eq(span->key, STR("usage")) && span->type == JSON_OBJECT)
		c->usage = span->value;
	else if (str_eq(span->key, STR("error")))
		c->error = span->value;
}

static bool read_chunk(struct meter *m, struct str data, struct chunk *c)
{
	*c = (struct chunk){ 0 };
	if (!json_scan(data, visit_chunk, c, NULL)) {
		m->malformed = true;
		return false;
	}
	meter_model(m, c->model);
	if (c->usage.p || c->choice_usage.p)
		meter_kimi(m, c->usage.p ? c->usage : c->choice_usage);
	return true;
}

static void answer(struct meter *m, struct str body)
{
	struct chunk c;

	(void)read_chunk(m, body, &c); /* a fault is in the meter */
}

static enum event_fate event(struct meter *m, const struct net_sse_event *e, bool wants_usage,
                             struct buf *put)
{
	struct chunk c;

	(void)wants_usage; /* the sink writes the client's usage */
	(void)put;
	if (!e->data.p)
		return EVENT_PASS;
	if (str_eq(e->data, STR("[DONE]")))
		return EVENT_LAST;
	if (!read_chunk(m, e->data, &c))
		return EVENT_PASS;
	if (c.error.p && !json_raw_is_null(c.error))
		return EVENT_ERROR;
	meter_delta(m, e->data, STR("\"content\":\""));
	meter_delta(m, e->data, STR("\"reasoning_content\":\""));
	meter_delta(m, e->data, STR("\"arguments\":\""));
	return EVENT_PASS;
}

static enum upstream_fault fault(int status, struct str body)
{
	if (status == 401 || status == 402 || status == 403 ||
	    (status == 429 && str_find(body, STR("exceeded_current_quota_error")) >= 0))
		return UPSTREAM_OURS;
	if (status == 429)
		return UPSTREAM_BUSY;
	return status >= 500 ? UPSTREAM_BROKEN : UPSTREAM_CALLER;
}

const struct router_provider router_provider_kimi = {
	.id = PROVIDER_KIMI,
	.native = DIALECT_COUNT,
	.url = url,
	.write = talk_write_chat,
	.headers = openai_headers,
	.answer = answer,
	.event = event,
	.fault = fault,
	.source_event = talk_source_chat_event,
	.source_answer = talk_source_chat_answer,
};
