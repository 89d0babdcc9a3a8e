/* SPDX-License-Identifier: Apache-2.0 */
/* One call's life, from the body to the receipt (docs/architecture.md):
 *
 *   NEW ──reserve──> HOLDING ──committed──> SENDING ──first byte──> STREAMING
 *    │                  │                      │                        │
 *    │ refused          │ commit failed        │ answer, error,         │ last event, broken,
 *    │                  │                      │ hang-up                │ hang-up
 *    v                  v                      v                        v
 *   ENDED <──────────────────────────────── SETTLING <──────────────────┘
 *                        committed
 *
 * The upstream request leaves while the hold commits; an answer that arrives meanwhile waits in
 * `early`. Until a byte has left for the client an attempt that fails is replaced by the next offer
 * of the route (attempt.c); that changes no state. The receipt is committed before the last event,
 * or the body of an answer that is not streamed, is released. A client that hangs up changes no
 * state either: the upstream is read on for its usage, for a bounded time. */
#ifndef ROUTER_CALL_H
#define ROUTER_CALL_H

#include "router/breaker.h"
#include "router/internal.h"

enum call_state {
	CALL_NEW,
	CALL_HOLDING,
	CALL_SENDING,
	CALL_STREAMING,
	CALL_SETTLING,
	CALL_ENDED,
	CALL_STATE_COUNT
};

/* What the client gets when the end is committed. */
enum call_answer {
	ANSWER_NOTHING, /* it is gone, or has been answered */
	ANSWER_BODY,    /* status and `answer` */
	ANSWER_STREAM,  /* `last`, then the end of the stream */
	ANSWER_FAILURE  /* `failure` */
};

#define CALL_OFFERS_MAX 8   /* of a route that one call looks at */
#define CALL_ATTEMPTS_MAX 4 /* and that it tries */
#define CALL_ATTEMPTS_TEXT 4096

/* One try at one upstream; begun anew for each. */
struct attempt {
	const struct store_offer *offer;
	const struct router_provider *provider;
	struct breaker *breaker;
	bool translated;
	bool streaming;   /* the upstream answers with events */
	bool first_error; /* its first event was an error */
	bool stale;       /* a kept connection closed under the request: nothing was answered */
	int status;
	char type[64]; /* Content-Type of the answer */
	char retry_after[32];
	int64_t started_us;
	struct meter meter;
	struct net_sse sse;
	struct talk_source source;
	struct talk_sink *sink;
};

struct call {
	struct party party;
	struct router *r;
	struct call *next, **link;
	struct net_request *rq; /* NULL: the client is gone or has been answered */
	struct net_exchange *x; /* NULL: not started, or ended */
	struct call_ask ask;
	enum call_state state;

	struct buf body;  /* as the client sent it */
	struct ask facts; /* of `body` */
	bool wants_usage;
	const struct store_model *asked, *model; /* as named; what serves it */
	const struct store_offer *offers[CALL_OFFERS_MAX];
	size_t offer_count, offer_next, attempts, stale_retries;
	int64_t wait_ms; /* until the first of the offers that were left alone may be tried; 0: none
	                  */
	struct attempt attempt;
	struct json_out tries; /* JSON array of the attempts that are over */
	struct talk talk;      /* of `body`, read for the first translated attempt */
	bool talk_known;

	struct buf sent;   /* as the upstream gets it */
	struct buf early;  /* bytes for the client that came before the hold was committed */
	struct buf answer; /* of an upstream answer that is no stream */
	struct buf last;   /* what is held back until the end is committed */
	bool head_sent;    /* the client has the head of a stream */
	bool sink_ends;    /* a translated stream came to its end: the sink writes it */
	bool paused;
	int64_t drained_bytes; /* read since the client hung up */

	struct bound bound;
	int64_t estimate; /* input tokens */
	struct store_hold hold;
	struct store_call what, used; /* what the hold is for; what answered */
	struct store_outcome outcome;
	struct money charged;
	struct store_job hold_job, mark_job, end_job;
	unsigned jobs; /* of these that are under way */
	bool marking;  /* mark_job is one of them */
	int64_t marked_ms, marked_output;
	bool held; /* the hold is on disk */

	enum call_answer answer_kind;
	struct err failure;
	int failure_status;     /* 0: the code's own */
	const char *end_why;    /* for the log */
	struct net_timer timer; /* draining, then retrying a settlement */
	struct net_timer slow;  /* an upstream that does not begin to answer */
	int64_t created_ms, started_us, first_byte_ms;
	struct stats_clock clock;
};

void call_move(struct call *c, enum call_state to);
bool call_may_end(const struct call *c); /* it has a hold and its end has not begun */
void call_free_if_done(struct call *c);

/* attempt.c: which upstream, and the next one. */
/* Orders the route's offers for the model. ERR_NOT_FOUND if it has none. */
bool call_choose(struct call *c, struct err *err);
/* Makes the first attempt's request. ERR_INVALID_ARGUMENT, ERR_UNSUPPORTED: the caller's mistake;
 * ERR_UNAVAILABLE: every upstream is cooling down. */
bool call_prepare(struct call *c, struct err *err);
/* Sends what was prepared; a failure to is an attempt that failed. */
void call_send(struct call *c);
/* The running attempt is over without an answer: the next offer, or the end of the call. */
void call_attempt_failed(struct call *c, const struct failure *f, const char *why);
/* Writes the running attempt to `tries`. */
void call_note_attempt(struct call *c, const char *result, const char *why);
void call_describe(const struct call *c, const struct store_offer *offer, struct store_call *out);
void call_attempt_done(struct attempt *a); /* frees what it owns */

/* upstream.c: the answer. */
extern const struct net_exchange_events call_exchange_events;
void call_upstream_stop(struct call *c);
void call_emit_early(struct call *c);

/* settle.c: the end. Each begins SETTLING. */
void call_settle(struct call *c, enum call_answer answer); /* bills what the meter says */
void call_release(struct call *c);                         /* nothing produced, nobody waits */
/* ERR_NONE: the upstream's own status and body pass. */
void call_fail(struct call *c, const struct failure *f);
void call_reply_failure(struct call *c);
/* Appends the failure to `last`, as an event of the client's stream. */
void call_put_failure_event(struct call *c, const struct failure *f);

#endif
