/* SPDX-License-Identifier: Apache-2.0 */
/* A provider is one const struct of functions in a file of its own, and one line in the table of
 * provider.c. It knows its wire format; it knows nothing of money, holds or sockets. */
#ifndef ROUTER_PROVIDER_H
#define ROUTER_PROVIDER_H

#include <stdbool.h>

#include "base/err.h"
#include "net/net.h"
#include "router/ask.h"
#include "router/meter.h"

/* What becomes of one event of the upstream's stream. */
enum event_fate {
	EVENT_PASS, /* to the client as it came, or as written to `put` */
	EVENT_DROP, /* the client did not ask for it */
	EVENT_LAST, /* the end of the answer: it leaves when the charge is committed */
	EVENT_ERROR /* the upstream failed in the middle; passes, and ends the answer */
};

/* Why an upstream's error status is what it is. */
enum upstream_fault {
	UPSTREAM_CALLER, /* the caller's request: its words pass */
	UPSTREAM_BUSY,   /* rate limit: our words, with its retry-after */
	UPSTREAM_OURS,   /* our credential, quota or balance there: never shown as the buyer's */
	UPSTREAM_BROKEN  /* it failed: its words and status pass */
};

/* What the buyer's own ids are replaced with: one opaque name for each account. */
struct provider_buyer {
	struct str user; /* a JSON string, quotes included */
};

#define PROVIDER_HEADERS_MAX 8

struct router_provider {
	enum provider id;
	const char *path; /* after the base URL */
	/* Refuses what cannot be honoured or priced. ERR_INVALID_ARGUMENT, ERR_UNSUPPORTED. */
	bool (*check)(const struct ask *ask, struct err *err);
	/* The upstream's body: what metering, pricing and credentials force, all else as it came.
	 */
	void (*body)(const struct ask *ask, struct str upstream_model,
	             const struct provider_buyer *buyer, struct buf *out);
	/* Fields for the upstream; `authorization` is scratch for a value made here. Returns how
	 * many. */
	size_t (*headers)(const struct net_request *rq, const char *key, struct buf *authorization,
	                  struct net_header out[PROVIDER_HEADERS_MAX]);
	/* Meters a whole answer. */
	void (*answer)(struct meter *m, struct str body);
	/* Meters one event and says what becomes of it. `wants_usage`: the client asked for usage
	 * in the stream. With EVENT_PASS and a non-empty `put`, that is sent instead. */
	enum event_fate (*event)(struct meter *m, const struct net_sse_event *event,
	                         bool wants_usage, struct buf *put);
	enum upstream_fault (*fault)(int status, struct str body);
};

extern const struct router_provider router_provider_openai;
extern const struct router_provider router_provider_anthropic;

/* NULL for a provider whose format is not spoken yet. */
const struct router_provider *router_provider_of(enum provider id);

#endif
