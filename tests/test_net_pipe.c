/* SPDX-License-Identifier: Apache-2.0 */
/* Writing without blocking to a pipe, a socket and a file whose flags stay as they were. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/net.h"
#include "tests/check.h"

enum {
	BIG = 300000 /* more than a pipe or a socket holds */
};

struct writer {
	struct net_loop *loop;
	struct net_pipe *pipe;
	int from; /* where the bytes come out; -1 if nowhere */
	int to;
	int broken;
};

static void on_broken(void *data)
{
	struct writer *w = data;
	w->broken++;
}

static void open_writer(struct writer *w, size_t max_queued)
{
	struct err err = { 0 };
	w->loop = net_loop_new(&err);
	if (w->loop != NULL)
		w->pipe = net_pipe_new(w->loop, w->to, max_queued, on_broken, w, &err);
	if (w->pipe == NULL) {
		CHECK_FAIL("no pipe: %s", err.text);
		exit(1);
	}
}

static void close_writer(struct writer *w)
{
	net_pipe_free(w->pipe);
	CHECK(close(w->to) == 0);
	if (w->from >= 0)
		CHECK(close(w->from) == 0);
	net_loop_free(w->loop);
}

static void step(struct writer *w, int timeout_ms)
{
	struct err err = { 0 };
	if (!net_loop_step(w->loop, timeout_ms, &err))
		CHECK_FAIL("step: %s", err.text);
}

static void open_pipe(struct writer *w, size_t max_queued)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) != 0)
		exit(1);
	*w = (struct writer){ .from = fds[0], .to = fds[1] };
	open_writer(w, max_queued);
}

static void open_socket(struct writer *w, size_t max_queued)
{
	int fds[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		exit(1);
	*w = (struct writer){ .from = fds[0], .to = fds[1] };
	open_writer(w, max_queued);
}

/* `n` bytes that tell their place. The caller frees them. */
static char *pattern(size_t n)
{
	char *p = malloc(n);
	if (p == NULL)
		exit(1);
	for (size_t i = 0; i < n; i++)
		p[i] = (char)('a' + (int)(i % 23));
	return p;
}

/* Reads until `n` bytes came, while the loop writes on. */
static void read_back(struct writer *w, char *into, size_t n)
{
	size_t got = 0;
	while (got < n) {
		ssize_t r = read(w->from, into + got, n - got);
		if (!CHECK(r > 0))
			return;
		got += (size_t)r;
		step(w, 0);
	}
}

static void check_big(struct writer *w)
{
	char *sent = pattern(BIG);
	char *got = calloc(1, BIG);
	if (got == NULL)
		exit(1);
	int flags = fcntl(w->to, F_GETFL);
	net_pipe_write(w->pipe, (struct str){ sent, 100 });
	CHECK_I64((int64_t)net_pipe_queued(w->pipe), 0); /* there was room: it left at once */
	net_pipe_write(w->pipe, (struct str){ sent + 100, BIG - 200 });
	CHECK(net_pipe_queued(w->pipe) > 0);
	net_pipe_write(w->pipe, (struct str){ sent + BIG - 100, 100 });
	step(w, 0); /* full: must not block */
	read_back(w, got, BIG);
	CHECK_BYTES(got, sent, BIG);
	CHECK_I64((int64_t)net_pipe_queued(w->pipe), 0);
	CHECK_I64(fcntl(w->to, F_GETFL), flags);
	CHECK_I64(w->broken, 0);
	free(sent);
	free(got);
}

static void a_full_pipe_is_written_as_it_is_read(void)
{
	struct writer w;
	open_pipe(&w, 1 << 20);
	check_big(&w);
	close_writer(&w);
}

static void a_full_socket_is_written_as_it_is_read(void)
{
	struct writer w;
	open_socket(&w, 1 << 20);
	check_big(&w);
	close_writer(&w);
}

static void a_file_is_written_at_once(void)
{
	FILE *file = tmpfile();
	if (!CHECK(file != NULL))
		return;
	struct writer w = { .from = -1, .to = dup(fileno(file)) };
	open_writer(&w, 1 << 20);
	char *sent = pattern(BIG);
	char *got = calloc(1, BIG);
	if (got == NULL)
		exit(1);
	net_pipe_write(w.pipe, (struct str){ sent, BIG });
	CHECK_I64((int64_t)net_pipe_queued(w.pipe), 0);
	CHECK(pread(fileno(file), got, BIG, 0) == BIG);
	CHECK_BYTES(got, sent, BIG);
	close_writer(&w);
	CHECK(fclose(file) == 0);
	free(sent);
	free(got);
}

static void a_reader_that_left_is_told_from_the_loop_and_once(void)
{
	struct writer w;
	open_pipe(&w, 1000);
	CHECK(close(w.from) == 0);
	w.from = -1;
	net_pipe_write(w.pipe, STR("x"));
	CHECK_I64(w.broken, 0);
	net_pipe_write(w.pipe, STR("y"));
	step(&w, 0);
	step(&w, 0);
	CHECK_I64(w.broken, 1);
	CHECK_I64((int64_t)net_pipe_queued(w.pipe), 0);
	close_writer(&w);
}

static void a_reader_that_leaves_while_bytes_wait_is_noticed(void)
{
	struct writer w;
	open_socket(&w, 1 << 20);
	char *sent = pattern(BIG);
	net_pipe_write(w.pipe, (struct str){ sent, BIG });
	CHECK(net_pipe_queued(w.pipe) > 0);
	CHECK(close(w.from) == 0);
	w.from = -1;
	for (int i = 0; i < 10 && w.broken == 0; i++)
		step(&w, 100);
	CHECK_I64(w.broken, 1);
	free(sent);
	close_writer(&w);
}

static void more_than_may_be_queued_breaks_it(void)
{
	struct writer w;
	open_pipe(&w, BIG);
	char *sent = pattern(BIG);
	net_pipe_write(w.pipe, (struct str){ sent, BIG });
	CHECK(net_pipe_queued(w.pipe) > 0);
	step(&w, 0);
	CHECK_I64(w.broken, 0);
	net_pipe_write(w.pipe, (struct str){ sent, BIG });
	step(&w, 0);
	CHECK_I64(w.broken, 1);
	free(sent);
	close_writer(&w);
}

static void freeing_it_in_the_same_turn_cancels_the_report(void)
{
	struct writer w;
	open_pipe(&w, 1000);
	CHECK(close(w.from) == 0);
	w.from = -1;
	net_pipe_write(w.pipe, STR("x"));
	net_pipe_free(w.pipe);
	w.pipe = NULL;
	step(&w, 0);
	CHECK_I64(w.broken, 0);
	close_writer(&w);
}

static void freeing_it_writes_what_there_is_room_for(void)
{
	struct writer w;
	open_pipe(&w, 1 << 20);
	char *sent = pattern(70000); /* 65 536 fit into the pipe */
	char *got = calloc(1, 70000);
	if (got == NULL)
		exit(1);
	net_pipe_write(w.pipe, (struct str){ sent, 70000 });
	size_t rest = net_pipe_queued(w.pipe);
	CHECK(rest > 0);
	CHECK(read(w.from, got, 8192) == 8192);
	net_pipe_free(w.pipe);
	w.pipe = NULL;
	size_t n = 8192;
	while (n < 70000) {
		ssize_t r = read(w.from, got + n, 70000 - n);
		if (!CHECK(r > 0))
			break;
		n += (size_t)r;
	}
	CHECK_BYTES(got, sent, 70000);
	free(sent);
	free(got);
	close_writer(&w);
}

static const struct check_case CASES[] = {
	CASE(a_full_pipe_is_written_as_it_is_read),
	CASE(a_full_socket_is_written_as_it_is_read),
	CASE(a_file_is_written_at_once),
	CASE(a_reader_that_left_is_told_from_the_loop_and_once),
	CASE(a_reader_that_leaves_while_bytes_wait_is_noticed),
	CASE(more_than_may_be_queued_breaks_it),
	CASE(freeing_it_in_the_same_turn_cancels_the_report),
	CASE(freeing_it_writes_what_there_is_room_for),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
