/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of the local socket. A request holds the purchase key of its process, so callers wipe
 * their buffers after sending; the socket itself is open to the same user only. */
#include "mcp/frame.h"

#include "base/json.h"
#include "base/limits.h"
#include "mcp/work.h"

#define HELLO_MAX 256

void mcp__frame_put_hello(struct buf *out)
{
	OWN_JSON_OUT struct json_out hello = json_out_make(HELLO_MAX);

	json_put_object(&hello, NULL);
	json_put_i64(&hello, "protocol", MCP__PROTOCOL);
	json_put_z(&hello, "version", AGENT_STORE_VERSION);
	json_put_end(&hello, '}');
	buf_add(out, buf_str(&hello.text));
}

bool mcp__frame_read_hello(struct str frame, struct err *err)
{
	OWN_JSON struct json *hello = json_parse(frame, NULL);
	int64_t protocol = 0;

	if (!json_i64(json_get(hello, "protocol"), &protocol))
		return err_set(err, ERR_CONFLICT,
		               "the running server is no agent-store; restart it");
	if (protocol == MCP__PROTOCOL)
		return true;
	struct str version = json_text(json_get(hello, "version"));
	if (version.p == NULL || version.len > LIMIT_LABEL)
		version = STR("unknown");
	return err_set(err, ERR_CONFLICT,
	               "the running server is version %.*s and this is " AGENT_STORE_VERSION
	               "; restart it",
	               STR_ARG(version));
}

void mcp__frame_put(struct buf *out, int64_t number, struct str text)
{
	buf_add_i64(out, number);
	buf_add_char(out, '\n');
	buf_add(out, text);
}

bool mcp__frame_read(struct str frame, int64_t *number, struct str *text)
{
	struct str rest = frame;
	struct str head = str_cut(&rest, '\n');

	if (rest.p == NULL || !str_to_i64(head, number))
		return false;
	*text = rest;
	return true;
}

void mcp__frame_put_error(struct buf *out, const struct err *why)
{
	OWN_JSON_OUT struct json_out o = json_out_make(out->max);

	json_put_object(&o, NULL);
	mcp__put_error(&o, "error", why);
	json_put_end(&o, '}');
	buf_add(out, buf_str(&o.text));
}
