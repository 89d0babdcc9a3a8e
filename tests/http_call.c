/* SPDX-License-Identifier: Apache-2.0 */
/* Exchanges of tests. The data callback looks at its bytes last, after whatever its plan did, so a
 * sanitizer sees bytes that did not outlive the call. */
#include "tests/http_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/check.h"

static const char *const END_NAMES[] = {
	[NET_END_COMPLETE] = "complete", [NET_END_NO_CONNECT] = "no_connect",
	[NET_END_TIMEOUT] = "timeout",   [NET_END_STALE] = "stale",
	[NET_END_BROKEN] = "broken",
};

static int64_t clock_ms(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void http_cancel(struct http_call *c)
{
	buf_add_z(&c->log, "cancel ");
	net_exchange_cancel(c->x);
	c->x = NULL;
	c->over = true;
}

static void free_client(struct http_call *c)
{
	buf_add_z(&c->log, "free ");
	net_client_free(*c->client);
	*c->client = NULL;
	c->over = true;
}

static void on_head(void *data, struct net_exchange *x)
{
	struct http_call *c = data;
	size_t count = 0;
	const struct net_header *h = net_exchange_headers(x, &count);
	c->head_ms = clock_ms() - c->started_ms;
	buf_addf(&c->log, "head %d ", net_exchange_status(x));
	for (size_t i = 0; i < count; i++)
		buf_addf(&c->fields, "%.*s=%.*s;", STR_ARG(h[i].name), STR_ARG(h[i].value));
	if (c->plan == CANCEL_IN_HEAD)
		http_cancel(c);
	if (c->plan == CANCEL_OTHER_IN_HEAD)
		http_cancel(c->other);
	if (c->plan == FREE_CLIENT_IN_HEAD)
		free_client(c);
	if (c->plan == PAUSE_IN_HEAD)
		net_exchange_pause(x);
}

static void on_data(void *data, struct net_exchange *x, struct str bytes)
{
	struct http_call *c = data;
	if (c->bytes == 0)
		buf_add_z(&c->log, "data ");
	c->bytes += bytes.len;
	if (c->plan == CANCEL_IN_DATA)
		http_cancel(c);
	if (c->plan == FREE_CLIENT_IN_DATA)
		free_client(c);
	if (c->plan == PAUSE_IN_DATA)
		net_exchange_pause(x);
	/* The bytes must be ours to the end of the call, whatever was called meanwhile. */
	buf_add(&c->body, bytes);
}

static const struct net_exchange_events EVENTS;

bool http_start(struct http_call *c, const char *url, struct str body, int64_t idle_ms)
{
	const struct net_header headers[] = {
		{ STR_INIT("authorization"), STR_INIT("Bearer sk-secret") },
		{ STR_INIT("x-empty"), STR_INIT("") },
		c->extra,
	};
	struct net_exchange_request rq = {
		.method = body.p != NULL ? "POST" : "GET",
		.url = url,
		.headers = headers,
		.header_count = ARRAY_LEN(headers) - (c->extra.name.p == NULL),
		.body = body,
		.connect_ms = 2000,
		.idle_ms = idle_ms,
	};
	struct err err = { 0 };
	c->over = false;
	c->started_ms = clock_ms();
	c->x = net_exchange_start(*c->client, &rq, &EVENTS, c, &err);
	return CHECK(c->x != NULL);
}

static void on_done(void *data, enum net_end end, const char *why)
{
	struct http_call *c = data;
	buf_addf(&c->log, "done %s ", END_NAMES[end]);
	(void)snprintf(c->why, sizeof(c->why), "%s", why);
	c->x = NULL;
	c->over = true;
	if (c->plan == FREE_CLIENT_IN_DONE)
		free_client(c);
	if (c->next_url != NULL) {
		const char *url = c->next_url;
		c->next_url = NULL;
		CHECK(http_start(c, url, (struct str){ 0 }, 0));
	}
}

static const struct net_exchange_events EVENTS = { on_head, on_data, on_done };

void http_setup_client(struct http_fixture *f)
{
	struct err err = { 0 };
	f->loop = net_loop_new(&err);
	f->client = f->loop != NULL ? net_client_new(f->loop, &err) : NULL;
	if (!CHECK(f->client != NULL))
		abort();
}

void http_setup(struct http_fixture *f, const char *const *script)
{
	raw_server_start(&f->server, script);
	(void)snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%d/v1/x?key=hidden",
	               f->server.port);
	http_setup_client(f);
}

void http_hang_up(struct http_fixture *f)
{
	net_client_free(f->client);
	f->client = NULL;
	raw_server_join(&f->server);
}

void http_teardown(struct http_fixture *f)
{
	net_client_free(f->client);
	net_loop_free(f->loop);
	raw_server_done(&f->server);
}

struct http_call http_call_make(struct http_fixture *f, enum http_plan plan)
{
	return (struct http_call){
		.client = &f->client,
		.plan = plan,
		.log = buf_make(4096),
		.fields = buf_make(65536),
		.body = buf_make(65536),
	};
}

void http_call_done(struct http_call *c)
{
	buf_done(&c->log);
	buf_done(&c->fields);
	buf_done(&c->body);
}

void http_step_for(struct http_fixture *f, int64_t ms)
{
	for (int64_t end = clock_ms() + ms; clock_ms() < end;)
		CHECK(net_loop_step(f->loop, 5, NULL));
}

void http_run(struct http_fixture *f, struct http_call *c)
{
	int64_t give_up = clock_ms() + 10000;
	while (!c->over && CHECK(clock_ms() < give_up)) {
		if (c->plan == PAUSE_IN_DATA && c->x != NULL)
			net_exchange_resume(c->x);
		if (!CHECK(net_loop_step(f->loop, 20, NULL)))
			return;
	}
}
