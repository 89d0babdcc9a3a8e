/* SPDX-License-Identifier: Apache-2.0 */
/* Anthropic's Messages. Each item is a block. The usage is not known when the stream starts, so
 * message_start has zeros; the SDKs take the figures of message_delta instead. A refusal's words
 * are a text block, for that is where its readers look. */
#include "base/limits.h"
#include "router/failure.h"
#include "router/sink.h"

static const char *const stop_reasons[] = {
	[TALK_FINISH_STOP] = "end_turn",  [TALK_FINISH_LENGTH] = "max_tokens",
	[TALK_FINISH_TOOLS] = "tool_use", [TALK_FINISH_FILTER] = "refusal",
	[TALK_FINISH_ERROR] = "end_turn", /* never written: an error is */
};

static bool is_refusal(const struct talk_sink *s)
{
	return s->finish == TALK_FINISH_FILTER || (s->finish == TALK_FINISH_STOP && s->refused);
}

static void put_stop(const struct talk_sink *s, struct json_out *o)
{
	bool sequence = s->finish == TALK_FINISH_STOP && s->stop.len > 0;

	if (is_refusal(s))
		json_put_z(o, "stop_reason", "refusal");
	else
		json_put_z(o, "stop_reason", sequence ? "stop_sequence" : stop_reasons[s->finish]);
	json_put_str(o, "stop_sequence", sequence ? buf_str(&s->stop) : (struct str){ 0 });
	if (!is_refusal(s)) {
		json_put_null(o, "stop_details");
		return;
	}
	json_put_object(o, "stop_details");
	json_put_z(o, "type", "refusal");
	json_put_null(o, "category");
	json_put_null(o, "explanation");
	json_put_end(o, '}');
}

enum usage_place {
	USAGE_OF_START, /* nothing is known yet */
	USAGE_OF_DELTA,
	USAGE_OF_WHOLE /* tells the kinds of cache writes apart */
};

static void put_usage(struct json_out *o, const struct token_counts *counts, enum usage_place place)
{
	json_put_object(o, "usage");
	json_put_i64(o, "input_tokens", counts->n[TOKEN_UNCACHED_INPUT]);
	json_put_i64(o, "cache_creation_input_tokens", sink_written_tokens(counts));
	json_put_i64(o, "cache_read_input_tokens", counts->n[TOKEN_CACHE_READ]);
	json_put_i64(o, "output_tokens", counts->n[TOKEN_OUTPUT]);
	json_put_null(o, "server_tool_use");
	if (place == USAGE_OF_WHOLE) {
		json_put_object(o, "cache_creation");
		json_put_i64(o, "ephemeral_5m_input_tokens", counts->n[TOKEN_CACHE_WRITE_5M]);
		json_put_i64(o, "ephemeral_1h_input_tokens", counts->n[TOKEN_CACHE_WRITE_1H]);
		json_put_end(o, '}');
	} else if (place == USAGE_OF_START) {
		json_put_null(o, "cache_creation");
	}
	if (place != USAGE_OF_DELTA)
		json_put_null(o, "service_tier");
	json_put_end(o, '}');
}

static void put_head(struct talk_sink *s, struct json_out *o, const char *key)
{
	json_put_object(o, key);
	sink_put_id(s, o, "msg_");
	json_put_z(o, "type", "message");
	json_put_z(o, "role", "assistant");
	json_put_str(o, "model", buf_str(&s->model));
}

/* What a block is beside what grows. */
static void put_block_head(struct json_out *o, const char *key, const struct sink_item *item)
{
	json_put_object(o, key);
	switch (item->kind) {
	case SINK_TEXT:
	case SINK_REFUSAL:
		json_put_z(o, "type", "text");
		break;
	case SINK_THINKING:
		json_put_z(o, "type", "thinking");
		break;
	case SINK_REDACTED:
		json_put_z(o, "type", "redacted_thinking");
		sink_put_seal(o, "data", item, true);
		break;
	case SINK_CALL:
		json_put_z(o, "type", "tool_use");
		json_put_str(o, "id", buf_str(&item->id));
		json_put_str(o, "name", buf_str(&item->name));
		break;
	}
}

/* ---- Stream ---- */

static struct json_out *begin_event(struct talk_sink *s, const char *type)
{
	struct json_out *o = sink_json(s);

	json_put_object(o, NULL);
	json_put_z(o, "type", type);
	return o;
}

static void end_event(struct talk_sink *s, const char *type)
{
	json_put_end(&s->json, '}');
	sink_event(s, type);
}

static void start(struct talk_sink *s)
{
	static const struct token_counts none = { { 0 } };
	struct json_out *o = begin_event(s, "message_start");

	put_head(s, o, "message");
	json_put_array(o, "content");
	json_put_end(o, ']');
	json_put_null(o, "stop_reason");
	json_put_null(o, "stop_sequence");
	json_put_null(o, "stop_details");
	put_usage(o, &none, USAGE_OF_START);
	json_put_end(o, '}');
	end_event(s, "message_start");
}

static void open(struct talk_sink *s, const struct sink_item *item)
{
	struct json_out *o = begin_event(s, "content_block_start");

	json_put_i64(o, "index", item->number);
	put_block_head(o, "content_block", item);
	switch (item->kind) {
	case SINK_TEXT:
	case SINK_REFUSAL:
		json_put_z(o, "text", "");
		break;
	case SINK_THINKING:
		json_put_z(o, "thinking", "");
		json_put_z(o, "signature", "");
		break;
	case SINK_CALL:
		json_put_object(o, "input");
		json_put_end(o, '}');
		break;
	case SINK_REDACTED:
		break;
	}
	json_put_end(o, '}');
	end_event(s, "content_block_start");
}

static struct json_out *begin_delta(struct talk_sink *s, const struct sink_item *item,
                                    const char *type)
{
	struct json_out *o = begin_event(s, "content_block_delta");

	json_put_i64(o, "index", item->number);
	json_put_object(o, "delta");
	json_put_z(o, "type", type);
	return o;
}

static void end_delta(struct talk_sink *s)
{
	json_put_end(&s->json, '}');
	end_event(s, "content_block_delta");
}

static void send_delta(struct talk_sink *s, const struct sink_item *item, const char *type,
                       const char *key, struct str text)
{
	json_put_str(begin_delta(s, item, type), key, text);
	end_delta(s);
}

static void more(struct talk_sink *s, const struct sink_item *item, struct str text)
{
	switch (item->kind) {
	case SINK_TEXT:
	case SINK_REFUSAL:
		send_delta(s, item, "text_delta", "text", text);
		break;
	case SINK_THINKING:
		send_delta(s, item, "thinking_delta", "thinking", text);
		break;
	case SINK_CALL:
		send_delta(s, item, "input_json_delta", "partial_json", text);
		break;
	case SINK_REDACTED:
		break;
	}
}

static void close_item(struct talk_sink *s, const struct sink_item *item)
{
	if (item->kind == SINK_THINKING && item->signature.len > 0) {
		sink_put_seal(begin_delta(s, item, "signature_delta"), "signature", item, true);
		end_delta(s);
	}
	json_put_i64(begin_event(s, "content_block_stop"), "index", item->number);
	end_event(s, "content_block_stop");
}

static void end(struct talk_sink *s, const struct token_counts *counts)
{
	struct json_out *o = begin_event(s, "message_delta");

	json_put_object(o, "delta");
	put_stop(s, o);
	json_put_end(o, '}');
	put_usage(o, counts, USAGE_OF_DELTA);
	end_event(s, "message_delta");
	(void)begin_event(s, "message_stop");
	end_event(s, "message_stop");
}

static void fail(struct talk_sink *s, const struct err *why)
{
	struct failure f = failure_of(why);

	failure_put_event(&f, DIALECT_ANTHROPIC, s->request_id.p, s->out);
}

/* ---- Whole ---- */

/* Anthropic's own advice for arguments that are no JSON is to wrap them like this. */
static void put_input(struct json_out *o, const struct sink_item *item)
{
	struct str text = str_trim(buf_str(&item->text));

	if (text.len > 0 && text.p[0] == '{' && json_scan(text, NULL, NULL, NULL)) {
		json_put_raw(o, "input", text);
		return;
	}
	json_put_object(o, "input");
	if (text.len > 0)
		json_put_str(o, "INVALID_JSON", buf_str(&item->text));
	json_put_end(o, '}');
}

static void put_block(struct json_out *o, const struct sink_item *item)
{
	put_block_head(o, NULL, item);
	switch (item->kind) {
	case SINK_TEXT:
	case SINK_REFUSAL:
		json_put_str(o, "text", buf_str(&item->text));
		break;
	case SINK_THINKING:
		json_put_str(o, "thinking", buf_str(&item->text));
		if (item->signature.len > 0)
			sink_put_seal(o, "signature", item, true);
		else
			json_put_z(o, "signature", "");
		break;
	case SINK_CALL:
		put_input(o, item);
		break;
	case SINK_REDACTED:
		break;
	}
	json_put_end(o, '}');
}

static void whole(struct talk_sink *s, struct json_out *o, const struct token_counts *counts)
{
	put_head(s, o, NULL);
	json_put_array(o, "content");
	for (const struct sink_item *item = s->first; item; item = item->next)
		put_block(o, item);
	json_put_end(o, ']');
	put_stop(s, o);
	put_usage(o, counts, USAGE_OF_WHOLE);
	json_put_end(o, '}');
}

const struct sink_shape sink_messages = {
	.start = start,
	.open = open,
	.more = more,
	.close = close_item,
	.end = end,
	.fail = fail,
	.whole = whole,
};
