/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands need of the link beyond mcp.h. Private to mcp/. */
#ifndef MCP_LINK_H
#define MCP_LINK_H

#include <stdint.h>

#include "base/str.h"
#include "mcp/mcp.h"

/* As mcp_link_call; answered ERR_UNAVAILABLE after `deadline_ms`, or never if it is 0: a backup or
 * a verification takes as long as the books are large. */
int64_t mcp__link_call_within(struct mcp_link *link, struct str request, int64_t deadline_ms,
                              mcp_answer_fn *answer, void *data);

#endif
