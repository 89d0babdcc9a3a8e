/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP client: what servers' answers and faults become, what a request looks like on the wire,
 * and when a connection is used again. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/check.h"
#include "tests/http_call.h"

#define HELLO "send HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

/* ---- What answers become ---- */

struct answer_row {
	const char *name;
	const char *script[12];
	const char *log;
	const char *body;
	const char *fields; /* or NULL: not looked at */
	const char *why;    /* a part of it */
};

static const struct answer_row ANSWERS[] = {
	{ "plain",
	  { "accept", "read", HELLO, "wait" },
	  "head 200 data done complete ",
	  "hello",
	  "Content-Length=5;",
	  "" },
	{ "no body",
	  { "accept", "read", "send HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "wait" },
	  "head 200 done complete ",
	  "",
	  NULL,
	  "" },
	{ "chunked, with a trailer",
	  { "accept", "read",
	    "send HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n", "sleep 20",
	    "send 2\r\nlo\r\n0\r\nX-Late: 1\r\n\r\n", "wait" },
	  "head 200 data done complete ",
	  "hello",
	  "Transfer-Encoding=chunked;",
	  "" },
	{ "until close",
	  { "accept", "read", "send HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello", "close" },
	  "head 200 data done complete ",
	  "hello",
	  NULL,
	  "" },
	{ "a head in pieces",
	  { "accept", "read", "send HTT", "sleep 20", "send P/1.1 404 Not Fo", "sleep 20",
	    "send und\r\nA: b\r", "sleep 20", "send \nContent-Length: 2\r\n\r\nno", "wait" },
	  "head 404 data done complete ",
	  "no",
	  "A=b;Content-Length=2;",
	  "" },
	{ "100 and 103 before the answer",
	  { "accept", "read",
	    "send HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
	    "sleep 20", HELLO, "wait" },
	  "head 200 data done complete ",
	  "hello",
	  "Content-Length=5;",
	  "" },
	{ "fields as they came",
	  { "accept", "read",
	    "send HTTP/1.1 200 OK\r\nSet-Thing:  a \r\nset-thing: b\r\nEmpty:\r\nContent-Length: 0\r\n\r\n",
	    "wait" },
	  "head 200 done complete ",
	  "",
	  "Set-Thing=a;set-thing=b;Empty=;Content-Length=0;",
	  "" },
	{ "a redirect is an answer",
	  { "accept", "read",
	    "send HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
	    "wait" },
	  "head 302 done complete ",
	  "",
	  NULL,
	  "" },
	{ "cut in the head",
	  { "accept", "read", "send HTTP/1.1 200 OK\r\nA: b\r\n", "close" },
	  "done broken ",
	  "",
	  NULL,
	  "" },
	{ "closed without a byte",
	  { "accept", "read", "close" },
	  "done broken ",
	  "",
	  NULL,
	  "Empty reply" },
	{ "cut in a counted body",
	  { "accept", "read", "send HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", "close" },
	  "head 200 data done broken ",
	  "hello",
	  NULL,
	  "4 bytes remaining" },
	{ "cut in a chunked body",
	  { "accept", "read",
	    "send HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "close" },
	  "head 200 data done broken ",
	  "hello",
	  NULL,
	  "" },
	{ "reset in the body",
	  { "accept", "read", "send HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", "sleep 50",
	    "reset" },
	  "head 200 data done broken ",
	  "hello",
	  NULL,
	  "" },
	{ "a chunk size that is none",
	  { "accept", "read",
	    "send HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n", "wait" },
	  "head 200 done broken ",
	  "",
	  NULL,
	  "" },
	{ "no HTTP at all",
	  { "accept", "read", "send SSH-2.0-x\r\n\r\n", "close" },
	  "done broken ",
	  "",
	  NULL,
	  "HTTP/0.9" },
	{ "a field without a colon",
	  { "accept", "read", "send HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", "wait" },
	  "done broken ",
	  "",
	  NULL,
	  "without colon" },
	{ "a folded field",
	  { "accept", "read", "send HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "wait" },
	  "done broken ",
	  "",
	  NULL,
	  "malformed" },
	{ "a head above the limit",
	  { "accept", "read", "send HTTP/1.1 200 OK\r\nA: ", "fill 66000", "send \r\n\r\n",
	    "wait" },
	  "done broken ",
	  "",
	  NULL,
	  "too large" },
	{ "silence before the head",
	  { "accept", "read", "wait" },
	  "done timeout ",
	  "",
	  NULL,
	  "silent" },
	{ "silence in the body",
	  { "accept", "read", "send HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", "wait" },
	  "head 200 data done timeout ",
	  "hello",
	  NULL,
	  "silent" },
};

static void check_answer(const struct answer_row *row)
{
	struct http_fixture f;
	http_setup(&f, row->script);
	struct http_call c = http_call_make(&f, JUST_READ);
	if (http_start(&c, f.url, STR("{}"), 300)) {
		CHECK_I64((int64_t)c.log.len, 0); /* nothing from inside the start */
		http_run(&f, &c);
	}
	http_hang_up(&f);
	bool good = CHECK_STR(buf_str(&c.log).p, row->log);
	good &= CHECK_STR(buf_str(&c.body).p, row->body);
	if (row->fields != NULL)
		good &= CHECK_STR(buf_str(&c.fields).p, row->fields);
	good &= CHECK(str_find(str_of(c.why), str_of(row->why)) >= 0);
	good &= CHECK(strstr(c.why, "hidden") == NULL && strstr(c.why, "sk-secret") == NULL);
	good &= CHECK_I64(f.server.requests, 1);
	if (!good)
		check_note("answer: %s; why: %s", row->name, c.why);
	http_call_done(&c);
	http_teardown(&f);
}

static void an_answer_becomes_head_data_and_an_end(void)
{
	for (size_t i = 0; i < ARRAY_LEN(ANSWERS); i++)
		check_answer(&ANSWERS[i]);
}

static void slow_bytes_are_no_silence(void)
{
	static const char *const SCRIPT[] = {
		"accept",    "read",      "send HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n",
		"sleep 120", "send a",    "sleep 120",
		"send b",    "sleep 120", "send c",
		"sleep 120", "send d",    "wait",
		NULL
	};
	struct http_fixture f;
	http_setup(&f, SCRIPT);
	struct http_call c = http_call_make(&f, JUST_READ);
	if (http_start(&c, f.url, (struct str){ 0 }, 300))
		http_run(&f, &c);
	CHECK_STR(buf_str(&c.log).p, "head 200 data done complete ");
	CHECK_STR(buf_str(&c.body).p, "abcd");
	CHECK(c.head_ms < 100); /* the head does not wait for the first byte */
	http_hang_up(&f);
	http_call_done(&c);
	http_teardown(&f);
}

/* ---- Requests ---- */

static void a_request_says_what_it_must_and_no_more(void)
{
	static const char *const SCRIPT[] = { "accept", "read", HELLO, "wait", NULL };
	static const char *const WANTED[] = {
		"POST /v1/x?key=hidden HTTP/1.1\r\n",
		"\r\nauthorization: Bearer sk-secret\r\n",
		"\r\nx-empty:\r\n",
		"\r\nUser-Agent: agent-store/",
		"\r\nContent-Length: 2097152\r\n",
	};
	static const char *const UNWANTED[] = { "Expect", "Accept-Encoding", "Content-Type",
		                                "Proxy" };
	struct http_fixture f;
	http_setup(&f, SCRIPT);
	struct http_call c = http_call_make(&f, JUST_READ);
	char *large = malloc(2 << 20); /* curl asks for 100 Continue above one megabyte */
	if (!CHECK(large != NULL))
		abort();
	memset(large, 'y', 2 << 20);
	CHECK(setenv("http_proxy", "http://127.0.0.1:1", 1) == 0);
	if (http_start(&c, f.url, (struct str){ large, 2 << 20 }, 0))
		http_run(&f, &c);
	CHECK(unsetenv("http_proxy") == 0);
	CHECK_STR(buf_str(&c.log).p, "head 200 data done complete ");
	http_hang_up(&f);
	struct str rest = buf_str(&f.server.last);
	ptrdiff_t end = str_find(rest, STR("\r\n\r\n"));
	struct str head = { rest.p, end > 0 ? (size_t)end + 2 : 0 };
	for (size_t i = 0; i < ARRAY_LEN(WANTED); i++)
		CHECK(str_find(head, str_of(WANTED[i])) >= 0);
	for (size_t i = 0; i < ARRAY_LEN(UNWANTED); i++)
		CHECK(!str_has_nocase(head, str_of(UNWANTED[i])));
	free(large);
	http_call_done(&c);
	http_teardown(&f);
}

static void a_field_with_a_line_end_is_refused(void)
{
	static const struct net_exchange_events NO_EVENTS = { NULL, NULL, NULL };
	static const char *const SCRIPT[] = { NULL };
	static const struct net_header BAD[] = {
		{ STR_INIT("a"), STR_INIT("b\r\nc: d") },
		{ STR_INIT("a"), STR_INIT("b\0c") },
		{ STR_INIT("a\nb"), STR_INIT("c") },
		{ STR_INIT(""), STR_INIT("c") },
	};
	struct http_fixture f;
	http_setup(&f, SCRIPT);
	for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
		struct net_exchange_request rq = {
			.method = "GET", .url = f.url, .headers = &BAD[i], .header_count = 1
		};
		struct err err = { 0 };
		CHECK(net_exchange_start(f.client, &rq, &NO_EVENTS, NULL, &err) == NULL);
		CHECK_I64(err.code, ERR_INVALID_ARGUMENT);
	}
	http_step_for(&f, 20);
	raw_server_join(&f.server);
	CHECK_I64(f.server.accepted, 0);
	http_teardown(&f);
}

/* ---- No connection ---- */

static void what_cannot_be_reached_is_no_connection(void)
{
	static const char *const SCRIPT[] = { NULL };
	static const char *const URLS[] = {
		"http://127.0.0.1:1/",
		"http://no-such-host.invalid/",
		"ftp://127.0.0.1/x",
		"file:///etc/hostname",
		"http://",
	};
	struct http_fixture f;
	http_setup(&f, SCRIPT);
	for (size_t i = 0; i < ARRAY_LEN(URLS); i++) {
		struct http_call c = http_call_make(&f, JUST_READ);
		if (http_start(&c, URLS[i], STR("{}"), 5000))
			http_run(&f, &c);
		if (!CHECK_STR(buf_str(&c.log).p, "done no_connect ") || !CHECK(c.why[0] != '\0'))
			check_note("%s: %s", URLS[i], c.why);
		http_call_done(&c);
	}
	raw_server_join(&f.server);
	http_teardown(&f);
}

static void tls_to_a_server_without_it_is_no_connection(void)
{
	static const char *const SCRIPT[] = { "accept", "send HTTP/1.1 400 No\r\n\r\n", "close",
		                              NULL };
	struct http_fixture f;
	http_setup(&f, SCRIPT);
	struct http_call c = http_call_make(&f, JUST_READ);
	char url[64];
	(void)snprintf(url, sizeof(url), "https://127.0.0.1:%d/", f.server.port);
	if (http_start(&c, url, STR("{}"), 5000))
		http_run(&f, &c);
	CHECK_STR(buf_str(&c.log).p, "done no_connect ");
	raw_server_join(&f.server);
	http_call_done(&c);
	http_teardown(&f);
}

/* ---- Connections used again ---- */

static void connections_are_kept_for_the_next_request(void)
{
	static const char *const SCRIPT[] = { "accept", "read", HELLO,  "read", HELLO,
		                              "read",   HELLO,  "wait", NULL };
	struct http_fixture f;
	http_setup(&f, SCRIPT);
	struct http_call c = http_call_make(&f, JUST_READ);
	if (http_start(&c, f.url, STR("{}"), 0))
		http_run(&f, &c);
	c.next_url = f.url; /* the third one starts inside the end of the second */
	if (http_start(&c, f.url, STR("{}"), 0))
		http_run(&f, &c);
	http_hang_up(&f);
	CHECK_STR(buf_str(&c.log).p, "head 200 data done complete head 200 done complete "
	                             "head 200 done complete ");
	CHECK_I64(f.server.accepted, 1);
	CHECK_I64(f.server.requests, 3);
	CHECK(f.server.client_closed);
	http_call_done(&c);
	http_teardown(&f);
}

/* A connection that the server closed while it was idle is seen to be dead before it is used. */
static void a_connection_closed_while_idle_is_replaced(void)
{
	static const char *const SCRIPT[] = { "accept", "read", HELLO,  "close", "accept",
		                              "read",   HELLO,  "wait", NULL };
	struct http_fixture f;
	http_setup(&f, SCRIPT);
	struct http_call c = http_call_make(&f, JUST_READ);
	if (http_start(&c, f.url, STR("{}"), 0))
		http_run(&f, &c);
	http_step_for(&f, 100);
	if (http_start(&c, f.url, STR("{}"), 0))
		http_run(&f, &c);
	http_hang_up(&f);
	CHECK_STR(buf_str(&c.log).p, "head 200 data done complete head 200 done complete ");
	CHECK_I64(f.server.accepted, 2);
	CHECK_I64(f.server.requests, 2);
	http_call_done(&c);
	http_teardown(&f);
}

/* Here the server takes the second request and closes: whether it acted on it, nobody knows. Curl
 * alone would send it once more on a new connection. */
static void second_request_is_taken_and_closed(const char *how, struct str body, const char *log,
                                               int requests)
{
	const char *const script[] = { "accept", "read", HELLO, "read", how,
		                       "accept", "read", HELLO, "wait", NULL };
	struct http_fixture f;
	http_setup(&f, script);
	struct http_call c = http_call_make(&f, JUST_READ);
	if (http_start(&c, f.url, body, 0))
		http_run(&f, &c);
	buf_reset(&c.log);
	if (http_start(&c, f.url, body, 0))
		http_run(&f, &c);
	http_step_for(&f, 50);
	http_hang_up(&f);
	CHECK_STR(buf_str(&c.log).p, log);
	CHECK_I64(f.server.requests, requests);
	if (requests == 2)
		CHECK_STR(c.why, "a reused connection closed before an answer came");
	http_call_done(&c);
	http_teardown(&f);
}

static void a_post_is_never_sent_twice(void)
{
	second_request_is_taken_and_closed("close", STR("{}"), "done stale ", 2);
	second_request_is_taken_and_closed("reset", STR("{}"), "done stale ", 2);
}

static void a_get_is_sent_again_on_a_new_connection(void)
{
	second_request_is_taken_and_closed("close", (struct str){ 0 }, "head 200 done complete ",
	                                   3);
	second_request_is_taken_and_closed("reset", (struct str){ 0 }, "head 200 done complete ",
	                                   3);
}

static void a_header_is_found_by_any_case_and_the_last_one_wins(void)
{
	static const char *const SCRIPT[] = {
		"accept", "read",
		"send HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 1\r\n\r\nz", "wait",
		NULL
	};
	struct http_fixture f;
	http_setup(&f, SCRIPT);
	struct http_call c = http_call_make(&f, PAUSE_IN_HEAD);
	if (http_start(&c, f.url, (struct str){ 0 }, 1000)) {
		http_step_for(&f, 100);
		if (CHECK(c.x != NULL)) {
			CHECK_TEXT(net_exchange_header(c.x, "X-a"), "2");
			CHECK_TEXT(net_exchange_header(c.x, "x-b"), NULL);
			net_exchange_resume(c.x);
			http_run(&f, &c);
		}
	}
	http_hang_up(&f);
	http_call_done(&c);
	http_teardown(&f);
}

static const struct check_case CASES[] = {
	CASE(an_answer_becomes_head_data_and_an_end),
	CASE(slow_bytes_are_no_silence),
	CASE(a_header_is_found_by_any_case_and_the_last_one_wins),
	CASE(a_request_says_what_it_must_and_no_more),
	CASE(a_field_with_a_line_end_is_refused),
	CASE(what_cannot_be_reached_is_no_connection),
	CASE(tls_to_a_server_without_it_is_no_connection),
	CASE(connections_are_kept_for_the_next_request),
	CASE(a_connection_closed_while_idle_is_replaced),
	CASE(a_post_is_never_sent_twice),
	CASE(a_get_is_sent_again_on_a_new_connection),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
