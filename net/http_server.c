/* SPDX-License-Identifier: Apache-2.0 */
/* The listener: binding, accepting under two caps, draining, and the pool of requests. Descriptors
 * are the scarce thing: each request may need one more for its upstream, so the cap is at most half
 * of what the process may open. */
#include "net/http_server.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/limits.h"

enum {
	ACCEPTS_PER_ROUND = 64,
	ACCEPT_PAUSE_MS = 100,
	BACKLOG = 1024,
	FILES_KEPT = 64 /* for the database, logs, local sockets */
};

/* ---- Requests ---- */

struct net_request *net__request_lend(struct http_conn *c)
{
	struct net_server *s = c->server;
	struct net_request *rq = s->spare;
	if (rq != NULL) {
		s->spare = rq->next;
		s->spare_count--;
	} else {
		rq = calloc(1, sizeof(*rq));
		if (rq == NULL)
			return NULL;
		rq->body = buf_make(s->options.body_max);
	}
	rq->body.max = s->options.body_max;
	rq->conn = c;
	rq->data = NULL;
	s->active++;
	c->request = rq;
	return rq;
}

static void request_free(struct net_server *s, struct net_request *rq)
{
	buf_done(&rq->text);
	buf_done(&rq->body);
	net__loop_bury(s->loop, &rq->corpse);
}

/* The limit of a head may have been raised since the connection was opened. */
static void make_room(struct http_conn *c)
{
	size_t room = c->server->options.head_max + 2 * (size_t)HTTP_READ_STEP;

	if (c->in.max < room)
		c->in.max = room;
}

void net__request_return(struct http_conn *c)
{
	struct net_server *s = c->server;
	struct net_request *rq = c->request;
	c->request = NULL;
	assert(s->active > 0);
	s->active--;
	/* The connection lent its buffer to the request's head and gets it back for the next. */
	if (c->in.len == 0) {
		buf_done(&c->in);
		c->in = rq->text;
		rq->text = (struct buf){ 0 };
		net__buf_rest(&c->in);
		make_room(c);
	}
	buf_done(&rq->text);
	net__buf_rest(&rq->body);
	if (s->freed || s->spare_count == HTTP_SPARE_REQUESTS) {
		request_free(s, rq);
		return;
	}
	rq->next = s->spare;
	s->spare = rq;
	s->spare_count++;
}

/* ---- Accepting ---- */

static void send_busy(int fd)
{
	static const char BUSY[] = "HTTP/1.1 503 Service Unavailable\r\n"
				   "Content-Type: application/json\r\n"
				   "Content-Length: 80\r\n"
				   "Retry-After: 1\r\n"
				   "Connection: close\r\n"
				   "\r\n"
				   "{\"error\":{\"message\":\"too many connections\","
				   "\"type\":\"invalid_request_error\"}}    \n";
	char heard[512];
	/* All of this is courtesy: unread bytes would turn our close into a reset, which may
	 * overtake the answer. */
	(void)recv(fd, heard, sizeof(heard), MSG_DONTWAIT);
	(void)send(fd, BUSY, sizeof(BUSY) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)shutdown(fd, SHUT_WR);
	(void)close(fd);
}

static void admit(struct net_server *s, int fd, struct net_address *from)
{
	struct net_peer *peer = NULL;
	net__address_normalize(from);
	if (s->conn_count < s->options.connections_max)
		peer = net__peers_enter(&s->peers, net__address_peer(from),
		                        s->options.per_peer_max);
	if (peer != NULL && net__conn_open(s, fd, from, peer))
		return;
	if (peer != NULL)
		net__peers_leave(&s->peers, peer);
	send_busy(fd);
}

static bool is_out_of_files(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void accept_some(void *data, unsigned events)
{
	struct net_server *s = data;
	(void)events;
	for (int i = 0; i < ACCEPTS_PER_ROUND && s->watch != NULL; i++) {
		struct net_address from = { .len = sizeof(from.u) };
		int fd = accept4(s->fd, &from.u.any, &from.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			admit(s, fd, &from);
			continue;
		}
		if (is_out_of_files(errno)) {
			/* The waiting connection would wake us again at once. */
			net_watch_set(s->watch, 0);
			net_timer_start(&s->accept_again, ACCEPT_PAUSE_MS);
		}
		/* Else there is none left, or this one failed before it was taken. */
		if (errno != ECONNABORTED && errno != EINTR)
			return;
	}
}

static void accept_again(void *data)
{
	struct net_server *s = data;
	if (s->watch != NULL)
		net_watch_set(s->watch, NET_READ);
}

/* ---- Start ---- */

static size_t or_default_size(size_t given, size_t otherwise)
{
	return given != 0 ? given : otherwise;
}

static int64_t or_default_ms(int64_t given, int64_t otherwise)
{
	return given != 0 ? given : otherwise;
}

static size_t connections_by_files(void)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY)
		return SIZE_MAX;
	return files.rlim_cur > FILES_KEPT + 2 ? (size_t)(files.rlim_cur - FILES_KEPT) / 2 : 1;
}

static void fill_defaults(struct net_server_options *o)
{
	o->head_max = or_default_size(o->head_max, LIMIT_HTTP_HEAD);
	o->body_max = or_default_size(o->body_max, LIMIT_HTTP_BODY);
	o->connections_max = or_default_size(o->connections_max, LIMIT_HTTP_CONNECTIONS);
	o->per_peer_max = or_default_size(o->per_peer_max, LIMIT_HTTP_PER_PEER);
	o->head_ms = or_default_ms(o->head_ms, LIMIT_HTTP_HEAD_MS);
	o->body_idle_ms = or_default_ms(o->body_idle_ms, LIMIT_HTTP_BODY_IDLE_MS);
	o->keep_alive_ms = or_default_ms(o->keep_alive_ms, LIMIT_HTTP_KEEP_ALIVE_MS);
	o->write_stall_ms = or_default_ms(o->write_stall_ms, LIMIT_HTTP_WRITE_STALL_MS);
	size_t most = connections_by_files();
	if (o->connections_max > most)
		o->connections_max = most;
	o->listen = NULL;
	o->public_host = NULL;
}

void net_server_limit(struct net_server *s, const struct net_server_options *limits)
{
	s->options = *limits;
	fill_defaults(&s->options);
	for (struct http_conn *c = s->conns; c != NULL; c = c->next)
		make_room(c);
}

static bool listen_on(struct net_server *s, const char *listen_text, struct err *err)
{
	struct net_address a;
	int one = 1;
	if (!net__address_parse(str_of(listen_text), &a, err))
		return false;
	s->fd = socket(a.u.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return err_set_errno(err, ERR_UNAVAILABLE, "socket");
	/* Accepted sockets inherit TCP_NODELAY, which saves a call for each. */
	if (setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
	    setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0)
		return err_set_errno(err, ERR_UNAVAILABLE, "setsockopt");
	if (bind(s->fd, &a.u.any, a.len) != 0 || listen(s->fd, BACKLOG) != 0) {
		if (errno == EADDRINUSE)
			return err_set(err, ERR_UNAVAILABLE,
			               "cannot listen on %s: another program uses this port",
			               listen_text);
		return err_set(err, ERR_UNAVAILABLE, "cannot listen on %s: %s", listen_text,
		               strerror(errno));
	}
	return true;
}

static bool start(struct net_server *s, const struct net_server_options *o, struct err *err)
{
	struct net_address local;
	if (!listen_on(s, o->listen, err))
		return false;
	if (!net__address_of_socket(s->fd, &local))
		return err_set_errno(err, ERR_UNAVAILABLE, "getsockname");
	net__address_format(&local, s->address);
	if (!net__hosts_init(&s->hosts, &local, o->public_host))
		return err_set(err, ERR_INVALID_ARGUMENT, "the public host is too long");
	s->watch = net_watch_new(s->loop, s->fd, NET_READ, accept_some, s, err);
	return s->watch != NULL;
}

struct net_server *net_server_new(struct net_loop *loop, const struct net_server_options *options,
                                  const struct net_handler *handler, void *data, struct err *err)
{
	struct net_server *s = calloc(1, sizeof(*s));
	if (s == NULL) {
		(void)err_no_memory(err); /* its value is for functions that return bool */
		return NULL;
	}
	s->loop = loop;
	s->handler = *handler;
	s->data = data;
	s->fd = -1;
	s->options = *options;
	fill_defaults(&s->options);
	s->head = buf_make(LIMIT_UPSTREAM_HEAD + LIMIT_HTTP_HEAD);
	net_timer_init(&s->accept_again, loop, accept_again, s);
	if (!start(s, options, err)) {
		net_server_free(s);
		return NULL;
	}
	return s;
}

/* ---- End ---- */

static void stop_listening(struct net_server *s)
{
	net_timer_stop(&s->accept_again);
	net_watch_free(s->watch);
	s->watch = NULL;
	if (s->fd >= 0)
		(void)close(s->fd); /* nothing was written to it */
	s->fd = -1;
}

void net_server_free(struct net_server *s)
{
	if (s == NULL)
		return;
	s->freed = true;
	stop_listening(s);
	while (s->conns != NULL)
		net__conn_close(s->conns);
	while (s->spare != NULL) {
		struct net_request *rq = s->spare;
		s->spare = rq->next;
		request_free(s, rq);
	}
	net__hosts_done(&s->hosts);
	buf_done(&s->head);
	net__loop_bury(s->loop, &s->corpse);
}

void net_server_drain(struct net_server *s)
{
	s->draining = true;
	stop_listening(s);
	struct http_conn *next;
	for (struct http_conn *c = s->conns; c != NULL; c = next) {
		next = c->next;
		if (c->state == CONN_IDLE)
			net__conn_close(c);
	}
}

const char *net_server_address(const struct net_server *s)
{
	return s->address;
}

size_t net_server_active(const struct net_server *s)
{
	return s->active;
}

/* ---- What the handler asks about a request ---- */

struct str net_request_method(const struct net_request *rq)
{
	return rq->head.method;
}

struct str net_request_path(const struct net_request *rq)
{
	return rq->head.path;
}

struct str net_request_query(const struct net_request *rq)
{
	return rq->head.query;
}

struct str net_request_header(const struct net_request *rq, const char *name)
{
	struct str wanted = str_of(name);
	for (size_t i = 0; i < rq->head.header_count; i++) {
		if (str_eq_nocase(rq->head.headers[i].name, wanted))
			return rq->head.headers[i].value;
	}
	return (struct str){ 0 };
}

const struct net_header *net_request_headers(const struct net_request *rq, size_t *count)
{
	*count = rq->head.header_count;
	return rq->head.headers;
}

const char *net_request_peer(const struct net_request *rq)
{
	return rq->conn->peer_text;
}

struct str net_request_body(const struct net_request *rq)
{
	return buf_str(&rq->body);
}

struct buf net_request_take_body(struct net_request *rq)
{
	struct buf taken = rq->body;
	rq->body = buf_make(taken.max);
	return taken;
}

void net_request_set_data(struct net_request *rq, void *data)
{
	rq->data = data;
}

void *net_request_data(const struct net_request *rq)
{
	return rq->data;
}
