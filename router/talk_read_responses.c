/* SPDX-License-Identifier: Apache-2.0 */
/* OpenAI Responses to a talk, for models of other makers; written for what Codex CLI sends. Members
 * and tools that a client adds for OpenAI's own machinery are dropped, what needs a stored state is
 * refused. The surprising fact: items are not messages. A turn is a run of items of one side, and
 * it comes out of talk_add_turn's merging without any grouping here. */
#include "router/talk_read.h"

#define NO_STATE "nothing is kept between requests; send the whole input"

static const struct talk_member members[] = {
	{ "previous_response_id", TALK_FATE_REFUSE, NO_STATE },
	{ "conversation", TALK_FATE_REFUSE, NO_STATE },
	{ "prompt", TALK_FATE_REFUSE, "stored prompts are an account's; send the text" },
};

/* ---- Content ---- */

static bool read_text(struct talk_in *in, const struct json *part)
{
	struct str text = { 0 };

	return talk_in_text(in, part, "text", &text) && talk_in_add_text(in, TALK_TEXT, text);
}

static bool read_image(struct talk_in *in, const struct json *part)
{
	struct str url = { 0 };

	if (talk_in_get(part, "file_id"))
		return err_set(
			in->err, ERR_UNSUPPORTED,
			"'file_id' is not offered here: nothing is stored; send 'image_url'");
	return talk_in_need(in, part, "image_url", &url) && talk_in_image_url(in, url);
}

static bool read_file(struct talk_in *in, const struct json *part)
{
	struct str data = { 0 }, name = { 0 };

	if (talk_in_get(part, "file_id") || talk_in_get(part, "file_url"))
		return err_set(in->err, ERR_UNSUPPORTED,
		               "'file_id' and 'file_url' are not offered here; send 'file_data'");
	return talk_in_need(in, part, "file_data", &data) &&
	       talk_in_text(in, part, "filename", &name) && talk_in_file_url(in, data, name);
}

static bool read_part(struct talk_in *in, const struct json *part, struct str type)
{
	struct str text = { 0 };

	if (str_eq(type, STR("input_text")) || str_eq(type, STR("output_text")))
		return read_text(in, part);
	if (in->role == TALK_ASSISTANT && str_eq(type, STR("refusal")))
		return talk_in_text(in, part, "refusal", &text) &&
		       talk_in_add_text(in, TALK_REFUSAL, text);
	if (in->role == TALK_USER && str_eq(type, STR("input_image")))
		return read_image(in, part);
	if (in->role == TALK_USER && str_eq(type, STR("input_file")))
		return read_file(in, part);
	return err_set(in->err, ERR_UNSUPPORTED, "a part of type '%.*s' cannot stand here",
	               STR_ARG(type));
}

static bool read_list(struct talk_in *in, const struct json *content, const char *key,
                      struct talk_part **list)
{
	bool read;

	in->list = list;
	read = talk_in_content(in, content, key, read_part);
	in->list = NULL;
	return read;
}

/* ---- Items ---- */

static bool read_message(struct talk_in *in, const struct json *item)
{
	const struct json *content = talk_in_get(item, "content");
	struct str role = { 0 };

	if (!talk_in_need(in, item, "role", &role))
		return false;
	in->role = str_eq(role, STR("assistant")) ? TALK_ASSISTANT : TALK_USER;
	if (str_eq(role, STR("system")) || str_eq(role, STR("developer")))
		return read_list(in, content, "content", &in->talk->system);
	if (in->role == TALK_USER && !str_eq(role, STR("user")))
		return err_set(
			in->err, ERR_INVALID_ARGUMENT,
			"'role' may be \"developer\", \"system\", \"user\" or \"assistant\"");
	return talk_in_content(in, content, "content", read_part);
}

/* The name under which other providers know a tool of a namespace, as Codex joins them itself. */
static bool join_name(struct talk_in *in, struct str space, struct str name, struct str *out)
{
	OWN_BUF struct buf joined = buf_make(LIMIT_HTTP_BODY);

	if (space.len == 0) {
		*out = name;
		return true;
	}
	buf_add(&joined, space);
	if (!str_ends(space, STR("_")) && !str_starts(name, STR("_")))
		buf_add_z(&joined, "__");
	buf_add(&joined, name);
	return talk_in_keep(in, &joined, out);
}

static bool read_call(struct talk_in *in, const struct json *item)
{
	struct str id = { 0 }, name = { 0 }, space = { 0 }, arguments = STR("");

	in->role = TALK_ASSISTANT;
	return talk_in_need(in, item, "call_id", &id) && talk_in_need(in, item, "name", &name) &&
	       talk_in_text(in, item, "namespace", &space) && join_name(in, space, name, &name) &&
	       talk_in_text(in, item, "arguments", &arguments) &&
	       talk_in_call(in, id, name, arguments) != NULL;
}

static bool read_custom_call(struct talk_in *in, const struct json *item)
{
	struct str id = { 0 }, name = { 0 }, space = { 0 }, input = STR("");

	in->role = TALK_ASSISTANT;
	return talk_in_need(in, item, "call_id", &id) && talk_in_need(in, item, "name", &name) &&
	       talk_in_text(in, item, "namespace", &space) && join_name(in, space, name, &name) &&
	       talk_in_text(in, item, "input", &input) &&
	       talk_in_custom_call(in, id, name, input) != NULL;
}

static bool read_output(struct talk_in *in, const struct json *item)
{
	struct str id = { 0 };
	struct talk_part *result;

	in->role = TALK_USER;
	if (!talk_in_need(in, item, "call_id", &id))
		return false;
	result = talk_in_result(in, id);
	return result && read_list(in, talk_in_get(item, "output"), "output", &result->content);
}

static bool join_texts(struct talk_in *in, const struct json *list, struct str *out)
{
	OWN_BUF struct buf joined = buf_make(LIMIT_HTTP_BODY);

	for (const struct json *part = json_first(list); part; part = json_next(part)) {
		if (joined.len > 0)
			buf_add_z(&joined, "\n\n");
		buf_add(&joined, json_text(json_get(part, "text")));
	}
	return talk_in_keep(in, &joined, out);
}

static bool read_reasoning(struct talk_in *in, const struct json *item)
{
	const struct json *content = talk_in_get(item, "content");
	struct str text = { 0 }, sealed = { 0 };
	struct talk_seal seal;

	in->role = TALK_ASSISTANT;
	if (!join_texts(in, json_first(content) ? content : talk_in_get(item, "summary"), &text) ||
	    !talk_in_text(in, item, "encrypted_content", &sealed))
		return false;
	seal = talk_seal_read(sealed);
	/* Without our mark it is OpenAI's, and nobody else can read it. */
	if (sealed.len == 0 || seal.text.p == sealed.p)
		return talk_in_add_text(in, TALK_THINKING, text);
	return talk_in_thinking(in, text, &seal);
}

/* What OpenAI did and said of it: the calls of its own tools, and their results. */
static bool drop_item(struct talk_in *in, const struct json *item)
{
	(void)in;
	(void)item;
	return true;
}

static bool refuse_item(struct talk_in *in, const struct json *item)
{
	return err_set(in->err, ERR_UNSUPPORTED,
	               "an item of type '%.*s' is known to OpenAI's models only",
	               STR_ARG(json_text(json_get(item, "type"))));
}

static bool read_item(struct talk_in *in, const struct json *item)
{
	static const struct {
		struct str type;
		bool (*read)(struct talk_in *in, const struct json *item);
	} kinds[] = {
		{ STR_INIT("message"), read_message },
		{ STR_INIT("function_call"), read_call },
		{ STR_INIT("function_call_output"), read_output },
		{ STR_INIT("custom_tool_call"), read_custom_call },
		{ STR_INIT("custom_tool_call_output"), read_output },
		{ STR_INIT("reasoning"), read_reasoning },
		{ STR_INIT("web_search_call"), drop_item },
		{ STR_INIT("image_generation_call"), drop_item },
		{ STR_INIT("tool_search_call"), drop_item },
		{ STR_INIT("tool_search_output"), drop_item },
	};
	struct str type = STR("message");

	if (!json_is(item, JSON_OBJECT))
		return err_set(in->err, ERR_INVALID_ARGUMENT, "must be an object");
	if (!talk_in_text(in, item, "type", &type))
		return false;
	if (str_eq(type, STR("item_reference")))
		return err_set(in->err, ERR_UNSUPPORTED,
		               "'item_reference' is not offered here: " NO_STATE);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_eq(type, kinds[i].type))
			return kinds[i].read(in, item);
	return refuse_item(in, item);
}

static bool read_input(struct talk_in *in, const struct json *input)
{
	in->role = TALK_USER;
	if (json_is(input, JSON_STRING)) {
		if (!talk_in_add_text(in, TALK_TEXT, json_text(input)))
			return false;
	} else if (!json_is(input, JSON_ARRAY)) {
		return err_set(in->err, ERR_INVALID_ARGUMENT,
		               "'input' is required: a string or an array of items");
	}
	in->index = 0;
	for (const struct json *i = json_first(input); i; i = json_next(i), in->index++)
		if (!read_item(in, i))
			return err_prefix(in->err, "input[%zu]", in->index);
	if (!in->talk->turns)
		return err_set(in->err, ERR_INVALID_ARGUMENT,
		               "'input' must have a message that is not empty");
	return true;
}

/* ---- Tools ---- */

/* Tools that Codex offers whatever the model: without them a model just cannot use them. */
static bool is_droppable(struct str type)
{
	return str_starts(type, STR("web_search")) || str_eq(type, STR("tool_search")) ||
	       str_eq(type, STR("image_generation"));
}

static bool place_in(struct talk_in *in, struct talk_tool *tool, struct str space)
{
	tool->space = space;
	tool->plain = tool->name;
	return join_name(in, space, tool->name, &tool->name);
}

/* A function or freeform tool, in a namespace or (absent) in none. */
static bool read_plain_tool(struct talk_in *in, const struct json *node, struct str space)
{
	struct str type = { 0 };

	if (!talk_in_need(in, node, "type", &type))
		return false;
	if (str_eq(type, STR("function"))) {
		if (!talk_in_function(in, node, "parameters"))
			return false;
	} else if (str_eq(type, STR("custom"))) {
		if (!talk_in_custom(in, node))
			return false;
	} else if (is_droppable(type)) {
		return true;
	} else {
		return err_set(in->err, ERR_UNSUPPORTED,
		               "a tool of type '%.*s' is known to OpenAI's models only; use "
		               "\"function\" or \"custom\"",
		               STR_ARG(type));
	}
	return !space.p || place_in(in, in->talk->last_tool, space);
}

static bool read_tool(struct talk_in *in, const struct json *node)
{
	struct str type = json_text(json_get(node, "type"));
	struct str space = { 0 };
	size_t i = 0;

	if (!str_eq(type, STR("namespace")))
		return read_plain_tool(in, node, space);
	if (!talk_in_need(in, node, "name", &space))
		return false;
	for (const struct json *t = json_first(json_get(node, "tools")); t; t = json_next(t), i++)
		if (!read_plain_tool(in, t, space))
			return err_prefix(in->err, "tools[%zu]", i);
	return true;
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
		return talk_in_allowed(in, choice, NULL);
	return talk_in_need(in, choice, "name", &name) && talk_in_named(in, name);
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

static bool check_state(struct talk_in *in, const struct json *root)
{
	bool store = false, background = false;

	if (!talk_in_bool(in, root, "store", &store) ||
	    !talk_in_bool(in, root, "background", &background))
		return false;
	if (store || background)
		return err_set(in->err, ERR_UNSUPPORTED,
		               "'%s' may only be false: nothing is kept between requests",
		               store ? "store" : "background");
	for (const struct json *i = json_first(talk_in_get(root, "include")); i; i = json_next(i))
		if (str_eq(json_text(i), STR("message.output_text.logprobs")))
			return err_set(in->err, ERR_UNSUPPORTED,
			               "'include' may not ask for logprobs with this model");
	return true;
}

static bool read_format(struct talk_in *in, const struct json *format)
{
	struct str type = { 0 };

	if (!format)
		return true;
	if (!talk_in_need(in, format, "type", &type))
		return false;
	if (str_eq(type, STR("json_schema")))
		return talk_in_schema_format(in, format);
	if (str_eq(type, STR("json_object")))
		in->talk->format = TALK_FORMAT_JSON;
	else if (!str_eq(type, STR("text")))
		return err_set(in->err, ERR_INVALID_ARGUMENT,
		               "'type' of a format may be \"text\", \"json_object\" or "
		               "\"json_schema\"");
	return true;
}

static bool read_options(struct talk_in *in, const struct json *root)
{
	struct talk *t = in->talk;
	const struct json *reasoning = talk_in_get(root, "reasoning");
	struct str instructions = { 0 }, summary = { 0 };
	bool read;

	if (!talk_in_text(in, root, "instructions", &instructions) ||
	    !talk_in_text(in, reasoning, "summary", &summary))
		return false;
	t->wants_usage = true;
	t->thinking_asked = summary.p && !str_eq(summary, STR("none"));
	in->list = &t->system;
	read = talk_in_add_text(in, TALK_TEXT, instructions);
	in->list = NULL;
	return read && talk_in_count(in, root, "max_output_tokens", &t->output_limit) &&
	       talk_in_bool(in, root, "stream", &t->stream) &&
	       talk_in_number(in, root, "temperature", &t->temperature) &&
	       talk_in_number(in, root, "top_p", &t->top_p) &&
	       talk_in_effort(in, reasoning, "effort") &&
	       read_format(in, talk_in_get(talk_in_get(root, "text"), "format"));
}

bool talk_read_responses(struct str body, struct talk *out, struct err *err)
{
	static const struct talk_members known = { members, ARRAY_LEN(members), false };
	struct talk_in in = { .talk = out, .err = err };

	out->list_name = "input";
	return talk_in_open(&in, body, &known) && check_state(&in, out->tree) &&
	       read_options(&in, out->tree) && read_tools(&in, out->tree) &&
	       read_input(&in, talk_in_get(out->tree, "input"));
}
