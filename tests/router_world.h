/* SPDX-License-Identifier: Apache-2.0 */
/* A whole router in one process for the tests: a real store with its worker, a real listener, a
 * client, and an upstream that plays a script over real sockets, all on one loop. */
#ifndef TESTS_ROUTER_WORLD_H
#define TESTS_ROUTER_WORLD_H

#include "router/router.h"
#include "tests/check.h"

/* What the upstream does with a request, by the count of requests so far (from 0). */
struct world;
typedef void upstream_fn(struct world *w, struct net_request *rq, int number);

struct world {
	struct net_loop *loop;
	struct env env;
	struct store *store;
	struct store_worker *worker;
	struct store_models *models;
	struct router *router;
	struct net_client *client;
	struct net_server *upstream;
	upstream_fn *script;
	size_t row;                /* the script's own */
	struct net_server *second; /* another upstream, for routes that have two */
	upstream_fn *second_script;
	int second_requests;
	struct net_request *waiting[128]; /* requests that the script keeps for later */
	int upstream_requests, waiting_count, upstream_gone;
	struct buf upstream_body; /* of the last request */
	char upstream_auth[128], upstream_url[64];
	struct id account, service;
	struct secret key, purchase_key;
	struct id key_id;
};

/* One answer to the client. */
struct got {
	bool ended;
	enum net_end end;
	int status;
	struct buf body;
	char request_id[64], charge[32], type[64], retry[16], retry_after[16];
	int headers_forbidden; /* fields of the shared account that came through */
	struct net_exchange *x;
};

/* `credit_cents`: bought for the router key; 0: no purchase, so no key. */
void world_open(struct world *w, int64_t credit_cents, upstream_fn *script);
/* With a second upstream, and routes of the configuration: JSON in which the texts FIRST and SECOND
 * stand for the addresses of the two ("http://127.0.0.1:…"). */
struct world_routes {
	upstream_fn *second;
	const char *routes;
	struct store_key_limits limits; /* of the router key */
	bool refuse_retired;
};
void world_open_routes(struct world *w, int64_t credit_cents, upstream_fn *script,
                       const struct world_routes *routes);
void world_close(struct world *w); /* also proves that the books add up and no hold is open */

void world_send(struct world *w, struct got *g, const char *method, const char *path,
                const char *key, const char *body);
bool world_wait(struct world *w, const struct got *g); /* until it ended, at most 5 s */
void world_turn(struct world *w, int ms);              /* lets the loop run */
/* Sends and waits. */
struct got world_ask(struct world *w, const char *method, const char *path, const char *key,
                     const char *body);
void got_done(struct got *g);

struct store_balance world_balance(struct world *w);
/* The receipt of a request as text, with the world's key. */
struct got world_receipt(struct world *w, const char *request_id);
/* Until no call runs, at most 5 s. */
bool world_idle(struct world *w);

/* The upstream's words. */
void upstream_json(struct net_request *rq, int status, const char *body);
void upstream_stream(struct net_request *rq);

#endif
