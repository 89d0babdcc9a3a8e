/* SPDX-License-Identifier: Apache-2.0 */
/* The table of providers. */
#include "router/provider.h"

static const struct router_provider *const providers[PROVIDER_COUNT] = {
	[PROVIDER_OPENAI] = &router_provider_openai,
	[PROVIDER_ANTHROPIC] = &router_provider_anthropic,
};

const struct router_provider *router_provider_of(enum provider id)
{
	return providers[id];
}
