/* SPDX-License-Identifier: Apache-2.0 */
/* One call's life, from the body to the receipt (DESIGN in docs/architecture.md):
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
 * `early`. The receipt is committed before the last event, or the body of an answer that is not
 * streamed, is released. A client that hangs up changes no state: the upstream is read on for its
 * usage, for a bounded time. */
#ifndef ROUTER_CALL_H
#define ROUTER_CALL_H

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

struct call {
	struct party party;
	struct router *r;
	struct call *next, **link;
	struct net_request *rq; /* NULL: the client is gone or has been answered */
	struct net_exchange *x; /* NULL: not started, or ended */
	struct call_ask ask;
	const struct router_provider *provider;
	const struct store_model *model;
	enum call_state state;

	struct buf body;   /* as the client sent it */
	struct buf sent;   /* as the upstream gets it */
	struct buf early;  /* bytes for the client that came before the hold was committed */
	struct buf answer; /* of an upstream answer that is no stream */
	struct buf last;   /* what is held back until the end is committed */
	struct net_sse sse;
	struct meter meter;
	struct bound bound;
	bool stream_asked, wants_usage;
	bool streaming; /* the upstream answers with events */
	bool head_sent; /* the client has the head of a stream */
	bool paused;
	bool drain_over;
	int upstream_status;
	char upstream_type[64]; /* Content-Type of the answer */
	char retry_after[32];
	int64_t estimate; /* input tokens */

	struct store_hold hold;
	struct store_call what;
	struct store_outcome outcome;
	struct money charged;
	struct store_job hold_job, mark_job, end_job;
	unsigned jobs; /* of these that are under way */
	bool held;     /* the hold is on disk */

	enum call_answer answer_kind;
	struct err failure;
	int failure_status;     /* 0: the code's own */
	char attempts[512];     /* JSON */
	const char *end_why;    /* for the log */
	struct net_timer timer; /* draining, then retrying a settlement */
	int64_t created_ms, started_us, first_byte_ms;
};

void call_move(struct call *c, enum call_state to);
bool call_may_end(const struct call *c); /* it has a hold and its end has not begun */

/* upstream.c: asks the provider and reads its answer. */
bool call_upstream_start(struct call *c, const struct ask *ask, struct err *err);
void call_upstream_stop(struct call *c);
void call_emit(struct call *c, struct str bytes); /* to the client, or to `early` */
void call_emit_early(struct call *c);
void call_pause_if_full(struct call *c);

/* settle.c: the end. Each begins SETTLING. */
void call_settle(struct call *c, enum call_answer answer); /* bills what the meter says */
void call_release(struct call *c);                         /* nothing produced, nobody waits */
void call_fail(struct call *c, enum err_code code, int status, const char *text);
void call_free_if_done(struct call *c);
void call_reply_failure(struct call *c);

#endif
