/* SPDX-License-Identifier: Apache-2.0 */
/* The simulator as its users see it: the built program is started, asked over HTTP, and its journal
 * compared with what it told. Arguments: the program and the folder of scenarios. */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "tests/check.h"
#include "tests/http_call.h"

#define JOURNAL_MAX (1u << 20)

struct sim_run {
	char *program, *scripts;
	char folder[64];
	char journal[80];
	char address[64];
	pid_t pid;
	struct http_fixture client;
	size_t lines; /* of the journal that were compared */
};

/* The only state of this file: check.h's cases take no argument. */
static struct sim_run run; /* allowed: set up once in main */

static bool spawn_sim(int out)
{
	char script[] = "--script", journal[] = "--journal", bodies[] = "--journal-bodies";
	char key[] = "--key", value[] = "sk-secret";
	char *argv[] = { run.program, script, run.scripts, journal, run.journal,
		         bodies,      key,    value,       NULL };
	posix_spawn_file_actions_t actions;
	bool ok = posix_spawn_file_actions_init(&actions) == 0 &&
	          posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO) == 0 &&
	          posix_spawn(&run.pid, run.program, &actions, NULL, argv, environ) == 0;
	(void)posix_spawn_file_actions_destroy(&actions);
	return ok;
}

static bool start_sim(void)
{
	static const char SAYS[] = "provider-sim listening on ";
	char line[128] = "";
	int ends[2];
	(void)snprintf(run.folder, sizeof(run.folder), "/tmp/provider-sim-test-XXXXXX");
	if (mkdtemp(run.folder) == NULL || pipe2(ends, O_CLOEXEC) != 0)
		return false;
	(void)snprintf(run.journal, sizeof(run.journal), "%s/journal", run.folder);
	if (!spawn_sim(ends[1]))
		return false;
	(void)close(ends[1]);
	FILE *out = fdopen(ends[0], "r");
	bool ok = out != NULL && fgets(line, sizeof(line), out) != NULL &&
	          strncmp(line, SAYS, sizeof(SAYS) - 1) == 0;
	struct str rest = str_of(line + (ok ? sizeof(SAYS) - 1 : 0));
	struct str address = str_cut(&rest, '\n');
	(void)snprintf(run.address, sizeof(run.address), "%.*s", STR_ARG(address));
	if (out != NULL)
		(void)fclose(out); /* only read from */
	return ok;
}

/* The journal's line number `run.lines`, parsed; NULL if it is not there. */
static struct json *next_line(void)
{
	OWN_BUF struct buf text = buf_make(JOURNAL_MAX);
	FILE *file = fopen(run.journal, "re");
	char *at = buf_reserve(&text, JOURNAL_MAX);
	if (file == NULL || at == NULL)
		return NULL;
	buf_grew(&text, fread(at, 1, JOURNAL_MAX, file));
	(void)fclose(file); /* only read from */
	struct str rest = buf_str(&text);
	for (size_t i = 0; i < run.lines; i++)
		(void)str_cut(&rest, '\n');
	run.lines++;
	return json_parse(str_cut(&rest, '\n'), NULL);
}

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

struct sim_row {
	const char *path, *body;
	const char *log;
	const char *says;    /* a part of the answer */
	const char *journal; /* a pattern for its line */
};

static const struct sim_row ROWS[] = {
	{ CHAT, ASK_CHAT("default", ""), "head 200 data done complete ",
	  "\"content\":\"Deployment is healthy. All regions are green and queue depth is normal.\"",
	  "{\"n\":1,\"provider\":\"openai\",\"model\":\"gpt-5.4\",\"scenario\":\"default\","
	  "\"stream\":false,\"status\":200,\"uncachedInputTokens\":24,\"cacheWrite5mTokens\":0,"
	  "\"cacheWrite1hTokens\":0,\"cacheReadTokens\":0,\"outputTokens\":20,\"reported\":true,"
	  "\"end\":\"complete\",\"requestHeaders\":{\"x-empty\":\"\"}}" },
	{ CHAT, ASK_CHAT("five-classes", STREAM_USAGE), "head 200 data done complete ",
	  "\"choices\":[],\"usage\":{\"prompt_tokens\":1750,\"completion_tokens\":120,"
	  "\"total_tokens\":1870,\"prompt_tokens_details\":{\"cached_tokens\":1500,"
	  "\"cache_write_tokens\":200,",
	  "{\"uncachedInputTokens\":50,\"cacheWrite5mTokens\":200,\"cacheReadTokens\":1500,"
	  "\"outputTokens\":120,\"reported\":true}" },
	{ CHAT, ASK_CHAT("default", STREAM), "head 200 data done complete ",
	  "\"finish_reason\":\"stop\"}],\"service_tier\":\"default\",\"system_fingerprint\":\"fp_sim\"}"
	  "\n\ndata: [DONE]\n\n",
	  "{\"stream\":true,\"outputTokens\":20,\"reported\":false}" },
	{ CHAT, ASK_CHAT("default", "\"max_completion_tokens\":10,"),
	  "head 200 data done complete ", "\"completion_tokens\":10,",
	  "{\"outputTokens\":10,\"reported\":true}" },
	{ MESSAGES, ASK_MESSAGE("written-1h", ""), "head 200 data done complete ",
	  "\"usage\":{\"input_tokens\":10,\"cache_creation_input_tokens\":1000,"
	  "\"cache_read_input_tokens\":0,\"cache_creation\":{\"ephemeral_5m_input_tokens\":300,"
	  "\"ephemeral_1h_input_tokens\":700},\"service_tier\":\"standard\",\"output_tokens\":40}",
	  "{\"provider\":\"anthropic\",\"cacheWrite5mTokens\":300,\"cacheWrite1hTokens\":700,"
	  "\"reported\":true}" },
	{ MESSAGES, ASK_MESSAGE("five-classes", STREAM), "head 200 data done complete ",
	  "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
	  "\"end_turn\",\"stop_sequence\":null},\"usage\":{\"input_tokens\":50,"
	  "\"cache_creation_input_tokens\":200,\"cache_read_input_tokens\":1500,"
	  "\"output_tokens\":120}}\n\nevent: message_stop\n",
	  "{\"uncachedInputTokens\":50,\"cacheReadTokens\":1500,\"reported\":true}" },
	{ CHAT, ASK_CHAT("tool-call", STREAM), "head 200 data done complete ",
	  "{\"index\":1,\"id\":\"call_sim000001\",\"type\":\"function\",\"function\":"
	  "{\"name\":\"get_time\",\"arguments\":\"\"}}",
	  "{\"outputTokens\":45}" },
	{ MESSAGES, ASK_MESSAGE("reasoning", STREAM), "head 200 data done complete ",
	  "\"delta\":{\"type\":\"signature_delta\"", "{\"outputTokens\":60,\"reported\":true}" },
	{ MESSAGES, ASK_MESSAGE("refusal", ""), "head 200 data done complete ",
	  "\"stop_reason\":\"refusal\"", "{\"outputTokens\":8}" },
	{ CHAT, ASK_CHAT("split-utf8", STREAM), "head 200 data done complete ", "data: [DONE]",
	  "{\"end\":\"complete\"}" },
	{ MESSAGES, ASK_MESSAGE("crlf", STREAM), "head 200 data done complete ",
	  "event: message_stop\r\ndata: {\"type\":\"message_stop\"}\r\n\r\n",
	  "{\"reported\":true}" },
	{ CHAT, ASK_CHAT("cut-stream", STREAM_USAGE), "head 200 data done broken ", "Deploymen",
	  "{\"status\":200,\"outputTokens\":20,\"reported\":false,\"end\":\"cut\"}" },
	{ MESSAGES, ASK_MESSAGE("cut-body", ""), "head 200 data done broken ",
	  "\"type\":\"message\"", "{\"reported\":false,\"end\":\"cut\"}" },
	{ CHAT, ASK_CHAT("close-before-answer", ""), "done broken ", "",
	  "{\"status\":0,\"reported\":false,\"end\":\"cut\"}" },
	{ MESSAGES, ASK_MESSAGE("error-event", STREAM), "head 200 data done complete ",
	  "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"",
	  "{\"status\":200,\"reported\":false}" },
	{ CHAT, ASK_CHAT("missing-usage", STREAM_USAGE), "head 200 data done complete ",
	  "data: [DONE]", "{\"reported\":false,\"end\":\"complete\"}" },
	{ CHAT, ASK_CHAT("error-429", ""), "head 429 data done complete ",
	  "\"code\":\"rate_limit_exceeded\"", "{\"status\":429,\"outputTokens\":0}" },
	{ MESSAGES, ASK_MESSAGE("error-529", ""), "head 529 data done complete ",
	  "\"type\":\"overloaded_error\"", "{\"status\":529,\"outputTokens\":0}" },
	{ CHAT, ASK_CHAT("no-such", ""), "head 400 data done complete ",
	  "no scenario is named 'no-such'", "{\"status\":400,\"scenario\":null}" },
	{ CHAT, ASK_CHAT("default", "\"max_tokens\":5,"), "head 400 data done complete ",
	  "\"param\":\"max_tokens\",\"code\":\"unsupported_parameter\"", "{\"status\":400}" },
	{ CHAT, "{\"model\":\"davinci\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}",
	  "head 404 data done complete ", "model_not_found", "{\"status\":404}" },
	{ CHAT, "{\"model\":", "head 400 data done complete ", "not a JSON object",
	  "{\"status\":400,\"body\":\"{\\\"model\\\":\"}" },
	{ MESSAGES,
	  "{\"model\":\"claude-x\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}",
	  "head 400 data done complete ", "max_tokens: Field required", "{\"status\":400}" },
};

static void check_row(const struct sim_row *row)
{
	struct http_call c = http_call_make(&run.client, JUST_READ);
	OWN_BUF struct buf where = buf_make(4096);
	char url[128];
	if (strcmp(row->path, MESSAGES) == 0)
		c.extra = (struct net_header){ STR("anthropic-version"), STR("2023-06-01") };
	(void)snprintf(url, sizeof(url), "http://%s%s", run.address, row->path);
	if (http_start(&c, url, str_of(row->body), 5000))
		http_run(&run.client, &c);
	bool good = CHECK_STR(buf_str(&c.log).p, row->log);
	good &= CHECK(str_find(buf_str(&c.body), str_of(row->says)) >= 0);
	OWN_JSON struct json *line = next_line();
	OWN_JSON struct json *pattern = json_parse(str_of(row->journal), NULL);
	if (CHECK(line != NULL && pattern != NULL))
		good &= CHECK(json_matches(pattern, line, &where));
	good &= CHECK(json_get(json_get(line, "requestHeaders"), "authorization") == NULL);
	if (!good)
		check_note("%s %s\n# %s\n# %s", row->path, row->body, buf_str(&c.body).p,
		           buf_str(&where).p);
	http_call_done(&c);
}

static void answers_and_journal_agree(void)
{
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++)
		check_row(&ROWS[i]);
}

static void provider_fields_come_with_every_answer(void)
{
	struct http_call c = http_call_make(&run.client, JUST_READ);
	char url[128];
	(void)snprintf(url, sizeof(url), "http://%s%s", run.address, CHAT);
	if (http_start(&c, url, STR(ASK_CHAT("error-429", "")), 5000))
		http_run(&run.client, &c);
	struct str fields = buf_str(&c.fields);
	CHECK(str_find(fields, STR("openai-organization=org-simulated-shared;")) >= 0);
	CHECK(str_find(fields, STR("x-ratelimit-remaining-tokens=1999000;")) >= 0);
	CHECK(str_find(fields, STR("x-request-id=req_sim")) >= 0);
	CHECK(str_find(fields, STR("retry-after=2;")) >= 0);
	OWN_JSON struct json *line = next_line();
	CHECK(line != NULL);
	http_call_done(&c);
}

static void a_client_that_leaves_is_in_the_journal(void)
{
	struct http_call c = http_call_make(&run.client, CANCEL_IN_DATA);
	char url[128];
	(void)snprintf(url, sizeof(url), "http://%s%s", run.address, CHAT);
	if (http_start(&c, url, STR(ASK_CHAT("stall", STREAM)), 5000))
		http_run(&run.client, &c);
	struct json *line = NULL;
	for (int i = 0; i < 100 && line == NULL; i++) {
		http_step_for(&run.client, 20);
		size_t before = run.lines;
		line = next_line();
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
	if (argc != 3) {
		(void)fputs("usage: test_net_provider_sim PROGRAM SCENARIOS\n", stderr);
		return 2;
	}
	run.program = argv[1];
	run.scripts = argv[2];
	if (!start_sim()) {
		puts("Bail out! the simulator did not start");
		return 1;
	}
	http_setup_client(&run.client);
	int result = check_main(CASES, ARRAY_LEN(CASES));
	net_client_free(run.client.client);
	net_loop_free(run.client.loop);
	(void)unlink(run.journal);
	(void)rmdir(run.folder);
	return result;
}
