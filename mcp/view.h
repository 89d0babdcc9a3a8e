/* SPDX-License-Identifier: Apache-2.0 */
/* Work of the shop that is no tool: what resources and completions show besides. Every fact in them
 * can be had by a tool too. Private to mcp/. */
#ifndef MCP_VIEW_H
#define MCP_VIEW_H

#include "mcp/tool.h"

#define MCP__COMPLETIONS_MAX 100 /* values of one completion: the protocol's limit */

/* "pricing":    {currency, credit{…}, tokenPrices{…}, models[{id, provider, …}]}
 * "model":      one of router_models_list, by {"id"}
 * "completion": {"of": service, receipt, model or keyLabel, "value": what they start with} gives
 *               {completion: {values[], total, hasMore}}
 * Entries like those of tools, but in no list. NULL: there is no such view. */
const struct mcp__tool *mcp__view_find(struct str name);

/* The same result from a const list, NULL-ended. */
void mcp__put_completion(struct json_out *o, const char *const *list, struct str start);

#endif
