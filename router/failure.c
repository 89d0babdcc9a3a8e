/* SPDX-License-Identifier: Apache-2.0 */
/* One table from our codes to the types and codes that the two SDKs know. The SDKs retry 408, 409,
 * 429 and 5xx on their own; x-should-retry stops them where a retry cannot help. */
#include "router/failure.h"

#include <assert.h>

#include "base/json.h"

struct words {
	const char *openai_type, *openai_code, *anthropic_type;
	bool final; /* a retry is of no use */
};

static const struct words words[] = {
	[ERR_NONE] = { "server_error", NULL, "api_error", false },
	[ERR_INVALID_ARGUMENT] = { "invalid_request_error", NULL, "invalid_request_error", true },
	[ERR_NOT_FOUND] = { "invalid_request_error", "not_found", "not_found_error", true },
	[ERR_UNAUTHORIZED] = { "invalid_request_error", "invalid_api_key", "authentication_error",
	                       true },
	[ERR_FORBIDDEN] = { "invalid_request_error", "model_not_allowed", "permission_error",
	                    true },
	[ERR_QUOTE_EXPIRED] = { "invalid_request_error", NULL, "invalid_request_error", true },
	[ERR_INSUFFICIENT_FUNDS] = { "insufficient_quota", "insufficient_quota", "billing_error",
	                             true },
	[ERR_POLICY_REFUSED] = { "invalid_request_error", NULL, "permission_error", true },
	[ERR_APPROVAL_REQUIRED] = { "invalid_request_error", NULL, "permission_error", true },
	[ERR_IDEMPOTENCY_CONFLICT] = { "invalid_request_error", NULL, "conflict_error", true },
	[ERR_IDEMPOTENCY_IN_FLIGHT] = { "invalid_request_error", NULL, "conflict_error", false },
	[ERR_CONFLICT] = { "invalid_request_error", NULL, "conflict_error", true },
	[ERR_RATE_LIMITED] = { "requests", "rate_limit_exceeded", "rate_limit_error", false },
	[ERR_TOO_LARGE] = { "invalid_request_error", "request_too_large", "request_too_large",
	                    true },
	[ERR_UNSUPPORTED] = { "invalid_request_error", "unsupported_parameter",
	                      "invalid_request_error", true },
	[ERR_TIMEOUT] = { "server_error", NULL, "timeout_error", false },
	[ERR_UNAVAILABLE] = { "server_error", NULL, "api_error", false },
	[ERR_STORAGE] = { "server_error", NULL, "api_error", false },
	[ERR_INTERNAL] = { "server_error", NULL, "api_error", false },
};
static_assert(ARRAY_LEN(words) == ERR_CODE_COUNT, "words for every code");

struct failure failure_of(const struct err *err)
{
	return (struct failure){
		.code = err->code,
		.text = err->text,
		.funds = err->code == ERR_INSUFFICIENT_FUNDS ? &err->funds : NULL,
		.affordable_tokens = -1,
	};
}

int failure_status(const struct failure *f)
{
	return f->status ? f->status : err_http_status(f->code);
}

static void put_funds(struct json_out *o, const struct failure *f)
{
	if (!f->funds)
		return;
	json_put_usd(o, "requiredUsd", money_of_micros(f->funds->required));
	json_put_usd(o, "availableUsd", money_of_micros(f->funds->available));
	json_put_usd(o, "heldUsd", money_of_micros(f->funds->held));
	if (f->affordable_tokens >= 0)
		json_put_i64(o, "affordableMaxTokens", f->affordable_tokens);
}

static void put_openai(struct json_out *o, const struct failure *f)
{
	const struct words *w = &words[f->code];
	const char *code =
		f->model && f->code == ERR_NOT_FOUND ? "model_not_found" : w->openai_code;

	json_put_object(o, NULL);
	json_put_object(o, "error");
	json_put_z(o, "message", f->text);
	json_put_z(o, "type", w->openai_type);
	json_put_null(o, "param");
	json_put_str(o, "code", str_of(code));
	put_funds(o, f);
	json_put_end(o, '}');
	json_put_end(o, '}');
}

static void put_anthropic(struct json_out *o, const struct failure *f, const char *request_id)
{
	json_put_object(o, NULL);
	json_put_z(o, "type", "error");
	json_put_object(o, "error");
	json_put_z(o, "type",
	           f->status == 529 ? "overloaded_error" : words[f->code].anthropic_type);
	json_put_z(o, "message", f->text);
	put_funds(o, f);
	json_put_end(o, '}');
	if (request_id)
		json_put_z(o, "request_id", request_id);
	json_put_end(o, '}');
}

void failure_put(const struct failure *f, enum dialect dialect, const char *request_id,
                 struct buf *out)
{
	OWN_JSON_OUT struct json_out o = json_out_make(4096);

	if (dialect == DIALECT_ANTHROPIC)
		put_anthropic(&o, f, request_id);
	else
		put_openai(&o, f);
	buf_add(out, buf_str(&o.text));
}

/* Responses: `response.failed`, whose response.error.code clients act on. */
static void put_responses_event(const struct failure *f, const char *request_id, struct buf *out)
{
	OWN_JSON_OUT struct json_out o = json_out_make(4096);
	const char *code = words[f->code].openai_code;

	json_put_object(&o, NULL);
	json_put_z(&o, "type", "response.failed");
	json_put_object(&o, "response");
	json_put_z(&o, "id", request_id ? request_id : "");
	json_put_z(&o, "object", "response");
	json_put_z(&o, "status", "failed");
	json_put_object(&o, "error");
	json_put_z(&o, "code", code ? code : words[f->code].openai_type);
	json_put_z(&o, "message", f->text);
	json_put_end(&o, '}');
	json_put_end(&o, '}');
	json_put_end(&o, '}');
	buf_add_z(out, "event: response.failed\ndata: ");
	buf_add(out, buf_str(&o.text));
	buf_add_z(out, "\n\n");
}

void failure_put_event(const struct failure *f, enum dialect dialect, const char *request_id,
                       struct buf *out)
{
	if (dialect == DIALECT_RESPONSES) {
		put_responses_event(f, request_id, out);
		return;
	}
	buf_add_z(out, dialect == DIALECT_ANTHROPIC ? "event: error\ndata: " : "data: ");
	failure_put(f, dialect, request_id, out);
	buf_add_z(out, "\n\n");
}

void failure_reply(const struct failure *f, enum dialect dialect, const char *request_id,
                   struct str retry_after, struct net_request *rq)
{
	OWN_BUF struct buf body = buf_make(8192);
	struct net_header h[6];
	size_t n = 0;

	h[n++] = (struct net_header){ STR("Content-Type"), STR("application/json") };
	if (request_id) {
		h[n++] = (struct net_header){ STR("x-request-id"), str_of(request_id) };
		if (dialect == DIALECT_ANTHROPIC)
			h[n++] = (struct net_header){ STR("request-id"), str_of(request_id) };
	}
	if (words[f->code].final)
		h[n++] = (struct net_header){ STR("x-should-retry"), STR("false") };
	if (retry_after.p)
		h[n++] = (struct net_header){ STR("retry-after"), retry_after };
	failure_put(f, dialect, request_id, &body);
	net_reply(rq, failure_status(f), h, n, buf_str(&body));
}
