/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets of all kinds on one epoll loop: HTTP/1.1 listener, HTTP client (libcurl multi), local
 * socket with frames, server-sent events, pipes. Everything here is called on the loop's own
 * thread, except inbox_post to the loop's inbox. There may be several loops, each with a server
 * and a client of its own; nothing is shared between them. No function blocks or touches a disk.
 *
 * Callbacks get the `data` they were registered with. Freeing an object inside any callback is
 * allowed: it takes effect at once for the caller (no further callback) and its memory goes after
 * the dispatch round. */
#ifndef NET_NET_H
#define NET_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/inbox.h"
#include "base/str.h"

/* ---- Loop ---- */

struct net_loop;

/* Has the process ignore SIGPIPE: a peer that left is an ordinary error here. */
MUST_CHECK struct net_loop *net_loop_new(struct err *err);
void net_loop_free(struct net_loop *loop); /* logs, at debug, what is still registered */
/* Runs until net_loop_stop. False if epoll itself fails. */
MUST_CHECK bool net_loop_run(struct net_loop *loop, struct err *err);
/* One round: waits at most `timeout_ms` for something and dispatches it. For tests. */
MUST_CHECK bool net_loop_step(struct net_loop *loop, int timeout_ms, struct err *err);
void net_loop_stop(struct net_loop *loop);
/* Items posted here, from any thread, are delivered on the loop. */
struct inbox *net_loop_inbox(struct net_loop *loop);
/* Monotonic, read once per round. */
int64_t net_loop_now_ms(const struct net_loop *loop);

/* A descriptor. `events` is NET_READ | NET_WRITE; a hang-up or an error comes as what was asked
 * for plus NET_HANGUP. Asking for NET_HANGUP too reports a peer that closed only its own side. With
 * no events at all nothing is reported. A regular file, which epoll refuses, is always ready. Free
 * the watch before the descriptor is closed. */
enum {
	NET_READ = 1,
	NET_WRITE = 2,
	NET_HANGUP = 4
};
struct net_watch;
typedef void net_watch_fn(void *data, unsigned events);
MUST_CHECK struct net_watch *net_watch_new(struct net_loop *loop, int fd, unsigned events,
                                           net_watch_fn *fn, void *data, struct err *err);
void net_watch_set(struct net_watch *w, unsigned events);
void net_watch_free(struct net_watch *w); /* does not close the descriptor; NULL is fine */

/* A timer inside the caller's object. Zeroed memory is a stopped timer after net_timer_init. */
struct net_timer {
	struct net_loop *loop;
	void (*fn)(void *data);
	void *data;
	int64_t due_ms;
	size_t slot; /* place in the loop's heap, 0 when stopped */
};
void net_timer_init(struct net_timer *t, struct net_loop *loop, void (*fn)(void *data), void *data);
/* Fires once, `delay_ms` from now; moves it if it runs. Aborts without memory for the heap. */
void net_timer_start(struct net_timer *t, int64_t delay_ms);
void net_timer_stop(struct net_timer *t);
bool net_timer_runs(const struct net_timer *t);

/* Calls `fn` on the loop when the process gets the signal (blocked for all threads from now on:
 * call it before any thread starts). Once per signal number. */
MUST_CHECK bool net_loop_on_signal(struct net_loop *loop, int signo, void (*fn)(void *data),
                                   void *data, struct err *err);

/* ---- HTTP listener (RFC 9112, strict) ---- */

struct net_header {
	struct str name;
	struct str value;
};

struct net_server;
struct net_request; /* one request and its answer; the server's, valid until it ends or is gone */

struct net_handler {
	/* The head is complete, well-formed and for us (Host, Origin). Either answer now, or say
	 * nothing and the body is read, at most body_max bytes. Authenticate here. */
	void (*head)(void *data, struct net_request *rq);
	/* The whole body is there: net_request_body. Answer now or later. */
	void (*body)(void *data, struct net_request *rq);
	/* The client went away before the answer ended, the answer could not be written, or the
	 * body was malformed, too large or too slow (which the server answers itself). Nothing may
	 * be called on `rq` after this. Not called after net_reply, net_reply_end or
	 * net_reply_abort. May be NULL, like `drained`. */
	void (*gone)(void *data, struct net_request *rq);
	/* Queued bytes fell below LIMIT_HTTP_OUT_LOW after having been above LIMIT_HTTP_OUT_HIGH.
	 */
	void (*drained)(void *data, struct net_request *rq);
};

struct net_server_options {
	const char *listen; /* "127.0.0.1:8787", "[::1]:0" */
	const char *
		public_host; /* authority of PUBLIC_URL, accepted in Host beside our own; or NULL */
	size_t head_max;     /* zero: the value of base/limits.h; likewise below */
	size_t body_max;
	size_t connections_max;
	size_t per_peer_max;
	int64_t head_ms, body_idle_ms, keep_alive_ms, write_stall_ms;
};

/* Binds and listens. ERR_UNAVAILABLE if the port is taken, with words for a person. */
MUST_CHECK struct net_server *net_server_new(struct net_loop *loop,
                                             const struct net_server_options *options,
                                             const struct net_handler *handler, void *data,
                                             struct err *err);
void net_server_free(struct net_server *s); /* cuts what is open; NULL is fine */
/* "127.0.0.1:40123": the address in use, with the port that the kernel chose. Borrowed. */
const char *net_server_address(const struct net_server *s);
/* Accepts nothing new, closes idle connections, answers "Connection: close" to the rest. */
void net_server_drain(struct net_server *s);
/* Other limits from now on (zero: the default; `listen` and `public_host` are not read): for what
 * is begun later, and for pauses also of what runs. */
void net_server_limit(struct net_server *s, const struct net_server_options *limits);
size_t net_server_active(const struct net_server *s); /* requests without a finished answer */

/* The request. Borrowed texts live as long as the request. */
struct str net_request_method(const struct net_request *rq);
struct str net_request_path(
	const struct net_request *rq); /* decoded of nothing: as sent, before '?' */
struct str net_request_query(const struct net_request *rq); /* after '?', absent if there is none */
struct str net_request_header(const struct net_request *rq, const char *name); /* absent if none */
/* All fields in order, for passing on; `count` is set. */
const struct net_header *net_request_headers(const struct net_request *rq, size_t *count);
const char *net_request_peer(const struct net_request *rq); /* address without port */
struct str net_request_body(const struct net_request *rq);
/* Moves the body's buffer to the caller, who may outlive the request. */
struct buf net_request_take_body(struct net_request *rq);
void net_request_set_data(struct net_request *rq, void *data); /* the handler's own pointer */
void *net_request_data(const struct net_request *rq);

/* The answer. Header names and values must hold no CR, LF or NUL (asserted); Content-Length,
 * Transfer-Encoding, Connection and Date are the server's. After net_reply, net_reply_end or
 * net_reply_abort the request is not the handler's any more. */
void net_reply(struct net_request *rq, int status, const struct net_header *headers, size_t count,
               struct str body);
/* A streamed answer: chunked, or until close for HTTP/1.0. The head leaves at once. */
void net_reply_start(struct net_request *rq, int status, const struct net_header *headers,
                     size_t count);
void net_reply_write(struct net_request *rq, struct str bytes); /* queues; never blocks */
void net_reply_end(struct net_request *rq);
/* Ends a streamed answer so that the client can tell that it is incomplete. */
void net_reply_abort(struct net_request *rq);
size_t net_reply_queued(const struct net_request *rq); /* bytes that the client has not taken */

/* ---- HTTP client (libcurl) ---- */

struct net_client;
struct net_exchange;

MUST_CHECK struct net_client *net_client_new(struct net_loop *loop, struct err *err);
void net_client_free(struct net_client *c); /* cancels what runs; NULL is fine */

struct net_exchange_request {
	const char *method; /* "GET", "POST" */
	const char *url;    /* http or https; redirects are not followed, proxies not used */
	const struct net_header *headers;
	size_t header_count;
	struct str body;    /* the caller's, must live until `done` or cancel */
	int64_t connect_ms; /* zero: base/limits.h */
	int64_t idle_ms;    /* silence after which the exchange fails; zero: base/limits.h */
};

enum net_end {
	NET_END_COMPLETE,   /* the whole answer was read */
	NET_END_NO_CONNECT, /* name, connection or TLS failed: nothing was sent */
	NET_END_TIMEOUT,    /* connect_ms or idle_ms passed */
	NET_END_STALE, /* a kept connection closed as the request left: no answer, send it again
	                  only if a second sending is acceptable */
	NET_END_BROKEN /* the connection failed in the middle, or the answer is malformed */
};

struct net_exchange_events {
	/* Status and fields are known (of the final answer, not of 1xx). */
	void (*head)(void *data, struct net_exchange *x);
	void (*data)(void *data, struct net_exchange *x, struct str bytes);
	/* The end; `x` is gone after it. `why` is a line for the log, without secrets. */
	void (*done)(void *data, enum net_end end, const char *why);
};

/* Starts it; callbacks come later, never from inside this call. NULL: ERR_UNAVAILABLE. */
MUST_CHECK struct net_exchange *net_exchange_start(struct net_client *c,
                                                   const struct net_exchange_request *request,
                                                   const struct net_exchange_events *events,
                                                   void *data, struct err *err);
int net_exchange_status(const struct net_exchange *x);
/* A field of the answer, absent if none; the last one if it is repeated. Borrowed until done. */
struct str net_exchange_header(const struct net_exchange *x, const char *name);
const struct net_header *net_exchange_headers(const struct net_exchange *x, size_t *count);
void net_exchange_pause(struct net_exchange *x); /* back-pressure: no more data until resume */
void net_exchange_resume(struct net_exchange *x);
void net_exchange_cancel(struct net_exchange *x); /* closes; `done` is not called; NULL is fine */

/* ---- Server-sent events (WHATWG HTML, 9.2) ---- */

struct net_sse_event {
	struct str raw;  /* all bytes of the event as they came, with its blank line */
	struct str name; /* of the event: field; absent if none */
	struct str data; /* data: lines joined with LF; absent if none (a comment, a ping) */
};

/* Cuts a stream into events, wherever the reads split it. Line ends are LF, CR or CRLF. The raw
 * texts and the rest, put together, are the stream (but for blank lines at its very end). */
struct net_sse {
	struct buf pending;
	struct buf joined;
	bool started;  /* the first event was seen: a byte order mark counts no more */
	bool after_cr; /* an LF now belongs to the line end before it */
	bool in_line;
	bool has_line; /* the event has a line that is not blank */
};
typedef void net_sse_fn(void *data, const struct net_sse_event *event);
void net_sse_init(struct net_sse *s);
void net_sse_done(struct net_sse *s);
/* Calls `fn` for each event that is complete; `fn` must not end or feed `s`. ERR_TOO_LARGE above
 * LIMIT_SSE_EVENT, and again at every later call. */
MUST_CHECK bool net_sse_feed(struct net_sse *s, struct str bytes, net_sse_fn *fn, void *data,
                             struct err *err);
/* Bytes of an event that has not ended; absent at a clean end. */
struct str net_sse_rest(const struct net_sse *s);

/* ---- Local socket: frames between processes of one machine ---- */

struct net_local_server;
struct net_local; /* one connection */

struct net_local_events {
	void (*opened)(void *data, struct net_local *c); /* server side only; may be NULL */
	void (*frame)(void *data, struct net_local *c, struct str bytes);
	/* The peer is gone; `c` is freed after the call. Not called after net_local_close. */
	void (*closed)(void *data, struct net_local *c);
};

/* Listens at `path` (mode 0600, an old socket file is replaced: call it only as the store's owner).
 * Only processes of the same user are let in. */
MUST_CHECK struct net_local_server *net_local_listen(struct net_loop *loop, const char *path,
                                                     const struct net_local_events *events,
                                                     void *data, struct err *err);
void net_local_server_free(struct net_local_server *s); /* closes all and removes the file */
/* ERR_UNAVAILABLE if nobody listens. */
MUST_CHECK struct net_local *net_local_connect(struct net_loop *loop, const char *path,
                                               const struct net_local_events *events, void *data,
                                               struct err *err);
void net_local_send(struct net_local *c, struct str bytes); /* one frame; queues */
void net_local_close(struct net_local *c); /* flushes what is queued as far as it goes */
void net_local_set_data(struct net_local *c, void *data); /* per connection; also what events get */
void *net_local_data(const struct net_local *c);

/* ---- Pipes ---- */

/* Writes whole texts to a descriptor that may be a pipe, a socket, a terminal or a file, without
 * ever blocking and without setting O_NONBLOCK (which the host would share). */
struct net_pipe;
MUST_CHECK struct net_pipe *net_pipe_new(struct net_loop *loop, int fd, size_t max_queued,
                                         void (*broken)(void *data), void *data, struct err *err);
void net_pipe_write(struct net_pipe *p, struct str bytes); /* above max_queued: broken is called */
size_t net_pipe_queued(const struct net_pipe *p);
/* Calls `drained` when all that had to be queued has been written; it may free the pipe. */
void net_pipe_on_drained(struct net_pipe *p, void (*drained)(void *data));
void net_pipe_free(struct net_pipe *p); /* tries once to write what is queued; NULL is fine */

/* ---- The service manager (sd_notify(3)) ---- */

struct net_notify_options {        /* the variables as the environment has them; NULL: not set */
	const char *socket;        /* NOTIFY_SOCKET */
	const char *watchdog_usec; /* WATCHDOG_USEC */
	const char *watchdog_pid;  /* WATCHDOG_PID */
};

struct net_notify;

/* `*out` is NULL, and all is well, where no manager asked. With a watchdog the loop says that it is
 * alive at half of its time. ERR_INVALID_ARGUMENT, ERR_UNAVAILABLE. */
MUST_CHECK bool net_notify_new(struct net_loop *loop, const struct net_notify_options *options,
                               struct net_notify **out, struct err *err);
void net_notify_send(struct net_notify *n, struct str message); /* "READY=1"; NULL is fine */
void net_notify_free(struct net_notify *n);                     /* NULL is fine */

#endif
