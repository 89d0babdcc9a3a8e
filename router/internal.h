/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share: the router itself and the two things that it starts for a
 * request, a call (costs money) or a task (asks the store). */
#ifndef ROUTER_INTERNAL_H
#define ROUTER_INTERNAL_H

#include "router/breaker.h"
#include "router/failure.h"
#include "router/provider.h"
#include "router/router.h"
#include "router/stats.h"
#include "router/throttle.h"

struct call;
struct api_stream;

/* Terms as calls use them: counted, so that those of before a reload live until the last call that
 * began with them has ended. Breakers belong to them, because they are known by upstream and model.
 */
struct terms {
	int holders;
	struct store_models *models;
	struct router_upstream upstreams[PROVIDER_COUNT];
	char *urls[PROVIDER_COUNT], *keys[PROVIDER_COUNT]; /* what `upstreams` borrows */
	struct breakers *breakers;
};
MUST_CHECK struct terms *terms_new(const struct router_terms *from, struct err *err);
/* Of the limits, those that the listener keeps. */
struct net_server_options router_limits_listener(const struct router_limits *limits);
struct terms *terms_hold(struct terms *t);
void terms_drop(struct terms *t); /* NULL is fine */

struct router {
	struct router_options options;
	struct net_server *server;
	struct net_client *client;
	char *public_url;
	struct terms *terms; /* for new requests */
	struct sticky sticky;
	struct call *calls; /* all that are not freed */
	size_t call_count, task_count;
	int64_t started_ms;
	int64_t reloaded_ms, reloads; /* reloaded_ms 0: never */
	char *reload_problem;         /* NULL: none */
	struct stats stats;
	struct throttle throttle;
	struct api_stream *streams; /* balances that people watch */
	struct buf verified;        /* the last verification of the books, as JSON, or empty */
};

/* Something that lives as long as a request: what `gone` and `drained` act on. The first member of
 * struct call and struct task. */
struct party {
	const struct party_events *events;
};
struct party_events {
	void (*body)(struct party *p, struct net_request *rq);
	void (*gone)(struct party *p);
	void (*drained)(struct party *p);
};

/* A route that costs money: remembers who asks, until the body is there. Answers the request itself
 * when there is no memory. */
struct call_ask {
	enum dialect dialect;
	const struct store_route *route;
	const struct store_key *key;
	struct terms *terms; /* that the route is of; whoever keeps the ask holds them */
};
void call_expect(struct router *r, struct net_request *rq, const struct call_ask *ask);
void count_expect(struct router *r, struct net_request *rq, const struct call_ask *ask);

/* The model lists (models.c). */
void models_list(struct router *r, struct net_request *rq, const struct store_key *key);
void models_show(struct router *r, struct net_request *rq, const struct store_key *key,
                 struct str id);
void models_list_alias(struct router *r, struct net_request *rq, const struct store_key *key,
                       const struct store_route *route);
void call_cut_all(struct router *r); /* without a settlement: for router_free */

/* Ends the streams of balances, so that they do not keep a draining server. */
void api_streams_end(struct router *r);
void api_streams_cut(struct router *r); /* for router_free */

/* A receipt (task.c): answers `rq` from a job. */
void task_receipt(struct router *r, struct net_request *rq, const struct store_key *key,
                  struct str request_id);

#endif
