/* SPDX-License-Identifier: Apache-2.0 */
/* Tools and options as the readers share them. The surprising fact: a freeform tool, whose one
 * argument is a text, becomes a function with one string; other providers have nothing nearer, and
 * models keep to the grammar that is put into its description. */
#include "router/talk_read.h"

/* The schema as JSON text. Anthropic refuses one that does not say that it is of an object. */
static bool read_schema(struct talk_in *in, const struct json *schema, struct str *out)
{
	OWN_BUF struct buf text = buf_make(LIMIT_HTTP_BODY);
	struct str plain = { 0 };

	if (!json_is(schema, JSON_OBJECT))
		return err_set(in->err, ERR_INVALID_ARGUMENT, "a schema must be an object");
	if (!talk_in_json(in, schema, &plain))
		return false;
	if (talk_in_get(schema, "type")) {
		*out = plain;
		return true;
	}
	if (json_get(schema, "type"))
		return err_set(in->err, ERR_INVALID_ARGUMENT, "a schema's 'type' must not be null");
	buf_add_z(&text, plain.len > 2 ? "{\"type\":\"object\"," : "{\"type\":\"object\"");
	buf_add(&text, (struct str){ plain.p + 1, plain.len - 1 });
	return talk_in_keep(in, &text, out);
}

static struct talk_tool *add_tool(struct talk_in *in, const struct json *node)
{
	struct talk_tool *tool;
	struct str name = { 0 }, description = { 0 };

	if (!talk_in_need(in, node, "name", &name) ||
	    !talk_in_text(in, node, "description", &description))
		return NULL;
	if (in->talk->tool_count >= LIMIT_TALK_TOOLS) {
		(void)err_set(in->err, ERR_TOO_LARGE, "more than %d tools", LIMIT_TALK_TOOLS);
		return NULL;
	}
	tool = talk_add_tool(in->talk);
	if (!tool) {
		(void)err_no_memory(in->err);
		return NULL;
	}
	tool->name = name;
	tool->description = description;
	return tool;
}

struct talk_tool *talk_in_function(struct talk_in *in, const struct json *node,
                                   const char *schema_key)
{
	const struct json *schema = talk_in_get(node, schema_key);
	struct talk_tool *tool = add_tool(in, node);

	if (!tool || !talk_in_bool(in, node, "strict", &tool->strict))
		return NULL;
	if (schema && !read_schema(in, schema, &tool->schema))
		return NULL;
	return tool;
}

/* The description, and the grammar if there is one. */
static bool describe(struct talk_in *in, const struct json *grammar, struct str *description)
{
	OWN_BUF struct buf text = buf_make(LIMIT_HTTP_BODY);
	struct str syntax = { 0 }, definition = { 0 };

	if (!talk_in_text(in, grammar, "syntax", &syntax) ||
	    !talk_in_need(in, grammar, "definition", &definition))
		return false;
	buf_add(&text, *description);
	if (text.len > 0)
		buf_add_z(&text, "\n\n");
	buf_add_z(&text, "The text of 'input' must follow this grammar");
	if (syntax.len > 0)
		buf_addf(&text, " (%.*s)", STR_ARG(syntax));
	buf_add_z(&text, ":\n");
	buf_add(&text, definition);
	return talk_in_keep(in, &text, description);
}

bool talk_in_custom(struct talk_in *in, const struct json *node)
{
	const struct json *format = talk_in_get(node, "format");
	/* Chat Completions has the grammar one level deeper than Responses. */
	const struct json *inner = talk_in_get(format, "grammar");
	struct talk_tool *tool = add_tool(in, node);
	struct str type = { 0 };

	if (!tool || !talk_in_text(in, format, "type", &type))
		return false;
	tool->freeform = true;
	tool->schema = STR("{\"type\":\"object\",\"properties\":{\"input\":{\"type\":\"string\"}},"
	                   "\"required\":[\"input\"],\"additionalProperties\":false}");
	if (!str_eq(type, STR("grammar")))
		return true;
	return describe(in, inner ? inner : format, &tool->description);
}

bool talk_in_choice_word(struct talk_in *in, struct str word)
{
	static const struct {
		struct str word;
		enum talk_choice choice;
	} words[] = {
		{ STR_INIT("none"), TALK_CHOICE_NONE },
		{ STR_INIT("auto"), TALK_CHOICE_AUTO },
		{ STR_INIT("required"), TALK_CHOICE_REQUIRED },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (str_eq(word, words[i].word)) {
			in->talk->choice = words[i].choice;
			return true;
		}
	}
	return err_set(in->err, ERR_INVALID_ARGUMENT,
	               "'tool_choice' may be \"none\", \"auto\", \"required\" or name a tool");
}

bool talk_in_named(struct talk_in *in, struct str name)
{
	for (const struct talk_tool *tool = in->talk->tools; tool; tool = tool->next) {
		if (str_eq(tool->name, name) || (tool->plain.p && str_eq(tool->plain, name))) {
			in->talk->choice = TALK_CHOICE_NAMED;
			in->talk->choice_name = tool->name;
			return true;
		}
	}
	return err_set(in->err, ERR_INVALID_ARGUMENT, "'%.*s' is none of the request's tools",
	               STR_ARG(name));
}

static bool is_allowed(const struct json *list, const char *inner, const struct talk_tool *tool)
{
	for (const struct json *t = json_first(list); t; t = json_next(t)) {
		struct str name = json_text(json_get(inner ? json_get(t, inner) : t, "name"));

		if (str_eq(name, tool->name) || (tool->plain.p && str_eq(name, tool->plain)))
			return true;
	}
	return false;
}

bool talk_in_allowed(struct talk_in *in, const struct json *node, const char *inner)
{
	const struct json *list = talk_in_get(node, "tools");
	struct talk_tool **at = &in->talk->tools;
	struct str mode = STR("auto");

	if (!talk_in_text(in, node, "mode", &mode) || !talk_in_choice_word(in, mode))
		return false;
	if (!json_is(list, JSON_ARRAY) || json_count(list) > LIMIT_TALK_TOOLS)
		return err_set(in->err, ERR_INVALID_ARGUMENT,
		               "'tools' of allowed_tools must be an array of at most %d tools",
		               LIMIT_TALK_TOOLS);
	in->talk->last_tool = NULL;
	while (*at) {
		if (is_allowed(list, inner, *at)) {
			in->talk->last_tool = *at;
			at = &(*at)->next;
		} else {
			*at = (*at)->next;
			in->talk->tool_count--;
		}
	}
	if (!in->talk->tools)
		return err_set(in->err, ERR_INVALID_ARGUMENT,
		               "allowed_tools names none of the request's tools");
	return true;
}

static bool add_stop(struct talk_in *in, const struct json *node, const char *key)
{
	struct talk *t = in->talk;

	if (!json_is(node, JSON_STRING))
		return err_set(in->err, ERR_INVALID_ARGUMENT,
		               "'%s' must be a string or an array of strings", key);
	if (json_text(node).len == 0)
		return err_set(in->err, ERR_INVALID_ARGUMENT, "'%s' must not have an empty text",
		               key);
	if (t->stop_count == TALK_STOPS_MAX)
		return err_set(in->err, ERR_INVALID_ARGUMENT, "'%s' may have at most %d texts", key,
		               TALK_STOPS_MAX);
	t->stops[t->stop_count++] = json_text(node);
	return true;
}

bool talk_in_stops(struct talk_in *in, const struct json *node, const char *key)
{
	if (!node)
		return true;
	if (!json_is(node, JSON_ARRAY))
		return add_stop(in, node, key);
	for (const struct json *stop = json_first(node); stop; stop = json_next(stop))
		if (!add_stop(in, stop, key))
			return false;
	return true;
}

bool talk_in_effort(struct talk_in *in, const struct json *object, const char *key)
{
	struct str word = { 0 };

	if (!talk_in_text(in, object, key, &word))
		return false;
	if (!word.p)
		return true;
	for (int i = TALK_EFFORT_NONE; i < TALK_EFFORT_COUNT; i++) {
		if (str_eq(word, talk_effort_word((enum talk_effort)i))) {
			in->talk->effort = (enum talk_effort)i;
			return true;
		}
	}
	return err_set(in->err, ERR_INVALID_ARGUMENT,
	               "'%s' may be \"none\", \"minimal\", \"low\", \"medium\", \"high\", "
	               "\"xhigh\" or \"max\"",
	               key);
}

bool talk_in_schema_format(struct talk_in *in, const struct json *node)
{
	const struct json *schema = talk_in_get(node, "schema");
	struct talk *t = in->talk;

	t->format = TALK_FORMAT_SCHEMA;
	t->format_name = STR("answer");
	if (!json_is(schema, JSON_OBJECT))
		return err_set(in->err, ERR_INVALID_ARGUMENT,
		               "'schema' of a json_schema format is required and an object");
	return talk_in_text(in, node, "name", &t->format_name) &&
	       talk_in_bool(in, node, "strict", &t->format_strict) &&
	       talk_in_json(in, schema, &t->format_schema);
}
