/* SPDX-License-Identifier: Apache-2.0 */
/* OpenAI Responses as an agent without a server-side memory uses them: each item is told again
 * whole when it is done, and the response again whole at its end, so nothing may be let go before.
 * A reasoning item carries the maker's signature in `encrypted_content`. */
#include "router/sink_response.h"

/* Each event has its type twice and the next number. */
static struct json_out *begin_event(struct talk_sink *s, const char *type)
{
	struct json_out *o = sink_json(s);

	json_put_object(o, NULL);
	json_put_z(o, "type", type);
	json_put_i64(o, "sequence_number", s->sequence++);
	return o;
}

static void end_event(struct talk_sink *s, const char *type)
{
	json_put_end(&s->json, '}');
	sink_event(s, type);
}

/* An event about one item. */
static struct json_out *begin_item_event(struct talk_sink *s, const struct sink_item *item,
                                         const char *type)
{
	struct json_out *o = begin_event(s, type);

	sink_put_item_id(s, o, "item_id", item);
	json_put_i64(o, "output_index", item->number);
	return o;
}

static void send_response(struct talk_sink *s, const char *type,
                          const struct sink_response *response)
{
	sink_put_response(s, begin_event(s, type), "response", response);
	end_event(s, type);
}

static void start(struct talk_sink *s)
{
	static const struct sink_response running = { .status = "in_progress" };

	send_response(s, "response.created", &running);
	send_response(s, "response.in_progress", &running);
}

/* ---- Items ---- */

static void send_item(struct talk_sink *s, const struct sink_item *item, const char *type,
                      bool done)
{
	struct json_out *o = begin_event(s, type);

	json_put_i64(o, "output_index", item->number);
	sink_put_item(s, o, "item", item, done);
	end_event(s, type);
}

/* The beginning or the end of a message's one part, or of a summary's. */
static void send_part(struct talk_sink *s, const struct sink_item *item, const char *type,
                      struct str text)
{
	struct json_out *o = begin_item_event(s, item, type);

	json_put_i64(o, item->kind == SINK_THINKING ? "summary_index" : "content_index", 0);
	sink_put_part(o, "part", item->kind, text);
	end_event(s, type);
}

static void open(struct talk_sink *s, const struct sink_item *item)
{
	send_item(s, item, "response.output_item.added", false);
	if (item->kind == SINK_TEXT || item->kind == SINK_REFUSAL)
		send_part(s, item, "response.content_part.added", STR(""));
}

static void send_text(struct talk_sink *s, const struct sink_item *item, const char *type,
                      const char *key, struct str text)
{
	struct json_out *o = begin_item_event(s, item, type);

	if (item->kind == SINK_THINKING)
		json_put_i64(o, "summary_index", 0);
	else if (item->kind != SINK_CALL)
		json_put_i64(o, "content_index", 0);
	json_put_str(o, key, text);
	if (item->kind == SINK_TEXT) {
		json_put_array(o, "logprobs");
		json_put_end(o, ']');
	}
	end_event(s, type);
}

static void more(struct talk_sink *s, const struct sink_item *item, struct str text)
{
	switch (item->kind) {
	case SINK_TEXT:
		send_text(s, item, "response.output_text.delta", "delta", text);
		break;
	case SINK_REFUSAL:
		send_text(s, item, "response.refusal.delta", "delta", text);
		break;
	case SINK_THINKING:
		if (item->text.len == 0 || item->text.p == text.p)
			send_part(s, item, "response.reasoning_summary_part.added", STR(""));
		send_text(s, item, "response.reasoning_summary_text.delta", "delta", text);
		break;
	case SINK_CALL:
		/* A freeform input stands inside JSON until all of it is there. */
		if (!sink_is_freeform(item))
			send_text(s, item, "response.function_call_arguments.delta", "delta", text);
		break;
	case SINK_REDACTED:
		break;
	}
}

static void close_call(struct talk_sink *s, const struct sink_item *item)
{
	OWN_BUF struct buf input = buf_make(LIMIT_UPSTREAM_BODY);

	if (!sink_is_freeform(item)) {
		struct json_out *o =
			begin_item_event(s, item, "response.function_call_arguments.done");
		json_put_str(o, "name", sink_plain_name(item));
		json_put_str(o, "arguments", buf_str(&item->text));
		end_event(s, "response.function_call_arguments.done");
		return;
	}
	sink_freeform_input(item, &input);
	send_text(s, item, "response.custom_tool_call_input.delta", "delta", buf_str(&input));
	send_text(s, item, "response.custom_tool_call_input.done", "input", buf_str(&input));
}

static void close_item(struct talk_sink *s, const struct sink_item *item)
{
	struct str text = buf_str(&item->text);

	switch (item->kind) {
	case SINK_TEXT:
		send_text(s, item, "response.output_text.done", "text", text);
		send_part(s, item, "response.content_part.done", text);
		break;
	case SINK_REFUSAL:
		send_text(s, item, "response.refusal.done", "refusal", text);
		send_part(s, item, "response.content_part.done", text);
		break;
	case SINK_THINKING:
		if (text.len == 0)
			break;
		send_text(s, item, "response.reasoning_summary_text.done", "text", text);
		send_part(s, item, "response.reasoning_summary_part.done", text);
		break;
	case SINK_CALL:
		close_call(s, item);
		break;
	case SINK_REDACTED:
		break;
	}
	send_item(s, item, "response.output_item.done", true);
}

/* ---- The end ---- */

static const struct {
	const char *event;
	struct sink_response response;
} ends[] = {
	[TALK_FINISH_STOP] = { "response.completed", { .status = "completed" } },
	[TALK_FINISH_TOOLS] = { "response.completed", { .status = "completed" } },
	[TALK_FINISH_LENGTH] = { "response.incomplete",
	                         { .status = "incomplete", .incomplete = "max_output_tokens" } },
	[TALK_FINISH_FILTER] = { "response.incomplete",
	                         { .status = "incomplete", .incomplete = "content_filter" } },
	[TALK_FINISH_ERROR] = { "response.failed",
	                        { .status = "failed",
	                          .error_code = "server_error",
	                          .error = SINK_MALFORMED } },
};

static void end(struct talk_sink *s, const struct token_counts *counts)
{
	struct sink_response response = ends[s->finish].response;

	response.counts = counts;
	send_response(s, ends[s->finish].event, &response);
}

static const char *error_code(enum err_code code)
{
	if (code == ERR_INSUFFICIENT_FUNDS)
		return "insufficient_quota";
	return code == ERR_RATE_LIMITED ? "rate_limit_exceeded" : "server_error";
}

static void fail(struct talk_sink *s, const struct err *why)
{
	struct sink_response response = { .status = "failed",
		                          .error_code = error_code(why->code),
		                          .error = why->text };

	send_response(s, "response.failed", &response);
}

static void whole(struct talk_sink *s, struct json_out *o, const struct token_counts *counts)
{
	struct sink_response response = ends[s->finish].response;

	response.counts = counts;
	sink_put_response(s, o, NULL, &response);
}

const struct sink_shape sink_responses = {
	.keeps = true,
	.tells_error = true,
	.start = start,
	.open = open,
	.more = more,
	.close = close_item,
	.end = end,
	.fail = fail,
	.whole = whole,
};
