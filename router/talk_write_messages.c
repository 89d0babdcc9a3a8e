/* SPDX-License-Identifier: Apache-2.0 */
/* A talk to Anthropic Messages (version 2023-06-01). How a model thinks and samples is asked of its
 * traits. The surprising fact: a model with a thinking budget refuses a tool's result if the turn
 * that called the tool does not begin with its own signed thinking, so a conversation that came
 * from elsewhere goes on without thinking until the user speaks again. */
#include "router/talk_write.h"

#define BUDGET_LEAST 1024
#define STOPS_MOST TALK_STOPS_MAX

/* ---- Blocks ---- */

static void put_cache_mark(struct json_out *o, struct str ttl)
{
	if (!ttl.p)
		return;
	json_put_object(o, "cache_control");
	json_put_z(o, "type", "ephemeral");
	json_put_str(o, "ttl", ttl);
	json_put_end(o, '}');
}

static void put_text(struct json_out *o, const struct talk_part *part)
{
	json_put_object(o, NULL);
	json_put_z(o, "type", "text");
	json_put_str(o, "text", part->text);
	put_cache_mark(o, part->cache_ttl);
	json_put_end(o, '}');
}

static void put_media(struct json_out *o, const struct talk_part *part)
{
	json_put_object(o, NULL);
	json_put_z(o, "type", part->kind == TALK_IMAGE ? "image" : "document");
	json_put_object(o, "source");
	if (part->url.p) {
		json_put_z(o, "type", "url");
		json_put_str(o, "url", part->url);
	} else {
		json_put_z(o, "type", "base64");
		json_put_str(o, "media_type", part->mime);
		json_put_str(o, "data", part->data);
	}
	json_put_end(o, '}');
	if (part->name.len > 0)
		json_put_str(o, "title", part->name);
	put_cache_mark(o, part->cache_ttl);
	json_put_end(o, '}');
}

static bool is_own_thinking(const struct talk_part *part)
{
	return part->kind == TALK_THINKING && part->signer == PROVIDER_ANTHROPIC &&
	       (part->redacted ? part->data.len : part->signature.len) > 0;
}

static void put_thinking_block(struct json_out *o, const struct talk_part *part)
{
	json_put_object(o, NULL);
	if (part->redacted) {
		json_put_z(o, "type", "redacted_thinking");
		json_put_str(o, "data", part->data);
	} else {
		json_put_z(o, "type", "thinking");
		json_put_str(o, "thinking", part->text.p ? part->text : STR(""));
		json_put_str(o, "signature", part->signature);
	}
	json_put_end(o, '}');
}

static void put_call(struct json_out *o, const struct talk_part *part)
{
	json_put_object(o, NULL);
	json_put_z(o, "type", "tool_use");
	talk_put_id(o, "id", part->id);
	json_put_str(o, "name", part->name);
	json_put_raw(o, "input", part->text);
	put_cache_mark(o, part->cache_ttl);
	json_put_end(o, '}');
}

/* Anthropic refuses empty texts. */
static bool says_something(const struct talk_part *part)
{
	switch (part->kind) {
	case TALK_TEXT:
	case TALK_REFUSAL:
		return !talk_is_blank(part->text);
	case TALK_THINKING:
		return is_own_thinking(part);
	case TALK_IMAGE:
	case TALK_FILE:
	case TALK_AUDIO:
	case TALK_TOOL_CALL:
	case TALK_TOOL_RESULT:
		return true;
	}
	return true;
}

static bool list_says_something(const struct talk_part *list)
{
	while (list && !says_something(list))
		list = list->next;
	return list != NULL;
}

static void put_result(struct json_out *o, const struct talk_part *result);

static void put_block(struct json_out *o, const struct talk_part *part)
{
	if (!says_something(part))
		return;
	switch (part->kind) {
	case TALK_TEXT:
	case TALK_REFUSAL:
		put_text(o, part);
		return;
	case TALK_IMAGE:
	case TALK_FILE:
		put_media(o, part);
		return;
	case TALK_AUDIO: /* the traits have refused it */
		return;
	case TALK_THINKING:
		put_thinking_block(o, part);
		return;
	case TALK_TOOL_CALL:
		put_call(o, part);
		return;
	case TALK_TOOL_RESULT:
		put_result(o, part);
		return;
	}
}

static void put_result(struct json_out *o, const struct talk_part *result)
{
	json_put_object(o, NULL);
	json_put_z(o, "type", "tool_result");
	talk_put_id(o, "tool_use_id", result->id);
	if (list_says_something(result->content)) {
		json_put_array(o, "content");
		for (const struct talk_part *part = result->content; part; part = part->next)
			put_block(o, part);
		json_put_end(o, ']');
	}
	if (result->is_error)
		json_put_bool(o, "is_error", true);
	put_cache_mark(o, result->cache_ttl);
	json_put_end(o, '}');
}

/* ---- Messages ---- */

static void put_turn(struct json_out *o, const struct talk_turn *turn)
{
	if (!list_says_something(turn->parts))
		return;
	json_put_object(o, NULL);
	json_put_z(o, "role", turn->role == TALK_USER ? "user" : "assistant");
	json_put_array(o, "content");
	/* Results must stand before the user's words. */
	for (const struct talk_part *part = turn->parts; part; part = part->next)
		if (part->kind == TALK_TOOL_RESULT)
			put_block(o, part);
	for (const struct talk_part *part = turn->parts; part; part = part->next)
		if (part->kind != TALK_TOOL_RESULT)
			put_block(o, part);
	json_put_end(o, ']');
	json_put_end(o, '}');
}

static void put_system(struct json_out *o, const struct talk *t)
{
	static const struct talk_part only_json = {
		.kind = TALK_TEXT,
		.text = STR_INIT("Answer with one JSON object and nothing else: no words around it "
		                 "and no code fence."),
	};
	bool asks_json = t->format == TALK_FORMAT_JSON;

	if (!list_says_something(t->system) && !asks_json)
		return;
	json_put_array(o, "system");
	for (const struct talk_part *part = t->system; part; part = part->next)
		put_block(o, part);
	if (asks_json)
		put_text(o, &only_json);
	json_put_end(o, ']');
}

/* ---- Tools ---- */

static void put_choice(struct json_out *o, const struct talk *t)
{
	static const char *const types[] = {
		[TALK_CHOICE_UNSET] = "auto", [TALK_CHOICE_AUTO] = "auto",
		[TALK_CHOICE_NONE] = "none",  [TALK_CHOICE_REQUIRED] = "any",
		[TALK_CHOICE_NAMED] = "tool",
	};

	if (t->choice == TALK_CHOICE_UNSET && !t->parallel_off)
		return;
	json_put_object(o, "tool_choice");
	json_put_z(o, "type", types[t->choice]);
	if (t->choice == TALK_CHOICE_NAMED)
		json_put_str(o, "name", t->choice_name);
	if (t->parallel_off && t->choice != TALK_CHOICE_NONE)
		json_put_bool(o, "disable_parallel_tool_use", true);
	json_put_end(o, '}');
}

static void put_tools(const struct talk_out *out)
{
	struct json_out *o = out->o;

	if (!out->talk->tools)
		return;
	json_put_array(o, "tools");
	for (const struct talk_tool *tool = out->talk->tools; tool; tool = tool->next) {
		json_put_object(o, NULL);
		json_put_str(o, "name", tool->name);
		if (tool->description.len > 0)
			json_put_str(o, "description", tool->description);
		json_put_raw(o, "input_schema", talk_tool_schema(tool));
		if (tool->strict && out->traits->structured)
			json_put_bool(o, "strict", true);
		put_cache_mark(o, tool->cache_ttl);
		json_put_end(o, '}');
	}
	json_put_end(o, ']');
	put_choice(o, out->talk);
}

/* ---- Thinking ---- */

static bool brings_results(const struct talk_turn *turn)
{
	const struct talk_part *part = turn ? turn->parts : NULL;

	while (part && part->kind != TALK_TOOL_RESULT)
		part = part->next;
	return part != NULL;
}

/* Whether the last turn brings results of calls that were not made while thinking here. */
static bool goes_on_unsigned(const struct talk *t)
{
	const struct talk_turn *called = t->turns;

	if (!brings_results(t->last_turn))
		return false;
	while (called && called->next != t->last_turn)
		called = called->next;
	return !called || !is_own_thinking(called->parts);
}

static int64_t wanted_budget(const struct talk *t)
{
	static const int64_t budgets[TALK_EFFORT_COUNT] = {
		[TALK_EFFORT_MINIMAL] = 1024, [TALK_EFFORT_LOW] = 2048,
		[TALK_EFFORT_MEDIUM] = 8192,  [TALK_EFFORT_HIGH] = 16384,
		[TALK_EFFORT_XHIGH] = 16384,  [TALK_EFFORT_MAX] = 16384,
	};

	return t->thinking_budget >= 0 ? t->thinking_budget : budgets[t->effort];
}

/* The thinking budget in tokens; 0: it does not think. */
static int64_t budget_of(const struct talk_out *out)
{
	const struct talk *t = out->talk;
	int64_t limit = talk_out_limit(out);
	int64_t budget = wanted_budget(t);

	if (budget == 0 || goes_on_unsigned(t) || talk_out_last_is_assistant(t) ||
	    (t->tools && t->choice >= TALK_CHOICE_REQUIRED))
		return 0;
	if (budget < BUDGET_LEAST)
		budget = BUDGET_LEAST;
	if (budget >= limit)
		budget = limit / 2;
	return budget < BUDGET_LEAST ? 0 : budget;
}

/* Both return whether the model will think. */
static bool put_budget(const struct talk_out *out)
{
	int64_t budget = budget_of(out);

	if (budget == 0)
		return false;
	json_put_object(out->o, "thinking");
	json_put_z(out->o, "type", "enabled");
	json_put_i64(out->o, "budget_tokens", budget);
	json_put_end(out->o, '}');
	return true;
}

static bool put_adaptive(const struct talk_out *out)
{
	enum talk_effort effort = talk_out_effort(out->talk);

	if (effort == TALK_EFFORT_UNSET)
		return false;
	json_put_object(out->o, "thinking");
	json_put_z(out->o, "type", effort == TALK_EFFORT_NONE ? "disabled" : "adaptive");
	if (effort != TALK_EFFORT_NONE && out->talk->thinking_asked)
		json_put_z(out->o, "display", "summarized");
	json_put_end(out->o, '}');
	return effort != TALK_EFFORT_NONE;
}

static bool put_thinking(const struct talk_out *out)
{
	switch (out->traits->thinking) {
	case THINKING_BUDGET:
		return put_budget(out);
	case THINKING_ADAPTIVE:
		return put_adaptive(out);
	case THINKING_NONE:
	case THINKING_EFFORT:
	case THINKING_GEMINI_BUDGET:
	case THINKING_GEMINI_LEVEL:
	case THINKING_SWITCH:
	case THINKING_ALWAYS:
	case MODEL_THINKING_COUNT:
		return false;
	}
	return false;
}

/* ---- Options ---- */

static void put_output_config(const struct talk_out *out, bool thinks)
{
	const struct talk *t = out->talk;
	struct str word = talk_out_effort_word(out->traits, talk_out_effort(t), false);
	bool effort = thinks && out->traits->thinking == THINKING_ADAPTIVE && word.p;

	if (!effort && t->format != TALK_FORMAT_SCHEMA)
		return;
	json_put_object(out->o, "output_config");
	if (effort)
		json_put_str(out->o, "effort", word);
	if (t->format == TALK_FORMAT_SCHEMA) {
		json_put_object(out->o, "format");
		json_put_z(out->o, "type", "json_schema");
		json_put_raw(out->o, "schema", t->format_schema);
		json_put_end(out->o, '}');
	}
	json_put_end(out->o, '}');
}

/* Only one of temperature and top_p is taken; none while the model thinks. */
static void put_sampling(const struct talk_out *out)
{
	const struct talk *t = out->talk;

	if (t->temperature.p)
		json_put_raw(out->o, "temperature",
		             talk_number_above_one(t->temperature) ? STR("1") : t->temperature);
	else
		talk_put_number(out->o, "top_p", t->top_p);
	talk_put_number(out->o, "top_k", t->top_k);
}

static bool check(const struct talk_out *out)
{
	const struct talk_carries carries = { .image_urls = true,
		                              .file_urls = true,
		                              .stops = STOPS_MOST };
	const struct talk *t = out->talk;

	if (!talk_out_check(out, &carries))
		return false;
	if (t->turns && t->turns->role == TALK_ASSISTANT)
		return err_set(out->err, ERR_UNSUPPORTED,
		               "with this model the first message must be the user's");
	if ((t->presence_penalty.p && !talk_number_is_zero(t->presence_penalty)) ||
	    (t->frequency_penalty.p && !talk_number_is_zero(t->frequency_penalty)))
		return err_set(out->err, ERR_UNSUPPORTED,
		               "'presence_penalty' and 'frequency_penalty' may only be 0 with "
		               "this model");
	for (size_t i = 0; i < t->stop_count; i++)
		if (talk_is_blank(t->stops[i]))
			return err_set(out->err, ERR_UNSUPPORTED,
			               "with this model a stop sequence must not be only white "
			               "space");
	return true;
}

bool talk_write_messages(const struct talk *t, const struct talk_target *to, struct json_out *out,
                         struct err *err)
{
	const struct talk_out w = { t, to, &to->model->traits, out, err };
	bool thinks;

	if (!check(&w))
		return false;
	json_put_object(out, NULL);
	json_put_str(out, "model", to->model->upstream_id);
	json_put_i64(out, "max_tokens", talk_out_limit(&w));
	put_system(out, t);
	json_put_array(out, "messages");
	for (const struct talk_turn *turn = t->turns; turn; turn = turn->next)
		put_turn(out, turn);
	json_put_end(out, ']');
	put_tools(&w);
	thinks = put_thinking(&w);
	put_output_config(&w, thinks);
	if (w.traits->sampling && !thinks)
		put_sampling(&w);
	talk_put_stops(out, "stop_sequences", t);
	json_put_z(out, "service_tier", "standard_only");
	if (to->user.p) {
		json_put_object(out, "metadata");
		json_put_str(out, "user_id", to->user);
		json_put_end(out, '}');
	}
	if (t->stream)
		json_put_bool(out, "stream", true);
	json_put_end(out, '}');
	return json_out_ok(out, err);
}
