/* SPDX-License-Identifier: Apache-2.0 */
/* Which upstream a call asks, and which one next. An attempt may be replaced until a byte has left
 * for the client; what the caller did wrong is never tried elsewhere, and never counts against an
 * upstream. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "router/call.h"

#define STALE_RETRIES_MAX 2

static int64_t now_ms(const struct call *c)
{
	return net_loop_now_ms(c->r->options.loop);
}

/* ---- The order of offers ---- */

static void swap(const struct store_offer **a, const struct store_offer **b)
{
	const struct store_offer *t = *a;

	*a = *b;
	*b = t;
}

/* Draws the first, then the second, … each with a chance in proportion to its weight. */
static void draw_by_weight(struct call *c)
{
	for (size_t i = 0; i + 1 < c->offer_count; i++) {
		uint64_t total = 0, random;
		size_t j = i;
		for (size_t k = i; k < c->offer_count; k++)
			total += (uint64_t)c->offers[k]->upstream->weight;
		env_random(c->r->options.env, &random, sizeof random);
		random %= total;
		for (; random >= (uint64_t)c->offers[j]->upstream->weight; j++)
			random -= (uint64_t)c->offers[j]->upstream->weight;
		swap(&c->offers[i], &c->offers[j]);
	}
}

/* A prompt cache lives at the upstream where it was written: that one goes first. */
static void put_sticky_first(struct call *c)
{
	const void *upstream =
		sticky_find(&c->r->sticky, store_key_account(c->ask.key), c->model, now_ms(c));

	for (size_t i = 1; upstream && i < c->offer_count; i++)
		if (c->offers[i]->upstream == upstream)
			for (size_t j = i; j > 0; j--)
				swap(&c->offers[j], &c->offers[j - 1]);
}

bool call_choose(struct call *c, struct err *err)
{
	c->offer_count =
		store_route_offers(c->ask.route, c->model, c->offers, ARRAY_LEN(c->offers));
	if (c->offer_count == 0)
		return err_set(err, ERR_NOT_FOUND, "no upstream of this route offers the model");
	if (c->ask.route->weighted)
		draw_by_weight(c);
	put_sticky_first(c);
	return true;
}

/* ---- One attempt ---- */

void call_attempt_done(struct attempt *a)
{
	net_sse_done(&a->sse);
	talk_source_done(&a->source);
	talk_sink_free(a->sink);
	*a = (struct attempt){ 0 };
}

static bool make_sink(struct call *c, struct err *err)
{
	struct attempt *a = &c->attempt;
	static const enum talk_shape shapes[DIALECT_COUNT] = {
		[DIALECT_OPENAI] = TALK_SHAPE_CHAT,
		[DIALECT_ANTHROPIC] = TALK_SHAPE_MESSAGES,
		[DIALECT_RESPONSES] = TALK_SHAPE_RESPONSES,
	};
	struct talk_sink_options options = {
		.shape = shapes[c->ask.dialect],
		.model = c->model->id,
		.request_id = id_str(&c->hold.request_id),
		.created_s = c->created_ms / 1000,
		.wants_usage = c->talk.wants_usage,
		.talk = &c->talk,
	};
	uint64_t seed;

	env_random(c->r->options.env, &seed, sizeof seed);
	talk_source_init(&a->source, seed);
	a->sink = talk_sink_new(&options, err);
	return a->sink != NULL;
}

/* Reads the body into neutral words, once for all attempts. */
static bool know_talk(struct call *c, struct err *err)
{
	struct str body = buf_str(&c->body);
	bool ok = false;

	if (c->talk_known)
		return true;
	talk_init(&c->talk);
	c->talk_known = true;
	switch (c->ask.dialect) {
	case DIALECT_OPENAI:
		ok = talk_read_chat(body, &c->talk, err);
		break;
	case DIALECT_ANTHROPIC:
		ok = talk_read_messages(body, &c->talk, err);
		break;
	case DIALECT_RESPONSES:
		ok = talk_read_responses(body, &c->talk, err);
		break;
	case DIALECT_COUNT:
		break;
	}
	return ok;
}

static bool write_translated(struct call *c, struct err *err)
{
	OWN_JSON_OUT struct json_out out = json_out_make(LIMIT_HTTP_BODY);
	struct talk_target to = { .model = c->attempt.offer->model,
		                  .user = id_str(store_key_account(c->ask.key)) };

	if (!know_talk(c, err))
		return false;
	if (c->facts.lowered)
		c->talk.output_limit = c->facts.output_limit;
	if (!c->attempt.provider->write(&c->talk, &to, &out, err) || !json_out_ok(&out, err))
		return false;
	buf_add(&c->sent, buf_str(&out.text));
	return make_sink(c, err);
}

/* Ids need no escapes: their alphabet is checked where they are made or loaded. */
static void put_quoted(struct buf *out, struct str id)
{
	buf_add_char(out, '"');
	buf_add(out, id);
	buf_add_char(out, '"');
}

static bool write_native(struct call *c, struct err *err)
{
	OWN_BUF struct buf model = buf_make(LIMIT_MODEL_ID + 2);
	OWN_BUF struct buf user = buf_make(ID_TEXT_MAX + 2);

	if (!c->attempt.provider->check(&c->facts, err))
		return false;
	put_quoted(&model, c->attempt.offer->model->upstream_id);
	put_quoted(&user, id_str(store_key_account(c->ask.key)));
	struct provider_buyer buyer = { buf_str(&user) };
	c->attempt.provider->body(&c->facts, buf_str(&model), &buyer, &c->sent);
	return true;
}

/* Begins an attempt at an offer: everything of the one before is forgotten. */
static bool prepare(struct call *c, const struct store_offer *offer, struct breaker *breaker,
                    struct err *err)
{
	call_attempt_done(&c->attempt);
	buf_reset(&c->sent);
	buf_reset(&c->answer);
	/* A marked signature would be refused natively; translation drops or unmarks it. */
	enum dialect spoken = c->facts.sealed ? DIALECT_COUNT : c->ask.dialect;
	c->attempt = (struct attempt){
		.offer = offer,
		.provider = router_provider_of(offer->upstream->provider, spoken),
		.breaker = breaker,
		.meter = meter_make(),
	};
	net_sse_init(&c->attempt.sse);
	c->attempt.translated = c->facts.sealed || c->attempt.provider->native != c->ask.dialect;
	if (!(c->attempt.translated ? write_translated(c, err) : write_native(c, err)))
		return false;
	return buf_ok(&c->sent, "the request", err);
}

/* The next offer whose breaker lets a request through; NULL if there is none. */
static const struct store_offer *next_offer(struct call *c, struct breaker **breaker)
{
	while (c->offer_next < c->offer_count) {
		const struct store_offer *offer = c->offers[c->offer_next++];
		*breaker = breakers_of(c->ask.terms->breakers, offer->upstream, offer->model);
		if (breaker_admits(*breaker, now_ms(c)))
			return offer;
		int64_t wait = (*breaker)->open_until - now_ms(c);
		if (c->wait_ms == 0 || wait < c->wait_ms)
			c->wait_ms = wait > 0 ? wait : 1;
	}
	return NULL;
}

bool call_prepare(struct call *c, struct err *err)
{
	struct breaker *breaker = c->attempt.breaker;
	const struct store_offer *offer = c->attempt.offer; /* again, with a lowered limit */

	if (!offer)
		offer = next_offer(c, &breaker);
	if (!offer)
		return err_set(
			err, ERR_UNAVAILABLE,
			"the upstream of '%.*s' failed repeatedly and is left alone for some "
			"seconds; try again",
			STR_ARG(c->model->id));
	if (prepare(c, offer, breaker, err))
		return true;
	breaker_abandon(breaker);
	return false;
}

static struct net_exchange *start(struct call *c, struct err *err)
{
	const struct store_upstream *up = c->attempt.offer->upstream;
	const struct router_upstream *setting = &c->ask.terms->upstreams[up->provider];
	OWN_BUF struct buf credential = buf_make(LIMIT_HTTP_LINE);
	OWN_BUF struct buf url = buf_make(LIMIT_HTTP_LINE);
	struct net_header headers[PROVIDER_HEADERS_MAX];

	c->attempt.provider->url(up->base_url.p ? up->base_url.p : setting->base_url,
	                         c->attempt.offer->model->upstream_id, c->facts.stream, &url);
	size_t count = c->attempt.provider->headers(c->attempt.translated ? NULL : c->rq,
	                                            up->key.p ? up->key.p : setting->key,
	                                            &credential, headers);
	struct net_exchange_request request = {
		.method = "POST",
		.url = url.p,
		.headers = headers,
		.header_count = count,
		.body = buf_str(&c->sent),
		.connect_ms = c->r->options.limits.upstream_connect_ms,
		.idle_ms = c->r->options.limits.upstream_idle_ms,
	};
	struct net_exchange *x =
		net_exchange_start(c->r->client, &request, &call_exchange_events, c, err);
	buf_wipe(&credential);
	return x;
}

void call_send(struct call *c)
{
	struct err err = { 0 };

	c->attempts++;
	c->attempt.started_us = env_mono_us(c->r->options.env);
	if (c->clock.sent_us == 0)
		c->clock.sent_us = c->attempt.started_us;
	c->x = start(c, &err);
	if (!c->x) {
		struct failure f = { .code = ERR_UNAVAILABLE,
			             .status = 502,
			             .text = "the upstream provider could not be asked" };
		call_attempt_failed(c, &f, err.text);
		return;
	}
	/* Without another offer a slow answer is better than none. */
	if (c->facts.stream && c->offer_next < c->offer_count)
		net_timer_start(&c->slow, c->r->options.limits.first_byte_ms);
}

void call_note_attempt(struct call *c, const char *result, const char *why)
{
	const struct attempt *a = &c->attempt;
	struct json_out *o = &c->tries;

	json_put_object(o, NULL);
	json_put_str(o, "upstream", a->offer->upstream->name);
	json_put_z(o, "provider", provider_name(a->offer->upstream->provider));
	json_put_str(o, "upstreamModel", a->offer->model->upstream_id);
	json_put_i64(o, "status", a->status);
	json_put_i64(o, "ms", (env_mono_us(c->r->options.env) - a->started_us) / 1000);
	json_put_z(o, "result", result);
	if (why)
		json_put_z(o, "why", why);
	json_put_end(o, '}');
}

void call_describe(const struct call *c, const struct store_offer *offer, struct store_call *out)
{
	const struct store_model *m = offer->model;

	*out = (struct store_call){
		.model = c->asked->id,
		.served_by = c->model == c->asked ? (struct str){ 0 } : c->model->id,
		.upstream_model = m->upstream_id,
		.upstream = offer->upstream->name,
		.provider = offer->upstream->provider,
		.route = c->ask.route->alias,
		.stream = c->facts.stream,
		.prices = offer->prices,
		.long_prices = offer->long_prices,
		.long_above = m->long_above,
		.price_version = offer->price_version,
		.input_estimate =
			c->estimate < c->bound.input_tokens ? c->estimate : c->bound.input_tokens,
		.created_ms = c->created_ms,
	};
}

/* ---- The next one ---- */

/* "Retry-After: seconds" of an upstream that is busy; a date is not worth reading for a cool-down.
 */
static int64_t retry_after_ms(const struct attempt *a)
{
	int64_t seconds;
	bool busy = a->status == 429 || a->status == 503 || a->status == 529;

	return busy && str_to_i64(str_of(a->retry_after), &seconds) && seconds > 0 &&
	                       seconds < 86400
	               ? seconds * 1000
	               : 0;
}

static bool may_retry(const struct call *c)
{
	return c->rq && !c->head_sent && c->early.len == 0 && c->attempts < CALL_ATTEMPTS_MAX &&
	       (c->state == CALL_HOLDING || c->state == CALL_SENDING);
}

/* A kept connection that closed under the request says nothing about the upstream: ask it again. */
static bool again_if_stale(struct call *c)
{
	if (!c->attempt.stale || !may_retry(c) || c->stale_retries == STALE_RETRIES_MAX)
		return false;
	c->stale_retries++;
	c->attempts--; /* the same one */
	c->attempt.stale = false;
	call_send(c);
	return true;
}

static void log_fail_over(const struct call *c, const struct store_offer *to, const char *why)
{
	OWN_BUF struct buf quoted = buf_make(1024);

	log_event(LOG_INFO, "fail_over", "id=%s from=%.*s to=%.*s why=%s", c->hold.request_id.text,
	          STR_ARG(c->attempt.offer->upstream->name), STR_ARG(to->upstream->name),
	          log_quote(&quoted, str_of(why)));
}

/* Sends the request to the next offer that takes it; false if there is none. */
static bool fail_over(struct call *c, const char *why)
{
	struct breaker *breaker = NULL;

	for (const struct store_offer *o = next_offer(c, &breaker); o;
	     o = next_offer(c, &breaker)) {
		log_fail_over(c, o, why);
		if (prepare(c, o, breaker, NULL)) {
			call_send(c);
			return true;
		}
		breaker_abandon(breaker);
	}
	return false;
}

void call_attempt_failed(struct call *c, const struct failure *f, const char *why)
{
	net_timer_stop(&c->slow);
	call_note_attempt(c, "failed", why);
	if (again_if_stale(c))
		return;
	breaker_failure(c->attempt.breaker, now_ms(c), retry_after_ms(&c->attempt));
	if (may_retry(c) && fail_over(c, why))
		return;
	c->end_why = why;
	call_fail(c, f);
}
