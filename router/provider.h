/* SPDX-License-Identifier: Apache-2.0 */
/* A provider is one const struct of functions in a file of its own, and one line in the table of
 * provider.c. It knows its wire format; it knows nothing of money, holds or sockets.
 *
 * A call whose client speaks the provider's own protocol is native: its bytes pass, changed by
 * `body` where metering, pricing or credentials force it. Any other is translated: `write` makes
 * the request of a talk, and the source reads the answer (router/talk.h). */
#ifndef ROUTER_PROVIDER_H
#define ROUTER_PROVIDER_H

#include <stdbool.h>

#include "base/err.h"
#include "net/net.h"
#include "router/ask.h"
#include "router/dialect.h"
#include "router/meter.h"
#include "router/talk.h"

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
	enum dialect native; /* the protocol that passes; DIALECT_COUNT: every call is translated */
	bool eof_ends;       /* a stream ends with its connection, without a last event */
	/* Where a request goes. `model` is the upstream's id. */
	void (*url)(const char *base, struct str model, bool stream, struct buf *out);
	/* Native: refuses what cannot be honoured or priced. ERR_INVALID_ARGUMENT, ERR_UNSUPPORTED.
	 */
	bool (*check)(const struct ask *ask, struct err *err);
	/* Native: the upstream's body. */
	void (*body)(const struct ask *ask, struct str upstream_model,
	             const struct provider_buyer *buyer, struct buf *out);
	/* Translated: the upstream's body. */
	bool (*write)(const struct talk *t, const struct talk_target *to, struct json_out *out,
	              struct err *err);
	/* Fields for the upstream; `rq` is NULL for a translated call, whose client's fields mean
	 * nothing there. `authorization` is scratch for a value made here. Returns how many. */
	size_t (*headers)(const struct net_request *rq, const char *key, struct buf *authorization,
	                  struct net_header out[PROVIDER_HEADERS_MAX]);
	/* Meters a whole answer. */
	void (*answer)(struct meter *m, struct str body);
	/* Meters one event and says what becomes of it. `wants_usage`: usage in the stream passes.
	 * With EVENT_PASS and a non-empty `put`, that is sent instead. */
	enum event_fate (*event)(struct meter *m, const struct net_sse_event *event,
	                         bool wants_usage, struct buf *put);
	enum upstream_fault (*fault)(int status, struct str body);
	talk_source_event_fn *source_event;
	talk_source_answer_fn *source_answer;
	/* With eof_ends: the events that the end of the connection means. */
	bool (*source_eof)(struct talk_source *s, talk_event_fn *fn, void *data);
};

extern const struct router_provider router_provider_openai;
extern const struct router_provider router_provider_openai_responses;
extern const struct router_provider router_provider_anthropic;
extern const struct router_provider router_provider_google;
extern const struct router_provider router_provider_kimi;

/* How a call of that protocol reaches the provider: natively where it can. DIALECT_COUNT: a call
 * that is translated whatever its client speaks. */
const struct router_provider *router_provider_of(enum provider id, enum dialect dialect);

#endif
