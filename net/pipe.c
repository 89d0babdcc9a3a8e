/* SPDX-License-Identifier: Apache-2.0 */
/* Writing to a descriptor that others share and that must not be made non-blocking. A pipe that
 * poll calls writable has room for PIPE_BUF bytes, so writes of at most that many do not block; a
 * socket has a flag for it; a file is never waited for. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/loop.h"
#include "net/queue.h"

enum {
	PIPE_STEP = 4096, /* PIPE_BUF */
	STEPS_PER_ROUND = 64
};

enum pipe_kind {
	PIPE_SOCKET,
	PIPE_POLLED, /* a pipe, a terminal */
	PIPE_FILE
};

/* OPEN -> BROKEN -> freed. */
struct net_pipe {
	struct net_corpse corpse;
	struct net_loop *loop;
	int fd;
	enum pipe_kind kind;
	bool is_broken;
	struct net_watch *watch;
	struct net_queue out;
	struct net_task tell;
	void (*broken)(void *data);
	void (*drained)(void *data); /* or NULL */
	void *data;
};

static enum pipe_kind kind_of(int fd)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return PIPE_POLLED;
	if (S_ISSOCK(st.st_mode))
		return PIPE_SOCKET;
	return S_ISREG(st.st_mode) ? PIPE_FILE : PIPE_POLLED;
}

static bool is_writable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	/* With an error on it write(2) does not block either, and tells which. */
	return poll(&p, 1, 0) == 1;
}

/* Bytes written, 0 if it would block, -1 if it is broken. */
static ssize_t write_some(const struct net_pipe *p, struct str bytes)
{
	ssize_t n = 0;
	switch (p->kind) {
	case PIPE_SOCKET:
		n = send(p->fd, bytes.p, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL);
		break;
	case PIPE_POLLED:
		if (!is_writable(p->fd))
			return 0;
		n = write(p->fd, bytes.p, bytes.len < PIPE_STEP ? bytes.len : PIPE_STEP);
		break;
	case PIPE_FILE:
		n = write(p->fd, bytes.p, bytes.len);
		break;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return n;
}

/* Writes what goes without blocking, at most a round's share. False if it is broken. */
static bool flush(struct net_pipe *p)
{
	for (int i = 0; i < STEPS_PER_ROUND; i++) {
		struct str front = net__queue_front(&p->out);
		if (front.len == 0)
			return true;
		ssize_t n = write_some(p, front);
		if (n < 0)
			return false;
		if (n == 0)
			return true;
		net__queue_eat(&p->out, (size_t)n);
	}
	return true;
}

static void watch_pipe(struct net_pipe *p)
{
	net_watch_set(p->watch, net__queue_len(&p->out) > 0 ? NET_WRITE : 0);
}

/* Told from the loop, because this may be inside a call of the user. */
static void break_pipe(struct net_pipe *p)
{
	p->is_broken = true;
	net__queue_clear(&p->out);
	net_watch_set(p->watch, 0);
	net__task_post(p->loop, &p->tell);
}

static void on_tell(void *data)
{
	struct net_pipe *p = data;
	p->broken(p->data);
}

static void on_writable(void *data, unsigned events)
{
	struct net_pipe *p = data;
	(void)events;
	if (!flush(p)) {
		break_pipe(p);
		return;
	}
	watch_pipe(p);
	if (p->drained != NULL && net__queue_len(&p->out) == 0)
		p->drained(p->data);
}

struct net_pipe *net_pipe_new(struct net_loop *loop, int fd, size_t max_queued,
                              void (*broken)(void *data), void *data, struct err *err)
{
	struct net_pipe *p = calloc(1, sizeof(*p));
	if (p == NULL) {
		(void)err_no_memory(err); /* its value is for functions that return bool */
		return NULL;
	}
	p->watch = net_watch_new(loop, fd, 0, on_writable, p, err);
	if (p->watch == NULL) {
		free(p);
		return NULL;
	}
	p->loop = loop;
	p->fd = fd;
	p->kind = kind_of(fd);
	p->out = net__queue_make(max_queued);
	p->tell = (struct net_task){ .fn = on_tell, .data = p };
	p->broken = broken;
	p->data = data;
	return p;
}

void net_pipe_write(struct net_pipe *p, struct str bytes)
{
	if (p->is_broken || bytes.len == 0)
		return;
	bool was_empty = net__queue_len(&p->out) == 0;
	if (!net__queue_add(&p->out, bytes) || (was_empty && !flush(p)))
		break_pipe(p);
	else
		watch_pipe(p);
}

size_t net_pipe_queued(const struct net_pipe *p)
{
	return net__queue_len(&p->out);
}

void net_pipe_on_drained(struct net_pipe *p, void (*drained)(void *data))
{
	p->drained = drained;
}

void net_pipe_free(struct net_pipe *p)
{
	if (p == NULL)
		return;
	if (!p->is_broken)
		(void)flush(p); /* nobody is left who could be told */
	net__task_cancel(p->loop, &p->tell);
	net_watch_free(p->watch);
	net__queue_done(&p->out);
	net__loop_bury(p->loop, &p->corpse);
}
