/* SPDX-License-Identifier: Apache-2.0 */
/* What a request tells and asks before its result: questions to the host in both eras, the seal on
 * what a question carries, progress, log messages. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "tests/check.h"
#include "tests/mcp_host.h"

#define CALL(id, params) \
	"{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"tools/call\",\"params\":{" params "}}"
#define ALL "{\"elicitation\":{\"form\":{},\"url\":{}},\"sampling\":{}}"
#define ACCEPT "{\"action\":\"accept\",\"content\":{\"ok\":true}}"
#define CANCEL(id)                                                                 \
	"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{" \
	"\"requestId\":" id "}}"

/* ---- The era without sessions ---- */

/* Asks, and returns the state that came with the question. The caller frees it. */
static char *ask_modern(struct host *h, const char *arguments)
{
	OWN_BUF struct buf line = buf_make(2000);

	buf_addf(&line,
	         "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{"
	         "\"name\":\"form\",\"arguments\":%s,%s}}",
	         arguments, CLAIM(ALL));
	host_say(h, line.p);
	host_hears(h, "{\"id\":1,\"result\":{\"resultType\":\"input_required\","
	              "\"inputRequests\":{\"form\":{\"method\":\"elicitation/create\","
	              "\"params\":{\"message\":\"Buy?\"}}},\"requestState\":\"*\"}}");
	OWN_JSON struct json *last = host_last(h);
	const struct json *result = json_get(last, "result");
	CHECK(json_get(result, "ttlMs") == NULL);
	return str_dup(json_text(json_get(result, "requestState")));
}

static void answer_modern(struct host *h, const char *name, const char *arguments,
                          const char *state)
{
	OWN_BUF struct buf line = buf_make(4000);

	buf_addf(&line,
	         "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":{"
	         "\"name\":\"%s\",\"arguments\":%s,\"inputResponses\":{\"form\":%s,\"other\":{}},"
	         "\"requestState\":\"%s\",%s}}",
	         name, arguments, ACCEPT, state, CLAIM(ALL));
	host_say(h, line.p);
}

static void a_modern_question_ends_the_request_and_its_answer_begins_another(void)
{
	struct host h;

	host_open(&h);
	char *state = ask_modern(&h, "{\"a\":1,\"b\":[\"x\"]}");
	CHECK_I64((int64_t)mcp__core_in_flight(h.core), 0);
	CHECK(strstr(state, "price") == NULL);
	/* The same arguments, written otherwise. */
	answer_modern(&h, "form", "{ \"b\" : [\"\\u0078\"], \"a\" : 1 }", state);
	host_hears(&h, "{\"id\":2,\"result\":{\"resultType\":\"complete\",\"form\":" ACCEPT
	               ",\"state\":\"price 25\"}}");
	CHECK_I64(h.runs, 2);
	host_hears_nothing(&h);
	free(state);
	host_close(&h);
}

static void check_refused(struct host *h, const char *what)
{
	if (!host_hears(h, "{\"id\":2,\"error\":{\"code\":-32602}}"))
		check_note("%s", what);
}

static void a_state_that_was_changed_is_refused(void)
{
	struct host h;

	host_open(&h);
	char *state = ask_modern(&h, "{\"a\":1}");
	for (size_t i = 0; state[i] != '\0'; i++) {
		char before = state[i];

		state[i] = before == '1' ? '2' : '1';
		answer_modern(&h, "form", "{\"a\":1}", state);
		check_refused(&h, state);
		host_forget(&h);
		state[i] = before;
	}
	CHECK_I64(h.runs, 1);
	answer_modern(&h, "form", "{\"a\":1}", state);
	host_hears(&h, "{\"id\":2,\"result\":{}}");
	free(state);
	host_close(&h);
}

static void a_state_is_good_for_its_own_arguments_only(void)
{
	struct host h;

	host_open(&h);
	char *state = ask_modern(&h, "{\"a\":1}");
	answer_modern(&h, "form", "{\"a\":2}", state);
	check_refused(&h, "other arguments");
	answer_modern(&h, "form", "{}", state);
	check_refused(&h, "no arguments");
	answer_modern(&h, "both", "{\"a\":1}", state);
	check_refused(&h, "another tool");
	for (size_t i = 0; i < 4; i++) {
		static const char *const odd[] = { "", ".", "..", "x.y.z" };

		answer_modern(&h, "form", "{\"a\":1}", odd[i]);
		check_refused(&h, odd[i]);
	}
	CHECK_I64(h.runs, 1);
	free(state);
	host_close(&h);
}

static void a_state_expires_and_does_not_outlive_its_process(void)
{
	struct host h, other;

	host_open(&h);
	host_open_seeded(&other, 1);
	char *state = ask_modern(&h, "{}");
	answer_modern(&other, "form", "{}", state);
	check_refused(&other, "another process");
	h.clock.now_ms += LIMIT_MCP_STATE_MS - 1;
	answer_modern(&h, "form", "{}", state);
	host_hears(&h, "{\"id\":2,\"result\":{}}");
	h.clock.now_ms += 1;
	answer_modern(&h, "form", "{}", state);
	check_refused(&h, "too old");
	free(state);
	host_close(&other);
	host_close(&h);
}

static const struct {
	const char *members;
	bool runs;
} ANSWER_ROWS[] = {
	{ "\"inputResponses\":{}", true },
	{ "\"inputResponses\":{\"wrong\":{}}", true },
	{ "\"inputResponses\":null", false },
	{ "\"inputResponses\":[]", false },
	{ "\"inputResponses\":{\"form\":12345}", false },
	{ "\"inputResponses\":{\"form\":{},\"x\":\"y\"}", false },
	{ "\"requestState\":7", false },
	{ "\"requestState\":null", false },
};

static void answers_are_objects(void)
{
	struct host h;

	host_open(&h);
	for (size_t i = 0; i < ARRAY_LEN(ANSWER_ROWS); i++) {
		OWN_BUF struct buf line = buf_make(2000);

		buf_addf(&line,
		         "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{"
		         "\"name\":\"echo\",%s,%s}}",
		         ANSWER_ROWS[i].members, CLAIM(ALL));
		host_say(&h, line.p);
		if (!host_hears(&h, ANSWER_ROWS[i].runs ? "{\"result\":{}}"
		                                        : "{\"error\":{\"code\":-32602}}"))
			check_note("row %zu", i);
	}
	host_close(&h);
}

static const struct {
	const char *tool, *caps;
	const char *needed; /* NULL: it can be asked */
} CAPABILITY_ROWS[] = {
	{ "form", "{\"elicitation\":{}}", NULL },
	{ "form", "{\"elicitation\":{\"form\":{}}}", NULL },
	{ "form", "{\"elicitation\":{\"url\":{}}}", "{\"elicitation\":{}}" },
	{ "form", "{\"sampling\":{}}", "{\"elicitation\":{}}" },
	{ "form", "{}", "{\"elicitation\":{}}" },
	{ "url", "{\"elicitation\":{}}", "{\"elicitation\":{\"url\":{}}}" },
	{ "url", "{\"elicitation\":{\"url\":{}}}", NULL },
	{ "both", "{\"elicitation\":{}}", "{\"elicitation\":{}}" },
	{ "both", "{\"elicitation\":{},\"sampling\":{}}", NULL },
};

static void nothing_is_asked_that_this_request_has_not_declared(void)
{
	struct host h;

	host_open(&h);
	for (size_t i = 0; i < ARRAY_LEN(CAPABILITY_ROWS); i++) {
		OWN_BUF struct buf line = buf_make(2000), wanted = buf_make(2000);
		const char *needed = CAPABILITY_ROWS[i].needed;

		buf_addf(&line,
		         "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{"
		         "\"name\":\"%s\",\"_meta\":{"
		         "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
		         "\"io.modelcontextprotocol/clientCapabilities\":%s}}}",
		         CAPABILITY_ROWS[i].tool, CAPABILITY_ROWS[i].caps);
		host_say(&h, line.p);
		if (needed)
			buf_addf(&wanted,
			         "{\"error\":{\"code\":-32021,\"data\":"
			         "{\"requiredCapabilities\":%s}}}",
			         needed);
		else
			buf_add_z(&wanted, "{\"result\":{\"resultType\":\"input_required\"}}");
		if (!host_hears(&h, wanted.p))
			check_note("row %zu", i);
	}
	host_close(&h);
}

/* ---- The initialize era ---- */

static void a_legacy_question_is_a_request_and_stdin_is_read_on(void)
{
	struct host h;

	host_open(&h);
	host_initialize(&h, "2025-06-18", ALL);
	host_say(&h, CALL("1", "\"name\":\"form\""));
	host_hears(&h, "{\"jsonrpc\":\"2.0\",\"id\":\"ask-1\",\"method\":\"elicitation/create\","
	               "\"params\":{\"message\":\"Buy?\"}}");
	host_say(&h, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}");
	host_hears(&h, "{\"id\":2,\"result\":{}}");
	host_hears_nothing(&h);
	CHECK_I64((int64_t)mcp__core_in_flight(h.core), 1);
	/* Answers that are not to our question. */
	host_say(&h, "{\"jsonrpc\":\"2.0\",\"id\":\"ask-2\",\"result\":{}}");
	host_say(&h, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}");
	host_say(&h, "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{}}");
	host_hears_nothing(&h);
	host_say(&h, "{\"jsonrpc\":\"2.0\",\"id\":\"ask-1\",\"result\":" ACCEPT "}");
	host_hears(&h, "{\"id\":1,\"result\":{\"form\":" ACCEPT ",\"state\":\"price 25\"}}");
	/* A second answer is nobody's. */
	host_say(&h, "{\"jsonrpc\":\"2.0\",\"id\":\"ask-1\",\"result\":" ACCEPT "}");
	host_hears_nothing(&h);
	CHECK_I64(h.wake_ms, -1);
	host_close(&h);
}

static const struct {
	const char *response;
	const char *answer;
} RESPONSE_ROWS[] = {
	{ "\"result\":{\"action\":\"decline\"}", "decline" },
	{ "\"result\":{\"action\":\"cancel\"}", "cancel" },
	{ "\"error\":{\"code\":-32601,\"message\":\"no\"}", "cancel" },
	{ "\"result\":7", "cancel" },
};

static void whatever_the_host_answers_the_request_goes_on(void)
{
	for (size_t i = 0; i < ARRAY_LEN(RESPONSE_ROWS); i++) {
		OWN_BUF struct buf line = buf_make(1000), wanted = buf_make(1000);
		struct host h;

		host_open(&h);
		host_initialize(&h, "2025-11-25", ALL);
		host_say(&h, CALL("1", "\"name\":\"form\""));
		host_hears(&h, "{\"id\":\"ask-1\"}");
		buf_addf(&line, "{\"jsonrpc\":\"2.0\",\"id\":\"ask-1\",%s}",
		         RESPONSE_ROWS[i].response);
		buf_addf(&wanted, "{\"id\":1,\"result\":{\"form\":{\"action\":\"%s\"}}}",
		         RESPONSE_ROWS[i].answer);
		host_say(&h, line.p);
		host_hears(&h, wanted.p);
		host_close(&h);
	}
}

static void several_questions_wait_for_the_last_answer(void)
{
	struct host h;

	host_open(&h);
	host_initialize(&h, "2025-11-25", ALL);
	host_say(&h, CALL("1", "\"name\":\"both\""));
	host_hears(&h, "{\"id\":\"ask-1\",\"method\":\"elicitation/create\"}");
	host_hears(&h, "{\"id\":\"ask-2\",\"method\":\"sampling/createMessage\"}");
	host_say(&h, "{\"jsonrpc\":\"2.0\",\"id\":\"ask-2\",\"result\":{\"model\":\"m\"}}");
	host_hears_nothing(&h);
	/* The same question twice is not two of them. */
	host_say(&h, "{\"jsonrpc\":\"2.0\",\"id\":\"ask-2\",\"result\":{\"model\":\"n\"}}");
	host_hears_nothing(&h);
	host_say(&h, "{\"jsonrpc\":\"2.0\",\"id\":\"ask-1\",\"result\":" ACCEPT "}");
	host_hears(&h, "{\"id\":1,\"result\":{\"form\":" ACCEPT ",\"sample\":{\"model\":\"m\"}}}");
	host_close(&h);
}

static void answer_at_length(struct host *h, const char *id)
{
	OWN_BUF struct buf line = buf_make(LIMIT_MCP_LINE);

	buf_addf(&line, "{\"jsonrpc\":\"2.0\",\"id\":\"%s\",\"result\":{\"text\":\"", id);
	while (line.len < LIMIT_MCP_LINE - 100)
		buf_add(&line, STR("0123456789"));
	buf_add_z(&line, "\"}}");
	host_say(h, line.p);
}

static void answers_that_are_too_large_together_count_as_cancelled(void)
{
	struct host h;

	host_open(&h);
	host_initialize(&h, "2025-11-25", ALL);
	host_say(&h, CALL("1", "\"name\":\"both\""));
	host_hears(&h, "{\"id\":\"ask-1\"}");
	host_hears(&h, "{\"id\":\"ask-2\"}");
	answer_at_length(&h, "ask-1");
	answer_at_length(&h, "ask-2");
	host_hears(&h, "{\"id\":1,\"result\":{\"form\":{\"action\":\"cancel\"},"
	               "\"sample\":{\"action\":\"cancel\"}}}");
	host_close(&h);
}

static const struct {
	const char *version, *caps, *tool;
	bool asks;
} LEGACY_ROWS[] = {
	{ "2025-11-25", "{\"elicitation\":{}}", "form", true },
	{ "2025-11-25", "{\"elicitation\":{\"url\":{}}}", "url", true },
	{ "2025-06-18", "{\"elicitation\":{\"form\":{},\"url\":{}}}", "url", false },
	{ "2025-06-18", "{\"elicitation\":{}}", "form", true },
	{ "2025-06-18", "{}", "form", false },
	{ "2025-03-26", "{\"elicitation\":{}}", "form", false },
	{ "2024-11-05", "{\"elicitation\":{}}", "form", false },
};

static void a_legacy_host_is_asked_what_its_version_and_capabilities_allow(void)
{
	for (size_t i = 0; i < ARRAY_LEN(LEGACY_ROWS); i++) {
		OWN_BUF struct buf line = buf_make(1000);
		struct host h;

		host_open(&h);
		host_initialize(&h, LEGACY_ROWS[i].version, LEGACY_ROWS[i].caps);
		buf_addf(&line,
		         "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":"
		         "{\"name\":\"%s\"}}",
		         LEGACY_ROWS[i].tool);
		host_say(&h, line.p);
		if (!host_hears(&h, LEGACY_ROWS[i].asks ? "{\"id\":\"ask-1\"}"
		                                        : "{\"id\":1,\"error\":{\"code\":-32600}}"))
			check_note("row %zu", i);
		host_close(&h);
	}
}

static void a_question_without_an_answer_is_taken_back_after_five_minutes(void)
{
	struct host h;

	host_open(&h);
	host_initialize(&h, "2025-11-25", ALL);
	host_say(&h, CALL("1", "\"name\":\"both\""));
	host_hears(&h, "{\"id\":\"ask-1\"}");
	host_hears(&h, "{\"id\":\"ask-2\"}");
	host_say(&h, "{\"jsonrpc\":\"2.0\",\"id\":\"ask-1\",\"result\":" ACCEPT "}");
	host_pass(&h, 299999);
	host_hears_nothing(&h);
	host_pass(&h, 1);
	host_hears(&h, CANCEL("\"ask-2\""));
	host_hears(&h, "{\"id\":1,\"result\":{\"form\":" ACCEPT
	               ",\"sample\":{\"action\":\"cancel\"}}}");
	host_say(&h, "{\"jsonrpc\":\"2.0\",\"id\":\"ask-2\",\"result\":{}}"); /* too late */
	host_hears_nothing(&h);
	host_close(&h);
}

static void cancelling_a_request_takes_its_question_back(void)
{
	struct host h;

	host_open(&h);
	host_initialize(&h, "2025-11-25", ALL);
	host_say(&h, CALL("1", "\"name\":\"form\""));
	host_hears(&h, "{\"id\":\"ask-1\"}");
	host_say(&h, CANCEL("1"));
	host_hears(&h, CANCEL("\"ask-1\""));
	host_hears_nothing(&h);
	CHECK_I64(h.dropped, 1);
	CHECK_I64(h.wake_ms, -1);
	host_close(&h);
}

static void at_the_end_of_the_input_open_questions_count_as_cancelled(void)
{
	struct host h;

	host_open(&h);
	host_initialize(&h, "2025-11-25", ALL);
	host_say(&h, CALL("1", "\"name\":\"form\""));
	host_hears(&h, "{\"id\":\"ask-1\"}");
	mcp__core_end(h.core);
	host_hears(&h, "{\"id\":1,\"result\":{\"form\":{\"action\":\"cancel\"}}}");
	host_hears_nothing(&h);
	host_close(&h);
}

/* ---- Progress ---- */

static struct mcp__request *wait_with_token(struct host *h, const char *token)
{
	OWN_BUF struct buf line = buf_make(1000);

	buf_addf(&line,
	         "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":"
	         "{\"name\":\"wait\",\"_meta\":{\"progressToken\":%s}}}",
	         token);
	host_say(h, line.p);
	struct mcp__request *r = mcp__core_request(h->core, h->waiting);
	if (!r)
		abort();
	return r;
}

static void progress_names_its_token_as_it_was_written(void)
{
	static const char *const tokens[] = { "0", "-5", "9007199254740993", "\"a\"", "\"\"" };

	for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
		OWN_BUF struct buf wanted = buf_make(1000);
		struct host h;

		host_open(&h);
		mcp__request_progress(wait_with_token(&h, tokens[i]), 1, 4, "working");
		buf_addf(
			&wanted,
			"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":"
			"{\"progressToken\":%s,\"progress\":1,\"total\":4,\"message\":\"working\"}}",
			tokens[i]);
		CHECK(h.written == 1 && strcmp(h.lines[0], wanted.p) == 0);
		host_close(&h);
	}
}

static void without_a_good_token_no_progress_is_told(void)
{
	static const char *const tokens[] = { "null", "1.5", "true", "{}", "[1]" };

	for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
		struct host h;

		host_open(&h);
		struct mcp__request *r = wait_with_token(&h, tokens[i]);
		mcp__request_progress(r, 1, 0, NULL);
		mcp__request_waits(r, "waiting");
		host_pass(&h, 10000);
		host_hears_nothing(&h);
		host_close(&h);
	}
}

static void progress_rises_and_is_told_five_times_a_second_at_most(void)
{
	struct host h;

	host_open(&h);
	struct mcp__request *r = wait_with_token(&h, "7");
	mcp__request_progress(r, 10, 100, NULL);
	host_hears(&h, "{\"params\":{\"progress\":10}}");
	mcp__request_progress(r, 11, 100, NULL); /* too soon */
	h.clock.now_ms += 199;
	mcp__request_progress(r, 12, 100, NULL);
	host_hears_nothing(&h);
	h.clock.now_ms += 1;
	mcp__request_progress(r, 10, 100, NULL); /* not above the last */
	mcp__request_progress(r, 9, 100, NULL);
	host_hears_nothing(&h);
	mcp__request_progress(r, 13, 100, NULL);
	host_hears(&h, "{\"params\":{\"progress\":13}}");
	mcp__request_progress(r, 100, 100, NULL); /* the last one always */
	host_hears(&h, "{\"params\":{\"progress\":100}}");
	mcp__request_progress(r, 100, 100, NULL);
	host_hears_nothing(&h);
	host_close(&h);
}

static void a_request_that_waits_tells_the_seconds(void)
{
	struct host h;

	host_open(&h);
	struct mcp__request *r = wait_with_token(&h, "\"t\"");
	mcp__request_waits(r, "waiting for the store");
	host_pass(&h, 1999);
	host_hears_nothing(&h);
	host_pass(&h, 2001);
	host_hears(&h, "{\"params\":{\"progressToken\":\"t\",\"progress\":2,"
	               "\"message\":\"waiting for the store\"}}");
	host_hears(&h, "{\"params\":{\"progress\":4}}");
	host_hears_nothing(&h);
	mcp__request_waits(r, NULL);
	host_pass(&h, 10000);
	host_hears_nothing(&h);
	mcp__request_waits(r, "again");
	host_pass(&h, 1);
	host_hears(&h, "{\"params\":{\"progress\":14}}");
	mcp__request_fail(r, RPC_INTERNAL_ERROR, "x", (struct str){ 0 });
	host_hears(&h, "{\"id\":1}");
	host_pass(&h, 10000); /* none after the answer */
	host_hears_nothing(&h);
	CHECK_I64(h.wake_ms, -1);
	host_close(&h);
}

static void a_question_to_a_person_is_waited_for_aloud(void)
{
	struct host h;

	host_open(&h);
	host_initialize(&h, "2025-11-25", ALL);
	host_say(&h, CALL("1", "\"name\":\"form\",\"_meta\":{\"progressToken\":3}"));
	host_hears(&h, "{\"id\":\"ask-1\"}");
	host_pass(&h, 2000);
	host_hears(&h, "{\"method\":\"notifications/progress\",\"params\":{\"progressToken\":3,"
	               "\"progress\":2}}");
	host_close(&h);
}

/* ---- Log messages ---- */

static void log_messages_go_where_they_are_wanted(void)
{
	struct host h;

	host_open(&h);
	host_say(&h, CALL("1", "\"name\":\"wait\"," CLAIM("{}")));
	mcp__request_log(mcp__core_request(h.core, h.waiting), MCP__LEVEL_EMERGENCY, "x");
	host_hears_nothing(&h); /* this request named no level */
	host_say(&h, CALL("2", "\"name\":\"wait\",\"_meta\":{"
	                       "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
	                       "\"io.modelcontextprotocol/clientCapabilities\":{},"
	                       "\"io.modelcontextprotocol/logLevel\":\"warning\"}"));
	mcp__request_log(mcp__core_request(h.core, h.waiting), MCP__LEVEL_NOTICE, "x");
	host_hears_nothing(&h);
	mcp__request_log(mcp__core_request(h.core, h.waiting), MCP__LEVEL_WARNING, "hot");
	host_hears(&h, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":"
	               "{\"level\":\"warning\",\"logger\":\"tester\",\"data\":\"hot\"}}");
	host_initialize(&h, "2025-11-25", "{}");
	host_say(&h, "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"logging/setLevel\",\"params\":"
	             "{\"level\":\"error\"}}");
	host_hears(&h, "{\"id\":3,\"result\":{}}");
	host_say(&h, CALL("4", "\"name\":\"wait\""));
	mcp__request_log(mcp__core_request(h.core, h.waiting), MCP__LEVEL_WARNING, "x");
	host_hears_nothing(&h);
	mcp__request_log(mcp__core_request(h.core, h.waiting), MCP__LEVEL_ERROR, "y");
	host_hears(&h, "{\"params\":{\"level\":\"error\"}}");
	host_close(&h);
}

static const struct check_case CASES[] = {
	CASE(a_modern_question_ends_the_request_and_its_answer_begins_another),
	CASE(a_state_that_was_changed_is_refused),
	CASE(a_state_is_good_for_its_own_arguments_only),
	CASE(a_state_expires_and_does_not_outlive_its_process),
	CASE(answers_are_objects),
	CASE(nothing_is_asked_that_this_request_has_not_declared),
	CASE(a_legacy_question_is_a_request_and_stdin_is_read_on),
	CASE(whatever_the_host_answers_the_request_goes_on),
	CASE(several_questions_wait_for_the_last_answer),
	CASE(answers_that_are_too_large_together_count_as_cancelled),
	CASE(a_legacy_host_is_asked_what_its_version_and_capabilities_allow),
	CASE(a_question_without_an_answer_is_taken_back_after_five_minutes),
	CASE(cancelling_a_request_takes_its_question_back),
	CASE(at_the_end_of_the_input_open_questions_count_as_cancelled),
	CASE(progress_names_its_token_as_it_was_written),
	CASE(without_a_good_token_no_progress_is_told),
	CASE(progress_rises_and_is_told_five_times_a_second_at_most),
	CASE(a_request_that_waits_tells_the_seconds),
	CASE(a_question_to_a_person_is_waited_for_aloud),
	CASE(log_messages_go_where_they_are_wanted),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
