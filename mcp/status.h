/* SPDX-License-Identifier: Apache-2.0 */
/* The command `status`: what `agent-store top` shows. Its answer has two halves, made where each is
 * true: "books" on the store thread, "server" on the loop. Private to mcp/. */
#ifndef MCP_STATUS_H
#define MCP_STATUS_H

#include <stdbool.h>

#include "base/json.h"
#include "base/str.h"
#include "mcp/mcp.h"

/* Is this request a status? */
bool mcp__status_is(struct str request);
/* On the loop: the whole answer, of what the store thread answered. "server" is null where no
 * router can run (an operator's command that owns the store for a moment). */
void mcp__status_put_answer(const struct mcp_shop *shop, struct str books, struct buf *out);

/* ---- For people (status_frame.c) ---- */

struct mcp__frame_view {
	size_t columns, rows; /* of the terminal; 0: no limit */
	const struct json
		*first; /* an earlier result, to tell what has changed since; NULL: none */
};

/* A result as lines; longer lines and what is below the last row are cut. */
void mcp__put_status_frame(const struct mcp__frame_view *view, const struct json *result,
                           struct buf *out);

#endif
