/* SPDX-License-Identifier: Apache-2.0 */
/* The handler and the clients of the listener's tests. */
#include "tests/http_world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/check.h"

enum {
	PATIENCE_MS = 2000
};

static const struct net_header PLAIN = { STR_INIT("Content-Type"), STR_INIT("text/plain") };

static void on_head(void *data, struct net_request *rq)
{
	struct http_world *w = data;
	w->heads++;
	net_request_set_data(rq, w);
	if (w->free_server_on_head) {
		net_server_free(w->server);
		w->server = NULL;
		return;
	}
	if (str_eq(net_request_path(rq), STR("/early")))
		net_reply(rq, 401, &PLAIN, 1, STR("early"));
}

static void on_body(void *data, struct net_request *rq)
{
	struct http_world *w = data;
	struct str path = net_request_path(rq);
	w->bodies++;
	CHECK(net_request_data(rq) == w);
	if (str_eq(path, STR("/hello"))) {
		net_reply(rq, 200, &PLAIN, 1, STR("hello"));
	} else if (str_eq(path, STR("/echo"))) {
		net_reply(rq, 200, &PLAIN, 1, net_request_body(rq));
	} else if (str_eq(path, STR("/stream"))) {
		net_reply_start(rq, 200, &PLAIN, 1);
		w->pending = rq;
	} else if (str_eq(path, STR("/wait"))) {
		w->pending = rq;
	} else {
		net_reply(rq, 404, NULL, 0, STR("no such page"));
	}
}

static void on_gone(void *data, struct net_request *rq)
{
	struct http_world *w = data;
	CHECK(net_request_data(rq) == w);
	w->gone++;
	w->pending = NULL;
}

static void on_drained(void *data, struct net_request *rq)
{
	struct http_world *w = data;
	CHECK(w->pending == rq);
	w->drained++;
}

void http_world_open(struct http_world *w, const struct net_server_options *options)
{
	static const struct net_handler HANDLER = { on_head, on_body, on_gone, on_drained };
	struct net_server_options o = *options;
	struct err err = { 0 };
	*w = (struct http_world){ 0 };
	if (o.listen == NULL)
		o.listen = "127.0.0.1:0";
	w->loop = net_loop_new(&err);
	if (w->loop != NULL)
		w->server = net_server_new(w->loop, &o, &HANDLER, w, &err);
	if (w->server == NULL) {
		CHECK_FAIL("no listener: %s", err.text);
		exit(1);
	}
}

void http_world_close(struct http_world *w)
{
	net_server_free(w->server);
	net_loop_free(w->loop);
}

void http_world_step(struct http_world *w, int timeout_ms)
{
	struct err err = { 0 };
	if (!net_loop_step(w->loop, timeout_ms, &err))
		CHECK_FAIL("step: %s", err.text);
}

void http_world_idle(struct http_world *w, int ms)
{
	http_world_step(w, 0);
	int64_t end = net_loop_now_ms(w->loop) + ms;
	while (net_loop_now_ms(w->loop) < end)
		http_world_step(w, 2);
}

static uint16_t port_of(const struct http_world *w)
{
	int64_t port = 0;
	struct str rest = str_of(strrchr(net_server_address(w->server), ':'));
	if (!str_to_i64((struct str){ rest.p + 1, rest.len - 1 }, &port))
		exit(1);
	return (uint16_t)port;
}

void http_client_open(struct http_client *c, struct http_world *w)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port_of(w)) };
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*c = (struct http_client){ .world = w, .heard = buf_make(256u << 20) };
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&a, sizeof(a)) != 0)
		exit(1);
}

void http_client_close(struct http_client *c)
{
	if (c->fd >= 0)
		CHECK(close(c->fd) == 0);
	c->fd = -1;
	buf_done(&c->heard);
}

void http_client_say(struct http_client *c, struct str bytes)
{
	while (bytes.len > 0) {
		ssize_t n = send(c->fd, bytes.p, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0)
			bytes = (struct str){ bytes.p + n, bytes.len - (size_t)n };
		else if (errno != EAGAIN)
			return; /* closed: what the server said before tells why */
		else
			http_world_step(c->world, 1);
	}
}

void http_client_listen(struct http_client *c)
{
	char bytes[16 << 10];
	ssize_t n;
	while (!c->ended && (n = recv(c->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) != -1) {
		c->ended = n == 0;
		buf_add(&c->heard, (struct str){ bytes, (size_t)n });
	}
	if (!c->ended && errno != EAGAIN)
		c->ended = c->reset = true;
}

/* Forgets what was heard, up to the end of `text`. */
static bool found(struct http_client *c, const char *text)
{
	ptrdiff_t at = str_find(buf_str(&c->heard), str_of(text));
	if (at < 0)
		return false;
	buf_consume(&c->heard, (size_t)at + strlen(text));
	return true;
}

bool http_client_hears(struct http_client *c, const char *text)
{
	int64_t end = net_loop_now_ms(c->world->loop) + PATIENCE_MS;
	for (;;) {
		http_client_listen(c);
		if (found(c, text))
			return true;
		if (c->ended || net_loop_now_ms(c->world->loop) > end) {
			check_note("heard only '%.300s'", c->heard.p != NULL ? c->heard.p : "");
			return false;
		}
		http_world_step(c->world, 2);
	}
}

bool http_client_hears_end(struct http_client *c)
{
	int64_t end = net_loop_now_ms(c->world->loop) + PATIENCE_MS;
	while (!c->ended && net_loop_now_ms(c->world->loop) <= end) {
		http_world_step(c->world, 2);
		http_client_listen(c);
	}
	return c->ended;
}
