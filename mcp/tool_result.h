/* SPDX-License-Identifier: Apache-2.0 */
/* The result of tools/call: the shop's answer as MCP has it. Private to mcp/. */
#ifndef MCP_TOOL_RESULT_H
#define MCP_TOOL_RESULT_H

#include "base/json.h"
#include "base/str.h"

/* The members of a result, into the object that the caller has opened. `result` is a tool's result
 * object, `raw_error` an object {"code", "message", ...}; both as JSON text. */
void mcp__put_success(struct json_out *o, struct str result);
void mcp__put_failure(struct json_out *o, struct str raw_error);

#endif
