/* SPDX-License-Identifier: Apache-2.0 */
/* The middle of a call: the upstream's answer. A stream passes event by event, metered as it goes;
 * its last event stays behind for the settlement. Anything else is read whole. Back-pressure: what
 * the client has not taken is counted, and above a mark the upstream is paused. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "router/call.h"

/* ---- To the client ---- */

static bool run_mark(struct store_job *job, struct store *st, struct err *err)
{
	struct call *c = CONTAINER_OF(job, struct call, mark_job);

	return store_hold_mark(st, &c->hold, 0, err);
}

static void mark_done(struct store_job *job)
{
	struct call *c = CONTAINER_OF(job, struct call, mark_job);

	c->jobs--;
	call_free_if_done(c);
}

/* Tells the books that bytes leave, so that a crash from here on settles an estimate. Nobody waits
 * for it. */
static void mark_first_byte(struct call *c)
{
	call_move(c, CALL_STREAMING);
	c->first_byte_ms = env_now_ms(c->r->options.env) - c->created_ms;
	c->mark_job = (struct store_job){
		.run = run_mark,
		.done = mark_done,
		.reply = net_loop_inbox(c->r->options.loop),
	};
	c->jobs++;
	store_worker_submit(c->r->options.worker, &c->mark_job);
}

static void start_stream(struct call *c)
{
	struct str id = id_str(&c->hold.request_id);
	const struct net_header h[] = {
		{ STR("Content-Type"), str_of(c->upstream_type) },
		{ STR("Cache-Control"), STR("no-cache") },
		{ STR("x-request-id"), id },
		{ STR("request-id"), id },
	};

	c->head_sent = true;
	net_reply_start(c->rq, c->upstream_status, h, c->ask.dialect == DIALECT_ANTHROPIC ? 4 : 3);
}

void call_pause_if_full(struct call *c)
{
	size_t waiting =
		c->state == CALL_HOLDING ? c->early.len : (c->rq ? net_reply_queued(c->rq) : 0);

	if (c->paused || !c->x || waiting < LIMIT_HTTP_OUT_HIGH)
		return;
	c->paused = true;
	net_exchange_pause(c->x);
}

void call_emit(struct call *c, struct str bytes)
{
	if (!c->rq)
		return;
	if (c->state == CALL_HOLDING) {
		buf_add(&c->early, bytes);
	} else {
		if (c->state == CALL_SENDING)
			mark_first_byte(c);
		net_reply_write(c->rq, bytes);
	}
	call_pause_if_full(c);
}

/* The hold is committed: what waited for it may go. */
void call_emit_early(struct call *c)
{
	if (c->streaming && c->rq && !c->head_sent)
		start_stream(c);
	if (c->early.len > 0)
		call_emit(c, buf_str(&c->early));
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
	struct str type = net_exchange_header(x, "content-type");

	c->upstream_status = net_exchange_status(x);
	copy_text(c->upstream_type, sizeof c->upstream_type, type);
	copy_text(c->retry_after, sizeof c->retry_after, net_exchange_header(x, "retry-after"));
	c->streaming = c->upstream_status == 200 && str_starts(type, STR("text/event-stream"));
	if (c->streaming && c->rq && c->state == CALL_SENDING)
		start_stream(c);
}

static void on_event(void *data, const struct net_sse_event *event)
{
	struct call *c = data;
	OWN_BUF struct buf put = buf_make(LIMIT_SSE_EVENT + 64);

	if (!call_may_end(c))
		return; /* events after the end */
	switch (c->provider->event(&c->meter, event, c->wants_usage, &put)) {
	case EVENT_PASS:
		call_emit(c, put.len > 0 ? buf_str(&put) : event->raw);
		break;
	case EVENT_DROP:
		break;
	case EVENT_LAST:
		buf_add(&c->last, event->raw);
		call_settle(c, ANSWER_STREAM);
		break;
	case EVENT_ERROR:
		buf_add(&c->last, event->raw);
		c->end_why = "the upstream sent an error in the stream";
		if (c->meter.delta_bytes > 0)
			call_settle(c, ANSWER_STREAM);
		else
			call_fail(c, ERR_UNAVAILABLE, 502, "the upstream provider failed");
		break;
	}
}

/* A stream ended without its last event. What was produced is billed; the client is told. */
static void stream_broke(struct call *c, const char *why)
{
	struct failure f = { .code = ERR_UNAVAILABLE,
		             .text = "the upstream provider broke the stream off" };

	c->end_why = why;
	if (c->meter.delta_bytes == 0 && !c->meter.reported) {
		call_fail(c, ERR_UNAVAILABLE, 502, f.text);
		return;
	}
	failure_put_event(&f, c->ask.dialect, c->hold.request_id.text, &c->last);
	call_settle(c, ANSWER_STREAM);
}

static void on_data(void *data, struct net_exchange *x, struct str bytes)
{
	struct call *c = data;
	struct err err = { 0 };

	(void)x; /* the same as c->x */
	if (!call_may_end(c))
		return;
	if (!c->streaming) {
		buf_add(&c->answer, bytes);
		return;
	}
	if (!net_sse_feed(&c->sse, bytes, on_event, c, &err) && call_may_end(c)) {
		call_upstream_stop(c);
		stream_broke(c, "an event of the upstream is too large");
	}
}

static void answer_is_error(struct call *c)
{
	switch (c->provider->fault(c->upstream_status, buf_str(&c->answer))) {
	case UPSTREAM_OURS:
		call_fail(
			c, ERR_UNAVAILABLE, 502,
			"the upstream provider refused the operator's account; nothing was charged");
		break;
	case UPSTREAM_BUSY:
		call_fail(c, ERR_RATE_LIMITED, 0,
		          "the upstream provider is limiting the rate; try again later");
		break;
	case UPSTREAM_CALLER:
	case UPSTREAM_BROKEN:
		if (c->answer.len == 0 || c->answer.failed)
			call_fail(c, ERR_UNAVAILABLE, c->upstream_status,
			          "the upstream provider answered with an error");
		else
			call_fail(c, ERR_NONE, c->upstream_status, "");
		break;
	}
}

static void answer_is_whole(struct call *c)
{
	if (c->answer.failed) {
		call_fail(c, ERR_UNAVAILABLE, 502, "the upstream's answer is too large");
		return;
	}
	if (c->upstream_status < 200 || c->upstream_status > 299) {
		answer_is_error(c);
		return;
	}
	c->provider->answer(&c->meter, buf_str(&c->answer));
	if (!c->meter.reported)
		c->meter.delta_bytes = (int64_t)c->answer.len;
	call_settle(c, ANSWER_BODY);
}

static void on_done(void *data, enum net_end end, const char *why)
{
	struct call *c = data;

	c->x = NULL;
	if (!call_may_end(c)) {
		call_free_if_done(c);
		return;
	}
	if (end == NET_END_COMPLETE && !c->streaming)
		answer_is_whole(c);
	else if (c->streaming)
		stream_broke(c, why);
	else if (end == NET_END_TIMEOUT)
		call_fail(c, ERR_TIMEOUT, 504, "the upstream provider did not answer in time");
	else
		call_fail(c, ERR_UNAVAILABLE, 502, "the upstream provider could not be reached");
}

static const struct net_exchange_events exchange_events = { on_head, on_data, on_done };

bool call_upstream_start(struct call *c, const struct ask *ask, struct err *err)
{
	struct net_header headers[PROVIDER_HEADERS_MAX];
	OWN_BUF struct buf credential = buf_make(LIMIT_HTTP_LINE);
	OWN_BUF struct buf model = buf_make(LIMIT_MODEL_ID + 2);
	OWN_BUF struct buf user = buf_make(ID_TEXT_MAX + 2);
	const struct router_upstream *up = &c->r->options.upstreams[c->provider->id];

	buf_addf(&model, "\"%.*s\"", STR_ARG(c->model->upstream_id));
	buf_addf(&user, "\"%s\"", store_key_account(c->ask.key)->text);
	struct provider_buyer buyer = { buf_str(&user) };
	c->provider->body(ask, buf_str(&model), &buyer, &c->sent);
	if (!buf_ok(&c->sent, "the request", err))
		return false;
	size_t count = c->provider->headers(c->rq, up->key, &credential, headers);
	struct net_exchange_request request = {
		.method = "POST",
		.url = c->r->upstream_urls[c->provider->id],
		.headers = headers,
		.header_count = count,
		.body = buf_str(&c->sent),
	};
	c->x = net_exchange_start(c->r->client, &request, &exchange_events, c, err);
	buf_wipe(&credential);
	return c->x != NULL;
}

void call_upstream_stop(struct call *c)
{
	struct net_exchange *x = c->x;

	c->x = NULL;
	net_exchange_cancel(x);
}
