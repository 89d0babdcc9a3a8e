/* SPDX-License-Identifier: Apache-2.0 */
/* A listener with a small handler, and raw clients that share its loop: a client never blocks, it
 * turns the loop until it has heard what it waits for. */
#ifndef TESTS_HTTP_WORLD_H
#define TESTS_HTTP_WORLD_H

#include "net/net.h"

/* The handler's routes: /hello answers "hello"; /echo answers the body; /early answers 401 on the
 * head; /wait leaves the request in `pending`; /stream starts a streamed answer and does too. */
struct http_world {
	struct net_loop *loop;
	struct net_server *server;
	struct net_request *pending;
	int heads, bodies, gone, drained;
	bool free_server_on_head;
};

void http_world_open(struct http_world *w, const struct net_server_options *options);
void http_world_close(struct http_world *w);
void http_world_step(struct http_world *w, int timeout_ms);

struct http_client {
	struct http_world *world;
	int fd;
	struct buf heard;
	bool ended; /* the server closed */
	bool reset; /* ... by a reset */
};

void http_client_open(struct http_client *c, struct http_world *w);
void http_client_close(struct http_client *c);
void http_client_say(struct http_client *c, struct str bytes);
/* Turns the loop until `text` was heard (and forgets all up to its end), or for two seconds. */
bool http_client_hears(struct http_client *c, const char *text);
bool http_client_hears_end(struct http_client *c); /* the same for the connection's end */
/* Turns the loop for `ms`, while the client reads nothing. */
void http_world_idle(struct http_world *w, int ms);
/* Takes what there is without turning the loop. */
void http_client_listen(struct http_client *c);

#endif
