/* SPDX-License-Identifier: Apache-2.0 */
/* The reply to tools/call. A success is there twice, as text and as structured content, because
 * some hosts show a model only the one and some only the other; of a failure many hosts show
 * nothing but the text, so it says all: what was wrong and what to do next. */
#include "mcp/tool_result.h"

#include "base/limits.h"
#include "mcp/work.h"

static void put_text_block(struct json_out *o, struct str text)
{
	json_put_array(o, "content");
	json_put_object(o, NULL);
	json_put_z(o, "type", "text");
	json_put_str(o, "text", text);
	json_put_end(o, '}');
	json_put_end(o, ']');
}

void mcp__put_success(struct json_out *o, struct str result)
{
	put_text_block(o, result);
	json_put_raw(o, "structuredContent", result);
	json_put_bool(o, "isError", false);
}

void mcp__error_sentence(struct str raw_error, struct buf *out)
{
	static const char *const keys[] = { "code", "message" };
	struct str picked[ARRAY_LEN(keys)];
	OWN_BUF struct buf code = buf_make(64);

	if (!json_pick(raw_error, keys, picked, ARRAY_LEN(keys), NULL) ||
	    !json_raw_string(picked[0], &code))
		return;
	buf_add(out, buf_str(&code));
	buf_add(out, STR(": "));
	if (json_raw_string(picked[1], out))
		buf_add(out, STR(". "));
	buf_add_z(out, mcp__next_step(buf_str(&code)));
}

void mcp__put_failure(struct json_out *o, struct str raw_error)
{
	OWN_BUF struct buf sentence = buf_make(LIMIT_MCP_OUT_LINE);

	mcp__error_sentence(raw_error, &sentence);
	put_text_block(o, buf_str(&sentence));
	json_put_object(o, "structuredContent");
	json_put_raw(o, "error", raw_error);
	json_put_end(o, '}');
	json_put_bool(o, "isError", true);
}
