/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of the HTTP client share: http_client.c owns the multi handle, its sockets
 * and the order of deliveries; http_exchange.c owns one easy handle, the answer's head and the
 * caller's events. Users' callbacks run only from net__client_turn, never from inside curl: they
 * may start, pause, resume and cancel as they like. */
#ifndef NET_HTTP_EXCHANGE_H
#define NET_HTTP_EXCHANGE_H

#include <curl/curl.h>

#include "net/net.h"

struct net_exchange {
	struct net_client *client;
	struct net_exchange *next, **link; /* the client's list of what runs, or its free list */
	struct net_exchange *ready_next;
	struct net_exchange_events events;
	void *data;

	CURL *easy;
	struct curl_slist *fields; /* of the request: holds the provider's key, wiped when freed */
	char error[CURL_ERROR_SIZE];
	const char *why; /* set by us before curl's own words apply; NULL otherwise */

	struct buf head;  /* fields of the final answer, as they came */
	size_t head_seen; /* bytes of all heads, with those of 1xx answers */
	struct net_header *headers;
	size_t header_count, header_cap;
	int status;

	struct buf body; /* what curl gave and the caller has not got yet */

	struct net_timer idle;
	int64_t idle_ms, active_ms;
	curl_off_t uploaded; /* at the last look, to see that a long request is still leaving */
	unsigned sends;      /* how often curl began to send the request */
	enum net_end end;

	bool idempotent;    /* curl may send it again by itself */
	bool head_complete; /* and not of a 1xx */
	bool head_told;
	bool paused;  /* by the caller */
	bool stalled; /* curl holds bytes back until curl_easy_pause */
	bool ended;   /* `end` and `why` are set, `done` is due */
	bool gone;    /* cancelled or done: no more callbacks */
	bool queued;  /* in the client's ready list */
};

/* ---- http_client.c ---- */

CURLM *net__client_multi(struct net_client *c);
struct net_loop *net__client_loop(struct net_client *c);
/* Sockets of the exchange's connections are made and closed by the client. */
void net__client_own_sockets(struct net_client *c, CURL *easy);
/* The exchange has something to deliver; it happens in the turn that runs, or in the next one. */
void net__client_queue(struct net_client *c, struct net_exchange *x);
void net__client_wake(struct net_client *c);
/* Delivers all that is queued and buries what has ended. Ends by freeing a freed client. */
void net__client_turn(struct net_client *c);
struct net_exchange *net__client_take_free(struct net_client *c);
void net__client_adopt(struct net_client *c, struct net_exchange *x);
/* The exchange is detached from curl; keeps its handle for another one, after the turn. */
void net__client_retire(struct net_client *c, struct net_exchange *x);

/* ---- http_exchange.c ---- */

struct net_exchange *net__exchange_new(struct net_client *c, struct err *err);
void net__exchange_free(struct net_exchange *x);
/* Takes the handle out of curl and wipes what the request held; the answer stays readable. */
void net__exchange_reset(struct net_exchange *x);
/* Forgets the answer, for the next exchange; the handle and small buffers stay. */
void net__exchange_clear(struct net_exchange *x);
/* Curl's verdict; `done` follows by delivery. */
void net__exchange_ended(struct net_exchange *x, CURLcode result);
/* Gives the caller what is there: head, then bytes, then the end. */
void net__exchange_deliver(struct net_exchange *x);

#endif
