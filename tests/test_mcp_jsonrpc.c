/* SPDX-License-Identifier: Apache-2.0 */
/* Lines and messages: where a line ends, what a message is, which faults get which number, and that
 * ids come back byte for byte. */
#include <stdlib.h>

#include "base/limits.h"
#include "mcp/jsonrpc.h"
#include "tests/check.h"

/* ---- Lines ---- */

struct seen {
	struct buf text; /* each line in brackets, "<long>" for one that was too long */
	size_t longest;
};

static void note_line(void *data, struct str line)
{
	struct seen *seen = data;

	if (!line.p) {
		buf_add(&seen->text, STR("<long>"));
		return;
	}
	if (line.len > seen->longest)
		seen->longest = line.len;
	if (line.len > 100)
		return;
	buf_add_char(&seen->text, '[');
	buf_add(&seen->text, line);
	buf_add_char(&seen->text, ']');
}

static const struct {
	const char *input;
	const char *lines;
} LINE_ROWS[] = {
	{ "a\nb\n", "[a][b]" },
	{ "a\r\nb\r\n", "[a][b]" },
	{ "\n\r\n \t\n  a\n", "[  a]" },
	{ "a", "" },
	{ "a\nb", "[a]" },
	{ "a\rb\n", "[a\rb]" },
	{ "", "" },
};

static void lines_end_at_newlines_wherever_reads_split_them(void)
{
	for (size_t i = 0; i < ARRAY_LEN(LINE_ROWS); i++) {
		struct str input = str_of(LINE_ROWS[i].input);

		for (size_t cut = 0; cut <= input.len; cut++) {
			struct seen seen = { .text = buf_make(1000) };
			struct mcp__lines lines;

			mcp__lines_init(&lines);
			mcp__lines_feed(&lines, (struct str){ input.p, cut }, note_line, &seen);
			mcp__lines_feed(&lines, (struct str){ input.p + cut, input.len - cut },
			                note_line, &seen);
			if (!CHECK_TEXT(buf_str(&seen.text), LINE_ROWS[i].lines))
				check_note("row %zu, cut at %zu", i, cut);
			mcp__lines_done(&lines);
			buf_done(&seen.text);
		}
	}
}

static void feed_many(struct mcp__lines *lines, char c, size_t n, struct seen *seen)
{
	char piece[4096];

	memset(piece, c, sizeof(piece));
	while (n > 0) {
		size_t step = n < sizeof(piece) ? n : sizeof(piece);

		mcp__lines_feed(lines, (struct str){ piece, step }, note_line, seen);
		n -= step;
	}
}

static void the_longest_line_is_taken_whole(void)
{
	struct seen seen = { .text = buf_make(1000) };
	struct mcp__lines lines;

	mcp__lines_init(&lines);
	feed_many(&lines, 'x', LIMIT_MCP_LINE, &seen);
	mcp__lines_feed(&lines, STR("\nnext\n"), note_line, &seen);
	CHECK_I64((int64_t)seen.longest, LIMIT_MCP_LINE);
	CHECK_TEXT(buf_str(&seen.text), "[next]");
	mcp__lines_done(&lines);
	buf_done(&seen.text);
}

static void a_longer_line_is_reported_once_and_skipped_to_its_newline(void)
{
	struct seen seen = { .text = buf_make(1000) };
	struct mcp__lines lines;

	mcp__lines_init(&lines);
	feed_many(&lines, 'x', LIMIT_MCP_LINE + 1, &seen);
	CHECK_TEXT(buf_str(&seen.text), "<long>");
	feed_many(&lines, 'x', (size_t)3 * LIMIT_MCP_LINE, &seen);
	mcp__lines_feed(&lines, STR("tail\nnext\n"), note_line, &seen);
	CHECK_TEXT(buf_str(&seen.text), "<long>[next]");
	mcp__lines_done(&lines);
	buf_done(&seen.text);
}

static void a_line_too_long_in_one_piece_is_reported_too(void)
{
	struct seen seen = { .text = buf_make(1000) };
	struct mcp__lines lines;
	size_t size = LIMIT_MCP_LINE + 2;
	char *text = malloc(size);

	if (!CHECK(text != NULL))
		return;
	memset(text, 'x', size);
	text[size - 1] = '\n';
	mcp__lines_init(&lines);
	mcp__lines_feed(&lines, (struct str){ text, size }, note_line, &seen);
	mcp__lines_feed(&lines, STR("next\n"), note_line, &seen);
	CHECK_TEXT(buf_str(&seen.text), "<long>[next]");
	mcp__lines_done(&lines);
	buf_done(&seen.text);
	free(text);
}

/* ---- Messages ---- */

static const struct {
	const char *text;
	enum mcp__kind kind;
	const char *id; /* NULL: absent */
} MESSAGE_ROWS[] = {
	{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}", MCP__REQUEST, "1" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"m\",\"params\":{}}", MCP__REQUEST, "0" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":-7,\"method\":\"m\"}", MCP__REQUEST, "-7" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":9007199254740993,\"method\":\"m\"}", MCP__REQUEST,
	  "9007199254740993" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":\"\",\"method\":\"m\"}", MCP__REQUEST, "\"\"" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":\"\\u0041\",\"method\":\"m\"}", MCP__REQUEST,
	  "\"\\u0041\"" },
	{ " { \"method\" : \"m\" , \"id\" : 1 , \"jsonrpc\" : \"2.0\" } ", MCP__REQUEST, "1" },
	{ "{\"jsonrpc\":\"2.0\",\"method\":\"m\"}", MCP__NOTIFICATION, NULL },
	{ "{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"params\":[1]}", MCP__NOTIFICATION, NULL },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", MCP__RESPONSE, "1" },
	{ "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":1,\"message\":\"\"}}", MCP__RESPONSE, NULL },
	{ "[]", MCP__BATCH, NULL },
	{ " [1,2]", MCP__BATCH, NULL },
};

static void messages_are_told_apart(void)
{
	for (size_t i = 0; i < ARRAY_LEN(MESSAGE_ROWS); i++) {
		struct mcp__message m;

		mcp__message_read(str_of(MESSAGE_ROWS[i].text), &m);
		if (!CHECK_I64(m.kind, MESSAGE_ROWS[i].kind) ||
		    !CHECK_TEXT(m.id, MESSAGE_ROWS[i].id))
			check_note("row %zu: %s", i, MESSAGE_ROWS[i].text);
	}
}

static const struct {
	const char *text;
	int number;
	const char *id;
} FAULT_ROWS[] = {
	/* No JSON, or none that the gate lets in. */
	{ "x", RPC_PARSE_ERROR, NULL },
	{ "{", RPC_PARSE_ERROR, NULL },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"} x", RPC_PARSE_ERROR, NULL },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"m\"}", RPC_PARSE_ERROR, NULL },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}", RPC_PARSE_ERROR, NULL },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\\u0000\"}", RPC_PARSE_ERROR, NULL },
	{ "[1,", RPC_PARSE_ERROR, NULL },
	{ "\xef\xbb\xbf{}", RPC_PARSE_ERROR, NULL },
	/* JSON, but no message. */
	{ "1", RPC_INVALID_REQUEST, NULL },
	{ "\"x\"", RPC_INVALID_REQUEST, NULL },
	{ "null", RPC_INVALID_REQUEST, NULL },
	{ "{}", RPC_INVALID_REQUEST, NULL },
	{ "{\"id\":1,\"method\":\"m\"}", RPC_INVALID_REQUEST, "1" },
	{ "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"m\"}", RPC_INVALID_REQUEST, "1" },
	{ "{\"jsonrpc\":2.0,\"id\":1,\"method\":\"m\"}", RPC_INVALID_REQUEST, "1" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1}", RPC_INVALID_REQUEST, "1" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":7}", RPC_INVALID_REQUEST, "\"a\"" },
	{ "{\"jsonrpc\":\"2.0\",\"method\":7}", RPC_INVALID_REQUEST, NULL },
	/* Ids that may not be echoed. */
	{ "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"m\"}", RPC_INVALID_REQUEST, NULL },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"m\"}", RPC_INVALID_REQUEST, NULL },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1e3,\"method\":\"m\"}", RPC_INVALID_REQUEST, NULL },
	{ "{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"m\"}", RPC_INVALID_REQUEST, NULL },
	{ "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"m\"}", RPC_INVALID_REQUEST, NULL },
	{ "{\"jsonrpc\":\"2.0\",\"id\":[1],\"method\":\"m\"}", RPC_INVALID_REQUEST, NULL },
	/* Params. */
	{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":[]}", RPC_INVALID_PARAMS,
	  "1" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":null}", RPC_INVALID_PARAMS,
	  "1" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":\"x\"}", RPC_INVALID_PARAMS,
	  "1" },
};

static void faults_have_the_number_and_the_id_of_the_protocol(void)
{
	for (size_t i = 0; i < ARRAY_LEN(FAULT_ROWS); i++) {
		struct mcp__message m;

		mcp__message_read(str_of(FAULT_ROWS[i].text), &m);
		if (!CHECK_I64(m.kind, MCP__FAULT) || !CHECK_I64(m.number, FAULT_ROWS[i].number) ||
		    !CHECK_TEXT(m.id, FAULT_ROWS[i].id) || !CHECK(m.fault.text[0] != '\0'))
			check_note("row %zu: %s", i, FAULT_ROWS[i].text);
	}
}

static void deep_json_is_no_parse_error(void)
{
	OWN_BUF struct buf text = buf_make(1000);
	struct mcp__message m;

	for (int i = 0; i <= LIMIT_JSON_DEPTH; i++)
		buf_add_char(&text, '[');
	for (int i = 0; i <= LIMIT_JSON_DEPTH; i++)
		buf_add_char(&text, ']');
	mcp__message_read(buf_str(&text), &m);
	CHECK_I64(m.kind, MCP__FAULT);
	CHECK_I64(m.number, RPC_INVALID_REQUEST);
}

static void read_with_id_of(size_t len, struct mcp__message *m, struct buf *text)
{
	buf_add(text, STR("{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"id\":\""));
	for (size_t i = 2; i < len; i++)
		buf_add_char(text, 'i');
	buf_add(text, STR("\"}"));
	mcp__message_read(buf_str(text), m);
}

static void an_id_may_have_256_bytes_as_written(void)
{
	OWN_BUF struct buf longest = buf_make(1000);
	OWN_BUF struct buf too_long = buf_make(1000);
	struct mcp__message m;

	read_with_id_of(LIMIT_MCP_ID, &m, &longest);
	CHECK_I64(m.kind, MCP__REQUEST);
	CHECK_I64((int64_t)m.id.len, 256);
	read_with_id_of(LIMIT_MCP_ID + 1, &m, &too_long);
	CHECK_I64(m.kind, MCP__FAULT);
	CHECK_I64(m.number, RPC_INVALID_REQUEST);
	CHECK(m.id.p == NULL);
}

static void params_are_the_raw_object(void)
{
	struct mcp__message m;

	mcp__message_read(STR("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\\/b\","
	                      "\"params\":{ \"x\" : 1.50 }}"),
	                  &m);
	CHECK_TEXT(m.params, "{ \"x\" : 1.50 }");
	CHECK_TEXT(m.method, "\"a\\/b\"");
}

static void note_element(void *data, struct str element)
{
	struct buf *out = data;

	buf_add(out, element);
	buf_add_char(out, ';');
}

static void a_batch_is_cut_into_its_elements(void)
{
	OWN_BUF struct buf out = buf_make(100);

	CHECK_I64((int64_t)mcp__batch_each(STR("[{\"a\":[1,2]}, 3 ,[4]]"), note_element, &out), 3);
	CHECK_TEXT(buf_str(&out), "{\"a\":[1,2]};3;[4];");
	CHECK_I64((int64_t)mcp__batch_each(STR("[]"), NULL, NULL), 0);
}

static void ids_are_equal_by_value_and_type(void)
{
	CHECK(mcp__id_eq(STR("1"), STR("1")));
	CHECK(!mcp__id_eq(STR("1"), STR("\"1\"")));
	CHECK(mcp__id_eq(STR("\"A\""), STR("\"\\u0041\"")));
	CHECK(!mcp__id_eq(STR("\"A\""), STR("\"B\"")));
	CHECK(!mcp__id_eq(STR("1"), STR("2")));
}

/* ---- Replies ---- */

static void an_error_reply_echoes_the_id_as_it_was_written(void)
{
	OWN_JSON_OUT struct json_out o = json_out_make(1000);

	mcp__reply_error(&o, STR("\"\\u0041\""), RPC_METHOD_NOT_FOUND, "unknown \"method\"",
	                 (struct str){ 0 });
	CHECK_TEXT(buf_str(&o.text), "{\"jsonrpc\":\"2.0\",\"id\":\"\\u0041\",\"error\":"
	                             "{\"code\":-32601,\"message\":\"unknown \\\"method\\\"\"}}");
}

static void an_error_reply_without_id_has_no_id(void)
{
	OWN_JSON_OUT struct json_out o = json_out_make(1000);

	mcp__reply_error(&o, (struct str){ 0 }, RPC_PARSE_ERROR, "x", (struct str){ 0 });
	CHECK_TEXT(buf_str(&o.text),
	           "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32700,\"message\":\"x\"}}");
}

static const struct check_case CASES[] = {
	CASE(lines_end_at_newlines_wherever_reads_split_them),
	CASE(the_longest_line_is_taken_whole),
	CASE(a_longer_line_is_reported_once_and_skipped_to_its_newline),
	CASE(a_line_too_long_in_one_piece_is_reported_too),
	CASE(messages_are_told_apart),
	CASE(faults_have_the_number_and_the_id_of_the_protocol),
	CASE(deep_json_is_no_parse_error),
	CASE(an_id_may_have_256_bytes_as_written),
	CASE(params_are_the_raw_object),
	CASE(a_batch_is_cut_into_its_elements),
	CASE(ids_are_equal_by_value_and_type),
	CASE(an_error_reply_echoes_the_id_as_it_was_written),
	CASE(an_error_reply_without_id_has_no_id),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
