/* SPDX-License-Identifier: Apache-2.0 */
/* Ids and base62: shape, alphabet, and the bounds of the fixed array that an id is. */
#include "base/id.h"
#include "tests/check.h"

static const char *const PREFIXES[] = {
	[ID_ACCOUNT] = "acct_",      [ID_QUOTE] = "quote_",           [ID_PURCHASE] = "purchase_",
	[ID_SERVICE] = "svc_",       [ID_ROUTER_KEY] = "router_key_", [ID_REQUEST] = "req_",
	[ID_APPROVAL] = "approval_",
};

static void each_kind_has_its_prefix_and_22_characters(void)
{
	struct env_fixed state = { 0 };
	struct env env = env_fixed(&state);

	CHECK_I64(ARRAY_LEN(PREFIXES), ID_KIND_COUNT);
	for (size_t kind = 0; kind < ID_KIND_COUNT; kind++) {
		struct id id = id_make(&env, (enum id_kind)kind);
		CHECK(str_starts(id_str(&id), str_of(PREFIXES[kind])));
		CHECK_I64(strlen(id.text), strlen(PREFIXES[kind]) + 22);
		for (size_t other = 0; other < ID_KIND_COUNT; other++)
			CHECK(id_is(id_str(&id), (enum id_kind)other) == (other == kind));
	}
}

static void same_seed_gives_the_same_id(void)
{
	struct env_fixed state = { .counter = 1 };
	struct env env = env_fixed(&state);
	struct id first = id_make(&env, ID_ACCOUNT);
	struct id second = id_make(&env, ID_ACCOUNT);

	CHECK_STR(first.text, "acct_5srZCSdTjDpbczJWjinWsI");
	CHECK(!id_eq(&first, &second));
}

static const char *const NO_ACCOUNTS[] = {
	"",
	"acct_",
	"acct_5srZCSdTjDpbczJWjinWs",
	"acct_5srZCSdTjDpbczJWjinWsIx",
	"acct-5srZCSdTjDpbczJWjinWsI",
	"Acct_5srZCSdTjDpbczJWjinWsI",
	"acct_5srZCSdTjDpbczJWjinWs_",
	"acct_5srZCSdTjDpbczJWjinWs-",
	"acct_ srZCSdTjDpbczJWjinWsI",
	"acct_5srZCSdTjDpbczJWjinW\xc3\xa9",
};

static void other_texts_are_no_id(void)
{
	CHECK(id_is(STR("acct_5srZCSdTjDpbczJWjinWsI"), ID_ACCOUNT));
	for (size_t i = 0; i < ARRAY_LEN(NO_ACCOUNTS); i++) {
		if (!CHECK(!id_is(str_of(NO_ACCOUNTS[i]), ID_ACCOUNT)))
			check_note("'%s'", NO_ACCOUNTS[i]);
	}
	CHECK(!id_is((struct str){ 0 }, ID_ACCOUNT));
	CHECK(!id_is(STR("acct_5srZCSdTjDpbczJWjinWs\0"), ID_ACCOUNT));
}

static void stored_texts_become_ids(void)
{
	struct id catalog = id_of(STR("cat_router_credit_001"));
	struct id same = id_of(STR("cat_router_credit_001"));
	struct id other = id_of(STR("cat_router_credit_002"));

	CHECK_TEXT(id_str(&catalog), "cat_router_credit_001");
	CHECK(id_eq(&catalog, &same));
	CHECK(!id_eq(&catalog, &other));
	CHECK(!id_is_empty(&catalog));
}

static void longer_text_than_fits_gives_the_empty_id(void)
{
	char text[ID_TEXT_MAX];

	memset(text, 'a', sizeof(text));
	struct id fits = id_of((struct str){ text, ID_TEXT_MAX - 1 });
	struct id too_long = id_of((struct str){ text, ID_TEXT_MAX });
	struct id absent = id_of((struct str){ 0 });
	CHECK_I64(strlen(fits.text), ID_TEXT_MAX - 1);
	CHECK(id_is_empty(&too_long));
	CHECK(id_is_empty(&absent));
}

struct base62_row {
	size_t n;
	size_t width;
	unsigned char bytes[32];
	const char *want;
};

static const struct base62_row BASE62_ROWS[] = {
	{ 16, 22, { 0 }, "0000000000000000000000" },
	{ 16, 22, { [15] = 61 }, "000000000000000000000z" },
	{ 16, 22, { [15] = 62 }, "0000000000000000000010" },
	{ 1, 2, { 255 }, "47" },   /* 4 x 62 + 7 */
	{ 2, 3, { 1, 0 }, "048" }, /* 256 = 4 x 62 + 8 */
	{ 4, 6, { 255, 255, 255, 255 }, "4gfFC3" },
};

static void base62_is_big_endian_with_leading_zeros(void)
{
	for (size_t i = 0; i < ARRAY_LEN(BASE62_ROWS); i++) {
		char text[44];
		base62_encode(BASE62_ROWS[i].bytes, BASE62_ROWS[i].n, text, BASE62_ROWS[i].width);
		CHECK_STR(text, BASE62_ROWS[i].want);
	}
}

static void largest_numbers_fill_their_width(void)
{
	unsigned char ones[32];
	char text[44];

	memset(ones, 0xff, sizeof(ones));
	base62_encode(ones, 16, text, 22);
	CHECK_STR(text, "7n42DGM5Tflk9n8mt7Fhc7");
	base62_encode(ones, 32, text, 43);
	CHECK_STR(text, "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1");
}

static void alphabet_is_digits_and_letters(void)
{
	CHECK(base62_is(STR("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")));
	CHECK(base62_is((struct str){ 0 }));
	for (int c = 0; c < 256; c++) {
		char byte = (char)c;
		bool want =
			(c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
		if (!CHECK(base62_is((struct str){ &byte, 1 }) == want))
			check_note("byte %d", c);
	}
}

/* 62 000 draws: a character expects 1000, and its deviation is about 32; six of these allow for
 * luck, while taking bytes modulo 62 would give eight characters 1/4 more. The seed is fixed. */
static void random_characters_are_equally_likely(void)
{
	struct env_fixed state = { .counter = 5 };
	struct env env = env_fixed(&state);
	char text[62];
	int64_t seen[256] = { 0 };

	for (int round = 0; round < 1000; round++) {
		base62_random(&env, text, sizeof(text));
		CHECK(base62_is((struct str){ text, sizeof(text) }));
		for (size_t i = 0; i < sizeof(text); i++)
			seen[(unsigned char)text[i]]++;
	}
	for (int c = 0; c < 256; c++) {
		if (!CHECK(seen[c] == 0 || (seen[c] > 808 && seen[c] < 1192)))
			check_note("'%c' came %d times", c, (int)seen[c]);
	}
}

static const struct check_case CASES[] = {
	CASE(each_kind_has_its_prefix_and_22_characters),
	CASE(same_seed_gives_the_same_id),
	CASE(other_texts_are_no_id),
	CASE(stored_texts_become_ids),
	CASE(longer_text_than_fits_gives_the_empty_id),
	CASE(base62_is_big_endian_with_leading_zeros),
	CASE(largest_numbers_fill_their_width),
	CASE(alphabet_is_digits_and_letters),
	CASE(random_characters_are_equally_likely),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
