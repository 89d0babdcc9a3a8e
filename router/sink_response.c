/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the objects of the Responses protocol. A response repeats what was asked; the members that
 * only a server with a memory has are there with the values that say so, because the SDKs' types
 * require them. */
#include "router/sink_response.h"

#include <assert.h>

static const char *const efforts[] = {
	[TALK_EFFORT_UNSET] = NULL,        [TALK_EFFORT_NONE] = "none",
	[TALK_EFFORT_MINIMAL] = "minimal", [TALK_EFFORT_LOW] = "low",
	[TALK_EFFORT_MEDIUM] = "medium",   [TALK_EFFORT_HIGH] = "high",
	[TALK_EFFORT_XHIGH] = "xhigh",     [TALK_EFFORT_MAX] = "max",
};
static_assert(ARRAY_LEN(efforts) == TALK_EFFORT_COUNT, "a name for every effort");

/* ---- Items ---- */

static const char *item_prefix(const struct sink_item *item)
{
	switch (item->kind) {
	case SINK_TEXT:
	case SINK_REFUSAL:
		return "msg_";
	case SINK_THINKING:
	case SINK_REDACTED:
		return "rs_";
	case SINK_CALL:
		break;
	}
	return sink_is_freeform(item) ? "ctc_" : "fc_";
}

void sink_put_item_id(const struct talk_sink *s, struct json_out *o, const char *key,
                      const struct sink_item *item)
{
	OWN_BUF struct buf id = buf_make(LIMIT_HTTP_LINE + LIMIT_LABEL);

	buf_add_z(&id, item_prefix(item));
	buf_add(&id, s->own_id);
	buf_add_char(&id, '_');
	buf_add_i64(&id, item->number);
	json_put_str(o, key, buf_str(&id));
}

static void put_empty_list(struct json_out *o, const char *key)
{
	json_put_array(o, key);
	json_put_end(o, ']');
}

void sink_put_part(struct json_out *o, const char *key, enum sink_kind kind, struct str text)
{
	json_put_object(o, key);
	if (kind == SINK_TEXT) {
		json_put_z(o, "type", "output_text");
		put_empty_list(o, "annotations");
		put_empty_list(o, "logprobs");
		json_put_str(o, "text", text);
	} else if (kind == SINK_REFUSAL) {
		json_put_z(o, "type", "refusal");
		json_put_str(o, "refusal", text);
	} else {
		json_put_z(o, "type", "summary_text");
		json_put_str(o, "text", text);
	}
	json_put_end(o, '}');
}

static void put_status(struct json_out *o, const struct sink_item *item, bool done)
{
	json_put_z(o, "status", !done ? "in_progress" : item->cut ? "incomplete" : "completed");
}

static void put_message(struct json_out *o, const struct sink_item *item, bool done)
{
	json_put_z(o, "type", "message");
	put_status(o, item, done);
	json_put_z(o, "role", "assistant");
	json_put_array(o, "content");
	if (done)
		sink_put_part(o, NULL, item->kind, buf_str(&item->text));
	json_put_end(o, ']');
}

static void put_reasoning(struct json_out *o, const struct sink_item *item, bool done)
{
	bool redacted = item->kind == SINK_REDACTED;

	json_put_z(o, "type", "reasoning");
	json_put_array(o, "summary");
	if (done && !redacted && item->text.len > 0)
		sink_put_part(o, NULL, item->kind, buf_str(&item->text));
	json_put_end(o, ']');
	if (done && (redacted || item->signature.len > 0))
		sink_put_seal(o, "encrypted_content", item, false);
	else
		json_put_null(o, "encrypted_content");
}

struct str sink_plain_name(const struct sink_item *item)
{
	return item->tool && item->tool->space.p ? item->tool->plain : buf_str(&item->name);
}

static void put_call(struct json_out *o, const struct sink_item *item, bool done)
{
	OWN_BUF struct buf input = buf_make(LIMIT_UPSTREAM_BODY);
	bool freeform = sink_is_freeform(item);

	if (done && freeform)
		sink_freeform_input(item, &input);
	else if (done)
		buf_add(&input, buf_str(&item->text));
	json_put_z(o, "type", freeform ? "custom_tool_call" : "function_call");
	put_status(o, item, done);
	json_put_str(o, "call_id", buf_str(&item->id));
	if (item->tool && item->tool->space.p)
		json_put_str(o, "namespace", item->tool->space);
	json_put_str(o, "name", sink_plain_name(item));
	json_put_str(o, freeform ? "input" : "arguments", buf_str(&input));
}

void sink_put_item(const struct talk_sink *s, struct json_out *o, const char *key,
                   const struct sink_item *item, bool done)
{
	json_put_object(o, key);
	sink_put_item_id(s, o, "id", item);
	switch (item->kind) {
	case SINK_TEXT:
	case SINK_REFUSAL:
		put_message(o, item, done);
		break;
	case SINK_THINKING:
	case SINK_REDACTED:
		put_reasoning(o, item, done);
		break;
	case SINK_CALL:
		put_call(o, item, done);
		break;
	}
	json_put_end(o, '}');
}

/* ---- What was asked ---- */

static void put_tool(struct json_out *o, const struct talk_tool *tool)
{
	json_put_object(o, NULL);
	json_put_z(o, "type", tool->freeform ? "custom" : "function");
	json_put_str(o, "name", tool->space.p ? tool->plain : tool->name);
	json_put_str(o, "description", tool->description);
	if (!tool->freeform) {
		if (tool->schema.p)
			json_put_raw(o, "parameters", tool->schema);
		else
			json_put_null(o, "parameters");
		json_put_bool(o, "strict", tool->strict);
	}
	json_put_end(o, '}');
}

/* Tools of one namespace that follow each other share its entry, as they came. */
static void put_tools(struct json_out *o, const struct talk *talk)
{
	const struct talk_tool *tool = talk->tools;

	json_put_array(o, "tools");
	while (tool) {
		struct str space = tool->space;

		if (!space.p) {
			put_tool(o, tool);
			tool = tool->next;
			continue;
		}
		json_put_object(o, NULL);
		json_put_z(o, "type", "namespace");
		json_put_str(o, "name", space);
		json_put_array(o, "tools");
		for (; tool && tool->space.p && str_eq(tool->space, space); tool = tool->next)
			put_tool(o, tool);
		json_put_end(o, ']');
		json_put_end(o, '}');
	}
	json_put_end(o, ']');
}

static void put_choice(struct json_out *o, const struct talk *talk)
{
	const struct talk_tool *tool;

	switch (talk->choice) {
	case TALK_CHOICE_UNSET:
	case TALK_CHOICE_AUTO:
		json_put_z(o, "tool_choice", "auto");
		break;
	case TALK_CHOICE_NONE:
		json_put_z(o, "tool_choice", "none");
		break;
	case TALK_CHOICE_REQUIRED:
		json_put_z(o, "tool_choice", "required");
		break;
	case TALK_CHOICE_NAMED:
		tool = talk_tool_find(talk, talk->choice_name);
		json_put_object(o, "tool_choice");
		json_put_z(o, "type", tool && tool->freeform ? "custom" : "function");
		json_put_str(o, "name", talk->choice_name);
		json_put_end(o, '}');
		break;
	}
}

static void put_format(struct json_out *o, const struct talk *talk)
{
	json_put_object(o, "text");
	json_put_object(o, "format");
	switch (talk->format) {
	case TALK_FORMAT_TEXT:
		json_put_z(o, "type", "text");
		break;
	case TALK_FORMAT_JSON:
		json_put_z(o, "type", "json_object");
		break;
	case TALK_FORMAT_SCHEMA:
		json_put_z(o, "type", "json_schema");
		json_put_str(o, "name", talk->format_name);
		json_put_raw(o, "schema", talk->format_schema);
		json_put_bool(o, "strict", talk->format_strict);
		break;
	}
	json_put_end(o, '}');
	json_put_end(o, '}');
}

static void put_number(struct json_out *o, const char *key, struct str raw)
{
	if (raw.p)
		json_put_raw(o, key, raw);
	else
		json_put_null(o, key);
}

static void put_asked(struct json_out *o, const struct talk *talk)
{
	json_put_null(o, "instructions");
	if (talk->output_limit > 0)
		json_put_i64(o, "max_output_tokens", talk->output_limit);
	else
		json_put_null(o, "max_output_tokens");
	json_put_bool(o, "parallel_tool_calls", !talk->parallel_off);
	json_put_object(o, "reasoning");
	json_put_z(o, "effort", efforts[talk->effort]);
	json_put_null(o, "summary");
	json_put_end(o, '}');
	put_number(o, "temperature", talk->temperature);
	put_number(o, "top_p", talk->top_p);
	put_format(o, talk);
	put_choice(o, talk);
	put_tools(o, talk);
}

/* ---- The response ---- */

static void put_usage(struct json_out *o, const struct token_counts *counts)
{
	int64_t input, output;

	if (!counts) {
		json_put_null(o, "usage");
		return;
	}
	input = sink_input_tokens(counts);
	output = counts->n[TOKEN_OUTPUT];
	json_put_object(o, "usage");
	json_put_i64(o, "input_tokens", input);
	json_put_object(o, "input_tokens_details");
	json_put_i64(o, "cached_tokens", counts->n[TOKEN_CACHE_READ]);
	json_put_i64(o, "cache_write_tokens", sink_written_tokens(counts));
	json_put_end(o, '}');
	json_put_i64(o, "output_tokens", output);
	json_put_object(o, "output_tokens_details");
	json_put_i64(o, "reasoning_tokens", 0); /* required; our classes do not tell them apart */
	json_put_end(o, '}');
	json_put_i64(o, "total_tokens", input + output);
	json_put_end(o, '}');
}

static void put_fate(struct json_out *o, const struct sink_response *response)
{
	json_put_z(o, "status", response->status);
	json_put_bool(o, "background", false);
	if (response->error) {
		json_put_object(o, "error");
		json_put_z(o, "code", response->error_code);
		json_put_z(o, "message", response->error);
		json_put_end(o, '}');
	} else {
		json_put_null(o, "error");
	}
	if (response->incomplete) {
		json_put_object(o, "incomplete_details");
		json_put_z(o, "reason", response->incomplete);
		json_put_end(o, '}');
	} else {
		json_put_null(o, "incomplete_details");
	}
}

/* The items that are done: in a stream, those before the front. An answer that was too large to be
 * kept is too large to be told again. */
static void put_output(const struct talk_sink *s, struct json_out *o)
{
	const struct sink_item *end = s->out ? s->front : NULL;

	json_put_array(o, "output");
	for (const struct sink_item *item = s->first; !s->failed && item != end; item = item->next)
		sink_put_item(s, o, NULL, item, true);
	json_put_end(o, ']');
}

void sink_put_response(struct talk_sink *s, struct json_out *o, const char *key,
                       const struct sink_response *response)
{
	static const struct talk nothing = { .thinking_budget = -1 };

	json_put_object(o, key);
	sink_put_id(s, o, "resp_");
	json_put_z(o, "object", "response");
	json_put_i64(o, "created_at", s->created_s);
	put_fate(o, response);
	json_put_str(o, "model", buf_str(&s->model));
	put_output(s, o);
	put_asked(o, s->talk ? s->talk : &nothing);
	json_put_null(o, "previous_response_id");
	json_put_bool(o, "store", false);
	json_put_z(o, "truncation", "disabled");
	put_usage(o, response->counts);
	json_put_null(o, "user");
	json_put_object(o, "metadata");
	json_put_end(o, '}');
	json_put_end(o, '}');
}
