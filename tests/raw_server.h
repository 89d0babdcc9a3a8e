/* SPDX-License-Identifier: Apache-2.0 */
/* A server that plays a script on raw sockets, one connection after the other, in a thread of its
 * own: any fault of a real server can be written down. A script is a NULL-ended list of:
 *     "accept"     the next connection; the one before is closed
 *     "read"       one whole request
 *     "send TEXT"  TEXT as it is
 *     "fill N"     N bytes "x"
 *     "sleep N"    N milliseconds
 *     "close", "reset"
 *     "wait"       until the client closes
 * What is open at the end is closed. */
#ifndef TESTS_RAW_SERVER_H
#define TESTS_RAW_SERVER_H

#include <pthread.h>
#include <stdbool.h>

#include "base/str.h"

struct raw_server {
	const char *const *script;
	int listener;
	int port;
	pthread_t thread;
	/* To be read after raw_server_join. */
	int accepted;
	int requests;
	bool client_closed; /* "wait" saw it */
	struct buf last;    /* the last request */
};

void raw_server_start(struct raw_server *s, const char *const *script); /* aborts if it cannot */
/* Waits for the script's end; an "accept" that still waits is given up. */
void raw_server_join(struct raw_server *s);
void raw_server_done(struct raw_server *s);

#endif
