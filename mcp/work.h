/* SPDX-License-Identifier: Apache-2.0 */
/* The error half of an answer of the shop, and what a caller can do about each error. Private to
 * mcp/. The advice is looked up by the code's wire name, because an answer may come from another
 * process. */
#ifndef MCP_WORK_H
#define MCP_WORK_H

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"

/* {"code", "message"}, and "balanceUsd", "requiredUsd" with ERR_INSUFFICIENT_FUNDS. */
void mcp__put_error(struct json_out *o, const char *key, const struct err *err);
/* "quote_expired: quote 'quote_…' has expired. Make a new quote …": all that many hosts show of a
 * raw error. */
void mcp__error_sentence(struct str raw_error, struct buf *out);
/* What to do next, in a sentence for a model; empty for a code that is not known. */
const char *mcp__next_step(struct str code);

#endif
