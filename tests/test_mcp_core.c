/* SPDX-License-Identifier: Apache-2.0 */
/* The protocol core in both eras: which messages are served as what, what each era's results
 * carry, streams, batches and the limits of a conversation. */
#include "base/limits.h"
#include "tests/check.h"
#include "tests/mcp_host.h"

#define CALL(id, params) \
	"{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"tools/call\",\"params\":{" params "}}"
#define MODERN(id, method) \
	"{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"" method "\",\"params\":{" CLAIM("{}") "}}"
#define PLAIN(id, method) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"" method "\"}"

static bool last_has(const struct host *h, const char *key)
{
	OWN_JSON struct json *last = host_last(h);

	return json_get(json_get(last, "result"), key) != NULL;
}

/* ---- The era without sessions ---- */

static void discover_says_who_we_are_and_only_the_modern_version(void)
{
	struct host h;

	host_open(&h);
	host_say(&h, MODERN("\"d\"", "server/discover"));
	host_hears(&h, "{\"jsonrpc\":\"2.0\",\"id\":\"d\",\"result\":{\"resultType\":\"complete\","
	               "\"supportedVersions\":[\"2026-07-28\"],\"capabilities\":{\"tools\":{},"
	               "\"prompts\":{},\"resources\":{},\"completions\":{}},"
	               "\"instructions\":\"What it is for.\",\"ttlMs\":3600000,"
	               "\"cacheScope\":\"public\",\"_meta\":{"
	               "\"io.modelcontextprotocol/serverInfo\":{\"name\":\"tester\","
	               "\"title\":\"A server for tests\",\"version\":\"1.2.3\"}}}}");
	host_hears_nothing(&h);
	host_close(&h);
}

#define META(members)                                                                             \
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{\"_meta\":{" members \
	"}}}"
#define VERSION(text) "\"io.modelcontextprotocol/protocolVersion\":" text
#define CAPS(text) "\"io.modelcontextprotocol/clientCapabilities\":" text

static const struct {
	const char *line;
	const char *reply;
} CLAIM_ROWS[] = {
	{ META(VERSION("\"2026-07-28\"") "," CAPS("{}")), "{\"result\":{}}" },
	{ META(VERSION("\"2026-07-28\"") "," CAPS(
		  "{}") ",\"claudecode/toolUseId\":\"t\",\"x/y\":[1]"),
	  "{\"result\":{}}" },
	{ META(VERSION("\"2026-07-28\"")), "{\"error\":{\"code\":-32602}}" },
	{ META(CAPS("{}")), "{\"error\":{\"code\":-32602}}" },
	{ META("\"io.modelcontextprotocol/clientInfo\":{\"name\":\"h\"}"),
	  "{\"error\":{\"code\":-32602}}" },
	{ META(VERSION("20260728") "," CAPS("{}")), "{\"error\":{\"code\":-32602}}" },
	{ META(VERSION("\"2026-07-28\"") "," CAPS("[]")), "{\"error\":{\"code\":-32602}}" },
	{ META(VERSION("\"2026-07-28\"") "," CAPS("null")), "{\"error\":{\"code\":-32602}}" },
	{ META(VERSION("\"2099-01-01\"") "," CAPS("{}")),
	  "{\"error\":{\"code\":-32022,\"data\":{\"supported\":[\"2026-07-28\"],"
	  "\"requested\":\"2099-01-01\"}}}" },
	{ META(VERSION("\"2025-11-25\"") "," CAPS("{}")),
	  "{\"error\":{\"code\":-32022,\"data\":{\"supported\":[\"2026-07-28\"],"
	  "\"requested\":\"2025-11-25\"}}}" },
	{ META(VERSION("\"2026-07-28\"") "," CAPS(
		  "{}") ",\"io.modelcontextprotocol/logLevel\":\"loud\""),
	  "{\"error\":{\"code\":-32602}}" },
	{ META(VERSION("\"2026-07-28\"") "," CAPS(
		  "{}") ",\"io.modelcontextprotocol/logLevel\":\"info\""),
	  "{\"result\":{}}" },
	{ PLAIN("1", "server/discover"), "{\"error\":{\"code\":-32602}}" },
	{ PLAIN("1", "subscriptions/listen"), "{\"error\":{\"code\":-32602}}" },
	/* Not a claim: keys of others. */
	{ META("\"progressToken\":1,\"x\":{}"), "{\"result\":{}}" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{\"_meta\":7}}",
	  "{\"result\":{}}" },
};

static void a_request_that_claims_the_era_must_claim_it_wholly(void)
{
	for (size_t i = 0; i < ARRAY_LEN(CLAIM_ROWS); i++) {
		struct host h;

		host_open(&h);
		host_say(&h, CLAIM_ROWS[i].line);
		if (!host_hears(&h, CLAIM_ROWS[i].reply))
			check_note("row %zu", i);
		host_hears_nothing(&h);
		host_close(&h);
	}
}

static void each_era_has_methods_of_its_own(void)
{
	static const char *const removed[] = { "initialize",
		                               "ping",
		                               "logging/setLevel",
		                               "resources/subscribe",
		                               "resources/unsubscribe",
		                               "tasks/get" };
	struct host h;

	host_open(&h);
	for (size_t i = 0; i < ARRAY_LEN(removed); i++) {
		OWN_BUF struct buf line = buf_make(1000);

		buf_addf(&line,
		         "{\"jsonrpc\":\"2.0\",\"id\":%zu,\"method\":\"%s\",\"params\":{%s}}", i,
		         removed[i], CLAIM("{}"));
		host_say(&h, line.p);
		if (!host_hears(&h, "{\"error\":{\"code\":-32601}}"))
			check_note("%s", removed[i]);
	}
	host_close(&h);
}

static void what_is_not_offered_is_unknown_in_both_eras(void)
{
	struct host h;

	host_open(&h);
	host_say(&h, PLAIN("1", "resources/subscribe"));
	host_hears(&h, "{\"id\":1,\"error\":{\"code\":-32601}}");
	host_say(&h, PLAIN("2", "nothing/of/that/kind"));
	host_hears(&h, "{\"id\":2,\"error\":{\"code\":-32601}}");
	host_close(&h);
}

/* ---- One process, both eras ---- */

static void initialize_never_answers_with_the_modern_version(void)
{
	static const char *const rows[][2] = {
		{ "2025-11-25", "2025-11-25" }, { "2025-06-18", "2025-06-18" },
		{ "2025-03-26", "2025-03-26" }, { "2024-11-05", "2024-11-05" },
		{ "2026-07-28", "2025-11-25" }, { "1999-01-01", "2025-11-25" },
	};
	struct host h;

	host_open(&h);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		host_initialize(&h, rows[i][0], "{}");
		OWN_JSON struct json *last = host_last(&h);
		CHECK_TEXT(json_text(json_get(json_get(last, "result"), "protocolVersion")),
		           rows[i][1]);
	}
	host_close(&h);
}

static void after_only_modern_requests_a_claim_is_needed(void)
{
	struct host h;

	host_open(&h);
	host_say(&h, PLAIN("1", "ping"));
	host_hears(&h, "{\"id\":1,\"result\":{}}");
	host_say(&h, MODERN("2", "tools/list"));
	host_hears(&h, "{\"id\":2,\"result\":{\"resultType\":\"complete\"}}");
	host_say(&h, PLAIN("3", "tools/list"));
	host_hears(&h, "{\"id\":3,\"error\":{\"code\":-32602}}");
	host_say(&h, PLAIN("4", "ping"));
	host_hears(&h, "{\"id\":4,\"result\":{}}");
	/* A host may go on to initialize, and then both are served. */
	host_initialize(&h, "2025-11-25", "{}");
	host_say(&h, PLAIN("5", "tools/list"));
	host_hears(&h, "{\"id\":5,\"result\":{\"tools\":[\"a tool\"]}}");
	CHECK(!last_has(&h, "resultType"));
	host_say(&h, MODERN("6", "tools/list"));
	host_hears(&h, "{\"id\":6,\"result\":{\"resultType\":\"complete\"}}");
	host_close(&h);
}

static void a_first_request_without_a_claim_opens_the_older_era(void)
{
	struct host h;

	host_open(&h);
	host_say(&h, PLAIN("1", "tools/list"));
	host_hears(&h, "{\"id\":1,\"result\":{}}");
	host_say(&h, MODERN("2", "tools/list"));
	host_hears(&h, "{\"id\":2,\"result\":{}}");
	host_say(&h, PLAIN("3", "tools/list"));
	host_hears(&h, "{\"id\":3,\"result\":{}}");
	host_close(&h);
}

static void a_refused_claim_opens_no_era(void)
{
	struct host h;

	host_open(&h);
	host_say(&h, PLAIN("1", "server/discover"));
	host_hears(&h, "{\"id\":1,\"error\":{\"code\":-32602}}");
	host_say(&h, PLAIN("2", "tools/list"));
	host_hears(&h, "{\"id\":2,\"result\":{}}");
	host_close(&h);
}

/* ---- Results ---- */

static const struct {
	const char *method, *params;
	int64_t ttl_ms; /* -1: no hint */
	const char *scope;
} HINT_ROWS[] = {
	{ "tools/list", "", 60000, "public" },
	{ "prompts/list", "", 0, "public" },
	{ "resources/list", "", 0, "public" },
	{ "resources/templates/list", "", 0, "public" },
	{ "resources/read", "\"uri\":\"x:y\",", 5000, "private" },
	{ "tools/call", "\"name\":\"echo\",", -1, NULL },
	{ "prompts/get", "\"name\":\"p\",", -1, NULL },
};

static void check_hints(const struct json *result, size_t i, bool modern)
{
	int64_t ttl_ms = -1;

	if (json_get(result, "ttlMs") && !json_i64(json_get(result, "ttlMs"), &ttl_ms))
		ttl_ms = -2;
	bool ok = CHECK_I64(ttl_ms, modern ? HINT_ROWS[i].ttl_ms : -1);
	ok &= CHECK_TEXT(json_text(json_get(result, "cacheScope")),
	                 modern ? HINT_ROWS[i].scope : NULL);
	ok &= CHECK((json_get(result, "resultType") != NULL) == modern);
	ok &= CHECK((json_get(result, "_meta") != NULL) == modern);
	if (!ok)
		check_note("%s, %s", HINT_ROWS[i].method, modern ? "modern" : "legacy");
}

static void results_carry_what_their_era_wants(void)
{
	for (size_t i = 0; i < 2 * ARRAY_LEN(HINT_ROWS); i++) {
		bool modern = i % 2 == 0;
		OWN_BUF struct buf line = buf_make(1000);
		struct host h;

		host_open(&h);
		buf_addf(&line,
		         "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":{%s%s}}",
		         HINT_ROWS[i / 2].method, HINT_ROWS[i / 2].params,
		         modern ? CLAIM("{}") : "\"x\":1");
		host_say(&h, line.p);
		host_hears(&h, "{\"id\":1,\"result\":{}}");
		OWN_JSON struct json *last = host_last(&h);
		check_hints(json_get(last, "result"), i / 2, modern);
		host_close(&h);
	}
}

static void a_result_that_is_too_large_leaves_room_for_a_smaller_one(void)
{
	struct host h;

	host_open(&h);
	host_say(&h, CALL("1", "\"name\":\"large\""));
	host_hears(&h, "{\"id\":1,\"result\":{\"text\":\"*\"}}");
	host_hears_nothing(&h);
	host_close(&h);
}

/* ---- Params ---- */

static const struct {
	const char *method, *params;
	bool good;
} PARAM_ROWS[] = {
	{ "tools/call", "\"name\":\"echo\"", true },
	{ "tools/call", "\"name\":\"echo\",\"arguments\":{}", true },
	{ "tools/call", "\"name\":\"echo\",\"arguments\":[]", false },
	{ "tools/call", "\"name\":\"echo\",\"arguments\":null", false },
	{ "tools/call", "\"name\":7", false },
	{ "tools/call", "\"arguments\":{}", false },
	{ "tools/call", "\"name\":\"none\"", false },
	{ "prompts/get", "\"name\":\"p\",\"arguments\":{\"a\":\"b\"}", true },
	{ "prompts/get", "\"name\":null", false },
	{ "resources/read", "\"uri\":\"store://x\"", true },
	{ "resources/read", "\"name\":\"x\"", false },
	{ "tools/list", "\"cursor\":\"\"", false },
	{ "tools/list", "\"cursor\":\"abc\"", false },
	{ "completion/complete",
	  "\"ref\":{\"type\":\"ref/prompt\",\"name\":\"p\"},\"argument\":{\"name\":\"a\",\"value\":\"\"}",
	  true },
	{ "completion/complete",
	  "\"ref\":{\"type\":\"ref/resource\",\"uri\":\"x:{y}\"},"
	  "\"argument\":{\"name\":\"y\",\"value\":\"1\"}",
	  true },
	{ "completion/complete", "\"ref\":{\"type\":\"ref/prompt\",\"name\":\"p\"}", false },
	{ "completion/complete",
	  "\"ref\":{\"type\":\"ref/tool\",\"name\":\"p\"},\"argument\":{\"name\":\"a\",\"value\":\"\"}",
	  false },
	{ "completion/complete",
	  "\"ref\":{\"type\":\"ref/prompt\",\"name\":\"p\"},\"argument\":{\"name\":\"a\",\"value\":1}",
	  false },
	{ "logging/setLevel", "\"level\":\"warning\"", true },
	{ "logging/setLevel", "\"level\":\"loud\"", false },
};

static void params_are_checked_before_the_server_runs(void)
{
	struct host h;

	host_open(&h);
	for (size_t i = 0; i < ARRAY_LEN(PARAM_ROWS); i++) {
		OWN_BUF struct buf line = buf_make(1000);

		buf_addf(&line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":{%s}}",
		         PARAM_ROWS[i].method, PARAM_ROWS[i].params);
		host_say(&h, line.p);
		if (!host_hears(&h, PARAM_ROWS[i].good ? "{\"id\":1,\"result\":{}}"
		                                       : "{\"id\":1,\"error\":{\"code\":-32602}}"))
			check_note("row %zu: %s", i, line.p);
	}
	host_close(&h);
}

/* ---- Ids ---- */

static void ids_of_every_legal_kind_come_back_as_they_were_written(void)
{
	static const char *const ids[] = { "0",
		                           "-1",
		                           "9007199254740993",
		                           "123456789012345678901234567890",
		                           "\"\"",
		                           "\"\\u0041\"",
		                           "\"a \\\"b\\\" \\n\"",
		                           "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"" };

	for (size_t i = 0; i < 2 * ARRAY_LEN(ids); i++) {
		OWN_BUF struct buf line = buf_make(1000), wanted = buf_make(1000);
		struct host h;

		host_open(&h);
		buf_addf(
			&line,
			"{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"tools/list\",\"params\":{%s}}",
			ids[i / 2], i % 2 == 0 ? CLAIM("{}") : "");
		buf_addf(&wanted, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":", ids[i / 2]);
		host_say(&h, line.p);
		CHECK(h.written == 1 && str_starts(str_of(h.lines[0]), buf_str(&wanted)));
		host_close(&h);
	}
}

static void an_id_that_waits_is_taken_in_both_eras(void)
{
	struct host h;

	host_open(&h);
	host_say(&h, CALL("7", "\"name\":\"wait\""));
	host_say(&h, MODERN("7", "tools/list"));
	host_hears(&h, "{\"id\":7,\"error\":{\"code\":-32600}}");
	host_say(&h, MODERN("\"7\"", "tools/list"));
	host_hears(&h, "{\"id\":\"7\",\"result\":{}}");
	host_close(&h);
	CHECK_I64(h.dropped, 1);
}

/* ---- Streams ---- */

#define LISTEN(id)                                                                            \
	"{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"subscriptions/listen\",\"params\":{" \
	"\"notifications\":{\"toolsListChanged\":true}," CLAIM("{}") "}}"

static void a_stream_is_acknowledged_and_stays_silent(void)
{
	struct host h;

	host_open(&h);
	host_say(&h, LISTEN("\"listen:0\""));
	host_hears(&h,
	           "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/acknowledged\","
	           "\"params\":{\"notifications\":{},\"_meta\":{"
	           "\"io.modelcontextprotocol/subscriptionId\":\"listen:0\"}}}");
	host_say(&h, LISTEN("5"));
	host_hears(&h, "{\"params\":{\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":5}}}");
	CHECK_I64((int64_t)mcp__core_in_flight(h.core), 0);
	/* The host ends one; its id is free again. */
	host_say(&h, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":"
	             "{\"requestId\":5}}");
	host_hears_nothing(&h);
	host_say(&h, MODERN("5", "tools/list"));
	host_hears(&h, "{\"id\":5,\"result\":{}}");
	/* The end of the input ends the other. */
	mcp__core_end(h.core);
	host_hears(&h, "{\"id\":\"listen:0\",\"result\":{\"resultType\":\"complete\",\"_meta\":{"
	               "\"io.modelcontextprotocol/subscriptionId\":\"listen:0\"}}}");
	host_hears_nothing(&h);
	host_close(&h);
	CHECK_I64(h.dropped, 0);
	CHECK_I64(h.runs, 0);
}

static void a_stream_says_what_it_wants(void)
{
	struct host h;

	host_open(&h);
	host_say(&h, MODERN("1", "subscriptions/listen"));
	host_hears(&h, "{\"id\":1,\"error\":{\"code\":-32602}}");
	host_close(&h);
}

/* ---- Batches ---- */

static void the_era_without_sessions_has_no_batches(void)
{
	struct host h;

	host_open(&h);
	host_say(&h, "[" MODERN("1", "tools/list") "]");
	host_hears(&h, "{\"error\":{\"code\":-32600}}");
	host_initialize(&h, "2025-03-26", "{}");
	host_say(&h, "[" MODERN("2", "tools/list") "," PLAIN("3", "ping") "]");
	host_hears(&h, "[{\"id\":2,\"error\":{\"code\":-32600}},{\"id\":3,\"result\":{}}]");
	host_close(&h);
}

/* ---- Overlap and limits ---- */

static void everything_passes_while_a_tool_runs(void)
{
	struct host h;

	host_open(&h);
	host_say(&h, CALL("1", "\"name\":\"wait\""));
	host_hears_nothing(&h);
	host_say(&h, PLAIN("2", "ping"));
	host_hears(&h, "{\"id\":2,\"result\":{}}");
	host_say(&h, CALL("3", "\"name\":\"echo\",\"arguments\":{\"a\":1}"));
	host_hears(&h, "{\"id\":3,\"result\":{\"arguments\":{\"a\":1}}}");
	struct mcp__request *r = mcp__core_request(h.core, h.waiting);
	if (CHECK(r != NULL))
		mcp__request_fail(r, RPC_INTERNAL_ERROR, "broken", STR("{\"x\":1}"));
	host_hears(&h, "{\"id\":1,\"error\":{\"code\":-32603,\"message\":\"broken\","
	               "\"data\":{\"x\":1}}}");
	CHECK(mcp__core_request(h.core, h.waiting) == NULL);
	host_close(&h);
}

static void a_cancelled_request_gets_nothing_more(void)
{
	struct host h;

	host_open(&h);
	host_say(&h, CALL("1", "\"name\":\"wait\"," CLAIM("{}")));
	host_say(&h, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":"
	             "{\"requestId\":1,\"reason\":\"enough\"}}");
	CHECK_I64(h.dropped, 1);
	CHECK(mcp__core_request(h.core, h.waiting) == NULL);
	/* Finished, unknown and malformed ones are ignored. */
	host_say(&h, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":"
	             "{\"requestId\":1}}");
	host_say(&h, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{}}");
	host_say(&h, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\"}");
	host_hears_nothing(&h);
	host_close(&h);
	CHECK_I64(h.dropped, 1);
}

static void at_most_256_requests_wait_streams_included(void)
{
	struct host h;

	host_open(&h);
	for (int i = 0; i < LIMIT_MCP_IN_FLIGHT; i++) {
		OWN_BUF struct buf line = buf_make(1000);

		buf_addf(&line,
		         "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"tools/call\",\"params\":"
		         "{\"name\":\"wait\"}}",
		         i);
		host_say(&h, line.p);
	}
	host_say(&h, LISTEN("\"l\""));
	host_hears(&h, "{\"id\":\"l\",\"error\":{\"code\":-32603}}");
	host_say(&h, PLAIN("\"p\"", "ping"));
	host_hears(&h, "{\"id\":\"p\",\"result\":{}}");
	CHECK_I64((int64_t)mcp__core_in_flight(h.core), LIMIT_MCP_IN_FLIGHT);
	host_close(&h);
	CHECK_I64(h.dropped, LIMIT_MCP_IN_FLIGHT);
}

static const struct check_case CASES[] = {
	CASE(discover_says_who_we_are_and_only_the_modern_version),
	CASE(a_request_that_claims_the_era_must_claim_it_wholly),
	CASE(each_era_has_methods_of_its_own),
	CASE(what_is_not_offered_is_unknown_in_both_eras),
	CASE(initialize_never_answers_with_the_modern_version),
	CASE(after_only_modern_requests_a_claim_is_needed),
	CASE(a_first_request_without_a_claim_opens_the_older_era),
	CASE(a_refused_claim_opens_no_era),
	CASE(results_carry_what_their_era_wants),
	CASE(a_result_that_is_too_large_leaves_room_for_a_smaller_one),
	CASE(params_are_checked_before_the_server_runs),
	CASE(ids_of_every_legal_kind_come_back_as_they_were_written),
	CASE(an_id_that_waits_is_taken_in_both_eras),
	CASE(a_stream_is_acknowledged_and_stays_silent),
	CASE(a_stream_says_what_it_wants),
	CASE(the_era_without_sessions_has_no_batches),
	CASE(everything_passes_while_a_tool_runs),
	CASE(a_cancelled_request_gets_nothing_more),
	CASE(at_most_256_requests_wait_streams_included),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
