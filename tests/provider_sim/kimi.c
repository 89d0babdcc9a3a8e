/* SPDX-License-Identifier: Apache-2.0 */
/* Kimi: Chat Completions with what differs. Cached tokens stand at the top of the usage, which is
 * told twice in a stream; nothing tells what was written to a cache. Sampling is fixed, and while
 * it thinks a call must come back with the thinking that led to it. */
#include <assert.h>
#include <ctype.h>

#include "tests/provider_sim/sim.h"

#define ID_LEN_MAX 64

static const char *const MODELS[] = { "kimi-", NULL };
static const char *const CATALOG[] = { "kimi-k2.6", "kimi-k2.7-code", "kimi-k3", NULL };

static const char *const FINISHES[] = {
	[SIM_STOP] = "stop",
	[SIM_LENGTH] = "length",
	[SIM_TOOL] = "tool_calls",
	[SIM_REFUSAL] = "content_filter",
	[SIM_BLOCKED] = "content_filter",
};
static_assert(ARRAY_LEN(FINISHES) == SIM_FINISH_COUNT, "a word for each finish");

/* ---- Requests ---- */

/* One value is allowed of each, and which one differs: they are best left out. */
static bool check_sampling(const struct sim_ask *ask, struct sim_error *error)
{
	static const char *const FIXED[] = { "temperature", "top_p", "presence_penalty",
		                             "frequency_penalty" };
	int64_t n = 1;
	for (size_t i = 0; i < ARRAY_LEN(FIXED); i++) {
		if (json_get(ask->tree, FIXED[i]) != NULL)
			return sim_refuse(error, 400,
			                  "invalid %s: only one value is allowed for this model",
			                  FIXED[i]);
	}
	if (json_i64(json_get(ask->tree, "n"), &n) && n != 1)
		return sim_refuse(error, 400, "invalid n: only 1 is allowed for this model");
	return true;
}

/* K2 0905 never thinks, K2.5 and K2.6 unless told not to, the others always. */
static bool is_thinking(const struct sim_ask *ask)
{
	if (str_starts(ask->model, STR("kimi-k2-0905")))
		return false;
	bool can_be_off = str_starts(ask->model, STR("kimi-k2.5")) ||
	                  str_starts(ask->model, STR("kimi-k2.6"));
	return !can_be_off || !sim_text_is(json_get(ask->tree, "thinking"), "type", "disabled");
}

/* Every schema below the root's properties has a type, or is made of others that have. */
static bool is_typed(const struct json *schema)
{
	static const char *const INSTEAD[] = { "type", "anyOf", "oneOf", "allOf",
		                               "$ref", "enum",  "const" };
	bool typed = false;
	for (size_t i = 0; i < ARRAY_LEN(INSTEAD); i++)
		typed = typed || json_get(schema, INSTEAD[i]) != NULL;
	return typed;
}

static struct str untyped_property(const struct json *schema)
{
	const struct json *properties = json_get(schema, "properties");
	const struct json *p = json_first(properties);
	struct str found = { NULL, 0 };
	for (; p != NULL && found.p == NULL; p = json_next(p))
		found = is_typed(p) ? untyped_property(p) : json_key(p);
	const struct json *items = json_get(schema, "items");
	return found.p == NULL && items != NULL ? untyped_property(items) : found;
}

static bool check_tools(const struct sim_ask *ask, struct sim_error *error)
{
	const struct json *tools = json_get(ask->tree, "tools");
	const struct json *tool = json_first(tools);
	for (; tool != NULL; tool = json_next(tool)) {
		const struct json *function = json_get(tool, "function");
		struct str untyped = untyped_property(json_get(function, "parameters"));
		if (!sim_text_is(tool, "type", "function") || function == NULL)
			return sim_refuse(error, 400, "tools: only functions are known here");
		if (json_get(function, "strict") != NULL)
			return sim_refuse(error, 400, "tools: 'strict' is not supported");
		if (untyped.p != NULL)
			return sim_refuse(error, 400, "tools: property '%.*s' has no type",
			                  STR_ARG(untyped));
	}
	const struct json *choice = json_get(ask->tree, "tool_choice");
	bool forced = json_is(choice, JSON_OBJECT) || str_eq(json_text(choice), STR("required"));
	if (forced && is_thinking(ask))
		return sim_refuse(error, 400,
		                  "tool_choice 'specified' is incompatible with thinking enabled");
	return true;
}

static bool is_id(struct str id)
{
	for (size_t i = 0; i < id.len; i++) {
		if (isalnum((unsigned char)id.p[i]) == 0 && id.p[i] != '_' && id.p[i] != '-')
			return false;
	}
	return id.len > 0 && id.len <= ID_LEN_MAX;
}

static bool check_calls(const struct sim_ask *ask, const struct json *message, int index,
                        struct sim_error *error)
{
	const struct json *calls = json_get(message, "tool_calls");
	struct str content = json_text(json_get(message, "content"));
	if (json_count(calls) == 0)
		return true;
	for (const struct json *call = json_first(calls); call != NULL; call = json_next(call)) {
		if (!is_id(json_text(json_get(call, "id"))))
			return sim_refuse(error, 400, "messages[%d]: invalid tool call id", index);
	}
	if (content.p != NULL && content.len == 0)
		return sim_refuse(error, 400, "messages[%d]: text content is empty", index);
	if (is_thinking(ask) && json_text(json_get(message, "reasoning_content")).len == 0)
		return sim_refuse(error, 400,
		                  "thinking is enabled but reasoning_content is missing in "
		                  "assistant tool call message at index %d",
		                  index);
	return true;
}

static bool check_parts(const struct json *message, int index, struct sim_error *error)
{
	const struct json *content = json_get(message, "content");
	const struct json *part = json_is(content, JSON_ARRAY) ? json_first(content) : NULL;
	for (; part != NULL; part = json_next(part)) {
		const struct json *image = json_get(part, "image_url");
		if (image != NULL && !str_starts(json_text(json_get(image, "url")), STR("data:")))
			return sim_refuse(error, 400, "messages[%d]: unsupported image url", index);
	}
	return true;
}

static bool check_messages(const struct sim_ask *ask, struct sim_error *error)
{
	static const char *const ROLES[] = { "system", "user", "assistant", "tool" };
	int index = 0;
	const struct json *m = json_first(json_get(ask->tree, "messages"));
	for (; m != NULL; m = json_next(m), index++) {
		bool known = false;
		for (size_t i = 0; i < ARRAY_LEN(ROLES); i++)
			known = known || sim_text_is(m, "role", ROLES[i]);
		if (!known)
			return sim_refuse(error, 400, "messages[%d]: invalid role", index);
		if (!check_parts(m, index, error) || !check_calls(ask, m, index, error))
			return false;
	}
	return true;
}

static bool read_request(const struct net_request *rq, struct sim_ask *ask, struct sim_error *error)
{
	(void)rq;
	if (!sim_read_messages(ask, error))
		return false;
	ask->include_usage =
		json_true(json_get(json_get(ask->tree, "stream_options"), "include_usage"));
	if (!json_i64(json_get(ask->tree, "max_completion_tokens"), &ask->max_tokens) &&
	    !json_i64(json_get(ask->tree, "max_tokens"), &ask->max_tokens))
		ask->max_tokens = -1;
	return check_sampling(ask, error) && check_tools(ask, error) &&
	       check_messages(ask, error) && sim_chat_check(ask, error);
}

/* ---- Answers ---- */

static void put_usage(const struct sim_answer *a, struct json_out *o)
{
	const int64_t *n = a->usage.n;
	json_put_object(o, "usage");
	if (a->scenario->fault.malformed_usage) {
		json_put_z(o, "prompt_tokens", "many");
		json_put_i64(o, "completion_tokens", -1);
		json_put_end(o, '}');
		return;
	}
	json_put_i64(o, "prompt_tokens", sim_input(a));
	json_put_i64(o, "completion_tokens", n[TOKEN_OUTPUT]);
	json_put_i64(o, "total_tokens", sim_input(a) + n[TOKEN_OUTPUT]);
	json_put_i64(o, "cached_tokens", n[TOKEN_CACHE_READ]);
	json_put_object(o, "prompt_tokens_details");
	json_put_i64(o, "cached_tokens", n[TOKEN_CACHE_READ]);
	json_put_end(o, '}');
	json_put_end(o, '}');
}

static const struct sim_chat CHAT = {
	.shows_reasoning = true,
	.usage_in_choice = true,
	.bare = true,
	.finishes = FINISHES,
	.put_usage = put_usage,
};

/* ---- Errors and models ---- */

struct error_name {
	int status, theirs;
	const char *type;
};

static const struct error_name ERROR_NAMES[] = {
	{ 401, 401, "incorrect_api_key_error" },  { 402, 429, "exceeded_current_quota_error" },
	{ 403, 403, "permission_denied_error" },  { 404, 404, "resource_not_found_error" },
	{ 429, 429, "rate_limit_reached_error" }, { 503, 429, "engine_overloaded_error" },
	{ 529, 429, "engine_overloaded_error" },
};

static void name_error(struct sim_error *error)
{
	int status = error->status;
	error->type = status >= 500 ? "server_error" : "invalid_request_error";
	if (error->code != NULL) /* the one cause that the status does not tell */
		error->type = error->code;
	for (size_t i = 0; i < ARRAY_LEN(ERROR_NAMES); i++) {
		if (ERROR_NAMES[i].status != status)
			continue;
		error->status = ERROR_NAMES[i].theirs;
		error->type = ERROR_NAMES[i].type;
	}
}

static void put_error(const struct sim_error *error, int64_t seq, struct json_out *o)
{
	(void)seq; /* the id is only in the header */
	json_put_object(o, NULL);
	json_put_object(o, "error");
	json_put_z(o, "type", error->type);
	json_put_z(o, "message", error->message);
	json_put_end(o, '}');
	json_put_end(o, '}');
}

static void put_error_event(const struct sim_error *error, int64_t seq, struct sim_frames *f)
{
	OWN_JSON_OUT struct json_out o = json_out_make(1u << 20);
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
		json_put_z(o, "owned_by", "moonshot");
		json_put_i64(o, "context_length", 262144);
		json_put_end(o, '}');
	}
	json_put_end(o, ']');
	json_put_end(o, '}');
}

const struct sim_format sim_kimi = {
	.provider = "kimi",
	.models = MODELS,
	.catalog = CATALOG,
	.blocked_code = "content_filter",
	.authorized = sim_has_bearer,
	.read = read_request,
	.put_whole = sim_chat_put_whole,
	.put_stream = sim_chat_put_stream,
	.put_error = put_error,
	.put_error_event = put_error_event,
	.put_models = put_models,
	.name_error = name_error,
	.chat = &CHAT,
	.id_header = "x-trace-id",
};
