/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks, the seeded generator, and time as text: leap years, offsets, and texts that look like
 * times but are none. Expected milliseconds are those of `date -u -d TEXT +%s`. */
#include "base/env.h"
#include "tests/check.h"

struct time_row {
	int64_t ms;
	const char *text;
};

/* The exact form, so each row is tested both ways. */
static const struct time_row EXACT_ROWS[] = {
	{ 0, "1970-01-01T00:00:00.000Z" },
	{ 1, "1970-01-01T00:00:00.001Z" },
	{ -1, "1969-12-31T23:59:59.999Z" },
	{ 951782399999, "2000-02-28T23:59:59.999Z" },
	{ 951782400000, "2000-02-29T00:00:00.000Z" },
	{ 951868800000, "2000-03-01T00:00:00.000Z" },
	{ 1709164800000, "2024-02-29T00:00:00.000Z" },
	{ 1709251200000, "2024-03-01T00:00:00.000Z" },
	{ 1798761599999, "2026-12-31T23:59:59.999Z" },
	{ 1795334400000, "2026-11-22T08:00:00.000Z" },
	{ 4107542400000, "2100-03-01T00:00:00.000Z" },
	{ -2203891200000, "1900-03-01T00:00:00.000Z" },
	{ -62167219200000, "0000-01-01T00:00:00.000Z" },
	{ 253402300799999, "9999-12-31T23:59:59.999Z" },
};

static void times_are_written_in_rfc_3339(void)
{
	for (size_t i = 0; i < ARRAY_LEN(EXACT_ROWS); i++) {
		char text[TIME_TEXT_MAX];
		time_format(EXACT_ROWS[i].ms, text);
		CHECK_STR(text, EXACT_ROWS[i].text);
	}
}

static void times_outside_four_digit_years_stand_at_the_edge(void)
{
	char text[TIME_TEXT_MAX];

	time_format(INT64_MIN, text);
	CHECK_STR(text, "0000-01-01T00:00:00.000Z");
	time_format(INT64_MAX, text);
	CHECK_STR(text, "9999-12-31T23:59:59.999Z");
}

static const struct time_row OTHER_ROWS[] = {
	{ 1795334400000, "2026-11-22T08:00:00Z" },
	{ 1795334400000, "2026-11-22t08:00:00z" },
	{ 1795334400000, "2026-11-22T09:30:00+01:30" },
	{ 1795334400000, "2026-11-22T00:00:00-08:00" },
	{ 1795334400000, "2026-11-22T08:00:00-00:00" },
	{ 1795334400000, "2026-11-23T07:59:00+23:59" },
	{ 1795334400500, "2026-11-22T08:00:00.5Z" },
	{ 1795334400050, "2026-11-22T08:00:00.05Z" },
	{ 1795334400123, "2026-11-22T08:00:00.123999999999Z" },
	{ 1709164800000, "2024-02-28T23:00:00-01:00" },
	{ -500, "1969-12-31T23:59:59.5Z" },
};

static void check_parse(const struct time_row *row)
{
	struct err err = { 0 };
	int64_t ms = 42;

	if (!CHECK(time_parse(str_of(row->text), &ms, &err)) || !CHECK_I64(ms, row->ms))
		check_note("'%s': %s", row->text, err.text);
}

static void times_are_read_with_offset_and_fraction(void)
{
	for (size_t i = 0; i < ARRAY_LEN(EXACT_ROWS); i++)
		check_parse(&EXACT_ROWS[i]);
	for (size_t i = 0; i < ARRAY_LEN(OTHER_ROWS); i++)
		check_parse(&OTHER_ROWS[i]);
}

static const char *const BAD_TIMES[] = {
	"",
	"2026",
	"2026-11-22",
	"2026-11-22T08:00Z",
	"2026-11-22T08:00:00",
	"2026-11-22 08:00:00Z",
	"2026-11-22T08:00:00ZZ",
	" 2026-11-22T08:00:00Z",
	"2026-11-22T08:00:00Z ",
	"2026-11-22T08:00:00.Z",
	"2026-11-22T08:00:00,5Z",
	"2026-11-22T08:00:00+1:00",
	"2026-11-22T08:00:00+0100",
	"2026-11-22T08:00:00+24:00",
	"2026-11-22T08:00:00+01:60",
	"2026-11-22T08:00:00Z+01:00",
	"2026-00-22T08:00:00Z",
	"2026-13-22T08:00:00Z",
	"2026-11-00T08:00:00Z",
	"2026-11-31T08:00:00Z",
	"2026-02-29T08:00:00Z",
	"1900-02-29T08:00:00Z",
	"2100-02-29T08:00:00Z",
	"2000-02-30T08:00:00Z",
	"2026-12-32T08:00:00Z",
	"2026-11-22T24:00:00Z",
	"2026-11-22T08:60:00Z",
	"2026-11-22T08:00:60Z",
	"2026-1-22T08:00:00Z",
	"+026-11-22T08:00:00Z",
	"12026-11-22T08:00:00Z",
	"2026/11/22T08:00:00Z",
	"2026-11-22T-8:00:00Z",
	"0000-01-01T00:00:00+00:01",
	"9999-12-31T23:59:59-00:01",
};

static void other_texts_are_refused(void)
{
	for (size_t i = 0; i < ARRAY_LEN(BAD_TIMES); i++) {
		struct err err = { 0 };
		int64_t ms = 42;
		if (!CHECK(!time_parse(str_of(BAD_TIMES[i]), &ms, &err)) || !CHECK_I64(ms, 42) ||
		    !CHECK_I64(err.code, ERR_INVALID_ARGUMENT))
			check_note("'%s'", BAD_TIMES[i]);
	}
	int64_t ms;
	CHECK(!time_parse((struct str){ 0 }, &ms, NULL));
	CHECK(!time_parse(STR("2026-11-22T08:00:00\0"), &ms, NULL));
}

static void each_day_of_eight_centuries_reads_back(void)
{
	int64_t wrong = 0;

	for (int64_t day = -146097; day <= 146097; day++) {
		char text[TIME_TEXT_MAX];
		int64_t ms = 0;
		time_format(day * 86400000 + 1, text);
		wrong += !time_parse(str_of(text), &ms, NULL) || ms != day * 86400000 + 1;
	}
	CHECK_I64(wrong, 0);
}

static void fixed_clock_stands_until_moved(void)
{
	struct env_fixed state = { .now_ms = 1795334400000 };
	struct env env = env_fixed(&state);

	CHECK_I64(env_now_ms(&env), 1795334400000);
	CHECK_I64(env_mono_us(&env), 1795334400000000);
	state.now_ms += 5;
	CHECK_I64(env_now_ms(&env), 1795334400005);
	CHECK_I64(env_mono_us(&env), 1795334400005000);
}

/* The first outputs that SplitMix64's authors give for seed 0 start with e220a8397b1dcdaf. */
static void fixed_generator_gives_the_known_bytes(void)
{
	struct env_fixed state = { 0 };
	struct env env = env_fixed(&state);
	unsigned char bytes[8];

	env_random(&env, bytes, sizeof(bytes));
	CHECK_BYTES(bytes, "\xaf\xcd\x1d\x7b\x39\xa8\x20\xe2", 8);
}

static void fixed_generator_goes_on_and_repeats_by_seed(void)
{
	struct env_fixed one = { .counter = 1 };
	struct env_fixed same = { .counter = 1 };
	struct env a = env_fixed(&one);
	struct env b = env_fixed(&same);
	unsigned char first[11];
	unsigned char second[11];

	env_random(&a, first, sizeof(first));
	env_random(&b, second, sizeof(second));
	CHECK_BYTES(first, second, sizeof(first));
	CHECK_BYTES(first, "\xc1\x5c\x02\x89\xec\x2d\x0a\x91\x67\xec\x8e", 11);
	env_random(&b, second, sizeof(second));
	CHECK(memcmp(first, second, sizeof(first)) != 0);
}

static void real_clocks_and_generator_work(void)
{
	struct env env = env_real();
	unsigned char a[16] = { 0 };
	unsigned char b[16] = { 0 };
	int64_t before = env_mono_us(&env);

	CHECK(env_now_ms(&env) > INT64_C(1700000000000));
	CHECK(env_now_ms(&env) < INT64_C(253402300800000));
	CHECK(env_mono_us(&env) >= before);
	env_random(&env, a, sizeof(a));
	env_random(&env, b, sizeof(b));
	CHECK(memcmp(a, b, sizeof(a)) != 0);
}

static const struct check_case CASES[] = {
	CASE(times_are_written_in_rfc_3339),
	CASE(times_outside_four_digit_years_stand_at_the_edge),
	CASE(times_are_read_with_offset_and_fraction),
	CASE(other_texts_are_refused),
	CASE(each_day_of_eight_centuries_reads_back),
	CASE(fixed_clock_stands_until_moved),
	CASE(fixed_generator_gives_the_known_bytes),
	CASE(fixed_generator_goes_on_and_repeats_by_seed),
	CASE(real_clocks_and_generator_work),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
