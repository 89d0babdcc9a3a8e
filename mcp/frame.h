/* SPDX-License-Identifier: Apache-2.0 */
/* What the processes of one store say to each other on the local socket. Private to mcp/. Both
 * sides open with a hello; then the relay sends numbered requests and the owner numbered answers,
 * whose JSON passes unread. */
#ifndef MCP_FRAME_H
#define MCP_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* Changes when a process of one version cannot work with one of another. */
#define MCP__PROTOCOL 1

/* {"protocol": 1, "version": "0.1.0"}: this form must never change. */
void mcp__frame_put_hello(struct buf *out);
/* ERR_CONFLICT, with words for a person, if the other side speaks another protocol. */
MUST_CHECK bool mcp__frame_read_hello(struct str frame, struct err *err);

/* "<number>\n<text>": a request or its answer; from a relay without text, that the request of this
 * number is not wanted any more. */
void mcp__frame_put(struct buf *out, int64_t number, struct str text);
/* `*text` borrows from `frame`. False: no such frame. */
MUST_CHECK bool mcp__frame_read(struct str frame, int64_t *number, struct str *text);

/* {"error": {"code", "message"}}: the answer to a request that did not get as far as the store. */
void mcp__frame_put_error(struct buf *out, const struct err *why);

#endif
