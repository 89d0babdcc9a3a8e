/* SPDX-License-Identifier: Apache-2.0 */
/* The listener on loopback: how requests and answers follow each other on a connection. What
 * it refuses is in test_net_http_refuse.c, streamed answers in test_net_http_stream.c. */
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

/* ---- Requests after each other ---- */

static void an_answer_has_its_fields_and_the_connection_stays(void)
{
	struct talk t;
	open_talk(&t, &OPTIONS);
	for (int i = 1; i <= 3; i++) {
		http_client_say(&t.c, STR(GET("/hello")));
		CHECK(http_client_hears(&t.c, "HTTP/1.1 200 OK\r\nDate: "));
		CHECK(http_client_hears(&t.c, " GMT\r\nContent-Type: text/plain\r\n"
		                              "Content-Length: 5\r\n\r\nhello"));
		CHECK_I64((int64_t)t.c.heard.len, 0);
		CHECK_I64(t.w.bodies, i);
		CHECK_I64((int64_t)net_server_active(t.w.server), 0);
	}
	close_talk(&t);
}

static void pipelined_requests_are_answered_one_after_the_other(void)
{
	struct talk t;
	open_talk(&t, &OPTIONS);
	http_client_say(&t.c, STR(GET("/hello") GET("/wait") GET("/echo") GET("/hello")));
	CHECK(http_client_hears(&t.c, "hello"));
	http_world_idle(&t.w, 20);
	CHECK_I64(t.w.heads, 2); /* the third is not even parsed while the second runs */
	if (!CHECK(t.w.pending != NULL))
		return;
	net_reply(t.w.pending, 200, NULL, 0, STR("waited"));
	CHECK_I64(t.w.heads, 2); /* and not from inside net_reply */
	CHECK(http_client_hears(&t.c, "waited"));
	CHECK(http_client_hears(&t.c, "hello"));
	CHECK_I64(t.w.heads, 4);
	close_talk(&t);
}

static void hundreds_of_pipelined_requests_do_not_starve_or_stall(void)
{
	struct talk t;
	open_talk(&t, &OPTIONS);
	for (int i = 0; i < 300; i++)
		http_client_say(&t.c, STR(GET("/hello")));
	for (int i = 0; i < 300; i++) {
		if (!CHECK(http_client_hears(&t.c, "\r\n\r\nhello")))
			break;
	}
	CHECK_I64(t.w.bodies, 300);
	close_talk(&t);
}

static void a_request_may_come_byte_by_byte(void)
{
	struct talk t;
	static const char TEXT[] =
		"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nabcd" GET("/hello");
	open_talk(&t, &OPTIONS);
	for (size_t i = 0; i < sizeof(TEXT) - 1; i++) {
		http_client_say(&t.c, (struct str){ TEXT + i, 1 });
		http_world_step(&t.w, 10);
	}
	CHECK(http_client_hears(&t.c, "Content-Length: 4\r\n\r\nabcd"));
	CHECK(http_client_hears(&t.c, "hello"));
	close_talk(&t);
}

static void a_large_body_arrives_whole(void)
{
	struct talk t;
	enum {
		SIZE = 3000000
	};
	char *body = malloc(SIZE);
	if (body == NULL)
		exit(1);
	for (size_t i = 0; i < SIZE; i++)
		body[i] = (char)('a' + (int)(i % 23));
	open_talk(&t, &OPTIONS);
	http_client_say(&t.c,
	                STR("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3000000\r\n\r\n"));
	http_client_say(&t.c, (struct str){ body, SIZE });
	CHECK(http_client_hears(&t.c, "\r\n\r\n"));
	for (int i = 0; i < 2000 && t.c.heard.len < SIZE; i++) {
		http_world_step(&t.w, 2);
		http_client_listen(&t.c);
	}
	if (CHECK_I64((int64_t)t.c.heard.len, SIZE))
		CHECK_BYTES(t.c.heard.p, body, SIZE);
	free(body);
	close_talk(&t);
}

static void a_chunked_body_arrives_whole(void)
{
	struct talk t;
	open_talk(&t, &OPTIONS);
	http_client_say(&t.c,
	                STR("POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
	                    "3\r\nabc\r\n"));
	http_world_idle(&t.w, 10);
	http_client_say(&t.c, STR("2\r\nde\r\n0\r\n\r\n" GET("/hello")));
	CHECK(http_client_hears(&t.c, "Content-Length: 5\r\n\r\nabcde"));
	CHECK(http_client_hears(&t.c, "hello"));
	close_talk(&t);
}

static void a_body_can_outlive_its_request(void)
{
	struct talk t;
	open_talk(&t, &OPTIONS);
	http_client_say(&t.c, STR("POST /wait HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nabcd"));
	for (int i = 0; i < 100 && t.w.pending == NULL; i++)
		http_world_step(&t.w, 10);
	if (!CHECK(t.w.pending != NULL))
		return;
	OWN_BUF struct buf body = net_request_take_body(t.w.pending);
	CHECK_TEXT(net_request_body(t.w.pending), "");
	net_reply(t.w.pending, 204, NULL, 0, STR(""));
	http_client_say(&t.c, STR("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nxy"));
	CHECK(http_client_hears(&t.c, "xy"));
	CHECK_TEXT(buf_str(&body), "abcd");
	close_talk(&t);
}

static void the_request_tells_what_it_is(void)
{
	struct talk t;
	size_t count = 0;
	open_talk(&t, &OPTIONS);
	http_client_say(&t.c, STR("PUT /wait?a=%20b HTTP/1.1\r\n" HOST "X-A: 1\r\nx-a: 2\r\n\r\n"));
	for (int i = 0; i < 100 && t.w.pending == NULL; i++)
		http_world_step(&t.w, 10);
	if (!CHECK(t.w.pending != NULL))
		return;
	CHECK_TEXT(net_request_method(t.w.pending), "PUT");
	CHECK_TEXT(net_request_path(t.w.pending), "/wait");
	CHECK_TEXT(net_request_query(t.w.pending), "a=%20b");
	CHECK_TEXT(net_request_header(t.w.pending, "X-a"), "1");
	CHECK_TEXT(net_request_header(t.w.pending, "x-b"), NULL);
	CHECK_STR(net_request_peer(t.w.pending), "127.0.0.1");
	const struct net_header *all = net_request_headers(t.w.pending, &count);
	CHECK_I64((int64_t)count, 3);
	CHECK_TEXT(all[2].value, "2");
	CHECK_I64((int64_t)net_server_active(t.w.server), 1);
	close_talk(&t);
}

static void a_head_request_gets_no_body(void)
{
	struct talk t;
	open_talk(&t, &OPTIONS);
	http_client_say(&t.c, STR("HEAD /hello HTTP/1.1\r\n" HOST "\r\n"
	                          "HEAD /stream HTTP/1.1\r\n" HOST "\r\n"));
	CHECK(http_client_hears(&t.c, "Content-Length: 5\r\n\r\n"));
	CHECK(http_client_hears(&t.c, "Transfer-Encoding: chunked\r\n\r\n"));
	if (!CHECK(t.w.pending != NULL))
		return;
	net_reply_write(t.w.pending, STR("not for a HEAD"));
	net_reply_end(t.w.pending);
	http_client_say(&t.c, STR(GET("/hello")));
	CHECK(http_client_hears(&t.c, "HTTP/1.1 200 OK"));
	CHECK_I64(t.c.heard.len > 0 ? t.c.heard.p[0] : 0,
	          '\r'); /* right after the head before it */
	close_talk(&t);
}

static void a_204_has_neither_body_nor_length(void)
{
	struct talk t;
	open_talk(&t, &OPTIONS);
	http_client_say(&t.c, STR(GET("/wait")));
	for (int i = 0; i < 100 && t.w.pending == NULL; i++)
		http_world_step(&t.w, 10);
	if (!CHECK(t.w.pending != NULL))
		return;
	net_reply(t.w.pending, 204, NULL, 0, STR("no"));
	CHECK(http_client_hears(&t.c, "HTTP/1.1 204 No Content\r\nDate: "));
	CHECK(http_client_hears(&t.c, " GMT\r\n\r\n"));
	CHECK_I64((int64_t)t.c.heard.len, 0);
	close_talk(&t);
}

static void the_servers_own_fields_cannot_be_set(void)
{
	struct talk t;
	static const struct net_header FIELDS[] = {
		{ STR_INIT("content-length"), STR_INIT("99") },
		{ STR_INIT("Connection"), STR_INIT("upgrade") },
		{ STR_INIT("x-kept"), STR_INIT("1") },
	};
	open_talk(&t, &OPTIONS);
	http_client_say(&t.c, STR(GET("/wait")));
	for (int i = 0; i < 100 && t.w.pending == NULL; i++)
		http_world_step(&t.w, 10);
	if (!CHECK(t.w.pending != NULL))
		return;
	net_reply(t.w.pending, 299, FIELDS, 3, STR("ok"));
	CHECK(http_client_hears(&t.c, "HTTP/1.1 299 \r\n"));
	CHECK(http_client_hears(&t.c, " GMT\r\nx-kept: 1\r\nContent-Length: 2\r\n\r\nok"));
	close_talk(&t);
}

/* ---- When the connection ends ---- */

static void connection_close_and_http_1_0_end_it(void)
{
	static const char *const REQUESTS[] = {
		"GET /hello HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n",
		"GET /hello HTTP/1.0\r\n" HOST "\r\n",
		"GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(REQUESTS); i++) {
		struct talk t;
		open_talk(&t, &OPTIONS);
		http_client_say(&t.c, str_of(REQUESTS[i]));
		CHECK(http_client_hears(&t.c,
		                        "Content-Length: 5\r\nConnection: close\r\n\r\nhello"));
		CHECK(http_client_hears_end(&t.c));
		CHECK(!t.c.reset);
		CHECK_I64(t.w.gone, 0);
		close_talk(&t);
	}
}

static void a_client_that_leaves_is_noticed_at_once(void)
{
	struct talk t;
	open_talk(&t, &OPTIONS);
	http_client_say(&t.c, STR(GET("/wait")));
	for (int i = 0; i < 100 && t.w.pending == NULL; i++)
		http_world_step(&t.w, 10);
	CHECK(t.w.pending != NULL);
	CHECK(close(t.c.fd) == 0);
	t.c.fd = -1;
	http_world_step(&t.w, 1000);
	CHECK_I64(t.w.gone, 1);
	CHECK_I64((int64_t)net_server_active(t.w.server), 0);
	close_talk(&t);
}

static void a_client_that_leaves_behind_pipelined_bytes_is_noticed(void)
{
	struct talk t;
	open_talk(&t, &OPTIONS);
	http_client_say(&t.c, STR(GET("/wait") GET("/hello")));
	http_world_idle(&t.w, 20);
	http_client_say(&t.c, STR(GET("/hello")));
	http_world_idle(&t.w, 20);
	CHECK_I64(t.w.gone, 0);
	CHECK(close(t.c.fd) == 0);
	t.c.fd = -1;
	http_world_idle(&t.w, 50);
	CHECK_I64(t.w.gone, 1);
	CHECK_I64(t.w.heads, 1);
	close_talk(&t);
}

static void a_client_that_leaves_in_the_body_is_noticed(void)
{
	struct talk t;
	open_talk(&t, &OPTIONS);
	http_client_say(&t.c, STR("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\nabc"));
	http_world_idle(&t.w, 20);
	CHECK_I64(t.w.heads, 1);
	CHECK(shutdown(t.c.fd, SHUT_WR) == 0);
	http_world_idle(&t.w, 20);
	CHECK_I64(t.w.gone, 1);
	CHECK_I64(t.w.bodies, 0);
	close_talk(&t);
}

static void a_client_that_only_half_closes_still_gets_a_prompt_answer(void)
{
	struct talk t;
	open_talk(&t, &OPTIONS);
	http_client_say(&t.c, STR(GET("/hello")));
	CHECK(shutdown(t.c.fd, SHUT_WR) == 0);
	CHECK(http_client_hears(&t.c, "hello"));
	CHECK(http_client_hears_end(&t.c));
	CHECK_I64(t.w.gone, 0);
	close_talk(&t);
}

/* ---- Answers before the body's end ---- */

static void a_small_unread_body_is_skipped(void)
{
	struct talk t;
	open_talk(&t, &OPTIONS);
	http_client_say(&t.c, STR("POST /early HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\nabc"));
	CHECK(http_client_hears(&t.c, "HTTP/1.1 401 Unauthorized\r\n"));
	CHECK(http_client_hears(&t.c, "Content-Length: 5\r\n\r\nearly"));
	http_client_say(&t.c, STR("defghi" GET("/hello")));
	CHECK(http_client_hears(&t.c, "hello"));
	CHECK_I64(t.w.heads, 2);
	CHECK_I64(t.w.bodies, 1);
	close_talk(&t);
}

static void a_large_unread_body_ends_the_connection_but_not_before_the_answer(void)
{
	static const char *const FRAMINGS[] = {
		"Content-Length: 65600\r\n\r\n",
		"Transfer-Encoding: chunked\r\n\r\n",
		"Content-Length: 30\r\nExpect: 100-continue\r\n\r\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(FRAMINGS); i++) {
		struct talk t;
		open_talk(&t, &OPTIONS);
		http_client_say(&t.c, STR("POST /early HTTP/1.1\r\n" HOST));
		http_client_say(&t.c, str_of(FRAMINGS[i]));
		http_client_say(&t.c, STR("more that nobody reads"));
		CHECK(http_client_hears(&t.c, "Connection: close\r\n\r\nearly"));
		http_client_say(&t.c, STR("and more"));
		CHECK(http_client_hears_end(&t.c));
		CHECK(!t.c.reset);
		CHECK_I64(t.w.heads, 1);
		close_talk(&t);
	}
}

static void continue_is_said_after_the_head_was_accepted(void)
{
	struct talk t;
	open_talk(&t, &OPTIONS);
	http_client_say(&t.c, STR("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n"
	                          "Expect: 100-continue\r\n\r\n"));
	CHECK(http_client_hears(&t.c, "HTTP/1.1 100 Continue\r\n\r\n"));
	CHECK_I64(t.w.heads, 1);
	http_client_say(&t.c, STR("abc"));
	CHECK(http_client_hears(&t.c, "Content-Length: 3\r\n\r\nabc"));
	/* Who does not wait need not be told. */
	http_client_say(&t.c, STR("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n"
	                          "Expect: 100-continue\r\n\r\nabc"));
	CHECK(http_client_hears(&t.c, "HTTP/1.1 "));
	CHECK(str_starts(buf_str(&t.c.heard), STR("200")));
	close_talk(&t);
}

/* ---- The server's end ---- */

static void draining_closes_idle_connections_and_finishes_the_rest(void)
{
	struct talk t;
	struct http_client idle;
	open_talk(&t, &OPTIONS);
	http_client_open(&idle, &t.w);
	http_client_say(&t.c, STR(GET("/wait")));
	http_world_idle(&t.w, 20);
	if (!CHECK(t.w.pending != NULL))
		return;
	net_server_drain(t.w.server);
	CHECK(http_client_hears_end(&idle));
	CHECK_I64((int64_t)net_server_active(t.w.server), 1);
	net_reply(t.w.pending, 200, NULL, 0, STR("last"));
	CHECK(http_client_hears(&t.c, "Connection: close\r\n\r\nlast"));
	CHECK(http_client_hears_end(&t.c));
	CHECK_I64((int64_t)net_server_active(t.w.server), 0);
	http_client_close(&idle);
	close_talk(&t);
}

static void freeing_the_server_cuts_and_tells_nobody(void)
{
	struct talk t;
	open_talk(&t, &OPTIONS);
	http_client_say(&t.c, STR(GET("/wait")));
	http_world_idle(&t.w, 20);
	CHECK(t.w.pending != NULL);
	net_server_free(t.w.server);
	t.w.server = NULL;
	CHECK(http_client_hears_end(&t.c));
	CHECK_I64(t.w.gone, 0);
	net_server_free(NULL);
	close_talk(&t);
}

static void the_server_may_be_freed_by_its_own_handler(void)
{
	struct talk t;
	open_talk(&t, &OPTIONS);
	t.w.free_server_on_head = true;
	http_client_say(&t.c, STR(GET("/hello") GET("/hello")));
	CHECK(http_client_hears_end(&t.c));
	CHECK_I64(t.w.heads, 1);
	CHECK_I64(t.w.bodies, 0);
	close_talk(&t);
}

static const struct check_case CASES[] = {
	CASE(an_answer_has_its_fields_and_the_connection_stays),
	CASE(pipelined_requests_are_answered_one_after_the_other),
	CASE(hundreds_of_pipelined_requests_do_not_starve_or_stall),
	CASE(a_request_may_come_byte_by_byte),
	CASE(a_large_body_arrives_whole),
	CASE(a_chunked_body_arrives_whole),
	CASE(a_body_can_outlive_its_request),
	CASE(the_request_tells_what_it_is),
	CASE(a_head_request_gets_no_body),
	CASE(a_204_has_neither_body_nor_length),
	CASE(the_servers_own_fields_cannot_be_set),
	CASE(connection_close_and_http_1_0_end_it),
	CASE(a_client_that_leaves_is_noticed_at_once),
	CASE(a_client_that_leaves_behind_pipelined_bytes_is_noticed),
	CASE(a_client_that_leaves_in_the_body_is_noticed),
	CASE(a_client_that_only_half_closes_still_gets_a_prompt_answer),
	CASE(a_small_unread_body_is_skipped),
	CASE(a_large_unread_body_ends_the_connection_but_not_before_the_answer),
	CASE(continue_is_said_after_the_head_was_accepted),
	CASE(draining_closes_idle_connections_and_finishes_the_rest),
	CASE(freeing_the_server_cuts_and_tells_nobody),
	CASE(the_server_may_be_freed_by_its_own_handler),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
