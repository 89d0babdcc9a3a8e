/* SPDX-License-Identifier: Apache-2.0 */
/* Chat Completions to a talk. The list of members is closed, as OpenAI's own is: an unknown one is
 * refused, because a caller who misspells `temperature` wants to know. The surprising fact: what
 * our answers add to the protocol (reasoning_content, reasoning_details, extra_content) is read
 * back here, because the client's transcript is the only memory that there is. */
#include "router/talk_read.h"

static const struct talk_member members[] = {
	{ "model", TALK_FATE_READ, NULL },
	{ "messages", TALK_FATE_READ, NULL },
	{ "max_completion_tokens", TALK_FATE_READ, NULL },
	{ "max_tokens", TALK_FATE_READ, NULL },
	{ "stream", TALK_FATE_READ, NULL },
	{ "stream_options", TALK_FATE_READ, NULL },
	{ "temperature", TALK_FATE_READ, NULL },
	{ "top_p", TALK_FATE_READ, NULL },
	{ "n", TALK_FATE_READ, NULL },
	{ "stop", TALK_FATE_READ, NULL },
	{ "tools", TALK_FATE_READ, NULL },
	{ "tool_choice", TALK_FATE_READ, NULL },
	{ "parallel_tool_calls", TALK_FATE_READ, NULL },
	{ "response_format", TALK_FATE_READ, NULL },
	{ "reasoning_effort", TALK_FATE_READ, NULL },
	{ "thinking", TALK_FATE_READ, NULL },
	{ "seed", TALK_FATE_READ, NULL },
	{ "presence_penalty", TALK_FATE_READ, NULL },
	{ "frequency_penalty", TALK_FATE_READ, NULL },
	{ "modalities", TALK_FATE_READ, NULL },
	{ "logprobs", TALK_FATE_READ, NULL },
	{ "logit_bias", TALK_FATE_READ, NULL },
	{ "verbosity", TALK_FATE_DROP, NULL },
	{ "user", TALK_FATE_DROP, NULL },
	{ "safety_identifier", TALK_FATE_DROP, NULL },
	{ "prompt_cache_key", TALK_FATE_DROP, NULL },
	{ "prompt_cache_options", TALK_FATE_DROP, NULL },
	{ "prompt_cache_retention", TALK_FATE_DROP, NULL },
	{ "service_tier", TALK_FATE_DROP, NULL },
	{ "store", TALK_FATE_DROP, NULL },
	{ "metadata", TALK_FATE_DROP, NULL },
	{ "top_logprobs", TALK_FATE_REFUSE, "this model gives no log probabilities; leave it out" },
	{ "audio", TALK_FATE_REFUSE, "answers are text; leave it out" },
	{ "prediction", TALK_FATE_REFUSE, "this model takes no predicted output; leave it out" },
	{ "web_search_options", TALK_FATE_REFUSE, "searches are not priced here; leave it out" },
	{ "moderation", TALK_FATE_REFUSE, "this model's provider does not have it; leave it out" },
	{ "functions", TALK_FATE_REFUSE, "it is deprecated; use 'tools'" },
	{ "function_call", TALK_FATE_REFUSE, "it is deprecated; use 'tool_choice'" },
};

/* ---- Messages ---- */

static bool read_audio(struct talk_in *in, const struct json *audio)
{
	struct str data = { 0 }, format = { 0 };
	struct talk_part *part;

	if (!talk_in_need(in, audio, "data", &data) || !talk_in_need(in, audio, "format", &format))
		return false;
	if (!str_eq(format, STR("wav")) && !str_eq(format, STR("mp3")))
		return err_set(in->err, ERR_INVALID_ARGUMENT,
		               "'format' of audio may be \"wav\" or \"mp3\"");
	part = talk_in_part(in, TALK_AUDIO);
	if (!part)
		return false;
	part->data = data;
	part->mime = str_eq(format, STR("wav")) ? STR("audio/wav") : STR("audio/mp3");
	return true;
}

static bool read_file(struct talk_in *in, const struct json *file)
{
	struct str data = { 0 }, name = { 0 };

	if (talk_in_get(file, "file_id"))
		return err_set(
			in->err, ERR_UNSUPPORTED,
			"'file_id' is not offered here: nothing is stored; send 'file_data'");
	return talk_in_need(in, file, "file_data", &data) &&
	       talk_in_text(in, file, "filename", &name) && talk_in_file_url(in, data, name);
}

static bool read_text_part(struct talk_in *in, const struct json *part, struct str type)
{
	struct str text = { 0 };

	if (!str_eq(type, STR("text")))
		return err_set(in->err, ERR_INVALID_ARGUMENT,
		               "a part of type '%.*s' cannot stand here; use \"text\"",
		               STR_ARG(type));
	return talk_in_text(in, part, "text", &text) && talk_in_add_text(in, TALK_TEXT, text);
}

static bool read_user_part(struct talk_in *in, const struct json *part, struct str type)
{
	struct str url = { 0 };

	if (str_eq(type, STR("image_url")))
		return talk_in_need(in, talk_in_get(part, "image_url"), "url", &url) &&
		       talk_in_image_url(in, url);
	if (str_eq(type, STR("input_audio")))
		return read_audio(in, talk_in_get(part, "input_audio"));
	if (str_eq(type, STR("file")))
		return read_file(in, talk_in_get(part, "file"));
	return read_text_part(in, part, type);
}

static bool read_assistant_part(struct talk_in *in, const struct json *part, struct str type)
{
	struct str text = { 0 };

	if (str_eq(type, STR("refusal")))
		return talk_in_text(in, part, "refusal", &text) &&
		       talk_in_add_text(in, TALK_REFUSAL, text);
	return read_text_part(in, part, type);
}

/* {"text","signature"}, or {"data"} if it is redacted. */
static bool read_reasoning(struct talk_in *in, const struct json *detail)
{
	struct talk_seal seal = { 0 };
	struct str text = STR(""), signature = { 0 }, data = { 0 };

	if (!talk_in_text(in, detail, "text", &text) ||
	    !talk_in_text(in, detail, "signature", &signature) ||
	    !talk_in_text(in, detail, "data", &data))
		return false;
	if (!signature.p && !data.p)
		return talk_in_add_text(in, TALK_THINKING, text);
	seal = talk_seal_read(data.p ? data : signature);
	if (data.p)
		seal.kind = TALK_SEAL_REDACTED;
	return talk_in_thinking(in, text, &seal);
}

static bool read_thoughts(struct talk_in *in, const struct json *message)
{
	const struct json *details = talk_in_get(message, "reasoning_details");
	struct str text = { 0 };

	/* The details hold the same text, with what was signed. */
	if (json_is(details, JSON_ARRAY) && json_first(details)) {
		for (const struct json *d = json_first(details); d; d = json_next(d))
			if (!read_reasoning(in, d))
				return err_prefix(in->err, "reasoning_details");
		return true;
	}
	return talk_in_text(in, message, "reasoning_content", &text) &&
	       talk_in_add_text(in, TALK_THINKING, text);
}

static bool read_call(struct talk_in *in, const struct json *node)
{
	const struct json *function = talk_in_get(node, "function");
	const struct json *custom = talk_in_get(node, "custom");
	const struct json *google = talk_in_get(talk_in_get(node, "extra_content"), "google");
	struct str id = { 0 }, name = { 0 }, text = STR("");
	struct talk_part *part;

	if (!talk_in_need(in, node, "id", &id) ||
	    !talk_in_need(in, custom ? custom : function, "name", &name))
		return false;
	if (custom) {
		if (!talk_in_text(in, custom, "input", &text))
			return false;
		part = talk_in_custom_call(in, id, name, text);
	} else {
		if (!talk_in_text(in, function, "arguments", &text))
			return false;
		part = talk_in_call(in, id, name, text);
	}
	if (!part)
		return false;
	part->signer = PROVIDER_GOOGLE;
	return talk_in_text(in, google, "thought_signature", &part->signature);
}

static bool read_assistant(struct talk_in *in, const struct json *message)
{
	const struct json *calls = talk_in_get(message, "tool_calls");
	struct str refusal = { 0 };
	size_t i = 0;

	in->role = TALK_ASSISTANT;
	if (talk_in_get(message, "audio") || talk_in_get(message, "function_call"))
		return err_set(
			in->err, ERR_UNSUPPORTED,
			"'audio' and 'function_call' are not offered here; use 'content' and "
			"'tool_calls'");
	if (!read_thoughts(in, message) ||
	    !talk_in_content(in, talk_in_get(message, "content"), "content", read_assistant_part) ||
	    !talk_in_text(in, message, "refusal", &refusal) ||
	    !talk_in_add_text(in, TALK_REFUSAL, refusal))
		return false;
	if (calls && !json_is(calls, JSON_ARRAY))
		return err_set(in->err, ERR_INVALID_ARGUMENT, "'tool_calls' must be an array");
	for (const struct json *call = json_first(calls); call; call = json_next(call), i++)
		if (!read_call(in, call))
			return err_prefix(in->err, "tool_calls[%zu]", i);
	return true;
}

static bool read_result(struct talk_in *in, const struct json *message)
{
	struct str id = { 0 };
	struct talk_part *result;
	bool read;

	in->role = TALK_USER;
	if (!talk_in_need(in, message, "tool_call_id", &id))
		return false;
	result = talk_in_result(in, id);
	if (!result)
		return false;
	in->list = &result->content;
	/* Images in results are beyond OpenAI's types, and some clients send them. */
	read = talk_in_content(in, talk_in_get(message, "content"), "content", read_user_part);
	in->list = NULL;
	return read;
}

static bool read_system(struct talk_in *in, const struct json *message)
{
	bool read;

	in->list = &in->talk->system;
	read = talk_in_content(in, talk_in_get(message, "content"), "content", read_text_part);
	in->list = NULL;
	return read;
}

static bool read_message(struct talk_in *in, const struct json *message)
{
	struct str role = { 0 };

	if (!json_is(message, JSON_OBJECT))
		return err_set(in->err, ERR_INVALID_ARGUMENT, "must be an object");
	if (!talk_in_need(in, message, "role", &role))
		return false;
	if (str_eq(role, STR("system")) || str_eq(role, STR("developer")))
		return read_system(in, message);
	if (str_eq(role, STR("assistant")))
		return read_assistant(in, message);
	if (str_eq(role, STR("tool")))
		return read_result(in, message);
	in->role = TALK_USER;
	if (str_eq(role, STR("user")))
		return talk_in_content(in, talk_in_get(message, "content"), "content",
		                       read_user_part);
	return err_set(
		in->err, ERR_INVALID_ARGUMENT,
		"'role' may be \"developer\", \"system\", \"user\", \"assistant\" or \"tool\"");
}

static bool read_messages(struct talk_in *in, const struct json *list)
{
	if (!json_is(list, JSON_ARRAY))
		return err_set(in->err, ERR_INVALID_ARGUMENT,
		               "'messages' is required and an array");
	in->index = 0;
	for (const struct json *m = json_first(list); m; m = json_next(m), in->index++)
		if (!read_message(in, m))
			return err_prefix(in->err, "messages[%zu]", in->index);
	if (!in->talk->turns)
		return err_set(in->err, ERR_INVALID_ARGUMENT,
		               "'messages' must have a message of the user that is not empty");
	return true;
}

/* ---- Tools ---- */

static bool read_tool(struct talk_in *in, const struct json *tool)
{
	struct str type = { 0 };

	if (!talk_in_need(in, tool, "type", &type))
		return false;
	if (str_eq(type, STR("function")))
		return talk_in_function(in, talk_in_get(tool, "function"), "parameters") != NULL;
	if (str_eq(type, STR("custom")))
		return talk_in_custom(in, talk_in_get(tool, "custom"));
	return err_set(in->err, ERR_UNSUPPORTED,
	               "a tool of type '%.*s' is not offered here; use \"function\" or \"custom\"",
	               STR_ARG(type));
}

static bool read_choice(struct talk_in *in, const struct json *choice)
{
	struct str type = { 0 }, name = { 0 };

	if (!choice)
		return true;
	if (json_is(choice, JSON_STRING))
		return talk_in_choice_word(in, json_text(choice));
	if (!talk_in_need(in, choice, "type", &type))
		return false;
	if (str_eq(type, STR("allowed_tools")))
		return talk_in_allowed(in, talk_in_get(choice, "allowed_tools"), "function");
	return talk_in_need(
		       in, talk_in_get(choice, str_eq(type, STR("custom")) ? "custom" : "function"),
		       "name", &name) &&
	       talk_in_named(in, name);
}

static bool read_tools(struct talk_in *in, const struct json *root)
{
	const struct json *tools = talk_in_get(root, "tools");
	bool parallel = true;
	size_t i = 0;

	if (tools && !json_is(tools, JSON_ARRAY))
		return err_set(in->err, ERR_INVALID_ARGUMENT, "'tools' must be an array");
	for (const struct json *tool = json_first(tools); tool; tool = json_next(tool), i++)
		if (!read_tool(in, tool))
			return err_prefix(in->err, "tools[%zu]", i);
	if (!read_choice(in, talk_in_get(root, "tool_choice")))
		return err_prefix(in->err, "tool_choice");
	if (!talk_in_bool(in, root, "parallel_tool_calls", &parallel))
		return false;
	in->talk->parallel_off = !parallel;
	return true;
}

/* ---- Options ---- */

static bool read_format(struct talk_in *in, const struct json *format)
{
	struct str type = { 0 };

	if (!format)
		return true;
	if (!talk_in_need(in, format, "type", &type))
		return false;
	if (str_eq(type, STR("text")))
		return true;
	if (str_eq(type, STR("json_object"))) {
		in->talk->format = TALK_FORMAT_JSON;
		return true;
	}
	if (str_eq(type, STR("json_schema")))
		return talk_in_schema_format(in, talk_in_get(format, "json_schema"));
	return err_set(in->err, ERR_INVALID_ARGUMENT,
	               "'type' may be \"text\", \"json_object\" or \"json_schema\"");
}

/* Members that may only have the value that means nothing. */
static bool check_idle(struct talk_in *in, const struct json *root)
{
	const struct json *modalities = talk_in_get(root, "modalities");
	const struct json *bias = talk_in_get(root, "logit_bias");
	bool logprobs = false;
	int64_t n = 1;

	if (!talk_in_count(in, root, "n", &n) || !talk_in_bool(in, root, "logprobs", &logprobs))
		return false;
	if (n != 1)
		return err_set(in->err, ERR_UNSUPPORTED, "'n' may only be 1 with this model");
	if (logprobs)
		return err_set(in->err, ERR_UNSUPPORTED,
		               "'logprobs' may only be false with this model");
	if (bias && (!json_is(bias, JSON_OBJECT) || json_first(bias)))
		return err_set(in->err, ERR_UNSUPPORTED,
		               "'logit_bias' may only be {} with this model");
	for (const struct json *m = json_first(modalities); m; m = json_next(m))
		if (!str_eq(json_text(m), STR("text")))
			return err_set(in->err, ERR_UNSUPPORTED,
			               "'modalities' may only be [\"text\"]");
	return true;
}

static bool read_thinking(struct talk_in *in, const struct json *root)
{
	struct talk *t = in->talk;
	struct str type = { 0 };

	/* Kimi's own switch. */
	if (!talk_in_text(in, talk_in_get(root, "thinking"), "type", &type))
		return false;
	if (str_eq(type, STR("disabled")))
		t->effort = TALK_EFFORT_NONE;
	else if (str_eq(type, STR("enabled")))
		t->effort = TALK_EFFORT_HIGH;
	if (!talk_in_effort(in, root, "reasoning_effort"))
		return false;
	t->thinking_asked = t->effort > TALK_EFFORT_NONE;
	return true;
}

static bool read_options(struct talk_in *in, const struct json *root)
{
	struct talk *t = in->talk;

	return talk_in_count(in, root, "max_tokens", &t->output_limit) &&
	       talk_in_count(in, root, "max_completion_tokens", &t->output_limit) &&
	       talk_in_bool(in, root, "stream", &t->stream) &&
	       talk_in_bool(in, talk_in_get(root, "stream_options"), "include_usage",
	                    &t->wants_usage) &&
	       talk_in_number(in, root, "temperature", &t->temperature) &&
	       talk_in_number(in, root, "top_p", &t->top_p) &&
	       talk_in_number(in, root, "seed", &t->seed) &&
	       talk_in_number(in, root, "presence_penalty", &t->presence_penalty) &&
	       talk_in_number(in, root, "frequency_penalty", &t->frequency_penalty) &&
	       talk_in_stops(in, talk_in_get(root, "stop"), "stop") && read_thinking(in, root);
}

bool talk_read_chat(struct str body, struct talk *out, struct err *err)
{
	static const struct talk_members known = { members, ARRAY_LEN(members), true };
	struct talk_in in = { .talk = out, .err = err };

	out->list_name = "messages";
	if (!talk_in_open(&in, body, &known) || !check_idle(&in, out->tree) ||
	    !read_options(&in, out->tree) || !read_tools(&in, out->tree) ||
	    !read_messages(&in, talk_in_get(out->tree, "messages")))
		return false;
	if (!read_format(&in, talk_in_get(out->tree, "response_format")))
		return err_prefix(err, "response_format");
	return true;
}
