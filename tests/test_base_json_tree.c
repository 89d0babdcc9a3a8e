/* SPDX-License-Identifier: Apache-2.0 */
/* Trees: what cJSON would let through or change, reading values, comparing and matching. */
#include <stdlib.h>

#include "base/json.h"
#include "tests/check.h"

static struct json *parse(const char *text)
{
	struct err err = { 0 };
	struct json *root = json_parse(str_of(text), &err);

	if (!root)
		CHECK_FAIL("%s: %s", text, err.text);
	return root;
}

static void text_without_nul_at_its_end_is_read(void)
{
	static const char *const texts[] = { "12", "true", "\"ab\"", "[1]", "{\"a\":-1.5e3}" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		size_t len = strlen(texts[i]);
		char *copy = malloc(len);
		OWN_JSON struct json *root = NULL;

		if (!CHECK(copy != NULL))
			return;
		memcpy(copy, texts[i], len);
		root = json_parse((struct str){ copy, len }, NULL);
		CHECK(root != NULL);
		free(copy);
	}
}

static void what_the_gate_refuses_is_no_tree(void)
{
	static const struct {
		const char *text;
		enum err_code code;
	} rows[] = {
		{ "", ERR_INVALID_ARGUMENT },
		{ "{\"a\":1,\"a\":2}", ERR_INVALID_ARGUMENT },
		{ "{\"a\":1}x", ERR_INVALID_ARGUMENT },
		{ "\"x\\u0000y\"", ERR_INVALID_ARGUMENT },
		{ "01", ERR_INVALID_ARGUMENT },
		{ "1e999", ERR_TOO_LARGE },
		{ "[[{\"a\":-1e999}]]", ERR_TOO_LARGE },
		{ "1234567890123456789012345678901234567890123456789012345678901234",
		  ERR_TOO_LARGE },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = { 0 };

		if (!CHECK(json_parse(str_of(rows[i].text), &err) == NULL))
			check_note("%s", rows[i].text);
		CHECK_I64(err.code, rows[i].code);
	}
	json_free(NULL);
}

static void a_number_of_63_characters_is_whole(void)
{
	OWN_JSON struct json *root =
		parse("100000000000000000000000000000000000000000000000000000000000000");
	OWN_BUF struct buf out = buf_make(100);

	CHECK(json_canonical(root, &out, NULL));
	CHECK_TEXT(buf_str(&out), "1e+62");
}

static void types_and_members(void)
{
	OWN_JSON struct json *root = parse("{\"n\":null,\"b\":false,\"i\":1,\"s\":\"x\","
	                                   "\"a\":[1,2,3],\"o\":{\"k\":true},\"I\":2,\"\":9}");
	static const enum json_type types[] = { JSON_NULL,  JSON_BOOL,   JSON_NUMBER, JSON_STRING,
		                                JSON_ARRAY, JSON_OBJECT, JSON_NUMBER, JSON_NUMBER };
	const struct json *child = json_first(root);
	int64_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(types); i++, child = json_next(child))
		CHECK_I64(json_type(child), types[i]);
	CHECK(child == NULL);
	CHECK(json_next(NULL) == NULL && json_first(NULL) == NULL);
	CHECK_I64((int64_t)json_count(root), 8);
	CHECK_I64((int64_t)json_count(json_get(root, "a")), 3);
	CHECK(json_i64(json_get(root, "I"), &n) && n == 2); /* not "i" */
	CHECK(json_i64(json_get(root, ""), &n) && n == 9);
	CHECK(json_get(root, "S") == NULL);
	CHECK(json_get(json_get(root, "a"), "k") == NULL);
	CHECK(json_get(NULL, "a") == NULL);
	CHECK_TEXT(json_key(json_first(root)), "n");
	CHECK_TEXT(json_key(json_first(json_get(root, "a"))), NULL);
	CHECK(json_true(json_get(json_get(root, "o"), "k")));
	CHECK(!json_true(json_get(root, "b")) && !json_true(NULL) && !json_true(root));
	CHECK_TEXT(json_text(json_get(root, "s")), "x");
	CHECK_TEXT(json_text(json_get(root, "i")), NULL);
	CHECK_TEXT(json_text(NULL), NULL);
	CHECK(json_is(root, JSON_OBJECT) && !json_is(NULL, JSON_NULL));
}

static void integers_within_53_bits_are_read(void)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t want;
	} rows[] = {
		{ "0", true, 0 },
		{ "-0", true, 0 },
		{ "5000000000", true, 5000000000 },
		{ "9007199254740991", true, 9007199254740991 },
		{ "-9007199254740991", true, -9007199254740991 },
		{ "1e3", true, 1000 },
		{ "2.0", true, 2 },
		{ "9007199254740992", false, 0 },
		{ "9007199254740993", false, 0 },
		{ "-9007199254740992", false, 0 },
		{ "1e300", false, 0 },
		{ "1.5", false, 0 },
		{ "\"1\"", false, 0 },
		{ "true", false, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		OWN_JSON struct json *root = parse(rows[i].text);
		int64_t n = 77;

		if (!CHECK(json_i64(root, &n) == rows[i].ok) ||
		    !CHECK_I64(n, rows[i].ok ? rows[i].want : 77))
			check_note("%s", rows[i].text);
	}
	CHECK(!json_i64(NULL, &(int64_t){ 0 }));
}

static void decimals_become_exact_micros(void)
{
	static const struct {
		const char *text;
		int decimals;
		bool ok;
		int64_t want;
	} rows[] = {
		{ "25", 2, true, 25000000 },
		{ "25.00", 2, true, 25000000 },
		{ "0.1", 2, true, 100000 },
		{ "0.29", 2, true, 290000 },
		{ "1.1", 2, true, 1100000 },
		{ "1.15", 2, true, 1150000 },
		{ "4.35", 2, true, 4350000 },
		{ "9999.99", 2, true, 9999990000 },
		{ "-0.07", 2, true, -70000 },
		{ "1e2", 0, true, 100000000 },
		{ "0.000001", 6, true, 1 },
		{ "0.075", 6, true, 75000 },
		{ "999999999.999999", 6, true, 999999999999999 },
		{ "-999999999.999999", 6, true, -999999999999999 },
		{ "1000000000", 6, true, 1000000000000000 },
		{ "0.015", 2, false, 0 },
		{ "0.001", 2, false, 0 },
		{ "25.001", 2, false, 0 },
		{ "1.5", 0, false, 0 },
		{ "0.0000001", 6, false, 0 },
		{ "0.1000001", 6, false, 0 },
		{ "1000000000.01", 2, false, 0 },
		{ "1e300", 2, false, 0 },
		{ "-1e300", 2, false, 0 },
		{ "\"25\"", 2, false, 0 },
		{ "null", 2, false, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		OWN_JSON struct json *root = parse(rows[i].text);
		int64_t micros = 77;

		if (!CHECK(json_micros(root, rows[i].decimals, &micros) == rows[i].ok) ||
		    !CHECK_I64(micros, rows[i].ok ? rows[i].want : 77))
			check_note("%s with %d decimals", rows[i].text, rows[i].decimals);
	}
}

/* Each amount of whole cents up to 200 USD, as text, comes back. */
static void every_cent_is_read_exactly(void)
{
	for (int64_t cents = 0; cents <= 20000; cents++) {
		OWN_BUF struct buf text = buf_make(32);
		OWN_JSON struct json *root = NULL;
		int64_t micros = -1;

		buf_addf(&text, "%d.%02d", (int)(cents / 100), (int)(cents % 100));
		root = json_parse(buf_str(&text), NULL);
		if (!CHECK(json_micros(root, 2, &micros)) || !CHECK_I64(micros, cents * 10000))
			return;
	}
}

static void equality_ignores_member_order_only(void)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} rows[] = {
		{ "{\"a\":1,\"b\":[1,{\"c\":null}]}", "{\"b\":[1.0,{\"c\":null}],\"a\":1e0}",
		  true },
		{ "\"\\u00e9\"", "\"\xC3\xA9\"", true },
		{ "0", "-0", true },
		{ "[]", "[]", true },
		{ "{}", "{}", true },
		{ "[1,2]", "[2,1]", false },
		{ "[1,2]", "[1,2,3]", false },
		{ "[1,2,3]", "[1,2]", false },
		{ "{\"a\":1}", "{\"A\":1}", false },
		{ "{\"a\":1}", "{\"a\":1,\"b\":2}", false },
		{ "{\"a\":1,\"b\":2}", "{\"a\":1}", false },
		{ "{\"a\":null}", "{\"b\":null}", false },
		{ "{}", "[]", false },
		{ "1", "\"1\"", false },
		{ "true", "false", false },
		{ "null", "false", false },
		{ "\"a\"", "\"b\"", false },
		{ "1", "1.0000001", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		OWN_JSON struct json *a = parse(rows[i].a);
		OWN_JSON struct json *b = parse(rows[i].b);

		if (!CHECK(json_equal(a, b) == rows[i].equal) ||
		    !CHECK(json_equal(b, a) == rows[i].equal))
			check_note("%s and %s", rows[i].a, rows[i].b);
		CHECK(!json_equal(a, NULL) && !json_equal(NULL, a));
	}
	CHECK(json_equal(NULL, NULL));
}

static void patterns_match_subsets_and_tell_the_difference(void)
{
	static const struct {
		const char *pattern, *value;
		const char *where; /* NULL: it matches */
	} rows[] = {
		{ "{}", "{\"a\":1}", NULL },
		{ "{\"a\":1}", "{\"b\":2,\"a\":1}", NULL },
		{ "{\"a\":\"*\"}", "{\"a\":{\"b\":[]}}", NULL },
		{ "{\"a\":\"*\"}", "{\"a\":null}", NULL },
		{ "[\"*\",{\"k\":2}]", "[7,{\"k\":2,\"l\":3}]", NULL },
		{ "\"*\"", "[]", NULL },
		{ "{\"a\":\"*\"}", "{\"b\":1}", "a: expected \"*\", got nothing" },
		{ "{\"a\":null}", "{}", "a: expected null, got nothing" },
		{ "{\"q\":{\"items\":[1,{\"id\":\"x\"}]}}",
		  "{\"q\":{\"items\":[1,{\"id\":\"y\"}]}}",
		  "q.items[1].id: expected \"x\", got \"y\"" },
		{ "{\"a\":[1]}", "{\"a\":[1,2]}", "a: expected [1], got [1,2]" },
		{ "{\"a\":{}}", "{\"a\":[]}", "a: expected {}, got []" },
		{ "1", "2", "expected 1, got 2" },
		{ "[[true]]", "[[false]]", "[0][0]: expected true, got false" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		OWN_JSON struct json *pattern = parse(rows[i].pattern);
		OWN_JSON struct json *value = parse(rows[i].value);
		OWN_BUF struct buf where = buf_make(1000);

		CHECK(json_matches(pattern, value, &where) == (rows[i].where == NULL));
		CHECK_TEXT(buf_str(&where), rows[i].where ? rows[i].where : "");
		CHECK(json_matches(pattern, value, NULL) == (rows[i].where == NULL));
	}
}

static void canonical_text_is_the_same_for_equal_documents(void)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ " { \"b\" : 1.0 , \"a\" : [ ] , \"B\" : { } } ", "{\"B\":{},\"a\":[],\"b\":1}" },
		{ "{\"\xC3\xA9\":1,\"z\":2,\"\":3}", "{\"\":3,\"z\":2,\"\xC3\xA9\":1}" },
		{ "[\"\\u00e9\\/\\n\\u0001\\\"\\\\\"]", "[\"\xC3\xA9/\\n\\u0001\\\"\\\\\"]" },
		{ "[0.1,0.10,1e-1,-0,1e2,100]", "[0.1,0.1,0.1,0,100,100]" },
		{ "[9007199254740991,1e+21,0.30000000000000004]",
		  "[9007199254740991,1e+21,0.30000000000000004]" },
		{ "[true,false,null]", "[true,false,null]" },
		{ "{\"ab\":1,\"a\":{\"d\":1,\"c\":2}}", "{\"a\":{\"c\":2,\"d\":1},\"ab\":1}" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		OWN_JSON struct json *root = parse(rows[i].text);
		OWN_BUF struct buf out = buf_make(1000);

		CHECK(json_canonical(root, &out, NULL));
		CHECK_TEXT(buf_str(&out), rows[i].want);
	}
}

static void canonical_text_is_bounded(void)
{
	OWN_JSON struct json *root = parse("[1,2,3]");
	OWN_BUF struct buf out = buf_make(6);
	struct err err = { 0 };

	CHECK(!json_canonical(root, &out, &err));
	CHECK_I64(err.code, ERR_TOO_LARGE);
}

static const struct check_case CASES[] = {
	CASE(text_without_nul_at_its_end_is_read),
	CASE(what_the_gate_refuses_is_no_tree),
	CASE(a_number_of_63_characters_is_whole),
	CASE(types_and_members),
	CASE(integers_within_53_bits_are_read),
	CASE(decimals_become_exact_micros),
	CASE(every_cent_is_read_exactly),
	CASE(equality_ignores_member_order_only),
	CASE(patterns_match_subsets_and_tell_the_difference),
	CASE(canonical_text_is_the_same_for_equal_documents),
	CASE(canonical_text_is_bounded),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
