/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC 2.0 on lines: cuts input into lines, tells what a message is, writes replies. Knows no
 * method. The surprising fact: an id is never decoded for a reply; its bytes go back as they came,
 * so that 1, "1" and "\u0031" stay what the peer wrote. */
#ifndef MCP_JSONRPC_H
#define MCP_JSONRPC_H

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"

#define RPC_PARSE_ERROR (-32700)
#define RPC_INVALID_REQUEST (-32600)
#define RPC_METHOD_NOT_FOUND (-32601)
#define RPC_INVALID_PARAMS (-32602)
#define RPC_INTERNAL_ERROR (-32603)

/* ---- Lines ---- */

struct mcp__lines {
	struct buf held; /* the start of a line whose end has not come */
	bool skipping;   /* the line was too long: drop it up to its newline */
};

/* `line` has no newline and is not blank. A line above LIMIT_MCP_LINE is reported once, as the
 * absent str. */
typedef void mcp__line_fn(void *data, struct str line);

void mcp__lines_init(struct mcp__lines *lines);
void mcp__lines_done(struct mcp__lines *lines);
void mcp__lines_feed(struct mcp__lines *lines, struct str bytes, mcp__line_fn *fn, void *data);

/* ---- Messages ---- */

enum mcp__kind {
	MCP__REQUEST,
	MCP__NOTIFICATION,
	MCP__RESPONSE,
	MCP__BATCH, /* an array; its elements have not been looked at */
	MCP__FAULT  /* not a message: `number` and `fault` are the answer */
};

/* All spans borrow from the text that was read. */
struct mcp__message {
	enum mcp__kind kind;
	struct str id;     /* as written; absent if there is none or it may not be echoed */
	struct str method; /* as written, with quotes: compare with json_raw_equals */
	struct str params; /* an object as written, or absent */
	struct str result; /* of a response, as written; absent if that is an error */
	int number;        /* RPC_… of a fault */
	struct err fault;
};

/* Passes the text through the JSON gate and classifies it. */
void mcp__message_read(struct str text, struct mcp__message *out);
/* Calls `each` for the elements of a text that mcp__message_read called a batch; returns how many
 * there are. `each` may be NULL. */
typedef void mcp__element_fn(void *data, struct str element);
size_t mcp__batch_each(struct str text, mcp__element_fn *each, void *data);

/* A string or an integer without point and exponent, of any size that fits LIMIT_MCP_ID. */
bool mcp__is_id(struct str raw);
/* The same id, however its characters were escaped. */
bool mcp__id_eq(struct str a, struct str b);

/* ---- Replies ---- */

/* Opens a reply; the caller puts "result" or "error" and closes with json_put_end(o, '}').
 * An absent id is left out, as MCP wants it: null is no id there. */
void mcp__reply_begin(struct json_out *o, struct str id);
/* A whole error reply; `data` is raw JSON or absent. */
void mcp__reply_error(struct json_out *o, struct str id, int number, const char *text,
                      struct str data);

#endif
