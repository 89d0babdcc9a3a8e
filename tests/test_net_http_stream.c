/* SPDX-License-Identifier: Apache-2.0 */
/* Streamed answers: chunks, back-pressure, and what a client sees when one is aborted. */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "tests/check.h"
#include "tests/http_world.h"

#define HOST "Host: store.test\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

static const struct net_server_options OPTIONS = { .public_host = "store.test" };

struct talk {
	struct http_world w;
	struct http_client c;
};

static void open_talk(struct talk *t, const struct net_server_options *options)
{
	http_world_open(&t->w, options);
	http_client_open(&t->c, &t->w);
}

static void close_talk(struct talk *t)
{
	http_client_close(&t->c);
	http_world_close(&t->w);
}

/* A streamed answer whose head was heard; false if it did not come. */
static bool open_stream(struct talk *t)
{
	open_talk(t, &OPTIONS);
	http_client_say(&t->c, STR(GET("/stream")));
	return CHECK(http_client_hears(&t->c, "\r\n\r\n")) && CHECK(t->w.pending != NULL);
}

static void a_stream_leaves_chunk_by_chunk(void)
{
	struct talk t;
	if (!open_stream(&t))
		return;
	net_reply_write(t.w.pending, STR("0123456789abcdef!"));
	CHECK(http_client_hears(&t.c, "11\r\n0123456789abcdef!\r\n"));
	net_reply_write(t.w.pending, STR("")); /* an empty chunk would be the end */
	net_reply_write(t.w.pending, STR("x"));
	CHECK(http_client_hears(&t.c, "1\r\nx\r\n"));
	net_reply_end(t.w.pending);
	CHECK(http_client_hears(&t.c, "0\r\n\r\n"));
	http_client_say(&t.c, STR(GET("/hello")));
	CHECK(http_client_hears(&t.c, "hello"));
	close_talk(&t);
}

static void an_aborted_stream_has_no_last_chunk(void)
{
	struct talk t;
	if (!open_stream(&t))
		return;
	net_reply_write(t.w.pending, STR("part"));
	net_reply_abort(t.w.pending);
	CHECK(http_client_hears_end(&t.c));
	CHECK_TEXT(buf_str(&t.c.heard), "4\r\npart\r\n");
	CHECK_I64(t.w.gone, 0);
	close_talk(&t);
}

/* Writes until the kernel takes no more and `most` bytes are queued. Returns the bytes written. */
static size_t fill(struct talk *t, size_t most)
{
	static char block[16 << 10];
	size_t written = 0;
	while (net_reply_queued(t->w.pending) < most) {
		net_reply_write(t->w.pending, (struct str){ block, sizeof(block) });
		written += sizeof(block);
	}
	return written;
}

static void a_slow_reader_holds_the_queue_and_then_drains_it(void)
{
	struct talk t;
	if (!open_stream(&t))
		return;
	(void)fill(&t, LIMIT_HTTP_OUT_HIGH + 1);
	http_world_idle(&t.w, 20);
	CHECK(net_reply_queued(t.w.pending) > LIMIT_HTTP_OUT_LOW);
	CHECK_I64(t.w.drained, 0);
	for (int i = 0; i < 2000 && net_reply_queued(t.w.pending) > 0; i++) {
		http_client_listen(&t.c);
		http_world_step(&t.w, 2);
	}
	CHECK_I64((int64_t)net_reply_queued(t.w.pending), 0);
	CHECK_I64(t.w.drained, 1);
	net_reply_end(t.w.pending);
	CHECK(http_client_hears(&t.c, "\r\n0\r\n\r\n"));
	close_talk(&t);
}

static void a_queue_that_was_not_high_does_not_drain(void)
{
	struct talk t;
	if (!open_stream(&t))
		return;
	(void)fill(&t, 1);
	CHECK(net_reply_queued(t.w.pending) <= LIMIT_HTTP_OUT_HIGH);
	for (int i = 0; i < 2000 && net_reply_queued(t.w.pending) > 0; i++) {
		http_client_listen(&t.c);
		http_world_step(&t.w, 2);
	}
	CHECK_I64(t.w.drained, 0);
	close_talk(&t);
}

static void what_was_queued_arrives_after_the_end_and_the_next_request_waits(void)
{
	struct talk t;
	if (!open_stream(&t))
		return;
	size_t written = fill(&t, LIMIT_HTTP_OUT_HIGH);
	net_reply_end(t.w.pending);
	CHECK_I64((int64_t)net_server_active(t.w.server), 0);
	http_client_say(&t.c, STR(GET("/hello")));
	http_world_idle(&t.w, 20);
	CHECK_I64(t.w.heads, 1);
	for (int i = 0; i < 4000 && t.w.heads < 2; i++) {
		http_client_listen(&t.c);
		http_world_step(&t.w, 2);
	}
	CHECK((size_t)t.c.heard.len > written);
	CHECK(http_client_hears(&t.c, "\r\n0\r\n\r\nHTTP/1.1 200 OK"));
	CHECK(http_client_hears(&t.c, "hello"));
	close_talk(&t);
}

static void an_aborted_stream_still_delivers_what_was_queued(void)
{
	struct talk t;
	if (!open_stream(&t))
		return;
	size_t written = fill(&t, LIMIT_HTTP_OUT_HIGH);
	net_reply_abort(t.w.pending);
	CHECK(http_client_hears_end(&t.c));
	CHECK(t.c.heard.len > written);
	CHECK(!str_ends(buf_str(&t.c.heard), STR("0\r\n\r\n")));
	close_talk(&t);
}

static void a_queue_beyond_its_limit_cuts_the_connection(void)
{
	struct talk t;
	if (!open_stream(&t))
		return;
	char *block = calloc(1, LIMIT_HTTP_OUT_MAX / 4);
	if (block == NULL)
		exit(1);
	for (int i = 0; i < 6; i++)
		net_reply_write(t.w.pending, (struct str){ block, LIMIT_HTTP_OUT_MAX / 4 });
	CHECK_I64(t.w.gone, 0);
	http_world_idle(&t.w, 10);
	CHECK_I64(t.w.gone, 1);
	free(block);
	close_talk(&t);
}

static void a_stream_to_http_1_0_ends_with_the_connection(void)
{
	struct talk t;
	open_talk(&t, &OPTIONS);
	http_client_say(&t.c, STR("GET /stream HTTP/1.0\r\n" HOST "\r\n"));
	CHECK(http_client_hears(&t.c, "text/plain\r\nConnection: close\r\n\r\n"));
	if (!CHECK(t.w.pending != NULL))
		return;
	net_reply_write(t.w.pending, STR("one"));
	net_reply_write(t.w.pending, STR("two"));
	net_reply_end(t.w.pending);
	CHECK(http_client_hears_end(&t.c));
	CHECK_TEXT(buf_str(&t.c.heard), "onetwo");
	CHECK(!t.c.reset);
	close_talk(&t);
}

static void an_aborted_stream_to_http_1_0_is_reset(void)
{
	struct talk t;
	open_talk(&t, &OPTIONS);
	http_client_say(&t.c, STR("GET /stream HTTP/1.0\r\n" HOST "\r\n"));
	CHECK(http_client_hears(&t.c, "\r\n\r\n"));
	if (!CHECK(t.w.pending != NULL))
		return;
	net_reply_write(t.w.pending, STR("one"));
	net_reply_abort(t.w.pending);
	CHECK(http_client_hears_end(&t.c));
	CHECK(t.c.reset);
	CHECK_I64(t.w.gone, 0);
	close_talk(&t);
}

static void a_write_that_fails_is_told_from_the_loop(void)
{
	struct talk t;
	if (!open_stream(&t))
		return;
	struct linger now = { .l_onoff = 1, .l_linger = 0 };
	CHECK(setsockopt(t.c.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) == 0);
	CHECK(close(t.c.fd) == 0); /* a reset */
	t.c.fd = -1;
	net_reply_write(t.w.pending, STR("one"));
	net_reply_write(t.w.pending, STR("two"));
	CHECK_I64(t.w.gone, 0);
	http_world_idle(&t.w, 20);
	CHECK_I64(t.w.gone, 1);
	close_talk(&t);
}

static void an_answer_that_cannot_be_written_is_nobodys(void)
{
	struct talk t;
	if (!open_stream(&t))
		return;
	struct linger now = { .l_onoff = 1, .l_linger = 0 };
	CHECK(setsockopt(t.c.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) == 0);
	CHECK(close(t.c.fd) == 0);
	t.c.fd = -1;
	net_reply_write(t.w.pending, STR("one"));
	net_reply_end(t.w.pending);
	http_world_idle(&t.w, 20);
	CHECK_I64(t.w.gone, 0);
	CHECK_I64((int64_t)net_server_active(t.w.server), 0);
	close_talk(&t);
}

static const struct check_case CASES[] = {
	CASE(a_stream_leaves_chunk_by_chunk),
	CASE(an_aborted_stream_has_no_last_chunk),
	CASE(a_slow_reader_holds_the_queue_and_then_drains_it),
	CASE(a_queue_that_was_not_high_does_not_drain),
	CASE(what_was_queued_arrives_after_the_end_and_the_next_request_waits),
	CASE(an_aborted_stream_still_delivers_what_was_queued),
	CASE(a_queue_beyond_its_limit_cuts_the_connection),
	CASE(a_stream_to_http_1_0_ends_with_the_connection),
	CASE(an_aborted_stream_to_http_1_0_is_reset),
	CASE(a_write_that_fails_is_told_from_the_loop),
	CASE(an_answer_that_cannot_be_written_is_nobodys),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
