/* SPDX-License-Identifier: Apache-2.0 */
/* The simulator's other formats: Gemini, Kimi, Responses, counts and lists of models, and what each
 * refuses. Signatures were computed elsewhere: BLAKE2b-256 of "<provider>/<model>/<text>".
 * Arguments: the program and the folder of scenarios. */
#include "tests/sim_run.h"

/* The only state of this file: check.h's cases take no argument. */
static struct sim_run run; /* allowed: set up once in main */

#define SIGNED_THOUGHT "99b7dcc7a159977fc130c34d27c98e2c971db965a5509603184e830aa071c9b3"
#define SIGNED_CALL "ee338d3387a84f8f9bd107c1ae8327628f50a5611d11b21b5bf4aebab673b1fe"
#define SIGNED_TEXT "b33ffdf2c114eae2e93f4a72ab6efe450c7acca3d08020692295b52b3357ca04"
#define SEALED_THOUGHT "fde1215091bf427ecd4bd52c6375163b5ee9a52e44ab7ce6919ae140db5eb783"

/* ---- Gemini ---- */

#define LITE "/v1beta/models/gemini-2.5-flash-lite:"
#define PRO "/v1beta/models/gemini-2.5-pro:"
#define NEW "/v1beta/models/gemini-3.8-flash:"
#define WHOLE "generateContent"
#define SSE "streamGenerateContent?alt=sse"
#define SAYS(role, text) "{\"role\":\"" role "\",\"parts\":[{\"text\":\"" text "\"}]}"
#define ASK_GEMINI(scenario, more) \
	"{" more "\"contents\":[" SAYS("user", "[[" scenario "]] hi") "]}"
#define THOUGHTS "\"generationConfig\":{\"thinkingConfig\":{\"includeThoughts\":true}},"

static const struct sim_row GEMINI[] = {
	{ LITE WHOLE, ASK_GEMINI("default", ""), SIM_ANSWERED,
	  "\"finishReason\":\"STOP\",\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":24,"
	  "\"candidatesTokenCount\":20,\"totalTokenCount\":44,",
	  "{\"provider\":\"google\",\"model\":\"gemini-2.5-flash-lite\",\"path\":\"" LITE WHOLE
	  "\",\"stream\":false,\"uncachedInputTokens\":24,\"outputTokens\":20,\"reported\":true}" },
	{ LITE WHOLE, ASK_GEMINI("five-classes", ""), SIM_ANSWERED,
	  "\"promptTokenCount\":1750,\"candidatesTokenCount\":120,\"totalTokenCount\":1870,"
	  "\"cachedContentTokenCount\":1500,",
	  "{\"uncachedInputTokens\":250,\"cacheWrite5mTokens\":0,\"cacheReadTokens\":1500,"
	  "\"outputTokens\":120}" },
	{ LITE WHOLE, ASK_GEMINI("tool-use-prompt", ""), SIM_ANSWERED,
	  "\"promptTokenCount\":360,\"candidatesTokenCount\":12,\"totalTokenCount\":412,",
	  "{\"uncachedInputTokens\":100,\"cacheReadTokens\":300}" },
	/* 70 bytes of reasoning are 17 tokens. */
	{ LITE SSE, ASK_GEMINI("reasoning", THOUGHTS), SIM_ANSWERED,
	  "\"thought\":true}],\"role\":\"model\"},\"index\":0}],\"usageMetadata\":"
	  "{\"promptTokenCount\":40,\"totalTokenCount\":42,",
	  "{\"stream\":true,\"outputTokens\":60,\"reported\":true}" },
	{ LITE SSE, ASK_GEMINI("reasoning", ""), SIM_ANSWERED,
	  "\"candidatesTokenCount\":43,\"totalTokenCount\":100,\"promptTokensDetails\":"
	  "[{\"modality\":\"TEXT\",\"tokenCount\":40}],\"thoughtsTokenCount\":17},\"modelVersion\":"
	  "\"gemini-2.5-flash-lite\",",
	  "{\"outputTokens\":60}" },
	{ NEW WHOLE, ASK_GEMINI("reasoning", ""), SIM_ANSWERED,
	  "{\"text\":\"All is well.\"},{\"text\":\"\",\"thoughtSignature\":\"" SIGNED_TEXT "\"}]",
	  "{\"outputTokens\":60}" },
	{ NEW SSE, ASK_GEMINI("tool-call", ""), SIM_ANSWERED,
	  "\"args\":{\"city\":\"Troms\xc3\xb8\",\"unit\":\"celsius\"}},\"thoughtSignature\":\"" SIGNED_CALL
	  "\"}]",
	  "{\"outputTokens\":45}" },
	{ LITE WHOLE, ASK_GEMINI("default", "\"generationConfig\":{\"maxOutputTokens\":10},"),
	  SIM_ANSWERED, "\"finishReason\":\"MAX_TOKENS\"", "{\"outputTokens\":10}" },
	{ LITE SSE, ASK_GEMINI("refusal", ""), SIM_ANSWERED, "\"finishReason\":\"SAFETY\"",
	  "{\"outputTokens\":8}" },
	{ LITE SSE, ASK_GEMINI("blocked-prompt", ""), SIM_ANSWERED,
	  "data: {\"promptFeedback\":{\"blockReason\":\"PROHIBITED_CONTENT\"},\"usageMetadata\":",
	  "{\"uncachedInputTokens\":24,\"outputTokens\":0,\"reported\":true}" },
	{ LITE WHOLE, ASK_GEMINI("other-model", ""), SIM_ANSWERED,
	  "\"modelVersion\":\"another-model-2026-12-01\"",
	  "{\"model\":\"gemini-2.5-flash-lite\"}" },
	{ LITE SSE, ASK_GEMINI("missing-usage", ""), SIM_ANSWERED,
	  "\"index\":0}],\"modelVersion\":", "{\"reported\":false,\"end\":\"complete\"}" },
	{ LITE SSE, ASK_GEMINI("cut-stream", ""), "head 200 data done broken ", "Deploymen",
	  "{\"reported\":false,\"end\":\"cut\"}" },
	{ LITE SSE, ASK_GEMINI("error-event", ""), SIM_ANSWERED,
	  "data: {\"error\":{\"code\":503,\"message\":\"Overloaded\",\"status\":\"UNAVAILABLE\"}}"
	  "\r\n\r\n",
	  "{\"status\":200,\"reported\":false}" },
	{ LITE WHOLE, ASK_GEMINI("error-429", ""), "head 429 data done complete ",
	  "\"status\":\"RESOURCE_EXHAUSTED\",\"details\":[", "{\"status\":429}" },
	{ LITE WHOLE, ASK_GEMINI("error-401", ""), SIM_REFUSED, "\"reason\":\"API_KEY_INVALID\"",
	  "{\"status\":400}" },
	{ LITE "countTokens", ASK_GEMINI("five-classes", ""), SIM_ANSWERED,
	  "{\"totalTokens\":1750}",
	  "{\"status\":200,\"uncachedInputTokens\":0,\"reported\":false}" },
	{ "/v1beta/models", NULL, SIM_ANSWERED, "{\"name\":\"models/gemini-2.5-pro\"",
	  "{\"provider\":\"google\",\"status\":200}" },
};

static void gemini_answers_in_its_own_words(void)
{
	sim_run_rows(&run, GEMINI, ARRAY_LEN(GEMINI));
}

#define CALL(name, sign) "{\"functionCall\":{\"name\":\"" name "\",\"args\":{}}" sign "}"
#define SIGN(signature) ",\"thoughtSignature\":\"" signature "\""
#define RESULT(name) \
	"{\"functionResponse\":{\"name\":\"" name "\",\"response\":{\"output\":\"ok\"}}}"
#define HISTORY(calls, results)                                                          \
	"{\"contents\":[" SAYS("user",                                                   \
	                       "[[error-500]]") ",{\"role\":\"model\",\"parts\":[" calls \
						"]},{\"role\":\"user\",\"parts\":[" results "]}]}"
#define REFUSAL(path, body, says)                                 \
	{                                                         \
		path, body, SIM_REFUSED, says, "{\"status\":400}" \
	}

static const struct sim_row GEMINI_HISTORY[] = {
	/* The first call of a step is signed; what its result says names the scenario: none. */
	{ NEW WHOLE,
	  HISTORY(CALL("get_weather", SIGN(SIGNED_CALL)) "," CALL("get_time", ""),
	          RESULT("get_weather") "," RESULT("get_time")),
	  SIM_ANSWERED, "Deployment is healthy", "{\"scenario\":\"default\"}" },
	{ NEW WHOLE,
	  HISTORY(CALL("get_weather", SIGN("skip_thought_signature_validator")),
	          RESULT("get_weather")),
	  SIM_ANSWERED, "Deployment is healthy", "{\"status\":200}" },
	{ LITE WHOLE, HISTORY(CALL("get_weather", ""), RESULT("get_weather")), SIM_ANSWERED,
	  "Deployment is healthy", "{\"status\":200}" },
	REFUSAL(NEW WHOLE, HISTORY(CALL("get_weather", ""), RESULT("get_weather")),
	        "missing a thought_signature"),
	REFUSAL(NEW WHOLE, HISTORY(CALL("get_time", SIGN(SIGNED_CALL)), RESULT("get_time")),
	        "Corrupted/Invalid thought signature"),
	REFUSAL(LITE WHOLE, HISTORY(CALL("get_weather", SIGN(SIGNED_CALL)), RESULT("get_weather")),
	        "Corrupted/Invalid thought signature"),
	REFUSAL(LITE WHOLE, HISTORY(CALL("a", "") "," CALL("b", ""), RESULT("a")),
	        "number of function response parts"),
	REFUSAL(LITE WHOLE, HISTORY(CALL("a", ""), RESULT("b")), "no function_response for 'a'"),
	REFUSAL(LITE WHOLE, HISTORY(CALL("a", ""), "{\"functionResponse\":{\"response\":{}}}"),
	        "Name cannot be empty"),
	REFUSAL(LITE WHOLE, HISTORY("{\"text\":\"hi\"}", RESULT("a")),
	        "number of function response parts"),
	REFUSAL(LITE WHOLE, HISTORY("{\"thought\":true}", "{\"text\":\"x\"}"),
	        "required oneof field"),
	REFUSAL(LITE WHOLE, "{\"contents\":[" SAYS("user", "a") "," SAYS("user", "b") "]}",
	        "alternates"),
	REFUSAL(LITE WHOLE, "{\"contents\":[" SAYS("assistant", "a") "]}", "valid role"),
	REFUSAL(LITE WHOLE, "{\"contents\":[{\"role\":\"user\",\"parts\":[]}]}",
	        "must not be empty"),
	REFUSAL(LITE WHOLE, "{\"contents\":[]}", "contents is not specified"),
	REFUSAL(LITE WHOLE, ASK_GEMINI("default", "\"model\":\"x\","),
	        "Unknown name \\\"model\\\""),
	REFUSAL(LITE WHOLE, ASK_GEMINI("default", "\"generationConfig\":{\"maxTokens\":1},"),
	        "Unknown name"),
	REFUSAL(LITE WHOLE,
	        ASK_GEMINI("default", "\"generationConfig\":{\"thinkingConfig\":"
	                              "{\"thinkingLevel\":\"LOW\"}},"),
	        "Thinking level is not supported"),
	REFUSAL(PRO WHOLE,
	        ASK_GEMINI("default", "\"generationConfig\":{\"thinkingConfig\":"
	                              "{\"thinkingBudget\":0}},"),
	        "Budget 0 is invalid"),
	REFUSAL(LITE WHOLE, ASK_GEMINI("default", "\"tools\":[{\"googleSearch\":{}}],"),
	        "only functions"),
	REFUSAL(LITE "streamGenerateContent", ASK_GEMINI("default", ""), "alt=sse"),
	{ "/v1beta/models/palm-2:generateContent", ASK_GEMINI("default", ""),
	  "head 404 data done complete ", "\"status\":\"NOT_FOUND\"", "{\"status\":404}" },
};

static void gemini_refuses_a_wrong_history(void)
{
	sim_run_rows(&run, GEMINI_HISTORY, ARRAY_LEN(GEMINI_HISTORY));
}

static const struct sim_row WRONG_KEY[] = {
	REFUSAL(LITE WHOLE, ASK_GEMINI("default", ""),
	        "\"status\":\"INVALID_ARGUMENT\",\"details\":[{\"@type\":"
	        "\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":\"API_KEY_INVALID\""),
};

static void a_wrong_key_is_a_bad_request_to_gemini(void)
{
	run.google_key = "sk-wrong";
	sim_run_rows(&run, WRONG_KEY, ARRAY_LEN(WRONG_KEY));
	run.google_key = NULL;
}

/* ---- Kimi ---- */

#define KIMI "/kimi/v1/chat/completions"
#define ASK_KIMI(scenario, more)         \
	"{\"model\":\"kimi-k2.6\"," more \
	"\"messages\":[{\"role\":\"user\",\"content\":\"[[" scenario "]] hi\"}]}"
#define STREAM "\"stream\":true,"
#define STREAM_USAGE STREAM "\"stream_options\":{\"include_usage\":true},"
#define KIMI_CALL(more)                                                                          \
	"\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\"," more     \
	"\"tool_calls\":[{\"id\":\"call_1\",\"type\":\"function\",\"function\":{\"name\":\"f\"," \
	"\"arguments\":\"{}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"call_1\",\"content\":\"ok\"}]"
#define KIMI_TOOL(more) "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"" more "}}],"

static const struct sim_row KIMI_ROWS[] = {
	{ KIMI, ASK_KIMI("five-classes", ""), SIM_ANSWERED,
	  "\"usage\":{\"prompt_tokens\":1750,\"completion_tokens\":120,\"total_tokens\":1870,"
	  "\"cached_tokens\":1500,",
	  "{\"provider\":\"kimi\",\"uncachedInputTokens\":250,\"cacheWrite5mTokens\":0,"
	  "\"cacheReadTokens\":1500,\"outputTokens\":120,\"reported\":true}" },
	{ KIMI, ASK_KIMI("default", STREAM), SIM_ANSWERED,
	  "\"finish_reason\":\"stop\",\"usage\":{\"prompt_tokens\":24,",
	  "{\"stream\":true,\"reported\":true}" },
	{ KIMI, ASK_KIMI("default", STREAM_USAGE), SIM_ANSWERED,
	  "\"choices\":[],\"usage\":{\"prompt_tokens\":24,", "{\"outputTokens\":20}" },
	{ KIMI, ASK_KIMI("reasoning", STREAM), SIM_ANSWERED,
	  "\"delta\":{\"reasoning_content\":\"First the", "{\"outputTokens\":60}" },
	{ KIMI, ASK_KIMI("reasoning", ""), SIM_ANSWERED,
	  "\"message\":{\"role\":\"assistant\",\"content\":\"All is well.\",\"reasoning_content\":"
	  "\"First the status",
	  "{\"outputTokens\":60}" },
	{ KIMI, ASK_KIMI("error-402", ""), "head 429 data done complete ",
	  "{\"error\":{\"type\":\"exceeded_current_quota_error\",\"message\":",
	  "{\"status\":429}" },
	{ KIMI, ASK_KIMI("error-529", ""), "head 429 data done complete ",
	  "engine_overloaded_error", "{\"status\":429}" },
	{ KIMI, ASK_KIMI("blocked-prompt", ""), SIM_REFUSED, "\"type\":\"content_filter\"",
	  "{\"status\":400,\"uncachedInputTokens\":0}" },
	{ KIMI, "{\"model\":\"gpt-5.4\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}",
	  "head 404 data done complete ", "resource_not_found_error", "{\"status\":404}" },
	REFUSAL(KIMI, ASK_KIMI("default", "\"temperature\":0,"), "invalid temperature"),
	REFUSAL(KIMI, ASK_KIMI("default", "\"top_p\":1,"), "invalid top_p"),
	REFUSAL(KIMI, ASK_KIMI("default", "\"n\":2,"), "invalid n"),
	REFUSAL(KIMI,
	        "{\"model\":\"kimi-k2.6\",\"messages\":[{\"role\":\"developer\","
	        "\"content\":\"hi\"}]}",
	        "messages[0]: invalid role"),
	REFUSAL(KIMI, ASK_KIMI("default", KIMI_TOOL(",\"strict\":true")), "'strict'"),
	REFUSAL(KIMI,
	        ASK_KIMI("default", KIMI_TOOL(",\"parameters\":{\"type\":\"object\",\"properties\":"
	                                      "{\"a\":{\"type\":\"object\",\"properties\":"
	                                      "{\"b\":{}}}}}")),
	        "property 'b' has no type"),
	REFUSAL(KIMI, ASK_KIMI("default", KIMI_TOOL("") "\"tool_choice\":\"required\","),
	        "incompatible with thinking"),
	REFUSAL(KIMI, "{\"model\":\"kimi-k2.6\"," KIMI_CALL("") "}",
	        "reasoning_content is missing"),
	{ KIMI, "{\"model\":\"kimi-k2.6\"," KIMI_CALL("\"reasoning_content\":\"hm\",") "}",
	  SIM_ANSWERED, "Deployment", "{\"scenario\":\"default\"}" },
	{ KIMI, "{\"model\":\"kimi-k2.6\",\"thinking\":{\"type\":\"disabled\"}," KIMI_CALL("") "}",
	  SIM_ANSWERED, "Deployment", "{\"status\":200}" },
	REFUSAL(KIMI,
	        "{\"model\":\"kimi-k3\",\"thinking\":{\"type\":\"disabled\"}," KIMI_CALL("") "}",
	        "reasoning_content is missing"),
	{ "/kimi/v1/models", NULL, SIM_ANSWERED, "{\"id\":\"kimi-k2.6\",\"object\":\"model\"",
	  "{\"provider\":\"kimi\"}" },
};

static void kimi_has_its_own_counts_and_rules(void)
{
	sim_run_rows(&run, KIMI_ROWS, ARRAY_LEN(KIMI_ROWS));
}

/* ---- Responses ---- */

#define RESPONSES "/v1/responses"
#define ASK_RESPONSE(scenario, more)                                                       \
	"{\"model\":\"gpt-5.4\",\"store\":false," more "\"input\":"                        \
	"[{\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"[[" scenario \
	"]] hi\"}]}]}"
#define ASK_ITEMS(items) "{\"model\":\"gpt-5.4\",\"store\":false,\"input\":[" items "]}"
#define ITEM_CALL \
	"{\"type\":\"function_call\",\"call_id\":\"call_1\",\"name\":\"f\",\"arguments\":\"{}\"}"
#define ITEM_RESULT \
	"{\"type\":\"function_call_output\",\"call_id\":\"call_1\",\"output\":\"[[text-and-tool]]\"}"
#define ITEM_THOUGHT(sealed) \
	"{\"type\":\"reasoning\",\"summary\":[],\"encrypted_content\":\"" sealed "\"}"
#define SEALED "\"include\":[\"reasoning.encrypted_content\"],"
#define SUMMARY "\"reasoning\":{\"summary\":\"auto\"},"

static const struct sim_row RESPONSE_ROWS[] = {
	{ RESPONSES, ASK_RESPONSE("written-1h", ""), SIM_ANSWERED,
	  "\"usage\":{\"input_tokens\":1010,\"input_tokens_details\":{\"cached_tokens\":0,"
	  "\"cache_write_tokens\":1000,\"cache_write_tokens_details\":{\"ttl_30m_tokens\":300,"
	  "\"ttl_12h_tokens\":700}},\"output_tokens\":40,\"output_tokens_details\":"
	  "{\"reasoning_tokens\":0},\"total_tokens\":1050}",
	  "{\"provider\":\"openai\",\"path\":\"/v1/responses\",\"cacheWrite5mTokens\":300,"
	  "\"cacheWrite1hTokens\":700,\"reported\":true}" },
	{ RESPONSES, ASK_RESPONSE("default", STREAM), SIM_ANSWERED,
	  "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,",
	  "{\"stream\":true,\"outputTokens\":20,\"reported\":true}" },
	/* Two of the response, two of the item's begin, eight pieces, three of its end. */
	{ RESPONSES, ASK_RESPONSE("default", STREAM), SIM_ANSWERED,
	  "event: response.completed\ndata: {\"type\":\"response.completed\","
	  "\"sequence_number\":15,",
	  "{\"reported\":true}" },
	{ RESPONSES, ASK_RESPONSE("thinking-tool", STREAM SEALED SUMMARY), SIM_ANSWERED,
	  "{\"type\":\"summary_text\",\"text\":\"The queue depth is not known yet. A look-up will "
	  "tell.\"}],\"encrypted_content\":\"" SEALED_THOUGHT "\"}}\n\nevent: "
	  "response.output_item.added\ndata: {\"type\":\"response.output_item.added\",",
	  "{\"outputTokens\":40}" },
	{ RESPONSES, ASK_RESPONSE("tool-call", STREAM), SIM_ANSWERED,
	  "event: response.function_call_arguments.done\n", "{\"outputTokens\":45}" },
	{ RESPONSES, ASK_RESPONSE("default", "\"max_output_tokens\":16,"), SIM_ANSWERED,
	  "\"incomplete_details\":{\"reason\":\"max_output_tokens\"}", "{\"outputTokens\":16}" },
	{ RESPONSES, ASK_RESPONSE("blocked-prompt", STREAM), SIM_ANSWERED,
	  "event: response.incomplete\n", "{\"outputTokens\":0,\"reported\":true}" },
	{ RESPONSES, ASK_RESPONSE("refusal", STREAM), SIM_ANSWERED,
	  "event: response.refusal.done\n", "{\"outputTokens\":8}" },
	{ RESPONSES, ASK_RESPONSE("error-event", STREAM), SIM_ANSWERED,
	  "event: error\ndata: {\"type\":\"error\",\"sequence_number\":7,",
	  "{\"reported\":false}" },
	{ RESPONSES, ASK_RESPONSE("error-402", ""), "head 429 data done complete ",
	  "\"code\":\"insufficient_quota\"", "{\"status\":429}" },
	{ RESPONSES, ASK_ITEMS(ITEM_THOUGHT(SEALED_THOUGHT) "," ITEM_CALL "," ITEM_RESULT),
	  SIM_ANSWERED, "Let me look that up.", "{\"scenario\":\"text-and-tool\"}" },
	{ RESPONSES "/input_tokens", ASK_RESPONSE("five-classes", ""), SIM_ANSWERED,
	  "{\"object\":\"response.input_tokens\",\"input_tokens\":1750}",
	  "{\"reported\":false,\"outputTokens\":0}" },
	REFUSAL(RESPONSES, ASK_ITEMS(ITEM_CALL), "no tool output found"),
	REFUSAL(RESPONSES, ASK_ITEMS(ITEM_RESULT), "no tool call found"),
	REFUSAL(RESPONSES, ASK_ITEMS(ITEM_THOUGHT("abc")), "invalid_encrypted_content"),
	REFUSAL(RESPONSES,
	        ASK_ITEMS("{\"role\":\"assistant\",\"content\":[{\"type\":\"input_text\","
	                  "\"text\":\"a\"}]}"),
	        "does not fit the role"),
	REFUSAL(RESPONSES, "{\"model\":\"gpt-5.4\",\"input\":\"hi\"}", "\"param\":\"store\""),
	REFUSAL(RESPONSES, ASK_RESPONSE("default", "\"previous_response_id\":\"resp_1\","),
	        "\"param\":\"previous_response_id\""),
	REFUSAL(RESPONSES, ASK_RESPONSE("default", "\"max_output_tokens\":5,"), "expected a value"),
	REFUSAL(RESPONSES,
	        ASK_RESPONSE("default", "\"tools\":[{\"type\":\"function\",\"function\":"
	                                "{\"name\":\"f\"}}],"),
	        "missing required parameter 'name'"),
};

static void responses_keep_nothing(void)
{
	sim_run_rows(&run, RESPONSE_ROWS, ARRAY_LEN(RESPONSE_ROWS));
}

/* ---- Messages, and tools of Chat Completions ---- */

#define MESSAGES "/v1/messages"
#define COUNT MESSAGES "/count_tokens"
#define CHAT "/v1/chat/completions"
#define CLAUDE(model, more, messages) \
	"{\"model\":\"" model "\",\"max_tokens\":2000," more "\"messages\":[" messages "]}"
#define SAID(role, blocks) "{\"role\":\"" role "\",\"content\":[" blocks "]}"
#define TEXT "{\"type\":\"text\",\"text\":\"hi\"}"
#define THOUGHT(text) \
	"{\"type\":\"thinking\",\"thinking\":\"" text "\",\"signature\":\"" SIGNED_THOUGHT "\"}"
#define USE "{\"type\":\"tool_use\",\"id\":\"toolu_1\",\"name\":\"f\",\"input\":{}}"
#define USED "{\"type\":\"tool_result\",\"tool_use_id\":\"toolu_1\",\"content\":\"ok\"}"
#define WORDS "First the status of each region, then the queues. Nothing stands out."
#define HAIKU "claude-haiku-4-5"

static const struct sim_row MESSAGE_ROWS[] = {
	{ MESSAGES,
	  CLAUDE(HAIKU, "", SAID("user", "{\"type\":\"text\",\"text\":\"[[reasoning]]\"}")),
	  SIM_ANSWERED, "\"signature\":\"" SIGNED_THOUGHT "\"", "{\"outputTokens\":60}" },
	{ MESSAGES,
	  CLAUDE(HAIKU, "",
	         SAID("user", TEXT) "," SAID("assistant", THOUGHT(WORDS) "," USE) "," SAID(
			 "user", USED "," TEXT)),
	  SIM_ANSWERED, "Deployment", "{\"scenario\":\"default\"}" },
	REFUSAL(MESSAGES,
	        CLAUDE(HAIKU, "",
	               SAID("user", TEXT) "," SAID("assistant", THOUGHT("Other words.") "," TEXT)),
	        "messages.1: Invalid `signature` in `thinking` block"),
	REFUSAL(MESSAGES,
	        CLAUDE(HAIKU, "",
	               SAID("user", TEXT) "," SAID("assistant", USE) "," SAID("user",
	                                                                      TEXT "," USED)),
	        "must come first"),
	REFUSAL(MESSAGES,
	        CLAUDE(HAIKU, "",
	               SAID("user", TEXT) "," SAID("assistant", USE) "," SAID("user", TEXT)),
	        "without `tool_result` blocks immediately after: toolu_1"),
	REFUSAL(MESSAGES, CLAUDE(HAIKU, "", SAID("user", USED)), "unexpected `tool_use_id`"),
	{ MESSAGES, CLAUDE(HAIKU, "", SAID("user", TEXT) "," SAID("assistant", TEXT)), SIM_ANSWERED,
	  "Deployment", "{\"status\":200}" },
	REFUSAL(MESSAGES,
	        CLAUDE("claude-sonnet-4-6", "", SAID("user", TEXT) "," SAID("assistant", TEXT)),
	        "does not support assistant message prefill"),
	REFUSAL(MESSAGES,
	        CLAUDE(HAIKU, "\"thinking\":{\"type\":\"adaptive\"},", SAID("user", TEXT)),
	        "adaptive thinking is not supported"),
	REFUSAL(MESSAGES,
	        CLAUDE("claude-opus-4-7",
	               "\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":1024},",
	               SAID("user", TEXT)),
	        "is not supported for this model"),
	REFUSAL(MESSAGES,
	        CLAUDE(HAIKU, "\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":2000},",
	               SAID("user", TEXT)),
	        "must be greater than"),
	REFUSAL(MESSAGES, CLAUDE("claude-sonnet-5", "\"temperature\":0,", SAID("user", TEXT)),
	        "`temperature` is not supported"),
	{ MESSAGES,
	  CLAUDE(HAIKU, "", SAID("user", "{\"type\":\"text\",\"text\":\"[[blocked-prompt]]\"}")),
	  SIM_ANSWERED, "\"content\":[],\"stop_reason\":\"refusal\"", "{\"reported\":false}" },
	{ COUNT,
	  "{\"model\":\"" HAIKU "\",\"messages\":[{\"role\":\"user\",\"content\":"
	  "\"[[five-classes]]\"}]}",
	  SIM_ANSWERED, "{\"input_tokens\":1750}",
	  "{\"path\":\"/v1/messages/count_tokens\",\"reported\":false}" },
	{ COUNT,
	  "{\"model\":\"" HAIKU "\",\"messages\":[{\"role\":\"user\",\"content\":"
	  "\"[[error-529]]\"}]}",
	  "head 529 data done complete ", "overloaded_error", "{\"status\":529}" },
	{ CHAT, "{\"model\":\"gpt-5.4\"," KIMI_CALL("") "}", SIM_ANSWERED, "Deployment",
	  "{\"scenario\":\"default\"}" },
	REFUSAL(CHAT,
	        "{\"model\":\"gpt-5.4\",\"messages\":[{\"role\":\"tool\",\"tool_call_id\":\"a\","
	        "\"content\":\"ok\"}]}",
	        "must be a response to a preceding message"),
	REFUSAL(CHAT,
	        "{\"model\":\"gpt-5.4\",\"messages\":[{\"role\":\"assistant\",\"tool_calls\":"
	        "[{\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":"
	        "\"{}\"}}]},{\"role\":\"user\",\"content\":\"hi\"}]}",
	        "none for a"),
};

static void histories_of_messages_and_chats_are_checked(void)
{
	sim_run_rows(&run, MESSAGE_ROWS, ARRAY_LEN(MESSAGE_ROWS));
}

static const struct check_case CASES[] = {
	CASE(gemini_answers_in_its_own_words),
	CASE(gemini_refuses_a_wrong_history),
	CASE(a_wrong_key_is_a_bad_request_to_gemini),
	CASE(kimi_has_its_own_counts_and_rules),
	CASE(responses_keep_nothing),
	CASE(histories_of_messages_and_chats_are_checked),
};

int main(int argc, char **argv)
{
	(void)argc;
	return sim_run_main(&run, argv, CASES, ARRAY_LEN(CASES));
}
