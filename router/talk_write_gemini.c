/* SPDX-License-Identifier: Apache-2.0 */
/* A talk to Gemini's generateContent; model and stream are in the URL, not here. Contents alternate
 * strictly, and a result is bound to its call by name and order. The surprising fact: models of the
 * third generation refuse a call without the signature that they gave it; for calls that another
 * model made Google documents a placeholder. */
#include "router/talk_write.h"

#define NOT_SIGNED "skip_thought_signature_validator"
#define BUDGET_MOST 24576 /* what every model of 2.5 takes */
#define STOPS_MOST 5

/* ---- Parts ---- */

static void put_text(struct json_out *o, struct str text, struct str signature)
{
	json_put_object(o, NULL);
	json_put_str(o, "text", text);
	if (signature.len > 0)
		json_put_str(o, "thoughtSignature", signature);
	json_put_end(o, '}');
}

static void put_media(struct json_out *o, const struct talk_part *part)
{
	json_put_object(o, NULL);
	json_put_object(o, "inlineData");
	json_put_str(o, "mimeType", part->mime);
	json_put_str(o, "data", part->data);
	json_put_end(o, '}');
	json_put_end(o, '}');
}

static void put_result(struct json_out *o, const struct talk_part *result)
{
	OWN_BUF struct buf text = buf_make(LIMIT_HTTP_BODY);

	talk_join_texts(result->content, &text);
	json_put_object(o, NULL);
	json_put_object(o, "functionResponse");
	talk_put_id(o, "id", result->id);
	json_put_str(o, "name", result->name);
	json_put_object(o, "response");
	json_put_str(o, result->is_error ? "error" : "output", buf_str(&text));
	json_put_end(o, '}');
	json_put_end(o, '}');
	json_put_end(o, '}');
	for (const struct talk_part *part = result->content; part; part = part->next)
		if (talk_is_media(part))
			put_media(o, part);
}

/* The signatures of one step, which is one turn of the model. */
struct step {
	struct str text;              /* waits for the next text */
	struct str call;              /* waits for the next call */
	const struct talk_part *used; /* thinking whose signature the text before it has taken */
	bool called;                  /* only the first call of a step is signed */
};

static bool is_own_thinking(const struct talk_part *part)
{
	return part && part->kind == TALK_THINKING && part->signer == PROVIDER_GOOGLE &&
	       part->signature.len > 0;
}

static struct str take(struct str *signature)
{
	struct str taken = *signature;

	*signature = (struct str){ 0 };
	return taken;
}

/* What signs a text stands behind it in an answer, as empty thinking; in a transcript that has all
 * thinking in front, before it. */
static struct str signature_of_text(const struct talk_part *text, struct step *step)
{
	const struct talk_part *next = text->next;

	if (step->text.len == 0 && is_own_thinking(next) && !next->of_call && next->text.len == 0) {
		step->used = next;
		return next->signature;
	}
	return take(&step->text);
}

static struct str signature_of_call(const struct talk_out *out, const struct talk_part *call,
                                    struct step *step)
{
	struct str signature = take(&step->call);

	if (call->signer == PROVIDER_GOOGLE && call->signature.len > 0)
		signature = call->signature;
	if (signature.len == 0 && !step->called && out->traits->thinking == THINKING_GEMINI_LEVEL)
		signature = STR(NOT_SIGNED);
	step->called = true;
	return signature;
}

static void put_call(const struct talk_out *out, const struct talk_part *call, struct step *step)
{
	struct str signature = signature_of_call(out, call, step);
	struct json_out *o = out->o;

	json_put_object(o, NULL);
	json_put_object(o, "functionCall");
	talk_put_id(o, "id", call->id);
	json_put_str(o, "name", call->name);
	json_put_raw(o, "args", call->text);
	json_put_end(o, '}');
	if (signature.len > 0)
		json_put_str(o, "thoughtSignature", signature);
	json_put_end(o, '}');
}

static void put_part(const struct talk_out *out, const struct talk_part *part, struct step *step)
{
	switch (part->kind) {
	case TALK_TEXT:
	case TALK_REFUSAL:
		put_text(out->o, part->text, signature_of_text(part, step));
		return;
	case TALK_IMAGE:
	case TALK_FILE:
	case TALK_AUDIO:
		put_media(out->o, part);
		return;
	case TALK_THINKING: /* its text is never sent back */
		if (is_own_thinking(part) && part != step->used)
			*(part->of_call ? &step->call : &step->text) = part->signature;
		return;
	case TALK_TOOL_CALL:
		put_call(out, part, step);
		return;
	case TALK_TOOL_RESULT: /* written before, in the order of the calls */
		return;
	}
}

/* ---- Contents ---- */

/* The results of the calls of `before` in their order, then those of earlier ones. */
static void put_results(struct json_out *o, const struct talk_turn *before,
                        const struct talk_turn *turn)
{
	const struct talk_part *call = before ? before->parts : NULL;

	for (; call; call = call->next)
		if (call->kind == TALK_TOOL_CALL && call->peer && call->peer->turn == turn)
			put_result(o, call->peer);
	for (const struct talk_part *part = turn->parts; part; part = part->next)
		if (part->kind == TALK_TOOL_RESULT && part->peer->turn != before)
			put_result(o, part);
}

/* Thinking that others signed leaves nothing behind, and contents must not be empty. */
static bool says_something(const struct talk_turn *turn)
{
	for (const struct talk_part *part = turn->parts; part; part = part->next)
		if (part->kind != TALK_THINKING || (is_own_thinking(part) && !part->of_call))
			return true;
	return false;
}

static void close_content(struct json_out *o)
{
	json_put_end(o, ']');
	json_put_end(o, '}');
}

static void put_contents(const struct talk_out *out)
{
	struct json_out *o = out->o;
	const struct talk_turn *before = NULL;

	json_put_array(o, "contents");
	for (const struct talk_turn *turn = out->talk->turns; turn; turn = turn->next) {
		struct step step = { 0 };

		if (!says_something(turn))
			continue;
		if (!before || before->role != turn->role) {
			if (before)
				close_content(o);
			json_put_object(o, NULL);
			json_put_z(o, "role", turn->role == TALK_USER ? "user" : "model");
			json_put_array(o, "parts");
		}
		put_results(o, before, turn);
		for (const struct talk_part *part = turn->parts; part; part = part->next)
			put_part(out, part, &step);
		if (step.text.len > 0)
			put_text(o, STR(""), step.text);
		before = turn;
	}
	if (before)
		close_content(o);
	json_put_end(o, ']');
}

static void put_system(struct json_out *o, const struct talk *t)
{
	if (!t->system)
		return;
	json_put_object(o, "systemInstruction");
	json_put_array(o, "parts");
	for (const struct talk_part *part = t->system; part; part = part->next)
		put_text(o, part->text, (struct str){ 0 });
	json_put_end(o, ']');
	json_put_end(o, '}');
}

/* ---- Tools ---- */

static void put_choice(struct json_out *o, const struct talk *t)
{
	static const char *const modes[] = {
		[TALK_CHOICE_UNSET] = "AUTO", [TALK_CHOICE_AUTO] = "AUTO",
		[TALK_CHOICE_NONE] = "NONE",  [TALK_CHOICE_REQUIRED] = "ANY",
		[TALK_CHOICE_NAMED] = "ANY",
	};

	if (t->choice == TALK_CHOICE_UNSET)
		return;
	json_put_object(o, "toolConfig");
	json_put_object(o, "functionCallingConfig");
	json_put_z(o, "mode", modes[t->choice]);
	if (t->choice == TALK_CHOICE_NAMED) {
		json_put_array(o, "allowedFunctionNames");
		json_put_str(o, NULL, t->choice_name);
		json_put_end(o, ']');
	}
	json_put_end(o, '}');
	json_put_end(o, '}');
}

static void put_tools(struct json_out *o, const struct talk *t)
{
	if (!t->tools)
		return;
	json_put_array(o, "tools");
	json_put_object(o, NULL);
	json_put_array(o, "functionDeclarations");
	for (const struct talk_tool *tool = t->tools; tool; tool = tool->next) {
		json_put_object(o, NULL);
		json_put_str(o, "name", tool->name);
		if (tool->description.len > 0)
			json_put_str(o, "description", tool->description);
		if (tool->schema.p)
			json_put_raw(o, "parametersJsonSchema", tool->schema);
		json_put_end(o, '}');
	}
	json_put_end(o, ']');
	json_put_end(o, '}');
	json_put_end(o, ']');
	put_choice(o, t);
}

/* ---- Generation ---- */

static int64_t budget_of(const struct talk_out *out)
{
	static const int64_t budgets[TALK_EFFORT_COUNT] = {
		[TALK_EFFORT_MINIMAL] = 512,       [TALK_EFFORT_LOW] = 1024,
		[TALK_EFFORT_MEDIUM] = 8192,       [TALK_EFFORT_HIGH] = BUDGET_MOST,
		[TALK_EFFORT_XHIGH] = BUDGET_MOST, [TALK_EFFORT_MAX] = BUDGET_MOST,
	};
	const struct talk *t = out->talk;
	int64_t budget = t->thinking_budget >= 0 ? t->thinking_budget : budgets[t->effort];

	if (budget > BUDGET_MOST)
		budget = BUDGET_MOST;
	return budget < out->traits->thinking_floor ? out->traits->thinking_floor : budget;
}

static void put_level(const struct talk_out *out, enum talk_effort effort)
{
	static const char *const levels[TALK_EFFORT_COUNT] = {
		[TALK_EFFORT_NONE] = "MINIMAL", [TALK_EFFORT_MINIMAL] = "MINIMAL",
		[TALK_EFFORT_LOW] = "LOW",      [TALK_EFFORT_MEDIUM] = "MEDIUM",
		[TALK_EFFORT_HIGH] = "HIGH",    [TALK_EFFORT_XHIGH] = "HIGH",
		[TALK_EFFORT_MAX] = "HIGH",
	};
	struct str word = talk_out_effort_word(out->traits, effort, true);

	/* Some models lack a level: theirs that is nearest. */
	for (size_t i = TALK_EFFORT_NONE; i < TALK_EFFORT_COUNT; i++)
		if (word.p && str_eq(word, talk_effort_word((enum talk_effort)i)))
			effort = (enum talk_effort)i;
	json_put_z(out->o, "thinkingLevel", levels[effort]);
}

static void put_thinking(const struct talk_out *out)
{
	const struct talk *t = out->talk;
	enum talk_effort effort = talk_out_effort(t);
	bool by_budget = out->traits->thinking == THINKING_GEMINI_BUDGET;
	bool thinks = effort != TALK_EFFORT_NONE;

	if (!by_budget && out->traits->thinking != THINKING_GEMINI_LEVEL)
		return;
	if (effort == TALK_EFFORT_UNSET && !t->thinking_asked)
		return;
	json_put_object(out->o, "thinkingConfig");
	if (effort != TALK_EFFORT_UNSET && by_budget)
		json_put_i64(out->o, "thinkingBudget", budget_of(out));
	else if (effort != TALK_EFFORT_UNSET)
		put_level(out, effort);
	if (thinks && t->thinking_asked)
		json_put_bool(out->o, "includeThoughts", true);
	json_put_end(out->o, '}');
}

static void put_format(struct json_out *o, const struct talk *t)
{
	if (t->format == TALK_FORMAT_TEXT)
		return;
	json_put_z(o, "responseMimeType", "application/json");
	if (t->format == TALK_FORMAT_SCHEMA)
		json_put_raw(o, "responseJsonSchema", t->format_schema);
}

static void put_generation(const struct talk_out *out)
{
	const struct talk *t = out->talk;
	struct json_out *o = out->o;

	json_put_object(o, "generationConfig");
	json_put_i64(o, "maxOutputTokens", talk_out_limit(out));
	if (out->traits->sampling) {
		talk_put_number(o, "temperature", t->temperature);
		talk_put_number(o, "topP", t->top_p);
		talk_put_number(o, "topK", t->top_k);
		talk_put_number(o, "presencePenalty", t->presence_penalty);
		talk_put_number(o, "frequencyPenalty", t->frequency_penalty);
		talk_put_number(o, "seed", t->seed);
	}
	talk_put_stops(o, "stopSequences", t);
	put_format(o, t);
	put_thinking(out);
	json_put_end(o, '}');
}

bool talk_write_gemini(const struct talk *t, const struct talk_target *to, struct json_out *out,
                       struct err *err)
{
	const struct talk_out w = { t, to, &to->model->traits, out, err };
	const struct talk_carries carries = { .stops = STOPS_MOST };

	if (!talk_out_check(&w, &carries))
		return false;
	json_put_object(out, NULL);
	put_contents(&w);
	put_system(out, t);
	put_tools(out, t);
	put_generation(&w);
	json_put_end(out, '}');
	return json_out_ok(out, err);
}
