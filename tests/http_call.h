/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP exchange of a test: what happened is noted as text ("head 200 data done complete "), so
 * a case compares one line. A plan says what the callbacks do beside noting. */
#ifndef TESTS_HTTP_CALL_H
#define TESTS_HTTP_CALL_H

#include "net/net.h"
#include "tests/raw_server.h"

enum http_plan {
	JUST_READ,
	CANCEL_IN_HEAD,
	CANCEL_IN_DATA,
	FREE_CLIENT_IN_HEAD,
	FREE_CLIENT_IN_DATA,
	FREE_CLIENT_IN_DONE,
	PAUSE_IN_HEAD,
	PAUSE_IN_DATA, /* each time; resumed by http_run() */
	CANCEL_OTHER_IN_HEAD
};

struct http_call {
	struct net_client **client;
	struct net_exchange *x;
	enum http_plan plan;
	struct http_call *other; /* cancelled by CANCEL_OTHER_IN_HEAD */
	const char *next_url;    /* started inside done, once */
	struct net_header extra; /* sent too, if it has a name */
	struct buf log;          /* "head 200 data done complete " */
	struct buf fields;       /* "name=value;" */
	size_t bytes;
	struct buf body; /* the first 64 KiB of the body */
	char why[160];
	int64_t started_ms, head_ms;
	bool over; /* done was called, or it was cancelled */
};

/* One loop and client; each case starts with an empty pool of connections. */
struct http_fixture {
	struct net_loop *loop;
	struct net_client *client;
	struct raw_server server;
	char url[64];
};

void http_setup(struct http_fixture *f, const char *const *script);
void http_setup_client(struct http_fixture *f); /* without a server */
void http_step_for(struct http_fixture *f, int64_t ms);
/* Closes all connections and waits for the script's end. */
void http_hang_up(struct http_fixture *f);
void http_teardown(struct http_fixture *f);

struct http_call http_call_make(struct http_fixture *f, enum http_plan plan);
void http_call_done(struct http_call *c);
/* POST with `body`, or GET if it is absent. False, and the case failed, if it cannot start. */
bool http_start(struct http_call *c, const char *url, struct str body, int64_t idle_ms);
void http_cancel(struct http_call *c);
/* Steps the loop until the call is over; the case fails after ten seconds. */
void http_run(struct http_fixture *f, struct http_call *c);

#endif
