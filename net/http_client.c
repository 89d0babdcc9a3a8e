/* SPDX-License-Identifier: Apache-2.0 */
/* The client's half that faces curl's multi handle: sockets and timers on the loop, and the turns
 * in which callers hear of what happened. A socket keeps its watch when curl stops asking for it
 * (CURL_POLL_REMOVE), because with keep-alive curl asks again for the next request: the watch then
 * wants nothing, which costs no system call (docs/decisions/0003-libcurl-multi.md). */
#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/http_exchange.h"
#include "net/loop.h"

/* Handles kept for the next exchanges; more than these are freed when they end. */
#define FREE_MAX 256

struct client_socket {
	struct net_client *client;
	int fd;
	struct net_watch *watch; /* NULL until curl first asks for events */
	bool ours;               /* made by open_socket, so close_socket will tell of its end */
};

struct net_client {
	struct net_loop *loop;
	CURLM *multi;
	struct net_timer curl_timer;
	struct net_task turn_task;      /* a turn at the end of the loop's round */
	struct client_socket **sockets; /* by descriptor */
	size_t socket_cap;
	struct net_exchange *running;
	struct net_exchange *free, *retired;
	size_t free_count;
	struct net_exchange *ready, **ready_end;
	bool in_turn;
	bool closing; /* net_client_free was called inside a turn */
	bool global;  /* curl_global_init succeeded */
};

/* ---- Sockets ---- */

static struct client_socket *socket_at(struct net_client *c, int fd)
{
	return fd >= 0 && (size_t)fd < c->socket_cap ? c->sockets[fd] : NULL;
}

static bool socket_room(struct net_client *c, int fd)
{
	size_t cap = c->socket_cap != 0 ? c->socket_cap : 64;
	while (cap <= (size_t)fd)
		cap *= 2;
	if (cap == c->socket_cap)
		return true;
	struct client_socket **grown =
		reallocarray(c->sockets, cap, sizeof(struct client_socket *));
	if (grown == NULL)
		return false;
	for (size_t i = c->socket_cap; i < cap; i++)
		grown[i] = NULL;
	c->sockets = grown;
	c->socket_cap = cap;
	return true;
}

static struct client_socket *socket_add(struct net_client *c, int fd, bool ours)
{
	assert(fd >= 0);
	if (!socket_room(c, fd))
		return NULL;
	assert(c->sockets[fd] == NULL);
	struct client_socket *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->client = c;
	s->fd = fd;
	s->ours = ours;
	c->sockets[fd] = s;
	return s;
}

static void socket_forget(struct net_client *c, int fd)
{
	struct client_socket *s = socket_at(c, fd);
	if (s == NULL)
		return;
	net_watch_free(s->watch);
	c->sockets[fd] = NULL;
	free(s);
}

static void run_curl(struct net_client *c, curl_socket_t fd, int events)
{
	int running = 0;
	(void)curl_multi_socket_action(c->multi, fd, events, &running); /* ends come as messages */
	net__client_turn(c);
}

static void on_socket(void *data, unsigned events)
{
	struct client_socket *s = data;
	int bits = 0;
	if ((events & NET_READ) != 0)
		bits |= CURL_CSELECT_IN;
	if ((events & NET_WRITE) != 0)
		bits |= CURL_CSELECT_OUT;
	run_curl(s->client, s->fd, bits);
}

static void socket_want(struct client_socket *s, unsigned events)
{
	if (s->watch != NULL)
		net_watch_set(s->watch, events);
	else
		s->watch = net_watch_new(s->client->loop, s->fd, events, on_socket, s, NULL);
}

/* CURLMOPT_SOCKETFUNCTION. Never fails: that would end the multi handle for good, where a socket
 * that cannot be watched only costs its exchange, by the silence timer. */
static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *unused)
{
	(void)easy;
	(void)unused;
	struct net_client *c = data;
	struct client_socket *s = socket_at(c, fd);
	if (what == CURL_POLL_REMOVE) {
		if (s != NULL && s->ours)
			socket_want(s, 0);
		else /* the resolver's pipe, which is closed without a word to close_socket */
			socket_forget(c, fd);
		return 0;
	}
	if (s == NULL)
		s = socket_add(c, fd, false);
	if (s == NULL)
		return 0;
	unsigned events = 0;
	if ((what & CURL_POLL_IN) != 0)
		events |= NET_READ;
	if ((what & CURL_POLL_OUT) != 0)
		events |= NET_WRITE;
	socket_want(s, events);
	return 0;
}

static curl_socket_t open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
	(void)purpose;
	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
	                address->protocol);
	if (fd < 0)
		return CURL_SOCKET_BAD;
	if (socket_add(data, fd, true) == NULL) {
		close(fd);
		return CURL_SOCKET_BAD;
	}
	return fd;
}

static int close_socket(void *data, curl_socket_t fd)
{
	socket_forget(data, fd);
	return close(fd);
}

void net__client_own_sockets(struct net_client *c, CURL *easy)
{
	(void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	(void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, c);
	(void)curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
	(void)curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, c);
}

/* ---- Timers ---- */

/* CURLMOPT_TIMERFUNCTION */
static int on_curl_timer(CURLM *multi, long ms, void *data)
{
	(void)multi;
	struct net_client *c = data;
	if (ms < 0)
		net_timer_stop(&c->curl_timer);
	else
		net_timer_start(&c->curl_timer, ms);
	return 0;
}

static void curl_timer_fired(void *data)
{
	run_curl(data, CURL_SOCKET_TIMEOUT, 0);
}

static void turn_later(void *data)
{
	net__client_turn(data);
}

/* ---- Turns ---- */

CURLM *net__client_multi(struct net_client *c)
{
	return c->multi;
}

struct net_loop *net__client_loop(struct net_client *c)
{
	return c->loop;
}

void net__client_wake(struct net_client *c)
{
	net__task_post(c->loop, &c->turn_task);
}

void net__client_queue(struct net_client *c, struct net_exchange *x)
{
	if (x->queued || x->gone)
		return;
	x->queued = true;
	x->ready_next = NULL;
	*c->ready_end = x;
	c->ready_end = &x->ready_next;
}

static struct net_exchange *take_ready(struct net_client *c)
{
	struct net_exchange *x = c->ready;
	if (x == NULL)
		return NULL;
	c->ready = x->ready_next;
	if (c->ready == NULL)
		c->ready_end = &c->ready;
	x->queued = false;
	return x;
}

static void collect_ends(struct net_client *c)
{
	CURLMsg *message;
	int left = 0;
	while ((message = curl_multi_info_read(c->multi, &left)) != NULL) {
		struct net_exchange *x = NULL;
		CURLcode result = message->data.result;
		if (message->msg != CURLMSG_DONE ||
		    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &x) != CURLE_OK)
			continue;
		net__exchange_ended(x, result);
	}
}

static void bury_retired(struct net_client *c)
{
	while (c->retired != NULL) {
		struct net_exchange *x = c->retired;
		c->retired = x->next;
		if (c->closing || c->free_count >= FREE_MAX) {
			net__exchange_free(x);
			continue;
		}
		net__exchange_clear(x);
		x->next = c->free;
		c->free = x;
		c->free_count++;
	}
}

static void destroy(struct net_client *c)
{
	while (c->free != NULL) {
		struct net_exchange *x = c->free;
		c->free = x->next;
		net__exchange_free(x);
	}
	if (c->multi != NULL)
		(void)curl_multi_cleanup(c->multi); /* closes pooled connections by close_socket */
	for (size_t i = 0; i < c->socket_cap; i++)
		socket_forget(c, (int)i);
	free(c->sockets);
	net_timer_stop(&c->curl_timer);
	net__task_cancel(c->loop, &c->turn_task);
	if (c->global)
		curl_global_cleanup();
	free(c);
}

void net__client_turn(struct net_client *c)
{
	assert(!c->in_turn);
	c->in_turn = true;
	collect_ends(c);
	struct net_exchange *x;
	while ((x = take_ready(c)) != NULL) {
		if (!x->gone)
			net__exchange_deliver(x);
	}
	c->in_turn = false;
	bury_retired(c);
	if (c->closing)
		destroy(c);
}

/* ---- Exchanges ---- */

struct net_exchange *net__client_take_free(struct net_client *c)
{
	struct net_exchange *x = c->free;
	if (x != NULL) {
		c->free = x->next;
		c->free_count--;
	}
	return x;
}

void net__client_adopt(struct net_client *c, struct net_exchange *x)
{
	x->next = c->running;
	x->link = &c->running;
	if (x->next != NULL)
		x->next->link = &x->next;
	c->running = x;
}

void net__client_retire(struct net_client *c, struct net_exchange *x)
{
	*x->link = x->next;
	if (x->next != NULL)
		x->next->link = x->link;
	x->next = c->retired;
	c->retired = x;
	/* The ready list may still hold it: only a turn's end is a safe time to use it again. */
	if (!c->in_turn)
		net__client_wake(c);
}

/* ---- Life ---- */

static bool multi_setup(struct net_client *c, struct err *err)
{
	c->multi = curl_multi_init();
	if (c->multi == NULL)
		return err_no_memory(err);
	unsigned bad = 0;
	bad |= (unsigned)curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
	bad |= (unsigned)curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	bad |= (unsigned)curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
	bad |= (unsigned)curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	bad |= (unsigned)curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS,
	                                   (long)LIMIT_HTTP_CONNECTIONS);
	return bad == 0 || err_set(err, ERR_INTERNAL, "libcurl refuses an option");
}

struct net_client *net_client_new(struct net_loop *loop, struct err *err)
{
	struct net_client *c = calloc(1, sizeof(*c));
	if (c == NULL) {
		(void)err_no_memory(err); /* its value is for functions that return bool */
		return NULL;
	}
	c->loop = loop;
	c->ready_end = &c->ready;
	net_timer_init(&c->curl_timer, loop, curl_timer_fired, c);
	c->turn_task = (struct net_task){ .fn = turn_later, .data = c };
	c->global = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
	if (!c->global) {
		err_record(err, ERR_INTERNAL, "libcurl cannot start");
		goto failed;
	}
	if (!multi_setup(c, err))
		goto failed;
	return c;
failed:
	net_client_free(c);
	return NULL;
}

void net_client_free(struct net_client *c)
{
	if (c == NULL || c->closing)
		return;
	while (c->running != NULL)
		net_exchange_cancel(c->running);
	c->closing = true;
	if (c->in_turn)
		return; /* the turn's end destroys it */
	bury_retired(c);
	destroy(c);
}
