/* SPDX-License-Identifier: Apache-2.0 */
/* What Anthropic refuses of a history and of the options of thinking. Messages of one role in a row
 * are one turn, so the rules speak of turns: each tool use is answered in the very next one,
 * results first. A thinking block must be one that was signed here, letter by letter. */
#include <ctype.h>

#include "tests/provider_sim/sim.h"

/* ---- Models ---- */

struct version {
	int64_t major, minor;
};

/* "claude-opus-4-7": 4 and 7; of "claude-sonnet-4-20250514" 4 and 0, as the rest is a date. */
static struct version version_of(struct str model)
{
	struct version v = { 0, 0 };
	int64_t n = 0;
	bool major = false;
	struct str rest = model;
	while (rest.p != NULL) {
		struct str word = str_cut(&rest, '-');
		if (word.len > 2 || !str_to_i64(word, &n))
			continue;
		if (major) {
			v.minor = n;
			return v;
		}
		major = true;
		v.major = n;
	}
	return v;
}

static bool is_since(const struct sim_ask *ask, int64_t major, int64_t minor)
{
	struct version v = version_of(ask->model);
	return v.major > major || (v.major == major && v.minor >= minor);
}

/* ---- Blocks ---- */

static const struct json *first_block(const struct json *message)
{
	const struct json *content = json_get(message, "content");
	return json_is(content, JSON_ARRAY) ? json_first(content) : NULL;
}

static bool is_id(struct str id)
{
	for (size_t i = 0; i < id.len; i++) {
		if (isalnum((unsigned char)id.p[i]) == 0 && id.p[i] != '_' && id.p[i] != '-')
			return false;
	}
	return id.len > 0;
}

static bool check_block(const struct json *block, int index, struct sim_error *error)
{
	if (sim_text_is(block, "type", "text") && sim_text_is(block, "text", ""))
		return sim_refuse(error, 400, "messages.%d: text content blocks must be non-empty",
		                  index);
	if (sim_text_is(block, "type", "tool_use") &&
	    (!is_id(json_text(json_get(block, "id"))) ||
	     !json_is(json_get(block, "input"), JSON_OBJECT)))
		return sim_refuse(error, 400, "messages.%d: tool_use needs an id and an input",
		                  index);
	if (!sim_text_is(block, "type", "thinking"))
		return true;
	struct str text = json_text(json_get(block, "thinking"));
	struct str signature = json_text(json_get(block, "signature"));
	if (!sim_signed(signature, "anthropic", STR(""), text))
		return sim_refuse(error, 400,
		                  "messages.%d: Invalid `signature` in `thinking` block", index);
	return true;
}

static bool check_message(const struct json *message, int index, struct sim_error *error)
{
	bool assistant = sim_text_is(message, "role", "assistant");
	const struct json *content = json_get(message, "content");
	if (!assistant && !sim_text_is(message, "role", "user"))
		return sim_refuse(error, 400, "messages.%d.role: must be user or assistant", index);
	if (json_text(content).len == 0 && json_count(content) == 0)
		return sim_refuse(error, 400, "messages.%d: must have non-empty content", index);
	const struct json *block = first_block(message);
	for (; block != NULL; block = json_next(block)) {
		if (!check_block(block, index, error))
			return false;
	}
	return true;
}

/* ---- Turns ---- */

static bool is_same_turn(const struct json *a, const struct json *b)
{
	return b != NULL && str_eq(json_text(json_get(a, "role")), json_text(json_get(b, "role")));
}

static const struct json *next_turn(const struct json *message)
{
	const struct json *m = message;
	while (m != NULL && is_same_turn(message, m))
		m = json_next(m);
	return m;
}

/* Whether the turn that begins with `message` has a block of that type whose `key` is `id`. */
static bool turn_has(const struct json *message, const char *type, const char *key, struct str id)
{
	for (const struct json *m = message; m != NULL && is_same_turn(message, m);
	     m = json_next(m)) {
		for (const struct json *b = first_block(m); b != NULL; b = json_next(b)) {
			if (sim_text_is(b, "type", type) && str_eq(json_text(json_get(b, key)), id))
				return true;
		}
	}
	return false;
}

static bool check_uses(const struct json *message, const struct json *answer, int index,
                       struct sim_error *error)
{
	for (const struct json *b = first_block(message); b != NULL; b = json_next(b)) {
		struct str id = json_text(json_get(b, "id"));
		if (sim_text_is(b, "type", "tool_use") &&
		    !turn_has(answer, "tool_result", "tool_use_id", id))
			return sim_refuse(error, 400,
			                  "messages.%d: `tool_use` ids were found without "
			                  "`tool_result` blocks immediately after: %.*s",
			                  index, STR_ARG(id));
	}
	return true;
}

static bool check_results(const struct json *message, const struct json *before, int index,
                          struct sim_error *error)
{
	bool others = false;
	for (const struct json *b = first_block(message); b != NULL; b = json_next(b)) {
		struct str id = json_text(json_get(b, "tool_use_id"));
		if (!sim_text_is(b, "type", "tool_result")) {
			others = true;
			continue;
		}
		if (others)
			return sim_refuse(error, 400,
			                  "messages.%d: `tool_result` blocks must come first",
			                  index);
		if (!turn_has(before, "tool_use", "id", id))
			return sim_refuse(error, 400,
			                  "messages.%d: unexpected `tool_use_id` found in "
			                  "`tool_result` blocks: %.*s",
			                  index, STR_ARG(id));
	}
	return true;
}

static bool check_turns(const struct sim_ask *ask, struct sim_error *error)
{
	const struct json *first = json_first(json_get(ask->tree, "messages"));
	const struct json *before = NULL; /* the turn before that of `m` */
	const struct json *turn = first;
	int index = 0;
	for (const struct json *m = first; m != NULL; m = json_next(m), index++) {
		if (!is_same_turn(turn, m)) {
			before = turn;
			turn = m;
		}
		if (!check_message(m, index, error) || !check_uses(m, next_turn(m), index, error) ||
		    !check_results(m, before, index, error))
			return false;
	}
	if (sim_text_is(turn, "role", "assistant") && is_since(ask, 4, 6))
		return sim_refuse(error, 400,
		                  "This model does not support assistant message prefill. The "
		                  "conversation must end with a user message.");
	return true;
}

/* ---- Options ---- */

static bool check_budget(const struct sim_ask *ask, const struct json *thinking,
                         struct sim_error *error)
{
	int64_t budget = 0;
	const struct json *choice = json_get(ask->tree, "tool_choice");
	if (!json_i64(json_get(thinking, "budget_tokens"), &budget) || budget < 1024)
		return sim_refuse(error, 400, "thinking.budget_tokens: must be at least 1024");
	if (ask->want == SIM_COMPLETION && budget >= ask->max_tokens)
		return sim_refuse(error, 400,
		                  "`max_tokens` must be greater than "
		                  "`thinking.budget_tokens`");
	if (sim_text_is(choice, "type", "any") || sim_text_is(choice, "type", "tool"))
		return sim_refuse(error, 400,
		                  "Thinking may not be enabled when tool_choice forces tool use.");
	return true;
}

static bool check_thinking(const struct sim_ask *ask, struct sim_error *error)
{
	const struct json *thinking = json_get(ask->tree, "thinking");
	bool enabled = sim_text_is(thinking, "type", "enabled");
	bool adaptive = sim_text_is(thinking, "type", "adaptive");
	if (adaptive && !is_since(ask, 4, 6))
		return sim_refuse(error, 400, "adaptive thinking is not supported on this model");
	if (enabled && is_since(ask, 4, 7))
		return sim_refuse(error, 400,
		                  "\"thinking.type.enabled\" is not supported for this model");
	if ((enabled || adaptive) &&
	    (json_get(ask->tree, "temperature") != NULL || json_get(ask->tree, "top_k") != NULL))
		return sim_refuse(error, 400,
		                  "`temperature` and `top_k` may not be set when "
		                  "thinking is enabled");
	return !enabled || check_budget(ask, thinking, error);
}

bool sim_anthropic_check(const struct sim_ask *ask, struct sim_error *error)
{
	static const char *const SAMPLING[] = { "temperature", "top_p", "top_k" };
	const struct json *effort = json_get(json_get(ask->tree, "output_config"), "effort");
	for (size_t i = 0; i < ARRAY_LEN(SAMPLING); i++) {
		if (is_since(ask, 4, 7) && json_get(ask->tree, SAMPLING[i]) != NULL)
			return sim_refuse(error, 400, "`%s` is not supported for this model",
			                  SAMPLING[i]);
	}
	if (effort != NULL && !is_since(ask, 4, 6))
		return sim_refuse(error, 400, "This model does not support the effort parameter.");
	return check_thinking(ask, error) && check_turns(ask, error);
}
