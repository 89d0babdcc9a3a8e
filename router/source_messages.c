/* SPDX-License-Identifier: Apache-2.0 */
/* Anthropic's Messages. The type inside the data decides, not the event's name. A block of a stream
 * begins as a whole one does, only empty, so one reader serves both. Blocks and events that are not
 * known (server tools, citations, pings, betas) say nothing. */
#include "router/source.h"

static const struct source_finish finishes[] = {
	{ STR_INIT("end_turn"), TALK_FINISH_STOP },
	{ STR_INIT("stop_sequence"), TALK_FINISH_STOP },
	{ STR_INIT("pause_turn"), TALK_FINISH_STOP },
	{ STR_INIT("tool_use"), TALK_FINISH_TOOLS },
	{ STR_INIT("max_tokens"), TALK_FINISH_LENGTH },
	{ STR_INIT("model_context_window_exceeded"), TALK_FINISH_LENGTH },
	{ STR_INIT("refusal"), TALK_FINISH_FILTER },
};

/* A closed call: no fragment finds it. */
#define CLOSED_KEY INT64_MIN

enum root_key {
	ROOT_TYPE,
	ROOT_INDEX,
	ROOT_DELTA,
	ROOT_BLOCK,
	ROOT_COUNT
};

static int64_t block_index(struct str raw)
{
	int64_t index;

	return json_raw_i64(raw, &index) ? index : -1;
}

/* An object with a member has a quote in it. */
static bool is_filled(struct str raw)
{
	return raw.len > 0 && raw.p[0] == '{' && str_find(raw, STR("\"")) >= 0;
}

static bool begin_tool(struct talk_source *s, int64_t key, const struct str block[])
{
	struct source_call call = { .key = key, .id = block[0], .name = block[1] };
	bool filled = is_filled(block[2]);

	if (filled)
		call.key = CLOSED_KEY;
	if (!source_begin_call(s, &call))
		return false;
	if (filled)
		source_argue(s, s->calls - 1, block[2]);
	return true;
}

static bool read_block(struct talk_source *s, int64_t key, struct str raw)
{
	static const char *const keys[] = { "id",   "name",     "input",     "type",
		                            "text", "thinking", "signature", "data" };
	struct str got[8] = { 0 };

	source_signed(s);
	if (!json_pick(raw, keys, got, 8, NULL))
		return true;
	if (json_raw_equals(got[3], STR("tool_use")))
		return source_find_call(s, key) != SOURCE_NO_CALL || begin_tool(s, key, got);
	if (json_raw_equals(got[3], STR("text"))) {
		source_say(s, TALK_EV_TEXT, got[4]);
	} else if (json_raw_equals(got[3], STR("thinking"))) {
		source_say(s, TALK_EV_THINKING, got[5]);
		source_sign(s, got[6]);
	} else if (json_raw_equals(got[3], STR("redacted_thinking"))) {
		source_say(s, TALK_EV_REDACTED, got[7]);
	}
	return true;
}

static void read_delta(struct talk_source *s, int64_t key, struct str raw)
{
	static const char *const keys[] = { "type", "text", "partial_json", "thinking",
		                            "signature" };
	struct str got[5] = { 0 };

	if (!json_pick(raw, keys, got, 5, NULL))
		return;
	if (json_raw_equals(got[0], STR("text_delta")))
		source_say(s, TALK_EV_TEXT, got[1]);
	else if (json_raw_equals(got[0], STR("input_json_delta")))
		source_argue(s, source_find_call(s, key), got[2]);
	else if (json_raw_equals(got[0], STR("thinking_delta")))
		source_say(s, TALK_EV_THINKING, got[3]);
	else if (json_raw_equals(got[0], STR("signature_delta")))
		source_sign(s, got[4]);
}

static const char *const stop_keys[] = { "stop_reason", "stop_sequence", "stop_details",
	                                 "content" };
#define STOP_KEYS 3 /* of a message_delta's delta; a whole message has its content beside them */

static void read_stop(struct talk_source *s, const struct str stop[STOP_KEYS])
{
	static const char *const detail_keys[] = { "explanation" };
	struct str explanation = { 0 };

	buf_reset(&s->stop);
	if (json_raw_equals(stop[0], STR("stop_sequence")) && !json_raw_string(stop[1], &s->stop))
		buf_reset(&s->stop);
	/* Once: the last events may repeat it. */
	if (json_raw_equals(stop[0], STR("refusal")) && s->finish != TALK_FINISH_FILTER &&
	    json_pick(stop[2], detail_keys, &explanation, 1, NULL))
		source_say(s, TALK_EV_REFUSAL, explanation);
	source_finish(s, stop[0], finishes, ARRAY_LEN(finishes));
}

static bool on_start(struct talk_source *s, const struct str root[ROOT_COUNT])
{
	(void)root; /* what it says is for the meter */
	source_start(s);
	return true;
}

static bool on_block(struct talk_source *s, const struct str root[ROOT_COUNT])
{
	return read_block(s, block_index(root[ROOT_INDEX]), root[ROOT_BLOCK]);
}

static bool on_delta(struct talk_source *s, const struct str root[ROOT_COUNT])
{
	read_delta(s, block_index(root[ROOT_INDEX]), root[ROOT_DELTA]);
	return true;
}

static bool on_block_stop(struct talk_source *s, const struct str root[ROOT_COUNT])
{
	source_signed(s);
	source_close_call(s, source_find_call(s, block_index(root[ROOT_INDEX])));
	return true;
}

static bool on_message_delta(struct talk_source *s, const struct str root[ROOT_COUNT])
{
	struct str stop[STOP_KEYS] = { 0 };

	if (json_pick(root[ROOT_DELTA], stop_keys, stop, STOP_KEYS, NULL))
		read_stop(s, stop);
	return true;
}

static bool on_stop(struct talk_source *s, const struct str root[ROOT_COUNT])
{
	(void)root; /* has nothing but its type */
	source_end(s);
	return true;
}

static bool on_error(struct talk_source *s, const struct str root[ROOT_COUNT])
{
	(void)s;
	(void)root; /* the caller has words of its own for it */
	return false;
}

static const struct {
	struct str type;
	bool (*run)(struct talk_source *s, const struct str root[ROOT_COUNT]);
} handlers[] = {
	{ STR_INIT("content_block_delta"), on_delta },
	{ STR_INIT("content_block_start"), on_block },
	{ STR_INIT("content_block_stop"), on_block_stop },
	{ STR_INIT("message_start"), on_start },
	{ STR_INIT("message_delta"), on_message_delta },
	{ STR_INIT("message_stop"), on_stop },
	{ STR_INIT("error"), on_error },
};

bool talk_source_messages_event(struct talk_source *s, const struct net_sse_event *event,
                                talk_event_fn *fn, void *data)
{
	static const char *const keys[] = { "type", "index", "delta", "content_block" };
	struct str root[ROOT_COUNT] = { 0 };

	source_enter(s, PROVIDER_ANTHROPIC, fn, data);
	if (s->ended || !event->data.p)
		return true;
	if (!source_pick(s, event->data, keys, root, ROOT_COUNT))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(handlers); i++)
		if (root[ROOT_TYPE].p ? json_raw_equals(root[ROOT_TYPE], handlers[i].type)
		                      : str_eq(event->name, handlers[i].type))
			return handlers[i].run(s, root);
	return true;
}

bool talk_source_messages_answer(struct talk_source *s, struct str body, talk_event_fn *fn,
                                 void *data)
{
	struct str got[STOP_KEYS + 1] = { 0 }, *content = &got[STOP_KEYS], block;

	source_enter(s, PROVIDER_ANTHROPIC, fn, data);
	if (!source_pick(s, body, stop_keys, got, STOP_KEYS + 1) || content->len == 0 ||
	    content->p[0] != '[')
		return false;
	source_start(s);
	for (int64_t i = 0; source_next(content, &block); i++) {
		if (!read_block(s, i, block))
			return false;
		source_close_call(s, source_find_call(s, i));
	}
	source_signed(s);
	read_stop(s, got);
	source_end(s);
	return true;
}
