/* SPDX-License-Identifier: Apache-2.0 */
/* OpenAI Chat Completions. Usage comes in one chunk at the very end of a stream, and only if asked
 * for: it is always asked for upstream, and taken out again for a client that did not ask. */
#include <string.h>

#include "base/json.h"
#include "router/provider_openai.h"

/* What multiplies the price, or costs beside the tokens, and is not priced. */
static const enum ask_member refused[] = { ASK_AUDIO, ASK_PREDICTION, ASK_WEB_SEARCH_OPTIONS,
	                                   ASK_MODERATION };

static void url(const char *base, struct str model, bool stream, struct buf *out)
{
	(void)model; /* it stands in the body, and so does `stream` */
	(void)stream;
	buf_add_z(out, base);
	buf_add_z(out, "/chat/completions");
}

static bool check(const struct ask *ask, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		if (ask_has(ask, refused[i]))
			return err_set(
				err, ERR_UNSUPPORTED,
				"'%s' is not offered here: its price is not in the token classes; "
				"leave it out",
				ask_member_name(refused[i]));
	if (ask_has(ask, ASK_MODALITIES) &&
	    str_find(ask->member[ASK_MODALITIES].value, STR("audio")) >= 0)
		return err_set(err, ERR_UNSUPPORTED, "'modalities' may only be [\"text\"]");
	if (ask->server_tool.p)
		return err_set(err, ERR_UNSUPPORTED,
		               "a tool of type %.*s runs at the provider and is not priced here",
		               STR_ARG(ask->server_tool));
	return true;
}

/* A cache key of one buyer must not meet another's on the shared account. */
static void put_cache_key(const struct ask *ask, struct splices *s,
                          const struct provider_buyer *buyer, struct buf *key)
{
	struct str old = ask->member[ASK_PROMPT_CACHE_KEY].value;

	if (!ask_has(ask, ASK_PROMPT_CACHE_KEY) || old.len < 2 || old.p[0] != '"')
		return;
	buf_add(key, (struct str){ buyer->user.p, buyer->user.len - 1 });
	buf_add_char(key, ':');
	buf_add(key, (struct str){ old.p + 1, old.len - 1 });
	ask_set(ask, s, ASK_PROMPT_CACHE_KEY, buf_str(key), NULL);
}

void openai_hide_buyer(const struct ask *ask, struct splices *s, const struct provider_buyer *buyer,
                       struct buf *key)
{
	if (ask_has(ask, ASK_USER))
		ask_set(ask, s, ASK_USER, buyer->user, NULL);
	if (ask_has(ask, ASK_SAFETY_IDENTIFIER))
		ask_set(ask, s, ASK_SAFETY_IDENTIFIER, buyer->user, NULL);
	put_cache_key(ask, s, buyer, key);
}

void openai_force_terms(const struct ask *ask, struct splices *s, struct buf *added)
{
	/* The project's own tier would decide the price otherwise. */
	ask_set(ask, s, ASK_SERVICE_TIER, STR("\"default\""), added);
	if (ask_has(ask, ASK_STORE))
		ask_set(ask, s, ASK_STORE, STR("false"), added);
	if (ask_has(ask, ASK_METADATA))
		ask_set(ask, s, ASK_METADATA, STR("null"), added);
}

static void body(const struct ask *ask, struct str upstream_model,
                 const struct provider_buyer *buyer, struct buf *out)
{
	OWN_BUF struct buf added = buf_make(LIMIT_HTTP_HEAD);
	OWN_BUF struct buf cache_key = buf_make(LIMIT_HTTP_BODY);
	struct splices s = { .count = 0 };
	bool old_limit = ask_has(ask, ASK_MAX_TOKENS) && !ask_has(ask, ASK_MAX_COMPLETION_TOKENS);
	char limit[24];

	ask_set(ask, &s, ASK_MODEL, upstream_model, &added);
	openai_force_terms(ask, &s, &added);
	openai_hide_buyer(ask, &s, buyer, &cache_key);
	if (ask->stream)
		ask_set(ask, &s, ASK_STREAM_OPTIONS,
		        STR("{\"include_usage\":true,\"include_obfuscation\":false}"), &added);
	ask_set_lowered(ask, &s, old_limit ? ASK_MAX_TOKENS : ASK_MAX_COMPLETION_TOKENS, limit,
	                &added);
	if (old_limit) /* the reasoning models refuse the old name */
		ask_rename(ask, &s, ASK_MAX_TOKENS, STR("max_completion_tokens"));
	ask_apply(ask, &s, buf_str(&added), out);
}

size_t openai_headers(const struct net_request *rq, const char *key, struct buf *authorization,
                      struct net_header out[PROVIDER_HEADERS_MAX])
{
	(void)rq; /* nothing of the caller's head concerns the shared account */
	buf_add_z(authorization, "Bearer ");
	buf_add_z(authorization, key);
	out[0] = (struct net_header){ STR("Authorization"), buf_str(authorization) };
	out[1] = (struct net_header){ STR("Content-Type"), STR("application/json") };
	return 2;
}

static void answer(struct meter *m, struct str text)
{
	static const char *const keys[] = { "model", "usage" };
	struct str got[2] = { 0 };

	if (!json_pick(text, keys, got, 2, NULL)) {
		m->malformed = true;
		return;
	}
	meter_model(m, got[0]);
	if (got[1].p && !json_raw_is_null(got[1]))
		meter_openai(m, got[1]);
}

/* The members of a chunk that matter here. */
struct chunk {
	struct str model, usage, choices, error;
	size_t usage_start;
};

static void visit_chunk(void *data, const struct json_span *span)
{
	struct chunk *c = data;

	if (span->depth != 1)
		return;
	if (str_eq(span->key, STR("usage"))) {
		c->usage = span->value;
		c->usage_start = span->start;
	} else if (str_eq(span->key, STR("choices"))) {
		c->choices = span->value;
	} else if (str_eq(span->key, STR("model"))) {
		c->model = span->value;
	} else if (str_eq(span->key, STR("error"))) {
		c->error = span->value;
	}
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The chunk without its `"usage":null`, for a client that did not ask for usage. */
static void put_without_usage(struct str data, const struct chunk *c, struct buf *put)
{
	size_t start = c->usage_start;
	size_t end = (size_t)(c->usage.p - data.p) + c->usage.len;

	while (start > 0 && is_space(data.p[start - 1]))
		start--;
	if (start > 0 && data.p[start - 1] == ',')
		start--;
	else if (end < data.len && data.p[end] == ',')
		end++;
	buf_add_z(put, "data: ");
	buf_add(put, (struct str){ data.p, start });
	buf_add(put, (struct str){ data.p + end, data.len - end });
	buf_add_z(put, "\n\n");
}

/* "choices": [] marks the chunk that was sent for the usage alone. */
static bool is_empty_array(struct str raw)
{
	return raw.len >= 2 && raw.p[0] == '[' &&
	       str_trim((struct str){ raw.p + 1, raw.len - 2 }).len == 0;
}

static enum event_fate event(struct meter *m, const struct net_sse_event *e, bool wants_usage,
                             struct buf *put)
{
	struct chunk c = { 0 };

	if (!e->data.p)
		return EVENT_PASS;
	if (str_eq(e->data, STR("[DONE]")))
		return EVENT_LAST;
	meter_delta(m, e->data, STR("\"content\":\""));
	meter_delta(m, e->data, STR("\"arguments\":\""));
	/* Most chunks need no look inside: no usage, no error, and the model is known. */
	if (m->model[0] && str_find(e->data, STR("\"usage\"")) < 0 &&
	    str_find(e->data, STR("\"error\"")) < 0)
		return EVENT_PASS;
	if (!json_scan(e->data, visit_chunk, &c, NULL)) {
		m->malformed = true;
		return EVENT_PASS;
	}
	if (c.error.p && !json_raw_is_null(c.error))
		return EVENT_ERROR;
	meter_model(m, c.model);
	if (!c.usage.p)
		return EVENT_PASS;
	if (!json_raw_is_null(c.usage)) {
		meter_openai(m, c.usage);
		if (!wants_usage && is_empty_array(c.choices))
			return EVENT_DROP;
	}
	if (!wants_usage)
		put_without_usage(e->data, &c, put);
	return EVENT_PASS;
}

enum upstream_fault openai_fault(int status, struct str body)
{
	if (status == 401 || status == 402 || status == 403)
		return UPSTREAM_OURS;
	if (status == 429)
		return str_find(body, STR("insufficient_quota")) >= 0 ||
		                       str_find(body, STR("spend_limit")) >= 0 ||
		                       str_find(body, STR("usage_limit")) >= 0 ||
		                       str_find(body, STR("credit_balance")) >= 0
		               ? UPSTREAM_OURS
		               : UPSTREAM_BUSY;
	return status >= 500 ? UPSTREAM_BROKEN : UPSTREAM_CALLER;
}

const struct router_provider router_provider_openai = {
	.id = PROVIDER_OPENAI,
	.native = DIALECT_OPENAI,
	.url = url,
	.check = check,
	.body = body,
	.write = talk_write_chat,
	.headers = openai_headers,
	.answer = answer,
	.event = event,
	.fault = openai_fault,
	.source_event = talk_source_chat_event,
	.source_answer = talk_source_chat_answer,
};
