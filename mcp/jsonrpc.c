/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC 2.0 on lines. Every text passes the gate of base/json.h once before anything in it is
 * believed; what the gate refuses (bad UTF-8, NUL, duplicate keys) is "not JSON" here. */
#include "mcp/jsonrpc.h"

#include <string.h>

#include "base/limits.h"

#define KEEP_CAP (64u << 10) /* a line buffer above this is given back after its line */

/* ---- Lines ---- */

void mcp__lines_init(struct mcp__lines *lines)
{
	*lines = (struct mcp__lines){ .held = buf_make(LIMIT_MCP_LINE) };
}

void mcp__lines_done(struct mcp__lines *lines)
{
	buf_done(&lines->held);
}

static bool is_blank(struct str line)
{
	for (size_t i = 0; i < line.len; i++)
		if (line.p[i] != ' ' && line.p[i] != '\t' && line.p[i] != '\r')
			return false;
	return true;
}

static void deliver(struct str line, mcp__line_fn *fn, void *data)
{
	if (line.len > 0 && line.p[line.len - 1] == '\r')
		line.len--;
	if (!is_blank(line))
		fn(data, line);
}

/* Keeps a piece of a line. A line that gets too long is reported here, at once: its newline may be
 * far away. */
static void hold(struct mcp__lines *lines, struct str piece, mcp__line_fn *fn, void *data)
{
	if (lines->skipping)
		return;
	buf_add(&lines->held, piece);
	if (!lines->held.failed)
		return;
	buf_done(&lines->held);
	lines->skipping = true;
	fn(data, (struct str){ 0 });
}

static void end_held(struct mcp__lines *lines, mcp__line_fn *fn, void *data)
{
	if (!lines->skipping)
		deliver(buf_str(&lines->held), fn, data);
	lines->skipping = false;
	buf_reset(&lines->held);
	if (lines->held.cap > KEEP_CAP)
		buf_done(&lines->held);
}

void mcp__lines_feed(struct mcp__lines *lines, struct str bytes, mcp__line_fn *fn, void *data)
{
	while (bytes.len > 0) {
		const char *end = memchr(bytes.p, '\n', bytes.len);
		size_t len = end ? (size_t)(end - bytes.p) : bytes.len;
		struct str piece = { bytes.p, len };
		bool whole = end && lines->held.len == 0 && !lines->skipping;

		if (whole && len <= LIMIT_MCP_LINE) {
			deliver(piece, fn, data);
		} else {
			hold(lines, piece, fn, data);
			if (end)
				end_held(lines, fn, data);
		}
		len += end ? 1 : 0;
		bytes = (struct str){ bytes.p + len, bytes.len - len };
	}
}

/* ---- Messages ---- */

static void fault(struct mcp__message *m, int number, const char *text)
{
	m->kind = MCP__FAULT;
	m->number = number;
	(void)err_set(&m->fault, ERR_INVALID_ARGUMENT, "%s", text); /* its text is the answer */
}

/* Keeps the gate's own text. Too deep is still JSON; all else that the gate refuses is none. */
static void gate_fault(struct mcp__message *m)
{
	m->kind = MCP__FAULT;
	m->number = m->fault.code == ERR_TOO_LARGE ? RPC_INVALID_REQUEST : RPC_PARSE_ERROR;
}

static bool is_string(struct str raw)
{
	return raw.p && raw.p[0] == '"';
}

bool mcp__is_id(struct str raw)
{
	if (raw.len == 0 || raw.len > LIMIT_MCP_ID)
		return false;
	if (is_string(raw))
		return true;
	for (size_t i = raw.p[0] == '-' ? 1 : 0; i < raw.len; i++)
		if (raw.p[i] < '0' || raw.p[i] > '9')
			return false;
	return true;
}

enum {
	KEY_JSONRPC,
	KEY_ID,
	KEY_METHOD,
	KEY_PARAMS,
	KEY_RESULT,
	KEY_ERROR,
	KEY_COUNT
};

static const char *const KEYS[] = {
	[KEY_JSONRPC] = "jsonrpc", [KEY_ID] = "id",         [KEY_METHOD] = "method",
	[KEY_PARAMS] = "params",   [KEY_RESULT] = "result", [KEY_ERROR] = "error",
};

static void classify(struct mcp__message *m, const struct str members[KEY_COUNT])
{
	struct str id = members[KEY_ID], params = members[KEY_PARAMS];
	bool params_ok = !params.p || params.p[0] == '{';

	if (!members[KEY_METHOD].p && (members[KEY_RESULT].p || members[KEY_ERROR].p)) {
		m->kind = MCP__RESPONSE;
		m->id = mcp__is_id(id) ? id : (struct str){ 0 };
		m->result = members[KEY_RESULT];
		return;
	}
	if (mcp__is_id(id))
		m->id = id;
	if (!json_raw_equals(members[KEY_JSONRPC], STR("2.0"))) {
		fault(m, RPC_INVALID_REQUEST, "'jsonrpc' must be \"2.0\"");
	} else if (id.p && !m->id.p) {
		fault(m, RPC_INVALID_REQUEST, "'id' must be a string or an integer, not too long");
	} else if (!is_string(members[KEY_METHOD])) {
		fault(m, RPC_INVALID_REQUEST, "'method' must be a string");
	} else if (!params_ok && id.p) {
		fault(m, RPC_INVALID_PARAMS, "'params' must be an object");
	} else {
		m->kind = id.p ? MCP__REQUEST : MCP__NOTIFICATION;
		m->method = members[KEY_METHOD];
		m->params = params_ok ? params : (struct str){ 0 };
	}
}

void mcp__message_read(struct str text, struct mcp__message *out)
{
	struct str members[KEY_COUNT], start = str_trim(text);

	*out = (struct mcp__message){ .kind = MCP__FAULT };
	if (start.len > 0 && start.p[0] == '{') {
		if (json_pick(text, KEYS, members, KEY_COUNT, &out->fault))
			classify(out, members);
		else
			gate_fault(out);
	} else if (!json_scan(text, NULL, NULL, &out->fault)) {
		gate_fault(out);
	} else if (start.len > 0 && start.p[0] == '[') {
		out->kind = MCP__BATCH;
	} else {
		fault(out, RPC_INVALID_REQUEST, "a message must be an object");
	}
}

struct elements {
	mcp__element_fn *each;
	void *data;
	size_t count;
};

static void visit_element(void *data, const struct json_span *span)
{
	struct elements *elements = data;

	if (span->depth != 1)
		return;
	elements->count++;
	if (elements->each)
		elements->each(elements->data, span->value);
}

size_t mcp__batch_each(struct str text, mcp__element_fn *each, void *data)
{
	struct elements elements = { .each = each, .data = data };

	if (!json_scan(text, visit_element, &elements, NULL))
		return 0; /* only without memory: the text has passed before */
	return elements.count;
}

bool mcp__id_eq(struct str a, struct str b)
{
	OWN_BUF struct buf plain = buf_make(LIMIT_MCP_ID);
	OWN_BUF struct buf other = buf_make(LIMIT_MCP_ID);

	if (str_eq(a, b))
		return true;
	return json_raw_string(a, &plain) && json_raw_string(b, &other) &&
	       str_eq(buf_str(&plain), buf_str(&other));
}

/* ---- Replies ---- */

void mcp__reply_begin(struct json_out *o, struct str id)
{
	json_put_object(o, NULL);
	json_put_z(o, "jsonrpc", "2.0");
	if (id.p)
		json_put_raw(o, "id", id);
}

void mcp__reply_error(struct json_out *o, struct str id, int number, const char *text,
                      struct str data)
{
	mcp__reply_begin(o, id);
	json_put_object(o, "error");
	json_put_i64(o, "code", number);
	json_put_z(o, "message", text);
	if (data.p)
		json_put_raw(o, "data", data);
	json_put_end(o, '}');
	json_put_end(o, '}');
}
