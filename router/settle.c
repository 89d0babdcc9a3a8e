/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a call: what the meter says becomes an outcome, the store commits it, and only then
 * does the client get the last of its answer. If the disk refuses, the client is told and the
 * settlement is tried again each second: the hold stays until it is on paper. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "router/call.h"

#define RETRY_MS 1000
#define LINGER_MS 5000 /* for an upstream that does not close after its last event */
#define CACHE_MS (5 * 60 * 1000)
#define CACHE_LONG_MS (60 * 60 * 1000)

/* ---- What the client gets ---- */

static struct str content_type(const struct call *c)
{
	return c->attempt.translated || !c->attempt.type[0] ? STR("application/json")
	                                                    : str_of(c->attempt.type);
}

static void reply_body(struct call *c)
{
	char charge[24];
	struct str id = id_str(&c->hold.request_id);

	(void)snprintf(charge, sizeof charge, "%lld", (long long)money_micros(c->charged));
	const struct net_header h[] = {
		{ STR("Content-Type"), content_type(c) },
		{ STR("x-request-id"), id },
		{ STR("x-agent-store-charge-usd-micros"), str_of(charge) },
		{ STR("request-id"), id },
	};
	OWN_BUF struct buf whole = buf_make(LIMIT_UPSTREAM_BODY);
	struct err err = { 0 };

	if (c->attempt.translated &&
	    !talk_sink_whole(c->attempt.sink, &c->outcome.counts, &whole, &err)) {
		c->failure = err;
		c->failure_status = 502;
		call_reply_failure(c);
		return;
	}
	net_reply(c->rq, c->attempt.status, h, c->ask.dialect == DIALECT_ANTHROPIC ? 4 : 3,
	          buf_str(c->attempt.translated ? &whole : &c->answer));
	c->rq = NULL;
}

/* The upstream's error in its own words: status and body, none of its headers but retry-after. */
static void reply_upstream_error(struct call *c)
{
	struct str id = id_str(&c->hold.request_id);
	struct net_header h[4] = {
		{ STR("Content-Type"), content_type(c) },
		{ STR("x-request-id"), id },
	};
	size_t n = 2;

	if (c->ask.dialect == DIALECT_ANTHROPIC)
		h[n++] = (struct net_header){ STR("request-id"), id };
	if (c->attempt.retry_after[0])
		h[n++] = (struct net_header){ STR("retry-after"), str_of(c->attempt.retry_after) };
	net_reply(c->rq, c->failure_status, h, n, buf_str(&c->answer));
	c->rq = NULL;
}

void call_put_failure_event(struct call *c, const struct failure *f)
{
	struct err why = { .code = f->code };

	if (!c->attempt.translated) {
		failure_put_event(f, c->ask.dialect, c->hold.request_id.text, &c->last);
		return;
	}
	(void)err_set(&why, f->code, "%s", f->text);
	talk_sink_fail(c->attempt.sink, &why, &c->last);
}

void call_reply_failure(struct call *c)
{
	struct failure f = failure_of(&c->failure);

	if (!c->rq)
		return;
	f.status = c->failure_status;
	if (c->head_sent) {
		if (c->last.len == 0) /* else it is the upstream's own error event */
			call_put_failure_event(c, &f);
		net_reply_write(c->rq, buf_str(&c->last));
		net_reply_end(c->rq);
	} else if (f.code == ERR_NONE) {
		reply_upstream_error(c);
	} else {
		failure_reply(
			&f, c->ask.dialect, c->hold.request_id.text,
			f.code == ERR_RATE_LIMITED
				? str_of(c->attempt.retry_after[0] ? c->attempt.retry_after : "1")
				: (struct str){ 0 },
			c->rq);
	}
	c->rq = NULL;
}

/* What waited for the commit, then the end: the upstream's own last event, or the sink's. */
static void reply_stream_end(struct call *c)
{
	if (c->attempt.translated && c->sink_ends)
		talk_sink_end(c->attempt.sink, &c->outcome.counts, &c->last);
	buf_add(&c->early, buf_str(&c->last));
	call_emit_early(c);
	net_reply_end(c->rq);
	c->rq = NULL;
}

static void reply(struct call *c)
{
	if (!c->rq)
		return;
	switch (c->answer_kind) {
	case ANSWER_NOTHING:
		break;
	case ANSWER_BODY:
		reply_body(c);
		break;
	case ANSWER_STREAM:
		reply_stream_end(c);
		break;
	case ANSWER_FAILURE:
		call_reply_failure(c);
		break;
	}
}

/* ---- The settlement ---- */

static void log_call(const struct call *c)
{
	const struct store_outcome *o = &c->outcome;
	OWN_BUF struct buf why = buf_make(1024), ran = buf_make(1024);
	int64_t ms = (env_mono_us(c->r->options.env) - c->started_us) / 1000;

	log_event(
		LOG_INFO, "request",
		"id=%s key=%s route=%.*s model=%.*s status=%d end=%s evidence=%s ms=%lld micros=%lld%s%s",
		c->hold.request_id.text, store_key_id(c->ask.key)->text, STR_ARG(c->what.route),
		STR_ARG(c->what.model), o->status, hold_state_name(o->state),
		evidence_name(o->evidence), (long long)ms, (long long)money_micros(c->charged),
		c->end_why ? " why=" : "", c->end_why ? log_quote(&why, str_of(c->end_why)) : "");
	if (o->reported_model.p && store_model_differs(c->used.upstream_model, o->reported_model))
		log_event(LOG_INFO, "model_differs", "id=%s asked=%.*s ran=%s",
		          c->hold.request_id.text, STR_ARG(c->used.upstream_model),
		          log_quote(&ran, o->reported_model));
}

static bool run_end(struct store_job *job, struct store *st, struct err *err)
{
	struct call *c = CONTAINER_OF(job, struct call, end_job);

	return store_hold_end(st, &c->hold, &c->outcome, &c->charged, err);
}

static void submit_end(void *data);

/* Not settled: the client learns it now; the books are tried again while there is a hold. */
static void end_failed(struct call *c, const struct err *err)
{
	c->failure = *err;
	c->failure_status = 503;
	buf_reset(&c->last);
	call_reply_failure(c);
	log_event(LOG_ERROR, "settle_failed", "id=%s code=%s", c->hold.request_id.text,
	          err_code_name(err->code));
	if (!c->held || err->code != ERR_STORAGE || !store_worker_healthy(c->r->options.worker)) {
		call_move(c, CALL_ENDED);
		return;
	}
	net_timer_init(&c->timer, c->r->options.loop, submit_end, c);
	net_timer_start(&c->timer, RETRY_MS);
}

static void linger_over(void *data)
{
	struct call *c = data;

	call_upstream_stop(c);
	call_free_if_done(c);
}

static void end_done(struct store_job *job)
{
	struct call *c = CONTAINER_OF(job, struct call, end_job);

	c->jobs--;
	if (job->ok) {
		if (c->clock.out_us == 0 && c->rq)
			c->clock.out_us = env_mono_us(c->r->options.env);
		reply(c);
		log_call(c);
		stats_settled(c);
		call_move(c, CALL_ENDED);
	} else {
		end_failed(c, &job->err);
	}
	if (c->state == CALL_ENDED && c->x) {
		net_timer_init(&c->timer, c->r->options.loop, linger_over, c);
		net_timer_start(&c->timer, LINGER_MS);
	}
	call_free_if_done(c);
}

static void submit_end(void *data)
{
	struct call *c = data;

	c->end_job = (struct store_job){
		.run = run_end,
		.single = true,
		.done = end_done,
		.reply = net_loop_inbox(c->r->options.loop),
	};
	c->jobs++;
	store_worker_submit(c->r->options.worker, &c->end_job);
}

/* A cache was touched there: the buyer's next call of this model should find it. */
static void note_cache(struct call *c)
{
	const struct token_counts *n = &c->outcome.counts;
	int64_t now = net_loop_now_ms(c->r->options.loop);
	int64_t lives = n->n[TOKEN_CACHE_WRITE_1H] > 0 ? CACHE_LONG_MS : CACHE_MS;

	if (n->n[TOKEN_CACHE_WRITE_5M] + n->n[TOKEN_CACHE_WRITE_1H] + n->n[TOKEN_CACHE_READ] > 0)
		sticky_note(&c->r->sticky, store_key_account(c->ask.key), c->model,
		            c->attempt.offer->upstream, now + lives);
}

static void end(struct call *c, enum call_answer answer, int status)
{
	net_timer_stop(&c->timer);
	net_timer_stop(&c->slow);
	call_move(c, CALL_SETTLING);
	if (c->clock.upstream_us == 0)
		c->clock.upstream_us = env_mono_us(c->r->options.env);
	call_describe(c, c->attempt.offer, &c->used);
	json_put_end(&c->tries, ']');
	c->answer_kind = c->rq ? answer : ANSWER_NOTHING;
	c->outcome.used = &c->used;
	c->outcome.attempts = json_out_ok(&c->tries, NULL) ? buf_str(&c->tries.text) : STR("[]");
	c->outcome.status = c->rq ? status : 0;
	c->outcome.reported_model =
		c->attempt.meter.model[0] ? str_of(c->attempt.meter.model) : (struct str){ 0 };
	c->outcome.first_byte_ms = c->first_byte_ms;
	c->outcome.settled_ms = env_now_ms(c->r->options.env);
	submit_end(c);
}

static bool is_nothing(const struct token_counts *counts)
{
	for (size_t i = 0; i < TOKEN_CLASS_COUNT; i++)
		if (counts->n[i] != 0)
			return false;
	return true;
}

/* Tokens in a class that this model has no price for, which its provider should not report, are
 * billed as plain input: the hold must end, and input is what they are. */
static void price_all_classes(const struct call *c, struct token_counts *counts)
{
	const struct token_prices *prices = &c->attempt.offer->prices;

	for (size_t i = 0; i < TOKEN_CLASS_COUNT; i++) {
		if (prices->per_million[i] >= 0)
			continue;
		counts->n[TOKEN_UNCACHED_INPUT] += counts->n[i];
		counts->n[i] = 0;
	}
}

void call_settle(struct call *c, enum call_answer answer)
{
	const struct meter *m = &c->attempt.meter;

	c->outcome.state = HOLD_SETTLED;
	if (m->reported && !m->malformed) {
		c->outcome.counts = m->counts;
		c->outcome.evidence = EVIDENCE_PROVIDER;
	} else {
		c->outcome.counts = meter_estimate(m, c->estimate, c->bound.input_tokens,
		                                   c->bound.output_tokens);
		c->outcome.evidence = EVIDENCE_ESTIMATED;
	}
	if (m->unbilled || is_nothing(&c->outcome.counts)) {
		c->outcome.counts = (struct token_counts){ { 0 } };
		c->outcome.state = HOLD_RELEASED;
		c->outcome.evidence = EVIDENCE_NONE;
	}
	price_all_classes(c, &c->outcome.counts);
	if (c->end_why)
		breaker_failure(c->attempt.breaker, net_loop_now_ms(c->r->options.loop), 0);
	else
		breaker_success(c->attempt.breaker);
	call_note_attempt(c, c->end_why ? "broken" : "answered", c->end_why);
	note_cache(c);
	end(c, answer, c->attempt.status);
}

void call_release(struct call *c)
{
	c->outcome = (struct store_outcome){ .state = HOLD_RELEASED, .evidence = EVIDENCE_NONE };
	breaker_abandon(c->attempt.breaker);
	call_note_attempt(c, "given up", c->end_why);
	end(c, ANSWER_NOTHING, 0);
}

void call_fail(struct call *c, const struct failure *f)
{
	(void)err_set(&c->failure, f->code, "%s", f->text);
	c->failure_status = f->status;
	c->outcome = (struct store_outcome){ .state = HOLD_FAILED, .evidence = EVIDENCE_NONE };
	end(c, ANSWER_FAILURE, failure_status(f));
}
