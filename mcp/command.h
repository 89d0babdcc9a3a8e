/* SPDX-License-Identifier: Apache-2.0 */
/* Operators' commands: one const table of words, arguments, help, what runs on the store thread and
 * what prints the answer for people. Private to mcp/. The command line is turned into the JSON of a
 * request and back, so a command is the same whether this process owns the store or another does.
 */
#ifndef MCP_COMMAND_H
#define MCP_COMMAND_H

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "mcp/mcp.h"
#include "store/store.h"

/* Runs the command `name` ("account create") on the store thread. Appends the members of its result
 * to the object that the caller has opened in `out` and will close; after a failure what was
 * appended must be thrown away. ERR_UNSUPPORTED for a name that no command has. */
MUST_CHECK bool mcp__command_run(const struct mcp_shop *shop, struct store *st, struct str name,
                                 const struct json *arguments, struct json_out *out,
                                 struct err *err);
/* The command changes money or keys: its commit must survive a power loss. */
bool mcp__command_is_durable(struct str name);

#endif
