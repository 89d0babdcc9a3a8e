/* SPDX-License-Identifier: Apache-2.0 */
/* The protocols that clients speak here. */
#ifndef ROUTER_DIALECT_H
#define ROUTER_DIALECT_H

enum dialect {
	DIALECT_OPENAI,    /* Chat Completions, and the store's own routes */
	DIALECT_ANTHROPIC, /* Messages */
	DIALECT_RESPONSES, /* OpenAI Responses, stateless */
	DIALECT_COUNT      /* none */
};

#endif
