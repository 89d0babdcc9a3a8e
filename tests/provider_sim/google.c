/* SPDX-License-Identifier: Apache-2.0 */
/* Gemini's generateContent as the provider speaks it: the model stands in the path, thoughts are
 * counted apart from what is said, and each chunk of a stream tells the total so far, so that the
 * last one counts. Nothing but the end of the bytes ends a stream. A wrong key is a bad request. */
#include <assert.h>
#include <stdio.h>

#include "tests/provider_sim/sim.h"

#define OUT_MAX (256u << 20)
#define ROOT "/v1beta/models/"

static const char *const MODELS[] = { "gemini-", NULL };
static const char *const CATALOG[] = { "gemini-2.5-pro",
	                               "gemini-2.5-flash",
	                               "gemini-2.5-flash-lite",
	                               "gemini-3.1-flash-lite",
	                               "gemini-3.5-flash-lite",
	                               "gemini-3.8-flash",
	                               NULL };

/* There is no word for a call: it is a part, and the answer just stops. */
static const char *const FINISHES[] = {
	[SIM_STOP] = "STOP",      [SIM_LENGTH] = "MAX_TOKENS", [SIM_TOOL] = "STOP",
	[SIM_REFUSAL] = "SAFETY", [SIM_BLOCKED] = NULL,
};
static_assert(ARRAY_LEN(FINISHES) == SIM_FINISH_COUNT, "a word for each finish");

/* ---- Requests ---- */

static bool authorized(const struct net_request *rq, struct str key)
{
	return str_eq(net_request_header(rq, "x-goog-api-key"), key);
}

/* "/v1beta/models/gemini-2.5-pro:generateContent" */
static bool read_path(const struct net_request *rq, struct sim_ask *ask, struct sim_error *error)
{
	struct str path = net_request_path(rq);
	struct str rest = { path.p + sizeof(ROOT) - 1, path.len - (sizeof(ROOT) - 1) };
	struct str model = str_cut(&rest, ':');
	(void)snprintf(ask->path_model, sizeof(ask->path_model), "%.*s", STR_ARG(model));
	ask->model = str_of(ask->path_model);
	ask->stream = str_eq(rest, STR("streamGenerateContent"));
	if (str_eq(rest, STR("countTokens")))
		ask->want = SIM_COUNT;
	else if (!ask->stream && !str_eq(rest, STR("generateContent")))
		return sim_refuse(error, 404, "the method is not known");
	if (ask->stream && !str_eq(net_request_query(rq), STR("alt=sse")))
		return sim_refuse(error, 400, "the simulator streams only with alt=sse");
	return true;
}

static void read_part(const struct json *part, struct sim_ask *ask, struct str *text)
{
	struct str own = json_text(json_get(part, "text"));
	const struct json *result = json_get(json_get(part, "functionResponse"), "response");
	if (own.p == NULL)
		own = json_text(json_first(result));
	if (own.p == NULL)
		return;
	*text = own;
	ask->text_bytes += (int64_t)own.len;
}

static void read_contents(struct sim_ask *ask)
{
	const struct json *parts = json_get(json_get(ask->tree, "systemInstruction"), "parts");
	const struct json *content = json_first(json_get(ask->tree, "contents"));
	struct str unused;
	for (const struct json *p = json_first(parts); p != NULL; p = json_next(p))
		read_part(p, ask, &unused);
	for (; content != NULL; content = json_next(content)) {
		struct str text = { NULL, 0 };
		const struct json *p = json_first(json_get(content, "parts"));
		for (; p != NULL; p = json_next(p))
			read_part(p, ask, &text);
		if (!sim_text_is(content, "role", "model"))
			ask->last_user_text = text;
	}
}

static bool read_request(const struct net_request *rq, struct sim_ask *ask, struct sim_error *error)
{
	if (!read_path(rq, ask, error) || !sim_google_check(ask, error))
		return false;
	const struct json *config = json_get(ask->tree, "generationConfig");
	if (!json_i64(json_get(config, "maxOutputTokens"), &ask->max_tokens))
		ask->max_tokens = -1;
	ask->show_reasoning =
		json_true(json_get(json_get(config, "thinkingConfig"), "includeThoughts"));
	read_contents(ask);
	return true;
}

/* ---- Usage ---- */

static void put_details(const char *key, int64_t tokens, struct json_out *o)
{
	json_put_array(o, key);
	json_put_object(o, NULL);
	json_put_z(o, "modality", "TEXT");
	json_put_i64(o, "tokenCount", tokens);
	json_put_end(o, '}');
	json_put_end(o, ']');
}

/* The total after `said` tokens of what is said, and `thoughts`. What is zero is left out. */
static void put_usage(const struct sim_answer *a, int64_t said, int64_t thoughts,
                      struct json_out *o)
{
	int64_t cached = a->usage.n[TOKEN_CACHE_READ];
	int64_t tool_use = a->scenario->tool_use;
	int64_t prompt = sim_input(a) - tool_use;
	if (a->scenario->fault.no_usage)
		return;
	json_put_object(o, "usageMetadata");
	if (a->scenario->fault.malformed_usage) {
		json_put_z(o, "promptTokenCount", "many");
		json_put_i64(o, "candidatesTokenCount", -1);
		json_put_end(o, '}');
		return;
	}
	json_put_i64(o, "promptTokenCount", prompt);
	if (said > 0)
		json_put_i64(o, "candidatesTokenCount", said);
	json_put_i64(o, "totalTokenCount", prompt + tool_use + said + thoughts);
	if (cached > 0)
		json_put_i64(o, "cachedContentTokenCount", cached);
	put_details("promptTokensDetails", prompt, o);
	if (cached > 0)
		put_details("cacheTokensDetails", cached, o);
	if (tool_use > 0)
		json_put_i64(o, "toolUsePromptTokenCount", tool_use);
	if (thoughts > 0)
		json_put_i64(o, "thoughtsTokenCount", thoughts);
	json_put_end(o, '}');
}

/* ---- Parts ---- */

static bool is_gemini_3(const struct sim_answer *a)
{
	return str_starts(a->ask->model, STR("gemini-3"));
}

static void put_text_part(struct str text, bool thought, struct json_out *o)
{
	json_put_object(o, NULL);
	json_put_str(o, "text", text);
	if (thought)
		json_put_bool(o, "thought", true);
	json_put_end(o, '}');
}

/* Only the first call of a step is signed. The newer models give ids, the same in each answer. */
static void put_call_part(const struct sim_answer *a, const struct json *call, int index,
                          struct json_out *o)
{
	char signature[SIM_SIGNATURE_MAX], id[SIM_ID_MAX];
	sim_sign(signature, "google", a->ask->model, json_key(call));
	sim_id(id, "gemini_call", index);
	json_put_object(o, NULL);
	json_put_object(o, "functionCall");
	if (is_gemini_3(a))
		json_put_z(o, "id", id);
	json_put_str(o, "name", json_key(call));
	json_put_raw(o, "args", json_text(call));
	json_put_end(o, '}');
	if (index == 0)
		json_put_z(o, "thoughtSignature", signature);
	json_put_end(o, '}');
}

/* What the newer models sign when they thought but called nothing: an empty text behind all. */
static bool signs_text(const struct sim_answer *a)
{
	return is_gemini_3(a) && a->scenario->reasoning.len > 0 && !sim_has_tools(a);
}

static void put_last_part(const struct sim_answer *a, struct json_out *o)
{
	char signature[SIM_SIGNATURE_MAX];
	json_put_object(o, NULL);
	json_put_z(o, "text", "");
	if (signs_text(a)) {
		sim_sign(signature, "google", a->ask->model, STR(""));
		json_put_z(o, "thoughtSignature", signature);
	}
	json_put_end(o, '}');
}

static struct str shown_reasoning(const struct sim_answer *a)
{
	return a->ask->show_reasoning && a->scenario->reasoning.p != NULL ? a->scenario->reasoning
	                                                                  : STR("");
}

/* ---- Envelopes ---- */

static void put_end(const struct sim_answer *a, struct json_out *o)
{
	char id[SIM_ID_MAX];
	sim_id(id, "resp_sim", a->seq);
	json_put_str(o, "modelVersion", a->model);
	json_put_z(o, "responseId", id);
	json_put_end(o, '}');
}

static void put_candidate(struct json_out *o)
{
	json_put_object(o, NULL);
	json_put_array(o, "candidates");
	json_put_object(o, NULL);
	json_put_object(o, "content");
	json_put_array(o, "parts");
}

static void put_candidate_end(const char *finish, struct json_out *o)
{
	json_put_end(o, ']');
	json_put_z(o, "role", "model");
	json_put_end(o, '}');
	if (finish != NULL)
		json_put_z(o, "finishReason", finish);
	json_put_i64(o, "index", 0);
	json_put_end(o, '}');
	json_put_end(o, ']');
}

/* A success without candidates. */
static void put_blocked(const struct sim_answer *a, struct json_out *o)
{
	json_put_object(o, NULL);
	json_put_object(o, "promptFeedback");
	json_put_z(o, "blockReason", "PROHIBITED_CONTENT");
	json_put_end(o, '}');
	put_usage(a, 0, 0, o);
	put_end(a, o);
}

static void put_whole(const struct sim_answer *a, struct json_out *o)
{
	int64_t thoughts = sim_thoughts(a);
	int index = 0;
	if (a->finish == SIM_BLOCKED) {
		put_blocked(a, o);
		return;
	}
	put_candidate(o);
	if (shown_reasoning(a).len > 0)
		put_text_part(shown_reasoning(a), true, o);
	if (a->text.len > 0)
		put_text_part(a->text, false, o);
	const struct json *call = sim_has_tools(a) ? json_first(a->scenario->tool_calls) : NULL;
	for (; call != NULL; call = json_next(call))
		put_call_part(a, call, index++, o);
	if (signs_text(a))
		put_last_part(a, o);
	put_candidate_end(FINISHES[a->finish], o);
	put_usage(a, a->usage.n[TOKEN_OUTPUT] - thoughts, thoughts, o);
	put_end(a, o);
}

/* ---- Streams ---- */

static void chunk_end(const struct sim_answer *a, int64_t said, int64_t thoughts,
                      struct json_out *o, struct sim_frames *f)
{
	put_candidate_end(NULL, o);
	put_usage(a, said, thoughts, o);
	put_end(a, o);
	sim_frames_add(f, SIM_FRAME_CHUNK, NULL, buf_str(&o->text));
	json_out_done(o);
}

/* `tokens` for the whole text grow with it. */
static int64_t share(int64_t tokens, size_t rest, size_t all)
{
	int64_t product = 0;
	if (all == 0 || __builtin_mul_overflow(tokens, (int64_t)(all - rest), &product))
		return tokens;
	return product / (int64_t)all;
}

static void stream_text(const struct sim_answer *a, struct str text, bool thought,
                        struct sim_frames *f)
{
	int64_t thoughts = sim_thoughts(a);
	int64_t output = a->usage.n[TOKEN_OUTPUT] - thoughts;
	size_t piece_bytes = sim_piece_bytes(a, text);
	struct str rest = text;
	struct str piece;
	while (sim_next_piece(&rest, piece_bytes, &piece)) {
		struct json_out o = json_out_make(OUT_MAX);
		put_candidate(&o);
		put_text_part(piece, thought, &o);
		if (thought)
			chunk_end(a, 0, share(thoughts, rest.len, text.len), &o, f);
		else
			chunk_end(a, share(output, rest.len, text.len), thoughts, &o, f);
	}
}

static void stream_calls(const struct sim_answer *a, struct sim_frames *f)
{
	int64_t thoughts = sim_thoughts(a);
	int index = 0;
	const struct json *call = json_first(a->scenario->tool_calls);
	for (; call != NULL; call = json_next(call)) {
		struct json_out o = json_out_make(OUT_MAX);
		put_candidate(&o);
		put_call_part(a, call, index++, &o);
		chunk_end(a, a->usage.n[TOKEN_OUTPUT] - thoughts, thoughts, &o, f);
	}
}

static void stream_end(const struct sim_answer *a, struct sim_frames *f)
{
	int64_t thoughts = sim_thoughts(a);
	OWN_JSON_OUT struct json_out o = json_out_make(OUT_MAX);
	if (a->finish == SIM_BLOCKED) {
		put_blocked(a, &o);
	} else {
		put_candidate(&o);
		put_last_part(a, &o);
		put_candidate_end(FINISHES[a->finish], &o);
		put_usage(a, a->usage.n[TOKEN_OUTPUT] - thoughts, thoughts, &o);
		put_end(a, &o);
	}
	sim_frames_add(f, SIM_FRAME_USAGE, NULL, buf_str(&o.text));
}

static void put_stream(const struct sim_answer *a, struct sim_frames *f)
{
	f->crlf = true;
	if (a->finish != SIM_BLOCKED) {
		stream_text(a, shown_reasoning(a), true, f);
		stream_text(a, a->text, false, f);
	}
	if (sim_has_tools(a))
		stream_calls(a, f);
	stream_end(a, f);
}

static void put_count(const struct sim_answer *a, struct json_out *o)
{
	json_put_object(o, NULL);
	json_put_i64(o, "totalTokens", sim_input(a));
	json_put_end(o, '}');
}

/* ---- Errors and models ---- */

struct error_name {
	int status, theirs;
	const char *type, *reason;
};

static const struct error_name ERROR_NAMES[] = {
	{ 400, 400, "INVALID_ARGUMENT", NULL },
	{ 401, 400, "INVALID_ARGUMENT", "API_KEY_INVALID" },
	{ 402, 402, "RESOURCE_EXHAUSTED", NULL },
	{ 403, 403, "PERMISSION_DENIED", NULL },
	{ 404, 404, "NOT_FOUND", NULL },
	{ 429, 429, "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED" },
	{ 500, 500, "INTERNAL", NULL },
	{ 503, 503, "UNAVAILABLE", NULL },
	{ 504, 504, "DEADLINE_EXCEEDED", NULL },
	{ 529, 503, "UNAVAILABLE", NULL },
};

static void name_error(struct sim_error *error)
{
	int status = error->status;
	error->type = status >= 500 ? "INTERNAL" : "INVALID_ARGUMENT";
	for (size_t i = 0; i < ARRAY_LEN(ERROR_NAMES); i++) {
		if (ERROR_NAMES[i].status != status)
			continue;
		error->status = ERROR_NAMES[i].theirs;
		error->type = ERROR_NAMES[i].type;
		error->code = ERROR_NAMES[i].reason;
	}
}

/* Google says here what others say in retry-after. */
static void put_error_details(const struct sim_error *error, struct json_out *o)
{
	if (error->code == NULL)
		return;
	json_put_array(o, "details");
	json_put_object(o, NULL);
	json_put_z(o, "@type", "type.googleapis.com/google.rpc.ErrorInfo");
	json_put_z(o, "reason", error->code);
	json_put_z(o, "domain", "googleapis.com");
	json_put_end(o, '}');
	if (error->status == 429) {
		json_put_object(o, NULL);
		json_put_z(o, "@type", "type.googleapis.com/google.rpc.RetryInfo");
		json_put_z(o, "retryDelay", "2s");
		json_put_end(o, '}');
	}
	json_put_end(o, ']');
}

static void put_error(const struct sim_error *error, int64_t seq, struct json_out *o)
{
	(void)seq; /* Google names no request */
	json_put_object(o, NULL);
	json_put_object(o, "error");
	json_put_i64(o, "code", error->status);
	json_put_z(o, "message", error->message);
	json_put_z(o, "status", error->type);
	put_error_details(error, o);
	json_put_end(o, '}');
	json_put_end(o, '}');
}

static void put_error_event(const struct sim_error *error, int64_t seq, struct sim_frames *f)
{
	OWN_JSON_OUT struct json_out o = json_out_make(OUT_MAX);
	put_error(error, seq, &o);
	sim_frames_add(f, SIM_FRAME_OTHER, NULL, buf_str(&o.text));
}

static void put_model(const char *id, struct json_out *o)
{
	OWN_BUF struct buf name = buf_make(SIM_MODEL_MAX);
	buf_addf(&name, "models/%s", id);
	json_put_object(o, NULL);
	json_put_str(o, "name", buf_str(&name));
	json_put_z(o, "version", "001");
	json_put_z(o, "displayName", id);
	json_put_i64(o, "inputTokenLimit", 1048576);
	json_put_i64(o, "outputTokenLimit", 65536);
	json_put_array(o, "supportedGenerationMethods");
	json_put_z(o, NULL, "generateContent");
	json_put_z(o, NULL, "countTokens");
	json_put_end(o, ']');
	json_put_end(o, '}');
}

static void put_models(const struct sim_format *format, struct json_out *o)
{
	json_put_object(o, NULL);
	json_put_array(o, "models");
	for (const char *const *id = format->catalog; *id != NULL; id++)
		put_model(*id, o);
	json_put_end(o, ']');
	json_put_end(o, '}');
}

const struct sim_format sim_google = {
	.provider = "google",
	.models = MODELS,
	.catalog = CATALOG,
	.authorized = authorized,
	.read = read_request,
	.put_whole = put_whole,
	.put_stream = put_stream,
	.put_count = put_count,
	.put_error = put_error,
	.put_error_event = put_error_event,
	.put_models = put_models,
	.name_error = name_error,
};
