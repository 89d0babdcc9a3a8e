/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON gate. Every text is scanned from memory of exactly its length, so that the address
 * sanitizer sees a read behind its end. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "tests/check.h"

/* A copy without anything behind it. The caller frees it. */
static char *exact(struct str text)
{
	char *copy = malloc(text.len > 0 ? text.len : 1);

	if (!copy)
		abort();
	memcpy(copy, text.p, text.len);
	return copy;
}

static bool scan(struct str text, struct err *err)
{
	char *copy = exact(text);
	bool ok = json_scan((struct str){ copy, text.len }, NULL, NULL, err);

	free(copy);
	return ok;
}

static const struct str GOOD[] = {
	STR_INIT("{}"),
	STR_INIT("[]"),
	STR_INIT("null"),
	STR_INIT("true"),
	STR_INIT("false"),
	STR_INIT("\"\""),
	STR_INIT("0"),
	STR_INIT("-0"),
	STR_INIT("-1.50e+10"),
	STR_INIT("1E9"),
	STR_INIT("1e-9"),
	STR_INIT("0.001"),
	STR_INIT("1e999"), /* the grammar allows it; the tree does not */
	STR_INIT("9007199254740993"),
	STR_INIT(" \t\r\n{ \"a\" : [ 1 , 2 ] } \n"),
	STR_INIT("[[],{},\"\",[[]]]"),
	STR_INIT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
	STR_INIT("\"\\u0001\\u00e9\\u20AC\\ud83d\\ude00\""),
	STR_INIT("\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\""),
	STR_INIT("\"\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF\""), /* U+D7FF, U+E000, U+10FFFF */
	STR_INIT("\"\x7F\""),
	STR_INIT("{\"\":1}"),
	STR_INIT("{\"a\":1,\"A\":2}"),
	STR_INIT("{\"a\":{\"a\":{\"a\":1}}}"),
	STR_INIT("[{\"a\":1},{\"a\":1}]"),
	STR_INIT("{\"aaaaaaaaaaaaaaaa\":1,\"aaaaaaaaaaaaaaab\":2}"),
	STR_INIT("\"0123456789abcdef\""), /* the quote is the first byte of a 16-byte block */
	STR_INIT("\"0123456789abcd\xC3\xA9\""),
};

static void good_texts_pass(void)
{
	for (size_t i = 0; i < ARRAY_LEN(GOOD); i++) {
		struct err err = { 0 };

		if (!CHECK(scan(GOOD[i], &err)))
			check_note("%.*s: %s", STR_ARG(GOOD[i]), err.text);
	}
}

struct bad {
	struct str text;
	size_t at;
	const char *why;
};

static const struct bad BAD[] = {
	{ STR_INIT(""), 0, "a value was expected, but the text ends" },
	{ STR_INIT("  "), 2, "a value was expected, but the text ends" },
	{ STR_INIT("nul"), 0, "unknown word; only true, false and null are values" },
	{ STR_INIT("True"), 0, "a value was expected" },
	{ STR_INIT("NaN"), 0, "a value was expected" },
	{ STR_INIT("nan"), 0, "unknown word; only true, false and null are values" },
	{ STR_INIT("Infinity"), 0, "a value was expected" },
	{ STR_INIT("truely"), 4, "text after the value" },
	{ STR_INIT("{}{}"), 2, "text after the value" },
	{ STR_INIT("{\"a\":1}garbage"), 7, "text after the value" },
	{ STR_INIT("1 2"), 2, "text after the value" },
	{ STR_INIT("{}\0"), 2, "text after the value" },
	{ STR_INIT("\xEF\xBB\xBF{}"), 0, "byte-order mark" },
	{ STR_INIT("// c\n1"), 0, "a value was expected" },
	{ STR_INIT("[1,]"), 3, "a value was expected" },
	{ STR_INIT("[,1]"), 1, "a value was expected" },
	{ STR_INIT("[1 2]"), 3, "',' or ']' was expected" },
	{ STR_INIT("[1}"), 2, "',' or ']' was expected" },
	{ STR_INIT("[1"), 2, "',' or ']' was expected" },
	{ STR_INIT("["), 1, "a value was expected, but the text ends" },
	{ STR_INIT("]"), 0, "a value was expected" },
	{ STR_INIT("{"), 1, "a key in quotes was expected" },
	{ STR_INIT("{1:2}"), 1, "a key in quotes was expected" },
	{ STR_INIT("{a:2}"), 1, "a key in quotes was expected" },
	{ STR_INIT("{'a':2}"), 1, "a key in quotes was expected" },
	{ STR_INIT("{\"a\"}"), 4, "':' was expected after a key" },
	{ STR_INIT("{\"a\" 1}"), 5, "':' was expected after a key" },
	{ STR_INIT("{\"a\":}"), 5, "a value was expected" },
	{ STR_INIT("{\"a\":"), 5, "a value was expected, but the text ends" },
	{ STR_INIT("{\"a\":1,}"), 7, "a key in quotes was expected" },
	{ STR_INIT("{\"a\":1 \"b\":2}"), 7, "',' or '}' was expected" },
	{ STR_INIT("{\"a\":1]"), 6, "',' or '}' was expected" },
	{ STR_INIT("+1"), 0, "a value was expected" },
	{ STR_INIT(".5"), 0, "a value was expected" },
	{ STR_INIT("-"), 1, "number without digits" },
	{ STR_INIT("-a"), 1, "number without digits" },
	{ STR_INIT("01"), 1, "number with a leading zero" },
	{ STR_INIT("-00"), 2, "number with a leading zero" },
	{ STR_INIT("1."), 2, "number without digits after its point" },
	{ STR_INIT("1.e5"), 2, "number without digits after its point" },
	{ STR_INIT("1e"), 2, "number without digits in its exponent" },
	{ STR_INIT("1e+"), 3, "number without digits in its exponent" },
	{ STR_INIT("0x10"), 1, "text after the value" },
	{ STR_INIT("1_000"), 1, "text after the value" },
	{ STR_INIT("\"abc"), 0, "string without an end" },
	{ STR_INIT("[\"0123456789abcdefghij"), 1, "string without an end" },
	{ STR_INIT("\"a\nb\""), 2, "control character in a string" },
	{ STR_INIT("\"a\tb\""), 2, "control character in a string" },
	{ STR_INIT("\"a\0b\""), 2, "control character in a string" },
	{ STR_INIT("\"\x1F\""), 1, "control character in a string" },
	{ STR_INIT("{\"a\x01\":1}"), 3, "control character in a string" },
	{ STR_INIT("\"\\x41\""), 1, "unknown escape in a string" },
	{ STR_INIT("\"\\'\""), 1, "unknown escape in a string" },
	{ STR_INIT("\"\\\0\""), 1, "unknown escape in a string" },
	{ STR_INIT("\"\\"), 1, "unknown escape in a string" },
	{ STR_INIT("\"\\U0041\""), 1, "unknown escape in a string" },
	{ STR_INIT("\"\\u12g4\""), 1, "\\u needs four hexadecimal digits" },
	{ STR_INIT("\"\\u12"), 1, "\\u needs four hexadecimal digits" },
	{ STR_INIT("\"x\\u0000y\""), 2, "\\u0000 is not allowed" },
	{ STR_INIT("{\"a\\u0000b\":1}"), 3, "\\u0000 is not allowed" },
	{ STR_INIT("\"\\ud800\""), 1, "half of a surrogate pair" },
	{ STR_INIT("\"\\ud800x\""), 1, "half of a surrogate pair" },
	{ STR_INIT("\"\\ud800\\n\""), 1, "half of a surrogate pair" },
	{ STR_INIT("\"\\ud800\\u0041\""), 1, "half of a surrogate pair" },
	{ STR_INIT("\"\\ud83d\\ud83d\""), 1, "half of a surrogate pair" },
	{ STR_INIT("\"\\ude00\""), 1, "half of a surrogate pair" },
	{ STR_INIT("\"\x80\""), 1, "invalid UTF-8" },
	{ STR_INIT("\"\xC0\xAF\""), 1, "invalid UTF-8" }, /* overlong slash */
	{ STR_INIT("\"\xC1\xBF\""), 1, "invalid UTF-8" },
	{ STR_INIT("\"\xE0\x80\xAF\""), 1, "invalid UTF-8" },     /* overlong in three */
	{ STR_INIT("\"\xF0\x80\x80\xAF\""), 1, "invalid UTF-8" }, /* overlong in four */
	{ STR_INIT("\"\xED\xA0\x80\""), 1, "invalid UTF-8" },     /* surrogate */
	{ STR_INIT("\"\xF4\x90\x80\x80\""), 1, "invalid UTF-8" }, /* above U+10FFFF */
	{ STR_INIT("\"\xF5\x80\x80\x80\""), 1, "invalid UTF-8" },
	{ STR_INIT("\"\xFF\""), 1, "invalid UTF-8" },
	{ STR_INIT("\"\xC3\""), 1, "invalid UTF-8" }, /* a quote cannot be its tail */
	{ STR_INIT("\"\xC3"), 1, "invalid UTF-8" },
	{ STR_INIT("\"a\xE2\x82"), 2, "invalid UTF-8" },
	{ STR_INIT("\"\xC3\xA9\xF0\x9F\x98"), 3, "invalid UTF-8" },
	{ STR_INIT("{\"\xFF\":1}"), 2, "invalid UTF-8" },
	{ STR_INIT("\xC3\xA9"), 0, "a value was expected" },
	{ STR_INIT("{\"a\":1,\"a\":2}"), 7, "duplicate key 'a'" },
	{ STR_INIT("{\"a\":1,\"b\":2,\"\\u0061\":3}"), 13, "duplicate key '\\u0061'" },
	{ STR_INIT("{\"\\u0061\":1,\"a\":2}"), 12, "duplicate key 'a'" },
	{ STR_INIT("{\"\xF0\x9F\x98\x80\":1,\"\\ud83d\\uDE00\":2}"), 10,
	  "duplicate key '\\ud83d\\uDE00'" },
	{ STR_INIT("{\"\\/path/to/a\":1,\"/path\\/to/a\":2}"), 17, "duplicate key '/path\\/to/a'" },
	{ STR_INIT("{\"\":1,\"\":2}"), 6, "duplicate key ''" },
	{ STR_INIT("[1,{\"x\":[{\"k\":0,\"k\":0}]}]"), 16, "duplicate key 'k'" },
	{ STR_INIT("{\"a\":{\"b\":1},\"a\":2}"), 13, "duplicate key 'a'" },
};

static void bad_texts_are_refused_with_place_and_reason(void)
{
	for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
		struct err err = { 0 };
		char want[160];

		(void)snprintf(want, sizeof want, "not valid JSON at byte %zu: %s", BAD[i].at,
		               BAD[i].why);
		if (memchr(BAD[i].text.p, '\n', BAD[i].at))
			CHECK_FAIL("row %zu has a line break before its fault", i);
		if (!CHECK(!scan(BAD[i].text, &err)) || !CHECK_STR(err.text, want))
			check_note("row %zu", i);
		CHECK_I64(err.code, ERR_INVALID_ARGUMENT);
	}
}

static void every_prefix_of_a_document_is_refused(void)
{
	static const char text[] = "{\"a\":[1.5e1,-2,\"x\\n\\ud83d\\ude00\xC3\xA9\",true,null],"
				   "\"b\":{\"c\":{}}}";

	CHECK(scan(STR(text), NULL));
	for (size_t n = 0; n < sizeof text - 1; n++)
		if (!CHECK(!scan((struct str){ text, n }, NULL)))
			check_note("prefix of %zu bytes", n);
}

static void the_absent_text_is_refused(void)
{
	struct err err = { 0 };

	CHECK(!json_scan((struct str){ NULL, 0 }, NULL, NULL, &err));
	CHECK_I64(err.code, ERR_INVALID_ARGUMENT);
}

static void a_fault_on_a_later_line_names_the_line(void)
{
	struct err err = { 0 };

	CHECK(!scan(STR("{\n\"a\": 1,\n\"b\" 2}"), &err));
	CHECK_STR(err.text, "line 3: not valid JSON at byte 14: ':' was expected after a key");
}

static void a_long_duplicate_key_is_not_repeated(void)
{
	OWN_BUF struct buf text = buf_make(1000);
	struct err err = { 0 };

	buf_addf(&text, "{\"%0100d\":1,\"%0100d\":2}", 7, 7);
	CHECK(!scan(buf_str(&text), &err));
	CHECK_STR(err.text, "not valid JSON at byte 106: duplicate key");
}

/* `open` repeated, then `close` repeated. */
static void add_nested(struct buf *out, size_t depth, const char *open, const char *inner,
                       const char *close)
{
	for (size_t i = 0; i < depth; i++)
		buf_add_z(out, open);
	buf_add_z(out, inner);
	for (size_t i = 0; i < depth; i++)
		buf_add_z(out, close);
}

static void depth_ends_at_its_limit(void)
{
	static const struct {
		const char *open, *inner, *close;
		size_t width; /* of `open` */
	} shapes[] = { { "[", "", "]", 1 }, { "{\"a\":", "1", "}", 5 } };

	for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
		OWN_BUF struct buf text = buf_make(100000);
		struct err err = { 0 };
		char want[80];

		add_nested(&text, 64, shapes[i].open, shapes[i].inner, shapes[i].close);
		CHECK(scan(buf_str(&text), &err));
		buf_reset(&text);
		add_nested(&text, 65, shapes[i].open, shapes[i].inner, shapes[i].close);
		CHECK(!scan(buf_str(&text), &err));
		CHECK_I64(err.code, ERR_TOO_LARGE);
		(void)snprintf(want, sizeof want, "not valid JSON at byte %zu: nested too deeply",
		               64 * shapes[i].width);
		CHECK_STR(err.text, want);
		buf_reset(&text);
		add_nested(&text, 10000, "[", "", "");
		CHECK(!scan(buf_str(&text), NULL));
	}
}

/* {"k0":0,"k1":0,...} without its closing brace. */
static void add_members(struct buf *out, int count)
{
	buf_add_char(out, '{');
	for (int i = 0; i < count; i++)
		buf_addf(out, "%s\"k%d\":0", i > 0 ? "," : "", i);
}

static void duplicates_are_found_in_objects_of_any_size(void)
{
	static const int sizes[] = { 2, 15, 16, 17, 18, 31, 32, 33, 64, 65, 500, 5000 };

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		int repeated[] = { 0, sizes[i] / 2, sizes[i] - 1 };
		OWN_BUF struct buf text = buf_make(1000000);

		add_members(&text, sizes[i]);
		buf_add_char(&text, '}');
		if (!CHECK(scan(buf_str(&text), NULL)))
			check_note("%d members", sizes[i]);
		for (size_t k = 0; k < ARRAY_LEN(repeated); k++) {
			buf_reset(&text);
			add_members(&text, sizes[i]);
			buf_addf(&text, ",\"\\u006b%d\":1}", repeated[k]); /* k, escaped */
			if (!CHECK(!scan(buf_str(&text), NULL)))
				check_note("k%d again after %d members", repeated[k], sizes[i]);
		}
	}
}

/* Inner objects of every size close while the outer one goes on, whose keys must still be known. */
static void keys_of_inner_objects_do_not_mix_with_the_outer_ones(void)
{
	OWN_BUF struct buf text = buf_make(1000000);
	size_t len;

	buf_add_char(&text, '{');
	for (int i = 0; i < 40; i++) {
		buf_addf(&text, "\"k%d\":", i);
		add_members(&text, i * 3);
		buf_add(&text, STR("},"));
	}
	len = text.len;
	buf_add(&text, STR("\"other\":1}"));
	CHECK(scan(buf_str(&text), NULL));
	for (int i = 0; i < 40; i++) {
		text.len = len;
		buf_addf(&text, "\"k%d\":1}", i);
		CHECK(!scan(buf_str(&text), NULL));
	}
}

static void members_of_one_object_are_limited(void)
{
	OWN_BUF struct buf text = buf_make(4000000);
	struct err err = { 0 };

	add_members(&text, LIMIT_JSON_MEMBERS);
	buf_add_char(&text, '}');
	CHECK(scan(buf_str(&text), NULL));
	text.len--;
	buf_add(&text, STR(",\"more\":1}"));
	CHECK(!scan(buf_str(&text), &err));
	CHECK_I64(err.code, ERR_TOO_LARGE);
}

/* A fault at each place of a string of more than two 16-byte blocks. */
static void string_faults_are_found_at_every_place_of_a_block(void)
{
	for (size_t at = 1; at <= 40; at++) {
		char text[42], want[80];
		struct err err = { 0 };

		memset(text, 'x', sizeof text);
		text[0] = text[41] = '"';
		CHECK(scan((struct str){ text, sizeof text }, NULL));
		text[at] = '\x1F';
		CHECK(!scan((struct str){ text, sizeof text }, &err));
		(void)snprintf(want, sizeof want,
		               "not valid JSON at byte %zu: control character in a string", at);
		CHECK_STR(err.text, want);
		text[at] = '\xFF';
		CHECK(!scan((struct str){ text, sizeof text }, &err));
		(void)snprintf(want, sizeof want, "not valid JSON at byte %zu: invalid UTF-8", at);
		CHECK_STR(err.text, want);
	}
}

static void add_span(void *data, const struct json_span *span)
{
	static const char *const TYPES[] = {
		"null", "bool", "number", "string", "array", "object"
	};

	buf_addf(data, "%zu %.*s %s %.*s @%zu\n", span->depth, span->key.p ? (int)span->key.len : 1,
	         span->key.p ? span->key.p : "-", TYPES[span->type], STR_ARG(span->value),
	         span->start);
}

static void values_are_reported_inner_first_with_offsets(void)
{
	OWN_BUF struct buf seen = buf_make(10000);

	CHECK(json_scan(STR(" {\"a\" : 1, \"b\":[ true,\"x\"],\"\":{},\"c\":{\"d\":null}} "),
	                add_span, &seen, NULL));
	CHECK_TEXT(buf_str(&seen), "1 a number 1 @2\n"
	                           "2 - bool true @17\n"
	                           "2 - string \"x\" @22\n"
	                           "1 b array [ true,\"x\"] @11\n"
	                           "1  object {} @27\n"
	                           "2 d null null @38\n"
	                           "1 c object {\"d\":null} @33\n"
	                           "0 - object {\"a\" : 1, \"b\":[ true,\"x\"],\"\":{},"
	                           "\"c\":{\"d\":null}} @1\n");
}

static void a_scalar_root_is_reported(void)
{
	OWN_BUF struct buf seen = buf_make(1000);

	CHECK(json_scan(STR(" 12"), add_span, &seen, NULL));
	CHECK_TEXT(buf_str(&seen), "0 - number 12 @1\n");
}

static const char *const WANTED[] = { "model", "stream", "max_tokens" };

static void pick_finds_members_of_the_root_only(void)
{
	struct str out[3];

	CHECK(json_pick(STR("{\"a\":{\"stream\":1},\"mod\\u0065l\":\"x\",\"b\":[{\"model\":2}],"
	                    "\"stream\": true ,\"models\":3,\"mode\":4}"),
	                WANTED, out, 3, NULL));
	CHECK_TEXT(out[0], "\"x\"");
	CHECK_TEXT(out[1], "true");
	CHECK_TEXT(out[2], NULL);
}

static void pick_wants_an_object(void)
{
	struct str out[3] = { STR_INIT("?"), STR_INIT("?"), STR_INIT("?") };
	struct err err = { 0 };

	CHECK(!json_pick(STR("[{\"model\":1}]"), WANTED, out, 3, &err));
	CHECK_I64(err.code, ERR_INVALID_ARGUMENT);
	CHECK_STR(err.text, "a JSON object was expected");
	CHECK_TEXT(out[0], NULL);
	CHECK(!json_pick(STR("{\"model\":1"), WANTED, out, 3, &err));
	CHECK_TEXT(out[0], NULL);
	CHECK(json_pick(STR("{}"), WANTED, out, 3, &err));
	CHECK_TEXT(out[2], NULL);
}

static void raw_integers_are_exact_or_refused(void)
{
	static const char *const refused[] = {
		"1.0", "1e3", "\"1\"", "true", "null", "[]", "9223372036854775808"
	};
	int64_t n = 7;

	CHECK(json_raw_i64(STR("9223372036854775807"), &n));
	CHECK(n == INT64_MAX);
	CHECK(json_raw_i64(STR("-9223372036854775808"), &n));
	CHECK(n == INT64_MIN);
	n = 7;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		if (!CHECK(!json_raw_i64(str_of(refused[i]), &n)))
			check_note("%s", refused[i]);
	CHECK(!json_raw_i64((struct str){ NULL, 0 }, &n));
	CHECK_I64(n, 7);
}

static void raw_booleans_and_null(void)
{
	bool b = false;

	CHECK(json_raw_bool(STR("true"), &b) && b);
	CHECK(json_raw_bool(STR("false"), &b) && !b);
	CHECK(!json_raw_bool(STR("1"), &b));
	CHECK(!json_raw_bool(STR("\"true\""), &b));
	CHECK(!json_raw_bool((struct str){ NULL, 0 }, &b));
	CHECK(json_raw_is_null(STR("null")));
	CHECK(!json_raw_is_null(STR("\"null\"")));
	CHECK(!json_raw_is_null((struct str){ NULL, 0 }));
}

static void raw_strings_are_decoded(void)
{
	OWN_BUF struct buf out = buf_make(8);

	CHECK(json_raw_string(STR("\"a\\n\\u00e9\\ud83d\\ude00\""), &out));
	CHECK_TEXT(buf_str(&out), "a\n\xC3\xA9\xF0\x9F\x98\x80");
	buf_reset(&out);
	CHECK(json_raw_string(STR("\"\""), &out));
	CHECK_TEXT(buf_str(&out), "");
	CHECK(!json_raw_string(STR("12"), &out));
	CHECK(!json_raw_string(STR("\""), &out));
	CHECK(!json_raw_string((struct str){ NULL, 0 }, &out));
	CHECK(json_raw_string(STR("\"12345678\""), &out));
	buf_reset(&out);
	CHECK(!json_raw_string(STR("\"123456789\""), &out));
}

static void raw_strings_compare_decoded(void)
{
	CHECK(json_raw_equals(STR("\"gpt\""), STR("gpt")));
	CHECK(json_raw_equals(STR("\"g\\u0070t\""), STR("gpt")));
	CHECK(json_raw_equals(STR("\"\""), STR("")));
	CHECK(!json_raw_equals(STR("\"g\\u0070\""), STR("gpt")));
	CHECK(!json_raw_equals(STR("\"gp\\u0074x\""), STR("gpt")));
	CHECK(!json_raw_equals(STR("\"GPT\""), STR("gpt")));
	CHECK(!json_raw_equals(STR("gpt"), STR("gpt")));
	CHECK(!json_raw_equals((struct str){ NULL, 0 }, STR("gpt")));
}

static bool scan_file(const char *folder, const char *name)
{
	char path[512];
	OWN_BUF struct buf text = buf_make(1 << 20);
	char *room = buf_reserve(&text, 1 << 16);
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	file = fopen(path, "rb");
	if (!file || !room) {
		CHECK_FAIL("%s cannot be read", path);
		return false;
	}
	buf_grew(&text, fread(room, 1, 1 << 16, file));
	(void)fclose(file);
	return scan(buf_str(&text), NULL);
}

/* fixtures/requests holds one flaw per file, which its name says. */
static void malformed_request_files_are_refused(void)
{
	const char *folder = FIXTURES "/requests";
	DIR *dir = opendir(folder);
	size_t seen = 0;

	if (!CHECK(dir != NULL))
		return;
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		if (!str_ends(str_of(entry->d_name), STR(".json")))
			continue;
		seen++;
		if (!CHECK(!scan_file(folder, entry->d_name)))
			check_note("%s", entry->d_name);
	}
	(void)closedir(dir);
	CHECK(seen >= 20);
}

static const struct check_case CASES[] = {
	CASE(good_texts_pass),
	CASE(bad_texts_are_refused_with_place_and_reason),
	CASE(every_prefix_of_a_document_is_refused),
	CASE(the_absent_text_is_refused),
	CASE(a_fault_on_a_later_line_names_the_line),
	CASE(a_long_duplicate_key_is_not_repeated),
	CASE(depth_ends_at_its_limit),
	CASE(duplicates_are_found_in_objects_of_any_size),
	CASE(keys_of_inner_objects_do_not_mix_with_the_outer_ones),
	CASE(members_of_one_object_are_limited),
	CASE(string_faults_are_found_at_every_place_of_a_block),
	CASE(values_are_reported_inner_first_with_offsets),
	CASE(a_scalar_root_is_reported),
	CASE(pick_finds_members_of_the_root_only),
	CASE(pick_wants_an_object),
	CASE(raw_integers_are_exact_or_refused),
	CASE(raw_booleans_and_null),
	CASE(raw_strings_are_decoded),
	CASE(raw_strings_compare_decoded),
	CASE(malformed_request_files_are_refused),
};

int main(void)
{
	return check_main(CASES, ARRAY_LEN(CASES));
}
