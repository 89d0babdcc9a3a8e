/* SPDX-License-Identifier: Apache-2.0 */
/* Usage in the providers' own words, into the five classes: each trap has a case with figures that
 * were worked out by hand. */
#include <string.h>

#include "router/meter.h"
#include "router/provider.h"
#include "tests/check.h"

static void check_counts(const struct meter *m, int64_t input, int64_t w5m, int64_t w1h,
                         int64_t read, int64_t output)
{
	CHECK_I64(m->counts.n[TOKEN_UNCACHED_INPUT], input);
	CHECK_I64(m->counts.n[TOKEN_CACHE_WRITE_5M], w5m);
	CHECK_I64(m->counts.n[TOKEN_CACHE_WRITE_1H], w1h);
	CHECK_I64(m->counts.n[TOKEN_CACHE_READ], read);
	CHECK_I64(m->counts.n[TOKEN_OUTPUT], output);
}

static void openai_input_includes_what_was_cached_and_written(void)
{
	struct meter m = meter_make();

	meter_openai(&m,
	             STR("{\"prompt_tokens\":1750,\"completion_tokens\":120,\"total_tokens\":1870,"
	                 "\"prompt_tokens_details\":{\"cached_tokens\":1500,"
	                 "\"cache_write_tokens\":200},\"completion_tokens_details\":"
	                 "{\"reasoning_tokens\":64}}"));
	CHECK(m.reported && !m.malformed);
	check_counts(&m, 50, 200, 0, 1500, 120);
}

static void openai_input_never_goes_below_zero(void)
{
	struct meter m = meter_make();

	meter_openai(&m,
	             STR("{\"prompt_tokens\":100,\"completion_tokens\":1,\"prompt_tokens_details\":"
	                 "{\"cached_tokens\":100,\"cache_write_tokens\":100}}"));
	check_counts(&m, 0, 100, 0, 100, 1);
}

static void openai_details_may_be_null_or_absent(void)
{
	struct meter m = meter_make();

	meter_openai(&m, STR("{\"prompt_tokens\":24,\"completion_tokens\":20,"
	                     "\"prompt_tokens_details\":null}"));
	CHECK(m.reported);
	check_counts(&m, 24, 0, 0, 0, 20);
}

static void figures_that_cannot_be_void_the_report(void)
{
	static const char *const rows[] = {
		"{}",
		"{\"prompt_tokens\":24}",
		"{\"prompt_tokens\":-1,\"completion_tokens\":2}",
		"{\"prompt_tokens\":1.5,\"completion_tokens\":2}",
		"{\"prompt_tokens\":\"24\",\"completion_tokens\":2}",
		"{\"prompt_tokens\":9223372036854775808,\"completion_tokens\":2}",
		"{\"prompt_tokens\":100000001,\"completion_tokens\":2}",
		"{\"prompt_tokens\":1,\"completion_tokens\":2,\"prompt_tokens_details\":{\"cached_tokens\":-5}}",
		"[]",
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct meter m = meter_make();
		meter_openai(&m, str_of(rows[i]));
		if (!CHECK(m.malformed) || !CHECK(!m.reported))
			check_note("row %zu", i);
	}
}

static void anthropic_input_excludes_the_cache(void)
{
	struct meter m = meter_make();

	router_provider_anthropic.answer(
		&m,
		STR("{\"type\":\"message\",\"model\":\"claude-x\",\"content\":[{\"type\":\"text\","
	            "\"text\":\"hi\"}],\"stop_reason\":\"end_turn\",\"usage\":{\"input_tokens\":50,"
	            "\"cache_creation_input_tokens\":200,\"cache_read_input_tokens\":1500,"
	            "\"cache_creation\":{\"ephemeral_5m_input_tokens\":200,"
	            "\"ephemeral_1h_input_tokens\":0},\"output_tokens\":120}}"));
	CHECK(m.reported);
	CHECK_STR(m.model, "claude-x");
	check_counts(&m, 50, 200, 0, 1500, 120);
}

static void anthropic_writes_without_a_split_are_five_minutes(void)
{
	struct meter m = meter_make();

	meter_anthropic(&m,
	                STR("{\"input_tokens\":1,\"output_tokens\":2,"
	                    "\"cache_creation_input_tokens\":300}"),
	                true);
	check_counts(&m, 1, 300, 0, 0, 2);
}

static void running_totals_replace_and_nulls_mean_nothing(void)
{
	struct meter m = meter_make();

	meter_anthropic(&m,
	                STR("{\"input_tokens\":2679,\"cache_creation_input_tokens\":0,"
	                    "\"cache_read_input_tokens\":7,\"output_tokens\":3}"),
	                true);
	meter_anthropic(&m, STR("{\"output_tokens\":200,\"input_tokens\":null}"), false);
	check_counts(&m, 2679, 0, 0, 7, 200);
	meter_anthropic(&m,
	                STR("{\"input_tokens\":10682,\"cache_read_input_tokens\":null,"
	                    "\"output_tokens\":510}"),
	                false);
	check_counts(&m, 10682, 0, 0, 7, 510);
}

static void the_split_of_the_opening_stays_and_growth_is_five_minutes(void)
{
	struct meter m = meter_make();

	meter_anthropic(&m,
	                STR("{\"input_tokens\":5,\"cache_creation_input_tokens\":300,"
	                    "\"cache_creation\":{\"ephemeral_5m_input_tokens\":100,"
	                    "\"ephemeral_1h_input_tokens\":200},\"output_tokens\":1}"),
	                true);
	check_counts(&m, 5, 100, 200, 0, 1);
	meter_anthropic(&m, STR("{\"cache_creation_input_tokens\":350,\"output_tokens\":9}"),
	                false);
	check_counts(&m, 5, 150, 200, 0, 9);
}

static void gemini_thoughts_stand_beside_candidates_and_totals_replace(void)
{
	struct meter m = meter_make();

	meter_gemini(&m, STR("{\"promptTokenCount\":900,\"candidatesTokenCount\":5,"
	                     "\"thoughtsTokenCount\":40,\"totalTokenCount\":945}"));
	meter_gemini(&m, STR("{\"promptTokenCount\":900,\"cachedContentTokenCount\":600,"
	                     "\"candidatesTokenCount\":30,\"thoughtsTokenCount\":70,"
	                     "\"toolUsePromptTokenCount\":11,\"totalTokenCount\":1011}"));
	CHECK(m.reported);
	check_counts(&m, 311, 0, 0, 600, 100);
}

static void gemini_may_leave_candidates_out(void)
{
	struct meter m = meter_make();

	meter_gemini(&m, STR("{\"promptTokenCount\":7,\"totalTokenCount\":7}"));
	check_counts(&m, 7, 0, 0, 0, 0);
}

static void kimi_cached_tokens_are_read_once(void)
{
	struct meter m = meter_make();

	meter_kimi(&m, STR("{\"prompt_tokens\":100,\"completion_tokens\":9,\"cached_tokens\":60,"
	                   "\"prompt_tokens_details\":{\"cached_tokens\":60}}"));
	check_counts(&m, 40, 0, 0, 60, 9);
	struct meter newer = meter_make();
	meter_kimi(&newer, STR("{\"prompt_tokens\":100,\"completion_tokens\":9,"
	                       "\"prompt_tokens_details\":{\"cached_tokens\":25}}"));
	check_counts(&newer, 75, 0, 0, 25, 9);
}

static void responses_writes_are_split_by_their_life(void)
{
	struct meter m = meter_make();

	meter_responses(
		&m, STR("{\"input_tokens\":1000,\"input_tokens_details\":{\"cached_tokens\":300,"
	                "\"cache_write_tokens\":250,\"cache_write_tokens_details\":"
	                "{\"ttl_30m_tokens\":50,\"ttl_12h_tokens\":200}},"
	                "\"output_tokens\":80,\"output_tokens_details\":"
	                "{\"reasoning_tokens\":64},\"total_tokens\":1080}"));
	check_counts(&m, 450, 50, 200, 300, 80);
}

/* ---- Events ---- */

struct fed {
	const struct router_provider *p;
	struct meter m;
	struct buf sent;
	bool wants_usage;
	enum event_fate last;
};

static void on_event(void *data, const struct net_sse_event *e)
{
	struct fed *f = data;
	OWN_BUF struct buf put = buf_make(1 << 16);

	f->last = f->p->event(&f->m, e, f->wants_usage, &put);
	if (f->last == EVENT_PASS)
		buf_add(&f->sent, put.len ? buf_str(&put) : e->raw);
}

static struct fed feed(const struct router_provider *p, bool wants_usage, const char *stream)
{
	struct fed f = {
		.p = p, .m = meter_make(), .sent = buf_make(1 << 16), .wants_usage = wants_usage
	};
	struct net_sse sse;

	net_sse_init(&sse);
	CHECK(net_sse_feed(&sse, str_of(stream), on_event, &f, NULL));
	net_sse_done(&sse);
	return f;
}

#define CHUNK(choices, usage) \
	"data: {\"id\":\"c\",\"model\":\"gpt-5.4\",\"choices\":" choices usage "}\n\n"

static void usage_is_taken_out_for_a_client_that_did_not_ask(void)
{
	struct fed f = feed(
		&router_provider_openai, false,
		CHUNK("[{\"delta\":{\"content\":\"Hello\"}}]", ",\"usage\":null") CHUNK(
			"[]",
			",\"usage\":{\"prompt_tokens\":24,\"completion_tokens\":20}") "data: [DONE]\n\n");

	CHECK_STR(f.sent.p, CHUNK("[{\"delta\":{\"content\":\"Hello\"}}]", ""));
	CHECK(f.last == EVENT_LAST);
	CHECK(f.m.reported);
	check_counts(&f.m, 24, 0, 0, 0, 20);
	CHECK_I64(f.m.delta_bytes, 5);
	CHECK_STR(f.m.model, "gpt-5.4");
	buf_done(&f.sent);
}

static void usage_passes_for_a_client_that_asked(void)
{
	const char *stream = CHUNK("[{\"delta\":{\"content\":\"a \\\" b\"}}]", ",\"usage\":null")
		CHUNK("[]", ",\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}");
	struct fed f = feed(&router_provider_openai, true, stream);

	CHECK_STR(f.sent.p, stream);
	CHECK_I64(f.m.delta_bytes, 5); /* a, space, escaped quote, space, b */
	buf_done(&f.sent);
}

static void usage_first_among_the_members_is_taken_out_too(void)
{
	struct fed f = feed(&router_provider_openai, false,
	                    "data: {\"usage\" : null, \"choices\":[{\"x\":{\"usage\":null}}]}\n\n");

	CHECK_STR(f.sent.p, "data: { \"choices\":[{\"x\":{\"usage\":null}}]}\n\n");
	buf_done(&f.sent);
}

static void text_that_looks_like_usage_is_only_text(void)
{
	const char *stream =
		CHUNK("[{\"delta\":{\"content\":\"\\\"usage\\\":{\\\"prompt_tokens\\\":0}"
	              " data: [DONE]\"}}]",
	              "");
	struct fed f = feed(&router_provider_openai, false, stream);

	CHECK_STR(f.sent.p, stream);
	CHECK(f.last == EVENT_PASS);
	CHECK(!f.m.reported);
	buf_done(&f.sent);
}

static void an_error_chunk_is_an_error(void)
{
	struct fed f = feed(&router_provider_openai, false,
	                    "data: {\"error\":{\"message\":\"overloaded\"}}\n\n");

	CHECK(f.last == EVENT_ERROR);
	buf_done(&f.sent);
}

static void anthropic_events_pass_as_they_came(void)
{
	const char *stream =
		"event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":"
		"\"claude-h\",\"usage\":{\"input_tokens\":50,\"cache_creation_input_tokens\":200,"
		"\"cache_read_input_tokens\":1500,\"cache_creation\":{\"ephemeral_5m_input_tokens\":0,"
		"\"ephemeral_1h_input_tokens\":200},\"output_tokens\":1}}}\n\n"
		"event: ping\ndata: {\"type\": \"ping\"}\n\n"
		"event: something_new\ndata: {\"x\":1}\n\n"
		"event: content_block_delta\ndata: {\"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"}}\n\n"
		"event: message_delta\ndata: {\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":"
		"{\"output_tokens\":120}}\n\n";
	struct fed f = feed(&router_provider_anthropic, false, stream);

	CHECK_STR(f.sent.p, stream);
	CHECK(f.m.reported);
	CHECK_STR(f.m.model, "claude-h");
	check_counts(&f.m, 50, 0, 200, 1500, 120);
	CHECK_I64(f.m.delta_bytes, 2);
	buf_done(&f.sent);
	struct fed stop =
		feed(&router_provider_anthropic, false, "event: message_stop\ndata: {}\n\n");
	CHECK(stop.last == EVENT_LAST);
	buf_done(&stop.sent);
	struct fed fault = feed(&router_provider_anthropic, false, "event: error\ndata: {}\n\n");
	CHECK(fault.last == EVENT_ERROR);
	buf_done(&fault.sent);
}

static void without_the_closing_totals_nothing_is_reported(void)
{
	struct fed f =
		feed(&router_provider_anthropic, false,
	             "event: message_start\ndata: {\"message\":{\"usage\":{\"input_tokens\":50,"
	             "\"output_tokens\":1}}}\n\n"
	             "event: content_block_delta\ndata: {\"delta\":{\"text\":\"123456789\"}}\n\n");

	CHECK(!f.m.reported);
	/* The estimate keeps the provider's input and counts 9 bytes as 3 tokens. */
	struct token_counts c = meter_estimate(&f.m, 999, 999, 999);
	CHECK_I64(c.n[TOKEN_UNCACHED_INPUT], 50);
	CHECK_I64(c.n[TOKEN_OUTPUT], 3);
	buf_done(&f.sent);
}

static void kimi_usage_in_the_choice_and_again_at_the_top_is_one_usage(void)
{
	struct fed f =
		feed(&router_provider_kimi, true,
	             "data: {\"model\":\"kimi-k2.6\",\"choices\":[{\"delta\":{\"content\":\"Hi\"},"
	             "\"usage\":{\"prompt_tokens\":50,\"completion_tokens\":4,"
	             "\"cached_tokens\":10}}]}\n\n"
	             "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":50,"
	             "\"completion_tokens\":4,\"cached_tokens\":10}}\n\ndata: [DONE]\n\n");

	CHECK(f.last == EVENT_LAST);
	check_counts(&f.m, 40, 0, 0, 10, 4);
	CHECK_STR(f.m.model, "kimi-k2.6");
	buf_done(&f.sent);
}

static void a_finish_reason_is_the_end_of_a_gemini_stream(void)
{
	struct fed f =
		feed(&router_provider_google, true,
	             "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hel\"}]}}],"
	             "\"usageMetadata\":{\"promptTokenCount\":8},\"modelVersion\":"
	             "\"gemini-2.5-pro\"}\r\n\r\n");

	CHECK(!f.m.finished);
	CHECK_STR(f.m.model, "gemini-2.5-pro");
	buf_done(&f.sent);
	struct fed end = feed(&router_provider_google, true,
	                      "data: {\"candidates\":[{\"finishReason\":\"STOP\"}]}\r\n\r\n");
	CHECK(end.m.finished);
	buf_done(&end.sent);
	struct fed blocked = feed(&router_provider_google, true,
	                          "data: {\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}\n\n");
	CHECK(blocked.m.finished);
	buf_done(&blocked.sent);
	struct fed fault =
		feed(&router_provider_google, true, "data: {\"error\":{\"code\":503}}\n\n");
	CHECK(fault.last == EVENT_ERROR);
	buf_done(&fault.sent);
}

static void the_end_of_a_response_brings_its_usage(void)
{
	struct fed f = feed(&router_provider_openai_responses, true,
	                    "event: response.output_text.delta\ndata: {\"delta\":\"12345\"}\n\n"
	                    "event: response.completed\ndata: {\"response\":{\"model\":\"gpt-5.4\","
	                    "\"usage\":{\"input_tokens\":24,\"output_tokens\":20}}}\n\n");

	CHECK(f.last == EVENT_LAST);
	check_counts(&f.m, 24, 0, 0, 0, 20);
	CHECK_I64(f.m.delta_bytes, 5);
	buf_done(&f.sent);
}

static void a_refusal_before_any_output_is_not_billed(void)
{
	struct meter m = meter_make();

	router_provider_anthropic.answer(
		&m, STR("{\"content\":[],\"stop_reason\":\"refusal\",\"usage\":"
	                "{\"input_tokens\":9,\"output_tokens\":1}}"));
	CHECK(m.unbilled);
	struct meter late = meter_make();
	router_provider_anthropic.answer(&late,
	                                 STR("{\"content\":[{\"type\":\"text\"}],\"stop_reason\":"
	                                     "\"refusal\",\"usage\":{\"input_tokens\":9,"
	                                     "\"output_tokens\":1}}"));
	CHECK(!late.unbilled);
}

static void the_estimate_stays_within_the_bounds(void)
{
	struct meter m = meter_make();

	m.delta_bytes = 4001;
	struct token_counts c = meter_estimate(&m, 70, 60, 500);
	CHECK_I64(c.n[TOKEN_UNCACHED_INPUT], 60);
	CHECK_I64(c.n[TOKEN_OUTPUT], 500);
	c = meter_estimate(&m, 70, 600, 5000);
	CHECK_I64(c.n[TOKEN_UNCACHED_INPUT], 70);
	CHECK_I64(c.n[TOKEN_OUTPUT], 1001);
}

static void faults_of_our_account_are_told_from_the_callers(void)
{
	static const struct {
		const struct router_provider *p;
		int status;
		enum upstream_fault fault;
		const char *body;
	} rows[] = {
		{ &router_provider_openai, 400, UPSTREAM_CALLER, "{}" },
		{ &router_provider_openai, 401, UPSTREAM_OURS, "{}" },
		{ &router_provider_openai, 404, UPSTREAM_CALLER, "{}" },
		{ &router_provider_openai, 429, UPSTREAM_BUSY,
		  "{\"code\":\"rate_limit_exceeded\"}" },
		{ &router_provider_openai, 429, UPSTREAM_OURS,
		  "{\"type\":\"insufficient_quota\"}" },
		{ &router_provider_openai, 503, UPSTREAM_BROKEN, "{}" },
		{ &router_provider_anthropic, 400, UPSTREAM_CALLER, "prompt is too long" },
		{ &router_provider_anthropic, 400, UPSTREAM_OURS,
		  "Your credit balance is too low" },
		{ &router_provider_anthropic, 402, UPSTREAM_OURS, "{}" },
		{ &router_provider_anthropic, 429, UPSTREAM_BUSY, "{}" },
		{ &router_provider_anthropic, 429, UPSTREAM_OURS, "enforced_spend_limit_reached" },
		{ &router_provider_anthropic, 529, UPSTREAM_BROKEN, "{}" },
		{ &router_provider_google, 400, UPSTREAM_OURS, "reason: API_KEY_INVALID" },
		{ &router_provider_google, 400, UPSTREAM_CALLER, "INVALID_ARGUMENT" },
		{ &router_provider_google, 402, UPSTREAM_OURS, "RESOURCE_EXHAUSTED" },
		{ &router_provider_google, 429, UPSTREAM_BUSY, "RESOURCE_EXHAUSTED" },
		{ &router_provider_kimi, 429, UPSTREAM_OURS, "exceeded_current_quota_error" },
		{ &router_provider_kimi, 429, UPSTREAM_BUSY, "engine_overloaded_error" },
		{ &router_provider_kimi, 404, UPSTREAM_CALLER, "resource_not_found_error" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!CHECK_I64(rows[i].p->fault(rows[i].status, str_of(rows[i].body)),
		               rows[i].fault))
			check_note("row %zu", i);
}

int main(void)
{
	static const struct check_case cases[] = {
		CASE(openai_input_includes_what_was_cached_and_written),
		CASE(openai_input_never_goes_below_zero),
		CASE(openai_details_may_be_null_or_absent),
		CASE(figures_that_cannot_be_void_the_report),
		CASE(anthropic_input_excludes_the_cache),
		CASE(anthropic_writes_without_a_split_are_five_minutes),
		CASE(running_totals_replace_and_nulls_mean_nothing),
		CASE(the_split_of_the_opening_stays_and_growth_is_five_minutes),
		CASE(usage_is_taken_out_for_a_client_that_did_not_ask),
		CASE(usage_passes_for_a_client_that_asked),
		CASE(usage_first_among_the_members_is_taken_out_too),
		CASE(text_that_looks_like_usage_is_only_text),
		CASE(an_error_chunk_is_an_error),
		CASE(anthropic_events_pass_as_they_came),
		CASE(without_the_closing_totals_nothing_is_reported),
		CASE(gemini_thoughts_stand_beside_candidates_and_totals_replace),
		CASE(gemini_may_leave_candidates_out),
		CASE(kimi_cached_tokens_are_read_once),
		CASE(kimi_usage_in_the_choice_and_again_at_the_top_is_one_usage),
		CASE(a_finish_reason_is_the_end_of_a_gemini_stream),
		CASE(responses_writes_are_split_by_their_life),
		CASE(the_end_of_a_response_brings_its_usage),
		CASE(a_refusal_before_any_output_is_not_billed),
		CASE(the_estimate_stays_within_the_bounds),
		CASE(faults_of_our_account_are_told_from_the_callers),
	};

	return check_main(cases, ARRAY_LEN(cases));
}
