/* SPDX-License-Identifier: Apache-2.0 */
/* What a request body tells, how it is spliced for the upstream, and the worst case in money. The
 * bounds are computed by hand from bytes and list prices. */
#include <string.h>

#include "router/ask.h"
#include "router/provider.h"
#include "tests/check.h"

static struct store_model model(int64_t context, int64_t output)
{
	return (struct store_model){
		.id = STR("m"),
		.upstream_id = STR("m-2026"),
		.context_tokens = context,
		.max_output_tokens = output,
		/* input 2.5, writes 3.125 and 5, read 0.25, output 15 USD per million */
		.prices = { { 2500000, 3125000, 5000000, 250000, 15000000 } },
		.long_prices = { { 5000000, 6250000, 10000000, 500000, 22500000 } },
		.long_above = 0,
	};
}

static struct store_offer offer_of(const struct store_model *m)
{
	return (struct store_offer){ .model = m,
		                     .prices = m->prices,
		                     .long_prices = m->long_prices };
}

static struct ask read_ask(const char *body)
{
	struct ask ask = { 0 };
	struct err err = { 0 };

	if (!CHECK(ask_read(str_of(body), DIALECT_OPENAI, &ask, &err)))
		check_note("%s", err.text);
	return ask;
}

static void members_are_found_wherever_they_stand(void)
{
	struct ask ask =
		read_ask(" { \"stream\" : true , \"messages\":[{\"role\":\"user\","
	                 "\"content\":\"hi\"}],\"n\":2,\"max_tokens\":64, \"model\":\"m\" } ");

	CHECK(ask.stream);
	CHECK_I64(ask.choices, 2);
	CHECK_I64(ask.output_limit, 64);
	CHECK_TEXT(ask.member[ASK_MODEL].value, "\"m\"");
	CHECK(!ask_has(&ask, ASK_STORE));
}

static void max_completion_tokens_wins_over_max_tokens(void)
{
	struct ask ask = read_ask("{\"model\":\"m\",\"messages\":[],\"max_completion_tokens\":9,"
	                          "\"max_tokens\":64}");

	CHECK_I64(ask.output_limit, 9);
}

static void a_faulty_body_is_refused_with_its_reason(void)
{
	static const struct {
		const char *body, *says;
	} rows[] = {
		{ "", "valid JSON" },
		{ "{\"model\":\"m\",\"messages\":[]", "valid JSON" },
		{ "{\"model\":\"m\",\"model\":\"m\",\"messages\":[]}", "valid JSON" },
		{ "{\"model\":\"m\",\"messages\":[],\"a\":{\"b\":1,\"\\u0062\":2}}", "valid JSON" },
		{ "[]", "object" },
		{ "\"model\"", "object" },
		{ "{\"messages\":[]}", "'model'" },
		{ "{\"model\":null,\"messages\":[]}", "'model'" },
		{ "{\"model\":7,\"messages\":[]}", "'model'" },
		{ "{\"model\":\"m\"}", "'messages'" },
		{ "{\"model\":\"m\",\"messages\":{}}", "'messages'" },
		{ "{\"model\":\"m\",\"messages\":[],\"stream\":1}", "'stream'" },
		{ "{\"model\":\"m\",\"messages\":[],\"n\":0}", "'n'" },
		{ "{\"model\":\"m\",\"messages\":[],\"n\":129}", "'n'" },
		{ "{\"model\":\"m\",\"messages\":[],\"max_tokens\":-1}", "'max_tokens'" },
		{ "{\"model\":\"m\",\"messages\":[],\"max_tokens\":1.5}", "'max_tokens'" },
		{ "{\"model\":\"m\",\"messages\":[],\"max_tokens\":99999999999}", "'max_tokens'" },
		{ "{\"model\":\"m\",\"messages\":[],\"max_completion_tokens\":0}", "completion" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ask ask;
		struct err err = { 0 };
		bool refused = !ask_read(str_of(rows[i].body), DIALECT_OPENAI, &ask, &err);
		if (!CHECK(refused) || !CHECK(err.code == ERR_INVALID_ARGUMENT) ||
		    !CHECK(strstr(err.text, rows[i].says) != NULL))
			check_note("row %zu: %s -> %s", i, rows[i].body, err.text);
	}
}

static void marks_deep_inside_are_facts_of_the_body(void)
{
	struct ask ask = read_ask(
		"{\"model\":\"m\",\"max_tokens\":5,\"system\":[{\"type\":\"text\",\"text\":\"x\","
		"\"cache_control\":{\"type\":\"ephemeral\",\"ttl\":\"1h\"}}],\"messages\":[{\"role\":"
		"\"user\",\"content\":[{\"type\":\"image\",\"source\":{}},{\"type\":\"image_url\"},"
		"{\"type\":\"text\",\"text\":\"t\"}]}],\"tools\":[{\"type\":\"custom\",\"name\":\"a\"}]}");

	CHECK(ask.writes_cache);
	CHECK(ask.writes_cache_1h);
	CHECK_I64(ask.images, 2);
	CHECK(ask.tools);
	CHECK(!ask.unbounded);
	CHECK(!ask.server_tool.p);
}

static void documents_and_server_tools_are_seen(void)
{
	struct ask ask = read_ask("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":["
	                          "{\"type\":\"document\"}]}],\"tools\":[{\"type\":"
	                          "\"web_search_20260318\",\"name\":\"web_search\"}]}");

	CHECK(ask.unbounded);
	CHECK_TEXT(ask.server_tool, "\"web_search_20260318\"");
}

/* ---- The upstream's body ---- */

static void body_of(const struct router_provider *p, const char *body, struct buf *out)
{
	struct ask ask = read_ask(body);
	struct provider_buyer buyer = { STR("\"acct_x\"") };

	p->body(&ask, STR("\"m-2026\""), &buyer, out);
}

static void openai_forces_what_decides_the_price(void)
{
	OWN_BUF struct buf out = buf_make(4096);

	body_of(&router_provider_openai,
	        "{ \"model\" : \"m\", \"messages\":[ ], \"max_tokens\":7,\"stream\":true,"
	        "\"store\":true,\"metadata\":{\"a\":\"b\"},\"user\":\"bob\","
	        "\"prompt_cache_key\":\"k\",\"x_unknown\":1.50}",
	        &out);
	CHECK_STR(out.p,
	          "{\"service_tier\":\"default\",\"stream_options\":{\"include_usage\":true,"
	          "\"include_obfuscation\":false}, \"model\" : \"m-2026\", \"messages\":[ ], "
	          "\"max_completion_tokens\":7,\"stream\":true,\"store\":false,\"metadata\":null,"
	          "\"user\":\"acct_x\",\"prompt_cache_key\":\"acct_x:k\",\"x_unknown\":1.50}");
}

static void openai_keeps_all_else_byte_for_byte(void)
{
	OWN_BUF struct buf out = buf_make(4096);

	body_of(&router_provider_openai,
	        "{\"model\":\"m\",\n \"messages\" : [{\"content\":\"\\u00e9 \\/ 1e3\"}] ,\"top_p\":1.0}",
	        &out);
	CHECK_STR(out.p, "{\"service_tier\":\"default\",\"model\":\"m-2026\",\n \"messages\" : "
	                 "[{\"content\":\"\\u00e9 \\/ 1e3\"}] ,\"top_p\":1.0}");
}

static void anthropic_forces_the_tier_and_hides_the_user(void)
{
	OWN_BUF struct buf out = buf_make(4096);

	body_of(&router_provider_anthropic,
	        "{\"model\":\"m\",\"max_tokens\":7,\"messages\":[],\"service_tier\":\"auto\","
	        "\"metadata\":{\"user_id\":\"bob\"},\"thinking\":{\"type\":\"adaptive\"}}",
	        &out);
	CHECK_STR(out.p, "{\"model\":\"m-2026\",\"max_tokens\":7,\"messages\":[],"
	                 "\"service_tier\":\"standard_only\",\"metadata\":{\"user_id\":\"acct_x\"},"
	                 "\"thinking\":{\"type\":\"adaptive\"}}");
}

static void what_has_no_price_is_refused_by_name(void)
{
	static const struct {
		const struct router_provider *p;
		const char *body, *says;
	} rows[] = {
		{ &router_provider_openai, "\"web_search_options\":{}", "web_search_options" },
		{ &router_provider_openai, "\"prediction\":{\"type\":\"content\"}", "prediction" },
		{ &router_provider_openai, "\"audio\":{}", "audio" },
		{ &router_provider_openai, "\"modalities\":[\"text\",\"audio\"]", "modalities" },
		{ &router_provider_anthropic, "\"max_tokens\":1,\"speed\":\"fast\"", "speed" },
		{ &router_provider_anthropic, "\"max_tokens\":1,\"inference_geo\":\"us\"",
		  "inference_geo" },
		{ &router_provider_anthropic, "\"max_tokens\":1,\"container\":\"c\"", "container" },
		{ &router_provider_anthropic, "\"max_tokens\":1,\"mcp_servers\":[]",
		  "mcp_servers" },
		{ &router_provider_anthropic,
		  "\"max_tokens\":1,\"tools\":[{\"type\":\"code_execution_20260120\"}]",
		  "code_execution" },
		{ &router_provider_anthropic, "\"top_k\":1", "max_tokens" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		OWN_BUF struct buf body = buf_make(4096);
		struct err err = { 0 };
		buf_addf(&body, "{\"model\":\"m\",\"messages\":[],%s}", rows[i].body);
		struct ask ask = read_ask(body.p);
		if (!CHECK(!rows[i].p->check(&ask, &err)) ||
		    !CHECK(strstr(err.text, rows[i].says) != NULL))
			check_note("row %zu: %s -> %s", i, body.p, err.text);
	}
}

static void plain_requests_pass_the_checks(void)
{
	struct ask chat = read_ask("{\"model\":\"m\",\"messages\":[],\"modalities\":[\"text\"],"
	                           "\"audio\":null}");
	struct ask message = read_ask("{\"model\":\"m\",\"messages\":[],\"max_tokens\":0,\"speed\":"
	                              "\"standard\",\"tools\":[{\"type\":\"bash_20250124\"}]}");

	CHECK(router_provider_openai.check(&chat, NULL));
	CHECK(router_provider_anthropic.check(&message, NULL));
}

static void a_lowered_limit_is_sent_in_the_members_own_name(void)
{
	static const struct {
		const struct router_provider *p;
		const char *body, *sent;
	} rows[] = {
		{ &router_provider_openai, "{\"model\":\"m\",\"messages\":[]}",
		  "{\"service_tier\":\"default\",\"max_completion_tokens\":7,\"model\":\"m-2026\","
		  "\"messages\":[]}" },
		{ &router_provider_openai, "{\"model\":\"m\",\"messages\":[],\"max_tokens\":900}",
		  "{\"service_tier\":\"default\",\"model\":\"m-2026\",\"messages\":[],"
		  "\"max_completion_tokens\":7}" },
		{ &router_provider_anthropic,
		  "{\"model\":\"m\",\"max_tokens\":900,\"messages\":[]}",
		  "{\"service_tier\":\"standard_only\",\"model\":\"m-2026\",\"max_tokens\":7,"
		  "\"messages\":[]}" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		OWN_BUF struct buf out = buf_make(4096);
		struct provider_buyer buyer = { STR("\"acct_x\"") };
		struct ask ask = read_ask(rows[i].body);
		ask.output_limit = 7;
		ask.lowered = true;
		rows[i].p->body(&ask, STR("\"m-2026\""), &buyer, &out);
		CHECK_STR(out.p, rows[i].sent);
	}
}

static void responses_keep_nothing_and_run_no_tools_at_the_provider(void)
{
	OWN_BUF struct buf out = buf_make(4096);
	struct ask ask;
	struct provider_buyer buyer = { STR("\"acct_x\"") };
	const char *body = "{\"model\":\"m\",\"input\":[{\"type\":\"web_search_call\"}],\"tools\":"
			   "[{\"type\":\"function\",\"name\":\"a\"},{\"type\":\"web_search\"},"
			   "{\"type\":\"custom\",\"name\":\"b\"}],\"max_output_tokens\":64}";

	CHECK(ask_read(str_of(body), DIALECT_RESPONSES, &ask, NULL));
	CHECK_I64(ask.output_limit, 64);
	CHECK(router_provider_openai_responses.check(&ask, NULL));
	router_provider_openai_responses.body(&ask, STR("\"m-2026\""), &buyer, &out);
	CHECK_STR(out.p,
	          "{\"service_tier\":\"default\",\"store\":false,\"model\":\"m-2026\",\"input\":"
	          "[{\"type\":\"web_search_call\"}],\"tools\":[{\"type\":\"function\",\"name\":"
	          "\"a\"},{\"type\":\"custom\",\"name\":\"b\"}],\"max_output_tokens\":64}");
}

static void responses_that_need_state_are_refused(void)
{
	static const char *const members[] = { "\"previous_response_id\":\"resp_1\"",
		                               "\"conversation\":\"c\"",
		                               "\"prompt\":{\"id\":\"p\"}", "\"background\":true",
		                               "\"store\":true" };

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		OWN_BUF struct buf body = buf_make(4096);
		struct ask ask;
		struct err err = { 0 };
		buf_addf(&body, "{\"model\":\"m\",\"input\":\"hi\",%s}", members[i]);
		CHECK(ask_read(buf_str(&body), DIALECT_RESPONSES, &ask, NULL));
		if (!CHECK(!router_provider_openai_responses.check(&ask, &err)) ||
		    !CHECK(err.code == ERR_UNSUPPORTED))
			check_note("row %zu", i);
	}
}

/* ---- The worst case ---- */

static int64_t bound_of(const char *body, const struct store_model *m, struct bound *b)
{
	struct ask ask = read_ask(body);
	struct err err = { 0 };

	struct store_offer offer = offer_of(m);
	if (!CHECK(ask_bound(&ask, &offer, b, &err)))
		check_note("%s", err.text);
	return money_micros(b->amount);
}

static void bytes_bound_the_input_and_the_limit_the_output(void)
{
	struct store_model m = model(400000, 128000);
	struct bound b;
	const char *body = "{\"model\":\"m\",\"messages\":[],\"max_completion_tokens\":100}";

	/* 55 bytes + 1024 = 1079 tokens x 2.5 = 2697.5; 100 x 15 = 1500; rounded up once. */
	CHECK_I64(strlen(body), 55);
	CHECK_I64(bound_of(body, &m, &b), 4198);
	CHECK_I64(b.input_tokens, 1079);
	CHECK_I64(b.output_tokens, 100);
}

static void without_a_limit_the_model_bounds_the_output(void)
{
	struct store_model m = model(400000, 128000);
	struct bound b;

	(void)bound_of("{\"model\":\"m\",\"messages\":[],\"n\":3}", &m, &b);
	CHECK_I64(b.output_tokens, 384000);
	(void)bound_of("{\"model\":\"m\",\"messages\":[],\"max_tokens\":999999}", &m, &b);
	CHECK_I64(b.output_tokens, 128000);
	(void)bound_of("{\"model\":\"m\",\"messages\":[],\"max_tokens\":0}", &m, &b);
	CHECK_I64(b.output_tokens, 0);
}

static void cache_marks_make_the_input_dearer(void)
{
	struct store_model m = model(1000, 1000);
	struct bound b;

	/* The context of 1000 tokens bounds the input in all three. */
	CHECK_I64(bound_of("{\"model\":\"m\",\"messages\":[],\"max_tokens\":0}", &m, &b), 2500);
	CHECK_I64(
		bound_of("{\"model\":\"m\",\"messages\":[],\"max_tokens\":0,\"cache_control\":{}}",
	                 &m, &b),
		3125);
	CHECK_I64(
		bound_of("{\"model\":\"m\",\"messages\":[{\"content\":[{\"cache_control\":{\"ttl\":"
	                 "\"1h\"}}]}],\"max_tokens\":0}",
	                 &m, &b),
		5000);
}

static void images_and_documents_have_bounds_of_their_own(void)
{
	struct store_model m = model(400000, 1000);
	struct bound b;

	(void)bound_of("{\"model\":\"m\",\"messages\":[{\"content\":[{\"type\":\"image\"}]}]}", &m,
	               &b);
	CHECK_I64(b.input_tokens, 57 + 1024 + 32768);
	(void)bound_of("{\"model\":\"m\",\"messages\":[{\"content\":[{\"type\":\"document\"}]}]}",
	               &m, &b);
	CHECK_I64(b.input_tokens, 400000);
}

static void a_long_prompt_is_bounded_at_the_long_price(void)
{
	struct store_model m = model(400000, 1000);
	struct bound b;

	m.long_above = 1000;
	/* 43 + 1024 tokens are more than 1000: 5 and 22.5 USD. */
	int64_t amount = bound_of("{\"model\":\"m\",\"messages\":[],\"max_tokens\":10}", &m, &b);
	CHECK_I64(b.input_tokens, 43 + 1024);
	CHECK_I64(amount, 1067 * 5 + 225);
}

static void what_is_affordable_is_the_largest_output_that_fits(void)
{
	struct store_model m = model(400000, 128000);
	struct bound b;
	const char *body = "{\"model\":\"m\",\"messages\":[],\"max_completion_tokens\":100}";
	struct ask ask = read_ask(body);

	struct store_offer offer = offer_of(&m);
	(void)bound_of(body, &m, &b);
	CHECK_I64(ask_affordable(&ask, &offer, &b, money_of_micros(4198)), 100);
	CHECK_I64(ask_affordable(&ask, &offer, &b, money_of_micros(4197)), 99);
	CHECK_I64(ask_affordable(&ask, &offer, &b, money_of_micros(2713)), 1);
	CHECK_I64(ask_affordable(&ask, &offer, &b, money_of_micros(2712)), 0);
	CHECK_I64(ask_affordable(&ask, &offer, &b, money_of_micros(0)), 0);
}

static void thinking_that_goes_back_to_nobody_natively_is_seen(void)
{
	static const struct {
		enum dialect dialect;
		bool sealed;
		const char *body;
	} rows[] = {
		{ DIALECT_ANTHROPIC, true,
		  "{\"model\":\"m\",\"messages\":[{\"content\":[{\"signature\":\"google.call:Ci\"}]}]}" },
		{ DIALECT_ANTHROPIC, true,
		  "{\"model\":\"m\",\"messages\":[{\"content\":[{\"signature\":\"\"}]}]}" },
		{ DIALECT_ANTHROPIC, false,
		  "{\"model\":\"m\",\"messages\":[{\"content\":[{\"signature\":\"EqQB\"}]}]}" },
		/* a tool's own argument */
		{ DIALECT_ANTHROPIC, false,
		  "{\"model\":\"m\",\"messages\":[{\"content\":[{\"input\":{\"signature\":\"\"}}]}]}" },
		{ DIALECT_RESPONSES, true,
		  "{\"model\":\"m\",\"input\":[{\"encrypted_content\":\"anthropic:EqQB\"}]}" },
		{ DIALECT_RESPONSES, true,
		  "{\"model\":\"m\",\"input\":[{\"encrypted_content\":null}]}" },
		{ DIALECT_RESPONSES, false,
		  "{\"model\":\"m\",\"input\":[{\"encrypted_content\":\"gAAA\"}]}" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ask ask = { 0 };
		struct err err = { 0 };
		CHECK(ask_read(str_of(rows[i].body), rows[i].dialect, &ask, &err));
		if (!CHECK(ask.sealed == rows[i].sealed))
			check_note("%s", rows[i].body);
	}
}

static void the_estimate_is_a_quarter_of_the_bytes(void)
{
	struct ask ask = read_ask("{\"model\":\"m\",\"messages\":[]}");

	CHECK_I64(ask.text.len, 27);
	CHECK_I64(ask_estimate(&ask), 7);
}

int main(void)
{
	static const struct check_case cases[] = {
		CASE(members_are_found_wherever_they_stand),
		CASE(max_completion_tokens_wins_over_max_tokens),
		CASE(a_faulty_body_is_refused_with_its_reason),
		CASE(marks_deep_inside_are_facts_of_the_body),
		CASE(documents_and_server_tools_are_seen),
		CASE(openai_forces_what_decides_the_price),
		CASE(openai_keeps_all_else_byte_for_byte),
		CASE(anthropic_forces_the_tier_and_hides_the_user),
		CASE(what_has_no_price_is_refused_by_name),
		CASE(plain_requests_pass_the_checks),
		CASE(a_lowered_limit_is_sent_in_the_members_own_name),
		CASE(responses_keep_nothing_and_run_no_tools_at_the_provider),
		CASE(responses_that_need_state_are_refused),
		CASE(bytes_bound_the_input_and_the_limit_the_output),
		CASE(without_a_limit_the_model_bounds_the_output),
		CASE(cache_marks_make_the_input_dearer),
		CASE(images_and_documents_have_bounds_of_their_own),
		CASE(a_long_prompt_is_bounded_at_the_long_price),
		CASE(what_is_affordable_is_the_largest_output_that_fits),
		CASE(thinking_that_goes_back_to_nobody_natively_is_seen),
		CASE(the_estimate_is_a_quarter_of_the_bytes),
	};

	return check_main(cases, ARRAY_LEN(cases));
}
