/* SPDX-License-Identifier: Apache-2.0 */
/* The table of providers. OpenAI speaks two protocols natively and so has two entries. */
#include "router/provider.h"

static const struct router_provider *const providers[PROVIDER_COUNT] = {
	[PROVIDER_OPENAI] = &router_provider_openai,
	[PROVIDER_ANTHROPIC] = &router_provider_anthropic,
	[PROVIDER_GOOGLE] = &router_provider_google,
	[PROVIDER_KIMI] = &router_provider_kimi,
};

const struct router_provider *router_provider_of(enum provider id, enum dialect dialect)
{
	if (id == PROVIDER_OPENAI && dialect == DIALECT_RESPONSES)
		return &router_provider_openai_responses;
	return providers[id];
}
