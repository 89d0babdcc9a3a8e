/* SPDX-License-Identifier: Apache-2.0 */
/* Money arithmetic, its text form, and the charge of a call. A price in micro-USD per million
 * tokens times a token count is a number of pico-USD, so one division by a million at the very end
 * gives micros, and it rounds up: a call never costs less than its tokens. */
#include "base/money.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#define MICROS_PER_USD 1000000
#define MICROS_PER_CENT 10000
#define USD_DECIMALS 6

/* Five products of two int64 need 129 bits, so even this type is added with a check. */
__extension__ typedef unsigned __int128 pico_sum;

struct money money_of_micros(int64_t micros)
{
	return (struct money){ micros };
}

int64_t money_micros(struct money m)
{
	return m.micros;
}

int money_cmp(struct money a, struct money b)
{
	return (a.micros > b.micros) - (a.micros < b.micros);
}

struct money money_min(struct money a, struct money b)
{
	return money_cmp(a, b) <= 0 ? a : b;
}

bool money_is_negative(struct money m)
{
	return m.micros < 0;
}

bool money_add(struct money *out, struct money a, struct money b)
{
	int64_t sum;

	if (__builtin_add_overflow(a.micros, b.micros, &sum))
		return false;
	out->micros = sum;
	return true;
}

bool money_sub(struct money *out, struct money a, struct money b)
{
	int64_t difference;

	if (__builtin_sub_overflow(a.micros, b.micros, &difference))
		return false;
	out->micros = difference;
	return true;
}

bool money_of_cents(struct money *out, int64_t cents)
{
	int64_t micros;

	if (__builtin_mul_overflow(cents, MICROS_PER_CENT, &micros))
		return false;
	out->micros = micros;
	return true;
}

bool money_to_cents(struct money m, int64_t *cents)
{
	if (m.micros % MICROS_PER_CENT != 0)
		return false;
	*cents = m.micros / MICROS_PER_CENT;
	return true;
}

/* Reads `text` as a count of units with exactly `USD_DECIMALS` digits after the point; digits that
 * are not written are zeros. */
static bool parse_micros(struct str text, int decimals, int64_t *micros)
{
	struct str fraction = text;
	struct str whole = str_cut(&fraction, '.');
	bool has_point = fraction.p != NULL;
	int64_t dollars;
	int64_t parts = 0;

	if (str_starts(whole, STR("-")) || !str_to_i64(whole, &dollars))
		return false;
	if (has_point && (fraction.len > (size_t)decimals || str_starts(fraction, STR("-")) ||
	                  !str_to_i64(fraction, &parts)))
		return false;
	for (size_t i = fraction.len; i < USD_DECIMALS; i++)
		parts *= 10;
	return !__builtin_mul_overflow(dollars, MICROS_PER_USD, micros) &&
	       !__builtin_add_overflow(*micros, parts, micros);
}

bool money_parse_usd(struct str text, int decimals, struct money *out, struct err *err)
{
	int64_t micros;

	assert(decimals >= 0 && decimals <= USD_DECIMALS);
	if (!parse_micros(text, decimals, &micros))
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "'%.*s' is not an amount in USD with at most %d decimals",
		               STR_ARG(text), decimals);
	out->micros = micros;
	return true;
}

void money_format_usd(struct money m, char out[MONEY_TEXT_MAX])
{
	bool negative = m.micros < 0;
	/* Negated as unsigned, because the smallest int64 has no positive counterpart. */
	uint64_t size = negative ? 0 - (uint64_t)m.micros : (uint64_t)m.micros;
	int len = snprintf(out, MONEY_TEXT_MAX, "%s%" PRIu64 ".%06" PRIu64, negative ? "-" : "",
	                   size / MICROS_PER_USD, size % MICROS_PER_USD);

	assert(len > 0 && len < MONEY_TEXT_MAX);
	for (int cut = 0; cut < USD_DECIMALS - 2 && out[len - 1] == '0'; cut++)
		out[--len] = '\0';
}

struct token_class_names {
	const char *field;
	const char *price_field;
};

static const struct token_class_names TOKEN_CLASSES[] = {
	[TOKEN_UNCACHED_INPUT] = { "uncachedInputTokens", "input" },
	[TOKEN_CACHE_WRITE_5M] = { "cacheWrite5mTokens", "cacheWrite5m" },
	[TOKEN_CACHE_WRITE_1H] = { "cacheWrite1hTokens", "cacheWrite1h" },
	[TOKEN_CACHE_READ] = { "cacheReadTokens", "cacheRead" },
	[TOKEN_OUTPUT] = { "outputTokens", "output" },
};
static_assert(ARRAY_LEN(TOKEN_CLASSES) == TOKEN_CLASS_COUNT, "one row per token class");

const char *token_class_field(enum token_class c)
{
	assert(c < TOKEN_CLASS_COUNT);
	return TOKEN_CLASSES[c].field;
}

const char *token_class_price_field(enum token_class c)
{
	assert(c < TOKEN_CLASS_COUNT);
	return TOKEN_CLASSES[c].price_field;
}

bool token_price_parse(struct str text, int64_t *per_million, struct err *err)
{
	int64_t micros;

	if (!parse_micros(text, USD_DECIMALS, &micros))
		return err_set(err, ERR_INVALID_ARGUMENT,
		               "'%.*s' is not a price in USD per million tokens with at most %d "
		               "decimals",
		               STR_ARG(text), USD_DECIMALS);
	*per_million = micros;
	return true;
}

bool token_prices_scale(const struct token_prices *list, int64_t factor_ppm,
                        struct token_prices *out)
{
	struct token_prices scaled = *list;

	assert(factor_ppm >= 0);
	for (size_t i = 0; i < TOKEN_CLASS_COUNT; i++) {
		if (list->per_million[i] < 0)
			continue;
		pico_sum pico = (pico_sum)list->per_million[i] * (pico_sum)factor_ppm;
		pico_sum micros = pico / MICROS_PER_USD + (pico % MICROS_PER_USD != 0);
		if (micros > INT64_MAX)
			return false;
		scaled.per_million[i] = (int64_t)micros;
	}
	*out = scaled;
	return true;
}

bool token_charge(const struct token_counts *counts, const struct token_prices *prices,
                  struct money *out, struct err *err)
{
	pico_sum sum = 0;

	for (size_t i = 0; i < TOKEN_CLASS_COUNT; i++) {
		int64_t n = counts->n[i];
		int64_t price = prices->per_million[i];
		if (n < 0)
			return err_set(err, ERR_INVALID_ARGUMENT, "'%s' is negative",
			               TOKEN_CLASSES[i].field);
		if (n == 0)
			continue;
		if (price < 0)
			return err_set(err, ERR_INVALID_ARGUMENT, "the model has no price for '%s'",
			               TOKEN_CLASSES[i].field);
		if (__builtin_add_overflow(sum, (pico_sum)n * (pico_sum)price, &sum))
			return err_set(err, ERR_TOO_LARGE, "the charge is too large");
	}
	pico_sum micros = sum / MICROS_PER_USD + (sum % MICROS_PER_USD != 0);
	if (micros > INT64_MAX)
		return err_set(err, ERR_TOO_LARGE, "the charge is too large");
	out->micros = (int64_t)micros;
	return true;
}
