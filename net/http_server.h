/* SPDX-License-Identifier: Apache-2.0 */
/* What the listener's files share: the server, its connections and the request that a connection
 * has at most one of. A request's memory is lent by the server for as long as it runs, so that an
 * idle connection is small. */
#ifndef NET_HTTP_SERVER_H
#define NET_HTTP_SERVER_H

#include <time.h>

#include "net/hosts.h"
#include "net/http_parse.h"
#include "net/loop.h"
#include "net/peers.h"
#include "net/queue.h"

enum {
	HTTP_READ_STEP = 4095,       /* and a NUL: the first buffer of a connection is one page */
	HTTP_BODY_STEP = 256 << 10,  /* most bytes of a body that one read takes */
	HTTP_DISCARD_MAX = 64 << 10, /* an unread body up to this is skipped, not cut */
	HTTP_LINGER_MS = 5000,       /* reading on, so that the client can read our refusal */
	HTTP_TURNS = 16,             /* pipelined requests of one connection in one round */
	HTTP_SPARE_REQUESTS = 64,
	HTTP_PARTS_MAX = 3,
	HTTP_DATE_MAX = 32
};

/* The life of a connection. One function, net__conn_move, moves it along this drawing:
 *
 *     IDLE --> HEAD --> BODY --> WAITING --> STREAMING
 *      ^        |        |          |            |
 *      |        +--------+----------+------------+     a fault of the head is answered by us
 *      |                 v
 *      +----------- FLUSHING -----> LINGER
 *      |                 v
 *      +------------- DISCARD
 *
 * and from anywhere to CLOSED. BODY may also go to STREAMING: an answer may begin before the body
 * has ended, and the connection is then closed after it. */
enum conn_state {
	CONN_IDLE,      /* nothing of a request is here */
	CONN_HEAD,      /* a part of a head */
	CONN_BODY,      /* the handler has seen the head and we read the body */
	CONN_WAITING,   /* the handler has the whole request */
	CONN_STREAMING, /* the handler is writing its answer */
	CONN_FLUSHING,  /* the answer ended, a part of it is still queued */
	CONN_DISCARD,   /* the answer is out, the rest of a small body is thrown away */
	CONN_LINGER,    /* we said that we are done, and let the client notice */
	CONN_CLOSED,
	CONN_STATE_COUNT
};

struct http_conn {
	struct net_corpse corpse;
	struct net_server *server;
	struct http_conn *prev, *next; /* the server's list */
	struct net_peer *peer;
	struct net_watch *watch;
	int fd;
	enum conn_state state;
	bool close;          /* after this answer */
	bool linger;         /* ... and the client does not expect it */
	bool broken;         /* a write failed inside a call of the handler */
	bool was_high;       /* the queue passed LIMIT_HTTP_OUT_HIGH and has not been low since */
	bool head_only;      /* HEAD, or a status without a body: no byte of the body may be sent */
	bool until_close;    /* HTTP/1.0: a streamed answer ends with the connection */
	bool aborted;        /* ends after what is queued, without a proper end */
	int64_t deadline_ms; /* 0: none. The timer may be due earlier; it then sees that and goes on
	                      */
	struct net_timer timer;
	struct net_task resume; /* bytes are waiting that epoll will not report, or it is broken */
	struct buf in;          /* received and not used */
	struct http_scan scan;  /* of `in`, in CONN_HEAD */
	enum http_framing framing;
	uint64_t body_left; /* with HTTP_LENGTH */
	struct http_chunks chunks;
	struct net_queue out;
	struct net_request *request; /* while the handler has one */
	char peer_text[ADDRESS_TEXT_MAX];
};

struct net_request {
	struct net_corpse corpse;
	struct http_conn *conn;
	struct net_request *next; /* the server's spare ones */
	void *data;
	struct buf text; /* what `head` borrows from */
	struct buf body;
	struct http_head head;
};

struct net_server {
	struct net_corpse corpse;
	struct net_loop *loop;
	struct net_handler handler;
	void *data;
	struct net_server_options options; /* with the defaults filled in; texts not kept */
	struct net_hosts hosts;
	struct net_peers peers;
	char address[ADDRESS_TEXT_MAX];
	int fd;
	struct net_watch *watch; /* NULL when draining */
	struct net_timer accept_again;
	bool draining;
	bool freed;
	struct http_conn *conns;
	size_t conn_count;
	size_t active;
	struct net_request *spare;
	size_t spare_count;
	struct buf head; /* scratch: the head of an answer */
	time_t date_at;
	char date[HTTP_DATE_MAX];
};

/* ---- http_server.c ---- */

/* A request for `c` from the spare ones; NULL without memory. */
struct net_request *net__request_lend(struct http_conn *c);
/* Ends c->request, which must be set. */
void net__request_return(struct http_conn *c);

/* ---- http_conn.c ---- */

/* Takes over `fd` and the peer's entry; false without memory, and then nothing is taken. */
MUST_CHECK bool net__conn_open(struct net_server *s, int fd, const struct net_address *from,
                               struct net_peer *peer);
void net__conn_move(struct http_conn *c, enum conn_state to);
/* Closes without a word to the handler. */
void net__conn_close(struct http_conn *c);
/* The client is gone, or as good as gone: tells the handler, closes. */
void net__conn_lost(struct http_conn *c);
/* Sets what the loop watches for, by state and queue. */
void net__conn_watch(struct http_conn *c);
/* 0 stops the clock. */
void net__conn_deadline(struct http_conn *c, int64_t delay_ms);
/* CONN_FLUSHING with an empty queue: on to the next request, or to the end. */
void net__conn_answered(struct http_conn *c);
/* CONN_FLUSHING: the answer was handed to the socket or the queue. */
void net__conn_finish(struct http_conn *c);

/* ---- http_read.c ---- */

/* The watch says that something can be read. */
void net__conn_read(struct http_conn *c);
/* Parses what was received: calls the handler, as often as there are requests. */
void net__conn_advance(struct http_conn *c);
/* Bytes of the body that have not come yet; UINT64_MAX if nobody knows. */
uint64_t net__conn_body_unread(const struct http_conn *c);
/* Refuses the request: tells the handler if it has it, answers, closes. */
void net__conn_refuse(struct http_conn *c, struct http_fault fault);

/* ---- http_reply.c ---- */

/* Sends now what the kernel takes of at most three parts and queues the rest. A failure sets
 * `broken`, which the loop then tells the handler. */
void net__conn_send(struct http_conn *c, const struct str *parts, size_t count);
/* Writes from the queue. False if the connection is broken. */
MUST_CHECK bool net__conn_flush(struct http_conn *c);
/* A whole answer of the server's own, {"error":{...}}, in CONN_FLUSHING. */
void net__conn_answer_fault(struct http_conn *c, struct http_fault fault);

#endif
