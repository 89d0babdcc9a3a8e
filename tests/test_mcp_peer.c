/* SPDX-License-Identifier: Apache-2.0 */
/* What goes over the local socket: frames, hellos, and how the link takes a peer that speaks
 * otherwise. The peers are made by hand from the socket's own functions. */
#include <stdlib.h>

#include "mcp/frame.h"
#include "mcp/link.h"
#include "tests/check.h"
#include "tests/mcp_world.h"

#define WAIT_MS 3000

static const char LIST[] = "{\"command\":\"account list\",\"arguments\":{}}";

/* ---- An owner made by hand ---- */

struct fake {
	const char *hello; /* NULL: says nothing */
	struct net_local_server *server;
	int frames;
};

static void fake_opened(void *data, struct net_local *c)
{
	const struct fake *fake = data;

	if (fake->hello != NULL)
		net_local_send(c, str_of(fake->hello));
}

static void fake_frame(void *data, struct net_local *c, struct str bytes)
{
	struct fake *fake = data;

	(void)c;
	(void)bytes;
	fake->frames++;
}

static void fake_closed(void *data, struct net_local *c)
{
	(void)data;
	(void)c;
}

static void fake_listen(struct world *w, struct fake *fake)
{
	static const struct net_local_events EVENTS = { .opened = fake_opened,
		                                        .frame = fake_frame,
		                                        .closed = fake_closed };
	struct err err = { 0 };

	fake->server = net_local_listen(w->loop, w->socket, &EVENTS, fake, &err);
	CHECK(fake->server != NULL);
}

static void a_server_of_another_protocol_is_named(void)
{
	struct world w;
	struct till till = { 0 };
	struct waiter got = { 0 };
	struct fake fake = { .hello = "{\"protocol\":2,\"version\":\"9.8.7\"}" };
	struct err err = { 0 };

	if (!world_open(&w))
		return;
	struct store_lock *lock = store_lock_take(w.db, &err);
	fake_listen(&w, &fake);
	struct mcp_link *link = world_link(&w, &till);
	CHECK(mcp_link_call(link, str_of(LIST), waiter_answer, &got) != 0);
	CHECK(world_wait(&w, &got.answered, WAIT_MS));
	CHECK(waiter_has(&got, "\"code\":\"conflict\""));
	CHECK(waiter_has(&got, "the running server is version 9.8.7"));
	CHECK(waiter_has(&got, "restart it"));
	mcp_link_free(link);
	net_local_server_free(fake.server);
	store_lock_free(lock);
	world_close(&w);
}

static void a_call_that_nobody_answers_ends_at_its_deadline(void)
{
	struct world w;
	struct till till = { 0 };
	struct waiter got = { 0 };
	struct fake fake = { .hello = "{\"protocol\":1,\"version\":\"0.1.0\"}" };
	struct err err = { 0 };

	if (!world_open(&w))
		return;
	struct store_lock *lock = store_lock_take(w.db, &err);
	fake_listen(&w, &fake);
	struct mcp_link *link = world_link(&w, &till);
	CHECK(mcp__link_call_within(link, str_of(LIST), 100, waiter_answer, &got) != 0);
	CHECK(world_wait(&w, &got.answered, WAIT_MS));
	CHECK_I64(mcp_link_state(link), MCP_LINK_RELAY);
	CHECK_I64(fake.frames, 2); /* our hello and the request */
	CHECK(waiter_has(&got, "\"code\":\"unavailable\""));
	CHECK(waiter_has(&got, "did not answer in time"));
	mcp_link_free(link);
	net_local_server_free(fake.server);
	store_lock_free(lock);
	world_close(&w);
}

/* ---- A relay made by hand ---- */

struct stranger {
	bool gone;
	int frames;
};

static void stranger_frame(void *data, struct net_local *c, struct str bytes)
{
	struct stranger *s = data;

	(void)c;
	(void)bytes;
	s->frames++;
}

static void stranger_closed(void *data, struct net_local *c)
{
	struct stranger *s = data;

	(void)c;
	s->gone = true;
}

static void a_relay_that_speaks_otherwise_is_hung_up_on(void)
{
	static const char *const FRAMES[][2] = {
		{ "{\"protocol\":2,\"version\":\"9.8.7\"}", NULL },
		{ "hello", NULL },
		{ "1\n{\"command\":\"account list\"}", NULL }, /* before its hello */
		{ "{\"protocol\":1,\"version\":\"0.1.0\"}", "no number" },
	};
	static const struct net_local_events EVENTS = { .frame = stranger_frame,
		                                        .closed = stranger_closed };
	struct world w;
	struct till till = { 0 };
	struct err err = { 0 };

	if (!world_open(&w))
		return;
	struct mcp_link *link = world_link(&w, &till);
	world_attach(&w, link);
	for (size_t i = 0; i < ARRAY_LEN(FRAMES); i++) {
		struct stranger s = { 0 };
		struct net_local *c = net_local_connect(w.loop, w.socket, &EVENTS, &s, &err);
		check_note("row %zu", i);
		if (!CHECK(c != NULL))
			break;
		for (size_t f = 0; f < 2 && FRAMES[i][f] != NULL; f++)
			net_local_send(c, str_of(FRAMES[i][f]));
		CHECK(world_wait(&w, &s.gone, WAIT_MS));
		CHECK_I64(s.frames, 1); /* it was told who we are */
	}
	world_attach(&w, link); /* and all is well */
	mcp_link_free(link);
	world_close(&w);
}

/* ---- Frames ---- */

static void frames_carry_a_number_and_any_text(void)
{
	static const struct {
		const char *frame;
		bool ok;
		int64_t number;
		const char *text;
	} ROWS[] = {
		{ "7\n{}", true, 7, "{}" },
		{ "12\na\nb", true, 12, "a\nb" },
		{ "9223372036854775807\n", true, INT64_MAX, "" },
		{ "7", false, 0, NULL },
		{ "", false, 0, NULL },
		{ "x\n{}", false, 0, NULL },
		{ "\n{}", false, 0, NULL },
		{ "9223372036854775808\n{}", false, 0, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		int64_t number = 0;
		struct str text = { NULL, 0 };
		check_note("row %zu", i);
		CHECK(mcp__frame_read(str_of(ROWS[i].frame), &number, &text) == ROWS[i].ok);
		CHECK_I64(number, ROWS[i].number);
		CHECK_TEXT(text, ROWS[i].text);
	}
	OWN_BUF struct buf out = buf_make(64);
	mcp__frame_put(&out, 41, STR("{\"a\":1}"));
	CHECK_STR(out.p, "41\n{\"a\":1}");
}

static void the_hello_is_read_by_every_version(void)
{
	OWN_BUF struct buf out = buf_make(256);
	struct err err = { 0 };

	mcp__frame_put_hello(&out);
	CHECK_STR(out.p, "{\"protocol\":1,\"version\":\"" AGENT_STORE_VERSION "\"}");
	CHECK(mcp__frame_read_hello(buf_str(&out), &err));
	CHECK(mcp__frame_read_hello(STR("{\"protocol\":1,\"version\":\"3\",\"more\":[]}"), &err));
	CHECK(!mcp__frame_read_hello(STR("{\"protocol\":3}"), &err));
	CHECK_I64(err.code, ERR_CONFLICT);
	CHECK_STR(err.text, "the running server is version unknown and this is " AGENT_STORE_VERSION
	                    "; restart it");
	CHECK(!mcp__frame_read_hello(STR("no json"), &err));
	CHECK_STR(err.text, "the running server is no agent-store; restart it");
}

static const struct check_case CASES[] = {
	CASE(a_server_of_another_protocol_is_named),
	CASE(a_call_that_nobody_answers_ends_at_its_deadline),
	CASE(a_relay_that_speaks_otherwise_is_hung_up_on),
	CASE(frames_carry_a_number_and_any_text),
	CASE(the_hello_is_read_by_every_version),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
