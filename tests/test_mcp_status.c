/* SPDX-License-Identifier: Apache-2.0 */
/* The command status: what the store thread answers, how the loop completes it, and the frame that
 * `top` draws of it. A token costs 1 micro as input and 2 as output. */
#include "mcp/status.h"
#include "tests/check.h"
#include "tests/store_world.h"

#define REQUEST STR("{\"command\":\"status\"}")

/* ---- The books ---- */

struct shop {
	struct store_world w;
	struct mcp_shop shop;
	struct id account;
	struct secret key;
};

static bool open_shop(struct shop *s)
{
	struct store_purchase purchase = { 0 };

	*s = (struct shop){ 0 };
	if (!world_open(&s->w))
		return false;
	s->shop = (struct mcp_shop){ .env = &s->w.env };
	s->account = world_account(&s->w, "acme", 10000, NULL);
	CHECK(world_buy(&s->w, &s->account, 2500, "k", &purchase));
	(void)world_router_key(&s->w, &s->account, &purchase.service, &s->key);
	return true;
}

static void close_shop(struct shop *s)
{
	secret_wipe(&s->key);
	world_close(&s->w);
}

static void call(struct shop *s, int64_t input, int64_t output)
{
	struct token_counts counts = {
		.n = { [TOKEN_UNCACHED_INPUT] = input, [TOKEN_OUTPUT] = output }
	};

	world_call(&s->w, &s->key, "gpt-5.4", &counts);
}

/* The answer must match the pattern (json_matches). */
static void answers(struct shop *s, const char *pattern)
{
	OWN_JSON_OUT struct json_out answer = json_out_make(1 << 20);
	OWN_BUF struct buf where = buf_make(1 << 12);

	mcp_work_run(&s->shop, s->w.st, REQUEST, &answer);
	OWN_JSON struct json *got = json_parse(buf_str(&answer.text), NULL);
	OWN_JSON struct json *want = json_parse(str_of(pattern), NULL);
	if (!CHECK(got != NULL && want != NULL) || !json_matches(want, got, &where))
		CHECK_FAIL("%s in %s", where.p, answer.text.p);
}

static void an_idle_store_tells_its_balances(void)
{
	struct shop s;

	if (!open_shop(&s))
		return;
	answers(&s, "{\"result\":{\"at\":\"2026-11-22T08:00:00.000Z\",\"requests\":[],"
	            "\"upstreams\":[],\"totals\":{\"accounts\":1,\"walletsUsd\":\"75.00\","
	            "\"creditUsd\":\"25.00\",\"heldUsd\":\"0.00\",\"chargedUsd\":\"0.00\","
	            "\"openHolds\":0,\"receipts\":0},\"recent\":{\"seconds\":60,\"requests\":0,"
	            "\"failed\":0,\"inputTokens\":0,\"outputTokens\":0,"
	            "\"buyerChargeUsdMicros\":0},\"accounts\":[{\"name\":\"acme\","
	            "\"walletUsd\":\"75.00\",\"creditUsd\":\"25.00\",\"heldUsd\":\"0.00\","
	            "\"totalUsdMicros\":100000000}]}}");
	close_shop(&s);
}

static void only_the_last_minute_counts_as_recent(void)
{
	struct shop s;

	if (!open_shop(&s))
		return;
	call(&s, 1000, 0);
	s.w.time.now_ms += 30000;
	call(&s, 100, 10);
	s.w.time.now_ms += 30000;
	answers(&s, "{\"result\":{\"recent\":{\"seconds\":60,\"requests\":1,\"inputTokens\":100,"
	            "\"outputTokens\":10,\"buyerChargeUsdMicros\":120},"
	            "\"upstreams\":[{\"name\":\"openai\",\"requests\":1,\"failed\":0,"
	            "\"lastStatus\":200}],"
	            "\"totals\":{\"receipts\":2,\"chargedUsd\":\"0.00112\"}}}");
	s.w.time.now_ms += 60000;
	answers(&s, "{\"result\":{\"recent\":{\"requests\":0},\"upstreams\":[]}}");
	close_shop(&s);
}

static void requests_are_listed_newest_first_and_at_most_twenty(void)
{
	struct shop s;
	OWN_JSON_OUT struct json_out answer = json_out_make(1 << 20);

	if (!open_shop(&s))
		return;
	for (int64_t i = 1; i <= 21; i++)
		call(&s, i, 0);
	mcp_work_run(&s.shop, s.w.st, REQUEST, &answer);
	OWN_JSON struct json *got = json_parse(buf_str(&answer.text), NULL);
	const struct json *requests = json_get(json_get(got, "result"), "requests");
	int64_t first = 0;
	CHECK_I64(json_count(requests), 20);
	CHECK(json_i64(json_get(json_first(requests), "inputTokens"), &first));
	CHECK_I64(first, 21);
	answers(&s, "{\"result\":{\"recent\":{\"requests\":21,\"inputTokens\":231}}}");
	close_shop(&s);
}

/* 600 calls a second: the newest 500 are all there is room for, and they came within a second. */
static void a_busy_minute_is_told_by_the_seconds_that_there_is_room_for(void)
{
	struct shop s;

	if (!open_shop(&s))
		return;
	for (int i = 0; i < 600; i++)
		call(&s, 1, 0);
	s.w.time.now_ms += 2500;
	answers(&s, "{\"result\":{\"recent\":{\"seconds\":2,\"requests\":500}}}");
	close_shop(&s);
}

/* ---- The whole answer ---- */

static void put_members(void *data, struct json_out *out)
{
	json_put_z(out, "address", data);
}

static void only_the_command_status_is_a_status(void)
{
	CHECK(mcp__status_is(REQUEST));
	CHECK(!mcp__status_is(STR("{\"command\":\"backup\"}")));
	CHECK(!mcp__status_is(STR("{\"tool\":\"status\"}")));
	CHECK(!mcp__status_is(STR("status")));
}

static void the_loops_half_joins_the_books(void)
{
	struct store_world w;
	struct err err = { 0 };
	char address[] = "127.0.0.1:1";
	OWN_BUF struct buf out = buf_make(1 << 12);

	if (!world_open(&w))
		return;
	struct store_worker *worker = store_worker_start(w.st, &err);
	const struct mcp_shop shop = { .worker = worker,
		                       .put_status = put_members,
		                       .status_data = address };
	if (CHECK(worker != NULL)) {
		mcp__status_put_answer(&shop, STR("{\"result\":{\"a\":1}}"), &out);
		store_worker_stop(worker);
	}
	OWN_JSON struct json *root = json_parse(buf_str(&out), NULL);
	const struct json *server = json_get(json_get(root, "result"), "server");
	int64_t n = 0;
	CHECK_TEXT(json_text(json_get(server, "address")), "127.0.0.1:1");
	CHECK_TEXT(json_text(json_get(server, "version")), AGENT_STORE_VERSION);
	CHECK(json_i64(json_get(json_get(json_get(root, "result"), "books"), "a"), &n) && n == 1);
	world_close(&w);
}

static void without_a_server_there_are_the_books_alone(void)
{
	const struct mcp_shop shop = { 0 };
	OWN_BUF struct buf out = buf_make(1 << 12);

	mcp__status_put_answer(&shop, STR("{\"result\":{\"a\":1}}"), &out);
	CHECK_STR(out.p, "{\"result\":{\"server\":null,\"books\":{\"a\":1}}}");
}

static void an_error_passes_as_it_is(void)
{
	const struct mcp_shop shop = { .put_status = put_members };
	OWN_BUF struct buf out = buf_make(1 << 12);

	mcp__status_put_answer(&shop, STR("{\"error\":{\"code\":\"storage\"}}"), &out);
	CHECK_STR(out.p, "{\"error\":{\"code\":\"storage\"}}");
}

/* ---- The frame ---- */

static const char BUSY[] =
	"{\"server\":{\"pid\":7,\"version\":\"9.9\",\"commits\":5,\"largestBatch\":3,"
	"\"address\":\"127.0.0.1:8787\",\"uptimeMs\":3725000,\"requestsInFlight\":2,\"breakers\":["
	"{\"upstream\":\"openai\",\"model\":\"gpt-5.4\",\"state\":\"open\",\"retryInMs\":2100},"
	"{\"upstream\":\"openai\",\"model\":\"gpt-5.4-mini\",\"state\":\"closed\",\"retryInMs\":0},"
	"{\"upstream\":\"spare\",\"model\":\"gpt-5.4\",\"state\":\"trial\",\"retryInMs\":0}]},"
	"\"books\":{\"at\":\"2026-11-22T08:00:00.000Z\",\"totals\":{\"walletsUsd\":\"75.00\","
	"\"creditUsd\":\"25.00\",\"heldUsd\":\"0.50\",\"openHolds\":2,\"chargedUsd\":\"0.00112\","
	"\"receipts\":2},\"recent\":{\"seconds\":60,\"requests\":90,\"failed\":1,"
	"\"inputTokens\":1200,\"outputTokens\":99,\"buyerChargeUsdMicros\":1398},"
	"\"upstreams\":[{\"name\":\"openai\",\"requests\":90,\"failed\":1,\"lastStatus\":503}],"
	"\"accounts\":[{\"id\":\"acct_1\",\"name\":\"acme\",\"walletUsd\":\"75.00\","
	"\"creditUsd\":\"25.00\",\"heldUsd\":\"0.50\",\"totalUsdMicros\":100500000},"
	"{\"id\":\"acct_2\",\"name\":\"caf\xc3\xa9\",\"walletUsd\":\"1.00\",\"creditUsd\":\"0.00\","
	"\"heldUsd\":\"0.00\",\"totalUsdMicros\":1000000}],"
	"\"requests\":[{\"settledAt\":\"2026-11-22T07:59:58.123Z\",\"account\":\"acme\","
	"\"key\":\"prod\",\"model\":\"gpt-5.4\",\"upstream\":\"openai\",\"status\":\"failed\","
	"\"httpStatus\":503,\"inputTokens\":0,\"outputTokens\":0,\"buyerChargeUsdMicros\":0,"
	"\"ms\":41}]}}";

static const char EARLIER[] =
	"{\"books\":{\"accounts\":[{\"id\":\"acct_1\",\"totalUsdMicros\":100500100},"
	"{\"id\":\"acct_2\",\"totalUsdMicros\":0}]}}";

static void frame_is(const char *text, const char *first, size_t columns, size_t rows,
                     const char *want)
{
	OWN_JSON struct json *result = json_parse(str_of(text), NULL);
	OWN_JSON struct json *earlier = first == NULL ? NULL : json_parse(str_of(first), NULL);
	const struct mcp__frame_view view = { columns, rows, earlier };
	OWN_BUF struct buf out = buf_make(1 << 16);

	CHECK(result != NULL);
	mcp__put_status_frame(&view, result, &out);
	CHECK_STR(out.p, want);
}

static void a_frame_shows_all_that_a_status_has(void)
{
	frame_is(BUSY, EARLIER, 0, 0,
	         "agent-store  2026-11-22T08:00:00.000Z  pid 7, 9.9, up 1h2m,"
	         " http://127.0.0.1:8787\n"
	         "in flight 2  last 60 s: 1.5 requests/s, 1 failed, tokens/s 20.0 in 1.6 out,"
	         " charged 0.001398 USD\n"
	         "wallets 75.00  credit 25.00  held 0.50 (2)  charged 0.00112  receipts 2"
	         "  commits 5, at most 3 in one\n"
	         "\n"
	         "UPSTREAM  REQUESTS  FAILED  LAST  STATE\n"
	         "openai          90       1   503  open gpt-5.4 for 3 s\n"
	         "spare            -       -     -  trial gpt-5.4\n"
	         "\n"
	         "ACCOUNT  WALLET  CREDIT  HELD   CHANGE\n"
	         "acme      75.00   25.00  0.50  -0.0001\n"
	         "caf\xc3\xa9       1.00    0.00  0.00    +1.00\n"
	         "\n"
	         "TIME      ACCOUNT  KEY   MODEL    UPSTREAM  END     HTTP  IN  OUT  CHARGE  MS\n"
	         "07:59:58  acme     prod  gpt-5.4  openai    failed   503   0    0    0.00  41\n");
}

static void a_frame_is_cut_to_its_terminal(void)
{
	frame_is(BUSY, NULL, 20, 2, "agent-store  2026-11\nin flight 2  last 60\n");
	frame_is("{\"server\":null,\"books\":{\"at\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\"}}", NULL,
	         15, 1, "agent-store  \xc3\xa9\xc3\xa9\n"); /* by characters, not by bytes */
}

static void a_frame_of_the_books_alone_says_so(void)
{
	frame_is("{\"server\":null,\"books\":{\"at\":\"now\",\"recent\":{\"seconds\":60}}}", NULL,
	         0, 0,
	         "agent-store  now  no server runs: these are the books alone\n"
	         "last 60 s: 0.0 requests/s, 0 failed, tokens/s 0.0 in 0.0 out, charged 0.00 USD\n"
	         "wallets -  credit -  held - (0)  charged -  receipts 0\n");
}

static void a_server_without_a_listener_says_so(void)
{
	frame_is("{\"server\":{\"pid\":3,\"version\":\"1\"},\"books\":{\"at\":\"now\"}}", NULL, 0,
	         1, "agent-store  now  pid 3, 1, without a listener\n");
}

int main(void)
{
	static const struct check_case CASES[] = {
		CASE(an_idle_store_tells_its_balances),
		CASE(only_the_last_minute_counts_as_recent),
		CASE(requests_are_listed_newest_first_and_at_most_twenty),
		CASE(a_busy_minute_is_told_by_the_seconds_that_there_is_room_for),
		CASE(only_the_command_status_is_a_status),
		CASE(the_loops_half_joins_the_books),
		CASE(without_a_server_there_are_the_books_alone),
		CASE(an_error_passes_as_it_is),
		CASE(a_frame_shows_all_that_a_status_has),
		CASE(a_frame_is_cut_to_its_terminal),
		CASE(a_frame_of_the_books_alone_says_so),
		CASE(a_server_without_a_listener_says_so),
	};

	return check_main(CASES, ARRAY_LEN(CASES));
}
