/* SPDX-License-Identifier: Apache-2.0 */
/* Google Gemini, its own generateContent. The model stands in the path, the key in a header (never
 * in the query, which lands in logs). Each chunk of a stream carries the usage so far, and the
 * stream ends with its connection: a chunk with a finish reason is what makes that an end. */
#include "base/json.h"
#include "router/provider.h"

static void url(const char *base, struct str model, bool stream, struct buf *out)
{
	buf_add_z(out, base);
	buf_add_z(out, "/v1beta/models/");
	buf_add(out, model);
	buf_add_z(out, stream ? ":streamGenerateContent?alt=sse" : ":generateContent");
}

static size_t headers(const struct net_request *rq, const char *key, struct buf *authorization,
                      struct net_header out[PROVIDER_HEADERS_MAX])
{
	(void)rq; /* every call is translated */
	buf_add_z(authorization, key);
	out[0] = (struct net_header){ STR("x-goog-api-key"), buf_str(authorization) };
	out[1] = (struct net_header){ STR("Content-Type"), STR("application/json") };
	return 2;
}

struct chunk {
	struct str model, usage, error;
	bool finished;
};

/* A finish reason of any candidate, or a blocked prompt, ends the answer. */
static void visit_chunk(void *data, const struct json_span *span)
{
	struct chunk *c = data;

	if (span->depth == 1 && str_eq(span->key, STR("modelVersion")))
		c->model = span->value;
	else if (span->depth == 1 && str_eq(span->key, STR("usageMetadata")))
		c->usage = span->value;
	else if (span->depth == 1 && str_eq(span->key, STR("error")))
		c->error = span->value;
	else if (str_eq(span->key, STR("finishReason")) && span->depth == 3)
		c->finished |= span->type == JSON_STRING &&
		               !json_raw_equals(span->value, STR("FINISH_REASON_UNSPECIFIED"));
	else if (str_eq(span->key, STR("blockReason")) && span->depth == 2)
		c->finished |= span->type == JSON_STRING;
}

static bool read_chunk(struct meter *m, struct str data, struct chunk *c)
{
	*c = (struct chunk){ 0 };
	if (!json_scan(data, visit_chunk, c, NULL)) {
		m->malformed = true;
		return false;
	}
	meter_model(m, c->model);
	if (c->usage.p)
		meter_gemini(m, c->usage);
	m->finished |= c->finished;
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

	(void)wants_usage;
	(void)put;
	if (!e->data.p || !read_chunk(m, e->data, &c))
		return EVENT_PASS;
	if (c.error.p)
		return EVENT_ERROR;
	meter_delta(m, e->data, STR("\"text\":\""));
	meter_delta(m, e->data, STR("\"text\": \""));
	return EVENT_PASS;
}

static enum upstream_fault fault(int status, struct str body)
{
	if (status == 401 || status == 402 || status == 403 ||
	    (status == 400 && str_find(body, STR("API_KEY_INVALID")) >= 0))
		return UPSTREAM_OURS;
	if (status == 429)
		return UPSTREAM_BUSY;
	return status >= 500 || status == 499 ? UPSTREAM_BROKEN : UPSTREAM_CALLER;
}

const struct router_provider router_provider_google = {
	.id = PROVIDER_GOOGLE,
	.native = DIALECT_COUNT,
	.eof_ends = true,
	.url = url,
	.write = talk_write_gemini,
	.headers = headers,
	.answer = answer,
	.event = event,
	.fault = fault,
	.source_event = talk_source_gemini_event,
	.source_answer = talk_source_gemini_answer,
	.source_eof = talk_source_gemini_eof,
};
