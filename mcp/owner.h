/* SPDX-License-Identifier: Apache-2.0 */
/* The owner's side of the link: runs work on the store's worker, for this process and for relays.
 * Private to mcp/. */
#ifndef MCP_OWNER_H
#define MCP_OWNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "mcp/mcp.h"
#include "net/net.h"

struct mcp__owner;

/* The answer to a request of this process; valid during the call. */
typedef void mcp__owner_answer_fn(void *data, int64_t number, struct str answer);

/* `shop` is borrowed, and its worker must have been stopped when it goes. */
MUST_CHECK struct mcp__owner *mcp__owner_new(struct net_loop *loop, const struct mcp_shop *shop,
                                             mcp__owner_answer_fn *answer, void *data,
                                             struct err *err);
/* Lets relays in at `path`. */
MUST_CHECK bool mcp__owner_listen(struct mcp__owner *o, const char *path, struct err *err);
/* Starts a request of this process; the answer comes later. The text is copied. */
MUST_CHECK bool mcp__owner_run(struct mcp__owner *o, int64_t number, struct str request,
                               struct err *err);
/* The answer is not wanted any more. What has not begun never happens; what has begun is finished,
 * and `answer` is called all the same. */
void mcp__owner_cancel(struct mcp__owner *o, int64_t number);
/* Requests that run, of this process and of relays. */
size_t mcp__owner_running(const struct mcp__owner *o);
/* Ends what would outlive the worker. Call it just before the worker is stopped; nothing may be
 * run after it. */
void mcp__owner_cut(struct mcp__owner *o);
/* Closes the connections and removes the socket. Answers that are still out are dropped. NULL is
 * fine. */
void mcp__owner_free(struct mcp__owner *o);

#endif
