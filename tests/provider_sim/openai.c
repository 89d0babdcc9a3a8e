/* SPDX-License-Identifier: Apache-2.0 */
/* OpenAI Chat Completions as the provider speaks it: prompt tokens include cached ones, and a
 * stream tells usage only if asked to, in one chunk of its own before [DONE]; all other chunks then
 * carry "usage": null. */
#include <assert.h>

#include "tests/provider_sim/sim.h"

#define OUT_MAX (256u << 20)

static const char *const MODELS[] = { "gpt-", "o3", "o4", NULL };
static const char *const CATALOG[] = { "gpt-5.4", "gpt-5.4-mini", "gpt-5.4-nano", NULL };

static const struct net_header HEADERS[] = {
	{ STR_INIT("openai-organization"), STR_INIT("org-simulated-shared") },
	{ STR_INIT("openai-processing-ms"), STR_INIT("7") },
	{ STR_INIT("openai-version"), STR_INIT("2020-10-01") },
	{ STR_INIT("x-ratelimit-limit-requests"), STR_INIT("10000") },
	{ STR_INIT("x-ratelimit-remaining-requests"), STR_INIT("9999") },
	{ STR_INIT("x-ratelimit-reset-requests"), STR_INIT("6ms") },
	{ STR_INIT("x-ratelimit-limit-tokens"), STR_INIT("2000000") },
	{ STR_INIT("x-ratelimit-remaining-tokens"), STR_INIT("1999000") },
	{ STR_INIT("x-ratelimit-reset-tokens"), STR_INIT("30ms") },
};

static const char *const FINISHES[] = {
	[SIM_STOP] = "stop",
	[SIM_LENGTH] = "length",
	[SIM_TOOL] = "tool_calls",
	[SIM_REFUSAL] = "stop", /* the refusal has a field of its own */
	[SIM_BLOCKED] = "content_filter",
};
static_assert(ARRAY_LEN(FINISHES) == SIM_FINISH_COUNT, "a word for each finish");

/* ---- Requests ---- */

static bool refuse_parameter(struct sim_error *error, const char *param, const char *code,
                             const char *why)
{
	(void)sim_refuse(error, 400, "Unsupported parameter: '%s' %s", param, why);
	error->param = param;
	error->code = code;
	return false;
}

/* What the GPT-5.4 family refuses on this endpoint. */
static bool check_reasoning_model(const struct sim_ask *ask, struct sim_error *error)
{
	if (!str_starts(ask->model, STR("gpt-5")))
		return true;
	if (json_get(ask->tree, "max_tokens") != NULL)
		return refuse_parameter(error, "max_tokens", "unsupported_parameter",
		                        "is not supported with this model. Use "
		                        "'max_completion_tokens' instead.");
	struct str effort = json_text(json_get(ask->tree, "reasoning_effort"));
	bool tools = json_count(json_get(ask->tree, "tools")) > 0;
	if (tools && effort.p != NULL && !str_eq(effort, STR("none")))
		return refuse_parameter(error, "reasoning_effort", "unsupported_parameter",
		                        "cannot be used together with function tools here.");
	return true;
}

static bool read_request(const struct net_request *rq, struct sim_ask *ask, struct sim_error *error)
{
	(void)rq;
	int64_t n = 1;
	if (!sim_read_messages(ask, error))
		return false;
	const struct json *options = json_get(ask->tree, "stream_options");
	if (json_is(options, JSON_OBJECT) && !ask->stream)
		return refuse_parameter(error, "stream_options", NULL,
		                        "is only allowed when 'stream' is enabled.");
	ask->include_usage = json_true(json_get(options, "include_usage"));
	if (json_i64(json_get(ask->tree, "n"), &n) && n != 1)
		return refuse_parameter(error, "n", NULL, "is one in the simulator.");
	if (!json_i64(json_get(ask->tree, "max_completion_tokens"), &ask->max_tokens) &&
	    !json_i64(json_get(ask->tree, "max_tokens"), &ask->max_tokens))
		ask->max_tokens = -1;
	return check_reasoning_model(ask, error) && sim_chat_check(ask, error);
}

/* ---- Usage ---- */

static void put_usage(const struct sim_answer *a, struct json_out *o)
{
	const int64_t *n = a->usage.n;
	int64_t prompt = sim_input(a);
	json_put_object(o, "usage");
	if (a->scenario->fault.malformed_usage) {
		json_put_z(o, "prompt_tokens", "many");
		json_put_i64(o, "completion_tokens", -1);
		json_put_end(o, '}');
		return;
	}
	json_put_i64(o, "prompt_tokens", prompt);
	json_put_i64(o, "completion_tokens", n[TOKEN_OUTPUT]);
	json_put_i64(o, "total_tokens", prompt + n[TOKEN_OUTPUT]);
	json_put_object(o, "prompt_tokens_details");
	json_put_i64(o, "cached_tokens", n[TOKEN_CACHE_READ]);
	json_put_i64(o, "cache_write_tokens", n[TOKEN_CACHE_WRITE_5M]);
	json_put_i64(o, "audio_tokens", 0);
	json_put_end(o, '}');
	json_put_object(o, "completion_tokens_details");
	json_put_i64(o, "reasoning_tokens", sim_thoughts(a));
	json_put_i64(o, "audio_tokens", 0);
	json_put_i64(o, "accepted_prediction_tokens", 0);
	json_put_i64(o, "rejected_prediction_tokens", 0);
	json_put_end(o, '}');
	json_put_end(o, '}');
}

static const struct sim_chat CHAT = {
	.finishes = FINISHES,
	.put_usage = put_usage,
};

/* ---- Errors and models ---- */

static void name_error(struct sim_error *error)
{
	error->type = error->status >= 500 ? "server_error" : "invalid_request_error";
	if (error->status == 401)
		error->code = "invalid_api_key";
	if (error->status == 404)
		error->code = "model_not_found";
	if (error->status == 429) {
		error->type = "requests";
		error->code = "rate_limit_exceeded";
	}
	if (error->status == 402) { /* OpenAI has no such status */
		error->status = 429;
		error->type = error->code = "insufficient_quota";
	}
}

static void put_error(const struct sim_error *error, int64_t seq, struct json_out *o)
{
	(void)seq; /* the id is only in the header */
	json_put_object(o, NULL);
	json_put_object(o, "error");
	json_put_z(o, "message", error->message);
	json_put_z(o, "type", error->type);
	json_put_str(o, "param", str_of(error->param));
	json_put_str(o, "code", str_of(error->code));
	json_put_end(o, '}');
	json_put_end(o, '}');
}

static void put_error_event(const struct sim_error *error, int64_t seq, struct sim_frames *f)
{
	OWN_JSON_OUT struct json_out o = json_out_make(OUT_MAX);
	put_error(error, seq, &o);
	sim_frames_add(f, SIM_FRAME_OTHER, NULL, buf_str(&o.text));
}

static void put_models(const struct sim_format *format, struct json_out *o)
{
	json_put_object(o, NULL);
	json_put_z(o, "object", "list");
	json_put_array(o, "data");
	for (const char *const *id = format->catalog; *id != NULL; id++) {
		json_put_object(o, NULL);
		json_put_z(o, "id", *id);
		json_put_z(o, "object", "model");
		json_put_i64(o, "created", SIM_CREATED);
		json_put_z(o, "owned_by", "openai");
		json_put_null(o, "shutdown_date");
		json_put_end(o, '}');
	}
	json_put_end(o, ']');
	json_put_end(o, '}');
}

const struct sim_format sim_openai = {
	.provider = "openai",
	.models = MODELS,
	.catalog = CATALOG,
	.write_classes = 1,
	.authorized = sim_has_bearer,
	.read = read_request,
	.put_whole = sim_chat_put_whole,
	.put_stream = sim_chat_put_stream,
	.put_error = put_error,
	.put_error_event = put_error_event,
	.put_models = put_models,
	.name_error = name_error,
	.chat = &CHAT,
	.id_header = "x-request-id",
	.headers = HEADERS,
	.header_count = ARRAY_LEN(HEADERS),
};
