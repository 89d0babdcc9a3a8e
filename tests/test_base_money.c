/* SPDX-License-Identifier: Apache-2.0 */
/* Money by hand-computed numbers: arithmetic at the edges of 63 bits, text both ways, and charges,
 * where a fraction of a micro always rounds up and only once. */
#include "base/money.h"
#include "tests/check.h"

static struct money micros(int64_t n)
{
	return money_of_micros(n);
}

static void comparison_and_minimum(void)
{
	CHECK(money_cmp(micros(1), micros(2)) < 0);
	CHECK(money_cmp(micros(2), micros(2)) == 0);
	CHECK(money_cmp(micros(INT64_MAX), micros(INT64_MIN)) > 0);
	CHECK_I64(money_micros(money_min(micros(5), micros(-3))), -3);
	CHECK_I64(money_micros(money_min(micros(-3), micros(5))), -3);
	CHECK(money_is_negative(micros(-1)));
	CHECK(!money_is_negative(MONEY_ZERO));
}

static void sums_are_exact(void)
{
	struct money m;

	CHECK(money_add(&m, micros(25000000), micros(-372)) && money_micros(m) == 24999628);
	CHECK(money_sub(&m, micros(100), micros(250)) && money_micros(m) == -150);
	CHECK(money_add(&m, micros(INT64_MAX), micros(INT64_MIN)) && money_micros(m) == -1);
	CHECK(money_sub(&m, micros(-1), micros(INT64_MIN)) && money_micros(m) == INT64_MAX);
}

static void overflow_is_refused_and_leaves_the_result(void)
{
	struct money m = micros(77);
	int64_t cents = 77;

	CHECK(!money_add(&m, micros(INT64_MAX), micros(1)));
	CHECK(!money_add(&m, micros(INT64_MIN), micros(-1)));
	CHECK(!money_sub(&m, micros(INT64_MIN), micros(1)));
	CHECK(!money_sub(&m, micros(0), micros(INT64_MIN)));
	CHECK(!money_of_cents(&m, INT64_C(922337203685478)));
	CHECK(!money_of_cents(&m, INT64_MIN));
	CHECK_I64(money_micros(m), 77);
	CHECK(!money_to_cents(micros(10001), &cents));
	CHECK_I64(cents, 77);
}

static void cents_are_ten_thousand_micros(void)
{
	struct money m;
	int64_t cents;

	CHECK(money_of_cents(&m, 2500) && money_micros(m) == 25000000);
	CHECK(money_of_cents(&m, -1) && money_micros(m) == -10000);
	CHECK(money_of_cents(&m, INT64_C(922337203685477)) &&
	      money_micros(m) == INT64_C(9223372036854770000));
	CHECK(money_to_cents(micros(25000000), &cents) && cents == 2500);
	CHECK(money_to_cents(micros(-10000), &cents) && cents == -1);
	CHECK(money_to_cents(MONEY_ZERO, &cents) && cents == 0);
}

struct usd_row {
	const char *text;
	int decimals;
	int64_t want; /* -1: refused */
};

static const struct usd_row USD_ROWS[] = {
	{ "25", 2, 25000000 },
	{ "25.00", 2, 25000000 },
	{ "0.01", 2, 10000 },
	{ "0.5", 2, 500000 },
	{ "0", 0, 0 },
	{ "007", 0, 7000000 },
	{ "24.999628", 6, 24999628 },
	{ "0.000001", 6, 1 },
	{ "9223372036854.775807", 6, INT64_MAX },
	{ "9223372036854.775808", 6, -1 },
	{ "9223372036855", 6, -1 },
	{ "99999999999999999999", 6, -1 },
	{ "0.001", 2, -1 },
	{ "0.0000001", 6, -1 },
	{ "1.0", 0, -1 },
	{ "", 2, -1 },
	{ ".", 2, -1 },
	{ ".5", 2, -1 },
	{ "5.", 2, -1 },
	{ "-1", 2, -1 },
	{ "-0", 2, -1 },
	{ "1.-1", 2, -1 },
	{ "+1", 2, -1 },
	{ " 1", 2, -1 },
	{ "1 ", 2, -1 },
	{ "1e3", 2, -1 },
	{ "1,5", 2, -1 },
	{ "1.2.3", 6, -1 },
	{ "0x10", 2, -1 },
	{ "nan", 2, -1 },
};

static void usd_text_is_read_exactly_or_refused(void)
{
	for (size_t i = 0; i < ARRAY_LEN(USD_ROWS); i++) {
		const struct usd_row *row = &USD_ROWS[i];
		struct money m = micros(-1);
		struct err err = { 0 };
		bool ok = money_parse_usd(str_of(row->text), row->decimals, &m, &err);
		bool held = CHECK_I64(money_micros(m), row->want) &&
		            CHECK(ok == (row->want >= 0)) &&
		            CHECK_I64(err.code, ok ? ERR_NONE : ERR_INVALID_ARGUMENT);
		if (!held)
			check_note("'%s' with %d decimals", row->text, row->decimals);
	}
}

static void absent_and_cut_texts_are_refused(void)
{
	struct money m = micros(7);
	struct err err = { 0 };

	CHECK(!money_parse_usd((struct str){ 0 }, 2, &m, &err));
	CHECK(!money_parse_usd((struct str){ "1\0"
	                                     "1",
	                                     3 },
	                       2, &m, &err));
	CHECK_I64(money_micros(m), 7);
	/* Only the given length counts. */
	CHECK(money_parse_usd((struct str){ "12345", 2 }, 2, &m, &err));
	CHECK_I64(money_micros(m), 12000000);
}

struct format_row {
	int64_t micros;
	const char *want;
};

static const struct format_row FORMAT_ROWS[] = {
	{ 0, "0.00" },
	{ 25000000, "25.00" },
	{ 24999628, "24.999628" },
	{ 500000, "0.50" },
	{ 1, "0.000001" },
	{ 10, "0.00001" },
	{ 1200, "0.0012" },
	{ 1234000, "1.234" },
	{ -10000, "-0.01" },
	{ -1, "-0.000001" },
	{ INT64_MAX, "9223372036854.775807" },
	{ INT64_MIN, "-9223372036854.775808" },
};

static void usd_is_written_with_two_to_six_decimals(void)
{
	for (size_t i = 0; i < ARRAY_LEN(FORMAT_ROWS); i++) {
		char text[MONEY_TEXT_MAX];
		money_format_usd(micros(FORMAT_ROWS[i].micros), text);
		CHECK_STR(text, FORMAT_ROWS[i].want);
	}
}

static void token_classes_have_their_names(void)
{
	CHECK_STR(token_class_field(TOKEN_UNCACHED_INPUT), "uncachedInputTokens");
	CHECK_STR(token_class_field(TOKEN_CACHE_WRITE_5M), "cacheWrite5mTokens");
	CHECK_STR(token_class_field(TOKEN_CACHE_WRITE_1H), "cacheWrite1hTokens");
	CHECK_STR(token_class_field(TOKEN_CACHE_READ), "cacheReadTokens");
	CHECK_STR(token_class_field(TOKEN_OUTPUT), "outputTokens");
	CHECK_STR(token_class_price_field(TOKEN_UNCACHED_INPUT), "input");
	CHECK_STR(token_class_price_field(TOKEN_CACHE_WRITE_5M), "cacheWrite5m");
	CHECK_STR(token_class_price_field(TOKEN_CACHE_WRITE_1H), "cacheWrite1h");
	CHECK_STR(token_class_price_field(TOKEN_CACHE_READ), "cacheRead");
	CHECK_STR(token_class_price_field(TOKEN_OUTPUT), "output");
}

static void prices_are_read_as_micros_per_million(void)
{
	struct err err = { 0 };
	int64_t price = 0;

	CHECK(token_price_parse(STR("2.5"), &price, &err) && price == 2500000);
	CHECK(token_price_parse(STR("0.000001"), &price, &err) && price == 1);
	CHECK(token_price_parse(STR("0"), &price, &err) && price == 0);
	price = 7;
	CHECK(!token_price_parse(STR("0.0000001"), &price, &err));
	CHECK(!token_price_parse(STR("-1"), &price, &err));
	CHECK_I64(err.code, ERR_INVALID_ARGUMENT);
	CHECK_I64(price, 7);
}

struct charge_row {
	const char *what;
	struct token_counts counts;
	struct token_prices prices;
	int64_t want;
};

/* Products are pico-USD, in the order input, 5m write, 1h write, read, output. */
static const struct charge_row CHARGE_ROWS[] = {
	/* 50x4 + 200x5 + 0x8 + 1500x0.40 + 120x20 = 200 + 1000 + 600 + 2400 */
	{ "seed vector",
	  { { 50, 200, 0, 1500, 120 } },
	  { { 4000000, 5000000, 8000000, 400000, 20000000 } },
	  4200 },
	/* 50x3 + 200x3.75 + 1500x0.30 + 120x15 = 150 + 750 + 450 + 1800 */
	{ "seed vector at sonnet prices",
	  { { 50, 200, 0, 1500, 120 } },
	  { { 3000000, 3750000, 6000000, 300000, 15000000 } },
	  3150 },
	/* 24x3 + 20x15 = 72 + 300 */
	{ "short call", { { 24, 0, 0, 0, 20 } }, { { 3000000, 0, 0, 0, 15000000 } }, 372 },
	{ "hour cache write", { { 0, 0, 7, 0, 0 } }, { { 0, 0, 6000000, 0, 0 } }, 42 },
	{ "nothing", { { 0 } }, { { 3000000, 0, 0, 0, 15000000 } }, 0 },
	{ "free model", { { 9, 9, 9, 9, 9 } }, { { 0 } }, 0 },
	/* 1 x 0.01 = 0.01 micros */
	{ "a fraction rounds up", { { 1, 0, 0, 0, 0 } }, { { 10000, 0, 0, 0, 0 } }, 1 },
	{ "the smallest fraction", { { 0, 0, 0, 0, 1 } }, { { 0, 0, 0, 0, 1 } }, 1 },
	/* five fractions of 0.2 make one micro, not five */
	{ "rounding is once",
	  { { 1, 1, 1, 1, 1 } },
	  { { 200000, 200000, 200000, 200000, 200000 } },
	  1 },
	/* 0.999999 + 0.000001 = 1, and one pico more is 2 */
	{ "exactly one", { { 1, 0, 0, 0, 1 } }, { { 999999, 0, 0, 0, 1 } }, 1 },
	{ "one and a pico", { { 1, 0, 0, 0, 2 } }, { { 999999, 0, 0, 0, 1 } }, 2 },
	{ "no price and no tokens", { { 2, 0, 0, 0, 0 } }, { { 3000000, -1, -1, -1, -1 } }, 6 },
	{ "largest", { { INT64_MAX, 0, 0, 0, 0 } }, { { 1000000, 0, 0, 0, 0 } }, INT64_MAX },
	/* the product needs 83 bits */
	{ "beyond 64 bits",
	  { { 0, 0, 0, 0, 4000000000000 } },
	  { { 0, 0, 0, 0, 1000000000000 } },
	  4000000000000000000 },
};

static void charges_equal_the_sum_by_hand(void)
{
	for (size_t i = 0; i < ARRAY_LEN(CHARGE_ROWS); i++) {
		const struct charge_row *row = &CHARGE_ROWS[i];
		struct money m = micros(-1);
		struct err err = { 0 };
		if (!CHECK(token_charge(&row->counts, &row->prices, &m, &err)) ||
		    !CHECK_I64(money_micros(m), row->want))
			check_note("%s: %s", row->what, err.text);
	}
}

struct refused_row {
	struct token_counts counts;
	struct token_prices prices;
	enum err_code code;
	const char *text;
};

static const struct refused_row REFUSED_ROWS[] = {
	{ { { 1, -1, 0, 0, 0 } },
	  { { 1, 1, 1, 1, 1 } },
	  ERR_INVALID_ARGUMENT,
	  "'cacheWrite5mTokens' is negative" },
	{ { { 0, 0, 0, 0, 1 } },
	  { { 1, 1, 1, 1, -1 } },
	  ERR_INVALID_ARGUMENT,
	  "the model has no price for 'outputTokens'" },
	/* one micro above int64 */
	{ { { INT64_MAX, 0, 0, 0, 1 } },
	  { { 1000000, 0, 0, 0, 1 } },
	  ERR_TOO_LARGE,
	  "the charge is too large" },
	/* five products of 2^126 wrap around 128 bits */
	{ { { INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX } },
	  { { INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX } },
	  ERR_TOO_LARGE,
	  "the charge is too large" },
};

static void impossible_charges_are_refused(void)
{
	for (size_t i = 0; i < ARRAY_LEN(REFUSED_ROWS); i++) {
		const struct refused_row *row = &REFUSED_ROWS[i];
		struct money m = micros(77);
		struct err err = { 0 };
		CHECK(!token_charge(&row->counts, &row->prices, &m, &err));
		CHECK_I64(err.code, row->code);
		CHECK_STR(err.text, row->text);
		CHECK_I64(money_micros(m), 77);
	}
}

static void a_factor_scales_each_price_and_rounds_up(void)
{
	/* input, write 5m, write 1h, read, output */
	static const struct {
		int64_t ppm;
		struct token_prices list, want;
	} ROWS[] = {
		{ 800000,
		  { { 5000000, 6250000, 10000000, 500000, 25000000 } },
		  { { 4000000, 5000000, 8000000, 400000, 20000000 } } },
		{ 1000000, { { 1, 2, 3, -1, 5 } }, { { 1, 2, 3, -1, 5 } } },
		{ 333333, { { 1, 3, 3000000, 0, -1 } }, { { 1, 1, 999999, 0, -1 } } },
		{ 1500000, { { 1, 2, 3, 4, 5 } }, { { 2, 3, 5, 6, 8 } } },
		{ 0, { { 7, 7, 7, -1, 7 } }, { { 0, 0, 0, -1, 0 } } },
	};
	const struct token_prices huge = { { 1, 1, 1, 1, INT64_MAX } };
	struct token_prices got = { { 9, 9, 9, 9, 9 } };

	CHECK(!token_prices_scale(&huge, 1000001, &got));
	CHECK_I64(got.per_million[TOKEN_UNCACHED_INPUT], 9);
	CHECK(token_prices_scale(&huge, 1000000, &got));
	CHECK_I64(got.per_million[TOKEN_OUTPUT], INT64_MAX);
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		CHECK(token_prices_scale(&ROWS[i].list, ROWS[i].ppm, &got));
		for (size_t c = 0; c < TOKEN_CLASS_COUNT; c++)
			CHECK_I64(got.per_million[c], ROWS[i].want.per_million[c]);
	}
}

static const struct check_case CASES[] = {
	CASE(comparison_and_minimum),
	CASE(sums_are_exact),
	CASE(overflow_is_refused_and_leaves_the_result),
	CASE(cents_are_ten_thousand_micros),
	CASE(usd_text_is_read_exactly_or_refused),
	CASE(absent_and_cut_texts_are_refused),
	CASE(usd_is_written_with_two_to_six_decimals),
	CASE(token_classes_have_their_names),
	CASE(prices_are_read_as_micros_per_million),
	CASE(a_factor_scales_each_price_and_rounds_up),
	CASE(charges_equal_the_sum_by_hand),
	CASE(impossible_charges_are_refused),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
