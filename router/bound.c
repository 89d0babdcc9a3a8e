/* SPDX-License-Identifier: Apache-2.0 */
/* The worst case of a request in money. A token is at least one byte of text, so the body's bytes
 * bound the input; images and files, whose tokens do not follow their bytes, get bounds of their
 * own. The surprising fact: text that is quoted inside JSON only makes the bound larger, so nothing
 * needs to be decoded. */
#include "base/money.h"
#include "router/ask.h"

/* Tokens that providers add around what was sent. */
#define FRAME_TOKENS 1024  /* message framing, hidden system text */
#define TOOLS_TOKENS 2048  /* the provider's own tool instructions */
#define IMAGE_TOKENS 32768 /* above any provider's cost of one image at full detail */

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t input_bound(const struct ask *ask, const struct store_model *model)
{
	int64_t tokens = (int64_t)ask->text.len + FRAME_TOKENS + (ask->tools ? TOOLS_TOKENS : 0);

	if (ask->unbounded)
		return model->context_tokens;
	if (ask->images > model->context_tokens / IMAGE_TOKENS)
		return model->context_tokens;
	return least(tokens + ask->images * IMAGE_TOKENS, model->context_tokens);
}

/* The dearest class that this input may land in. */
static enum token_class dearest_input(const struct ask *ask, const struct token_prices *prices)
{
	enum token_class best = TOKEN_UNCACHED_INPUT;

	if (ask->writes_cache &&
	    prices->per_million[TOKEN_CACHE_WRITE_5M] > prices->per_million[best])
		best = TOKEN_CACHE_WRITE_5M;
	if (ask->writes_cache_1h &&
	    prices->per_million[TOKEN_CACHE_WRITE_1H] > prices->per_million[best])
		best = TOKEN_CACHE_WRITE_1H;
	return best;
}

static const struct token_prices *prices_for(const struct store_offer *offer, int64_t prompt)
{
	return offer->model->long_above > 0 && prompt > offer->model->long_above
	               ? &offer->long_prices
	               : &offer->prices;
}

static bool price(const struct ask *ask, const struct store_offer *offer, int64_t input,
                  int64_t output, struct money *out, struct err *err)
{
	const struct token_prices *prices = prices_for(offer, input);
	struct token_counts counts = { { 0 } };

	counts.n[dearest_input(ask, prices)] = input;
	counts.n[TOKEN_OUTPUT] = output;
	return token_charge(&counts, prices, out, err);
}

bool ask_bound(const struct ask *ask, const struct store_offer *offer, struct bound *out,
               struct err *err)
{
	const struct store_model *model = offer->model;
	struct bound b = { .input_tokens = input_bound(ask, model) };
	int64_t limit = ask->output_limit;

	if (limit == 0 && !ask_has(ask, ASK_MAX_TOKENS))
		limit = model->max_output_tokens;
	b.output_tokens = least(limit, model->max_output_tokens) * ask->choices;
	if (!price(ask, offer, b.input_tokens, b.output_tokens, &b.amount, err))
		return false;
	*out = b;
	return true;
}

int64_t ask_affordable(const struct ask *ask, const struct store_offer *offer,
                       const struct bound *bound, struct money available)
{
	int64_t low = 0, high = bound->output_tokens / ask->choices;

	/* The price is monotonic in the output: bisect instead of inverting the rounding. */
	while (low < high) {
		int64_t middle = low + (high - low + 1) / 2;
		struct money cost;
		if (price(ask, offer, bound->input_tokens, middle * ask->choices, &cost, NULL) &&
		    money_cmp(cost, available) <= 0)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

int64_t ask_estimate(const struct ask *ask)
{
	return ((int64_t)ask->text.len + 3) / 4;
}
