/* SPDX-License-Identifier: Apache-2.0 */
/* What a router key buys: the HTTP routes of the contract's section 5, and the life of one call
 * (hold, send, stream, settle). Runs on one loop; several routers may run, one per loop, over the
 * same store. Knows nothing of MCP. */
#ifndef ROUTER_ROUTER_H
#define ROUTER_ROUTER_H

#include <stdbool.h>

#include "base/env.h"
#include "base/err.h"
#include "base/json.h"
#include "net/net.h"
#include "store/store.h"

struct router_upstream {
	const char *base_url; /* without a slash at the end */
	const char *key;      /* the operator's credential; "" or NULL: not configured */
};

/* What the configuration's `limits` may change; base/limits.h has the defaults. */
struct router_limits {
	int64_t head_bytes, body_bytes;
	int64_t connections, per_address;
	int64_t head_ms, body_idle_ms, keep_alive_ms, write_stall_ms;
	int64_t upstream_connect_ms, upstream_idle_ms;
	int64_t first_byte_ms; /* a stream that has not begun by then goes to the route's next
	                          upstream, if there is one */
	int64_t drain_ms;      /* reading on for the usage after a client hung up */
};

struct router_limits router_limits_default(void);
/* The section as read from the configuration, NULL for none. ERR_INVALID_ARGUMENT names the member
 * and what is allowed. */
MUST_CHECK bool router_limits_read(const struct json *section, struct router_limits *out,
                                   struct err *err);
/* docs/config.md's table of them. */
void router_limits_put_markdown(struct buf *out);

/* What a reload replaces: models with their prices and routes, the providers' settings, limits. */
struct router_terms {
	struct store_models *models; /* shared by the router while calls use it */
	struct router_upstream upstreams[PROVIDER_COUNT]; /* texts are copied */
	struct router_limits limits;
};

struct router_options {
	struct net_loop *loop;
	const struct env *env;
	struct store_worker *worker;
	struct store_live *live;
	struct store_models *models; /* see router_terms, likewise upstreams */
	struct router_upstream upstreams[PROVIDER_COUNT];
	const char *admin_token; /* NULL or "": no admin routes */
	const char *listen;      /* "127.0.0.1:8787" */
	const char *public_url;  /* or NULL: http:// and the listen address */
	struct router_limits limits;
};

struct router;

/* Binds the listener and serves. ERR_UNAVAILABLE if the port is taken. Texts of the options are
 * borrowed for the router's life. */
MUST_CHECK struct router *router_new(const struct router_options *options, struct err *err);
/* Cuts what runs; its holds are ended by the crash rule at the next start. Only when the router is
 * idle, or when the worker has stopped and the loop will not run again: jobs hold pointers to
 * calls. */
void router_free(struct router *r);
/* The prefix of every URL handed out, "http://127.0.0.1:8787". Borrowed. */
const char *router_public_url(const struct router *r);
const char *router_address(const struct router *r);
/* New requests go by these terms; those that run end by the ones that they began with. On failure
 * nothing changes. */
MUST_CHECK bool router_reload(struct router *r, const struct router_terms *terms, struct err *err);
/* Why the last reload was refused, for those who look; NULL: it was not. Copied. */
void router_note_reload(struct router *r, const char *problem);
/* Stops accepting; running calls go on. */
void router_drain(struct router *r);
/* No call runs and no settlement is under way. */
bool router_idle(const struct router *r);
/* Appends members to the open object: address, uptimeMs, requestsInFlight, and each circuit breaker
 * that an upstream has got. On the loop's thread. */
void router_put_status(const struct router *r, struct json_out *out);

#endif
