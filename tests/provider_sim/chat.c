/* SPDX-License-Identifier: Apache-2.0 */
/* Answers in Chat Completions, as OpenAI and Kimi speak it. A stream tells usage only if asked to,
 * in one chunk of its own before [DONE]; with OpenAI all other chunks then carry "usage": null,
 * and Kimi tells it a second time inside the last choice. */
#include "tests/provider_sim/sim.h"

#define OUT_MAX (256u << 20)

static const struct sim_chat *chat_of(const struct sim_answer *a)
{
	return a->ask->format->chat;
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
	json_put_str(o, "model", a->model);
}

static void put_envelope_end(const struct sim_answer *a, struct json_out *o)
{
	if (!chat_of(a)->bare)
		json_put_z(o, "service_tier", "default");
	json_put_z(o, "system_fingerprint", "fp_sim");
	json_put_end(o, '}');
}

/* A refusal has a field of its own where there is one. */
static bool is_refusal(const struct sim_answer *a)
{
	return a->finish == SIM_REFUSAL && !chat_of(a)->bare;
}

static bool has_reasoning(const struct sim_answer *a)
{
	return chat_of(a)->shows_reasoning && a->scenario->reasoning.len > 0;
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

static void put_tool_calls(const struct sim_answer *a, struct json_out *o)
{
	int i = 0;
	json_put_array(o, "tool_calls");
	const struct json *call = json_first(a->scenario->tool_calls);
	for (; call != NULL; call = json_next(call))
		put_tool_call(o, i++, false, call);
	json_put_end(o, ']');
}

static void put_message(const struct sim_answer *a, struct json_out *o)
{
	bool empty = a->text.len == 0 && (sim_has_tools(a) || a->finish == SIM_BLOCKED);
	struct str absent = { NULL, 0 };
	json_put_object(o, "message");
	json_put_z(o, "role", "assistant");
	json_put_str(o, "content", is_refusal(a) || empty ? absent : a->text);
	if (has_reasoning(a))
		json_put_str(o, "reasoning_content", a->scenario->reasoning);
	if (!chat_of(a)->bare)
		json_put_str(o, "refusal", is_refusal(a) ? a->text : absent);
	if (sim_has_tools(a))
		put_tool_calls(a, o);
	if (!chat_of(a)->bare) {
		json_put_array(o, "annotations");
		json_put_end(o, ']');
	}
	json_put_end(o, '}');
}

void sim_chat_put_whole(const struct sim_answer *a, struct json_out *o)
{
	put_envelope(a, "chat.completion", o);
	json_put_array(o, "choices");
	json_put_object(o, NULL);
	json_put_i64(o, "index", 0);
	put_message(a, o);
	if (!chat_of(a)->bare)
		json_put_null(o, "logprobs");
	json_put_z(o, "finish_reason", chat_of(a)->finishes[a->finish]);
	json_put_end(o, '}');
	json_put_end(o, ']');
	if (!a->scenario->fault.no_usage)
		chat_of(a)->put_usage(a, o);
	put_envelope_end(a, o);
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
	bool usage = kind == SIM_FRAME_USAGE;
	json_put_end(o, '}');
	if (!chat_of(a)->bare)
		json_put_null(o, "logprobs");
	json_put_str(o, "finish_reason", str_of(finish));
	if (usage)
		chat_of(a)->put_usage(a, o);
	json_put_end(o, '}');
	json_put_end(o, ']');
	if (a->ask->include_usage && !chat_of(a)->bare)
		json_put_null(o, "usage");
	put_envelope_end(a, o);
	sim_frames_add(f, kind, NULL, buf_str(&o->text));
	json_out_done(o);
}

static void stream_text(const struct sim_answer *a, const char *field, struct str text,
                        struct sim_frames *f)
{
	size_t piece_bytes = sim_piece_bytes(a, text);
	struct str piece;
	while (sim_next_piece(&text, piece_bytes, &piece)) {
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
	chat_of(a)->put_usage(a, &o);
	put_envelope_end(a, &o);
	sim_frames_add(f, SIM_FRAME_USAGE, NULL, buf_str(&o.text));
}

static void stream_finish(const struct sim_answer *a, struct sim_frames *f)
{
	bool usage = chat_of(a)->usage_in_choice && !a->scenario->fault.no_usage;
	struct json_out o = chunk_begin(a);
	chunk_end(a, &o, chat_of(a)->finishes[a->finish], usage ? SIM_FRAME_USAGE : SIM_FRAME_OTHER,
	          f);
}

void sim_chat_put_stream(const struct sim_answer *a, struct sim_frames *f)
{
	struct json_out o = chunk_begin(a);
	json_put_z(&o, "role", "assistant");
	json_put_z(&o, "content", "");
	if (!chat_of(a)->bare)
		json_put_null(&o, "refusal");
	chunk_end(a, &o, NULL, SIM_FRAME_OTHER, f);
	if (has_reasoning(a))
		stream_text(a, "reasoning_content", a->scenario->reasoning, f);
	stream_text(a, is_refusal(a) ? "refusal" : "content", a->text, f);
	if (sim_has_tools(a))
		stream_tools(a, f);
	stream_finish(a, f);
	if (a->ask->include_usage && !a->scenario->fault.no_usage)
		stream_usage(a, f);
	sim_frames_add(f, SIM_FRAME_OTHER, NULL, STR("[DONE]"));
}

/* ---- What is refused of a history ---- */

static bool has_result(const struct json *assistant, struct str id)
{
	const struct json *m = json_next(assistant);
	for (; m != NULL && sim_text_is(m, "role", "tool"); m = json_next(m)) {
		if (str_eq(json_text(json_get(m, "tool_call_id")), id))
			return true;
	}
	return false;
}

static bool has_call(const struct json *assistant, struct str id)
{
	const struct json *calls = json_get(assistant, "tool_calls");
	const struct json *call = json_first(calls);
	for (; call != NULL; call = json_next(call)) {
		if (str_eq(json_text(json_get(call, "id")), id))
			return true;
	}
	return false;
}

static bool check_calls(const struct json *assistant, struct sim_error *error)
{
	const struct json *calls = json_get(assistant, "tool_calls");
	const struct json *call = json_first(calls);
	for (; call != NULL; call = json_next(call)) {
		struct str id = json_text(json_get(call, "id"));
		const struct json *function = json_get(call, "function");
		if (id.p == NULL || json_text(json_get(function, "arguments")).p == NULL)
			return sim_refuse(error, 400,
			                  "tool_calls: an id and arguments are required");
		if (!has_result(assistant, id))
			return sim_refuse(error, 400,
			                  "An assistant message with 'tool_calls' must be followed "
			                  "by tool messages responding to each 'tool_call_id': "
			                  "none for %.*s",
			                  STR_ARG(id));
	}
	return true;
}

bool sim_chat_check(const struct sim_ask *ask, struct sim_error *error)
{
	const struct json *caller = NULL;
	const struct json *m = json_first(json_get(ask->tree, "messages"));
	for (; m != NULL; m = json_next(m)) {
		bool result = sim_text_is(m, "role", "tool");
		if (result && !has_call(caller, json_text(json_get(m, "tool_call_id"))))
			return sim_refuse(error, 400,
			                  "messages with role 'tool' must be a response to a "
			                  "preceding message with 'tool_calls'");
		if (!result)
			caller = m;
		if (sim_text_is(m, "role", "assistant") && !check_calls(m, error))
			return false;
	}
	return true;
}
