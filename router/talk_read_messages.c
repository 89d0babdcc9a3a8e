/* SPDX-License-Identifier: Apache-2.0 */
/* Anthropic Messages to a talk. Members that are not known are dropped: Claude Code adds some with
 * most of its releases, and they speak of Anthropic's own machinery. The surprising fact: the first
 * system text of Claude Code is a note for Anthropic's billing that changes with each request; it
 * is dropped, because with it no other provider's cache would ever find the prompt again. */
#include "router/talk_read.h"

#define NO_STATE "nothing is kept between requests; leave it out"

static const struct talk_member members[] = {
	{ "container", TALK_FATE_REFUSE, "it runs at the provider; leave it out" },
	{ "mcp_servers", TALK_FATE_REFUSE, "they run at the provider; leave it out" },
	{ "fallbacks", TALK_FATE_REFUSE, "it cannot be metered; leave it out" },
	{ "thread", TALK_FATE_REFUSE, NO_STATE },
};

/* ---- Blocks ---- */

/* {"type":"ephemeral","ttl"} on a block or tool. */
static bool read_cache_mark(const struct talk_in *in, const struct json *node, struct str *ttl)
{
	const struct json *mark = talk_in_get(node, "cache_control");
	struct str text = STR("5m");

	if (!mark)
		return true;
	if (!talk_in_text(in, mark, "ttl", &text))
		return false;
	if (!str_eq(text, STR("5m")) && !str_eq(text, STR("1h")))
		return err_set(in->err, ERR_INVALID_ARGUMENT,
		               "'ttl' of cache_control may be \"5m\" or \"1h\"");
	*ttl = text;
	return true;
}

/* The part that was added last, where the next one will go too. */
static struct talk_part *last_part(const struct talk_in *in)
{
	const struct talk_turn *turn = in->talk->last_turn;
	struct talk_part *list = in->list ? *in->list : turn ? turn->parts : NULL;

	return list ? list->last : NULL;
}

static bool read_text(struct talk_in *in, const struct json *block)
{
	struct str text = { 0 };
	struct talk_part *part;

	if (!talk_in_text(in, block, "text", &text))
		return false;
	if (text.len == 0)
		return true;
	part = talk_in_part(in, TALK_TEXT);
	if (!part)
		return false;
	part->text = text;
	return read_cache_mark(in, block, &part->cache_ttl);
}

static bool read_image(struct talk_in *in, const struct json *source)
{
	struct str type = { 0 }, url = { 0 }, mime = { 0 }, data = { 0 };

	if (!talk_in_need(in, source, "type", &type))
		return false;
	if (str_eq(type, STR("base64")))
		return talk_in_need(in, source, "media_type", &mime) &&
		       talk_in_need(in, source, "data", &data) &&
		       talk_in_image_data(in, mime, data);
	if (str_eq(type, STR("url")))
		return talk_in_need(in, source, "url", &url) && talk_in_image_url(in, url);
	return err_set(in->err, ERR_UNSUPPORTED,
	               "an image's source may be \"base64\" or \"url\" with this model");
}

static bool read_document_url(struct talk_in *in, const struct json *source, struct str title)
{
	struct str url = { 0 };
	struct talk_part *part;

	if (!talk_in_need(in, source, "url", &url))
		return false;
	if (!str_starts(url, STR("https://")))
		return err_set(in->err, ERR_INVALID_ARGUMENT,
		               "a document's URL must begin with https://");
	part = talk_in_part(in, TALK_FILE);
	if (!part)
		return false;
	part->url = url;
	part->name = title;
	return true;
}

static talk_in_part_fn read_result_block;

static bool read_document(struct talk_in *in, const struct json *block)
{
	const struct json *source = talk_in_get(block, "source");
	struct str type = { 0 }, title = { 0 }, mime = { 0 }, data = { 0 };

	if (!talk_in_need(in, source, "type", &type) || !talk_in_text(in, block, "title", &title))
		return false;
	if (str_eq(type, STR("base64")))
		return talk_in_need(in, source, "media_type", &mime) &&
		       talk_in_need(in, source, "data", &data) &&
		       talk_in_pdf(in, mime, data, title);
	if (str_eq(type, STR("url")))
		return read_document_url(in, source, title);
	if (!str_eq(type, STR("text")) && !str_eq(type, STR("content")))
		return err_set(in->err, ERR_UNSUPPORTED,
		               "a document's source may be \"base64\", \"url\", \"text\" or "
		               "\"content\" with this model");
	if (!talk_in_add_text(in, TALK_TEXT, title))
		return false;
	if (str_eq(type, STR("content")))
		return talk_in_content(in, talk_in_get(source, "content"), "content",
		                       read_result_block);
	return talk_in_text(in, source, "data", &data) && talk_in_add_text(in, TALK_TEXT, data);
}

static bool read_thinking(struct talk_in *in, const struct json *block)
{
	struct str text = STR(""), signature = { 0 };
	struct talk_seal seal;

	if (!talk_in_text(in, block, "thinking", &text) ||
	    !talk_in_text(in, block, "signature", &signature))
		return false;
	if (signature.len == 0)
		return talk_in_add_text(in, TALK_THINKING, text);
	seal = talk_seal_read(signature);
	return talk_in_thinking(in, text, &seal);
}

static bool read_redacted(struct talk_in *in, const struct json *block)
{
	struct str data = { 0 };
	struct talk_seal seal;

	if (!talk_in_need(in, block, "data", &data))
		return false;
	seal = talk_seal_read(data);
	if (seal.kind == TALK_SEAL_THINKING)
		seal.kind = TALK_SEAL_REDACTED;
	return talk_in_thinking(in, STR(""), &seal);
}

static bool read_call(struct talk_in *in, const struct json *block)
{
	const struct json *input = talk_in_get(block, "input");
	struct str id = { 0 }, name = { 0 }, arguments = STR("{}");

	if (!talk_in_need(in, block, "id", &id) || !talk_in_need(in, block, "name", &name))
		return false;
	if (input && !json_is(input, JSON_OBJECT))
		return err_set(in->err, ERR_INVALID_ARGUMENT, "'input' must be an object");
	if (input && !talk_in_json(in, input, &arguments))
		return false;
	return talk_in_call(in, id, name, arguments) != NULL;
}

static bool read_result_block(struct talk_in *in, const struct json *block, struct str type)
{
	if (str_eq(type, STR("text")))
		return read_text(in, block);
	if (str_eq(type, STR("image")))
		return read_image(in, talk_in_get(block, "source"));
	if (str_eq(type, STR("document")))
		return read_document(in, block);
	return err_set(in->err, ERR_UNSUPPORTED,
	               "a block of type '%.*s' cannot stand here with this model", STR_ARG(type));
}

static bool read_result(struct talk_in *in, const struct json *block)
{
	struct str id = { 0 };
	struct talk_part *result;
	bool read;

	if (!talk_in_need(in, block, "tool_use_id", &id))
		return false;
	result = talk_in_result(in, id);
	if (!result || !talk_in_bool(in, block, "is_error", &result->is_error) ||
	    !read_cache_mark(in, block, &result->cache_ttl))
		return false;
	in->list = &result->content;
	read = talk_in_content(in, talk_in_get(block, "content"), "content", read_result_block);
	in->list = NULL;
	return read;
}

static bool read_user_block(struct talk_in *in, const struct json *block, struct str type)
{
	struct talk_part *before = last_part(in), *part;

	if (str_eq(type, STR("tool_result")))
		return read_result(in, block);
	if (!read_result_block(in, block, type))
		return false;
	part = last_part(in);
	return part == before || !part || read_cache_mark(in, block, &part->cache_ttl);
}

static bool read_assistant_block(struct talk_in *in, const struct json *block, struct str type)
{
	if (str_eq(type, STR("text")))
		return read_text(in, block);
	if (str_eq(type, STR("thinking")))
		return read_thinking(in, block);
	if (str_eq(type, STR("redacted_thinking")))
		return read_redacted(in, block);
	if (!str_eq(type, STR("tool_use")))
		return err_set(in->err, ERR_UNSUPPORTED,
		               "a block of type '%.*s' cannot stand here with this model",
		               STR_ARG(type));
	return read_call(in, block) && read_cache_mark(in, block, &last_part(in)->cache_ttl);
}

/* ---- Messages ---- */

static bool read_system_block(struct talk_in *in, const struct json *block, struct str type)
{
	if (!str_eq(type, STR("text")))
		return err_set(in->err, ERR_INVALID_ARGUMENT, "'system' may only have text blocks");
	if (str_starts(json_text(json_get(block, "text")), STR("x-anthropic-billing-header:")))
		return true;
	return read_text(in, block);
}

static bool read_system(struct talk_in *in, const struct json *content, const char *key)
{
	bool read;

	in->list = &in->talk->system;
	read = talk_in_content(in, content, key, read_system_block);
	in->list = NULL;
	return read;
}

static bool read_message(struct talk_in *in, const struct json *message)
{
	const struct json *content = talk_in_get(message, "content");
	struct str role = { 0 };

	if (!json_is(message, JSON_OBJECT))
		return err_set(in->err, ERR_INVALID_ARGUMENT, "must be an object");
	if (!talk_in_need(in, message, "role", &role))
		return false;
	if (str_eq(role, STR("system")))
		return read_system(in, content, "content");
	in->role = str_eq(role, STR("assistant")) ? TALK_ASSISTANT : TALK_USER;
	if (in->role == TALK_ASSISTANT)
		return talk_in_content(in, content, "content", read_assistant_block);
	if (str_eq(role, STR("user")))
		return talk_in_content(in, content, "content", read_user_block);
	return err_set(in->err, ERR_INVALID_ARGUMENT, "'role' may be \"user\" or \"assistant\"");
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
		               "'messages' must have a message that is not empty");
	return true;
}

/* ---- Tools ---- */

static bool read_tool(struct talk_in *in, const struct json *node)
{
	struct str type = STR("custom");
	struct talk_tool *tool;

	if (!talk_in_text(in, node, "type", &type))
		return false;
	if (!str_eq(type, STR("custom")))
		return err_set(in->err, ERR_UNSUPPORTED,
		               "a tool of type '%.*s' is known to Anthropic's models only; give a "
		               "name and an input_schema",
		               STR_ARG(type));
	tool = talk_in_function(in, node, "input_schema");
	return tool && read_cache_mark(in, node, &tool->cache_ttl);
}

static bool read_choice(struct talk_in *in, const struct json *choice)
{
	struct str type = { 0 }, name = { 0 };

	if (!choice)
		return true;
	if (!talk_in_need(in, choice, "type", &type) ||
	    !talk_in_bool(in, choice, "disable_parallel_tool_use", &in->talk->parallel_off))
		return false;
	if (str_eq(type, STR("tool")))
		return talk_in_need(in, choice, "name", &name) && talk_in_named(in, name);
	if (str_eq(type, STR("any"))) {
		in->talk->choice = TALK_CHOICE_REQUIRED;
		return true;
	}
	if (str_eq(type, STR("auto")) || str_eq(type, STR("none")))
		return talk_in_choice_word(in, type);
	return err_set(in->err, ERR_INVALID_ARGUMENT,
	               "'type' may be \"auto\", \"any\", \"tool\" or \"none\"");
}

static bool read_tools(struct talk_in *in, const struct json *root)
{
	const struct json *tools = talk_in_get(root, "tools");
	size_t i = 0;

	if (tools && !json_is(tools, JSON_ARRAY))
		return err_set(in->err, ERR_INVALID_ARGUMENT, "'tools' must be an array");
	for (const struct json *tool = json_first(tools); tool; tool = json_next(tool), i++)
		if (!read_tool(in, tool))
			return err_prefix(in->err, "tools[%zu]", i);
	return read_choice(in, talk_in_get(root, "tool_choice")) ||
	       err_prefix(in->err, "tool_choice");
}

/* ---- Options ---- */

static bool read_thinking_mode(struct talk_in *in, const struct json *thinking)
{
	struct talk *t = in->talk;
	struct str type = { 0 }, display = { 0 };

	if (!thinking)
		return true;
	if (!talk_in_need(in, thinking, "type", &type) ||
	    !talk_in_text(in, thinking, "display", &display))
		return false;
	if (str_eq(type, STR("disabled"))) {
		t->effort = TALK_EFFORT_NONE;
		t->thinking_budget = 0;
		return true;
	}
	t->thinking_asked = !str_eq(display, STR("omitted"));
	if (!str_eq(type, STR("enabled"))) {
		if (t->effort == TALK_EFFORT_UNSET)
			t->effort = TALK_EFFORT_HIGH; /* what Anthropic takes for it */
		return true;
	}
	if (!talk_in_get(thinking, "budget_tokens"))
		return err_set(in->err, ERR_INVALID_ARGUMENT, "'budget_tokens' is required");
	return talk_in_count(in, thinking, "budget_tokens", &t->thinking_budget);
}

static bool read_format(struct talk_in *in, const struct json *format)
{
	struct str type = { 0 };

	if (!format)
		return true;
	if (!talk_in_need(in, format, "type", &type))
		return false;
	if (!str_eq(type, STR("json_schema")))
		return err_set(in->err, ERR_INVALID_ARGUMENT,
		               "'type' of a format may only be \"json_schema\"");
	in->talk->format_strict = true;
	return talk_in_schema_format(in, format);
}

/* Members that may only have the value that costs nothing more. */
static bool check_priced(struct talk_in *in, const struct json *root)
{
	struct str speed = STR("standard"), geo = STR("global");

	if (!talk_in_text(in, root, "speed", &speed) ||
	    !talk_in_text(in, root, "inference_geo", &geo))
		return false;
	if (!str_eq(speed, STR("standard")))
		return err_set(in->err, ERR_UNSUPPORTED, "'speed' may only be \"standard\"");
	if (!str_eq(geo, STR("global")))
		return err_set(in->err, ERR_UNSUPPORTED, "'inference_geo' may only be \"global\"");
	return true;
}

static bool read_options(struct talk_in *in, const struct json *root)
{
	struct talk *t = in->talk;
	const struct json *output = talk_in_get(root, "output_config");

	if (!talk_in_get(root, "max_tokens"))
		return err_set(in->err, ERR_INVALID_ARGUMENT,
		               "'max_tokens' is required by the Messages API");
	t->wants_usage = true;
	return talk_in_count(in, root, "max_tokens", &t->output_limit) &&
	       talk_in_bool(in, root, "stream", &t->stream) &&
	       talk_in_number(in, root, "temperature", &t->temperature) &&
	       talk_in_number(in, root, "top_p", &t->top_p) &&
	       talk_in_number(in, root, "top_k", &t->top_k) &&
	       talk_in_stops(in, talk_in_get(root, "stop_sequences"), "stop_sequences") &&
	       talk_in_effort(in, output, "effort") &&
	       read_thinking_mode(in, talk_in_get(root, "thinking")) &&
	       read_format(in, talk_in_get(output, "format"));
}

bool talk_read_messages(struct str body, struct talk *out, struct err *err)
{
	static const struct talk_members known = { members, ARRAY_LEN(members), false };
	struct talk_in in = { .talk = out, .err = err };

	out->list_name = "messages";
	return talk_in_open(&in, body, &known) && check_priced(&in, out->tree) &&
	       read_options(&in, out->tree) && read_tools(&in, out->tree) &&
	       read_system(&in, talk_in_get(out->tree, "system"), "system") &&
	       read_messages(&in, talk_in_get(out->tree, "messages"));
}
