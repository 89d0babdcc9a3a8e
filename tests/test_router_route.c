/* SPDX-License-Identifier: Apache-2.0 */
/* Routes with two upstreams: fail-over before the first byte and never after it, breakers, sticky
 * choices, price factors, successors of retired models, lowered limits. Each request's attempts are
 * read back from its receipt. */
#include <stdio.h>
#include <string.h>

#include "tests/router_world.h"

#define PAIR                                                                                        \
	"[{\"alias\":\"pair\",\"upstreams\":["                                                      \
	"{\"name\":\"first\",\"provider\":\"anthropic\",\"baseUrl\":\"FIRST\",\"apiKey\":\"k1\","   \
	"\"models\":[\"claude-opus-4-6\"]},"                                                        \
	"{\"name\":\"second\",\"provider\":\"anthropic\",\"baseUrl\":\"SECOND\",\"apiKey\":\"k2\"," \
	"\"priceFactor\":\"0.8\",\"models\":[\"claude-opus-4-6\"]}]}]"

#define MESSAGE "{\"model\":\"claude-opus-4-6\",\"max_tokens\":200,\"messages\":[]}"
#define MESSAGE_STREAM \
	"{\"model\":\"claude-opus-4-6\",\"max_tokens\":200,\"stream\":true,\"messages\":[]}"

/* The second seed's record: 50 / 200 / 0 / 1500 / 120. */
#define ANSWER                                                                                   \
	"{\"type\":\"message\",\"model\":\"claude-opus-4-6\",\"content\":[{\"type\":\"text\"}]," \
	"\"stop_reason\":\"end_turn\",\"usage\":{\"input_tokens\":50,"                           \
	"\"cache_creation_input_tokens\":200,\"cache_read_input_tokens\":1500,\"output_tokens\":120}}"

static void answer(struct world *w, struct net_request *rq, int number)
{
	(void)w;
	(void)number;
	upstream_json(rq, 200, ANSWER);
}

static void fail_500(struct world *w, struct net_request *rq, int number)
{
	(void)w;
	(void)number;
	upstream_json(
		rq, 500,
		"{\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"boom\"}}");
}

static void open_pair(struct world *w, upstream_fn *first, upstream_fn *second)
{
	world_open_routes(w, 2500, first,
	                  &(struct world_routes){ .second = second,
	                                          .routes = PAIR,
	                                          .limits.spend_limit = money_of_micros(-1) });
}

static bool says(const struct got *g, const char *text)
{
	bool found = str_find(buf_str(&g->body), str_of(text)) >= 0;

	if (!CHECK(found))
		check_note("'%s' is not in: %s", text, g->body.p ? g->body.p : "");
	return found;
}

static struct got ask_pair(struct world *w, const char *body)
{
	return world_ask(w, "POST", "/pair/v1/messages", w->key.text, body);
}

static void a_failed_upstream_is_replaced_and_both_are_on_the_receipt(void)
{
	struct world w;

	open_pair(&w, fail_500, answer);
	struct got g = ask_pair(&w, MESSAGE);
	CHECK_I64(g.status, 200);
	/* 0.8 of Opus: 50 x 4 + 200 x 5 + 1500 x 0.4 + 120 x 20 = 4200, the seed's own figure */
	CHECK_STR(g.charge, "4200");
	struct got receipt = world_receipt(&w, g.request_id);
	says(&receipt, "\"upstream\":\"first\"");
	says(&receipt, "\"status\":500");
	says(&receipt, "\"upstream\":\"second\"");
	says(&receipt, "\"result\":\"answered\"");
	says(&receipt, "\"buyerChargeUsdMicros\":4200");
	says(&receipt, "\"input\":4,");
	got_done(&g);
	got_done(&receipt);
	world_close(&w);
}

static void list_price_holds_at_the_first(void)
{
	struct world w;

	open_pair(&w, answer, fail_500);
	struct got g = ask_pair(&w, MESSAGE);
	CHECK_STR(g.charge, "5250");
	CHECK_I64(w.second_requests, 0);
	got_done(&g);
	world_close(&w);
}

static void when_all_fail_the_last_answer_is_told_and_nothing_is_billed(void)
{
	struct world w;

	open_pair(&w, fail_500, fail_500);
	struct got g = ask_pair(&w, MESSAGE);
	CHECK_I64(g.status, 500);
	says(&g, "boom");
	CHECK_I64(w.upstream_requests, 1);
	CHECK_I64(w.second_requests, 1);
	CHECK_I64(money_micros(world_balance(&w).available), 25000000);
	got_done(&g);
	world_close(&w);
}

static void refuse_caller(struct world *w, struct net_request *rq, int number)
{
	(void)w;
	(void)number;
	upstream_json(rq, 400, "{\"type\":\"error\",\"error\":{\"message\":\"own words\"}}");
}

static void a_bad_request_is_not_tried_elsewhere_and_opens_no_breaker(void)
{
	struct world w;

	open_pair(&w, refuse_caller, answer);
	for (int i = 0; i < 8; i++) {
		struct got g = ask_pair(&w, MESSAGE);
		CHECK_I64(g.status, 400);
		says(&g, "own words");
		got_done(&g);
	}
	CHECK_I64(w.upstream_requests, 8);
	CHECK_I64(w.second_requests, 0);
	world_close(&w);
}

static void a_cache_keeps_the_buyer_where_it_was_written(void)
{
	struct world w;

	open_pair(&w, fail_500, answer);
	for (int i = 0; i < 9; i++) {
		struct got g = ask_pair(&w, MESSAGE);
		CHECK_I64(g.status, 200);
		got_done(&g);
	}
	/* The cache that the second one wrote keeps the buyer there after the first call. */
	CHECK_I64(w.upstream_requests, 1);
	CHECK_I64(w.second_requests, 9);
	world_close(&w);
}

static void plain_answer(struct world *w, struct net_request *rq, int number)
{
	(void)w;
	(void)number;
	upstream_json(rq, 200,
	              "{\"type\":\"message\",\"content\":[{\"type\":\"text\"}],\"usage\":"
	              "{\"input_tokens\":5,\"output_tokens\":5}}");
}

static void an_open_breaker_spares_the_upstream(void)
{
	struct world w;

	open_pair(&w, fail_500, plain_answer);
	for (int i = 0; i < 9; i++) {
		struct got g = ask_pair(&w, MESSAGE);
		CHECK_I64(g.status, 200);
		got_done(&g);
	}
	CHECK_I64(w.upstream_requests, 5);
	CHECK_I64(w.second_requests, 9);
	world_close(&w);
}

static void say_busy(struct world *w, struct net_request *rq, int number)
{
	(void)w;
	(void)number;
	upstream_json(rq, 429, "{}"); /* with retry-after: 3 */
}

static void retry_after_is_obeyed(void)
{
	struct world w;

	open_pair(&w, say_busy, plain_answer);
	for (int i = 0; i < 3; i++) {
		struct got g = ask_pair(&w, MESSAGE);
		CHECK_I64(g.status, 200);
		got_done(&g);
	}
	CHECK_I64(w.upstream_requests, 1);
	world_close(&w);
}

#define START \
	"event: message_start\ndata: {\"message\":{\"usage\":{\"input_tokens\":5,\"output_tokens\":1}}}\n\n"
#define DELTA "event: content_block_delta\ndata: {\"delta\":{\"text\":\"12345678\"}}\n\n"
#define FAULT \
	"event: error\ndata: {\"error\":{\"type\":\"overloaded_error\",\"message\":\"full\"}}\n\n"
#define END                                                                              \
	"event: message_delta\ndata: {\"delta\":{},\"usage\":{\"output_tokens\":9}}\n\n" \
	"event: message_stop\ndata: {}\n\n"

static void first_event_fails(struct world *w, struct net_request *rq, int number)
{
	(void)w;
	(void)number;
	upstream_stream(rq);
	net_reply_write(rq, STR(FAULT));
	net_reply_end(rq);
}

static void stream(struct world *w, struct net_request *rq, int number)
{
	(void)w;
	(void)number;
	upstream_stream(rq);
	net_reply_write(rq, STR(START DELTA END));
	net_reply_end(rq);
}

static void an_error_as_the_first_event_is_replaced(void)
{
	struct world w;

	open_pair(&w, first_event_fails, stream);
	struct got g = ask_pair(&w, MESSAGE_STREAM);
	CHECK_I64(g.status, 200);
	CHECK_STR(g.body.p, START DELTA END);
	CHECK_I64(w.upstream_requests, 1);
	got_done(&g);
	world_close(&w);
}

static void later_event_fails(struct world *w, struct net_request *rq, int number)
{
	(void)w;
	(void)number;
	upstream_stream(rq);
	net_reply_write(rq, STR(START DELTA FAULT));
	net_reply_end(rq);
}

static void after_the_first_byte_nothing_is_replaced(void)
{
	struct world w;

	open_pair(&w, later_event_fails, stream);
	struct got g = ask_pair(&w, MESSAGE_STREAM);
	CHECK_STR(g.body.p, START DELTA FAULT);
	CHECK_I64(w.second_requests, 0);
	struct got receipt = world_receipt(&w, g.request_id);
	/* The provider's input of 5 tokens at 5, 8 bytes as 2 tokens at 25: 75 */
	says(&receipt, "\"buyerChargeUsdMicros\":75");
	says(&receipt, "\"evidence\":\"estimated\"");
	got_done(&g);
	got_done(&receipt);
	world_close(&w);
}

static void silence(struct world *w, struct net_request *rq, int number)
{
	(void)number;
	w->waiting[w->waiting_count++] = rq;
}

static void a_stream_that_does_not_begin_goes_to_the_next(void)
{
	struct world w;

	open_pair(&w, silence, stream);
	struct got g = ask_pair(&w, MESSAGE_STREAM);
	CHECK_STR(g.body.p, START DELTA END);
	struct got receipt = world_receipt(&w, g.request_id);
	says(&receipt, "too slow to begin");
	got_done(&g);
	got_done(&receipt);
	world_close(&w);
}

/* ---- Weights ---- */

#define WEIGHTED                                                                               \
	"[{\"alias\":\"pair\",\"strategy\":\"weighted\",\"upstreams\":["                       \
	"{\"name\":\"first\",\"provider\":\"anthropic\",\"baseUrl\":\"FIRST\",\"weight\":3,"   \
	"\"models\":[\"claude-opus-4-6\"]},"                                                   \
	"{\"name\":\"second\",\"provider\":\"anthropic\",\"baseUrl\":\"SECOND\",\"weight\":1," \
	"\"models\":[\"claude-opus-4-6\"]}]}]"

static void weights_share_the_load(void)
{
	struct world w;

	world_open_routes(&w, 100000, plain_answer,
	                  &(struct world_routes){ .second = plain_answer,
	                                          .routes = WEIGHTED,
	                                          .limits.spend_limit = money_of_micros(-1) });
	for (int i = 0; i < 200; i++) {
		struct got g = ask_pair(&w, MESSAGE);
		CHECK_I64(g.status, 200);
		got_done(&g);
	}
	/* 3 to 1: 50 of 200 at the second, and more than eight deviations (6.1 each) never. */
	CHECK(w.second_requests > 1 && w.second_requests < 99);
	CHECK_I64(w.upstream_requests + w.second_requests, 200);
	world_close(&w);
}

/* ---- Retired models ---- */

static void chat_answer(struct world *w, struct net_request *rq, int number)
{
	(void)w;
	(void)number;
	upstream_json(
		rq, 200,
		"{\"type\":\"message\",\"model\":\"claude-sonnet-4-6\",\"content\":[{\"type\":"
		"\"text\",\"text\":\"Deployment is healthy.\"}],\"stop_reason\":\"end_turn\","
		"\"usage\":{\"input_tokens\":24,\"output_tokens\":20}}");
}

#define SEED_ASK                                                                                  \
	"{\"model\":\"claude-sonnet-4\",\"max_tokens\":100,\"messages\":[{\"role\":\"system\","   \
	"\"content\":\"Be concise.\"},{\"role\":\"user\",\"content\":\"Summarize the deployment " \
	"status.\"}]}"

static void a_retired_model_is_served_by_its_successor_and_says_so(void)
{
	struct world w;

	world_open(&w, 2500, chat_answer);
	struct got g = world_ask(&w, "POST", "/openai/v1/chat/completions", w.key.text, SEED_ASK);
	CHECK_I64(g.status, 200);
	says(&g, "\"model\":\"claude-sonnet-4-6\"");
	says(&g, "\"content\":\"Deployment is healthy.\"");
	says(&g, "\"prompt_tokens\":24");
	CHECK_STR(g.charge, "372"); /* 24 x 3 + 20 x 15 */
	CHECK(str_find(buf_str(&w.upstream_body), STR("\"model\":\"claude-sonnet-4-6\"")) >= 0);
	struct got receipt = world_receipt(&w, g.request_id);
	says(&receipt, "\"model\":\"claude-sonnet-4\"");
	says(&receipt, "\"servedBy\":\"claude-sonnet-4-6\"");
	struct got list = world_ask(&w, "GET", "/openai/v1/models/claude-sonnet-4", w.key.text, "");
	says(&list, "\"state\":\"retired\"");
	says(&list, "\"servedBy\":\"claude-sonnet-4-6\"");
	got_done(&g);
	got_done(&receipt);
	got_done(&list);
	world_close(&w);
}

static void a_retired_model_can_be_refused_by_name_of_its_successor(void)
{
	struct world w;

	world_open_routes(&w, 2500, chat_answer,
	                  &(struct world_routes){ .refuse_retired = true,
	                                          .limits.spend_limit = money_of_micros(-1) });
	struct got g = world_ask(&w, "POST", "/openai/v1/chat/completions", w.key.text, SEED_ASK);
	CHECK_I64(g.status, 404);
	says(&g, "claude-sonnet-4-6");
	says(&g, "model_not_found");
	got_done(&g);
	world_close(&w);
}

/* ---- Signatures of others ---- */

static void a_signature_of_another_provider_does_not_reach_a_native_one(void)
{
	struct world w;

	world_open(&w, 2500, chat_answer);
	struct got g = world_ask(
		&w, "POST", "/claude/v1/messages", w.key.text,
		"{\"model\":\"claude-sonnet-4-6\",\"max_tokens\":100,\"messages\":[{\"role\":\"user\","
		"\"content\":\"hi\"},{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\","
		"\"thinking\":\"hm\",\"signature\":\"google:AbC=\"},{\"type\":\"text\",\"text\":\"yes\"}]},"
		"{\"role\":\"user\",\"content\":\"go on\"}]}");
	CHECK_I64(g.status, 200);
	CHECK(str_find(buf_str(&w.upstream_body), STR("AbC")) < 0);
	CHECK(str_find(buf_str(&w.upstream_body), STR("go on")) > 0);
	says(&g, "\"type\":\"message\"");
	CHECK_STR(g.charge, "372");
	got_done(&g);
	world_close(&w);
}

/* ---- Lowered limits ---- */

static void a_key_may_have_its_limit_lowered_to_what_is_there(void)
{
	struct world w;

	world_open_routes(&w, 100, chat_answer,
	                  &(struct world_routes){ .limits = { .spend_limit = money_of_micros(-1),
	                                                      .lower_output = true } });
	struct got g = world_ask(&w, "POST", "/claude/v1/messages", w.key.text,
	                         "{\"model\":\"claude-sonnet-4-6\",\"max_tokens\":128000,"
	                         "\"messages\":[]}");
	CHECK_I64(g.status, 200);
	/* 1 000 000 micros; the body's 63 bytes and 1024 more at 3: 3261; the rest / 15 = 66 449 */
	CHECK(str_find(buf_str(&w.upstream_body), STR("\"max_tokens\":66449")) > 0);
	CHECK_STR(g.charge, "372");
	got_done(&g);
	world_close(&w);
}

int main(void)
{
	static const struct check_case cases[] = {
		CASE(a_failed_upstream_is_replaced_and_both_are_on_the_receipt),
		CASE(list_price_holds_at_the_first),
		CASE(when_all_fail_the_last_answer_is_told_and_nothing_is_billed),
		CASE(a_bad_request_is_not_tried_elsewhere_and_opens_no_breaker),
		CASE(a_cache_keeps_the_buyer_where_it_was_written),
		CASE(an_open_breaker_spares_the_upstream),
		CASE(retry_after_is_obeyed),
		CASE(an_error_as_the_first_event_is_replaced),
		CASE(after_the_first_byte_nothing_is_replaced),
		CASE(a_stream_that_does_not_begin_goes_to_the_next),
		CASE(weights_share_the_load),
		CASE(a_retired_model_is_served_by_its_successor_and_says_so),
		CASE(a_retired_model_can_be_refused_by_name_of_its_successor),
		CASE(a_signature_of_another_provider_does_not_reach_a_native_one),
		CASE(a_key_may_have_its_limit_lowered_to_what_is_there),
	};

	return check_main(cases, ARRAY_LEN(cases));
}
