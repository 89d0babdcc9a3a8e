/* SPDX-License-Identifier: Apache-2.0 */
/* Chat Completions, with the two extensions that the field uses: `reasoning_content` for thinking
 * as it comes, and `reasoning_details` for each signed block of it, whole, when it ends. Entries of
 * lists carry an index even there, because OpenAI's Python SDK refuses to join lists without. */
#include "router/failure.h"
#include "router/sink.h"

static const char *const finish_reasons[] = {
	[TALK_FINISH_STOP] = "stop",        [TALK_FINISH_LENGTH] = "length",
	[TALK_FINISH_TOOLS] = "tool_calls", [TALK_FINISH_FILTER] = "content_filter",
	[TALK_FINISH_ERROR] = "stop", /* never written: an error is */
};

static void put_head(struct talk_sink *s, struct json_out *o, const char *object)
{
	json_put_object(o, NULL);
	sink_put_id(s, o, "chatcmpl-");
	json_put_z(o, "object", object);
	json_put_i64(o, "created", s->created_s);
	json_put_str(o, "model", buf_str(&s->model));
}

static void put_usage(struct json_out *o, const struct token_counts *counts)
{
	int64_t input = sink_input_tokens(counts);

	json_put_object(o, "usage");
	json_put_i64(o, "prompt_tokens", input);
	json_put_i64(o, "completion_tokens", counts->n[TOKEN_OUTPUT]);
	json_put_i64(o, "total_tokens", input + counts->n[TOKEN_OUTPUT]);
	json_put_object(o, "prompt_tokens_details");
	json_put_i64(o, "cached_tokens", counts->n[TOKEN_CACHE_READ]);
	json_put_i64(o, "cache_write_tokens", sink_written_tokens(counts));
	json_put_end(o, '}');
	json_put_end(o, '}');
}

/* ---- Stream ---- */

static struct json_out *begin_chunk(struct talk_sink *s)
{
	struct json_out *o = sink_json(s);

	put_head(s, o, "chat.completion.chunk");
	json_put_array(o, "choices");
	json_put_object(o, NULL);
	json_put_i64(o, "index", 0);
	json_put_object(o, "delta");
	return o;
}

static void end_chunk(struct talk_sink *s, const char *finish_reason)
{
	struct json_out *o = &s->json;

	json_put_end(o, '}');
	json_put_null(o, "logprobs");
	json_put_z(o, "finish_reason", finish_reason);
	json_put_end(o, '}');
	json_put_end(o, ']');
	if (s->wants_usage)
		json_put_null(o, "usage");
	json_put_end(o, '}');
	sink_event(s, NULL);
}

static void start(struct talk_sink *s)
{
	json_put_z(begin_chunk(s), "role", "assistant");
	end_chunk(s, NULL);
}

static void put_call_head(struct json_out *o, const struct sink_item *item)
{
	json_put_str(o, "id", buf_str(&item->id));
	json_put_z(o, "type", sink_is_freeform(item) ? "custom" : "function");
	if (item->signature.len == 0)
		return;
	json_put_object(o, "extra_content");
	json_put_object(o, provider_name(item->signer));
	json_put_str(o, "thought_signature", buf_str(&item->signature));
	json_put_end(o, '}');
	json_put_end(o, '}');
}

static void put_call_body(struct json_out *o, const struct sink_item *item, struct str text)
{
	bool freeform = sink_is_freeform(item);

	json_put_object(o, freeform ? "custom" : "function");
	json_put_str(o, "name", buf_str(&item->name));
	json_put_str(o, freeform ? "input" : "arguments", text);
	json_put_end(o, '}');
}

static void open(struct talk_sink *s, const struct sink_item *item)
{
	struct json_out *o;

	if (item->kind != SINK_CALL)
		return;
	o = begin_chunk(s);
	json_put_array(o, "tool_calls");
	json_put_object(o, NULL);
	json_put_i64(o, "index", item->call);
	put_call_head(o, item);
	put_call_body(o, item, STR(""));
	json_put_end(o, '}');
	json_put_end(o, ']');
	end_chunk(s, NULL);
}

static void send_piece(struct talk_sink *s, const struct sink_item *item, const char *kind,
                       const char *key, struct str text)
{
	struct json_out *o = begin_chunk(s);

	json_put_array(o, "tool_calls");
	json_put_object(o, NULL);
	json_put_i64(o, "index", item->call);
	json_put_object(o, kind);
	json_put_str(o, key, text);
	json_put_end(o, '}');
	json_put_end(o, '}');
	json_put_end(o, ']');
	end_chunk(s, NULL);
}

static void send_text(struct talk_sink *s, const char *key, struct str text)
{
	json_put_str(begin_chunk(s), key, text);
	end_chunk(s, NULL);
}

static void more(struct talk_sink *s, const struct sink_item *item, struct str text)
{
	switch (item->kind) {
	case SINK_TEXT:
		send_text(s, "content", text);
		break;
	case SINK_REFUSAL:
		send_text(s, "refusal", text);
		break;
	case SINK_THINKING:
		send_text(s, "reasoning_content", text);
		break;
	case SINK_CALL:
		/* A freeform input stands inside JSON until all of it is there. */
		if (!sink_is_freeform(item))
			send_piece(s, item, "function", "arguments", text);
		break;
	case SINK_REDACTED:
		break;
	}
}

static bool has_detail(const struct sink_item *item)
{
	return item->kind == SINK_REDACTED ||
	       (item->kind == SINK_THINKING && item->signature.len > 0);
}

static void put_detail(struct talk_sink *s, struct json_out *o, const struct sink_item *item)
{
	json_put_object(o, NULL);
	json_put_i64(o, "index", s->details++);
	if (item->kind == SINK_REDACTED) {
		json_put_z(o, "type", "redacted_thinking");
		sink_put_seal(o, "data", item, true);
	} else {
		json_put_z(o, "type", "thinking");
		json_put_str(o, "text", buf_str(&item->text));
		sink_put_seal(o, "signature", item, true);
	}
	json_put_end(o, '}');
}

static void close_item(struct talk_sink *s, const struct sink_item *item)
{
	OWN_BUF struct buf input = buf_make(LIMIT_UPSTREAM_BODY);
	struct json_out *o;

	if (has_detail(item)) {
		o = begin_chunk(s);
		json_put_array(o, "reasoning_details");
		put_detail(s, o, item);
		json_put_end(o, ']');
		end_chunk(s, NULL);
	} else if (item->kind == SINK_CALL && sink_is_freeform(item)) {
		sink_freeform_input(item, &input);
		send_piece(s, item, "custom", "input", buf_str(&input));
	}
}

static void end(struct talk_sink *s, const struct token_counts *counts)
{
	(void)begin_chunk(s);
	end_chunk(s, finish_reasons[s->finish]);
	if (s->wants_usage) {
		struct json_out *o = sink_json(s);

		put_head(s, o, "chat.completion.chunk");
		json_put_array(o, "choices");
		json_put_end(o, ']');
		put_usage(o, counts);
		json_put_end(o, '}');
		sink_event(s, NULL);
	}
	buf_add_z(s->out, "data: [DONE]\n\n");
}

static void fail(struct talk_sink *s, const struct err *why)
{
	struct failure f = failure_of(why);

	failure_put_event(&f, DIALECT_OPENAI, s->request_id.p, s->out);
}

/* ---- Whole ---- */

static void put_details(struct talk_sink *s, struct json_out *o)
{
	bool any = false;

	for (const struct sink_item *item = s->first; item; item = item->next) {
		if (!has_detail(item))
			continue;
		if (!any)
			json_put_array(o, "reasoning_details");
		any = true;
		put_detail(s, o, item);
	}
	if (any)
		json_put_end(o, ']');
}

static void put_calls(struct talk_sink *s, struct json_out *o)
{
	if (s->call_count == 0)
		return;
	json_put_array(o, "tool_calls");
	for (int64_t i = 0; i < s->call_count; i++) {
		OWN_BUF struct buf input = buf_make(LIMIT_UPSTREAM_BODY);
		const struct sink_item *item = s->calls[i];

		json_put_object(o, NULL);
		put_call_head(o, item);
		if (sink_is_freeform(item))
			sink_freeform_input(item, &input);
		else
			buf_add(&input, buf_str(&item->text));
		put_call_body(o, item, buf_str(&input));
		json_put_end(o, '}');
	}
	json_put_end(o, ']');
}

static void put_message(struct talk_sink *s, struct json_out *o)
{
	OWN_BUF struct buf content = buf_make(LIMIT_UPSTREAM_BODY);
	OWN_BUF struct buf refusal = buf_make(LIMIT_UPSTREAM_BODY);
	OWN_BUF struct buf thinking = buf_make(LIMIT_UPSTREAM_BODY);
	bool refused = sink_join(s, SINK_REFUSAL, &refusal);

	json_put_object(o, "message");
	json_put_z(o, "role", "assistant");
	/* An answer of nothing at all is an empty text; null means that something else is there. */
	if (sink_join(s, SINK_TEXT, &content) || (s->call_count == 0 && !refused))
		json_put_str(o, "content", buf_str(&content));
	else
		json_put_null(o, "content");
	if (sink_join(s, SINK_THINKING, &thinking) && thinking.len > 0)
		json_put_str(o, "reasoning_content", buf_str(&thinking));
	put_details(s, o);
	put_calls(s, o);
	if (refused)
		json_put_str(o, "refusal", buf_str(&refusal));
	else
		json_put_null(o, "refusal");
	json_put_array(o, "annotations");
	json_put_end(o, ']');
	json_put_end(o, '}');
}

static void whole(struct talk_sink *s, struct json_out *o, const struct token_counts *counts)
{
	put_head(s, o, "chat.completion");
	json_put_array(o, "choices");
	json_put_object(o, NULL);
	json_put_i64(o, "index", 0);
	put_message(s, o);
	json_put_null(o, "logprobs");
	json_put_z(o, "finish_reason", finish_reasons[s->finish]);
	json_put_end(o, '}');
	json_put_end(o, ']');
	put_usage(o, counts);
	json_put_end(o, '}');
}

const struct sink_shape sink_chat = {
	.signs_calls = true,
	.start = start,
	.open = open,
	.more = more,
	.close = close_item,
	.end = end,
	.fail = fail,
	.whole = whole,
};
