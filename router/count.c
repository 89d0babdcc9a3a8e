/* SPDX-License-Identifier: Apache-2.0 */
/* POST /<alias>/v1/messages/count_tokens: free at the provider, so there is no hold. An Anthropic
 * upstream counts itself, natively; for any other the answer is the estimate of docs/money.md and
 * says so in a header. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "router/internal.h"

#define COUNT_IDLE_MS 30000
#define ANSWER_MAX (64u << 10)

struct count {
	struct party party;
	struct router *r;
	struct net_request *rq; /* NULL: the client is gone or has been answered */
	struct net_exchange *x;
	struct call_ask ask;
	struct buf sent, answer;
	int status;
};

static void free_count(struct count *c)
{
	c->r->task_count--;
	net_exchange_cancel(c->x);
	buf_done(&c->sent);
	buf_done(&c->answer);
	terms_drop(c->ask.terms);
	free(c);
}

static void fail(struct count *c, const struct failure *f)
{
	if (c->rq)
		failure_reply(f, DIALECT_ANTHROPIC, NULL, (struct str){ 0 }, c->rq);
	free_count(c);
}

static void on_gone(struct party *p)
{
	free_count((struct count *)p);
}

/* ---- The upstream ---- */

static void on_head(void *data, struct net_exchange *x)
{
	((struct count *)data)->status = net_exchange_status(x);
}

static void on_data(void *data, struct net_exchange *x, struct str bytes)
{
	(void)x; /* the count's own */
	buf_add(&((struct count *)data)->answer, bytes);
}

static void on_done(void *data, enum net_end end, const char *why)
{
	static const struct net_header h[] = { { STR_INIT("Content-Type"),
		                                 STR_INIT("application/json") } };
	static const struct failure failed = { .code = ERR_UNAVAILABLE,
		                               .status = 502,
		                               .text = "the upstream provider did not count" };
	struct count *c = data;

	(void)why; /* nothing was at stake */
	c->x = NULL;
	bool ours = c->status == 401 || c->status == 402 || c->status == 403 || c->status == 429;
	if (end != NET_END_COMPLETE || c->answer.failed || ours) {
		fail(c, &failed);
		return;
	}
	net_reply(c->rq, c->status, h, 1, buf_str(&c->answer));
	free_count(c);
}

static const struct net_exchange_events events = { on_head, on_data, on_done };

static bool send(struct count *c, const struct store_offer *offer, struct err *err)
{
	const struct router_upstream *setting = &c->ask.terms->upstreams[PROVIDER_ANTHROPIC];
	const struct store_upstream *up = offer->upstream;
	OWN_BUF struct buf credential = buf_make(LIMIT_HTTP_LINE);
	OWN_BUF struct buf url = buf_make(LIMIT_HTTP_LINE);
	struct net_header headers[PROVIDER_HEADERS_MAX];

	router_provider_anthropic.url(up->base_url.p ? up->base_url.p : setting->base_url,
	                              offer->model->upstream_id, false, &url);
	buf_add_z(&url, "/count_tokens");
	size_t count = router_provider_anthropic.headers(
		c->rq, up->key.p ? up->key.p : setting->key, &credential, headers);
	struct net_exchange_request request = {
		.method = "POST",
		.url = url.p,
		.headers = headers,
		.header_count = count,
		.body = buf_str(&c->sent),
		.idle_ms = COUNT_IDLE_MS,
	};
	c->x = net_exchange_start(c->r->client, &request, &events, c, err);
	buf_wipe(&credential);
	return c->x != NULL;
}

/* ---- The client ---- */

static void reply_estimate(struct count *c, int64_t tokens)
{
	static const struct net_header h[] = {
		{ STR_INIT("Content-Type"), STR_INIT("application/json") },
		{ STR_INIT("x-agent-store-estimated"), STR_INIT("true") },
	};
	OWN_JSON_OUT struct json_out o = json_out_make(256);

	json_put_object(&o, NULL);
	json_put_i64(&o, "input_tokens", tokens);
	json_put_end(&o, '}');
	net_reply(c->rq, 200, h, 2, buf_str(&o.text));
	free_count(c);
}

static const struct store_offer *find_offer(const struct count *c, const struct ask *ask)
{
	OWN_BUF struct buf name = buf_make(LIMIT_MODEL_ID);
	const struct store_models *models = c->ask.terms->models;
	const struct store_offer *offer = NULL;

	if (!json_raw_string(ask->member[ASK_MODEL].value, &name))
		return NULL;
	const struct store_model *asked = store_models_find(models, buf_str(&name));
	const struct store_model *serving = asked ? store_model_serving(models, asked) : NULL;
	return serving && store_route_offers(c->ask.route, serving, &offer, 1) > 0 ? offer : NULL;
}

/* All of the body passes but the model's name. */
static void write_body(struct count *c, const struct ask *ask, const struct store_offer *offer)
{
	OWN_BUF struct buf model = buf_make(LIMIT_MODEL_ID + 2);
	struct splices s = { .count = 0 };

	buf_add_char(&model, '"');
	buf_add(&model, offer->model->upstream_id);
	buf_add_char(&model, '"');
	ask_set(ask, &s, ASK_MODEL, buf_str(&model), NULL);
	ask_apply(ask, &s, STR(""), &c->sent);
}

static void on_body(struct party *p, struct net_request *rq)
{
	struct count *c = (struct count *)p;
	struct ask ask;
	struct err err = { 0 };

	if (!ask_read(net_request_body(rq), DIALECT_ANTHROPIC, &ask, &err)) {
		struct failure f = failure_of(&err);
		fail(c, &f);
		return;
	}
	const struct store_offer *offer = find_offer(c, &ask);
	if (!offer) {
		struct failure f = { .code = ERR_NOT_FOUND,
			             .model = true,
			             .text = "this route does not offer the model" };
		fail(c, &f);
		return;
	}
	if (offer->upstream->provider != PROVIDER_ANTHROPIC) {
		reply_estimate(c, ask_estimate(&ask));
		return;
	}
	write_body(c, &ask, offer);
	if (!send(c, offer, &err)) {
		struct failure f = failure_of(&err);
		fail(c, &f);
	}
}

static const struct party_events count_events = { on_body, on_gone, NULL };

void count_expect(struct router *r, struct net_request *rq, const struct call_ask *ask)
{
	struct count *c = calloc(1, sizeof *c);

	if (!c) {
		struct failure f = { .code = ERR_INTERNAL, .text = "out of memory" };
		failure_reply(&f, DIALECT_ANTHROPIC, NULL, (struct str){ 0 }, rq);
		return;
	}
	*c = (struct count){
		.party = { &count_events },
		.r = r,
		.rq = rq,
		.ask = *ask,
		.sent = buf_make(LIMIT_HTTP_BODY + LIMIT_HTTP_HEAD),
		.answer = buf_make(ANSWER_MAX),
	};
	(void)terms_hold(c->ask.terms);
	r->task_count++;
	net_request_set_data(rq, &c->party);
}
