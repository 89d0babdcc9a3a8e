/* SPDX-License-Identifier: Apache-2.0 */
/* Usage as providers report it, turned into the five token classes. One meter belongs to one
 * upstream answer and collects what its body or its events say. Providers count differently; each
 * has its own reader here, and the traps stand beside the code that avoids them. */
#ifndef ROUTER_METER_H
#define ROUTER_METER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/money.h"
#include "base/str.h"

struct meter {
	bool reported;  /* the provider's own final figures are in `counts` */
	bool malformed; /* it reported something that cannot be: negative, no number, absurd */
	struct token_counts counts;
	int64_t delta_bytes;            /* of visible output that passed, for the estimate */
	char model[LIMIT_MODEL_ID + 1]; /* what the upstream says it ran; empty if it did not say */
	bool finished; /* the answer is complete; for streams that end with their connection */
	bool unbilled; /* the provider does not bill what it reported (refused before any output) */
	/* Anthropic's running figures; -1 until told. */
	int64_t input, output, cache_read, cache_write, cache_write_5m, cache_write_1h;
};

struct meter meter_make(void);

/* OpenAI's `usage` object: prompt_tokens include what was cached and written. */
void meter_openai(struct meter *m, struct str usage);
/* Anthropic's `usage` object: of message_start or a whole message (`opening`), or of a
 * message_delta, whose numbers are running totals that replace, and whose nulls mean nothing. */
void meter_anthropic(struct meter *m, struct str usage, bool opening);
/* Kimi's `usage`: OpenAI's, with cached_tokens at the top or in the details, never to be added. */
void meter_kimi(struct meter *m, struct str usage);
/* OpenAI Responses' `usage`: input_tokens include what was cached and written. */
void meter_responses(struct meter *m, struct str usage);
/* Gemini's `usageMetadata`, a running total: thoughts stand beside candidates, tool results beside
 * the prompt. */
void meter_gemini(struct meter *m, struct str usage);
/* Remembers the model's name from its raw JSON string. */
void meter_model(struct meter *m, struct str raw);
/* Adds the bytes of the string that follows the first `key` (written `"content":"`) in `data`. */
void meter_delta(struct meter *m, struct str data, struct str key);

/* What to bill when the provider did not tell: its input figure if there is one, else
 * `input_estimate`, and a quarter of the visible bytes as output; at most the given bounds. */
struct token_counts meter_estimate(const struct meter *m, int64_t input_estimate,
                                   int64_t input_bound, int64_t output_bound);

#endif
