/* SPDX-License-Identifier: Apache-2.0 */
/* The simulator as its users see it: OpenAI's and Anthropic's formats, faults, and the journal.
 * Arguments: the program and the folder of scenarios. */
#include <signal.h>
#include <sys/wait.h>

#include "tests/sim_run.h"

/* The only state of this file: check.h's cases take no argument. */
static struct sim_run run; /* allowed: set up once in main */

/* ---- Requests ---- */

#define CHAT "/v1/chat/completions"
#define MESSAGES "/v1/messages"
#define ASK_CHAT(scenario, more)       \
	"{\"model\":\"gpt-5.4\"," more \
	"\"messages\":[{\"role\":\"user\",\"content\":\"[[" scenario "]] hi\"}]}"
#define ASK_MESSAGE(scenario, more)                                 \
	"{\"model\":\"claude-haiku-4-5\",\"max_tokens\":1000," more \
	"\"messages\":[{\"role\":\"user\",\"content\":\"[[" scenario "]] hi\"}]}"
#define STREAM "\"stream\":true,"
#define STREAM_USAGE STREAM "\"stream_options\":{\"include_usage\":true},"

static const struct sim_row ROWS[] = {
	{ CHAT, ASK_CHAT("default", ""), SIM_ANSWERED,
	  "\"content\":\"Deployment is healthy. All regions are green and queue depth is normal.\"",
	  "{\"n\":1,\"provider\":\"openai\",\"model\":\"gpt-5.4\",\"scenario\":\"default\","
	  "\"stream\":false,\"status\":200,\"uncachedInputTokens\":24,\"cacheWrite5mTokens\":0,"
	  "\"cacheWrite1hTokens\":0,\"cacheReadTokens\":0,\"outputTokens\":20,\"reported\":true,"
	  "\"end\":\"complete\",\"requestHeaders\":{\"x-empty\":\"\"}}" },
	{ CHAT, ASK_CHAT("five-classes", STREAM_USAGE), SIM_ANSWERED,
	  "\"choices\":[],\"usage\":{\"prompt_tokens\":1750,\"completion_tokens\":120,"
	  "\"total_tokens\":1870,\"prompt_tokens_details\":{\"cached_tokens\":1500,"
	  "\"cache_write_tokens\":200,",
	  "{\"uncachedInputTokens\":50,\"cacheWrite5mTokens\":200,\"cacheReadTokens\":1500,"
	  "\"outputTokens\":120,\"reported\":true}" },
	{ CHAT, ASK_CHAT("default", STREAM), SIM_ANSWERED,
	  "\"finish_reason\":\"stop\"}],\"service_tier\":\"default\",\"system_fingerprint\":\"fp_sim\"}"
	  "\n\ndata: [DONE]\n\n",
	  "{\"stream\":true,\"outputTokens\":20,\"reported\":false}" },
	{ CHAT, ASK_CHAT("default", "\"max_completion_tokens\":10,"), SIM_ANSWERED,
	  "\"completion_tokens\":10,", "{\"outputTokens\":10,\"reported\":true}" },
	{ MESSAGES, ASK_MESSAGE("written-1h", ""), SIM_ANSWERED,
	  "\"usage\":{\"input_tokens\":10,\"cache_creation_input_tokens\":1000,"
	  "\"cache_read_input_tokens\":0,\"cache_creation\":{\"ephemeral_5m_input_tokens\":300,"
	  "\"ephemeral_1h_input_tokens\":700},\"service_tier\":\"standard\",\"output_tokens\":40}",
	  "{\"provider\":\"anthropic\",\"cacheWrite5mTokens\":300,\"cacheWrite1hTokens\":700,"
	  "\"reported\":true}" },
	{ MESSAGES, ASK_MESSAGE("five-classes", STREAM), SIM_ANSWERED,
	  "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
	  "\"end_turn\",\"stop_sequence\":null},\"usage\":{\"input_tokens\":50,"
	  "\"cache_creation_input_tokens\":200,\"cache_read_input_tokens\":1500,"
	  "\"output_tokens\":120}}\n\nevent: message_stop\n",
	  "{\"uncachedInputTokens\":50,\"cacheReadTokens\":1500,\"reported\":true}" },
	{ CHAT, ASK_CHAT("tool-call", STREAM), SIM_ANSWERED,
	  "{\"index\":1,\"id\":\"call_sim000001\",\"type\":\"function\",\"function\":"
	  "{\"name\":\"get_time\",\"arguments\":\"\"}}",
	  "{\"outputTokens\":45}" },
	{ MESSAGES, ASK_MESSAGE("reasoning", STREAM), SIM_ANSWERED,
	  "\"delta\":{\"type\":\"signature_delta\"", "{\"outputTokens\":60,\"reported\":true}" },
	{ MESSAGES, ASK_MESSAGE("refusal", ""), SIM_ANSWERED, "\"stop_reason\":\"refusal\"",
	  "{\"outputTokens\":8}" },
	{ CHAT, ASK_CHAT("split-utf8", STREAM), SIM_ANSWERED, "data: [DONE]",
	  "{\"end\":\"complete\"}" },
	{ MESSAGES, ASK_MESSAGE("crlf", STREAM), SIM_ANSWERED,
	  "event: message_stop\r\ndata: {\"type\":\"message_stop\"}\r\n\r\n",
	  "{\"reported\":true}" },
	{ CHAT, ASK_CHAT("cut-stream", STREAM_USAGE), "head 200 data done broken ", "Deploymen",
	  "{\"status\":200,\"outputTokens\":20,\"reported\":false,\"end\":\"cut\"}" },
	{ MESSAGES, ASK_MESSAGE("cut-body", ""), "head 200 data done broken ",
	  "\"type\":\"message\"", "{\"reported\":false,\"end\":\"cut\"}" },
	{ CHAT, ASK_CHAT("close-before-answer", ""), "done broken ", "",
	  "{\"status\":0,\"reported\":false,\"end\":\"cut\"}" },
	{ MESSAGES, ASK_MESSAGE("error-event", STREAM), SIM_ANSWERED,
	  "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"",
	  "{\"status\":200,\"reported\":false}" },
	{ CHAT, ASK_CHAT("missing-usage", STREAM_USAGE), SIM_ANSWERED, "data: [DONE]",
	  "{\"reported\":false,\"end\":\"complete\"}" },
	{ CHAT, ASK_CHAT("error-429", ""), "head 429 data done complete ",
	  "\"code\":\"rate_limit_exceeded\"", "{\"status\":429,\"outputTokens\":0}" },
	{ MESSAGES, ASK_MESSAGE("error-529", ""), "head 529 data done complete ",
	  "\"type\":\"overloaded_error\"", "{\"status\":529,\"outputTokens\":0}" },
	{ CHAT, ASK_CHAT("no-such", ""), SIM_REFUSED, "no scenario is named 'no-such'",
	  "{\"status\":400,\"scenario\":null}" },
	{ CHAT, ASK_CHAT("default", "\"max_tokens\":5,"), SIM_REFUSED,
	  "\"param\":\"max_tokens\",\"code\":\"unsupported_parameter\"", "{\"status\":400}" },
	{ CHAT, "{\"model\":\"davinci\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}",
	  "head 404 data done complete ", "model_not_found", "{\"status\":404}" },
	{ CHAT, "{\"model\":", SIM_REFUSED, "not a JSON object",
	  "{\"status\":400,\"body\":\"{\\\"model\\\":\"}" },
	{ MESSAGES,
	  "{\"model\":\"claude-x\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}",
	  SIM_REFUSED, "max_tokens: Field required", "{\"status\":400}" },
};

static void answers_and_journal_agree(void)
{
	sim_run_rows(&run, ROWS, ARRAY_LEN(ROWS));
}

static void provider_fields_come_with_every_answer(void)
{
	struct http_call c = http_call_make(&run.client, JUST_READ);
	char url[256];
	sim_run_url(&run, CHAT, url);
	if (http_start(&c, url, STR(ASK_CHAT("error-429", "")), 5000))
		http_run(&run.client, &c);
	struct str fields = buf_str(&c.fields);
	CHECK(str_find(fields, STR("openai-organization=org-simulated-shared;")) >= 0);
	CHECK(str_find(fields, STR("x-ratelimit-remaining-tokens=1999000;")) >= 0);
	CHECK(str_find(fields, STR("x-request-id=req_sim")) >= 0);
	CHECK(str_find(fields, STR("retry-after=2;")) >= 0);
	OWN_JSON struct json *line = sim_run_line(&run);
	CHECK(line != NULL);
	http_call_done(&c);
}

static void a_client_that_leaves_is_in_the_journal(void)
{
	struct http_call c = http_call_make(&run.client, CANCEL_IN_DATA);
	char url[256];
	sim_run_url(&run, CHAT, url);
	if (http_start(&c, url, STR(ASK_CHAT("stall", STREAM)), 5000))
		http_run(&run.client, &c);
	struct json *line = NULL;
	for (int i = 0; i < 100 && line == NULL; i++) {
		http_step_for(&run.client, 20);
		size_t before = run.lines;
		line = sim_run_line(&run);
		run.lines = line != NULL ? run.lines : before;
	}
	CHECK_TEXT(json_text(json_get(line, "end")), "gone");
	json_free(line);
	http_call_done(&c);
}

static void it_ends_with_zero_at_sigterm(void)
{
	int status = -1;
	CHECK(kill(run.pid, SIGTERM) == 0);
	CHECK(waitpid(run.pid, &status, 0) == run.pid);
	run.pid = 0;
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static const struct check_case CASES[] = {
	CASE(answers_and_journal_agree),
	CASE(provider_fields_come_with_every_answer),
	CASE(a_client_that_leaves_is_in_the_journal),
	CASE(it_ends_with_zero_at_sigterm),
};

int main(int argc, char **argv)
{
	(void)argc;
	return sim_run_main(&run, argv, CASES, ARRAY_LEN(CASES));
}
