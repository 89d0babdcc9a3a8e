/* SPDX-License-Identifier: Apache-2.0 */
/* A talk to Chat Completions, for OpenAI and for Kimi, whose dialect is narrower: sampling is
 * fixed, `strict` and remote images are refused, and a call must come back with the thinking that
 * led to it. The surprising fact: OpenAI refuses functions together with a reasoning effort on this
 * endpoint, so effort gives way to tools. */
#include "router/talk_write.h"

static bool is_kimi(const struct talk_out *out)
{
	return out->to->model->provider == PROVIDER_KIMI;
}

/* ---- Content ---- */

static void put_data_url(struct json_out *o, const char *key, const struct talk_part *part)
{
	OWN_BUF struct buf url = buf_make(LIMIT_HTTP_BODY);

	buf_add_z(&url, "data:");
	buf_add(&url, part->mime);
	buf_add_z(&url, ";base64,");
	buf_add(&url, part->data);
	json_put_str(o, key, buf_str(&url));
}

static void put_text_part(struct json_out *o, struct str text)
{
	json_put_object(o, NULL);
	json_put_z(o, "type", "text");
	json_put_str(o, "text", text);
	json_put_end(o, '}');
}

static void put_media(struct json_out *o, const struct talk_part *part)
{
	json_put_object(o, NULL);
	if (part->kind == TALK_IMAGE) {
		json_put_z(o, "type", "image_url");
		json_put_object(o, "image_url");
		if (part->url.p)
			json_put_str(o, "url", part->url);
		else
			put_data_url(o, "url", part);
	} else if (part->kind == TALK_FILE) {
		json_put_z(o, "type", "file");
		json_put_object(o, "file");
		json_put_str(o, "filename", part->name.p ? part->name : STR("file.pdf"));
		put_data_url(o, "file_data", part);
	} else {
		json_put_z(o, "type", "input_audio");
		json_put_object(o, "input_audio");
		json_put_str(o, "data", part->data);
		json_put_z(o, "format", str_eq(part->mime, STR("audio/wav")) ? "wav" : "mp3");
	}
	json_put_end(o, '}');
	json_put_end(o, '}');
}

static size_t count_kind(const struct talk_part *list, enum talk_part_kind kind)
{
	size_t n = 0;

	for (const struct talk_part *part = list; part; part = part->next)
		n += part->kind == kind;
	return n;
}

static struct str first_text(const struct talk_part *list)
{
	while (list && list->kind != TALK_TEXT)
		list = list->next;
	return list ? list->text : STR("");
}

/* The texts of a list as content: one as a string, several as parts. */
static void put_texts(struct json_out *o, const struct talk_part *list)
{
	if (count_kind(list, TALK_TEXT) == 1) {
		json_put_str(o, "content", first_text(list));
		return;
	}
	json_put_array(o, "content");
	for (const struct talk_part *part = list; part; part = part->next)
		if (part->kind == TALK_TEXT)
			put_text_part(o, part->text);
	json_put_end(o, ']');
}

/* ---- Messages ---- */

static void put_system(const struct talk_out *out)
{
	if (!out->talk->system)
		return;
	json_put_object(out->o, NULL);
	json_put_z(out->o, "role", "system");
	put_texts(out->o, out->talk->system);
	json_put_end(out->o, '}');
}

/* A result is text here; it has no member for failure either. */
static void put_result(struct json_out *o, const struct talk_part *result)
{
	OWN_BUF struct buf text = buf_make(LIMIT_HTTP_BODY);

	talk_join_texts(result->content, &text);
	if (text.len == 0 && result->content)
		buf_add_z(&text, "(see the next message)");
	json_put_object(o, NULL);
	json_put_z(o, "role", "tool");
	talk_put_id(o, "tool_call_id", result->id);
	if (result->is_error) {
		OWN_BUF struct buf error = buf_make(LIMIT_HTTP_BODY);

		buf_add_z(&error, "Error: ");
		buf_add(&error, buf_str(&text));
		json_put_str(o, "content", buf_str(&error));
	} else {
		json_put_str(o, "content", buf_str(&text));
	}
	json_put_end(o, '}');
}

/* Whether there is more than results: words of the user, or media in the results. */
static bool has_words(const struct talk_turn *turn)
{
	for (const struct talk_part *part = turn->parts; part; part = part->next) {
		if (part->kind != TALK_TOOL_RESULT)
			return true;
		for (const struct talk_part *p = part->content; p; p = p->next)
			if (talk_is_media(p))
				return true;
	}
	return false;
}

static bool is_one_text(const struct talk_turn *turn)
{
	size_t words = 0;

	for (const struct talk_part *part = turn->parts; part; part = part->next) {
		if (part->kind == TALK_TEXT)
			words++;
		else if (part->kind != TALK_TOOL_RESULT)
			return false;
		for (const struct talk_part *p = part->content; p; p = p->next)
			if (talk_is_media(p))
				return false;
	}
	return words == 1;
}

static void put_user_parts(struct json_out *o, const struct talk_turn *turn)
{
	json_put_array(o, "content");
	for (const struct talk_part *part = turn->parts; part; part = part->next) {
		if (part->kind == TALK_TEXT)
			put_text_part(o, part->text);
		else if (talk_is_media(part))
			put_media(o, part);
		for (const struct talk_part *p = part->content; p; p = p->next)
			if (talk_is_media(p))
				put_media(o, p);
	}
	json_put_end(o, ']');
}

static void put_user(const struct talk_out *out, const struct talk_turn *turn)
{
	struct json_out *o = out->o;

	for (const struct talk_part *part = turn->parts; part; part = part->next)
		if (part->kind == TALK_TOOL_RESULT)
			put_result(o, part);
	if (!has_words(turn))
		return;
	json_put_object(o, NULL);
	json_put_z(o, "role", "user");
	if (is_one_text(turn))
		json_put_str(o, "content", first_text(turn->parts));
	else
		put_user_parts(o, turn);
	json_put_end(o, '}');
}

static void put_calls(struct json_out *o, const struct talk_turn *turn)
{
	json_put_array(o, "tool_calls");
	for (const struct talk_part *part = turn->parts; part; part = part->next) {
		if (part->kind != TALK_TOOL_CALL)
			continue;
		json_put_object(o, NULL);
		talk_put_id(o, "id", part->id);
		json_put_z(o, "type", "function");
		json_put_object(o, "function");
		json_put_str(o, "name", part->name);
		json_put_str(o, "arguments", part->text);
		json_put_end(o, '}');
		json_put_end(o, '}');
	}
	json_put_end(o, ']');
}

/* Kimi refuses a call without its thinking; a space stands for what another model did not tell. */
static void put_reasoning(struct json_out *o, const struct talk_turn *turn)
{
	OWN_BUF struct buf text = buf_make(LIMIT_HTTP_BODY);

	for (const struct talk_part *part = turn->parts; part; part = part->next)
		if (part->kind == TALK_THINKING && part->text.p)
			buf_add(&text, part->text);
	json_put_str(o, "reasoning_content", text.len > 0 ? buf_str(&text) : STR(" "));
}

static bool is_forced(const struct talk *t)
{
	return t->tools && (t->choice == TALK_CHOICE_REQUIRED || t->choice == TALK_CHOICE_NAMED);
}

/* While it thinks, Kimi cannot be made to call a tool: a switch gives way to that. */
static bool kimi_thinks(const struct talk_out *out)
{
	if (out->traits->thinking == THINKING_ALWAYS)
		return true;
	return out->traits->thinking == THINKING_SWITCH &&
	       talk_out_effort(out->talk) != TALK_EFFORT_NONE && !is_forced(out->talk);
}

static void put_refusal(struct json_out *o, const struct talk_turn *turn)
{
	OWN_BUF struct buf text = buf_make(LIMIT_HTTP_BODY);

	for (const struct talk_part *part = turn->parts; part; part = part->next)
		if (part->kind == TALK_REFUSAL)
			buf_add(&text, part->text);
	json_put_str(o, "refusal", buf_str(&text));
}

/* Kimi has no refusal; what it says becomes text, because it must not be forgotten. */
static void put_joined(struct json_out *o, const struct talk_turn *turn)
{
	OWN_BUF struct buf text = buf_make(LIMIT_HTTP_BODY);

	talk_join_texts(turn->parts, &text);
	json_put_str(o, "content", buf_str(&text));
}

static void put_said(const struct talk_out *out, const struct talk_turn *turn)
{
	bool text = count_kind(turn->parts, TALK_TEXT) > 0;
	bool refusal = count_kind(turn->parts, TALK_REFUSAL) > 0;

	if (is_kimi(out)) {
		if (text || refusal)
			put_joined(out->o, turn);
		return;
	}
	if (text)
		put_texts(out->o, turn->parts);
	if (refusal)
		put_refusal(out->o, turn);
}

static void put_assistant(const struct talk_out *out, const struct talk_turn *turn)
{
	bool calls = count_kind(turn->parts, TALK_TOOL_CALL) > 0;
	bool said = count_kind(turn->parts, TALK_TEXT) + count_kind(turn->parts, TALK_REFUSAL) > 0;

	if (!said && !calls) /* thinking alone says nothing to another model */
		return;
	json_put_object(out->o, NULL);
	json_put_z(out->o, "role", "assistant");
	put_said(out, turn);
	if (calls && kimi_thinks(out))
		put_reasoning(out->o, turn);
	if (calls)
		put_calls(out->o, turn);
	else if (!turn->next && is_kimi(out) && out->talk->format == TALK_FORMAT_TEXT)
		json_put_bool(out->o, "partial", true);
	json_put_end(out->o, '}');
}

static void put_messages(const struct talk_out *out)
{
	json_put_array(out->o, "messages");
	put_system(out);
	for (const struct talk_turn *turn = out->talk->turns; turn; turn = turn->next) {
		if (turn->role == TALK_USER)
			put_user(out, turn);
		else
			put_assistant(out, turn);
	}
	json_put_end(out->o, ']');
}

/* ---- Tools ---- */

static void put_tool(const struct talk_out *out, const struct talk_tool *tool)
{
	struct json_out *o = out->o;

	json_put_object(o, NULL);
	json_put_z(o, "type", "function");
	json_put_object(o, "function");
	json_put_str(o, "name", tool->name);
	if (tool->description.len > 0)
		json_put_str(o, "description", tool->description);
	if (is_kimi(out))
		talk_put_typed_schema(o, "parameters", talk_tool_schema(tool));
	else
		json_put_raw(o, "parameters", talk_tool_schema(tool));
	if (tool->strict && !is_kimi(out))
		json_put_bool(o, "strict", true);
	json_put_end(o, '}');
	json_put_end(o, '}');
}

static void put_choice(struct json_out *o, const struct talk *t)
{
	switch (t->choice) {
	case TALK_CHOICE_UNSET:
		return;
	case TALK_CHOICE_AUTO:
		json_put_z(o, "tool_choice", "auto");
		return;
	case TALK_CHOICE_NONE:
		json_put_z(o, "tool_choice", "none");
		return;
	case TALK_CHOICE_REQUIRED:
		json_put_z(o, "tool_choice", "required");
		return;
	case TALK_CHOICE_NAMED:
		json_put_object(o, "tool_choice");
		json_put_z(o, "type", "function");
		json_put_object(o, "function");
		json_put_str(o, "name", t->choice_name);
		json_put_end(o, '}');
		json_put_end(o, '}');
		return;
	}
}

static void put_tools(const struct talk_out *out)
{
	if (!out->talk->tools)
		return;
	json_put_array(out->o, "tools");
	for (const struct talk_tool *tool = out->talk->tools; tool; tool = tool->next)
		put_tool(out, tool);
	json_put_end(out->o, ']');
	put_choice(out->o, out->talk);
	if (out->talk->parallel_off)
		json_put_bool(out->o, "parallel_tool_calls", false);
}

/* ---- Options ---- */

static void put_format(struct json_out *o, const struct talk *t)
{
	if (t->format == TALK_FORMAT_TEXT)
		return;
	json_put_object(o, "response_format");
	if (t->format == TALK_FORMAT_JSON) {
		json_put_z(o, "type", "json_object");
	} else {
		json_put_z(o, "type", "json_schema");
		json_put_object(o, "json_schema");
		json_put_str(o, "name", t->format_name);
		json_put_raw(o, "schema", t->format_schema);
		if (t->format_strict)
			json_put_bool(o, "strict", true);
		json_put_end(o, '}');
	}
	json_put_end(o, '}');
}

/* Writes what sets thinking; true if the model will think, as far as is known here. */
static bool put_thinking(const struct talk_out *out)
{
	enum talk_effort effort = talk_out_effort(out->talk);
	struct str word = talk_out_effort_word(out->traits, effort, is_kimi(out));

	if (out->traits->thinking == THINKING_SWITCH) {
		if (effort != TALK_EFFORT_UNSET || !kimi_thinks(out)) {
			json_put_object(out->o, "thinking");
			json_put_z(out->o, "type", kimi_thinks(out) ? "enabled" : "disabled");
			json_put_end(out->o, '}');
		}
		return kimi_thinks(out);
	}
	if (effort == TALK_EFFORT_UNSET || !word.p || (out->talk->tools && !is_kimi(out)))
		return false;
	json_put_str(out->o, "reasoning_effort", word);
	return effort != TALK_EFFORT_NONE;
}

static void put_sampling(const struct talk_out *out)
{
	const struct talk *t = out->talk;

	talk_put_number(out->o, "temperature", t->temperature);
	talk_put_number(out->o, "top_p", t->top_p);
	talk_put_number(out->o, "presence_penalty", t->presence_penalty);
	talk_put_number(out->o, "frequency_penalty", t->frequency_penalty);
	talk_put_number(out->o, "seed", t->seed);
}

static void put_stream(const struct talk_out *out)
{
	if (!out->talk->stream)
		return;
	json_put_bool(out->o, "stream", true);
	json_put_object(out->o, "stream_options");
	json_put_bool(out->o, "include_usage", true);
	if (!is_kimi(out))
		json_put_bool(out->o, "include_obfuscation", false);
	json_put_end(out->o, '}');
}

bool talk_write_chat(const struct talk *t, const struct talk_target *to, struct json_out *out,
                     struct err *err)
{
	const struct talk_out w = { t, to, &to->model->traits, out, err };
	const struct talk_carries carries = { .image_urls = !is_kimi(&w), .stops = 4 };
	bool thinking;

	if (!talk_out_check(&w, &carries))
		return false;
	if (w.traits->thinking == THINKING_ALWAYS && is_forced(t))
		return err_set(err, ERR_UNSUPPORTED,
		               "this model always thinks, and cannot be made to call a tool then; "
		               "use 'tool_choice' \"auto\"");
	json_put_object(out, NULL);
	json_put_str(out, "model", to->model->upstream_id);
	put_messages(&w);
	if (t->output_limit > 0)
		json_put_i64(out, "max_completion_tokens", talk_out_limit(&w));
	put_stream(&w);
	talk_put_stops(out, "stop", t);
	put_tools(&w);
	put_format(out, t);
	thinking = put_thinking(&w);
	if (w.traits->sampling && !thinking && !is_kimi(&w))
		put_sampling(&w);
	if (!is_kimi(&w)) {
		json_put_z(out, "service_tier", "default");
		if (to->user.p)
			json_put_str(out, "safety_identifier", to->user);
	}
	json_put_end(out, '}');
	return json_out_ok(out, err);
}
