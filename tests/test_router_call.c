/* SPDX-License-Identifier: Apache-2.0 */
/* One call's life over real sockets: what the client gets, what the upstream got, and what the
 * books say afterwards. Closing each world proves that they add up and that no hold is left. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "tests/router_world.h"

#define ASK                                                                                      \
	"{\"model\":\"gpt-5.4\",\"max_completion_tokens\":100,\"messages\":[{\"role\":\"user\"," \
	"\"content\":\"Summarize the deployment status.\"}]}"
#define ASK_STREAM \
	"{\"model\":\"gpt-5.4\",\"stream\":true,\"max_completion_tokens\":100,\"messages\":[]}"
#define MESSAGE                                                                                \
	"{\"model\":\"claude-haiku-4-5\",\"max_tokens\":200,\"messages\":[{\"role\":\"user\"," \
	"\"content\":[{\"type\":\"text\",\"text\":\"hi\",\"cache_control\":{\"type\":\"ephemeral\"}}]}]}"

/* 24 x 2.50 + 20 x 15 USD per million = 360 micros. */
#define CHAT_ANSWER                                                                                   \
	"{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"model\":\"gpt-5.4\",\"choices\":[]," \
	"\"usage\":{\"prompt_tokens\":24,\"completion_tokens\":20,\"total_tokens\":44}}"

static void answer_chat(struct world *w, struct net_request *rq, int number)
{
	(void)w;
	(void)number;
	upstream_json(rq, 200, CHAT_ANSWER);
}

static bool says(const struct got *g, const char *text)
{
	bool found = str_find(buf_str(&g->body), str_of(text)) >= 0;

	if (!CHECK(found))
		check_note("'%s' is not in: %s", text, g->body.p ? g->body.p : "");
	return found;
}

static void an_answer_passes_and_is_charged(void)
{
	struct world w;

	world_open(&w, 2500, answer_chat);
	struct got g = world_ask(&w, "POST", "/openai/v1/chat/completions", w.key.text, ASK);
	CHECK_I64(g.status, 200);
	CHECK_STR(g.body.p, CHAT_ANSWER);
	CHECK_STR(g.charge, "360");
	CHECK_I64(g.headers_forbidden, 0);
	CHECK(id_is(str_of(g.request_id), ID_REQUEST));
	CHECK_STR(w.upstream_auth, "Bearer sk-operator");
	CHECK(str_find(buf_str(&w.upstream_body), STR("\"service_tier\":\"default\"")) > 0);
	CHECK_I64(money_micros(world_balance(&w).available), 25000000 - 360);
	CHECK_I64(money_micros(world_balance(&w).held), 0);
	struct got receipt = world_receipt(&w, g.request_id);
	CHECK_I64(receipt.status, 200);
	says(&receipt, "\"status\":\"settled\"");
	says(&receipt, "\"evidence\":\"provider\"");
	says(&receipt, "\"buyerChargeUsdMicros\":360");
	says(&receipt, "\"uncachedInputTokens\":24");
	got_done(&g);
	got_done(&receipt);
	world_close(&w);
}

#define PIECE(n)                                                                 \
	"data: {\"model\":\"gpt-5.4\",\"choices\":[{\"delta\":{\"content\":\"" n \
	"\"}}],\"usage\":null}\n\n"
#define PIECE_SEEN(n) \
	"data: {\"model\":\"gpt-5.4\",\"choices\":[{\"delta\":{\"content\":\"" n "\"}}]}\n\n"
#define USAGE_PIECE \
	"data: {\"model\":\"gpt-5.4\",\"choices\":[],\"usage\":{\"prompt_tokens\":24,\"completion_tokens\":20}}\n\n"

static void stream_chat(struct world *w, struct net_request *rq, int number)
{
	(void)w;
	(void)number;
	upstream_stream(rq);
	net_reply_write(rq, STR(PIECE("one")));
	net_reply_write(rq, STR(PIECE("two")));
	net_reply_write(rq, STR(USAGE_PIECE "data: [DONE]\n\n"));
	net_reply_end(rq);
}

static void a_stream_passes_without_the_usage_that_was_not_asked_for(void)
{
	struct world w;

	world_open(&w, 2500, stream_chat);
	struct got g = world_ask(&w, "POST", "/openai/v1/chat/completions", w.key.text, ASK_STREAM);
	CHECK_I64(g.status, 200);
	CHECK_STR(g.type, "text/event-stream");
	CHECK_STR(g.body.p, PIECE_SEEN("one") PIECE_SEEN("two") "data: [DONE]\n\n");
	CHECK_I64(money_micros(world_balance(&w).balance), 25000000 - 360);
	got_done(&g);
	world_close(&w);
}

static void answer_message(struct world *w, struct net_request *rq, int number)
{
	(void)w;
	(void)number;
	upstream_json(
		rq, 200,
		"{\"type\":\"message\",\"model\":\"claude-haiku-4-5-20251001\",\"content\":[],"
		"\"stop_reason\":\"end_turn\",\"usage\":{\"input_tokens\":50,"
		"\"cache_creation_input_tokens\":200,\"cache_read_input_tokens\":1500,"
		"\"output_tokens\":120}}");
}

static void a_message_is_metered_in_its_classes(void)
{
	struct world w;

	world_open(&w, 2500, answer_message);
	struct got g = world_ask(&w, "POST", "/claude/v1/messages?beta=true", w.key.text, MESSAGE);
	CHECK_I64(g.status, 200);
	/* Haiku 4.5: 50 x 1 + 200 x 1.25 + 1500 x 0.10 + 120 x 5 = 1050 */
	CHECK_STR(g.charge, "1050");
	CHECK_STR(w.upstream_auth, "sk-operator");
	struct got receipt = world_receipt(&w, g.request_id);
	says(&receipt, "\"cacheWrite5mTokens\":200");
	says(&receipt, "\"cacheReadTokens\":1500");
	says(&receipt, "\"route\":\"claude\"");
	got_done(&g);
	got_done(&receipt);
	world_close(&w);
}

static void without_money_the_upstream_is_never_asked(void)
{
	struct world w;

	world_open(&w, 100, answer_chat);
	struct got g = world_ask(&w, "POST", "/openai/v1/chat/completions", w.key.text,
	                         "{\"model\":\"gpt-5.4\",\"messages\":[]}");
	CHECK_I64(g.status, 402);
	CHECK_STR(g.retry, "false");
	says(&g, "\"type\":\"insufficient_quota\"");
	says(&g, "\"availableUsd\":\"1.00\"");
	says(&g, "\"heldUsd\":\"0.00\"");
	/* 1 000 000 micros less 1060 x 2.5 for the input = 997 350; / 15 = 66 490 tokens */
	says(&g, "\"affordableMaxTokens\":66490");
	struct got a = world_ask(&w, "POST", "/claude/v1/messages", w.key.text,
	                         "{\"model\":\"claude-opus-4-7\",\"max_tokens\":128000,"
	                         "\"messages\":[]}");
	CHECK_I64(a.status, 402);
	says(&a, "\"type\":\"billing_error\"");
	CHECK_I64(w.upstream_requests, 0);
	got_done(&g);
	got_done(&a);
	world_close(&w);
}

static void bad_requests_are_refused_in_the_words_of_the_route(void)
{
	static const struct {
		const char *method, *path, *key, *body;
		int status;
		const char *says;
	} rows[] = {
		{ "POST", "/openai/v1/chat/completions", NULL, ASK, 401, "invalid_api_key" },
		{ "POST", "/openai/v1/chat/completions", "asr_live_x.y", ASK, 401,
		  "invalid_api_key" },
		{ "POST", "/claude/v1/messages", "nonsense", MESSAGE, 401, "authentication_error" },
		{ "POST", "/openai/v1/chat/completions", "KEY", "{", 400, "not valid JSON" },
		{ "POST", "/openai/v1/chat/completions", "KEY",
		  "{\"model\":\"gpt-9\",\"messages\":[]}", 404, "model_not_found" },
		{ "POST", "/claude/v1/messages", "KEY",
		  "{\"model\":\"gpt-5.4\",\"max_tokens\":1,\"messages\":[]}", 404,
		  "not_found_error" },
		{ "POST", "/claude/v1/messages", "KEY",
		  "{\"model\":\"claude-haiku-4-5\",\"messages\":[]}", 400, "max_tokens" },
		{ "POST", "/openai/v1/chat/completions", "KEY",
		  "{\"model\":\"gpt-5.4\",\"messages\":[],\"web_search_options\":{}}", 400,
		  "web_search_options" },
		{ "GET", "/openai/v1/chat/completions", "KEY", "", 405, "not allowed" },
		{ "GET", "/nowhere", "KEY", "", 404, "no such route" },
		{ "POST", "/nobody/v1/messages", "KEY", MESSAGE, 404, "no such route" },
		{ "GET", "/openai/v1/models/gpt-9", "KEY", "", 404, "model_not_found" },
		{ "GET", "/openai/v1/requests/req_0000000000000000000000", "KEY", "", 404,
		  "not_found" },
	};
	struct world w;

	world_open(&w, 2500, answer_chat);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *key =
			rows[i].key && strcmp(rows[i].key, "KEY") == 0 ? w.key.text : rows[i].key;
		struct got g = world_ask(&w, rows[i].method, rows[i].path, key, rows[i].body);
		if (!CHECK_I64(g.status, rows[i].status) || !says(&g, rows[i].says))
			check_note("row %zu: %s %s", i, rows[i].method, rows[i].path);
		got_done(&g);
	}
	CHECK_I64(w.upstream_requests, 0);
	CHECK_I64(money_micros(world_balance(&w).available), 25000000);
	world_close(&w);
}

static void a_purchase_key_does_not_route(void)
{
	struct world w;

	world_open(&w, 2500, answer_chat);
	struct got g = world_ask(&w, "GET", "/openai/v1/models", w.purchase_key.text, "");
	CHECK_I64(g.status, 401);
	struct got list = world_ask(&w, "GET", "/openai/v1/models", w.key.text, "");
	CHECK_I64(list.status, 200);
	says(&list, "{\"id\":\"gpt-5.4\",\"object\":\"model\",\"created\":");
	says(&list, "\"owned_by\":\"openai\"");
	got_done(&g);
	got_done(&list);
	world_close(&w);
}

/* ---- Upstream faults ---- */

struct fault_row {
	int upstream, status;
	const char *body, *says, *retry_after;
};

static const struct fault_row fault_rows[] = {
	{ 400, 400, "{\"error\":{\"message\":\"own words\"}}", "own words", "3" },
	{ 401, 502, "{\"error\":{\"message\":\"bad key sk-operator\"}}", "operator's account", "" },
	{ 429, 429, "{\"error\":{\"message\":\"org-shared is limited\"}}", "limiting the rate",
	  "3" },
	{ 429, 502, "{\"error\":{\"type\":\"insufficient_quota\"}}", "operator's account", "" },
	{ 500, 500, "{\"error\":{\"message\":\"boom\"}}", "boom", "3" },
	{ 503, 503, "", "answered with an error", "" },
};

static void answer_fault(struct world *w, struct net_request *rq, int number)
{
	(void)number;
	upstream_json(rq, fault_rows[w->row].upstream, fault_rows[w->row].body);
}

static void upstream_errors_cost_nothing_and_hide_the_shared_account(void)
{
	for (size_t i = 0; i < ARRAY_LEN(fault_rows); i++) {
		struct world w;
		world_open(&w, 2500, answer_fault);
		w.row = i;
		struct got g =
			world_ask(&w, "POST", "/openai/v1/chat/completions", w.key.text, ASK);
		if (!CHECK_I64(g.status, fault_rows[i].status) || !says(&g, fault_rows[i].says) ||
		    !CHECK_STR(g.retry_after, fault_rows[i].retry_after) ||
		    !CHECK_I64(g.headers_forbidden, 0))
			check_note("row %zu", i);
		struct got receipt = world_receipt(&w, g.request_id);
		says(&receipt, "\"status\":\"failed\"");
		says(&receipt, "\"buyerChargeUsdMicros\":0");
		CHECK_I64(money_micros(world_balance(&w).available), 25000000);
		got_done(&receipt);
		got_done(&g);
		world_close(&w);
	}
}

static void a_busy_upstream_is_left_alone_for_as_long_as_it_asks(void)
{
	struct world w;

	world_open(&w, 2500, answer_fault);
	w.row = 2; /* 429, retry-after 3 */
	struct got busy = world_ask(&w, "POST", "/openai/v1/chat/completions", w.key.text, ASK);
	CHECK_I64(busy.status, 429);
	struct got spared = world_ask(&w, "POST", "/openai/v1/chat/completions", w.key.text, ASK);
	CHECK_I64(spared.status, 503);
	CHECK_STR(spared.retry_after, "3");
	CHECK_I64(w.upstream_requests, 1);
	got_done(&busy);
	got_done(&spared);
	world_close(&w);
}

static void answer_nothing(struct world *w, struct net_request *rq, int number)
{
	(void)number;
	w->waiting[w->waiting_count++] = rq;
}

static void an_unreachable_upstream_is_a_502(void)
{
	struct world w;

	world_open(&w, 2500, answer_chat);
	net_server_free(w.upstream);
	w.upstream = NULL;
	struct got g = world_ask(&w, "POST", "/openai/v1/chat/completions", w.key.text, ASK);
	CHECK_I64(g.status, 502);
	says(&g, "could not be reached");
	CHECK_I64(money_micros(world_balance(&w).available), 25000000);
	got_done(&g);
	world_close(&w);
}

static void cut_stream(struct world *w, struct net_request *rq, int number)
{
	(void)w;
	(void)number;
	upstream_stream(rq);
	net_reply_write(rq, STR(PIECE("12345678")));
	net_reply_abort(rq);
}

static void a_stream_that_breaks_is_estimated_and_told(void)
{
	struct world w;

	world_open(&w, 2500, cut_stream);
	struct got g = world_ask(&w, "POST", "/openai/v1/chat/completions", w.key.text, ASK_STREAM);
	CHECK_I64(g.status, 200);
	says(&g, PIECE_SEEN("12345678") "data: {\"error\":{\"message\":");
	CHECK(str_find(buf_str(&g.body), STR("[DONE]")) < 0);
	struct got receipt = world_receipt(&w, g.request_id);
	says(&receipt, "\"evidence\":\"estimated\"");
	/* 75 bytes asked: 19 tokens x 2.5 = 47.5; 8 bytes said: 2 tokens x 15 = 30; rounded up. */
	CHECK_I64(strlen(ASK_STREAM), 75);
	says(&receipt, "\"buyerChargeUsdMicros\":78");
	got_done(&g);
	got_done(&receipt);
	world_close(&w);
}

static void forget_usage(struct world *w, struct net_request *rq, int number)
{
	(void)w;
	(void)number;
	upstream_stream(rq);
	net_reply_write(rq, STR(PIECE("12345678") "data: [DONE]\n\n"));
	net_reply_end(rq);
}

static void missing_usage_is_estimated(void)
{
	struct world w;

	world_open(&w, 2500, forget_usage);
	struct got g = world_ask(&w, "POST", "/openai/v1/chat/completions", w.key.text, ASK_STREAM);
	CHECK_STR(g.body.p, PIECE_SEEN("12345678") "data: [DONE]\n\n");
	struct got receipt = world_receipt(&w, g.request_id);
	says(&receipt, "\"evidence\":\"estimated\"");
	says(&receipt, "\"buyerChargeUsdMicros\":78");
	got_done(&g);
	got_done(&receipt);
	world_close(&w);
}

/* ---- Hang-ups ---- */

static void start_stream(struct world *w, struct net_request *rq, int number)
{
	(void)number;
	upstream_stream(rq);
	net_reply_write(rq, STR(PIECE("12345678")));
	w->waiting[w->waiting_count++] = rq;
}

/* Sends a streamed request and hangs up after its first bytes. */
static void hang_up(struct world *w)
{
	struct got g;

	world_send(w, &g, "POST", "/openai/v1/chat/completions", w->key.text, ASK_STREAM);
	for (int i = 0; i < 200 && g.body.len == 0; i++)
		world_turn(w, 5);
	CHECK(g.body.len > 0);
	got_done(&g);
	world_turn(w, 20);
}

static void a_client_that_hangs_up_pays_what_the_provider_reports(void)
{
	struct world w;

	world_open(&w, 2500, start_stream);
	hang_up(&w);
	CHECK_I64(w.upstream_gone, 0); /* it is read on */
	CHECK(money_micros(world_balance(&w).held) > 0);
	net_reply_write(w.waiting[0], STR(USAGE_PIECE "data: [DONE]\n\n"));
	net_reply_end(w.waiting[0]);
	CHECK(world_idle(&w));
	CHECK_I64(money_micros(world_balance(&w).available), 25000000 - 360);
	world_close(&w);
}

static void an_upstream_that_goes_on_is_cut_and_estimated(void)
{
	struct world w;

	world_open(&w, 2500, start_stream);
	hang_up(&w);
	CHECK(world_idle(&w)); /* after drain_ms */
	world_turn(&w, 50);
	CHECK_I64(w.upstream_gone, 1);
	CHECK_I64(money_micros(world_balance(&w).available), 25000000 - 78);
	world_close(&w);
}

static void a_hang_up_before_any_output_costs_nothing(void)
{
	struct world w;
	struct got g;

	world_open(&w, 2500, answer_nothing);
	world_send(&w, &g, "POST", "/openai/v1/chat/completions", w.key.text, ASK);
	for (int i = 0; i < 200 && w.upstream_requests == 0; i++)
		world_turn(&w, 5);
	got_done(&g);
	CHECK(world_idle(&w));
	world_turn(&w, 50);
	CHECK_I64(w.upstream_gone, 1);
	CHECK_I64(money_micros(world_balance(&w).available), 25000000);
	world_close(&w);
}

/* ---- Many at once ---- */

static void a_balance_good_for_five_admits_exactly_five_of_sixty_four(void)
{
	/* 1.00 USD; input at most (84 + 1024) x 2.5 = 2770 micros, output 13 000 x 15 = 195 000. */
	static const char *const ask = "{\"model\":\"gpt-5.4\",\"max_completion_tokens\":13000,"
				       "\"messages\":[{\"role\":\"user\"}]}";
	struct world w;
	struct got g[64];
	int refused = 0, answered = 0;

	world_open(&w, 100, answer_nothing);
	for (size_t i = 0; i < ARRAY_LEN(g); i++)
		world_send(&w, &g[i], "POST", "/openai/v1/chat/completions", w.key.text, ask);
	for (int turns = 0; turns < 400 && refused + w.waiting_count < 64; turns++) {
		world_turn(&w, 5);
		refused = 0;
		for (size_t i = 0; i < ARRAY_LEN(g); i++)
			refused += g[i].ended && g[i].status == 402;
	}
	CHECK_I64(w.upstream_requests, 5);
	CHECK_I64(refused, 59);
	for (int i = 0; i < w.waiting_count; i++)
		upstream_json(w.waiting[i], 200, CHAT_ANSWER);
	for (size_t i = 0; i < ARRAY_LEN(g); i++) {
		(void)world_wait(&w, &g[i]);
		answered += g[i].status == 200;
		if (g[i].status == 402)
			CHECK(str_find(buf_str(&g[i].body), STR("\"heldUsd\":\"0.98")) > 0);
		got_done(&g[i]);
	}
	CHECK_I64(answered, 5);
	CHECK_I64(money_micros(world_balance(&w).available), 1000000 - 5 * 360);
	world_close(&w);
}

/* ---- The buyer's routes ---- */

static struct str item_text(struct json *body, const char *name)
{
	return json_text(json_get(json_get(body, "item"), name));
}

static void a_session_rotates_the_route_key_at_once(void)
{
	struct world w;
	char text[256], token[128], first[128];

	world_open(&w, 2500, answer_message);
	(void)snprintf(text, sizeof text, "{\"key\":\"%s\"}", w.purchase_key.text);
	struct got session = world_ask(&w, "POST", "/buyer/session", NULL, text);
	CHECK_I64(session.status, 200);
	OWN_JSON struct json *s = json_parse(buf_str(&session.body), NULL);
	(void)snprintf(token, sizeof token, "%.*s", STR_ARG(item_text(s, "sessionToken")));
	struct got one = world_ask(&w, "POST", "/buyer/rotate-api-key", token, "");
	OWN_JSON struct json *a = json_parse(buf_str(&one.body), NULL);
	(void)snprintf(first, sizeof first, "%.*s", STR_ARG(item_text(a, "routeApiKey")));
	CHECK(strncmp(first, "rk_", 3) == 0);
	struct got works = world_ask(&w, "POST", "/claude-fast/v1/messages", first, MESSAGE);
	CHECK_I64(works.status, 200);
	struct got two = world_ask(&w, "POST", "/buyer/rotate-api-key", token, "");
	OWN_JSON struct json *b = json_parse(buf_str(&two.body), NULL);
	CHECK(str_starts(item_text(b, "routeApiKey"), STR("rk_")));
	CHECK_TEXT(item_text(b, "buyerId"), w.account.text);
	struct got dead = world_ask(&w, "POST", "/claude-fast/v1/messages", first, MESSAGE);
	CHECK_I64(dead.status, 401);
	struct got wrong = world_ask(&w, "POST", "/buyer/rotate-api-key", "not-a-token", "");
	CHECK_I64(wrong.status, 401);
	struct got none = world_ask(&w, "POST", "/buyer/session", NULL, "{\"key\":\"x\"}");
	CHECK_I64(none.status, 401);
	struct got bad = world_ask(&w, "POST", "/buyer/session", NULL, "{\"kee\":\"x\"}");
	CHECK_I64(bad.status, 400);
	(void)snprintf(text, sizeof text, "{\"key\":\"%s\"}", w.key.text);
	struct got limited = world_ask(&w, "POST", "/buyer/session", NULL, text);
	OWN_JSON struct json *l = json_parse(buf_str(&limited.body), NULL);
	(void)snprintf(token, sizeof token, "%.*s", STR_ARG(item_text(l, "sessionToken")));
	struct got widened = world_ask(&w, "POST", "/buyer/rotate-api-key", token, "");
	CHECK_I64(widened.status, 403);
	struct got *all[] = { &session, &one,  &works, &two,     &dead,
		              &wrong,   &none, &bad,   &limited, &widened };
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		got_done(all[i]);
	world_close(&w);
}

static void health_needs_no_key_and_tells_nothing_secret(void)
{
	struct world w;

	world_open(&w, 0, answer_chat);
	struct got g = world_ask(&w, "GET", "/healthz", NULL, "");
	CHECK_I64(g.status, 200);
	says(&g, "{\"status\":\"ok\"");
	got_done(&g);
	world_close(&w);
}

int main(void)
{
	static const struct check_case cases[] = {
		CASE(an_answer_passes_and_is_charged),
		CASE(a_stream_passes_without_the_usage_that_was_not_asked_for),
		CASE(a_message_is_metered_in_its_classes),
		CASE(without_money_the_upstream_is_never_asked),
		CASE(bad_requests_are_refused_in_the_words_of_the_route),
		CASE(a_purchase_key_does_not_route),
		CASE(upstream_errors_cost_nothing_and_hide_the_shared_account),
		CASE(a_busy_upstream_is_left_alone_for_as_long_as_it_asks),
		CASE(an_unreachable_upstream_is_a_502),
		CASE(a_stream_that_breaks_is_estimated_and_told),
		CASE(missing_usage_is_estimated),
		CASE(a_client_that_hangs_up_pays_what_the_provider_reports),
		CASE(an_upstream_that_goes_on_is_cut_and_estimated),
		CASE(a_hang_up_before_any_output_costs_nothing),
		CASE(a_balance_good_for_five_admits_exactly_five_of_sixty_four),
		CASE(a_session_rotates_the_route_key_at_once),
		CASE(health_needs_no_key_and_tells_nothing_secret),
	};

	return check_main(cases, ARRAY_LEN(cases));
}
