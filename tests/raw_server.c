/* SPDX-License-Identifier: Apache-2.0 */
/* The scripted server: blocking sockets, one thread. A write to a client that left is ignored, so
 * a script always runs to its end; a wrong script aborts. */
#include "tests/raw_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_MAX (3u << 20)

static void pause_ms(int ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };
	(void)nanosleep(&t, NULL);
}

static bool request_complete(struct str rq)
{
	ptrdiff_t end = str_find(rq, STR("\r\n\r\n"));
	if (end < 0)
		return false;
	ptrdiff_t at = str_find(rq, STR("Content-Length: "));
	int64_t body = 0;
	if (at >= 0) {
		struct str rest = { rq.p + at + 16, rq.len - (size_t)at - 16 };
		if (!str_to_i64(str_cut(&rest, '\r'), &body))
			return false;
	}
	return rq.len >= (size_t)end + 4 + (size_t)body;
}

static void read_request(struct raw_server *s, int fd)
{
	buf_reset(&s->last);
	while (!request_complete(buf_str(&s->last))) {
		char *at = buf_reserve(&s->last, 65536);
		ssize_t n = at != NULL ? recv(fd, at, 65536, 0) : -1;
		if (n <= 0)
			return;
		buf_grew(&s->last, (size_t)n);
	}
	s->requests++;
}

static void send_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
		if (sent <= 0)
			return;
		p += sent;
		n -= (size_t)sent;
	}
}

static void fill(int fd, int n)
{
	char block[4096];
	memset(block, 'x', sizeof(block));
	for (; n > 0; n -= (int)sizeof(block))
		send_all(fd, block, n < (int)sizeof(block) ? (size_t)n : sizeof(block));
}

static void drop(int fd, bool reset)
{
	struct linger now = { 1, 0 };
	if (reset)
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	(void)close(fd);
}

/* The words after `verb` and a space; absent if the step is another one. */
static struct str words(const char *step, struct str verb)
{
	struct str rest = str_of(step);
	return str_eq(str_cut(&rest, ' '), verb) ? rest : (struct str){ NULL, 0 };
}

static int number(struct str text)
{
	int64_t n = 0;
	if (!str_to_i64(text, &n))
		abort();
	return (int)n;
}

static int take(struct raw_server *s, int before)
{
	if (before >= 0)
		drop(before, false);
	int fd = accept(s->listener, NULL, NULL);
	s->accepted += fd >= 0;
	return fd;
}

static int play(struct raw_server *s, const char *step, int fd)
{
	struct str text = words(step, STR("send"));
	struct str count = words(step, STR("fill"));
	struct str wait = words(step, STR("sleep"));
	bool reset = strcmp(step, "reset") == 0;
	char byte;
	if (text.p != NULL)
		send_all(fd, text.p, text.len);
	else if (count.p != NULL)
		fill(fd, number(count));
	else if (wait.p != NULL)
		pause_ms(number(wait));
	else if (strcmp(step, "accept") == 0)
		return take(s, fd);
	else if (strcmp(step, "read") == 0)
		read_request(s, fd);
	else if (strcmp(step, "wait") == 0)
		s->client_closed = recv(fd, &byte, 1, 0) <= 0;
	else if (reset || strcmp(step, "close") == 0)
		drop(fd, reset);
	else
		abort();
	return reset || strcmp(step, "close") == 0 ? -1 : fd;
}

static void *serve(void *data)
{
	struct raw_server *s = data;
	int fd = -1;
	for (size_t i = 0; s->script[i] != NULL; i++)
		fd = play(s, s->script[i], fd);
	if (fd >= 0)
		drop(fd, false);
	return NULL;
}

void raw_server_start(struct raw_server *s, const char *const *script)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*s = (struct raw_server){ .last = buf_make(REQUEST_MAX), .script = script };
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->listener < 0 || bind(s->listener, (struct sockaddr *)&a, len) != 0 ||
	    listen(s->listener, 16) != 0 ||
	    getsockname(s->listener, (struct sockaddr *)&a, &len) != 0 ||
	    pthread_create(&s->thread, NULL, serve, s) != 0)
		abort();
	s->port = ntohs(a.sin_port);
}

void raw_server_join(struct raw_server *s)
{
	(void)shutdown(s->listener, SHUT_RDWR); /* wakes a script that waits for a connection */
	(void)pthread_join(s->thread, NULL);
	(void)close(s->listener);
}

void raw_server_done(struct raw_server *s)
{
	buf_done(&s->last);
}
