/* SPDX-License-Identifier: Apache-2.0 */
/* The middle of a call: the upstream's answer. A stream passes event by event, metered as it goes;
 * its last event stays behind for the settlement. Anything else is read whole. Back-pressure: what
 * the client has not taken is counted, and above a mark the upstream is paused. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "router/call.h"

#define MARK_EVERY_MS 5000 /* what a crash may lose of a long stream's output */

/* ---- To the client ---- */

static bool run_mark(struct store_job *job, struct store *st, struct err *err)
{
	struct call *c = CONTAINER_OF(job, struct call, mark_job);

	return store_hold_mark(st, &c->hold, c->marked_output, err);
}

static void mark_done(struct store_job *job)
{
	struct call *c = CONTAINER_OF(job, struct call, mark_job);

	c->jobs--;
	c->marking = false;
	call_free_if_done(c);
}

/* Tells the books that bytes leave and how many so far, so that a crash from here on settles an
 * estimate. Nobody waits for it. */
static void mark(struct call *c)
{
	c->marking = true;
	c->marked_ms = net_loop_now_ms(c->r->options.loop);
	c->marked_output = (c->attempt.meter.delta_bytes + 3) / 4;
	c->mark_job = (struct store_job){
		.run = run_mark,
		.single = true,
		.done = mark_done,
		.reply = net_loop_inbox(c->r->options.loop),
	};
	c->jobs++;
	store_worker_submit(c->r->options.worker, &c->mark_job);
}

static void mark_delivered(struct call *c)
{
	if (c->state == CALL_SENDING) {
		call_move(c, CALL_STREAMING);
		c->clock.out_us = env_mono_us(c->r->options.env);
		c->first_byte_ms = env_now_ms(c->r->options.env) - c->created_ms;
		mark(c);
	} else if (c->state == CALL_STREAMING && !c->marking &&
	           net_loop_now_ms(c->r->options.loop) - c->marked_ms >= MARK_EVERY_MS) {
		mark(c);
	}
}

static void start_stream(struct call *c)
{
	struct str id = id_str(&c->hold.request_id);
	const struct net_header h[] = {
		{ STR("Content-Type"),
		  c->attempt.translated ? STR("text/event-stream") : str_of(c->attempt.type) },
		{ STR("Cache-Control"), STR("no-cache") },
		{ STR("x-request-id"), id },
		{ STR("request-id"), id },
	};

	c->head_sent = true;
	net_reply_start(c->rq, 200, h, c->ask.dialect == DIALECT_ANTHROPIC ? 4 : 3);
}

static void pause_if_full(struct call *c)
{
	size_t waiting =
		c->state == CALL_HOLDING ? c->early.len : (c->rq ? net_reply_queued(c->rq) : 0);

	if (c->paused || !c->x || waiting < LIMIT_HTTP_OUT_HIGH)
		return;
	c->paused = true;
	net_exchange_pause(c->x);
}

/* To the client, or to `early` while the hold is not committed. */
static void emit(struct call *c, struct str bytes)
{
	if (!c->rq || bytes.len == 0)
		return;
	if (c->clock.upstream_us == 0)
		c->clock.upstream_us = env_mono_us(c->r->options.env);
	if (c->state == CALL_HOLDING) {
		buf_add(&c->early, bytes);
	} else {
		if (!c->head_sent)
			start_stream(c);
		mark_delivered(c);
		net_reply_write(c->rq, bytes);
	}
	pause_if_full(c);
}

/* The hold is committed: what waited for it may go. */
void call_emit_early(struct call *c)
{
	if (c->early.len > 0)
		emit(c, buf_str(&c->early));
	buf_done(&c->early);
	if (c->paused && c->x && (!c->rq || net_reply_queued(c->rq) < LIMIT_HTTP_OUT_HIGH)) {
		c->paused = false;
		net_exchange_resume(c->x);
	}
}

/* ---- From the upstream ---- */

static void copy_text(char *out, size_t size, struct str s)
{
	size_t n = s.len < size - 1 ? s.len : 0; /* a longer one is no value that we know */

	memcpy(out, s.p ? s.p : "", n);
	out[n] = '\0';
}

static void on_head(void *data, struct net_exchange *x)
{
	struct call *c = data;
	struct attempt *a = &c->attempt;
	struct str type = net_exchange_header(x, "content-type");

	a->status = net_exchange_status(x);
	copy_text(a->type, sizeof a->type, type);
	copy_text(a->retry_after, sizeof a->retry_after, net_exchange_header(x, "retry-after"));
	a->streaming = a->status == 200 && str_starts(type, STR("text/event-stream"));
}

/* A sink's bytes for one neutral event; a whole answer is only gathered. */
static void on_talk_event(void *data, const struct talk_event *event)
{
	struct call *c = data;
	OWN_BUF struct buf out = buf_make(LIMIT_SSE_EVENT);

	if (event->kind == TALK_EV_FINISH || event->kind == TALK_EV_END)
		c->sink_ends = true;
	talk_sink_put(c->attempt.sink, event, c->attempt.streaming ? &out : NULL);
	if (c->attempt.streaming)
		emit(c, buf_str(&out));
}

/* Before anything was sent an error is the attempt's; afterwards it is the stream's. */
static void event_is_error(struct call *c, const struct net_sse_event *event)
{
	static const struct failure f = { .code = ERR_UNAVAILABLE,
		                          .status = 502,
		                          .text = "the upstream provider failed" };

	if (!c->head_sent && c->early.len == 0) {
		c->attempt.first_error = true; /* acted on when the parser has returned */
		return;
	}
	c->end_why = "the upstream sent an error in the stream";
	c->sink_ends = false;
	if (c->attempt.translated)
		call_put_failure_event(c, &f);
	else
		buf_add(&c->last, event->raw);
	if (c->attempt.meter.delta_bytes > 0)
		call_settle(c, ANSWER_STREAM);
	else
		call_fail(c, &f);
}

static void on_event(void *data, const struct net_sse_event *event)
{
	struct call *c = data;
	struct attempt *a = &c->attempt;
	OWN_BUF struct buf put = buf_make(LIMIT_SSE_EVENT + 64);

	if (!call_may_end(c) || a->first_error)
		return; /* events after the end */
	net_timer_stop(&c->slow);
	enum event_fate fate =
		a->provider->event(&a->meter, event, a->translated || c->wants_usage, &put);
	if (fate == EVENT_ERROR) {
		event_is_error(c, event);
		return;
	}
	if (a->translated) {
		if (!a->provider->source_event(&a->source, event, on_talk_event, c))
			event_is_error(c, event);
	} else if (fate == EVENT_PASS) {
		emit(c, put.len > 0 ? buf_str(&put) : event->raw);
	} else if (fate == EVENT_LAST) {
		buf_add(&c->last, event->raw);
	}
	if (fate == EVENT_LAST && call_may_end(c))
		call_settle(c, ANSWER_STREAM);
}

/* A stream ended without its last event. What was produced is billed; the client is told. */
static void stream_broke(struct call *c, const char *why)
{
	struct failure f = { .code = ERR_UNAVAILABLE,
		             .status = 502,
		             .text = "the upstream provider broke the stream off" };

	if (!c->head_sent && c->early.len == 0) {
		call_attempt_failed(c, &f, why);
		return;
	}
	c->end_why = why;
	if (c->attempt.meter.delta_bytes == 0 && !c->attempt.meter.reported) {
		call_fail(c, &f);
		return;
	}
	c->sink_ends = false;
	call_put_failure_event(c, &f);
	call_settle(c, ANSWER_STREAM);
}

/* Nobody reads: the stream is followed for its usage, but not for ever. */
static void drain_bounded(struct call *c, size_t n)
{
	c->drained_bytes += (int64_t)n;
	if (c->drained_bytes > LIMIT_DRAIN_BYTES && call_may_end(c))
		net_timer_start(&c->timer, 0);
}

static void on_data(void *data, struct net_exchange *x, struct str bytes)
{
	struct call *c = data;
	struct err err = { 0 };

	(void)x; /* the same as c->x */
	if (!call_may_end(c))
		return;
	if (!c->rq)
		drain_bounded(c, bytes.len);
	if (!c->attempt.streaming) {
		buf_add(&c->answer, bytes);
		return;
	}
	bool fed = net_sse_feed(&c->attempt.sse, bytes, on_event, c, &err);
	if (c->attempt.first_error || (!fed && call_may_end(c))) {
		call_upstream_stop(c);
		stream_broke(c, fed ? "its first event was an error" : "an event is too large");
	}
}

/* ---- Answers that are no stream ---- */

/* `error.message` of any provider's error body; Gemini may wrap it in an array. */
static void read_message(struct str body, struct buf *out)
{
	static const char *const outer[] = { "error" }, *const inner[] = { "message" };
	struct str error = { 0 }, message = { 0 };

	body = str_trim(body);
	if (body.len > 1 && body.p[0] == '[')
		body = str_trim((struct str){ body.p + 1, body.len - 2 });
	if (!json_pick(body, outer, &error, 1, NULL) || !error.p ||
	    !json_pick(error, inner, &message, 1, NULL) || !message.p ||
	    !json_raw_string(message, out))
		buf_reset(out);
}

static enum err_code code_of_status(int status)
{
	switch (status) {
	case 404:
		return ERR_NOT_FOUND;
	case 413:
		return ERR_TOO_LARGE;
	case 408:
	case 504:
		return ERR_TIMEOUT;
	default:
		return status < 500 ? ERR_INVALID_ARGUMENT : ERR_UNAVAILABLE;
	}
}

/* The upstream's words: as they came for a native call, in the client's shape for a translated one.
 */
static void pass_error(struct call *c, bool failed)
{
	OWN_BUF struct buf message = buf_make(LIMIT_ERR_TEXT - 1);
	int status = c->attempt.status;
	struct failure f = { .code = code_of_status(status), .status = status };

	read_message(buf_str(&c->answer), &message);
	if (!c->attempt.translated && c->answer.len > 0 && !c->answer.failed)
		f.code = ERR_NONE;
	else if (status == 529 && c->ask.dialect != DIALECT_ANTHROPIC)
		f.status = 503;
	f.text = message.len > 0 ? message.p : "the upstream provider answered with an error";
	if (failed) {
		call_attempt_failed(c, &f, "an error status");
		return;
	}
	breaker_success(c->attempt.breaker);
	call_fail(c, &f);
}

static void answer_is_error(struct call *c)
{
	static const struct failure ours = {
		.code = ERR_UNAVAILABLE,
		.status = 502,
		.text = "the upstream provider refused the operator's account; nothing was charged"
	};
	static const struct failure busy = {
		.code = ERR_RATE_LIMITED,
		.text = "the upstream provider is limiting the rate; try again later"
	};

	switch (c->attempt.provider->fault(c->attempt.status, buf_str(&c->answer))) {
	case UPSTREAM_OURS:
		call_attempt_failed(c, &ours, "it refused the operator's account");
		break;
	case UPSTREAM_BUSY:
		call_attempt_failed(c, &busy, "it limits the rate");
		break;
	case UPSTREAM_CALLER:
		pass_error(c, false);
		break;
	case UPSTREAM_BROKEN:
		pass_error(c, true);
		break;
	}
}

static void answer_is_whole(struct call *c)
{
	static const struct failure bad = { .code = ERR_UNAVAILABLE,
		                            .status = 502,
		                            .text = "the upstream's answer cannot be read" };
	struct attempt *a = &c->attempt;

	if (a->status < 200 || a->status > 299) {
		answer_is_error(c);
		return;
	}
	if (c->answer.failed) {
		call_attempt_failed(c, &bad, "its answer is too large");
		return;
	}
	a->provider->answer(&a->meter, buf_str(&c->answer));
	if (a->translated &&
	    !a->provider->source_answer(&a->source, buf_str(&c->answer), on_talk_event, c)) {
		call_attempt_failed(c, &bad, "its answer cannot be read");
		return;
	}
	if (!a->meter.reported)
		a->meter.delta_bytes = (int64_t)c->answer.len;
	call_settle(c, ANSWER_BODY);
}

/* Without an answer, or in the middle of one that is no stream. */
static void connection_failed(struct call *c, enum net_end end, const char *why)
{
	struct failure f = { .code = ERR_UNAVAILABLE,
		             .status = 502,
		             .text = "the upstream provider could not be reached" };

	c->attempt.stale = end == NET_END_STALE;
	if (end == NET_END_TIMEOUT)
		f = (struct failure){ .code = ERR_TIMEOUT,
			              .status = 504,
			              .text = "the upstream provider did not answer in time" };
	call_attempt_failed(c, &f, why);
}

static void on_done(void *data, enum net_end end, const char *why)
{
	struct call *c = data;
	struct attempt *a = &c->attempt;

	c->x = NULL;
	net_timer_stop(&c->slow);
	if (!call_may_end(c))
		call_free_if_done(c);
	else if (!a->streaming && end == NET_END_COMPLETE)
		answer_is_whole(c);
	else if (!a->streaming)
		connection_failed(c, end, why);
	else if (end == NET_END_COMPLETE && a->provider->eof_ends && a->meter.finished &&
	         a->provider->source_eof(&a->source, on_talk_event, c))
		call_settle(c, ANSWER_STREAM);
	else
		stream_broke(c, why ? why : "the stream ended before its last event");
}

const struct net_exchange_events call_exchange_events = { on_head, on_data, on_done };

void call_upstream_stop(struct call *c)
{
	struct net_exchange *x = c->x;

	c->x = NULL;
	net_exchange_cancel(x);
}
