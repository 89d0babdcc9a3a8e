/* SPDX-License-Identifier: Apache-2.0 */
/* Gemini's generateContent. Each event of a stream is an answer of its own with the next parts, so
 * the reader of both is one. There is no last event: the stream's end is the answer's, if a finish
 * reason was seen. A blocked prompt is a success without candidates. */
#include "router/source.h"

static const struct source_finish finishes[] = {
	{ STR_INIT("STOP"), TALK_FINISH_STOP },
	{ STR_INIT("MAX_TOKENS"), TALK_FINISH_LENGTH },
	{ STR_INIT("SAFETY"), TALK_FINISH_FILTER },
	{ STR_INIT("RECITATION"), TALK_FINISH_FILTER },
	{ STR_INIT("BLOCKLIST"), TALK_FINISH_FILTER },
	{ STR_INIT("PROHIBITED_CONTENT"), TALK_FINISH_FILTER },
	{ STR_INIT("SPII"), TALK_FINISH_FILTER },
	{ STR_INIT("IMAGE_SAFETY"), TALK_FINISH_FILTER },
	{ STR_INIT("IMAGE_PROHIBITED_CONTENT"), TALK_FINISH_FILTER },
	{ STR_INIT("IMAGE_RECITATION"), TALK_FINISH_FILTER },
	{ STR_INIT("MALFORMED_FUNCTION_CALL"), TALK_FINISH_ERROR },
	{ STR_INIT("UNEXPECTED_TOOL_CALL"), TALK_FINISH_ERROR },
	{ STR_INIT("TOO_MANY_TOOL_CALLS"), TALK_FINISH_ERROR },
	{ STR_INIT("MALFORMED_RESPONSE"), TALK_FINISH_ERROR },
};

static bool read_call(struct talk_source *s, struct str raw, struct str signature)
{
	static const char *const keys[] = { "id", "name", "args" };
	struct str got[3] = { 0 };
	size_t call = s->calls;

	if (!json_pick(raw, keys, got, 3, NULL))
		return true;
	if (!source_begin_call(s, &(struct source_call){ .key = (int64_t)call,
	                                                 .id = got[0],
	                                                 .name = got[1],
	                                                 .signature = signature }))
		return false;
	source_argue(s, call, got[2]);
	source_close_call(s, call);
	return true;
}

static bool read_part(struct talk_source *s, struct str raw)
{
	static const char *const keys[] = { "text", "thought", "functionCall", "thoughtSignature" };
	struct str got[4] = { 0 };
	bool thought = false;

	if (!json_pick(raw, keys, got, 4, NULL))
		return true;
	if (source_is_set(got[2]))
		return read_call(s, got[2], got[3]);
	if (!json_raw_bool(got[1], &thought))
		thought = false;
	source_say(s, thought ? TALK_EV_THINKING : TALK_EV_TEXT, got[0]);
	/* A text may be signed too; the signature then stands behind it, of no thinking. */
	source_sign(s, got[3]);
	source_signed(s);
	return true;
}

static bool read_candidate(struct talk_source *s, struct str raw)
{
	static const char *const keys[] = { "index", "content", "finishReason" };
	static const char *const content_keys[] = { "parts" };
	struct str got[3] = { 0 }, parts = { 0 }, part;
	int64_t index;

	if (!json_pick(raw, keys, got, 3, NULL) || (json_raw_i64(got[0], &index) && index != 0))
		return true;
	source_start(s);
	if (json_pick(got[1], content_keys, &parts, 1, NULL))
		while (source_next(&parts, &part))
			if (!read_part(s, part))
				return false;
	if (!json_raw_equals(got[2], STR("FINISH_REASON_UNSPECIFIED")))
		source_finish(s, got[2], finishes, ARRAY_LEN(finishes));
	return true;
}

static void read_feedback(struct talk_source *s, struct str raw)
{
	static const char *const keys[] = { "blockReason" };
	struct str reason = { 0 };

	if (!json_pick(raw, keys, &reason, 1, NULL) || !source_is_set(reason) ||
	    json_raw_equals(reason, STR("BLOCK_REASON_UNSPECIFIED")))
		return;
	source_start(s);
	s->finish_known = true;
	s->finish = TALK_FINISH_FILTER;
}

static bool read_root(struct talk_source *s, struct str text)
{
	static const char *const keys[] = { "candidates", "promptFeedback", "error" };
	struct str got[3] = { 0 }, candidate;

	if (!source_pick(s, text, keys, got, 3) || source_is_set(got[2]))
		return false;
	while (source_next(&got[0], &candidate))
		if (!read_candidate(s, candidate))
			return false;
	read_feedback(s, got[1]);
	return true;
}

bool talk_source_gemini_event(struct talk_source *s, const struct net_sse_event *event,
                              talk_event_fn *fn, void *data)
{
	source_enter(s, PROVIDER_GOOGLE, fn, data);
	return s->ended || !event->data.p || read_root(s, event->data);
}

bool talk_source_gemini_eof(struct talk_source *s, talk_event_fn *fn, void *data)
{
	source_enter(s, PROVIDER_GOOGLE, fn, data);
	if (!s->ended && s->finish_known)
		source_end(s);
	return s->ended;
}

bool talk_source_gemini_answer(struct talk_source *s, struct str body, talk_event_fn *fn,
                               void *data)
{
	source_enter(s, PROVIDER_GOOGLE, fn, data);
	if (!read_root(s, body) || !s->started)
		return false;
	source_end(s);
	return true;
}
