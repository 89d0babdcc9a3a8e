/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the host's user to consent to a purchase. Private to mcp/. The consent goes from the host
 * to the shop beside the arguments, never in them: a model cannot write it. */
#ifndef MCP_APPROVAL_H
#define MCP_APPROVAL_H

#include "base/json.h"
#include "base/str.h"
#include "mcp/core.h"

/* Puts into the work of a tool call whether its user can be asked, or what they have answered. */
void mcp__approval_put(const struct mcp__request *r, struct json_out *work);
/* If the error comes with a question for the user, asks it, and true: the request goes on with its
 * answer, or has ended. */
bool mcp__approval_ask(struct mcp__request *r, struct str raw_error);

#endif
