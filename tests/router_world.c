/* SPDX-License-Identifier: Apache-2.0 */
/* See router_world.h. Waiting is bounded by the wall clock; nothing sleeps. */
#include "tests/router_world.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

/* ---- The upstream ---- */

static void upstream_head(void *data, struct net_request *rq)
{
	(void)data;
	(void)rq;
}

static void upstream_body(void *data, struct net_request *rq)
{
	struct world *w = data;
	struct str auth = net_request_header(rq, "authorization");

	if (!auth.p)
		auth = net_request_header(rq, "x-api-key");
	(void)snprintf(w->upstream_auth, sizeof w->upstream_auth, "%.*s", STR_ARG(auth));
	buf_reset(&w->upstream_body);
	buf_add(&w->upstream_body, net_request_body(rq));
	w->script(w, rq, w->upstream_requests++);
}

static void upstream_gone(void *data, struct net_request *rq)
{
	struct world *w = data;

	w->upstream_gone++;
	for (int i = 0; i < w->waiting_count; i++)
		if (w->waiting[i] == rq)
			w->waiting[i] = NULL;
}

static void second_body(void *data, struct net_request *rq)
{
	struct world *w = data;

	w->second_script(w, rq, w->second_requests++);
}

static const struct net_handler second_handler = { upstream_head, second_body, upstream_gone,
	                                           NULL };
static const struct net_handler upstream_handler = { upstream_head, upstream_body, upstream_gone,
	                                             NULL };

void upstream_json(struct net_request *rq, int status, const char *body)
{
	const struct net_header h[] = { { STR("Content-Type"), STR("application/json") },
		                        { STR("openai-organization"), STR("org-shared") },
		                        { STR("x-ratelimit-remaining-requests"), STR("7") },
		                        { STR("retry-after"), STR("3") } };

	net_reply(rq, status, h, 4, str_of(body));
}

void upstream_stream(struct net_request *rq)
{
	const struct net_header h[] = { { STR("Content-Type"), STR("text/event-stream") } };

	net_reply_start(rq, 200, h, 1);
}

/* ---- Opening and closing ---- */

static void buy_credit(struct world *w, int64_t cents, const struct store_key_limits *limits)
{
	struct err err = { 0 };
	struct store_funding funding;
	struct store_purchase purchase;
	struct store_service service;
	struct store_key_info info;
	struct money amount;
	char text[64];

	(void)snprintf(text, sizeof text, "{\"creditAmountUsd\":%lld.%02lld}",
	               (long long)(cents / 100), (long long)(cents % 100));
	OWN_JSON struct json *configuration = json_parse(str_of(text), &err);
	struct store_purchase_request request = { .item_id = STR("cat_router_credit_001"),
		                                  .quantity = 1,
		                                  .configuration = configuration,
		                                  .idempotency_key = STR("first") };
	bool ok =
		money_of_cents(&amount, cents) &&
		store_wallet_fund(w->store, &w->account, amount, STR("test"), &funding, &err) &&
		store_purchase_create(w->store, &w->account, &request, &purchase, &service, &err) &&
		store_router_key_create(w->store, &w->account, id_str(&service.id), STR("test"),
	                                limits, &info, &w->key, &err);
	if (!CHECK(ok))
		check_note("%s", err.text);
	w->service = service.id;
	w->key_id = info.id;
}

/* The routes' text with the addresses of the two upstreams in it. */
static struct json *routes_of(const struct world *w, const char *text)
{
	OWN_BUF struct buf out = buf_make(1 << 16);
	struct err err = { 0 };

	for (struct str rest = str_of(text); rest.len > 0;) {
		bool first = str_starts(rest, STR("FIRST")),
		     second = str_starts(rest, STR("SECOND"));
		if (first || second)
			buf_addf(&out, "http://%s",
			         net_server_address(first ? w->upstream : w->second));
		else
			buf_add_char(&out, rest.p[0]);
		size_t n = first ? 5 : second ? 6 : 1;
		rest = (struct str){ rest.p + n, rest.len - n };
	}
	struct json *routes = json_parse(buf_str(&out), &err);
	if (!routes)
		CHECK_FAIL("%s", err.text);
	return routes;
}

static void must(bool ok, const struct err *err)
{
	if (ok)
		return;
	CHECK_FAIL("%s", err->text);
	exit(1);
}

static void open_store(struct world *w, int64_t credit_cents, const struct world_routes *routes)
{
	OWN_JSON struct json *configured = routes->routes ? routes_of(w, routes->routes) : NULL;
	struct store_models_options models = {
		.has_key = { [PROVIDER_OPENAI] = true,
		             [PROVIDER_ANTHROPIC] = true,
		             [PROVIDER_GOOGLE] = true,
		             [PROVIDER_KIMI] = true },
		.routes = configured,
		.refuse_retired = routes->refuse_retired,
		.env = &w->env,
	};
	struct store_options options = {
		.path = ":memory:", .durability = STORE_PROCESS, .env = &w->env
	};
	struct store_account account;
	struct err err = { 0 };

	w->store = store_open(&options, &err);
	must(w->store != NULL, &err);
	w->models = store_models_new(&models, &err);
	must(w->models && store_account_create(w->store, STR("tester"), &account, &w->purchase_key,
	                                       &err),
	     &err);
	w->account = account.id;
	if (credit_cents > 0)
		buy_credit(w, credit_cents, &routes->limits);
	w->worker = store_worker_start(w->store, &err);
}

static void open_router(struct world *w)
{
	struct err err = { 0 };

	(void)snprintf(w->upstream_url, sizeof w->upstream_url, "http://%s/v1",
	               net_server_address(w->upstream));
	struct router_options ro = {
		.loop = w->loop,
		.env = &w->env,
		.worker = w->worker,
		.live = store_live(w->store),
		.models = w->models,
		.listen = "127.0.0.1:0",
		.limits = router_limits_default(),
	};
	ro.limits.drain_ms = 300;
	ro.limits.first_byte_ms = 300;
	for (size_t i = 0; i < PROVIDER_COUNT; i++)
		ro.upstreams[i] = (struct router_upstream){ w->upstream_url, "sk-operator" };
	w->router = router_new(&ro, &err);
	must(w->router != NULL, &err);
}

void world_open_routes(struct world *w, int64_t credit_cents, upstream_fn *script,
                       const struct world_routes *routes)
{
	struct err err = { 0 };
	struct net_server_options so = { .listen = "127.0.0.1:0" };

	log_set_level(LOG_ERROR);
	*w = (struct world){ .env = env_real(),
		             .script = script,
		             .second_script = routes->second,
		             .upstream_body = buf_make(LIMIT_HTTP_BODY) };
	w->loop = net_loop_new(&err);
	w->upstream = net_server_new(w->loop, &so, &upstream_handler, w, &err);
	w->second = net_server_new(w->loop, &so, &second_handler, w, &err);
	w->client = net_client_new(w->loop, &err);
	must(w->upstream && w->second && w->client, &err);
	open_store(w, credit_cents, routes);
	open_router(w);
}

void world_open(struct world *w, int64_t credit_cents, upstream_fn *script)
{
	world_open_routes(w, credit_cents, script,
	                  &(struct world_routes){ .limits.spend_limit = money_of_micros(-1) });
}

void world_close(struct world *w)
{
	struct store_open_holds holds = { 0 };
	struct store_verdict verdict = { 0 };

	CHECK(world_idle(w));
	store_worker_stop(w->worker);
	CHECK(store_holds_open(w->store, &holds, NULL));
	CHECK_I64(holds.count, 0);
	CHECK(store_ledger_verify(w->store, &verdict, NULL));
	CHECK_STR(verdict.problem, "");
	router_free(w->router);
	net_client_free(w->client);
	net_server_free(w->upstream);
	net_server_free(w->second);
	net_loop_free(w->loop);
	store_close(w->store);
	store_models_free(w->models);
	buf_done(&w->upstream_body);
}

/* ---- The client ---- */

static void got_head(void *data, struct net_exchange *x)
{
	struct got *g = data;
	size_t count;
	const struct net_header *h = net_exchange_headers(x, &count);

	g->status = net_exchange_status(x);
	for (size_t i = 0; i < count; i++)
		if (str_has_nocase(h[i].name, STR("organization")) ||
		    str_has_nocase(h[i].name, STR("ratelimit")))
			g->headers_forbidden++;
	(void)snprintf(g->request_id, sizeof g->request_id, "%.*s",
	               STR_ARG(net_exchange_header(x, "x-request-id")));
	(void)snprintf(g->charge, sizeof g->charge, "%.*s",
	               STR_ARG(net_exchange_header(x, "x-agent-store-charge-usd-micros")));
	(void)snprintf(g->type, sizeof g->type, "%.*s",
	               STR_ARG(net_exchange_header(x, "content-type")));
	(void)snprintf(g->retry, sizeof g->retry, "%.*s",
	               STR_ARG(net_exchange_header(x, "x-should-retry")));
	(void)snprintf(g->retry_after, sizeof g->retry_after, "%.*s",
	               STR_ARG(net_exchange_header(x, "retry-after")));
}

static void got_data(void *data, struct net_exchange *x, struct str bytes)
{
	struct got *g = data;

	(void)x;
	buf_add(&g->body, bytes);
}

static void got_end(void *data, enum net_end end, const char *why)
{
	struct got *g = data;

	(void)why;
	g->ended = true;
	g->end = end;
	g->x = NULL;
}

static const struct net_exchange_events got_events = { got_head, got_data, got_end };

void world_send(struct world *w, struct got *g, const char *method, const char *path,
                const char *key, const char *body)
{
	OWN_BUF struct buf url = buf_make(4096);
	OWN_BUF struct buf auth = buf_make(4096);
	struct err err = { 0 };

	*g = (struct got){ .body = buf_make(LIMIT_UPSTREAM_BODY) };
	buf_addf(&url, "http://%s%s", router_address(w->router), path);
	buf_addf(&auth, "Bearer %s", key ? key : "");
	const struct net_header h[] = { { STR("Content-Type"), STR("application/json") },
		                        { STR("Authorization"), buf_str(&auth) } };
	struct net_exchange_request request = { .method = method,
		                                .url = url.p,
		                                .headers = h,
		                                .header_count = key ? 2 : 1,
		                                .body = str_of(body) };
	g->x = net_exchange_start(w->client, &request, &got_events, g, &err);
	if (!g->x)
		CHECK_FAIL("%s", err.text);
}

static bool past(const struct world *w, int64_t until_us)
{
	return env_mono_us(&w->env) > until_us;
}

bool world_wait(struct world *w, const struct got *g)
{
	int64_t until = env_mono_us(&w->env) + 5000000;

	while (!g->ended && !past(w, until))
		if (!net_loop_step(w->loop, 20, NULL))
			break;
	return CHECK(g->ended);
}

void world_turn(struct world *w, int ms)
{
	int64_t until = env_mono_us(&w->env) + (int64_t)ms * 1000;

	while (!past(w, until))
		if (!net_loop_step(w->loop, 5, NULL))
			break;
}

struct got world_ask(struct world *w, const char *method, const char *path, const char *key,
                     const char *body)
{
	/* The exchange points here until it has ended; only then is it handed over. */
	struct got g;

	world_send(w, &g, method, path, key, body);
	if (!world_wait(w, &g) && g.x)
		net_exchange_cancel(g.x);
	return g;
}

void got_done(struct got *g)
{
	net_exchange_cancel(g->x);
	g->x = NULL;
	buf_done(&g->body);
}

bool world_idle(struct world *w)
{
	int64_t until = env_mono_us(&w->env) + 5000000;

	while (!router_idle(w->router) && !past(w, until))
		if (!net_loop_step(w->loop, 20, NULL))
			break;
	return router_idle(w->router);
}

/* ---- The books ---- */

struct balance_job {
	struct store_job job;
	struct world *w;
	struct store_service service;
	bool done;
};

static bool run_balance(struct store_job *job, struct store *st, struct err *err)
{
	struct balance_job *b = CONTAINER_OF(job, struct balance_job, job);

	return store_service_find(st, &b->w->account, id_str(&b->w->service), &b->service, err);
}

static void balance_done(struct store_job *job)
{
	CONTAINER_OF(job, struct balance_job, job)->done = true;
}

struct store_balance world_balance(struct world *w)
{
	struct balance_job b = { .w = w };
	int64_t until = env_mono_us(&w->env) + 5000000;

	b.job = (struct store_job){ .run = run_balance,
		                    .done = balance_done,
		                    .reply = net_loop_inbox(w->loop) };
	store_worker_submit(w->worker, &b.job);
	while (!b.done && !past(w, until))
		if (!net_loop_step(w->loop, 20, NULL))
			break;
	CHECK(b.done && b.job.ok);
	return b.service.balance;
}

struct got world_receipt(struct world *w, const char *request_id)
{
	char path[96];

	(void)snprintf(path, sizeof path, "/openai/v1/requests/%s", request_id);
	return world_ask(w, "GET", path, w->key.text, "");
}
