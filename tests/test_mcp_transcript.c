/* SPDX-License-Identifier: Apache-2.0 */
/* Transcripts: reading the file, saving and inserting values, and whole runs on a store in memory
 * with a listener that answers what the case wants to see read. */
#include <stdlib.h>
#include <unistd.h>

#include "mcp/transcript.h"
#include "mcp/transcript_value.h"
#include "tests/check.h"
#include "tests/mcp_world.h"

/* ---- Values ---- */

static struct json *json_of(const char *text)
{
	struct err err = { 0 };
	struct json *node = json_parse(str_of(text), &err);

	if (node == NULL)
		CHECK_FAIL("%s: %s", text, err.text);
	return node;
}

static void set(struct mcp__values *values, const char *name, const char *json)
{
	OWN_JSON struct json *node = json_of(json);
	struct err err = { 0 };

	CHECK(mcp__values_set(values, str_of(name), node, &err));
}

static void values_are_inserted_with_their_type_or_as_text(void)
{
	static const struct {
		const char *in, *out;
	} ROWS[] = {
		{ "\"${text}\"", "\"a \\\"b\\\"\"" },
		{ "\"<${text}>\"", "\"<a \\\"b\\\">\"" },
		{ "\"${number}\"", "25" },
		{ "\"n=${number},${number}\"", "\"n=25,25\"" },
		{ "\"${list}\"", "[1,\"x\"]" },
		{ "\"${nothing}\"", "null" },
		{ "{\"a\":[\"${number}\",{\"b\":\"${text}\"}],\"c\":1.5}",
		  "{\"a\":[25,{\"b\":\"a \\\"b\\\"\"}],\"c\":1.5}" },
		{ "\"$ {text} $\"", "\"$ {text} $\"" },
		{ "{\"${number}\":true}", "{\"${number}\":true}" }, /* keys are left alone */
	};
	struct mcp__values values = { 0 };

	set(&values, "text", "\"a \\\"b\\\"\"");
	set(&values, "number", "25");
	set(&values, "list", "[1,\"x\"]");
	set(&values, "nothing", "null");
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		OWN_JSON struct json *in = json_of(ROWS[i].in);
		OWN_JSON_OUT struct json_out out = json_out_make(1024);
		struct err err = { 0 };
		check_note("%s", ROWS[i].in);
		CHECK(mcp__values_put(&values, &out, NULL, in, &err));
		CHECK_STR(out.text.p, ROWS[i].out);
	}
	mcp__values_done(&values);
}

static void a_name_that_was_not_saved_is_refused(void)
{
	static const struct {
		const char *in;
		enum err_code code;
		const char *text;
	} ROWS[] = {
		{ "${x}", ERR_NOT_FOUND, "no value 'x' was saved" },
		{ "a ${x} b", ERR_NOT_FOUND, "no value 'x' was saved" },
		{ "a ${x", ERR_INVALID_ARGUMENT, "'${x' has no end" },
	};
	struct mcp__values values = { 0 };

	set(&values, "y", "1");
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		OWN_BUF struct buf out = buf_make(1024);
		struct err err = { 0 };
		CHECK(!mcp__values_fill(&values, str_of(ROWS[i].in), &out, &err));
		CHECK_I64(err.code, ROWS[i].code);
		CHECK_STR(err.text, ROWS[i].text);
	}
	mcp__values_done(&values);
}

static void the_last_value_of_a_name_counts(void)
{
	struct mcp__values values = { 0 };
	OWN_BUF struct buf out = buf_make(64);
	struct err err = { 0 };

	set(&values, "id", "\"first\"");
	set(&values, "other", "\"o\"");
	set(&values, "id", "\"second\"");
	CHECK(mcp__values_set_text(&values, STR("raw"), STR("r"), &err));
	CHECK(mcp__values_fill(&values, STR("${id} ${other} ${raw}"), &out, &err));
	CHECK_STR(out.p, "second o r");
	mcp__values_done(&values);
}

static void paths_lead_into_answers(void)
{
	static const char ANSWER[] =
		"{\"a\":{\"b\":[[1,2],{\"c-d\":\"x\"}]},\"n\":null,\"s\":\"t\"}";
	static const struct {
		const char *path, *found; /* NULL: nothing is there */
	} ROWS[] = {
		{ "s", "\"t\"" },     { "n", "null" },       { "a.b[1].c-d", "\"x\"" },
		{ "a.b[0][1]", "2" }, { "a.b[0]", "[1,2]" }, { "a.b[2]", NULL },
		{ "a.b[-1]", NULL },  { "a.b[x]", NULL },    { "a.b[0", NULL },
		{ "a.b[0]x", NULL },  { "b", NULL },         { "a.c", NULL },
		{ "s.t", NULL },      { "s[0]", NULL },      { "a.b.c", NULL },
		{ "A", NULL },
	};
	OWN_JSON struct json *root = json_of(ANSWER);

	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		OWN_JSON_OUT struct json_out out = json_out_make(256);
		struct err err = { 0 };
		check_note("%s", ROWS[i].path);
		const struct json *node = mcp__value_at(root, str_of(ROWS[i].path), &err);
		CHECK((node != NULL) == (ROWS[i].found != NULL));
		CHECK((err.code == ERR_NOT_FOUND) == (ROWS[i].found == NULL));
		if (node == NULL)
			continue;
		json_put_tree(&out, NULL, node);
		CHECK_STR(out.text.p, ROWS[i].found);
	}
}

/* ---- Files ---- */

static void a_faulty_file_is_refused_with_its_reason(void)
{
	static const struct {
		const char *file, *text;
	} ROWS[] = {
		{ "[]", "must be an object" },
		{ "{}", "'name' is missing" },
		{ "{\"name\":\"x\"}", "'steps' is missing" },
		{ "{\"name\":1,\"steps\":[]}", "'name' has the wrong type" },
		{ "{\"name\":\"\",\"steps\":[]}", "'name' must have 1 to 64 bytes" },
		{ "{\"name\":\"x\",\"steps\":{}}", "'steps' has the wrong type" },
		{ "{\"name\":\"x\",\"steps\":[]}", "'steps' is empty" },
		{ "{\"name\":\"x\",\"step\":[],\"steps\":[]}",
		  "unknown key 'step'; allowed: name, account, steps" },
		{ "{\"name\":\"x\",\"account\":{\"fund\":1},\"steps\":[{\"tool\":\"t\"}]}",
		  "account: unknown key 'fund'; allowed: fundUsd" },
		{ "{\"name\":\"x\",\"account\":{\"fundUsd\":1.005},\"steps\":[{\"tool\":\"t\"}]}",
		  "'account.fundUsd' must be an amount with at most two decimals" },
		{ "{\"name\":\"x\",\"account\":{\"fundUsd\":-1},\"steps\":[{\"tool\":\"t\"}]}",
		  "'account.fundUsd' must be an amount with at most two decimals" },
		{ "{\"name\":\"x\",\"steps\":[1]}", "step 1: must be an object" },
		{ "{\"name\":\"x\",\"steps\":[{\"tool\":\"t\"},{}]}",
		  "step 2: needs either 'tool' or 'http'" },
		{ "{\"name\":\"x\",\"steps\":[{\"tool\":\"t\",\"expected\":{}}]}",
		  "step 1: unknown key 'expected'; allowed: tool, input, as, http, expect, save" },
		{ "{\"name\":\"x\",\"steps\":[{\"tool\":\"t\",\"http\":{}}]}",
		  "step 1: needs either 'tool' or 'http'" },
		{ "{\"name\":\"x\",\"steps\":[{\"tool\":\"t\",\"input\":[]}]}",
		  "step 1: 'input' has the wrong type" },
		{ "{\"name\":\"x\",\"steps\":[{\"tool\":\"t\",\"save\":{\"a\":1}}]}",
		  "step 1: 'save.a' must be a string" },
		{ "{\"name\":\"x\",\"steps\":[{\"http\":{\"method\":\"GET\"}}]}",
		  "step 1: http: 'path' is missing" },
		{ "{\"name\":\"x\",\"steps\":[{\"http\":{\"method\":\"GET\",\"path\":\"x\"}}]}",
		  "step 1: 'http.path' must start with '/'" },
		{ "{\"name\":\"x\",\"steps\":[{\"http\":{\"method\":\"GET\",\"path\":\"/x\","
		  "\"headers\":{\"a\":1}}}]}",
		  "step 1: 'headers.a' must be a string" },
		{ "{\"name\":\"x\",\"steps\":[{\"http\":{\"method\":\"GET\",\"path\":\"/x\"},"
		  "\"as\":\"none\"}]}",
		  "step 1: 'input' and 'as' go with 'tool'" },
	};

	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		struct mcp__script script = { 0 };
		struct err err = { 0 };
		check_note("%s", ROWS[i].file);
		CHECK(!mcp__script_parse(str_of(ROWS[i].file), &script, &err));
		CHECK_I64(err.code, ERR_INVALID_ARGUMENT);
		CHECK_STR(err.text, ROWS[i].text);
		CHECK(script.root == NULL);
	}
}

static void the_shipped_transcripts_are_well_formed(void)
{
	static const char *const FILES[] = { "llm-router", "too-little-money", "repeated-purchase",
		                             "rotated-key" };
	char path[512];

	for (size_t i = 0; i < ARRAY_LEN(FILES); i++) {
		struct mcp__script script = { 0 };
		struct err err = { 0 };
		CHECK(snprintf(path, sizeof(path), FIXTURES "/transcripts/%s.json", FILES[i]) > 0);
		if (!mcp__script_read(path, &script, &err))
			CHECK_FAIL("%s: %s", path, err.text);
		CHECK(json_count(script.steps) >= 8);
		mcp__script_done(&script);
	}
}

static void without_an_account_a_hundred_dollars_are_there(void)
{
	struct mcp__script script = { 0 };
	struct err err = { 0 };

	CHECK(mcp__script_parse(STR("{\"name\":\"x\",\"steps\":[{\"tool\":\"t\"}]}"), &script,
	                        &err));
	CHECK_I64(money_micros(script.fund), 100000000);
	mcp__script_done(&script);
	CHECK(mcp__script_parse(STR("{\"name\":\"x\",\"account\":{\"fundUsd\":0.25},"
	                            "\"steps\":[{\"tool\":\"t\"}]}"),
	                        &script, &err));
	CHECK_I64(money_micros(script.fund), 250000);
	mcp__script_done(&script);
}

/* ---- A shop with a listener ---- */

struct stand {
	struct world world;
	struct till till;
	struct net_server *server;
	char base_url[128];
	char path[WORLD_PATH];
};

/* Answers by path: JSON that tells what came, events, text, an error, a cut-off. */
static void serve_body(void *data, struct net_request *rq)
{
	const struct net_header json = { STR("Content-Type"), STR("application/json") };
	const struct net_header sse = { STR("Content-Type"), STR("text/event-stream") };
	struct str path = net_request_path(rq);

	(void)data;
	if (str_eq(path, STR("/echo"))) {
		OWN_JSON_OUT struct json_out out = json_out_make(1 << 16);
		json_put_object(&out, NULL);
		json_put_str(&out, "method", net_request_method(rq));
		json_put_str(&out, "key", net_request_header(rq, "Authorization"));
		json_put_str(&out, "type", net_request_header(rq, "Content-Type"));
		json_put_str(&out, "sent", net_request_body(rq));
		json_put_end(&out, '}');
		net_reply(rq, 200, &json, 1, buf_str(&out.text));
	} else if (str_eq(path, STR("/events"))) {
		net_reply(rq, 200, &sse, 1,
		          STR("data: {\"n\":1}\n\nevent: x\ndata: {\"n\":2}\n\n: ping\n\n"
		              "data: [DONE]\n\n"));
	} else if (str_eq(path, STR("/cut"))) {
		net_reply_start(rq, 200, &json, 1);
		net_reply_write(rq, STR("{"));
		net_reply_abort(rq);
	} else {
		net_reply(rq, 404, NULL, 0, STR("not here"));
	}
}

static void serve_head(void *data, struct net_request *rq)
{
	(void)data;
	(void)rq;
}

static bool stand_open(struct stand *s, bool listener)
{
	static const struct net_handler HANDLER = {
		.head = serve_head, .body = serve_body, .gone = serve_head, .drained = serve_head
	};
	const struct net_server_options options = { .listen = "127.0.0.1:0" };
	struct err err = { 0 };

	*s = (struct stand){ 0 };
	if (!world_open(&s->world))
		return false;
	s->till = (struct till){ .world = &s->world, .db = ":memory:" };
	if (listener) {
		s->server = net_server_new(s->world.loop, &options, &HANDLER, s, &err);
		if (!CHECK(s->server != NULL))
			return false;
		CHECK(snprintf(s->base_url, sizeof(s->base_url), "http://%s/openai/v1",
		               net_server_address(s->server)) > 0);
		s->till.base_url = s->base_url;
	}
	CHECK(snprintf(s->path, sizeof(s->path), "%s/t.json", s->world.folder) > 0);
	return true;
}

static void stand_close(struct stand *s)
{
	net_server_free(s->server);
	world_close(&s->world);
}

struct outcome {
	int code;
	struct caught out, complaint;
};

/* Runs one file of these steps. */
static void run(struct stand *s, const char *steps, struct outcome *o)
{
	const struct mcp_owner owner = till_owner(&s->till);
	char program[] = "agent-store", word[] = "transcript";
	char *argv[] = { program, word, s->path, NULL };
	FILE *f = fopen(s->path, "we");

	if (!CHECK(f != NULL))
		return;
	CHECK(fprintf(f, "{\"name\":\"a case\",\"steps\":[%s]}", steps) > 0);
	CHECK(fclose(f) == 0);
	catch_begin(&o->out, 1);
	catch_begin(&o->complaint, 2);
	o->code = mcp_transcript_main(s->world.loop, &owner, 3, argv);
	catch_end(&o->complaint);
	catch_end(&o->out);
}

static void succeeds(struct stand *s, const char *steps, const char *last_line)
{
	struct outcome o = { 0 };

	check_note("%s", steps);
	run(s, steps, &o);
	CHECK_I64(o.code, 0);
	CHECK_STR(o.complaint.text, "");
	if (!str_ends(str_of(o.out.text), str_of(last_line)))
		CHECK_STR(o.out.text, last_line);
}

/* `why` follows "agent-store: <path>: ". */
static void fails(struct stand *s, const char *steps, const char *why)
{
	struct outcome o = { 0 };
	OWN_BUF struct buf want = buf_make(1024);

	check_note("%s", steps);
	run(s, steps, &o);
	CHECK_I64(o.code, 1);
	buf_addf(&want, "agent-store: %s: %s\n", s->path, why);
	CHECK_STR(o.complaint.text, want.p);
}

static void a_purchase_is_played_and_checked(void)
{
	struct stand s;

	if (!stand_open(&s, false))
		return;
	succeeds(
		&s,
		"{\"tool\":\"quote_create\",\"input\":{\"catalogItemId\":\"cat_router_credit_001\","
		"\"configuration\":{\"creditAmountUsd\":25}},\"save\":{\"q\":\"quote.id\","
		"\"cents\":\"quote.totalPriceMinor\"}},"
		"{\"tool\":\"purchase_create\",\"input\":{\"quoteId\":\"${q}\","
		"\"idempotencyKey\":\"k-${cents}\"},"
		"\"expect\":{\"purchase\":{\"totalPriceMinor\":\"${cents}\",\"quoteId\":\"${q}\"}}},"
		"{\"tool\":\"wallet_get\",\"expect\":{\"wallet\":{\"balanceUsd\":\"75.00\"}}},"
		"{\"tool\":\"wallet_get\",\"as\":\"${purchaseKey}\"},"
		"{\"tool\":\"wallet_get\",\"as\":\"none\","
		"\"expect\":{\"error\":{\"code\":\"unauthorized\"}}}",
		"1 transcripts, 5 steps, all as expected\n");
	CHECK_I64(s.till.opened, 1);
	CHECK_I64(s.till.closed, 1);
	CHECK_I64(s.till.drained, 1);
	stand_close(&s);
}

static void keys_are_not_shown(void)
{
	struct stand s;
	struct outcome o = { 0 };

	if (!stand_open(&s, false))
		return;
	run(&s,
	    "{\"tool\":\"purchase_create\",\"input\":{\"catalogItemId\":\"cat_router_credit_001\","
	    "\"quantity\":1,\"configuration\":{\"creditAmountUsd\":1},\"idempotencyKey\":\"k\"},"
	    "\"save\":{\"svc\":\"service.id\"}},"
	    "{\"tool\":\"router_api_key_create\",\"input\":{\"serviceId\":\"${svc}\","
	    "\"label\":\"l\"},\"save\":{\"routerKey\":\"apiKey.secret\"}}",
	    &o);
	CHECK_I64(o.code, 0);
	CHECK(strstr(o.out.text, "svc = svc_") != NULL);
	CHECK(strstr(o.out.text, "routerKey\n") != NULL);
	CHECK(strstr(o.out.text, "asr_live_") == NULL);
	CHECK(strstr(o.out.text, "ask_live_") == NULL);
	stand_close(&s);
}

static void the_first_difference_ends_it(void)
{
	static const struct {
		const char *steps, *why;
	} ROWS[] = {
		{ "{\"tool\":\"catalog_categories\"},"
		  "{\"tool\":\"wallet_get\",\"expect\":{\"wallet\":{\"balanceUsd\":\"99.00\"}}},"
		  "{\"tool\":\"no_such_tool\"}",
		  "step 2: wallet.balanceUsd: expected \"99.00\", got \"100.00\"" },
		{ "{\"tool\":\"wallet_get\",\"expect\":{\"wallet\":{\"colour\":\"*\"}}}",
		  "step 1: wallet.colour: expected \"*\", got nothing" },
		{ "{\"tool\":\"no_such_tool\"}",
		  "step 1: expected a success, got unsupported: there is no tool 'no_such_tool'" },
		{ "{\"tool\":\"wallet_get\",\"input\":{\"x\":\"${y}\"}}",
		  "step 1: no value 'y' was saved" },
		{ "{\"tool\":\"wallet_get\",\"expect\":{\"x\":\"${y}\"}}",
		  "step 1: no value 'y' was saved" },
		{ "{\"tool\":\"wallet_get\",\"save\":{\"y\":\"wallet.id\"}}",
		  "step 1: save y: the answer has no 'id' (of 'wallet.id')" },
		{ "{\"http\":{\"method\":\"GET\",\"path\":\"/x\"}}",
		  "step 1: the shop has no listener" },
		{ "{\"tool\":\"wallet_get\"},{\"tools\":\"wallet_get\"}",
		  "step 2: unknown key 'tools'; allowed: tool, input, as, http, expect, save" },
	};
	struct stand s;

	if (!stand_open(&s, false))
		return;
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++)
		fails(&s, ROWS[i].steps, ROWS[i].why);
	CHECK_I64(s.till.closed, s.till.opened);
	stand_close(&s);
}

static void http_steps_go_to_the_listener(void)
{
	struct stand s;

	if (!stand_open(&s, true))
		return;
	succeeds(
		&s,
		"{\"http\":{\"method\":\"POST\",\"path\":\"/echo\","
		"\"headers\":{\"authorization\":\"Bearer ${accountId}\"},"
		"\"body\":{\"n\":25,\"id\":\"${accountId}\"}},"
		"\"expect\":{\"status\":200,\"headers\":{\"content-type\":\"application/json\"},"
		"\"body\":{\"method\":\"POST\",\"key\":\"Bearer ${accountId}\","
		"\"type\":\"application/json\",\"sent\":\"{\\\"n\\\":25,\\\"id\\\":\\\"${accountId}\\\"}\"}}},"
		"{\"http\":{\"method\":\"POST\",\"path\":\"/echo\","
		"\"headers\":{\"Content-Type\":\"text/x\"},\"body\":\"{no json\"},"
		"\"expect\":{\"body\":{\"type\":\"text/x\",\"sent\":\"{no json\"}},"
		"\"save\":{\"sent\":\"body.sent\",\"status\":\"status\"}},"
		"{\"http\":{\"method\":\"GET\",\"path\":\"/events\"},"
		"\"expect\":{\"body\":{\"events\":[{\"n\":1},{\"n\":2},\"[DONE]\"]}}},"
		"{\"http\":{\"method\":\"GET\",\"path\":\"/lost/${status}\"},"
		"\"expect\":{\"status\":404,\"body\":\"not here\"}}",
		"1 transcripts, 4 steps, all as expected\n");
	stand_close(&s);
}

static void http_failures_are_differences(void)
{
	struct stand s;
	struct outcome o = { 0 };

	if (!stand_open(&s, true))
		return;
	fails(&s, "{\"http\":{\"method\":\"GET\",\"path\":\"/lost\"}}",
	      "step 1: expected a success, got status 404");
	fails(&s,
	      "{\"http\":{\"method\":\"GET\",\"path\":\"/events\"},"
	      "\"expect\":{\"body\":{\"events\":[{\"n\":1}]}}}",
	      "step 1: body.events: expected [{\"n\":1}], got [{\"n\":1},{\"n\":2},\"[DONE]\"]");
	run(&s, "{\"http\":{\"method\":\"GET\",\"path\":\"/cut\"}}", &o);
	CHECK_I64(o.code, 1);
	CHECK(strstr(o.complaint.text, "step 1: the connection failed: ") != NULL);
	stand_close(&s);
}

static void each_file_has_a_fresh_shop(void)
{
	struct stand s;
	struct outcome o = { 0 };
	char program[] = "agent-store", word[] = "transcript";

	if (!stand_open(&s, false))
		return;
	run(&s,
	    "{\"tool\":\"service_list\",\"expect\":{\"services\":[]}},"
	    "{\"tool\":\"purchase_create\",\"input\":{\"catalogItemId\":\"cat_router_credit_001\","
	    "\"quantity\":1,\"configuration\":{\"creditAmountUsd\":1},\"idempotencyKey\":\"k\"}}",
	    &o);
	CHECK_I64(o.code, 0);
	const struct mcp_owner owner = till_owner(&s.till);
	char *argv[] = { program, word, s.path, s.path, NULL };
	catch_begin(&o.out, 1);
	o.code = mcp_transcript_main(s.world.loop, &owner, 4, argv);
	catch_end(&o.out);
	CHECK_I64(o.code, 0);
	CHECK(str_ends(str_of(o.out.text), STR("\n2 transcripts, 4 steps, all as expected\n")));
	CHECK_I64(s.till.opened, 3);
	CHECK_I64(s.till.closed, 3);
	stand_close(&s);
}

static void a_kept_store_gets_another_account_each_time(void)
{
	struct stand s;
	struct outcome o = { 0 };

	if (!stand_open(&s, false))
		return;
	s.till.db = s.world.db;
	for (int i = 0; i < 2; i++) {
		run(&s,
		    "{\"tool\":\"wallet_get\",\"expect\":{\"wallet\":{\"balanceUsd\":\"100.00\"}}}",
		    &o);
		CHECK_I64(o.code, 0);
		CHECK_STR(o.complaint.text, "");
	}
	stand_close(&s);
}

static void words_that_are_no_files_are_usage_errors(void)
{
	struct stand s;
	struct caught out, complaint;
	char program[] = "agent-store", word[] = "transcript", option[] = "--fast",
	     help[] = "--help";
	char missing[] = "/nonexistent/t.json";
	static const struct {
		int index, code;
		const char *out, *complaint;
	} ROWS[] = {
		{ 0, 2, "", "usage: agent-store transcript FILE... [--db FILE]\n" },
		{ 1, 2, "", "usage: agent-store transcript FILE... [--db FILE]\n" },
		{ 2, 0, "usage: agent-store transcript FILE... [--db FILE]\n", "" },
		{ 3, 1, "",
		  "agent-store: /nonexistent/t.json: cannot be opened: No such file or directory\n" },
	};
	char *words[] = { NULL, option, help, missing };

	if (!stand_open(&s, false))
		return;
	const struct mcp_owner owner = till_owner(&s.till);
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		char *argv[] = { program, word, words[i], NULL };
		catch_begin(&out, 1);
		catch_begin(&complaint, 2);
		int code =
			mcp_transcript_main(s.world.loop, &owner, words[i] == NULL ? 2 : 3, argv);
		catch_end(&complaint);
		catch_end(&out);
		check_note("row %zu", i);
		CHECK_I64(code, ROWS[i].code);
		CHECK(str_starts(str_of(out.text), str_of(ROWS[i].out)));
		CHECK(str_starts(str_of(complaint.text), str_of(ROWS[i].complaint)));
		CHECK((out.text[0] == '\0') == (ROWS[i].out[0] == '\0'));
		CHECK((complaint.text[0] == '\0') == (ROWS[i].complaint[0] == '\0'));
	}
	CHECK_I64(s.till.opened, 0);
	stand_close(&s);
}

static void a_shop_that_does_not_open_is_told(void)
{
	struct stand s;

	if (!stand_open(&s, false))
		return;
	s.till.open_fails = 1;
	fails(&s, "{\"tool\":\"wallet_get\"}", "the database is damaged");
	stand_close(&s);
}

static const struct check_case CASES[] = {
	CASE(values_are_inserted_with_their_type_or_as_text),
	CASE(a_name_that_was_not_saved_is_refused),
	CASE(the_last_value_of_a_name_counts),
	CASE(paths_lead_into_answers),
	CASE(a_faulty_file_is_refused_with_its_reason),
	CASE(the_shipped_transcripts_are_well_formed),
	CASE(without_an_account_a_hundred_dollars_are_there),
	CASE(a_purchase_is_played_and_checked),
	CASE(keys_are_not_shown),
	CASE(the_first_difference_ends_it),
	CASE(http_steps_go_to_the_listener),
	CASE(http_failures_are_differences),
	CASE(each_file_has_a_fresh_shop),
	CASE(a_kept_store_gets_another_account_each_time),
	CASE(words_that_are_no_files_are_usage_errors),
	CASE(a_shop_that_does_not_open_is_told),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
