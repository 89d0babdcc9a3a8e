/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of requests refuse, with place and text, what they take over, and their limits.
 * What becomes of an accepted request is in test_router_write.c. */
#include "tests/check.h"
#include "tests/talk_world.h"

#define HI "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"

struct refusal {
	const char *body;
	enum err_code code;
	const char *says;
};

static void check_refusals(talk_reader_fn *read, const struct refusal *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		OWN_TALK struct talk talk;
		struct err err = { 0 };

		talk_init(&talk);
		if (read(str_of(rows[i].body), &talk, &err))
			CHECK_FAIL("not refused: %s", rows[i].body);
		else if (err.code != rows[i].code ||
		         str_find(str_of(err.text), str_of(rows[i].says)) < 0)
			CHECK_FAIL("%s\n# says %s: %s", rows[i].body, err_code_name(err.code),
			           err.text);
	}
}

#define BAD ERR_INVALID_ARGUMENT
#define NOT ERR_UNSUPPORTED

static void chat_members_are_refused_by_name(void)
{
	static const struct refusal rows[] = {
		{ "", BAD, "" },
		{ "[]", BAD, "the body must be a JSON object" },
		{ "{}", BAD, "'messages' is required" },
		{ "{\"messages\":[]}", BAD, "'messages' must have a message" },
		{ "{" HI ",\"temprature\":1}", BAD, "unknown parameter 'temprature'" },
		{ "{" HI ",\"n\":2}", NOT, "'n' may only be 1" },
		{ "{" HI ",\"n\":0}", BAD, "'n' must be a whole number from 1" },
		{ "{" HI ",\"logprobs\":true}", NOT, "'logprobs' may only be false" },
		{ "{" HI ",\"top_logprobs\":3}", NOT, "'top_logprobs' is not offered here" },
		{ "{" HI ",\"logit_bias\":{\"50256\":-100}}", NOT, "'logit_bias' may only be {}" },
		{ "{" HI ",\"modalities\":[\"text\",\"audio\"]}", NOT, "[\"text\"]" },
		{ "{" HI ",\"audio\":{\"voice\":\"x\"}}", NOT, "'audio' is not offered here" },
		{ "{" HI ",\"prediction\":{}}", NOT, "'prediction' is not offered here" },
		{ "{" HI ",\"web_search_options\":{}}", NOT, "'web_search_options' is not" },
		{ "{" HI ",\"moderation\":{}}", NOT, "'moderation' is not" },
		{ "{" HI ",\"functions\":[]}", NOT, "use 'tools'" },
		{ "{" HI ",\"function_call\":\"auto\"}", NOT, "use 'tool_choice'" },
		{ "{" HI ",\"stream\":1}", BAD, "'stream' must be true or false" },
		{ "{" HI ",\"temperature\":\"1\"}", BAD, "'temperature' must be a number" },
		{ "{" HI ",\"max_tokens\":1.5}", BAD, "'max_tokens' must be a whole number" },
		{ "{" HI ",\"max_tokens\":0}", BAD, "'max_tokens' must be a whole number" },
		{ "{" HI ",\"reasoning_effort\":\"huge\"}", BAD, "\"xhigh\" or \"max\"" },
		{ "{" HI ",\"stop\":1}", BAD, "'stop' must be a string or an array" },
		{ "{" HI ",\"stop\":[\"\"]}", BAD, "must not have an empty text" },
		{ "{" HI ",\"stop\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"a\","
		  "\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\"]}",
		  BAD, "at most 16" },
		{ "{" HI ",\"response_format\":{\"type\":\"xml\"}}", BAD,
		  "response_format: 'type'" },
	};

	check_refusals(talk_read_chat, rows, ARRAY_LEN(rows));
}

#define ASKED(message) "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}," message "]}"
#define CALLED(arguments)                                                                    \
	ASKED("{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\",\"type\":\"function\"," \
	      "\"function\":{\"name\":\"f\",\"arguments\":\"" arguments "\"}}]}")

static void chat_messages_are_refused_with_their_place(void)
{
	static const struct refusal rows[] = {
		{ ASKED("1"), BAD, "messages[1]: must be an object" },
		{ ASKED("{}"), BAD, "messages[1]: 'role' is required" },
		{ ASKED("{\"role\":\"robot\"}"), BAD, "messages[1]: 'role' may be" },
		{ ASKED("{\"role\":\"function\",\"name\":\"f\"}"), BAD, "messages[1]: 'role'" },
		{ ASKED("{\"role\":\"user\",\"content\":1}"), BAD, "'content' must be a string" },
		{ ASKED("{\"role\":\"user\",\"content\":[1]}"), BAD,
		  "messages[1]: content[0]: must be an object" },
		{ ASKED("{\"role\":\"user\",\"content\":[{\"type\":\"video\"}]}"), BAD,
		  "content[0]: a part of type 'video'" },
		{ ASKED("{\"role\":\"system\",\"content\":[{\"type\":\"image_url\"}]}"), BAD,
		  "use \"text\"" },
		{ ASKED("{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":"
		        "{\"url\":\"http://e/x.png\"}}]}"),
		  BAD, "https:// or data:image/" },
		{ ASKED("{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":"
		        "{\"url\":\"data:image/tiff;base64,AAAA\"}}]}"),
		  BAD, "image/jpeg, image/png" },
		{ ASKED("{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":"
		        "{\"url\":\"data:image/png,AAAA\"}}]}"),
		  BAD, "https:// or data:image/" },
		{ ASKED("{\"role\":\"user\",\"content\":[{\"type\":\"file\",\"file\":"
		        "{\"file_id\":\"f\"}}]}"),
		  NOT, "send 'file_data'" },
		{ ASKED("{\"role\":\"user\",\"content\":[{\"type\":\"file\",\"file\":"
		        "{\"file_data\":\"AAAA\"}}]}"),
		  BAD, "data:application/pdf;base64," },
		{ ASKED("{\"role\":\"user\",\"content\":[{\"type\":\"file\",\"file\":"
		        "{\"file_data\":\"data:text/plain;base64,AAAA\"}}]}"),
		  NOT, "application/pdf" },
		{ ASKED("{\"role\":\"user\",\"content\":[{\"type\":\"input_audio\","
		        "\"input_audio\":{\"data\":\"A\",\"format\":\"ogg\"}}]}"),
		  BAD, "\"wav\" or \"mp3\"" },
		{ CALLED("{"), BAD,
		  "messages[1]: tool_calls[0]: 'arguments' must be the text of a JSON object" },
		{ CALLED("[]"), BAD, "'arguments' must be" },
		{ CALLED("{} {}"), BAD, "'arguments' must be" },
		{ ASKED("{\"role\":\"assistant\",\"tool_calls\":1}"), BAD, "must be an array" },
		{ ASKED("{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\"}]}"), BAD,
		  "tool_calls[0]: 'name' is required" },
		{ ASKED("{\"role\":\"assistant\",\"audio\":{\"id\":\"a\"}}"), NOT, "'audio'" },
		{ ASKED("{\"role\":\"assistant\",\"function_call\":{}}"), NOT, "'tool_calls'" },
		{ ASKED("{\"role\":\"tool\",\"content\":\"x\"}"), BAD,
		  "'tool_call_id' is required" },
		{ ASKED("{\"role\":\"tool\",\"tool_call_id\":\"z\",\"content\":\"x\"}"), BAD,
		  "messages[1]: 'z' is not the id of a tool call before it" },
	};

	check_refusals(talk_read_chat, rows, ARRAY_LEN(rows));
}

static void chat_tools_are_refused_with_their_place(void)
{
	static const struct refusal rows[] = {
		{ "{" HI ",\"tools\":{}}", BAD, "'tools' must be an array" },
		{ "{" HI ",\"tools\":[{\"type\":\"builtin_function\"}]}", NOT,
		  "tools[0]: a tool of type 'builtin_function'" },
		{ "{" HI ",\"tools\":[{\"type\":\"function\",\"function\":{}}]}", BAD,
		  "tools[0]: 'name' is required" },
		{ "{" HI ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\","
		  "\"parameters\":[]}}]}",
		  BAD, "a schema must be an object" },
		{ "{" HI ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\","
		  "\"strict\":1}}]}",
		  BAD, "'strict' must be true or false" },
		{ "{" HI ",\"tool_choice\":\"maybe\"}", BAD, "tool_choice: 'tool_choice' may be" },
		{ "{" HI ",\"tool_choice\":{\"type\":\"function\"}}", BAD, "'name' is required" },
		{ "{" HI ",\"tool_choice\":{\"type\":\"allowed_tools\",\"allowed_tools\":"
		  "{\"tools\":[]}}}",
		  BAD, "names none of the request's tools" },
		{ "{" HI ",\"tool_choice\":{\"type\":\"allowed_tools\",\"allowed_tools\":{}}}", BAD,
		  "must be an array" },
		{ "{" HI ",\"parallel_tool_calls\":0}", BAD, "must be true or false" },
	};

	check_refusals(talk_read_chat, rows, ARRAY_LEN(rows));
}

#define MAX "\"max_tokens\":9,"
#define BLOCK(block) "{" MAX "\"messages\":[{\"role\":\"user\",\"content\":[" block "]}]}"
#define SAID(block) "{" MAX "\"messages\":[{\"role\":\"assistant\",\"content\":[" block "]}]}"

static void messages_are_refused_with_their_place(void)
{
	static const struct refusal rows[] = {
		{ "{" HI "}", BAD, "'max_tokens' is required" },
		{ "{\"max_tokens\":0," HI "}", BAD, "'max_tokens' must be a whole number" },
		{ "{" MAX "\"messages\":{}}", BAD, "'messages' is required and an array" },
		{ "{" MAX HI ",\"container\":\"c\"}", NOT, "'container' is not offered" },
		{ "{" MAX HI ",\"mcp_servers\":[]}", NOT, "'mcp_servers' is not offered" },
		{ "{" MAX HI ",\"fallbacks\":[]}", NOT, "'fallbacks' is not offered" },
		{ "{" MAX HI ",\"thread\":{}}", NOT, "'thread' is not offered" },
		{ "{" MAX HI ",\"speed\":\"fast\"}", NOT, "\"standard\"" },
		{ "{" MAX HI ",\"inference_geo\":\"us\"}", NOT, "\"global\"" },
		{ "{" MAX HI ",\"system\":[{\"type\":\"image\"}]}", BAD,
		  "system[0]: 'system' may only have text blocks" },
		{ "{" MAX HI ",\"thinking\":{\"type\":\"enabled\"}}", BAD, "'budget_tokens'" },
		{ "{" MAX HI ",\"output_config\":{\"effort\":\"x\"}}", BAD, "'effort' may be" },
		{ "{" MAX HI ",\"output_config\":{\"format\":{\"type\":\"text\"}}}", BAD,
		  "\"json_schema\"" },
		{ "{" MAX HI ",\"tools\":[{\"type\":\"web_search_20260318\",\"name\":\"w\"}]}", NOT,
		  "tools[0]: a tool of type 'web_search_20260318'" },
		{ "{" MAX HI ",\"tools\":[{\"name\":\"f\",\"cache_control\":{\"ttl\":\"2h\"}}]}",
		  BAD, "\"5m\" or \"1h\"" },
		{ "{" MAX HI ",\"tool_choice\":{\"type\":\"tool\",\"name\":\"f\"}}", BAD,
		  "tool_choice: 'f' is none" },
		{ "{" MAX HI ",\"tool_choice\":{\"type\":\"some\"}}", BAD, "\"any\"" },
		{ BLOCK("{\"type\":\"search_result\"}"), NOT,
		  "messages[0]: content[0]: a block of type 'search_result'" },
		{ BLOCK("{\"type\":\"image\",\"source\":{\"type\":\"file\"}}"), NOT, "\"base64\"" },
		{ BLOCK("{\"type\":\"document\",\"source\":{\"type\":\"file\"}}"), NOT, "\"url\"" },
		{ BLOCK("{\"type\":\"document\",\"source\":{\"type\":\"url\",\"url\":\"x\"}}"), BAD,
		  "https://" },
		{ BLOCK("{\"type\":\"tool_result\",\"tool_use_id\":\"z\"}"), BAD, "'z' is not" },
		{ BLOCK("{\"type\":\"tool_use\",\"id\":\"a\",\"name\":\"f\"}"), NOT, "'tool_use'" },
		{ SAID("{\"type\":\"server_tool_use\"}"), NOT, "'server_tool_use'" },
		{ SAID("{\"type\":\"tool_use\",\"id\":\"a\",\"name\":\"f\",\"input\":[]}"), BAD,
		  "'input' must be an object" },
		{ SAID("{\"type\":\"redacted_thinking\"}"), BAD, "'data' is required" },
		{ "{" MAX "\"messages\":[{\"role\":\"tool\"}]}", BAD, "\"user\" or \"assistant\"" },
		{ "{" MAX "\"messages\":[{\"role\":\"user\",\"content\":\"\"}]}", BAD,
		  "a message that is not empty" },
	};

	check_refusals(talk_read_messages, rows, ARRAY_LEN(rows));
}

#define ITEM(item) "{\"input\":[" item "]}"

static void responses_are_refused_with_their_place(void)
{
	static const struct refusal rows[] = {
		{ "{}", BAD, "'input' is required" },
		{ "{\"input\":\"\"}", BAD, "'input' must have a message" },
		{ "{\"input\":\"x\",\"previous_response_id\":\"resp_1\"}", NOT,
		  "'previous_response_id' is not offered here: nothing is kept" },
		{ "{\"input\":\"x\",\"conversation\":\"c\"}", NOT, "'conversation'" },
		{ "{\"input\":\"x\",\"prompt\":{\"id\":\"p\"}}", NOT, "'prompt'" },
		{ "{\"input\":\"x\",\"background\":true}", NOT, "'background' may only be false" },
		{ "{\"input\":\"x\",\"store\":true}", NOT, "'store' may only be false" },
		{ "{\"input\":\"x\",\"include\":[\"message.output_text.logprobs\"]}", NOT,
		  "logprobs" },
		{ "{\"input\":\"x\",\"text\":{\"format\":{\"type\":\"json_schema\"}}}", BAD,
		  "'schema'" },
		{ "{\"input\":\"x\",\"text\":{\"format\":{\"type\":\"xml\"}}}", BAD, "'type'" },
		{ "{\"input\":\"x\",\"tools\":[{\"type\":\"local_shell\"}]}", NOT,
		  "tools[0]: a tool of type 'local_shell'" },
		{ "{\"input\":\"x\",\"tools\":[{\"type\":\"mcp\"}]}", NOT, "'mcp'" },
		{ "{\"input\":\"x\",\"tools\":[{\"type\":\"namespace\",\"name\":\"n\",\"tools\":"
		  "[{\"type\":\"function\"}]}]}",
		  BAD, "tools[0]: tools[0]: 'name' is required" },
		{ "{\"input\":\"x\",\"tools\":[{\"type\":\"web_search\"}],\"tool_choice\":"
		  "{\"type\":\"web_search\"}}",
		  BAD, "tool_choice: 'name' is required" },
		{ ITEM("7"), BAD, "input[0]: must be an object" },
		{ ITEM("{\"type\":\"item_reference\",\"id\":\"x\"}"), NOT, "'item_reference'" },
		{ ITEM("{\"type\":\"local_shell_call\"}"), NOT, "'local_shell_call'" },
		{ ITEM("{\"type\":\"compaction\"}"), NOT, "'compaction'" },
		{ ITEM("{\"role\":\"robot\"}"), BAD, "'role' may be" },
		{ ITEM("{\"role\":\"user\",\"content\":[{\"type\":\"input_image\","
		       "\"file_id\":\"f\"}]}"),
		  NOT, "input[0]: content[0]: 'file_id'" },
		{ ITEM("{\"role\":\"user\",\"content\":[{\"type\":\"input_file\","
		       "\"file_url\":\"f\"}]}"),
		  NOT, "'file_url'" },
		{ ITEM("{\"role\":\"assistant\",\"content\":[{\"type\":\"input_image\"}]}"), NOT,
		  "'input_image' cannot stand here" },
		{ ITEM("{\"type\":\"function_call\",\"call_id\":\"a\",\"name\":\"f\","
		       "\"arguments\":\"{\"}"),
		  BAD, "input[0]: 'arguments'" },
		{ ITEM("{\"type\":\"function_call_output\",\"call_id\":\"a\"}"), BAD,
		  "'a' is not the id" },
	};

	check_refusals(talk_read_responses, rows, ARRAY_LEN(rows));
}

/* A list with `n` times the piece, between a head and a tail. */
static void repeat(struct buf *out, const char *head, const char *piece, size_t n, const char *tail)
{
	buf_add_z(out, head);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_add_char(out, ',');
		buf_add_z(out, piece);
	}
	buf_add_z(out, tail);
}

static void check_limit(const char *head, const char *piece, size_t most, const char *tail)
{
	for (size_t over = 0; over < 2; over++) {
		OWN_BUF struct buf body = buf_make(LIMIT_HTTP_BODY);
		OWN_TALK struct talk talk;
		struct err err = { 0 };

		talk_init(&talk);
		repeat(&body, head, piece, most + over, tail);
		CHECK_I64(talk_read_chat(buf_str(&body), &talk, &err), over == 0);
		CHECK_I64(err.code, over ? ERR_TOO_LARGE : ERR_NONE);
	}
}

static void tools_and_calls_have_a_limit(void)
{
	check_limit("{" HI ",\"tools\":[", "{\"type\":\"function\",\"function\":{\"name\":\"f\"}}",
	            LIMIT_TALK_TOOLS, "]}");
	check_limit("{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[",
	            "{\"id\":\"a\",\"function\":{\"name\":\"f\"}}", LIMIT_TALK_CALLS, "]}]}");
	check_limit("{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\","
	            "\"function\":{\"name\":\"f\"}}]},",
	            "{\"role\":\"tool\",\"tool_call_id\":\"a\"}", LIMIT_TALK_CALLS, "]}");
}

static void a_namespace_is_joined_and_remembered(void)
{
	OWN_TALK struct talk talk;
	const struct talk_tool *tool;

	talk_init(&talk);
	if (!CHECK(talk_read_responses(
		    STR("{\"input\":\"x\",\"tools\":[{\"type\":\"namespace\",\"name\":\"mcp__mail\","
	                "\"tools\":[{\"type\":\"function\",\"name\":\"send\"}]}]}"),
		    &talk, NULL)))
		return;
	tool = talk_tool_find(&talk, STR("mcp__mail__send"));
	if (!CHECK(tool != NULL))
		return;
	CHECK_TEXT(tool->space, "mcp__mail");
	CHECK_TEXT(tool->plain, "send");
}

static void what_answers_need_is_kept(void)
{
	OWN_TALK struct talk chat, messages, responses;

	talk_init(&chat);
	talk_init(&messages);
	talk_init(&responses);
	CHECK(talk_read_chat(STR("{" HI ",\"stream\":true,\"stream_options\":"
	                         "{\"include_usage\":true},\"reasoning_effort\":\"low\"}"),
	                     &chat, NULL));
	CHECK(chat.stream && chat.wants_usage && chat.thinking_asked);
	CHECK_I64(chat.effort, TALK_EFFORT_LOW);
	CHECK(talk_read_messages(STR("{" MAX HI "}"), &messages, NULL));
	CHECK(!messages.stream && messages.wants_usage && !messages.thinking_asked);
	CHECK_I64(messages.thinking_budget, -1);
	CHECK(talk_read_responses(STR("{\"input\":\"x\",\"reasoning\":{\"summary\":\"auto\"}}"),
	                          &responses, NULL));
	CHECK(responses.thinking_asked);
	CHECK_STR(responses.list_name, "input");
}

static void an_index_is_that_of_the_first_message_of_a_turn(void)
{
	OWN_TALK struct talk talk;

	talk_init(&talk);
	if (!CHECK(talk_read_chat(
		    STR("{\"messages\":[{\"role\":\"system\",\"content\":\"s\"},"
	                "{\"role\":\"user\",\"content\":\"\"},{\"role\":\"user\",\"content\":\"a\"},"
	                "{\"role\":\"user\",\"content\":\"b\"},"
	                "{\"role\":\"assistant\",\"content\":\"c\"}]}"),
		    &talk, NULL)))
		return;
	CHECK_I64(talk.turns->index, 2);
	CHECK_I64(talk.turns->next->index, 4);
	CHECK(talk.turns->next->next == NULL);
	CHECK_TEXT(talk.turns->parts->next->text, "b");
}

static void arguments_are_kept_to_the_byte(void)
{
	OWN_TALK struct talk talk;
	OWN_JSON_OUT struct json_out out = json_out_make(1u << 16);
	struct talk_target to = { talk_world_model(STR("claude-plain")), { 0 } };

	talk_init(&talk);
	CHECK(talk_read_chat(STR(CALLED("{\\\"id\\\":1234567890123456789}")), &talk, NULL));
	CHECK(talk_write_messages(&talk, &to, &out, NULL));
	CHECK(str_find(buf_str(&out.text), STR("\"input\":{\"id\":1234567890123456789}")) > 0);
}

static const struct check_case CASES[] = {
	CASE(chat_members_are_refused_by_name),
	CASE(chat_messages_are_refused_with_their_place),
	CASE(chat_tools_are_refused_with_their_place),
	CASE(messages_are_refused_with_their_place),
	CASE(responses_are_refused_with_their_place),
	CASE(tools_and_calls_have_a_limit),
	CASE(a_namespace_is_joined_and_remembered),
	CASE(what_answers_need_is_kept),
	CASE(an_index_is_that_of_the_first_message_of_a_turn),
	CASE(arguments_are_kept_to_the_byte),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
