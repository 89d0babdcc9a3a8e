/* SPDX-License-Identifier: Apache-2.0 */
/* What OpenAI's two protocols share, and what Kimi's likeness of the first borrows. */
#ifndef ROUTER_PROVIDER_OPENAI_H
#define ROUTER_PROVIDER_OPENAI_H

#include "router/provider.h"

size_t openai_headers(const struct net_request *rq, const char *key, struct buf *authorization,
                      struct net_header out[PROVIDER_HEADERS_MAX]);
enum upstream_fault openai_fault(int status, struct str body);
/* user, safety_identifier and prompt_cache_key become the buyer's own; tier, store and metadata are
 * what decides price and storage. `key` is scratch that lives until the splices are applied. */
void openai_hide_buyer(const struct ask *ask, struct splices *s, const struct provider_buyer *buyer,
                       struct buf *key);
void openai_force_terms(const struct ask *ask, struct splices *s, struct buf *added);

#endif
