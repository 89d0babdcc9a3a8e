/* SPDX-License-Identifier: Apache-2.0 */
/* Anthropic Messages as the provider speaks it: input tokens exclude the cache, the 5m and 1h
 * writes are told apart only in message_start, and message_delta repeats the totals: they replace
 * the first ones and are never added. */
#include <assert.h>

#include "tests/provider_sim/sim.h"

#define OUT_MAX (256u << 20)

static const char *const MODELS[] = { "claude-", NULL };
static const char *const CATALOG[] = { "claude-haiku-4-5-20251001", "claude-sonnet-4-6",
	                               "claude-opus-4-6", "claude-opus-4-7", NULL };

static const struct net_header HEADERS[] = {
	{ STR_INIT("anthropic-organization-id"), STR_INIT("5155e1f0-simulated-shared") },
	{ STR_INIT("anthropic-ratelimit-requests-limit"), STR_INIT("4000") },
	{ STR_INIT("anthropic-ratelimit-requests-remaining"), STR_INIT("3999") },
	{ STR_INIT("anthropic-ratelimit-requests-reset"), STR_INIT("2026-01-01T00:00:01Z") },
	{ STR_INIT("anthropic-ratelimit-output-tokens-remaining"), STR_INIT("80000") },
};

static const char *const FINISHES[] = {
	[SIM_STOP] = "end_turn",   [SIM_LENGTH] = "max_tokens", [SIM_TOOL] = "tool_use",
	[SIM_REFUSAL] = "refusal", [SIM_BLOCKED] = "refusal",
};
static_assert(ARRAY_LEN(FINISHES) == SIM_FINISH_COUNT, "a word for each finish");

/* ---- Requests ---- */

static bool authorized(const struct net_request *rq, struct str key)
{
	struct str api_key = net_request_header(rq, "x-api-key");
	return api_key.p != NULL ? str_eq(api_key, key) : sim_has_bearer(rq, key);
}

/* Counting wants no limit. */
static bool read_max_tokens(struct sim_ask *ask, struct sim_error *error)
{
	if (ask->want == SIM_COUNT)
		return true;
	if (!json_i64(json_get(ask->tree, "max_tokens"), &ask->max_tokens))
		return sim_refuse(error, 400, "max_tokens: Field required");
	if (ask->max_tokens < 1)
		return sim_refuse(error, 400, "max_tokens: must be at least 1");
	return true;
}

static bool read_request(const struct net_request *rq, struct sim_ask *ask, struct sim_error *error)
{
	static const char *const SAMPLING[] = { "temperature", "top_p", "top_k" };
	struct str version = net_request_header(rq, "anthropic-version");
	bool newest = str_eq(version, STR("2026-10-21"));
	if (version.p == NULL)
		return sim_refuse(error, 400, "anthropic-version: header is required");
	if (!newest && !str_eq(version, STR("2023-06-01")))
		return sim_refuse(error, 400, "anthropic-version: unknown version");
	if (!sim_read_messages(ask, error) || !read_max_tokens(ask, error))
		return false;
	for (size_t i = 0; newest && i < ARRAY_LEN(SAMPLING); i++) {
		if (json_get(ask->tree, SAMPLING[i]) != NULL)
			return sim_refuse(error, 400, "%s: not allowed in this version",
			                  SAMPLING[i]);
	}
	return sim_anthropic_check(ask, error);
}

/* ---- Usage ---- */

/* `split`: as in message_start and in whole answers, where 5m and 1h writes are told apart. */
static void put_usage(const struct sim_answer *a, bool split, int64_t output, struct json_out *o)
{
	const int64_t *n = a->usage.n;
	json_put_object(o, "usage");
	if (a->scenario->fault.malformed_usage) {
		json_put_z(o, "input_tokens", "many");
		json_put_i64(o, "output_tokens", -1);
		json_put_end(o, '}');
		return;
	}
	json_put_i64(o, "input_tokens", n[TOKEN_UNCACHED_INPUT]);
	json_put_i64(o, "cache_creation_input_tokens",
	             n[TOKEN_CACHE_WRITE_5M] + n[TOKEN_CACHE_WRITE_1H]);
	json_put_i64(o, "cache_read_input_tokens", n[TOKEN_CACHE_READ]);
	if (split) {
		json_put_object(o, "cache_creation");
		json_put_i64(o, "ephemeral_5m_input_tokens", n[TOKEN_CACHE_WRITE_5M]);
		json_put_i64(o, "ephemeral_1h_input_tokens", n[TOKEN_CACHE_WRITE_1H]);
		json_put_end(o, '}');
		json_put_z(o, "service_tier", "standard");
	}
	json_put_i64(o, "output_tokens", output);
	json_put_end(o, '}');
}

/* ---- Whole answers ---- */

static void put_message_head(const struct sim_answer *a, const char *key, struct json_out *o)
{
	char id[SIM_ID_MAX];
	sim_id(id, "msg_sim", a->seq);
	json_put_object(o, key);
	json_put_z(o, "id", id);
	json_put_z(o, "type", "message");
	json_put_z(o, "role", "assistant");
	json_put_str(o, "model", a->model);
}

static void put_stop_details(const struct sim_answer *a, struct json_out *o)
{
	if (a->finish != SIM_REFUSAL && a->finish != SIM_BLOCKED)
		return;
	json_put_object(o, "stop_details");
	json_put_z(o, "type", "refusal");
	json_put_z(o, "category", "general");
	json_put_z(o, "explanation", "The simulator was asked to refuse.");
	json_put_end(o, '}');
}

/* Thinking is shown, and signed. */
static bool has_thinking(const struct sim_answer *a)
{
	return a->scenario->reasoning.len > 0 && a->finish != SIM_BLOCKED;
}

/* Signatures hold for any model here, but for no other text. */
static void sign_thinking(const struct sim_answer *a, char out[SIM_SIGNATURE_MAX])
{
	sim_sign(out, "anthropic", STR(""), a->scenario->reasoning);
}

static void put_tool_head(const struct json *call, int number, struct json_out *o)
{
	char id[SIM_ID_MAX];
	sim_id(id, "toolu_sim", number);
	json_put_z(o, "type", "tool_use");
	json_put_z(o, "id", id);
	json_put_str(o, "name", json_key(call));
}

static void put_blocks(const struct sim_answer *a, struct json_out *o)
{
	if (has_thinking(a)) {
		char signature[SIM_SIGNATURE_MAX];
		sign_thinking(a, signature);
		json_put_object(o, NULL);
		json_put_z(o, "type", "thinking");
		json_put_str(o, "thinking", a->scenario->reasoning);
		json_put_z(o, "signature", signature);
		json_put_end(o, '}');
	}
	if (a->text.len > 0) {
		json_put_object(o, NULL);
		json_put_z(o, "type", "text");
		json_put_str(o, "text", a->text);
		json_put_end(o, '}');
	}
	const struct json *call = sim_has_tools(a) ? json_first(a->scenario->tool_calls) : NULL;
	for (int i = 0; call != NULL; call = json_next(call), i++) {
		json_put_object(o, NULL);
		put_tool_head(call, i, o);
		json_put_raw(o, "input", json_text(call));
		json_put_end(o, '}');
	}
}

static void put_whole(const struct sim_answer *a, struct json_out *o)
{
	put_message_head(a, NULL, o);
	json_put_array(o, "content");
	put_blocks(a, o);
	json_put_end(o, ']');
	json_put_z(o, "stop_reason", FINISHES[a->finish]);
	json_put_null(o, "stop_sequence");
	put_stop_details(a, o);
	if (!a->scenario->fault.no_usage)
		put_usage(a, true, a->usage.n[TOKEN_OUTPUT], o);
	json_put_end(o, '}');
}

/* ---- Streams ---- */

static struct json_out event_begin(const char *type)
{
	struct json_out o = json_out_make(OUT_MAX);
	json_put_object(&o, NULL);
	json_put_z(&o, "type", type);
	return o;
}

static void event_end(struct json_out *o, const char *type, enum sim_frame_kind kind,
                      struct sim_frames *f)
{
	json_put_end(o, '}');
	sim_frames_add(f, kind, type, buf_str(&o->text));
	json_out_done(o);
}

static void stream_start(const struct sim_answer *a, struct sim_frames *f)
{
	struct json_out o = event_begin("message_start");
	put_message_head(a, "message", &o);
	json_put_array(&o, "content");
	json_put_end(&o, ']');
	json_put_null(&o, "stop_reason");
	json_put_null(&o, "stop_sequence");
	if (!a->scenario->fault.no_usage)
		put_usage(a, true, a->usage.n[TOKEN_OUTPUT] > 0 ? 1 : 0, &o);
	json_put_end(&o, '}');
	event_end(&o, "message_start", SIM_FRAME_OTHER, f);
}

static struct json_out block_begin(const char *event, int index, const char *inner)
{
	struct json_out o = event_begin(event);
	json_put_i64(&o, "index", index);
	json_put_object(&o, inner);
	return o;
}

static void block_end(struct json_out *o, const char *event, struct sim_frames *f)
{
	json_put_end(o, '}');
	bool delta = str_eq(str_of(event), STR("content_block_delta"));
	event_end(o, event, delta ? SIM_FRAME_CHUNK : SIM_FRAME_OTHER, f);
}

static void stream_block_stop(int index, struct sim_frames *f)
{
	struct json_out o = event_begin("content_block_stop");
	json_put_i64(&o, "index", index);
	event_end(&o, "content_block_stop", SIM_FRAME_OTHER, f);
}

/* One delta for each piece: {"type": "<type>", "<field>": "piece"}. */
static void stream_pieces(int index, const char *type, const char *field, struct str text,
                          size_t piece_bytes, struct sim_frames *f)
{
	struct str piece;
	while (sim_next_piece(&text, piece_bytes, &piece)) {
		struct json_out o = block_begin("content_block_delta", index, "delta");
		json_put_z(&o, "type", type);
		json_put_str(&o, field, piece);
		block_end(&o, "content_block_delta", f);
	}
}

static void stream_thinking(const struct sim_answer *a, int index, struct sim_frames *f)
{
	struct str text = a->scenario->reasoning;
	char signature[SIM_SIGNATURE_MAX];
	sign_thinking(a, signature);
	struct json_out o = block_begin("content_block_start", index, "content_block");
	json_put_z(&o, "type", "thinking");
	json_put_z(&o, "thinking", "");
	json_put_z(&o, "signature", "");
	block_end(&o, "content_block_start", f);
	stream_pieces(index, "thinking_delta", "thinking", text, sim_piece_bytes(a, text), f);
	stream_pieces(index, "signature_delta", "signature", str_of(signature), sizeof(signature),
	              f);
	stream_block_stop(index, f);
}

static void stream_text(const struct sim_answer *a, int index, struct sim_frames *f)
{
	struct json_out o = block_begin("content_block_start", index, "content_block");
	json_put_z(&o, "type", "text");
	json_put_z(&o, "text", "");
	block_end(&o, "content_block_start", f);
	stream_pieces(index, "text_delta", "text", a->text, sim_piece_bytes(a, a->text), f);
	stream_block_stop(index, f);
}

static void stream_tool(const struct json *call, int index, struct sim_frames *f)
{
	struct json_out o = block_begin("content_block_start", index, "content_block");
	put_tool_head(call, index, &o);
	json_put_object(&o, "input");
	json_put_end(&o, '}');
	block_end(&o, "content_block_start", f);
	stream_pieces(index, "input_json_delta", "partial_json", json_text(call), 12, f);
	stream_block_stop(index, f);
}

static void stream_end(const struct sim_answer *a, struct sim_frames *f)
{
	struct json_out o = event_begin("message_delta");
	json_put_object(&o, "delta");
	json_put_z(&o, "stop_reason", FINISHES[a->finish]);
	json_put_null(&o, "stop_sequence");
	put_stop_details(a, &o);
	json_put_end(&o, '}');
	bool usage = !a->scenario->fault.no_usage;
	if (usage)
		put_usage(a, false, a->usage.n[TOKEN_OUTPUT], &o);
	event_end(&o, "message_delta", usage ? SIM_FRAME_USAGE : SIM_FRAME_OTHER, f);
	o = event_begin("message_stop");
	event_end(&o, "message_stop", SIM_FRAME_OTHER, f);
}

static void put_stream(const struct sim_answer *a, struct sim_frames *f)
{
	int index = 0;
	stream_start(a, f);
	struct json_out o = event_begin("ping");
	event_end(&o, "ping", SIM_FRAME_OTHER, f);
	if (has_thinking(a))
		stream_thinking(a, index++, f);
	if (a->text.len > 0)
		stream_text(a, index++, f);
	const struct json *call = sim_has_tools(a) ? json_first(a->scenario->tool_calls) : NULL;
	for (; call != NULL; call = json_next(call))
		stream_tool(call, index++, f);
	stream_end(a, f);
}

static void put_count(const struct sim_answer *a, struct json_out *o)
{
	json_put_object(o, NULL);
	json_put_i64(o, "input_tokens", sim_input(a));
	json_put_end(o, '}');
}

/* ---- Errors and models ---- */

struct error_name {
	int status;
	const char *type;
};

static const struct error_name ERROR_NAMES[] = {
	{ 400, "invalid_request_error" }, { 401, "authentication_error" }, { 402, "billing_error" },
	{ 403, "permission_error" },      { 404, "not_found_error" },      { 408, "timeout_error" },
	{ 413, "request_too_large" },     { 429, "rate_limit_error" },     { 504, "timeout_error" },
	{ 529, "overloaded_error" },
};

static void name_error(struct sim_error *error)
{
	error->type = error->status >= 500 ? "api_error" : "invalid_request_error";
	for (size_t i = 0; i < ARRAY_LEN(ERROR_NAMES); i++) {
		if (ERROR_NAMES[i].status == error->status)
			error->type = ERROR_NAMES[i].type;
	}
}

static void put_error(const struct sim_error *error, int64_t seq, struct json_out *o)
{
	char id[SIM_ID_MAX];
	sim_id(id, "req_sim", seq);
	json_put_object(o, NULL);
	json_put_z(o, "type", "error");
	json_put_object(o, "error");
	json_put_z(o, "type", error->type);
	json_put_z(o, "message", error->message);
	json_put_end(o, '}');
	json_put_z(o, "request_id", id);
	json_put_end(o, '}');
}

static void put_error_event(const struct sim_error *error, int64_t seq, struct sim_frames *f)
{
	OWN_JSON_OUT struct json_out o = json_out_make(OUT_MAX);
	put_error(error, seq, &o);
	sim_frames_add(f, SIM_FRAME_OTHER, "error", buf_str(&o.text));
}

static void put_models(const struct sim_format *format, struct json_out *o)
{
	const char *last = NULL;
	json_put_object(o, NULL);
	json_put_array(o, "data");
	for (const char *const *id = format->catalog; *id != NULL; id++) {
		json_put_object(o, NULL);
		json_put_z(o, "type", "model");
		json_put_z(o, "id", *id);
		json_put_z(o, "display_name", *id);
		json_put_z(o, "created_at", "2026-01-01T00:00:00Z");
		json_put_z(o, "lifecycle", "active");
		json_put_null(o, "deprecated_at");
		json_put_null(o, "retires_at");
		json_put_end(o, '}');
		last = *id;
	}
	json_put_end(o, ']');
	json_put_bool(o, "has_more", false);
	json_put_z(o, "first_id", format->catalog[0]);
	json_put_str(o, "last_id", str_of(last));
	json_put_end(o, '}');
}

const struct sim_format sim_anthropic = {
	.provider = "anthropic",
	.models = MODELS,
	.catalog = CATALOG,
	.write_classes = 2,
	.free_refusals = true,
	.authorized = authorized,
	.read = read_request,
	.put_whole = put_whole,
	.put_stream = put_stream,
	.put_count = put_count,
	.put_error = put_error,
	.put_error_event = put_error_event,
	.put_models = put_models,
	.name_error = name_error,
	.id_header = "request-id",
	.headers = HEADERS,
	.header_count = ARRAY_LEN(HEADERS),
};
