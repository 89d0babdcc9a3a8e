/* SPDX-License-Identifier: Apache-2.0 */
/* The reply to tools/call: the shop's answer as MCP has it. Private to mcp/. */
#ifndef MCP_TOOL_RESULT_H
#define MCP_TOOL_RESULT_H

#include "base/json.h"
#include "base/str.h"

/* Whole replies to the request `id`. `result` is a tool's result object, `raw_error` an object
 * {"code", "message", ...}; both as JSON text. */
void mcp__put_success(struct json_out *o, struct str id, struct str result);
void mcp__put_failure(struct json_out *o, struct str id, struct str raw_error);

#endif
