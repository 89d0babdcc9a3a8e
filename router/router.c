/* SPDX-License-Identifier: Apache-2.0 */
/* The routes. Everything that can be refused from the head alone (path, method, key) is, before a
 * byte of the body is read. */
#include "router/router.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "router/api.h"
#include "router/web.h"

/* ---- Answers from memory ---- */

static void reply_json(struct net_request *rq, int status, struct json_out *o)
{
	const struct net_header h[] = { { STR("Content-Type"), STR("application/json") } };
	struct err err = { 0 };

	if (json_out_ok(o, &err)) {
		net_reply(rq, status, h, 1, buf_str(&o->text));
		return;
	}
	struct failure f = failure_of(&err);
	failure_reply(&f, DIALECT_OPENAI, NULL, (struct str){ 0 }, rq);
}

static void reply_err(struct net_request *rq, enum dialect dialect, const struct err *err)
{
	struct failure f = failure_of(err);

	failure_reply(&f, dialect, NULL, (struct str){ 0 }, rq);
}

static void healthz(struct router *r, struct net_request *rq)
{
	OWN_JSON_OUT struct json_out o = json_out_make(1024);
	bool healthy = store_worker_healthy(r->options.worker);

	json_put_object(&o, NULL);
	json_put_z(&o, "status", healthy ? "ok" : "storage failed");
	json_put_z(&o, "version", AGENT_STORE_VERSION);
	json_put_i64(&o, "uptimeMs", env_now_ms(r->options.env) - r->started_ms);
	json_put_i64(&o, "requestsInFlight", (int64_t)r->call_count);
	json_put_end(&o, '}');
	reply_json(rq, healthy ? 200 : 503, &o);
}

/* ---- The table ---- */

enum route_name {
	ROUTE_HEALTH,
	ROUTE_MODELS,
	ROUTE_MODEL,
	ROUTE_CHAT,
	ROUTE_RESPONSES,
	ROUTE_RECEIPT,
	ROUTE_MESSAGES, /* from here on: behind /<alias> */
	ROUTE_COUNT_TOKENS,
	ROUTE_ALIAS_MODELS,
	ROUTE_COUNT
};

struct route {
	const char *method;
	struct str path; /* of ROUTE_MESSAGES: what follows /<alias> */
	bool has_tail;   /* the path goes on with one more segment */
	bool needs_key;
};

static const struct route routes[ROUTE_COUNT] = {
	[ROUTE_HEALTH] = { "GET", STR_INIT("/healthz"), false, false },
	[ROUTE_MODELS] = { "GET", STR_INIT("/openai/v1/models"), false, true },
	[ROUTE_MODEL] = { "GET", STR_INIT("/openai/v1/models/"), true, true },
	[ROUTE_CHAT] = { "POST", STR_INIT("/openai/v1/chat/completions"), false, true },
	[ROUTE_RESPONSES] = { "POST", STR_INIT("/openai/v1/responses"), false, true },
	[ROUTE_RECEIPT] = { "GET", STR_INIT("/openai/v1/requests/"), true, true },
	[ROUTE_MESSAGES] = { "POST", STR_INIT("/v1/messages"), false, true },
	[ROUTE_COUNT_TOKENS] = { "POST", STR_INIT("/v1/messages/count_tokens"), false, true },
	[ROUTE_ALIAS_MODELS] = { "GET", STR_INIT("/v1/models"), false, true },
};

struct target {
	enum route_name name;
	struct str tail;
	const struct store_route *alias;
};

static bool match_alias(const struct router *r, struct str path, struct target *t)
{
	struct str rest = { path.p + 1, path.len - 1 };
	struct str alias = str_cut(&rest, '/');

	if (!rest.p)
		return false;
	struct str tail = { rest.p - 1, rest.len + 1 }; /* with its slash */
	for (size_t i = ROUTE_MESSAGES; i < ROUTE_COUNT; i++) {
		if (!str_eq(tail, routes[i].path))
			continue;
		t->name = (enum route_name)i;
		t->alias = store_route_find(r->terms->models, alias);
		return t->alias != NULL;
	}
	return false;
}

static bool match(const struct router *r, struct str path, struct target *t)
{
	for (size_t i = 0; i < ROUTE_MESSAGES; i++) {
		const struct route *route = &routes[i];
		if (route->has_tail ? !str_starts(path, route->path) : !str_eq(path, route->path))
			continue;
		t->name = (enum route_name)i;
		t->tail = (struct str){ path.p + route->path.len, path.len - route->path.len };
		if (!route->has_tail || (t->tail.len > 0 && str_find(t->tail, STR("/")) < 0))
			return true;
	}
	return path.len > 1 && match_alias(r, path, t);
}

static enum dialect dialect_of(const struct target *t)
{
	if (t->alias)
		return DIALECT_ANTHROPIC;
	return t->name == ROUTE_RESPONSES ? DIALECT_RESPONSES : DIALECT_OPENAI;
}

/* ---- From the head ---- */

/* `Authorization: Bearer` or `x-api-key`, whichever is there; absent if none. */
static struct str credential(const struct net_request *rq)
{
	struct str bearer = net_request_header(rq, "authorization");

	if (bearer.len > 7 && str_eq_nocase((struct str){ bearer.p, 7 }, STR("bearer ")))
		return str_trim((struct str){ bearer.p + 7, bearer.len - 7 });
	return net_request_header(rq, "x-api-key");
}

static void refuse_method(struct net_request *rq, const struct route *route)
{
	const struct net_header h[] = { { STR("Allow"), str_of(route->method) },
		                        { STR("Content-Type"), STR("application/json") } };
	struct failure f = { .code = ERR_UNSUPPORTED, .text = "the method is not allowed here" };
	OWN_BUF struct buf body = buf_make(1024);

	failure_put(&f, DIALECT_OPENAI, NULL, &body);
	net_reply(rq, 405, h, 2, buf_str(&body));
}

static void expect_call(struct router *r, struct net_request *rq, const struct target *t,
                        const struct store_key *key)
{
	struct call_ask ask = {
		.dialect = dialect_of(t),
		.route = t->alias ? t->alias : store_route_chat(r->terms->models),
		.key = key,
		.terms = r->terms,
	};

	if (t->name == ROUTE_COUNT_TOKENS)
		count_expect(r, rq, &ask);
	else
		call_expect(r, rq, &ask);
}

static void serve(struct router *r, struct net_request *rq, const struct target *t,
                  const struct store_key *key)
{
	switch (t->name) {
	case ROUTE_HEALTH:
		healthz(r, rq);
		break;
	case ROUTE_MODELS:
		models_list(r, rq, key);
		break;
	case ROUTE_MODEL:
		models_show(r, rq, key, t->tail);
		break;
	case ROUTE_RECEIPT:
		task_receipt(r, rq, key, t->tail);
		break;
	case ROUTE_CHAT:
	case ROUTE_RESPONSES:
	case ROUTE_MESSAGES:
	case ROUTE_COUNT_TOKENS:
		expect_call(r, rq, t, key);
		break;
	case ROUTE_ALIAS_MODELS:
		models_list_alias(r, rq, key, t->alias);
		break;
	case ROUTE_COUNT:
		break;
	}
}

/* Codex tries a WebSocket first and falls back when it is told what to use. */
static bool refuse_upgrade(struct net_request *rq, const struct target *t)
{
	static const struct net_header h[] = { { STR_INIT("Content-Type"),
		                                 STR_INIT("application/json") },
		                               { STR_INIT("Upgrade"), STR_INIT("HTTP/1.1") } };
	struct failure f = { .code = ERR_UNSUPPORTED,
		             .text = "no WebSocket here: send POST and read server-sent events" };
	OWN_BUF struct buf body = buf_make(1024);

	if (t->name != ROUTE_RESPONSES || !net_request_header(rq, "upgrade").p)
		return false;
	failure_put(&f, DIALECT_OPENAI, NULL, &body);
	net_reply(rq, 426, h, 2, buf_str(&body));
	return true;
}

static void on_head(void *data, struct net_request *rq)
{
	struct router *r = data;
	struct target t = { .name = ROUTE_COUNT };
	const struct store_key *key = NULL;
	struct err err = { 0 };

	if (web_head(r, rq) || api_head(r, rq))
		return;
	if (!match(r, net_request_path(rq), &t)) {
		(void)err_set(&err, ERR_NOT_FOUND,
		              "no such route; see the README for those there are");
		reply_err(rq, DIALECT_OPENAI, &err);
		return;
	}
	enum dialect dialect = dialect_of(&t);
	if (refuse_upgrade(rq, &t))
		return;
	if (!str_eq(net_request_method(rq), str_of(routes[t.name].method))) {
		refuse_method(rq, &routes[t.name]);
		return;
	}
	if (routes[t.name].needs_key) {
		struct str text = credential(rq);
		if (!text.p)
			(void)err_set(
				&err, ERR_UNAUTHORIZED,
				"no key: send a router key as 'Authorization: Bearer' or 'x-api-key'");
		else
			key = store_live_key(r->options.live, text, env_now_ms(r->options.env),
			                     &err);
		if (!key) {
			reply_err(rq, dialect, &err);
			return;
		}
	}
	serve(r, rq, &t, key);
}

static void on_body(void *data, struct net_request *rq)
{
	struct party *p = net_request_data(rq);

	(void)data; /* the party knows its router */
	p->events->body(p, rq);
}

static void on_gone(void *data, struct net_request *rq)
{
	struct party *p = net_request_data(rq);

	(void)data;
	if (p)
		p->events->gone(p);
}

static void on_drained(void *data, struct net_request *rq)
{
	struct party *p = net_request_data(rq);

	(void)data;
	if (p && p->events->drained)
		p->events->drained(p);
}

static const struct net_handler handler = { on_head, on_body, on_gone, on_drained };

/* ---- Life ---- */

static char *join(const char *a, const char *b)
{
	struct buf out = buf_make(4096);

	buf_add_z(&out, a);
	buf_add_z(&out, b);
	return buf_steal(&out);
}

static bool make_public_url(struct router *r, struct err *err)
{
	const char *url = r->options.public_url;

	r->public_url =
		url && url[0] ? join(url, "") : join("http://", net_server_address(r->server));
	return r->public_url || err_no_memory(err);
}

/* The authority of a URL: what stands in a Host field. */
static const char *authority(const char *url)
{
	const char *at = url ? strstr(url, "://") : NULL;

	return at ? at + 3 : NULL;
}

struct router *router_new(const struct router_options *options, struct err *err)
{
	struct router *r = calloc(1, sizeof *r);
	struct router_terms terms = { .models = options->models };

	if (!r) {
		(void)err_no_memory(err);
		return NULL;
	}
	r->options = *options;
	r->started_ms = env_now_ms(options->env);
	memcpy(terms.upstreams, options->upstreams, sizeof terms.upstreams);
	r->client = net_client_new(options->loop, err);
	r->terms = terms_new(&terms, err);
	if (!r->client || !r->terms)
		goto failed;
	struct net_server_options so = router_limits_listener(&options->limits);
	so.listen = options->listen;
	so.public_host = authority(options->public_url);
	r->server = net_server_new(options->loop, &so, &handler, r, err);
	if (!r->server || !make_public_url(r, err))
		goto failed;
	return r;
failed:
	router_free(r);
	return NULL;
}

void router_free(struct router *r)
{
	if (!r)
		return;
	net_server_free(r->server);
	api_streams_cut(r);
	call_cut_all(r);
	net_client_free(r->client);
	terms_drop(r->terms);
	free(r->public_url);
	free(r->reload_problem);
	buf_done(&r->verified);
	free(r);
}

const char *router_public_url(const struct router *r)
{
	return r->public_url;
}

const char *router_address(const struct router *r)
{
	return net_server_address(r->server);
}

void router_drain(struct router *r)
{
	net_server_drain(r->server);
	api_streams_end(r);
}

bool router_idle(const struct router *r)
{
	return r->call_count == 0 && r->task_count == 0 && net_server_active(r->server) == 0;
}
