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

/* ---- What the client gets ---- */

static void reply_body(struct call *c)
{
	char charge[24];
	struct str id = id_str(&c->hold.request_id);

	(void)snprintf(charge, sizeof charge, "%lld", (long long)money_micros(c->charged));
	const struct net_header h[] = {
		{ STR("Content-Type"),
		  c->upstream_type[0] ? str_of(c->upstream_type) : STR("application/json") },
		{ STR("x-request-id"), id },
		{ STR("x-agent-store-charge-usd-micros"), str_of(charge) },
		{ STR("request-id"), id },
	};
	net_reply(c->rq, c->upstream_status, h, c->ask.dialect == DIALECT_ANTHROPIC ? 4 : 3,
	          buf_str(&c->answer));
	c->rq = NULL;
}

/* The upstream's error in its own words: status and body, none of its headers but retry-after. */
static void reply_upstream_error(struct call *c)
{
	struct str id = id_str(&c->hold.request_id);
	struct net_header h[4] = {
		{ STR("Content-Type"),
		  c->upstream_type[0] ? str_of(c->upstream_type) : STR("application/json") },
		{ STR("x-request-id"), id },
	};
	size_t n = 2;

	if (c->ask.dialect == DIALECT_ANTHROPIC)
		h[n++] = (struct net_header){ STR("request-id"), id };
	if (c->retry_after[0])
		h[n++] = (struct net_header){ STR("retry-after"), str_of(c->retry_after) };
	net_reply(c->rq, c->failure_status, h, n, buf_str(&c->answer));
	c->rq = NULL;
}

void call_reply_failure(struct call *c)
{
	struct failure f = failure_of(&c->failure);
	OWN_BUF struct buf event = buf_make(8192);

	if (!c->rq)
		return;
	f.status = c->failure_status;
	if (c->head_sent) {
		if (c->last.len > 0) /* the upstream's own error event */
			net_reply_write(c->rq, buf_str(&c->last));
		failure_put_event(&f, c->ask.dialect, c->hold.request_id.text, &event);
		if (c->last.len == 0)
			net_reply_write(c->rq, buf_str(&event));
		net_reply_end(c->rq);
	} else if (f.code == ERR_NONE) {
		reply_upstream_error(c);
	} else {
		failure_reply(&f, c->ask.dialect, c->hold.request_id.text,
		              f.code == ERR_RATE_LIMITED
		                      ? str_of(c->retry_after[0] ? c->retry_after : "1")
		                      : (struct str){ 0 },
		              c->rq);
	}
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
		call_emit_early(c);
		net_reply_write(c->rq, buf_str(&c->last));
		net_reply_end(c->rq);
		c->rq = NULL;
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

	log_event(
		LOG_INFO, "request",
		"id=%s key=%s route=%.*s model=%.*s status=%d end=%s evidence=%s ms=%lld micros=%lld%s%s%s",
		c->hold.request_id.text, store_key_id(c->ask.key)->text, STR_ARG(c->what.route),
		STR_ARG(c->what.model), o->status, hold_state_name(o->state),
		evidence_name(o->evidence),
		(long long)((env_mono_us(c->r->options.env) - c->started_us) / 1000),
		(long long)money_micros(c->charged), c->end_why ? " why=\"" : "",
		c->end_why ? c->end_why : "", c->end_why ? "\"" : "");
	if (c->meter.model[0] && !str_eq(str_of(c->meter.model), c->what.upstream_model))
		log_event(LOG_INFO, "model_differs", "id=%s asked=%.*s ran=%s",
		          c->hold.request_id.text, STR_ARG(c->what.upstream_model), c->meter.model);
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
		reply(c);
		log_call(c);
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
		.done = end_done,
		.reply = net_loop_inbox(c->r->options.loop),
	};
	c->jobs++;
	store_worker_submit(c->r->options.worker, &c->end_job);
}

static void put_attempts(struct call *c)
{
	OWN_JSON_OUT struct json_out o = json_out_make(sizeof c->attempts - 1);

	json_put_array(&o, NULL);
	json_put_object(&o, NULL);
	json_put_z(&o, "provider", provider_name(c->what.provider));
	json_put_str(&o, "upstreamModel", c->what.upstream_model);
	json_put_i64(&o, "status", c->upstream_status);
	json_put_i64(&o, "ms", (env_mono_us(c->r->options.env) - c->started_us) / 1000);
	json_put_z(&o, "result", c->outcome.state == HOLD_SETTLED ? "answered" : "failed");
	if (c->end_why)
		json_put_z(&o, "why", c->end_why);
	json_put_end(&o, '}');
	json_put_end(&o, ']');
	struct str text = json_out_ok(&o, NULL) ? buf_str(&o.text) : STR("[]");
	memcpy(c->attempts, text.p, text.len);
	c->attempts[text.len] = '\0';
	c->outcome.attempts = (struct str){ c->attempts, text.len };
}

static void end(struct call *c, enum call_answer answer, int status)
{
	net_timer_stop(&c->timer);
	call_move(c, CALL_SETTLING);
	c->answer_kind = c->rq ? answer : ANSWER_NOTHING;
	c->outcome.status = c->rq ? status : 0;
	c->outcome.reported_model = c->meter.model[0] ? str_of(c->meter.model) : (struct str){ 0 };
	c->outcome.first_byte_ms = c->first_byte_ms;
	c->outcome.settled_ms = env_now_ms(c->r->options.env);
	put_attempts(c);
	submit_end(c);
}

static bool is_nothing(const struct token_counts *counts)
{
	for (size_t i = 0; i < TOKEN_CLASS_COUNT; i++)
		if (counts->n[i] != 0)
			return false;
	return true;
}

void call_settle(struct call *c, enum call_answer answer)
{
	const struct meter *m = &c->meter;

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
	end(c, answer, c->upstream_status);
}

void call_release(struct call *c)
{
	c->outcome = (struct store_outcome){ .state = HOLD_RELEASED, .evidence = EVIDENCE_NONE };
	end(c, ANSWER_NOTHING, 0);
}

/* ERR_NONE: the upstream's own status and body pass. */
void call_fail(struct call *c, enum err_code code, int status, const char *text)
{
	(void)err_set(&c->failure, code, "%s", text);
	c->failure_status = status;
	c->outcome = (struct store_outcome){ .state = HOLD_FAILED, .evidence = EVIDENCE_NONE };
	if (!c->end_why && code != ERR_NONE)
		c->end_why = text;
	end(c, ANSWER_FAILURE, status ? status : err_http_status(code));
}
