/* SPDX-License-Identifier: Apache-2.0 */
/* A connection's life: its states, its one timer, and what the loop tells it. The timer is almost
 * never moved: it is left to fire at an old deadline and then starts again for the rest. */
#include "net/http_server.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"

enum {
	DEADLINE_SLACK_MS = 10 /* how much later than asked is not worth moving the timer */
};

#define TO(state) (1u << (state))

static const unsigned MOVES[] = {
	[CONN_IDLE] = TO(CONN_HEAD) | TO(CONN_CLOSED),
	[CONN_HEAD] = TO(CONN_BODY) | TO(CONN_FLUSHING) | TO(CONN_CLOSED),
	[CONN_BODY] = TO(CONN_WAITING) | TO(CONN_STREAMING) | TO(CONN_FLUSHING) | TO(CONN_CLOSED),
	[CONN_WAITING] = TO(CONN_STREAMING) | TO(CONN_FLUSHING) | TO(CONN_CLOSED),
	[CONN_STREAMING] = TO(CONN_FLUSHING) | TO(CONN_CLOSED),
	[CONN_FLUSHING] = TO(CONN_IDLE) | TO(CONN_DISCARD) | TO(CONN_LINGER) | TO(CONN_CLOSED),
	[CONN_DISCARD] = TO(CONN_IDLE) | TO(CONN_CLOSED),
	[CONN_LINGER] = TO(CONN_CLOSED),
	[CONN_CLOSED] = 0,
};
static_assert(ARRAY_LEN(MOVES) == CONN_STATE_COUNT, "a state has no row");

void net__conn_move(struct http_conn *c, enum conn_state to)
{
	assert((MOVES[c->state] & TO(to)) != 0);
	c->state = to;
}

/* ---- Deadlines ---- */

void net__conn_deadline(struct http_conn *c, int64_t delay_ms)
{
	if (delay_ms == 0) {
		c->deadline_ms = 0;
		return;
	}
	c->deadline_ms = net_loop_now_ms(c->server->loop) + delay_ms;
	if (!net_timer_runs(&c->timer) || c->timer.due_ms > c->deadline_ms + DEADLINE_SLACK_MS)
		net_timer_start(&c->timer, delay_ms);
}

static void expire(struct http_conn *c)
{
	switch (c->state) {
	case CONN_HEAD:
		net__conn_refuse(c, (struct http_fault){ 408, "the request's head took too long" });
		return;
	case CONN_BODY:
		net__conn_refuse(c, (struct http_fault){ 408, "the request's body took too long" });
		return;
	case CONN_WAITING:
	case CONN_STREAMING:
	case CONN_FLUSHING:
		net__conn_lost(c);
		return;
	case CONN_IDLE:
	case CONN_DISCARD:
	case CONN_LINGER:
		net__conn_close(c);
		return;
	case CONN_CLOSED:
	case CONN_STATE_COUNT:
		return;
	}
}

static void on_timer(void *data)
{
	struct http_conn *c = data;
	if (c->deadline_ms == 0)
		return;
	int64_t left = c->deadline_ms - net_loop_now_ms(c->server->loop);
	if (left > 0)
		net_timer_start(&c->timer, left);
	else
		expire(c);
}

/* ---- Events ---- */

void net__conn_watch(struct http_conn *c)
{
	unsigned events = net__queue_len(&c->out) > 0 ? NET_WRITE : 0;
	switch (c->state) {
	case CONN_IDLE:
	case CONN_HEAD:
	case CONN_BODY:
	case CONN_DISCARD:
	case CONN_LINGER:
		events |= NET_READ | NET_HANGUP;
		break;
	case CONN_WAITING:
	case CONN_STREAMING:
		/* What the client sends now stays in the kernel, but we want to know if it leaves.
		 */
		events |= NET_HANGUP;
		break;
	case CONN_FLUSHING:
		/* A client may have closed its side and still read. */
		break;
	case CONN_CLOSED:
	case CONN_STATE_COUNT:
		return;
	}
	net_watch_set(c->watch, events);
}

/* Tells the handler that the queue has room again. */
static void drained(struct http_conn *c)
{
	const struct net_handler *h = &c->server->handler;
	if (!c->was_high || net__queue_len(&c->out) >= LIMIT_HTTP_OUT_LOW)
		return;
	c->was_high = false;
	if (c->state == CONN_STREAMING && h->drained != NULL)
		h->drained(c->server->data, c->request);
}

static void on_writable(struct http_conn *c)
{
	if (!net__conn_flush(c)) {
		net__conn_lost(c);
		return;
	}
	bool empty = net__queue_len(&c->out) == 0;
	if (empty && c->state == CONN_FLUSHING) {
		net__conn_answered(c);
		return;
	}
	net__conn_watch(c);
	drained(c);
}

static void on_event(void *data, unsigned events)
{
	struct http_conn *c = data;
	if ((events & NET_WRITE) != 0 && net__queue_len(&c->out) > 0)
		on_writable(c);
	switch (c->state) {
	case CONN_IDLE:
	case CONN_HEAD:
	case CONN_BODY:
	case CONN_DISCARD:
	case CONN_LINGER:
		if ((events & (NET_READ | NET_HANGUP)) != 0)
			net__conn_read(c);
		return;
	case CONN_WAITING:
	case CONN_STREAMING:
		if ((events & NET_HANGUP) != 0)
			net__conn_lost(c);
		return;
	case CONN_FLUSHING:
	case CONN_CLOSED:
	case CONN_STATE_COUNT:
		return;
	}
}

static void on_resume(void *data)
{
	struct http_conn *c = data;
	if (c->broken)
		net__conn_lost(c);
	else
		net__conn_advance(c);
}

/* ---- Beginning and end ---- */

bool net__conn_open(struct net_server *s, int fd, const struct net_address *from,
                    struct net_peer *peer)
{
	struct http_conn *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return false;
	c->watch = net_watch_new(s->loop, fd, NET_READ | NET_HANGUP, on_event, c, NULL);
	if (c->watch == NULL) {
		free(c);
		return false;
	}
	c->server = s;
	c->fd = fd;
	c->peer = peer;
	c->in = buf_make(s->options.head_max + 2 * (size_t)HTTP_READ_STEP);
	c->out = net__queue_make(LIMIT_HTTP_OUT_MAX);
	c->resume = (struct net_task){ .fn = on_resume, .data = c };
	net_timer_init(&c->timer, s->loop, on_timer, c);
	net__address_format_host(from, c->peer_text);
	c->next = s->conns;
	if (c->next != NULL)
		c->next->prev = c;
	s->conns = c;
	s->conn_count++;
	net__conn_deadline(c, s->options.head_ms);
	return true;
}

static void unlink_conn(struct http_conn *c)
{
	struct net_server *s = c->server;
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		s->conns = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	s->conn_count--;
	net__peers_leave(&s->peers, c->peer);
}

void net__conn_close(struct http_conn *c)
{
	struct net_loop *loop = c->server->loop;
	if (c->request != NULL)
		net__request_return(c);
	net__conn_move(c, CONN_CLOSED);
	unlink_conn(c);
	net_timer_stop(&c->timer);
	net__task_cancel(loop, &c->resume);
	net_watch_free(c->watch);
	(void)close(c->fd); /* nobody is left who could be told */
	buf_done(&c->in);
	net__queue_done(&c->out);
	net__loop_bury(loop, &c->corpse);
}

void net__conn_lost(struct http_conn *c)
{
	if (c->request != NULL && c->server->handler.gone != NULL)
		c->server->handler.gone(c->server->data, c->request);
	if (c->state != CONN_CLOSED)
		net__conn_close(c);
}

/* ---- After an answer ---- */

static void say_goodbye(struct http_conn *c)
{
	if (c->aborted && c->until_close) {
		/* Only a reset tells an HTTP/1.0 client that this was not the end. */
		struct linger reset = { .l_onoff = 1, .l_linger = 0 };
		(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	}
	bool unheard = c->linger || c->in.len > 0 || net__conn_body_unread(c) > 0;
	if (c->aborted || !unheard || shutdown(c->fd, SHUT_WR) != 0) {
		net__conn_close(c);
		return;
	}
	/* Closing with bytes unread would reset the connection, and the answer might be lost. */
	net__conn_move(c, CONN_LINGER);
	buf_done(&c->in);
	net__conn_deadline(c, HTTP_LINGER_MS);
	net__conn_watch(c);
}

void net__conn_answered(struct http_conn *c)
{
	const struct net_server_options *o = &c->server->options;
	if (c->close || c->server->draining) {
		say_goodbye(c);
		return;
	}
	if (net__conn_body_unread(c) > 0) {
		net__conn_move(c, CONN_DISCARD);
		net__conn_deadline(c, o->body_idle_ms);
	} else {
		net__conn_move(c, CONN_IDLE);
		net__conn_deadline(c, o->keep_alive_ms);
	}
	net__conn_watch(c);
	/* Not now: this may be inside a call of the handler. */
	if (c->in.len > 0)
		net__task_post(c->server->loop, &c->resume);
}

void net__conn_finish(struct http_conn *c)
{
	if (c->broken)
		net__conn_close(c);
	else if (net__queue_len(&c->out) == 0)
		net__conn_answered(c);
	else
		net__conn_watch(c);
}
