/* SPDX-License-Identifier: Apache-2.0 */
/* From received bytes to calls of the handler. The buffer that a head arrived in is handed to the
 * request and comes back when it ends, so the head is never copied and never moves. A body of known
 * length is received straight into its own buffer. */
#include "net/http_server.h"

#include <errno.h>

#include "base/limits.h"

/* ---- Receiving ---- */

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

enum received {
	RECEIVED_SOME,
	RECEIVED_NOTHING,
	RECEIVED_END /* closed or failed */
};

static enum received receive(struct http_conn *c, struct buf *to, size_t most)
{
	char *room = buf_reserve(to, most);
	if (room == NULL)
		return RECEIVED_END;
	ssize_t n = recv(c->fd, room, most, 0);
	if (n > 0) {
		buf_grew(to, (size_t)n);
		return RECEIVED_SOME;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return RECEIVED_NOTHING;
	return RECEIVED_END;
}

static bool is_direct_body(const struct http_conn *c)
{
	return c->state == CONN_BODY && c->framing == HTTP_LENGTH && c->in.len == 0;
}

static enum received receive_body(struct http_conn *c)
{
	struct buf *body = &c->request->body;
	size_t before = body->len;
	enum received r = receive(c, body, (size_t)least(c->body_left, HTTP_BODY_STEP));
	c->body_left -= body->len - before;
	return r;
}

static enum received receive_in(struct http_conn *c)
{
	size_t spare = c->in.cap > c->in.len ? c->in.cap - c->in.len - 1 : 0;
	if (c->in.max - c->in.len < HTTP_READ_STEP)
		return RECEIVED_NOTHING; /* pipelined requests wait for their turn */
	return receive(c, &c->in, spare >= HTTP_READ_STEP / 4 ? spare : HTTP_READ_STEP);
}

static void read_and_forget(struct http_conn *c)
{
	char bytes[16 << 10];
	ssize_t n = recv(c->fd, bytes, sizeof(bytes), 0);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		net__conn_close(c);
}

void net__conn_read(struct http_conn *c)
{
	if (c->state == CONN_LINGER) {
		read_and_forget(c);
		return;
	}
	switch (is_direct_body(c) ? receive_body(c) : receive_in(c)) {
	case RECEIVED_SOME:
		net__conn_advance(c);
		return;
	case RECEIVED_NOTHING:
		return;
	case RECEIVED_END:
		net__conn_lost(c);
		return;
	}
}

/* ---- Refusing ---- */

void net__conn_refuse(struct http_conn *c, struct http_fault fault)
{
	struct net_server *s = c->server;
	if (c->request != NULL && s->handler.gone != NULL)
		s->handler.gone(s->data, c->request);
	if (c->state == CONN_CLOSED)
		return;
	if (c->request != NULL)
		net__request_return(c);
	c->close = true;
	c->linger = true;
	net__conn_move(c, CONN_FLUSHING);
	net__conn_answer_fault(c, fault);
	net__conn_finish(c);
}

/* ---- The head ---- */

/* The contract's Host and Origin, and what can be said of the body before it comes. */
static bool is_acceptable(const struct http_conn *c, const struct http_head *head,
                          struct http_fault *fault)
{
	const struct net_server *s = c->server;
	if (head->host.p != NULL && !net__hosts_allow(&s->hosts, head->host, c->fd)) {
		*fault = (struct http_fault){ 403, "the Host does not name this server" };
		return false;
	}
	if (head->origin.p != NULL && !net__hosts_allow_origin(&s->hosts, head->origin, c->fd)) {
		*fault = (struct http_fault){ 403, "requests from other origins are refused" };
		return false;
	}
	if (head->framing == HTTP_LENGTH && head->length > s->options.body_max) {
		*fault = (struct http_fault){ 413, "the request body is too large" };
		return false;
	}
	return true;
}

/* Gives the buffer with the head to the request. Returns what came after the head. */
static struct str hand_over(struct http_conn *c, struct net_request *rq)
{
	struct buf spare = rq->text;
	spare.max = c->in.max;
	rq->text = c->in;
	c->in = spare;
	buf_reset(&c->in);
	struct str all = buf_str(&rq->text);
	return (struct str){ all.p + c->scan.end, all.len - c->scan.end };
}

static void start_body(struct http_conn *c, const struct http_head *head, struct str rest)
{
	c->framing = head->framing;
	c->body_left = head->length;
	c->chunks = (struct http_chunks){ 0 };
	if (c->framing == HTTP_LENGTH) {
		size_t n = (size_t)least(c->body_left, rest.len);
		buf_add(&c->request->body, (struct str){ rest.p, n });
		c->body_left -= n;
		rest = (struct str){ rest.p + n, rest.len - n };
	}
	buf_add(&c->in, rest);
}

static void reset_answer(struct http_conn *c, const struct http_head *head)
{
	c->close = head->is_1_0 || head->wants_close;
	c->until_close = head->is_1_0;
	c->head_only = str_eq(head->method, STR("HEAD"));
	c->linger = false;
	c->aborted = false;
	c->was_high = false;
}

/* RFC 9110, 10.1.1: the handler wants the body, and the client waits to hear that. */
static void send_continue(struct http_conn *c)
{
	struct str line = STR("HTTP/1.1 100 Continue\r\n\r\n");
	net__conn_send(c, &line, 1);
}

static bool is_waiting_for_continue(const struct http_conn *c)
{
	return c->state == CONN_BODY && c->request->head.expects_continue && c->in.len == 0 &&
	       c->request->body.len == 0;
}

static void begin_request(struct http_conn *c)
{
	struct net_request *rq = net__request_lend(c);
	if (rq == NULL) {
		net__conn_close(c);
		return;
	}
	struct http_fault fault = { 0 };
	struct str rest = hand_over(c, rq);
	struct str head = { rq->text.p + c->scan.start, c->scan.end - c->scan.start };
	bool ok = net__head_parse(head, &rq->head, &fault);
	reset_answer(c, &rq->head);
	if (!ok || !is_acceptable(c, &rq->head, &fault)) {
		/* The handler has not seen it, so it need not hear of its end. */
		net__request_return(c);
		net__conn_refuse(c, fault);
		return;
	}
	start_body(c, &rq->head, rest);
	net__conn_move(c, CONN_BODY);
	net__conn_deadline(c, c->server->options.body_idle_ms);
	c->server->handler.head(c->server->data, rq);
	if (is_waiting_for_continue(c))
		send_continue(c);
}

/* True if there may be more to do. */
static bool take_head(struct http_conn *c)
{
	struct http_fault fault = { 0 };
	bool first = c->state == CONN_IDLE;
	if (c->in.len == 0)
		return false;
	if (first) {
		c->scan = (struct http_scan){ 0 };
		c->head_only = false;
		net__conn_move(c, CONN_HEAD);
	}
	switch (net__head_scan(&c->scan, buf_str(&c->in), c->server->options.head_max, &fault)) {
	case HTTP_MORE:
		/* One deadline for the whole head, whatever trickles in. */
		if (first)
			net__conn_deadline(c, c->server->options.head_ms);
		return false;
	case HTTP_BAD:
		net__conn_refuse(c, fault);
		return false;
	case HTTP_DONE:
		begin_request(c);
		return true;
	}
	return false;
}

/* ---- The body ---- */

uint64_t net__conn_body_unread(const struct http_conn *c)
{
	switch (c->framing) {
	case HTTP_NO_BODY:
		return 0;
	case HTTP_LENGTH:
		return c->body_left;
	case HTTP_CHUNKED:
		return c->chunks.state == CHUNK_END ? 0 : UINT64_MAX;
	}
	return 0;
}

/* Moves what is in `in` to the body. False with `fault`. */
static bool fill_body(struct http_conn *c, struct http_fault *fault)
{
	struct buf *body = &c->request->body;
	size_t used = 0;
	enum http_progress p = HTTP_MORE;
	if (c->framing == HTTP_CHUNKED) {
		p = net__chunks_feed(&c->chunks, buf_str(&c->in), &used, body, fault);
	} else {
		used = (size_t)least(c->body_left, c->in.len);
		buf_add(body, (struct str){ c->in.p, used });
		c->body_left -= used;
	}
	buf_consume(&c->in, used);
	if (p != HTTP_BAD && body->failed) {
		*fault = (struct http_fault){ 500, "out of memory" };
		return false;
	}
	return p != HTTP_BAD;
}

static bool take_body(struct http_conn *c)
{
	struct http_fault fault = { 0 };
	if (c->in.len > 0 && !fill_body(c, &fault)) {
		net__conn_refuse(c, fault);
		return false;
	}
	if (net__conn_body_unread(c) > 0) {
		net__conn_deadline(c, c->server->options.body_idle_ms);
		return false;
	}
	net__conn_move(c, CONN_WAITING);
	net__conn_deadline(c, 0);
	net__conn_watch(c);
	c->server->handler.body(c->server->data, c->request);
	return true;
}

/* Only bodies of known length are skipped: see begin_answer. */
static bool discard_body(struct http_conn *c)
{
	size_t n = (size_t)least(c->body_left, c->in.len);
	buf_consume(&c->in, n);
	c->body_left -= n;
	if (c->body_left > 0)
		return false;
	net__conn_move(c, CONN_IDLE);
	net__conn_deadline(c, c->server->options.keep_alive_ms);
	return true;
}

static bool take_turn(struct http_conn *c)
{
	switch (c->state) {
	case CONN_IDLE:
	case CONN_HEAD:
		return take_head(c);
	case CONN_BODY:
		return take_body(c);
	case CONN_DISCARD:
		return discard_body(c);
	case CONN_WAITING:
	case CONN_STREAMING:
	case CONN_FLUSHING:
	case CONN_LINGER:
	case CONN_CLOSED:
	case CONN_STATE_COUNT:
		return false;
	}
	return false;
}

void net__conn_advance(struct http_conn *c)
{
	/* Each request takes two turns, its head and its body. */
	for (int i = 0; i < 2 * HTTP_TURNS; i++) {
		if (!take_turn(c))
			return;
	}
	net__task_post(c->server->loop, &c->resume);
}
