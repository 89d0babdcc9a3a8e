/* SPDX-License-Identifier: Apache-2.0 */
/* Money in integer micro-USD (one cent is 10 000), prices in micro-USD per million tokens (which
 * is the same number as pico-USD per token), and the one function that turns five token classes
 * into a charge. Only money.c touches `micros` by arithmetic; nothing here is a float. */
#ifndef BASE_MONEY_H
#define BASE_MONEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct money {
	int64_t micros;
};

#define MONEY_ZERO ((struct money){ 0 })

struct money money_of_micros(int64_t micros); /* for columns, JSON and tests */
int64_t money_micros(struct money m);
int money_cmp(struct money a, struct money b); /* <0, 0, >0 */
struct money money_min(struct money a, struct money b);
bool money_is_negative(struct money m);

/* Checked arithmetic: false, and `*out` untouched, if the sum does not fit 63 bits. */
MUST_CHECK bool money_add(struct money *out, struct money a, struct money b);
MUST_CHECK bool money_sub(struct money *out, struct money a, struct money b);

/* Whole cents. To cents: false unless `m` is a whole number of cents. */
MUST_CHECK bool money_of_cents(struct money *out, int64_t cents);
MUST_CHECK bool money_to_cents(struct money m, int64_t *cents);

/* Reads decimal USD text: digits, optionally a point and at most `decimals` (0 to 6) more digits;
 * no sign, no exponent, no spaces. ERR_INVALID_ARGUMENT otherwise. */
MUST_CHECK bool money_parse_usd(struct str text, int decimals, struct money *out, struct err *err);

/* Writes decimal USD with two to six decimals: "25.00", "24.999628", "-0.01". */
#define MONEY_TEXT_MAX 24
void money_format_usd(struct money m, char out[MONEY_TEXT_MAX]);

/* The five token classes, in the order of the seed's ledger record. */
enum token_class {
	TOKEN_UNCACHED_INPUT,
	TOKEN_CACHE_WRITE_5M,
	TOKEN_CACHE_WRITE_1H,
	TOKEN_CACHE_READ,
	TOKEN_OUTPUT,
	TOKEN_CLASS_COUNT
};

/* "uncachedInputTokens", ...: the name of the class's count in JSON. */
const char *token_class_field(enum token_class c);
/* "input", "cacheWrite5m", "cacheWrite1h", "cacheRead", "output": its name in a price object. */
const char *token_class_price_field(enum token_class c);

struct token_counts {
	int64_t n[TOKEN_CLASS_COUNT];
};

/* Micro-USD per million tokens of each class; a negative price means that the class has none and
 * cannot be billed. */
struct token_prices {
	int64_t per_million[TOKEN_CLASS_COUNT];
};

/* Reads a price in USD per million tokens ("2.5", up to six decimals). */
MUST_CHECK bool token_price_parse(struct str text, int64_t *per_million, struct err *err);

/* List prices times a factor in millionths, each rounded up to a micro; a class without a price
 * stays without one. False, and `*out` untouched, if a price does not fit. */
MUST_CHECK bool token_prices_scale(const struct token_prices *list, int64_t factor_ppm,
                                   struct token_prices *out);

/* Charge = sum over the classes of tokens x price, rounded up once to a micro. Sums in 128 bits.
 * ERR_INVALID_ARGUMENT for a negative count or for tokens in a class without a price,
 * ERR_TOO_LARGE if the result does not fit. */
MUST_CHECK bool token_charge(const struct token_counts *counts, const struct token_prices *prices,
                             struct money *out, struct err *err);

#endif
