/* SPDX-License-Identifier: Apache-2.0 */
/* The front half of a call: from the request's body to the hold, and what the client does
 * meanwhile. A call may outlive its client; it never outlives its hold. */
#include "router/call.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"

/* allowed[from] is the set of states that may follow. */
static const unsigned allowed[] = {
	[CALL_NEW] = 1u << CALL_HOLDING | 1u << CALL_ENDED,
	[CALL_HOLDING] = 1u << CALL_SENDING | 1u << CALL_SETTLING | 1u << CALL_ENDED,
	[CALL_SENDING] = 1u << CALL_STREAMING | 1u << CALL_SETTLING,
	[CALL_STREAMING] = 1u << CALL_SETTLING,
	[CALL_SETTLING] = 1u << CALL_ENDED,
	[CALL_ENDED] = 0,
};
static_assert(ARRAY_LEN(allowed) == CALL_STATE_COUNT, "moves of every state");

void call_move(struct call *c, enum call_state to)
{
	assert(allowed[c->state] & 1u << to);
	c->state = to;
}

bool call_may_end(const struct call *c)
{
	return c->state == CALL_HOLDING || c->state == CALL_SENDING || c->state == CALL_STREAMING;
}

/* ---- What the client does ---- */

static void drain_over(void *data)
{
	struct call *c = data;

	call_upstream_stop(c);
	if (!call_may_end(c))
		return;
	c->end_why = "the client hung up, the upstream did not end in time";
	if (c->attempt.meter.delta_bytes > 0 || c->attempt.meter.reported)
		call_settle(c, ANSWER_NOTHING);
	else
		call_release(c);
}

static void on_gone(struct party *p)
{
	struct call *c = (struct call *)p;

	c->rq = NULL;
	net_timer_stop(&c->slow);
	if (c->state == CALL_NEW) {
		call_move(c, CALL_ENDED);
		call_free_if_done(c);
		return;
	}
	if (!call_may_end(c))
		return;
	net_timer_start(&c->timer, c->r->options.limits.drain_ms);
	if (c->paused && c->x)
		net_exchange_resume(c->x);
	c->paused = false;
}

static void on_drained(struct party *p)
{
	struct call *c = (struct call *)p;

	if (!c->paused)
		return;
	c->paused = false;
	if (c->x)
		net_exchange_resume(c->x);
}

/* ---- From the body to the hold ---- */

static void note_refusal(const struct call *c, const struct failure *f)
{
	const struct stats_error e = {
		.status = failure_status(f),
		.code = f->code,
		.text = f->text,
		.route = c->ask.route->alias,
		.model = c->asked ? c->asked->id : (struct str){ 0 },
		.request = &c->hold.request_id,
		.account = store_key_account(c->ask.key),
		.key = store_key_id(c->ask.key),
	};

	stats_note_error(c->r, &e);
}

static void refuse(struct call *c, const struct failure *f)
{
	char seconds[24];
	int64_t wait = f->code == ERR_RATE_LIMITED ? 1 : (c->wait_ms + 999) / 1000;
	bool later = f->code == ERR_RATE_LIMITED || (f->code == ERR_UNAVAILABLE && wait > 0);

	(void)snprintf(seconds, sizeof seconds, "%lld", (long long)wait);
	if (c->rq)
		failure_reply(f, c->ask.dialect, c->hold.request_id.text,
		              later ? str_of(seconds) : (struct str){ 0 }, c->rq);
	log_event(LOG_INFO, "request", "id=%s key=%s status=%d micros=0 why=%s",
	          c->hold.request_id.text, store_key_id(c->ask.key)->text, failure_status(f),
	          err_code_name(f->code));
	stats_refused(c, failure_status(f));
	note_refusal(c, f);
	c->rq = NULL;
	call_move(c, CALL_ENDED);
	call_free_if_done(c);
}

static bool find_model(struct call *c, struct failure *f, struct err *err)
{
	OWN_BUF struct buf name = buf_make(LIMIT_MODEL_ID);
	const struct store_models *models = c->ask.terms->models;

	if (!json_raw_string(c->facts.member[ASK_MODEL].value, &name))
		return err_set(err, ERR_INVALID_ARGUMENT, "'model' is not a model id");
	f->model = true;
	c->asked = store_models_find(models, buf_str(&name));
	c->model = c->asked ? store_model_serving(models, c->asked) : NULL;
	if (c->asked && !c->model)
		return err_set(err, ERR_NOT_FOUND,
		               "the model '%.*s' was retired by its maker%s%.*s",
		               STR_ARG(c->asked->id),
		               c->asked->replacement.p ? ", who names as its successor " : "",
		               STR_ARG(c->asked->replacement));
	if (!c->model || !call_choose(c, NULL))
		return err_set(
			err, ERR_NOT_FOUND,
			"the model '%.*s' is not offered here; GET /%.*s/v1/models lists those "
			"that are",
			STR_ARG(buf_str(&name)), STR_ARG(c->ask.route->alias));
	if (!store_key_allows_model(c->ask.key, c->asked->id) &&
	    !store_key_allows_model(c->ask.key, c->model->id))
		return err_set(err, ERR_FORBIDDEN, "this key may not use the model '%.*s'",
		               STR_ARG(c->asked->id));
	return true;
}

/* The client's own wish, before the body forces include_usage upstream. */
static bool usage_wanted(const struct ask *ask)
{
	static const char *const keys[] = { "include_usage" };
	struct str got = { 0 };
	bool wants = false;

	return ask_has(ask, ASK_STREAM_OPTIONS) &&
	       json_pick(ask->member[ASK_STREAM_OPTIONS].value, keys, &got, 1, NULL) &&
	       json_raw_bool(got, &wants) && wants;
}

static bool run_hold(struct store_job *job, struct store *st, struct err *err)
{
	struct call *c = CONTAINER_OF(job, struct call, hold_job);

	return store_hold_write(st, &c->hold, &c->what, err);
}

static void hold_done(struct store_job *job)
{
	struct call *c = CONTAINER_OF(job, struct call, hold_job);

	c->jobs--;
	c->held = job->ok;
	if (!job->ok)
		store_live_unreserve(c->r->options.live, &c->hold);
	if (c->state == CALL_HOLDING && job->ok) {
		call_move(c, CALL_SENDING);
		call_emit_early(c);
	} else if (c->state == CALL_HOLDING) {
		call_upstream_stop(c);
		net_timer_stop(&c->timer);
		net_timer_stop(&c->slow);
		c->failure = job->err;
		c->failure_status = 503;
		call_move(c, CALL_ENDED);
		call_reply_failure(c);
	}
	call_free_if_done(c);
}

static void submit_hold(struct call *c)
{
	c->hold_job = (struct store_job){
		.run = run_hold,
		.single = true,
		.done = hold_done,
		.reply = net_loop_inbox(c->r->options.loop),
	};
	c->jobs++;
	call_move(c, CALL_HOLDING);
	store_worker_submit(c->r->options.worker, &c->hold_job);
}

/* The dearest of the offers: whichever answers, the hold covers it. */
static bool find_bound(struct call *c, struct err *err)
{
	c->bound = (struct bound){ 0 };
	for (size_t i = 0; i < c->offer_count; i++) {
		struct bound b;
		if (!ask_bound(&c->facts, c->offers[i], &b, err))
			return false;
		if (i == 0 || money_cmp(b.amount, c->bound.amount) > 0)
			c->bound = b;
	}
	return true;
}

static bool reserve_bound(struct call *c, struct err *err)
{
	struct id id = c->hold.request_id;
	bool ok = find_bound(c, err) &&
	          store_live_reserve(c->r->options.live, c->ask.key, c->bound.amount, c->created_ms,
	                             &c->hold, err);

	c->hold.request_id = id;
	return ok;
}

/* The least number of output tokens, over the offers, that the money would pay for. */
static int64_t affordable(const struct call *c, int64_t available)
{
	int64_t least = INT64_MAX;

	for (size_t i = 0; i < c->offer_count; i++) {
		struct bound b;
		int64_t n = ask_bound(&c->facts, c->offers[i], &b, NULL)
		                    ? ask_affordable(&c->facts, c->offers[i], &b,
		                                     money_of_micros(available))
		                    : 0;
		least = n < least ? n : least;
	}
	return least;
}

/* Reserves the worst case; a key that allows it gets what the balance can carry instead. */
static bool reserve(struct call *c, struct failure *f, struct err *err)
{
	if (reserve_bound(c, err))
		return true;
	if (err->code != ERR_INSUFFICIENT_FUNDS)
		return false;
	f->affordable_tokens = affordable(c, err->funds.available);
	if (!store_key_lowers(c->ask.key) || f->affordable_tokens < 1)
		return false;
	c->facts.output_limit = f->affordable_tokens;
	c->facts.lowered = true;
	return reserve_bound(c, err);
}

static bool begin(struct call *c, struct failure *f, struct err *err)
{
	if (!ask_read(buf_str(&c->body), c->ask.dialect, &c->facts, err) ||
	    !find_model(c, f, err) || !call_prepare(c, err) || !reserve(c, f, err))
		return false;
	c->wants_usage = usage_wanted(&c->facts);
	c->estimate = ask_estimate(&c->facts);
	if (c->facts.lowered && !call_prepare(c, err)) {
		store_live_unreserve(c->r->options.live, &c->hold);
		return false;
	}
	call_describe(c, c->attempt.offer, &c->what);
	submit_hold(c);
	call_send(c);
	return true;
}

static void on_body(struct party *p, struct net_request *rq)
{
	struct call *c = (struct call *)p;
	struct failure f = { .affordable_tokens = -1 };
	struct err err = { 0 };

	c->body = net_request_take_body(rq);
	c->clock.body_us = env_mono_us(c->r->options.env);
	if (begin(c, &f, &err))
		return;
	struct failure told = failure_of(&err);
	told.affordable_tokens = f.affordable_tokens;
	told.model = f.model;
	refuse(c, &told);
}

/* ---- Life ---- */

static const struct party_events call_events = { on_body, on_gone, on_drained };

static void slow_upstream(void *data)
{
	static const struct failure f = { .code = ERR_TIMEOUT,
		                          .text = "the upstream provider did not begin to answer" };
	struct call *c = data;

	call_upstream_stop(c);
	call_attempt_failed(c, &f, "too slow to begin");
}

static void init(struct call *c, struct router *r, struct net_request *rq,
                 const struct call_ask *ask)
{
	*c = (struct call){
		.party = { &call_events },
		.r = r,
		.rq = rq,
		.ask = *ask,
		.tries = json_out_make(CALL_ATTEMPTS_TEXT),
		.sent = buf_make(LIMIT_HTTP_BODY + LIMIT_HTTP_HEAD),
		.early = buf_make(LIMIT_HTTP_OUT_HIGH + LIMIT_SSE_EVENT),
		.answer = buf_make(LIMIT_UPSTREAM_BODY),
		.last = buf_make(LIMIT_SSE_EVENT + LIMIT_HTTP_HEAD),
		.created_ms = env_now_ms(r->options.env),
		.started_us = env_mono_us(r->options.env),
		.first_byte_ms = -1,
		.hold.request_id = id_make(r->options.env, ID_REQUEST),
	};
	json_put_array(&c->tries, NULL);
	net_timer_init(&c->timer, r->options.loop, drain_over, c);
	net_timer_init(&c->slow, r->options.loop, slow_upstream, c);
	c->next = r->calls;
	c->link = &r->calls;
	if (r->calls)
		r->calls->link = &c->next;
	r->calls = c;
	r->call_count++;
}

void call_expect(struct router *r, struct net_request *rq, const struct call_ask *ask)
{
	struct call *c = calloc(1, sizeof *c);

	if (!c) {
		struct failure f = { .code = ERR_INTERNAL, .text = "out of memory" };
		failure_reply(&f, ask->dialect, NULL, (struct str){ 0 }, rq);
		return;
	}
	init(c, r, rq, ask);
	(void)terms_hold(c->ask.terms);
	net_request_set_data(rq, &c->party);
}

static void free_call(struct call *c)
{
	net_timer_stop(&c->timer);
	net_timer_stop(&c->slow);
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	c->r->call_count--;
	call_attempt_done(&c->attempt);
	if (c->talk_known)
		talk_done(&c->talk);
	json_out_done(&c->tries);
	buf_done(&c->body);
	buf_done(&c->sent);
	buf_done(&c->early);
	buf_done(&c->answer);
	buf_done(&c->last);
	terms_drop(c->ask.terms);
	free(c);
}

void call_free_if_done(struct call *c)
{
	if (c->state == CALL_ENDED && c->jobs == 0 && !c->x && !c->rq)
		free_call(c);
}

void call_cut_all(struct router *r)
{
	for (struct call *c = r->calls, *next; c; c = next) {
		next = c->next;
		net_exchange_cancel(c->x);
		free_call(c);
	}
}
