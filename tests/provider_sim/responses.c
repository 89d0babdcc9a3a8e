/* SPDX-License-Identifier: Apache-2.0 */
/* OpenAI's Responses, without the state: store must be false, and nothing of an earlier response
 * can be named. Each event of a stream has a number, each item is told whole when it is done, and
 * the last event holds the whole response; there is no [DONE]. */
#include <assert.h>

#include "tests/provider_sim/sim.h"

#define OUT_MAX (256u << 20)

/* Numbers of items, of which their ids are made. */
enum {
	REASONING,
	MESSAGE,
	FIRST_CALL
};

static const char *const MODELS[] = { "gpt-", "o3", "o4", NULL };

static const struct net_header HEADERS[] = {
	{ STR_INIT("openai-organization"), STR_INIT("org-simulated-shared") },
	{ STR_INIT("openai-version"), STR_INIT("2020-10-01") },
	{ STR_INIT("x-ratelimit-remaining-requests"), STR_INIT("9999") },
};

static const char *const STATUSES[] = {
	[SIM_STOP] = "completed",    [SIM_LENGTH] = "incomplete",  [SIM_TOOL] = "completed",
	[SIM_REFUSAL] = "completed", [SIM_BLOCKED] = "incomplete",
};
static_assert(ARRAY_LEN(STATUSES) == SIM_FINISH_COUNT, "a status for each finish");

/* ---- Requests ---- */

static bool refuse(struct sim_error *error, const char *param, const char *why)
{
	(void)sim_refuse(error, 400, "Invalid '%s': %s", param, why);
	error->param = param;
	return false;
}

/* What a gateway with one account for many must never ask for. */
static bool check_state(const struct sim_ask *ask, struct sim_error *error)
{
	static const char *const STATE[] = { "previous_response_id", "conversation", "prompt" };
	const struct json *store = json_get(ask->tree, "store");
	for (size_t i = 0; i < ARRAY_LEN(STATE); i++) {
		const struct json *state = json_get(ask->tree, STATE[i]);
		if (state != NULL && !json_is(state, JSON_NULL))
			return refuse(error, STATE[i], "the simulator keeps nothing.");
	}
	if (json_true(json_get(ask->tree, "background")))
		return refuse(error, "background", "the simulator keeps nothing.");
	if (ask->want == SIM_COMPLETION && (!json_is(store, JSON_BOOL) || json_true(store)))
		return refuse(error, "store", "must be false, which is not the default.");
	return true;
}

static bool check_tools(const struct sim_ask *ask, struct sim_error *error)
{
	const struct json *tool = json_first(json_get(ask->tree, "tools"));
	for (; tool != NULL; tool = json_next(tool)) {
		if (json_text(json_get(tool, "name")).len == 0)
			return refuse(error, "tools", "missing required parameter 'name'.");
	}
	return true;
}

static bool has_item(const struct sim_ask *ask, const char *type, struct str call_id)
{
	const struct json *item = json_first(json_get(ask->tree, "input"));
	for (; item != NULL; item = json_next(item)) {
		if (sim_text_is(item, "type", type) &&
		    str_eq(json_text(json_get(item, "call_id")), call_id))
			return true;
	}
	return false;
}

/* The user's parts go in, the assistant's came out. */
static bool check_parts(const struct json *item, struct sim_error *error)
{
	bool assistant = sim_text_is(item, "role", "assistant");
	const struct json *content = json_get(item, "content");
	const struct json *part = json_is(content, JSON_ARRAY) ? json_first(content) : NULL;
	for (; part != NULL; part = json_next(part)) {
		struct str type = json_text(json_get(part, "type"));
		bool input = str_starts(type, STR("input_"));
		if (type.p == NULL || input == assistant)
			return refuse(error, "input", "a part does not fit the role.");
	}
	return true;
}

static bool check_item(const struct sim_ask *ask, const struct json *item, struct sim_error *error)
{
	struct str call_id = json_text(json_get(item, "call_id"));
	struct str sealed = json_text(json_get(item, "encrypted_content"));
	if (sim_text_is(item, "type", "item_reference"))
		return refuse(error, "input", "the simulator keeps nothing.");
	if (sim_text_is(item, "type", "function_call") &&
	    !has_item(ask, "function_call_output", call_id))
		return refuse(error, "input", "no tool output found for a function call.");
	if (sim_text_is(item, "type", "function_call_output") &&
	    !has_item(ask, "function_call", call_id))
		return refuse(error, "input", "no tool call found for a function call output.");
	if (sim_text_is(item, "type", "reasoning") &&
	    !sim_signed(sealed, "openai", ask->model, STR(""))) {
		(void)refuse(error, "input", "the encrypted content could not be verified.");
		error->code = "invalid_encrypted_content";
		return false;
	}
	return check_parts(item, error);
}

static bool read_input(struct sim_ask *ask, struct sim_error *error)
{
	const struct json *input = json_get(ask->tree, "input");
	struct str unused;
	sim_read_content(json_get(ask->tree, "instructions"), &ask->text_bytes, &unused);
	if (json_is(input, JSON_STRING)) {
		sim_read_content(input, &ask->text_bytes, &ask->last_user_text);
		return true;
	}
	if (json_count(input) == 0)
		return refuse(error, "input", "at least one item is required.");
	for (const struct json *item = json_first(input); item != NULL; item = json_next(item)) {
		struct str text = { NULL, 0 };
		bool result = sim_text_is(item, "type", "function_call_output");
		if (!check_item(ask, item, error))
			return false;
		sim_read_content(json_get(item, result ? "output" : "content"), &ask->text_bytes,
		                 &text);
		if (result || sim_text_is(item, "role", "user"))
			ask->last_user_text = text;
	}
	return true;
}

static bool read_request(const struct net_request *rq, struct sim_ask *ask, struct sim_error *error)
{
	(void)rq;
	if (ask->model.p == NULL)
		return refuse(error, "model", "a model is required.");
	if (!check_state(ask, error) || !check_tools(ask, error) || !read_input(ask, error))
		return false;
	if (json_i64(json_get(ask->tree, "max_output_tokens"), &ask->max_tokens) &&
	    ask->max_tokens < 16)
		return refuse(error, "max_output_tokens", "expected a value >= 16.");
	const struct json *include = json_first(json_get(ask->tree, "include"));
	for (; include != NULL; include = json_next(include)) {
		if (str_eq(json_text(include), STR("reasoning.encrypted_content")))
			ask->show_sealed = true;
	}
	ask->show_reasoning =
		json_text(json_get(json_get(ask->tree, "reasoning"), "summary")).p != NULL;
	return true;
}

/* ---- Items ---- */

static int64_t item_number(const struct sim_answer *a, int number)
{
	return a->seq * 100 + number;
}

/* An item is empty when it is added, and whole when it is done. */
static void put_item_head(const struct sim_answer *a, const char *type, const char *prefix,
                          int number, struct json_out *o)
{
	char id[SIM_ID_MAX];
	sim_id(id, prefix, item_number(a, number));
	json_put_z(o, "id", id);
	json_put_z(o, "type", type);
}

static void put_summary_part(const char *key, struct str text, struct json_out *o)
{
	json_put_object(o, key);
	json_put_z(o, "type", "summary_text");
	json_put_str(o, "text", text);
	json_put_end(o, '}');
}

static bool has_reasoning(const struct sim_answer *a)
{
	return a->scenario->reasoning.len > 0 && a->finish != SIM_BLOCKED;
}

static void put_reasoning(const struct sim_answer *a, const char *key, bool done,
                          struct json_out *o)
{
	char sealed[SIM_SIGNATURE_MAX];
	json_put_object(o, key);
	put_item_head(a, "reasoning", "rs_sim", REASONING, o);
	json_put_array(o, "summary");
	if (done && a->ask->show_reasoning)
		put_summary_part(NULL, a->scenario->reasoning, o);
	json_put_end(o, ']');
	if (a->ask->show_sealed) {
		sim_sign(sealed, "openai", a->ask->model, STR(""));
		json_put_z(o, "encrypted_content", done ? sealed : "");
	}
	json_put_end(o, '}');
}

static bool is_refusal(const struct sim_answer *a)
{
	return a->finish == SIM_REFUSAL;
}

static void put_text_part(const struct sim_answer *a, const char *key, struct str text,
                          struct json_out *o)
{
	json_put_object(o, key);
	json_put_z(o, "type", is_refusal(a) ? "refusal" : "output_text");
	json_put_str(o, is_refusal(a) ? "refusal" : "text", text);
	if (!is_refusal(a)) {
		json_put_array(o, "annotations");
		json_put_end(o, ']');
		json_put_array(o, "logprobs");
		json_put_end(o, ']');
	}
	json_put_end(o, '}');
}

static void put_message(const struct sim_answer *a, const char *key, bool done, struct json_out *o)
{
	json_put_object(o, key);
	put_item_head(a, "message", "msg_sim", MESSAGE, o);
	json_put_z(o, "status", done ? STATUSES[a->finish] : "in_progress");
	json_put_array(o, "content");
	if (done)
		put_text_part(a, NULL, a->text, o);
	json_put_end(o, ']');
	json_put_z(o, "role", "assistant");
	json_put_end(o, '}');
}

static void put_call(const struct sim_answer *a, const char *key, const struct json *call,
                     int number, bool done, struct json_out *o)
{
	char id[SIM_ID_MAX];
	json_put_object(o, key);
	put_item_head(a, "function_call", "fc_sim", FIRST_CALL + number, o);
	json_put_z(o, "status", done ? "completed" : "in_progress");
	json_put_str(o, "arguments", done ? json_text(call) : STR(""));
	sim_id(id, "call_sim", number);
	json_put_z(o, "call_id", id);
	json_put_str(o, "name", json_key(call));
	json_put_end(o, '}');
}

static const struct json *first_call(const struct sim_answer *a)
{
	return sim_has_tools(a) ? json_first(a->scenario->tool_calls) : NULL;
}

static void put_output(const struct sim_answer *a, struct json_out *o)
{
	int number = 0;
	if (has_reasoning(a))
		put_reasoning(a, NULL, true, o);
	if (a->text.len > 0)
		put_message(a, NULL, true, o);
	for (const struct json *call = first_call(a); call != NULL; call = json_next(call))
		put_call(a, NULL, call, number++, true, o);
}

/* ---- Responses ---- */

static void put_usage(const struct sim_answer *a, struct json_out *o)
{
	const int64_t *n = a->usage.n;
	json_put_object(o, "usage");
	if (a->scenario->fault.malformed_usage) {
		json_put_z(o, "input_tokens", "many");
		json_put_i64(o, "output_tokens", -1);
		json_put_end(o, '}');
		return;
	}
	json_put_i64(o, "input_tokens", sim_input(a));
	json_put_object(o, "input_tokens_details");
	json_put_i64(o, "cached_tokens", n[TOKEN_CACHE_READ]);
	json_put_i64(o, "cache_write_tokens", n[TOKEN_CACHE_WRITE_5M] + n[TOKEN_CACHE_WRITE_1H]);
	json_put_object(o, "cache_write_tokens_details");
	json_put_i64(o, "ttl_30m_tokens", n[TOKEN_CACHE_WRITE_5M]);
	json_put_i64(o, "ttl_12h_tokens", n[TOKEN_CACHE_WRITE_1H]);
	json_put_end(o, '}');
	json_put_end(o, '}');
	json_put_i64(o, "output_tokens", n[TOKEN_OUTPUT]);
	json_put_object(o, "output_tokens_details");
	json_put_i64(o, "reasoning_tokens", sim_thoughts(a));
	json_put_end(o, '}');
	json_put_i64(o, "total_tokens", sim_input(a) + n[TOKEN_OUTPUT]);
	json_put_end(o, '}');
}

static void put_incomplete(const struct sim_answer *a, bool done, struct json_out *o)
{
	bool length = a->finish == SIM_LENGTH;
	if (!done || (!length && a->finish != SIM_BLOCKED)) {
		json_put_null(o, "incomplete_details");
		return;
	}
	json_put_object(o, "incomplete_details");
	json_put_z(o, "reason", length ? "max_output_tokens" : "content_filter");
	json_put_end(o, '}');
}

/* What is repeated of the request is a part of what is really repeated. */
static void put_asked(const struct sim_answer *a, struct json_out *o)
{
	json_put_null(o, "instructions");
	json_put_str(o, "model", a->model);
	json_put_bool(o, "parallel_tool_calls", true);
	json_put_null(o, "previous_response_id");
	json_put_z(o, "service_tier", "default");
	json_put_bool(o, "store", false);
	json_put_z(o, "tool_choice", "auto");
	json_put_array(o, "tools");
	json_put_end(o, ']');
	json_put_object(o, "metadata");
	json_put_end(o, '}');
}

static void put_response(const struct sim_answer *a, const char *key, bool done, struct json_out *o)
{
	char id[SIM_ID_MAX];
	sim_id(id, "resp_sim", a->seq);
	json_put_object(o, key);
	json_put_z(o, "id", id);
	json_put_z(o, "object", "response");
	json_put_i64(o, "created_at", SIM_CREATED);
	json_put_z(o, "status", done ? STATUSES[a->finish] : "in_progress");
	json_put_null(o, "error");
	put_incomplete(a, done, o);
	put_asked(a, o);
	json_put_array(o, "output");
	if (done)
		put_output(a, o);
	json_put_end(o, ']');
	if (done && !a->scenario->fault.no_usage)
		put_usage(a, o);
	else
		json_put_null(o, "usage");
	json_put_end(o, '}');
}

static void put_whole(const struct sim_answer *a, struct json_out *o)
{
	put_response(a, NULL, true, o);
}

static void put_count(const struct sim_answer *a, struct json_out *o)
{
	json_put_object(o, NULL);
	json_put_z(o, "object", "response.input_tokens");
	json_put_i64(o, "input_tokens", sim_input(a));
	json_put_end(o, '}');
}

/* ---- Streams ---- */

/* An item of the stream that is being told. */
struct telling {
	const struct sim_answer *a;
	struct sim_frames *f;
	int output_index;
	const struct json *call; /* of a call: which one */
	int number;
	const char *prefix; /* of its id */
};

static struct json_out event_begin(const struct sim_frames *f, const char *type)
{
	struct json_out o = json_out_make(OUT_MAX);
	json_put_object(&o, NULL);
	json_put_z(&o, "type", type);
	json_put_i64(&o, "sequence_number", (int64_t)f->count);
	return o;
}

static void event_end(struct json_out *o, const char *type, enum sim_frame_kind kind,
                      struct sim_frames *f)
{
	json_put_end(o, '}');
	sim_frames_add(f, kind, type, buf_str(&o->text));
	json_out_done(o);
}

static void tell_item(const struct telling *t, bool done)
{
	const char *type = done ? "response.output_item.done" : "response.output_item.added";
	struct json_out o = event_begin(t->f, type);
	json_put_i64(&o, "output_index", t->output_index);
	if (t->call != NULL)
		put_call(t->a, "item", t->call, t->number - FIRST_CALL, done, &o);
	else if (t->number == REASONING)
		put_reasoning(t->a, "item", done, &o);
	else
		put_message(t->a, "item", done, &o);
	event_end(&o, type, SIM_FRAME_OTHER, t->f);
}

/* An event about a part of an item; `index` names its place there, NULL: there is none. */
static struct json_out part_begin(const struct telling *t, const char *type, const char *index)
{
	char id[SIM_ID_MAX];
	struct json_out o = event_begin(t->f, type);
	sim_id(id, t->prefix, item_number(t->a, t->number));
	json_put_z(&o, "item_id", id);
	json_put_i64(&o, "output_index", t->output_index);
	if (index != NULL)
		json_put_i64(&o, index, 0);
	return o;
}

/* The names of a part's events, and of the member with its whole text. */
struct part_names {
	const char *delta, *done, *member, *index;
};

static void tell_text(const struct telling *t, const struct part_names *names, struct str text,
                      size_t piece_bytes)
{
	struct str rest = text;
	struct str piece;
	while (sim_next_piece(&rest, piece_bytes, &piece)) {
		struct json_out o = part_begin(t, names->delta, names->index);
		json_put_str(&o, "delta", piece);
		event_end(&o, names->delta, SIM_FRAME_CHUNK, t->f);
	}
	struct json_out o = part_begin(t, names->done, names->index);
	json_put_str(&o, names->member, text);
	event_end(&o, names->done, SIM_FRAME_OTHER, t->f);
}

static void tell_summary_part(const struct telling *t, const char *type, struct str text)
{
	struct json_out o = part_begin(t, type, "summary_index");
	put_summary_part("part", text, &o);
	event_end(&o, type, SIM_FRAME_OTHER, t->f);
}

static void stream_reasoning(const struct sim_answer *a, int index, struct sim_frames *f)
{
	static const struct part_names NAMES = { "response.reasoning_summary_text.delta",
		                                 "response.reasoning_summary_text.done", "text",
		                                 "summary_index" };
	struct telling t = { a, f, index, NULL, REASONING, "rs_sim" };
	struct str text = a->scenario->reasoning;
	tell_item(&t, false);
	if (a->ask->show_reasoning) {
		tell_summary_part(&t, "response.reasoning_summary_part.added", STR(""));
		tell_text(&t, &NAMES, text, sim_piece_bytes(a, text));
		tell_summary_part(&t, "response.reasoning_summary_part.done", text);
	}
	tell_item(&t, true);
}

static void tell_content_part(const struct telling *t, const char *type, struct str text)
{
	struct json_out o = part_begin(t, type, "content_index");
	put_text_part(t->a, "part", text, &o);
	event_end(&o, type, SIM_FRAME_OTHER, t->f);
}

static void stream_message(const struct sim_answer *a, int index, struct sim_frames *f)
{
	static const struct part_names TEXT = { "response.output_text.delta",
		                                "response.output_text.done", "text",
		                                "content_index" };
	static const struct part_names REFUSAL = { "response.refusal.delta",
		                                   "response.refusal.done", "refusal",
		                                   "content_index" };
	struct telling t = { a, f, index, NULL, MESSAGE, "msg_sim" };
	tell_item(&t, false);
	tell_content_part(&t, "response.content_part.added", STR(""));
	tell_text(&t, is_refusal(a) ? &REFUSAL : &TEXT, a->text, sim_piece_bytes(a, a->text));
	tell_content_part(&t, "response.content_part.done", a->text);
	tell_item(&t, true);
}

static void stream_call(const struct telling *t)
{
	static const struct part_names NAMES = { "response.function_call_arguments.delta",
		                                 "response.function_call_arguments.done",
		                                 "arguments", NULL };
	tell_item(t, false);
	tell_text(t, &NAMES, json_text(t->call), 12);
	tell_item(t, true);
}

static void tell_response(const struct sim_answer *a, const char *type, bool done,
                          struct sim_frames *f)
{
	struct json_out o = event_begin(f, type);
	put_response(a, "response", done, &o);
	event_end(&o, type, done ? SIM_FRAME_USAGE : SIM_FRAME_OTHER, f);
}

static void put_stream(const struct sim_answer *a, struct sim_frames *f)
{
	bool whole = str_eq(str_of(STATUSES[a->finish]), STR("completed"));
	int index = 0, number = FIRST_CALL;
	tell_response(a, "response.created", false, f);
	tell_response(a, "response.in_progress", false, f);
	if (has_reasoning(a))
		stream_reasoning(a, index++, f);
	if (a->text.len > 0)
		stream_message(a, index++, f);
	for (const struct json *call = first_call(a); call != NULL; call = json_next(call))
		stream_call(&(struct telling){ a, f, index++, call, number++, "fc_sim" });
	tell_response(a, whole ? "response.completed" : "response.incomplete", true, f);
}

/* ---- Errors ---- */

static void name_error(struct sim_error *error)
{
	sim_openai.name_error(error);
}

static void put_error(const struct sim_error *error, int64_t seq, struct json_out *o)
{
	sim_openai.put_error(error, seq, o);
}

static void put_error_event(const struct sim_error *error, int64_t seq, struct sim_frames *f)
{
	(void)seq; /* the id is only in the header */
	struct json_out o = event_begin(f, "error");
	json_put_str(&o, "code", str_of(error->code != NULL ? error->code : error->type));
	json_put_z(&o, "message", error->message);
	json_put_str(&o, "param", str_of(error->param));
	event_end(&o, "error", SIM_FRAME_OTHER, f);
}

const struct sim_format sim_responses = {
	.provider = "openai",
	.models = MODELS,
	.write_classes = 2,
	.authorized = sim_has_bearer,
	.read = read_request,
	.put_whole = put_whole,
	.put_stream = put_stream,
	.put_count = put_count,
	.put_error = put_error,
	.put_error_event = put_error_event,
	.name_error = name_error,
	.id_header = "x-request-id",
	.headers = HEADERS,
	.header_count = ARRAY_LEN(HEADERS),
};
