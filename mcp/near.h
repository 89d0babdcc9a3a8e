/* SPDX-License-Identifier: Apache-2.0 */
/* Which model was meant: names the ids nearest to one that does not exist. Private to mcp/. */
#ifndef MCP_NEAR_H
#define MCP_NEAR_H

#include "base/str.h"
#include "store/model.h"

/* Appends up to three routable ids, nearest first, "a, b, c". Nothing if none is routable. */
void mcp__near_models(const struct store_models *models, struct str wanted, struct buf *out);

#endif
