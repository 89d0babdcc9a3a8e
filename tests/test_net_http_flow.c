/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP client: back-pressure, and cancelling and freeing in every callback. */
#include "tests/check.h"
#include "tests/http_call.h"

#define HELLO "send HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

/* ---- Back-pressure ---- */

#define BIG (20 << 20)
#define BIG_HEAD "send HTTP/1.1 200 OK\r\nContent-Length: 20971520\r\n\r\n"

static void a_paused_exchange_gets_nothing_and_never_times_out(void)
{
	static const char *const SCRIPT[] = { "accept",        "read", BIG_HEAD,
		                              "fill 20971520", "wait", NULL };
	struct http_fixture f;
	http_setup(&f, SCRIPT);
	struct http_call c = http_call_make(&f, PAUSE_IN_HEAD);
	if (http_start(&c, f.url, STR("{}"), 100)) {
		http_step_for(&f, 400);
		CHECK_STR(buf_str(&c.log).p, "head 200 ");
		net_exchange_resume(c.x);
		CHECK_STR(buf_str(&c.log).p, "head 200 "); /* nothing from inside the call */
		http_run(&f, &c);
	}
	CHECK_STR(buf_str(&c.log).p, "head 200 data done complete ");
	CHECK_I64((int64_t)c.bytes, BIG);
	http_hang_up(&f);
	http_call_done(&c);
	http_teardown(&f);
}

static void a_body_arrives_whole_through_many_pauses(void)
{
	static const char *const SCRIPT[] = { "accept",        "read", BIG_HEAD,
		                              "fill 20971520", "wait", NULL };
	struct http_fixture f;
	http_setup(&f, SCRIPT);
	struct http_call c = http_call_make(&f, PAUSE_IN_DATA);
	if (http_start(&c, f.url, STR("{}"), 5000))
		http_run(&f, &c);
	CHECK_STR(buf_str(&c.log).p, "head 200 data done complete ");
	CHECK_I64((int64_t)c.bytes, BIG);
	http_hang_up(&f);
	http_call_done(&c);
	http_teardown(&f);
}

static void a_chunked_end_that_came_during_a_pause_is_told_after_it(void)
{
	static const char *const SCRIPT[] = {
		"accept", "read",
		"send HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
		"wait", NULL
	};
	struct http_fixture f;
	http_setup(&f, SCRIPT);
	struct http_call c = http_call_make(&f, PAUSE_IN_HEAD);
	if (http_start(&c, f.url, STR("{}"), 1000)) {
		http_step_for(&f, 100);
		CHECK_STR(buf_str(&c.log).p, "head 200 ");
		net_exchange_resume(c.x);
		http_run(&f, &c);
	}
	CHECK_STR(buf_str(&c.log).p, "head 200 data done complete ");
	CHECK_STR(buf_str(&c.body).p, "hello");
	http_hang_up(&f);
	http_call_done(&c);
	http_teardown(&f);
}

/* ---- Cancelling and freeing in callbacks ---- */

struct cancel_row {
	enum http_plan plan;
	const char *log;
};

static void cancelling_and_freeing_work_in_every_callback(void)
{
	static const char *const SCRIPT[] = {
		"accept", "read", "send HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", "wait",
		NULL
	};
	static const struct cancel_row ROWS[] = {
		{ CANCEL_IN_HEAD, "head 200 cancel " },
		{ CANCEL_IN_DATA, "head 200 data cancel " },
		{ FREE_CLIENT_IN_HEAD, "head 200 free " },
		{ FREE_CLIENT_IN_DATA, "head 200 data free " },
		{ FREE_CLIENT_IN_DONE, "head 200 data done timeout free " },
	};
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		struct http_fixture f;
		http_setup(&f, SCRIPT);
		struct http_call c = http_call_make(&f, ROWS[i].plan);
		if (http_start(&c, f.url, STR("{}"), 200))
			http_run(&f, &c);
		http_step_for(&f, 30);
		raw_server_join(&f.server); /* ends because the connection is closed, not kept */
		CHECK_STR(buf_str(&c.log).p, ROWS[i].log);
		CHECK(f.server.client_closed);
		http_call_done(&c);
		http_teardown(&f);
	}
}

static void cancelling_right_after_the_start_calls_nothing(void)
{
	static const char *const SCRIPT[] = { NULL };
	struct http_fixture f;
	http_setup(&f, SCRIPT);
	struct http_call c = http_call_make(&f, JUST_READ);
	for (int i = 0; i < 3; i++) {
		if (http_start(&c, f.url, STR("{}"), 50))
			http_cancel(&c);
	}
	http_step_for(&f, 100);
	CHECK_STR(buf_str(&c.log).p, "cancel cancel cancel ");
	net_exchange_cancel(NULL);
	raw_server_join(&f.server);
	http_call_done(&c);
	http_teardown(&f);
}

static void one_exchange_may_cancel_another(void)
{
	static const char *const SCRIPT[] = { "accept", "read", HELLO, "wait", NULL };
	struct http_fixture f;
	http_setup(&f, SCRIPT);
	struct http_call a = http_call_make(&f, CANCEL_OTHER_IN_HEAD);
	struct http_call b = http_call_make(&f, JUST_READ);
	a.other = &b;
	if (http_start(&a, f.url, STR("{}"), 1000) && http_start(&b, f.url, STR("{}"), 1000))
		http_run(&f, &a);
	http_step_for(&f, 50);
	CHECK_STR(buf_str(&a.log).p, "head 200 data done complete ");
	CHECK_STR(buf_str(&b.log).p, "cancel ");
	http_hang_up(&f);
	http_call_done(&a);
	http_call_done(&b);
	http_teardown(&f);
}

static const struct check_case CASES[] = {
	CASE(a_paused_exchange_gets_nothing_and_never_times_out),
	CASE(a_body_arrives_whole_through_many_pauses),
	CASE(a_chunked_end_that_came_during_a_pause_is_told_after_it),
	CASE(cancelling_and_freeing_work_in_every_callback),
	CASE(cancelling_right_after_the_start_calls_nothing),
	CASE(one_exchange_may_cancel_another),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
