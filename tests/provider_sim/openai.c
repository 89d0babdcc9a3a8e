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
};
static_assert(ARRAY_LEN(FINISHES) == SIM_FINISH_COUNT, "a word for each finish");

/* ---- Requests ---- */

static bool authorized(const struct net_request *rq, struct str key)
{
	struct str value = net_request_header(rq, "authorization");
	if (!str_starts(value, STR("Bearer ")))
		return false;
	return str_eq((struct str){ value.p + 7, value.len - 7 }, key);
}

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
	const struct json *options = json_get(ask->tree, "stream_options");
	int64_t n = 1;
	if (json_is(options, JSON_OBJECT) && !ask->stream)
		return refuse_parameter(error, "stream_options", NULL,
		                        "is only allowed when 'stream' is enabled.");
	ask->include_usage = json_true(json_get(options, "include_usage"));
	if (json_i64(json_get(ask->tree, "n"), &n) && n != 1)
		return refuse_parameter(error, "n", NULL, "is one in the simulator.");
	if (!json_i64(json_get(ask->tree, "max_completion_tokens"), &ask->max_tokens) &&
	    !json_i64(json_get(ask->tree, "max_tokens"), &ask->max_tokens))
		ask->max_tokens = -1;
	return check_reasoning_model(ask, error);
}

/* ---- Usage ---- */

static void put_usage(const struct sim_answer *a, struct json_out *o)
{
	const int64_t *n = a->usage.n;
	int64_t prompt = n[TOKEN_UNCACHED_INPUT] + n[TOKEN_CACHE_READ] + n[TOKEN_CACHE_WRITE_5M];
	int64_t thoughts = (int64_t)a->scenario->reasoning.len / 4;
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
	json_put_i64(o, "reasoning_tokens",
	             thoughts < n[TOKEN_OUTPUT] ? thoughts : n[TOKEN_OUTPUT]);
	json_put_i64(o, "audio_tokens", 0);
	json_put_i64(o, "accepted_prediction_tokens", 0);
	json_put_i64(o, "rejected_prediction_tokens", 0);
	json_put_end(o, '}');
	json_put_end(o, '}');
}

/* ---- Whole answers ---- */

static void put_envelope(const struct sim_answer *a, const char *object, struct json_out *o)
{
	char id[SIM_ID_MAX];
	sim_id(id, "chatcmpl-sim", a->seq);
	json_put_object(o, NULL);
	json_put_z(o, "id", id);
	json_put_z(o, "object", object);
	json_put_i64(o, "created", SIM_CREATED);
	json_put_str(o, "model", a->ask->model);
}

static void put_envelope_end(struct json_out *o)
{
	json_put_z(o, "service_tier", "default");
	json_put_z(o, "system_fingerprint", "fp_sim");
	json_put_end(o, '}');
}

/* Only a stream's calls tell their index. */
static void put_tool_call(struct json_out *o, int index, bool stream, const struct json *call)
{
	char id[SIM_ID_MAX];
	json_put_object(o, NULL);
	if (stream)
		json_put_i64(o, "index", index);
	sim_id(id, "call_sim", index);
	json_put_z(o, "id", id);
	json_put_z(o, "type", "function");
	json_put_object(o, "function");
	json_put_str(o, "name", json_key(call));
	json_put_str(o, "arguments", stream ? STR("") : json_text(call));
	json_put_end(o, '}');
	json_put_end(o, '}');
}

static bool has_tools(const struct sim_answer *a)
{
	return a->finish == SIM_TOOL && a->scenario->tool_calls != NULL;
}

static void put_message(const struct sim_answer *a, struct json_out *o)
{
	bool refused = a->finish == SIM_REFUSAL;
	struct str absent = { NULL, 0 };
	json_put_object(o, "message");
	json_put_z(o, "role", "assistant");
	json_put_str(o, "content",
	             refused || (has_tools(a) && a->text.len == 0) ? absent : a->text);
	json_put_str(o, "refusal", refused ? a->text : absent);
	if (has_tools(a)) {
		json_put_array(o, "tool_calls");
		const struct json *call = json_first(a->scenario->tool_calls);
		for (int i = 0; call != NULL; call = json_next(call), i++)
			put_tool_call(o, i, false, call);
		json_put_end(o, ']');
	}
	json_put_array(o, "annotations");
	json_put_end(o, ']');
	json_put_end(o, '}');
}

static void put_whole(const struct sim_answer *a, struct json_out *o)
{
	put_envelope(a, "chat.completion", o);
	json_put_array(o, "choices");
	json_put_object(o, NULL);
	json_put_i64(o, "index", 0);
	put_message(a, o);
	json_put_null(o, "logprobs");
	json_put_z(o, "finish_reason", FINISHES[a->finish]);
	json_put_end(o, '}');
	json_put_end(o, ']');
	if (!a->scenario->fault.no_usage)
		put_usage(a, o);
	put_envelope_end(o);
}

/* ---- Streams ---- */

/* A chunk is begun, its delta's members are written by the caller, and it is ended. */
static struct json_out chunk_begin(const struct sim_answer *a)
{
	struct json_out o = json_out_make(OUT_MAX);
	put_envelope(a, "chat.completion.chunk", &o);
	json_put_array(&o, "choices");
	json_put_object(&o, NULL);
	json_put_i64(&o, "index", 0);
	json_put_object(&o, "delta");
	return o;
}

static void chunk_end(const struct sim_answer *a, struct json_out *o, const char *finish,
                      enum sim_frame_kind kind, struct sim_frames *f)
{
	json_put_end(o, '}');
	json_put_null(o, "logprobs");
	json_put_str(o, "finish_reason", str_of(finish));
	json_put_end(o, '}');
	json_put_end(o, ']');
	if (a->ask->include_usage)
		json_put_null(o, "usage");
	put_envelope_end(o);
	sim_frames_add(f, kind, NULL, buf_str(&o->text));
	json_out_done(o);
}

static void stream_text(const struct sim_answer *a, struct sim_frames *f)
{
	const char *field = a->finish == SIM_REFUSAL ? "refusal" : "content";
	struct str rest = a->text;
	struct str piece;
	while (sim_next_piece(&rest, sim_piece_bytes(a, a->text), &piece)) {
		struct json_out o = chunk_begin(a);
		json_put_str(&o, field, piece);
		chunk_end(a, &o, NULL, SIM_FRAME_CHUNK, f);
	}
}

static void stream_fragment(const struct sim_answer *a, int index, struct str arguments,
                            struct sim_frames *f)
{
	struct json_out o = chunk_begin(a);
	json_put_array(&o, "tool_calls");
	json_put_object(&o, NULL);
	json_put_i64(&o, "index", index);
	json_put_object(&o, "function");
	json_put_str(&o, "arguments", arguments);
	json_put_end(&o, '}');
	json_put_end(&o, '}');
	json_put_end(&o, ']');
	chunk_end(a, &o, NULL, SIM_FRAME_CHUNK, f);
}

static void stream_tools(const struct sim_answer *a, struct sim_frames *f)
{
	int index = 0;
	const struct json *call = json_first(a->scenario->tool_calls);
	for (; call != NULL; call = json_next(call), index++) {
		struct json_out o = chunk_begin(a);
		json_put_array(&o, "tool_calls");
		put_tool_call(&o, index, true, call);
		json_put_end(&o, ']');
		chunk_end(a, &o, NULL, SIM_FRAME_CHUNK, f);
		struct str rest = json_text(call);
		struct str piece;
		while (sim_next_piece(&rest, 12, &piece))
			stream_fragment(a, index, piece, f);
	}
}

static void stream_usage(const struct sim_answer *a, struct sim_frames *f)
{
	OWN_JSON_OUT struct json_out o = json_out_make(OUT_MAX);
	put_envelope(a, "chat.completion.chunk", &o);
	json_put_array(&o, "choices");
	json_put_end(&o, ']');
	put_usage(a, &o);
	put_envelope_end(&o);
	sim_frames_add(f, SIM_FRAME_USAGE, NULL, buf_str(&o.text));
}

static void put_stream(const struct sim_answer *a, struct sim_frames *f)
{
	struct json_out o = chunk_begin(a);
	json_put_z(&o, "role", "assistant");
	json_put_z(&o, "content", "");
	json_put_null(&o, "refusal");
	chunk_end(a, &o, NULL, SIM_FRAME_OTHER, f);
	stream_text(a, f);
	if (has_tools(a))
		stream_tools(a, f);
	o = chunk_begin(a);
	chunk_end(a, &o, FINISHES[a->finish], SIM_FRAME_OTHER, f);
	if (a->ask->include_usage && !a->scenario->fault.no_usage)
		stream_usage(a, f);
	sim_frames_add(f, SIM_FRAME_OTHER, NULL, STR("[DONE]"));
}

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
	.path = "/v1/chat/completions",
	.models = MODELS,
	.catalog = CATALOG,
	.one_write_class = true,
	.authorized = authorized,
	.read = read_request,
	.put_whole = put_whole,
	.put_stream = put_stream,
	.put_error = put_error,
	.put_error_event = put_error_event,
	.put_models = put_models,
	.name_error = name_error,
	.id_header = "x-request-id",
	.headers = HEADERS,
	.header_count = ARRAY_LEN(HEADERS),
};
