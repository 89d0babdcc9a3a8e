/* SPDX-License-Identifier: Apache-2.0 */
/* Streams through sources and sinks; see answer_assemble.c for the way back. */
#include "tests/answer_world.h"

#include <stdlib.h>

#include "tests/check.h"

const struct token_counts ANSWER_COUNTS = { { 50, 200, 30, 1500, 120 } };

static talk_source_event_fn *const event_fns[] = {
	talk_source_chat_event,
	talk_source_messages_event,
	talk_source_gemini_event,
};

static talk_source_answer_fn *const answer_fns[] = {
	talk_source_chat_answer,
	talk_source_messages_answer,
	talk_source_gemini_answer,
};

/* ---- Events as lines ---- */

static const char *const kind_names[] = {
	[TALK_EV_START] = "START",         [TALK_EV_TEXT] = "TEXT",
	[TALK_EV_THINKING] = "THINKING",   [TALK_EV_SIGNATURE] = "SIGNATURE",
	[TALK_EV_REDACTED] = "REDACTED",   [TALK_EV_TOOL] = "TOOL",
	[TALK_EV_ARGUMENTS] = "ARGUMENTS", [TALK_EV_REFUSAL] = "REFUSAL",
	[TALK_EV_FINISH] = "FINISH",       [TALK_EV_END] = "END",
};

static const char *const finish_names[] = {
	[TALK_FINISH_STOP] = "stop",   [TALK_FINISH_LENGTH] = "length",
	[TALK_FINISH_TOOLS] = "tools", [TALK_FINISH_FILTER] = "filter",
	[TALK_FINISH_ERROR] = "error",
};

struct answer_log answer_log_make(bool merge)
{
	return (struct answer_log){ .text = buf_make(SIZE_MAX),
		                    .merge = merge,
		                    .last = TALK_EV_END };
}

static void log_word(struct answer_log *log, struct str word)
{
	buf_add_char(&log->text, ' ');
	buf_add(&log->text, word);
}

static void log_signer(struct answer_log *log, const struct talk_event *event)
{
	log_word(log, str_of(provider_name(event->signer)));
	log_word(log, event->text);
}

/* An id of ours is "call_@": what it is made of is random to the eye. */
static void log_tool(struct answer_log *log, const struct talk_event *event)
{
	bool made = str_starts(event->id, STR("call_")) && event->id.len == 27;

	buf_addf(&log->text, " %d", (int)event->index);
	log_word(log, made ? STR("call_@") : event->id);
	log_word(log, event->name);
	if (event->text.p)
		log_signer(log, event);
}

static bool grows(const struct answer_log *log, const struct talk_event *event)
{
	if (!log->merge || log->last != event->kind)
		return false;
	return event->kind == TALK_EV_TEXT || event->kind == TALK_EV_THINKING ||
	       event->kind == TALK_EV_REFUSAL ||
	       (event->kind == TALK_EV_ARGUMENTS && log->last_index == event->index);
}

void answer_log_event(void *data, const struct talk_event *event)
{
	struct answer_log *log = data;

	if (grows(log, event)) {
		log->text.len--; /* its line goes on */
		buf_add(&log->text, event->text);
		buf_add_char(&log->text, '\n');
		return;
	}
	log->last = event->kind;
	log->last_index = event->index;
	buf_add_z(&log->text, kind_names[event->kind]);
	switch (event->kind) {
	case TALK_EV_START:
	case TALK_EV_END:
		break;
	case TALK_EV_TEXT:
	case TALK_EV_THINKING:
	case TALK_EV_REFUSAL:
		log_word(log, event->text);
		break;
	case TALK_EV_SIGNATURE:
	case TALK_EV_REDACTED:
		log_signer(log, event);
		break;
	case TALK_EV_TOOL:
		log_tool(log, event);
		break;
	case TALK_EV_ARGUMENTS:
		buf_addf(&log->text, " %d", (int)event->index);
		log_word(log, event->text);
		break;
	case TALK_EV_FINISH:
		log_word(log, str_of(finish_names[event->finish]));
		if (event->stop.p)
			log_word(log, event->stop);
		break;
	}
	buf_add_char(&log->text, '\n');
}

/* ---- Sources ---- */

struct feed {
	struct talk_source source;
	enum answer_format format;
	talk_event_fn *fn;
	void *data;
	bool refused;
};

static void on_sse(void *data, const struct net_sse_event *event)
{
	struct feed *f = data;

	if (!f->refused)
		f->refused = !event_fns[f->format](&f->source, event, f->fn, f->data);
}

bool answer_stream(enum answer_format format, struct str bytes, size_t cut, talk_event_fn *fn,
                   void *data)
{
	struct feed f = { .format = format, .fn = fn, .data = data };
	struct net_sse sse;
	bool ok;

	talk_source_init(&f.source, 7);
	net_sse_init(&sse);
	ok = net_sse_feed(&sse, (struct str){ bytes.p, cut }, on_sse, &f, NULL) &&
	     net_sse_feed(&sse, (struct str){ bytes.p + cut, bytes.len - cut }, on_sse, &f, NULL);
	if (ok && !f.refused && format == ANSWER_GEMINI)
		ok = talk_source_gemini_eof(&f.source, fn, data);
	ok = ok && !f.refused && f.source.ended;
	net_sse_done(&sse);
	talk_source_done(&f.source);
	return ok;
}

bool answer_whole(enum answer_format format, struct str body, talk_event_fn *fn, void *data)
{
	struct talk_source source;
	bool ok;

	talk_source_init(&source, 7);
	ok = answer_fns[format](&source, body, fn, data);
	talk_source_done(&source);
	return ok;
}

/* ---- Sinks ---- */

static struct talk_sink *new_sink(enum talk_shape shape, const struct talk *talk)
{
	struct talk_sink_options options = {
		.shape = shape,
		.model = STR("claude-haiku-4-5"),
		.request_id = STR("req_0123456789abcdefghijkl"),
		.created_s = 1795334400,
		.wants_usage = true,
		.talk = talk,
	};
	struct talk_sink *sink = talk_sink_new(&options, NULL);

	if (!sink)
		abort();
	return sink;
}

void answer_sinks_init(struct answer_sinks *a, const struct talk *talk)
{
	for (size_t i = 0; i < ANSWER_SHAPES; i++) {
		a->stream[i] = new_sink((enum talk_shape)i, talk);
		a->whole[i] = new_sink((enum talk_shape)i, talk);
		a->out[i] = buf_make(SIZE_MAX);
	}
}

void answer_sinks_done(struct answer_sinks *a)
{
	for (size_t i = 0; i < ANSWER_SHAPES; i++) {
		talk_sink_free(a->stream[i]);
		talk_sink_free(a->whole[i]);
		buf_done(&a->out[i]);
	}
}

void answer_sinks_event(void *data, const struct talk_event *event)
{
	struct answer_sinks *a = data;

	for (size_t i = 0; i < ANSWER_SHAPES; i++) {
		talk_sink_put(a->stream[i], event, &a->out[i]);
		talk_sink_put(a->whole[i], event, NULL);
	}
}

void answer_sinks_end(struct answer_sinks *a, bool well)
{
	struct err why = { 0 };

	(void)err_set(&why, ERR_UNAVAILABLE, "the upstream provider broke the stream off");
	for (size_t i = 0; i < ANSWER_SHAPES; i++) {
		if (well)
			talk_sink_end(a->stream[i], &ANSWER_COUNTS, &a->out[i]);
		else
			talk_sink_fail(a->stream[i], &why, &a->out[i]);
	}
}

bool answer_same_json(struct str got, struct str want)
{
	OWN_JSON struct json *a = json_parse(got, NULL);
	OWN_JSON struct json *b = json_parse(want, NULL);
	OWN_BUF struct buf where = buf_make(SIZE_MAX);

	if (a && b && json_equal(a, b))
		return true;
	if (a && b)
		(void)json_matches(b, a, &where); /* only for its words */
	check_note("%.*s", STR_ARG(buf_str(&where)));
	check_note("got  %.*s", STR_ARG(got));
	check_note("want %.*s", STR_ARG(want));
	return false;
}
