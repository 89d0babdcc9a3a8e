/* SPDX-License-Identifier: Apache-2.0 */
/* Chat Completions as OpenAI and Kimi speak it. A delta and a whole message have the same members,
 * so one reader serves both. Fragments of calls belong together by `index`; some servers leave it
 * out, and then an id begins a call and what has none goes on with the last. */
#include "router/source.h"

static const struct source_finish finishes[] = {
	{ STR_INIT("stop"), TALK_FINISH_STOP },
	{ STR_INIT("length"), TALK_FINISH_LENGTH },
	{ STR_INIT("tool_calls"), TALK_FINISH_TOOLS },
	{ STR_INIT("function_call"), TALK_FINISH_TOOLS },
	{ STR_INIT("content_filter"), TALK_FINISH_FILTER },
};

static bool has_text(struct str raw)
{
	return raw.len > 2 && raw.p[0] == '"';
}

/* The call that a fragment without an index goes on with. `s->id` is that of the last one. */
static size_t last_call(const struct talk_source *s, struct str id)
{
	if (s->calls == 0 || (has_text(id) && !json_raw_equals(id, buf_str(&s->id))))
		return SOURCE_NO_CALL;
	return s->calls - 1;
}

static bool read_call(struct talk_source *s, struct str raw)
{
	static const char *const keys[] = { "index", "id", "function" };
	static const char *const function_keys[] = { "name", "arguments" };
	struct str got[3] = { 0 }, function[2] = { 0 };
	int64_t key = INT64_MIN + (int64_t)s->calls; /* no server counts there */
	size_t call;
	bool named;

	if (!json_pick(raw, keys, got, 3, NULL))
		return true;
	named = json_pick(got[2], function_keys, function, 2, NULL) && has_text(function[0]);
	if (json_raw_i64(got[0], &key))
		call = source_find_call(s, key);
	else
		call = last_call(s, got[1]);
	if (call == SOURCE_NO_CALL && (has_text(got[1]) || named)) {
		call = s->calls;
		if (!source_begin_call(s, &(struct source_call){
						  .key = key, .id = got[1], .name = function[0] }))
			return false;
	}
	source_argue(s, call, function[1]);
	return true;
}

static bool read_message(struct talk_source *s, struct str raw)
{
	static const char *const keys[] = { "reasoning_content", "content", "refusal",
		                            "tool_calls" };
	struct str got[4] = { 0 }, call;

	if (!json_pick(raw, keys, got, 4, NULL))
		return true;
	source_say(s, TALK_EV_THINKING, got[0]);
	source_say(s, TALK_EV_TEXT, got[1]);
	source_say(s, TALK_EV_REFUSAL, got[2]);
	while (source_next(&got[3], &call))
		if (!read_call(s, call))
			return false;
	return true;
}

/* The choices of a chunk ("delta") or a whole answer ("message"). Only the first is ever asked
 * for. */
static bool read_choices(struct talk_source *s, struct str choices, const char *message)
{
	const char *const keys[] = { "index", message, "finish_reason" };
	struct str got[3] = { 0 }, choice;
	int64_t index;

	while (source_next(&choices, &choice)) {
		if (!json_pick(choice, keys, got, 3, NULL) ||
		    (json_raw_i64(got[0], &index) && index != 0))
			continue;
		source_start(s);
		if (!read_message(s, got[1]))
			return false;
		source_finish(s, got[2], finishes, ARRAY_LEN(finishes));
	}
	return true;
}

static bool read_root(struct talk_source *s, struct str text, const char *message)
{
	static const char *const keys[] = { "choices", "error" };
	struct str got[2] = { 0 };

	return source_pick(s, text, keys, got, 2) && !source_is_set(got[1]) &&
	       read_choices(s, got[0], message);
}

bool talk_source_chat_event(struct talk_source *s, const struct net_sse_event *event,
                            talk_event_fn *fn, void *data)
{
	source_enter(s, PROVIDER_OPENAI, fn, data);
	if (s->ended || !event->data.p)
		return true;
	if (str_starts(event->data, STR("[DONE]"))) {
		source_end(s);
		return true;
	}
	return !str_eq(event->name, STR("error")) && read_root(s, event->data, "delta");
}

bool talk_source_chat_answer(struct talk_source *s, struct str body, talk_event_fn *fn, void *data)
{
	source_enter(s, PROVIDER_OPENAI, fn, data);
	if (!read_root(s, body, "message") || !s->started)
		return false;
	source_end(s);
	return true;
}
