/* SPDX-License-Identifier: Apache-2.0 */
/* What the process knows without its database: how it is, which upstreams and models are in force,
 * what failed last. Written on the loop, where all of it changes. */
#include "router/api_parts.h"

/* ---- GET /admin/status ---- */

static void put_config(struct json_out *o, const struct router *r)
{
	json_put_object(o, "config");
	json_put_time(o, "loadedAt", r->reloaded_ms ? r->reloaded_ms : r->started_ms);
	json_put_i64(o, "reloads", r->reloads);
	json_put_z(o, "problem", r->reload_problem);
	json_put_end(o, '}');
}

void api_status(struct api_call *c)
{
	const struct router *r = c->r;
	struct store_worker_stats w = store_worker_stats(r->options.worker);
	struct json_out *o = &c->out;

	api_begin_item(o);
	json_put_z(o, "version", AGENT_STORE_VERSION);
	json_put_time(o, "startedAt", r->started_ms);
	json_put_i64(o, "uptimeMs", env_now_ms(r->options.env) - r->started_ms);
	json_put_i64(o, "requestsInFlight", (int64_t)r->call_count);
	json_put_bool(o, "storeHealthy", store_worker_healthy(r->options.worker));
	json_put_i64(o, "commits", w.commits);
	json_put_i64(o, "jobs", w.jobs);
	json_put_i64(o, "largestBatch", w.largest_batch);
	json_put_z(o, "baseUrl", router_public_url(r));
	put_config(o, r);
	json_put_object(o, "session");
	json_put_z(o, "kind", c->is_admin ? "token" : "session");
	json_put_time(o, "expiresAt", c->session.expires_ms);
	json_put_end(o, '}');
	json_put_end(o, '}');
	json_put_end(o, '}');
	api_answer(c);
}

/* ---- Routes and what they list ---- */

/* The i-th: aliases first, then the one behind /openai/v1. */
static const struct store_route *route_at(const struct store_models *m, size_t i)
{
	size_t count = store_routes_count(m);

	return i < count ? store_route_at(m, i) : store_route_chat(m);
}

static size_t route_count(const struct store_models *m)
{
	return store_routes_count(m) + 1;
}

static bool lists(const struct store_route *route, const struct store_upstream *u)
{
	for (size_t i = 0; i < route->upstream_count; i++)
		if (str_eq(route->upstreams[i].name, u->name))
			return true;
	return false;
}

/* The first route that lists an upstream of this name tells of it. */
static bool is_first(const struct store_models *m, size_t route, const struct store_upstream *u)
{
	for (size_t i = 0; i < route; i++)
		if (lists(route_at(m, i), u))
			return false;
	return true;
}

static bool offered_before(const struct store_models *m, size_t route, size_t offer)
{
	const struct store_offer *o = &route_at(m, route)->offers[offer];

	for (size_t r = 0; r <= route; r++) {
		const struct store_route *at = route_at(m, r);
		for (size_t i = 0; i < (r == route ? offer : at->offer_count); i++)
			if (at->offers[i].model == o->model &&
			    str_eq(at->offers[i].upstream->name, o->upstream->name))
				return true;
	}
	return false;
}

static void put_models_of(struct json_out *o, const struct store_models *m,
                          const struct store_upstream *u)
{
	json_put_array(o, "models");
	for (size_t r = 0; r < route_count(m); r++) {
		const struct store_route *route = route_at(m, r);
		for (size_t i = 0; i < route->offer_count; i++)
			if (str_eq(route->offers[i].upstream->name, u->name) &&
			    !offered_before(m, r, i))
				json_put_str(o, NULL, route->offers[i].model->id);
	}
	json_put_end(o, ']');
}

/* ---- GET /admin/upstreams ---- */

struct breaker_list {
	struct json_out *out;
	struct str upstream;
	int64_t now_ms;
};

static void put_breaker(void *data, const struct breaker *b)
{
	const struct breaker_list *l = data;
	const struct store_upstream *upstream = b->upstream;
	const struct store_model *model = b->model;
	int64_t wait_ms = b->state == BREAKER_OPEN ? b->open_until - l->now_ms : 0;

	if (!str_eq(upstream->name, l->upstream))
		return;
	json_put_object(l->out, NULL);
	json_put_str(l->out, "model", model->id);
	json_put_z(l->out, "state", breaker_state_name(b->state));
	json_put_i64(l->out, "failures", b->failures);
	json_put_i64(l->out, "reopensInMs", wait_ms > 0 ? wait_ms : 0);
	json_put_end(l->out, '}');
}

static void put_upstream(struct json_out *o, const struct router *r, const struct store_upstream *u)
{
	const struct store_models *m = r->terms->models;
	struct breaker_list l = { o, u->name, net_loop_now_ms(r->options.loop) };

	json_put_object(o, NULL);
	json_put_str(o, "name", u->name);
	json_put_z(o, "provider", provider_name(u->provider));
	json_put_str(o, "baseUrl",
	             u->base_url.p ? u->base_url
	                           : str_of(r->terms->upstreams[u->provider].base_url));
	json_put_bool(o, "configured", u->configured);
	json_put_array(o, "routes");
	for (size_t i = 0; i < route_count(m); i++)
		if (lists(route_at(m, i), u))
			json_put_str(o, NULL, route_at(m, i)->alias);
	json_put_end(o, ']');
	put_models_of(o, m, u);
	json_put_array(o, "breakers");
	breakers_each(r->terms->breakers, put_breaker, &l);
	json_put_end(o, ']');
	json_put_end(o, '}');
}

void api_upstreams(struct api_call *c)
{
	const struct store_models *m = c->terms->models;

	api_begin_items(&c->out);
	for (size_t r = 0; r < route_count(m); r++) {
		const struct store_route *route = route_at(m, r);
		for (size_t i = 0; i < route->upstream_count; i++)
			if (is_first(m, r, &route->upstreams[i]))
				put_upstream(&c->out, c->r, &route->upstreams[i]);
	}
	api_end_items(&c->out);
	api_answer(c);
}

/* ---- GET /admin/models ---- */

static void put_model(struct json_out *o, const struct store_models *models,
                      const struct store_model *m)
{
	const struct store_model *serving = store_model_serving(models, m);
	const struct store_model *told = serving ? serving : m;

	json_put_object(o, NULL);
	api_put_model(o, models, m, serving);
	json_put_str(o, "upstreamId", told->upstream_id);
	json_put_bool(o, "routable", store_model_routable(models, m));
	json_put_str(o, "servedBy", serving ? serving->id : (struct str){ 0 });
	json_put_str(o, "priceVersion", told->price_version);
	if (told->long_above > 0) {
		json_put_object(o, "longPrompt");
		json_put_i64(o, "aboveTokens", told->long_above);
		api_put_prices(o, "pricesUsdPerMillion", &told->long_prices);
		json_put_end(o, '}');
	} else {
		json_put_null(o, "longPrompt");
	}
	json_put_end(o, '}');
}

static void put_route(struct json_out *o, const struct store_route *route)
{
	json_put_object(o, NULL);
	json_put_str(o, "alias", route->alias);
	json_put_bool(o, "weighted", route->weighted);
	json_put_array(o, "upstreams");
	for (size_t i = 0; i < route->upstream_count; i++) {
		const struct store_upstream *u = &route->upstreams[i];
		json_put_object(o, NULL);
		json_put_str(o, "name", u->name);
		json_put_i64(o, "weight", u->weight);
		json_put_price(o, "priceFactor", u->price_ppm); /* millionths, like a price */
		json_put_bool(o, "configured", u->configured);
		json_put_end(o, '}');
	}
	json_put_end(o, ']');
	json_put_end(o, '}');
}

void api_admin_models(struct api_call *c)
{
	const struct store_models *m = c->terms->models;
	struct json_out *o = &c->out;

	api_begin_items(o);
	for (size_t i = 0; i < store_models_count(m); i++)
		put_model(o, m, store_models_at(m, i));
	json_put_end(o, ']');
	json_put_array(o, "routes");
	for (size_t i = 0; i < route_count(m); i++)
		put_route(o, route_at(m, i));
	api_end_items(o);
	api_answer(c);
}

/* ---- GET /admin/errors ---- */

static struct str or_null(const char *text)
{
	return text[0] ? str_of(text) : (struct str){ 0 };
}

void api_errors(struct api_call *c)
{
	const struct stats *s = &c->r->stats;
	struct json_out *o = &c->out;
	size_t count = s->failure_count < STATS_ERRORS ? s->failure_count : STATS_ERRORS;

	api_begin_items(o);
	for (size_t i = 1; i <= count; i++) {
		const struct stats_failure *f = &s->failures[(s->failure_count - i) % STATS_ERRORS];
		json_put_object(o, NULL);
		json_put_time(o, "at", f->at_ms);
		api_put_id(o, "requestId", &f->request);
		json_put_i64(o, "status", f->status);
		json_put_z(o, "code", err_code_name(f->code));
		json_put_z(o, "message", f->text);
		json_put_z(o, "route", f->route);
		json_put_str(o, "model", or_null(f->model));
		api_put_id(o, "accountId", &f->account);
		api_put_id(o, "keyId", &f->key);
		json_put_str(o, "upstream", or_null(f->upstream));
		json_put_end(o, '}');
	}
	api_end_items(o);
	api_answer(c);
}
